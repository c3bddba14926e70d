//! Server and agent as packages, on two clean Debian roots: from the first file to the first useful directive, the agent upgraded
//! like any other package, everything taken away again. And the agent as a service that no package brought.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tenon_fleet::{Boot, Host, Suite, ToyPackage, wait_until};

use crate::feeds::{Told, write_mirror};
use crate::machine::{Machine, bring_feeds, ground};

const TEST: &str = "packages_go_from_clean_hosts_to_a_directive_and_leave_nothing";
/// From the first package file to a directive that says what to do.
const FIRST_DIRECTIVE: Duration = Duration::from_secs(300);
const ENROLLED: &str = "/var/lib/tenon-agent/identity.json";

/// Places that a running Debian host writes to by itself, and where package managers keep account.
const RESTLESS: [&str; 9] = [
    "/var/log/",
    "/tmp/",
    "/var/tmp/",
    "/var/lib/systemd/timers/",
    "/var/lib/redis/",
    "/var/lib/dpkg/lock",
    "/var/lib/dpkg/status",
    "/var/lib/dpkg/triggers/",
    "/var/cache/debconf/",
];

/// What a change of toyd leaves: its own files, older and newer.
const TOYD: [&str; 4] = [
    "/usr/bin/toyd",
    "/usr/lib/systemd/system/toyd.service",
    "/usr/share/doc/toyd/",
    "/var/lib/dpkg/info/toyd",
];

/// What the packages bring and keep while they are installed, besides the files that dpkg lists.
const OWN: [&str; 6] = [
    "/var/lib/tenon/",
    "/var/lib/tenon-agent/",
    "/var/lib/dpkg/info/tenon",
    "/var/lib/systemd/deb-systemd-helper-enabled/",
    "/etc/systemd/system/multi-user.target.wants/tenon",
    "/usr/lib/systemd/system/tenon",
];

/// Where apt keeps account of what was offered and installed; not touched by looking.
const APT: [&str; 2] = ["/var/cache/apt/", "/var/lib/apt/"];

/// The user that stays, and what keeps the record of users.
const USERS: [&str; 8] = [
    "/etc/passwd",
    "/etc/passwd-",
    "/etc/group",
    "/etc/group-",
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
];

/// A folder with programs that the whole workspace was built into, or the reason why packages cannot be made of it.
fn programs() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_BIN_EXE_tenon")).parent().unwrap();
    // Cargo builds only the programs of the package that it tests, and beside each writes what it is made of.
    let changed = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    for program in ["tenon-agent", "xtask"].map(|name| folder.join(name)) {
        let built = changed(&program);
        let sources = std::fs::read_to_string(program.with_extension("d")).unwrap_or_default();
        let newer = sources.split_whitespace().skip(1).find(|source| changed(Path::new(source)) > built);
        if built.is_none() || newer.is_some() {
            return Err(format!("{} is missing or old: cargo build --workspace", program.display()));
        }
    }
    for tool in ["dpkg-shlibdeps", "strip"] {
        let found = std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(tool).is_file()));
        if !found {
            return Err(format!("{tool} is missing: apt-get install dpkg-dev binutils"));
        }
    }
    Ok(folder.to_owned())
}

/// Packs the programs, and returns the files of server and agent.
fn pack(programs: &Path, out: &Path, version: &str) -> (PathBuf, PathBuf) {
    let mut xtask = Command::new(programs.join("xtask"));
    xtask.args(["deb", "--version", version, "--programs"]).arg(programs).arg("--out").arg(out);
    let packed = xtask.env("SOURCE_DATE_EPOCH", "1790000000").output().unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    let file = |name: &str| out.join(format!("{name}_{version}_amd64.deb"));
    (file("tenon"), file("tenon-agent"))
}

fn told(host: &Host, line: &str) -> String {
    host.shell(line).unwrap().ok().unwrap().stdout.trim().to_owned()
}

