//! What a bill of materials says is installed, in the form that advisories are matched with.
//!
//! The standard has no place for the distribution's release, the source package and the module stream: tools put them
//! into qualifiers of the package-url (purl types `deb`, `rpm`, `apk`) or into properties of their own (Trivy, Syft).

use std::collections::BTreeMap;

use tenon_model::{Component, OsRelease, SourcePackage};
use tenon_versions::signed_source;

use super::{Bom, BomComponent, ComponentKind};
use crate::purl::Purl;

/// Why a component is left out that is listed in another form. Of all reasons the only one that leaves nothing unassessed.
pub const OF_THE_SYSTEM: &str = "installed by a package of the operating system, which is listed itself";

/// What is installed, and what could not be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The operating system, as far as the document names one.
    pub os: OsRelease,
    /// Its packages and those of programming languages.
    pub components: Vec<Component>,
    /// Components that are left out, counted by reason: never read them as "not vulnerable".
    pub left_out: BTreeMap<String, u64>,
}

impl Bom {
    /// What is installed.
    pub fn installed(&self) -> Installed {
        let os = self.os();
        let ecosystem = os.osv_ecosystem();
        let family = ecosystem.as_deref().and_then(|ecosystem| ecosystem.split(':').next());
        let mut components = Vec::new();
        let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
        // What the bill is of counts where it is a package itself: an application, not an image or a host.
        let subject = self.describes.as_ref();
        let subject = subject.filter(|c| c.purl.as_ref().is_some_and(|purl| purl.osv_package().is_some()));
        for component in subject.into_iter().chain(&self.components) {
            match read(component, family) {
                Ok(component) => components.extend(component),
                Err(reason) => *left_out.entry(reason).or_default() += 1,
            }
        }
        Installed { os, components, left_out }
    }

