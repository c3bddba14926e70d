//! Numbers, times and names as people read them.

use tenon_model::RiskPoints;

const TENTH: u64 = 100_000;

/// A whole number with its thousands apart: `3,085`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut said = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    said
}

/// A decimal number of the API with its thousands apart.
pub(crate) fn grouped(decimal: &str) -> String {
    let (whole, rest) = decimal.split_at(decimal.find('.').unwrap_or(decimal.len()));
    whole.parse().map_or_else(|_| decimal.to_owned(), |whole| format!("{}{rest}", count(whole)))
}

/// A number of things: `1 host`, `2 hosts`.
pub(crate) fn plural(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Millionths of risk points to a tenth; what is smaller as far as it takes to see it.
pub(crate) fn points(millionths: i64) -> String {
    let (sign, size) = (if millionths < 0 { "-" } else { "" }, millionths.unsigned_abs());
    if size < TENTH {
        return format!("{sign}{}", if size == 0 { "0".to_owned() } else { RiskPoints(size).to_string() });
    }
    let tenths = size.saturating_add(TENTH / 2) / TENTH;
    match tenths % 10 {
        0 => format!("{sign}{}", count(tenths / 10)),
        tenth => format!("{sign}{}.{tenth}", count(tenths / 10)),
    }
}

/// The same with a plus where it is more than nothing.
pub(crate) fn moved(millionths: i64) -> String {
    format!("{}{}", if millionths > 0 { "+" } else { "" }, points(millionths))
}

/// A time in seconds, in two units at most: `2 d 3 h`.
pub(crate) fn lasting(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let (mut rest, mut said) = (seconds, Vec::new());
    for (size, unit) in UNITS.into_iter().skip_while(|(size, _)| seconds < *size).take(2) {
        let (times, left) = (rest / size, rest % size);
        rest = left;
        if times > 0 {
            said.push(format!("{times} {unit}"));
        }
    }
    if said.is_empty() { "0 s".to_owned() } else { said.join(" ") }
}

/// An RFC 3339 time of the record, to the minute.
pub(crate) fn minute(time: &str) -> String {
    match (time.get(..10), time.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} {minute} UTC"),
        _ => time.to_owned(),
    }
}

/// Stages in the order in which they are told: what a person must do stands before what runs by itself.
const STAGES: [(&str, &str); 11] = [
    ("needs-person", "needs a person"),
    ("failed", "failed"),
    ("rolled-back", "rolled back"),
    ("awaiting-approval", "awaiting approval"),
    ("applying", "applying"),
    ("approved", "approved"),
    ("rehearsing", "rehearsing"),
    ("proposed", "proposed"),
    ("applied", "applied"),
    ("verified", "verified"),
    ("fixed-otherwise", "fixed otherwise"),
];

/// The place of a stage in their order, and its name for people; one that is not known here comes last under its own.
pub(crate) fn stage(name: &str) -> (usize, &str) {
    let known = STAGES.iter().enumerate().find(|(_, (known, _))| *known == name);
    known.map_or((STAGES.len(), name), |(place, (_, word))| (place, *word))
}

/// A kind of gap for people.
pub(crate) fn gap(kind: &str) -> &str {
    match kind {
        "never-reported" => "never reported",
        "not-assessed" => "not assessed",
        "index-stale" => "index too old",
        "not-known" => "not known",
        "observe-only" => "can only observe",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_people_read_them() {
        assert_eq!(
            [0, 7, 999, 1_000, 12_345, 1_234_567].map(count),
            ["0", "7", "999", "1,000", "12,345", "1,234,567"]
        );
        assert_eq!(
            (plural(1, "host"), plural(1_000, "host")),
            ("1 host".to_owned(), "1,000 hosts".to_owned())
        );
        assert_eq!(["3984.9", "0.00009", "12", "much"].map(grouped), ["3,984.9", "0.00009", "12", "much"]);
        let told = [0, 90, 99_999, 100_000, 234_500_000, 1_234_549_999, -25_500_000, i64::MIN].map(points);
        assert_eq!(
            told,
            ["0", "0.00009", "0.099", "0.1", "234.5", "1,234.5", "-25.5", "-9,223,372,036,854.8"]
        );
        assert_eq!([400_000_000, -1_000_000, 0].map(moved), ["+400", "-1", "0"]);
    }

    #[test]
    fn times_are_told_in_two_units() {
        assert_eq!(
            [0, 59, 60, 3_661, 86_400, 180_000].map(lasting),
            ["0 s", "59 s", "1 min", "1 h 1 min", "1 d", "2 d 2 h"]
        );
        assert_eq!(minute("2026-12-01T00:13:08Z"), "2026-12-01 00:13 UTC");
        assert_eq!(minute("soon"), "soon");
    }

    #[test]
    fn what_a_person_must_do_comes_first_and_an_unknown_stage_last_under_its_name() {
        assert!(stage("needs-person").0 < stage("proposed").0);
        assert_eq!(stage("needs-person").1, "needs a person");
        assert_eq!(stage("else"), (STAGES.len(), "else"));
    }
}
