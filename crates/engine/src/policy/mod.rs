//! The policy that counts, and what it says of a directive on its assets.

mod outlook;

use std::sync::{Arc, LazyLock};

use serde::Serialize;
use tenon_model::context::Environment;
use tenon_model::{
    AssetOrdinal, AssetSet, Change, Digest, Exploitation, Probability, RehearsalReport, Role, Tempo,
    Timestamp, Undo,
};
use tenon_policy::{
    Approval, AssetFacts, DirectiveFacts, Facts, Freeze, Policy, RehearsalFacts, Rule, Turn, Verdict, Window,
};

use crate::directives::DirectiveState;
use crate::priority;
use crate::world::World;
pub use outlook::{Outlook, Said, outlook};

/// Certainty, in millionths.
const ONE_PPM: i64 = 1_000_000;
/// What counts where no policy is set: one person approves, at any time.
static NONE: LazyLock<Policy> = LazyLock::new(Policy::default);

/// A policy that was set.
#[derive(Debug, Clone, Serialize)]
pub struct KnownPolicy {
    /// Counts the policies, from 1.
    pub version: u32,
    /// The file's digest.
    pub blob: Digest,
    /// The file, as it was written.
    pub text: Arc<str>,
    /// What it says.
    #[serde(skip)]
    pub policy: Arc<Policy>,
    /// Whether any condition asks how many assets a directive has, which is another number with every one that joins.
    #[serde(skip)]
    pub(crate) asks_of_size: bool,
    /// Whether any asks how attackers get to an asset, which moves with what is told of zones.
    #[serde(skip)]
    pub(crate) asks_of_reach: bool,
}

impl KnownPolicy {
    /// A policy of a journal or a snapshot. It was read when it was set; one that this program does not read any more lets
    /// nothing out until another is set.
    pub(crate) fn of(version: u32, blob: Digest, text: &str) -> Self {
        let policy = tenon_policy::read(text).unwrap_or_else(|_| unreadable());
        let asks_of_size = policy.asks("directive.assets");
        let asks_of_reach = policy.asks("asset.reach_ppm");
        Self { version, blob, text: text.into(), policy: Arc::new(policy), asks_of_size, asks_of_reach }
    }
}

fn unreadable() -> Policy {
    let rule = Rule {
        name: "unreadable".to_owned(),
        when: None,
        approval: Approval::Forbidden,
        windows: Vec::new(),
        tempo: None,
        why: Some("this version of Tenon does not read the policy that is set: set it anew".to_owned()),
    };
    Policy { rules: vec![rule], ..Policy::default() }
}

/// Asks one policy about one directive.
pub struct Asker<'w> {
    world: &'w World,
    state: &'w DirectiveState,
    policy: &'w Policy,
    /// `None` where no policy is set: nothing need be found out then.
    facts: Option<DirectiveFacts>,
    /// The assets on which attacks by what it closes there were seen.
    attacked: AssetSet,
}

/// What a policy says of a directive on one asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling<'w> {
    /// The rule that matched, and whether it is an emergency; `None` where that depends on a rehearsal.
    pub verdict: Option<Verdict<'w>>,
    /// Who decides, after what is never automatic.
    pub approval: Approval,
    /// Why it is not automatic, though a rule says so.
    pub not_automatic: Option<&'static str>,
    /// The windows that it keeps to; any time where there is none.
    pub windows: Vec<&'w Window>,
    /// The freezes that it keeps to.
    pub freezes: Vec<&'w Freeze>,
    /// Whether it may begin.
    pub turn: Turn,
    /// What it waits for, in words, where its host asks for signatures that are missing.
    pub unsigned: Option<String>,
    /// What it waits for, in words, where evidence of its host is asked for that is neither sealed nor waived.
    pub unsealed: Option<String>,
}

impl World {
    /// The policy that counts; `None` where none was ever set.
    pub fn policy(&self) -> Option<&KnownPolicy> {
        self.policy.as_ref()
    }
}

impl<'w> Asker<'w> {
    /// Asks the policy that counts.
    pub fn new(world: &'w World, state: &'w DirectiveState) -> Self {
        match &world.policy {
            Some(known) => Self::of(world, state, &known.policy),
            None => Self { world, state, policy: &NONE, facts: None, attacked: world.attacked(state) },
        }
    }

    /// Asks another policy.
    pub fn of(world: &'w World, state: &'w DirectiveState, policy: &'w Policy) -> Self {
        Self {
            world,
            state,
            policy,
            facts: Some(directive_facts(world, state)),
            attacked: world.attacked(state),
        }
    }

