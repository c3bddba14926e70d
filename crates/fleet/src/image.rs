//! The outdated Debian image all hosts share, and the frozen repository that goes with it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Error, Suite, mirror, rpm_image,
    run::{Output, bounded, must},
    signing,
};

/// Raised when the way the image is made changes otherwise than by the constants below.
const RECIPE: &str = "1";
/// Few packages, but two real services with security history (nginx, redis) and what Tenon reads.
const PACKAGES: &str =
    "systemd,systemd-sysv,procps,iproute2,ca-certificates,openssl,nginx,redis-server,rsync,curl";
const DPKG_OPTIONS: [&str; 4] = [
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/changelog*",
];
/// Attempts at each step that uses the network.
const ATTEMPTS: u32 = 3;
const BUILD: Duration = Duration::from_secs(900);
/// Where the lab's repository answers; part of the image's sources list.
pub(crate) const REPOSITORY: &str = "10.77.0.1:8080";
const KEYRING: &str = "/usr/share/keyrings/test-repo.gpg";

/// The cache directory: `$TENON_FLEET_CACHE`, or `target/fleet-cache` of this workspace.
#[must_use]
pub fn cache_dir() -> PathBuf {
    std::env::var_os("TENON_FLEET_CACHE")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/fleet-cache"), PathBuf::from)
}

/// A security update pending on every fresh host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pending {
    /// Binary package name.
    pub package: String,
    /// Version in the image, also in suite `bookworm` of the repository.
    pub installed: String,
    /// Version in suite `bookworm-security` of the repository.
    pub candidate: String,
}

/// A complete image in the cache; never written to again.
#[derive(Debug, Clone)]
pub struct Image {
    dir: PathBuf,
    cache: PathBuf,
    pending: Vec<Pending>,
}

impl Image {
    /// Gives the cached image, building it first when there is none (one to three minutes). Runs at
    /// the same time wait for each other.
    ///
    /// # Errors
    /// [`Error::NothingPending`] when a fresh image has no pending security update,
    /// [`Error::NoSource`] when this machine's apt lacks a suite, and failures of the build.
    pub fn prepare(cache: &Path) -> Result<Self, Error> {
        Self::prepared(cache, &format!("image-{}", recipe_digest()), build)
    }

    /// The same for hosts of RPM packages, which have no updates pending: tests publish their own.
    ///
    /// # Errors
    /// [`Error::NoSource`] when this machine's apt lacks a suite, and failures of the build.
    pub fn prepare_rpm(cache: &Path) -> Result<Self, Error> {
        Self::prepared(cache, &format!("rpm-image-{}", rpm_image::recipe_digest()), rpm_image::build)
    }

    fn prepared(cache: &Path, name: &str, build: fn(&Path) -> Result<(), Error>) -> Result<Self, Error> {
        fs::create_dir_all(cache).map_err(Error::file("create", cache))?;
        let cache = cache.canonicalize().map_err(Error::file("resolve", cache))?;
        let dir = cache.join(name);
        let lock_path = cache.join("lock");
        let lock = File::create(&lock_path).map_err(Error::file("create", &lock_path))?;
        lock.lock().map_err(Error::file("lock", &lock_path))?;
        if !dir.exists() {
            let draft = cache.join("draft");
            remove_tree(&draft)?;
            build(&draft)?;
            fs::rename(&draft, &dir).map_err(Error::file("rename to", &dir))?;
        }
        let list = dir.join("pending.json");
        let bytes = fs::read(&list).map_err(Error::file("read", &list))?;
        let pending =
            serde_json::from_slice(&bytes).map_err(|error| Error::file("parse", &list)(error.into()))?;
        Ok(Self { dir, cache, pending })
    }

    /// The security updates pending on a fresh host, sorted by package name.
    #[must_use]
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// The image's root directory: the lower layer of every host. Read only.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.dir.join("root")
    }

    pub(crate) fn mirror(&self) -> PathBuf {
        self.dir.join("mirror")
    }

    pub(crate) fn secret_key(&self) -> PathBuf {
        self.dir.join("secret.asc")
    }

    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }
}

