//! A machine that runs Tenon for itself, as a single administrator would: of Debian, or of RPM packages.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tenon_fleet::{
    Boot, Host, Image, Lab, Mirror, Output, Requirements, RpmRepository, Suite, ToyPackage, cache_dir,
    wait_until,
};
use tenon_server::{AssetView, AssetsPage, DirectiveLine, DirectiveView, DirectivesPage};

/// How long any single step of a story may take: a rehearsal or an apply with its settling, on a busy machine.
pub(crate) const STEP: Duration = Duration::from_secs(240);
/// The program, on the hosts, wherever it was put.
pub(crate) const TENON: &str = "tenon";

/// A running Tenon; everything is deleted when this is dropped.
pub(crate) struct Machine {
    server: Option<Child>,
    pub(crate) host: Host,
    repository: Repository,
    pub(crate) lab: Lab,
}

/// Where the machine's packages come from.
enum Repository {
    Debian(Mirror),
    Rpm(RpmRepository),
}

/// A lab with the repository of its hosts, or the reason why there can be none, printed under the test's name. Of the image's
/// pending updates only those of `keep` stay.
pub(crate) fn ground(test: &str, keep: &[&str]) -> Option<(Lab, Mirror)> {
    if let Err(missing) = Requirements::check() {
        println!("skipped: {test}: {missing}");
        return None;
    }
    let image = Image::prepare(&cache_dir()).unwrap();
    let lab = Lab::new(&image).unwrap();
    let mirror = lab.serve_mirror(&image).unwrap();
    for pending in image.pending().iter().filter(|pending| !keep.contains(&pending.package.as_str())) {
        let version = pending.candidate.replace(':', "%3a");
        let name = |architecture: &str| format!("{}_{version}_{architecture}.deb", pending.package);
        mirror
            .remove(Suite::Security, &name("amd64"))
            .or_else(|_| mirror.remove(Suite::Security, &name("all")))
            .unwrap();
    }
    mirror.publish(Suite::Security).unwrap();
    Some((lab, mirror))
}

/// Puts a mirror of feeds onto a host, at `/srv/feeds`.
pub(crate) fn bring_feeds(host: &Host, feeds: &Path) {
    let files = [
        "osv/Debian/all.zip",
        "osv/Rocky Linux/all.zip",
        "kev/known_exploited_vulnerabilities.json",
        "epss/epss_scores-current.csv.gz",
    ];
    for file in files.into_iter().filter(|file| feeds.join(file).exists()) {
        host.copy_in(&feeds.join(file), Path::new("/srv/feeds").join(file)).unwrap();
    }
}

/// A booted machine on such ground, with this program and a mirror of feeds on it.
pub(crate) fn machine(test: &str, feeds: &Path, keep: &[&str]) -> Option<Machine> {
    let (lab, mirror) = ground(test, keep)?;
    Some(booted(lab, Repository::Debian(mirror), feeds))
}

/// The same, a machine of RPM packages.
pub(crate) fn rpm_machine(test: &str, feeds: &Path) -> Option<Machine> {
    if let Err(missing) = Requirements::check_rpm() {
        println!("skipped: {test}: {missing}");
        return None;
    }
    let image = Image::prepare_rpm(&cache_dir()).unwrap();
    let lab = Lab::new(&image).unwrap();
    let repository = lab.serve_rpm_repository(&image).unwrap();
    Some(booted(lab, Repository::Rpm(repository), feeds))
}

fn booted(lab: Lab, repository: Repository, feeds: &Path) -> Machine {
    let host = lab.host("web1").unwrap();
    host.copy_in(Path::new(env!("CARGO_BIN_EXE_tenon")), "/usr/local/bin/tenon").unwrap();
    bring_feeds(&host, feeds);
    host.boot(Boot::Full).unwrap();
    host.wait_running(Duration::from_secs(60)).unwrap();
    Machine { server: None, host, repository, lab }
}

impl Machine {
    /// A machine whose Tenon is started by somebody else.
    pub(crate) fn of(host: Host, mirror: Mirror, lab: Lab) -> Self {
        Self { server: None, host, repository: Repository::Debian(mirror), lab }
    }

    /// The repository of a Debian machine.
    pub(crate) fn mirror(&self) -> &Mirror {
        match &self.repository {
            Repository::Debian(mirror) => mirror,
            Repository::Rpm(_) => panic!("a machine of RPM packages"),
        }
    }

    /// Whether its hosts are of RPM packages.
    pub(crate) fn is_of_rpm(&self) -> bool {
        matches!(self.repository, Repository::Rpm(_))
    }

    /// `tenon up`, until its API answers.
    pub(crate) fn up(&mut self) {
        self.up_with(&[]);
    }

