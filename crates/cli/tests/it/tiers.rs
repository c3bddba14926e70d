//! A fleet in three tiers, in pairs that stand in for each other: a fix reaches all of it by policy, with nobody deciding, while
//! somebody outside asks every service every 200 ms. Six hosts; 20 with `TENON_SOAK=1`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tenon_fleet::{Daemon, Lab, Suite, ToyPackage, wait_until};
use tenon_server::DirectiveView;

use crate::feeds::{Told, write_mirror};
use crate::machine::{Machine, machine};
use crate::member::Member;

const PORT: u16 = 7070;
const EVERY: Duration = Duration::from_millis(200);
/// What a service has for its answer.
const ANSWER: Duration = Duration::from_millis(150);
/// How long a change of the whole fleet may take.
const WHOLE: Duration = Duration::from_secs(15 * 60);

const POLICY: &str = r#"version: 1
rules:
  - name: routine
    when: rehearsal.undo == "proven" && rehearsal.removed == 0
    approval: automatic
    tempo: fast
"#;

/// Pairs of each tier, in the order in which a change goes through them.
fn pairs() -> [(&'static str, &'static str, usize); 3] {
    match std::env::var_os("TENON_SOAK") {
        Some(_) => [("dev", "development", 2), ("stage", "staging", 3), ("prod", "production", 5)],
        None => [("dev", "development", 1), ("stage", "staging", 1), ("prod", "production", 1)],
    }
}

/// Of a round in which every service was asked: when, and which version each answered with, if it did.
type Round = (Instant, Vec<Option<String>>);

/// Somebody outside who asks every service again and again.
struct Prober {
    stop: Sender<()>,
    asks: JoinHandle<Vec<Round>>,
}

impl Prober {
    fn begin(lab: &Lab, services: Vec<Ipv4Addr>) -> Self {
        let (stop, stopped) = channel();
        let lab = lab.clone();
        let asks = std::thread::spawn(move || {
            let ask = move || {
                let mut rounds = Vec::new();
                loop {
                    let begun = Instant::now();
                    rounds.push((begun, services.iter().map(|ip| answer(*ip)).collect()));
                    match stopped.recv_timeout(EVERY.saturating_sub(begun.elapsed())) {
                        Err(RecvTimeoutError::Timeout) => {}
                        _ => return rounds,
                    }
                }
            };
            lab.within(ask).unwrap()
        });
        Self { stop, asks }
    }

    fn end(self) -> Vec<Round> {
        drop(self.stop);
        self.asks.join().unwrap()
    }
}

fn answer(ip: Ipv4Addr) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((ip, PORT)), ANSWER).ok()?;
    stream.set_read_timeout(Some(ANSWER)).ok()?;
    let mut said = String::new();
    stream.read_to_string(&mut said).ok()?;
    (!said.is_empty()).then(|| said.trim().to_owned())
}

struct Fleet {
    members: Vec<Member>,
    /// What is in one pair, by place in `members`.
    pairs: Vec<(String, [usize; 2])>,
}

impl Fleet {
    /// Boots the hosts, two at a time, with version 1 of the service.
    fn new(machine: &Machine) -> Self {
        let mut names = Vec::new();
        let mut of_pair = Vec::new();
        for (tier, _, pairs) in pairs() {
            for pair in 1..=pairs {
                of_pair.push((format!("{tier}-{pair}"), [names.len(), names.len() + 1]));
                names.extend(["a", "b"].map(|half| format!("{tier}{pair}{half}")));
            }
        }
        let boot = |name: &String| {
            let mut member = Member::booted(machine, name);
            member.host.exec(["apt-get", "-qq", "update"]).unwrap().ok().unwrap();
            member.host.exec(["apt-get", "-y", "-qq", "install", "toyd"]).unwrap().ok().unwrap();
            member.join(machine);
            member
        };
        let members = names.chunks(2).flat_map(|two| {
            std::thread::scope(|scope| {
                let booting: Vec<_> = two.iter().map(|name| scope.spawn(|| boot(name))).collect();
                booting.into_iter().map(|booted| booted.join().unwrap()).collect::<Vec<_>>()
            })
        });
        Self { members: members.collect(), pairs: of_pair }
    }