fn recipe_digest() -> String {
    digest_of(&[RECIPE, PACKAGES, REPOSITORY])
}

/// Of these parts of a recipe and of what all images share.
pub(crate) fn digest_of(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts.iter().chain(&DPKG_OPTIONS) {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    hex::encode(digest.finalize()).chars().take(16).collect()
}

fn build(dir: &Path) -> Result<(), Error> {
    let (root, pool) = (dir.join("root"), dir.join("mirror"));
    for suite in [Suite::Release, Suite::Security] {
        let path = pool.join(suite.pool());
        fs::create_dir_all(&path).map_err(Error::file("create", &path))?;
    }
    let (base, security) = (source("bookworm")?, source("bookworm-security")?);
    let release_line = format!("deb {base} bookworm main\n");
    install(&root, PACKAGES, &release_line)?;
    let sources = root.join("etc/apt/sources.list");
    write(&sources, &format!("{release_line}deb {security} bookworm-security main\n"))?;
    retry(|| must(chroot(&root).args(["apt-get", "-qq", "update"]), BUILD))?;

    let simulated = must(chroot(&root).args(["apt-get", "-s", "-qq", "dist-upgrade"]), BUILD)?;
    let steps: Vec<Step> = simulated.stdout.lines().filter_map(Step::parse).collect();
    let mut pending: Vec<Pending> = steps.iter().filter_map(Step::pending).collect();
    if pending.is_empty() {
        return Err(Error::NothingPending);
    }
    pending.sort();

    let old: Vec<String> = pending.iter().map(|p| format!("{}={}", p.package, p.installed)).collect();
    let new: Vec<String> = steps.iter().map(|step| format!("{}={}", step.package, step.candidate)).collect();
    download(&root, &old, &pool.join(Suite::Release.pool()))?;
    download(&root, &new, &pool.join(Suite::Security.pool()))?;
    signing::make_key(dir)?;
    for suite in [Suite::Release, Suite::Security] {
        mirror::publish(&pool, &dir.join("secret.asc"), suite)?;
    }

    seal(dir, &root)?;
    let list = serde_json::to_string_pretty(&pending)
        .map_err(|error| Error::file("encode", dir.join("pending.json"))(error.into()))?;
    write(&dir.join("pending.json"), &list)
}

/// A fresh root of the release with these packages.
pub(crate) fn install(root: &Path, packages: &str, source: &str) -> Result<(), Error> {
    retry(|| {
        remove_tree(root)?;
        let mut command = Command::new("mmdebstrap");
        command.args(["--quiet", "--variant=minbase", &format!("--include={packages}")]);
        for option in DPKG_OPTIONS {
            command.arg(format!("--dpkgopt={option}"));
        }
        must(command.arg("bookworm").arg(root).arg(source.trim_end()), BUILD)
    })
    .map(drop)
}

/// Turns the image from the real repositories to the frozen one and removes what is per machine.
fn seal(dir: &Path, root: &Path) -> Result<(), Error> {
    let keyring = root.join(KEYRING.trim_start_matches('/'));
    fs::copy(dir.join("public.gpg"), &keyring).map_err(Error::file("write", &keyring))?;
    let lines = [Suite::Release, Suite::Security]
        .map(|suite| format!("deb [signed-by={KEYRING}] http://{REPOSITORY} {} main\n", suite.codename()));
    write(&root.join("etc/apt/sources.list"), &lines.concat())?;
    for stale in ["var/lib/apt/lists", "var/cache/apt/archives"] {
        remove_tree(&root.join(stale))?;
        let partial = root.join(stale).join("partial");
        fs::create_dir_all(&partial).map_err(Error::file("create", &partial))?;
    }
    // With this file left behind no service would ever start on a host.
    for file in ["var/cache/apt/pkgcache.bin", "var/cache/apt/srcpkgcache.bin", "usr/sbin/policy-rc.d"] {
        let path = root.join(file);
        if path.exists() {
            fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        }
    }
    write(&root.join("etc/machine-id"), "")
}

/// One `Inst` line of an apt simulation that comes from the security suite.
struct Step {
    package: String,
    installed: Option<String>,
    candidate: String,
}

impl Step {
    fn parse(line: &str) -> Option<Self> {
        let (package, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
        let (before, offer) = rest.split_once('(')?;
        let candidate = offer.split(' ').next()?;
        let installed =
            before.trim().strip_prefix('[').and_then(|text| text.strip_suffix(']')).map(str::to_owned);
        offer.contains("Security").then(|| Self {
            package: package.to_owned(),
            installed,
            candidate: candidate.to_owned(),
        })
    }

    fn pending(&self) -> Option<Pending> {
        Some(Pending {
            package: self.package.clone(),
            installed: self.installed.clone()?,
            candidate: self.candidate.clone(),
        })
    }
}

/// The address this machine's apt uses for a suite.
pub(crate) fn source(suite: &'static str) -> Result<String, Error> {
    let mut command = Command::new("apt-get");
    command.args(["indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"]);
    let targets = must(&mut command, BUILD)?;
    let found =
        targets.stdout.lines().filter_map(|line| line.split_once(' ')).find(|(_, release)| *release == suite);
    found.map(|(uri, _)| uri.to_owned()).ok_or(Error::NoSource(suite))
}

fn download(root: &Path, packages: &[String], pool: &Path) -> Result<(), Error> {
    let scratch = root.join("tmp/debs");
    remove_tree(&scratch)?;
    fs::create_dir_all(&scratch).map_err(Error::file("create", &scratch))?;
    retry(|| {
        let script = "cd /tmp/debs && exec apt-get -qq -o APT::Sandbox::User=root download \"$@\"";
        must(chroot(root).args(["sh", "-c", script, "sh"]).args(packages), BUILD)
    })?;
    for entry in fs::read_dir(&scratch).map_err(Error::file("list", &scratch))? {
        let entry = entry.map_err(Error::file("list", &scratch))?;
        let target = pool.join(entry.file_name());
        fs::rename(entry.path(), &target).map_err(Error::file("move to", &target))?;
    }
    remove_tree(&scratch)
}

pub(crate) fn chroot(root: &Path) -> Command {
    let mut command = Command::new("chroot");
    command.arg(root).args([
        "env",
        "-i",
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL=C",
        "DEBIAN_FRONTEND=noninteractive",
    ]);
    // A proxy is part of how this machine reaches its sources.
    for name in ["http_proxy", "https_proxy", "no_proxy"] {
        if let Ok(value) = std::env::var(name) {
            command.arg(format!("{name}={value}"));
        }
    }
    command
}

fn retry(mut step: impl FnMut() -> Result<Output, Error>) -> Result<Output, Error> {
    let mut attempt = 1;
    loop {
        match step() {
            Err(Error::Failed { .. } | Error::Deadline { .. }) if attempt < ATTEMPTS => attempt += 1,
            outcome => return outcome,
        }
    }
}

pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(Error::file("write", path))
}

/// Removes a tree that may hold device nodes and read-only directories.
pub(crate) fn remove_tree(path: &Path) -> Result<(), Error> {
    bounded(Command::new("rm").arg("-rf").arg("--one-file-system").arg(path), &[], Duration::from_secs(120))?
        .ok()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simulated_steps_are_read() {
        let line = "Inst libssl3 [3.0.17-1] (3.0.18-2 Debian-Security:12/oldstable-security [amd64])";
        let step = Step::parse(line).unwrap();
        assert_eq!(step.pending().unwrap().installed, "3.0.17-1");
        assert_eq!(step.candidate, "3.0.18-2");
        let new = Step::parse("Inst libnew (1.0 Debian-Security:12/oldstable-security [amd64])").unwrap();
        assert_eq!(new.pending(), None);
        assert!(Step::parse("Inst a [1] (2 Debian:12/oldstable [amd64])").is_none());
        assert!(Step::parse("Conf a (2 Debian-Security:12 [amd64])").is_none());
    }
}
