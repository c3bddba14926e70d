//! Snapshots in the database.

use postgres::types::Type;
use postgres::{Client, Row};

use super::rows::{bytes, digest_of_column, read_entries, stored, unsigned_of_column};
use super::{Failure, PostgresUrl};
use crate::{Head, JournalError, Removal, Snapshot};

pub(super) fn begin(client: &mut Client, url: &PostgresUrl, snapshot: &Snapshot) -> Result<(), Failure> {
    let Snapshot { head, format, size, digest } = snapshot;
    Snapshot::check(head, read_entries(client, url, head.seq, 1)?.into_iter().next())?;
    let begun = client.query_typed(
        "INSERT INTO tenon.snapshot (seq, hash, format, size, digest) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING RETURNING seq",
        &[
            (&stored(head.seq), Type::INT8),
            (&bytes(&head.hash), Type::BYTEA),
            (&i64::from(*format), Type::INT8),
            (&stored(*size), Type::INT8),
            (&bytes(digest), Type::BYTEA),
        ],
    )?;
    if begun.is_empty() {
        return Err(JournalError::SnapshotHeld { seq: head.seq }.into());
    }
    Ok(())
}

/// Without a snapshot that was begun, the reference from the part to it is refused.
pub(super) fn add(client: &mut Client, seq: u64, part: u32, content: &[u8]) -> Result<(), Failure> {
    client.query_typed(
        "INSERT INTO tenon.snapshot_part (seq, part, content) VALUES ($1, $2, $3)",
        &[(&stored(seq), Type::INT8), (&i64::from(part), Type::INT8), (&content, Type::BYTEA)],
    )?;
    Ok(())
}

pub(super) fn forget(client: &mut Client, seq: u64) -> Result<Removal, Failure> {
    let seq = stored(seq);
    client.query_typed(
        "DELETE FROM tenon.snapshot_part WHERE seq = $1
         AND part = (SELECT max(part) FROM tenon.snapshot_part WHERE seq = $1)",
        &[(&seq, Type::INT8)],
    )?;
    client.query_typed(
        "DELETE FROM tenon.snapshot WHERE seq = $1
         AND NOT EXISTS (SELECT FROM tenon.snapshot_part WHERE snapshot_part.seq = $1)",
        &[(&seq, Type::INT8)],
    )?;
    let row = client.query_typed_one(
        "SELECT EXISTS (SELECT FROM tenon.snapshot WHERE seq = $1)",
        &[(&seq, Type::INT8)],
    )?;
    Ok(if row.try_get(0)? { Removal::Partly } else { Removal::Whole })
}

const COLUMNS: &str = "SELECT snapshot.seq, time_ms, term, snapshot.hash, format, size, digest
    FROM tenon.snapshot JOIN tenon.entry ON entry.seq = snapshot.seq";
/// Bytes that are there of a snapshot. Their lengths are read without them.
const THERE: &str = "(SELECT coalesce(sum(octet_length(content)), 0) FROM tenon.snapshot_part AS part
    WHERE part.seq = snapshot.seq)";

pub(super) fn list(client: &mut Client, url: &PostgresUrl, first: u64) -> Result<Vec<Snapshot>, Failure> {
    let sql = format!("{COLUMNS} WHERE snapshot.seq >= $1 AND size = {THERE} ORDER BY snapshot.seq DESC");
    let rows = client.query_typed(&sql, &[(&stored(first), Type::INT8)])?;
    rows.iter().map(|row| snapshot_of_row(row, url)).collect()
}

pub(super) fn leftover(client: &mut Client, url: &PostgresUrl, first: u64) -> Result<Vec<u64>, Failure> {
    let sql = format!("SELECT seq FROM tenon.snapshot WHERE seq < $1 OR size <> {THERE} ORDER BY seq");
    let rows = client.query_typed(&sql, &[(&stored(first), Type::INT8)])?;
    rows.iter().map(|row| unsigned_of_column(row, 0, url)).collect()
}

pub(super) fn part(client: &mut Client, seq: u64, part: u32) -> Result<Option<Vec<u8>>, Failure> {
    let row = client.query_typed_opt(
        "SELECT content FROM tenon.snapshot_part WHERE seq = $1 AND part = $2",
        &[(&stored(seq), Type::INT8), (&i64::from(part), Type::INT8)],
    )?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

fn snapshot_of_row(row: &Row, url: &PostgresUrl) -> Result<Snapshot, Failure> {
    let head = Head {
        seq: unsigned_of_column(row, 0, url)?,
        time_ms: row.try_get(1)?,
        term: unsigned_of_column(row, 2, url)?,
        hash: digest_of_column(row, 3, url)?,
    };
    // What is no format of ours is passed over as another's.
    let format = u32::try_from(row.try_get::<_, i64>(4)?).unwrap_or(u32::MAX);
    Ok(Snapshot {
        head,
        format,
        size: unsigned_of_column(row, 5, url)?,
        digest: digest_of_column(row, 6, url)?,
    })
}
