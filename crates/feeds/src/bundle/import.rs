//! Reading a bundle: proved and parsed as a whole before anything changes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;

use sha2::{Digest as _, Sha256};
use tenon_model::{Advisory, Digest, Kev, Probability, Timestamp, VulnerabilityId};
use zip::ZipArchive;

use super::{Entry, FORMAT, Head, Line, MANIFEST, Manifest, VERSION};
use crate::archive::check_directory;
use crate::error::FeedError;
use crate::lines::Lines;
use crate::name::{EvidenceKind, FeedName};
use crate::problem::Ledger;
use crate::store::{
    Cursor, CveFacts, Evidence, FeedState, Store, Swap, cve_key, decode_affected, decode_cve, decode_head,
    of_json,
};
use crate::sync;

/// Most files of a bundle: one a feed.
const MAX_FILES: usize = 2_000;
/// Most bytes of the manifest.
const MAX_MANIFEST: u64 = 1 << 20;
/// Most bytes of all feeds' lines.
const MAX_LINES: u64 = 8 << 30;
/// Most rows that are held before they are put: scores of a day, evidence of a list, what one record affects.
const MAX_HELD: usize = 4_000_000;
/// Longest line, in bytes: a record's body is smaller than the record.
const MAX_LINE: usize = 32 << 20;

/// What an import did with a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// How the feed stands in the bundle.
    pub state: FeedState,
    /// `false` when the store has a newer state, which was kept.
    pub taken: bool,
}

/// Takes the feeds of a bundle into the store, except those that the store has from later. Feeds that the bundle lacks
/// stay as they are.
///
/// # Errors
/// [`FeedError::Bundle`] naming the file when anything is not what the manifest says or cannot be read; the failure of
/// the store, or of the bundle's file. Nothing is changed then, but for a store that fails half-way, which has some of
/// the feeds whole.
pub fn import(store: &mut Store, path: &Path) -> Result<Vec<Imported>, FeedError> {
    let _lock = sync::lock(store.folder())?;
    let mut file = File::open(path).map_err(|error| FeedError::file("open", path, error))?;
    let whole = path.display().to_string();
    check_directory("the bundle", &mut file).map_err(|error| refused(&whole, &error.to_string()))?;
    let mut zip =
        ZipArchive::new(BufReader::new(file)).map_err(|error| refused(&whole, &error.to_string()))?;
    let manifest = manifest(&mut zip)?;
    let mut heads = Vec::new();
    for entry in &manifest.files {
        heads.push(prove(&mut zip, entry)?);
    }
    let mut imported = Vec::new();
    for (entry, state) in manifest.files.iter().zip(heads) {
        let stored = store.feed(&state.feed)?.and_then(|(stored, _)| stored.fetched.and(stored.as_of));
        let taken = stored.is_none_or(|stored| state.as_of.is_some_and(|as_of| as_of >= stored));
        if taken {
            take(&mut zip, entry, &state, store)?;
        }
        imported.push(Imported { state, taken });
    }
    store.settle();
    Ok(imported)
}

fn refused(file: &str, reason: &str) -> FeedError {
    FeedError::Bundle { file: file.chars().take(200).collect(), reason: reason.to_owned() }
}

fn manifest<R: Read + Seek>(zip: &mut ZipArchive<R>) -> Result<Manifest, FeedError> {
    let wrong = |reason: &str| refused(MANIFEST, reason);
    let mut text = Vec::new();
    let entry = zip.by_name(MANIFEST).map_err(|error| wrong(&error.to_string()))?;
    entry.take(MAX_MANIFEST + 1).read_to_end(&mut text).map_err(|error| wrong(&error.to_string()))?;
    if text.len() as u64 > MAX_MANIFEST {
        return Err(wrong("it is larger than accepted"));
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| wrong(&error.to_string()))?;
    if manifest.format != FORMAT || manifest.version != VERSION {
        return Err(wrong(&format!("it is not of the format {FORMAT} {VERSION}, which this program reads")));
    }
    let names: BTreeSet<&str> = manifest.files.iter().map(|entry| entry.name.as_str()).collect();
    if names.len() != manifest.files.len() || names.len() > MAX_FILES || names.contains(MANIFEST) {
        return Err(wrong("it names a file twice, itself, or too many"));
    }
    let unknown = zip.file_names().find(|name| *name != MANIFEST && !names.contains(name)).map(str::to_owned);
    if let Some(unknown) = unknown {
        return Err(refused(&unknown, "the manifest does not name it"));
    }
    if manifest.files.iter().fold(0, |sum: u64, entry| sum.saturating_add(entry.bytes)) > MAX_LINES {
        return Err(wrong("its files are larger than accepted"));
    }
    let feeds: BTreeSet<&str> = manifest.files.iter().map(|entry| entry.feed.as_str()).collect();
    if feeds.len() != manifest.files.len() {
        return Err(wrong("it names a feed twice"));
    }
    Ok(manifest)
}

