//! Three nodes of a replicated Redis that need two of them, a real security update of it, a client that writes and reads all the
//! while, and the example hooks as they ship: every node is patched, one after the other, no request fails and no write is lost.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tenon_fleet::{Host, Lab, wait_until};
use tenon_server::DirectiveView;

use crate::feeds::{Told, write_mirror};
use crate::machine::{Machine, machine};
use crate::member::Member;
use crate::redis::{Connection, Nodes};

const TEST: &str = "replicated_three_nodes_are_patched_under_load_and_no_request_fails";
/// Clients at the same time.
const CLIENTS: u64 = 2;
/// Between two requests of a client, and between two looks at who answers.
const PACE: Duration = Duration::from_millis(3);
const LOOK: Duration = Duration::from_millis(20);

const CONTEXT: &str = "version: 1\nredundancy:\n  cache: { minimum: 2 }\nrules:\n  - when: { host: \"cache*\" }\n    set: { redundancy: cache }\n";
/// The node's own file, which it may rewrite: the package's is included and stays as it is.
const NODE: &str = "include /etc/redis/redis.conf\nbind 0.0.0.0\nprotected-mode no\nmin-replicas-to-write 1\nmin-replicas-max-lag 10\n\
    repl-diskless-sync-delay 0\n";
const UNIT: &str = "[Service]\nExecStart=\nExecStart=/usr/bin/redis-server /var/lib/redis/node.conf --supervised systemd --daemonize no\n";

fn ok(host: &Host, line: &str) -> String {
    host.shell(line).unwrap().ok().unwrap().stdout.trim().to_owned()
}

/// The version of Redis that a fresh host is offered, if any.
fn offered() -> Option<String> {
    tenon_fleet::Requirements::check().ok()?;
    let image = tenon_fleet::Image::prepare(&tenon_fleet::cache_dir()).unwrap();
    let offered = image.pending().iter().find(|pending| pending.package == "redis-server");
    offered.map(|pending| pending.candidate.clone())
}

/// Makes the hosts nodes of one service, of which the first is the primary, and gives them the example hook.
fn replicate(members: &[Member]) -> Nodes {
    let hook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/hooks/redis-replication");
    let addresses: Vec<_> = members.iter().map(|member| member.host.ip()).collect();
    let nodes: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    for (at, member) in members.iter().enumerate() {
        let host = &member.host;
        let of = if at == 0 { String::new() } else { format!("replicaof {} 6379\n", nodes[0]) };
        host.write_file("/var/lib/redis/node.conf", format!("{NODE}{of}").as_bytes(), 0o600).unwrap();
        host.write_file("/etc/systemd/system/redis-server.service.d/node.conf", UNIT.as_bytes(), 0o644)
            .unwrap();
        ok(
            host,
            "chown redis: /var/lib/redis/node.conf && systemctl daemon-reload && systemctl restart redis-server",
        );
        let told = format!("self={}\nnodes=\"{}\"\n", nodes[at], nodes.join(" "));
        host.write_file("/etc/tenon/redis", told.as_bytes(), 0o600).unwrap();
        for program in ["before", "after", "undo"] {
            host.copy_in(&hook.join(program), format!("/etc/tenon/hooks.d/redis/{program}")).unwrap();
        }
    }
    wait_until("two replicas that follow", Duration::from_secs(60), || {
        let said = members[0].host.shell("redis-cli info replication")?.stdout;
        Ok((said.matches("state=online").count() == 2).then_some(()))
    })
    .unwrap();
    Nodes::new(addresses)
}

/// What the clients had done, and the fewest nodes that answered at one moment.
#[derive(Debug, Default)]
struct Counted {
    written: AtomicU64,
    read: AtomicU64,
    failed: AtomicU64,
    fewest: AtomicU64,
    /// How often the primary was seen to be another one.
    moved: AtomicU64,
}

/// Clients under way, until they are told to stop.
struct Load {
    counted: Arc<Counted>,
    over: Arc<AtomicBool>,
    at_work: Vec<JoinHandle<BTreeMap<String, u64>>>,
}

