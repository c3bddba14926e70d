//! Rehearsals: the host stays as it was, whatever the packages do; what is unclear is not passed.

use std::time::Duration;

use tenon_fleet::{Boot, Daemon, Host, Suite, ToyPackage, wait_until};
use tenon_model::{RehearsalOutcome, RehearsalReport, Undo};

use crate::site::{Site, site, toy_target};

/// Every file of the root by path, size, times of change, mode and inode, and the content of the package database.
const PICTURE: &str = "find / -xdev ! -path '/proc/*' -printf '%p|%s|%T@|%C@|%m|%U|%G|%i|%l\\n' | sort; \
                       find /var/lib/dpkg /var/lib/apt /etc /srv -xdev -type f -exec sha256sum {} + | sort; \
                       find /srv -printf '%p|%s|%T@|%C@|%m|%i\\n' | sort";

/// A further file system with a file, and one for the work folder, so that the picture is of everything but that.
fn mount_more(host: &Host) {
    let line = "mount -t tmpfs none /srv && echo precious > /srv/data && mount -t tmpfs none /mnt && mkdir /mnt/work";
    host.shell(line).unwrap().ok().unwrap();
}

fn picture(site: &Site) -> String {
    site.host.shell(PICTURE).unwrap().ok().unwrap().stdout
}

#[track_caller]
fn assert_same(before: &str, after: &str) {
    let differing = before.lines().zip(after.lines()).find(|(a, b)| a != b);
    assert!(
        before == after,
        "the host was changed: {differing:?}, {} and {} lines",
        before.lines().count(),
        after.lines().count()
    );
}

/// Tries what a hostile maintainer script would. Each line says what happened to one attempt.
pub(crate) const HOSTILE: &str = r#"#!/bin/sh
try() { name=$1; shift; if "$@" >/dev/null 2>&1; then echo "ESCAPED $name"; else echo "REFUSED $name"; fi; }
say() { name=$1; shift; if "$@" >/dev/null 2>&1; then echo "SEEN $name"; else echo "ABSENT $name"; fi; }
try device-node sh -c 'mknod /root/disk b 254 0 && dd if=/root/disk of=/dev/null bs=512 count=1'
try old-device-node dd if=/var/lib/old-disk of=/dev/null bs=512 count=1
try kernel-memory sh -c 'test -s /proc/kcore && head -c 64 /proc/kcore | grep -q .'
try sysctl sh -c 'cat /proc/sys/vm/swappiness > /proc/sys/vm/swappiness'
try core-pattern sh -c 'echo "|/bin/false" > /proc/sys/kernel/core_pattern'
try sysrq sh -c 'echo h > /proc/sysrq-trigger'
try sysfs sh -c 'for f in /sys/kernel/uevent_helper /sys/kernel/mm/ksm/run /sys/power/state; do test -e $f && cat $f > $f && exit 0; done; exit 1'
try mount mount -t tmpfs none /mnt
try remount mount -o remount,rw,bind /proc/sys
try unmount umount /proc/sys
try host-root sh -c 'test -e /proc/1/root/etc/hostname && echo x > /proc/1/root/etc/canary'
try report-pipe sh -c 'echo "{}" > /proc/1/fd/1'
try clock date -s @0
try host-name hostname hijacked
try reboot systemctl reboot -f -f
try module sh -c 'modprobe dummy || insmod /lib/modules/none.ko'
try network sh -c 'ip link set lo up || ip link add d0 type dummy'
try repository timeout 3 bash -c 'echo > /dev/tcp/10.77.0.1/8080'
try path-socket perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Peer => "/var/lib/canary.sock") or exit 1'
try run-socket perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Peer => "/run/canary.sock") or exit 1'
try abstract-socket perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Peer => "\0canary") or exit 1'
try host-process kill -0 "$(cat /var/lib/canary.pid)"
try handle perl -e 'my ($m, $h) = (0, pack("Ii", 8, 1) . pack("II", 2, 0)); my $r = syscall(303, -100, "/", $h, $m, 0); exit($r < 0)'
try service systemctl start nginx
say copy sh -c 'echo overwritten > /etc/hostname && rm -rf /var/lib/old && echo gone > /usr/sbin/nginx && chmod 777 /etc/shadow'
say mount sh -c 'grep -q precious /srv/data && echo overwritten > /srv/data'
say database sh -c 'echo broken > /var/lib/dpkg/canary'
mkfifo /run/trap; rm -f /run/reboot-required
"#;

