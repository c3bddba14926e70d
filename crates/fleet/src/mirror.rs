//! A signed package repository that a test may publish to.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    Error,
    http::FileServer,
    run::{bounded, must},
    signing,
};

/// The suites of the repository; origin, label and codename are those of the real ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// `bookworm`: what the hosts were installed from.
    Release,
    /// `bookworm-security`: the fixes.
    Security,
}

impl Suite {
    /// The suite's name in a sources list.
    #[must_use]
    pub const fn codename(self) -> &'static str {
        match self {
            Self::Release => "bookworm",
            Self::Security => "bookworm-security",
        }
    }

    pub(crate) const fn pool(self) -> &'static str {
        match self {
            Self::Release => "pool/old",
            Self::Security => "pool/sec",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Release => "Debian",
            Self::Security => "Debian-Security",
        }
    }
}

/// The lab's own copy of the frozen repository, served over HTTP inside the lab.
#[derive(Debug)]
pub struct Mirror {
    dir: PathBuf,
    secret: PathBuf,
    server: FileServer,
}

impl Mirror {
    /// Copies the frozen repository by hard links and serves it. The copies of `dists` are real ones:
    /// publishing must not write through a link into the cache.
    pub(crate) fn start(
        frozen: &Path,
        secret: &Path,
        dir: &Path,
        netns: &Path,
        address: SocketAddr,
    ) -> Result<Self, Error> {
        copy_linked(frozen, dir)?;
        let server = FileServer::start(dir, netns, address)?;
        Ok(Self { dir: dir.to_owned(), secret: secret.to_owned(), server })
    }

    /// Where it answers, inside the lab.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The repository's directory on this machine.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Puts a package into a suite; hosts see it after [`Mirror::publish`] and their next update.
    ///
    /// # Errors
    /// [`Error::File`] when the package cannot be read or copied.
    pub fn add(&self, suite: Suite, deb: &Path) -> Result<(), Error> {
        let name = deb.file_name().ok_or_else(|| Error::Path(deb.to_owned()))?;
        let target = self.dir.join(suite.pool()).join(name);
        fs::copy(deb, &target).map_err(Error::file("copy package to", &target))?;
        Ok(())
    }

    /// Takes a package out of a suite by its file name; the suite must be published again.
    ///
    /// # Errors
    /// [`Error::File`] when there is no such package.
    pub fn remove(&self, suite: Suite, file_name: &str) -> Result<(), Error> {
        let target = self.dir.join(suite.pool()).join(file_name);
        fs::remove_file(&target).map_err(Error::file("remove", &target))
    }

    /// Indexes and signs a suite again: "a new advisory arrives". Takes about a second.
    ///
    /// # Errors
    /// [`Error::Failed`] when indexing or signing fails.
    pub fn publish(&self, suite: Suite) -> Result<(), Error> {
        publish(&self.dir, &self.secret, suite)
    }
}

/// Indexes and signs one suite of the repository in `dir`.
pub(crate) fn publish(dir: &Path, secret: &Path, suite: Suite) -> Result<(), Error> {
    let limit = Duration::from_secs(120);
    let dist = dir.join("dists").join(suite.codename());
    let index = dist.join("main/binary-amd64");
    fs::create_dir_all(&index).map_err(Error::file("create", &index))?;
    let packages = bounded(
        Command::new("apt-ftparchive").current_dir(dir).args(["packages", suite.pool()]),
        &[],
        limit,
    )?
    .ok()?;
    write(&index.join("Packages"), packages.stdout.as_bytes())?;
    let option = |key: &str, value: &str| format!("APT::FTPArchive::Release::{key}={value}");
    let mut release = Command::new("apt-ftparchive");
    release.current_dir(dir);
    for (key, value) in [
        ("Origin", "Debian"),
        ("Label", suite.label()),
        ("Suite", "oldstable"),
        ("Codename", suite.codename()),
        ("Architectures", "amd64"),
        ("Components", "main"),
    ] {
        release.arg("-o").arg(option(key, value));
    }
    // Old signatures would be listed in the new release file.
    for stale in ["Release", "InRelease"] {
        let path = dist.join(stale);
        if path.exists() {
            fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        }
    }
    let text = must(release.arg("release").arg(format!("dists/{}", suite.codename())), limit)?;
    let plain = dist.join("Release");
    write(&plain, text.stdout.as_bytes())?;
    let fresh = dir.join(format!("{}.InRelease", suite.codename()));
    signing::clearsign(secret, &plain, &fresh)?;
    let signed = dist.join("InRelease");
    fs::rename(&fresh, &signed).map_err(Error::file("rename to", &signed))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    fs::write(path, bytes).map_err(Error::file("write", path))
}

fn copy_linked(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(Error::file("create", to))?;
    for entry in fs::read_dir(from).map_err(Error::file("list", from))? {
        let entry = entry.map_err(Error::file("list", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_linked(&source, &target)?;
        } else if source.extension().is_some_and(|extension| extension == "deb") {
            fs::hard_link(&source, &target).map_err(Error::file("link", &target))?;
        } else {
            fs::copy(&source, &target).map_err(Error::file("copy", &target))?;
        }
    }
    Ok(())
}