impl Load {
    fn begin(lab: &Lab, nodes: &Nodes) -> Self {
        let counted = Arc::new(Counted { fewest: AtomicU64::new(u64::MAX), ..Counted::default() });
        let over = Arc::new(AtomicBool::new(false));
        let start = |work: fn(u64, &Nodes, &Counted, &AtomicBool) -> BTreeMap<String, u64>, number: u64| {
            let (lab, nodes, counted, over) = (lab.clone(), nodes.clone(), counted.clone(), over.clone());
            std::thread::spawn(move || lab.within(move || work(number, &nodes, &counted, &over)).unwrap())
        };
        let mut at_work: Vec<_> = (0..CLIENTS).map(|number| start(client, number)).collect();
        at_work.push(start(lookout, CLIENTS));
        let load = Self { counted, over, at_work };
        wait_until("requests under way", Duration::from_secs(30), || {
            Ok((load.counted.read.load(Ordering::SeqCst) > 100).then_some(()))
        })
        .unwrap();
        load
    }

    /// Ends it: what was counted, and every write that was acknowledged.
    fn end(self) -> (Counted, BTreeMap<String, u64>) {
        self.over.store(true, Ordering::SeqCst);
        let written = self.at_work.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        (Arc::into_inner(self.counted).unwrap(), written)
    }
}

/// Writes a key that nobody else writes and reads it back, again and again.
fn client(number: u64, nodes: &Nodes, counted: &Counted, over: &AtomicBool) -> BTreeMap<String, u64> {
    let (mut connection, mut written) = (Connection::new(nodes.clone()), BTreeMap::new());
    let mut value = 0;
    while !over.load(Ordering::SeqCst) {
        value += 1;
        let key = format!("client-{number}:{value}");
        let text = value.to_string();
        if connection.ask(&["SET", &key, &text]).as_deref() == Some("OK") {
            counted.written.fetch_add(1, Ordering::SeqCst);
            written.insert(key.clone(), value);
            let read = connection.ask(&["GET", &key]) == Some(text);
            if read { &counted.read } else { &counted.failed }.fetch_add(1, Ordering::SeqCst);
        } else {
            counted.failed.fetch_add(1, Ordering::SeqCst);
        }
        std::thread::sleep(PACE);
    }
    written
}

/// Looks how many nodes answer, and which is the primary.
fn lookout(_: u64, nodes: &Nodes, counted: &Counted, over: &AtomicBool) -> BTreeMap<String, u64> {
    let mut last = None;
    while !over.load(Ordering::SeqCst) {
        let (answering, primary) = nodes.seen();
        counted.fewest.fetch_min(answering, Ordering::SeqCst);
        if last.is_some() && primary.is_some() && primary != last {
            counted.moved.fetch_add(1, Ordering::SeqCst);
        }
        last = primary.or(last);
        std::thread::sleep(LOOK);
    }
    BTreeMap::new()
}

/// Which of the hosts is the primary.
fn primary(members: &[Member]) -> &Member {
    let mut found = members.iter().filter(|member| ok(&member.host, "redis-cli role").starts_with("master"));
    let primary = found.next().unwrap();
    assert!(found.next().is_none(), "two primaries");
    primary
}

/// A server, and three hosts with agents in a group that can spare one.
fn estate(machine: &mut Machine) -> Vec<Member> {
    let gateway = format!("{}:8421", machine.host.ip());
    machine.up_with(&["--no-agent", "--gateway", &gateway]);
    machine.host.write_file("/root/context.yaml", CONTEXT.as_bytes(), 0o644).unwrap();
    machine.tenon(&["context", "apply", "/root/context.yaml", "--yes"]);
    machine.tenon(&["tempo", "fast"]);
    ["cache1", "cache2", "cache3"].map(|name| Member::booted(machine, name)).into()
}

