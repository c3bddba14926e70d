//! Estates of Debian hosts, drawn from seeds and worked off through years of real advisories in each order.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use tenon_feeds::{Depth, read_history};
use tenon_formats::osv;
use tenon_predict::ordering::{Estate, Exposed, Known, Order, Software, Update, Working, attacks, in_order};
use tenon_predict::{Cve, CveId, Day, History, ModelFile, Outcomes, Walk};

/// Releases whose advisories are followed.
pub(crate) const RELEASES: [&str; 3] = ["Debian:11", "Debian:12", "Debian:13"];
/// The first day of work: scores and models are there.
const FROM: &str = "2024-07-01";
/// How many days before the first one hosts were last updated.
const LAG: i32 = 90;
/// Largest record read.
const MAX_RECORD: u64 = 16 << 20;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Which estates, and for how long.
pub(crate) struct Question<'q> {
    /// A mirror of the feeds, with their history.
    pub(crate) folder: &'q Path,
    /// How many estates are drawn.
    pub(crate) estates: u64,
    /// The last day; the last that the history has where none is named.
    pub(crate) until: Option<Day>,
}

/// What was worked off.
pub(crate) struct Answer {
    pub(crate) span: (Day, Day),
    /// Hosts of all estates.
    pub(crate) hosts: u64,
    pub(crate) packages: usize,
    pub(crate) updates: usize,
    /// Vulnerabilities that they close, and those of them that have a CVSS score.
    pub(crate) cves: usize,
    pub(crate) scored: usize,
    pub(crate) verdicts: Vec<Verdict>,
}

/// What one judge says of every order.
pub(crate) struct Verdict {
    /// What was exploited by it.
    pub(crate) title: &'static str,
    /// How many vulnerabilities of these packages.
    pub(crate) cves: usize,
    /// By estate, then as [`Order::ALL`].
    pub(crate) exposed: Vec<Vec<Exposed>>,
}

impl Verdict {
    /// Of one order, by estate.
    pub(crate) fn of(&self, order: Order) -> impl Iterator<Item = Exposed> + '_ {
        let place = Order::ALL.iter().position(|one| *one == order);
        self.exposed.iter().filter_map(move |estate| estate.get(place?).copied())
    }
}

/// Works all estates off in every order, day by day.
pub(crate) fn judge(question: &Question<'_>) -> Result<Answer> {
    let Question { folder, estates, until } = *question;
    let history = read_history(folder, Depth::Records, &mut |_| {})?.history;
    let models = ModelFile::shipped()?;
    let outcomes = Outcomes::of(&history);
    let from: Day = FROM.parse()?;
    let to = until.or(history.listings_until()).ok_or("the history lists nothing")?;
    let software = software(folder, &history, from.plus(-2 * LAG))?;
    let cvss = late_scores(&history, &software);
    let days = u32::try_from(to.since(from))?;
    let drawn: Vec<Estate> = (0..estates).map(|seed| Estate::drawn(seed, &software, days)).collect();
    let listed: BTreeMap<Cve, Day> = outcomes.between(from, to).collect();
    let reported = reported(folder, &history, (from, to))?;
    let attackers = attacks(estates, &history, &software, (from, to));
    let judges: [(&str, Vec<&BTreeMap<Cve, Day>>); 3] = [
        ("Listed in KEV", drawn.iter().map(|_| &listed).collect()),
        ("Reported by inTheWild.io, which no order reads", drawn.iter().map(|_| &reported).collect()),
        ("Taken up by a simulated attacker, another in each estate", attackers.iter().collect()),
    ];
    let begin = |exploited: &[&BTreeMap<Cve, Day>]| -> Vec<[Working<'_>; Order::ALL.len()]> {
        let each = drawn.iter().zip(exploited);
        let working = |estate, exploited| {
            Order::ALL.map(|order| Working::new(order, estate, &software, from.plus(-LAG), exploited))
        };
        each.map(|(estate, exploited)| working(estate, exploited)).collect()
    };
    let mut working = judges.each_ref().map(|(_, exploited)| begin(exploited));
    let mut walk = Walk::new(&history);
    for day in (from.number()..=to.number()).map(Day::from_number) {
        // What was known when the day before ended.
        let eve = day.plus(-1);
        let known = Known::on(&walk.on(eve), eve, &software, &models, &cvss);
        for one in working.iter_mut().flatten().flatten() {
            one.day(day, &known);
        }
    }
    let closed = || software.iter().flat_map(|one| &one.updates).flat_map(|one| &one.closes);
    let there: BTreeSet<&Cve> = closed().collect();
    let verdicts = judges.iter().zip(&working).map(|((title, exploited), estates)| {
        let cves: BTreeSet<&Cve> = exploited.iter().flat_map(|days| days.keys()).collect();
        let exposed = estates.iter().map(|estate| estate.iter().map(Working::exposed).collect()).collect();
        Verdict { title, cves: cves.intersection(&there).count(), exposed }
    });
    let verdicts = verdicts.collect();
    Ok(Answer {
        span: (from, to),
        hosts: drawn.iter().map(|estate| u64::from(estate.hosts)).sum(),
        packages: software.len(),
        updates: software.iter().map(|one| one.updates.len()).sum(),
        cves: there.len(),
        scored: cvss.len(),
        verdicts,
    })
}

