//! The file: TOML read into [`Limits`], every problem with line and column. What is not understood is a problem, not
//! passed over: a limit that is misspelt must not be no limit.

use std::collections::BTreeSet;
use std::ops::Range;

use tenon_approval::{MAX_KEYS, PersonKey, Required};
use tenon_formats::yaml::Place;
use tenon_formats::{Problem, Problems};
use tenon_policy::{DAYS, Window, nearest, time_of_day, zone_named};
use toml_edit::{Document, Item, TableLike, Value};

use super::{Action, Limits, Names};

/// Largest file, in bytes.
pub const MAX_LIMITS: usize = 64 << 10;
/// Most names or windows in one list.
const MAX_EACH: usize = 500;
/// Longest name of a package, unit or window.
const MAX_NAME: usize = 100;
/// Longest text that is kept of what is wrong, in characters.
const MAX_TEXT: usize = 300;
/// Most problems that are told: the place of each is counted from the beginning of the file.
const MAX_WRONG: usize = 1_000;
const KEYS: [&str; 8] =
    ["actions", "never_touch", "never_restart", "max_removals", "reboot", "min_free", "windows", "approval"];
const APPROVAL: [&str; 2] = ["needed", "keys"];
const WINDOW: [&str; 4] = ["days", "from", "to", "zone"];
/// Units of sizes, as the file may write them, the smallest first.
pub(super) const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("KB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
];

/// Reads limits. `docs/operations.md` describes the shape.
///
/// # Errors
/// Every problem, each with line and column.
pub fn read(text: &str) -> Result<Limits, Problems> {
    let mut reader = Reader { text, wrong: Vec::new() };
    let limits = reader.limits();
    reader.wrong.sort();
    let mut problems = Problems::default();
    for (at, reason) in reader.wrong {
        problems.push(Problem { place: place(text, at).to_string(), subject: None, reason });
    }
    if problems.is_empty() { Ok(limits) } else { Err(problems) }
}

/// Where something begins; a table that only dotted keys name begins with the file.
fn start(span: Option<Range<usize>>) -> usize {
    span.map_or(0, |span| span.start)
}

struct Reader<'t> {
    text: &'t str,
    /// What is wrong, with the byte where it stands.
    wrong: Vec<(usize, String)>,
}

