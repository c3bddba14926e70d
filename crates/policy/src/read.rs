//! The file: YAML read into a [`Policy`], every problem with line and column.

use std::collections::BTreeSet;
use std::fmt::Display;

use jiff::civil::DateTime;
use tenon_formats::yaml::{self, Node, Place, Value};
use tenon_formats::{Problem, Problems};
use tenon_model::{Role, Tempo};

use crate::calendar::{DAYS, Freeze, Window, instant, time_of_day, zone_named};
use crate::expression::Expression;
use crate::fields::nearest;
use crate::policy::{Approval, Emergency, LAST_START_SECONDS, Policy, Rule};

/// Largest file, in bytes.
pub const MAX_POLICY: usize = 256 << 10;
/// The version of the file's shape that is read.
const VERSION: &str = "1";
/// Most rules, windows and freezes each: they are asked one after the other, for every asset.
const MAX_EACH: usize = 200;
/// Longest text that is kept, in characters.
const MAX_TEXT: usize = 300;
/// Most people that an approval asks for.
const MAX_PEOPLE: u8 = 10;
const SECTIONS: &[&str] = &["version", "windows", "freezes", "emergency", "rules", "retire"];

/// Reads a policy. `docs/policy.md` describes the shape.
///
/// # Errors
/// Every problem, each with line and column: of an expression those of the word that is wrong.
pub fn read(text: &str) -> Result<Policy, Problems> {
    let mut reader = Reader { lines: text.lines().collect(), problems: Problems::default() };
    let policy = reader.policy(text);
    if reader.problems.is_empty() { Ok(policy) } else { Err(reader.problems) }
}

pub(crate) struct Reader<'t> {
    /// The lines of the file, for the places inside expressions.
    lines: Vec<&'t str>,
    problems: Problems,
}

/// The value of a key.
pub(crate) fn entry<'n>(entries: &[(&'n str, &'n Node)], key: &str) -> Option<&'n Node> {
    entries.iter().find(|(known, _)| *known == key).map(|(_, node)| *node)
}

