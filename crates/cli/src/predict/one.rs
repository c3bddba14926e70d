//! The forecast of one CVE.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use tenon_feeds::{Depth, Foresight, VulnerabilityFacts, known_by};
use tenon_host::now;
use tenon_model::{Probability, VulnerabilityId};
use tenon_predict::{CveId, Day, Driver, Forecast, Known, Model, ModelFile, Term};

use crate::common::{Common, Format, document};
use crate::feeds::Place;
use crate::progress::Bar;

/// A CVE and where to look.
#[derive(Args)]
pub(super) struct One {
    /// The CVE.
    id: Option<CveId>,
    #[command(flatten)]
    place: Place,
    /// As it would have been foreseen on an earlier day, from the public history in this folder.
    #[arg(long, value_name = "FOLDER", requires = "on")]
    history: Option<PathBuf>,
    /// The day: nothing that became known later counts, nor does a model that learned from later.
    #[arg(long, value_name = "DAY", requires = "history")]
    on: Option<Day>,
    /// Another model than the one of this program.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

/// What is said of one CVE.
struct Said<'m> {
    id: CveId,
    day: Day,
    model: &'m Model,
    file: &'m ModelFile,
    /// Listed already: there is nothing left to foresee.
    listed: bool,
    named: Day,
    forecast: Forecast,
}

impl One {
    pub(super) fn run(&self, common: &Common) -> Result<()> {
        let Some(id) = self.id else {
            bail!("name a CVE (tenon predict CVE-2024-6387) or see tenon predict --help");
        };
        let models = match &self.model {
            None => ModelFile::shipped()?,
            Some(path) => {
                let bytes = document(path, tenon_predict::MAX_MODEL)?;
                ModelFile::read(&bytes).with_context(|| path.display().to_string())?
            }
        };
        let say = |known: &Known| -> Result<()> {
            let model = models.on(known.day()).with_context(|| {
                let first = models.models.first().map(|model| model.usable_from.to_string());
                format!(
                    "no model could be used on {}: the first one can from {}",
                    known.day(),
                    first.unwrap_or_default()
                )
            })?;
            let said = Said {
                id,
                day: known.day(),
                model,
                file: &models,
                listed: known.is_listed(),
                named: known.first_named(),
                forecast: model.forecast(known),
            };
            match common.format {
                Format::Json => println!("{}", serde_json::to_string_pretty(&said.json())?),
                Format::Text => print!("{}", said.text()),
            }
            Ok(())
        };
        if let (Some(folder), Some(day)) = (&self.history, self.on) {
            let bar = Bar::new();
            let history = bar.history(folder, Depth::Lists)?.history;
            drop(bar);
            let known = history.find(id).and_then(|cve| history.on(day).get(cve));
            let Some(known) = known else { bail!("nothing was known of {id} by the end of {day}") };
            return say(&known);
        }
        let store = self.place.read(common)?;
        let vulnerability: VulnerabilityId = id.to_string().parse()?;
        let (facts, feeds, advisories) = store.consistent(|store| {
            Ok((store.intel(&vulnerability)?, store.feeds()?, store.advisories_addressing(&vulnerability)?))
        })?;
        if facts == VulnerabilityFacts::default() && advisories.is_empty() {
            bail!("no feed at hand knows {id}: `tenon feeds status` tells how old they are");
        }
        let today = Day::of(now()).context("this host's clock is outside 1970 to 9999")?;
        let day = Foresight::of(&models, &feeds, now()).map_or(today, |foresight| foresight.day());
        let advised = advisories.iter().filter_map(|advisory| advisory.published).min();
        let (dated, named) = known_by(id, &facts, advised, day);
        say(&Known::from_facts(id, &dated, day, named))
    }
}

fn percent(probability: Probability) -> String {
    format!("{}%", f64::from(probability.ppm()) / 1e4)
}

impl Said<'_> {
    fn json(&self) -> Value {
        let like = self.file.like(self.forecast.probability);
        json!({
            "cve": self.id.to_string(),
            "as_of": self.day.to_string(),
            "target": self.file.target,
            "listed": self.listed,
            "probability_ppm": if self.listed { Probability::ONE.ppm() } else { self.forecast.probability.ppm() },
            "log_odds_micro": self.forecast.log_odds,
            "model": self.model.version,
            "learned_until": self.model.usable_from.plus(-1).to_string(),
            "first_named": self.named.to_string(),
            "drivers": self.forecast.drivers.iter().map(|driver| json!({
                "term": driver.term,
                "value_micro": driver.value,
                "adds_log_odds_micro": driver.adds,
                "without_ppm": driver.without.ppm(),
            })).collect::<Vec<_>>(),
            "calibration": like.map(|seen| json!({
                "forecasts": seen.forecasts,
                "expected": seen.expected_tenths as f64 / 10.0,
                "observed": seen.observed,
            })),
        })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _written = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "{}  as of {}", self.id, self.day)?;
        if self.listed {
            return writeln!(
                text,
                "  CISA lists it: it is exploited somewhere, and there is nothing left to foresee"
            );
        }
        writeln!(text, "  {} {}", percent(self.forecast.probability), self.file.target)?;
        for driver in &self.forecast.drivers {
            writeln!(text, "    {:<30} {}", driver.term.to_string(), self.driver(driver))?;
        }
        match self.file.like(self.forecast.probability) {
            Some(seen) => writeln!(
                text,
                "  calibration  {} earlier forecasts like this one: {:.1} expected, {} came true",
                seen.forecasts,
                seen.expected_tenths as f64 / 10.0,
                seen.observed
            )?,
            None => writeln!(text, "  calibration  there was no earlier forecast like this one")?,
        }
        writeln!(
            text,
            "  model        {}, learned from what came until {}",
            self.model.version,
            self.model.usable_from.plus(-1)
        )
    }

    /// The term's value in words, and how many times it makes the odds what they would be without it.
    fn driver(&self, driver: &Driver) -> String {
        let value = match (driver.term, driver.value) {
            (Term::LnEpss, None) => "no score yet".to_owned(),
            (Term::LnEpss, Some(micro)) => format!("{:.5}", (micro as f64 / 1e6).exp()),
            (Term::LnAge | Term::LnAgeByRecord, _) => {
                format!("{} days", self.day.since(self.named).max(0))
            }
            (Term::Cvss, value) => format!("{:.1}", value.unwrap_or(0) as f64 / 1e5),
            (_, Some(value)) if value > 0 => "yes".to_owned(),
            _ => "no".to_owned(),
        };
        let times = (driver.adds as f64 / 1e6).exp();
        format!("{value:<14} odds x {times:<8.2} {} without it", percent(driver.without))
    }
}
