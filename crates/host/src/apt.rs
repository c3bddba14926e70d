//! What apt prints: simulations, candidates, kept back packages.

use tenon_model::{Change, Transaction, TransactionStep};

/// Most lines about packages read from one simulation.
const MAX_STEPS: usize = 20_000;

/// One `Inst` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inst {
    /// Binary package, without architecture.
    pub(crate) package: String,
    /// Architecture of the new version.
    pub(crate) architecture: String,
    /// Version before, when it is an upgrade.
    pub(crate) old: Option<String>,
    /// Version after.
    pub(crate) new: String,
    /// `Debian-Security:12/oldstable-security`; several are parted by `, `.
    pub(crate) origins: String,
}

impl Inst {
    /// Whether a security suite offers it.
    pub(crate) fn security(&self) -> bool {
        self.origins.split(',').any(|origin| {
            let (label, release) = origin.trim().split_once(':').unwrap_or_default();
            is_security(label, release.rsplit_once('/').map_or("", |(_, suite)| suite))
        })
    }

    /// `Inst libssl3 [3.0.9-1] (3.0.17-1 Debian-Security:12/oldstable-security [amd64]) []`.
    fn parse(line: &str) -> Option<Self> {
        let (package, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
        let (old, rest) = match rest.strip_prefix('[') {
            Some(rest) => {
                let (old, rest) = rest.split_once("] ")?;
                (Some(old.to_owned()), rest)
            }
            None => (None, rest),
        };
        let (inner, _) = rest.strip_prefix('(')?.split_once(')')?;
        let (new, rest) = inner.split_once(' ')?;
        let (origins, architecture) = match rest.rsplit_once('[') {
            Some((origins, architecture)) => (origins.trim(), architecture.strip_suffix(']')?),
            None => return None,
        };
        let package = package.split_once(':').map_or(package, |(name, _)| name);
        Some(Self {
            package: package.to_owned(),
            architecture: architecture.to_owned(),
            old,
            new: new.to_owned(),
            origins: origins.to_owned(),
        })
    }
}

/// Whether a repository is a security suite, by label and suite of its Release file. Debian has a label of its own; Ubuntu
/// (`Ubuntu`, `UbuntuESM`, `UbuntuESMApps`) tells it by the suite (`jammy-security`, `jammy-infra-security`).
pub(crate) fn is_security(label: &str, suite: &str) -> bool {
    label == "Debian-Security"
        || matches!(label, "Ubuntu" | "UbuntuESM" | "UbuntuESMApps") && suite.ends_with("-security")
}

/// The result of `apt-get -s`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Simulation {
    /// Installations and upgrades.
    pub(crate) installs: Vec<Inst>,
    /// Removals: name (with architecture when foreign) and version.
    pub(crate) removals: Vec<(String, String)>,
    /// Packages with a newer candidate that stay as they are.
    pub(crate) kept_back: Vec<String>,
    /// Packages whose newer candidate is being rolled out in phases and has not come to this host (Ubuntu).
    pub(crate) phased: Vec<String>,
}

/// Reads the output of `apt-get -s`. A line that announces a change and cannot be read is an error: a change that
/// is not seen must not be taken for none.
pub(crate) fn simulation(output: &str) -> Result<Simulation, String> {
    let mut result = Simulation::default();
    // The list whose folded lines are being read.
    let mut list: Option<&mut Vec<String>> = None;
    for line in output.lines() {
        if line.starts_with("  ")
            && let Some(list) = &mut list
        {
            list.extend(line.split_whitespace().map(|name| name.trim_end_matches('*').to_owned()));
            continue;
        }
        list = if line.starts_with("The following packages have been kept back") {
            Some(&mut result.kept_back)
        } else if line.starts_with("The following upgrades have been deferred due to phasing") {
            Some(&mut result.phased)
        } else {
            None
        };
        let unread = || format!("cannot read {:?}", line.chars().take(200).collect::<String>());
        if line.starts_with("Inst ") {
            result.installs.push(Inst::parse(line).ok_or_else(unread)?);
        } else if let Some(rest) = line.strip_prefix("Remv ").or_else(|| line.strip_prefix("Purg ")) {
            let (name, rest) = rest.split_once(" [").ok_or_else(unread)?;
            let (version, _) = rest.split_once(']').ok_or_else(unread)?;
            result.removals.push((name.to_owned(), version.to_owned()));
        }
        if result.installs.len() + result.removals.len() > MAX_STEPS {
            return Err(format!("more than {MAX_STEPS} packages would change"));
        }
    }
    Ok(result)
}

