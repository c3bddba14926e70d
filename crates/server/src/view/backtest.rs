//! Policies over history, as people see them.

use serde::{Deserialize, Serialize};
use tenon_engine::World;
use tenon_feeds::{FeedError, Survey};
use tenon_predict::backtest::{Counts, Policy, Pool, Replayed, Said};
use tenon_predict::{Day, HORIZON, ModelFile};
use utoipa::ToSchema;

use crate::api::backtest::{IN_FORCE, MOST};
use crate::backtesting::{Backtest, Progress, Standing};

/// Built-in policies that are offered besides [`Policy::USUAL`].
const FURTHER: [&str; 2] = ["epss-top=1%", "model>=0.001"];

/// Which history can be replayed, and which policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BacktestView {
    /// The history; absent where none was named, or it cannot be read.
    pub history: Option<HistoryView>,
    /// Why it cannot be read, where one was named.
    pub problem: Option<String>,
    /// Policies to compare. Built-in ones may have other thresholds too.
    pub policies: Vec<BacktestPolicyView>,
    /// How many are compared at most.
    pub most: u64,
}

/// A history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryView {
    /// The first day that can be replayed, as in 2024-05-01.
    pub first: String,
    /// The last one: all that was listed in the 30 days after it is known.
    pub last: String,
    /// How many days of scores there are from the one to the other.
    pub days: u64,
    /// The first day of which Tenon's own forecast has a model, where there is one.
    pub model_from: Option<String>,
    /// Whether records of CVEs are there too, which policies on CVSS and on published tables read.
    pub records: bool,
}

/// A policy that can be replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BacktestPolicyView {
    /// As it is asked for.
    pub policy: String,
    /// What it flags, in words.
    pub flags: String,
    /// Whether it is among those that are compared where nobody chooses.
    pub usual: bool,
    /// Whether it reads records of CVEs.
    pub records: bool,
}

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReplayState {
    /// Another one runs, and this one begins when it is asked for after that.
    Waiting,
    /// Files are read.
    Reading,
    /// Days are replayed.
    Replaying,
    /// It is done.
    Done,
}

/// How it stands with a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayView {
    /// How far it is.
    pub state: ReplayState,
    /// So many files or days are done, of the one that waits those of the other.
    pub number: u64,
    /// Of how many; 0 where that is not known yet.
    pub of: u64,
    /// What came of it, once it is done.
    pub result: Option<BacktestResultView>,
}

/// What came of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BacktestResultView {
    /// The first day that was asked for.
    pub from: String,
    /// The last one.
    pub to: String,
    /// The first day that was replayed.
    pub first: String,
    /// The last one.
    pub last: String,
    /// How many days were replayed: those of scores.
    pub days: u64,
    /// Days of scores in the span whose next 30 days of listings are not complete.
    pub left_out: u64,
    /// Days after a day within which a listing counts.
    pub horizon_days: u64,
    /// SHA-256 over the files of the history; records are not among them.
    pub digest: String,
    /// The newest model of Tenon's forecast.
    pub model: Option<String>,
    /// Lines of the files that could not be read.
    pub unread_lines: u64,
    /// What was compared, in the order of the question.
    pub policies: Vec<ReplayedPolicyView>,
}

/// A policy over many days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayedPolicyView {
    /// Its name.
    pub policy: String,
    /// What it flags, in words.
    pub flags: String,
    /// Over all days.
    pub total: BacktestCountsView,
    /// By model of EPSS, in order of time: scores of different models do not compare.
    pub by_epss_model: Vec<BacktestPartView>,
    /// By half of a year, as in `2025 H1`.
    pub by_half_year: Vec<BacktestPartView>,
    /// What a policy file said of CVEs and days; absent of built-in policies.
    pub said: Option<BacktestSaidView>,
}

/// Some of the days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BacktestPartView {
    /// What these days have in common.
    pub name: String,
    /// How many they are.
    pub days: u64,
    /// Over them.
    pub counts: BacktestCountsView,
}

/// What a policy came to. Counts are summed over days: a CVE that stays flagged counts on each, and a listing on every day of the 30
/// before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BacktestCountsView {
    /// CVEs that had a score and were not listed.
    pub eligible: u64,
    /// Those that the policy flagged.
    pub flagged: u64,
    /// Flagged, and listed in the 30 days after.
    pub true_positives: u64,
    /// Eligible, and listed in the 30 days after.
    pub positives: u64,
    /// Listed in the 30 days after, without a score on the day: most were not public yet.
    pub unscored_positives: u64,
    /// All that were listed in the 30 days after.
    pub listed: u64,
    /// Flagged of the eligible, in percent with three decimals; absent of nothing. So are the others.
    pub effort_percent: Option<String>,
    /// Flagged and listed, of the eligible that were listed.
    pub coverage_percent: Option<String>,
    /// Flagged and listed, of everything that was listed.
    pub coverage_of_all_percent: Option<String>,
    /// Flagged and listed, of the flagged.
    pub efficiency_percent: Option<String>,
}

/// What a policy file said of CVEs, summed over days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BacktestSaidView {
    /// It goes out by itself.
    pub automatic: u64,
    /// People approve, or evidence is asked for first.
    pub people: u64,
    /// It does not go out.
    pub forbidden: u64,
    /// The first rule that could match depends on a field that history does not have.
    pub undecided: u64,
    /// It is an emergency; counted beside the others.
    pub emergency: u64,
    /// The fields on which the undecided depend.
    pub missing: Vec<String>,
}

