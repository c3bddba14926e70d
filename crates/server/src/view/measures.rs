//! Measures of the loop, as people see them, with what each of them means.

use serde::{Deserialize, Serialize};
use tenon_engine::{Day, Figures, Measured, Spread, Step, World};
use tenon_model::{GroupName, Timestamp};
use utoipa::ToSchema;

use super::trend::day_of;

/// Most groups that are told one by one.
const MAX_GROUPS: usize = 1_000;

/// Where the time of a span went, and how things ended, for the estate and for each group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeasuresView {
    /// Position of the journal that this shows.
    pub generation: u64,
    /// The first day, of 24 hours in UTC, as in 2026-11-25.
    pub first: String,
    /// The last day, as far as it is gone.
    pub last: String,
    /// Since when is counted, RFC 3339: what the record no longer holds was not counted. `None` where all of it was.
    pub counted_since: Option<String>,
    /// The group that was asked for; `None`: all of them together.
    pub group: Option<String>,
    /// The figures of all of them together.
    pub whole: FiguresView,
    /// The same for each group, by name, at most 1,000; empty where one was asked for.
    pub groups: Vec<GroupFiguresView>,
    /// What each figure means.
    pub definitions: Vec<DefinitionView>,
}

/// The figures of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupFiguresView {
    /// The group.
    pub group: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: FiguresView,
}

/// The figures of a span. Each is explained in `definitions`, under its name here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FiguresView {
    /// Cases that began and ended.
    pub cases: CasesView,
    /// From the beginning of a case until it was verified.
    pub remediation: DurationsView,
    /// Where that time went, step by step.
    pub steps: Vec<StepView>,
    /// What that time was spent on: people, machines, windows.
    pub waited_for: Vec<WaitView>,
    /// Until half of the cases are done.
    pub half_life: HalfLifeView,
    /// Cases that came due, and were done by then.
    pub sla: ShareView,
    /// Directives that came due, and were done by then.
    pub sla_directives: ShareView,
    /// Open cases whose due date is past, of all open ones.
    pub overdue: ShareView,
    /// Open directives whose due date is past.
    pub overdue_directives: u64,
    /// Changes that were verified, of all that ended.
    pub change_success: ShareView,
    /// How changes ended.
    pub changes: ChangesView,
    /// Rehearsals that foretold a failure, of all that told anything.
    pub foretold: ShareView,
    /// How rehearsals ended.
    pub rehearsals: RehearsalsView,
    /// Time of open cases.
    pub exposure: ExposureView,
    /// From a directive's being raised until every host showed the fix.
    pub directives: DurationsView,
    /// Where that time went, up to the first host each.
    pub directive_steps: Vec<MilestoneView>,
    /// How directives ended.
    pub closings: ClosingsView,
}

/// Cases that began and ended in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CasesView {
    /// That began.
    pub begun: u64,
    /// That Tenon changed, and a later report shows the fix.
    pub verified: u64,
    /// That another hand fixed.
    pub fixed_otherwise: u64,
    /// That a person refused; the findings stay open.
    pub refused: u64,
    /// Whose host was retired.
    pub retired: u64,
    /// That are not offered or not needed any more, and no newer version took them over.
    pub withdrawn: u64,
    /// That are open at its end.
    pub open: u64,
}

/// Durations of one kind, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DurationsView {
    /// How many.
    pub count: u64,
    /// Their sum, exact.
    pub seconds: u64,
    /// Half of them are at most this long, off by at most one part in 32; `None` where there is none.
    pub median_seconds: Option<u32>,
    /// Nine in ten are at most this long, likewise.
    pub p90_seconds: Option<u32>,
}

/// The time that cases spent in one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepView {
    /// `promotion`, `queue`, `rehearsal`, `approval`, `turn`, `change`, `confirmation` or `stop`.
    pub step: String,
    /// What happens or is waited for in it.
    pub says: String,
    /// Whom or what it waits for: `person`, `machine` or `window`.
    pub waits_for: String,
    /// Its share of all time, in percent with one decimal; `None` where there is none.
    pub percent: Option<String>,
    /// Its times; every verified case counts once, also with none.
    #[serde(flatten)]
    pub times: DurationsView,
}

