//! The model made anew, and its report.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::json;
use tenon_feeds::Depth;
use tenon_predict::report::{Material, bars, report};
use tenon_predict::{
    Contender, Correction, Day, History, ModelFile, Outcomes, Term, Training, Universe, days, evaluate, train,
};

use crate::common::{Common, Format};
use crate::progress::Bar;

/// Make the model anew from public history, and the report of how well it foresees. The same history and seed give the
/// same bytes.
#[derive(Args)]
#[command(after_help = "Examples:\n  tenon predict train --history /srv/mirror\n  \
    tenon predict train --history /srv/mirror --out model.json --report report.md --seed 7\n\n\
    The folder holds epss/epss_changes.csv.xz and its companions, kev/, exploits/, timeline/ and cve/, as a mirror does.")]
pub(super) struct Train {
    /// The folder with the history.
    #[arg(long, value_name = "FOLDER")]
    history: PathBuf,
    /// Where the model is written.
    #[arg(long, value_name = "FILE", default_value = "model.json")]
    out: PathBuf,
    /// Where the report is written.
    #[arg(long, value_name = "FILE", default_value = "model.md")]
    report: PathBuf,
    /// Seed of the sample of what did not come true.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// First day that is foreseen, with what was known before; from then on a new model every quarter.
    #[arg(long, value_name = "DAY", default_value = "2024-07-01")]
    first: Day,
}

/// Days between a day of scores and the day on which all named CVEs are measured.
const BETWEEN: i32 = 3;
/// Up to this day the public files hold the dates of publication of nearly all CVEs.
const NAMED_UNTIL: &str = "2025-05-15";

impl Train {
    pub(super) fn run(&self, common: &Common) -> Result<()> {
        let bar = Bar::new();
        let read = bar.history(&self.history, Depth::Records)?;
        let history = &read.history;
        let outcomes = Outcomes::of(history);
        let model = |terms, name, correction| {
            self.train(&bar, history, &outcomes, &read.digest, terms, name, correction)
        };
        let shipped = model(Term::FIVE, "five-restated", Correction::None)?;
        let corrected = model(Term::FIVE, "five-platt", Correction::Platt)?;
        let with_records = model(Term::WITH_RECORDS, "with-records", Correction::None)?;
        let contenders = [
            Contender::Model("Tenon", &shipped),
            Contender::Model("Tenon with Platt's correction", &corrected),
            Contender::Model("Tenon with fields of records", &with_records),
            Contender::Epss,
            Contender::LargerRank,
            Contender::Cvss,
        ];
        let of_scores = days(history, &outcomes);
        let measure = |what: &str, days: &[Day], universe| {
            bar.begin(what, days.len());
            evaluate(history, &outcomes, days, universe, &contenders, &mut |_| bar.step())
        };
        let scored = measure("measuring CVEs with a score", &of_scores, Universe::Scored);
        let until: Day = NAMED_UNTIL.parse()?;
        let between: Vec<Day> =
            of_scores.iter().map(|day| day.plus(BETWEEN)).filter(|day| *day <= until).collect();
        let named = measure("measuring all named CVEs", &between, Universe::Named);
        drop(bar);

        let total = scored.standings.first().map(|standing| standing.total.clone()).unwrap_or_default();
        let file = shipped.clone().with_calibration(&total);
        let material =
            Material { history, models: &shipped, contenders: &contenders, scored: &scored, named: &named };
        write(&self.out, &file.text())?;
        write(&self.report, &report(&material))?;
        let bars = bars(&material);
        match common.format {
            Format::Json => {
                let bars: Vec<_> = bars
                    .iter()
                    .map(|bar| json!({ "what": bar.what, "figure": bar.figure, "holds": bar.holds }))
                    .collect();
                let version = file.newest().map(|model| model.version.clone());
                println!("{}", serde_json::to_string_pretty(&json!({ "model": version, "bars": bars }))?);
            }
            Format::Text => {
                for bar in &bars {
                    let holds = if bar.holds { "holds" } else { "FAILS" };
                    println!("{holds}  {}\n         {}", bar.what, bar.figure);
                }
                eprintln!("wrote {} and {}", self.out.display(), self.report.display());
            }
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "three models differ in the last three")]
    fn train(
        &self,
        bar: &Bar,
        history: &History,
        outcomes: &Outcomes,
        digest: &str,
        terms: &[Term],
        name: &str,
        correction: Correction,
    ) -> Result<ModelFile> {
        bar.begin(&format!("training {name}"), days(history, outcomes).len());
        let training = Training { terms, seed: self.seed, first: self.first, name, correction };
        let models = train(history, outcomes, &training, &mut |_| bar.step())?;
        Ok(ModelFile::new(self.seed, digest.to_owned(), models))
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
