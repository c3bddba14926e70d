//! Where the model fails: coverage by kinds of CVEs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Material, placed};
use crate::measure::{Means, Placed};
use crate::{Contender, Evaluation, Known, Sighting};

pub(super) fn write(material: &Material<'_>, text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "\n## Where it fails\n\n\
         Coverage of what was listed, by what was known of it on the day. EPSS on the same CVEs beside it.\n\n\
         | kind | came true | model, 1% effort | EPSS, 1% effort | model, 5% effort |\n| --- | --- | --- | --- | --- |"
    )?;
    let mut kinds: BTreeMap<&'static str, Kind> = BTreeMap::new();
    gather(material, material.scored, &mut kinds, |known| kinds_of(known).to_vec());
    gather(material, material.named, &mut kinds, |known| match known.score() {
        None => vec!["no score (all named CVEs)"],
        Some(_) => Vec::new(),
    });
    for (kind, Kind { rows, epss }) in &kinds {
        let means = Means::of(rows.iter());
        writeln!(
            text,
            "| {kind} | {} | {:.1}% | {:.1}% | {:.1}% |",
            rows.len(),
            means.coverage[2] * 100.0,
            epss / rows.len().max(1) as f64 * 100.0,
            means.coverage[3] * 100.0
        )?;
    }
    let (listed, reachable) = material.scored.listed;
    writeln!(
        text,
        "\nHow far to trust it: of everything listed in 30 days {:.0} in 100 could be ordered at all, because the rest was not\n\
         public or not scored on the day; no order of known CVEs can foresee those. What is listed without a public exploit and long\n\
         after publication is mostly missed. Listing is CISA's choice, and not all that is exploited is listed. A probability of\n\
         one in a thousand is high here: use the order and the drivers, and keep KEV itself as the trigger.",
        reachable as f64 * 100.0 / listed.max(1) as f64
    )
}

/// What was listed of one kind.
#[derive(Default)]
struct Kind {
    /// As the model placed it.
    rows: Vec<Placed>,
    /// Sum of what EPSS covers at 1% effort.
    epss: f64,
}

fn gather(
    material: &Material<'_>,
    evaluation: &Evaluation,
    kinds: &mut BTreeMap<&'static str, Kind>,
    of: impl Fn(&Known) -> Vec<&'static str>,
) {
    let epss = material.contenders.iter().position(|one| matches!(one, Contender::Epss));
    let theirs: BTreeMap<_, f64> = epss.map_or_else(BTreeMap::new, |epss| {
        placed(evaluation, epss, None).iter().map(|one| ((one.cve, one.day), one.heads[2])).collect()
    });
    for one in placed(evaluation, 0, None) {
        let Some(known) = material.history.on(one.day).get(one.cve) else { continue };
        let epss = theirs.get(&(one.cve, one.day)).copied().unwrap_or(0.0);
        for name in of(&known) {
            let kind = kinds.entry(name).or_default();
            kind.rows.push(one);
            kind.epss += epss;
        }
    }
}

/// One of each group.
fn kinds_of(known: &Known) -> [&'static str; 3] {
    let age = match known.day().since(known.first_named()) {
        ..=7 => "age: to 7 days",
        8..=30 => "age: 8 to 30 days",
        31..=365 => "age: 31 to 365 days",
        _ => "age: over a year",
    };
    let exploit = match (known.seen(Sighting::Framework), known.seen(Sighting::PublicExploit)) {
        (Some(_), _) => "exploit: in a framework",
        (None, Some(_)) => "exploit: public",
        (None, None) => "exploit: none public",
    };
    let score = match known.score().map_or(0, tenon_model::Probability::ppm) {
        0..10_000 => "EPSS: below 0.01",
        10_000..100_000 => "EPSS: 0.01 to 0.1",
        _ => "EPSS: 0.1 and above",
    };
    [age, exploit, score]
}
