//! The views of a running server over a large synthetic estate, measured from outside: pages of the queue over HTTP, and how
//! long a listing in KEV takes until a client of the live stream has read it.
//!
//! `cargo run --release -p tenon-server --example views -- ASSETS TEAMS [--serve]`. Every team owns its share of the hosts and
//! has nearly every one of 200 packages to upgrade, so that 250 teams make 50,000 directives. `--serve` goes on serving then,
//! for a browser, until its input ends.

use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use serde_json::Value;
use tenon_model::{
    Advisory, AdvisoryDelta, Affected, AffectedRange, AssetId, Capability, Command, Component, Digest,
    HostFacts, IndexState, IntelDelta, Inventory, Kev, Offer, OfferState, OsRelease, Person, Probability,
    SourcePackage, Timestamp, VulnerabilityId,
};
use tenon_server::{Hosts, Settings, Writer, serve};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Packages with an advisory. Every host has them all.
const ADVISED: usize = 200;
/// Packages besides.
const OTHERS: usize = 100;
/// Versions that hosts have; the fix is the one behind the last.
const VERSIONS: usize = 4;
/// Upgrades that a host is offered.
const OFFERED: usize = 12;
/// Commands that are sent at once.
const GROUP: usize = 256;
/// KEV listings that are measured.
const LISTINGS: usize = 50;

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

fn name(package: usize) -> String {
    format!("package-{package:03}")
}

fn version(number: usize) -> String {
    format!("1.0-{number}")
}

fn cve(package: usize, number: usize) -> Outcome<VulnerabilityId> {
    Ok(format!("CVE-2026-{}", 10_000 + package * 10 + number).parse()?)
}

/// An advisory of three vulnerabilities.
fn advisory(package: usize) -> Outcome<Advisory> {
    let range = AffectedRange { introduced: None, fixed: Some(version(VERSIONS)), last_affected: None };
    Ok(Advisory {
        id: format!("DSA-{}-1", 5_000 + package).parse()?,
        summary: format!("{} - security update", name(package)),
        published: None,
        addresses: (0..3).map(|number| cve(package, number)).collect::<Outcome<_>>()?,
        affected: vec![Affected {
            ecosystem: "Debian:12".to_owned(),
            package: name(package),
            module: None,
            ranges: vec![range],
            versions: Vec::new(),
        }],
    })
}

fn component(package: usize, number: usize) -> Component {
    let source = SourcePackage { name: name(package), version: version(number) };
    Component::os_package(format!("lib{}", name(package)), "amd64", version(number), source)
}

fn inventory(host: usize) -> Inventory {
    let mut draw = Draw(host as u64 ^ 0x5eed);
    let mut components: Vec<Component> = (0..ADVISED).map(|package| component(package, VERSIONS)).collect();
    components.extend((ADVISED..ADVISED + OTHERS).map(|package| component(package, draw.below(VERSIONS))));
    let mut offers = Vec::new();
    for _ in 0..OFFERED {
        let package = draw.below(ADVISED);
        let installed = component(package, draw.below(VERSIONS));
        if offers.iter().any(|offer: &Offer| offer.package == installed.name) {
            continue;
        }
        offers.push(Offer {
            package: installed.name.clone(),
            architecture: installed.architecture.clone(),
            installed: installed.version.clone(),
            candidate: version(VERSIONS),
            source: SourcePackage { name: name(package), version: version(VERSIONS) },
            // That it is one, the advisory tells: published when all have reported, it raises the directives of all teams at once.
            security: false,
            state: OfferState::Offered,
            claims: Vec::new(),
        });
        if let Some(place) = components.get_mut(package) {
            *place = installed;
        }
    }
    let os = OsRelease {
        id: "debian".to_owned(),
        version_id: "12".to_owned(),
        pretty_name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
    };
    let facts = HostFacts {
        hostname: format!("host-{host:06}.example.org"),
        offers,
        offers_known: true,
        index: IndexState { oldest_age_seconds: Some(60) },
        capability: match host % 50 {
            0 => Capability::ObserveOnly { reason: "no right to mount (CAP_SYS_ADMIN)".to_owned() },
            _ => Capability::Act,
        },
        gaps: match host % 40 {
            0 => vec!["systemd does not run here: the health of services is not known".to_owned()],
            _ => Vec::new(),
        },
        ..HostFacts::nothing_known_of(os)
    };
    Inventory { facts, components }
}

async fn all(writer: &Writer, commands: Vec<Command>) -> Outcome<()> {
    try_join_all(commands.into_iter().map(|command| writer.submit(command, None))).await?;
    Ok(())
}