    /// The same with further words.
    pub(crate) fn up_with(&mut self, words: &[&str]) {
        let mut command = self.host.command().unwrap();
        command.args([TENON, "up", "--feeds", "/srv/feeds"]).args(words).stdin(Stdio::null());
        let log =
            std::fs::File::options().create(true).append(true).open(self.lab.dir().join("up.log")).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.server = Some(Command::spawn(&mut command).unwrap());
        wait_until("the API", Duration::from_secs(60), || {
            Ok(self.host.exec([TENON, "queue"])?.success().then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
    }

    /// The same without, until the host has reported; its group may be acted on.
    pub(crate) fn up_to_act(&mut self) {
        self.up();
        self.wait("the host's first report", || (self.assets().first()?.packages > 0).then_some(()));
        self.tenon(&["promote", "default"]);
    }

    /// Ends it as a service manager would, and waits for the end.
    pub(crate) fn down(&mut self) {
        self.end("-TERM");
    }

    /// Kills it, as a crash would.
    pub(crate) fn killed(&mut self) {
        self.end("-KILL");
    }

    fn end(&mut self, signal: &str) {
        self.host.exec(["pkill", signal, "-o", "-x", "tenon"]).unwrap().ok().unwrap();
        let mut server = self.server.take().unwrap();
        wait_until("the server's end", Duration::from_secs(60), || Ok(server.try_wait().ok().flatten()))
            .unwrap();
    }

    /// What server and agent have logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.lab.dir().join("up.log")).unwrap_or_default()
    }

    /// Runs `tenon` and returns how it ended.
    pub(crate) fn try_tenon(&self, words: &[&str]) -> Output {
        self.host.exec(std::iter::once(TENON).chain(words.iter().copied())).unwrap()
    }

    /// Runs `tenon`, which must succeed, and returns what it prints.
    pub(crate) fn tenon(&self, words: &[&str]) -> String {
        self.try_tenon(words).ok().unwrap().stdout
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, words: &[&str]) -> T {
        let words: Vec<&str> = ["--format", "json"].into_iter().chain(words.iter().copied()).collect();
        serde_json::from_str(&self.tenon(&words)).unwrap()
    }

    /// An answer of the API.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        serde_json::from_str(&self.curl("-sf", path).ok().unwrap().stdout).unwrap()
    }

    /// Asks the API in the name of the data folder's owner.
    pub(crate) fn curl(&self, how: &str, path: &str) -> Output {
        let known = "-H \"Authorization: Bearer $(cat /var/lib/tenon/operator.token)\"";
        self.host.shell(&format!("curl {how} {known} http://127.0.0.1:8420{path}")).unwrap()
    }

    /// The assets.
    pub(crate) fn assets(&self) -> Vec<AssetView> {
        self.get::<AssetsPage>("/api/v1/assets").items
    }

    /// The directives in a state, `open` or `closed`.
    pub(crate) fn directives(&self, state: &str) -> Vec<DirectiveLine> {
        self.get::<DirectivesPage>(&format!("/api/v1/directives?state={state}")).items
    }

    /// Waits for an open directive about a source package.
    pub(crate) fn directive(&self, source: &str) -> DirectiveView {
        self.wait(&format!("a directive for {source}"), || {
            let open = self.directives("open").into_iter().find(|directive| directive.source == source)?;
            Some(self.json(&["show", &open.id]))
        })
    }

    /// Waits until a directive has a stage on its only asset.
    pub(crate) fn stage(&self, id: &str, stage: &str) -> DirectiveView {
        let mut last = String::new();
        let reached = wait_until(&format!("stage {stage} of {id}"), STEP, || {
            let directive: DirectiveView = self.json(&["show", id]);
            last = format!("{:?}", directive.assets);
            Ok((directive.assets[0].stage.name == stage).then_some(directive))
        });
        reached.unwrap_or_else(|error| panic!("{error}, last seen {last}\n{}", self.log()))
    }

    /// Waits until `look` gives something.
    pub(crate) fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        wait_until(what, STEP, || Ok(look())).unwrap_or_else(|error| panic!("{error}\n{}", self.log()))
    }

    /// The report that a directive's stage names.
    pub(crate) fn report(&self, directive: &DirectiveView) -> Value {
        self.get(&format!("/api/v1/reports/{}", directive.assets[0].stage.report.as_deref().unwrap()))
    }

    pub(crate) fn version(&self, package: &str) -> String {
        let words: &[&str] = match &self.repository {
            Repository::Debian(_) => &["dpkg-query", "-W", "-f", "${Version}", package],
            Repository::Rpm(_) => &["rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", package],
        };
        self.host.exec(words).unwrap().ok().unwrap().stdout
    }

    /// Puts version 1 of a package onto the host, as it was released.
    pub(crate) fn install(&self, package: &str) {
        self.install_as(package, &ToyPackage::new(package, "1.0"));
    }

    /// Puts a package onto the host as it is released so.
    pub(crate) fn install_as(&self, package: &str, released: &ToyPackage) {
        self.publish(Suite::Release, released);
        let words: &[&str] = match &self.repository {
            Repository::Debian(_) => &["apt-get", "-y", "-qq", "install", package],
            Repository::Rpm(_) => &["dnf", "-y", "-q", "install", package],
        };
        self.host.exec(words).unwrap().ok().unwrap();
    }

    /// Puts a package into a suite and lets the host see it, as its own daily timer would. A repository of RPM packages has no
    /// suites.
    pub(crate) fn publish(&self, suite: Suite, package: &ToyPackage) {
        match &self.repository {
            Repository::Debian(mirror) => {
                mirror.add(suite, &package.build(self.lab.dir()).unwrap()).unwrap();
                mirror.publish(suite).unwrap();
                self.host.exec(["apt-get", "-qq", "update"]).unwrap().ok().unwrap();
            }
            Repository::Rpm(repository) => {
                repository.add(&package.build_rpm(self.lab.dir()).unwrap()).unwrap();
                repository.publish(&[]).unwrap();
                self.host.exec(["dnf", "-q", "--refresh", "makecache"]).unwrap().ok().unwrap();
            }
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // The host's end takes it away as well; this only reaps.
            let _gone = server.kill();
            let _reaped = server.wait();
        }
    }
}
