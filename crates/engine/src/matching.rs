//! How advisories name what is installed, per ecosystem, and whether they affect it.

use std::cmp::Ordering;

use tenon_model::{Affected, AffectedRange, Component, SourcePackage};
use tenon_versions::{Scheme, VersionError, compare};

/// A component in the form that advisories of its ecosystem use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named<'a> {
    /// OSV ecosystem with release.
    pub(crate) ecosystem: &'a str,
    /// The order of its versions.
    pub(crate) scheme: Scheme,
    /// Match name.
    pub(crate) package: &'a str,
    /// The version that ranges speak of.
    pub(crate) version: &'a str,
    /// Module stream (`nodejs:18`), which parts packages of one name.
    pub(crate) module: Option<&'a str>,
}

/// Names a component of a host whose operating system is of this OSV ecosystem; `None` where versions of the component's
/// ecosystem cannot be compared here.
///
/// - Debian, Ubuntu: source package and *source* version.
/// - Distributions of RPM packages: binary package with epoch, version and release, parted by module stream.
/// - Alpine and its relatives: the origin, which is the source package.
/// - Language ecosystems: the package itself.
pub(crate) fn name<'a>(os: Option<&'a str>, component: &'a Component) -> Option<Named<'a>> {
    let ecosystem = component.ecosystem.as_deref().or(os)?;
    let scheme = Scheme::of_osv_ecosystem(ecosystem)?;
    let by_source = component.ecosystem.is_none() && matches!(scheme, Scheme::Dpkg | Scheme::Apk);
    let (package, version) = if by_source {
        (&component.source.name, &component.source.version)
    } else {
        (&component.name, &component.version)
    };
    Some(Named { ecosystem, scheme, package, version, module: component.module.as_deref() })
}

impl Named<'_> {
    /// Name and version, as they are kept and shown.
    pub(crate) fn pair(&self) -> SourcePackage {
        SourcePackage { name: self.package.to_owned(), version: self.version.to_owned() }
    }
}

/// What an advisory says of an affected version.
pub(crate) struct Hit {
    /// First fixed version, when one is published.
    pub(crate) fixed: Option<String>,
}

/// Whether an advisory speaks of this name at all.
pub(crate) fn speaks_of(affected: &Affected, named: &Named<'_>) -> bool {
    affected.ecosystem == named.ecosystem
        && affected.package == named.package
        && affected.module.as_deref() == named.module
}

/// Whether a version is affected (OSV schema, "Evaluation"): listed, or inside a range.
///
/// # Errors
/// When a version is not valid in its scheme: the advisory is then not assessed for it.
pub(crate) fn hit(affected: &Affected, scheme: Scheme, version: &str) -> Result<Option<Hit>, VersionError> {
    for range in &affected.ranges {
        if in_range(range, scheme, version)? {
            return Ok(Some(Hit { fixed: range.fixed.clone() }));
        }
    }
    Ok(affected.versions.iter().any(|listed| listed == version).then_some(Hit { fixed: None }))
}

/// Whether a version is known not to be affected.
pub(crate) fn is_safe(affected: &Affected, scheme: Scheme, version: &str) -> bool {
    matches!(hit(affected, scheme, version), Ok(None))
}

fn in_range(range: &AffectedRange, scheme: Scheme, version: &str) -> Result<bool, VersionError> {
    if let Some(introduced) = &range.introduced
        && compare(scheme, version, introduced)? == Ordering::Less
    {
        return Ok(false);
    }
    if let Some(fixed) = &range.fixed {
        return Ok(compare(scheme, version, fixed)? == Ordering::Less);
    }
    if let Some(last) = &range.last_affected {
        return Ok(compare(scheme, version, last)? != Ordering::Greater);
    }
    Ok(true)
}