/// Hashes and bounds what is read through it.
struct Hashed<R> {
    from: io::Take<R>,
    hash: Sha256,
    bytes: u64,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

/// Checks a file against the manifest and parses each of its lines; gives how its feed stands.
fn prove<R: Read + Seek>(zip: &mut ZipArchive<R>, entry: &Entry) -> Result<FeedState, FeedError> {
    let name = &entry.name;
    let file = zip.by_name(name).map_err(|error| refused(name, &error.to_string()))?;
    let mut hashed = Hashed { from: file.take(entry.bytes + 1), hash: Sha256::new(), bytes: 0 };
    let parsed = read(entry, BufReader::new(&mut hashed), &mut |_| Ok(()));
    // A file that is not the manifest's explains itself by that, not by what its lines are.
    let rest = io::copy(&mut hashed, &mut io::sink());
    let found = Digest::from_bytes(hashed.hash.finalize().into());
    if let Err(error) = rest {
        return Err(refused(name, &error.to_string()));
    }
    if hashed.bytes != entry.bytes || found != entry.sha256 {
        let reason = format!("its SHA-256 is {found}, the manifest says {}", entry.sha256);
        return Err(refused(name, &reason));
    }
    parsed
}

/// What lines add up to.
enum Item {
    Problem([String; 4]),
    Record(VulnerabilityId, Timestamp, Option<Advisory>),
    Kev(VulnerabilityId, Kev),
    Retracted(i64, Kev, Timestamp),
    Scores(String, Timestamp, Vec<(VulnerabilityId, Probability)>),
    Cve(VulnerabilityId, CveFacts),
    Evidence(VulnerabilityId, Evidence),
}

/// Reads the lines of a feed.
fn read(
    entry: &Entry,
    text: impl BufRead,
    visit: &mut dyn FnMut(Item) -> Result<(), FeedError>,
) -> Result<FeedState, FeedError> {
    let mut lines = Lines::new(text, MAX_LINE);
    let wrong = |number: u64, reason: &str| refused(&entry.name, &format!("line {number}: {reason}"));
    let first = lines.next().map_err(|error| refused(&entry.name, &error.to_string()))?;
    let head: Head = serde_json::from_str(first.unwrap_or_default())
        .map_err(|error| wrong(1, &format!("it does not say how the feed stands: {error}")))?;
    let feed: FeedName = head.feed.parse().map_err(|error: FeedError| wrong(1, &error.to_string()))?;
    if head.feed != entry.feed || head.fetched.is_none() {
        return Err(wrong(1, "it is not of the feed that the manifest says"));
    }
    let mut pending: Option<Item> = None;
    let mut held = 0;
    loop {
        let Some(line) = lines.next().map_err(|error| refused(&entry.name, &error.to_string()))? else {
            break;
        };
        let line: Result<Line, _> = serde_json::from_str(line);
        let number = lines.number();
        let line = line.map_err(|error| wrong(number, &error.to_string()))?;
        let item =
            item(&feed, line, &mut pending).ok_or_else(|| wrong(number, "it holds no row of this feed"))?;
        if let Some(item) = item {
            held += usize::from(matches!(
                item,
                Item::Kev(..) | Item::Retracted(..) | Item::Evidence(..) | Item::Scores(..)
            ));
            if held > MAX_HELD {
                return Err(wrong(number, "there are more rows than accepted"));
            }
            visit(item)?;
        }
    }
    if let Some(item) = pending {
        visit(item)?;
    }
    Ok(FeedState {
        feed,
        origin: head.origin,
        edition: head.edition,
        as_of: head.as_of,
        fetched: head.fetched,
        checked: head.checked,
        digest: head.digest,
        records: head.records,
        problems: head.problems,
        failure: None,
    })
}

/// Turns a line into an item; what later lines may add to waits in `pending`. `None` for a line that is wrong here.
fn item(feed: &FeedName, line: Line, pending: &mut Option<Item>) -> Option<Option<Item>> {
    let cve = |id: String| id.parse::<VulnerabilityId>().ok().filter(|id| cve_key(id.as_str()).is_some());
    match (feed, line) {
        (_, Line::P(file, record, field, reason)) => Some(Some(Item::Problem([file, record, field, reason]))),
        (FeedName::Osv(_), Line::A(id, modified, body)) => {
            let advisory = body.map(|body| decode_head(&id, &of_json(&body)).ok_or(())).transpose().ok()?;
            Some(pending.replace(Item::Record(id.parse().ok()?, modified, advisory)))
        }
        (FeedName::Osv(_), Line::F(ecosystem, package, body)) => match pending {
            Some(Item::Record(_, _, Some(advisory))) if advisory.affected.len() < MAX_HELD => {
                advisory.affected.extend(decode_affected(&ecosystem, &package, &of_json(&body))?);
                Some(None)
            }
            _ => None,
        },
        (FeedName::Kev, Line::K(id, added, due, ransomware)) => {
            Some(Some(Item::Kev(cve(id)?, Kev { added, due, ransomware })))
        }
        (FeedName::Kev, Line::R(id, added, due, ransomware, since)) => {
            let key = cve_key(&id)?;
            Some(Some(Item::Retracted(key, Kev { added, due, ransomware }, since)))
        }
        (FeedName::Epss, Line::D(model, scored)) => {
            Some(pending.replace(Item::Scores(model, scored, Vec::new())))
        }
        (FeedName::Epss, Line::E(id, ppm)) => match pending {
            Some(Item::Scores(_, _, scores)) if scores.len() < MAX_HELD => {
                scores.push((cve(id)?, Probability::from_ppm(ppm)?));
                Some(None)
            }
            _ => None,
        },
        (FeedName::Cve, Line::C(id, rejected, published, updated, body)) => {
            let facts = decode_cve(&of_json(&body))?;
            Some(Some(Item::Cve(cve(id)?, CveFacts { rejected, published, updated, ..facts })))
        }
        (FeedName::Exploits(kind), Line::X(id, first_seen, on_or_before, count)) => {
            let evidence = Evidence { kind: *kind, first_seen, on_or_before, count };
            Some(Some(Item::Evidence(cve(id)?, evidence)))
        }
        _ => None,
    }
}

/// Puts a proved file in the place of what the store has of its feed.
fn take<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    entry: &Entry,
    state: &FeedState,
    store: &mut Store,
) -> Result<(), FeedError> {
    let file = zip.by_name(&entry.name).map_err(|error| refused(&entry.name, &error.to_string()))?;
    let swap = store.swap(&state.feed)?;
    let mut ledger = Ledger::new(state.feed.clone());
    let mut kept = Kept { kev: Vec::new(), retracted: Vec::new(), days: Vec::new(), evidence: Vec::new() };
    read(entry, BufReader::new(file.take(entry.bytes)), &mut |item| kept.add(item, &swap, &mut ledger))?;
    kept.put(state, &swap, &mut ledger)?;
    ledger.count_unlisted(state.problems.saturating_sub(ledger.total()));
    swap.finish(state, &Cursor::default(), &ledger, true)
}

