//! A lab: one network namespace with a bridge, in which hosts, the repository and servers meet.

use std::{
    ffi::OsStr,
    fs,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::{
    Error, Host, Image, Mirror, RpmRepository,
    http::within,
    image::{REPOSITORY, remove_tree},
    require::cgroup_mount,
    run::{kill_group, must, wait_until},
};

const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// A bridge takes 1,024 ports.
const MOST_HOSTS: usize = 1000;
/// From here on the machine-wide limits on neighbours and watches are raised: a full host takes about five of the 128 watchers that
/// a machine has by default, and a second lab beside this one shares them.
const MANY_HOSTS: usize = 10;
pub(crate) const STEP: Duration = Duration::from_secs(20);
/// Content of the owner file of a lab that outlives the process that made it.
const KEPT: &str = "kept";

/// A network of hosts. Deleted with everything in it when the last handle to it is dropped.
#[derive(Debug, Clone)]
pub struct Lab {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    /// Also the name of the namespace and of the control group, and the prefix of those of its hosts.
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) image_root: PathBuf,
    pub(crate) kept: bool,
    /// Serialises the handing out of addresses.
    pub(crate) hosts: Mutex<()>,
}

impl Lab {
    /// Makes an empty lab, after removing what dead runs left behind.
    ///
    /// # Errors
    /// When the namespace or the bridge cannot be made.
    pub fn new(image: &Image) -> Result<Self, Error> {
        static SEQUENCE: AtomicU32 = AtomicU32::new(0);
        Self::reap(image.cache())?;
        let pid = std::process::id();
        let name = format!("tf{pid}-{}", SEQUENCE.fetch_add(1, Ordering::Relaxed));
        Self::create(image, &name, &format!("{pid} {}", start_time(pid).unwrap_or_default()), false)
    }

    /// Makes a lab that stays until [`Lab::destroy`], for work by hand.
    ///
    /// # Errors
    /// Like [`Lab::new`]; also when a lab of that name exists.
    pub fn keep(image: &Image, name: &str) -> Result<Self, Error> {
        check_name(name)?;
        Self::reap(image.cache())?;
        Self::create(image, name, KEPT, true)
    }

    /// Opens a kept lab.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is none of that name.
    pub fn open(image: &Image, name: &str) -> Result<Self, Error> {
        let dir = labs(image.cache()).join(name);
        if check_name(name).is_err() || !dir.join("owner").exists() {
            return Err(Error::Unknown { kind: "lab", name: name.to_owned() });
        }
        Ok(Self::handle(image, name, dir, true))
    }

    fn handle(image: &Image, name: &str, dir: PathBuf, kept: bool) -> Self {
        let shared =
            Shared { name: name.to_owned(), dir, image_root: image.root(), kept, hosts: Mutex::new(()) };
        Self { shared: Arc::new(shared) }
    }

    fn create(image: &Image, name: &str, owner: &str, kept: bool) -> Result<Self, Error> {
        let dir = labs(image.cache()).join(name);
        if dir.exists() {
            return Err(Error::Exists(name.to_owned()));
        }
        // The owner comes with the directory in one rename, so that no other run takes it for a leftover.
        let draft = labs(image.cache()).join(format!(".{name}"));
        remove_tree(&draft)?;
        fs::create_dir_all(draft.join("hosts")).map_err(Error::file("create", &draft))?;
        fs::write(draft.join("owner"), owner).map_err(Error::file("write", &draft))?;
        fs::rename(&draft, &dir).map_err(Error::file("rename to", &dir))?;
        let lab = Self::handle(image, name, dir, kept);
        // From here on dropping the handle cleans up. The bridge's address is fixed: otherwise it
        // changes as ports come and go, and hosts talk to the old one.
        let group = lab.shared.cgroup().join("lab");
        fs::create_dir_all(&group).map_err(Error::file("create", &group))?;
        let address = format!("{GATEWAY}/16");
        let steps: [&[&str]; 5] = [
            &["link", "set", "lo", "up"],
            &["link", "add", "br0", "type", "bridge"],
            &["link", "set", "br0", "address", "02:77:00:00:00:01"],
            &["addr", "add", &address, "dev", "br0"],
            &["link", "set", "br0", "up"],
        ];
        ip(&["netns", "add", name])?;
        for step in steps {
            ip(&[&["-n", name], step].concat())?;
        }
        Ok(lab)
    }

