//! Measurements, in the text form of Prometheus (exposition format 0.0.4).

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tenon_model::RefusalCode;

/// Upper bounds of an append's time, in microseconds: from a fast disk's sync to one that is failing.
const APPEND_BOUNDS: [u64; 11] =
    [500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 1_000_000, 5_000_000];

/// What is counted while the server runs; what the World can tell is asked of the World.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    accepted: AtomicU64,
    refused: Mutex<BTreeMap<RefusalCode, u64>>,
    appends: Appends,
    /// Answers by door and class of status.
    answers: Mutex<BTreeMap<(Door, u16), u64>>,
    sign_ins: AtomicU64,
    sign_ins_failed: AtomicU64,
    polls: AtomicI64,
}

#[derive(Debug, Default)]
struct Appends {
    /// Below each bound, not summed; the last is above all.
    counts: [AtomicU64; APPEND_BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// Which door a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Door {
    /// People, their programs and the page.
    Api,
    /// Agents.
    Gateway,
}

impl Display for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Api => "api",
            Self::Gateway => "gateway",
        })
    }
}

/// An agent's poll for an order, while it is held open.
pub(crate) struct Polling(Arc<Metrics>);

impl Drop for Polling {
    fn drop(&mut self) {
        self.0.polls.fetch_sub(1, Ordering::Relaxed);
    }
}

fn add<K: Ord>(counts: &Mutex<BTreeMap<K, u64>>, key: K) {
    *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
}

impl Metrics {
    pub(crate) fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, code: RefusalCode) {
        add(&self.refused, code);
    }

    /// A group of commands became durable in this time.
    pub(crate) fn appended(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let slot = APPEND_BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(APPEND_BOUNDS.len());
        if let Some(count) = self.appends.counts.get(slot) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.appends.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self, door: Door, status: u16) {
        add(&self.answers, (door, status / 100));
    }

    pub(crate) fn signed_in(&self, right: bool) {
        let counter = if right { &self.sign_ins } else { &self.sign_ins_failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an agent's poll until the result is dropped.
    pub(crate) fn polling(self: &Arc<Self>) -> Polling {
        self.polls.fetch_add(1, Ordering::Relaxed);
        Polling(self.clone())
    }

    /// Writes what was counted.
    pub(crate) fn write(&self, page: &mut Page) {
        page.one("tenon_commands_total", "counter", "Commands that are durable.", load(&self.accepted));
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        page.begin("tenon_refusals_total", "counter", "Commands that were refused, by code.");
        for code in RefusalCode::ALL {
            let name = serde_json::to_value(code).ok().and_then(|name| name.as_str().map(str::to_owned));
            let count = refused.get(&code).copied().unwrap_or_default();
            page.value("tenon_refusals_total", &[("code", &name.unwrap_or_default())], count);
        }
        self.write_appends(page);
        page.begin("tenon_http_answers_total", "counter", "Answers, by door and class of status.");
        for ((door, class), count) in self.answers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let labels = [("door", door.to_string()), ("status", format!("{class}xx"))];
            let labels = labels.each_ref().map(|(name, value)| (*name, value.as_str()));
            page.value("tenon_http_answers_total", &labels, count);
        }
        page.begin("tenon_sign_ins_total", "counter", "Attempts to sign in with a password.");
        page.value("tenon_sign_ins_total", &[("result", "right")], load(&self.sign_ins));
        page.value("tenon_sign_ins_total", &[("result", "wrong")], load(&self.sign_ins_failed));
        let polls = self.polls.load(Ordering::Relaxed).max(0);
        page.one("tenon_agents_connected", "gauge", "Agents whose poll for an order is held open.", polls);
    }

    fn write_appends(&self, page: &mut Page) {
        let name = "tenon_append_seconds";
        page.begin(name, "histogram", "Time until a group of commands is durable.");
        let mut sum = 0;
        for (count, bound) in self.appends.counts.iter().zip(APPEND_BOUNDS) {
            sum += load(count);
            page.value("tenon_append_seconds_bucket", &[("le", &seconds(bound))], sum);
        }
        sum += self.appends.counts.last().map(load).unwrap_or_default();
        page.value("tenon_append_seconds_bucket", &[("le", "+Inf")], sum);
        page.value("tenon_append_seconds_sum", &[], seconds(load(&self.appends.micros)));
        page.value("tenon_append_seconds_count", &[], sum);
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Microseconds as seconds, exactly.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// A page of measurements.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    /// Begins a family.
    pub(crate) fn begin(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text cannot fail, here and below.
        let _written = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One value with its labels.
    pub(crate) fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _written = write!(self.0, "{}{label}=\"{text}\"", if at == 0 { '{' } else { ',' });
        }
        let _written = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    /// A family of one value.
    pub(crate) fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.begin(name, kind, help);
        self.value(name, &[], value);
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_is_summed_up_and_labels_are_escaped() {
        let metrics = Metrics::default();
        for micros in [400, 1_500, 9_000_000] {
            metrics.appended(Duration::from_micros(micros));
        }
        let mut page = Page::default();
        metrics.write(&mut page);
        page.value("x", &[("a", "b\"\\\n"), ("c", "d")], 1);
        let text = page.into_text();
        for line in [
            "tenon_append_seconds_bucket{le=\"0.000500\"} 1",
            "tenon_append_seconds_bucket{le=\"0.001000\"} 1",
            "tenon_append_seconds_bucket{le=\"0.002000\"} 2",
            "tenon_append_seconds_bucket{le=\"5.000000\"} 2",
            "tenon_append_seconds_bucket{le=\"+Inf\"} 3",
            "tenon_append_seconds_sum 9.001900",
            "tenon_append_seconds_count 3",
            "x{a=\"b\\\"\\\\\\n\",c=\"d\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing:\n{text}");
        }
    }
}
