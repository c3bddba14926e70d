//! How the versions of a VERS type compare.

use std::cmp::Ordering;

use tenon_model::Timestamp;
use tenon_versions::Scheme;

use crate::text::rfc3339;

/// Compares two versions in the order of a VERS type (`deb`, `npm`).
///
/// # Errors
/// When the order of the type is not known here, or a text is no version of it.
pub(super) fn compare(scheme: &str, a: &str, b: &str) -> Result<Ordering, String> {
    if let Some(order) = scheme_of(scheme) {
        return tenon_versions::compare(order, a, b).map_err(|error| error.to_string());
    }
    match scheme {
        "datetime" => Ok(instant(a)?.cmp(&instant(b)?)),
        // The order of code units, which for the ASCII that a VERS holds is that of bytes.
        "lexicographic" => Ok(a.cmp(b)),
        _ => Err(format!("the version order of {scheme:?} is not known here")),
    }
}

/// Whether versions of this type compare here.
pub(super) fn is_known(scheme: &str) -> bool {
    scheme_of(scheme).is_some() || matches!(scheme, "datetime" | "lexicographic")
}

fn scheme_of(scheme: &str) -> Option<Scheme> {
    match scheme {
        "deb" => Some(Scheme::Dpkg),
        "rpm" => Some(Scheme::Rpm),
        "alpine" | "apk" => Some(Scheme::Apk),
        "cargo" | "golang" | "npm" | "semver" => Some(Scheme::Semver),
        "pypi" => Some(Scheme::Pep440),
        _ => None,
    }
}

fn instant(text: &str) -> Result<Timestamp, String> {
    rfc3339(text).ok_or_else(|| format!("{text:?} is not an RFC 3339 time"))
}
