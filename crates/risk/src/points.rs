//! Decision points: the columns of the tables as types. Values are in published order, which the tables' tests check;
//! definitions are those of SSVC (CERTCC/SSVC, decision points as of 2026-07-20) unless stated.

/// Defines a decision point with its published values.
macro_rules! decision_point {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$value_doc])* $value,)+ }

        impl $name {
            /// Every value, in published order.
            pub const ALL: &'static [Self] = &[$(Self::$value,)+];

            /// As the tables write it.
            pub fn as_str(self) -> &'static str {
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
pub(crate) use decision_point;

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
    /// Value Density 1.0.0: concentration of value in the target.
    ValueDensity {
        /// Limited resources per exploited system.
        Diffuse = "diffuse",
        /// Rich in resources per exploited system.
        Concentrated = "concentrated",
    }
}

decision_point! {
    /// Utility 1.0.1: usefulness of the exploit to the adversary.
    Utility {
        /// Automatable: no, and diffuse value.
        Laborious = "laborious",
        /// One of both: automatable, or concentrated value.
        Efficient = "efficient",
        /// Automatable, and concentrated value.
        SuperEffective = "super effective",
    }
}

decision_point! {
    /// Safety Impact 2.0.1, after IEC 61508: harm to people, and to operators' and systems' ability to stay safe; each
    /// value is named here by its physical harm.
    SafetyImpact {
        /// Minor injuries at worst.
        Negligible = "negligible",
        /// Major injuries to one or more persons.
        Marginal = "marginal",
        /// Loss of life.
        Critical = "critical",
        /// Multiple loss of life, or total loss of the whole cyber-physical system.
        Catastrophic = "catastrophic",
    }
}

decision_point! {
    /// Public Safety Impact 2.0.1: safety impact as a coordinator sees it.
    PublicSafetyImpact {
        /// Safety impact negligible.
        Minimal = "minimal",
        /// Safety impact marginal or worse.
        Significant = "significant",
    }
}

decision_point! {
    /// Mission Impact 2.0.0: impact on the mission essential functions (MEF) of the organisation.
    MissionImpact {
        /// Little or none; non-essential functions degraded.
        Degraded = "degraded",
        /// What directly supports essential functions is crippled; the functions go on for a time.
        MefSupportCrippled = "mef support crippled",
        /// One essential function fails for longer than acceptable.
        MefFailure = "mef failure",
        /// Several or all essential functions fail; the mission fails.
        MissionFailure = "mission failure",
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
