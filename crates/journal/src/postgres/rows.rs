//! What is written to the tables and read from them.

use postgres::types::{ToSql, Type};
use postgres::{Client, Row};
use tenon_model::Digest;

use super::{Failure, PostgresUrl};
use crate::{Acknowledged, ClientKey, Entry, Head, JournalError, MAX_PAGE_BYTES, MAX_PAGE_ENTRIES};

/// Payloads sent with one statement; far below the gigabyte that a message may hold.
const MAX_STATEMENT_BYTES: usize = 16 << 20;

/// Numbers were checked to fit when they entered; see [`check`].
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn bytes(digest: &Digest) -> &[u8] {
    digest.as_bytes()
}

pub(super) fn insert_keys(
    client: &mut Client,
    url: &PostgresUrl,
    keys: &[(ClientKey, Acknowledged)],
) -> Result<(), Failure> {
    if keys.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = keys.iter().map(|(key, _)| key.as_str()).collect();
    let used = client.query_typed(
        "SELECT after, last, key FROM tenon.client_key WHERE key = ANY ($1)",
        &[(&names, Type::TEXT_ARRAY)],
    )?;
    let mut first: Option<(usize, Acknowledged)> = None;
    for row in &used {
        let name: &str = row.try_get(2)?;
        if let Some(at) = names.iter().position(|known| *known == name)
            && first.is_none_or(|(earlier, _)| at < earlier)
        {
            first = Some((at, acknowledged_of_row(row, 0, url)?));
        }
    }
    if let Some((at, acknowledged)) = first {
        return Err(JournalError::ClientKeyUsed { key: keys[at].0.clone(), acknowledged }.into());
    }
    let (after, last): (Vec<i64>, Vec<i64>) =
        keys.iter().map(|(_, answer)| (stored(answer.after), stored(answer.last))).unzip();
    client.query_typed(
        "INSERT INTO tenon.client_key (key, after, last) SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])",
        &[(&names, Type::TEXT_ARRAY), (&after, Type::INT8_ARRAY), (&last, Type::INT8_ARRAY)],
    )?;
    Ok(())
}

pub(super) fn insert_blob(client: &mut Client, digest: &Digest, content: &[u8]) -> Result<(), Failure> {
    client.query_typed(
        "INSERT INTO tenon.blob (digest, content) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
        &[(&bytes(digest), Type::BYTEA), (&content, Type::BYTEA)],
    )?;
    Ok(())
}

pub(super) fn insert_entries(client: &mut Client, entries: &[Entry]) -> Result<(), Failure> {
    let mut rest = entries;
    while !rest.is_empty() {
        let mut size = 0;
        let fits = rest.iter().take_while(|entry| {
            size += entry.payload.len();
            size <= MAX_STATEMENT_BYTES
        });
        // One payload is far below the bound, so that at least one fits.
        let (part, later) = rest.split_at(fits.count().max(1));
        rest = later;
        let seq: Vec<i64> = part.iter().map(|entry| stored(entry.seq)).collect();
        let time: Vec<i64> = part.iter().map(|entry| entry.time_ms).collect();
        let term: Vec<i64> = part.iter().map(|entry| stored(entry.term)).collect();
        let payload: Vec<&[u8]> = part.iter().map(|entry| entry.payload.as_slice()).collect();
        let prev: Vec<&[u8]> = part.iter().map(|entry| bytes(&entry.prev)).collect();
        let hash: Vec<&[u8]> = part.iter().map(|entry| bytes(&entry.hash)).collect();
        let columns: [(&(dyn ToSql + Sync), Type); 6] = [
            (&seq, Type::INT8_ARRAY),
            (&time, Type::INT8_ARRAY),
            (&term, Type::INT8_ARRAY),
            (&payload, Type::BYTEA_ARRAY),
            (&prev, Type::BYTEA_ARRAY),
            (&hash, Type::BYTEA_ARRAY),
        ];
        client.query_typed(
            "INSERT INTO tenon.entry (seq, time_ms, term, payload, prev, hash) \
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[])",
            &columns,
        )?;
    }
    Ok(())
}

/// A page as [`Journal::read`] wants it. The server cuts it, so that no more than a page is ever sent.
pub(super) fn read_entries(
    client: &mut Client,
    url: &PostgresUrl,
    from_seq: u64,
    limit: usize,
) -> Result<Vec<Entry>, Failure> {
    let rows = client.query_typed(
        "SELECT seq, time_ms, term, payload, prev, hash FROM (
             SELECT *, sum(octet_length(payload)) OVER (ORDER BY seq) - octet_length(payload) AS before
             FROM (SELECT * FROM tenon.entry WHERE seq >= $1 ORDER BY seq LIMIT $2) AS page
         ) AS measured WHERE before < $3 ORDER BY seq",
        &[
            (&stored(from_seq.max(1)), Type::INT8),
            (&(limit.min(MAX_PAGE_ENTRIES) as i64), Type::INT8),
            (&(MAX_PAGE_BYTES as i64), Type::INT8),
        ],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                seq: unsigned_of_column(row, 0, url)?,
                time_ms: row.try_get(1)?,
                term: unsigned_of_column(row, 2, url)?,
                payload: row.try_get(3)?,
                prev: digest_of_column(row, 4, url)?,
                hash: digest_of_column(row, 5, url)?,
            })
        })
        .collect()
}

pub(super) fn head_of_row(row: &Row, url: &PostgresUrl) -> Result<Head, Failure> {
    Ok(Head {
        seq: unsigned_of_column(row, 0, url)?,
        time_ms: row.try_get(1)?,
        term: unsigned_of_column(row, 2, url)?,
        hash: digest_of_column(row, 3, url)?,
    })
}

pub(super) fn acknowledged_of_row(
    row: &Row,
    first: usize,
    url: &PostgresUrl,
) -> Result<Acknowledged, Failure> {
    Ok(Acknowledged {
        after: unsigned_of_column(row, first, url)?,
        last: unsigned_of_column(row, first + 1, url)?,
    })
}

pub(super) fn unsigned_of_column(row: &Row, column: usize, url: &PostgresUrl) -> Result<u64, Failure> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|_| damaged(url, &format!("a place or term is {number}")))
}

pub(super) fn digest_of_column(row: &Row, column: usize, url: &PostgresUrl) -> Result<Digest, Failure> {
    let bytes: &[u8] = row.try_get(column)?;
    let bytes = bytes.try_into().map_err(|_| damaged(url, &format!("a hash has {} bytes", bytes.len())))?;
    Ok(Digest::from_bytes(bytes))
}

pub(super) fn damaged(url: &PostgresUrl, detail: &str) -> Failure {
    Failure::Refused(JournalError::Damaged { path: url.place(), detail: detail.to_owned() })
}
