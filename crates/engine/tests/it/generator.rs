//! Commands drawn from the World as it stands, so that most of them fit it, and some do not.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;

use tenon_engine::{DirectiveState, GroupMode, World};
use tenon_model::VexSubject;
use tenon_model::{
    AdvisoryDelta, AgentRun, ApplyOutcome, AssetContext, AssetId, Automatable, Capability, ClockRule,
    Command, Component, Cvss, DecisionTable, Digest, DirectiveId, EvidenceOutcome, Exploitation, HostFacts,
    HumanImpact, IntelDelta, Inventory, Kev, Listener, MachineId, MayAssign, NoteKind, Offer, OfferState,
    OrderAction, OrderId, Person, Probability, Profile, Protocol, RehearsalOutcome, Role, Rules, Ssvc, Stage,
    SystemExposure, TOO_LATE, TechnicalImpact, Tempo, Timestamp, Vdr, VdrClass, VdrPain, VexStatement,
    Virtualization, VulnerabilityId,
};

use crate::controls;
use crate::detections;
use crate::exceptions;
use crate::lab::{
    START_MS, advisory, apply_report, component, evidence_of, inventory, person, rehearsal_report,
    security_offer, stages,
};
use crate::signatures;

const GROUPS: [&str; 2] = ["web", "db"];
const HOSTS: [&str; 6] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];
/// What the firmware of the one machine says on which most of them stand.
const MACHINE: &str = "4c4c4544-0042-3510-8054-b7c04f563432";
/// Source, its binaries, and its versions in order.
/// The one of them that has packages of RPM.
const RPM_HOST: &str = "beta";
const PACKAGES: [(&str, &[&str], [&str; 3]); 3] = [
    ("openssl", &["libssl3", "openssl"], ["3.0.17-1~deb12u1", "3.0.17-1~deb12u2", "3.0.17-1~deb12u10"]),
    ("nginx", &["nginx"], ["1.22.1-9", "1.22.1-9+deb12u1", "1.22.1-9+deb12u2"]),
    ("linux", &["linux-image-6.1.0-44-amd64", "linux-libc-dev"], ["6.1.140-1", "6.1.147-1", "6.1.148-1"]),
];
const CVES: [&str; 5] = ["CVE-2026-1", "CVE-2026-2", "CVE-2026-3", "CVE-2026-4", "CVE-2026-5"];

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

fn host(name: &str) -> AssetId {
    AssetId::of_public_key(name.as_bytes())
}

/// Seconds that pass before the next command: mostly minutes, at times far beyond every expiry.
pub(crate) fn pause(draw: &mut Draw) -> u32 {
    match draw.below(12) {
        0 => 86_400 * u32::try_from(1 + draw.below(40)).unwrap(),
        1 => 3_600,
        2 => 0,
        _ => u32::try_from(draw.below(600)).unwrap(),
    }
}

