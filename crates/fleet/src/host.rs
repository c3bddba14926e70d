//! One host: its disk, its network, its power switch.

use std::{
    ffi::OsStr,
    fs,
    net::Ipv4Addr,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Component, Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use crate::{
    Error, Output,
    image::remove_tree,
    lab::{STEP, Shared, cgroup, check_name, ip, netns_path, remove_cgroup, remove_netns},
    run::{bounded, wait_until},
};

const BOOT_SCRIPT: &str = include_str!("boot.sh");
/// Upgrading everything pending takes a minute or two on a busy machine.
const EXEC: Duration = Duration::from_secs(600);

/// What runs as process 1 of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boot {
    /// systemd with all services; about 3 s and 26 MB of memory.
    Full,
    /// Only a process that waits; under 0.1 s and 1 MB. Services do not start.
    Light,
}

/// A Debian host in a lab. Dropping it deletes it, unless the lab is kept.
#[derive(Debug)]
pub struct Host {
    lab: Arc<Shared>,
    name: String,
    dir: PathBuf,
    index: usize,
}

impl Host {
    pub(crate) fn create(lab: &Arc<Shared>, name: &str, index: usize) -> Result<Self, Error> {
        let dir = lab.dir.join("hosts").join(name);
        if dir.exists() {
            return Err(Error::Exists(name.to_owned()));
        }
        for part in ["up", "wk", "mnt"] {
            fs::create_dir_all(dir.join(part)).map_err(Error::file("create", &dir))?;
        }
        fs::write(dir.join("index"), index.to_string()).map_err(Error::file("write", &dir))?;
        // From here on dropping the host cleans up.
        let host = Self { lab: Arc::clone(lab), name: name.to_owned(), dir, index };
        let (net, port) = (host.netns(), host.port());
        let address = format!("{}/16", host.ip());
        ip(&["netns", "add", &net])?;
        ip(&["-n", &lab.name, "link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns", &net])?;
        ip(&["-n", &lab.name, "link", "set", &port, "master", "br0", "up"])?;
        ip(&["-n", &net, "link", "set", "lo", "up"])?;
        ip(&["-n", &net, "addr", "add", &address, "dev", "eth0"])?;
        ip(&["-n", &net, "link", "set", "eth0", "up"])?;
        Ok(host)
    }

    pub(crate) fn open(lab: &Arc<Shared>, name: &str) -> Result<Self, Error> {
        let unknown = || Error::Unknown { kind: "host", name: name.to_owned() };
        check_name(name).map_err(|_| unknown())?;
        let dir = lab.dir.join("hosts").join(name);
        let index = fs::read_to_string(dir.join("index")).ok().and_then(|text| text.parse().ok());
        Ok(Self { lab: Arc::clone(lab), name: name.to_owned(), dir, index: index.ok_or_else(unknown)? })
    }

    /// The host's name, also its host name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The host's address in the lab.
    #[must_use]
    pub fn ip(&self) -> Ipv4Addr {
        // At most 1,000 hosts: both parts stay below 251.
        let part = |number: usize| u8::try_from(number + 1).unwrap_or(u8::MAX);
        Ipv4Addr::new(10, 77, part(self.index / 250), part(self.index % 250 + 1))
    }

    /// Powers the host on and waits until its process 1 runs.
    ///
    /// # Errors
    /// [`Error::Deadline`] with the boot log when it does not come up; [`Error::Exists`] when it is
    /// running already.
    pub fn boot(&self, boot: Boot) -> Result<(), Error> {
        let command: &[&str] = match boot {
            Boot::Full => &["/sbin/init", "--unit=multi-user.target"],
            // Process 1 has no default actions for signals, hence the explicit trap.
            Boot::Light => &["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"],
        };
        self.boot_command(command)
    }

    /// Like [`Host::boot`], with a program of the host as process 1 (a daemon under load test).
    ///
    /// # Errors
    /// Like [`Host::boot`].
    pub fn boot_command(&self, command: &[&str]) -> Result<(), Error> {
        if self.pid().is_some() {
            return Err(Error::Exists(self.name.clone()));
        }
        let script = self.dir.join("boot.sh");
        fs::write(&script, BOOT_SCRIPT).map_err(Error::file("write", &script))?;
        let log = fs::File::create(self.dir.join("log")).map_err(Error::file("create", &self.dir))?;
        let errors = log.try_clone().map_err(Error::file("open", &self.dir))?;
        let mut supervisor = Command::new("bash");
        supervisor.arg(&script).args([&self.name, &self.netns()]).arg(self.cgroup());
        supervisor.arg(&self.dir).arg(&self.lab.image_root).args(command);
        let mut child = supervisor
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(|source| Error::Start { program: "bash boot.sh".to_owned(), source })?;
        // Reaped on its own: a host may also power itself off.
        std::thread::spawn(move || child.wait());
        let what = format!("boot of {}", self.name);
        let booted = wait_until(&what, STEP, || Ok(self.pid().filter(|_| self.passed_pivot()).map(drop)));
        booted.map_err(|error| match error {
            Error::Deadline { what, after, .. } => {
                Error::Deadline { what, after, detail: format!("\n{}", self.log()) }
            }
            other => other,
        })
    }