    /// Makes a host that is not booted yet.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::Exists`], [`Error::Full`], or when its network cannot be made.
    pub fn host(&self, name: &str) -> Result<Host, Error> {
        check_name(name)?;
        let _turn = self.shared.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = self.shared.dir.join("next");
        let index: usize = fs::read_to_string(&counter).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        if index >= MOST_HOSTS {
            return Err(Error::Full(MOST_HOSTS));
        }
        if index == MANY_HOSTS {
            raise_limits()?;
        }
        fs::write(&counter, (index + 1).to_string()).map_err(Error::file("write", &counter))?;
        Host::create(&self.shared, name, index)
    }

    /// Opens a host of a kept lab.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is none of that name.
    pub fn open_host(&self, name: &str) -> Result<Host, Error> {
        Host::open(&self.shared, name)
    }

    /// The names of the lab's hosts, sorted.
    ///
    /// # Errors
    /// [`Error::File`] when the lab's directory cannot be read.
    pub fn hosts(&self) -> Result<Vec<String>, Error> {
        list(&self.shared.dir.join("hosts"))
    }

    /// The address of the bridge: where servers in the lab listen.
    #[must_use]
    pub fn gateway_ip(&self) -> Ipv4Addr {
        GATEWAY
    }

    /// The lab's directory, deleted with it; tests may keep files of their own in it.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.shared.dir
    }

    /// Copies the frozen repository into the lab and serves it; the hosts' sources name its address.
    ///
    /// # Errors
    /// When it cannot be copied, or does not answer within five seconds.
    pub fn serve_mirror(&self, image: &Image) -> Result<Mirror, Error> {
        let address = repository();
        let netns = netns_path(&self.shared.name);
        Mirror::start(&image.mirror(), &image.secret_key(), &self.shared.dir.join("mirror"), &netns, address)
    }

    /// Serves an empty repository of RPM packages; the hosts of [`Image::prepare_rpm`] name its address.
    ///
    /// # Errors
    /// When it cannot be made, or does not answer within five seconds.
    pub fn serve_rpm_repository(&self, image: &Image) -> Result<RpmRepository, Error> {
        let netns = netns_path(&self.shared.name);
        RpmRepository::start(&image.secret_key(), &self.shared.dir.join("mirror"), &netns, repository())
    }

    /// A command that will run in the lab's network (the machine's own disk and processes).
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo 0 >\"$1/cgroup.procs\"; shift; exec nsenter \"$@\"", "sh"])
            .arg(self.shared.cgroup().join("lab"))
            .arg(format!("--net={}", netns_path(&self.shared.name).display()))
            .arg("--")
            .arg(program);
        command
    }

    /// Starts a command made by [`Lab::command`] (the server under test); dropping the guard kills it
    /// and all it started.
    ///
    /// # Errors
    /// [`Error::Start`] when it cannot be started.
    pub fn spawn(&self, command: &mut Command) -> Result<LabChild, Error> {
        use std::os::unix::process::CommandExt;
        let child = command
            .process_group(0)
            .spawn()
            .map_err(|source| Error::Start { program: format!("{command:?}"), source })?;
        Ok(LabChild { child })
    }

    /// Runs `work` on a thread inside the lab's network: sockets it opens stay there.
    ///
    /// # Errors
    /// [`Error::File`] when the namespace cannot be entered.
    ///
    /// # Panics
    /// When `work` panics.
    pub fn within<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        within(&netns_path(&self.shared.name), work)
    }

    /// Deletes a kept lab with all its hosts.
    ///
    /// # Errors
    /// When something of it could not be removed.
    pub fn destroy(self) -> Result<(), Error> {
        remove_lab(&self.shared.dir, &self.shared.name)
    }

    /// Removes the labs of processes that are gone. Returns how many there were.
    ///
    /// # Errors
    /// When something of a dead lab could not be removed.
    pub fn reap(cache: &Path) -> Result<usize, Error> {
        let base = labs(cache);
        fs::create_dir_all(&base).map_err(Error::file("create", &base))?;
        let mut removed = 0;
        for name in list(&base)? {
            let dir = base.join(&name);
            // Gone or being made by another run: not ours to judge.
            let Ok(owner) = fs::read_to_string(dir.join("owner")) else { continue };
            let alive = owner.split_once(' ').is_some_and(|(pid, started)| {
                pid.parse().ok().and_then(start_time).is_some_and(|now| now == started)
            });
            if owner != KEPT && !alive {
                remove_lab(&dir, &name)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// Where repositories answer.
fn repository() -> SocketAddr {
    REPOSITORY.parse().unwrap_or_else(|_| SocketAddrV4::new(GATEWAY, 8080).into())
}

impl Shared {
    pub(crate) fn cgroup(&self) -> PathBuf {
        cgroup(&self.name)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = remove_lab(&self.dir, &self.name)
        {
            // Not a panic: that would abort a test that is failing already. The next run tries again.
            eprintln!("fleet: lab {} not removed: {error}", self.name);
        }
    }
}

/// A process in the lab's network, killed with its process group when dropped.
#[derive(Debug)]
pub struct LabChild {
    child: Child,
}

impl LabChild {
    /// The process id, seen from the machine.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The process itself, to read its pipes or to ask whether it has ended.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits for it to end by itself.
    ///
    /// # Errors
    /// [`Error::Deadline`] when it still runs.
    pub fn wait(&mut self, deadline: Duration) -> Result<ExitStatus, Error> {
        let id = self.child.id();
        wait_until(&format!("end of process {id}"), deadline, || {
            self.child.try_wait().map_err(|source| Error::Start { program: format!("process {id}"), source })
        })
    }
}

impl Drop for LabChild {
    fn drop(&mut self) {
        kill_group(self.child.id());
        let _reaped = self.child.wait();
    }
}

/// Removes a lab from what its directory and its name say, whoever made it.
fn remove_lab(dir: &Path, name: &str) -> Result<(), Error> {
    for host in list(&dir.join("hosts"))? {
        crate::host::remove(&dir.join("hosts").join(&host), name, &host)?;
    }
    remove_cgroup(&cgroup(name))?;
    remove_netns(name)?;
    remove_tree(dir)
}

/// Kills everything in a control group and removes it with all below it.
pub(crate) fn remove_cgroup(group: &Path) -> Result<(), Error> {
    if !group.exists() {
        return Ok(());
    }
    let kill = group.join("cgroup.kill");
    fs::write(&kill, "1").map_err(Error::file("write", &kill))?;
    wait_until(&format!("removal of {}", group.display()), STEP, || {
        Ok((remove_groups(group).is_ok() || !group.exists()).then_some(()))
    })
}

/// Control groups go depth first and only when no process is left in them.
fn remove_groups(group: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(group)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_groups(&entry.path())?;
        }
    }
    fs::remove_dir(group)
}

pub(crate) fn remove_netns(name: &str) -> Result<(), Error> {
    if netns_path(name).exists() {
        ip(&["netns", "del", name])?;
    }
    Ok(())
}

pub(crate) fn netns_path(name: &str) -> PathBuf {
    Path::new("/run/netns").join(name)
}

pub(crate) fn cgroup(lab: &str) -> PathBuf {
    cgroup_mount().unwrap_or_else(|| PathBuf::from("/sys/fs/cgroup")).join(format!("tenon-fleet-{lab}"))
}

pub(crate) fn ip(args: &[&str]) -> Result<(), Error> {
    must(Command::new("ip").args(args), STEP).map(drop)
}

pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let fits = (1..=20).contains(&name.len()) && !name.starts_with('-');
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits && plain { Ok(()) } else { Err(Error::Name(name.to_owned())) }
}

fn labs(cache: &Path) -> PathBuf {
    cache.join("labs")
}

/// Names in a directory, sorted, without hidden ones; none when there is no directory.
fn list(dir: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(Error::file("list", dir))?,
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    Ok(names)
}

/// When a process started (clock ticks since boot): tells a process from a later one with its number.
fn start_time(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold spaces; the start is field 22, the 20th after the name.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    // A killed process whose parent is gone too may stay listed as a zombie: it owns nothing.
    let state = fields.next()?;
    fields.nth(18).filter(|_| state != "Z").map(str::to_owned)
}

/// One neighbour table and one watch limit serve all namespaces of the machine.
fn raise_limits() -> Result<(), Error> {
    for (key, least) in [
        ("net/ipv4/neigh/default/gc_thresh3", 16384),
        ("net/ipv4/neigh/default/gc_thresh2", 8192),
        ("net/ipv4/neigh/default/gc_thresh1", 4096),
        ("fs/inotify/max_user_instances", 8192),
    ] {
        let path = Path::new("/proc/sys").join(key);
        let now: u64 = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        if now < least {
            fs::write(&path, least.to_string()).map_err(Error::file("raise", &path))?;
        }
    }
    Ok(())
}