    /// The operating system: the component of that kind, or else the `distro` that most package-urls name.
    fn os(&self) -> OsRelease {
        let described = self.describes.iter().chain(&self.components);
        let mut systems = described.filter(|c| c.kind == Some(ComponentKind::OperatingSystem));
        if let Some(system) = systems.next()
            && let Some(version) = &system.version
        {
            return release(&system.name.to_lowercase(), version);
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for purl in self.components.iter().filter_map(|component| component.purl.as_ref()) {
            if let Some(distro) = purl.qualifiers().get("distro") {
                *counts.entry(distro).or_default() += 1;
            }
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        match most.and_then(|(distro, _)| distro.rsplit_once('-')) {
            Some((id, version)) => release(id, version),
            None => OsRelease { id: String::new(), version_id: String::new(), pretty_name: String::new() },
        }
    }
}

/// A release by id and version. Debian's point releases (`12.5`) share their advisories.
pub(crate) fn release(id: &str, version: &str) -> OsRelease {
    let id = match id {
        "alma" => "almalinux",
        "opensuse.leap" => "opensuse-leap",
        "opensuse.tumbleweed" => "opensuse-tumbleweed",
        id => id,
    };
    let version_id = match id {
        "debian" => version.split('.').next().unwrap_or_default(),
        _ => version,
    };
    OsRelease { id: id.to_owned(), version_id: version_id.to_owned(), pretty_name: pretty(id, version) }
}

/// As `PRETTY_NAME` of `os-release(5)` has it, which is how OSV names releases of openSUSE.
fn pretty(id: &str, version: &str) -> String {
    match id {
        "opensuse-leap" => format!("openSUSE Leap {version}"),
        "opensuse-tumbleweed" => "openSUSE Tumbleweed".to_owned(),
        _ => format!("{id} {version}"),
    }
}

/// What advisories are matched with on a system of this family (an ecosystem without its release), or `None` for what is no
/// package. An error says why it cannot be matched.
fn read(component: &BomComponent, family: Option<&str>) -> Result<Option<Component>, String> {
    use ComponentKind as Kind;
    let no_package = matches!(
        component.kind,
        Some(Kind::OperatingSystem | Kind::File | Kind::Data | Kind::Device | Kind::CryptographicAsset)
    );
    let Some(purl) = &component.purl else {
        return if no_package { Ok(None) } else { Err("without a package-url".to_owned()) };
    };
    let Some(version) = purl.osv_version(component.version.as_deref()) else {
        return Err("without a version".to_owned());
    };
    let read = if purl.is_of_distribution() {
        // Advisories of one distribution say nothing of the packages of another.
        match (purl.osv_package(), purl.namespace(), family) {
            (Some((of, _)), _, Some(family)) if of != family => {
                return Err(format!("packages of {of} on a system of {family}"));
            }
            (None, Some(namespace), Some(family)) => {
                return Err(format!("packages of {namespace} on a system of {family}"));
            }
            _ => os_package(component, purl, version),
        }
    } else {
        language(component, purl, version, family)?
    };
    read.check().map_err(|error| format!("not a package that can be installed: {error}"))?;
    Ok(Some(read))
}

fn os_package(component: &BomComponent, purl: &Purl, version: String) -> Component {
    let architecture = purl.qualifiers().get("arch").map_or("any", String::as_str);
    let source = source(component, purl, &version);
    let mut read = Component::os_package(purl.name(), architecture, version, source);
    read.module =
        property(component, &["aquasecurity:trivy:Modularitylabel", "syft:metadata:modularityLabel"])
            .and_then(|label| {
                let mut parts = label.split(':');
                Some(format!("{}:{}", parts.next().filter(|name| !name.is_empty())?, parts.next()?))
            });
    read
}

/// The source package: Trivy's properties, or the qualifier `upstream` (`NAME` or `NAME@VERSION`), or the package itself.
/// Of RPM packages `upstream` names a file, and advisories name the binary package. Signed sources of Debian are named as
/// what they sign.
fn source(component: &BomComponent, purl: &Purl, version: &str) -> SourcePackage {
    let (name, own) = match property(component, &["aquasecurity:trivy:SrcName"]) {
        Some(name) => (name, by_trivy(component).unwrap_or_else(|| version.to_owned())),
        None => {
            let upstream = purl.qualifiers().get("upstream").filter(|_| purl.kind() != "rpm");
            match upstream.map(|text| text.split_once('@').unwrap_or((text, version))) {
                Some((name, version)) => (name.to_owned(), version.to_owned()),
                None => (purl.name().to_owned(), version.to_owned()),
            }
        }
    };
    let signed = if purl.kind() == "deb" { signed_source(&name, &own, version) } else { None };
    let (name, version) = signed.unwrap_or((name, own));
    SourcePackage { name, version }
}

/// The source version, which Trivy keeps in parts.
fn by_trivy(component: &BomComponent) -> Option<String> {
    let part = |key| property(component, &[key]);
    let mut version = part("aquasecurity:trivy:SrcVersion")?;
    if let Some(release) = part("aquasecurity:trivy:SrcRelease") {
        version = format!("{version}-{release}");
    }
    match part("aquasecurity:trivy:SrcEpoch").filter(|epoch| epoch != "0") {
        Some(epoch) => Some(format!("{epoch}:{version}")),
        None => Some(version),
    }
}

fn language(
    component: &BomComponent,
    purl: &Purl,
    version: String,
    family: Option<&str>,
) -> Result<Component, String> {
    let Some((ecosystem, name)) = purl.osv_package() else {
        return Err(format!("of the purl type {}, for which no advisories are read", purl.kind()));
    };
    if ecosystem == "PyPI" && is_of_the_system(component, family) {
        return Err(OF_THE_SYSTEM.to_owned());
    }
    let name = if ecosystem == "Go" { in_its_case(component, name) } else { name };
    Ok(Component {
        name: name.clone(),
        architecture: "any".to_owned(),
        version: version.clone(),
        source: SourcePackage { name, version },
        module: None,
        ecosystem: Some(ecosystem.to_owned()),
    })
}

/// A package-url of Go is in lower case, its module and OSV are not: the document's own name tells, where it is the same.
fn in_its_case(component: &BomComponent, name: String) -> String {
    let grouped = component.group.as_ref().map(|group| format!("{group}/{}", component.name));
    let mut written = grouped.into_iter().chain([component.name.clone()]);
    written.find(|written| written.eq_ignore_ascii_case(&name)).unwrap_or(name)
}

/// Whether a Python package lies where only packages of Debian and Ubuntu put theirs: `pip` installs below `/usr/local` or
/// a folder of the user there. Elsewhere the two share a folder, and both are looked at.
fn is_of_the_system(component: &BomComponent, family: Option<&str>) -> bool {
    let path = property(component, &["aquasecurity:trivy:FilePath", "syft:location:0:path"]);
    let path = path.unwrap_or_default();
    matches!(family, Some("Debian" | "Ubuntu"))
        && path.trim_start_matches('/').starts_with("usr/lib/python3/dist-packages/")
}

/// The first of these properties that the component has.
fn property(component: &BomComponent, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        let found = component.properties.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    })
}
