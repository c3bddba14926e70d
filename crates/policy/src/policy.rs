//! A policy, and what it says of one asset at one time.

use tenon_model::{Role, Tempo, Timestamp};

use crate::calendar::{Freeze, Turn, Window};
use crate::expression::Expression;
use crate::fields::{Facts, Field};
use crate::retire::Retire;

/// In the last ten minutes of a window nothing begins any more, in seconds: a change takes some minutes, and what begins
/// late would end outside.
pub const LAST_START_SECONDS: u32 = 600;
/// How often a window may open into a freeze before the search for its next opening ends.
const MAX_CLOSED: usize = 400;

/// Who decides that a change goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// The policy itself, once the rehearsal has passed.
    Automatic,
    /// People.
    People {
        /// How many different ones.
        people: u8,
        /// With which role; whoever may approve, where it does not say.
        role: Option<Role>,
    },
    /// Nobody: it does not go out.
    Forbidden,
}

impl Approval {
    /// What counts where no rule matches, and no policy is set: one person who may approve.
    pub const ONE: Self = Self::People { people: 1, role: None };
}

impl std::fmt::Display for Approval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Automatic => f.write_str("automatic"),
            Self::Forbidden => f.write_str("forbidden"),
            Self::People { people: 1, role: None } => f.write_str("by one person"),
            Self::People { people: 1, role: Some(role) } => write!(f, "by one person with role {role}"),
            Self::People { people, role: None } => write!(f, "by {people} people"),
            Self::People { people, role: Some(role) } => write!(f, "by {people} people with role {role}"),
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name, unique in the policy.
    pub name: String,
    /// When it matches; always, where it does not say.
    pub when: Option<Expression>,
    /// Who decides.
    pub approval: Approval,
    /// In which windows changes begin, by their places; any time where there is none.
    pub windows: Vec<usize>,
    /// How fast; as `tenon tempo` says where it does not say.
    pub tempo: Option<Tempo>,
    /// Why, in the words of whoever wrote it.
    pub why: Option<String>,
}

/// What does not wait.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Emergency {
    /// What is one; where it does not say, what is listed in KEV.
    pub when: Option<Expression>,
    /// Whether it begins outside windows.
    pub crosses_windows: bool,
    /// Whether it begins in freezes.
    pub crosses_freezes: bool,
}

/// A policy as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// The windows that rules name.
    pub windows: Vec<Window>,
    /// When nothing begins.
    pub freezes: Vec<Freeze>,
    /// In their order: the first that matches counts.
    pub rules: Vec<Rule>,
    /// What does not wait.
    pub emergency: Emergency,
    /// After how long a silence hosts count as gone: the first that is about their group.
    pub retire: Vec<Retire>,
}

/// What a policy says of a directive on one asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict<'p> {
    /// The rule that matched; `None` where none does.
    pub rule: Option<&'p Rule>,
    /// Whether it is an emergency: it goes faster, and crosses what the policy lets it cross.
    pub emergency: bool,
}

impl Verdict<'_> {
    /// Who decides.
    pub fn approval(&self) -> Approval {
        self.rule.map_or(Approval::ONE, |rule| rule.approval)
    }

    /// How fast it goes, where nobody says otherwise at `usual`.
    pub fn tempo(&self, usual: Tempo) -> Tempo {
        let tempo = self.rule.and_then(|rule| rule.tempo).unwrap_or(usual);
        if self.emergency { tempo.hurried() } else { tempo }
    }

    /// The name of the rule, for people and events.
    pub fn name(&self) -> &str {
        self.rule.map_or("default", |rule| rule.name.as_str())
    }
}

impl Policy {
    /// Whether any condition asks about a field.
    pub fn asks(&self, field: &str) -> bool {
        let rules = self.rules.iter().filter_map(|rule| rule.when.as_ref());
        let freezes = self.freezes.iter().filter_map(|freeze| freeze.when.as_ref());
        rules.chain(freezes).chain(&self.emergency.when).any(|when| when.asks(field))
    }

