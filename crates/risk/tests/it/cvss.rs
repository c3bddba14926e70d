//! CVSS scores.

use tenon_risk::cvss::{Cvss, Score, Severity, Version};

use crate::vectors;

fn parse(text: &str) -> Cvss {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Lines `VECTOR - (base, temporal, environmental)` or `VECTOR - score`; how many there are.
fn check(test: &str, file: &str) -> Option<usize> {
    let text = vectors(test, &format!("cvss/{file}"))?;
    let mut count = 0;
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (vector, expected) = line.split_once(" - ").unwrap();
        let vector_read = parse(vector);
        let scores = vector_read.scores();
        let found = if let Some(three) = expected.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            let group = |score: Option<Score>| score.map_or("None".to_owned(), |score| score.to_string());
            // The v3 vectors give every score, the v2 vectors those of groups that are defined.
            let (threat, environmental) = match (vector_read.version(), vector_read.every_score()) {
                (Version::V2, _) => (scores.threat, scores.environmental),
                (_, [_, threat, environmental]) => (Some(threat), Some(environmental)),
            };
            let three = three.replace("-0.0", "0.0");
            (format!("{}, {}, {}", scores.base, group(threat), group(environmental)), three)
        } else {
            (scores.score.to_string(), expected.to_owned())
        };
        assert_eq!(found.0, found.1, "{line}");
        count += 1;
    }
    Some(count)
}

#[test]
fn every_public_vector_has_its_score() {
    for (file, expected) in [
        ("vectors_simple2.txt", 729),
        ("vectors_simple3.txt", 2592),
        ("vectors_simple31.txt", 2592),
        ("vectors_calculator3.txt", 2),
        ("vectors_security4.txt", 54),
    ] {
        let Some(count) = check("every_public_vector_has_its_score", file) else { return };
        assert_eq!(count, expected, "{file}");
    }
}

/// Values of metrics by severity level, as the v4 tables count them.
fn v4_of(macrovector: &str, highest: &serde_json::Value) -> Option<String> {
    let digit = |at: usize| &macrovector[at..=at];
    let composed = &highest["max_composed"];
    let first = |value: &serde_json::Value| value.get(0)?.as_str().map(str::to_owned);
    let eq1 = first(&composed["eq1"][digit(0)])?;
    let eq2 = first(&composed["eq2"][digit(1)])?;
    let eq3 = first(&composed["eq3"][digit(2)][digit(5)])?;
    let eq4 = first(&composed["eq4"][digit(3)])?;
    let eq5 = first(&composed["eq5"][digit(4)])?;
    let all = [eq1, eq2, eq3, eq4, eq5].concat();
    let value = |name: &str| {
        all.split('/')
            .find_map(|part| part.split_once(':').filter(|(key, _)| *key == name))
            .map(|(_, value)| value)
    };
    let base: Vec<_> = ["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"]
        .into_iter()
        .map(|name| format!("{name}:{}", value(name).unwrap().replace('S', "H")))
        .collect();
    let safety: Vec<_> = ["SI", "SA"]
        .into_iter()
        .filter(|name| value(name) == Some("S"))
        .map(|name| format!("/M{name}:S"))
        .collect();
    let (e, cr, ir, ar) = (value("E")?, value("CR")?, value("IR")?, value("AR")?);
    Some(format!("CVSS:4.0/{}/E:{e}/CR:{cr}/IR:{ir}/AR:{ar}{}", base.join("/"), safety.concat()))
}

#[test]
fn the_highest_vector_of_every_macrovector_has_the_published_score() {
    let name = "the_highest_vector_of_every_macrovector_has_the_published_score";
    let Some(scores) = vectors(name, "scoring/cvss4/macrovector_scores.csv") else { return };
    let Some(highest) = vectors(name, "scoring/cvss4/eq_tables.json") else { return };
    let highest = serde_json::from_str(&highest).unwrap();
    let mut count = 0;
    for line in scores.lines().skip(1) {
        let (macrovector, score) = line.split_once(',').unwrap();
        let vector = v4_of(macrovector, &highest).unwrap_or_else(|| panic!("{line}"));
        let found = parse(&vector).scores().score.to_string();
        assert_eq!(found.trim_end_matches(".0"), score, "{vector}");
        count += 1;
    }
    assert_eq!(count, 270);
}

