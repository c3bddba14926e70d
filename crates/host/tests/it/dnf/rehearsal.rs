//! Rehearsals on hosts of RPM packages: the host stays as it was, and what is unclear is not passed.

use tenon_fleet::{Boot, Daemon, ToyPackage};
use tenon_model::{RehearsalOutcome, Undo};

use crate::rehearsal::{HOSTILE, assert_nothing_escapes};
use crate::rpm_site::{RpmSite, rpm_site, rpm_target};
use crate::site::WORK;

/// Every file of the root by path, size, times of change, mode and inode, and the content of the databases. Files that SQLite keeps
/// beside rpm's database are left out: whoever asks rpm anything as root touches them.
const PICTURE: &str = "find / -xdev ! -path '/proc/*' ! -name 'rpmdb.sqlite-*' -printf '%p|%s|%T@|%C@|%m|%U|%G|%i|%l\\n' | sort; \
                       find /var/lib/rpm /var/lib/dnf /var/cache/dnf /etc /srv -xdev -type f ! -name 'rpmdb.sqlite-*' \
                       -exec sha256sum {} + | sort; find /srv -printf '%p|%s|%T@|%C@|%m|%i\\n' | sort";

fn picture(site: &RpmSite) -> String {
    site.host.shell(PICTURE).unwrap().ok().unwrap().stdout
}

#[test]
fn a_hostile_rpm_changes_nothing_on_the_host() {
    let test = "a_hostile_rpm_changes_nothing_on_the_host";
    let Some(site) = rpm_site(test, Boot::Light) else { return };
    site.install(&ToyPackage::new("hostile", "1.0").daemon(Daemon::None), "hostile");
    // The same script, with rpm's database in the place of dpkg's and a program that is there in that of nginx.
    let script = HOSTILE
        .replace("/var/lib/dpkg/canary", "/var/lib/rpm/canary")
        .replace("/usr/sbin/nginx", "/usr/bin/rsync");
    site.publish(&ToyPackage::new("hostile", "2.0").daemon(Daemon::None).postinst(&script), &[]);
    let rehearse = || site.rehearse_in("/mnt/work", &[rpm_target("hostile", "1.0-1", "2.0-1")]);
    assert_nothing_escapes(&site.host, || picture(&site), rehearse);
}

/// Rehearses version 2 of a package of our own over version 1.
#[track_caller]
fn outcome(site: &RpmSite, name: &str, new: &ToyPackage) -> (RehearsalOutcome, Undo) {
    site.publish(new, &[]);
    let report = site.rehearse(&[rpm_target(name, "1.0-1", "2.0-1")]);
    (report.outcome, report.undo)
}

#[track_caller]
fn not_rehearsed(outcome: &RehearsalOutcome, words: &str) {
    assert!(
        matches!(outcome, RehearsalOutcome::NotRehearsed { reason } if reason.contains(words)),
        "{outcome:?}"
    );
}

#[track_caller]
fn failed(outcome: &RehearsalOutcome, words: &str) {
    assert!(matches!(outcome, RehearsalOutcome::Failed { reason } if reason.contains(words)), "{outcome:?}");
}

#[test]
fn what_is_unclear_to_dnf_or_rpm_is_not_passed() {
    let Some(site) = rpm_site("what_is_unclear_to_dnf_or_rpm_is_not_passed", Boot::Light) else { return };
    let toy = |name: &str, version: &str| ToyPackage::new(name, version).daemon(Daemon::None);
    let names = [
        "fine",
        "fails",
        "before",
        "grub2-toy",
        "needs",
        "takes",
        "taken",
        "changed",
        "brings",
        "pulls",
        "pulled",
    ];
    for name in names {
        site.repository
            .add(&toy(name, "1.0").configuration("level = 1\n").build_rpm(site.lab.dir()).unwrap())
            .unwrap();
    }
    site.repository.publish(&[]).unwrap();
    site.host.shell(&format!("dnf -y -q --refresh install {}", names.join(" "))).unwrap().ok().unwrap();

    assert_eq!(outcome(&site, "fine", &toy("fine", "2.0")), (RehearsalOutcome::Passed, Undo::Proven));

    // dnf ends with 0 where a script after the files fails.
    let (after, _) = outcome(&site, "fails", &toy("fails", "2.0").postinst("echo broken here >&2\nexit 7\n"));
    failed(&after, "broken here");
    let (before, _) =
        outcome(&site, "before", &toy("before", "2.0").preinst("echo broken before >&2\nexit 7\n"));
    failed(&before, "broken before");

    let (boots, _) = outcome(&site, "grub2-toy", &toy("grub2-toy", "2.0"));
    not_rehearsed(&boots, "boots");
    let (needs, _) = outcome(&site, "needs", &toy("needs", "2.0").depends("no-such-package"));
    not_rehearsed(&needs, "no-such-package");
    let (takes, _) = outcome(&site, "takes", &toy("takes", "2.0").obsoletes("taken"));
    // It takes away what nobody planned to take away.
    failed(&takes, "taken should be at 1.0-1 and is not");

    // What a person changed and the package changes too.
    site.host.shell("echo '# ours' >> /etc/changed.conf").unwrap().ok().unwrap();
    let (changed, _) = outcome(&site, "changed", &toy("changed", "2.0").configuration("level = 2\n"));
    not_rehearsed(&changed, "/etc/changed.conf");

    // What it needs comes with it, is told, and goes again on the way back.
    site.repository.add(&toy("brought", "1.0").build_rpm(site.lab.dir()).unwrap()).unwrap();
    site.publish(&toy("brings", "2.0").configuration("level = 1\n").depends("brought"), &[]);
    let brings = site.rehearse(&[rpm_target("brings", "1.0-1", "2.0-1")]);
    assert_eq!((&brings.outcome, &brings.undo), (&RehearsalOutcome::Passed, &Undo::Proven), "{brings:?}");
    assert_eq!(brings.transaction.steps.len(), 2);

    // What must be upgraded with it is, and is told.
    let pulled = toy("pulled", "2.0").configuration("level = 1\n").build_rpm(site.lab.dir()).unwrap();
    site.repository.add(&pulled).unwrap();
    site.publish(&toy("pulls", "2.0").configuration("level = 1\n").depends("pulled >= 2.0"), &[]);
    let pulls = site.rehearse(&[rpm_target("pulls", "1.0-1", "2.0-1")]);
    assert_eq!((&pulls.outcome, &pulls.undo), (&RehearsalOutcome::Passed, &Undo::Proven), "{pulls:?}");
    let both: Vec<&str> = pulls.transaction.steps.iter().map(|step| step.package.as_str()).collect();
    assert_eq!(both, ["pulled", "pulls"]);

    // The order speaks of another version than the host has.
    let report = site.rehearse(&[rpm_target("fine", "0.9-1", "2.0-1")]);
    not_rehearsed(&report.outcome, "1.0-1");

    // Somebody else's upgrade was cut off: both versions are on record.
    let twice = format!("rpm -i --force-debian --justdb --noscripts {WORK}/archives/fine-2.0-1.noarch.rpm");
    site.host.shell(&twice).unwrap().ok().unwrap();
    not_rehearsed(
        &site.rehearse(&[rpm_target("fine", "1.0-1", "2.0-1")]).outcome,
        "rpm was interrupted at fine",
    );
}

