//! RPM packages and a repository of them, as dnf reads it.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{Error, ToyPackage, http::FileServer, run::must, signing, toy::put};

/// Folder of the repository below the server's address.
pub(crate) const FOLDER: &str = "rpm";
const STEP: Duration = Duration::from_secs(120);
/// Files are packed as they are: no debugging packages, no looking into programs.
const PLAIN: [&str; 4] = [
    "debug_package %{nil}",
    "__os_install_post %{nil}",
    "_binaries_in_noarch_packages_terminate_build 0",
    "_build_id_links none",
];

impl ToyPackage {
    /// Builds the .rpm of this package, release 1, into `dir` and returns its path. Its `postinst` is the `%post` script.
    ///
    /// # Errors
    /// [`Error::Failed`] when rpmbuild refuses it, [`Error::File`] when `dir` cannot be written.
    pub fn build_rpm(&self, dir: &Path) -> Result<PathBuf, Error> {
        let tree = tempfile::tempdir().map_err(Error::file("create", std::env::temp_dir()))?;
        let root = tree.path().join("root");
        let mut listed = String::new();
        for (path, bytes, mode) in self.files()? {
            put(&root, &path, &bytes, mode)?;
            let kind = if path.starts_with("etc/") { "%config(noreplace) " } else { "" };
            listed.push_str(&format!("{kind}/{path}\n"));
        }
        let (epoch, version) = self.version().split_once(':').unwrap_or(("", self.version()));
        let line = |field: &str, value: Option<&str>| {
            value
                .filter(|value| !value.is_empty())
                .map_or_else(String::new, |value| format!("{field}: {value}\n"))
        };
        // A source of another name builds this package beside one of its own, which has no files and so is not made.
        let of =
            if self.built_from() == self.name() { String::new() } else { format!(" -n {}", self.name()) };
        let script = |section: &str, script: Option<String>| {
            script.map_or_else(String::new, |script| format!("%{section}{of}\n{script}\n"))
        };
        let about = format!(
            "{}{}Summary: Package for tests\nAutoReqProv: no\n%description{of}\nA package for tests.\n",
            line("Requires", self.required()),
            line("Obsoletes", self.obsoleted()),
        );
        let package = if of.is_empty() {
            about
        } else {
            format!("Summary: Source for tests\n%description\nA source for tests.\n%package{of}\n{about}")
        };
        let spec = format!(
            "Name: {}\nVersion: {version}\nRelease: 1\n{}License: none\nBuildArch: noarch\n{package}%install\n\
             mkdir -p %{{buildroot}}\ncp -a {}/. %{{buildroot}}/\n{}{}%files{of}\n{listed}",
            self.built_from(),
            line("Epoch", Some(epoch)),
            root.display(),
            script("pre", self.before()),
            script("post", self.after()),
        );
        fs::create_dir_all(&root).map_err(Error::file("create", &root))?;
        let path = tree.path().join("toy.spec");
        fs::write(&path, spec).map_err(Error::file("write", &path))?;
        let built = tree.path().join("built");
        let mut command = Command::new("rpmbuild");
        command.args(["-bb", "--quiet", "--define"]).arg(format!("_topdir {}", tree.path().display()));
        command.arg("--define").arg(format!("_rpmdir {}", built.display()));
        for define in PLAIN {
            command.args(["--define", define]);
        }
        must(command.arg(&path), STEP)?;
        let name = format!("{}-{version}-1.noarch.rpm", self.name());
        let (from, to) = (built.join("noarch").join(&name), dir.join(&name));
        fs::copy(&from, &to).map_err(Error::file("copy package to", &to))?;
        Ok(to)
    }
}

/// What an advisory of the repository says.
#[derive(Debug, Clone)]
pub struct Advisory {
    /// `TOYSA-2026:1`.
    pub id: String,
    /// Whether it is about security.
    pub security: bool,
    /// The vulnerabilities that it names.
    pub vulnerabilities: Vec<String>,
    /// The package that it brings.
    pub package: String,
    /// Without epoch; the release is 1.
    pub version: String,
}

