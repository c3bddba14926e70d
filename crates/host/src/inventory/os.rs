//! Which operating system it is, and for which architecture.

use std::collections::BTreeMap;

use tenon_model::OsRelease;

use super::SMALL;
use crate::packages::Packages;
use crate::status::Status;
use crate::{HostError, System, files};

/// Longest value kept of `os-release`, in characters.
const MAX_VALUE: usize = 200;

/// Reads a system's `os-release(5)`.
pub(super) fn os_release(system: &System) -> Result<OsRelease, HostError> {
    let text = match files::read_text_if_any(&system.path("/etc/os-release"), SMALL)? {
        Some(text) => text,
        None => files::read_text(&system.path("/usr/lib/os-release"), SMALL)?,
    };
    Ok(parse(&text))
}

/// Parses the text of an `os-release(5)`.
pub(super) fn parse(text: &str) -> OsRelease {
    let field = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        let value = lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value)?;
        let value: String = value.trim().trim_matches(['"', '\'']).chars().take(MAX_VALUE).collect();
        (!value.is_empty()).then_some(value)
    };
    // The default that os-release(5) sets for a missing ID.
    let id = field("ID").unwrap_or_else(|| "linux".to_owned());
    let pretty_name = field("PRETTY_NAME").unwrap_or_else(|| id.clone());
    OsRelease { id, version_id: field("VERSION_ID").unwrap_or_default(), pretty_name }
}

/// The architecture of a system as its package manager names it.
pub(super) fn architecture(packages: &Packages, system: &System, gaps: &mut Vec<String>) -> String {
    match packages {
        Packages::Dpkg(status) => native_architecture(status, system, gaps),
        _ if system.is_live() => rustix::system::uname().machine().to_string_lossy().into_owned(),
        _ => architecture_of_files(packages),
    }
}

/// The architecture that most packages are built for.
pub(super) fn architecture_of_files(packages: &Packages) -> String {
    if let Some(dpkg) = packages.components().find(|component| component.name == "dpkg") {
        return dpkg.architecture.clone();
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for component in packages.components() {
        if !matches!(component.architecture.as_str(), "all" | "noarch" | "any") {
            *counts.entry(&component.architecture).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map_or_else(|| "unknown".to_owned(), |(name, _)| name.to_owned())
}

/// dpkg's own architecture: that of the package `dpkg`, which is what `dpkg --print-architecture` was built with.
pub(crate) fn native_architecture(status: &Status, system: &System, gaps: &mut Vec<String>) -> String {
    if let Some(dpkg) = status.packages().iter().find(|package| package.component.name == "dpkg") {
        return dpkg.component.architecture.clone();
    }
    let listed = files::read_text_if_any(&system.path("/var/lib/dpkg/arch"), SMALL).ok().flatten();
    if let Some(first) =
        listed.as_deref().and_then(|text| text.lines().next()).filter(|line| !line.is_empty())
    {
        return first.to_owned();
    }
    gaps.push("the architecture is not known: dpkg is not installed by a package".to_owned());
    "unknown".to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_may_be_quoted_and_missing() {
        let os = parse("NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID='3.19.0'\n# PRETTY_NAME=no\n");
        assert_eq!((os.id.as_str(), os.version_id.as_str()), ("alpine", "3.19.0"));
        assert_eq!(os.pretty_name, "alpine");
        assert_eq!(parse("").id, "linux");
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_os_release(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let os = parse(&String::from_utf8_lossy(&bytes));
            prop_assert!(!os.id.is_empty() && os.id.chars().count() <= MAX_VALUE);
        }
    }
}
