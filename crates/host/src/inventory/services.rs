//! Services that the service manager has loaded, and the files that define them.

use std::collections::BTreeMap;
use std::time::Duration;

use tenon_model::{Service, Unit};

use crate::HostError;
use crate::run::{command, run};

const QUICK: Duration = Duration::from_secs(60);
/// Most services asked about.
const MAX_SERVICES: usize = 5000;
/// Services asked about in one command line.
const BATCH: usize = 500;

/// A service before the owner of its files is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loaded {
    name: String,
    active_state: String,
    /// Its unit file, or the init script that one was generated from.
    pub(super) files: Vec<String>,
}

/// Services that run, have run and count as running, or have failed. Sessions and transient jobs belong to people and
/// timers, and one-shot jobs are of interest when they have failed or left something behind.
pub(super) fn services() -> Result<Vec<Loaded>, HostError> {
    let words = ["list-units", "--type=service", "--plain", "--no-legend", "--full", "--no-pager"];
    let list = run(&mut command("systemctl", words), QUICK)?.ok()?;
    let names: Vec<&str> = names(&list).take(MAX_SERVICES).collect();
    let mut services = Vec::new();
    for batch in names.chunks(BATCH) {
        let mut show =
            command("systemctl", ["show", "--property=Id,Type,ActiveState,FragmentPath,SourcePath", "--"]);
        services.extend(parse(&run(show.args(batch), QUICK)?.ok()?));
    }
    Ok(services)
}

fn names(list: &str) -> impl Iterator<Item = &str> {
    list.lines()
        // A failed unit may have a dot in front.
        .filter_map(|line| line.split_whitespace().take(2).find(|word| word.ends_with(".service")))
        .filter(|name| {
            !["user@", "user-runtime-dir@", "run-", "session-"].iter().any(|own| name.starts_with(own))
        })
}

/// Blocks of `Key=value`, parted by blank lines.
pub(super) fn parse(output: &str) -> Vec<Loaded> {
    let loaded = |block: &str| {
        let field = |name: &str| {
            block
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .filter(|v| !v.is_empty())
        };
        let (name, active_state) = (field("Id")?, field("ActiveState")?);
        let settled = matches!(active_state, "active" | "failed");
        let passing = active_state == "inactive" || (field("Type") == Some("oneshot") && !settled);
        let files = ["FragmentPath", "SourcePath"].into_iter().filter_map(field).map(str::to_owned);
        (!passing).then(|| Loaded {
            name: name.to_owned(),
            active_state: active_state.to_owned(),
            files: files.collect(),
        })
    };
    output.split("\n\n").filter_map(loaded).collect()
}

/// The services with the packages that own their files.
pub(super) fn owned(services: Vec<Loaded>, owners: &BTreeMap<String, String>) -> Vec<Service> {
    let service = |loaded: Loaded| Service {
        unit: Unit(loaded.name),
        active_state: loaded.active_state,
        package: loaded.files.iter().find_map(|file| owners.get(file).cloned()),
    };
    let mut services: Vec<Service> = services.into_iter().map(service).collect();
    services.sort_unstable();
    services.dedup();
    services
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sessions_and_passing_jobs_are_left_out() {
        let list = "cron.service loaded active running Regular background\n\
                    * bad.service loaded failed failed x\nuser@0.service loaded active running x\n\n";
        assert_eq!(names(list).collect::<Vec<_>>(), ["cron.service", "bad.service"]);
        let output = "Type=simple\nId=cron.service\nActiveState=active\nFragmentPath=/lib/systemd/system/cron.service\nSourcePath=\n\n\
                      Type=oneshot\nId=apt-daily.service\nActiveState=activating\nFragmentPath=/x\n\n\
                      Type=oneshot\nId=apparmor.service\nActiveState=active\nFragmentPath=\n\n\
                      Type=forking\nId=old.service\nActiveState=failed\nFragmentPath=/run/x\nSourcePath=/etc/init.d/old\n";
        let owners = [("/lib/systemd/system/cron.service", "cron"), ("/etc/init.d/old", "old-daemon")];
        let owners = owners.map(|(path, name)| (path.to_owned(), name.to_owned())).into();
        let found: Vec<_> = owned(parse(output), &owners)
            .into_iter()
            .map(|service| (service.unit.0, service.active_state, service.package))
            .collect();
        let service = |unit: &str, state: &str, package: Option<&str>| {
            (unit.to_owned(), state.to_owned(), package.map(str::to_owned))
        };
        assert_eq!(
            found,
            [
                service("apparmor.service", "active", None),
                service("cron.service", "active", Some("cron")),
                service("old.service", "failed", Some("old-daemon")),
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(?s).{0,300}") {
            names(&text).count();
            parse(&text);
        }
    }
}