impl Advisory {
    fn xml(&self) -> String {
        let Self { id, security, vulnerabilities, package, version } = self;
        let kind = if *security { "security" } else { "bugfix" };
        let references: String = vulnerabilities
            .iter()
            .map(|name| format!("<reference type=\"cve\" id=\"{name}\" title=\"{name}\" href=\"https://example.invalid\"/>"))
            .collect();
        format!(
            "<update from=\"repo@example.invalid\" status=\"stable\" type=\"{kind}\" version=\"1\"><id>{id}</id><title>{id}</title>\
             <issued date=\"2026-11-02 10:00:00\"/><severity>Important</severity><description>For tests.</description>\
             <references>{references}</references><pkglist><collection short=\"toy\"><name>toy</name>\
             <package name=\"{package}\" epoch=\"0\" version=\"{version}\" release=\"1\" arch=\"noarch\" \
             src=\"{package}-{version}-1.src.rpm\"><filename>{package}-{version}-1.noarch.rpm</filename></package>\
             </collection></pkglist></update>\n"
        )
    }
}

/// A repository of signed RPM packages, served over HTTP inside the lab.
#[derive(Debug)]
pub struct RpmRepository {
    dir: PathBuf,
    secret: PathBuf,
    /// Serves as long as it lives.
    _server: FileServer,
}

impl RpmRepository {
    pub(crate) fn start(secret: &Path, dir: &Path, netns: &Path, address: SocketAddr) -> Result<Self, Error> {
        let folder = dir.join(FOLDER);
        fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        let server = FileServer::start(dir, netns, address)?;
        let repository = Self { dir: folder, secret: secret.to_owned(), _server: server };
        repository.publish(&[])?;
        Ok(repository)
    }

    /// Signs a package and puts it into the repository; hosts see it after [`RpmRepository::publish`].
    ///
    /// # Errors
    /// [`Error::Failed`] when it cannot be signed, [`Error::File`] when it cannot be copied.
    pub fn add(&self, rpm: &Path) -> Result<(), Error> {
        signing::sign_rpm(&self.secret, rpm)?;
        self.add_unsigned(rpm)
    }

    /// Puts a package into the repository as it is.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be copied.
    pub fn add_unsigned(&self, rpm: &Path) -> Result<(), Error> {
        let name = rpm.file_name().ok_or_else(|| Error::Path(rpm.to_owned()))?;
        let target = self.dir.join(name);
        fs::copy(rpm, &target).map_err(Error::file("copy package to", &target))?;
        Ok(())
    }

    /// Takes a package out by its file name; the repository must be published again.
    ///
    /// # Errors
    /// [`Error::File`] when there is no such package.
    pub fn remove(&self, file_name: &str) -> Result<(), Error> {
        let target = self.dir.join(file_name);
        fs::remove_file(&target).map_err(Error::file("remove", &target))
    }

    /// Indexes the repository again, with these advisories, and signs the index.
    ///
    /// # Errors
    /// [`Error::Failed`] when indexing fails.
    pub fn publish(&self, advisories: &[Advisory]) -> Result<(), Error> {
        must(Command::new("createrepo_c").arg("--quiet").arg(&self.dir), STEP)?;
        self.advise(advisories)?;
        let index = self.dir.join("repodata/repomd.xml");
        signing::sign_beside(&self.secret, &index, &index.with_extension("xml.asc"))
    }

    /// Lets the signature of the index be of something else, as that of a repository that was tampered with.
    ///
    /// # Errors
    /// [`Error::Failed`] when it cannot be signed.
    pub fn spoil_signature(&self) -> Result<(), Error> {
        let index = self.dir.join("repodata/repomd.xml");
        let other = self.dir.join("other");
        fs::write(&other, "something else").map_err(Error::file("write", &other))?;
        signing::sign_beside(&self.secret, &other, &index.with_extension("xml.asc"))
    }

    fn advise(&self, advisories: &[Advisory]) -> Result<(), Error> {
        if advisories.is_empty() {
            return Ok(());
        }
        let updates: String = advisories.iter().map(Advisory::xml).collect();
        let path = self.dir.join("updateinfo.xml");
        let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<updates>\n{updates}</updates>\n");
        fs::write(&path, text).map_err(Error::file("write", &path))?;
        let mut command = Command::new("modifyrepo_c");
        must(command.arg("--mdtype=updateinfo").arg(&path).arg(self.dir.join("repodata")), STEP).map(drop)
    }
}
