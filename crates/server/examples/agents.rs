//! Many agents against one server: how long an order takes from being issued to being received, and what the server costs meanwhile.
//!
//! `cargo run --release -p tenon-server --example agents -- [AGENTS] [ROUNDS]`: 1,000 and 10 where nothing is said. The server is a
//! process of its own (this program again), so that its processor time and memory can be told apart. Each agent is a thread with a
//! key, certificate and connection of its own, over mutual TLS: it enrols, reports, and polls. A round publishes an advisory about a
//! package that all have, which orders a rehearsal on each at one instant; they answer as long after as a rehearsal takes at the least,
//! and poll again. What the agents need on the same machine counts in, and so does whatever else it does.

use std::error::Error;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tenon_model::{
    Advisory, AdvisoryDelta, Affected, AffectedRange, Command, Component, GroupName, Offer, OfferState,
    Person, RehearsalReport, SourcePackage,
};
use tenon_server::{Hosts, Settings, serve};
use tenon_wire::{DirectivePublicKey, RehearsalAnswer, SignedOrder, path};
use ureq::Agent;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const AGENTS: usize = 1_000;
const ROUNDS: usize = 10;
/// Agents that enrol at once: more are not faster on a few cores.
const AT_ONCE: usize = 8;
/// What an agent's thread needs.
const STACK: usize = 256 << 10;
/// How long a rehearsal takes at the least; an agent answers then.
const REHEARSAL: Duration = Duration::from_secs(2);
/// How long agents rest while the server's cost at rest is measured.
const REST: Duration = Duration::from_secs(30);
/// After so long without an order a round has failed.
const PATIENCE: Duration = Duration::from_secs(120);
/// Ticks of processor time a second, as Linux counts them for programs (proc_pid_stat(5), sysconf(_SC_CLK_TCK)).
const TICKS: u64 = 100;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [serve, folder, agents] if serve == "serve" => server(folder, agents.parse()?),
        words => {
            let number = |at: usize, usual| words.get(at).map_or(Ok(usual), |word| word.parse());
            drive(number(0, AGENTS)?, number(1, ROUNDS)?)
        }
    }
}

fn package(round: usize) -> String {
    format!("package-{round:02}")
}

// The server's side.

/// Serves, and does what it is told on standard input: `go N` publishes the advisory about the package of a round.
fn server(folder: &str, agents: usize) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let by: Person = "bench".parse()?;
        let hosts = Hosts::Real { gateway: "127.0.0.1:0".parse()?, names: vec!["127.0.0.1".to_owned()] };
        let running = serve(Settings::on_loopback(folder.into(), hosts, by.clone())).await?;
        let group: GroupName = "default".parse()?;
        running.writer.submit(Command::Promote { group: group.clone(), by }, None).await?;
        println!("gateway {}", running.gateway.ok_or("a gateway")?);
        println!("authority {}", running.folder.path("authority.pem").display());
        for _ in 0..agents {
            let token = running.enrol_token(group.clone()).await?;
            println!("token {} {}", token.id, token.secret.expose());
        }
        for line in std::io::stdin().lock().lines() {
            let line = line?;
            let Some(round) = line.strip_prefix("go ").and_then(|round| round.parse().ok()) else { break };
            let delta = AdvisoryDelta { published: vec![advisory(round)?], withdrawn: Vec::new() };
            let feed = "osv:Debian".to_owned();
            running.writer.submit(Command::ChangeAdvisories { feed, delta, as_of: None }, None).await?;
        }
        running.stop().await;
        Ok(())
    })
}

fn advisory(round: usize) -> Outcome<Advisory> {
    let range = AffectedRange { introduced: None, fixed: Some("2.0".to_owned()), last_affected: None };
    Ok(Advisory {
        id: format!("DSA-{}-1", 5_000 + round).parse()?,
        summary: format!("{} - security update", package(round)),
        published: None,
        addresses: vec![format!("CVE-2026-{}", 10_000 + round).parse()?],
        affected: vec![Affected {
            ecosystem: "Debian:12".to_owned(),
            package: package(round),
            module: None,
            ranges: vec![range],
            versions: Vec::new(),
        }],
    })
}

// The agents' side.

/// What an agent tells of itself.
enum Told {
    /// It received an order, so long after that was issued.
    Received(Duration),
    /// Its answer was taken.
    Answered,
    /// It could not go on.
    Failed(String),
}

/// The server, told apart.
struct Served {
    child: Child,
    input: ChildStdin,
    gateway: String,
    authority: String,
    /// Id and secret.
    tokens: Vec<(String, String)>,
}

