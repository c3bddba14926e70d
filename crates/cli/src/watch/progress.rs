//! What a rollout comes to at one moment, and whether it has ended.

use std::collections::BTreeMap;

use serde::Serialize;
use tenon_model::Timestamp;
use tenon_server::{DirectiveView, HaltView, RolloutView};

use super::Tally;
use crate::assign::waited_for;

/// Most reasons that are told.
const MAX_REASONS: usize = 20;

/// A rollout, and when it was so.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Moment {
    /// Stamp of the record's last entry, RFC 3339.
    pub(super) time: Option<String>,
    /// Watching alone takes until then, RFC 3339: it is over later. Absent where nothing is to be watched, or a person must act.
    pub(super) not_over_before: Option<String>,
    #[serde(flatten)]
    pub(super) progress: Progress,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Progress {
    pub(super) directive: String,
    pub(super) title: String,
    /// `no-plan`, `planned`, `running`, `watched`, `halted`, `over` or `closed`.
    pub(super) state: String,
    /// Counts the plans of the directive.
    pub(super) plan: Option<u32>,
    pub(super) tempo: Option<String>,
    pub(super) hosts: u64,
    #[serde(flatten)]
    pub(super) tally: Tally,
    pub(super) waves: Vec<Wave>,
    /// What it waits for, in words.
    pub(super) waits: Option<String>,
    /// When that ends by itself, RFC 3339.
    pub(super) until: Option<String>,
    pub(super) halt: Option<HaltView>,
    /// Why hosts do not show the fix yet, at most 20: first what needs a person, and what holds most of them.
    pub(super) why_not_yet: Vec<Reason>,
    pub(super) end: Option<End>,
}

/// A wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Wave {
    /// From 1.
    pub(super) wave: usize,
    /// `canary` or `widening`.
    pub(super) phase: String,
    /// `waiting`, `running`, `watched` or `ended`.
    pub(super) state: String,
    pub(super) hosts: u64,
    #[serde(flatten)]
    pub(super) tally: Tally,
    /// How many of them may fail before everything stops.
    pub(super) may_fail: u32,
}

/// Why hosts do not show the fix yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Reason {
    pub(super) hosts: u64,
    /// Whether they failed, were rolled back, or need a person.
    pub(super) needs_person: bool,
    /// Who is waited for, where that is a person and somebody does the directive.
    pub(super) owner: Option<String>,
    pub(super) why: String,
}

/// How the watching ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct End {
    pub(super) how: How,
    pub(super) said: String,
}

/// The same in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum How {
    /// Every host shows the fix.
    Fixed,
    /// It stands still until a person resumes it.
    Halted,
    /// Hosts failed, and nothing goes on before a person looks at them.
    Failed,
    /// Closed without the fix, or hosts are held back.
    Otherwise,
}

impl Moment {
    pub(super) fn of(view: &DirectiveView, stamp: Option<Timestamp>, through_halts: bool) -> Self {
        let progress = Progress::of(view, through_halts);
        let rollout = view.rollout.as_ref().filter(|_| view.closed.is_none());
        Self {
            time: stamp.map(|stamp| stamp.to_string()),
            not_over_before: rollout.and_then(|rollout| not_before(rollout, stamp)),
            progress,
        }
    }
}

/// The watching that is left, from its beginning on.
fn not_before(rollout: &RolloutView, stamp: Option<Timestamp>) -> Option<String> {
    let ahead = u32::try_from(rollout.watching_ahead_seconds).ok()?;
    let from = match rollout.state.as_str() {
        "watched" => rollout.until.as_deref().and_then(Timestamp::parse),
        "planned" | "running" if ahead > 0 => stamp,
        _ => None,
    };
    Some(from?.plus_seconds(ahead).to_string())
}

impl Progress {
    fn of(view: &DirectiveView, through_halts: bool) -> Self {
        let rollout = view.rollout.as_ref();
        let state = match (&view.closed, rollout) {
            (Some(_), _) => "closed",
            (None, Some(rollout)) => &rollout.state,
            (None, None) => "no-plan",
        };
        let tally = Tally::of_stages(&view.stages);
        let waves = rollout.into_iter().flat_map(|rollout| (1..).zip(&rollout.waves));
        let waves = waves.map(|(wave, shown)| Wave {
            wave,
            phase: shown.phase.clone(),
            state: shown.state.clone(),
            hosts: shown.assets,
            tally: Tally::of_wave(shown),
            may_fail: shown.may_fail,
        });
        let open = view.closed.is_none();
        Self {
            directive: view.id.clone(),
            title: view.title.clone(),
            state: state.to_owned(),
            plan: rollout.map(|rollout| rollout.version),
            tempo: rollout.map(|rollout| rollout.tempo.clone()),
            hosts: view.asset_count,
            tally,
            waves: waves.collect(),
            waits: if open { waits(view) } else { None },
            until: rollout.filter(|_| open).and_then(|rollout| rollout.until.clone()),
            halt: rollout.and_then(|rollout| rollout.halt.clone()),
            why_not_yet: if open { why_not_yet(view) } else { Vec::new() },
            end: end(view, tally, through_halts),
        }
    }
}