impl Simulation {
    /// The transaction, sorted; `native` is the architecture of names that carry none.
    pub(crate) fn transaction(&self, native: &str) -> Transaction {
        let mut steps: Vec<TransactionStep> = self
            .installs
            .iter()
            .map(|inst| TransactionStep {
                package: inst.package.clone(),
                architecture: inst.architecture.clone(),
                change: match &inst.old {
                    Some(from) => Change::Upgrade { from: from.clone(), to: inst.new.clone() },
                    None => Change::Install { to: inst.new.clone() },
                },
            })
            .chain(self.removals.iter().map(|(name, version)| {
                let (name, architecture) = name.split_once(':').unwrap_or((name, native));
                TransactionStep {
                    package: name.to_owned(),
                    architecture: architecture.to_owned(),
                    change: Change::Remove { from: version.clone() },
                }
            }))
            .collect();
        steps.sort_unstable();
        let mut kept_back: Vec<String> = self.kept_back.iter().chain(&self.phased).cloned().collect();
        kept_back.sort_unstable();
        Transaction { steps, kept_back }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_apt_prints() {
        let output = "\
Reading package lists...
The following packages have been kept back:
  linux-image-amd64 redis-server
  redis-tools
The following packages will be upgraded:
  perl
Inst base-files [12.4+deb12u11] (12.4+deb12u15 Debian:12.15/oldstable [amd64])
Inst libperl5.36 [5.36.0-7+deb12u2] (5.36.0-7+deb12u4 Debian-Security:12/oldstable-security [amd64]) [perl:amd64 ]
Inst libfoo:i386 [1] (2 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [i386])
Inst fresh (1.0 Toy:/stable [all]) []
Remv old [0.9] [other:amd64 ]
Conf fresh (1.0 Toy:/stable [all])
";
        let result = simulation(output).unwrap();
        assert_eq!(result.kept_back, ["linux-image-amd64", "redis-server", "redis-tools"]);
        let names: Vec<_> = result.installs.iter().map(|i| (i.package.as_str(), i.security())).collect();
        assert_eq!(names, [("base-files", false), ("libperl5.36", true), ("libfoo", true), ("fresh", false)]);
        assert_eq!(result.installs[2].architecture, "i386");
        assert_eq!(result.installs[3].old, None);
        let transaction = result.transaction("amd64");
        assert_eq!(transaction.steps.len(), 5);
        assert_eq!(transaction.steps[4].change, Change::Remove { from: "0.9".to_owned() });
    }

    #[test]
    fn phased_updates_and_security_suites_of_ubuntu_are_told_apart() {
        let output = "\
The following upgrades have been deferred due to phasing:
  distro-info-data ubuntu-drivers-common
The following packages have been kept back:
  linux-generic
Inst libc6 [2.35-0ubuntu3.1] (2.35-0ubuntu3.8 Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security [amd64])
Inst tzdata [1] (2 Ubuntu:22.04/jammy-updates [all])
Inst vim [1] (2 UbuntuESMApps:22.04/jammy-apps-security [amd64])
";
        let result = simulation(output).unwrap();
        assert_eq!(result.phased, ["distro-info-data", "ubuntu-drivers-common"]);
        assert_eq!(result.kept_back, ["linux-generic"]);
        let security: Vec<_> = result.installs.iter().map(Inst::security).collect();
        assert_eq!(security, [true, false, true]);
        let kept_back = result.transaction("amd64").kept_back;
        assert_eq!(kept_back, ["distro-info-data", "linux-generic", "ubuntu-drivers-common"]);
    }

    #[test]
    fn an_unreadable_change_is_an_error() {
        for line in ["Inst x", "Inst x [1] 2", "Inst x [1] (2 Debian:12)", "Remv x", "Inst x (1 [amd64"] {
            assert!(simulation(line).is_err(), "{line}");
        }
        assert_eq!(simulation("E: something\n"), Ok(Simulation::default()));
    }
}
