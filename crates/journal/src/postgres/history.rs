//! Where the journal begins, and removing what lies before that. Room that removals leave is used again by what comes next: the
//! server's own vacuuming sees to that.

use postgres::Client;
use postgres::types::Type;
use tenon_model::Digest;

use super::rows::{bytes, digest_of_column, stored, unsigned_of_column};
use super::{Failure, PostgresUrl};
use crate::journal::{REMOVED_AT_ONCE, removed_at_once};
use crate::{Head, Removal};

pub(super) fn read_base(client: &mut Client, url: &PostgresUrl) -> Result<Option<Head>, Failure> {
    let row = client.query_typed_opt(
        "SELECT base_seq, base_time_ms, base_term, base_hash FROM tenon.journal WHERE base_seq IS NOT NULL",
        &[],
    )?;
    let base = |row: postgres::Row| {
        Ok(Head {
            seq: unsigned_of_column(&row, 0, url)?,
            time_ms: row.try_get(1)?,
            term: unsigned_of_column(&row, 2, url)?,
            hash: digest_of_column(&row, 3, url)?,
        })
    };
    row.map(base).transpose()
}

pub(super) fn write_base(client: &mut Client, base: &Head) -> Result<(), Failure> {
    client.query_typed(
        "UPDATE tenon.journal SET base_seq = $1, base_time_ms = $2, base_term = $3, base_hash = $4",
        &[
            (&stored(base.seq), Type::INT8),
            (&base.time_ms, Type::INT8),
            (&stored(base.term), Type::INT8),
            (&bytes(&base.hash), Type::BYTEA),
        ],
    )?;
    Ok(())
}

pub(super) fn remove_before(client: &mut Client, base: u64) -> Result<Removal, Failure> {
    let (base, most) = (stored(base), REMOVED_AT_ONCE as i64);
    let rows = client.query_typed(
        "SELECT seq, octet_length(payload) FROM tenon.entry WHERE seq < $1 ORDER BY seq LIMIT $2",
        &[(&base, Type::INT8), (&most, Type::INT8)],
    )?;
    let mut sizes = Vec::with_capacity(rows.len());
    for row in &rows {
        sizes.push((row.try_get::<_, i64>(0)?, usize::try_from(row.try_get::<_, i32>(1)?).unwrap_or(0)));
    }
    let some = removed_at_once(sizes.iter().map(|(_, size)| *size));
    if let Some((last, _)) = sizes.get(some - 1) {
        client.query_typed("DELETE FROM tenon.entry WHERE seq <= $1", &[(last, Type::INT8)])?;
        return Ok(Removal::Partly);
    }
    let keys = client.query_typed(
        "DELETE FROM tenon.client_key WHERE key IN
         (SELECT key FROM tenon.client_key WHERE last < $1 ORDER BY last LIMIT $2) RETURNING 1",
        &[(&base, Type::INT8), (&most, Type::INT8)],
    )?;
    Ok(if keys.len() < REMOVED_AT_ONCE { Removal::Whole } else { Removal::Partly })
}

pub(super) fn remove_blobs(client: &mut Client, blobs: &[Digest]) -> Result<usize, Failure> {
    let names: Vec<&[u8]> = blobs.iter().take(REMOVED_AT_ONCE).map(bytes).collect();
    let rows = client.query_typed(
        "SELECT coalesce(octet_length(content), 0)
         FROM unnest($1::bytea[]) WITH ORDINALITY AS wanted (digest, place)
         LEFT JOIN tenon.blob USING (digest) ORDER BY place",
        &[(&names, Type::BYTEA_ARRAY)],
    )?;
    let mut sizes = Vec::with_capacity(rows.len());
    for row in &rows {
        sizes.push(usize::try_from(row.try_get::<_, i32>(0)?).unwrap_or(0));
    }
    let some = removed_at_once(sizes).min(names.len());
    client.query_typed(
        "DELETE FROM tenon.blob WHERE digest = ANY ($1)",
        &[(&&names[..some], Type::BYTEA_ARRAY)],
    )?;
    Ok(some)
}
