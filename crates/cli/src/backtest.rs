//! Policies replayed over real history.

mod fleet;

use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use tenon_feeds::Depth;
use tenon_predict::backtest::{
    Acts, Counts, Fleet, Material, Policy, PolicyFile, Replay, Replayed, SUPPOSED, Said, Size, UNKNOWN,
    chart, page,
};
use tenon_predict::{Day, HORIZON, ModelFile, Outcomes, Universe};

use crate::common::{Common, Format, document};
use crate::policy::read_file;
use crate::progress::Bar;
use fleet::For;

/// Policies replayed over real history.
#[derive(Subcommand)]
pub(crate) enum Backtest {
    /// What policies would have flagged on each day of scores, and what was listed in the 30 days after.
    Run(Run),
}

/// Which CVEs a policy may flag; never those that are listed already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Eligible {
    /// Those with an EPSS score on the day.
    Scored,
    /// All that a list has, or whose record was published.
    Known,
}

/// Which verdicts of a policy file flag a CVE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Flagging {
    /// What goes out by itself: approved automatically, and no evidence asked for first.
    Automatic,
    /// What is an emergency, and not forbidden.
    Emergency,
    /// Whatever is not forbidden, by itself or by people.
    Allowed,
}

impl Flagging {
    fn acts(self) -> Acts {
        match self {
            Self::Automatic => Acts::Automatic,
            Self::Emergency => Acts::Emergency,
            Self::Allowed => Acts::Allowed,
        }
    }
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon backtest run --history /srv/mirror --from 2024-05 --to 2026-07\n  \
    tenon backtest run --history /srv/mirror --policy 'epss>=0.1' --policy model-top=1%\n  \
    tenon backtest run --history /srv/mirror --policy policy.yaml --policy bod-26-04\n  \
    tenon backtest run --history /srv/mirror --policy 'cvss>=7' --svg chart.svg --html report.html\n  \
    tenon scan --format json > scans/web1.json; tenon backtest run --history /srv/mirror --fleet scans\n\n\
    Policies: cvss>=7, epss>=0.1, epss-top=1%, kev, ssvc, bod-26-04, model>=0.001, model-top=1%, or a policy file like\n\
    that of `tenon policy`, asked about one supposed host (docs/reference/backtest.md).\n\
    effort = flagged/eligible; coverage = flagged and listed / listed that were eligible; of all = the same of everything\n\
    listed; efficiency = flagged and listed / flagged. A model is asked only on days after all that it learned from.\n\
    With --fleet: exploited = CVEs on hosts that were listed; ahead = fixed before; exposed hours = from listing to fix, summed."
)]
pub(crate) struct Run {
    /// The folder with the history: a mirror with epss/, kev/ and exploits/; timeline/ and cve/ for policies that read
    /// records, and for --eligible known.
    #[arg(long, value_name = "FOLDER", env = "TENON_HISTORY")]
    history: PathBuf,
    /// First day, or month.
    #[arg(long, value_name = "MONTH|DAY", default_value = "2024-05", value_parser = Day::first_of)]
    from: Day,
    /// Last day, or month. Days whose next 30 days are not over are left out.
    #[arg(long, value_name = "MONTH|DAY", default_value = "2026-07", value_parser = Day::last_of)]
    to: Day,
    /// A policy, or a policy file; several are compared.
    #[arg(long = "policy", value_name = "POLICY", default_values = Policy::USUAL)]
    policies: Vec<String>,
    /// Which verdicts of policy files flag.
    #[arg(long, value_enum, default_value = "automatic")]
    flagging: Flagging,
    /// Which CVEs may be flagged.
    #[arg(long, value_enum, default_value = "scored")]
    eligible: Eligible,
    /// Every day too, not only sums.
    #[arg(long)]
    days: bool,
    /// Write a chart of coverage and effort over time.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write a report: one page that needs no other file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    on: For,
    /// Another model than the one of this program.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

impl Backtest {
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        match self {
            Self::Run(run) => run.run(common),
        }
    }
}