    fn context(&self) -> String {
        let mut text = "version: 1\nrules:\n".to_owned();
        for (tier, environment, _) in pairs() {
            writeln!(text, "  - when: {{ host: \"{tier}*\" }}\n    set: {{ environment: {environment} }}")
                .unwrap();
        }
        text.push_str("redundancy:\n");
        for (pair, _) in &self.pairs {
            writeln!(text, "  {pair}: {{ minimum: 1 }}").unwrap();
        }
        text.push_str("assets:\n");
        for (pair, halves) in &self.pairs {
            for half in halves {
                writeln!(text, "  {}: {{ redundancy: {pair} }}", self.members[*half].host.name()).unwrap();
            }
        }
        text
    }

    fn each<T: Send>(&self, of: impl Fn(&Member) -> T + Sync) -> Vec<T> {
        each(&self.members, of)
    }

    /// What is installed on each host.
    fn installed(&self) -> Vec<BTreeMap<String, String>> {
        self.each(|member| {
            let listed = member.host.exec(["dpkg-query", "-W", "-f", "${Package} ${Version}\n"]).unwrap();
            let lines = listed.ok().unwrap().stdout;
            let pair = |line: &str| {
                line.split_once(' ').map(|(name, version)| (name.to_owned(), version.to_owned()))
            };
            lines.lines().filter_map(pair).collect()
        })
    }

    /// A release reaches the index of every host, one tier after the other, as Tenon orders what it knows of; what apt says each
    /// would install then, of everything.
    fn release(&self, machine: &Machine, version: &str, package: &ToyPackage) -> Vec<Vec<String>> {
        machine.publish(Suite::Security, package);
        let mut simulated = Vec::new();
        for (_, _, pairs) in pairs() {
            let tier = &self.members[simulated.len()..][..2 * pairs];
            simulated.extend(each(tier, |member| {
                member.host.exec(["apt-get", "-qq", "update"]).unwrap().ok().unwrap();
                let said = member.host.exec(["apt-get", "-s", "dist-upgrade"]).unwrap().ok().unwrap().stdout;
                said.lines().filter(|line| line.starts_with("Inst ")).map(str::to_owned).collect()
            }));
            let wanted = simulated.len();
            until(machine, "a tier in the directive", version, |directive| {
                (directive.assets.len() >= wanted || directive.closed.is_some() || is_halted(directive))
                    .then_some(())
            });
        }
        simulated
    }

    fn versions(&self) -> Vec<String> {
        self.each(|member| member.version("toyd"))
    }

    /// How often each host's dpkg was at work on this step.
    fn upgrades(&self, from: &str, to: &str) -> Vec<usize> {
        let line = format!(" upgrade toyd:all {from} {to}");
        self.each(|member| {
            let log = member.host.read_file("/var/log/dpkg.log").unwrap();
            log.lines().filter(|known| known.ends_with(&line)).count()
        })
    }

    /// Holds what was asked against what must be: of no pair both were away at once. The most that were away, and for how long one was.
    fn judge(&self, rounds: &[Round]) -> (usize, Duration) {
        let (mut failed, mut longest) = (0, Duration::ZERO);
        let mut away: Vec<Option<Instant>> = vec![None; self.members.len()];
        for (at, answers) in rounds {
            for (pair, [a, b]) in &self.pairs {
                assert!(answers[*a].is_some() || answers[*b].is_some(), "nobody of {pair} answered");
            }
            for (since, answer) in away.iter_mut().zip(answers) {
                match (answer, *since) {
                    (None, None) => *since = Some(*at),
                    (Some(_), Some(gone)) => {
                        longest = longest.max(at.duration_since(gone));
                        *since = None;
                    }
                    _ => {}
                }
            }
            failed += answers.iter().filter(|answer| answer.is_none()).count();
        }
        (failed, longest)
    }
}