#[test]
fn every_legal_v4_metric_value_is_read_and_no_other() {
    let name = "every_legal_v4_metric_value_is_read_and_no_other";
    let Some(legal) = vectors(name, "scoring/cvss4/metric_values.json") else { return };
    let legal: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&legal).unwrap();
    let base = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N";
    for (metric, values) in &legal {
        let values: Vec<_> = values.as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect();
        for value in
            ["X", "N", "A", "L", "P", "H", "S", "U", "M", "Y", "I", "D", "C", "Clear", "Red", "n", ""]
        {
            let written = format!("/{metric}:");
            let vector = match base.split_once(&written) {
                Some((before, after)) => format!("{before}{written}{value}{}", &after[1..]),
                None => format!("{base}{written}{value}"),
            };
            assert_eq!(vector.parse::<Cvss>().is_ok(), values.contains(&value), "{vector}");
        }
    }
    assert_eq!(legal.len(), 32);
}

#[test]
fn the_worked_examples_of_the_v2_guide_hold() {
    // Section 3.3, CVE-2002-0392, CVE-2003-0818 and CVE-2003-0062, with the environment of the highest score.
    for (base, temporal, environment, expected) in [
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C", "E:F/RL:OF/RC:C", "CDP:H/TD:H/CR:M/IR:M/AR:H", "7.8 6.4 9.2"),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C", "E:F/RL:OF/RC:C", "CDP:H/TD:H/CR:M/IR:M/AR:L", "10.0 8.3 9.0"),
        ("AV:L/AC:H/Au:N/C:C/I:C/A:C", "E:POC/RL:OF/RC:C", "CDP:H/TD:H/CR:M/IR:M/AR:M", "6.2 4.9 7.5"),
    ] {
        let scores = parse(&format!("{base}/{temporal}/{environment}")).scores();
        let found = format!("{} {} {}", scores.base, scores.threat.unwrap(), scores.environmental.unwrap());
        assert_eq!(found, expected, "{base}");
    }
}

#[test]
fn rounding_up_is_of_the_exact_value() {
    // 5.0 x 0.92 is 4.6; in binary floating point it is a little more, which v3.0 would round up to 4.7.
    let vector = "CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:L/E:H/RL:U/RC:U";
    let scores = parse(vector).scores();
    assert_eq!((scores.base.tenths(), scores.threat.unwrap().tenths()), (50, 46));
    let modified = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N/MC:H/MI:H/MA:H/MS:C/CR:H";
    let scores = parse(modified).scores();
    assert_eq!(
        (scores.base, scores.environmental, scores.score),
        (Score::ZERO, Some(Score::MAX), Score::MAX)
    );
    assert_eq!(scores.severity, Severity::Critical);
}

#[test]
fn which_groups_are_defined_decides_which_score_counts() {
    let base = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
    let scores = parse(base).scores();
    assert_eq!((scores.base.tenths(), scores.threat, scores.environmental), (93, None, None));
    assert_eq!((scores.score, scores.severity), (scores.base, Severity::Critical));
    let with_x = parse(&format!("{base}/E:X/CR:X/S:P/U:Red"));
    assert_eq!(with_x.scores(), scores, "neither undefined nor supplemental metrics score");
    let scores = parse(&format!("{base}/E:U")).scores();
    assert_eq!((scores.threat, scores.environmental, scores.score.tenths()), (Some(scores.score), None, 81));
    let scores = parse(&format!("{base}/E:U/MAV:P")).scores();
    assert_eq!((scores.base.tenths(), scores.threat.unwrap().tenths()), (93, 81));
    assert_eq!(scores.environmental, Some(scores.score));
    assert!(scores.score < scores.threat.unwrap());
}

#[test]
fn metrics_can_be_asked_for() {
    let vector = parse("CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    assert_eq!(vector.version(), Version::V3_1);
    assert_eq!(
        (vector.metric("AV"), vector.metric("MAV"), vector.metric("AT")),
        (Some("L"), Some("X"), None)
    );
    assert_eq!(parse("AV:N/AC:L/Au:N/C:N/I:N/A:C").metric("E"), Some("ND"));
}

#[test]
fn ratings_change_where_the_scales_say() {
    let rate = |vector: &str| {
        let scores = parse(vector).scores();
        (scores.score.to_string(), scores.severity)
    };
    assert_eq!(rate("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"), ("0.0".to_owned(), Severity::None));
    assert_eq!(rate("AV:L/AC:H/Au:M/C:N/I:N/A:N"), ("0.0".to_owned(), Severity::Low));
    assert_eq!(rate("AV:N/AC:L/Au:N/C:C/I:C/A:C"), ("10.0".to_owned(), Severity::High));
}
