//! A Tenon without a shell: a World, the record it came from, and a clock that the test sets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenon_engine::{
    ActionWanted, Attachments, DirectiveState, Prepared, Undecided, World, advance, recompute,
};
use tenon_model::{
    Advisory, AdvisoryDelta, Affected, AffectedRange, ApplyOutcome, ApplyReport, ApprovalAsked, Architecture,
    AssetId, AssetSet, Blob, Capability, Change, Command, Component, Digest, DirectiveId, EVIDENCE_VERSION,
    Event, Evidence, EvidenceDocument, EvidenceGap, EvidenceOutcome, EvidencePart, HostFacts, IndexState,
    Inventory, Kernel, Members, Offer, OfferState, Order, OrderId, OsRelease, PackageTarget, Person,
    PinnedFile, Record, Refusal, RehearsalOutcome, RehearsalReport, Reported, SourcePackage, Stage,
    Timestamp, Transaction, TransactionStep, Undo, Versioned, Virtualization, WantClass, Wants,
};

/// 2026-06-15, noon.
pub(crate) const START_MS: i64 = 1_781_524_800_000;

/// One entry of the record, as the journal would hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) time: Timestamp,
    pub(crate) payload: Vec<u8>,
}

pub(crate) struct Lab {
    pub(crate) world: World,
    /// A World that this one came from.
    pub(crate) earlier: World,
    pub(crate) entries: Vec<Entry>,
    pub(crate) blobs: BTreeMap<Digest, Vec<u8>>,
    pub(crate) now: Timestamp,
    /// What each asset last said, as its agent remembers it.
    pub(crate) said: BTreeMap<AssetId, Reported>,
    /// What the last command asked the shell to do.
    pub(crate) actions: Vec<ActionWanted>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self {
            world: World::default(),
            earlier: World::default(),
            entries: Vec::new(),
            blobs: BTreeMap::new(),
            said: BTreeMap::new(),
            now: Timestamp::from_millis(START_MS),
            actions: Vec::new(),
        }
    }

    pub(crate) fn pass(&mut self, seconds: u32) {
        self.now = self.now.plus_seconds(seconds);
    }

    /// Decides a command, records its events as bytes and applies what the bytes say. A refusal changes nothing.
    pub(crate) fn run(&mut self, command: Command) -> Result<Vec<Event>, Refusal> {
        let mut ahead = self.world.clone();
        let told = match &command {
            Command::ReportInventory { asset, inventory, .. } => Some((*asset, inventory.clone())),
            _ => None,
        };
        // A run is heard before its reports are made ready.
        let hears = |entry: &Entry| entry.payload.windows(15).any(|part| part == b"\"agent-started\"");
        let heard = self.entries.last().is_some_and(hears);
        if heard || self.entries.len() as u64 >= self.earlier.seq() + 20 {
            self.earlier = self.world.clone();
        }
        // Whole reports are made ready on a World of some time ago, as a server does.
        let prepared = Prepared::on(&self.earlier, command)?;
        let decided = match advance(&mut ahead, prepared, self.now) {
            Ok(decided) => decided,
            Err(Undecided::Refused(refusal)) => {
                assert_eq!(
                    ahead.digest().unwrap(),
                    self.world.digest().unwrap(),
                    "a refusal changes something"
                );
                return Err(refusal);
            }
            Err(Undecided::Broken(error)) => panic!("{error}"),
        };
        self.blobs.extend(decided.blobs.into_iter().map(|blob| (blob.digest(), blob.bytes().to_vec())));
        for event in &decided.events {
            let payload = Versioned::encode(event).unwrap();
            let entry = Entry { time: self.now, payload };
            apply(&mut self.world, &entry, &self.blobs, &mut Vec::new());
            self.entries.push(entry);
        }
        self.actions = decided.wanted;
        // What was decided on is what its record tells.
        assert_eq!(self.world.digest().unwrap(), ahead.digest().unwrap());
        assert!(self.world.measures_like(&ahead), "the record is measured otherwise");
        if let Some((asset, inventory)) = told {
            self.said.insert(asset, Reported::new(inventory).unwrap());
        }
        Ok(decided.events)
    }

    /// A whole report as the delta that an agent would send instead; `None` where it has no base for one.
    pub(crate) fn as_delta(&self, command: &Command) -> Option<(Command, Reported)> {
        let Command::ReportInventory { asset, sequence, inventory } = command else { return None };
        // Of a retired host nothing is kept that a delta could differ from.
        self.world.asset(asset).filter(|asset| asset.retired.is_none())?;
        let now = Reported::new(inventory.clone()).ok()?;
        let delta = Box::new(now.since(self.said.get(asset)?)?);
        Some((Command::ReportDelta { asset: *asset, sequence: *sequence, delta }, now))
    }

    /// The events of a command that must not be refused.
    pub(crate) fn must(&mut self, command: Command) -> Vec<Event> {
        let shown = format!("{command:?}");
        self.run(command).unwrap_or_else(|refusal| panic!("{shown}: {refusal}"))
    }

    /// A World made from the record alone.
    pub(crate) fn replayed(&self) -> World {
        replay(&self.entries, &self.blobs)
    }

    /// Everything that follows is settled, and the record and a snapshot tell the same; the World of that snapshot.
    pub(crate) fn sound(&self) -> World {
        assert_eq!(recompute(&self.world, self.now), []);
        let digest = self.world.digest().unwrap();
        assert_eq!(self.replayed().digest().unwrap(), digest);
        let restored = World::from_snapshot(self.world.to_snapshot().unwrap()).unwrap();
        assert_eq!(restored.digest().unwrap(), digest);
        assert_eq!(recompute(&restored, self.now), []);
        restored
    }

    /// Enrols an asset into a group with a token made for it.
    pub(crate) fn enrol(&mut self, name: &str, group: &str) -> AssetId {
        let asset = AssetId::of_public_key(name.as_bytes());
        let secret = Digest::of(format!("secret of {name}").as_bytes());
        let token = format!("token-{name}").parse().unwrap();
        let expires = self.now.plus_days(1);
        let issue =
            Command::IssueToken { token, secret, group: group.parse().unwrap(), expires, by: person() };
        self.must(issue);
        let token = format!("token-{name}").parse().unwrap();
        self.must(Command::Enrol { asset, hostname: name.to_owned(), token, secret, machine: None });
        asset
    }

    /// Reports an inventory under the next sequence.
    pub(crate) fn report(&mut self, asset: AssetId, inventory: Inventory) -> Vec<Event> {
        let sequence = self.world.asset(&asset).unwrap().reported.map_or(1, |(last, _)| last + 1);
        self.must(Command::ReportInventory { asset, sequence, inventory })
    }

    pub(crate) fn promote(&mut self, group: &str) -> Vec<Event> {
        self.must(Command::Promote { group: group.parse().unwrap(), by: person() })
    }

    pub(crate) fn publish(&mut self, advisories: Vec<Advisory>) -> Vec<Event> {
        let delta = AdvisoryDelta { published: advisories, withdrawn: Vec::new() };
        self.must(Command::ChangeAdvisories { feed: "osv/Debian".to_owned(), delta, as_of: None })
    }

    /// The only directive that is open.
    pub(crate) fn open_directive(&self) -> (DirectiveId, &DirectiveState) {
        let mut queue = self.world.queue();
        assert_eq!(queue.len(), 1, "{queue:?}");
        queue.remove(0)
    }

    pub(crate) fn stage(&self, directive: DirectiveId, asset: AssetId) -> &Stage {
        let state = self.world.directive(&directive).unwrap();
        state.stage(self.world.ordinal(&asset).unwrap()).unwrap()
    }

    /// The order that is out for an asset.
    pub(crate) fn order(&self, asset: AssetId) -> Order {
        let id =
            self.world.asset(&asset).unwrap().outstanding.unwrap_or_else(|| panic!("no order for {asset}"));
        self.world.order(&id).unwrap().order.clone()
    }

    /// The host preserves what it was ordered to.
    pub(crate) fn preserved(&mut self, asset: AssetId) -> Vec<Event> {
        let order = self.order(asset);
        let outcome = evidence_of(&order);
        self.must(Command::ReportEvidence { asset, order: order.id, outcome })
    }

    /// The host cannot preserve it.
    pub(crate) fn not_preserved(&mut self, asset: AssetId, reason: &str) -> Vec<Event> {
        let outcome = EvidenceOutcome::NotPreserved { reason: reason.to_owned() };
        let order = self.order(asset).id;
        self.must(Command::ReportEvidence { asset, order, outcome })
    }

    pub(crate) fn rehearsed(&mut self, asset: AssetId, outcome: RehearsalOutcome) -> Vec<Event> {
        let order = self.order(asset);
        let report = rehearsal_report(&order, outcome);
        self.must(Command::ReportRehearsal { asset, order: order.id, report })
    }

    pub(crate) fn approve(&mut self, directive: DirectiveId) -> Vec<Event> {
        self.must(Command::Approve {
            directive,
            by: person(),
            roles: BTreeSet::new(),
            reports: None,
            waive_evidence: None,
        })
    }

    pub(crate) fn applied(&mut self, asset: AssetId, outcome: ApplyOutcome) -> Vec<Event> {
        let order = self.order(asset);
        self.must(Command::ReportApply { asset, order: order.id, report: apply_report(outcome) })
    }
}

