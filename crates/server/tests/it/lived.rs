//! A record in which something happens: hosts enrol and report, advisories come and go, people decide. The same for the same seed.

use std::sync::atomic::{AtomicI64, Ordering};

use tenon_model::{
    Advisory, AdvisoryDelta, Affected, AffectedRange, AssetContext, AssetId, Capability, Command, Component,
    Digest, HostFacts, Inventory, Offer, OfferState, OsRelease, SourcePackage, SystemExposure, Timestamp,
};
use tenon_server::Writer;

static NOW: AtomicI64 = AtomicI64::new(0);

/// The time of a life, which the tests of this program share: it never goes back, and leaps from life to life.
pub(crate) fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + NOW.load(Ordering::SeqCst))
}

/// Lets time pass.
pub(crate) fn pass(millis: i64) {
    NOW.fetch_add(millis, Ordering::SeqCst);
}

/// A life of a few hosts.
pub(crate) struct Life {
    random: u64,
    hosts: Vec<(AssetId, u64)>,
}

impl Life {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: seed, hosts: Vec::new() }
    }

    /// A number below `end` (Knuth's multiplier; the high bits are the good ones).
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % end
    }

    /// Something happens; what the core refuses counts as nothing.
    pub(crate) fn step(&mut self, runtime: &tokio::runtime::Runtime, writer: &Writer) {
        // Often more than one thing in a millisecond.
        pass(self.below(3) as i64);
        let submit = |command| drop(runtime.block_on(writer.submit(command, None)));
        match self.below(10) {
            0 => submit(Command::BeginTerm),
            1 => self.enrol(submit),
            2..=3 => submit(self.advisories()),
            4 => {
                let by = "tester".parse().unwrap();
                let open = writer.world().queue().first().map(|(id, _)| *id);
                if let Some(directive) = open {
                    submit(Command::Refuse { directive, by, why: "not now".to_owned() });
                }
            }
            5 => {
                if let Some((asset, _)) = self.host() {
                    let exposure = [None, Some(SystemExposure::Open)][self.below(2) as usize];
                    let context = AssetContext { exposure, ..AssetContext::default() };
                    submit(Command::SetContext { asset, context, by: "tester".parse().unwrap() });
                }
            }
            _ => {
                if let Some((asset, sequence)) = self.host() {
                    submit(Command::ReportInventory { asset, sequence, inventory: self.inventory() });
                }
            }
        }
    }

    fn host(&mut self) -> Option<(AssetId, u64)> {
        let count = self.hosts.len() as u64;
        let at = if count > 0 { self.below(count) as usize } else { return None };
        self.hosts[at].1 += 1;
        Some(self.hosts[at])
    }

    fn enrol(&mut self, submit: impl Fn(Command)) {
        let id = format!("{:032x}", u128::from(self.below(1 << 30)) + 1);
        let asset: AssetId = format!("ast_{id}").parse().unwrap();
        let (token, secret) = (id.parse().unwrap(), Digest::of(id.as_bytes()));
        submit(Command::IssueToken {
            token,
            secret,
            group: "default".parse().unwrap(),
            expires: clock().plus_days(1),
            by: "tester".parse().unwrap(),
        });
        let token = id.parse().unwrap();
        submit(Command::Enrol {
            asset,
            hostname: format!("host-{}", self.hosts.len()),
            token,
            secret,
            machine: None,
        });
        self.hosts.push((asset, 0));
    }

    fn inventory(&mut self) -> Inventory {
        let os = OsRelease {
            id: "debian".to_owned(),
            version_id: "12".to_owned(),
            pretty_name: "Debian 12".to_owned(),
        };
        let mut facts = HostFacts::nothing_known_of(os);
        facts.offers_known = true;
        facts.capability = Capability::Act;
        let mut components = Vec::new();
        for package in 0..6 {
            let (name, version) = (format!("p{package}"), self.below(3) + 1);
            let source = |version: u64| SourcePackage { name: name.clone(), version: version.to_string() };
            components.push(Component::os_package(
                name.as_str(),
                "amd64",
                version.to_string(),
                source(version),
            ));
            if self.below(2) == 0 {
                facts.offers.push(Offer {
                    package: name.clone(),
                    architecture: "amd64".to_owned(),
                    installed: version.to_string(),
                    candidate: (version + 1).to_string(),
                    source: source(version + 1),
                    security: self.below(3) == 0,
                    state: OfferState::Offered,
                    claims: Vec::new(),
                });
            }
        }
        Inventory { facts, components }
    }

    fn advisories(&mut self) -> Command {
        let number = self.below(12);
        let id = format!("DSA-{}-1", number + 1).parse().unwrap();
        let delta = if self.below(4) == 0 {
            AdvisoryDelta { published: Vec::new(), withdrawn: vec![id] }
        } else {
            let range = AffectedRange {
                introduced: None,
                fixed: Some((self.below(4) + 1).to_string()),
                last_affected: None,
            };
            let affected = Affected {
                ecosystem: "Debian:12".to_owned(),
                package: format!("p{}", number % 6),
                module: None,
                ranges: vec![range],
                versions: Vec::new(),
            };
            let addresses = vec![format!("CVE-2026-{}", 1000 + number).parse().unwrap()];
            let published = Some(clock());
            let summary = format!("number {number}");
            AdvisoryDelta {
                published: vec![Advisory { id, summary, published, addresses, affected: vec![affected] }],
                withdrawn: Vec::new(),
            }
        };
        Command::ChangeAdvisories { feed: "osv/Debian".to_owned(), delta, as_of: None }
    }
}