#[test]
fn signatures_are_asked_for_as_the_host_says_and_no_key_is_taken_on() {
    let test = "signatures_are_asked_for_as_the_host_says_and_no_key_is_taken_on";
    let Some(site) = rpm_site(test, Boot::Light) else { return };
    let toy = |version: &str| ToyPackage::new("toyd", version).daemon(Daemon::None);
    site.install(&toy("1.0"), "toyd");
    site.repository.add_unsigned(&toy("2.0").build_rpm(site.lab.dir()).unwrap()).unwrap();
    site.repository.publish(&[]).unwrap();
    let targets = [rpm_target("toyd", "1.0-1", "2.0-1")];
    not_rehearsed(&site.rehearse(&targets).outcome, "not signed");

    // Signed by a key that the host does not have, although its repository names where to find it.
    site.publish(&toy("2.0"), &[]);
    site.host.exec(["sh", "-c", "rpm --erase --allmatches gpg-pubkey"]).unwrap().ok().unwrap();
    let report = site.rehearse(&targets);
    assert!(matches!(report.outcome, RehearsalOutcome::NotRehearsed { .. }), "{report:?}");
    assert!(!site.host.exec(["rpm", "-q", "gpg-pubkey"]).unwrap().success(), "a key was taken on");

    // Where root of the host asks for none, none is asked for.
    let set = |line: &str| {
        site.host.shell(&format!("sed -i '{line}' /etc/yum.repos.d/toy.repo")).unwrap().ok().unwrap()
    };
    set("s/^gpgcheck=1/gpgcheck=0/");
    assert_eq!(site.rehearse(&targets).outcome, RehearsalOutcome::Passed);

    // Where root asks for that of the index too, by a key that goes into the agent's folder.
    set("s/^gpgcheck=0/gpgcheck=1\\nrepo_gpgcheck=1/");
    site.host.shell("rpm --import /etc/pki/rpm-gpg/RPM-GPG-KEY-toy").unwrap().ok().unwrap();
    let report = site.rehearse(&targets);
    assert_eq!(report.outcome, RehearsalOutcome::Passed, "{report:?}");
    site.repository.spoil_signature().unwrap();
    assert!(matches!(site.rehearse(&targets).outcome, RehearsalOutcome::NotRehearsed { .. }));
}

#[test]
fn a_version_that_no_repository_has_any_more_has_no_way_back_unless_the_agent_kept_it() {
    let test = "a_version_that_no_repository_has_any_more_has_no_way_back_unless_the_agent_kept_it";
    let Some(site) = rpm_site(test, Boot::Light) else { return };
    let toy = |version: &str| ToyPackage::new("toyd", version).daemon(Daemon::None);
    site.install(&toy("1.0"), "toyd");
    site.repository.remove("toyd-1.0-1.noarch.rpm").unwrap();
    site.publish(&toy("2.0"), &[]);
    let targets = [rpm_target("toyd", "1.0-1", "2.0-1")];
    let report = site.rehearse(&targets);
    assert_eq!(report.outcome, RehearsalOutcome::Passed, "{report:?}");
    assert!(
        matches!(&report.undo, Undo::NotPossible { reason } if reason.contains("toyd 1.0-1")),
        "{:?}",
        report.undo
    );
    // What was rehearsed was kept: once it is installed and gone from the repository, there is a way back to it.
    site.host.exec(["dnf", "-y", "-q", "--refresh", "upgrade", "toyd"]).unwrap().ok().unwrap();
    site.repository.remove("toyd-2.0-1.noarch.rpm").unwrap();
    site.publish(&toy("3.0"), &[]);
    let report = site.rehearse(&[rpm_target("toyd", "2.0-1", "3.0-1")]);
    assert_eq!((report.outcome, report.undo), (RehearsalOutcome::Passed, Undo::Proven));
}
