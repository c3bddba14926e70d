//! What a bill of materials says is installed, in the form that advisories are matched with.
//!
//! The standard has no place for the distribution's release, the source package and the module stream: tools put them
//! into qualifiers of the package-url (purl types `deb`, `rpm`, `apk`) or into properties of their own (Trivy, Syft).

use std::collections::BTreeMap;

use tenon_model::{Component, OsRelease, SourcePackage};

use super::{Bom, BomComponent, ComponentKind};
use crate::purl::Purl;

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
        let mut components = Vec::new();
        let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
        for component in &self.components {
            match read(component) {
                Ok(component) => components.extend(component),
                Err(reason) => *left_out.entry(reason).or_default() += 1,
            }
        }
        Installed { os: self.os(), components, left_out }
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
fn release(id: &str, version: &str) -> OsRelease {
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

/// Why a component cannot be matched, or `None` for what is no package.
fn read(component: &BomComponent) -> Result<Option<Component>, String> {
    use ComponentKind as Kind;
    let no_package = matches!(
        component.kind,
        Some(Kind::OperatingSystem | Kind::File | Kind::Data | Kind::Device | Kind::CryptographicAsset)
    );
    let Some(purl) = &component.purl else {
        return if no_package { Ok(None) } else { Err("without a package-url".to_owned()) };
    };
    let Some(version) = purl.version().or(component.version.as_deref()) else {
        return Err("without a version".to_owned());
    };
    let read = match purl.kind() {
        "deb" | "apk" => os_package(component, purl, version.to_owned()),
        "rpm" => {
            let epoch = purl.qualifiers().get("epoch").filter(|epoch| *epoch != "0");
            let version = epoch.map_or_else(|| version.to_owned(), |epoch| format!("{epoch}:{version}"));
            os_package(component, purl, version)
        }
        kind => language(component, purl, kind, version)?,
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
/// Of RPM packages `upstream` names a file, and advisories name the binary package.
fn source(component: &BomComponent, purl: &Purl, version: &str) -> SourcePackage {
    if let Some(name) = property(component, &["aquasecurity:trivy:SrcName"]) {
        let part = |key| property(component, &[key]).filter(|text| !text.is_empty());
        let version = part("aquasecurity:trivy:SrcVersion").map_or(version.to_owned(), |mut written| {
            if let Some(release) = part("aquasecurity:trivy:SrcRelease") {
                written = format!("{written}-{release}");
            }
            match part("aquasecurity:trivy:SrcEpoch").filter(|epoch| epoch != "0") {
                Some(epoch) => format!("{epoch}:{written}"),
                None => written,
            }
        });
        return SourcePackage { name: signed(name), version };
    }
    let upstream = purl.qualifiers().get("upstream").filter(|_| purl.kind() != "rpm");
    let (name, version) = match upstream.map(|text| text.split_once('@').unwrap_or((text, version))) {
        Some((name, version)) => (name, version),
        None => (purl.name(), version),
    };
    SourcePackage { name: signed(name.to_owned()), version: version.to_owned() }
}

/// Debian's signed kernels are built from a source of their own, `linux-signed-amd64`; advisories name `linux`.
fn signed(name: String) -> String {
    if name.starts_with("linux-signed-") { "linux".to_owned() } else { name }
}

fn language(component: &BomComponent, purl: &Purl, kind: &str, version: &str) -> Result<Component, String> {
    let Some((ecosystem, name)) = purl.osv_package() else {
        return Err(format!("of the purl type {kind}, for which no advisories are read"));
    };
    if kind == "pypi" && is_of_the_system(component) {
        return Err("installed by a package of the operating system, which is listed itself".to_owned());
    }
    // Go writes its versions with a `v` that OSV's ranges leave out.
    let version = if kind == "golang" { version.trim_start_matches('v') } else { version };
    Ok(Component {
        name: name.clone(),
        architecture: "any".to_owned(),
        version: version.to_owned(),
        source: SourcePackage { name, version: version.to_owned() },
        module: None,
        ecosystem: Some(ecosystem.to_owned()),
    })
}

/// Whether a Python package lies where only packages of the operating system put theirs: `pip` installs below
/// `/usr/local` or a folder of the user.
fn is_of_the_system(component: &BomComponent) -> bool {
    let path = property(component, &["aquasecurity:trivy:FilePath", "syft:location:0:path"]);
    let path = path.unwrap_or_default();
    let path = path.trim_start_matches('/');
    path.starts_with("usr/lib/python3/dist-packages/")
        || (path.starts_with("usr/lib") && !path.starts_with("usr/local") && path.contains("/site-packages/"))
}

/// The first of these properties that the component has.
fn property(component: &BomComponent, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        let found = component.properties.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    })
}