/// The assets of wants with their packages.
pub(crate) fn told(world: &World, wants: &Wants) -> BTreeMap<AssetId, Arc<Vec<PackageTarget>>> {
    let Wants::Classes(classes) = wants else { panic!("only older journals tell wants one by one") };
    let mut assets = BTreeMap::new();
    for WantClass { want, assets: alike } in classes {
        for id in ids(world, alike) {
            assert_eq!(assets.insert(id, want.targets.clone()), None, "{id} is in two classes");
        }
    }
    assets
}

/// The assets of a set.
pub(crate) fn ids(world: &World, set: &AssetSet) -> BTreeSet<AssetId> {
    set.iter().map(|asset| world.asset_at(asset).unwrap().id).collect()
}

/// The assets that an event names.
pub(crate) fn members(world: &World, members: &Members) -> BTreeSet<AssetId> {
    let Members::Set(set) = members else { panic!("only older journals name assets one by one") };
    ids(world, set)
}

/// How far a directive is on each of its assets.
pub(crate) fn stages<'s>(world: &World, state: &'s DirectiveState) -> BTreeMap<AssetId, &'s Stage> {
    state.stages().map(|(asset, stage)| (world.asset_at(asset).unwrap().id, stage)).collect()
}

/// Applies one entry of a record.
pub(crate) fn apply(
    world: &mut World,
    entry: &Entry,
    blobs: &BTreeMap<Digest, Vec<u8>>,
    actions: &mut Vec<ActionWanted>,
) {
    let seq = world.seq() + 1;
    let event = Versioned::decode(seq, &entry.payload).unwrap();
    let mut attachments = Attachments::default();
    for digest in event.blobs() {
        attachments.insert(Blob::new(blobs[&digest].clone()));
    }
    world.apply(&Record { seq, time: entry.time, event }, &attachments, actions).unwrap();
}