impl Served {
    fn start(folder: &str, agents: usize) -> Outcome<Self> {
        let mut child = std::process::Command::new(std::env::current_exe()?)
            .args(["serve", folder, &agents.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().ok_or("its input")?;
        let mut served =
            Self { gateway: String::new(), authority: String::new(), tokens: Vec::new(), input, child };
        let output = BufReader::new(served.child.stdout.take().ok_or("its output")?);
        for line in output.lines() {
            let line = line?;
            match *line.split(' ').collect::<Vec<_>>() {
                ["gateway", at] => served.gateway = format!("https://{at}"),
                ["authority", file] => served.authority = std::fs::read_to_string(file)?,
                ["token", id, secret] => served.tokens.push((id.to_owned(), secret.to_owned())),
                _ => return Err(format!("the server said {line:?}").into()),
            }
            if served.tokens.len() == agents {
                return Ok(served);
            }
        }
        Err("the server ended".into())
    }

    /// Processor time so far.
    fn busy(&self) -> Outcome<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks =
            |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
        // utime and stime, the 14th and 15th field; the first two are cut off here.
        Ok(Duration::from_millis((ticks(11) + ticks(12)) * 1_000 / TICKS))
    }

    /// Memory that is resident, in MiB.
    fn resident(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1_024)
    }
}

/// A client that knows the server's authority, and shows a certificate if it has one.
fn client(authority: &str, identity: Option<(&str, &KeyPair)>) -> Outcome<Agent> {
    let root = Certificate::from_pem(authority.as_bytes())?;
    let mut tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[root]));
    if let Some((certificate, key)) = identity {
        let chain = [Certificate::from_pem(certificate.as_bytes())?];
        let key = PrivateKey::from_pem(key.serialize_pem().as_bytes())?;
        tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
    }
    Ok(Agent::config_builder().tls_config(tls.build()).build().new_agent())
}

/// A host that is enrolled.
struct Known {
    agent: Agent,
    order_key: DirectivePublicKey,
}

/// A host enrols and reports that it is offered a fix of the package of every round.
fn enrol(served: &Served, number: usize, rounds: usize) -> Outcome<Known> {
    let (token, secret) = served.tokens.get(number).ok_or("a token")?;
    let key = KeyPair::generate()?;
    let request = CertificateParams::new(Vec::new())?.serialize_request(&key)?.pem()?;
    let hostname = format!("host-{number:04}.example.org");
    let body = json!({ "request": request, "hostname": hostname, "token": token, "secret": secret });
    let url = |path: &str| format!("{}{path}", served.gateway);
    let answer: Value =
        client(&served.authority, None)?.post(url(path::ENROL)).send_json(&body)?.body_mut().read_json()?;
    let certificate = answer["certificate"].as_str().ok_or("a certificate")?;
    let order_key = answer["order_key"].as_str().ok_or("an order key")?.parse()?;
    let agent = client(&served.authority, Some((certificate, &key)))?;
    let source =
        |name: &str, version: &str| SourcePackage { name: name.to_owned(), version: version.to_owned() };
    let names: Vec<String> = (0..rounds).map(package).collect();
    let components =
        names.iter().map(|name| Component::os_package(name, "amd64", "1.0", source(name, "1.0")));
    let offers = names.iter().map(|name| Offer {
        package: name.clone(),
        architecture: "amd64".to_owned(),
        installed: "1.0".to_owned(),
        candidate: "2.0".to_owned(),
        source: source(name, "2.0"),
        security: false,
        state: OfferState::Offered,
        claims: Vec::new(),
    });
    let report = json!({ "sequence": 1, "inventory": {
        "components": components.collect::<Vec<_>>(),
        "facts": {
            "hostname": hostname, "os": { "id": "debian", "version_id": "12", "pretty_name": "Debian" },
            "architecture": "amd64", "kernel": { "running": "6.1", "owner": "machine" },
            "offers": offers.collect::<Vec<_>>(), "index": { "oldest_age_seconds": 1 }, "stale": [],
            "reboot_required_by": [], "updaters": [], "capability": { "kind": "act" }, "gaps": [], "addresses": [],
        },
    } });
    agent.post(url(path::INVENTORY)).send_json(&report)?.body_mut().read_to_string()?;
    Ok(Known { agent, order_key })
}