impl Reader<'_> {
    pub(crate) fn problem(&mut self, place: impl Display, reason: impl Into<String>) {
        let reason: String =
            reason.into().chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_TEXT).collect();
        self.problems.push(Problem { place: place.to_string(), subject: None, reason });
    }

    fn policy(&mut self, text: &str) -> Policy {
        let mut policy = Policy::default();
        if text.len() > MAX_POLICY {
            self.problem("the policy", format!("{} bytes, more than the {MAX_POLICY} accepted", text.len()));
            return policy;
        }
        let root = match yaml::read(text.as_bytes()) {
            Ok(root) => root,
            Err(error) => {
                self.problem(error.place, error.reason);
                return policy;
            }
        };
        let sections = self.keys(&root, SECTIONS);
        match entry(&sections, "version").map(|node| (node.place, self.text(node))) {
            Some((_, Some(VERSION))) => {}
            Some((place, _)) => {
                self.problem(place, format!("this program reads version {VERSION} of the file"));
            }
            None => {
                self.problem(root.place, format!("a policy says which shape it has: `version: {VERSION}`"));
            }
        }
        if let Some(node) = entry(&sections, "windows") {
            policy.windows = self.named(node, Self::window);
        }
        if let Some(node) = entry(&sections, "freezes") {
            policy.freezes = self.named(node, Self::freeze);
        }
        if let Some(node) = entry(&sections, "emergency") {
            policy.emergency = self.emergency(node);
        }
        let names: Vec<String> = policy.windows.iter().map(|window| window.name.clone()).collect();
        if let Some(node) = entry(&sections, "rules") {
            policy.rules = self.rules(node, &names);
        }
        if let Some(node) = entry(&sections, "retire") {
            policy.retire = self.named(node, Self::retire);
        }
        policy
    }

    /// The entries of a mapping with keys that are known.
    pub(crate) fn keys<'n>(&mut self, node: &'n Node, known: &[&str]) -> Vec<(&'n str, &'n Node)> {
        let Value::Map(map) = &node.value else {
            if !matches!(node.value, Value::Nothing) {
                self.problem(node.place, format!("a mapping is expected, of {}", known.join(", ")));
            }
            return Vec::new();
        };
        let mut entries = Vec::new();
        for (key, value) in map {
            if known.contains(&key.text.as_str()) {
                entries.push((key.text.as_str(), value));
                continue;
            }
            let near = nearest(&key.text, known.iter().copied());
            let near = near.map_or_else(
                || format!("one of {}", known.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            self.problem(key.place, format!("{:?} is not known here; {near}", key.text));
        }
        entries
    }

    /// The entries of a mapping whose keys are names.
    fn named<T>(&mut self, node: &Node, read: fn(&mut Self, String, &Node) -> Option<T>) -> Vec<T> {
        let Value::Map(map) = &node.value else {
            if !matches!(node.value, Value::Nothing) {
                self.problem(node.place, "a mapping of names is expected");
            }
            return Vec::new();
        };
        if map.len() > MAX_EACH {
            self.problem(node.place, format!("{} entries, more than the {MAX_EACH} accepted", map.len()));
            return Vec::new();
        }
        let mut found = Vec::new();
        for (key, value) in map {
            if let Some(name) = self.name(&key.text, key.place) {
                found.extend(read(self, name, value));
            }
        }
        found
    }

    fn name(&mut self, text: &str, place: Place) -> Option<String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if (1..=60).contains(&text.len()) && text.chars().all(fits) {
            return Some(text.to_owned());
        }
        self.problem(place, format!("{text:?} is no name: 1 to 60 letters, digits, - _ or ."));
        None
    }

    pub(crate) fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        match &node.value {
            Value::Text(text) => Some(text),
            _ => {
                self.problem(node.place, "one value is expected");
                None
            }
        }
    }

    fn one_of<T: Copy + Display>(&mut self, node: &Node, all: &[T]) -> Option<T> {
        let text = self.text(node)?;
        let found = all.iter().copied().find(|value| value.to_string() == text);
        if found.is_none() {
            let words: Vec<String> = all.iter().map(ToString::to_string).collect();
            self.problem(node.place, format!("{text:?} is none of {}", words.join(", ")));
        }
        found
    }

    pub(crate) fn list<'n>(&mut self, node: &'n Node) -> Vec<&'n Node> {
        match &node.value {
            Value::List(items) if items.len() <= MAX_EACH => items.iter().collect(),
            Value::List(items) => {
                self.problem(
                    node.place,
                    format!("{} entries, more than the {MAX_EACH} accepted", items.len()),
                );
                Vec::new()
            }
            Value::Nothing => Vec::new(),
            Value::Text(_) => vec![node],
            Value::Map(_) => {
                self.problem(node.place, "a list is expected");
                Vec::new()
            }
        }
    }

    /// The value of a key that must be there.
    pub(crate) fn needed<'n>(
        &mut self,
        entries: &[(&'n str, &'n Node)],
        key: &str,
        of: &Node,
    ) -> Option<&'n Node> {
        let found = entry(entries, key);
        if found.is_none() {
            self.problem(of.place, format!("`{key}` is missing"));
        }
        found
    }

    fn expression(&mut self, node: &Node) -> Option<Expression> {
        let text = self.text(node)?;
        match Expression::read(text) {
            Ok(expression) => Some(expression),
            Err(error) => {
                let place = self.place_in(node.place, text, error.at);
                self.problem(place, error.reason);
                None
            }
        }
    }

    /// Where a byte of a text stands in the file: exactly where the text is written on one line or as a block, else where
    /// the text begins.
    fn place_in(&self, begins: Place, text: &str, at: usize) -> Place {
        let line_of = |number: usize| {
            number.checked_sub(1).and_then(|place| self.lines.get(place)).copied().unwrap_or_default()
        };
        let rest: String = line_of(begins.line).chars().skip(begins.column.saturating_sub(1)).collect();
        let before = text.get(..at).unwrap_or(text);
        if !text.contains('\n') {
            let quoted = usize::from(rest.starts_with(['"', '\'']));
            if rest.chars().skip(quoted).collect::<String>().starts_with(text.trim_end()) {
                return Place { line: begins.line, column: begins.column + quoted + before.chars().count() };
            }
        }
        // A block (`|` or `>`); lines of `>` are joined with blanks.
        let mut passed = 0;
        for (number, line) in self.lines.iter().enumerate().skip(begins.line.saturating_sub(1)) {
            let rest = text.get(passed..).unwrap_or_default();
            let deeper = rest.len() - rest.trim_start_matches(' ').len();
            let (indent, written) = (line.len() - line.trim_start().len(), line.trim());
            if indent < deeper || !rest.trim_start_matches(' ').starts_with(written) {
                break;
            }
            let ends = passed + deeper + written.len() + 1;
            if at < ends {
                let column = text.get(passed..at).map_or(0, |before| before.chars().count());
                return Place { line: number + 1, column: indent - deeper + column + 1 };
            }
            passed = ends;
        }
        begins
    }

    /// What a text says by a reader of its own; what is wrong with it becomes a problem.
    fn by<T>(&mut self, node: &Node, read: fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(node)?;
        read(text).map_err(|reason| self.problem(node.place, reason)).ok()
    }

    fn window(&mut self, name: String, node: &Node) -> Option<Window> {
        let entries = self.keys(node, &["zone", "days", "from", "to"]);
        let mut part = |key| self.needed(&entries, key, node);
        let (zone, from, to) = (part("zone"), part("from"), part("to"));
        let (zone, from, to) = (
            zone.and_then(|node| self.by(node, zone_named)),
            from.and_then(|node| self.by(node, time_of_day)),
            to.and_then(|node| self.by(node, time_of_day)),
        );
        let mut days = [entry(&entries, "days").is_none(); 7];
        for day in entry(&entries, "days").map(|node| self.list(node)).unwrap_or_default() {
            if let Some(place) =
                self.one_of(day, &DAYS).and_then(|day| DAYS.iter().position(|known| *known == day))
            {
                days[place] = true;
            }
        }
        let window = Window { name, zone: zone?, days, from: from?, to: to? };
        if window.minutes() * 60 < 3 * LAST_START_SECONDS {
            let reason = format!(
                "{} minutes: a window is at least 30 minutes long, in the last ten of which nothing begins",
                window.minutes()
            );
            self.problem(node.place, reason);
            return None;
        }
        if window.days == [false; 7] {
            self.problem(node.place, "a window that opens on no day");
            return None;
        }
        Some(window)
    }

    fn freeze(&mut self, name: String, node: &Node) -> Option<Freeze> {
        let entries = self.keys(node, &["zone", "from", "until", "when"]);
        let mut part = |key| self.needed(&entries, key, node);
        let (zone, from, until) = (part("zone"), part("from"), part("until"));
        let zone = zone.and_then(|node| self.by(node, zone_named))?;
        let mut instant_of = |node: &Node, later| {
            let text = self.text(node)?;
            let shown: Option<DateTime> = text.parse().ok();
            let found = shown.and_then(|shown| instant(&zone, shown, later));
            if found.is_none() {
                self.problem(
                    node.place,
                    format!("{text:?} is no day or time, like 2026-12-18 or 2026-12-18T18:00"),
                );
            }
            found
        };
        // Of an hour that is shown twice the whole is frozen.
        let (from, ends) = (instant_of(from?, false), until.and_then(|node| instant_of(node, true)));
        let when = entry(&entries, "when").map(|node| self.expression(node));
        let freeze = Freeze { name, from: from?, until: ends?, when: when.flatten() };
        if freeze.until <= freeze.from {
            self.problem(node.place, "a freeze that ends before it begins");
            return None;
        }
        Some(freeze)
    }

    fn emergency(&mut self, node: &Node) -> Emergency {
        let entries = self.keys(node, &["when", "crosses"]);
        let when = entry(&entries, "when").and_then(|node| self.expression(node));
        let mut emergency = Emergency { when, ..Emergency::default() };
        for node in entry(&entries, "crosses").map(|node| self.list(node)).unwrap_or_default() {
            match self.one_of(node, &["windows", "freezes"]) {
                Some("windows") => emergency.crosses_windows = true,
                Some(_) => emergency.crosses_freezes = true,
                None => {}
            }
        }
        emergency
    }

    fn rules(&mut self, node: &Node, windows: &[String]) -> Vec<Rule> {
        let mut seen = BTreeSet::new();
        let mut rules: Vec<Rule> = Vec::new();
        for item in self.list(node) {
            if let Some(last) = rules.last().filter(|last| last.when.is_none()) {
                let reason = format!(
                    "no rule behind {} is ever asked: it has no `when` and matches always",
                    last.name
                );
                self.problem(item.place, reason);
                break;
            }
            let Some(rule) = self.rule(item, windows) else { continue };
            if !seen.insert(rule.name.clone()) || rule.name == "default" {
                self.problem(item.place, format!("there is a rule named {} already", rule.name));
            }
            rules.push(rule);
        }
        rules
    }

    fn rule(&mut self, node: &Node, windows: &[String]) -> Option<Rule> {
        let entries = self.keys(node, &["name", "when", "approval", "windows", "tempo", "why"]);
        let name = self.needed(&entries, "name", node).and_then(|node| {
            let text = self.text(node)?;
            self.name(text, node.place)
        });
        let approval = self.needed(&entries, "approval", node).and_then(|node| self.approval(node));
        let said = entry(&entries, "when");
        let when = said.and_then(|node| self.expression(node));
        let mut places = Vec::new();
        for node in entry(&entries, "windows").map(|node| self.list(node)).unwrap_or_default() {
            let Some(text) = self.text(node) else { continue };
            match windows.iter().position(|window| window == text) {
                Some(place) => places.push(place),
                None => self.problem(
                    node.place,
                    format!("window {text:?} is not defined: define it, or correct the name"),
                ),
            }
        }
        let tempo = entry(&entries, "tempo").and_then(|node| self.one_of(node, Tempo::ALL));
        let why = entry(&entries, "why").and_then(|node| self.text(node));
        let why = why.map(|why| why.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect());
        // A condition that does not read is a problem, and must not become one that always matches.
        if said.is_some() && when.is_none() {
            return None;
        }
        Some(Rule { name: name?, when, approval: approval?, windows: places, tempo, why })
    }

    fn approval(&mut self, node: &Node) -> Option<Approval> {
        if let Value::Text(text) = &node.value {
            return match text.as_str() {
                "automatic" => Some(Approval::Automatic),
                "forbidden" => Some(Approval::Forbidden),
                _ => {
                    let reason =
                        format!("{text:?} is none of automatic, forbidden, or {{people: 1, role: approver}}");
                    self.problem(node.place, reason);
                    None
                }
            };
        }
        let entries = self.keys(node, &["people", "role"]);
        let people = self.needed(&entries, "people", node)?;
        let text = self.text(people)?;
        let count = text.parse().ok().filter(|count| (1..=MAX_PEOPLE).contains(count));
        if count.is_none() {
            self.problem(people.place, format!("{text:?} is no number of people, from 1 to {MAX_PEOPLE}"));
        }
        let role = entry(&entries, "role").map(|node| self.one_of(node, &Role::ALL));
        Some(Approval::People { people: count?, role: role.unwrap_or_default() })
    }
}
