//! Reading by package, by id and by vulnerability.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, OptionalExtension as _, params};
use tenon_formats::osv::in_release;
use tenon_model::{Advisory, Affected, Epss, Kev, Probability, Timestamp, VulnerabilityId};

use super::{
    CveFacts, Evidence, KevRetraction, Store, VulnerabilityFacts, cve_key, decode_affected, decode_cve,
    decode_head,
};
use crate::error::FeedError;
use crate::name::EvidenceKind;

const HEAD: &str = "SELECT id, body FROM advisory WHERE row = ?1";

impl Store {
    fn prepared(&self, sql: &str) -> Result<CachedStatement<'_>, FeedError> {
        self.connection.prepare_cached(sql).map_err(self.failed("read"))
    }

    /// The advisories that speak of `package` in the release `ecosystem` (`Debian:12`; `Ubuntu:18.04` includes
    /// `Ubuntu:18.04:LTS`), by id. Their `affected` is reduced to that package and release.
    ///
    /// # Errors
    /// When the store fails or is damaged.
    pub fn advisories(&self, ecosystem: &str, package: &str) -> Result<Vec<Advisory>, FeedError> {
        self.advisories_of_packages(ecosystem, std::iter::once(package))
    }

    /// The advisories that speak of any of `packages` in the release `ecosystem`, by id, each once. Their `affected` is
    /// reduced to those packages and that release. This is how a whole host is read: an advisory that many of its
    /// packages share is decoded once.
    ///
    /// # Errors
    /// When the store fails or is damaged.
    pub fn advisories_of_packages<'p>(
        &self,
        ecosystem: &str,
        packages: impl Iterator<Item = &'p str>,
    ) -> Result<Vec<Advisory>, FeedError> {
        let _snapshot = self.snapshot()?;
        let failed = self.failed("read");
        let ecosystems = self.ecosystems(ecosystem)?;
        let mut affected: BTreeMap<i64, Vec<Affected>> = BTreeMap::new();
        let mut statement =
            self.prepared("SELECT advisory, body FROM affects WHERE ecosystem = ?1 AND package = ?2")?;
        for package in packages {
            for (id, name) in &ecosystems {
                let mut rows = statement.query(params![id, package]).map_err(&failed)?;
                while let Some(row) = rows.next().map_err(&failed)? {
                    let advisory: i64 = row.get(0).map_err(&failed)?;
                    let body = row.get_ref(1).and_then(|body| Ok(body.as_blob()?)).map_err(&failed)?;
                    let entries = decode_affected(name, package, body)
                        .ok_or_else(|| self.damaged(format!("affects of {package} in {name}")))?;
                    affected.entry(advisory).or_default().extend(entries);
                }
            }
        }
        drop(statement);
        let heads = affected.into_iter().map(|(row, affected)| self.with_head(row, affected));
        let mut advisories: Vec<Advisory> = heads.collect::<Result<_, _>>()?;
        advisories.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(advisories)
    }

    /// Every advisory that speaks of the release `ecosystem`, or of the family (`Debian`), read one by one. Their
    /// `affected` is reduced to it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn advisories_of(&self, ecosystem: &str) -> Result<Advisories<'_>, FeedError> {
        let snapshot = self.snapshot()?;
        let failed = self.failed("read");
        let ecosystems: BTreeMap<i64, String> = self.ecosystems(ecosystem)?.into_iter().collect();
        let mut rows = Vec::new();
        for id in ecosystems.keys() {
            let mut statement =
                self.prepared("SELECT DISTINCT advisory FROM affects WHERE ecosystem = ?1")?;
            let found = statement.query_map([id], |row| row.get::<_, i64>(0)).map_err(&failed)?;
            for row in found {
                rows.push(row.map_err(&failed)?);
            }
        }
        rows.sort_unstable();
        rows.dedup();
        Ok(Advisories { store: self, ecosystems, rows: rows.into_iter(), _snapshot: snapshot })
    }

    /// One advisory, whole. A record that is in the archives of several ecosystems is put together again.
    ///
    /// # Errors
    /// When the store fails or is damaged.
    pub fn advisory(&self, id: &VulnerabilityId) -> Result<Option<Advisory>, FeedError> {
        let _snapshot = self.snapshot()?;
        let failed = self.failed("read");
        let mut statement =
            self.prepared("SELECT row FROM advisory WHERE id = ?1 AND body IS NOT NULL ORDER BY feed")?;
        let rows: rusqlite::Result<Vec<i64>> =
            statement.query_map([id.as_str()], |row| row.get(0)).and_then(Iterator::collect);
        let mut whole: Option<Advisory> = None;
        for row in rows.map_err(&failed)? {
            let affected = self.affected(row, None)?;
            match &mut whole {
                Some(whole) => whole.affected.extend(affected),
                None => whole = Some(self.with_head(row, affected)?),
            }
        }
        Ok(whole)
    }

    /// What the feeds say of a vulnerability. Ids outside the CVE name space have none of it.
    ///
    /// # Errors
    /// When the store fails or is damaged.
    pub fn intel(&self, id: &VulnerabilityId) -> Result<VulnerabilityFacts, FeedError> {
        let Some(key) = cve_key(id.as_str()) else { return Ok(VulnerabilityFacts::default()) };
        let failed = self.failed("read");
        let kev = self
            .prepared("SELECT added, due, ransomware FROM kev WHERE cve = ?1")?
            .query_row([key], kev_entry)
            .optional()
            .map_err(&failed)?;
        let kev_retracted = self
            .prepared("SELECT added, due, ransomware, missing_since FROM kev_retracted WHERE cve = ?1")?
            .query_row([key], |row| {
                let missing_since = Timestamp::from_millis(row.get(3)?);
                Ok(KevRetraction { entry: kev_entry(row)?, missing_since })
            })
            .optional()
            .map_err(&failed)?;
        let epss = self
            .prepared(
                "SELECT ppm, model, scored FROM epss JOIN epss_day ON epss_day.id = epss.day WHERE cve = ?1",
            )?
            .query_row([key], |row| {
                let (ppm, model, scored): (u32, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let score = Probability::from_ppm(ppm);
                Ok(score.map(|score| Epss { score, model, scored: Timestamp::from_millis(scored) }))
            })
            .optional()
            .map_err(&failed)?
            .map(|epss| epss.ok_or_else(|| self.damaged(format!("score of {id}"))))
            .transpose()?;
        let record = self
            .prepared("SELECT rejected, published, updated, body FROM cve WHERE cve = ?1")?
            .query_row([key], |row| {
                let time =
                    |column| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp::from_millis));
                let facts = decode_cve(row.get_ref(3)?.as_blob()?);
                let (rejected, published, updated) = (row.get(0)?, time(1)?, time(2)?);
                Ok(facts.map(|facts| CveFacts { rejected, published, updated, ..facts }))
            })
            .optional()
            .map_err(&failed)?
            .map(|record| record.ok_or_else(|| self.damaged(format!("CVE record {id}"))))
            .transpose()?;
        Ok(VulnerabilityFacts { kev, kev_retracted, epss, record, evidence: self.evidence(key)? })
    }

    fn evidence(&self, key: i64) -> Result<Vec<Evidence>, FeedError> {
        let failed = self.failed("read");
        let mut statement = self.prepared(
            "SELECT kind, first_seen, on_or_before, count FROM evidence WHERE cve = ?1 ORDER BY kind",
        )?;
        let mut rows = statement.query([key]).map_err(&failed)?;
        let mut evidence = Vec::new();
        while let Some(row) = rows.next().map_err(&failed)? {
            let read = || -> rusqlite::Result<Option<Evidence>> {
                let Some(kind) = EvidenceKind::of_code(row.get(0)?) else { return Ok(None) };
                let first_seen = row.get::<_, Option<i64>>(1)?.map(Timestamp::from_millis);
                Ok(Some(Evidence { kind, first_seen, on_or_before: row.get(2)?, count: row.get(3)? }))
            };
            let read = read().map_err(&failed)?;
            evidence.push(read.ok_or_else(|| self.damaged("a kind of evidence that is not known"))?);
        }
        Ok(evidence)
    }

    /// Ecosystems within a release or family, with their names.
    fn ecosystems(&self, release: &str) -> Result<Vec<(i64, String)>, FeedError> {
        let failed = self.failed("read");
        let mut statement = self.prepared("SELECT id, name FROM ecosystem ORDER BY name")?;
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).map_err(&failed)?;
        let all: Vec<(i64, String)> = rows.collect::<rusqlite::Result<_>>().map_err(&failed)?;
        Ok(all.into_iter().filter(|(_, name)| in_release(name, release)).collect())
    }

    fn with_head(&self, row: i64, affected: Vec<Affected>) -> Result<Advisory, FeedError> {
        let head = self
            .prepared(HEAD)?
            .query_row([row], |row| {
                let (id, body) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_blob()?);
                Ok(decode_head(id, body))
            })
            .optional()
            .map_err(self.failed("read"))?;
        let head = head.flatten().ok_or_else(|| self.damaged(format!("advisory in row {row}")))?;
        Ok(Advisory { affected, ..head })
    }

    /// What an advisory affects, of all ecosystems or of these.
    fn affected(&self, row: i64, within: Option<&BTreeMap<i64, String>>) -> Result<Vec<Affected>, FeedError> {
        let failed = self.failed("read");
        let mut statement = self.prepared(
            "SELECT ecosystem, name, package, body FROM affects JOIN ecosystem ON ecosystem.id = affects.ecosystem
             WHERE advisory = ?1 ORDER BY name, package",
        )?;
        let mut rows = statement.query([row]).map_err(&failed)?;
        let mut affected = Vec::new();
        while let Some(found) = rows.next().map_err(&failed)? {
            let read = || -> rusqlite::Result<Option<Vec<Affected>>> {
                if within.is_some_and(|within| found.get(0).is_ok_and(|id: i64| !within.contains_key(&id))) {
                    return Ok(Some(Vec::new()));
                }
                let (ecosystem, package) = (found.get_ref(1)?.as_str()?, found.get_ref(2)?.as_str()?);
                Ok(decode_affected(ecosystem, package, found.get_ref(3)?.as_blob()?))
            };
            let read = read().map_err(&failed)?;
            affected.extend(read.ok_or_else(|| self.damaged(format!("affects of advisory in row {row}")))?);
        }
        Ok(affected)
    }
}

/// The columns `added, due, ransomware` at the start of a row.
pub(super) fn kev_entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<Kev> {
    let due = row.get::<_, Option<i64>>(1)?.map(Timestamp::from_millis);
    Ok(Kev { added: Timestamp::from_millis(row.get(0)?), due, ransomware: row.get(2)? })
}

/// Advisories of an ecosystem, read one by one from one state of the store.
#[derive(Debug)]
pub struct Advisories<'s> {
    store: &'s Store,
    ecosystems: BTreeMap<i64, String>,
    rows: std::vec::IntoIter<i64>,
    _snapshot: Option<rusqlite::Transaction<'s>>,
}

impl Iterator for Advisories<'_> {
    type Item = Result<Advisory, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        let affected = self.store.affected(row, Some(&self.ecosystems));
        Some(affected.and_then(|affected| self.store.with_head(row, affected)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}