    /// The fields on which a verdict that is open depends: those that the first undecided rule asks about and nobody knows.
    /// None where the verdict is given.
    pub fn missing(&self, facts: &Facts<'_>) -> Vec<&'static str> {
        for rule in &self.rules {
            let Some(when) = &rule.when else { break };
            match when.holds(facts) {
                Some(true) => break,
                Some(false) => {}
                None => {
                    let open = |field: &&Field| when.asks(field.name) && field.value(facts).is_none();
                    return Field::ALL.iter().filter(open).map(|field| field.name).collect();
                }
            }
        }
        Vec::new()
    }

    /// What the policy says; `None` where that depends on a rehearsal that has not passed yet, or on a field that is not known.
    pub fn verdict(&self, facts: &Facts<'_>) -> Option<Verdict<'_>> {
        let emergency = self.is_emergency(facts);
        for rule in &self.rules {
            match rule.when.as_ref().map_or(Some(true), |when| when.holds(facts)) {
                Some(true) => return Some(Verdict { rule: Some(rule), emergency }),
                Some(false) => {}
                None => return None,
            }
        }
        Some(Verdict { rule: None, emergency })
    }

    /// What is not known is no emergency.
    fn is_emergency(&self, facts: &Facts<'_>) -> bool {
        let when = self.emergency.when.as_ref();
        let exploited = facts.directive.kev || facts.asset.attacked;
        when.map_or(exploited, |when| when.holds(facts) == Some(true))
    }

    /// The windows that a verdict keeps to.
    pub fn windows_of(&self, verdict: &Verdict<'_>) -> impl Iterator<Item = &Window> {
        let crosses = verdict.emergency && self.emergency.crosses_windows;
        let places =
            verdict.rule.filter(|_| !crosses).map(|rule| rule.windows.as_slice()).unwrap_or_default();
        places.iter().filter_map(|place| self.windows.get(*place))
    }

    /// The freezes that a verdict keeps to. What is not known yet is frozen.
    pub fn freezes_of(&self, verdict: &Verdict<'_>, facts: &Facts<'_>) -> impl Iterator<Item = &Freeze> {
        let crosses = verdict.emergency && self.emergency.crosses_freezes;
        let facts = *facts;
        self.freezes.iter().filter(move |freeze| {
            !crosses && freeze.when.as_ref().is_none_or(|when| when.holds(&facts) != Some(false))
        })
    }

    /// Whether what a verdict is about may begin now.
    pub fn turn(&self, verdict: &Verdict<'_>, facts: &Facts<'_>, now: Timestamp) -> Turn {
        let windows: Vec<&Window> = self.windows_of(verdict).collect();
        let freezes: Vec<&Freeze> = self.freezes_of(verdict, facts).collect();
        let (mut at, mut why) = (now, None);
        for _ in 0..MAX_CLOSED {
            if let Some(freeze) =
                freezes.iter().filter(|freeze| freeze.lasts(at)).max_by_key(|freeze| freeze.until)
            {
                why.get_or_insert_with(|| format!("freeze {} until {}", freeze.name, freeze.until));
                at = freeze.until;
                continue;
            }
            match until(&windows, &freezes, at) {
                Ends::Never if at == now => return Turn::Open { until: None },
                Ends::At(until) if at == now => return Turn::Open { until: Some(until) },
                Ends::Never | Ends::At(_) => {
                    let why = why.unwrap_or_default();
                    return Turn::Closed { opens: Some(at), why };
                }
                Ends::Over => {
                    let names: Vec<&str> = windows.iter().map(|window| window.name.as_str()).collect();
                    let next = windows.iter().filter_map(|window| window.opens(at)).min();
                    let ahead = freezes.iter().map(|freeze| freeze.until).filter(|until| *until > at).min();
                    why.get_or_insert_with(|| match names.as_slice() {
                        [] => "a freeze that begins within ten minutes".to_owned(),
                        [name] => format!("window {name}"),
                        names => format!("one of the windows {}", names.join(", ")),
                    });
                    // Without windows only a freeze can have closed it.
                    match if windows.is_empty() { ahead } else { next } {
                        Some(next) => at = next,
                        None => break,
                    }
                }
            }
        }
        Turn::Closed { opens: None, why: why.unwrap_or_default() }
    }
}

/// When what is open at an instant ends.
enum Ends {
    Never,
    At(Timestamp),
    /// It is closed, or so near to its end that nothing begins.
    Over,
}

fn until(windows: &[&Window], freezes: &[&Freeze], at: Timestamp) -> Ends {
    let closes = windows.iter().filter_map(|window| window.open_until(at)).max();
    if closes.is_none() && !windows.is_empty() {
        return Ends::Over;
    }
    let frozen = freezes.iter().map(|freeze| freeze.from).filter(|from| *from > at).min();
    match closes.into_iter().chain(frozen).min() {
        None => Ends::Never,
        Some(ends) if at.plus_seconds(LAST_START_SECONDS) > ends => Ends::Over,
        Some(ends) => Ends::At(ends),
    }
}