    /// What it says of an asset at a time, and what its host says besides.
    pub fn ruling(&self, asset: AssetOrdinal, now: Timestamp) -> Ruling<'w> {
        Ruling {
            unsigned: self.world.unsigned(self.state, asset, now),
            unsealed: self.world.unsealed(asset),
            ..self.by_policy(asset, now)
        }
    }

    /// What it alone says.
    fn by_policy(&self, asset: AssetOrdinal, now: Timestamp) -> Ruling<'w> {
        let Some(directive) = &self.facts else {
            let emergency = self.exploited() || self.attacked.contains(asset);
            let verdict = Some(Verdict { rule: None, emergency });
            let turn = Turn::Open { until: None };
            let (windows, freezes) = (Vec::new(), Vec::new());
            return Ruling {
                verdict,
                approval: Approval::ONE,
                not_automatic: None,
                windows,
                freezes,
                turn,
                unsigned: None,
                unsealed: None,
            };
        };
        let of_asset =
            asset_facts(self.world, asset, &self.state.source().name, self.attacked.contains(asset));
        let report = self.state.rehearsals.get(&asset).map(Arc::as_ref);
        let rehearsal = report.map(rehearsal_facts);
        let facts = Facts { directive, asset: &of_asset, rehearsal: rehearsal.as_ref(), unknown: &[] };
        let Some(verdict) = self.policy.verdict(&facts) else {
            let turn = Turn::Closed { opens: None, why: "its rehearsal".to_owned() };
            let (windows, freezes) = (Vec::new(), Vec::new());
            let approval = Approval::ONE;
            return Ruling {
                verdict: None,
                approval,
                not_automatic: None,
                windows,
                freezes,
                turn,
                unsigned: None,
                unsealed: None,
            };
        };
        let lacks = self.state.lacks_evidence(asset);
        let not_automatic = report.and_then(|report| never_automatic(lacks, report));
        let (approval, not_automatic) = match (verdict.approval(), not_automatic) {
            (Approval::Automatic, Some(why)) => (Approval::ONE, Some(why)),
            (approval, _) => (approval, None),
        };
        Ruling {
            verdict: Some(verdict),
            approval,
            not_automatic,
            windows: self.policy.windows_of(&verdict).collect(),
            freezes: self.policy.freezes_of(&verdict, &facts).collect(),
            turn: self.policy.turn(&verdict, &facts, now),
            unsigned: None,
            unsealed: None,
        }
    }

    /// How fast it goes on an asset.
    pub(crate) fn tempo(&self, ruling: &Ruling<'_>) -> Tempo {
        let usual = self.world.tempo();
        ruling.verdict.map_or(usual, |verdict| verdict.tempo(usual))
    }

    fn exploited(&self) -> bool {
        let directive = &self.state.directive;
        directive.closes.iter().chain(&directive.claims).any(|id| self.world.is_exploited(id))
    }
}

impl Ruling<'_> {
    /// The name of the rule.
    pub fn rule(&self) -> &str {
        self.verdict.as_ref().map_or("undecided", Verdict::name)
    }

    /// Whether it may begin now.
    pub fn is_open(&self) -> bool {
        matches!(self.turn, Turn::Open { .. }) && self.unsigned.is_none() && self.unsealed.is_none()
    }

    /// Why it does not go out now, for people; `None` where it may.
    pub fn waits(&self) -> Option<String> {
        if self.approval == Approval::Forbidden {
            let why = self.verdict.and_then(|verdict| verdict.rule?.why.as_deref());
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            return Some(format!("policy rule {} forbids it{why}", self.rule()));
        }
        if let Some(unsealed) = &self.unsealed {
            return Some(unsealed.clone());
        }
        // A person can do something about it, whatever the calendar says.
        if self.unsigned.is_some() {
            return self.unsigned.clone();
        }
        match &self.turn {
            Turn::Open { .. } => None,
            Turn::Closed { opens: Some(opens), why } => {
                Some(format!("it waits for {why}: it may begin at {opens}"))
            }
            Turn::Closed { opens: None, why } => Some(format!(
                "it waits for {why}, which does not open within what can be foreseen: look at the policy"
            )),
        }
    }

    /// Whether somebody with these roles may give an approval that is asked for.
    pub(crate) fn may_approve(&self, roles: &std::collections::BTreeSet<Role>) -> bool {
        match self.approval {
            Approval::People { role: Some(role), .. } => {
                roles.contains(&role) || roles.contains(&Role::Admin)
            }
            Approval::People { role: None, .. } | Approval::Automatic => true,
            Approval::Forbidden => false,
        }
    }

    /// How many people approve.
    pub(crate) fn people(&self) -> usize {
        match self.approval {
            Approval::People { people, .. } => usize::from(people),
            Approval::Automatic | Approval::Forbidden => 1,
        }
    }
}

