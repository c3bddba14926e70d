//! Package databases of other families: real RPMs against `rpm` itself, and a made-up root of Alpine.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use tenon_host::{HostError, PackageFile, System, inventory, inventory_of_files};
use tenon_model::{Capability, Component, Manifest};

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn rpm(words: &[&str]) -> String {
    let output = Command::new(words[0]).args(&words[1..]).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const TOYD: &str = "\
Name: toyd
Epoch: 3
Version: 1.0
Release: 2.el9
Summary: toy
License: none
BuildArch: noarch
%description
toy
%package -n toylib
Summary: toy library
Version: 7.1
%description -n toylib
toy
%files
%files -n toylib
";
const MODULAR: &str = "\
Name: toyjs
Version: 18.1
Release: 1.module+el9
Summary: toy
License: none
BuildArch: noarch
ModularityLabel: toyjs:18:9020240101:rhel9
%description
toy
%files
";

/// A root whose database holds toy packages, or `None` where there are no tools for it.
fn rpm_root(test: &str, dir: &Path) -> Option<()> {
    for tool in ["rpm", "rpmbuild"] {
        if Command::new(tool).arg("--version").output().is_err() {
            println!("skipped: {test}: {tool} is not installed");
            return None;
        }
    }
    let top = format!("_topdir {}", dir.join("build").display());
    for (name, spec) in [("toyd", TOYD), ("toyjs", MODULAR)] {
        let path = dir.join(format!("{name}.spec"));
        std::fs::write(&path, spec).unwrap();
        rpm(&["rpmbuild", "-bb", "--quiet", "--define", &top, path.to_str().unwrap()]);
    }
    let root = dir.join("root");
    let database = root.join("usr/lib/sysimage/rpm");
    std::fs::create_dir_all(&database).unwrap();
    // As on systems of today, where the old name is a link that begins at the root.
    std::fs::create_dir_all(root.join("var/lib")).unwrap();
    std::os::unix::fs::symlink("/usr/lib/sysimage/rpm", root.join("var/lib/rpm")).unwrap();
    let database = database.to_str().unwrap();
    let built = dir.join("build/RPMS/noarch");
    let built: Vec<String> =
        std::fs::read_dir(built).unwrap().map(|entry| entry.unwrap().path().display().to_string()).collect();
    assert_eq!(built.len(), 3);
    let mut words = vec!["rpm", "--dbpath", database, "--justdb", "--nodeps", "--install"];
    words.extend(built.iter().map(String::as_str));
    rpm(&words);
    write(&root, "etc/os-release", "ID=\"almalinux\"\nVERSION_ID=\"9.3\"\nPRETTY_NAME=\"AlmaLinux 9.3\"\n");
    Some(())
}

fn named<'a>(components: &'a [Component], name: &str) -> &'a Component {
    components.iter().find(|component| component.name == name).unwrap()
}

#[test]
fn packages_of_another_root_are_those_of_rpm() {
    let dir = tempfile::tempdir().unwrap();
    let Some(()) = rpm_root("packages_of_another_root_are_those_of_rpm", dir.path()) else { return };
    let root = dir.path().join("root");
    let database = root.join("usr/lib/sysimage/rpm");
    let listing = || {
        let entries = std::fs::read_dir(&database).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| (entry.file_name(), entry.metadata().unwrap().len())).collect::<BTreeSet<_>>()
    };
    let before = listing();
    let found = inventory(&System::at_rest(&root), None).unwrap();
    assert_eq!(listing(), before, "looking changed the database");
    let list =
        rpm(&["rpm", "--dbpath", database.to_str().unwrap(), "-qa", "--qf", "%{NAME} %{EVR} %{ARCH}\n"]);
    let wanted: BTreeSet<String> = list.lines().map(str::to_owned).collect();
    let lines = found.components.iter().map(|c| format!("{} {} {}", c.name, c.version, c.architecture));
    assert_eq!(lines.collect::<BTreeSet<_>>(), wanted);
    assert_eq!(found.components.len(), 3);

    let library = named(&found.components, "toylib");
    assert_eq!((library.version.as_str(), library.source.name.as_str()), ("3:7.1-2.el9", "toyd"));
    // What is built of one source may have several epochs, or none: its own version is told without.
    assert_eq!(library.source.version, "1.0-2.el9");
    assert_eq!(named(&found.components, "toyjs").module.as_deref(), Some("toyjs:18"));
    assert_eq!(library.module, None);
    assert_eq!(found.facts.os.osv_ecosystem().as_deref(), Some("AlmaLinux:9"));
    assert!(!found.facts.offers_known && matches!(found.facts.capability, Capability::ObserveOnly { .. }));

    // The same from a saved list.
    let format = tenon_host::RPM_QUERY_FORMAT;
    let list = rpm(&["rpm", "--dbpath", database.to_str().unwrap(), "-qa", "--qf", format]);
    let path = dir.path().join("list");
    std::fs::write(&path, list).unwrap();
    let saved = inventory_of_files(&PackageFile::RpmList(path), &root.join("etc/os-release")).unwrap();
    assert_eq!(Manifest::new(saved.components), Manifest::new(found.components));
}

