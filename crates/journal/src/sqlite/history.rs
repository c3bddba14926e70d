//! Where the file begins, and removing what lies before that.

use std::path::Path;

use rusqlite::{Connection, params};
use tenon_model::Digest;

use super::{digest_of_column, storage_error, stored, unsigned_of_column};
use crate::journal::{REMOVED_AT_ONCE, removed_at_once};
use crate::{Head, JournalError, Removal};

/// Pages that one call gives back to the file system: 1 MiB, which are moved from the end of the file into the gaps.
const GIVEN_BACK: usize = 256;
/// `PRAGMA auto_vacuum` of a file whose free pages can be given back.
const INCREMENTAL: i64 = 2;

pub(super) fn read_base(connection: &Connection, path: &Path) -> Result<Option<Head>, JournalError> {
    let failed = |source| storage_error(path, "read the base of", source);
    let mut statement = connection.prepare("SELECT seq, time_ms, term, hash FROM base").map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let Some(row) = rows.next().map_err(failed)? else { return Ok(None) };
    let base = || -> rusqlite::Result<Head> {
        Ok(Head {
            seq: unsigned_of_column(row, 0)?,
            time_ms: row.get(1)?,
            term: unsigned_of_column(row, 2)?,
            hash: digest_of_column(row, 3)?,
        })
    };
    base().map(Some).map_err(|error| JournalError::Damaged {
        path: path.to_owned(),
        detail: format!("what it begins with is malformed: {error}"),
    })
}

pub(super) fn write_base(connection: &Connection, path: &Path, base: &Head) -> Result<(), JournalError> {
    connection
        .execute(
            "INSERT OR REPLACE INTO base (one, seq, time_ms, term, hash) VALUES (1, ?1, ?2, ?3, ?4)",
            params![stored(base.seq), base.time_ms, stored(base.term), base.hash.as_bytes()],
        )
        .map(drop)
        .map_err(|source| storage_error(path, "cut", source))
}

pub(super) fn remove_before(
    connection: &Connection,
    path: &Path,
    base: u64,
) -> Result<Removal, JournalError> {
    let remove = || -> rusqlite::Result<Removal> {
        let mut sizes = connection
            .prepare_cached("SELECT seq, length(payload) FROM entry WHERE seq < ?1 ORDER BY seq LIMIT ?2")?;
        let sizes: Vec<(i64, usize)> = sizes
            .query_map(params![stored(base), REMOVED_AT_ONCE as i64], |row| {
                Ok((row.get(0)?, size_of(row, 1)?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        let some = removed_at_once(sizes.iter().map(|(_, size)| *size));
        if let Some((last, _)) = sizes.get(some - 1) {
            connection.execute("DELETE FROM entry WHERE seq <= ?1", [last])?;
            return Ok(Removal::Partly);
        }
        let keys = connection.execute(
            "DELETE FROM client_key WHERE key IN
             (SELECT key FROM client_key WHERE last < ?1 ORDER BY last LIMIT ?2)",
            params![stored(base), REMOVED_AT_ONCE as i64],
        )?;
        Ok(if keys < REMOVED_AT_ONCE { Removal::Whole } else { Removal::Partly })
    };
    remove().map_err(|source| storage_error(path, "remove entries from", source))
}

pub(super) fn remove_blobs(
    connection: &Connection,
    path: &Path,
    blobs: &[Digest],
) -> Result<usize, JournalError> {
    let remove = || -> rusqlite::Result<usize> {
        let mut size = connection
            .prepare_cached("SELECT coalesce(max(length(content)), 0) FROM blob WHERE digest = ?1")?;
        let sizes: Vec<usize> = blobs
            .iter()
            .take(REMOVED_AT_ONCE)
            .map(|digest| size.query_row([digest.as_bytes()], |row| size_of(row, 0)))
            .collect::<rusqlite::Result<_>>()?;
        let some = removed_at_once(sizes).min(blobs.len());
        let mut delete = connection.prepare_cached("DELETE FROM blob WHERE digest = ?1")?;
        for digest in &blobs[..some] {
            delete.execute([digest.as_bytes()])?;
        }
        Ok(some)
    };
    remove().map_err(|source| storage_error(path, "remove blobs from", source))
}

fn size_of(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<usize> {
    let size: i64 = row.get(column)?;
    usize::try_from(size).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, size))
}

/// Pages that can be given back. A file that an older Tenon made keeps them for what comes next.
pub(super) fn free_pages(connection: &Connection, path: &Path) -> Result<i64, JournalError> {
    let number = |sql: &str| {
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map_err(|source| storage_error(path, "ask for the free pages of", source))
    };
    Ok(if number("PRAGMA auto_vacuum")? == INCREMENTAL { number("PRAGMA freelist_count")? } else { 0 })
}

pub(super) fn give_back(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let given = || -> rusqlite::Result<()> {
        let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({GIVEN_BACK})"))?;
        let mut rows = statement.query([])?;
        // A page is given back with each row.
        while rows.next()?.is_some() {}
        Ok(())
    };
    given().map_err(|source| storage_error(path, "give back the room of", source))
}
