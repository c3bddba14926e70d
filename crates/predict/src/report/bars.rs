//! The figures that a shipped model must hold, each beside its bar.

use std::fmt::Write as _;

use super::{DRAW_SEED, MEASURES, Material, half_years, interval, placed};
use crate::measure::{Means, Placed};
use crate::{Contender, Evaluation, paired};

/// A bar and whether it is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What must hold.
    pub what: String,
    /// What was measured.
    pub figure: String,
    /// Whether it holds.
    pub holds: bool,
}

/// Every bar of both evaluations.
pub fn bars(material: &Material<'_>) -> Vec<Bar> {
    let mut bars = Vec::new();
    for (name, evaluation) in [("scored", material.scored), ("all named", material.named)] {
        above_epss(name, material.contenders, evaluation, &mut bars);
        calibrated(name, evaluation, &mut bars);
        above_rule(name, material.contenders, evaluation, &mut bars);
    }
    not_below(material, &mut bars);
    no_leak(material, &mut bars);
    bars
}

pub(super) fn write(material: &Material<'_>, text: &mut String) -> std::fmt::Result {
    writeln!(text, "## Figures beside their bars\n\n| what | figure | holds |\n| --- | --- | --- |")?;
    for bar in bars(material) {
        writeln!(text, "| {} | {} | {} |", bar.what, bar.figure, if bar.holds { "yes" } else { "**no**" })?;
    }
    Ok(())
}

fn above_epss(name: &str, contenders: &[Contender<'_>], evaluation: &Evaluation, bars: &mut Vec<Bar>) {
    let Some(epss) = contenders.iter().position(|one| matches!(one, Contender::Epss)) else { return };
    for (year, half) in half_years(evaluation) {
        let of = |contender| Means::of(placed(evaluation, contender, Some((year, half))).iter());
        let (ours, theirs) = (of(0), of(epss));
        bars.push(Bar {
            what: format!("{name}, {year} half {half}: ROC-AUC and average precision above EPSS"),
            figure: format!(
                "{:.3} against {:.3}; {:.4} against {:.4}",
                ours.roc_auc, theirs.roc_auc, ours.average_precision, theirs.average_precision
            ),
            holds: ours.roc_auc > theirs.roc_auc && ours.average_precision > theirs.average_precision,
        });
    }
}

fn calibrated(name: &str, evaluation: &Evaluation, bars: &mut Vec<Bar>) {
    let Some(shipped) = evaluation.standings.first() else { return };
    let ratios: Vec<f64> = shipped
        .total
        .bins()
        .filter(|(_, bin)| bin.expected >= 20.0)
        .map(|(_, bin)| bin.observed / bin.expected)
        .collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(0.0, f64::max);
    bars.push(Bar {
        what: format!("{name}: observed/expected from 0.5 to 2 in every bin with 20 or more expected"),
        figure: format!("{least:.2} to {most:.2} in {} bins", ratios.len()),
        holds: !ratios.is_empty() && least >= 0.5 && most <= 2.0,
    });
    bars.push(Bar {
        what: format!("{name}: log-loss skill over the base rate is positive"),
        figure: format!("{:+.3}", shipped.total.skill()),
        holds: shipped.total.skill() > 0.0,
    });
}

fn above_rule(name: &str, contenders: &[Contender<'_>], evaluation: &Evaluation, bars: &mut Vec<Bar>) {
    let Some(rule) = contenders.iter().position(|one| matches!(one, Contender::LargerRank)) else { return };
    let (ours, theirs) = (placed(evaluation, 0, None), placed(evaluation, rule, None));
    // A difference counts when its whole interval says so; at 5% it is enough not to be below.
    for (place, least, words) in [(3, 0.0, "above"), (2, 0.0, "above"), (4, -0.001, "not below")] {
        let (measure, value) = MEASURES[place];
        let difference = paired(&ours, &theirs, DRAW_SEED, value);
        bars.push(Bar {
            what: format!("{name}: coverage of {measure} {words} the larger of two ranks"),
            figure: interval(difference),
            holds: difference.low > least,
        });
    }
}

/// Not more than three points of coverage below another model.
fn not_below(material: &Material<'_>, bars: &mut Vec<Bar>) {
    let ours = placed(material.scored, 0, None);
    let at_one_percent = |placed: &Placed| MEASURES[3].1(placed);
    for (place, contender) in material.contenders.iter().enumerate().skip(1) {
        if !matches!(contender, Contender::Model(..)) {
            continue;
        }
        let theirs = placed(material.scored, place, None);
        let difference = paired(&ours, &theirs, DRAW_SEED, at_one_percent);
        bars.push(Bar {
            what: format!("scored: coverage at 1% effort not 3 points below {contender}"),
            figure: interval(difference),
            holds: difference.mean > -0.03,
        });
    }
}

/// A leak of the answer shows at the very top: a leaky model of this target reached an average precision of 0.139 and a
/// quarter of what was listed in the first hundred. The area under the ROC curve hardly moves.
fn no_leak(material: &Material<'_>, bars: &mut Vec<Bar>) {
    let means = Means::of(placed(material.scored, 0, None).iter());
    bars.push(Bar {
        what: "scored: no sign of a leak (average precision below 0.1, coverage of the first 100 below 20%)"
            .to_owned(),
        figure: format!("{:.4}; {:.1}%", means.average_precision, means.coverage[0] * 100.0),
        holds: means.average_precision < 0.1 && means.coverage[0] < 0.2,
    });
}
