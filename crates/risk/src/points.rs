//! Decision points: the columns of the tables as types. Values are in published order, which the tables' tests check;
//! definitions are those of SSVC (CERTCC/SSVC, decision points as of 2026-07-20) unless stated.

pub(crate) use tenon_model::decision_point;
pub use tenon_model::{
    Automatable, Exploitation, HumanImpact, MissionAndWellBeing, SystemExposure, TechnicalImpact,
};

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
