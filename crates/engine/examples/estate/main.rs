//! A synthetic estate in the core: what reports, advisories and intel cost as it grows.
//!
//! `cargo run --release -p tenon-engine --example estate -- ASSETS MANIFESTS PACKAGES [SNAPSHOT]`. Hosts draw a manifest of
//! `PACKAGES` packages each, of 60,000 components in all, and are offered some security updates. An estate of a million takes
//! long to report: with a file named it is kept there as a snapshot, and the next run begins from that.

mod fork;
mod memory;

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use memory::resident;
use tenon_engine::{Day, Filter, Prepared, Sort, Start, Window, World, advance};
use tenon_model::{
    Advisory, AdvisoryDelta, Affected, AffectedRange, AssetId, Capability, Command, Component, Detection,
    DetectionKind, Digest, HostFacts, IndexState, IntelDelta, Inventory, Kev, Listener, MachineId, Offer,
    OfferState, OsRelease, PART, Parts, Person, Probability, Protocol, SourcePackage, Timestamp, Versioned,
    VulnerabilityId,
};

/// Commands to a group while all hosts report, as in the server's writer.
const GROUP: u64 = 256;
/// Reports that are ready and wait to be decided on.
const READY: usize = 64;
/// Packages there are.
const NAMES: usize = 6_000;
/// Versions that each package has had, of which hosts have one: with the names, 60,000 components.
const VERSIONS: usize = 10;
/// Packages with an advisory whose fix is the last version.
const ADVISED: usize = 200;
/// Security updates that a host is offered at most.
const OFFERED: usize = 12;
/// Teams that the hosts belong to.
const TEAMS: usize = 20;
/// Kinds of host: those of one kind mostly have the same packages.
const ROLES: usize = 50;

/// Zones that hosts are put into in the end, of which each reaches the next.
const ZONES: usize = 10;

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % (bound as u64)).unwrap_or_default()
    }
}

/// The core with a clock and a count of what its journal would hold.
struct Bench {
    world: World,
    /// What a reader holds.
    reader: World,
    /// How many commands there are to a group.
    group: u64,
    told: u64,
    now: Timestamp,
    events: u64,
    bytes: u64,
}

impl Bench {
    /// Decides, applies and encodes; how long that took.
    fn tell(&mut self, command: impl Into<Prepared>) -> Result<Duration, Box<dyn Error>> {
        self.now = self.now.plus_seconds(1);
        let started = Instant::now();
        // As the server's writer does, whose readers hold the World of before a group of commands.
        if self.told.is_multiple_of(self.group) {
            self.reader = self.world.clone();
        }
        self.told += 1;
        let decided = advance(&mut self.world, command, self.now)?;
        let mut bytes = decided.blobs.iter().map(|blob| blob.bytes().len() as u64).sum::<u64>();
        for event in &decided.events {
            bytes += Versioned::encode(event)?.len() as u64;
        }
        let elapsed = started.elapsed();
        self.events += decided.events.len() as u64;
        self.bytes += bytes;
        Ok(elapsed)
    }
}

fn name(package: usize) -> String {
    format!("package-{package:05}")
}

fn version(number: usize) -> String {
    format!("1.0-{number}")
}

fn component(package: usize, number: usize) -> Component {
    let source = SourcePackage { name: name(package), version: version(number) };
    Component::os_package(format!("lib{}", name(package)), "amd64", version(number), source)
}

/// The packages of a manifest, each with the number of its version. Half of them every host has, the rest is that of its role,
/// but for every twentieth, which is its own. Most versions are those of the day on which the host was last brought up to date;
/// every tenth is another.
fn manifest(number: usize, packages: usize) -> Vec<(usize, usize)> {
    let mut draw = Draw(number as u64);
    let (role, day) = (number % ROLES, draw.below(VERSIONS));
    let package = |place: usize, draw: &mut Draw| match place {
        _ if place < packages / 2 => place,
        _ if place.is_multiple_of(20) => packages / 2 + draw.below(NAMES - packages / 2),
        _ => packages / 2 + (place * 7 + role * 131) % (NAMES - packages / 2),
    };
    let mut contents: Vec<(usize, usize)> = Vec::with_capacity(packages);
    for place in 0..packages {
        let package = package(place, &mut draw);
        let version = if draw.below(10) == 0 { draw.below(VERSIONS) } else { (day + package) % VERSIONS };
        contents.push((package, version));
    }
    contents.sort_unstable();
    contents.dedup_by_key(|(package, _)| *package);
    contents
}