/// The next command.
pub(crate) fn command(draw: &mut Draw, world: &World, now: Timestamp) -> Command {
    let stages = || {
        let open = world.directives().filter(|(_, state)| state.closed.is_none());
        open.flat_map(|(_, state)| state.stages().map(|(_, stage)| stage))
    };
    // Likely where they fit, possible where they do not.
    let likely = |fits: bool, weight| if fits { weight } else { 1 };
    let retires = world.policy().is_some_and(|known| !known.policy.retire.is_empty());
    let weights = [
        1,
        likely(world.assets().count() < HOSTS.len(), 10),
        14,
        3,
        1,
        1,
        2,
        likely(world.assets().any(|(_, asset)| asset.outstanding.is_some()), 30),
        likely(stages().any(awaits), 16),
        1,
        likely(stages().any(stands_still), 5),
        5,
        1,
        1,
        1,
        1,
        1,
        1,
        likely(world.directives().any(|(_, state)| has_halted(state)), 4),
        2,
        7,
        1,
        likely(retires, 5),
        2,
        likely(world.queue().len() > 1 || world.exceptions().any(|(_, one)| one.ended.is_none()), 8),
        likely(world.queue().len() > 1, 4),
        likely(disputed(world).is_some(), 12),
        likely(world.directives().any(|(_, state)| !world.signable(state).is_empty()), 12),
        likely(world.context().is_some_and(|known| known.document.names_entries()), 3),
        likely(lacking(world).is_some(), 3),
        likely(world.queue().len() > 1, 2),
        likely(!world.queue().is_empty(), 2),
    ];
    let mut at = draw.below(weights.iter().sum());
    let chosen = weights.iter().position(|weight| match at.checked_sub(*weight) {
        Some(rest) => {
            at = rest;
            false
        }
        None => true,
    });
    match chosen.unwrap() {
        0 => Command::BeginTerm,
        1 => enrolment(draw, world, now),
        2 => report(draw, world, now),
        3 => advisories(draw),
        4 => kev(draw, now),
        5 => epss(draw, now),
        6 => mode(draw, world),
        7 => answer(draw, world),
        8 => {
            let directive = directive(draw, world, awaits).0;
            let stages = world.directive(&directive).into_iter().flat_map(|state| state.stages());
            let waiting = stages.filter_map(|(_, stage)| match stage {
                Stage::AwaitingApproval { report } => Some(*report),
                _ => None,
            });
            let seen = [None, Some(waiting.collect()), Some(BTreeSet::from([Digest::of(b"another report")]))];
            Command::Approve {
                directive,
                by: draw.of(&[person(), "somebody else".parse().unwrap()]),
                roles: draw.of(&[
                    BTreeSet::new(),
                    BTreeSet::from([Role::Approver]),
                    BTreeSet::from([Role::Admin]),
                ]),
                reports: draw.of(&seen),
                waive_evidence: draw.of(&[
                    None,
                    Some(String::new()),
                    Some("volatile data is saved".to_owned()),
                ]),
            }
        }
        9 => Command::Refuse {
            directive: directive(draw, world, |_| true).0,
            by: person(),
            why: draw.of(&["", "the vendor asks to wait"]).to_owned(),
        },
        10 => {
            let (directive, asset) = directive(draw, world, stands_still);
            Command::Retry { directive, asset, by: person() }
        }
        11 => Command::Tick,
        12 => profile(draw),
        13 => context(draw),
        14 => rules(draw),
        15 => vex(draw, now),
        16 => Command::SetTempo { tempo: draw.of(Tempo::ALL), by: person() },
        17 => Command::Halt {
            directive: directive(draw, world, |stage| matches!(stage, Stage::Applying { .. })).0,
            by: person(),
            why: draw.of(&["", "the shop sells tickets tonight"]).to_owned(),
        },
        18 => {
            let halted = world.directives().find(|(_, state)| has_halted(state)).map(|(id, _)| *id);
            let any = directive(draw, world, |_| true).0;
            Command::Resume { directive: halted.unwrap_or(any), by: person() }
        }
        19 => policy(draw, world),
        20 => {
            let asset = enrolled(draw, world);
            let other = AgentRun::new(NonZeroU64::new(draw.of(&[1, 2])).unwrap());
            let current = world.asset(&asset).and_then(|asset| asset.runs.current);
            let run = if draw.one_in(3) { current.unwrap_or(other) } else { other };
            Command::HearRun { asset, run }
        }
        21 => Command::Retire {
            asset: host(draw.of(&HOSTS)),
            by: person(),
            why: draw.of(&["", "it was sold"]).to_owned(),
        },
        22 => Command::RetireSilent,
        24 => exceptions::drawn(draw, world, now),
        25 => detections::drawn(draw, world, now),
        26 => note(draw, world),
        27 => signatures::drawn(draw, world, now),
        28 => assessed(world),
        29 => waiver(draw, world),
        30 => controls::drawn(draw, world, now),
        31 => assignment(draw, world),
        _ => document(draw, world),
    }
}