impl Run {
    fn run(&self, common: &Common) -> Result<()> {
        if self.to < self.from {
            bail!("--to {} is before --from {}", self.to, self.from);
        }
        let models = match &self.model {
            None => ModelFile::shipped()?,
            Some(path) => ModelFile::read(&document(path, tenon_predict::MAX_MODEL)?)
                .with_context(|| path.display().to_string())?,
        };
        let policies: Vec<Policy> =
            self.policies.iter().map(|text| policy(text, self.flagging.acts())).collect::<Result<_>>()?;
        let records = self.eligible == Eligible::Known || policies.iter().any(Policy::reads_records);
        let depth = if records { Depth::Records } else { Depth::Lists };
        let universe = match self.eligible {
            Eligible::Scored => Universe::Scored,
            Eligible::Known => Universe::Named,
        };
        let fleet = self.on.read()?;
        let bar = Bar::new();
        let read = bar.history(&self.history, depth)?;
        let history = read.history;
        let outcomes = Outcomes::of(&history);
        bar.begin("replaying", history.snapshots().len());
        let span = (self.from, self.to);
        let replay = Replay { policies: &policies, universe, span, fleet: fleet.as_ref() };
        let replayed = replay.over(&history, &outcomes, &models, &mut |_| {
            bar.step();
            ControlFlow::Continue(())
        })?;
        let size = fleet.as_ref().map(Fleet::size);
        drop(bar);
        let done = replayed.first().map_or(0, |one| one.days.len());
        let open = replay.days(&history) - done;
        if done == 0 {
            bail!(
                "no day of scores from {} to {} has its next {HORIZON} days of listings in this history",
                self.from,
                self.to
            );
        }
        if open > 0 {
            eprintln!("left out: {open} days whose next {HORIZON} days of listings are not complete");
        }
        if let Some(path) = &self.svg {
            std::fs::write(path, chart(&replayed)).with_context(|| format!("writing {}", path.display()))?;
            eprintln!("wrote {}", path.display());
        }
        if let Some(path) = &self.html {
            let material = Material {
                span,
                left_out: open,
                universe,
                digest: &read.digest,
                model: models.newest().map_or("none", |model| &model.version),
                policies: &replayed,
                fleet: size,
            };
            std::fs::write(path, page(&material)).with_context(|| format!("writing {}", path.display()))?;
            eprintln!("wrote {}", path.display());
        }
        match common.format {
            Format::Json => println!("{}", serde_json::to_string_pretty(&self.json(&replayed, size))?),
            Format::Text => self.text(&replayed, size)?,
        }
        Ok(())
    }

    fn json(&self, replayed: &[Replayed], size: Option<Size>) -> Value {
        let one = |one: &Replayed| {
            json!({
                "policy": one.policy.to_string(),
                "total": counts(&one.total()),
                "by_epss_model": one.by_epss_model().iter().map(|pool| {
                    json!({ "epss_model": pool.of, "counts": counts(&pool.counts) })
                }).collect::<Vec<_>>(),
                "days": one.days,
                "said": one.said,
            })
        };
        let supposed: serde_json::Map<String, Value> =
            SUPPOSED.iter().map(|(field, value)| ((*field).to_owned(), (*value).into())).collect();
        json!({
            "from": self.from.to_string(),
            "to": self.to.to_string(),
            "horizon_days": HORIZON,
            "supposed_for_files": supposed,
            "unknown_to_files": UNKNOWN,
            "policies": replayed.iter().map(one).collect::<Vec<_>>(),
            "fleet": size.map(|size| self.on.json(size, replayed)),
        })
    }

