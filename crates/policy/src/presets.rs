//! Policies to begin with. Each is a file like any other, with the reasons beside the rules.

/// A policy to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// The file.
    pub text: &'static str,
}

/// Every preset, the most careful first.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "cautious",
        about: "development runs by itself, production is approved by two people and changed at weekends",
        text: include_str!("../presets/cautious.yaml"),
    },
    Preset {
        name: "standard",
        about: "what can be taken back runs by itself at night, people decide the rest",
        text: include_str!("../presets/standard.yaml"),
    },
    Preset {
        name: "fast",
        about: "what can be taken back runs by itself at any time",
        text: include_str!("../presets/fast.yaml"),
    },
    Preset {
        name: "bod-26-04",
        about: "CISA BOD 26-04: what its table wants within days does not wait for a window",
        text: include_str!("../presets/bod-26-04.yaml"),
    },
];