/// The first directive of which an asset lacks evidence, and that asset.
fn lacking(world: &World) -> Option<(DirectiveId, AssetId)> {
    let mut open = world.directives().filter(|(_, state)| state.closed.is_none());
    open.find_map(|(id, state)| {
        let asset = state.lacking_evidence().iter().next()?;
        Some((*id, world.asset_at(asset)?.id))
    })
}

fn waiver(draw: &mut Draw, world: &World) -> Command {
    let any = directive(draw, world, |_| true);
    let (directive, asset) = lacking(world).filter(|_| !draw.one_in(4)).unwrap_or(any);
    let assets = draw.of(&[None, Some(BTreeSet::from([asset])), Some(BTreeSet::new())]);
    let why = draw.of(&["the host was imaged", "the host was imaged", " "]).to_owned();
    Command::WaiveEvidence { directive, assets, why, by: person() }
}

/// The first directive that is disputed.
fn disputed(world: &World) -> Option<DirectiveId> {
    let mut open = world.directives().filter(|(_, state)| state.closed.is_none());
    open.find(|(_, state)| state.disputed().is_some()).map(|(id, _)| *id)
}

/// What is disputed is mostly answered: it holds up everything else.
fn note(draw: &mut Draw, world: &World) -> Command {
    let (directive, kind) = match disputed(world).filter(|_| !draw.one_in(4)) {
        Some(directive) => (directive, NoteKind::Answer),
        None => (directive(draw, world, |_| true).0, draw.of(NoteKind::ALL)),
    };
    let text = draw.of(&["the module is not loaded", "it is, on a", "", "a\u{7}bell"]).to_owned();
    Command::Note { directive, kind, text, by: person() }
}

fn assignment(draw: &mut Draw, world: &World) -> Command {
    let people: [Person; 3] = [person(), "somebody else".parse().unwrap(), " nobody".parse().unwrap()];
    let to = (!draw.one_in(4)).then(|| draw.of(&people));
    Command::Assign {
        directive: directive(draw, world, |_| true).0,
        to,
        by: draw.of(&people[..2]),
        may: draw.of(&[MayAssign::Themselves, MayAssign::Anybody]),
    }
}

/// Policies that let most things out by themselves, or few, at night, at weekends, or not.
const POLICIES: [&str; 7] = [
    "version: 1\nretire:\n  web: {groups: [web], silent: 2d}\n  rest: {groups: '*', silent: 20d}\n",
    "version: 1\nretire:\n  all: {groups: '*', silent: 1d}\nrules:\n  - {name: all, approval: automatic}\n",
    "version: 1\nwindows:\n  night: {zone: Europe/Berlin, from: '22:00', to: '04:00'}\nrules:\n  - {name: keys, when: \
     directive.package == 'openssl', approval: forbidden}\n  - {name: web, when: directive.group == 'web', approval: \
     automatic, windows: night}\n  - {name: db, approval: {people: 2, role: approver}}\n",
    "version: 1\nwindows:\n  weekend: {zone: America/New_York, days: [saturday, sunday], from: '00:00', to: '00:00'}\n\
     freezes:\n  summer: {zone: UTC, from: 2026-07-01, until: 2026-07-20, when: directive.group == 'db'}\nemergency: \
     {crosses: [windows]}\nrules:\n  - {name: all, approval: {people: 1}, windows: weekend, tempo: fast}\n",
    "version: 1\nrules:\n  - {name: few, when: directive.assets < 3 && rehearsal.undo == 'proven', approval: automatic, \
     tempo: fast}\n  - {name: many, approval: {people: 2}}\n",
    "version: 1\nrules:\n  - {name: far, when: asset.reach_ppm < 300000, approval: automatic}\n  - {name: near, approval: \
     {people: 2}}\n",
    "version: 1\nrules:\n  - {name: none, approval: automatc}\n",
];