impl Reader<'_> {
    fn problem(&mut self, at: usize, reason: impl Into<String>) {
        if self.wrong.len() < MAX_WRONG {
            let reason = reason.into();
            let plain = reason.chars().map(|c| if c.is_control() { ' ' } else { c });
            self.wrong.push((at, plain.take(MAX_TEXT).collect()));
        }
    }

    fn limits(&mut self) -> Limits {
        let mut limits = Limits::default();
        if self.text.len() > MAX_LIMITS {
            self.problem(0, format!("{} bytes, more than the {MAX_LIMITS} accepted", self.text.len()));
            return limits;
        }
        let document = match Document::parse(self.text) {
            Ok(document) => document,
            Err(error) => {
                self.problem(start(error.span()), error.message());
                return limits;
            }
        };
        for (key, item) in self.known(document.as_table(), &KEYS) {
            match key {
                "actions" => limits.actions = self.actions(item),
                "never_touch" => limits.never_touch = self.names(item, "package"),
                "never_restart" => limits.never_restart = self.names(item, "unit"),
                "max_removals" => limits.max_removals = self.count(item).unwrap_or_default(),
                "min_free" => limits.min_free = self.size(item).unwrap_or_default(),
                "reboot" => match item.as_bool() {
                    Some(reboot) => limits.reboot = reboot,
                    None => self.problem(start(item.span()), "true or false is expected"),
                },
                "approval" => limits.approval = self.approval(item),
                _ => limits.windows = self.windows(item),
            }
        }
        limits
    }

    /// The entries of a table whose keys are known.
    fn known<'n>(
        &mut self,
        table: &'n dyn TableLike,
        known: &[&'static str],
    ) -> Vec<(&'static str, &'n Item)> {
        let mut entries = Vec::new();
        for (key, item) in table.iter() {
            if let Some(known) = known.iter().find(|known| **known == key) {
                entries.push((*known, item));
                continue;
            }
            let near = nearest(key, known.iter().copied()).map_or_else(
                || format!("one of {}", known.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            let at = start(table.key(key).and_then(toml_edit::Key::span));
            self.problem(at, format!("{key:?} is not known here; {near}"));
        }
        entries
    }

    fn list<'n>(&mut self, item: &'n Item) -> Vec<&'n Value> {
        match item.as_array() {
            Some(array) if array.len() <= MAX_EACH => array.iter().collect(),
            Some(array) => {
                self.problem(
                    start(item.span()),
                    format!("{} entries, more than the {MAX_EACH} accepted", array.len()),
                );
                Vec::new()
            }
            None => {
                self.problem(start(item.span()), "a list is expected, as in [\"one\", \"two\"]");
                Vec::new()
            }
        }
    }

    fn texts<'n>(&mut self, item: &'n Item) -> Vec<(&'n str, usize)> {
        let mut texts = Vec::new();
        for value in self.list(item) {
            match value.as_str() {
                Some(text) => texts.push((text, start(value.span()))),
                None => self.problem(start(value.span()), "a text in quotes is expected"),
            }
        }
        texts
    }

    fn actions(&mut self, item: &Item) -> BTreeSet<Action> {
        let mut actions = BTreeSet::new();
        for (text, at) in self.texts(item) {
            match Action::ALL.into_iter().find(|action| action.to_string() == text) {
                Some(action) => {
                    actions.insert(action);
                }
                None => {
                    self.problem(
                        at,
                        format!(
                            "{text:?} is none of rehearse, preserve-evidence, apply: there is no other order"
                        ),
                    );
                }
            }
        }
        actions
    }

    fn names(&mut self, item: &Item, of: &str) -> Vec<Names> {
        let mut names = Vec::new();
        for (text, at) in self.texts(item) {
            let (name, beginning) = text.strip_suffix('*').map_or((text, false), |name| (name, true));
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_' | '@');
            if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
                let reason =
                    format!("{text:?} is no name of a {of}, nor the beginning of one with * at its end");
                self.problem(at, reason);
                continue;
            }
            // `postgresql` names no unit, and must not look as if it did.
            let name = match of {
                "unit" if !beginning && !name.contains('.') => format!("{name}.service"),
                _ => name.to_owned(),
            };
            names.push(if beginning { Names::Beginning(name) } else { Names::Exactly(name) });
        }
        names
    }

    fn approval(&mut self, item: &Item) -> Option<Required> {
        let Some(table) = item.as_table_like() else {
            self.problem(start(item.span()), "a table is expected, as in [approval]");
            return None;
        };
        let entries = self.known(table, &APPROVAL);
        let entry = |key: &str| entries.iter().find(|(known, _)| *known == key).map(|(_, item)| *item);
        let Some(list) = entry("keys") else {
            self.problem(start(item.span()), "`keys` is missing: whose signatures count");
            return None;
        };
        let mut keys: Vec<PersonKey> = Vec::new();
        for (text, at) in self.texts(list) {
            match text.parse::<PersonKey>() {
                Ok(key) if keys.iter().any(|known| known.is(&key)) => {
                    self.problem(at, format!("{key} is there already, and would count once"));
                }
                Ok(key) => keys.push(key),
                Err(error) => self.problem(at, error.to_string()),
            }
        }
        let needed = match entry("needed") {
            None => Some(1),
            Some(item) => self.count(item),
        };
        let needed = usize::try_from(needed?).unwrap_or(usize::MAX);
        let at = start(entry("needed").unwrap_or(item).span());
        if keys.len() > MAX_KEYS {
            self.problem(
                start(list.span()),
                format!("{} keys, more than the {MAX_KEYS} accepted", keys.len()),
            );
        } else if needed == 0 {
            self.problem(at, "at least 1 signature is needed: leave [approval] out to ask for none");
        } else if needed > keys.len() {
            self.problem(at, format!("{needed} signatures are needed, and there are {} keys", keys.len()));
        }
        Some(Required { needed, keys })
    }

    fn count(&mut self, item: &Item) -> Option<u64> {
        let count = item.as_integer().and_then(|count| u64::try_from(count).ok());
        if count.is_none() {
            self.problem(start(item.span()), "a whole number is expected, 0 or more");
        }
        count
    }

    fn size(&mut self, item: &Item) -> Option<u64> {
        let size = match item.as_str() {
            Some(text) => size(text),
            None => item.as_integer().and_then(|bytes| u64::try_from(bytes).ok()),
        };
        if size.is_none() {
            let units: Vec<&str> = UNITS.iter().map(|(name, _)| *name).collect();
            let reason = format!(
                "a size is expected: a number of bytes, or as in \"2GB\" with one of {}",
                units.join(", ")
            );
            self.problem(start(item.span()), reason);
        }
        size
    }

    fn windows(&mut self, item: &Item) -> Vec<Window> {
        let Some(table) = item.as_table_like() else {
            self.problem(start(item.span()), "named windows are expected, as in [windows.night]");
            return Vec::new();
        };
        if table.is_empty() || table.len() > MAX_EACH {
            let reason = format!(
                "{} windows, from 1 to {MAX_EACH} are accepted: leave `windows` out to allow changes at any time, or \
                 \"apply\" out of `actions` to allow none",
                table.len()
            );
            self.problem(start(item.span()), reason);
            return Vec::new();
        }
        let mut windows = Vec::new();
        for (name, item) in table.iter() {
            let at = start(table.key(name).and_then(toml_edit::Key::span));
            if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
                self.problem(at, format!("a name of 1 to {MAX_NAME} letters is expected"));
            }
            windows.extend(self.window(name, item, at));
        }
        windows
    }

    fn window(&mut self, name: &str, item: &Item, at: usize) -> Option<Window> {
        let Some(table) = item.as_table_like() else {
            self.problem(start(item.span()), "a window is expected, of days, from, to and zone");
            return None;
        };
        let entries = self.known(table, &WINDOW);
        let entry = |key: &str| entries.iter().find(|(known, _)| *known == key).map(|(_, item)| *item);
        for key in ["from", "to"].into_iter().filter(|key| entry(key).is_none()) {
            self.problem(at, format!("`{key}` is missing"));
        }
        let days = match entry("days") {
            Some(item) => self.days(item),
            None => Some([true; 7]),
        };
        let zone = match entry("zone") {
            Some(item) => self.by(item, zone_named),
            None => zone_named("UTC").ok(),
        };
        let (from, to) = (entry("from"), entry("to"));
        let (from, to) = (
            from.and_then(|item| self.by(item, time_of_day)),
            to.and_then(|item| self.by(item, time_of_day)),
        );
        Some(Window { name: name.to_owned(), zone: zone?, days: days?, from: from?, to: to? })
    }

    fn days(&mut self, item: &Item) -> Option<[bool; 7]> {
        let mut days = [false; 7];
        for (text, at) in self.texts(item) {
            match DAYS.iter().position(|day| *day == text) {
                Some(day) => days[day] = true,
                None => self.problem(at, format!("{text:?} is none of {}", DAYS.join(", "))),
            }
        }
        if item.as_array().is_some_and(toml_edit::Array::is_empty) {
            self.problem(start(item.span()), "a window that opens on no day");
        }
        Some(days)
    }

    /// What a text says by a reader of its own.
    fn by<T>(&mut self, item: &Item, read: fn(&str) -> Result<T, String>) -> Option<T> {
        let Some(text) = item.as_str() else {
            self.problem(start(item.span()), "a text in quotes is expected");
            return None;
        };
        read(text).map_err(|reason| self.problem(start(item.span()), reason)).ok()
    }
}

/// A size as people write it.
fn size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim_start_matches(' '))?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// Where a byte of a text stands.
pub(super) fn place(text: &str, at: usize) -> Place {
    let before = (0..=at.min(text.len())).rev().find_map(|at| text.get(..at)).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    Place { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
}