/// Every file of a host with what can be seen of it from outside and the digest of what is in it; of folders their mode and owner.
fn listing(host: &Host) -> BTreeMap<String, String> {
    let files = told(
        host,
        "find / -xdev \\( -type d -printf '%p\\t%y %m %U %G\\n' -o -printf '%p\\t%y %m %U %G %s %T@ %l\\n' \\)",
    );
    let mut listing: BTreeMap<String, String> = files
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(path, seen)| (path.to_owned(), seen.to_owned()))
        .collect();
    // Journals are gone before their turn comes; what is missing then is told by the list above.
    let digests = told(host, "find / -xdev -type f -print0 | xargs -0 sha256sum 2>/dev/null || true");
    for (digest, path) in digests.lines().filter_map(|line| line.split_once("  ")) {
        if let Some(seen) = listing.get_mut(path) {
            seen.push_str(digest);
        }
    }
    listing
}

/// What stands between two looks is caught, also where size and times are as before.
fn a_planted_change_is_seen(host: &Host, before: &BTreeMap<String, String>) {
    told(
        host,
        "cp -p /etc/hostname /run/kept && tr a-z b-za </run/kept >/etc/hostname && touch -r /run/kept /etc/hostname",
    );
    assert_eq!(changed(before, &listing(host), &[]), BTreeSet::from(["/etc/hostname".to_owned()]));
    told(host, "cat /run/kept >/etc/hostname && touch -r /run/kept /etc/hostname && rm /run/kept");
    assert_eq!(changed(before, &listing(host), &[]), BTreeSet::new());
}

/// Paths that are not as they were, but for restless ones and those that begin with one of `but`.
fn changed(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    but: &[&str],
) -> BTreeSet<String> {
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let passed = |path: &&String| {
        !RESTLESS
            .iter()
            .chain(but)
            .any(|begin| path.starts_with(begin) || begin.trim_end_matches('/') == path.as_str())
    };
    paths.into_iter().filter(passed).filter(|path| before.get(*path) != after.get(*path)).cloned().collect()
}

/// The files that dpkg lists of a package.
fn listed(host: &Host, package: &str) -> Vec<String> {
    told(host, &format!("dpkg-query -L {package}")).lines().map(str::to_owned).collect()
}

/// Installs a package's file as a person does.
fn install(host: &Host, deb: &Path) {
    let there = format!("/tmp/{}", deb.file_name().unwrap().to_str().unwrap());
    host.copy_in(deb, &there).unwrap();
    host.exec(["dpkg", "-i", there.as_str()]).unwrap().ok().unwrap();
    host.exec(["rm", there.as_str()]).unwrap().ok().unwrap();
}

fn state(host: &Host, unit: &str) -> String {
    host.shell(&format!("systemctl is-active {unit}")).unwrap().stdout.trim().to_owned()
}

