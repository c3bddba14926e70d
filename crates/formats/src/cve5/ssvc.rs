//! SSVC decision points as CISA writes them into its ADP container (CISA Coordinator tree, SSVC 2.0.3).

use tenon_model::{Automatable, Exploitation, Ssvc, TechnicalImpact};

use crate::json::{Object, Walk};

/// Reads the content of an `other` metric of type `ssvc`. Names and values come in any case ("Exploitation",
/// "PoC", "Technical Impact"), so case and blanks do not count.
pub(super) fn read(walk: &mut Walk, content: &Object<'_>) -> Option<Ssvc> {
    let mut ssvc = Ssvc {
        exploitation: None,
        automatable: None,
        technical_impact: None,
        decided: super::time(walk, content, "timestamp"),
    };
    for option in walk.objects(content, "options") {
        for (name, value) in walk.text_fields(&option) {
            let known = match fold(name).as_str() {
                "exploitation" => {
                    ssvc.exploitation = match fold(value).as_str() {
                        "none" => Some(Exploitation::None),
                        "poc" | "publicpoc" => Some(Exploitation::PublicPoc),
                        "active" => Some(Exploitation::Active),
                        _ => None,
                    };
                    ssvc.exploitation.is_some()
                }
                "automatable" => {
                    ssvc.automatable = match fold(value).as_str() {
                        "no" => Some(Automatable::No),
                        "yes" => Some(Automatable::Yes),
                        _ => None,
                    };
                    ssvc.automatable.is_some()
                }
                "technicalimpact" => {
                    ssvc.technical_impact = match fold(value).as_str() {
                        "partial" => Some(TechnicalImpact::Partial),
                        "total" => Some(TechnicalImpact::Total),
                        _ => None,
                    };
                    ssvc.technical_impact.is_some()
                }
                // A decision point of another tree.
                _ => true,
            };
            if !known {
                walk.problem(
                    &option,
                    "options",
                    &format!("{name}: {value}"),
                    "a value of that decision point",
                );
            }
        }
    }
    let nothing =
        ssvc.exploitation.is_none() && ssvc.automatable.is_none() && ssvc.technical_impact.is_none();
    (!nothing).then_some(ssvc)
}

fn fold(text: &str) -> String {
    text.chars()
        .take(40)
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}
