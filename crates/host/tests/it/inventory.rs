//! What a host says of itself, against the tools it has.

use std::collections::BTreeSet;
use std::process::Command;

use tenon_fleet::{Boot, Daemon, ToyPackage};
use tenon_host::System;
use tenon_model::{Capability, HostFacts, Inventory, OfferState, Protocol, RehearsalOutcome, Virtualization};

use crate::site::{Site, site, toy_target};

/// `Inst` lines of the security suite: package, version before, version after.
fn security_updates(simulation: &str) -> BTreeSet<(String, String, String)> {
    let lines = simulation.lines().filter_map(|line| line.strip_prefix("Inst "));
    lines
        .filter(|line| line.contains("Debian-Security:"))
        .filter_map(|line| {
            let (package, rest) = line.split_once(" [")?;
            let (old, rest) = rest.split_once("] (")?;
            let (new, _) = rest.split_once(' ')?;
            Some((package.to_owned(), old.to_owned(), new.to_owned()))
        })
        .collect()
}

fn offered(inventory: &Inventory) -> BTreeSet<(String, String, String)> {
    let offers = inventory.facts.offers.iter();
    offers
        .filter(|offer| offer.security && offer.state == OfferState::Offered)
        .map(|offer| (offer.package.clone(), offer.installed.clone(), offer.candidate.clone()))
        .collect()
}

fn simulate(command: &mut Command) -> String {
    let output = command.args(["apt-get", "-s", "-q", "dist-upgrade"]).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn pending_security_updates_of_this_machine_are_those_of_apt() {
    if !std::path::Path::new("/var/lib/dpkg/status").exists() {
        println!(
            "skipped: pending_security_updates_of_this_machine_are_those_of_apt: this is no Debian machine"
        );
        return;
    }
    let expected = security_updates(&simulate(&mut Command::new("env")));
    let found = offered(&tenon_host::inventory(&System::live(), None).unwrap());
    println!("measured: {} pending security updates on this machine, {} by apt", found.len(), expected.len());
    assert_eq!(found, expected);
}

#[test]
fn packages_of_this_machine_are_those_of_dpkg() {
    let format =
        "${db:Status-Status} ${Package} ${Architecture} ${Version} ${source:Package} ${source:Version}\n";
    let Ok(output) = Command::new("dpkg-query").args(["-W", "-f", format]).output() else {
        println!("skipped: packages_of_this_machine_are_those_of_dpkg: this is no Debian machine");
        return;
    };
    let expected: BTreeSet<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("installed ").map(str::to_owned))
        // Signed sources are mapped to what they sign, which dpkg does not know of.
        .filter(|line| !line.contains("-signed"))
        .collect();
    let inventory = tenon_host::inventory(&System::live(), None).unwrap();
    let found: BTreeSet<String> = inventory
        .components
        .iter()
        .map(|c| {
            format!("{} {} {} {} {}", c.name, c.architecture, c.version, c.source.name, c.source.version)
        })
        .filter(|line| expected.contains(line))
        .collect();
    assert_eq!(found, expected);
    assert!(inventory.components.len() >= expected.len());
}

/// Reads the real packages of the real security suite, its index fetched by the agent into its own folder.
fn compare(site: &Site) -> Inventory {
    let before = site.host.exec(["find", "/var/lib/apt", "/var/cache/apt"]).unwrap().ok().unwrap().stdout;
    let inventory = site.inventory();
    let after = site.host.exec(["find", "/var/lib/apt", "/var/cache/apt"]).unwrap().ok().unwrap().stdout;
    assert_eq!(before, after, "looking changed the host's own package index");
    let expected: BTreeSet<_> = site
        .image
        .pending()
        .iter()
        .map(|pending| (pending.package.clone(), pending.installed.clone(), pending.candidate.clone()))
        .collect();
    assert_eq!(offered(&inventory), expected);
    inventory
}

#[test]
fn a_host_tells_its_updates_holds_updaters_and_stale_processes() {
    let test = "a_host_tells_its_updates_holds_updaters_and_stale_processes";
    let Some(site) = site(test, Boot::Full) else { return };
    let inventory = compare(&site);
    let facts = &inventory.facts;
    assert_eq!(facts.os.osv_ecosystem().as_deref(), Some("Debian:12"));
    assert_eq!(facts.kernel.owner, Virtualization::Container);
    assert_eq!(facts.capability, Capability::Act);
    assert!(facts.index.oldest_age_seconds.is_some_and(|age| age < 600), "{:?}", facts.index);
    assert!(facts.stale.is_empty() && facts.updaters.is_empty() && facts.gaps.is_empty(), "{facts:?}");
    let ssl = facts.offers.iter().find(|offer| offer.package == "libssl3").unwrap();
    assert_eq!((ssl.source.name.as_str(), &ssl.source.version), ("openssl", &ssl.candidate));

    // A held package stays visible, as held.
    site.host.exec(["apt-mark", "hold", "rsync"]).unwrap().ok().unwrap();
    // A service goes on running a file that is replaced under it.
    site.install(&ToyPackage::new("toyd", "1.0"), "toyd");
    site.install(&ToyPackage::new("puppet", "1.0").daemon(Daemon::None), "puppet");
    let replace = "cp /bin/sleep /usr/local/bin/worker && systemd-run --quiet --property=Type=exec --unit worker /usr/local/bin/worker infinity \
                   && cp /bin/sleep /usr/local/bin/new && mv /usr/local/bin/new /usr/local/bin/worker";
    site.host.shell(replace).unwrap().ok().unwrap();
    let facts = site.inventory().facts;
    let held = facts.offers.iter().find(|offer| offer.package == "rsync").unwrap();
    assert_eq!(held.state, OfferState::Held);
    assert!(held.security);
    let stale: Vec<_> = facts.stale.iter().map(|p| (p.command.as_str(), p.file.as_str())).collect();
    assert_eq!(stale, [("worker", "/usr/local/bin/worker")]);
    assert_eq!(facts.stale[0].unit.as_ref().map(|unit| unit.0.as_str()), Some("worker.service"));
    assert_eq!(facts.updaters.iter().map(|u| u.name.as_str()).collect::<Vec<_>>(), ["puppet"]);
}