    fn text(&self, replayed: &[Replayed], size: Option<Size>) -> Result<()> {
        let mut out = std::io::stdout().lock();
        let wide =
            replayed.iter().map(|one| one.policy.to_string().chars().count()).max().unwrap_or(0).max(14);
        writeln!(
            out,
            "{:<wide$} {:<11} {:>8} {:>8} {:>7} {:>5} {:>8} {:>6} {:>10}",
            "policy",
            "EPSS model",
            "eligible",
            "flagged",
            "effort",
            "hits",
            "coverage",
            "of all",
            "efficiency"
        )?;
        for one in replayed {
            let days = one.days.iter().filter(|_| self.days);
            for day in days {
                line(&mut out, wide, &one.policy.to_string(), &day.day.to_string(), &day.counts)?;
            }
            for pool in one.by_epss_model() {
                line(&mut out, wide, &one.policy.to_string(), &pool.of, &pool.counts)?;
            }
            line(&mut out, wide, &one.policy.to_string(), "all", &one.total())?;
        }
        for one in replayed {
            if let Some(said) = &one.said {
                writeln!(out, "{}: {}", one.policy, said_of(said))?;
            }
        }
        if let Some(first) = replayed.first() {
            let total = first.total();
            writeln!(
                out,
                "{} days; {} listings in the 30 days after them, {} of CVEs without a score on the day.",
                first.days.len(),
                total.listed,
                total.unscored_positives
            )?;
        }
        if let Some(size) = size {
            write!(out, "{}", self.on.text(size, replayed, wide))?;
        }
        Ok(())
    }
}

/// A policy: a built-in one by its name, else a file.
fn policy(text: &str, acts: Acts) -> Result<Policy> {
    let built_in = match text.parse::<Policy>() {
        Ok(policy) => return Ok(policy),
        Err(error) => error,
    };
    let path = Path::new(text);
    if !path.is_file() {
        bail!("{built_in}, and there is no policy file of this name");
    }
    let (_, policy) = read_file(path)?;
    let policy = policy.map_err(|problems| {
        let listed: Vec<String> = problems.listed().iter().map(ToString::to_string).collect();
        anyhow!("{text} is no policy (`tenon policy test {text}` says the same):\n  {}", listed.join("\n  "))
    })?;
    Ok(Policy::File(Box::new(PolicyFile { name: text.to_owned(), policy, acts })))
}

/// What a policy file said, in words.
fn said_of(said: &Said) -> String {
    let Said { automatic, people, forbidden, undecided, emergency, missing } = said;
    let missing: Vec<String> = missing.iter().map(|(field, cves)| format!("{field} ({cves})")).collect();
    let because =
        if missing.is_empty() { String::new() } else { format!(" for want of {}", missing.join(", ")) };
    format!(
        "of CVEs and days {automatic} automatic, {people} by people, {forbidden} forbidden, {undecided} undecided{because}; \
         {emergency} emergencies"
    )
}

fn counts(counts: &Counts) -> Value {
    json!({
        "eligible": counts.eligible,
        "flagged": counts.flagged,
        "true_positives": counts.true_positives,
        "positives": counts.positives,
        "unscored_positives": counts.unscored_positives,
        "listed": counts.listed,
        "effort": counts.effort(),
        "coverage": counts.coverage(),
        "coverage_of_all": counts.coverage_of_all(),
        "efficiency": counts.efficiency(),
    })
}

fn line(
    out: &mut impl std::io::Write,
    wide: usize,
    policy: &str,
    what: &str,
    counts: &Counts,
) -> std::io::Result<()> {
    let percent = |share: Option<f64>, digits: usize| {
        share.map_or("-".to_owned(), |share| format!("{:.digits$}%", share * 100.0))
    };
    let thousands = |number: u64| match number {
        0..100_000 => number.to_string(),
        100_000..10_000_000 => format!("{}k", number / 1_000),
        _ => format!("{:.1}M", number as f64 / 1e6),
    };
    writeln!(
        out,
        "{policy:<wide$} {what:<11} {:>8} {:>8} {:>7} {:>5} {:>8} {:>6} {:>10}",
        thousands(counts.eligible),
        thousands(counts.flagged),
        percent(counts.effort(), 2),
        counts.true_positives,
        percent(counts.coverage(), 1),
        percent(counts.coverage_of_all(), 1),
        percent(counts.efficiency(), 3)
    )
}
