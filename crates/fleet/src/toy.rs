//! Small real packages whose services behave as a test needs.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};

use crate::{Error, run::must};

/// How the package's daemon behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Daemon {
    /// Runs until it is stopped.
    Healthy,
    /// Ends with status 1 when started: its unit becomes `failed`.
    FailsAtStart,
    /// Is this `sleep` of an image, a program whose own file its process maps.
    Program(PathBuf),
    /// Listens on this TCP port and answers whoever connects with a line: the package's version.
    Listens(u16),
    /// The package has no daemon.
    None,
}

/// In the perl that every Debian host has.
const LISTENER: &str = r#"#!/usr/bin/perl
use strict; use Socket;
socket(my $listening, PF_INET, SOCK_STREAM, 6) or die "socket: $!";
setsockopt($listening, SOL_SOCKET, SO_REUSEADDR, 1) or die "setsockopt: $!";
bind($listening, sockaddr_in(PORT, INADDR_ANY)) or die "bind: $!";
listen($listening, 64) or die "listen: $!";
while (accept(my $caller, $listening)) { syswrite($caller, "VERSION\n"); close($caller); }
"#;

/// A package under construction.
#[derive(Debug, Clone)]
pub struct ToyPackage {
    name: String,
    version: String,
    daemon: Daemon,
    postinst: Option<String>,
    unit: Option<String>,
    changelog: Option<String>,
    depends: Option<String>,
    obsoletes: Option<String>,
    preinst: Option<String>,
    configuration: Option<String>,
    source: Option<String>,
}