fn policy(draw: &mut Draw, world: &World) -> Command {
    let compared = world.policy().map_or(0, |known| known.version);
    let compared = if draw.one_in(8) { compared + 1 } else { compared };
    Command::SetPolicy { text: draw.of(&POLICIES).to_owned(), compared, by: person() }
}

fn has_halted(state: &DirectiveState) -> bool {
    state.closed.is_none() && state.rollout.as_ref().is_some_and(|rollout| rollout.halted.is_some())
}

fn awaits(stage: &Stage) -> bool {
    matches!(stage, Stage::AwaitingApproval { .. })
}

fn stands_still(stage: &Stage) -> bool {
    matches!(
        stage,
        Stage::NeedsPerson { .. } | Stage::RolledBack { .. } | Stage::Failed { .. } | Stage::Applied { .. }
    )
}

fn enrolment(draw: &mut Draw, world: &World, now: Timestamp) -> Command {
    // Token and enrolment of one host are drawn apart: of the next ones, so that they meet.
    let next: Vec<&str> =
        HOSTS.into_iter().filter(|name| world.asset(&host(name)).is_none()).take(2).collect();
    let name = if next.is_empty() || draw.one_in(8) { draw.of(&HOSTS) } else { draw.of(&next) };
    let (token, secret) = (format!("token-{name}").parse().unwrap(), Digest::of(name.as_bytes()));
    // A token that is unknown is refused: the World does not show its tokens, the draw tries.
    if world.asset(&host(name)).is_none() && draw.one_in(2) {
        let expires = now.plus_seconds(draw.of(&[0, 86_400, 864_000]));
        Command::IssueToken { token, secret, group: draw.of(&GROUPS).parse().unwrap(), expires, by: person() }
    } else {
        let secret = if draw.one_in(8) { Digest::of(b"wrong") } else { secret };
        let machine = draw.of(&[None, MachineId::of_firmware(MACHINE)]);
        Command::Enrol { asset: host(name), hostname: name.to_owned(), token, secret, machine }
    }
}

/// An asset, and now and then one that may not be enrolled.
fn enrolled(draw: &mut Draw, world: &World) -> AssetId {
    let enrolled: Vec<AssetId> = world.assets().map(|(id, _)| *id).collect();
    if enrolled.is_empty() || draw.one_in(20) { host(draw.of(&HOSTS)) } else { draw.of(&enrolled) }
}

fn report(draw: &mut Draw, world: &World, now: Timestamp) -> Command {
    let asset = enrolled(draw, world);
    let last = world.asset(&asset).and_then(|asset| asset.reported).map_or(0, |(sequence, _)| sequence);
    let sequence = if draw.one_in(10) { last } else { last + 1 + draw.below(3) as u64 };
    Command::ReportInventory { asset, sequence, inventory: host_state(draw, world, asset, now) }
}

/// Whether Tenon was told that it brought this asset to a newer version of this source.
fn told_applied(world: &World, asset: AssetId, source: &str) -> bool {
    let Some(asset) = world.ordinal(&asset) else { return false };
    world.directives().any(|(_, state)| {
        state.source().name == source && matches!(state.stage(asset), Some(Stage::Applied { .. }))
    })
}

