//! An estate of real hosts in tiers, in pairs that stand in for each other. Six hosts; 20 with `TENON_SOAK=1`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use tenon_fleet::{Daemon, Host, Suite, ToyPackage, wait_until};
use tenon_server::DirectiveView;

use crate::machine::Machine;
use crate::member::Member;

pub(crate) const PORT: u16 = 7070;
/// How long a change of the whole fleet may take.
pub(crate) const WHOLE: Duration = Duration::from_secs(15 * 60);

/// What hosts are called, their environment, and how many pairs of them there are.
pub(crate) type Tier = (&'static str, &'static str, usize);

/// The tiers, in the order in which a change goes through them.
pub(crate) fn tiers() -> [Tier; 3] {
    match std::env::var_os("TENON_SOAK") {
        Some(_) => [("dev", "development", 2), ("stage", "staging", 3), ("prod", "production", 5)],
        None => [("dev", "development", 1), ("stage", "staging", 1), ("prod", "production", 1)],
    }
}

/// What hosts are asked about their packages, past Tenon.
#[derive(Debug, Clone, Copy)]
enum Manager {
    Apt,
    Dnf,
}

impl Manager {
    fn refresh(self, host: &Host) {
        let words: &[&str] = match self {
            Self::Apt => &["apt-get", "-qq", "update"],
            Self::Dnf => &["dnf", "-q", "--refresh", "makecache"],
        };
        host.exec(words).unwrap().ok().unwrap();
    }

    /// Name and version of whatever is installed.
    fn installed(self, host: &Host) -> BTreeMap<String, String> {
        let words: &[&str] = match self {
            Self::Apt => &["dpkg-query", "-W", "-f", "${Package} ${Version}\n"],
            Self::Dnf => &["rpm", "-qa", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\n"],
        };
        let lines = host.exec(words).unwrap().ok().unwrap().stdout;
        let pair =
            |line: &str| line.split_once(' ').map(|(name, version)| (name.to_owned(), version.to_owned()));
        lines.lines().filter_map(pair).collect()
    }

    /// What it says it would install now, of everything, a package a line.
    fn simulated(self, host: &Host) -> Vec<String> {
        match self {
            Self::Apt => simulated_by_apt(host),
            Self::Dnf => {
                // Its exit status is 100 where something is pending.
                let said = host.exec(["dnf", "-q", "check-update"]).unwrap().stdout;
                said.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
            }
        }
    }

    /// How often its log tells of this step of the toy service.
    fn upgrades(self, host: &Host, from: &str, to: &str) -> usize {
        let (log, line) = match self {
            Self::Apt => ("/var/log/dpkg.log", format!(" upgrade toyd:all {from} {to}")),
            Self::Dnf => ("/var/log/dnf.rpm.log", format!(" Upgrade: toyd-{to}.noarch")),
        };
        host.read_file(log).unwrap().lines().filter(|known| known.ends_with(&line)).count()
    }
}

pub(crate) struct Fleet {
    pub(crate) members: Vec<Member>,
    /// What is in one pair, by place in `members`.
    pub(crate) pairs: Vec<(String, [usize; 2])>,
    tiers: Vec<Tier>,
    manager: Manager,
}

impl Fleet {
    /// Boots the hosts, two at a time, each with what this puts onto it, and their agents.
    pub(crate) fn new(machine: &Machine, tiers: &[Tier], prepare: impl Fn(&Host) + Sync) -> Self {
        let manager = if machine.is_of_rpm() { Manager::Dnf } else { Manager::Apt };
        let mut names = Vec::new();
        let mut of_pair = Vec::new();
        for (tier, _, pairs) in tiers {
            for pair in 1..=*pairs {
                of_pair.push((format!("{tier}-{pair}"), [names.len(), names.len() + 1]));
                names.extend(["a", "b"].map(|half| format!("{tier}{pair}{half}")));
            }
        }
        let boot = |name: &String| {
            let mut member = Member::booted(machine, name);
            manager.refresh(&member.host);
            prepare(&member.host);
            member.join(machine);
            member
        };
        let members = names.chunks(2).flat_map(|two| {
            std::thread::scope(|scope| {
                let booting: Vec<_> = two.iter().map(|name| scope.spawn(|| boot(name))).collect();
                booting.into_iter().map(|booted| booted.join().unwrap()).collect::<Vec<_>>()
            })
        });
        Self { members: members.collect(), pairs: of_pair, tiers: tiers.to_vec(), manager }
    }

    /// Says what is in which tier and pair, sets the policy, lets the agents act and waits for the first report of each.
    pub(crate) fn govern(&self, machine: &Machine, policy: &str) {
        for (kind, text) in [("context", self.context().as_str()), ("policy", policy)] {
            let file = format!("/root/{kind}.yaml");
            machine.host.write_file(&file, text.as_bytes(), 0o644).unwrap();
            machine.tenon(&[kind, "apply", &file, "--yes"]);
        }
        machine.tenon(&["promote", "default"]);
        machine.wait("the first reports of all hosts", || {
            let reported = machine.assets().iter().filter(|asset| asset.packages > 0).count();
            (reported == self.members.len()).then_some(())
        });
    }

    /// A host of it by name.
    pub(crate) fn member(&mut self, name: &str) -> &mut Member {
        self.members.iter_mut().find(|member| member.host.name() == name).unwrap()
    }

