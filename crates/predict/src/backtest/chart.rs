//! A chart of replayed policies, as SVG without scripts or outside parts.

use std::fmt::Write as _;

use super::{Counts, Replayed};
use crate::Day;

const PLOT: f64 = 220.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 60.0;
/// Between two plots: the dates of the one and the title of the other.
const GAP: f64 = 64.0;
/// Days over which a line is a mean: one day's few listings say little.
const WINDOW: i32 = 91;
/// Colour on white, colour on black, dashes: told apart also without colour.
pub(super) const STYLES: [(&str, &str, &str); 12] = [
    ("#1b6ca8", "#6cb6f0", ""),
    ("#c2410c", "#fb923c", "6 3"),
    ("#15803d", "#4ade80", "2 3"),
    ("#7e22ce", "#c4a1f7", "10 3"),
    ("#854d0e", "#e3b341", "8 3 2 3"),
    ("#be123c", "#fb7185", "1 4"),
    ("#0f766e", "#2dd4bf", "12 4 4 4"),
    ("#475569", "#a3b1c6", "4 2"),
    ("#a21caf", "#f0abfc", "14 3 2 3"),
    ("#4d7c0f", "#bef264", "1 2"),
    ("#111827", "#f3f4f6", "3 6"),
    ("#4338ca", "#a5b4fc", "9 5"),
];

type Measure = (&'static str, fn(&Counts) -> Option<f64>);

/// For what a chart is drawn: text keeps its size, so that a narrow one is not a wide one made small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A page or a slide.
    Wide,
    /// A telephone.
    Narrow,
}

/// Coverage and effort of each policy over time, the latter on a logarithmic axis.
pub fn chart(policies: &[Replayed]) -> String {
    drawn(policies, Shape::Wide)
}

pub(super) fn drawn(policies: &[Replayed], shape: Shape) -> String {
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _written = draw(policies, shape, &mut svg);
    svg
}

fn draw(policies: &[Replayed], shape: Shape, svg: &mut String) -> std::fmt::Result {
    let (width, note, titles) = match shape {
        Shape::Wide => {
            let coverage = "Coverage: share of the later listed that was flagged";
            (900.0, LEFT, [coverage, "Effort: share of all that was flagged"])
        }
        Shape::Narrow => (360.0, 8.0, ["Coverage", "Effort"]),
    };
    let days = || policies.iter().flat_map(|one| one.days.iter().map(|day| day.day));
    let height = TOP + 2.0 * (PLOT + GAP) + 22.0 * policies.len() as f64 + 20.0;
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"13\" role=\"img\"><title>Policies over history</title>\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
    )?;
    let (Some(first), Some(last)) = (days().min(), days().max()) else {
        return writeln!(svg, "<text x=\"20\" y=\"40\">No day to show.</text></svg>");
    };
    let x = |day: Day| {
        LEFT + (width - LEFT - 20.0) * f64::from(day.since(first)) / f64::from(last.since(first).max(1))
    };
    let measures: [Measure; 2] = [(titles[0], Counts::coverage), (titles[1], Counts::effort)];
    for (place, (title, measure)) in measures.into_iter().enumerate() {
        let top = TOP + place as f64 * (PLOT + GAP);
        let logarithmic = place == 1;
        // A share on the axis; the logarithmic one ends at a hundredth of a percent.
        let y = |share: f64| {
            let part = if logarithmic { 1.0 + share.max(1e-4).log10() / 4.0 } else { share };
            top + PLOT * (1.0 - part)
        };
        writeln!(svg, "<text x=\"{LEFT}\" y=\"{:.0}\" font-weight=\"bold\">{title}</text>", top - 12.0)?;
        let ticks: &[f64] =
            if logarithmic { &[1e-4, 1e-3, 1e-2, 0.1, 1.0] } else { &[0.0, 0.25, 0.5, 0.75, 1.0] };
        for tick in ticks {
            writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{1:.1}\" y2=\"{1:.1}\" stroke=\"#ddd\"/>\
                 <text x=\"{2:.0}\" y=\"{3:.1}\" text-anchor=\"end\">{4}%</text>",
                width - 20.0,
                y(*tick),
                LEFT - 6.0,
                y(*tick) + 4.0,
                tick * 100.0
            )?;
        }
        for (at, model) in switches(policies) {
            // Near the right edge the name stands left of its line.
            let (away, anchor) = if x(at) > width - 120.0 { (-3.0, "end") } else { (3.0, "start") };
            writeln!(
                svg,
                "<line x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{1:.1}\" y2=\"{2:.1}\" stroke=\"#999\" stroke-dasharray=\"3 3\"/>\
                 <text x=\"{3:.1}\" y=\"{4:.1}\" fill=\"#555\" text-anchor=\"{anchor}\">{model}</text>",
                x(at),
                top,
                top + PLOT,
                x(at) + away,
                top + 12.0
            )?;
        }
        for (one, (colour, _, dash)) in policies.iter().zip(STYLES.iter().cycle()) {
            let points: Vec<String> = one
                .days
                .iter()
                .filter_map(|day| {
                    let mut sum = Counts::default();
                    let near = |other: Day| other <= day.day && day.day.since(other) < WINDOW;
                    one.days.iter().filter(|other| near(other.day)).for_each(|other| sum.add(&other.counts));
                    Some(format!("{:.1},{:.1}", x(day.day), y(measure(&sum)?)))
                })
                .collect();
            writeln!(
                svg,
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\" points=\"{}\"/>",
                points.join(" ")
            )?;
        }
        writeln!(
            svg,
            "<text x=\"{LEFT}\" y=\"{0:.0}\">{first}</text><text x=\"{1:.0}\" y=\"{0:.0}\" text-anchor=\"end\">{last}</text>",
            top + PLOT + 18.0,
            width - 20.0
        )?;
    }
    for (place, (one, (colour, _, dash))) in policies.iter().zip(STYLES.iter().cycle()).enumerate() {
        let y = TOP + 2.0 * (PLOT + GAP) + 22.0 * place as f64;
        writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{0:.0}\" y1=\"{1:.0}\" y2=\"{1:.0}\" stroke=\"{colour}\" stroke-width=\"2\" \
             stroke-dasharray=\"{dash}\"/><text x=\"{2:.0}\" y=\"{3:.0}\">{4}</text>",
            LEFT + 40.0,
            y,
            LEFT + 50.0,
            y + 4.0,
            escaped(&one.policy.to_string())
        )?;
    }
    writeln!(
        svg,
        "<text x=\"{note}\" y=\"24\">Means over {WINDOW} days. Dashed: a new EPSS model.</text></svg>"
    )
}

/// First days of EPSS models.
fn switches(policies: &[Replayed]) -> Vec<(Day, String)> {
    let Some(one) = policies.first() else { return Vec::new() };
    let changed = one.days.windows(2).filter(|two| two[0].epss_model != two[1].epss_model);
    changed.map(|two| (two[1].day, escaped(&two[1].epss_model))).collect()
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