/// Scores, the hosts, then advisories.
async fn estate(writer: &Writer, assets: usize, teams: usize, by: &Person) -> Outcome<()> {
    let mut draw = Draw(1);
    let mut scores = Vec::new();
    for (package, number) in (0..ADVISED).flat_map(|package| (0..3).map(move |number| (package, number))) {
        let ppm = u32::try_from(draw.below(200_000))?;
        scores.push((cve(package, number)?, Probability::from_ppm(ppm).ok_or("a probability")?));
    }
    let (model, scored) = ("v2026.06.15".to_owned(), now());
    let delta = IntelDelta::Epss { model, scored, scores, dropped: Vec::new() };
    writer.submit(Command::ChangeIntel { delta, as_of: None }, None).await?;
    let hosts: Vec<usize> = (0..assets).collect();
    for hosts in hosts.chunks(GROUP) {
        let secret = Digest::of(b"secret");
        let (mut tokens, mut enrolments, mut reports) = (Vec::new(), Vec::new(), Vec::new());
        for host in hosts {
            let token: tenon_model::TokenId = format!("t{host}").parse()?;
            let group = format!("team-{:03}", host % teams).parse()?;
            let expires = now().plus_days(1);
            let asset = AssetId::of_public_key(format!("key of {host}").as_bytes());
            let inventory = inventory(*host);
            let hostname = inventory.facts.hostname.clone();
            tokens.push(Command::IssueToken { token: token.clone(), secret, group, expires, by: by.clone() });
            enrolments.push(Command::Enrol { asset, hostname, token, secret, machine: None });
            reports.push(Command::ReportInventory { asset, sequence: 1, inventory });
        }
        all(writer, tokens).await?;
        all(writer, enrolments).await?;
        all(writer, reports).await?;
        if hosts.last().is_some_and(|last| last % (20 * GROUP) == 20 * GROUP - 1) {
            eprintln!("{} hosts", hosts.last().copied().unwrap_or_default() + 1);
        }
    }
    for package in 0..ADVISED {
        let delta = AdvisoryDelta { published: vec![advisory(package)?], withdrawn: Vec::new() };
        let feed = "osv:Debian".to_owned();
        writer.submit(Command::ChangeAdvisories { feed, delta, as_of: None }, None).await?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a bench measures by the wall clock")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or_default())
}

fn show(what: &str, budget: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |percent: usize| {
        times
            .get((times.len() * percent / 100).min(times.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    };
    println!("  {what:<58} p50 {:>9.2?}  p99 {:>9.2?}  of {:<4} {budget}", at(50), at(99), times.len());
}

/// A client of the API, which keeps its connection.
struct Client {
    agent: ureq::Agent,
    address: String,
    token: String,
}

impl Client {
    fn get(&self, path: &str) -> Outcome<Value> {
        Ok(serde_json::from_str(&self.text(path)?)?)
    }

    fn text(&self, path: &str) -> Outcome<String> {
        let bearer = format!("Bearer {}", self.token);
        let mut answer =
            self.agent.get(format!("{}{path}", self.address)).header("authorization", bearer).call()?;
        Ok(answer.body_mut().with_config().limit(1 << 30).read_to_string()?)
    }

    /// The live stream: the generation of each notice that is about the queue.
    fn notices(&self) -> Outcome<mpsc::Receiver<u64>> {
        let bearer = format!("Bearer {}", self.token);
        let answer = self
            .agent
            .get(format!("{}/api/v1/events", self.address))
            .header("authorization", bearer)
            .call()?;
        let mut lines = BufReader::new(answer.into_body().into_reader());
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            while lines.by_ref().read_line(&mut line).is_ok_and(|read| read > 0) {
                let notice =
                    line.strip_prefix("data: ").and_then(|data| serde_json::from_str::<Value>(data).ok());
                let about = |notice: &Value| {
                    notice["facets"]
                        .as_array()
                        .is_some_and(|facets| facets.iter().any(|facet| facet == "queue"))
                };
                if let Some(generation) =
                    notice.filter(about).and_then(|notice| notice["generation"].as_u64())
                    && sender.send(generation).is_err()
                {
                    return;
                }
                line.clear();
            }
        });
        Ok(receiver)
    }
}

/// Every order under every kind of filter, also such as nothing passes, and places far down.
fn pages(client: &Client) -> Outcome<()> {
    let filters = [
        ("no filter", ""),
        ("a team", "&group=team-007"),
        ("a text", "&q=package-01"),
        ("a vulnerability", "&q=cve-2026-10421"),
        ("an outcome", "&outcome=scheduled"),
        ("a date", "&due_before=2099-01-01T00:00:00Z"),
        ("nothing, by team", "&group=nobody"),
        ("nothing, by text", "&q=no-such-thing"),
        ("nothing, by date", "&due_before=2001-01-01T00:00:00Z"),
    ];
    let sorts = ["urgency", "removes", "assets", "raised", "package", "group"];
    let mut whole = Vec::new();
    for (filter, query) in filters {
        let mut times = Vec::new();
        let mut found = 0;
        let mut bytes = 0;
        for sort in sorts {
            for _ in 0..20 {
                let started = Instant::now();
                let text = client.text(&format!("/api/v1/directives?limit=100&sort={sort}{query}"))?;
                times.push(started.elapsed());
                bytes = text.len();
                found = serde_json::from_str::<Value>(&text)?["total"].as_u64().unwrap_or_default();
            }
        }
        whole.extend(times.iter().copied());
        show(&format!("a page of 100, {filter} ({found} found, {} kB)", bytes >> 10), "", &mut times);
    }
    show("any order and filter", "budget: p99 under 50 ms", &mut whole);
    for by in ["group", "outcome", "package", "due", "stage"] {
        let (mut times, mut bytes, mut parts) = (Vec::new(), 0, 0);
        for place in 0..60 {
            let from = place * 800;
            let started = Instant::now();
            let text = client.text(&format!("/api/v1/directives?limit=100&group_by={by}&from={from}"))?;
            times.push(started.elapsed());
            bytes = text.len();
            parts = serde_json::from_str::<Value>(&text)?["parts"].as_array().map_or(0, Vec::len);
        }
        let what = format!("a page of 100 by {by} ({parts} parts, {} kB)", bytes >> 10);
        show(&what, "budget: p99 under 50 ms", &mut times);
    }
    let mut times = Vec::new();
    let first = client.get("/api/v1/directives?limit=100")?;
    let mut next = first["next"].as_str().map(str::to_owned);
    for _ in 0..50 {
        let Some(cursor) = next else { break };
        let started = Instant::now();
        let page = client.get(&format!("/api/v1/directives?limit=100&cursor={cursor}"))?;
        times.push(started.elapsed());
        next = page["next"].as_str().map(str::to_owned);
    }
    show("the next page, by its cursor", "", &mut times);
    Ok(())
}

/// A vulnerability is listed in KEV: until a client has the notice and has read what it did to the queue.
fn listings(client: &Client, runtime: &tokio::runtime::Runtime, writer: &Writer) -> Outcome<()> {
    let notices = client.notices()?;
    let (mut durable, mut noticed, mut read) = (Vec::new(), Vec::new(), Vec::new());
    let mut dated = 0;
    for package in 0..LISTINGS {
        let id = cve(package, 0)?;
        let started = Instant::now();
        let delta = IntelDelta::Kev {
            listed: vec![(id.clone(), Kev { added: now(), due: None, ransomware: false })],
            retracted: Vec::new(),
        };
        let accepted = runtime.block_on(writer.submit(Command::ChangeIntel { delta, as_of: None }, None))?;
        durable.push(started.elapsed());
        while notices.recv_timeout(Duration::from_secs(30))? < accepted.seq {}
        noticed.push(started.elapsed());
        let page = client.get(&format!("/api/v1/directives?limit=100&q={id}"))?;
        read.push(started.elapsed());
        let items = page["items"].as_array().ok_or("a page has items")?;
        if page["generation"].as_u64().is_none_or(|generation| generation < accepted.seq) || items.is_empty()
        {
            return Err(format!("the page does not show what was announced of {id}").into());
        }
        dated += items.iter().filter(|item| item["due"].is_string()).count();
    }
    show("a KEV listing is decided and durable", "", &mut durable);
    show("... and a client of the live stream knows", "", &mut noticed);
    show("... and has read the queue anew", "budget: p99 under 2 s", &mut read);
    println!("  {dated} directives that it showed have a date");
    Ok(())
}

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let [assets, teams] = numbers[..] else { return Err("name how many assets and teams there are".into()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let person: Person = "bench".parse()?;
    let hosts = Hosts::Real { gateway: "127.0.0.1:0".parse()?, names: vec!["localhost".to_owned()] };
    let settings = Settings {
        requests_per_second: std::num::NonZeroU32::new(10_000).ok_or("a rate")?,
        ..Settings::on_loopback(folder.path().join("data"), hosts, person.clone())
    };
    let running = runtime.block_on(serve(settings))?;
    let writer = running.writer.clone();
    let started = Instant::now();
    runtime.block_on(estate(&writer, assets, teams, &person))?;
    let address = format!("http://{}", running.listen);
    let token = running.folder.operator_token()?.expose().to_owned();
    let client = Client { agent: ureq::Agent::config_builder().build().new_agent(), address, token };
    let total = client.get("/api/v1/directives?limit=1")?["total"].clone();
    println!(
        "{assets} hosts of {teams} teams, {total} open directives, {} events, reported in {:.0?}",
        writer.world().seq(),
        started.elapsed()
    );
    pages(&client)?;
    listings(&client, &runtime, &writer)?;
    if words.iter().any(|word| word == "--serve") {
        println!("{}/#token={}", client.address, client.token);
        std::io::stdin().read_to_end(&mut Vec::new())?;
    }
    runtime.block_on(running.stop());
    Ok(())
}
