//! The report of a model, as Markdown: every figure is computed here from the evaluations it is given.

mod bars;
mod classes;

use std::fmt::Write as _;

use crate::measure::{HEADS, Means, Placed};
use crate::{Contender, Difference, Evaluation, History, ModelFile, half_year, paired};

pub use bars::bars;

/// What a report is made of. In both evaluations the model that ships is the first contender.
#[derive(Debug)]
pub struct Material<'m> {
    /// What it was measured on.
    pub history: &'m History,
    /// The model that ships, with its forerunners.
    pub models: &'m ModelFile,
    /// The contenders.
    pub contenders: &'m [Contender<'m>],
    /// On the days of scores, over CVEs with a score.
    pub scored: &'m Evaluation,
    /// Between days of scores, over all CVEs that could be named.
    pub named: &'m Evaluation,
}

/// A measure of one placed CVE, and its name.
type Measure = (&'static str, fn(&Placed) -> f64);

pub(crate) const MEASURES: [Measure; 5] = [
    ("ROC-AUC", |placed| placed.below),
    ("average precision", |placed| placed.precision),
    ("first 1,000", |placed| placed.heads[1]),
    ("1% effort", |placed| placed.heads[2]),
    ("5% effort", |placed| placed.heads[3]),
];
/// Seed of the draws for intervals.
pub(crate) const DRAW_SEED: u64 = 20_260_807;

/// Writes the report.
pub fn report(material: &Material<'_>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _written = write(material, &mut text);
    text
}

fn write(material: &Material<'_>, text: &mut String) -> std::fmt::Result {
    let Material { models, contenders, scored, named, .. } = material;
    writeln!(
        text,
        "# How well exploitation is foreseen\n\n\
         Made by `tenon predict train`; do not edit. Target: {}. History: SHA-256 `{}`. Seed {}.\n",
        models.target, models.history, models.seed
    )?;
    bars::write(material, text)?;
    writeln!(
        text,
        "\n## Split\n\n\
         Only time splits. A model that is usable from day Q learned from forecasts of days D with D + 30 < Q, so that every\n\
         outcome it saw was over. On each day below the newest usable model is asked; nothing dated after the day is visible.\n\n\
         On the first day of scores of a new EPSS model there is a model too: the one before, restated, so that the same CVEs have\n\
         nearly the same forecasts by the new scores as by the old ones. No outcome goes into that. Later models begin from it and\n\
         learn from what comes under the new scores. Without it the scores of March 2025, which rose for CVEs with public exploits,\n\
         made the highest forecasts of that spring three to six times too high.\n\n\
         | usable from | learned from | to | came true | intercept | {} | no score stands for |\n\
         | --- | --- | --- | --- | --- | {} | --- |",
        models.newest().map_or_else(String::new, |model| {
            model.terms.iter().map(|(term, _)| term.to_string()).collect::<Vec<_>>().join(" | ")
        }),
        models.newest().map_or_else(String::new, |model| vec!["---"; model.terms.len()].join(" | "))
    )?;
    for model in &models.models {
        let terms: Vec<String> = model.terms.iter().map(|(_, coefficient)| milli(*coefficient)).collect();
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | EPSS {:.5} |",
            model.usable_from,
            model.first,
            model.last,
            model.positives,
            milli(model.intercept),
            terms.join(" | "),
            (model.missing_score as f64 / 1e6).exp()
        )?;
    }
    writeln!(
        text,
        "\nThe coefficients of each model know nothing of the days that it is measured on. The form does: which five terms, how age\n\
         enters and how strong the ridge is were chosen among about twenty variants on these same days, which differed by 3 points\n\
         of coverage at most. Restating was chosen for calibration on these days too, after three ways to bring the scores of EPSS's\n\
         models to one scale (by a line through all quantiles, through the upper ones, and quantile by quantile) failed the same bar\n\
         (0.36 to 0.41 in its lowest bin); it has no number that was tuned. Boosted trees were not tried here.\n\n## CVEs with an EPSS score\n"
    )?;
    span(scored, text)?;
    orders(contenders, scored, text)?;
    pairs(contenders, scored, text)?;
    calibration(contenders, scored, text)?;
    writeln!(
        text,
        "\n## All CVEs that could be named\n\n\
         Three days after each day of scores, so that CVEs of these days have no score yet; a CVE counts once a list has it\n\
         or its record was published. The files hold dates of publication of nearly all CVEs only up to 2025-05-15 (of those\n\
         first scored in 2024: 96 to 98 in 100, and all that were listed), so later days cannot be measured this way.\n"
    )?;
    span(named, text)?;
    orders(contenders, named, text)?;
    pairs(contenders, named, text)?;
    calibration(contenders, named, text)?;
    classes::write(material, text)
}

fn milli(micro: i64) -> String {
    format!("{:.3}", micro as f64 / 1e6)
}