    fn context(&self) -> String {
        let mut text = "version: 1\nrules:\n".to_owned();
        for (tier, environment, _) in &self.tiers {
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
    pub(crate) fn installed(&self) -> Vec<BTreeMap<String, String>> {
        self.each(|member| self.manager.installed(&member.host))
    }

    /// A release reaches the index of every host, one tier after the other, as Tenon orders what it knows of; what apt or dnf says each
    /// would install then, of everything.
    pub(crate) fn release(&self, machine: &Machine, version: &str, package: &ToyPackage) -> Vec<Vec<String>> {
        machine.publish(Suite::Security, package);
        let mut simulated = Vec::new();
        for (_, _, pairs) in &self.tiers {
            let tier = &self.members[simulated.len()..][..2 * pairs];
            simulated.extend(each(tier, |member| {
                self.manager.refresh(&member.host);
                self.manager.simulated(&member.host)
            }));
            let wanted = simulated.len();
            wait_until("a tier among those to change", WHOLE, || {
                let all = directives(machine, version);
                let known = all.iter().map(|directive| directive.assets.len()).sum::<usize>();
                Ok((known >= wanted || all.iter().any(is_halted)).then_some(()))
            })
            .unwrap_or_else(|error| panic!("{error}\n{}", machine.log()));
        }
        simulated
    }

    pub(crate) fn versions(&self) -> Vec<String> {
        self.installed().iter().map(|packages| packages["toyd"].clone()).collect()
    }

    /// How often each host has made this step.
    pub(crate) fn upgrades(&self, from: &str, to: &str) -> Vec<usize> {
        self.each(|member| self.manager.upgrades(&member.host, from, to))
    }
}

/// What apt itself says it would install on a host now, of everything.
pub(crate) fn simulated_by_apt(host: &Host) -> Vec<String> {
    let said = host.exec(["apt-get", "-s", "dist-upgrade"]).unwrap().ok().unwrap().stdout;
    said.lines().filter(|line| line.starts_with("Inst ")).map(str::to_owned).collect()
}

/// Of each host something, all at once.
pub(crate) fn each<T: Send>(members: &[Member], of: impl Fn(&Member) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let asked: Vec<_> = members.iter().map(|member| scope.spawn(|| of(member))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    })
}

pub(crate) fn is_halted(directive: &DirectiveView) -> bool {
    directive.rollout.as_ref().is_some_and(|rollout| rollout.state == "halted")
}

/// Puts the toy service onto a host.
pub(crate) fn with_toyd(host: &Host) {
    host.exec(["apt-get", "-y", "-qq", "install", "toyd"]).unwrap().ok().unwrap();
}

/// The same onto one of RPM packages.
pub(crate) fn with_toyd_by_dnf(host: &Host) {
    host.exec(["dnf", "-y", "-q", "install", "toyd"]).unwrap().ok().unwrap();
}

pub(crate) fn toyd(version: &str) -> ToyPackage {
    ToyPackage::new("toyd", version).daemon(Daemon::Listens(PORT))
}

/// The directives about this version, open ones first: hosts that report after one has ended get another.
pub(crate) fn directives(machine: &Machine, version: &str) -> Vec<DirectiveView> {
    let all = machine.directives("open").into_iter().chain(machine.directives("closed"));
    let lines = all.filter(|line| (line.source.as_str(), line.version.as_str()) == ("toyd", version));
    lines.map(|line| machine.json(&["show", &line.id])).collect()
}

/// Waits until this version is verified on so many hosts and all about it has ended: the directives, and which hosts were done one after
/// the other.
pub(crate) fn everywhere(
    machine: &Machine,
    version: &str,
    hosts: usize,
) -> (Vec<DirectiveView>, Vec<BTreeSet<String>>) {
    let mut order: Vec<BTreeSet<String>> = Vec::new();
    let ended = wait_until("the fix on all hosts", WHOLE, || {
        let all = directives(machine, version);
        let done = all.iter().flat_map(|directive| &directive.assets);
        let done = done.filter(|asset| asset.stage.name == "verified");
        let done: BTreeSet<String> = done.map(|asset| asset.hostname.clone()).collect();
        let is_over = done.len() == hosts && all.iter().all(|directive| directive.closed.is_some());
        if order.last() != Some(&done) {
            order.push(done);
        }
        Ok(is_over.then_some(all))
    });
    let ended = ended.unwrap_or_else(|error| panic!("{error}, so far {order:?}\n{}", machine.log()));
    (ended, order)
}

/// Waits until the first of them is as it should be.
pub(crate) fn until<T>(
    machine: &Machine,
    what: &str,
    version: &str,
    mut is: impl FnMut(&DirectiveView) -> Option<T>,
) -> T {
    let mut last = String::new();
    let found = wait_until(what, WHOLE, || {
        let directive = directives(machine, version).into_iter().next();
        last = format!("{:?}", directive.as_ref().map(|directive| &directive.stages));
        Ok(directive.as_ref().and_then(&mut is))
    });
    found.unwrap_or_else(|error| panic!("{error}, last seen {last}\n{}", machine.log()))
}

pub(crate) fn in_stage(directive: &DirectiveView, stage: &str) -> usize {
    directive.stages.get(stage).map_or(0, |count| usize::try_from(*count).unwrap())
}