impl ToyPackage {
    /// A package with a healthy daemon `/usr/bin/NAME` and a unit `NAME.service`, which its
    /// postinst enables and restarts the way most packages do: a failing service does not fail apt.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            daemon: Daemon::Healthy,
            postinst: None,
            unit: None,
            changelog: None,
            depends: None,
            obsoletes: None,
            preinst: None,
            configuration: None,
            source: None,
        }
    }

    /// Names the source that an .rpm is built from; it is the package's own where nothing is said.
    #[must_use]
    pub fn source(mut self, source: &str) -> Self {
        self.source = Some(source.to_owned());
        self
    }

    /// Sets the daemon's behaviour.
    #[must_use]
    pub fn daemon(mut self, daemon: Daemon) -> Self {
        self.daemon = daemon;
        self
    }

    /// Replaces the whole postinst script.
    #[must_use]
    pub fn postinst(mut self, script: &str) -> Self {
        self.postinst = Some(script.to_owned());
        self
    }

    /// Replaces the unit file.
    #[must_use]
    pub fn unit(mut self, unit: &str) -> Self {
        self.unit = Some(unit.to_owned());
        self
    }

    /// Sets the changes of this version, one a line (`Fix CVE-2099-0001`), as its changelog entry.
    #[must_use]
    pub fn changelog(mut self, changes: &str) -> Self {
        self.changelog = Some(changes.to_owned());
        self
    }

    /// Sets the `Depends` field.
    #[must_use]
    pub fn depends(mut self, depends: &str) -> Self {
        self.depends = Some(depends.to_owned());
        self
    }

    /// Sets the packages that an .rpm takes the place of.
    #[must_use]
    pub fn obsoletes(mut self, obsoletes: &str) -> Self {
        self.obsoletes = Some(obsoletes.to_owned());
        self
    }

    /// Sets the `%pre` script of an .rpm.
    #[must_use]
    pub fn preinst(mut self, script: &str) -> Self {
        self.preinst = Some(script.to_owned());
        self
    }

    /// Adds the configuration file `/etc/NAME.conf` to an .rpm.
    #[must_use]
    pub fn configuration(mut self, text: &str) -> Self {
        self.configuration = Some(text.to_owned());
        self
    }

    /// Builds the .deb into `dir` and returns its path.
    ///
    /// # Errors
    /// [`Error::Failed`] when dpkg-deb refuses it, [`Error::File`] when `dir` cannot be written.
    pub fn build(&self, dir: &Path) -> Result<PathBuf, Error> {
        let tree = tempfile::tempdir().map_err(Error::file("create", std::env::temp_dir()))?;
        let root = tree.path();
        let Self { name, version, .. } = self;
        let depends =
            self.depends.as_ref().map(|depends| format!("Depends: {depends}\n")).unwrap_or_default();
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: all\nSection: admin\nPriority: optional\n\
             Maintainer: Test repository <repo@example.invalid>\n{depends}Description: package for tests\n"
        );
        put(root, "DEBIAN/control", control.as_bytes(), 0o644)?;
        if let Some(postinst) = self.after() {
            put(root, "DEBIAN/postinst", postinst.as_bytes(), 0o755)?;
        }
        for (path, bytes, mode) in self.files()? {
            put(root, &path, &bytes, mode)?;
        }
        let log = gzip(self.changelog_text().as_bytes()).map_err(Error::file("compress", root))?;
        put(root, &format!("usr/share/doc/{name}/changelog.Debian.gz"), &log, 0o644)?;

        let deb = dir.join(format!("{name}_{}_all.deb", version.replace(':', "%3a")));
        let mut command = Command::new("dpkg-deb");
        command.args(["--build", "--root-owner-group"]).arg(root).arg(&deb);
        must(&mut command, Duration::from_secs(60))?;
        Ok(deb)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The name of the source.
    pub(crate) fn built_from(&self) -> &str {
        self.source.as_deref().unwrap_or(&self.name)
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn required(&self) -> Option<&str> {
        self.depends.as_deref()
    }

    pub(crate) fn obsoleted(&self) -> Option<&str> {
        self.obsoletes.as_deref()
    }

    /// The script before the files.
    pub(crate) fn before(&self) -> Option<String> {
        self.preinst.clone()
    }

    /// The script after the files.
    pub(crate) fn after(&self) -> Option<String> {
        self.postinst.clone().or_else(|| self.default_postinst())
    }

    /// Path below the root, content and mode of what the package brings.
    pub(crate) fn files(&self) -> Result<Vec<(String, Vec<u8>, u32)>, Error> {
        let name = &self.name;
        let mut files = Vec::new();
        if let Some(text) = &self.configuration {
            files.push((format!("etc/{name}.conf"), text.clone().into_bytes(), 0o644));
        }
        if let Some(body) = self.daemon_body()? {
            files.push((format!("usr/bin/{name}"), body, 0o755));
            let unit = self.unit.clone().unwrap_or_else(|| {
                let words = if matches!(self.daemon, Daemon::Program(_)) { " infinity" } else { "" };
                format!(
                    "[Unit]\nDescription=Toy daemon {name}\n\n[Service]\nExecStart=/usr/bin/{name}{words}\n\n\
                     [Install]\nWantedBy=multi-user.target\n"
                )
            });
            files.push((format!("usr/lib/systemd/system/{name}.service"), unit.into_bytes(), 0o644));
        }
        Ok(files)
    }

    fn daemon_body(&self) -> Result<Option<Vec<u8>>, Error> {
        let script = |text: &str| Ok(Some(text.as_bytes().to_vec()));
        match &self.daemon {
            Daemon::Healthy => script("#!/bin/sh\nexec sleep infinity\n"),
            Daemon::FailsAtStart => script("#!/bin/sh\necho 'cannot read configuration' >&2\nexit 1\n"),
            Daemon::Listens(port) => {
                script(&LISTENER.replace("PORT", &port.to_string()).replace("VERSION", &self.version))
            }
            Daemon::Program(path) => fs::read(path).map(Some).map_err(Error::file("read", path)),
            Daemon::None => Ok(None),
        }
    }

    fn default_postinst(&self) -> Option<String> {
        let name = &self.name;
        (self.daemon != Daemon::None).then(|| {
            format!(
                "#!/bin/sh\nset -e\nif [ -d /run/systemd/system ]; then\n  systemctl daemon-reload\n  \
                 systemctl enable --quiet {name}.service\n  systemctl restart {name}.service || true\nfi\n"
            )
        })
    }

    fn changelog_text(&self) -> String {
        let changes = self.changelog.as_deref().unwrap_or("New version.");
        let lines: String = changes.lines().map(|line| format!("  * {line}\n")).collect();
        format!(
            "{} ({}) bookworm-security; urgency=high\n\n{lines}\n \
             -- Test repository <repo@example.invalid>  Mon, 02 Nov 2026 10:00:00 +0000\n",
            self.name, self.version
        )
    }
}

pub(crate) fn put(root: &Path, path: &str, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let target = root.join(path);
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
        // The temporary directory is private; dpkg-deb wants its control directory readable.
        fs::set_permissions(parent, fs::Permissions::from_mode(0o755))
            .map_err(Error::file("chmod", parent))?;
    }
    fs::write(&target, bytes).map_err(Error::file("write", &target))?;
    fs::set_permissions(&target, fs::Permissions::from_mode(mode)).map_err(Error::file("chmod", &target))?;
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).map_err(Error::file("chmod", root))
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
