//! The model file, and the forecast in whole numbers.

use tenon_predict::{Bound, Dated, Fact, Known, MAX_MODEL, Model, ModelError, ModelFile, Sighting, Term};

use crate::world::{cve, day, ppm};

#[test]
fn the_shipped_model_is_readable_and_reads_no_field_of_a_record() {
    let file = ModelFile::shipped().unwrap();
    let newest = file.newest().unwrap();
    let terms: Vec<Term> = newest.terms.iter().map(|(term, _)| *term).collect();
    assert_eq!(terms, Term::FIVE);
    assert!(file.models.iter().all(|model| model.last.plus(30) < model.usable_from));
    assert_eq!(ModelFile::read(file.text().as_bytes()).unwrap(), file);
    assert!(!file.calibration.is_empty());
}

/// The same in floating point.
fn by_hand(model: &Model, known: &Known) -> f64 {
    let micro = |number: i64| number as f64 / 1e6;
    let flag = |holds: bool| f64::from(u8::from(holds));
    let age = |days: i32| (1.0 + f64::from(days) / 7.0).ln();
    let z: f64 = model
        .terms
        .iter()
        .map(|(term, coefficient)| {
            let exploit = known.seen(Sighting::PublicExploit);
            let value =
                match term {
                    Term::LnEpss => known.score().map_or(micro(model.missing_score), |score| {
                        (f64::from(score.ppm().max(10)) / 1e6).ln()
                    }),
                    Term::LnAge | Term::LnAgeByRecord => age(known.day().since(known.first_named())),
                    Term::PublicExploit => flag(exploit.is_some()),
                    Term::RecentExploit => flag(exploit.is_some_and(|(seen, bound)| {
                        bound == Bound::OnThatDay && known.day().since(seen) < 90
                    })),
                    Term::Framework => flag(known.seen(Sighting::Framework).is_some()),
                    Term::Cvss => f64::from(known.cvss().unwrap_or(0)) / 100.0,
                };
            micro(*coefficient) * value
        })
        .sum();
    1.0 / (1.0 + (-(micro(model.intercept) + z)).exp())
}

#[test]
fn a_forecast_is_the_logistic_function_of_its_terms() {
    let file = ModelFile::shipped().unwrap();
    let model = file.newest().unwrap();
    let on = day("2026-08-09");
    let exploit = Fact::Seen(Sighting::PublicExploit);
    let framework = Fact::SeenBefore(Sighting::Framework);
    let mut seen = Vec::new();
    for age in [0, 3, 30, 400, 5_000] {
        for score in [None, Some(1), Some(10), Some(4_200), Some(999_999)] {
            for (exploits, days) in [(0, 0), (1, 0), (1, 89), (1, 90), (2, 10)] {
                let mut facts = Vec::new();
                if exploits > 0 {
                    facts.push(Dated { known: on.plus(-days), fact: exploit });
                }
                if exploits > 1 {
                    facts.push(Dated { known: on, fact: framework });
                }
                facts.extend(score.map(|score| Dated { known: on, fact: Fact::Scored(ppm(score)) }));
                let known = Known::from_facts(cve(10_001), &facts, on, on.plus(-age));
                let forecast = model.forecast(&known);
                let expected = by_hand(model, &known) * 1e6;
                let given = f64::from(forecast.probability.ppm());
                assert!(
                    (given - expected.max(1.0)).abs() <= 1.0 + expected * 1e-5,
                    "{known:?}: {given} {expected}"
                );
                assert_eq!(model.log_odds(&known), forecast.log_odds);
                assert_eq!(forecast.drivers.len(), model.terms.len());
                let sizes: Vec<u64> =
                    forecast.drivers.iter().map(|driver| driver.adds.unsigned_abs()).collect();
                assert!(sizes.is_sorted_by(|a, b| a >= b), "the largest driver first");
                seen.push((forecast.log_odds, forecast.drivers));
            }
        }
    }
    // A driver says what the forecast is without it: for a CVE with a public exploit, that of the same CVE with none.
    let facts = [Dated { known: on.plus(-200), fact: exploit }];
    let with = model.forecast(&Known::from_facts(cve(10_001), &facts, on, on.plus(-300)));
    let without = model.forecast(&Known::from_facts(cve(10_001), &[], on, on.plus(-300)));
    let driver = with.drivers.iter().find(|driver| driver.term == Term::PublicExploit).unwrap();
    assert_eq!(driver.without, without.probability);
    assert!(with.probability > without.probability);
}

#[test]
fn what_is_no_model_is_refused_with_its_reason() {
    let text = ModelFile::shipped().unwrap().text();
    let error = |text: &str| ModelFile::read(text.as_bytes()).unwrap_err();
    assert!(matches!(error("{"), ModelError::Json(_)));
    assert!(matches!(error("{}"), ModelError::Json(_)));
    assert!(matches!(error(&text.replacen("\"format\": 1", "\"format\": 2", 1)), ModelError::Format(2)));
    assert!(matches!(error(&text.replacen("\"intercept\"", "\"interest\"", 1)), ModelError::Json(_)));
    assert_eq!(error(&" ".repeat(MAX_MODEL + 1)), ModelError::TooLarge(MAX_MODEL + 1));
    let mut file = ModelFile::shipped().unwrap();
    file.models[0].intercept = i64::MIN;
    assert!(matches!(error(&file.text()), ModelError::Number { field: "intercept", .. }));
    file.models.clear();
    assert_eq!(error(&file.text()), ModelError::Order);
    let mut file = ModelFile::shipped().unwrap();
    file.models.reverse();
    assert_eq!(error(&file.text()), ModelError::Order);
}
