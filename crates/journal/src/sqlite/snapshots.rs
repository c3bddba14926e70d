//! Snapshots in the file.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{digest_of_column, entry_of_row, storage_error, stored, unsigned_of_column};
use crate::snapshot::PART;
use crate::{Head, JournalError, Snapshot};

pub(super) fn keep(
    connection: &Connection,
    path: &Path,
    head: &Head,
    format: u32,
    content: &[u8],
) -> Result<(), JournalError> {
    let failed = |source| storage_error(path, "keep a snapshot in", source);
    let mut statement = connection
        .prepare_cached("SELECT seq, time_ms, term, payload, prev, hash FROM entry WHERE seq = ?1")
        .map_err(failed)?;
    let mut rows = statement.query([stored(head.seq)]).map_err(failed)?;
    let entry = rows.next().map_err(failed)?.map(|row| entry_of_row(row, path)).transpose()?;
    Snapshot::check(head, entry)?;
    let Snapshot { size, digest, .. } = Snapshot::of(head, format, content);
    let seq = stored(head.seq);
    connection.execute("DELETE FROM snapshot WHERE seq = ?1", [seq]).map_err(failed)?;
    connection
        .execute(
            "INSERT INTO snapshot (seq, hash, format, size, digest) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![seq, head.hash.as_bytes(), format, stored(size), digest.as_bytes()],
        )
        .map_err(failed)?;
    for (part, content) in (0_i64..).zip(content.chunks(PART)) {
        connection
            .execute(
                "INSERT INTO snapshot_part (seq, part, content) VALUES (?1, ?2, ?3)",
                params![seq, part, content],
            )
            .map_err(failed)?;
    }
    Ok(())
}

const COLUMNS: &str = "SELECT snapshot.seq, time_ms, term, snapshot.hash, format, size, digest
    FROM snapshot JOIN entry USING (seq)";

pub(super) fn list(connection: &Connection, path: &Path) -> Result<Vec<Snapshot>, JournalError> {
    let failed = |source| storage_error(path, "list the snapshots of", source);
    if !has_snapshots(connection).map_err(failed)? {
        return Ok(Vec::new());
    }
    let mut statement =
        connection.prepare_cached(&format!("{COLUMNS} ORDER BY snapshot.seq DESC")).map_err(failed)?;
    let rows = statement.query_map([], snapshot_of_row).map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
}

pub(super) fn read(connection: &Connection, path: &Path, seq: u64) -> Result<Option<Vec<u8>>, JournalError> {
    let failed = |source| storage_error(path, "read a snapshot of", source);
    if !has_snapshots(connection).map_err(failed)? {
        return Ok(None);
    }
    let snapshot: Option<Snapshot> = connection
        .prepare_cached(&format!("{COLUMNS} WHERE snapshot.seq = ?1"))
        .and_then(|mut statement| statement.query_row([stored(seq)], snapshot_of_row).optional())
        .map_err(failed)?;
    let Some(snapshot) = snapshot else { return Ok(None) };
    let mut statement = connection
        .prepare_cached("SELECT content FROM snapshot_part WHERE seq = ?1 ORDER BY part")
        .map_err(failed)?;
    let mut rows = statement.query([stored(seq)]).map_err(failed)?;
    let mut content = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let part = row.get_ref(0).and_then(|part| Ok(part.as_blob()?)).map_err(failed)?;
        content.extend_from_slice(part);
    }
    snapshot.check_content(content).map(Some)
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
