//! The life of an asset: which run of its agent speaks, on which machine it stands, and how it ends.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{serde_as_text, shape};
use crate::{AssetId, Digest, IdError, Person};

/// One run of an agent: a number that it draws when it starts and keeps in memory only. A copy of a host's disk takes key and
/// report sequence along; its run it draws itself, which is how two hosts with one key are told apart. Printed as `run_` and
/// 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentRun(NonZeroU64);

impl AgentRun {
    /// The run with this number.
    pub fn new(number: NonZeroU64) -> Self {
        Self(number)
    }
}

impl fmt::Display for AgentRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run_{:016x}", self.0)
    }
}

impl FromStr for AgentRun {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix("run_").filter(|digits| digits.len() == 16);
        let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).and_then(NonZeroU64::new);
        number.map(Self).ok_or_else(|| shape("a run of an agent", text, "run_ and 16 hexadecimal digits"))
    }
}

serde_as_text!(AgentRun);

/// The machine under an operating system, as its firmware names it: the first 16 bytes of a SHA-256 of what the firmware says.
/// It outlives the installation, so that a host that was installed anew is known again. It is a claim of the host, and no
/// identity. Printed as `mch_` and 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MachineId([u8; 16]);

impl MachineId {
    /// The machine whose firmware gives this serial (DMI product UUID, device tree serial number). `None` where the text names
    /// no one machine: boards leave the factory with a placeholder in its place.
    pub fn of_firmware(serial: &str) -> Option<Self> {
        let serial = serial.trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_ascii_lowercase();
        let digits = || serial.chars().filter(char::is_ascii_hexdigit);
        let mut kinds: Vec<char> = digits().collect();
        kinds.sort_unstable();
        kinds.dedup();
        // All of one digit, counted up, or words like `Default string`.
        let counted = ["03000200-0400-0500-0006-000700080009", "12345678-1234-5678-90ab-cddeefaabbcc"];
        if digits().count() < 8 || kinds.len() < 3 || counted.contains(&serial.as_str()) {
            return None;
        }
        if serial.chars().any(|c| !c.is_ascii_hexdigit() && c != '-') {
            return None;
        }
        let digest = Digest::of_all([b"tenon machine\n".as_slice(), serial.as_bytes()]);
        digest.as_bytes().first_chunk().copied().map(Self)
    }
}

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mch_{}", hex::encode(self.0))
    }
}

impl FromStr for MachineId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut id = [0; 16];
        let digits = text.strip_prefix("mch_").and_then(|digits| hex::decode_to_slice(digits, &mut id).ok());
        digits.map(|()| Self(id)).ok_or_else(|| shape("a machine", text, "mch_ and 32 hexadecimal digits"))
    }
}

serde_as_text!(MachineId);

/// Why an asset is retired: it counts nowhere any more, until it reports again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Retirement {
    /// A person says that it is gone.
    ByPerson {
        /// Who.
        by: Person,
        /// Why.
        why: String,
    },
    /// Its machine was installed anew and enrolled as another asset.
    Superseded {
        /// The asset that stands there now.
        by: AssetId,
    },
    /// It has been silent for as long as a rule of the policy gives hosts of its kind.
    Silent {
        /// The rule.
        rule: String,
        /// The version of the policy.
        version: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_named_by_its_firmware_and_not_by_a_placeholder() {
        let uuid = "4c4c4544-0042-3510-8054-b7c04f563432";
        let machine = MachineId::of_firmware(uuid).unwrap();
        assert_eq!(MachineId::of_firmware(&format!("{}\n", uuid.to_uppercase())), Some(machine));
        assert_eq!(machine.to_string().parse(), Ok(machine));
        assert!(MachineId::of_firmware("10000000a3b4c5d6\0").is_some());
        for placeholder in [
            "",
            "Not Settable",
            "Default string",
            "To be filled by O.E.M.",
            "00000000-0000-0000-0000-000000000000",
            "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
            "03000200-0400-0500-0006-000700080009",
        ] {
            assert_eq!(MachineId::of_firmware(placeholder), None, "{placeholder}");
        }
    }

    #[test]
    fn a_run_is_read_as_it_is_printed() {
        let run = AgentRun::new(NonZeroU64::new(0xfeed).unwrap());
        assert_eq!(run.to_string(), "run_000000000000feed");
        assert_eq!(run.to_string().parse(), Ok(run));
        for text in ["", "run_", "run_0000000000000000", "run_feed", "000000000000feed"] {
            assert!(text.parse::<AgentRun>().is_err(), "{text}");
        }
    }
}