/// An EPSS day: model, day, scores.
type Day = (String, Timestamp, Vec<(VulnerabilityId, Probability)>);

/// Rows that are put at once.
struct Kept {
    kev: Vec<(VulnerabilityId, Kev)>,
    retracted: Vec<(i64, Kev, Timestamp)>,
    days: Vec<Day>,
    evidence: Vec<(VulnerabilityId, Evidence)>,
}

impl Kept {
    fn add(&mut self, item: Item, swap: &Swap<'_>, ledger: &mut Ledger) -> Result<(), FeedError> {
        match item {
            Item::Problem([file, record, field, reason]) => ledger.note(&file, &record, field, reason),
            Item::Record(id, modified, advisory) => {
                swap.put_advisory(&id, modified, advisory.as_ref())?;
            }
            Item::Cve(id, facts) => {
                swap.put_cve(&id, &facts)?;
            }
            Item::Kev(id, kev) => self.kev.push((id, kev)),
            Item::Retracted(key, kev, since) => self.retracted.push((key, kev, since)),
            Item::Scores(model, scored, scores) => self.days.push((model, scored, scores)),
            Item::Evidence(id, evidence) => self.evidence.push((id, evidence)),
        }
        Ok(())
    }

    fn put(self, state: &FeedState, swap: &Swap<'_>, ledger: &mut Ledger) -> Result<(), FeedError> {
        match &state.feed {
            FeedName::Kev => {
                swap.put_kev(&self.kev, state.as_of.unwrap_or(Timestamp::from_millis(0)), ledger)?;
                for (key, kev, since) in &self.retracted {
                    swap.add_kev_retracted(*key, kev, *since)?;
                }
            }
            FeedName::Epss => {
                let mut days = self.days.into_iter();
                if let Some((model, scored, scores)) = days.next() {
                    swap.put_epss(&model, scored, &scores, ledger)?;
                }
                for (model, scored, scores) in days {
                    swap.add_epss(&model, scored, &scores)?;
                }
            }
            FeedName::Osv(_) => swap.drop_old_advisories(ledger)?,
            FeedName::Cve => swap.drop_old_cves(ledger)?,
            FeedName::Exploits(kind) => {
                let kind: EvidenceKind = *kind;
                swap.put_evidence(kind, &self.evidence, ledger)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const FEEDS: [&str; 5] = ["kev", "epss", "osv:Debian", "cve", "exploits:github"];

    /// Lines as bundles have them, as they nearly have them, and of none.
    fn line() -> impl Strategy<Value = String> {
        let known = prop::sample::select(vec![
            r#"{"P":["f","r","x","why"]}"#,
            r#"{"A":["DSA-1-1",5,"[\"s\",null,[]]"]}"#,
            r#"{"A":["DSA-1-1",5,null]}"#,
            r#"{"F":["Debian:12","p","[[[[null,\"1\",null]],[]]]"]}"#,
            r#"{"F":["Debian:12","p","[5]"]}"#,
            r#"{"K":["CVE-2024-0001",1,null,true]}"#,
            r#"{"R":["CVE-2024-0001",1,null,true,2]}"#,
            r#"{"D":["v1",3]}"#,
            r#"{"E":["CVE-2024-0001",1000001]}"#,
            r#"{"E":["CVE-2024-0001",10]}"#,
            r#"{"C":["CVE-2024-0001",false,null,1,"{\"t\":\"\",\"v\":[],\"s\":[9,0,0,null],\"w\":[]}"]}"#,
            r#"{"X":["CVE-24-1",null,false,1]}"#,
        ]);
        prop_oneof![4 => known.prop_map(str::to_owned), 1 => "[{}\\[\\]\",A-F0-9]{0,30}"]
    }

    proptest! {
        #[test]
        fn any_lines_are_read_or_refused_by_name(feed in prop::sample::select(FEEDS.to_vec()), lines in prop::collection::vec(line(), 0..12)) {
            let head = format!(
                r#"{{"feed":"{feed}","origin":"","edition":"","as_of":1,"fetched":1,"checked":1,"digest":null,"records":1,"problems":0}}"#
            );
            let text = format!("{head}\n{}\n", lines.join("\n"));
            let entry = Entry {
                name: "feeds/0.jsonl".to_owned(),
                feed: feed.to_owned(),
                bytes: text.len() as u64,
                sha256: Digest::of(text.as_bytes()),
            };
            let mut rows = 0;
            let outcome = read(&entry, text.as_bytes(), &mut |_| { rows += 1; Ok(()) });
            prop_assert!(rows <= lines.len());
            if let Err(error) = outcome {
                prop_assert!(error.to_string().contains("feeds/0.jsonl: line "), "{error}");
            }
        }
    }
}