#[test]
fn replicated_three_nodes_are_patched_under_load_and_no_request_fails() {
    let Some(fixed) = offered() else {
        println!("skipped: {TEST}: no redis update is pending or no fleet can run here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let told =
        Told { id: "DSA-9906-1", cve: "CVE-2099-1006", source: "redis", fixed: &fixed, exploited: false };
    write_mirror(folder.path(), &[told]);
    let Some(mut machine) = machine(TEST, folder.path(), &["redis-server", "redis-tools"]) else { return };
    let mut members = estate(&mut machine);
    let nodes = replicate(&members);

    // A restart is what the update does to the primary. Without the hooks around it requests fail: this test could, too.
    let load = Load::begin(&machine.lab, &nodes);
    ok(&primary(&members).host, "systemctl restart redis-server");
    let (counted, _) = load.end();
    println!("measured: the primary restarted without hooks: {counted:?}");
    assert!(counted.failed.into_inner() > 0, "nothing failed without hooks either");
    assert_eq!(counted.fewest.into_inner(), 2, "the lookout saw nobody away");
    wait_until("both replicas back", Duration::from_secs(60), || {
        let said = primary(&members).host.shell("redis-cli info replication")?.stdout;
        Ok((said.matches("state=online").count() == 2).then_some(()))
    })
    .unwrap();

    let load = Load::begin(&machine.lab, &nodes);
    members.iter_mut().for_each(|member| member.join(&machine));
    machine.wait("the first reports of three hosts", || {
        (machine.assets().iter().filter(|asset| asset.packages > 0).count() == 3).then_some(())
    });
    machine.tenon(&["promote", "default"]);
    let directive = machine.wait("redis rehearsed on three hosts", || {
        let line = machine.directives("open").into_iter().find(|line| line.source == "redis")?;
        let directive: DirectiveView = machine.json(&["show", &line.id]);
        (directive.stages.get("awaiting-approval") == Some(&3)).then_some(directive)
    });
    machine.tenon(&["approve", &directive.id]);
    let closed = machine.wait("redis verified everywhere", || {
        let directive: DirectiveView = machine.json(&["show", &directive.id]);
        let halted = directive.rollout.as_ref().is_some_and(|rollout| rollout.state == "halted");
        assert!(!halted, "{directive:?}\n{}", machine.tenon(&["log"]));
        directive.closed.is_some().then_some(directive)
    });
    let (counted, written) = load.end();
    println!("measured: three nodes patched one after the other: {counted:?}");

    assert_eq!(closed.stages.get("verified"), Some(&3), "{closed:?}");
    for member in &members {
        assert_eq!(member.version("redis-server"), fixed, "{}", member.host.name());
    }
    assert!(counted.written.into_inner() > 1_000 && counted.read.into_inner() > 1_000);
    assert_eq!(counted.failed.into_inner(), 0);
    assert!(counted.fewest.into_inner() >= 2, "two were away at once");
    assert!(counted.moved.into_inner() >= 1, "the primary has handed over before it was changed");
    let log = machine.tenon(&["log"]);
    assert!(log.contains("wave 3 begins") && !log.contains("wave 4 begins"), "{log}");

    // Everything that was acknowledged is on each of them.
    for member in &members {
        let (nodes, written, address) = (nodes.clone(), written.clone(), member.host.ip());
        let missing = machine.lab.within(move || nodes.missing(address, &written)).unwrap();
        assert_eq!(missing, Vec::<String>::new(), "on {}", member.host.name());
    }
    a_node_stays_while_another_is_out(&members);
    drop(members);
    machine.down();
}

/// With one node down, no other may leave; once it is back, they may.
fn a_node_stays_while_another_is_out(members: &[Member]) {
    const BEFORE: &str = "/etc/tenon/hooks.d/redis/before";
    let [out, stays] = [&members[1].host, &members[2].host];
    ok(out, "systemctl stop redis-server");
    let refused = stays.shell(BEFORE).unwrap();
    assert!(
        !refused.success() && refused.stderr.contains(&format!("{} does not answer", out.ip())),
        "{refused:?}"
    );
    ok(out, "systemctl start redis-server && /etc/tenon/hooks.d/redis/undo");
    wait_until("a node that may leave", Duration::from_secs(60), || {
        Ok(stays.shell(BEFORE)?.success().then_some(()))
    })
    .unwrap();
    let second = out.shell(BEFORE).unwrap();
    assert!(!second.success() && second.stderr.contains(&format!("{} is away", stays.ip())), "{second:?}");
    ok(stays, "/etc/tenon/hooks.d/redis/undo");
    ok(out, "/etc/tenon/hooks.d/redis/before && /etc/tenon/hooks.d/redis/after");
}
