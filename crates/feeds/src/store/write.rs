//! Replacing what one feed says, in one transaction.

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};
use tenon_formats::osv::OsvRecord;
use tenon_model::{Advisory, Affected, Timestamp, VulnerabilityId};

use super::body::{address, decode_affected, decode_head, encode_affected, encode_head};
use super::state::{cursor_text, feed_row};
use super::{Cursor, FeedState, Store, failed_at};
use crate::error::FeedError;
use crate::name::FeedName;
use crate::problem::Ledger;

/// A change of one feed that nobody sees before [`Swap::finish`], and that dropping undoes.
#[derive(Debug)]
pub(crate) struct Swap<'s> {
    tx: Transaction<'s>,
    path: std::path::PathBuf,
    feed: i64,
    /// Highest row of advisories, or generation of CVE records, before the change.
    pub(super) before: i64,
}

impl Store {
    pub(crate) fn swap(&mut self, feed: &FeedName) -> Result<Swap<'_>, FeedError> {
        let path = self.path.clone();
        let failed = self.failed("write");
        let tx =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
        let before = match feed {
            FeedName::Cve => "SELECT coalesce(max(generation), 0) FROM cve",
            _ => "SELECT coalesce(max(row), 0) FROM advisory",
        };
        let before = tx.query_row(before, [], |row| row.get(0)).map_err(&failed)?;
        let feed = feed_row(&tx, feed).map_err(&failed)?;
        Ok(Swap { tx, path, feed, before })
    }
}

