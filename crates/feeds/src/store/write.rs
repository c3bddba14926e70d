//! Replacing what one feed says, in one transaction.

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};
use tenon_formats::osv::OsvRecord;
use tenon_model::{Advisory, Kev, Probability, Timestamp, VulnerabilityId};

use super::body::{encode_affected, encode_cve, encode_head};
use super::read::kev_entry;
use super::state::{cursor_text, feed_row};
use super::{Cursor, CveFacts, Evidence, FeedState, Store, cve_key, cve_of_key};
use crate::error::FeedError;
use crate::name::{EvidenceKind, FeedName};
use crate::problem::Ledger;

/// A change of one feed that nobody sees before [`Swap::finish`], and that dropping undoes.
#[derive(Debug)]
pub(crate) struct Swap<'s> {
    tx: Transaction<'s>,
    path: std::path::PathBuf,
    feed: i64,
    /// Highest row of advisories, or generation of CVE records, before the change.
    before: i64,
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
    fn run<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, FeedError> {
        work(&self.tx).map_err(|source| FeedError::Store { doing: "write", path: self.path.clone(), source })
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

    /// Puts a record in the place of the one with its id.
    pub(crate) fn replace_advisory(
        &self,
        record: &OsvRecord,
        advisory: Option<&Advisory>,
    ) -> Result<(), FeedError> {
        self.run(|tx| {
            let old = "SELECT row FROM advisory WHERE id = ?1 AND feed = ?2";
            tx.prepare_cached(&format!("DELETE FROM affects WHERE advisory IN ({old})"))?
                .execute(params![record.id.as_str(), self.feed])?;
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
            tx.execute("DELETE FROM advisory WHERE row IN (SELECT row FROM gone)", [])?;
            tx.execute("DELETE FROM gone", []).map(drop)
        })
    }

    /// Puts the catalogue in the place of the one before. An entry that is gone is kept as retracted.
    pub(crate) fn put_kev(
        &self,
        entries: &[(VulnerabilityId, Kev)],
        released: Timestamp,
        ledger: &mut Ledger,
    ) -> Result<(), FeedError> {
        let mut keyed = Vec::with_capacity(entries.len());
        for (id, kev) in entries {
            match cve_key(id.as_str()) {
                Some(key) => keyed.push((key, kev)),
                None => ledger.note("", id.as_str(), "cveID".to_owned(), "it is not a CVE id".to_owned()),
            }
        }
        keyed.sort_by_key(|(key, _)| *key);
        self.run(|tx| {
            let mut gone = Vec::new();
            {
                let mut old = tx.prepare("SELECT added, due, ransomware, cve FROM kev")?;
                let mut rows = old.query([])?;
                while let Some(row) = rows.next()? {
                    let (kev, key): (Kev, i64) = (kev_entry(row)?, row.get(3)?);
                    let id = cve_of_key(key).map(|id| id.to_string()).unwrap_or_default();
                    if keyed.binary_search_by_key(&key, |(key, _)| *key).is_err()
                        && ledger.proves_absence_of(&id)
                    {
                        gone.push((key, kev));
                    }
                }
            }
            for (key, kev) in gone {
                tx.prepare_cached("DELETE FROM kev WHERE cve = ?1")?.execute([key])?;
                retract(tx, key, &kev, released)?;
            }
            for (key, kev) in keyed {
                tx.prepare_cached("INSERT OR REPLACE INTO kev VALUES (?1, ?2, ?3, ?4)")?.execute(params![
                    key,
                    kev.added.as_millis(),
                    kev.due.map(Timestamp::as_millis),
                    kev.ransomware
                ])?;
            }
            Ok(())
        })
    }

    /// Puts a day of scores, sorted by id, in the place of the one before. A score that the day fails to spell stays
    /// with its own day and model.
    pub(crate) fn put_epss(
        &self,
        model: &str,
        scored: Timestamp,
        scores: &[(VulnerabilityId, Probability)],
        ledger: &mut Ledger,
    ) -> Result<(), FeedError> {
        let mut keyed = Vec::with_capacity(scores.len());
        for (id, score) in scores {
            match cve_key(id.as_str()) {
                Some(key) => keyed.push((key, score.ppm())),
                None => ledger.note("", id.as_str(), "cve".to_owned(), "it is not a CVE id".to_owned()),
            }
        }
        keyed.sort_unstable();
        self.run(|tx| {
            let kept = self.unspelled_of(tx, "SELECT cve, ppm, day FROM epss", ledger, |key| {
                keyed.binary_search_by_key(&key, |(key, _)| *key).is_ok()
            })?;
            tx.execute("DELETE FROM epss", [])?;
            add_epss(tx, model, scored, keyed.iter().copied())?;
            let mut insert = tx.prepare("INSERT INTO epss VALUES (?1, ?2, ?3)")?;
            for (key, ppm, day) in kept {
                insert.execute(params![key, ppm, day])?;
            }
            tx.execute("DELETE FROM epss_day WHERE id NOT IN (SELECT DISTINCT day FROM epss)", []).map(drop)
        })
    }

    /// Adds scores of another day, as a bundle carries them.
    pub(crate) fn add_epss(
        &self,
        model: &str,
        scored: Timestamp,
        scores: &[(VulnerabilityId, Probability)],
    ) -> Result<(), FeedError> {
        let keyed = scores.iter().filter_map(|(id, score)| Some((cve_key(id.as_str())?, score.ppm())));
        self.run(|tx| add_epss(tx, model, scored, keyed))
    }

    /// Adds an entry that CISA took back earlier, as a bundle carries it.
    pub(crate) fn add_kev_retracted(&self, key: i64, kev: &Kev, since: Timestamp) -> Result<(), FeedError> {
        self.run(|tx| retract(tx, key, kev, since))
    }

    /// Rows `(cve, number, number)` that are not in what was read now, but might be in what could not be read.
    fn unspelled_of(
        &self,
        tx: &Transaction<'_>,
        sql: &str,
        ledger: &Ledger,
        present: impl Fn(i64) -> bool,
    ) -> rusqlite::Result<Vec<(i64, i64, i64)>> {
        let mut kept = Vec::new();
        if !ledger.is_blind_or_unspelled() {
            return Ok(kept);
        }
        let mut old = tx.prepare(sql)?;
        let mut rows = old.query([])?;
        while let Some(row) = rows.next()? {
            let key: i64 = row.get(0)?;
            let id = cve_of_key(key).map(|id| id.to_string()).unwrap_or_default();
            if !present(key) && !ledger.proves_absence_of(&id) {
                kept.push((key, row.get(1)?, row.get(2)?));
            }
        }
        Ok(kept)
    }

    /// Keeps what a CVE record says. `false` when its id has no key.
    pub(crate) fn put_cve(&self, id: &VulnerabilityId, facts: &CveFacts) -> Result<bool, FeedError> {
        let Some(key) = cve_key(id.as_str()) else { return Ok(false) };
        self.run(|tx| {
            tx.prepare_cached("INSERT OR REPLACE INTO cve VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
                key,
                self.before + 1,
                facts.rejected,
                facts.published.map(Timestamp::as_millis),
                facts.updated.map(Timestamp::as_millis),
                encode_cve(facts)
            ])
        })?;
        Ok(true)
    }

    /// Removes CVE records that this change did not put, except those that it fails to spell.
    pub(crate) fn drop_old_cves(&self, ledger: &Ledger) -> Result<(), FeedError> {
        self.run(|tx| {
            let sql = format!("SELECT cve, 0, 0 FROM cve WHERE generation <= {}", self.before);
            let kept = self.unspelled_of(tx, &sql, ledger, |_| false)?;
            let mut keep = tx.prepare("UPDATE cve SET generation = ?2 WHERE cve = ?1")?;
            for (key, ..) in kept {
                keep.execute([key, self.before + 1])?;
            }
            tx.execute("DELETE FROM cve WHERE generation <= ?1", [self.before]).map(drop)
        })
    }

    /// Puts a list of evidence in the place of the one before.
    pub(crate) fn put_evidence(
        &self,
        kind: EvidenceKind,
        list: &[(VulnerabilityId, Evidence)],
        ledger: &Ledger,
    ) -> Result<(), FeedError> {
        self.run(|tx| {
            let mut old = Vec::new();
            {
                let mut statement = tx.prepare("SELECT cve FROM evidence WHERE kind = ?1")?;
                for key in statement.query_map([kind.code()], |row| row.get::<_, i64>(0))? {
                    old.push(key?);
                }
            }
            for key in old {
                let id = cve_of_key(key).map(|id| id.to_string()).unwrap_or_default();
                if ledger.proves_absence_of(&id) {
                    tx.prepare_cached("DELETE FROM evidence WHERE cve = ?1 AND kind = ?2")?
                        .execute([key, kind.code()])?;
                }
            }
            for (key, evidence) in
                list.iter().filter_map(|(id, evidence)| Some((cve_key(id.as_str())?, evidence)))
            {
                tx.prepare_cached("INSERT OR REPLACE INTO evidence VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(
                    params![
                        key,
                        kind.code(),
                        evidence.first_seen.map(Timestamp::as_millis),
                        evidence.on_or_before,
                        evidence.count
                    ],
                )?;
            }
            Ok(())
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
        let path = self.path.clone();
        self.tx.commit().map_err(|source| FeedError::Store { doing: "write", path, source })
    }
}

fn retract(tx: &Transaction<'_>, key: i64, kev: &Kev, since: Timestamp) -> rusqlite::Result<()> {
    let due = kev.due.map(Timestamp::as_millis);
    tx.prepare_cached("INSERT OR REPLACE INTO kev_retracted VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![key, kev.added.as_millis(), due, kev.ransomware, since.as_millis()])
        .map(drop)
}

fn add_epss(
    tx: &Transaction<'_>,
    model: &str,
    scored: Timestamp,
    scores: impl Iterator<Item = (i64, u32)>,
) -> rusqlite::Result<()> {
    let day = params![model, scored.as_millis()];
    tx.execute("INSERT OR IGNORE INTO epss_day (model, scored) VALUES (?1, ?2)", day)?;
    let sql = "SELECT id FROM epss_day WHERE model = ?1 AND scored = ?2";
    let day: i64 = tx.query_row(sql, day, |row| row.get(0))?;
    let mut insert = tx.prepare("INSERT OR REPLACE INTO epss VALUES (?1, ?2, ?3)")?;
    for (key, ppm) in scores {
        insert.execute(params![key, ppm, day])?;
    }
    Ok(())
}