impl BacktestView {
    pub(crate) fn of(survey: Option<Result<Survey, FeedError>>, world: &World) -> Self {
        let built_in = Policy::USUAL.iter().chain(&FURTHER).filter_map(|text| {
            let policy: Policy = text.parse().ok()?;
            Some(BacktestPolicyView {
                policy: (*text).to_owned(),
                flags: policy.flags(),
                usual: Policy::USUAL.contains(text),
                records: policy.reads_records(),
            })
        });
        let in_force = world.policy().map(|known| BacktestPolicyView {
            policy: IN_FORCE.to_owned(),
            flags: format!("The policy in force, version {}, asked about one supposed host.", known.version),
            usual: true,
            records: tenon_predict::backtest::reads_records(&known.policy),
        });
        let (history, problem) = match survey {
            None => (None, None),
            Some(Err(error)) => (None, Some(error.to_string())),
            Some(Ok(survey)) => match HistoryView::of(&survey) {
                Some(history) => (Some(history), None),
                None => (None, Some(format!("no day of its scores has its next {HORIZON} days of listings"))),
            },
        };
        Self { history, problem, policies: in_force.into_iter().chain(built_in).collect(), most: MOST as u64 }
    }
}

impl HistoryView {
    /// `None` where no day can be replayed.
    fn of(survey: &Survey) -> Option<Self> {
        let days: Vec<Day> = survey.complete().collect();
        let models = ModelFile::shipped().ok();
        Some(Self {
            first: days.first()?.to_string(),
            last: days.last()?.to_string(),
            days: days.len() as u64,
            model_from: models.and_then(|models| Some(models.models.first()?.usable_from.to_string())),
            records: survey.records,
        })
    }
}

impl ReplayView {
    pub(crate) fn of(standing: &Standing) -> Self {
        let under_way = |state, number, of| Self { state, number, of, result: None };
        match standing {
            Standing::Waiting(Progress::Reading(number, of) | Progress::Replaying(number, of)) => {
                under_way(ReplayState::Waiting, *number, *of)
            }
            Standing::Running(Progress::Reading(number, of)) => under_way(ReplayState::Reading, *number, *of),
            Standing::Running(Progress::Replaying(number, of)) => {
                under_way(ReplayState::Replaying, *number, *of)
            }
            Standing::Done(backtest) => {
                Self { result: Some(BacktestResultView::of(backtest)), ..under_way(ReplayState::Done, 0, 0) }
            }
        }
    }
}

impl BacktestResultView {
    fn of(backtest: &Backtest) -> Self {
        let days = backtest.policies.first().map_or(&[][..], |one| &one.days);
        let told = |day: Option<Day>| day.map_or_else(String::new, |day| day.to_string());
        Self {
            from: backtest.span.0.to_string(),
            to: backtest.span.1.to_string(),
            first: told(days.first().map(|one| one.day)),
            last: told(days.last().map(|one| one.day)),
            days: days.len() as u64,
            left_out: backtest.left_out,
            horizon_days: u64::from(HORIZON.unsigned_abs()),
            digest: backtest.digest.clone(),
            model: backtest.model.clone(),
            unread_lines: backtest.unread,
            policies: backtest.policies.iter().map(ReplayedPolicyView::of).collect(),
        }
    }
}

impl ReplayedPolicyView {
    fn of(one: &Replayed) -> Self {
        fn part<K>(pool: &Pool<K>, name: impl Fn(&K) -> String) -> BacktestPartView {
            BacktestPartView {
                name: name(&pool.of),
                days: pool.days,
                counts: BacktestCountsView::of(&pool.counts),
            }
        }
        let half = |(year, half): &(u16, u8)| format!("{year} H{half}");
        Self {
            policy: one.policy.to_string(),
            flags: one.policy.flags(),
            total: BacktestCountsView::of(&one.total()),
            by_epss_model: one.by_epss_model().iter().map(|pool| part(pool, String::clone)).collect(),
            by_half_year: one.by_half_year().iter().map(|pool| part(pool, half)).collect(),
            said: one.said.as_ref().map(BacktestSaidView::of),
        }
    }
}

impl BacktestCountsView {
    fn of(counts: &Counts) -> Self {
        let percent = |share: Option<f64>| share.map(|share| format!("{:.3}", share * 100.0));
        Self {
            eligible: counts.eligible,
            flagged: counts.flagged,
            true_positives: counts.true_positives,
            positives: counts.positives,
            unscored_positives: counts.unscored_positives,
            listed: counts.listed,
            effort_percent: percent(counts.effort()),
            coverage_percent: percent(counts.coverage()),
            coverage_of_all_percent: percent(counts.coverage_of_all()),
            efficiency_percent: percent(counts.efficiency()),
        }
    }
}

impl BacktestSaidView {
    fn of(said: &Said) -> Self {
        let Said { automatic, people, forbidden, undecided, emergency, missing } = said;
        Self {
            automatic: *automatic,
            people: *people,
            forbidden: *forbidden,
            undecided: *undecided,
            emergency: *emergency,
            missing: missing.keys().map(|field| (*field).to_owned()).collect(),
        }
    }
}