/// A World made from a record.
pub(crate) fn replay(entries: &[Entry], blobs: &BTreeMap<Digest, Vec<u8>>) -> World {
    let mut world = World::default();
    for entry in entries {
        apply(&mut world, entry, blobs, &mut Vec::new());
    }
    world
}

pub(crate) fn person() -> Person {
    "mira".parse().unwrap()
}

pub(crate) fn source(name: &str, version: &str) -> SourcePackage {
    SourcePackage { name: name.to_owned(), version: version.to_owned() }
}

/// A binary package with the version of its source.
pub(crate) fn component(name: &str, source_name: &str, version: &str) -> Component {
    Component::os_package(name, "amd64", version, source(source_name, version))
}

/// An offer of a security update for a component.
pub(crate) fn security_offer(installed: &Component, candidate: &str) -> Offer {
    Offer {
        package: installed.name.clone(),
        architecture: installed.architecture.clone(),
        installed: installed.version.clone(),
        candidate: candidate.to_owned(),
        source: source(&installed.source.name, candidate),
        security: true,
        state: OfferState::Offered,
        claims: Vec::new(),
    }
}

/// What a Debian 12 virtual machine with an agent that can act reports.
pub(crate) fn inventory(components: Vec<Component>, offers: Vec<Offer>) -> Inventory {
    let facts = HostFacts {
        hostname: String::new(),
        os: OsRelease {
            id: "debian".to_owned(),
            version_id: "12".to_owned(),
            pretty_name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
        },
        architecture: Architecture("amd64".to_owned()),
        kernel: Kernel { running: "6.1.0-44-amd64".to_owned(), owner: Virtualization::Machine },
        offers,
        offers_known: true,
        index: IndexState { oldest_age_seconds: Some(60) },
        stale: Vec::new(),
        listeners: Vec::new(),
        addresses: Vec::new(),
        services: Vec::new(),
        reboot_required_by: Vec::new(),
        updaters: Vec::new(),
        capability: Capability::Act,
        gaps: Vec::new(),
        approval: ApprovalAsked::default(),
    };
    Inventory { facts, components }
}