/// Of each host something, all at once.
fn each<T: Send>(members: &[Member], of: impl Fn(&Member) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let asked: Vec<_> = members.iter().map(|member| scope.spawn(|| of(member))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    })
}

fn is_halted(directive: &DirectiveView) -> bool {
    directive.rollout.as_ref().is_some_and(|rollout| rollout.state == "halted")
}

fn toyd(version: &str) -> ToyPackage {
    ToyPackage::new("toyd", version).daemon(Daemon::Listens(PORT))
}

/// The directive about this version, open or closed.
fn about(machine: &Machine, version: &str) -> Option<DirectiveView> {
    let all = machine.directives("open").into_iter().chain(machine.directives("closed"));
    let line =
        all.into_iter().find(|line| (line.source.as_str(), line.version.as_str()) == ("toyd", version))?;
    Some(machine.json(&["show", &line.id]))
}

fn until<T>(
    machine: &Machine,
    what: &str,
    version: &str,
    mut is: impl FnMut(&DirectiveView) -> Option<T>,
) -> T {
    let mut last = String::new();
    let found = wait_until(what, WHOLE, || {
        // A server that is being started again does not answer.
        let directive = about(machine, version);
        last = format!("{:?}", directive.as_ref().map(|directive| &directive.stages));
        Ok(directive.as_ref().and_then(&mut is))
    });
    found.unwrap_or_else(|error| panic!("{error}, last seen {last}\n{}", machine.log()))
}

fn in_stage(directive: &DirectiveView, stage: &str) -> usize {
    directive.stages.get(stage).map_or(0, |count| usize::try_from(*count).unwrap())
}