    /// Waits until systemd has started everything: state `running`.
    ///
    /// # Errors
    /// [`Error::Deadline`] with the last state and the failed units.
    pub fn wait_running(&self, deadline: Duration) -> Result<(), Error> {
        let mut state = String::new();
        let outcome = wait_until(&format!("state running of {}", self.name), deadline, || {
            // Between a reboot's two lives there is no process to enter.
            state = match self.exec(["systemctl", "is-system-running"]) {
                Ok(output) => output.stdout.trim().to_owned(),
                Err(Error::Down(_)) => "down".to_owned(),
                Err(error) => return Err(error),
            };
            Ok((state == "running").then_some(()))
        });
        outcome.map_err(|error| match error {
            Error::Deadline { what, after, .. } => {
                let failed = self
                    .exec(["systemctl", "--failed", "--no-legend"])
                    .map_or_else(|_| self.log(), |o| o.stdout);
                Error::Deadline { what, after, detail: format!(": state {state}; {}", failed.trim()) }
            }
            other => other,
        })
    }

    /// Runs a program in the host as root, for at most ten minutes.
    ///
    /// # Errors
    /// [`Error::Down`], [`Error::Deadline`]. A program that fails is no error: see [`Output::ok`].
    pub fn exec<S: AsRef<OsStr>>(&self, command: impl IntoIterator<Item = S>) -> Result<Output, Error> {
        self.exec_with(command, &[], EXEC)
    }

    /// Runs a shell line in the host as root, for at most ten minutes.
    ///
    /// # Errors
    /// Like [`Host::exec`].
    pub fn shell(&self, line: &str) -> Result<Output, Error> {
        self.exec(["sh", "-c", line])
    }

    /// Like [`Host::exec`], with standard input and a deadline.
    ///
    /// # Errors
    /// Like [`Host::exec`].
    pub fn exec_with<S: AsRef<OsStr>>(
        &self,
        command: impl IntoIterator<Item = S>,
        input: &[u8],
        deadline: Duration,
    ) -> Result<Output, Error> {
        bounded(self.command()?.args(command), input, deadline)
    }

    /// A command to be completed with a program and its arguments, which runs in the host.
    ///
    /// # Errors
    /// [`Error::Down`].
    pub fn command(&self) -> Result<Command, Error> {
        let pid = self.pid().ok_or_else(|| Error::Down(self.name.clone()))?;
        let mut command = Command::new("nsenter");
        command.args(["-t", &pid.to_string(), "-m", "-p", "-n", "-u", "-i", "-C", "-r", "-w"]).args([
            "env",
            "-i",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/root",
            "LC_ALL=C",
            "DEBIAN_FRONTEND=noninteractive",
        ]);
        Ok(command)
    }

