//! Decision points that the record holds: what is stated of a vulnerability, and what people state of an asset. Values are
//! in published order; definitions are those of SSVC (CERTCC/SSVC, decision points as of 2026-07-20) unless stated.

/// Defines an enumeration whose values have published texts: a decision point, a rule.
#[macro_export]
macro_rules! decision_point {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$value_doc])* #[serde(rename = $text)] $value,)+ }

        impl $name {
            /// Every value, in published order.
            pub const ALL: &'static [Self] = &[$(Self::$value,)+];

            /// As the tables write it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$value => $text,)+ }
            }

            /// From what the tables write.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

decision_point! {
    /// Exploitation 1.1.0: the present state of exploitation of the vulnerability.
    Exploitation {
        /// No evidence of exploitation and no public proof of concept.
        None = "none",
        /// A public proof of concept, or a well-known method of exploitation.
        PublicPoc = "public poc",
        /// Reliable evidence that it is exploited in the wild.
        Active = "active",
    }
}

decision_point! {
    /// System Exposure 1.0.1: accessible attack surface of the affected system or service.
    SystemExposure {
        /// Local service or program, or highly controlled network.
        Small = "small",
        /// Networked service with access restrictions or mitigations.
        Controlled = "controlled",
        /// Internet or another network whose access cannot be controlled.
        Open = "open",
    }
}

decision_point! {
    /// Attack Vector of CVSS 3.1 (section 2.1.1) and 4.0: how far the attacker may be.
    AttackVector {
        /// Across networks.
        Network = "network",
        /// In the same network, physical or logical.
        Adjacent = "adjacent",
        /// On the system, or through a person there.
        Local = "local",
        /// With the hands on it.
        Physical = "physical",
    }
}

decision_point! {
    /// Automatable 2.0.0: can an attacker automate the first four steps of the kill chain?
    Automatable {
        /// Not reliably.
        No = "no",
        /// Reliably.
        Yes = "yes",
    }
}

decision_point! {
    /// Technical Impact 1.0.0: what an exploit gives the attacker.
    TechnicalImpact {
        /// Limited control, or disclosure of some information.
        Partial = "partial",
        /// Total control, or disclosure of all information.
        Total = "total",
    }
}

decision_point! {
    /// Human Impact 2.0.2: safety and mission impact combined, as the human impact table does it.
    HumanImpact {
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
        /// Very high.
        VeryHigh = "very high",
    }
}

decision_point! {
    /// Mission and Well-Being Impact 1.0.0 (CISA): mission prevalence and public well-being combined.
    MissionAndWellBeing {
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
    }
}