/// What no rule makes automatic.
fn never_automatic(lacks_evidence: bool, report: &RehearsalReport) -> Option<&'static str> {
    if lacks_evidence {
        return Some("its decision row asks for evidence first, which is neither sealed nor waived");
    }
    matches!(report.undo, Undo::NotPossible { .. }).then_some("it cannot be taken back")
}

fn directive_facts(world: &World, state: &DirectiveState) -> DirectiveFacts {
    let directive = &state.directive;
    let decision = &directive.priority.decision;
    let about: Vec<_> = directive.closes.iter().chain(&directive.claims).collect();
    let intel: Vec<_> = about.iter().map(|id| world.intel(id)).collect();
    let kev = || intel.iter().filter_map(|intel| intel.kev.as_ref());
    let stated = intel.iter().flat_map(|intel| {
        let profile = &intel.profile;
        let by_cisa = profile.ssvc.as_ref().and_then(|ssvc| ssvc.exploitation);
        let known = intel.kev.as_ref().map(|_| Exploitation::Active);
        [by_cisa, profile.exploit.as_ref().map(|exploit| exploit.exploitation), known]
    });
    let epss =
        intel.iter().filter_map(|intel| intel.epss.as_ref()).map(|epss| epss.score.ppm() / 10_000).max();
    let foreseen = intel.iter().filter_map(|intel| match (&intel.kev, &intel.foreseen) {
        (Some(_), _) => Some(Probability::ONE),
        (None, foreseen) => foreseen.as_ref().map(|foreseen| foreseen.probability),
    });
    let source = state.source();
    DirectiveFacts {
        kev: kev().next().is_some(),
        ransomware: kev().any(|kev| kev.ransomware),
        exploitation: stated.flatten().max().unwrap_or(Exploitation::None).as_str(),
        epss_percent: epss.map_or(0, i64::from),
        foreseen_ppm: foreseen.max().map_or(0, |likely| i64::from(likely.ppm())),
        vulnerabilities: about.iter().map(ToString::to_string).collect(),
        table: decision.table.clone(),
        row: i64::from(decision.row),
        outcome: decision.outcome.clone(),
        forensics: decision.forensics,
        package: source.name.clone(),
        version: source.version.clone(),
        group: directive.group.to_string(),
        assets: i64::try_from(state.members.len()).unwrap_or(i64::MAX),
        advisory: !directive.advisories.is_empty(),
    }
}

/// `package` is the one that the directive is about, as advisories name it.
fn asset_facts(world: &World, asset: AssetOrdinal, package: &str, attacked: bool) -> AssetFacts {
    let Some(known) = world.asset_at(asset) else { return AssetFacts::default() };
    let said = world.effective(known);
    let text = |name: Option<String>| name.unwrap_or_default();
    AssetFacts {
        name: known.hostname.clone(),
        // What nobody states counts as production, as it does in plans.
        environment: said.environment.map_or(Environment::Production, |known| known.value).as_str(),
        criticality: said.criticality.map_or("unstated", |known| known.value.as_str()),
        exposure: said.exposure.map_or("unstated", |known| known.value.as_str()),
        team: text(said.team.map(|known| known.value.to_string())),
        zone: text(said.zone.map(|known| known.value.to_string())),
        redundancy: text(said.redundancy.map(|known| known.value.to_string())),
        services: said.services.iter().map(ToString::to_string).collect(),
        tags: said.tags.iter().map(ToString::to_string).collect(),
        attacked,
        reach_ppm: priority::arrival(world, &known.bearing(), Some(package))
            .map_or(ONE_PPM, |arrival| i64::from(arrival.package.ppm())),
    }
}

fn rehearsal_facts(report: &RehearsalReport) -> RehearsalFacts {
    let count = |of: fn(&Change) -> bool| {
        let steps = report.transaction.steps.iter().filter(|step| of(&step.change));
        i64::try_from(steps.count()).unwrap_or(i64::MAX)
    };
    let len = |len: usize| i64::try_from(len).unwrap_or(i64::MAX);
    RehearsalFacts {
        removed: count(|change| matches!(change, Change::Remove { .. })),
        installed: count(|change| matches!(change, Change::Install { .. })),
        upgraded: count(|change| matches!(change, Change::Upgrade { .. })),
        restarts: len(report.units.len()),
        reboot: report.reboot,
        undo: match report.undo {
            Undo::Proven => "proven",
            Undo::Possible { .. } => "possible",
            Undo::NotPossible { .. } => "not possible",
        },
        conflicts: len(report.conffile_conflicts.len()),
        seconds: i64::try_from(report.duration_ms / 1_000).unwrap_or(i64::MAX),
    }
}
