//! The image of hosts of RPM packages: the files of Debian, on which rpm and dnf run, without dpkg and its record, and with an RPM
//! database that knows packages of the tests alone. What Tenon reads of such a host is rpm's, dnf's and systemd's own.

use std::{fs, path::Path, process::Command, time::Duration};

use crate::{
    Error,
    image::{REPOSITORY, chroot, digest_of, install, remove_tree, source, write},
    rpm::FOLDER,
    run::must,
    signing,
};

/// Raised when the way the image is made changes otherwise than by the constants below.
const RECIPE: &str = "2";
const PACKAGES: &str = "systemd,systemd-sysv,procps,iproute2,ca-certificates,curl,rpm,dnf,dnf-plugins-core";
const STEP: Duration = Duration::from_secs(120);
const KEY: &str = "/etc/pki/rpm-gpg/RPM-GPG-KEY-toy";
/// A distribution whose packages are updated by dnf 4.
const OS_RELEASE: &str = "NAME=\"Rocky Linux\"\nID=\"rocky\"\nVERSION_ID=\"9.4\"\n\
                          PRETTY_NAME=\"Rocky Linux 9.4 (root for tests)\"\n";
/// As on distributions of RPM packages; Debian's rpm keeps a database of each user.
const MACROS: &str = "%_dbpath /var/lib/rpm\n";
/// Debian's rpm asks whether one really wants to install RPM packages.
const POPT: &str = "rpm alias -U --force-debian -U\nrpm alias --upgrade --force-debian --upgrade\n\
                    rpm alias -e --force-debian -e\nrpm alias --erase --force-debian --erase\n";
/// That of Rocky Linux 9.
const DNF: &str = "[main]\ngpgcheck=1\ninstallonly_limit=3\nclean_requirements_on_remove=True\nbest=True\n\
                   skip_if_unavailable=False\n";
/// What the packages of a distribution would provide.
const BASE: &str = "Name: toy-base\nVersion: 1\nRelease: 1\nSummary: What every host has\nLicense: none\nBuildArch: noarch\n\
                    Provides: /bin/sh\nProvides: system-release = 9\nProvides: system-release(releasever) = 9\n\
                    %description\nFor tests.\n%files\n";

pub(crate) fn recipe_digest() -> String {
    digest_of(&[RECIPE, PACKAGES, REPOSITORY, OS_RELEASE, MACROS, POPT, DNF, BASE])
}

pub(crate) fn build(dir: &Path) -> Result<(), Error> {
    let root = dir.join("root");
    fs::create_dir_all(dir).map_err(Error::file("create", dir))?;
    install(&root, PACKAGES, &format!("deb {} bookworm main", source("bookworm")?))?;
    signing::make_key(dir)?;
    let key = fs::read_to_string(dir.join("public.asc")).map_err(Error::file("read", dir))?;
    let repository = format!(
        "[toy]\nname=Packages for tests\nbaseurl=http://{REPOSITORY}/{FOLDER}\ngpgcheck=1\ngpgkey=file://{KEY}\n"
    );
    for (path, text) in [
        ("/usr/lib/os-release", OS_RELEASE),
        ("/etc/rpm/macros", MACROS),
        ("/etc/popt", POPT),
        ("/etc/dnf/dnf.conf", DNF),
        ("/etc/yum.repos.d/toy.repo", &repository),
        (KEY, &key),
        // It keeps every package that is installed, with a program that is not there.
        ("/etc/dnf/plugins/local.conf", "[main]\nenabled = false\n"),
        ("/etc/machine-id", ""),
    ] {
        let path = root.join(path.trim_start_matches('/'));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
        }
        write(&path, text)?;
    }
    forget_dpkg(&root)?;
    let spec = dir.join("toy-base.spec");
    write(&spec, BASE)?;
    let topdir = format!("_topdir {}", dir.join("build").display());
    must(Command::new("rpmbuild").args(["-bb", "--quiet", "--define", &topdir]).arg(&spec), STEP)?;
    let built = dir.join("build/RPMS/noarch/toy-base-1-1.noarch.rpm");
    let inside = root.join("root/toy-base.rpm");
    fs::copy(&built, &inside).map_err(Error::file("copy package to", &inside))?;
    must(chroot(&root).args(["rpm", "-U", "/root/toy-base.rpm"]), STEP)?;
    must(chroot(&root).args(["rpm", "--import", KEY]), STEP)?;
    fs::remove_file(&inside).map_err(Error::file("remove", &inside))?;
    write(&dir.join("pending.json"), "[]")
}

/// Takes away what would make this a Debian host.
fn forget_dpkg(root: &Path) -> Result<(), Error> {
    for folder in ["var/lib/dpkg", "var/lib/apt", "var/cache/apt", "etc/apt"] {
        remove_tree(&root.join(folder))?;
    }
    let folder = root.join("usr/bin");
    for entry in fs::read_dir(&folder).map_err(Error::file("list", &folder))? {
        let path = entry.map_err(Error::file("list", &folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("apt") || name.starts_with("dpkg") {
            fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        }
    }
    // With this file left behind no service would ever start on a host.
    let policy = root.join("usr/sbin/policy-rc.d");
    if policy.exists() {
        fs::remove_file(&policy).map_err(Error::file("remove", &policy))?;
    }
    Ok(())
}