#[test]
fn packages_go_from_clean_hosts_to_a_directive_and_leave_nothing() {
    let programs = match programs() {
        Ok(programs) => programs,
        Err(missing) => {
            println!("skipped: {TEST}: {missing}");
            return;
        }
    };
    let feeds = tempfile::tempdir().unwrap();
    let advisory =
        Told { id: "DSA-9910-1", cve: "CVE-2099-1010", source: "toyd", fixed: "2.0", exploited: false };
    write_mirror(feeds.path(), &[advisory]);
    let Some((lab, mirror)) = ground(TEST, &[]) else { return };

    // One commit, one package, byte for byte.
    let (server, agent) = pack(&programs, &lab.dir().join("debs"), "0.1.0");
    let (again, agent_again) = pack(&programs, &lab.dir().join("again"), "0.1.0");
    for (one, other) in [(&server, &again), (&agent, &agent_again)] {
        assert_eq!(std::fs::read(one).unwrap(), std::fs::read(other).unwrap(), "{}", one.display());
    }
    let (newer, newer_agent) = pack(&programs, &lab.dir().join("newer"), "0.1.1");

    let (first, web) = (lab.host("tenon1").unwrap(), lab.host("web1").unwrap());
    bring_feeds(&first, feeds.path());
    for host in [&first, &web] {
        host.boot(Boot::Full).unwrap();
        host.wait_running(Duration::from_secs(60)).unwrap();
    }
    let machine = Machine::of(first, mirror, lab);
    let server_host = &machine.host;
    mirror_toyd(&machine, &web);
    for host in [server_host, &web] {
        let compiler = host.shell("command -v cc gcc rustc cargo node").unwrap();
        assert_eq!(compiler.stdout, "", "a clean host has no compiler");
    }
    let before = (listing(server_host), listing(&web));
    a_planted_change_is_seen(&web, &before.1);
    let services = told(&web, "systemctl list-units --type=service --state=running --plain --no-legend");

    let started = Instant::now();
    install(server_host, &server);
    assert_eq!(state(server_host, "tenon"), "active");
    let options = format!("TENON_OPTIONS=\"--gateway {}:8421\"\nTENON_FEEDS=/srv/feeds\n", server_host.ip());
    told(server_host, &format!("printf '%s' '{options}' >> /etc/default/tenon && systemctl restart tenon"));
    machine.wait("the API", || machine.try_tenon(&["queue"]).success().then_some(()));

    // The agent waits for a person who enrols it.
    install(&web, &agent);
    assert_eq!(state(&web, "tenon-agent"), "inactive");
    assert_eq!(told(&web, "systemctl is-enabled tenon-agent"), "enabled");
    assert_eq!(told(&web, "systemctl is-system-running"), "running");
    let token = machine.tenon(&["enrol-token"]);
    let gateway = format!("https://{}:8421", server_host.ip());
    let enrol = ["tenon-agent", "enrol", "--server", gateway.as_str()];
    let enrolled = web.exec_with(enrol, token.as_bytes(), FIRST_DIRECTIVE).unwrap().ok().unwrap().stdout;
    assert!(enrolled.contains("tenon-agent.service is started"), "{enrolled}");
    let directive = machine.wait("a directive that closes the vulnerability", || {
        let directive =
            machine.directives("open").into_iter().find(|directive| directive.source == "toyd")?;
        let directive: tenon_server::DirectiveView = machine.json(&["show", &directive.id]);
        (directive.closes == ["CVE-2099-1010"]).then_some(directive)
    });
    let took = started.elapsed();
    println!(
        "measured: {:.1} s from the first package file to the first directive of the other host",
        took.as_secs_f32()
    );
    assert!(took < FIRST_DIRECTIVE, "{took:?}");
    assert_eq!(directive.assets[0].hostname, "web1");
    let asset = machine.assets()[0].id.clone();

    // The server is shut in, works under a user of its own, and shows its page to this machine alone.
    for host in [(server_host, "tenon"), (&web, "tenon-agent")] {
        let judged = told(host.0, &format!("systemd-analyze security --no-pager {} | tail -n 1", host.1));
        println!("measured: {judged}");
    }
    assert_eq!(told(server_host, "ps -o user= -p $(systemctl show -P MainPID tenon)"), "tenon");
    assert_eq!(told(server_host, "stat -c '%U %a' /var/lib/tenon"), "tenon 700");
    let sockets = told(server_host, "ss -Hltn | awk '{print $4}'");
    assert!(sockets.contains("127.0.0.1:8420") && !sockets.contains("0.0.0.0:842"), "{sockets}");

    let journal = told(server_host, "journalctl --no-pager -u tenon; cat /var/lib/tenon/operator.token");
    let secret = journal.lines().last().unwrap();
    assert!(journal.contains("/#token=...") && journal.matches(secret).count() == 1, "{journal}");

    // Looking changed nothing on either.
    for (host, package, before) in [(server_host, "tenon", &before.0), (&web, "tenon-agent", &before.1)] {
        let files = listed(host, package);
        let own: Vec<&str> =
            files.iter().filter(|path| !before.contains_key(*path)).map(String::as_str).collect();
        let but: Vec<&str> =
            OWN.into_iter().chain(own).chain(USERS.into_iter().filter(|_| package == "tenon")).collect();
        assert_eq!(changed(before, &listing(host), &but), BTreeSet::new(), "on {}", host.name());
    }

    upgrade(&machine, &web, &asset, (&newer, &newer_agent));

    stop_in_a_change(&machine, &web, &directive.id);

    // Down, Tenon changes nothing either.
    told(server_host, "systemctl stop tenon");
    let without = |list: &str| -> Vec<String> {
        list.lines().filter(|line| !line.starts_with("tenon")).map(str::to_owned).collect()
    };
    let now = told(&web, "systemctl list-units --type=service --state=running --plain --no-legend");
    assert_eq!(without(&now), without(&services));
    told(server_host, "systemctl start tenon");
    machine.wait("the API", || machine.try_tenon(&["queue"]).success().then_some(()));

    // Removed, it keeps who it is; purged, nothing is left.
    told(&web, "dpkg -r tenon-agent");
    assert_eq!(
        (state(&web, "tenon-agent"), told(&web, &format!("ls {ENROLLED}"))),
        ("inactive".to_owned(), ENROLLED.to_owned())
    );
    install(&web, &newer_agent);
    assert_eq!(state(&web, "tenon-agent"), "active");
    assert!(told(&web, &format!("cat {ENROLLED}")).contains(&asset));
    told(&web, "dpkg -P tenon-agent");
    assert_eq!(changed(&before.1, &listing(&web), &[&APT[..], &TOYD].concat()), BTreeSet::new());

    by_hand(&machine, &web, &programs, &gateway);
    assert_eq!(changed(&before.1, &listing(&web), &[&APT[..], &TOYD].concat()), BTreeSet::new());

    told(server_host, "dpkg -r tenon");
    told(server_host, "ls /var/lib/tenon/journal.sqlite /etc/default/tenon");
    told(server_host, "dpkg -P tenon");
    let left = changed(&before.0, &listing(server_host), &[]);
    let users: BTreeSet<String> = USERS.into_iter().map(str::to_owned).collect();
    assert!(left.is_subset(&users), "left: {left:?}");
    let user = told(server_host, "getent passwd tenon; getent shadow tenon");
    assert!(user.contains("nologin") && user.contains("tenon:!"), "{user}");
}

