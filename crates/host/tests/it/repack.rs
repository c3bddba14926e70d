//! Package files made from what is installed, against the ones that were installed from.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use tenon_fleet::{Boot, Suite};
use tenon_model::{ApplyOutcome, RehearsalOutcome, Undo};

use crate::site::{Site, as_target, site};

const PACKAGES: [&str; 4] = ["redis-server", "redis-tools", "rsync", "openssl"];

/// Kind and mode, owner, size and name of what a package file holds. Folders have no size that means anything; the image
/// was made without manuals, translations and most documentation; and the package's own scripts give its configuration
/// to its user, which is then how it is installed.
fn contents(listing: &str) -> BTreeSet<String> {
    let lines = listing.lines().map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let name = fields[5..].join(" ").trim_end_matches('/').to_owned();
        let size = if fields[0].starts_with('d') { "" } else { fields[2] };
        let rights = if name.starts_with("./etc/") { "" } else { fields[0] };
        let owner = if name.starts_with("./etc/") { "" } else { fields[1] };
        format!("{rights} {owner} {size} {name}")
    });
    let left_out = ["/share/man", "/share/locale", "/share/doc"];
    lines.filter(|line| !left_out.iter().any(|folder| line.contains(folder))).collect()
}

/// The fields of a package file's control file; a record in dpkg's database may put them in another order.
fn fields(control: &str) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    let mut current = String::new();
    for line in control.lines() {
        if !line.starts_with(' ') && !current.is_empty() {
            fields.insert(std::mem::take(&mut current));
        }
        current.push_str(line.trim());
        current.push('\n');
    }
    fields.insert(current);
    fields
}

fn old_package(site: &Site, package: &str, version: &str) -> std::path::PathBuf {
    let version = version.replace(':', "%3a");
    let name = |architecture: &str| {
        site.mirror.dir().join(format!("pool/old/{package}_{version}_{architecture}.deb"))
    };
    Some(name("amd64")).filter(|path| path.exists()).unwrap_or_else(|| name("all"))
}

fn ask(words: &[&str], deb: &Path) -> String {
    let output = Command::new("dpkg-deb").args(words).arg(deb).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_version_that_no_repository_has_any_more_is_made_from_what_is_installed() {
    let test = "a_version_that_no_repository_has_any_more_is_made_from_what_is_installed";
    let Some(site) = site(test, Boot::Full) else { return };
    let pending: Vec<_> = site
        .image
        .pending()
        .iter()
        .filter(|pending| PACKAGES.contains(&pending.package.as_str()))
        .cloned()
        .collect();
    let targets: Vec<_> = pending.iter().map(as_target).collect();
    assert!(!targets.is_empty());
    // The originals are kept aside; the repository forgets them, as Debian's security suite does.
    let mut originals = Vec::new();
    for pending in &pending {
        let original = old_package(&site, &pending.package, &pending.installed);
        let kept = site.lab.dir().join(original.file_name().unwrap());
        std::fs::copy(&original, &kept).unwrap();
        site.mirror.remove(Suite::Release, original.file_name().unwrap().to_str().unwrap()).unwrap();
        originals.push(kept);
    }
    site.mirror.publish(Suite::Release).unwrap();
    site.inventory();
    let report = site.rehearse(&targets);
    assert_eq!(report.outcome, RehearsalOutcome::Passed, "{report:?}");
    assert_eq!(report.undo, Undo::Proven, "{report:?}");
    for original in originals {
        let name = original.file_name().unwrap().to_str().unwrap();
        let made = Path::new("/var/lib/tenon-agent/work/undo").join(name.replace("_all.deb", "_amd64.deb"));
        let listing =
            site.host.exec([Path::new("dpkg-deb"), Path::new("-c"), &made]).unwrap().ok().unwrap().stdout;
        let control =
            site.host.exec([Path::new("dpkg-deb"), Path::new("-f"), &made]).unwrap().ok().unwrap().stdout;
        assert_eq!(contents(&listing), contents(&ask(&["-c"], &original)), "{name}");
        assert_eq!(fields(&control), fields(&ask(&["-f"], &original)), "{name}");
    }
    println!("measured: {} packages made from what is installed, equal to the originals", targets.len());

    // And it takes a real change back: the service that the update brings down cannot run with the new version.
    let block = "printf '[Service]\\nExecStartPre=+/bin/sh -c \"! dpkg-query -W redis-server | grep -q deb12u9\"\\n' ";
    let new = pending.iter().find(|pending| pending.package == "redis-server").unwrap().candidate.clone();
    let block = block.replace("deb12u9", &new);
    let drop_in = "mkdir -p /etc/systemd/system/redis-server.service.d";
    let line = format!(
        "{drop_in}; {block} > /etc/systemd/system/redis-server.service.d/block.conf; systemctl daemon-reload"
    );
    site.host.shell(&line).unwrap().ok().unwrap();
    let applied = site.apply(&targets, &report);
    assert!(
        matches!(&applied.outcome, ApplyOutcome::RolledBack { reason } if reason.contains("redis-server")),
        "{applied:?}"
    );
    for target in &targets {
        assert_eq!(site.version(&target.package), target.from);
    }
    assert!(site.is_active("redis-server"));
}
