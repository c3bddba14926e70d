//! Snapshots in the database.

use postgres::types::Type;
use postgres::{Client, Row};

use super::rows::{bytes, digest_of_column, read_entries, stored, unsigned_of_column};
use super::{Failure, PostgresUrl};
use crate::snapshot::PART;
use crate::{Head, Snapshot};

pub(super) fn keep(
    client: &mut Client,
    url: &PostgresUrl,
    head: &Head,
    format: u32,
    content: &[u8],
) -> Result<(), Failure> {
    Snapshot::check(head, read_entries(client, url, head.seq, 1)?.into_iter().next())?;
    let Snapshot { size, digest, .. } = Snapshot::of(head, format, content);
    let seq = stored(head.seq);
    client.query_typed("DELETE FROM tenon.snapshot WHERE seq = $1", &[(&seq, Type::INT8)])?;
    client.query_typed(
        "INSERT INTO tenon.snapshot (seq, hash, format, size, digest) VALUES ($1, $2, $3, $4, $5)",
        &[
            (&seq, Type::INT8),
            (&bytes(&head.hash), Type::BYTEA),
            (&i64::from(format), Type::INT8),
            (&stored(size), Type::INT8),
            (&bytes(&digest), Type::BYTEA),
        ],
    )?;
    for (part, content) in (0_i64..).zip(content.chunks(PART)) {
        client.query_typed(
            "INSERT INTO tenon.snapshot_part (seq, part, content) VALUES ($1, $2, $3)",
            &[(&seq, Type::INT8), (&part, Type::INT8), (&content, Type::BYTEA)],
        )?;
    }
    Ok(())
}

pub(super) fn list(client: &mut Client, url: &PostgresUrl) -> Result<Vec<Snapshot>, Failure> {
    let rows = client.query_typed(
        "SELECT seq, time_ms, term, snapshot.hash, format, size, digest
         FROM tenon.snapshot JOIN tenon.entry USING (seq) ORDER BY seq DESC",
        &[],
    )?;
    rows.iter().map(|row| snapshot_of_row(row, url)).collect()
}

pub(super) fn read(client: &mut Client, url: &PostgresUrl, seq: u64) -> Result<Option<Vec<u8>>, Failure> {
    let row = client.query_typed_opt(
        "SELECT seq, time_ms, term, snapshot.hash, format, size, digest
         FROM tenon.snapshot JOIN tenon.entry USING (seq) WHERE seq = $1",
        &[(&stored(seq), Type::INT8)],
    )?;
    let Some(row) = row else { return Ok(None) };
    let snapshot = snapshot_of_row(&row, url)?;
    let mut content = Vec::new();
    // One part in a message at a time.
    for part in 0_i64.. {
        let row = client.query_typed_opt(
            "SELECT content FROM tenon.snapshot_part WHERE seq = $1 AND part = $2",
            &[(&stored(seq), Type::INT8), (&part, Type::INT8)],
        )?;
        let Some(row) = row else { break };
        content.extend_from_slice(row.try_get(0)?);
    }
    Ok(Some(snapshot.check_content(content)?))
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