/// The host as it was before, with some packages newer and other offers.
fn host_state(draw: &mut Draw, world: &World, asset: AssetId, now: Timestamp) -> Inventory {
    let before = world.asset(&asset).and_then(|asset| world.components_of(asset));
    let installed = |binary: &str| -> Option<Component> {
        before
            .as_ref()?
            .iter()
            .find(|component| component.name == binary)
            .map(|component| component.as_ref().clone())
    };
    // The repository moves on after some weeks, and now and then it shows an index that is older or newer.
    let in_repository = if now < Timestamp::from_millis(START_MS).plus_days(40) { 1 } else { 2 };
    let (mut components, mut offers): (Vec<Component>, Vec<Offer>) = Default::default();
    for (source, binaries, versions) in PACKAGES {
        let newest = if draw.one_in(10) { draw.below(versions.len()) } else { in_repository };
        // All binaries of a source change together, most of the time.
        let change = if told_applied(world, asset, source) { draw.below(2) } else { draw.below(14) };
        for binary in binaries {
            let old = installed(binary);
            if old.is_none() && draw.one_in(3) {
                continue;
            }
            let index =
                old.as_ref().and_then(|old| versions.iter().position(|version| *version == old.version));
            let index = match (index, change) {
                (None, _) => draw.below(2),
                (Some(index), 0) => newest.max(index),
                (Some(_), 13) => draw.below(versions.len()),
                (Some(index), _) => index,
            };
            let installed = component(binary, source, versions[index]);
            if newest > index && !draw.one_in(20) {
                offers.push(Offer {
                    security: !draw.one_in(4),
                    state: match draw.below(12) {
                        0 => OfferState::Held,
                        1 => OfferState::KeptBack,
                        _ => OfferState::Offered,
                    },
                    claims: if draw.one_in(3) { vec![cve(draw)] } else { Vec::new() },
                    ..security_offer(&installed, versions[newest])
                });
            }
            components.push(installed);
        }
    }
    let mut inventory = inventory(components, offers);
    network(draw, &mut inventory.facts);
    if asset == host(RPM_HOST) {
        let os = &mut inventory.facts.os;
        (os.id, os.version_id) = ("almalinux".to_owned(), "9.6".to_owned());
    }
    inventory.facts.approval = signatures::asked(draw, asset);
    if draw.one_in(20) {
        inventory.facts.hostname = draw.of(&HOSTS).to_owned();
    }
    if draw.one_in(20) {
        inventory.facts.capability = Capability::ObserveOnly { reason: "not root".to_owned() };
    }
    if draw.one_in(10) {
        inventory.facts.kernel.owner = Virtualization::Container;
    }
    if draw.one_in(20) {
        inventory.facts.os.version_id = draw.of(&["", "13"]).to_owned();
    }
    if draw.one_in(15) {
        inventory.components.push(component("bad name", "bad", "1"));
    }
    inventory
}

fn cve(draw: &mut Draw) -> VulnerabilityId {
    draw.of(&CVES).parse().unwrap()
}

fn advisories(draw: &mut Draw) -> Command {
    let mut delta = AdvisoryDelta::default();
    for _ in 0..draw.below(3) {
        let (source, binaries, versions) = &draw.of(&PACKAGES);
        let id = format!("DSA-{}-1", 1 + draw.below(5));
        let fixed = draw.of(&[None, Some(versions[1]), Some(versions[2]), Some("no version_")]);
        let addresses: Vec<&str> = (0..draw.below(3)).map(|_| draw.of(&CVES)).collect();
        let mut published = advisory(&id, &addresses, source, fixed);
        // Of a distribution of RPM packages it names what was built.
        for binary in *binaries {
            let mut of = published.affected[0].clone();
            (of.ecosystem, of.package) = ("AlmaLinux:9".to_owned(), (*binary).to_owned());
            published.affected.push(of);
        }
        delta.published.push(published);
    }
    if draw.one_in(3) {
        delta.withdrawn.push(format!("DSA-{}-1", 1 + draw.below(5)).parse().unwrap());
    }
    Command::ChangeAdvisories { feed: "osv/Debian".to_owned(), delta, as_of: None }
}

fn kev(draw: &mut Draw, now: Timestamp) -> Command {
    let (mut listed, mut retracted) = (Vec::new(), Vec::new());
    match draw.below(4) {
        0 => retracted.push(cve(draw)),
        1 => {}
        _ => listed.push((cve(draw), Kev { added: now, due: None, ransomware: false })),
    }
    Command::ChangeIntel { delta: IntelDelta::Kev { listed, retracted }, as_of: Some(now) }
}

