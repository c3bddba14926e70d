//! CVSS vector strings: strictness, one written form, no panic.

use proptest::prelude::*;
use tenon_risk::cvss::{Cvss, CvssError, Score};

const V2: [(&str, &[&str]); 14] = [
    ("AV", &["L", "A", "N"]),
    ("AC", &["H", "M", "L"]),
    ("Au", &["M", "S", "N"]),
    ("C", &["N", "P", "C"]),
    ("I", &["N", "P", "C"]),
    ("A", &["N", "P", "C"]),
    ("E", &["", "ND", "U", "POC", "F", "H"]),
    ("RL", &["", "ND", "OF", "TF", "W", "U"]),
    ("RC", &["", "ND", "UC", "UR", "C"]),
    ("CDP", &["", "ND", "N", "L", "LM", "MH", "H"]),
    ("TD", &["", "ND", "N", "L", "M", "H"]),
    ("CR", &["", "ND", "L", "M", "H"]),
    ("IR", &["", "ND", "L", "M", "H"]),
    ("AR", &["", "ND", "L", "M", "H"]),
];
const V3: [(&str, &[&str]); 22] = [
    ("AV", &["N", "A", "L", "P"]),
    ("AC", &["L", "H"]),
    ("PR", &["N", "L", "H"]),
    ("UI", &["N", "R"]),
    ("S", &["U", "C"]),
    ("C", &["H", "L", "N"]),
    ("I", &["H", "L", "N"]),
    ("A", &["H", "L", "N"]),
    ("E", &["", "X", "H", "F", "P", "U"]),
    ("RL", &["", "X", "U", "W", "T", "O"]),
    ("RC", &["", "X", "C", "R", "U"]),
    ("CR", &["", "X", "H", "M", "L"]),
    ("IR", &["", "X", "H", "M", "L"]),
    ("AR", &["", "X", "H", "M", "L"]),
    ("MAV", &["", "X", "N", "A", "L", "P"]),
    ("MAC", &["", "X", "L", "H"]),
    ("MPR", &["", "X", "N", "L", "H"]),
    ("MUI", &["", "X", "N", "R"]),
    ("MS", &["", "X", "U", "C"]),
    ("MC", &["", "X", "H", "L", "N"]),
    ("MI", &["", "X", "H", "L", "N"]),
    ("MA", &["", "X", "H", "L", "N"]),
];
const V4: [(&str, &[&str]); 32] = [
    ("AV", &["N", "A", "L", "P"]),
    ("AC", &["L", "H"]),
    ("AT", &["N", "P"]),
    ("PR", &["N", "L", "H"]),
    ("UI", &["N", "P", "A"]),
    ("VC", &["H", "L", "N"]),
    ("VI", &["H", "L", "N"]),
    ("VA", &["H", "L", "N"]),
    ("SC", &["H", "L", "N"]),
    ("SI", &["H", "L", "N"]),
    ("SA", &["H", "L", "N"]),
    ("E", &["", "X", "A", "P", "U"]),
    ("CR", &["", "X", "H", "M", "L"]),
    ("IR", &["", "X", "H", "M", "L"]),
    ("AR", &["", "X", "H", "M", "L"]),
    ("MAV", &["", "X", "N", "A", "L", "P"]),
    ("MAC", &["", "X", "L", "H"]),
    ("MAT", &["", "X", "N", "P"]),
    ("MPR", &["", "X", "N", "L", "H"]),
    ("MUI", &["", "X", "N", "P", "A"]),
    ("MVC", &["", "X", "H", "L", "N"]),
    ("MVI", &["", "X", "H", "L", "N"]),
    ("MVA", &["", "X", "H", "L", "N"]),
    ("MSC", &["", "X", "H", "L", "N"]),
    ("MSI", &["", "X", "S", "H", "L", "N"]),
    ("MSA", &["", "X", "S", "H", "L", "N"]),
    ("S", &["", "X", "N", "P"]),
    ("AU", &["", "X", "N", "Y"]),
    ("R", &["", "X", "A", "U", "I"]),
    ("V", &["", "X", "D", "C"]),
    ("RE", &["", "X", "L", "M", "H"]),
    ("U", &["", "X", "Clear", "Green", "Amber", "Red"]),
];

/// The parts of a valid vector, in the order of the standard; an empty value leaves the metric out.
fn parts(metrics: &'static [(&'static str, &'static [&'static str])]) -> impl Strategy<Value = Vec<String>> {
    let values: Vec<_> = metrics.iter().map(|(_, values)| proptest::sample::select(*values)).collect();
    values.prop_map(move |values| {
        let pairs = metrics.iter().zip(values).filter(|(_, value)| !value.is_empty());
        pairs.map(|((name, _), value)| format!("{name}:{value}")).collect()
    })
}

fn valid() -> impl Strategy<Value = (String, Vec<String>)> {
    prop_oneof![
        parts(&V2).prop_map(|parts| (String::new(), parts)),
        parts(&V3).prop_map(|parts| ("CVSS:3.0/".to_owned(), parts)),
        parts(&V3).prop_map(|parts| ("CVSS:3.1/".to_owned(), parts)),
        parts(&V4).prop_map(|parts| ("CVSS:4.0/".to_owned(), parts)),
    ]
}

