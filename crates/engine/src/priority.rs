//! Decision, due date and expected loss of a directive, each explainable to the last input.

use std::collections::BTreeSet;

use tenon_model::{Basis, Decision, Priority, Probability, RiskPoints, Timestamp, VulnerabilityId};
use tenon_risk::bod_26_04;

use crate::world::World;

/// Threat of a vulnerability that no feed scores, in parts per million: about the median EPSS score.
const UNSCORED_THREAT_PPM: u32 = 1_000;
/// Most reasons that are written out; the rest is counted.
const MAX_REASONS: usize = 12;

/// The priority of closing these vulnerabilities on so many assets. The clock starts when the directive was raised; where a
/// listing in KEV decides the row it starts with the listing, if that came later: a deadline that has passed before anybody
/// could know of it directs nobody.
pub(crate) fn prioritise(
    world: &World,
    closes: &BTreeSet<VulnerabilityId>,
    claims: &BTreeSet<VulnerabilityId>,
    advisories: &BTreeSet<VulnerabilityId>,
    assets: usize,
    since: Timestamp,
) -> Priority {
    let mut because = Vec::new();
    let mut in_kev = false;
    let mut first_listed: Option<Timestamp> = None;
    let mut threat: u64 = 0;
    let mut scored = Vec::new();
    for id in closes.iter().chain(claims) {
        let intel = world.intel(id);
        let unconfirmed =
            if claims.contains(id) { " (claimed by the vendor's changelog, unconfirmed)" } else { "" };
        let probability = match (&intel.kev, &intel.epss) {
            (Some(kev), _) => {
                in_kev = true;
                first_listed = Some(first_listed.map_or(kev.added, |first| first.min(kev.added)));
                because.push(Basis {
                    fact: format!("{id} is exploited somewhere: listed in KEV{unconfirmed}"),
                    source: "kev".to_owned(),
                    as_of: Some(kev.added),
                });
                Probability::ONE.ppm()
            }
            (None, Some(epss)) => {
                scored.push((
                    epss.score,
                    Basis {
                        fact: format!("{id} has EPSS {}{unconfirmed}", epss.score),
                        source: format!("epss {}", epss.model),
                        as_of: Some(epss.scored),
                    },
                ));
                epss.score.ppm()
            }
            (None, None) => UNSCORED_THREAT_PPM,
        };
        threat = threat.saturating_add(u64::from(probability));
    }
    scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.fact.cmp(&b.1.fact)));
    because.extend(scored.into_iter().map(|(_, basis)| basis));
    for id in advisories {
        let advisory = world.advisory(id);
        let summary = advisory.map_or("", |advisory| advisory.summary.as_str());
        because.push(Basis {
            fact: format!("{id}: {summary}"),
            source: id.to_string(),
            as_of: advisory.and_then(|advisory| advisory.published),
        });
    }
    if advisories.is_empty() {
        because.push(Basis {
            fact: "the host's own repository offers this as a security update; no advisory that Tenon holds explains it"
                .to_owned(),
            source: "the host's package manager".to_owned(),
            as_of: None,
        });
    }
    if because.len() > MAX_REASONS {
        let rest = because.len() - MAX_REASONS;
        because.truncate(MAX_REASONS);
        because.push(Basis { fact: format!("and {rest} more"), source: "tenon".to_owned(), as_of: None });
    }
    let row = bod_26_04::decide(bod_26_04::Inputs {
        in_kev,
        publicly_exposed: false,
        automatable: true,
        technical_impact: bod_26_04::TechnicalImpact::Total,
    });
    let decision = Decision {
        table: bod_26_04::TABLE.to_owned(),
        row: row.number,
        outcome: row.outcome.to_owned(),
        forensics: row.forensics,
        assumed: vec![
            "not publicly exposed: no owner confirmed exposure".to_owned(),
            "automatable: no record says otherwise".to_owned(),
            "technical impact total: no record says otherwise".to_owned(),
        ],
    };
    // Reach, controls and impact are not measured yet and count as one: 100 x threat, in thousandths of a point.
    let per_asset = threat / 10;
    let removes = RiskPoints(per_asset.saturating_mul(u64::try_from(assets).unwrap_or(u64::MAX)));
    Priority {
        decision,
        due: row.days.map(|days| first_listed.map_or(since, |listed| listed.max(since)).plus_days(days)),
        removes,
        because,
    }
}