/// Scores, or what is foreseen.
fn epss(draw: &mut Draw, now: Timestamp) -> Command {
    let score = u32::try_from(draw.below(1_000_001)).unwrap();
    let scores = vec![(cve(draw), Probability::from_ppm(score).unwrap())];
    let dropped = if draw.one_in(4) { vec![cve(draw)] } else { Vec::new() };
    if draw.one_in(2) {
        let delta = IntelDelta::Forecast { model: "five".to_owned(), day: now, foreseen: scores, dropped };
        return Command::ChangeIntel { delta, as_of: Some(now) };
    }
    let delta = IntelDelta::Epss { model: "v2026.06.15".to_owned(), scored: now, scores, dropped };
    Command::ChangeIntel { delta, as_of: None }
}

fn profile(draw: &mut Draw) -> Command {
    let ssvc = Ssvc {
        exploitation: draw.of(&[None, Some(Exploitation::None), Some(Exploitation::Active)]),
        automatable: draw.of(&[None, Some(Automatable::No), Some(Automatable::Yes)]),
        technical_impact: draw.of(&[None, Some(TechnicalImpact::Partial)]),
        decided: None,
    };
    let vectors = [None, Some("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N"), Some("no vector")];
    let cvss =
        draw.of(&vectors).map(|vector| Cvss { vector: vector.to_owned(), source: "debian".to_owned() });
    let stated = vec![(cve(draw), Profile { ssvc: Some(ssvc), cvss, exploit: None })];
    let dropped = if draw.one_in(3) { vec![cve(draw)] } else { Vec::new() };
    Command::ChangeIntel { delta: IntelDelta::Profile { stated, dropped }, as_of: None }
}

fn context(draw: &mut Draw) -> Command {
    let context = AssetContext {
        exposure: draw.of(&[None, Some(SystemExposure::Small), Some(SystemExposure::Open)]),
        human_impact: draw.of(&[None, Some(HumanImpact::Low), Some(HumanImpact::VeryHigh)]),
        mission: None,
    };
    Command::SetContext { asset: host(draw.of(&HOSTS)), context, by: person() }
}

/// A document of a few parts, mostly compared with the version that counts.
/// How far attackers get, as far as that moved.
pub(crate) fn assessed(world: &World) -> Command {
    let terrain = world.terrain();
    let delta = world.reach_moved(&terrain, &terrain.network.solve());
    Command::AssessReach { delta }
}

fn document(draw: &mut Draw, world: &World) -> Command {
    let service = draw.of(&[
        "",
        "services: { shop: { criticality: low, depends_on: db }, db: { sensitivity: restricted } }",
    ]);
    let asset = draw.of(&["", "assets: { alpha: { human_impact: high } }"]);
    let network = draw.of(&[
        "",
        "zones: { internet: { entry: 1 }, dmz: { networks: 10.0.0.0/8 } }\nflows: [{ from: internet, to: dmz, ports: 443 }]",
        "zones: { internet: { entry: 0.3 }, dmz: { networks: 10.0.0.0/8 }, lab: { networks: 203.0.113.0/24 } }\nflows: [{ from: internet, to: dmz, ports: 22 }, { from: dmz, to: lab }, { from: lab, to: dmz, ports: 443 }]",
    ]);
    let rule = match (service, draw.below(3)) {
        ("", _) | (_, 0) => {
            draw.of(&["", "rules: [{ when: { listens: tcp 22 }, set: { sensitivity: confidential } }]"])
        }
        (_, 1) => "rules: [{ when: { package: nginx* }, set: { services: db } }]",
        _ => "rules: [{ when: { group: web, host: '*a*' }, set: { services: shop } }]",
    };
    let defaults = draw.of(&[
        "",
        "defaults: { criticality: medium }",
        "redundancy: { pair: { minimum: 1 } }\ndefaults: { redundancy: pair }",
        "redundancy: { all: { minimum: 9 } }\ndefaults: { redundancy: all }",
    ]);
    let text = [service, asset, network, rule, defaults].join("\n");
    let document = tenon_formats::context::parse(text.as_bytes()).unwrap();
    let version = world.context().map_or(0, |known| known.version);
    let compared = if draw.one_in(10) { version + 1 } else { version };
    Command::TakeOverContext { document, compared, by: person() }
}