/// Sockets of the host that a script might talk to, and proof that nobody did.
const CANARY: &str = r#"
use IO::Socket::UNIX; use IO::Select;
my @s = map { unlink $_; IO::Socket::UNIX->new(Local => $_, Listen => 5) or die "$_: $!" } ("/var/lib/canary.sock", "/run/canary.sock", "\0canary");
open(my $p, ">", "/var/lib/canary.pid"); print $p $$; close $p;
my $w = IO::Select->new(@s);
while (my @r = $w->can_read) { open(my $f, ">", "/var/lib/canary.touched"); $_->accept for @r; }
"#;

/// A package whose script is [`HOSTILE`] is rehearsed in `/mnt/work`: every attempt is refused, and the host is afterwards what it was.
pub(crate) fn assert_nothing_escapes(
    host: &Host,
    picture: impl Fn() -> String,
    rehearse: impl FnOnce() -> RehearsalReport,
) {
    mount_more(host);
    host.write_file("/root/canary.pl", CANARY.as_bytes(), 0o600).unwrap();
    let prepare = "mkdir /var/lib/old; mknod /var/lib/old-disk b 254 0 2>/dev/null; setsid perl /root/canary.pl >/dev/null 2>&1 &";
    host.shell(prepare).unwrap().ok().unwrap();
    wait_until("canary sockets", Duration::from_secs(10), || {
        Ok(host.exec(["test", "-s", "/var/lib/canary.pid"])?.success().then_some(()))
    })
    .unwrap();
    host.exec(["sync"]).unwrap().ok().unwrap();
    let before = picture();
    assert_same(&before, &picture());
    let report = rehearse();
    let after = picture();
    let count = |mark: &str| report.output.lines().filter(|line| line.starts_with(mark)).count();
    println!(
        "measured: {} attempts refused, {} escaped, {} files compared",
        count("REFUSED"),
        count("ESCAPED"),
        before.lines().count()
    );
    assert_eq!(count("ESCAPED"), 0, "{}", report.output);
    let tries = HOSTILE.lines().filter(|line| line.starts_with("try ")).count();
    assert_eq!(count("REFUSED"), tries, "{report:?}");
    // It did have its way with the copy: otherwise nothing was tried.
    assert_eq!(count("SEEN"), 3, "{}", report.output);
    assert_same(&before, &after);
    assert!(!host.exec(["test", "-e", "/var/lib/canary.touched"]).unwrap().success());
    let mounts = host.read_file("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains("/mnt/work/stage"), "left mounted: {mounts}");
}

#[test]
fn a_hostile_package_changes_nothing_on_the_host() {
    let test = "a_hostile_package_changes_nothing_on_the_host";
    let Some(site) = site(test, Boot::Light) else { return };
    site.install(&ToyPackage::new("hostile", "1.0").daemon(Daemon::None), "hostile");
    site.publish_update(&ToyPackage::new("hostile", "2.0").daemon(Daemon::None).postinst(HOSTILE));
    let rehearse = || site.rehearse_in("/mnt/work", &[toy_target("hostile", "1.0", "2.0")]);
    assert_nothing_escapes(&site.host, || picture(&site), rehearse);
}

#[test]
fn a_real_library_is_rehearsed_and_the_root_stays_untouched() {
    let test = "a_real_library_is_rehearsed_and_the_root_stays_untouched";
    let Some(site) = site(test, Boot::Light) else { return };
    site.host.exec(["apt-get", "-qq", "update"]).unwrap().ok().unwrap();
    mount_more(&site.host);
    let targets = [site.pending("libssl3"), site.pending("openssl")];
    let before = picture(&site);
    let report = site.rehearse_in("/mnt/work", &targets);
    assert_same(&before, &picture(&site));
    assert_eq!(report.outcome, RehearsalOutcome::Passed, "{}", report.output);
    assert_eq!(report.undo, Undo::Proven);
    assert_eq!(report.files.len(), 2);
    assert!(report.bytes_written > 1_000_000);
    assert_eq!(report.class, site.rehearse_in("/mnt/work", &targets).class, "equal hosts are of one class");
    println!(
        "measured: rehearsal of libssl3 and openssl with its way back in {} ms, {} bytes written",
        report.duration_ms, report.bytes_written
    );
}

/// Rehearses version 2 of a package of our own over version 1.
#[track_caller]
fn outcome(site: &Site, name: &str, new: &ToyPackage) -> (RehearsalOutcome, Undo) {
    site.publish_update(new);
    let report = site.rehearse(&[toy_target(name, "1.0", "2.0")]);
    (report.outcome, report.undo)
}

#[test]
fn what_is_unclear_is_not_passed() {
    let Some(site) = site("what_is_unclear_is_not_passed", Boot::Light) else { return };
    let old = |name: &str| ToyPackage::new(name, "1.0").daemon(Daemon::None);
    let new = |name: &str| ToyPackage::new(name, "2.0").daemon(Daemon::None);
    for name in ["fine", "fails", "asks", "grub-toy", "needs", "fills"] {
        site.publish(Suite::Release, &old(name));
    }
    let install = "apt-get -qq update && apt-get -y -qq install fine fails asks grub-toy needs fills";
    site.host.shell(install).unwrap().ok().unwrap();

    let (fine, undo) =
        outcome(&site, "fine", &new("fine").postinst("#!/bin/sh\ntouch /run/reboot-required\n"));
    assert_eq!((fine, undo), (RehearsalOutcome::Passed, Undo::Proven));

    let (failed, _) =
        outcome(&site, "fails", &new("fails").postinst("#!/bin/sh\necho broken here >&2\nexit 7\n"));
    assert!(
        matches!(&failed, RehearsalOutcome::Failed { reason } if reason.contains("broken here")),
        "{failed:?}"
    );

    // What debconf would ask on a terminal, in its own protocol's words.
    let ask = "#!/bin/sh\necho 'debconf (developer): <-- INPUT critical asks/format-disk' >&2\n";
    let (asks, _) = outcome(&site, "asks", &new("asks").postinst(ask));
    assert!(
        matches!(&asks, RehearsalOutcome::NotRehearsed { reason } if reason.contains("asks/format-disk")),
        "{asks:?}"
    );

    let (boot, _) = outcome(&site, "grub-toy", &new("grub-toy"));
    assert!(
        matches!(&boot, RehearsalOutcome::NotRehearsed { reason } if reason.contains("boots")),
        "{boot:?}"
    );

    let (needs, _) = outcome(&site, "needs", &new("needs").depends("no-such-package"));
    assert!(matches!(&needs, RehearsalOutcome::NotRehearsed { .. }), "{needs:?}");

    let fill = "#!/bin/sh\nhead -c 8G /dev/zero > /var/lib/fill\n";
    let (fills, _) = outcome(&site, "fills", &new("fills").postinst(fill));
    assert!(
        matches!(&fills, RehearsalOutcome::NotRehearsed { reason } if reason.contains("room")),
        "{fills:?}"
    );

    // The order speaks of another version than the host has.
    let report = site.rehearse(&[toy_target("fine", "0.9", "2.0")]);
    assert!(
        matches!(&report.outcome, RehearsalOutcome::NotRehearsed { reason } if reason.contains("1.0")),
        "{report:?}"
    );
}

#[test]
fn a_configuration_file_that_a_person_changed_goes_to_a_person() {
    let test = "a_configuration_file_that_a_person_changed_goes_to_a_person";
    let Some(site) = site(test, Boot::Light) else { return };
    site.host.exec(["apt-get", "-qq", "update"]).unwrap().ok().unwrap();
    let targets = [site.pending("nginx"), site.pending("nginx-common")];
    let targets = targets.map(|mut target| {
        target.architecture = if target.package == "nginx-common" { "all" } else { "amd64" }.to_owned();
        target
    });
    // The new package brings the same file as before: a person's change is kept and is no conflict.
    site.host.shell("echo '# ours' >> /etc/nginx/nginx.conf").unwrap().ok().unwrap();
    let report = site.rehearse(&targets);
    assert_eq!(report.outcome, RehearsalOutcome::Passed, "{report:?}");
    assert_eq!(report.conffile_conflicts, Vec::<String>::new());

    // dpkg's record says that the package once brought another content: the new one differs from it, and so does ours.
    let pretend = "sed -i 's|^ /etc/nginx/nginx.conf [0-9a-f]*$| /etc/nginx/nginx.conf 00000000000000000000000000000000|' \
                   /var/lib/dpkg/status";
    site.host.shell(pretend).unwrap().ok().unwrap();
    let report = site.rehearse(&targets);
    assert_eq!(report.conffile_conflicts, ["/etc/nginx/nginx.conf"]);
    assert!(
        matches!(&report.outcome, RehearsalOutcome::NotRehearsed { reason } if reason.contains("nginx.conf"))
    );
}