fn at(view: &DirectiveView, stage: &str) -> u64 {
    view.stages.get(stage).copied().unwrap_or_default()
}

fn count(hosts: u64) -> String {
    if hosts == 1 { "1 host".to_owned() } else { format!("{hosts} hosts") }
}

/// What it waits for as a whole: what its rollout waits for, and where none is under way, what has to come before one.
fn waits(view: &DirectiveView) -> Option<String> {
    if let Some(waits) = view.rollout.as_ref().and_then(|rollout| rollout.waits.clone()) {
        return Some(waits);
    }
    let mut waits = Vec::new();
    for (stage, what) in [
        ("proposed", "to be rehearsed"),
        ("rehearsing", "to end its rehearsal"),
        ("awaiting-approval", "to be approved"),
    ] {
        let hosts = at(view, stage);
        if hosts == 0 {
            continue;
        }
        let what =
            if hosts == 1 { what.to_owned() } else { what.replace("its rehearsal", "their rehearsals") };
        let how = match stage {
            "proposed" if view.mode == "observe" => {
                format!(" (agents of group {0} only observe: tenon promote {0})", view.group)
            }
            "awaiting-approval" => format!(" (tenon approve {})", view.id),
            _ => String::new(),
        };
        waits.push(format!("{} {what}{how}", count(hosts)));
    }
    (!waits.is_empty()).then(|| waits.join(", "))
}

/// Hosts that do not show the fix, by what they wait for.
fn why_not_yet(view: &DirectiveView) -> Vec<Reason> {
    let mut reasons: BTreeMap<(String, bool, Option<&str>), u64> = BTreeMap::new();
    let waves = view.rollout.iter().flat_map(|rollout| &rollout.waves).flat_map(|wave| &wave.hosts);
    let known: BTreeMap<&str, &String> =
        waves.filter_map(|host| Some((host.id.as_str(), host.why_not_yet.as_ref()?))).collect();
    let mut proposed = at(view, "proposed");
    for asset in &view.assets {
        let stage = asset.stage.name.as_str();
        let why = match stage {
            "verified" | "fixed-otherwise" => continue,
            _ => asset.stage.reason.as_ref().or_else(|| known.get(asset.id.as_str()).copied()),
        };
        proposed -= u64::from(stage == "proposed").min(proposed);
        let policy = asset.policy.as_ref();
        let why = match (why, policy) {
            (Some(why), _) => why.clone(),
            (None, Some(policy)) => format!("{}: {policy}", in_words(stage)),
            (None, None) => in_words(stage).to_owned(),
        };
        let owner = asset.stage.owner.as_ref().map(|owner| owner.person.as_str());
        *reasons.entry((why, asset.stage.retry, owner)).or_default() += 1;
    }
    // Of those on which nothing has begun not all are shown.
    if proposed > 0 {
        *reasons.entry((in_words("proposed").to_owned(), false, None)).or_default() += proposed;
    }
    let reason = |((why, needs_person, owner), hosts): ((_, _, Option<&str>), _)| Reason {
        hosts,
        needs_person,
        owner: owner.map(str::to_owned),
        why,
    };
    let mut reasons: Vec<Reason> = reasons.into_iter().map(reason).collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse((reason.needs_person, reason.hosts)));
    reasons.truncate(MAX_REASONS);
    reasons
}

/// A stage whose reason nobody states.
fn in_words(stage: &str) -> &str {
    match stage {
        "proposed" => "waits to be rehearsed",
        "rehearsing" => "is being rehearsed",
        "awaiting-approval" => "waits for approval",
        "applying" => "has its order",
        "applied" => "was changed, and its next report must show it",
        other => other,
    }
}

fn end(view: &DirectiveView, tally: Tally, through_halts: bool) -> Option<End> {
    if let Some(closed) = &view.closed {
        let how = if view.ended.as_deref() == Some("fixed") { How::Fixed } else { How::Otherwise };
        return Some(End { how, said: closed.clone() });
    }
    let mut held = 0;
    if let Some(rollout) = &view.rollout {
        if let Some(halt) = &rollout.halt {
            let by = halt.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            let said = format!("halted{by}: {}{}", halt.why, waited_for(halt.owner.as_ref()));
            return (!through_halts).then_some(End { how: How::Halted, said });
        }
        if rollout.state != "over" {
            return None;
        }
        held = rollout.held_back.iter().map(|held| held.assets).sum();
    }
    // Behind the last wave, or before a plan: does anything go on by itself, or by somebody's approval?
    let before = ["proposed", "rehearsing", "awaiting-approval"].into_iter().map(|stage| at(view, stage));
    if before.sum::<u64>() > 0 || tally.under_way > 0 || at(view, "approved") > held {
        return None;
    }
    if tally.failed > 0 {
        let said = format!("{} need a person: tenon retry {} --asset ast_...", count(tally.failed), view.id);
        return Some(End { how: How::Failed, said });
    }
    let why = view.rollout.iter().flat_map(|rollout| &rollout.held_back).map(|held| held.why.as_str());
    let said = format!("{} held back: {}", count(tally.waiting), why.collect::<Vec<_>>().join("; "));
    Some(End { how: How::Otherwise, said })
}