/// Packages of the releases, with what their advisories since a day close.
fn software(folder: &Path, history: &History, since: Day) -> Result<Vec<Software>> {
    let mut zip = zip::ZipArchive::new(File::open(folder.join("osv/Debian/all.zip"))?)?;
    let mut updates: BTreeMap<(usize, String), Vec<Update>> = BTreeMap::new();
    for place in 0..zip.len() {
        let mut bytes = Vec::new();
        zip.by_index(place)?.take(MAX_RECORD).read_to_end(&mut bytes)?;
        let Some(advisory) = osv::parse(&bytes).and_then(|record| osv::to_advisory(&record, &RELEASES))?
        else {
            continue;
        };
        let Some(offered) = advisory.published.and_then(Day::of).filter(|day| *day >= since) else {
            continue;
        };
        let ids = advisory.addresses.iter().filter_map(|id| id.as_str().parse::<CveId>().ok());
        let closes: Vec<Cve> = ids.filter_map(|id| history.find(id)).collect();
        let packages: BTreeSet<(usize, &str)> = advisory
            .affected
            .iter()
            .filter_map(|one| {
                let release = RELEASES.iter().position(|release| osv::in_release(&one.ecosystem, release))?;
                Some((release, one.package.as_str()))
            })
            .collect();
        for (release, package) in packages {
            let update = Update { offered, closes: closes.clone() };
            updates.entry((release, package.to_owned())).or_default().push(update);
        }
    }
    let one = |((release, name), mut updates): ((usize, String), Vec<Update>)| {
        in_order(&mut updates);
        let mut closed = BTreeSet::new();
        for update in &mut updates {
            update.closes.retain(|cve| closed.insert(*cve));
        }
        Software { release, everywhere: EVERYWHERE.contains(&name.as_str()), updates }
    };
    Ok(updates.into_iter().map(one).collect())
}

/// Packages that every Debian host has, by their sources.
const EVERYWHERE: [&str; 8] =
    ["linux", "glibc", "openssl", "systemd", "openssh", "sudo", "gnutls28", "util-linux"];

/// What records say in the end, for the order by CVSS alone: its scores are in files that are younger than their records, and are known
/// on the day of publication.
fn late_scores(history: &History, software: &[Software]) -> BTreeMap<Cve, u8> {
    let end = history.on(Day::from_number(i32::MAX));
    let cves = software.iter().flat_map(|one| &one.updates).flat_map(|one| &one.closes);
    cves.filter_map(|cve| Some((*cve, end.get(*cve)?.cvss()?))).collect()
}

/// What was reported as exploited in a span, and when first.
fn reported(folder: &Path, history: &History, (from, to): (Day, Day)) -> Result<BTreeMap<Cve, Day>> {
    let text = std::fs::read_to_string(folder.join("exploits/inthewild_reports.csv"))?;
    let mut reported = BTreeMap::new();
    for line in text.lines().skip(1) {
        let (id, first) = line.split_once(',').ok_or("a line without a comma")?;
        let (Ok(id), Some(first)) = (id.parse::<CveId>(), first.get(..10)) else { continue };
        let first: Day = first.parse()?;
        if let Some(cve) = history.find(id).filter(|_| first > from && first <= to) {
            reported.insert(cve, first);
        }
    }
    Ok(reported)
}
