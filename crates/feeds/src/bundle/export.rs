//! Writing a bundle.

use std::io::{self, Write};
use std::path::Path;

use rusqlite::{Row, params};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use tenon_model::{Digest, Timestamp};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Entry, FORMAT, Head, Line, MANIFEST, Manifest, VERSION};
use crate::error::FeedError;
use crate::name::FeedName;
use crate::store::{FeedState, Store, cve_of_key, json_of, optional_time};

/// Why a bundle could not be written.
enum Failure {
    Write(io::Error),
    Store(rusqlite::Error),
    Damaged(&'static str),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

impl From<zip::result::ZipError> for Failure {
    fn from(error: zip::result::ZipError) -> Self {
        Self::Write(error.into())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Write(error.into())
    }
}

/// Writes every feed of the store to the file at `path`, which appears whole or not at all. Gives the feeds.
///
/// # Errors
/// When the store or the file fails, or the store holds no feed.
pub fn export(store: &Store, path: &Path, now: Timestamp) -> Result<Vec<FeedState>, FeedError> {
    let feeds: Vec<FeedState> = store.feeds()?.into_iter().filter(|state| state.fetched.is_some()).collect();
    if feeds.is_empty() {
        let value = store.folder().display().to_string();
        return Err(FeedError::Request { value, expected: "a store with at least one feed; sync first" });
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error| FeedError::file("write", path, error);
    let temporary = NamedTempFile::new_in(folder).map_err(failed)?;
    let written = store.consistent(|store| {
        write(store, &feeds, temporary.as_file(), now).map_err(|failure| match failure {
            Failure::Write(error) => failed(error),
            Failure::Store(source) => store.failed("read")(source),
            Failure::Damaged(what) => store.damaged(what),
        })
    });
    written?;
    temporary.as_file().sync_all().map_err(failed)?;
    temporary.persist(path).map_err(|error| failed(error.error))?;
    Ok(feeds)
}

fn write(store: &Store, feeds: &[FeedState], file: &std::fs::File, now: Timestamp) -> Result<(), Failure> {
    let mut zip = ZipWriter::new(io::BufWriter::new(file));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let mut files = Vec::new();
    for (number, state) in feeds.iter().enumerate() {
        let name = format!("feeds/{number}.jsonl");
        zip.start_file(&name, options)?;
        let mut hashed = Hashed { to: &mut zip, hash: Sha256::new(), bytes: 0 };
        write_feed(store, state, &mut hashed)?;
        let (bytes, sha256) = (hashed.bytes, Digest::from_bytes(hashed.hash.finalize().into()));
        files.push(Entry { name, feed: state.feed.to_string(), bytes, sha256 });
    }
    let manifest = Manifest { format: FORMAT.to_owned(), version: VERSION, created: now, files };
    zip.start_file(MANIFEST, options)?;
    serde_json::to_writer_pretty(&mut zip, &manifest)?;
    zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(())
}

/// Hashes what it passes on.
struct Hashed<W> {
    to: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn line<T: serde::Serialize>(to: &mut dyn Write, value: &T) -> Result<(), Failure> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    to.write_all(&text)?;
    Ok(())
}

fn write_feed(store: &Store, state: &FeedState, to: &mut dyn Write) -> Result<(), Failure> {
    let connection = &store.connection;
    let name = state.feed.to_string();
    line(
        to,
        &Head {
            feed: name.clone(),
            origin: state.origin.clone(),
            edition: state.edition.clone(),
            as_of: state.as_of,
            fetched: state.fetched,
            checked: state.checked,
            digest: state.digest,
            records: state.records,
            problems: state.problems,
        },
    )?;
    let feed: i64 = connection.query_row("SELECT id FROM feed WHERE name = ?1", [&name], |row| row.get(0))?;
    let problems = "SELECT file, record, field, reason FROM problem WHERE feed = ?1 ORDER BY rowid";
    each(store, problems, params![feed], to, |row| {
        Ok(Some(Line::P(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
    })?;
    match state.feed {
        FeedName::Kev => {
            each(store, "SELECT added, due, ransomware, cve FROM kev", [], to, |row| {
                Ok(Some(Line::K(cve(row, 3)?, time(row, 0)?, optional_time(row, 1)?, row.get(2)?)))
            })?;
            let retracted = "SELECT added, due, ransomware, cve, missing_since FROM kev_retracted";
            each(store, retracted, [], to, |row| {
                Ok(Some(Line::R(
                    cve(row, 3)?,
                    time(row, 0)?,
                    optional_time(row, 1)?,
                    row.get(2)?,
                    time(row, 4)?,
                )))
            })
        }
        FeedName::Epss => {
            let mut days =
                connection.prepare("SELECT model, scored, id FROM epss_day ORDER BY scored DESC")?;
            let mut rows = days.query([])?;
            while let Some(row) = rows.next()? {
                let day: i64 = row.get(2)?;
                line(to, &Line::D(row.get(0)?, time(row, 1)?))?;
                each(store, "SELECT cve, ppm FROM epss WHERE day = ?1", [day], to, |row| {
                    Ok(Some(Line::E(cve(row, 0)?, row.get(1)?)))
                })?;
            }
            Ok(())
        }
        FeedName::Cve => {
            each(store, "SELECT cve, rejected, published, updated, body FROM cve", [], to, |row| {
                let Some(body) = body(row, 4)? else { return Ok(None) };
                Ok(Some(Line::C(
                    cve(row, 0)?,
                    row.get(1)?,
                    optional_time(row, 2)?,
                    optional_time(row, 3)?,
                    body,
                )))
            })
        }
        FeedName::Exploits(kind) => {
            let sql = "SELECT cve, first_seen, on_or_before, count FROM evidence WHERE kind = ?1";
            each(store, sql, [kind.code()], to, |row| {
                Ok(Some(Line::X(cve(row, 0)?, optional_time(row, 1)?, row.get(2)?, row.get(3)?)))
            })
        }
        FeedName::Osv(_) => advisories(store, feed, to),
    }
}

fn advisories(store: &Store, feed: i64, to: &mut dyn Write) -> Result<(), Failure> {
    let sql = "SELECT id, modified, body, row FROM advisory WHERE feed = ?1 ORDER BY row";
    let mut statement = store.connection.prepare(sql)?;
    let mut rows = statement.query([feed])?;
    while let Some(row) = rows.next()? {
        let affects: i64 = row.get(3)?;
        let head = match row.get_ref(2)? {
            rusqlite::types::ValueRef::Null => None,
            _ => Some(body(row, 2)?.ok_or(Failure::Damaged("a body is not text"))?),
        };
        line(to, &Line::A(row.get(0)?, time(row, 1)?, head))?;
        let sql = "SELECT name, package, body FROM affects JOIN ecosystem ON ecosystem.id = affects.ecosystem
            WHERE advisory = ?1 ORDER BY name, package";
        each(store, sql, [affects], to, |row| {
            let Some(body) = body(row, 2)? else { return Ok(None) };
            Ok(Some(Line::F(row.get(0)?, row.get(1)?, body)))
        })?;
    }
    Ok(())
}

fn each(
    store: &Store,
    sql: &str,
    parameters: impl rusqlite::Params,
    to: &mut dyn Write,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<Option<Line>>,
) -> Result<(), Failure> {
    let mut statement = store.connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        line(to, &read(row)?.ok_or(Failure::Damaged("a body is not text"))?)?;
    }
    Ok(())
}

fn cve(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    let key: i64 = row.get(column)?;
    cve_of_key(key).map(|id| id.to_string()).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, key))
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

/// A body without its version, as text; `None` when it is none.
fn body(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    Ok(json_of(row.get_ref(column)?.as_blob()?).map(str::to_owned))
}