#[test]
fn a_host_tells_services_listeners_and_what_a_downloaded_changelog_claims() {
    let test = "a_host_tells_services_listeners_and_what_a_downloaded_changelog_claims";
    let Some(site) = site(test, Boot::Full) else { return };
    site.install(&ToyPackage::new("toyd", "1.0").changelog("Fix CVE-2099-0001"), "toyd");
    site.publish_update(&ToyPackage::new("toyd", "2.0").changelog("Fix CVE-2099-0002\nand CVE-2099-0003"));
    let facts = site.inventory().facts;
    let service = facts.services.iter().find(|service| service.unit.0 == "toyd.service").unwrap();
    assert_eq!((service.active_state.as_str(), service.package.as_deref()), ("active", Some("toyd")));
    // Those that run are those that systemd says run.
    let words = "systemctl list-units --type=service --state=running --plain --no-legend | awk '{print $1}'";
    let running = site.host.shell(words).unwrap().ok().unwrap().stdout;
    for unit in running.lines() {
        assert!(facts.services.iter().any(|service| service.unit.0 == unit), "{unit}: {:?}", facts.services);
    }

    // The kernel's own tool for it tells which ports are taken.
    let listeners: BTreeSet<(Protocol, u16)> = facts.listeners.iter().map(|l| (l.protocol, l.port)).collect();
    let sockets = site.host.shell("ss -Hlntu | awk '{print $1, $5}'").unwrap().ok().unwrap().stdout;
    let by_ss = sockets.lines().map(|line| {
        let protocol = if line.starts_with("tcp") { Protocol::Tcp } else { Protocol::Udp };
        (protocol, line.rsplit_once(':').unwrap().1.parse().unwrap())
    });
    assert_eq!(listeners, by_ss.collect());
    for listener in &facts.listeners {
        assert!(listener.process.is_some() && listener.unit.is_some(), "{listener:?}");
    }
    println!("measured: {} listeners, {} services", facts.listeners.len(), facts.services.len());

    // What has not been downloaded claims nothing; a rehearsal downloads it.
    let claims = |facts: &HostFacts| {
        let offer = facts.offers.iter().find(|offer| offer.package == "toyd").unwrap();
        offer.claims.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(claims(&facts).is_empty());
    let rehearsal = site.rehearse(&[toy_target("toyd", "1.0", "2.0")]);
    assert_eq!(rehearsal.outcome, RehearsalOutcome::Passed);
    let facts = site.inventory().facts;
    assert_eq!(claims(&facts), ["CVE-2099-0002", "CVE-2099-0003"]);
    assert!(facts.gaps.is_empty(), "{:?}", facts.gaps);
}

#[test]
fn apt_is_asked_again_only_where_its_answer_may_be_another() {
    let Some(site) = site("apt_is_asked_again_only_where_its_answer_may_be_another", Boot::Light) else {
        return;
    };
    // Every apt that is started leaves a line.
    for program in ["apt-get", "apt-cache"] {
        let script = format!("#!/bin/sh\necho {program} >>/asked\nexec /usr/bin/{program} \"$@\"\n");
        site.host.write_file(format!("/usr/local/sbin/{program}"), script.as_bytes(), 0o755).unwrap();
    }
    let look = || {
        site.host.exec(["rm", "-f", "/asked"]).unwrap().ok().unwrap();
        let offers = site.inventory().facts.offers;
        let asked = site.host.shell("cat /asked 2>/dev/null || true").unwrap().ok().unwrap().stdout;
        (asked.lines().count(), offers)
    };
    let shell = |line: &str| site.host.shell(line).unwrap().ok().unwrap();
    let (asked, first) = look();
    assert!(asked > 1 && !first.is_empty());
    assert_eq!(look(), (0, first.clone()), "nothing has changed");

    shell("apt-mark hold rsync");
    let (asked, offers) = look();
    let rsync = offers.iter().find(|offer| offer.package == "rsync").unwrap();
    assert!(asked > 0 && rsync.state == OfferState::Held, "{rsync:?}");
    // A pin of root's, and what is installed.
    shell("printf 'Package: rsync\\nPin: release *\\nPin-Priority: -1\\n' >/etc/apt/preferences.d/none");
    let (asked, offers) = look();
    assert!(asked > 0 && offers.iter().all(|offer| offer.package != "rsync"));
    shell(
        "rm /etc/apt/preferences.d/none && apt-mark unhold rsync && apt-get -qq update && apt-get -qq -y install rsync",
    );
    let (asked, offers) = look();
    assert!(asked > 0 && offers.iter().all(|offer| offer.package != "rsync"));
    assert_eq!(offers.len(), first.len() - 1);
    // Another index.
    site.install(&ToyPackage::new("toyd", "1.0"), "toyd");
    site.publish_update(&ToyPackage::new("toyd", "2.0"));
    assert!(look().1.iter().any(|offer| offer.package == "toyd"));
    assert_eq!(look().0, 0);
}
