//! Snapshots in the file.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{digest_of_column, entry_of_row, storage_error, stored, unsigned_of_column};
use crate::{Entry, Head, JournalError, Removal, Snapshot};

/// The entry in this place.
pub(super) fn entry(connection: &Connection, path: &Path, seq: u64) -> Result<Option<Entry>, JournalError> {
    let failed = |source| storage_error(path, "read", source);
    let mut statement = connection
        .prepare_cached("SELECT seq, time_ms, term, payload, prev, hash FROM entry WHERE seq = ?1")
        .map_err(failed)?;
    let mut rows = statement.query([stored(seq)]).map_err(failed)?;
    rows.next().map_err(failed)?.map(|row| entry_of_row(row, path)).transpose()
}

pub(super) fn begin(connection: &Connection, path: &Path, snapshot: &Snapshot) -> Result<(), JournalError> {
    let failed = |source| storage_error(path, "begin a snapshot in", source);
    let Snapshot { head, format, size, digest } = snapshot;
    Snapshot::check(head, entry(connection, path, head.seq)?)?;
    let begun = connection
        .execute(
            "INSERT INTO snapshot (seq, hash, format, size, digest) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            params![stored(head.seq), head.hash.as_bytes(), format, stored(*size), digest.as_bytes()],
        )
        .map_err(failed)?;
    if begun == 0 {
        return Err(JournalError::SnapshotHeld { seq: head.seq });
    }
    Ok(())
}

/// Without a snapshot that was begun, the reference from the part to it is refused.
pub(super) fn add(
    connection: &Connection,
    path: &Path,
    seq: u64,
    part: u32,
    content: &[u8],
) -> Result<(), JournalError> {
    connection
        .prepare_cached("INSERT INTO snapshot_part (seq, part, content) VALUES (?1, ?2, ?3)")
        .and_then(|mut statement| statement.execute(params![stored(seq), part, content]))
        .map(drop)
        .map_err(|source| storage_error(path, "add to a snapshot in", source))
}

pub(super) fn forget(connection: &Connection, path: &Path, seq: u64) -> Result<Removal, JournalError> {
    let forgotten = || -> rusqlite::Result<Removal> {
        connection.execute(
            "DELETE FROM snapshot_part WHERE seq = ?1
             AND part = (SELECT max(part) FROM snapshot_part WHERE seq = ?1)",
            [stored(seq)],
        )?;
        let gone = connection.execute(
            "DELETE FROM snapshot WHERE seq = ?1
             AND NOT EXISTS (SELECT * FROM snapshot_part WHERE snapshot_part.seq = ?1)",
            [stored(seq)],
        )?;
        let left: bool = connection.query_row(
            "SELECT EXISTS (SELECT * FROM snapshot WHERE seq = ?1)",
            [stored(seq)],
            |row| row.get(0),
        )?;
        Ok(if gone == 0 && left { Removal::Partly } else { Removal::Whole })
    };
    forgotten().map_err(|source| storage_error(path, "let go a snapshot of", source))
}

const COLUMNS: &str = "SELECT snapshot.seq, time_ms, term, snapshot.hash, format, size, digest
    FROM snapshot JOIN entry USING (seq)";
/// Bytes that are there of a snapshot. Their lengths are read without them.
const THERE: &str =
    "(SELECT coalesce(sum(length(content)), 0) FROM snapshot_part WHERE snapshot_part.seq = snapshot.seq)";

pub(super) fn list(connection: &Connection, path: &Path, first: i64) -> Result<Vec<Snapshot>, JournalError> {
    let failed = |source| storage_error(path, "list the snapshots of", source);
    if !has_snapshots(connection).map_err(failed)? {
        return Ok(Vec::new());
    }
    let mut statement = connection
        .prepare_cached(&format!(
            "{COLUMNS} WHERE snapshot.seq >= ?1 AND size = {THERE} ORDER BY snapshot.seq DESC"
        ))
        .map_err(failed)?;
    let rows = statement.query_map([first], snapshot_of_row).map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
}

pub(super) fn leftover(connection: &Connection, path: &Path, first: i64) -> Result<Vec<u64>, JournalError> {
    let failed = |source| storage_error(path, "list the snapshots of", source);
    if !has_snapshots(connection).map_err(failed)? {
        return Ok(Vec::new());
    }
    let mut statement = connection
        .prepare_cached(&format!("SELECT seq FROM snapshot WHERE seq < ?1 OR size <> {THERE} ORDER BY seq"))
        .map_err(failed)?;
    let rows = statement.query_map([first], |row| unsigned_of_column(row, 0)).map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
}

pub(super) fn part(
    connection: &Connection,
    path: &Path,
    seq: u64,
    part: u32,
) -> Result<Option<Vec<u8>>, JournalError> {
    connection
        .prepare_cached("SELECT content FROM snapshot_part WHERE seq = ?1 AND part = ?2")
        .and_then(|mut statement| {
            statement.query_row(params![stored(seq), part], |row| row.get(0)).optional()
        })
        .map_err(|source| storage_error(path, "read a snapshot of", source))
}

/// A journal of format 1 that was opened for reading has none.
fn has_snapshots(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'snapshot'", [], |row| row.get(0))
        .map(|count: i64| count == 1)
}

fn snapshot_of_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Snapshot> {
    let head = Head {
        seq: unsigned_of_column(row, 0)?,
        time_ms: row.get(1)?,
        term: unsigned_of_column(row, 2)?,
        hash: digest_of_column(row, 3)?,
    };
    Ok(Snapshot {
        head,
        format: row.get(4)?,
        size: unsigned_of_column(row, 5)?,
        digest: digest_of_column(row, 6)?,
    })
}