    /// Writes a file in the host with permission bits `mode`, making its directory. On a host that
    /// is off it goes onto the disk directly.
    ///
    /// # Errors
    /// [`Error::Path`] or [`Error::File`] when the host is off, [`Error::Failed`] when it runs.
    pub fn write_file(&self, path: impl AsRef<Path>, bytes: &[u8], mode: u32) -> Result<(), Error> {
        let path = path.as_ref();
        if self.pid().is_some() {
            // Under a name that begins with a dot until it is whole: an agent that looks in between passes it over.
            let script = "folder=$(dirname \"$1\") && new=\"$folder/.$(basename \"$1\").new\" && mkdir -p \"$folder\" && \
                          cat >\"$new\" && chmod \"$2\" \"$new\" && mv \"$new\" \"$1\"";
            let mode = format!("{mode:o}");
            let words = ["sh", "-c", script, "sh"].map(OsStr::new);
            let words = words.into_iter().chain([path.as_os_str(), OsStr::new(&mode)]);
            return if bytes.is_empty() {
                // Without input there is no pipe, and `cat` reads the null device.
                self.exec(words)?.ok().map(drop)
            } else {
                self.exec_with(words, bytes, EXEC)?.ok().map(drop)
            };
        }
        let target = self.on_disk(path)?;
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
        }
        fs::write(&target, bytes).map_err(Error::file("write", &target))?;
        fs::set_permissions(&target, fs::Permissions::from_mode(mode)).map_err(Error::file("chmod", &target))
    }

    /// Copies a file of this machine into the host, with its permission bits.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read; else like [`Host::write_file`].
    pub fn copy_in(&self, from: &Path, to: impl AsRef<Path>) -> Result<(), Error> {
        let bytes = fs::read(from).map_err(Error::file("read", from))?;
        let mode = fs::metadata(from).map_err(Error::file("read", from))?.permissions().mode() & 0o7777;
        self.write_file(to, &bytes, mode)
    }

    /// Reads a file of the running host as text.
    ///
    /// # Errors
    /// [`Error::Down`]; [`Error::Failed`] when there is no such file.
    pub fn read_file(&self, path: &str) -> Result<String, Error> {
        self.exec(["cat", "--", path])?.ok().map(|output| output.stdout)
    }

    /// Unplugs the network cable.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub fn cut(&self) -> Result<(), Error> {
        ip(&["-n", &self.lab.name, "link", "set", &self.port(), "down"])
    }

    /// Plugs the network cable in again.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub fn join(&self) -> Result<(), Error> {
        ip(&["-n", &self.lab.name, "link", "set", &self.port(), "up"])
    }

    /// Cuts the power: everything in the host is killed at once. The disk stays; it can boot again.
    ///
    /// # Errors
    /// [`Error::Deadline`] when something in it cannot be killed.
    pub fn power_off(&self) -> Result<(), Error> {
        remove_cgroup(&self.cgroup())?;
        let pid = self.dir.join("pid");
        if pid.exists() {
            fs::remove_file(&pid).map_err(Error::file("remove", &pid))?;
        }
        Ok(())
    }

    /// The process that is the host's process 1, as the machine counts; nothing when it is off.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        let outside: u32 = fs::read_to_string(self.dir.join("pid")).ok()?.trim().parse().ok()?;
        let children = fs::read_to_string(format!("/proc/{outside}/task/{outside}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    }

    /// The running host's disk as this machine sees it. Absolute links in it lead astray: prefer
    /// [`Host::read_file`].
    #[must_use]
    pub fn root(&self) -> Option<PathBuf> {
        self.pid().map(|pid| PathBuf::from(format!("/proc/{pid}/root")))
    }

    /// What each boot ended with, in order: 129 rebooted itself, 130 powered itself off.
    #[must_use]
    pub fn exits(&self) -> Vec<i32> {
        let text = fs::read_to_string(self.dir.join("exits")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// What process 1 wrote to its console.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(self.dir.join("log"))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    fn passed_pivot(&self) -> bool {
        self.root().is_some_and(|root| root.join("run/tenon-fleet-booted").exists())
    }

    /// Where a path lies in the upper layer. Refuses links: a directory made there would hide them.
    fn on_disk(&self, path: &Path) -> Result<PathBuf, Error> {
        let refuse = || Error::Path(path.to_owned());
        let relative = path.strip_prefix("/").map_err(|_| refuse())?;
        let mut lower = self.lab.image_root.clone();
        for part in relative.components() {
            let Component::Normal(part) = part else { return Err(refuse()) };
            lower.push(part);
            if lower.is_symlink() {
                return Err(refuse());
            }
        }
        Ok(self.dir.join("up").join(relative))
    }

    fn netns(&self) -> String {
        netns_name(&self.lab.name, &self.name)
    }

    fn cgroup(&self) -> PathBuf {
        cgroup(&self.lab.name).join(format!("host-{}", self.name))
    }

    fn port(&self) -> String {
        format!("port{}", self.index)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if !self.lab.kept
            && let Err(error) = remove(&self.dir, &self.lab.name, &self.name)
        {
            // Not a panic: that would abort a test that is failing already. The lab tries again.
            eprintln!("fleet: host {} not removed: {error}", self.name);
        }
    }
}

/// Removes a host from what the names say, whoever made it.
pub(crate) fn remove(dir: &Path, lab: &str, host: &str) -> Result<(), Error> {
    remove_cgroup(&cgroup(lab).join(format!("host-{host}")))?;
    let net = netns_name(lab, host);
    if netns_path(&net).exists() {
        remove_netns(&net)?;
    }
    remove_tree(dir)
}

fn netns_name(lab: &str, host: &str) -> String {
    format!("{lab}-{host}")
}