/// Polls for orders and answers them, for as long as this program runs.
fn poll(known: &Known, gateway: &str, told: &Sender<Told>) -> Outcome<()> {
    loop {
        let mut answer = known.agent.get(format!("{gateway}{}", path::ORDER)).call()?;
        if answer.status() == 204 {
            continue;
        }
        let order = answer.body_mut().read_json::<SignedOrder>()?.verify(&known.order_key)?;
        let waited = since_epoch().saturating_sub(u64::try_from(order.issued.as_millis())?);
        told.send(Told::Received(Duration::from_millis(waited)))?;
        thread::sleep(REHEARSAL);
        let report = RehearsalReport::not_rehearsed("nothing is rehearsed in a bench");
        let body = RehearsalAnswer { order: order.id, report };
        let mut taken = known.agent.post(format!("{gateway}{}", path::REHEARSAL)).send_json(&body)?;
        // Read to its end, so that the connection serves the next poll, as an agent's does.
        taken.body_mut().read_to_string()?;
        told.send(Told::Answered)?;
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures by the wall clock")]
fn since_epoch() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

fn drive(agents: usize, rounds: usize) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let mut served = Served::start(data.to_str().ok_or("a folder")?, agents)?;
    let (before, began) = (served.resident()?, Instant::now());
    let enrolled = enrol_all(&served, agents, rounds)?;
    let took = began.elapsed();
    println!("{agents} agents enrolled and reported in {took:.1?} (server {:.1?} of it)", served.busy()?);

    let (tell, told) = channel();
    for known in enrolled {
        let (tell, gateway) = (tell.clone(), served.gateway.clone());
        let poll = move || {
            if let Err(error) = poll(&known, &gateway, &tell) {
                let _nobody_listens = tell.send(Told::Failed(error.to_string()));
            }
        };
        thread::Builder::new().stack_size(STACK).spawn(poll)?;
    }
    // All polls begin, then nothing happens.
    thread::sleep(Duration::from_secs(5));
    let busy = served.busy()?;
    thread::sleep(REST);
    let rest = (served.busy()? - busy).as_secs_f64() / REST.as_secs_f64();
    let resident = served.resident()?;
    println!("at rest: server {:.2}% of a core, {resident} MiB, {before} MiB before they came", rest * 100.0);
    let each = (resident.saturating_sub(before) as f64) / agents as f64;
    println!("         {:.0} KiB for each agent: {:.0} agents per GiB", each * 1_024.0, 1_024.0 / each);

    let (busy, began) = (served.busy()?, Instant::now());
    let mut waited = Vec::new();
    for round in 0..rounds {
        writeln!(served.input, "go {round}")?;
        let mut round = one_round(&told, agents)?;
        round.sort_unstable();
        println!("    round p50 {:?} p99 {:?}", round[agents / 2], round[agents * 99 / 100]);
        waited.extend(round);
    }
    let (took, busy) = (began.elapsed(), served.busy()? - busy);
    waited.sort_unstable();
    let at = |percent: usize| waited[(waited.len() * percent / 100).min(waited.len() - 1)];
    println!(
        "{rounds} rounds, {} orders: issued to received p50 {:?}, p90 {:?}, p99 {:?}, slowest {:?} (budget: p99 1 s)",
        waited.len(),
        at(50),
        at(90),
        at(99),
        at(100)
    );
    println!(
        "         {took:.1?} with their answers; server {:.0}% of a core (budget: 100%), {} MiB",
        100.0 * busy.as_secs_f64() / took.as_secs_f64(),
        served.resident()?
    );
    drop(served.input);
    served.child.wait()?;
    Ok(())
}

/// All agents enrol, some at once.
fn enrol_all(served: &Served, agents: usize, rounds: usize) -> Outcome<Vec<Known>> {
    let share = agents.div_ceil(AT_ONCE);
    thread::scope(|scope| {
        let numbers: Vec<usize> = (0..agents).collect();
        let shares: Vec<_> = numbers
            .chunks(share)
            .map(|share| {
                let share = share.to_vec();
                scope.spawn(move || share.into_iter().map(|number| enrol(served, number, rounds)).collect())
            })
            .collect();
        let mut all = Vec::new();
        for share in shares {
            let share: Outcome<Vec<Known>> = share.join().map_err(|_| "an agent's thread")?;
            all.extend(share?);
        }
        Ok(all)
    })
}

/// How long each agent waited for its order; all have answered then.
fn one_round(told: &Receiver<Told>, agents: usize) -> Outcome<Vec<Duration>> {
    let (mut waited, mut answered) = (Vec::with_capacity(agents), 0);
    while answered < agents {
        match told.recv_timeout(PATIENCE)? {
            Told::Received(after) => waited.push(after),
            Told::Answered => answered += 1,
            Told::Failed(why) => return Err(why.into()),
        }
    }
    Ok(waited)
}
