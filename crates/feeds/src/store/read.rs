//! Reading by package, by id and by vulnerability.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, OptionalExtension as _, Row, params};
use tenon_formats::osv::in_release;
use tenon_model::{Advisory, Affected, Epss, Intel, Kev, Probability, Timestamp, VulnerabilityId};

use super::body::address;
use super::{
    CveFacts, Evidence, KevRetraction, Store, VulnerabilityFacts, cve_key, cve_of_key, decode_affected,
    decode_cve, decode_head,
};
use crate::error::FeedError;
use crate::foresight::{Asked, Foresight};
use crate::name::EvidenceKind;

/// Vulnerabilities that one statement asks for.
const IDS_AT_ONCE: usize = 10_000;
/// What is known of the vulnerabilities of a JSON list of keys, each with its place in the list.
const INTEL: &str =
    "SELECT ids.key, kev.added, kev.due, kev.ransomware, gone.added, gone.due, gone.ransomware,
    gone.missing_since, epss.ppm, epss.day, cve.rejected, cve.published, cve.updated, cve.body
    FROM json_each(?1) AS ids
    LEFT JOIN kev ON kev.cve = ids.value LEFT JOIN kev_retracted AS gone ON gone.cve = ids.value
    LEFT JOIN epss ON epss.cve = ids.value LEFT JOIN cve ON cve.cve = ids.value";
const EVIDENCE: &str = "SELECT ids.key, kind, first_seen, on_or_before, count
    FROM json_each(?1) AS ids CROSS JOIN evidence ON evidence.cve = ids.value ORDER BY ids.key, kind";
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

    /// Every advisory that speaks of any of these releases, or families (`Debian`), read one by one. Their `affected` is
    /// reduced to those.
    ///
    /// # Errors
    /// When the store fails.
    pub fn advisories_of(&self, releases: &[String]) -> Result<Advisories<'_>, FeedError> {
        let snapshot = self.snapshot()?;
        let failed = self.failed("read");
        let mut ecosystems = BTreeMap::new();
        for release in releases {
            ecosystems.extend(self.ecosystems(release)?);
        }
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

    /// The advisories that address a vulnerability, whole, by id.
    ///
    /// # Errors
    /// When the store fails or is damaged.
    pub fn advisories_addressing(&self, id: &VulnerabilityId) -> Result<Vec<Advisory>, FeedError> {
        let _snapshot = self.snapshot()?;
        let failed = self.failed("read");
        let mut statement = self.prepared(
            "SELECT DISTINCT advisory.id FROM addresses JOIN advisory ON advisory.row = addresses.advisory
             WHERE vulnerability = ?1 ORDER BY advisory.id",
        )?;
        let found = statement.query_map([address(id)], |row| row.get::<_, String>(0)).map_err(&failed)?;
        let mut advisories = Vec::new();
        for found in found {
            let found = found.map_err(&failed)?;
            let parsed = found.parse().map_err(|_| self.damaged(format!("advisory id {found:?}")))?;
            advisories.extend(self.advisory(&parsed)?);
        }
        Ok(advisories)
    }

    /// Whether any advisory speaks of the release `ecosystem`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn speaks_of(&self, ecosystem: &str) -> Result<bool, FeedError> {
        Ok(!self.ecosystems(ecosystem)?.is_empty())
    }

    /// The KEV catalogue, by id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn kev(&self) -> Result<Vec<VulnerabilityId>, FeedError> {
        let failed = self.failed("read");
        let mut statement = self.prepared("SELECT cve FROM kev ORDER BY cve")?;
        let rows = statement.query_map([], |row| row.get(0)).map_err(&failed)?;
        let keys: Vec<i64> = rows.collect::<rusqlite::Result<_>>().map_err(&failed)?;
        Ok(keys.into_iter().filter_map(cve_of_key).collect())
    }

    /// What the feeds say of a vulnerability. Ids outside the CVE name space have none of it.
    ///
    /// # Errors
    /// When the store fails or is damaged.
    pub fn intel(&self, id: &VulnerabilityId) -> Result<VulnerabilityFacts, FeedError> {
        Ok(self.intel_of(&[id])?.pop().unwrap_or_default())
    }

    /// Intel on these vulnerabilities, as far as the feeds say anything, with what is foreseen of each.
    ///
    /// # Errors
    /// When the store fails or is damaged.
    pub fn known_intel(
        &self,
        asked: &Asked<'_>,
        foresight: Option<Foresight<'_>>,
    ) -> Result<BTreeMap<VulnerabilityId, Intel>, FeedError> {
        let ids: Vec<&VulnerabilityId> = asked.iter().map(|(id, _)| id).collect();
        let facts = self.intel_of(&ids)?;
        let intel = asked.iter().zip(&facts).map(|((id, advised), facts)| {
            let foreseen = foresight.and_then(|foresight| foresight.of_one(id, facts, advised));
            (id.clone(), Intel { foreseen, ..facts.intel() })
        });
        Ok(intel.filter(|(_, intel)| *intel != Intel::default()).collect())
    }

    /// What the feeds say of each of these vulnerabilities, in their order. One pass over many is several times
    /// cheaper than asking one by one.
    ///
    /// # Errors
    /// When the store fails or is damaged.
    pub fn intel_of(&self, ids: &[&VulnerabilityId]) -> Result<Vec<VulnerabilityFacts>, FeedError> {
        let _snapshot = self.snapshot()?;
        let failed = self.failed("read");
        let days = self.days()?;
        let mut all = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS_AT_ONCE) {
            let first = all.len();
            all.resize_with(first + ids.len(), VulnerabilityFacts::default);
            let Some(facts) = all.get_mut(first..) else { continue };
            let keys: Vec<Option<i64>> = ids.iter().map(|id| cve_key(id.as_str())).collect();
            // Numbers and nulls always encode.
            let keys = serde_json::to_string(&keys).unwrap_or_default();
            let mut statement = self.prepared(INTEL)?;
            let mut rows = statement.query([&keys]).map_err(&failed)?;
            while let Some(row) = rows.next().map_err(&failed)? {
                let place = place(row).map_err(&failed)?;
                let (Some(facts), Some(id)) = (facts.get_mut(place), ids.get(place)) else { continue };
                let whole = read_facts(row, &days, facts).map_err(&failed)?;
                whole.ok_or_else(|| self.damaged(format!("score or record of {id}")))?;
            }
            let mut statement = self.prepared(EVIDENCE)?;
            let mut rows = statement.query([&keys]).map_err(&failed)?;
            while let Some(row) = rows.next().map_err(&failed)? {
                let place = place(row).map_err(&failed)?;
                let evidence = read_evidence(row).map_err(&failed)?;
                let evidence =
                    evidence.ok_or_else(|| self.damaged("a kind of evidence that is not known"))?;
                if let Some(facts) = facts.get_mut(place) {
                    facts.evidence.push(evidence);
                }
            }
        }
        Ok(all)
    }

    /// Model and day of scores, by the number that scores have for them.
    fn days(&self) -> Result<BTreeMap<i64, (String, Timestamp)>, FeedError> {
        let failed = self.failed("read");
        let mut statement = self.prepared("SELECT id, model, scored FROM epss_day")?;
        let day = |row: &Row<'_>| Ok((row.get(0)?, (row.get(1)?, Timestamp::from_millis(row.get(2)?))));
        let rows = statement.query_map([], day).map_err(&failed)?;
        rows.collect::<rusqlite::Result<_>>().map_err(&failed)
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

/// The place in the list of keys; what is none lies behind every list.
fn place(row: &Row<'_>) -> rusqlite::Result<usize> {
    Ok(usize::try_from(row.get::<_, i64>(0)?).unwrap_or(usize::MAX))
}

/// A time in milliseconds that may be absent.
pub(crate) fn optional_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp::from_millis))
}