fn span(evaluation: &Evaluation, text: &mut String) -> std::fmt::Result {
    let (listed, reachable) = evaluation.listed;
    let (Some(first), Some(last)) = (evaluation.days.first(), evaluation.days.last()) else {
        return writeln!(text, "No day could be measured.");
    };
    let shipped = evaluation.standings.first();
    let mut cves: Vec<_> =
        shipped.map(|shipped| shipped.placed.iter().map(|one| one.cve).collect()).unwrap_or_default();
    cves.sort_unstable();
    cves.dedup();
    writeln!(
        text,
        "{} days from {first} to {last}, {:.0} CVEs a day. {listed} times a CVE was listed in the 30 days after a day; {reachable} of\n\
         them ({} CVEs) could be ordered on the day, the other {} were not public or had no score.\n",
        evaluation.days.len(),
        evaluation.eligible,
        cves.len(),
        listed - reachable
    )
}

/// The half-years that an evaluation has.
pub(crate) fn half_years(evaluation: &Evaluation) -> Vec<(u16, u8)> {
    let mut halves: Vec<_> = evaluation.days.iter().map(|day| half_year(*day)).collect();
    halves.dedup();
    halves
}

/// What a contender placed in a half-year; in all of them for `None`.
pub(crate) fn placed(evaluation: &Evaluation, contender: usize, half: Option<(u16, u8)>) -> Vec<Placed> {
    let all =
        evaluation.standings.get(contender).map(|standing| standing.placed.as_slice()).unwrap_or_default();
    all.iter().filter(|placed| half.is_none_or(|half| half_year(placed.day) == half)).copied().collect()
}

fn orders(contenders: &[Contender<'_>], evaluation: &Evaluation, text: &mut String) -> std::fmt::Result {
    let heads: Vec<String> = HEADS.iter().map(ToString::to_string).collect();
    writeln!(
        text,
        "Means over what was listed; coverage by the first CVEs of each day's order.\n\n\
         | half-year | order | came true | ROC-AUC | average precision | {} |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        heads.join(" | ")
    )?;
    for half in half_years(evaluation).into_iter().map(Some).chain([None]) {
        for (place, contender) in contenders.iter().enumerate() {
            let means = Means::of(placed(evaluation, place, half).iter());
            let coverage: Vec<String> =
                means.coverage.iter().map(|share| format!("{:.1}%", share * 100.0)).collect();
            writeln!(
                text,
                "| {} | {contender} | {} | {:.3} | {:.4} | {} |",
                half.map_or("all".to_owned(), |(year, half)| format!("{year} {half}")),
                means.rows,
                means.roc_auc,
                means.average_precision,
                coverage.join(" | ")
            )?;
        }
    }
    Ok(())
}

fn pairs(contenders: &[Contender<'_>], evaluation: &Evaluation, text: &mut String) -> std::fmt::Result {
    let names: Vec<&str> = MEASURES.iter().map(|(name, _)| *name).collect();
    writeln!(
        text,
        "\nIn pairs: the shipped model less the other, on the same CVEs and days, with the interval that holds 95 of 100 draws of\n\
         whole CVEs.\n\n| against | {} |\n| --- | --- | --- | --- | --- | --- |",
        names.join(" | ")
    )?;
    let shipped = placed(evaluation, 0, None);
    for (place, contender) in contenders.iter().enumerate().skip(1) {
        let other = placed(evaluation, place, None);
        let cells: Vec<String> =
            MEASURES.iter().map(|(_, value)| interval(paired(&shipped, &other, DRAW_SEED, value))).collect();
        writeln!(text, "| {contender} | {} |", cells.join(" | "))?;
    }
    Ok(())
}

pub(crate) fn interval(difference: Difference) -> String {
    format!("{:+.3} ({:+.3} to {:+.3})", difference.mean, difference.low, difference.high)
}

fn calibration(contenders: &[Contender<'_>], evaluation: &Evaluation, text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "\nForecast and outcome, in bins of half a power of ten. EPSS foresees exploitation activity, not listing, so that its\n\
         numbers are not meant for this target; they are here to be seen.\n\n\
         | forecast | order | forecasts | expected | observed | observed/expected |\n| --- | --- | --- | --- | --- | --- |"
    )?;
    for (contender, standing) in contenders.iter().zip(&evaluation.standings) {
        for (k, bin) in standing.total.bins() {
            // Of next to nothing expected, a ratio says nothing.
            let ratio = (bin.expected >= 0.5).then(|| format!("{:.2}", bin.observed / bin.expected));
            writeln!(
                text,
                "| 10^{:.1} to 10^{:.1} | {contender} | {:.0} | {:.1} | {:.0} | {} |",
                f64::from(k) / 2.0,
                f64::from(k + 1) / 2.0,
                bin.rows,
                bin.expected,
                bin.observed,
                ratio.as_deref().unwrap_or("-")
            )?;
        }
    }
    writeln!(
        text,
        "\nLog-loss skill over the base rate (which is known only afterwards), by half-year:\n\n\
         | half-year | order | expected | observed | skill |\n| --- | --- | --- | --- | --- |"
    )?;
    for (contender, standing) in contenders.iter().zip(&evaluation.standings) {
        let whole =
            (standing.total != crate::Calibration::default()).then_some(("all".to_owned(), &standing.total));
        let halves = standing.calibration.iter().map(|((year, half), one)| (format!("{year} {half}"), one));
        for (name, one) in halves.chain(whole) {
            let (expected, observed) = one.totals();
            writeln!(text, "| {name} | {contender} | {expected:.0} | {observed:.0} | {:+.3} |", one.skill())?;
        }
    }
    Ok(())
}