/// A host with openssl in this version, offered that one.
pub(crate) fn offered(installed: &str, candidate: &str) -> Inventory {
    let libssl = component("libssl3", "openssl", installed);
    let offers = vec![security_offer(&libssl, candidate)];
    inventory(vec![libssl], offers)
}

/// An advisory for one source package of Debian 12, fixed in this version, if in any.
pub(crate) fn advisory(id: &str, addresses: &[&str], package: &str, fixed: Option<&str>) -> Advisory {
    Advisory {
        id: id.parse().unwrap(),
        summary: format!("{package} - security update"),
        published: Timestamp::parse("2026-06-14"),
        addresses: addresses.iter().map(|id| id.parse().unwrap()).collect(),
        affected: vec![Affected {
            module: None,
            ecosystem: "Debian:12".to_owned(),
            package: package.to_owned(),
            ranges: vec![AffectedRange {
                introduced: None,
                fixed: fixed.map(str::to_owned),
                last_affected: None,
            }],
            versions: Vec::new(),
        }],
    }
}

/// What a host that did as ordered reports of its rehearsal.
pub(crate) fn rehearsal_report(order: &Order, outcome: RehearsalOutcome) -> RehearsalReport {
    let targets = order.action.targets();
    let steps = targets.iter().map(|target| TransactionStep {
        package: target.package.clone(),
        architecture: target.architecture.clone(),
        change: Change::Upgrade { from: target.from.clone(), to: target.to.clone() },
    });
    let files = targets.iter().map(|target| PinnedFile {
        package: target.package.clone(),
        architecture: target.architecture.clone(),
        version: target.to.clone(),
        // Of every rehearsal its own, so that two reports are never mixed up unnoticed.
        sha256: Digest::of(format!("{} for {}", target.to, order.id).as_bytes()),
    });
    RehearsalReport {
        outcome,
        transaction: Transaction { steps: steps.collect(), kept_back: Vec::new() },
        files: files.collect(),
        class: Digest::of(b"class"),
        conffile_conflicts: Vec::new(),
        units: Vec::new(),
        reboot: false,
        bytes_written: 4_096,
        duration_ms: 1_500,
        undo: Undo::Proven,
        output: String::new(),
    }
}

/// What a host that did as ordered preserves, of which it could not read the logs.
pub(crate) fn evidence_of(order: &Order) -> EvidenceOutcome {
    let document = EvidenceDocument {
        tenon_evidence: EVIDENCE_VERSION,
        order: order.id,
        asset: order.asset,
        directive: order.directive,
        hostname: "host".to_owned(),
        begun: order.issued,
        duration_ms: 40,
        boot: "7d1e".to_owned(),
        processes: Vec::new(),
        sockets: Vec::new(),
        maps: Vec::new(),
        sessions: Vec::new(),
        logs: Vec::new(),
        packages: Vec::new(),
        gaps: vec![EvidenceGap { part: EvidencePart::Logs, what: "no log is kept here".to_owned() }],
    };
    let document = document.encode().unwrap();
    EvidenceOutcome::Preserved { digest: Digest::of(document.as_bytes()), document }
}

pub(crate) fn apply_report(outcome: ApplyOutcome) -> ApplyReport {
    ApplyReport { outcome, evidence: Evidence::default(), duration_ms: 2_000, output: String::new() }
}

/// The orders among events.
pub(crate) fn orders(events: &[Event]) -> Vec<OrderId> {
    let order = |event: &Event| match event {
        Event::OrderIssued { order } => Some(order.id),
        _ => None,
    };
    events.iter().filter_map(order).collect()
}
