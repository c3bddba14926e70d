//! A real host: boots, updates from the frozen repository, loses its network, disappears.
#![allow(clippy::unwrap_used)]

use std::{fs, time::Duration};

use tenon_fleet::{Boot, Daemon, Image, Lab, Requirements, Suite, ToyPackage, cache_dir};

#[test]
fn a_full_host_lives_and_leaves_nothing_behind() {
    if let Err(missing) = Requirements::check() {
        println!("skipped: a_full_host_lives_and_leaves_nothing_behind: {missing}");
        return;
    }
    let image = Image::prepare(&cache_dir()).unwrap();
    let lab = Lab::new(&image).unwrap();
    let mirror = lab.serve_mirror(&image).unwrap();
    let host = lab.host("web1").unwrap();
    host.write_file("/etc/tenon-note", b"written before boot", 0o600).unwrap();
    host.boot(Boot::Full).unwrap();
    host.wait_running(Duration::from_secs(60)).unwrap();
    assert_eq!(host.read_file("/etc/tenon-note").unwrap(), "written before boot");

    // Exactly the recorded updates are pending.
    host.exec(["apt-get", "-q", "update"]).unwrap().ok().unwrap();
    let simulated = host.exec(["apt-get", "-s", "-qq", "dist-upgrade"]).unwrap().ok().unwrap().stdout;
    let mut seen: Vec<String> = simulated
        .lines()
        .filter_map(|line| line.strip_prefix("Inst "))
        .filter(|rest| rest.contains(" ["))
        .filter_map(|rest| rest.split(' ').next().map(str::to_owned))
        .collect();
    seen.sort();
    let recorded: Vec<String> = image.pending().iter().map(|p| p.package.clone()).collect();
    assert_eq!(seen, recorded);

    // The cable comes out and goes in again.
    let fetch = [
        "curl",
        "-sf",
        "--max-time",
        "3",
        "-o",
        "/dev/null",
        "http://10.77.0.1:8080/dists/bookworm/InRelease",
    ];
    host.cut().unwrap();
    assert!(!host.exec(fetch).unwrap().success());
    host.join().unwrap();
    tenon_fleet::wait_until("network back", Duration::from_secs(20), || {
        Ok(host.exec(fetch)?.success().then_some(()))
    })
    .unwrap();

    // A new advisory arrives; apt succeeds although the service does not come up.
    let deb = ToyPackage::new("toyd", "1.0").build(lab.dir()).unwrap();
    mirror.add(Suite::Security, &deb).unwrap();
    mirror.publish(Suite::Security).unwrap();
    host.shell("apt-get -qq update && apt-get -qq install toyd").unwrap().ok().unwrap();
    assert!(host.exec(["systemctl", "is-active", "toyd"]).unwrap().success());
    let broken = ToyPackage::new("toyd", "1.1").daemon(Daemon::FailsAtStart).changelog("Fix CVE-2099-0001");
    mirror.add(Suite::Security, &broken.build(lab.dir()).unwrap()).unwrap();
    mirror.publish(Suite::Security).unwrap();
    host.shell("apt-get -qq update && apt-get -qq install toyd").unwrap().ok().unwrap();
    tenon_fleet::wait_until("failed unit", Duration::from_secs(10), || {
        Ok(host.exec(["systemctl", "is-failed", "toyd"])?.success().then_some(()))
    })
    .unwrap();

    let (dir, name) = (lab.dir().to_owned(), lab.dir().file_name().unwrap().to_str().unwrap().to_owned());
    drop((host, mirror, lab));
    assert!(!dir.exists());
    let left: Vec<_> = fs::read_dir("/run/netns").unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|entry| entry.to_string_lossy().starts_with(&name)), "{left:?}");
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(dir.to_str().unwrap()), "{mounts}");
}

#[test]
fn a_light_host_survives_a_power_cut() {
    if let Err(missing) = Requirements::check() {
        println!("skipped: a_light_host_survives_a_power_cut: {missing}");
        return;
    }
    let image = Image::prepare(&cache_dir()).unwrap();
    let lab = Lab::new(&image).unwrap();
    let host = lab.host("e1").unwrap();
    host.boot(Boot::Light).unwrap();
    let first = host.read_file("/proc/sys/kernel/random/boot_id").unwrap();
    host.write_file("/var/lib/tenon-note", b"kept", 0o644).unwrap();
    host.power_off().unwrap();
    assert_eq!(host.pid(), None);
    host.boot(Boot::Light).unwrap();
    assert_eq!(host.read_file("/var/lib/tenon-note").unwrap(), "kept");
    assert_ne!(host.read_file("/proc/sys/kernel/random/boot_id").unwrap(), first);
}