fn inventory(host: usize, manifests: usize, packages: usize) -> Inventory {
    let mut draw = Draw(host as u64 ^ 0x5eed);
    // Of as many manifests as hosts each has its own.
    let number = if manifests > host { host } else { draw.below(manifests) };
    let contents = manifest(number, packages);
    let outdated = contents.iter().filter(|(package, version)| *package < ADVISED && *version + 1 < VERSIONS);
    let mut offers: Vec<Offer> = outdated
        .take(OFFERED)
        .map(|(package, number)| {
            let (installed, last) = (component(*package, *number), version(VERSIONS - 1));
            Offer {
                package: installed.name,
                architecture: installed.architecture,
                installed: installed.version,
                candidate: last.clone(),
                source: SourcePackage { name: installed.source.name, version: last },
                security: true,
                state: OfferState::Offered,
                claims: Vec::new(),
            }
        })
        .collect();
    // Now and then a host holds one of them.
    if let Some(offer) = offers.get_mut(draw.below(10 * OFFERED)) {
        offer.state = OfferState::Held;
    }
    let components = contents.into_iter().map(|(package, version)| component(package, version)).collect();
    let os = OsRelease {
        id: "debian".to_owned(),
        version_id: "12".to_owned(),
        pretty_name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
    };
    let facts = HostFacts {
        hostname: format!("host-{host}"),
        offers,
        offers_known: true,
        index: IndexState { oldest_age_seconds: Some(60 + draw.below(86_400) as u64) },
        capability: Capability::Act,
        listeners: vec![Listener {
            protocol: Protocol::Tcp,
            address: Ipv4Addr::UNSPECIFIED.into(),
            port: 443,
            process: None,
            unit: None,
            package: Some(component(0, 0).name),
        }],
        ..HostFacts::nothing_known_of(os)
    };
    Inventory { facts, components }
}

fn advisory(id: &str, package: usize, cve: &str) -> Result<Advisory, Box<dyn Error>> {
    let range = AffectedRange { introduced: None, fixed: Some(version(VERSIONS - 1)), last_affected: None };
    Ok(Advisory {
        id: id.parse()?,
        summary: format!("{} - security update", name(package)),
        published: None,
        addresses: vec![cve.parse()?],
        affected: vec![Affected {
            ecosystem: "Debian:12".to_owned(),
            package: name(package),
            module: None,
            ranges: vec![range],
            versions: Vec::new(),
        }],
    })
}

fn publish(published: Vec<Advisory>) -> Command {
    let delta = AdvisoryDelta { published, withdrawn: Vec::new() };
    Command::ChangeAdvisories { feed: "osv:Debian".to_owned(), delta, as_of: None }
}