/// The time that cases waited for one kind of thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitView {
    /// `person`, `machine` or `window`.
    pub waits_for: String,
    /// How long, in seconds.
    pub seconds: u64,
    /// Its share of all time, in percent with one decimal; `None` where there is none.
    pub percent: Option<String>,
}

/// How long it takes until half of the cases are done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HalfLifeView {
    /// In seconds, off by at most one part in 32; `None` while more than half are open.
    pub seconds: Option<u32>,
    /// Cases that began in the span.
    pub cases: u64,
    /// Of them those that are done, whoever did it.
    pub done: u64,
    /// Of them those that ended in another way: looked at until then.
    pub ended: u64,
    /// Of them those that are open: looked at until now.
    pub open: u64,
    /// What the estimate leaves open after the longest time that was looked at, in percent with one decimal; `None` where no case
    /// began.
    pub open_percent: Option<String>,
}

/// A part of a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShareView {
    /// The part.
    pub part: u64,
    /// The whole.
    pub of: u64,
    /// The one as a share of the other, in percent with one decimal; `None` where the whole is nothing.
    pub percent: Option<String>,
}

/// Changes that were ordered and ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangesView {
    /// A later report shows the fix.
    pub verified: u64,
    /// Taken back.
    pub rolled_back: u64,
    /// Failed.
    pub failed: u64,
    /// Refused by the host, where a person has to look.
    pub refused: u64,
    /// Not answered in time.
    pub silent: u64,
    /// Told to be done, and no later report shows it.
    pub unconfirmed: u64,
}

/// Rehearsals that were ordered and ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RehearsalsView {
    /// The change would hold.
    pub passed: u64,
    /// It would fail; nothing was changed.
    pub failed: u64,
    /// It could not be rehearsed.
    pub not_rehearsed: u64,
    /// Not answered in time.
    pub silent: u64,
}

/// Time of open cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExposureView {
    /// In hours with one decimal: two hosts with three open directives each for an hour are six hours.
    pub asset_hours: String,
    /// The same in seconds, exact.
    pub seconds: u64,
}

/// The time of directives up to one milestone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MilestoneView {
    /// `rehearsed`, `approved`, `changed` or `fixed`.
    pub milestone: String,
    /// From the milestone before.
    #[serde(flatten)]
    pub times: DurationsView,
}

/// Directives that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClosingsView {
    /// Every host shows the fix.
    pub fixed: u64,
    /// A newer version took over.
    pub superseded: u64,
    /// Not needed on any host any more.
    pub withdrawn: u64,
    /// Refused by a person.
    pub refused: u64,
}

/// What a figure means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DefinitionView {
    /// The name of the figure.
    pub name: String,
    /// The same for people.
    pub title: String,
    /// In what it is told.
    pub unit: String,
    /// What it is, in a sentence.
    pub says: String,
}