/// A service with a known vulnerability on the host, and its fix in the host's own repository.
fn mirror_toyd(machine: &Machine, web: &Host) {
    let publish = |suite, package: &ToyPackage| {
        machine.mirror().add(suite, &package.build(machine.lab.dir()).unwrap()).unwrap();
        machine.mirror().publish(suite).unwrap();
        told(web, "apt-get -qq update");
    };
    publish(Suite::Release, &ToyPackage::new("toyd", "1.0"));
    told(web, "apt-get -y -qq install toyd");
    // On the host itself, and not in a rehearsal, its script waits for the test.
    let slow = "#!/bin/sh\nset -e\n[ -d /run/systemd/system ] || exit 0\n: > /run/toyd-waits\nfor i in $(seq 600); do\n  \
                [ -e /run/toyd-go ] && break\n  sleep 0.2\ndone\nsystemctl restart toyd.service\n";
    publish(Suite::Security, &ToyPackage::new("toyd", "2.0").changelog("Fix CVE-2099-1010").postinst(slow));
}

/// Stopped in the middle of a change, the agent ends when the change has ended well, and tells of it when it is back.
fn stop_in_a_change(machine: &Machine, web: &Host, toyd: &str) {
    machine.stage(toyd, "awaiting-approval");
    machine.tenon(&["approve", toyd]);
    machine.wait("the script of the package", || {
        web.shell("ls /run/toyd-waits").unwrap().success().then_some(())
    });
    told(web, "systemctl --no-block stop tenon-agent");
    machine.wait("the agent asked to end", || (state(web, "tenon-agent") == "deactivating").then_some(()));
    told(web, "touch /run/toyd-go");
    machine.wait("the end of the agent", || (state(web, "tenon-agent") == "inactive").then_some(()));
    assert_eq!(told(web, "dpkg-query -W -f '${Version} ${Status}' toyd"), "2.0 install ok installed");
    assert_eq!(told(web, "dpkg --audit; systemctl is-active toyd"), "active");
    told(web, "systemctl start tenon-agent");
    let closed = machine.wait("the end of toyd's directive", || {
        machine.directives("closed").into_iter().find(|closed| closed.id == toyd)
    });
    let closed: tenon_server::DirectiveView = machine.json(&["show", &closed.id]);
    assert_eq!(closed.assets[0].stage.name, "verified");
}

