//! Replacing what a feed says of vulnerabilities.

use rusqlite::{Transaction, params};
use tenon_model::{Kev, Probability, Timestamp, VulnerabilityId};

use super::body::encode_cve;
use super::read::kev_entry;
use super::{CveFacts, Evidence, Swap, cve_key, cve_of_key};
use crate::error::FeedError;
use crate::name::EvidenceKind;
use crate::problem::Ledger;

impl Swap<'_> {
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
                    let (Some(kev), key) = (kev_entry(row, 0)?, row.get(3)?) else { continue };
                    if keyed.binary_search_by_key(&key, |(key, _)| *key).is_err()
                        && proves_absence(ledger, key)
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
            if !present(key) && !proves_absence(ledger, key) {
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
                if proves_absence(ledger, key) {
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

/// Whether what is not in what was read is gone from the feed.
fn proves_absence(ledger: &Ledger, key: i64) -> bool {
    let id = cve_of_key(key).map(|id| id.to_string()).unwrap_or_default();
    ledger.proves_absence_of(&id)
}