#[test]
fn a_root_of_alpine_is_read_from_its_files_alone() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let installed = "C:Q1x=\nP:musl\nV:1.2.4-r2\nA:x86_64\no:musl\n\n\
                     P:ssl_client\nV:1.36.1-r15\nA:x86_64\nT:EXternal ssl_client: \u{e9}\no:busybox\nr:busybox<1\n\n\
                     P:broken\nA:x86_64\n\n";
    write(root, "usr/lib/apk/db/installed", installed);
    std::os::unix::fs::symlink("/usr/lib", root.join("lib")).unwrap();
    write(root, "usr/lib/os-release", "ID=alpine\nVERSION_ID=3.19.0\nPRETTY_NAME=\"Alpine Linux v3.19\"\n");
    write(root, "etc/hostname", "edge1\n");
    // Debian's tools are to be had on Alpine and leave an empty database.
    write(root, "var/lib/dpkg/status", "");
    let found = inventory(&System::at_rest(root), None).unwrap();
    let names: Vec<_> = found.components.iter().map(|c| (c.name.as_str(), c.source.name.as_str())).collect();
    assert_eq!(names, [("musl", "musl"), ("ssl_client", "busybox")]);
    assert_eq!(found.facts.architecture.0, "x86_64");
    assert_eq!(found.facts.hostname, "edge1");
    assert!(found.facts.gaps.iter().any(|gap| gap.contains("\"broken\"")), "{:?}", found.facts.gaps);
    // Nothing is said of an index that this system does not have.
    assert!(!found.facts.gaps.iter().any(|gap| gap.contains("apt-get")), "{:?}", found.facts.gaps);
}

#[test]
fn files_that_say_nothing_are_an_error_and_not_a_clean_system() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "os-release", "ID=debian\nVERSION_ID=12\n");
    let os = dir.path().join("os-release");
    for (name, text) in [
        ("empty", ""),
        ("other", "%PDF-1.7\n\n1 0 obj\n"),
        ("removed", "Package: a\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n"),
    ] {
        write(dir.path(), name, text);
        for file in [PackageFile::DpkgStatus, PackageFile::RpmList, PackageFile::ApkInstalled] {
            let error = inventory_of_files(&file(dir.path().join(name)), &os).unwrap_err();
            let HostError::Malformed { what, .. } = error else { panic!("{error}") };
            assert!(what.ends_with(name), "{what}");
        }
    }
    let missing = inventory(&System::at_rest(dir.path()), None).unwrap_err().to_string();
    assert!(missing.contains("var/lib/dpkg/status"), "{missing}");
}

#[test]
fn a_status_file_alone_gives_the_packages_of_the_system_it_is_from() {
    let status = Path::new("/var/lib/dpkg/status");
    if !status.exists() {
        println!(
            "skipped: a_status_file_alone_gives_the_packages_of_the_system_it_is_from: this is no Debian machine"
        );
        return;
    }
    let file = PackageFile::DpkgStatus(status.to_owned());
    let copied = inventory_of_files(&file, Path::new("/etc/os-release")).unwrap();
    let at_rest = inventory(&System::at_rest("/"), None).unwrap();
    assert_eq!(copied.components, at_rest.components);
    assert_eq!((copied.facts.os, copied.facts.architecture), (at_rest.facts.os, at_rest.facts.architecture));
}