#[test]
fn tiers_a_fix_goes_through_them_by_itself_while_services_stay_up() {
    let folder = tempfile::tempdir().unwrap();
    let told =
        Told { id: "DSA-9907-1", cve: "CVE-2099-1007", source: "toyd", fixed: "2.0", exploited: false };
    write_mirror(folder.path(), &[told]);
    let test = "tiers_a_fix_goes_through_them_by_itself_while_services_stay_up";
    let Some(mut machine) = machine(test, folder.path(), &[]) else { return };
    let begun = Instant::now();
    machine.publish(Suite::Release, &toyd("1.0"));
    let gateway = format!("{}:8421", machine.host.ip());
    machine.up_with(&["--gateway", &gateway]);
    let fleet = Fleet::new(&machine);
    let count = fleet.members.len();
    machine
        .host
        .shell(&format!("cat > /root/context.yaml <<'EOF'\n{}EOF", fleet.context()))
        .unwrap()
        .ok()
        .unwrap();
    machine.host.shell(&format!("cat > /root/policy.yaml <<'EOF'\n{POLICY}EOF")).unwrap().ok().unwrap();
    machine.tenon(&["context", "apply", "/root/context.yaml", "--yes"]);
    machine.tenon(&["policy", "apply", "/root/policy.yaml", "--yes"]);
    machine.tenon(&["promote", "default"]);
    machine.wait("the first reports of all hosts", || {
        (machine.assets().iter().filter(|asset| asset.packages > 0).count() == count + 1).then_some(())
    });
    let ready = begun.elapsed();
    let before = fleet.installed();
    let prober = Prober::begin(&machine.lab, fleet.members.iter().map(|member| member.host.ip()).collect());

    // A fix is published, and from here on nobody does anything.
    let begun = Instant::now();
    let simulated = fleet.release(&machine, "2.0", &toyd("2.0").changelog("Fix CVE-2099-1007"));
    let mut order: Vec<BTreeSet<String>> = Vec::new();
    let closed = until(&machine, "the end of 2.0", "2.0", |directive| {
        let done = directive.assets.iter().filter(|asset| asset.stage.name == "verified");
        let done: BTreeSet<String> = done.map(|asset| asset.hostname.clone()).collect();
        if order.last() != Some(&done) {
            order.push(done);
        }
        directive.closed.is_some().then(|| directive.clone())
    });
    let fixed = begun.elapsed();
    assert!(closed.closed.as_deref().is_some_and(|end| end.starts_with("fixed at")), "{closed:?}");
    assert_eq!(closed.closes, ["CVE-2099-1007"]);
    // What apt said of each host is what was rehearsed there, what was done, and all that was done.
    let mut expected = before;
    for (said, expected) in simulated.iter().zip(&mut expected) {
        let [line] = said.as_slice() else { panic!("{said:?}") };
        assert!(line.starts_with("Inst toyd [1.0] (2.0 "), "{line}");
        expected.insert("toyd".to_owned(), "2.0".to_owned());
    }
    assert_eq!(fleet.installed(), expected);
    assert_eq!(fleet.upgrades("1.0", "2.0"), vec![1; count]);
    // No tier before the one in front of it is done.
    let tiers = pairs();
    for done in &order {
        let of = |tier: &str| done.iter().filter(|name| name.starts_with(tier)).count();
        let whole = |place: usize| of(tiers[place].0) == 2 * tiers[place].2;
        assert!(of("stage") == 0 || whole(0), "{done:?}");
        assert!(of("prod") == 0 || whole(1), "{done:?}");
    }

    // A second one, during which the server is killed twice.
    fleet.release(&machine, "3.0", &toyd("3.0"));
    for done in [1, count / 2] {
        until(&machine, "a part of 3.0", "3.0", |directive| {
            let under_way = in_stage(directive, "applying") + in_stage(directive, "applied");
            (under_way + in_stage(directive, "verified") >= done).then_some(())
        });
        machine.killed();
        machine.up_with(&["--gateway", &gateway]);
    }
    until(&machine, "the end of 3.0", "3.0", |directive| directive.closed.as_ref().map(drop));
    assert_eq!(fleet.versions(), vec!["3.0"; count]);
    assert_eq!(fleet.upgrades("2.0", "3.0"), vec![1; count], "nothing twice");

    // A third one breaks its service: one host takes the harm, and is brought back.
    fleet.release(&machine, "4.0", &ToyPackage::new("toyd", "4.0").daemon(Daemon::FailsAtStart));
    let halted = until(&machine, "the halt of 4.0", "4.0", |directive| {
        is_halted(directive).then(|| directive.clone())
    });
    assert_eq!(in_stage(&halted, "rolled-back"), 1, "{halted:?}");
    assert_eq!(fleet.versions(), vec!["3.0"; count]);
    let touched = fleet.upgrades("3.0", "4.0").iter().sum::<usize>();
    assert_eq!(touched, 1, "the canary alone");
    let said = machine.tenon(&["plan", "show", &halted.id]);
    assert!(said.contains("1 of 1 assets of the wave failed, 0 may"), "{said}");

    let rounds = prober.end();
    let (failed, longest) = fleet.judge(&rounds);
    let versions: BTreeSet<&String> =
        rounds.iter().flat_map(|(_, answers)| answers.iter().flatten()).collect();
    assert_eq!(versions.into_iter().collect::<Vec<_>>(), ["1.0", "2.0", "3.0"]);
    println!(
        "measured: {count} hosts in {} pairs and three tiers: ready in {ready:.0?}, fixed everywhere {fixed:.0?} after it was published; \
         services asked {} times ({} rounds), {failed} without an answer, one away for at most {longest:.1?}, never both of a pair",
        fleet.pairs.len(),
        rounds.len() * count,
        rounds.len(),
    );
    drop(fleet);
    machine.down();
}