/// Every figure: name, title, unit, what it is. The page, the command line and `docs/reference/measures.md` show these.
pub const DEFINITIONS: [(&str, &str, &str, &str); 16] = [
    (
        "cases",
        "cases",
        "cases",
        "A case is one directive on one host: it begins when the directive first names the host, and ends verified, fixed otherwise, \
         refused, retired or withdrawn; where a newer version takes it over it goes on.",
    ),
    (
        "remediation",
        "time to fix",
        "seconds",
        "From the beginning of a case until a later report of the host shows the fix that Tenon applied, for the cases that were \
         verified in the span.",
    ),
    (
        "steps",
        "where the time went",
        "seconds",
        "The time of the cases that were verified in the span, parted into the steps in which they were: every second is in exactly \
         one step, also where a step came several times.",
    ),
    (
        "waited_for",
        "waited for",
        "percent of the time of steps",
        "What the steps waited for: a person (promotion, approval, stop), a machine (queue, rehearsal, change, confirmation) or a \
         wave or window (turn).",
    ),
    (
        "half_life",
        "half-life",
        "seconds",
        "How long it takes until half of the cases that began in the span are done, whoever did it, by the estimate of Kaplan and \
         Meier: what is open or ended otherwise counts as not done for as long as it was looked at.",
    ),
    (
        "sla",
        "done by the due date",
        "percent of cases",
        "Of the cases that came due in the span those that were done by their due date, as it was when they ended; what ended in \
         another way before it is in neither number.",
    ),
    (
        "sla_directives",
        "directives by the due date",
        "percent of directives",
        "Of the directives that came due in the span those that were fixed on every host by their due date.",
    ),
    (
        "overdue",
        "overdue",
        "percent of open cases",
        "Of the cases that are open at the end of the span those whose due date is past.",
    ),
    (
        "overdue_directives",
        "directives overdue",
        "directives",
        "Open directives whose due date is past at the end of the span.",
    ),
    (
        "change_success",
        "changes that held",
        "percent of changes",
        "Of the changes that ended in the span those that a later report of the host shows; what was taken back, failed, was refused, \
         not answered or not confirmed is not among them.",
    ),
    (
        "changes",
        "changes",
        "changes",
        "Orders to change a host by how they ended in the span; a change counts as verified when a later report shows it, not when \
         the host says so.",
    ),
    (
        "foretold",
        "failures foretold",
        "percent of rehearsals",
        "Of the rehearsals that passed or failed in the span those that failed: each is a change that would have failed on the host.",
    ),
    ("rehearsals", "rehearsals", "rehearsals", "Orders to rehearse by how they ended in the span."),
    (
        "exposure",
        "asset-hours of exposure",
        "hours",
        "The time of all cases for as long as they were open in the span, added up; what a person refused is not open.",
    ),
    (
        "directives",
        "time to fix everywhere",
        "seconds",
        "From the time a directive was raised until every host of it showed the fix, for the directives that were fixed in the span; \
         parted at the first host that was rehearsed, approved and changed, where all three happened.",
    ),
    ("closings", "directives that ended", "directives", "Directives by how they ended in the span."),
];

/// A part of a whole in percent with one decimal, rounded down.
fn percent(part: u64, of: u64) -> Option<String> {
    let tenths = (u128::from(part) * 1_000).checked_div(u128::from(of))?;
    Some(format!("{}.{}", tenths / 10, tenths % 10))
}

impl ShareView {
    fn new(part: u64, of: u64) -> Self {
        Self { part, of, percent: percent(part, of) }
    }
}

impl From<Spread> for DurationsView {
    fn from(Spread { count, seconds, median, p90 }: Spread) -> Self {
        let some = |value| (count > 0).then_some(value);
        Self { count, seconds, median_seconds: some(median), p90_seconds: some(p90) }
    }
}

/// Name of a step, what happens in it, and for whom or what it waits.
fn told(step: Step) -> (&'static str, &'static str, &'static str) {
    match step {
        Step::Promotion => ("promotion", "its group may not act until a person lets it", "person"),
        Step::Queue => ("queue", "waits for its rehearsal: for its turn on the host, or the host", "machine"),
        Step::Rehearsal => ("rehearsal", "is rehearsed on a copy of the host", "machine"),
        Step::Approval => ("approval", "rehearsed, waits for a person or a rule to approve", "person"),
        Step::Turn => ("turn", "approved, waits for its wave or window", "window"),
        Step::Change => ("change", "is changed", "machine"),
        Step::Confirmation => ("confirmation", "changed, waits for the report that shows it", "machine"),
        Step::Stop => ("stop", "failed, taken back or unclear: waits for a person", "person"),
    }
}

