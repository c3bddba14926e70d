//! Five hosts that a public scanner looked at, turned back into the databases that their package managers keep.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tenon_host::{PackageFile, System};
use tenon_model::{Component, Inventory, Manifest, OsRelease, SourcePackage};

const ARCHIVE: &str = "vectors/inventories/vuls-results-a.tar.gz";

/// The public hosts, by file name without extension.
fn hosts(test: &str, dir: &Path) -> Option<BTreeMap<String, Value>> {
    let shared = std::env::var_os("TENON_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let archive = shared.join(ARCHIVE);
    if !archive.is_file() {
        println!("skipped: {test}: no {ARCHIVE} (name the folder that holds it in TENON_SHARED)");
        return None;
    }
    let unpacked = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(dir).status().unwrap();
    assert!(unpacked.success());
    let files = std::fs::read_dir(dir.join("vuls-results")).unwrap().map(|entry| entry.unwrap().path());
    Some(
        files
            .map(|path| {
                let host = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                (path.file_stem().unwrap().to_string_lossy().into_owned(), host)
            })
            .collect(),
    )
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// Each package with the source it was built from.
fn packages(host: &Value) -> Vec<(&Value, Option<SourcePackage>)> {
    let mut sources = BTreeMap::new();
    for source in host["SrcPackages"].as_object().into_iter().flat_map(|sources| sources.values()) {
        for binary in source["binaryNames"].as_array().unwrap() {
            let (name, version) = (text(source, "name").to_owned(), text(source, "version").to_owned());
            sources.insert(binary.as_str().unwrap(), SourcePackage { name, version });
        }
    }
    let packages = host["packages"].as_object().unwrap().values();
    packages.map(|package| (package, sources.get(text(package, "name")).cloned())).collect()
}

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

fn os_release(dir: &Path, id: &str, host: &Value) -> PathBuf {
    let release = text(host, "release");
    write(
        dir,
        "etc/os-release",
        &format!("ID={id}\nVERSION_ID=\"{release}\"\nPRETTY_NAME=\"{id} {release}\"\n"),
    )
}

fn of_dpkg(dir: &Path, id: &str, host: &Value) -> Inventory {
    let mut status = String::new();
    for (package, source) in packages(host) {
        let source = source.unwrap();
        let (name, version) = (text(package, "name"), text(package, "version"));
        let SourcePackage { name: of, version: at } = &source;
        writeln!(status, "Package: {name}\nStatus: install ok installed\nArchitecture: amd64").unwrap();
        writeln!(status, "Source: {of} ({at})\nVersion: {version}\n").unwrap();
    }
    let status = write(dir, "status", &status);
    tenon_host::inventory_of_files(&PackageFile::DpkgStatus(status), &os_release(dir, id, host)).unwrap()
}

fn of_rpm(dir: &Path, host: &Value) -> Inventory {
    let mut list = String::new();
    for (package, source) in packages(host) {
        let version = text(package, "version");
        let (epoch, version) = version.split_once(':').unwrap_or(("(none)", version));
        let (name, release, arch) = (text(package, "name"), text(package, "release"), text(package, "arch"));
        let file = source.map_or("(none)".to_owned(), |source| {
            let version = source.version.split_once(':').map_or(source.version.as_str(), |(_, rest)| rest);
            format!("{}-{version}.src.rpm", source.name)
        });
        writeln!(list, "{name}\t{epoch}\t{version}\t{release}\t{arch}\t{file}\t(none)").unwrap();
    }
    let list = write(dir, "list", &list);
    tenon_host::inventory_of_files(&PackageFile::RpmList(list), &os_release(dir, "rhel", host)).unwrap()
}

/// As a root folder, with the database where Alpine has it.
fn of_apk(dir: &Path, host: &Value) -> Inventory {
    let mut installed = String::new();
    for (package, source) in packages(host) {
        let (name, version, arch) = (text(package, "name"), text(package, "version"), text(package, "arch"));
        writeln!(installed, "P:{name}\nV:{version}\nA:{arch}\no:{}\n", source.unwrap().name).unwrap();
    }
    write(dir, "lib/apk/db/installed", &installed);
    os_release(dir, "alpine", host);
    tenon_host::inventory(&System::at_rest(dir), None).unwrap()
}

/// Windows has no package manager's database; what the scanner found is all there is.
fn of_windows(host: &Value) -> (OsRelease, Manifest) {
    let component = |package: &Value| {
        let (name, version) = (text(package, "name").to_owned(), text(package, "version").to_owned());
        let source = SourcePackage { name: name.clone(), version: version.clone() };
        Component::os_package(name, "any", version, source)
    };
    let components = packages(host).into_iter().map(|(package, _)| component(package)).collect();
    let (id, pretty_name) = (text(host, "family").to_owned(), text(host, "release").to_owned());
    (OsRelease { id, version_id: String::new(), pretty_name }, Manifest::new(components).unwrap())
}

/// Name, version and source of every component, to compare.
fn found(inventory: &Inventory) -> BTreeMap<&str, (&str, &SourcePackage)> {
    inventory.components.iter().map(|c| (c.name.as_str(), (c.version.as_str(), &c.source))).collect()
}

#[test]
fn every_package_of_five_public_hosts_is_taken_over() {
    let test = "every_package_of_five_public_hosts_is_taken_over";
    let dir = tempfile::tempdir().unwrap();
    let Some(hosts) = hosts(test, dir.path()) else { return };
    let at = |name: &str| dir.path().join(name);
    assert_eq!(hosts.len(), 5);

    let inventories = [
        ("debian_12", of_dpkg(&at("debian"), "debian", &hosts["debian_12"]), Some("Debian:12")),
        ("ubuntu_2204", of_dpkg(&at("ubuntu"), "ubuntu", &hosts["ubuntu_2204"]), Some("Ubuntu:22.04:LTS")),
        ("alpine_319", of_apk(&at("alpine"), &hosts["alpine_319"]), Some("Alpine:v3.19")),
        // Red Hat's ecosystems name a repository, which these data do not.
        ("rhel_90", of_rpm(&at("rhel"), &hosts["rhel_90"]), None),
    ];
    for (name, inventory, ecosystem) in &inventories {
        assert_eq!(inventory.facts.os.osv_ecosystem().as_deref(), *ecosystem, "{name}");
        let unread: Vec<_> =
            inventory.facts.gaps.iter().filter(|gap| gap.contains("cannot be read")).collect();
        assert!(unread.is_empty(), "{name}: {unread:?}");
        assert!(
            inventory.facts.gaps.iter().any(|gap| gap.contains("are not known")),
            "{:?}",
            inventory.facts.gaps
        );
        Manifest::new(inventory.components.clone()).unwrap();
        let found = found(inventory);
        let mut wanted = 0;
        for (package, source) in packages(&hosts[*name]) {
            // A key that was imported is in RPM's database and no software.
            if text(package, "name") == "gpg-pubkey" {
                continue;
            }
            wanted += 1;
            let (version, of) = found[text(package, "name")];
            match text(package, "release") {
                "" => assert_eq!(version, text(package, "version")),
                release => assert_eq!(version, format!("{}-{release}", text(package, "version"))),
            }
            let source = source.unwrap();
            // Signed sources are named as what they sign.
            if !source.name.contains("-signed") {
                assert_eq!(of.name, source.name);
            }
        }
        assert_eq!(found.len(), wanted, "{name}");
        println!("measured: {name}: {wanted} packages, {}", ecosystem.unwrap_or("not assessed"));
    }
    let (os, manifest) = of_windows(&hosts["windows_10_22h2"]);
    assert_eq!((os.osv_ecosystem(), manifest.components().len()), (None, 5));
}