/// What listens where, and the host's addresses.
fn network(draw: &mut Draw, facts: &mut HostFacts) {
    let listener = |address: &str, port, package: Option<&str>| Listener {
        protocol: Protocol::Tcp,
        address: address.parse().unwrap(),
        port,
        process: None,
        unit: None,
        package: package.map(str::to_owned),
    };
    let listens = [
        Vec::new(),
        vec![listener("127.0.0.1", 22, Some("nginx"))],
        vec![listener("0.0.0.0", 22, None), listener("0.0.0.0", 80, Some("nginx"))],
        vec![listener("::", 443, Some("nginx")), listener("10.1.0.1", 22, Some("libssl3"))],
    ];
    facts.listeners = draw.of(&listens);
    let addresses: [&[&str]; 3] = [&[], &["10.1.0.1"], &["10.1.0.1", "203.0.113.1"]];
    facts.addresses = draw.of(&addresses).iter().map(|text| text.parse().unwrap()).collect();
}

fn vex(draw: &mut Draw, now: Timestamp) -> Command {
    let statement = |draw: &mut Draw| VexStatement {
        vulnerability: cve(draw),
        ecosystem: "Debian".to_owned(),
        package: draw.of(&["openssl", "libssl3", "nginx"]).to_owned(),
        subject: draw.of(&[VexSubject::Binary, VexSubject::Source]),
        release: draw.of(&[None, Some("Debian:12".to_owned())]),
        architecture: None,
        version: draw.of(&[None, Some("1.22.1-9".to_owned())]),
        reason: "not affected".to_owned(),
        author: "a supplier".to_owned(),
        made: now,
    };
    let statements = (0..draw.below(3)).map(|_| statement(draw)).collect();
    Command::StateVex { document: draw.of(&["one", "two"]).to_owned(), statements, by: person() }
}

/// Two versions of one, and another.
const REGULATIONS: [&str; 3] = [
    "# id: ours\n# version: 1\n# title: Ours\n# source: made\n# effective: 2020-01-01\n# from: listed\n\
     # replaces: bod-26-04\nrow,In KEV,due\n0,no,30 days\n1,yes,24 hours\n",
    "# id: ours\n# version: 2\n# title: Ours\n# source: made\n# effective: 2026-06-20\n# from: released\n\
     row,Publicly Exposed,due\n0,no,no date\n1,yes,2 months\n",
    "# id: theirs\n# version: 1\n# title: Theirs\n# source: made\n# effective: 2026-06-16\n# from: raised\n\
     row,Attack Seen,due\n0,no,45 days\n1,yes,1 hour\n",
];

fn rules(draw: &mut Draw) -> Command {
    let table =
        draw.of(&[DecisionTable::Bod2604, DecisionTable::SsvcDeployer, DecisionTable::CisaCoordinator]);
    let clocks = [ClockRule::Bod2604, ClockRule::FedrampRev5, ClockRule::PciDss401];
    let mut clocks: BTreeSet<ClockRule> = clocks.into_iter().filter(|_| draw.one_in(2)).collect();
    let vdr = draw.one_in(3).then(|| Vdr {
        class: draw.of(VdrClass::ALL),
        pain: draw.of(VdrPain::ALL),
        groups: BTreeMap::from([("db".parse().unwrap(), draw.of(VdrPain::ALL))]),
    });
    clocks.extend(vdr.is_some().then_some(ClockRule::FedrampVdr));
    let kept = draw.below(REGULATIONS.len() + 1);
    let regulations = REGULATIONS.iter().take(kept).map(|text| (*text).to_owned()).collect();
    Command::SetRules { rules: Rules { table, clocks, vdr, regulations }, by: person() }
}