proptest! {
    #[test]
    fn a_valid_vector_is_read_scored_and_written_back((prefix, parts) in valid()) {
        let text = format!("{prefix}{}", parts.join("/"));
        let vector: Cvss = text.parse().unwrap();
        let scores = vector.scores();
        prop_assert!(scores.score <= Score::MAX && scores.base <= Score::MAX);
        prop_assert_eq!(vector.to_string().parse::<Cvss>().unwrap(), vector);
        let defined: Vec<_> =
            parts.iter().filter(|part| !part.ends_with(":X") && !part.ends_with(":ND")).cloned().collect();
        prop_assert_eq!(vector.to_string(), format!("{prefix}{}", defined.join("/")));
    }

    #[test]
    fn order_does_not_count_but_for_v4(((prefix, parts), turn) in (valid(), 0_usize..32)) {
        let text = format!("{prefix}{}", parts.join("/"));
        let vector: Cvss = text.parse().unwrap();
        let mut turned = parts.clone();
        turned.rotate_left(turn % parts.len());
        let read = format!("{prefix}{}", turned.join("/")).parse::<Cvss>();
        if turned == parts || prefix != "CVSS:4.0/" {
            prop_assert_eq!(read, Ok(vector));
        } else {
            let out_of_order = matches!(read, Err(CvssError::OutOfOrder { .. }));
            prop_assert!(out_of_order);
        }
    }

    #[test]
    fn a_repeated_or_missing_part_is_refused(((prefix, parts), at) in (valid(), 0_usize..32)) {
        let at = at % parts.len();
        let mut twice = parts.clone();
        twice.insert(at, parts[at].clone());
        let read = format!("{prefix}{}", twice.join("/")).parse::<Cvss>();
        // With every metric and one of them twice, a v4 vector is still within the size that is read.
        let metric = parts[at].split(':').next().unwrap();
        prop_assert_eq!(read.unwrap_err().to_string(), format!("metric {metric} is given twice"));
        let mandatory = match prefix.as_str() { "" => 6, "CVSS:4.0/" => 11, _ => 8 };
        let at = at % mandatory;
        let metric = parts[at].split(':').next().unwrap();
        let mut fewer = parts.clone();
        fewer.remove(at);
        let read = format!("{prefix}{}", fewer.join("/")).parse::<Cvss>();
        prop_assert_eq!(read.unwrap_err().to_string(), format!("mandatory metric {metric} is missing"));
    }

    #[test]
    fn no_string_panics(text in "\\PC*", start in prop_oneof![
        Just(""), Just("CVSS:3.1/"), Just("CVSS:4.0/AV:N/"), Just("CVSS:"), Just("AV:N/AC:L/")
    ]) {
        let _ = format!("{start}{text}").parse::<Cvss>().map(|vector| vector.scores());
    }

    #[test]
    fn no_damaged_vector_panics((prefix, parts) in valid(), at in any::<usize>(), byte in any::<char>()) {
        let mut text: Vec<char> = format!("{prefix}{}", parts.join("/")).chars().collect();
        let at = at % text.len();
        text[at] = byte;
        if let Ok(vector) = text.into_iter().collect::<String>().parse::<Cvss>() {
            prop_assert!(vector.scores().score <= Score::MAX);
        }
    }
}

#[test]
fn a_refusal_says_what_is_wrong() {
    let long = format!("AV:N/{}", "A".repeat(300));
    for (text, expected) in [
        ("", "the vector has no metrics"),
        ("CVSS:3.1/", "the vector has no metrics"),
        ("CVSS:3.1", "unknown prefix \"CVSS:3.1\": CVSS:3.0, CVSS:3.1, CVSS:4.0 or, for v2, none"),
        ("CVSS:5.0/AV:N", "unknown prefix \"CVSS:5.0\": CVSS:3.0, CVSS:3.1, CVSS:4.0 or, for v2, none"),
        ("cvss:3.1/AV:N", "unknown prefix \"cvss:3.1\": CVSS:3.0, CVSS:3.1, CVSS:4.0 or, for v2, none"),
        ("AV:N/AC:L/Au:N/C:N/I:N", "mandatory metric A is missing"),
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C/", "\"\" is not of the form metric:value"),
        ("(AV:N/AC:L/Au:N/C:N/I:N/A:C)", "unknown metric \"(AV\""),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/av:N", "unknown metric \"av\""),
        ("CVSS:3.1/AV:N/AV:N", "metric AV is given twice"),
        ("CVSS:3.0/AV:X", "metric AV has no value \"X\""),
        ("CVSS:4.0/AC:L/AV:N", "metric AV is out of order"),
        (long.as_str(), "a vector of 305 bytes; the longest that is read has 256"),
    ] {
        assert_eq!(text.parse::<Cvss>().unwrap_err().to_string(), expected, "{text}");
    }
}