impl Swap<'_> {
    pub(super) fn run<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, FeedError> {
        work(&self.tx).map_err(|source| failed_at(&self.path, "write", source))
    }

    /// Keeps a record. One that says nothing of packages is kept without a body, so that the next sync knows it.
    /// `false` when this change has the id already.
    pub(crate) fn put_advisory(
        &self,
        id: &VulnerabilityId,
        modified: Timestamp,
        advisory: Option<&Advisory>,
    ) -> Result<bool, FeedError> {
        self.run(|tx| {
            let double = tx
                .prepare_cached("SELECT 1 FROM advisory WHERE id = ?1 AND feed = ?2 AND row > ?3")?
                .exists(params![id.as_str(), self.feed, self.before])?;
            if double {
                return Ok(false);
            }
            tx.prepare_cached("INSERT INTO advisory (feed, id, modified, body) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![self.feed, id.as_str(), modified.as_millis(), advisory.map(encode_head)])?;
            let row = tx.last_insert_rowid();
            let Some(advisory) = advisory else { return Ok(true) };
            for vulnerability in &advisory.addresses {
                tx.prepare_cached("INSERT OR IGNORE INTO addresses VALUES (?1, ?2)")?
                    .execute(params![address(vulnerability), row])?;
            }
            let mut entries: Vec<_> = advisory.affected.iter().collect();
            entries.sort_by(|a, b| (&a.ecosystem, &a.package).cmp(&(&b.ecosystem, &b.package)));
            for same in entries.chunk_by(|a, b| a.ecosystem == b.ecosystem && a.package == b.package) {
                let Some(first) = same.first() else { continue };
                let ecosystem = self.ecosystem(tx, &first.ecosystem)?;
                let body = encode_affected(same.iter().copied());
                tx.prepare_cached(
                    "INSERT INTO affects (ecosystem, package, advisory, body) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![ecosystem, first.package, row, body])?;
            }
            Ok(true)
        })
    }

    fn ecosystem(&self, tx: &Transaction<'_>, name: &str) -> rusqlite::Result<i64> {
        let known = tx
            .prepare_cached("SELECT id FROM ecosystem WHERE feed = ?1 AND name = ?2")?
            .query_row(params![self.feed, name], |row| row.get(0))
            .optional()?;
        if let Some(known) = known {
            return Ok(known);
        }
        tx.prepare_cached("INSERT INTO ecosystem (feed, name) VALUES (?1, ?2)")?
            .execute(params![self.feed, name])?;
        Ok(tx.last_insert_rowid())
    }

    /// When the record with this id last changed, as far as this feed's rows know.
    pub(crate) fn modified(&self, id: &VulnerabilityId) -> Result<Option<Timestamp>, FeedError> {
        self.run(|tx| {
            tx.prepare_cached("SELECT max(modified) FROM advisory WHERE id = ?1 AND feed = ?2")?
                .query_row(params![id.as_str(), self.feed], |row| row.get::<_, Option<i64>>(0))
        })
        .map(|modified| modified.map(Timestamp::from_millis))
    }

    /// What this feed said of a package in the record with this id before this change.
    pub(crate) fn known_affected(
        &self,
        id: &VulnerabilityId,
        ecosystem: &str,
        package: &str,
    ) -> Result<Vec<Affected>, FeedError> {
        let body: Option<Vec<u8>> = self.run(|tx| {
            tx.prepare_cached(
                "SELECT affects.body FROM affects JOIN advisory ON advisory.row = affects.advisory
                 JOIN ecosystem ON ecosystem.id = affects.ecosystem
                 WHERE advisory.id = ?1 AND advisory.feed = ?2 AND advisory.row <= ?3 AND name = ?4 AND package = ?5",
            )?
            .query_row(params![id.as_str(), self.feed, self.before, ecosystem, package], |row| row.get(0))
            .optional()
        })?;
        Ok(body.and_then(|body| decode_affected(ecosystem, package, &body)).unwrap_or_default())
    }

    /// The record with this id as it stood before this change, without what it affects.
    pub(crate) fn known_head(&self, id: &VulnerabilityId) -> Result<Option<Advisory>, FeedError> {
        let body: Option<Option<Vec<u8>>> = self.run(|tx| {
            tx.prepare_cached("SELECT body FROM advisory WHERE id = ?1 AND feed = ?2 AND row <= ?3")?
                .query_row(params![id.as_str(), self.feed, self.before], |row| row.get(0))
                .optional()
        })?;
        Ok(body.flatten().and_then(|body| decode_head(id.as_str(), &body)))
    }

    /// Puts a record in the place of the one with its id.
    pub(crate) fn replace_advisory(
        &self,
        record: &OsvRecord,
        advisory: Option<&Advisory>,
    ) -> Result<(), FeedError> {
        self.run(|tx| {
            let old = "SELECT row FROM advisory WHERE id = ?1 AND feed = ?2";
            for table in ["affects", "addresses"] {
                tx.prepare_cached(&format!("DELETE FROM {table} WHERE advisory IN ({old})"))?
                    .execute(params![record.id.as_str(), self.feed])?;
            }
            tx.prepare_cached("DELETE FROM advisory WHERE id = ?1 AND feed = ?2")?
                .execute(params![record.id.as_str(), self.feed])
        })?;
        self.put_advisory(&record.id, record.modified, advisory).map(drop)
    }

    /// So many records of this feed.
    pub(crate) fn advisories(&self) -> Result<u64, FeedError> {
        let sql = "SELECT count(*) FROM advisory WHERE feed = ?1";
        let count: i64 = self.run(|tx| tx.query_row(sql, [self.feed], |row| row.get(0)))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Removes what the feed had before this change, except what it now fails to spell.
    pub(crate) fn drop_old_advisories(&self, ledger: &Ledger) -> Result<(), FeedError> {
        self.run(|tx| {
            tx.execute_batch(
                "CREATE TEMP TABLE IF NOT EXISTS gone (row INTEGER PRIMARY KEY); DELETE FROM gone;",
            )?;
            {
                let mut old = tx.prepare("SELECT row, id FROM advisory WHERE feed = ?1 AND row <= ?2")?;
                let mut known =
                    tx.prepare("SELECT 1 FROM advisory WHERE id = ?1 AND feed = ?2 AND row > ?3")?;
                let mut gone = tx.prepare("INSERT INTO gone VALUES (?1)")?;
                let mut rows = old.query(params![self.feed, self.before])?;
                while let Some(row) = rows.next()? {
                    let (number, id): (i64, String) = (row.get(0)?, row.get(1)?);
                    if ledger.proves_absence_of(&id) || known.exists(params![id, self.feed, self.before])? {
                        gone.execute([number])?;
                    }
                }
            }
            tx.execute(
                "DELETE FROM affects WHERE ecosystem IN (SELECT id FROM ecosystem WHERE feed = ?1)
                 AND advisory <= ?2 AND advisory IN (SELECT row FROM gone)",
                params![self.feed, self.before],
            )?;
            tx.execute("DELETE FROM addresses WHERE advisory IN (SELECT row FROM gone)", [])?;
            tx.execute("DELETE FROM advisory WHERE row IN (SELECT row FROM gone)", [])?;
            tx.execute("DELETE FROM gone", []).map(drop)
        })
    }

    /// Forgets the problems of these records, which are read again.
    pub(crate) fn forget_problems(&self, record: &str) -> Result<(), FeedError> {
        let sql = "DELETE FROM problem WHERE feed = ?1 AND record = ?2";
        self.run(|tx| tx.prepare_cached(sql)?.execute(params![self.feed, record]).map(drop))
    }

    /// Makes the change visible, with how the feed stands now. `whole` says whether the feed was read as a whole, so
    /// that its problems are these alone.
    pub(crate) fn finish(
        self,
        state: &FeedState,
        cursor: &Cursor,
        ledger: &Ledger,
        whole: bool,
    ) -> Result<(), FeedError> {
        self.run(|tx| {
            if whole {
                tx.execute("DELETE FROM problem WHERE feed = ?1", [self.feed])?;
                tx.execute("UPDATE feed SET unlisted = 0 WHERE id = ?1", [self.feed])?;
            }
            for problem in ledger.listed() {
                tx.prepare_cached("INSERT INTO problem VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
                    self.feed,
                    problem.file,
                    problem.record,
                    problem.field,
                    problem.reason
                ])?;
            }
            let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            tx.execute(
                "UPDATE feed SET origin = ?2, edition = ?3, as_of = ?4, fetched = ?5, checked = ?6, digest = ?7,
                 records = ?8, unlisted = unlisted + ?9, failure = NULL, cursor = ?10 WHERE id = ?1",
                params![
                    self.feed,
                    state.origin,
                    state.edition,
                    state.as_of.map(Timestamp::as_millis),
                    state.fetched.map(Timestamp::as_millis),
                    state.checked.map(Timestamp::as_millis),
                    state.digest.as_ref().map(|digest| digest.as_bytes()),
                    count(state.records),
                    count(ledger.total() - ledger.listed().len() as u64),
                    cursor_text(cursor)
                ],
            )
            .map(drop)
        })?;
        let Self { tx, path, .. } = self;
        tx.commit().map_err(|source| failed_at(&path, "write", source))
    }
}