/// Upgrades the agent by itself, rehearsed and approved like any package, and the server by hand.
fn upgrade(machine: &Machine, web: &Host, asset: &str, newer: (&Path, &Path)) {
    let pid = || told(web, "systemctl show -P MainPID tenon-agent");
    let before = pid();
    machine.mirror().add(Suite::Security, newer.1).unwrap();
    machine.mirror().publish(Suite::Security).unwrap();
    told(web, "apt-get -qq update");
    let directive = machine.directive("tenon");
    machine.tenon(&["promote", "default"]);
    // The rehearsal runs in the unit, under what the unit forbids.
    let rehearsed = machine.stage(&directive.id, "awaiting-approval");
    assert_eq!(rehearsed.assets[0].undo.as_deref(), Some("proven"));
    assert_eq!(pid(), before);
    machine.tenon(&["approve", &directive.id]);
    let closed = machine.wait("the agent's own upgrade", || {
        machine.directives("closed").into_iter().find(|closed| closed.id == directive.id)
    });
    let closed: tenon_server::DirectiveView = machine.json(&["show", &closed.id]);
    assert!(closed.closed.as_deref().is_some_and(|end| end.starts_with("fixed at")), "{closed:?}");
    assert_eq!(closed.assets[0].stage.name, "verified");
    assert_eq!(told(web, "dpkg-query -W -f '${Version}' tenon-agent"), "0.1.1");
    assert_ne!(pid(), before, "the new agent runs");
    assert_eq!(
        told(web, "readlink /proc/$(systemctl show -P MainPID tenon-agent)/exe"),
        "/usr/bin/tenon-agent"
    );

    install(&machine.host, newer.0);
    machine.wait("the API", || machine.try_tenon(&["queue"]).success().then_some(()));
    assert_eq!(
        told(&machine.host, "dpkg-query -W -f '${Version}' tenon; cat /etc/default/tenon | grep -c ^TENON"),
        "0.1.12"
    );
    let assets: Vec<String> = machine.assets().into_iter().map(|asset| asset.id).collect();
    assert_eq!(assets, [asset.to_owned()]);
}

/// The agent from the one program, as a service that no package brought; newer; and gone.
fn by_hand(machine: &Machine, web: &Host, programs: &Path, gateway: &str) {
    web.copy_in(&programs.join("tenon"), "/tmp/tenon").unwrap();
    let early = web.exec(["/tmp/tenon", "agent", "install"]).unwrap();
    assert!(!early.success() && early.stderr.contains("--server"), "{}", early.stderr);
    let token = machine.tenon(&["enrol-token"]);
    let words = ["/tmp/tenon", "agent", "install", "--server", gateway];
    let said = web.exec_with(words, token.as_bytes(), FIRST_DIRECTIVE).unwrap().ok().unwrap().stdout;
    assert!(said.contains("tenon-agent.service runs /opt/tenon-agent/tenon"), "{said}");
    assert_eq!(told(web, "systemctl is-enabled tenon-agent"), "enabled");
    machine.wait("the report of a new asset", || {
        machine.assets().into_iter().filter(|asset| asset.packages > 0).nth(1)
    });
    let (pid, identity) =
        (told(web, "systemctl show -P MainPID tenon-agent"), told(web, &format!("sha256sum {ENROLLED}")));
    // A newer program in its place: the agent ends by itself and the new one goes on as the same asset.
    web.exec(["/tmp/tenon", "agent", "install"]).unwrap().ok().unwrap();
    wait_until("the new program", Duration::from_secs(60), || {
        let now = told(web, "systemctl show -P MainPID tenon-agent");
        Ok((now != "0" && now != pid).then_some(()))
    })
    .unwrap();
    assert_eq!(told(web, &format!("sha256sum {ENROLLED}")), identity);
    let gone = told(web, "/tmp/tenon agent uninstall; rm /tmp/tenon");
    assert!(gone.contains("tenon retire ast_"), "{gone}");
    assert_eq!(state(web, "tenon-agent"), "inactive");
}