fn mode(draw: &mut Draw, world: &World) -> Command {
    let group = draw.of(&GROUPS).parse().unwrap();
    let acts = world.mode(&group) == GroupMode::Act;
    // Groups act most of the time, or little would happen.
    if (acts && draw.one_in(3)) || draw.one_in(10) {
        Command::Demote { group, by: person() }
    } else {
        Command::Promote { group, by: person() }
    }
}

/// A report: mostly on an order that is out, at times on any order by any host.
fn answer(draw: &mut Draw, world: &World) -> Command {
    let out: Vec<OrderId> = world.assets().filter_map(|(_, asset)| asset.outstanding).collect();
    let known: Vec<OrderId> = (1..).map(OrderId::new).take_while(|id| world.order(id).is_some()).collect();
    let order = match (out.is_empty(), known.is_empty()) {
        (_, true) => return Command::Tick,
        (false, false) if !draw.one_in(6) => draw.of(&out),
        _ => draw.of(&known),
    };
    let order = &world.order(&order).unwrap().order;
    let asset = if draw.one_in(20) { host(draw.of(&HOSTS)) } else { order.asset };
    if matches!(order.action, OrderAction::PreserveEvidence { .. }) && !draw.one_in(20) {
        let missed = EvidenceOutcome::NotPreserved { reason: "/proc cannot be read".to_owned() };
        let outcome = match (draw.below(8), evidence_of(order)) {
            (0..=2, _) => missed,
            (3, EvidenceOutcome::Preserved { digest, document }) => {
                EvidenceOutcome::Preserved { digest, document: document.replace("\"host\"", "\"other\"") }
            }
            (_, preserved) => preserved,
        };
        return Command::ReportEvidence { asset, order: order.id, outcome };
    }
    let rehearse = matches!(order.action, OrderAction::Rehearse { .. });
    if rehearse != draw.one_in(20) {
        let reason = "dpkg ended with status 1".to_owned();
        let outcome = draw.of(&[
            RehearsalOutcome::Passed,
            RehearsalOutcome::Passed,
            RehearsalOutcome::Passed,
            RehearsalOutcome::Failed { reason: reason.clone() },
            RehearsalOutcome::NotRehearsed { reason },
        ]);
        Command::ReportRehearsal { asset, order: order.id, report: rehearsal_report(order, outcome) }
    } else {
        let outcome = draw.of(&[
            ApplyOutcome::Verified,
            ApplyOutcome::Verified,
            ApplyOutcome::RolledBack { reason: "nginx did not start".to_owned() },
            ApplyOutcome::Failed { reason: "disk full".to_owned(), remedy: "free space".to_owned() },
            ApplyOutcome::Refused { code: "transaction-changed".to_owned(), detail: "one more".to_owned() },
            ApplyOutcome::Refused { code: TOO_LATE.to_owned(), detail: "late".to_owned() },
        ]);
        Command::ReportApply { asset, order: order.id, report: apply_report(outcome) }
    }
}

/// A directive with an asset in a stage of this kind, or any pair.
fn directive(draw: &mut Draw, world: &World, wanted: impl Fn(&Stage) -> bool) -> (DirectiveId, AssetId) {
    let all: Vec<(DirectiveId, AssetId, bool)> = world
        .directives()
        .flat_map(|(id, state)| {
            let fits = |stage: &Stage| state.closed.is_none() && wanted(stage);
            stages(world, state).into_iter().map(move |(asset, stage)| (*id, asset, fits(stage)))
        })
        .collect();
    let fitting: Vec<_> = all.iter().copied().filter(|(_, _, fits)| *fits).collect();
    let choices = if fitting.is_empty() || draw.one_in(6) { &all } else { &fitting };
    if choices.is_empty() {
        return (DirectiveId::new(1), host(HOSTS[0]));
    }
    let (id, asset, _) = draw.of(choices);
    (id, asset)
}
