//! Vector strings, read strictly into value numbers.

use super::CvssError;

/// Longest vector string that is read; the longest valid one, CVSS v4.0 with every metric, has under 200 bytes.
pub(super) const MAX_LEN: usize = 256;
/// Metrics of CVSS v4.0, which has the most.
pub(super) const MAX_METRICS: usize = 32;

/// For each metric of the version, in its order, the number of the value in [`Metric::values`].
pub(super) type Values = [u8; MAX_METRICS];

/// A metric as its specification abbreviates it.
pub(super) struct Metric {
    pub(super) name: &'static str,
    /// Abbreviated values. An optional metric has "not defined" first, so that number 0 also stands for "absent".
    pub(super) values: &'static [&'static str],
    pub(super) mandatory: bool,
}

/// A metric that every vector must have.
pub(super) const fn must(name: &'static str, values: &'static [&'static str]) -> Metric {
    Metric { name, values, mandatory: true }
}

/// A metric that a vector may leave out; its first value means the same as leaving it out.
pub(super) const fn may(name: &'static str, values: &'static [&'static str]) -> Metric {
    Metric { name, values, mandatory: false }
}

/// Reads `metric:value` parts separated by `/`; `ordered` refuses another order than that of `metrics`.
pub(super) fn parse(text: &str, metrics: &'static [Metric], ordered: bool) -> Result<Values, CvssError> {
    let mut values: Values = [0; MAX_METRICS];
    let mut seen: u32 = 0;
    for part in text.split('/') {
        let Some((name, value)) = part.split_once(':') else {
            return Err(CvssError::Malformed { part: part.to_owned() });
        };
        let Some((at, metric)) = metrics.iter().enumerate().find(|(_, metric)| metric.name == name) else {
            return Err(CvssError::UnknownMetric { metric: name.to_owned() });
        };
        let Some(number) = metric.values.iter().position(|known| *known == value) else {
            return Err(CvssError::UnknownValue { metric: metric.name, value: value.to_owned() });
        };
        if seen & (1 << at) != 0 {
            return Err(CvssError::Duplicate { metric: metric.name });
        }
        if ordered && seen >> at != 0 {
            return Err(CvssError::OutOfOrder { metric: metric.name });
        }
        seen |= 1 << at;
        if let (Some(slot), Ok(number)) = (values.get_mut(at), u8::try_from(number)) {
            *slot = number;
        }
    }
    match metrics.iter().enumerate().find(|(at, metric)| metric.mandatory && seen & (1 << at) == 0) {
        Some((_, metric)) => Err(CvssError::Missing { metric: metric.name }),
        None => Ok(values),
    }
}
