//! EPSS daily files: the CSV that FIRST publishes, decompressed.
//!
//! ```text
//! #model_version:v2026.06.15,score_date:2026-08-08T00:00:00Z
//! cve,epss,percentile
//! CVE-1999-0001,0.03351,0.87534
//! ```

use tenon_model::{Probability, Timestamp, VulnerabilityId};

use crate::text::{is_plain, one_line};
use crate::{FormatError, Problem, Problems};

/// Largest file accepted, in bytes; a day held 11 MB (356,000 rows) in 2026.
pub const MAX_DAY: usize = 256 << 20;

/// The scores of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpssDay {
    /// Model version as the file writes it. Scores of different models do not compare.
    pub model: String,
    /// Day of the scores (midnight UTC).
    pub scored: Timestamp,
    /// Rows of the file.
    pub rows: u64,
    /// The scores, sorted by id, one for each.
    pub scores: Vec<(VulnerabilityId, Probability)>,
    /// What could not be read.
    pub problems: Problems,
}

/// Parses a day. Every row is checked; a bad one is a problem and the rest is kept.
///
/// # Errors
/// When the file is larger than [`MAX_DAY`], is not UTF-8, or lacks the line with model and day or the columns `cve`
/// and `epss`.
pub fn parse(bytes: &[u8]) -> Result<EpssDay, FormatError> {
    FormatError::bound("the EPSS file", bytes, MAX_DAY)?;
    let text = std::str::from_utf8(bytes).map_err(|error| {
        FormatError::field(
            "file",
            &format!("bytes not UTF-8 from offset {}", error.valid_up_to()),
            "UTF-8 text",
        )
    })?;
    let mut lines = text.lines().enumerate();
    let first = lines.next().map_or("", |(_, line)| line);
    let (model, scored) = header(first)?;
    let columns = Columns::find(lines.next().map_or("", |(_, line)| line))?;

    let mut problems = Problems::default();
    let mut scores = Vec::new();
    let mut rows = 0;
    for (index, line) in lines.filter(|(_, line)| !line.is_empty()) {
        rows += 1;
        let (subject, read) = columns.read(line);
        match read {
            Ok((id, score)) => scores.push((id, score)),
            Err(error) => problems.push(Problem {
                place: format!("line {}", index + 1),
                subject,
                reason: error.to_string(),
            }),
        }
    }
    // Stable, so that of doubled rows the first is kept.
    scores.sort_by(|(a, _), (b, _): &(VulnerabilityId, Probability)| a.cmp(b));
    scores.dedup_by(|(later, _), (kept, _)| {
        let double = later == kept;
        if double {
            let reason = "scored more than once; the first row is kept".to_owned();
            problems.push(Problem { place: later.to_string(), subject: Some(later.clone()), reason });
        }
        double
    });
    Ok(EpssDay { model, scored, rows, scores, problems })
}

/// `#model_version:v2025.03.14,score_date:2025-03-22T00:00:00Z`; the time of day says when the model ran, so only the
/// date as written counts.
fn header(line: &str) -> Result<(String, Timestamp), FormatError> {
    const EXPECTED: &str = "#model_version:VERSION,score_date:DATE on the first line";
    let fail = || FormatError::field("header", line, EXPECTED);
    let mut model = None;
    let mut scored = None;
    for pair in line.strip_prefix('#').ok_or_else(fail)?.split(',') {
        match pair.trim().split_once(':') {
            Some(("model_version", version)) => model = Some(version),
            Some(("score_date", date)) => scored = date.get(..10).and_then(Timestamp::parse),
            _ => {}
        }
    }
    let model = model.filter(|model| is_plain(model)).ok_or_else(fail)?;
    Ok((one_line(model, 40), scored.ok_or_else(fail)?))
}

/// Where the columns are.
struct Columns {
    cve: usize,
    epss: usize,
}

impl Columns {
    fn find(line: &str) -> Result<Self, FormatError> {
        let place = |name| line.split(',').position(|column| column.trim() == name);
        match (place("cve"), place("epss")) {
            (Some(cve), Some(epss)) => Ok(Self { cve, epss }),
            _ => Err(FormatError::field("columns", line, "cve,epss,percentile on the second line")),
        }
    }

    /// The row, and the id it speaks of as far as that can be read.
    #[allow(clippy::type_complexity, reason = "a pair used once; a name would say less than the fields do")]
    fn read(
        &self,
        line: &str,
    ) -> (Option<VulnerabilityId>, Result<(VulnerabilityId, Probability), FormatError>) {
        let column = |place| line.split(',').nth(place).map_or("", str::trim);
        let (id, score) = (column(self.cve), column(self.epss));
        let Ok(id) = id.parse::<VulnerabilityId>() else {
            return (None, Err(FormatError::field("cve", id, "a CVE id")));
        };
        match probability(score) {
            Some(probability) => (None, Ok((id, probability))),
            None => (Some(id), Err(FormatError::field("epss", score, "a decimal number from 0 to 1"))),
        }
    }
}

/// An exact decimal (`0.00383`, `1`, `9e-05`) in parts per million, rounded half up. `None` outside 0 to 1 and for
/// anything else.
pub fn probability(text: &str) -> Option<Probability> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() || mantissa.len() > 40 || !(-40..=40).contains(&exponent) {
        return None;
    }
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    // The value is the digits times ten to the `scale`, in parts per million.
    let digits = whole.bytes().chain(fraction.bytes()).map(|b| u32::from(b - b'0'));
    let length = i32::try_from(whole.len() + fraction.len()).ok()?;
    let scale = exponent - i32::try_from(fraction.len()).ok()? + 6;
    let mut floor: u32 = 0;
    let mut rounds_up = false;
    let mut exact = true;
    for (place, digit) in (0..).zip(digits) {
        let power = length - 1 - place + scale;
        if power >= 0 {
            floor = add_digit(floor, digit, power)?;
        } else {
            rounds_up |= power == -1 && digit >= 5;
            exact &= digit == 0;
        }
    }
    if floor >= Probability::ONE.ppm() && !exact {
        return None;
    }
    Probability::from_ppm(floor.checked_add(u32::from(rounds_up))?)
}

fn add_digit(ppm: u32, digit: u32, power: i32) -> Option<u32> {
    if digit == 0 {
        return Some(ppm);
    }
    let factor = 10_u32.checked_pow(u32::try_from(power).ok()?)?;
    ppm.checked_add(digit.checked_mul(factor)?)
}
