//! After how long a silence hosts count as gone.

use tenon_formats::yaml::Node;
use tenon_model::GroupName;
use tenon_model::context::Glob;

use crate::read::{Reader, entry};

/// The shortest silence, in seconds: hosts report several times an hour, and a network that fails is back by then.
const LEAST_SECONDS: u32 = 3_600;
/// The longest, in seconds.
const MOST_SECONDS: u32 = 366 * 86_400;

/// After how long a silence hosts of some groups count as gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retire {
    /// Its name, unique in the policy.
    pub name: String,
    /// The groups that it is about.
    pub groups: Vec<Glob>,
    /// After how long, in seconds.
    pub silent_seconds: u32,
}

impl Retire {
    /// Whether it is about hosts of a group.
    pub fn is_about(&self, group: &GroupName) -> bool {
        self.groups.iter().any(|glob| glob.matches(group.as_str()))
    }
}

impl Reader<'_> {
    pub(crate) fn retire(&mut self, name: String, node: &Node) -> Option<Retire> {
        let entries = self.keys(node, &["groups", "silent"]);
        let mut groups = Vec::new();
        // Without it, every host: that is said, and not what a forgotten line means.
        let said = self.needed(&entries, "groups", node).map(|node| self.list(node)).unwrap_or_default();
        for node in said {
            let Some(text) = self.text(node) else { continue };
            match text.parse() {
                Ok(glob) => groups.push(glob),
                Err(_) => {
                    self.problem(node.place, format!("{text:?} is no pattern of group names, like web-*"));
                }
            }
        }
        let silent = self.needed(&entries, "silent", node)?;
        let text = self.text(silent)?;
        let Some(silent_seconds) = seconds(text) else {
            let reason = format!("{text:?} is no silence of one hour (1h) to 366 days (366d)");
            self.problem(silent.place, reason);
            return None;
        };
        if groups.is_empty() && entry(&entries, "groups").is_some() {
            self.problem(node.place, "a rule about no group retires nothing");
        }
        Some(Retire { name, groups, silent_seconds })
    }
}

/// `36h`, `14d`.
fn seconds(text: &str) -> Option<u32> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = number.parse::<u32>().ok().filter(|_| digits)?.checked_mul(unit)?;
    (LEAST_SECONDS..=MOST_SECONDS).contains(&seconds).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> String {
        let found = crate::read(&format!("version: 1\nretire:\n{text}")).unwrap_err();
        let lines = found.listed().iter().map(ToString::to_string);
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_silence_is_said_in_hours_or_days() {
        let text = "version: 1\nretire:\n  burst:\n    groups: [burst-*, ci]\n    silent: 36h\n  rest:\n    groups: \"*\"\n    silent: 60d\n";
        let policy = crate::read(text).unwrap();
        let rule = |group: &str| {
            let group: GroupName = group.parse().unwrap();
            policy
                .retire
                .iter()
                .find(|rule| rule.is_about(&group))
                .map(|rule| (rule.name.as_str(), rule.silent_seconds))
        };
        assert_eq!(rule("burst-7"), Some(("burst", 36 * 3_600)));
        assert_eq!(rule("ci"), Some(("burst", 36 * 3_600)));
        assert_eq!(rule("web"), Some(("rest", 60 * 86_400)));
    }

    #[test]
    fn what_is_no_silence_is_a_problem_with_its_place() {
        for silent in ["0h", "30m", "1", "h", "-1h", "+1h", "367d", "99999999999d", "é"] {
            let found = problems(&format!("  burst:\n    groups: [burst]\n    silent: {silent}\n"));
            assert!(found.contains("is no silence") && found.contains("line 5"), "{silent}: {found}");
        }
        assert!(problems("  burst:\n    silent: 1d\n").contains("`groups` is missing"));
        assert!(problems("  burst:\n    groups: []\n    silent: 1d\n").contains("retires nothing"));
        assert!(problems("  burst:\n    groups: [ci]\n").contains("`silent` is missing"));
        assert!(problems("  burst:\n    group: [ci]\n    silent: 1d\n").contains("did you mean groups?"));
    }
}