impl FiguresView {
    fn of(figures: &Figures) -> Self {
        let all = figures.remediation.seconds;
        let steps = Step::ALL.into_iter().zip(figures.steps).map(|(step, spread)| {
            let (name, says, waits_for) = told(step);
            StepView {
                step: name.to_owned(),
                says: says.to_owned(),
                waits_for: waits_for.to_owned(),
                percent: percent(spread.seconds, all),
                times: spread.into(),
            }
        });
        let steps: Vec<StepView> = steps.collect();
        let waited_for = ["person", "machine", "window"].map(|waits_for| {
            let of_these = steps.iter().filter(|step| step.waits_for == waits_for);
            let seconds = of_these.map(|step| step.times.seconds).sum();
            WaitView { waits_for: waits_for.to_owned(), seconds, percent: percent(seconds, all) }
        });
        let milestones = ["rehearsed", "approved", "changed", "fixed"].into_iter().zip(figures.milestones);
        let (ends, survival, due) = (figures.ends, figures.survival, figures.due);
        let (changes, rehearsals) = (figures.changes, figures.rehearsals);
        let tenths = survival.left_ppm / 1_000;
        Self {
            cases: CasesView {
                begun: figures.begun,
                verified: ends.verified,
                fixed_otherwise: ends.fixed_otherwise,
                refused: ends.refused,
                retired: ends.retired,
                withdrawn: ends.withdrawn,
                open: figures.open.cases,
            },
            remediation: figures.remediation.into(),
            steps,
            waited_for: waited_for.into(),
            half_life: HalfLifeView {
                seconds: survival.half_life,
                cases: survival.cases,
                done: survival.done,
                ended: survival.ended,
                open: survival.open,
                open_percent: (survival.cases > 0).then(|| format!("{}.{}", tenths / 10, tenths % 10)),
            },
            sla: ShareView::new(due.met, due.met + due.missed),
            sla_directives: ShareView::new(due.directives_met, due.directives_met + due.directives_missed),
            overdue: ShareView::new(figures.open.overdue, figures.open.cases),
            overdue_directives: figures.open.directives_overdue,
            change_success: ShareView::new(changes.verified, changes.all()),
            changes: ChangesView {
                verified: changes.verified,
                rolled_back: changes.rolled_back,
                failed: changes.failed,
                refused: changes.refused,
                silent: changes.silent,
                unconfirmed: changes.unconfirmed,
            },
            foretold: ShareView::new(rehearsals.failed, rehearsals.failed + rehearsals.passed),
            rehearsals: RehearsalsView {
                passed: rehearsals.passed,
                failed: rehearsals.failed,
                not_rehearsed: rehearsals.not_rehearsed,
                silent: rehearsals.silent,
            },
            exposure: ExposureView {
                asset_hours: format!(
                    "{}.{}",
                    figures.open_seconds / 3_600,
                    figures.open_seconds % 3_600 / 360
                ),
                seconds: figures.open_seconds,
            },
            directives: figures.fixed.into(),
            directive_steps: milestones
                .map(|(milestone, spread)| MilestoneView {
                    milestone: milestone.to_owned(),
                    times: spread.into(),
                })
                .collect(),
            closings: ClosingsView {
                fixed: figures.closings.fixed,
                superseded: figures.closings.superseded,
                withdrawn: figures.closings.withdrawn,
                refused: figures.closings.refused,
            },
        }
    }
}

impl MeasuresView {
    pub(crate) fn of(
        world: &World,
        (first, last): (Day, Day),
        now: Timestamp,
        only: Option<&GroupName>,
    ) -> Self {
        let Measured { since, whole, groups } = world.measures(first, last, now, only);
        let groups = groups.iter().filter(|_| only.is_none()).take(MAX_GROUPS);
        let text = str::to_owned;
        Self {
            generation: world.seq(),
            first: day_of(first),
            last: day_of(last),
            counted_since: since.map(|since| since.to_string()),
            group: only.map(ToString::to_string),
            whole: FiguresView::of(&whole),
            groups: groups
                .map(|(group, figures)| GroupFiguresView {
                    group: group.to_string(),
                    figures: FiguresView::of(figures),
                })
                .collect(),
            definitions: DEFINITIONS
                .map(|(name, title, unit, says)| DefinitionView {
                    name: text(name),
                    title: text(title),
                    unit: text(unit),
                    says: text(says),
                })
                .into(),
        }
    }
}
