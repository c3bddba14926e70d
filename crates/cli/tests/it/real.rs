//! Real security updates of Debian, pending on real hosts that differ: what apt says of each is what is rehearsed, applied and verified
//! there, and nothing else changes on any, while the web server of each is asked all the time.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::Value;
use tenon_fleet::{Host, Image, Requirements, cache_dir};
use tenon_server::DirectiveView;

use crate::asking::{Prober, Service};
use crate::estate::{Fleet, each, simulated_by_apt, tiers};
use crate::feeds::{Told, write_mirror};
use crate::machine::{Machine, machine};

const TEST: &str = "real_security_updates_are_what_apt_says_on_every_host";
/// Of what is pending: a library, a service that is restarted, a program; with `TENON_SOAK` another service, and data.
const KEPT: [&str; 8] =
    ["libssl3", "openssl", "nginx", "nginx-common", "rsync", "redis-server", "redis-tools", "tzdata"];
const SAMPLE: usize = 5;
/// What some hosts have already.
const AHEAD: [&str; 2] = ["rsync", "tzdata"];
const NGINX: Service = Service { port: 80, request: "GET / HTTP/1.0\r\n\r\n" };
const POLICY: &str = "version: 1\nrules:\n  - name: routine\n    approval: automatic\n    tempo: fast\n";

/// Package, version before, version after.
type Step = (String, String, String);

/// `Inst rsync [3.2.7-1] (3.5.0-1 Debian-Security:12/oldstable [amd64])`
fn step(line: &str) -> Step {
    let words: Vec<&str> = line.split(' ').collect();
    let plain = |word: &str| word.trim_matches(['[', ']', '(', ')']).to_owned();
    (words[1].to_owned(), plain(words[2]), plain(words[3]))
}

/// The report of the last order of this kind on a host.
fn report(machine: &Machine, directive: &DirectiveView, host: &str, action: &str) -> Option<Value> {
    let asset = directive.assets.iter().find(|asset| asset.hostname == host)?;
    let order = asset.orders.iter().rev().find(|order| order.action == action)?;
    Some(machine.get(&format!("/api/v1/reports/{}", order.report.as_deref()?)))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// What was rehearsed on a host, which must be what was applied, package by package.
fn done(machine: &Machine, directives: &[DirectiveView], host: &str) -> BTreeSet<Step> {
    let mut all = BTreeSet::new();
    for directive in directives {
        let Some(applied) = report(machine, directive, host, "apply") else { continue };
        let rehearsed = report(machine, directive, host, "rehearse").unwrap();
        let steps = rehearsed["transaction"]["steps"].as_array().unwrap().iter();
        let steps: BTreeSet<Step> = steps
            .map(|step| {
                assert_eq!(step["change"], "upgrade", "{step}");
                (text(&step["package"]), text(&step["from"]), text(&step["to"]))
            })
            .collect();
        let versions = applied["evidence"]["versions"].as_array().unwrap().iter();
        let versions: BTreeSet<_> = versions.map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
        let wanted = steps.iter().map(|(package, _, to)| (package.clone(), to.clone())).collect();
        assert_eq!(versions, wanted, "{} on {host}: {applied}", directive.title);
        all.extend(steps);
    }
    all
}

#[test]
fn real_security_updates_are_what_apt_says_on_every_host() {
    if let Err(missing) = Requirements::check() {
        println!("skipped: {TEST}: {missing}");
        return;
    }
    let keep = if std::env::var_os("TENON_SOAK").is_some() { &KEPT[..] } else { &KEPT[..SAMPLE] };
    let image = Image::prepare(&cache_dir()).unwrap();
    let Some(openssl) = image.pending().iter().find(|pending| pending.package == "openssl") else {
        println!("skipped: {TEST}: no update of openssl is pending");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let fixed = openssl.candidate.as_str();
    let told = Told { id: "DSA-9909-1", cve: "CVE-2099-1009", source: "openssl", fixed, exploited: false };
    write_mirror(folder.path(), &[told]);
    let Some(mut machine) = machine(TEST, folder.path(), keep) else { return };
    let gateway = format!("{}:8421", machine.host.ip());
    machine.up_with(&["--no-agent", "--gateway", &gateway]);
    // The second of each pair was looked after by somebody.
    let fleet = Fleet::new(&machine, &tiers(), |host: &Host| {
        if host.name().ends_with('b') {
            let words = ["apt-get", "-y", "-qq", "--only-upgrade", "install"];
            host.exec(words.into_iter().chain(AHEAD)).unwrap().ok().unwrap();
        }
    });
    let before = fleet.installed();
    let logged = |fleet: &Fleet| {
        each(&fleet.members, |member| {
            // Not there before the first change.
            let log = member.host.read_file("/var/log/dpkg.log").unwrap_or_default();
            log.lines().filter(|line| line.contains(" upgrade ")).count()
        })
    };
    let logged_before = logged(&fleet);
    let simulated = each(&fleet.members, |member| {
        simulated_by_apt(&member.host).iter().map(|line| step(line)).collect::<BTreeSet<Step>>()
    });
    let prober = Prober::begin(&machine.lab, &fleet, NGINX);
    let begun = Instant::now();
    fleet.govern(&machine, POLICY);
    let mut last = String::new();
    tenon_fleet::wait_until("the end of all directives", crate::estate::WHOLE, || {
        let open = machine.directives("open");
        last = format!("{open:?}");
        Ok((open.is_empty() && !machine.directives("closed").is_empty()).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}, last seen {last}\n{}", machine.log()));
    let took = begun.elapsed();

    let closed: Vec<DirectiveView> =
        machine.directives("closed").iter().map(|line| machine.json(&["show", &line.id])).collect();
    for directive in &closed {
        assert_eq!(directive.ended.as_deref(), Some("fixed"), "{directive:?}");
    }
    assert!(closed.iter().any(|directive| directive.closes == ["CVE-2099-1009"]));
    let mut expected = before;
    for ((member, said), expected) in fleet.members.iter().zip(&simulated).zip(&mut expected) {
        assert_eq!(&done(&machine, &closed, member.host.name()), said, "{}", member.host.name());
        for (package, from, to) in said {
            assert_eq!(expected.insert(package.clone(), to.clone()).as_ref(), Some(from));
        }
    }
    assert_eq!(fleet.installed(), expected);
    let done: Vec<usize> =
        logged(&fleet).iter().zip(&logged_before).map(|(after, before)| after - before).collect();
    assert_eq!(done, simulated.iter().map(BTreeSet::len).collect::<Vec<_>>(), "each once");
    assert!(each(&fleet.members, |member| simulated_by_apt(&member.host)).iter().all(Vec::is_empty));
    println!(
        "measured: {} hosts with {} real updates pending in {} directives, each host as apt says: enrolled, rehearsed, applied and \
         verified in {took:.0?}; rehearsed and applied the same in all; changed outside of directives on 0 hosts; {}",
        fleet.members.len(),
        simulated.iter().map(BTreeSet::len).sum::<usize>(),
        closed.len(),
        fleet.judge(&prober.end())
    );
    drop(fleet);
    machine.down();
}