fn show(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |percent: usize| {
        times
            .get((times.len() * percent / 100).min(times.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    };
    println!("  {what:<44} p50 {:>9.2?}  p99 {:>9.2?}  of {}", at(50), at(99), times.len());
}

fn key(host: usize) -> AssetId {
    AssetId::of_public_key(format!("key of {host}").as_bytes())
}

/// A sensor names a host and what attacks it: the host is found, and what closes it there is decided anew.
fn attacks(bench: &mut Bench, assets: usize, by: &Person) -> Result<(), Box<dyn Error>> {
    let (mut found, mut told) = (Vec::new(), Vec::new());
    for round in 0..20 {
        let host = round * assets / 20;
        let started = Instant::now();
        let [asset] = bench.world.assets_called(&format!("host-{host}"))[..] else {
            return Err(format!("host-{host} is not the only one of its name").into());
        };
        found.push(started.elapsed());
        let detection = Box::new(Detection {
            vulnerability: cve(round).parse()?,
            asset: Some(asset),
            zone: None,
            kind: DetectionKind::Attack,
            seen: bench.now,
            what: "an attack".to_owned(),
            reference: None,
            sensor: "bench".to_owned(),
            by: by.clone(),
        });
        told.push(bench.tell(Command::ReportDetection { detection })?);
    }
    show("a host by its name", &mut found);
    show("an attack seen on a host", &mut told);
    Ok(())
}

/// A context document is taken over, then only the sensitivity and only the criticality of one service is raised.
fn contexts(bench: &mut Bench, by: &Person) -> Result<(), Box<dyn Error>> {
    let mut text = "services:\n".to_owned();
    for service in 0..10 {
        text += &format!("  s{service}: {{ criticality: low, sensitivity: internal }}\n");
    }
    text += "rules:\n  - { when: { package: package-0001* }, set: { tags: [one] } }\n";
    for service in 0..10 {
        text += &format!("  - {{ when: {{ host: 't*{service}' }}, set: {{ services: [s{service}] }} }}\n");
    }
    let more = text.replace(
        "s7: { criticality: low, sensitivity: internal",
        "s7: { criticality: low, sensitivity: restricted",
    );
    let most = more.replace("s7: { criticality: low", "s7: { criticality: critical");
    for (compared, (what, text)) in (0..).zip([
        ("a context of 10 services", text),
        ("only a sensitivity raised", more),
        ("only a criticality raised", most),
    ]) {
        let document =
            tenon_formats::context::parse(text.as_bytes()).map_err(|problems| format!("{problems:?}"))?;
        let taken = bench.tell(Command::TakeOverContext { document, compared, by: by.clone() })?;
        show(what, &mut [taken]);
    }
    Ok(())
}

/// Zones of hosts by the ends of their names, each reached from the one before, and the first from the Internet.
fn reach(bench: &mut Bench, by: &Person) -> Result<(), Box<dyn Error>> {
    let mut text = "zones:\n  internet: { entry: 1 }\n".to_owned();
    for zone in 0..ZONES {
        text += &format!("  z{zone}: {{}}\n");
    }
    text += "flows:\n  - { from: internet, to: z0, protocol: tcp, ports: 443 }\n";
    for zone in 1..ZONES {
        text += &format!("  - {{ from: z{}, to: z{zone}, protocol: tcp, ports: 443 }}\n", zone - 1);
    }
    text += "rules:\n";
    for zone in 0..ZONES {
        text += &format!("  - {{ when: {{ host: 'host-*{zone}' }}, set: {{ zone: z{zone} }} }}\n");
    }
    let document =
        tenon_formats::context::parse(text.as_bytes()).map_err(|problems| format!("{problems:?}"))?;
    let compared = bench.world.context().map_or(0, |known| known.version);
    let taken = bench.tell(Command::TakeOverContext { document, compared, by: by.clone() })?;
    show(&format!("a context of {ZONES} zones"), &mut [taken]);
    let started = Instant::now();
    let terrain = bench.world.terrain();
    let told = started.elapsed();
    let reach = terrain.network.solve();
    let solved = started.elapsed() - told;
    let classes: usize = terrain.zones.iter().map(|zone| zone.exploits.len()).sum();
    let last = reach.zone(terrain.zone_called(&format!("z{}", ZONES - 1)).ok_or("a zone")?);
    println!(
        "  the reach over {} zones, {classes} classes: told in {told:.1?}, solved in {solved:.1?}, the last zone with {} to {} ppm",
        terrain.zones.len(),
        last.best.ppm_down(),
        last.union.ppm_up()
    );
    let delta = bench.world.reach_moved(&terrain, &reach);
    show(
        "how far attackers get is told, every zone moved",
        &mut [bench.tell(Command::AssessReach { delta })?],
    );
    Ok(())
}

/// A host enrols with a token made for it.
fn enrol(bench: &mut Bench, host: usize, by: &Person) -> Result<(), Box<dyn Error>> {
    let (asset, secret) = (key(host), Digest::of(b"secret"));
    let (token, expires) = (format!("t{host}"), bench.now.plus_days(1));
    let (group, by) = (format!("team-{}", host % TEAMS).parse()?, by.clone());
    bench.tell(Command::IssueToken { token: token.parse()?, secret, group, expires, by })?;
    bench.tell(Command::Enrol {
        asset,
        hostname: format!("host-{host}"),
        token: token.parse()?,
        secret,
        machine: MachineId::of_firmware(&format!("4c4c4544-0042-3510-8054-{host:012x}")),
    })?;
    Ok(())
}

/// Hosts report for the first time: made ready by as many threads as there are processors on the World that all see, decided by
/// one, as in the server. How long it took that one for each.
fn report_all(bench: &mut Bench, reports: Vec<(usize, Inventory)>) -> Result<Vec<Duration>, Box<dyn Error>> {
    let seen = bench.world.clone();
    let waiting = Mutex::new(reports.into_iter());
    let (send, ready) = mpsc::sync_channel(READY);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let (send, waiting, seen) = (send.clone(), &waiting, &seen);
            scope.spawn(move || {
                let next = || waiting.lock().ok()?.next();
                while let Some((host, inventory)) = next() {
                    let command = Command::ReportInventory { asset: key(host), sequence: 1, inventory };
                    if send.send(Prepared::on(seen, command)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let mut times = Vec::new();
        for prepared in ready {
            times.push(bench.tell(prepared?)?);
        }
        Ok(times)
    })
}

/// All hosts enrol and report, a group of commands after another. What the last group took for each.
fn enrol_all(
    bench: &mut Bench,
    [assets, manifests, packages]: [usize; 3],
    by: &Person,
) -> Result<(), Box<dyn Error>> {
    let published = (0..ADVISED).map(|package| advisory(&format!("DSA-{package}-1"), package, &cve(package)));
    bench.tell(publish(published.collect::<Result<_, _>>()?))?;
    let mut taken = Duration::ZERO;
    let mut first = Vec::new();
    for from in (0..assets).step_by(GROUP as usize) {
        let hosts = from..assets.min(from + GROUP as usize);
        // Making the reports up is no part of what is measured.
        let reports: Vec<Inventory> =
            hosts.clone().map(|host| inventory(host, manifests, packages)).collect();
        let started = Instant::now();
        for host in hosts.clone() {
            enrol(bench, host, by)?;
        }
        let mut times = report_all(bench, hosts.clone().zip(reports).collect())?;
        taken += started.elapsed();
        if hosts.end == assets {
            first.append(&mut times);
        }
        if hosts.end / 100_000 != from / 100_000 {
            eprintln!("{} hosts, {taken:.1?} in the core, {} MB resident", hosts.end, resident());
        }
    }
    println!(
        "{assets} hosts of {packages} packages, {manifests} manifests: enrolled and reported in {:.1} s of the core, {} \
         MB resident, {} events, {} MB of journal",
        taken.as_secs_f32(),
        resident(),
        bench.events,
        bench.bytes >> 20
    );
    show("first report of a host, the last group", &mut first);
    Ok(())
}

fn cve(package: usize) -> String {
    format!("CVE-2026-{:04}", 1_000 + package)
}

/// A snapshot as a journal hands it out: in parts.
fn read(file: &Path) -> Result<Parts, Box<dyn Error>> {
    let (file, mut content) = (std::fs::File::open(file)?, Parts::default());
    loop {
        let mut part = Vec::with_capacity(PART);
        if (&file).take(PART as u64).read_to_end(&mut part)? == 0 {
            return Ok(content);
        }
        content.push(part);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = words.iter().take(3).filter_map(|word| word.parse().ok()).collect();
    let [assets, manifests, packages] = numbers[..] else {
        return Err("name how many assets, manifests and packages there are".into());
    };
    let kept = words.get(3).map(Path::new);
    let now = Timestamp::parse("2026-06-15").ok_or("a date")?;
    let (world, reader) = <(World, World)>::default();
    let mut bench = Bench { world, reader, group: GROUP, told: 0, now, events: 0, bytes: 0 };
    let by: Person = "bench".parse()?;
    match kept.filter(|file| file.exists()) {
        Some(file) => {
            let started = Instant::now();
            bench.world = World::from_snapshot(read(file)?)?;
            let (hosts, taken) = (bench.world.asset_count(), started.elapsed());
            bench.now = bench.world.time().unwrap_or(now);
            println!("{hosts} hosts of a snapshot, read in {taken:.1?}, {} MB resident", resident());
        }
        None => enrol_all(&mut bench, [assets, manifests, packages], &by)?,
    }
    if let Some(file) = kept.filter(|file| !file.exists()) {
        let mut out = std::fs::File::create(file)?;
        for part in bench.world.to_snapshot()? {
            out.write_all(&part)?;
        }
    }
    // From here on each command is a group of its own.
    bench.group = 1;
    let mut again = Vec::new();
    for host in 0..assets.min(200) {
        let inventory = inventory(host, manifests, packages);
        again.push(bench.tell(Command::ReportInventory { asset: key(host), sequence: 2, inventory })?);
    }
    show("the same report again", &mut again);
    let mut times = Vec::new();
    for round in 0..20 {
        let changed = advisory("DSA-9000-1", 0, &format!("CVE-2026-{}", 5_000 + round))?;
        times.push(bench.tell(publish(vec![changed]))?);
    }
    show("an advisory about a package of every host", &mut times);
    let mut times = Vec::new();
    for package in 0..20 {
        let id: VulnerabilityId = cve(package).parse()?;
        let listed = vec![(id, Kev { added: bench.now, due: None, ransomware: false })];
        let delta = IntelDelta::Kev { listed, retracted: Vec::new() };
        times.push(bench.tell(Command::ChangeIntel { delta, as_of: None })?);
    }
    show("a KEV addition", &mut times);
    attacks(&mut bench, assets, &by)?;
    contexts(&mut bench, &by)?;
    reach(&mut bench, &by)?;
    let started = Instant::now();
    let listed = bench.world.open_vulnerabilities();
    println!("  every open vulnerability, {} of them, listed in {:.1?}", listed.len(), started.elapsed());
    let group = "team-7".parse()?;
    let filters = [
        Filter::default(),
        Filter { group: Some(group), ..Filter::default() },
        Filter { text: Some("package-0001".to_owned()), ..Filter::default() },
        Filter { text: Some("no such thing".to_owned()), ..Filter::default() },
    ];
    let sorts = [Sort::Urgency, Sort::Removes, Sort::Assets, Sort::Raised, Sort::Package, Sort::Group];
    let mut times = Vec::new();
    let mut open = 0;
    for (filter, sort) in filters.iter().flat_map(|filter| sorts.map(|sort| (filter, sort))) {
        for _ in 0..10 {
            let started = Instant::now();
            let window = Window { start: Start::Place(0), limit: 100 };
            let queue = bench.world.queue_of(filter, sort, window, bench.now).ok_or("a window")?;
            open = open.max(queue.all.directives);
            times.push(started.elapsed());
        }
    }
    show(&format!("the queue of {open} directives, any sort and filter"), &mut times);
    let mut times = Vec::new();
    let today = Day::of(bench.now);
    let mut cases = 0;
    for _ in 0..200 {
        let started = Instant::now();
        // Every date that is set is past by then: all of them are looked at.
        let now = bench.now.plus_days(365);
        let measured = bench.world.measures(Day(today.0 - 365), today, now, None);
        cases = measured.whole.open.cases;
        times.push(started.elapsed());
    }
    show(&format!("the measures of a year over {open} directives and {cases} open cases"), &mut times);
    let mut scores = Vec::new();
    let mut foreseen = Vec::new();
    for number in 0..300_000_usize {
        let ppm = |ppm| u32::try_from(ppm).ok().and_then(Probability::from_ppm).unwrap_or(Probability::ONE);
        scores.push((cve(number).parse()?, ppm(number)));
        foreseen.push((cve(number).parse()?, ppm(1 + number / 100)));
    }
    let (model, scored) = ("v2026.06.15".to_owned(), bench.now);
    let delta = IntelDelta::Epss { model, scored, scores, dropped: Vec::new() };
    show("an EPSS day of 300,000 scores", &mut [bench.tell(Command::ChangeIntel { delta, as_of: None })?]);
    let (model, day) = ("five-2026-08-07".to_owned(), bench.now);
    let delta = IntelDelta::Forecast { model, day, foreseen, dropped: Vec::new() };
    show("a day of 300,000 forecasts", &mut [bench.tell(Command::ChangeIntel { delta, as_of: None })?]);
    fork::measure(&mut bench, [assets, manifests, packages])?;
    let started = Instant::now();
    let snapshot = bench.world.to_snapshot()?;
    println!("  a snapshot of {} MB is made in {:.1?}", snapshot.len() >> 20, started.elapsed());
    drop(bench);
    let started = Instant::now();
    let world = World::from_snapshot(snapshot)?;
    println!("  a World of it is made in {:.1?}, {} assets", started.elapsed(), world.asset_count());
    Ok(())
}