/// The columns `added, due, ransomware` from `first` on; `None` where no row was joined.
pub(super) fn kev_entry(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Kev>> {
    let Some(added) = optional_time(row, first)? else { return Ok(None) };
    Ok(Some(Kev { added, due: optional_time(row, first + 1)?, ransomware: row.get(first + 2)? }))
}

/// Reads a row of [`INTEL`]; `None` when something in it does not hold what it must.
fn read_facts(
    row: &Row<'_>,
    days: &BTreeMap<i64, (String, Timestamp)>,
    facts: &mut VulnerabilityFacts,
) -> rusqlite::Result<Option<()>> {
    facts.kev = kev_entry(row, 1)?;
    facts.kev_retracted = match (kev_entry(row, 4)?, optional_time(row, 7)?) {
        (Some(entry), Some(missing_since)) => Some(KevRetraction { entry, missing_since }),
        _ => None,
    };
    if let Some(ppm) = row.get::<_, Option<u32>>(8)? {
        let day: i64 = row.get(9)?;
        let (Some(score), Some((model, scored))) = (Probability::from_ppm(ppm), days.get(&day)) else {
            return Ok(None);
        };
        facts.epss = Some(Epss { score, model: model.clone(), scored: *scored });
    }
    if let Some(rejected) = row.get::<_, Option<bool>>(10)? {
        let Some(record) = decode_cve(row.get_ref(13)?.as_blob()?) else { return Ok(None) };
        facts.record = Some(CveFacts {
            rejected,
            published: optional_time(row, 11)?,
            updated: optional_time(row, 12)?,
            ..record
        });
    }
    Ok(Some(()))
}

/// Reads a row of [`EVIDENCE`]; `None` for a kind that is not known.
fn read_evidence(row: &Row<'_>) -> rusqlite::Result<Option<Evidence>> {
    let Some(kind) = EvidenceKind::of_code(row.get(1)?) else { return Ok(None) };
    Ok(Some(Evidence {
        kind,
        first_seen: optional_time(row, 2)?,
        on_or_before: row.get(3)?,
        count: row.get(4)?,
    }))
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
