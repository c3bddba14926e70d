//! The agent as a service of systemd: started once the host is enrolled; made and taken away by hand where no package does.
//!
//! ```text
//! a package   /usr/bin/tenon-agent         /usr/lib/systemd/system/tenon-agent.service
//! `install`   /opt/tenon-agent/PROGRAM     /etc/systemd/system/tenon-agent.service
//! both        /var/lib/tenon-agent: who this host is
//! ```

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{Program, STATE, enrol};
use crate::AgentState;

/// The unit's name.
const UNIT: &str = "tenon-agent.service";
/// The unit as packages bring it.
const UNIT_FILE: &str = include_str!("../../../../packaging/tenon-agent/tenon-agent.service");
/// The program in it.
const PACKAGED: &str = "/usr/bin/tenon-agent";
/// Where packages put units.
const PACKAGED_UNIT: &str = "/usr/lib/systemd/system/tenon-agent.service";
/// Where `install` puts the unit.
const OWN_UNIT: &str = "/etc/systemd/system/tenon-agent.service";
/// Where `install` puts the program.
const OWN_FOLDER: &str = "/opt/tenon-agent";

/// Starts the unit of a host that was just enrolled, or says how its agent is run.
pub(super) fn start_enrolled(program: Program) -> Result<()> {
    if !is_systemd() || !is_loaded()? {
        let words = program.words();
        println!(
            "there is no {UNIT} here: run its agent with `{words} run`, or make it a service with `{words} install`"
        );
        return Ok(());
    }
    systemctl(&["restart", UNIT])
        .context("the host is enrolled, yet its agent does not start: see `journalctl -u tenon-agent`")?;
    println!("{UNIT} is started: the host reports within a minute");
    Ok(())
}

/// Makes this program a service, or the service's program newer.
pub(super) fn install(program: Program, server: Option<&str>) -> Result<()> {
    check_by_hand("install")?;
    // Before the token is used up: it is good for one try.
    let own = std::env::current_exe().context("finding this program's file")?;
    // Nothing is made for a command that cannot succeed.
    let state = Path::new(STATE);
    let identity = if state.exists() { AgentState::open(state)?.identity()? } else { None };
    match (identity, server) {
        (None, None) => bail!("this host is not enrolled: name its server with --server https://...:8421"),
        (None, Some(server)) => drop(enrol(server, state)?),
        (Some(identity), Some(server))
            if identity.server.trim_end_matches('/') != server.trim_end_matches('/') =>
        {
            bail!(
                "this host is enrolled at {} as {}: `{} uninstall` first",
                identity.server,
                identity.asset,
                program.words()
            )
        }
        (Some(identity), _) => println!("enrolled already at {} as {}", identity.server, identity.asset),
    }
    let (file, unit) = placed(program);
    put(&own, &file).with_context(|| format!("copying this program to {}", file.display()))?;
    fs::write(OWN_UNIT, unit).with_context(|| format!("writing {OWN_UNIT}"))?;
    systemctl(&["daemon-reload"])?;
    // One that runs already ends by itself when it sees that its program was replaced, after what it is doing.
    systemctl(&["enable", "--quiet", "--now", UNIT])?;
    println!("{UNIT} runs {}: the host reports within a minute", file.display());
    Ok(())
}

/// Takes everything away that [`install`] made.
pub(super) fn uninstall() -> Result<()> {
    check_by_hand("uninstall")?;
    if !Path::new(OWN_UNIT).exists() && !Path::new(STATE).exists() {
        bail!("nothing is installed here: there is neither {OWN_UNIT} nor {STATE}");
    }
    // What cannot be read names no asset and goes all the same.
    let identity = AgentState::open(Path::new(STATE)).and_then(|state| state.identity()).ok().flatten();
    if is_loaded()? {
        println!("stopping {UNIT}; a change in progress is finished first");
        systemctl(&["disable", "--quiet", "--now", UNIT])?;
    }
    remove(Path::new(OWN_UNIT), |path| fs::remove_file(path))?;
    remove(Path::new(OWN_FOLDER), |path| fs::remove_dir_all(path))?;
    remove(Path::new(STATE), |path| fs::remove_dir_all(path))?;
    systemctl(&["daemon-reload"])?;
    match identity {
        Some(identity) => println!(
            "removed; {} keeps its record: `tenon retire {} --why '...'` there says that it is gone",
            identity.server, identity.asset
        ),
        None => println!("removed"),
    }
    Ok(())
}

/// Whether a service can be made or taken away here by hand.
fn check_by_hand(verb: &str) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        bail!("{verb} needs root: units and the agent's folder are root's");
    }
    if !is_systemd() {
        bail!("systemd does not run here: there is no service to {verb}");
    }
    if Path::new(PACKAGED_UNIT).exists() {
        let instead =
            if verb == "install" { "enrol it with `tenon-agent enrol`" } else { "`apt purge tenon-agent`" };
        bail!("the package tenon-agent is installed here: {instead}");
    }
    Ok(())
}

/// Where `install` puts the program, and the unit that runs it there.
fn placed(program: Program) -> (PathBuf, String) {
    let mut words = program.words().split(' ');
    let file = Path::new(OWN_FOLDER).join(words.next().unwrap_or_default());
    let words: Vec<String> =
        std::iter::once(file.display().to_string()).chain(words.map(str::to_owned)).collect();
    let unit = UNIT_FILE.replace(PACKAGED, &words.join(" "));
    (file, unit)
}

/// Copies a program whole or not at all, so that one that runs is never half replaced.
fn put(from: &Path, to: &Path) -> io::Result<()> {
    let new = to.with_extension("new");
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    remove_if_any(fs::remove_file(&new))?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(&new)?;
    io::copy(&mut fs::File::open(from)?, &mut file)?;
    file.flush()?;
    file.sync_all()?;
    fs::rename(&new, to)
}

fn remove(path: &Path, removed: impl Fn(&Path) -> io::Result<()>) -> Result<()> {
    remove_if_any(removed(path)).with_context(|| format!("removing {}", path.display()))
}

fn remove_if_any(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn is_systemd() -> bool {
    Path::new("/run/systemd/system").exists()
}

/// Whether systemd knows the unit and may start it.
fn is_loaded() -> Result<bool> {
    let output = Command::new("systemctl")
        .args(["show", "--property=LoadState", "--value", UNIT])
        .output()
        .context("starting systemctl")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim() == "loaded")
}

/// Runs `systemctl`, whose own errors pass through.
fn systemctl(words: &[&str]) -> Result<()> {
    let status = Command::new("systemctl").args(words).status().context("starting systemctl")?;
    if !status.success() {
        bail!("`systemctl {}` failed ({status})", words.join(" "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_runs_the_program_where_it_was_put() {
        for (program, path, line) in [
            (Program::Agent, "/opt/tenon-agent/tenon-agent", "ExecStart=/opt/tenon-agent/tenon-agent run "),
            (Program::Tenon, "/opt/tenon-agent/tenon", "ExecStart=/opt/tenon-agent/tenon agent run "),
        ] {
            let (file, unit) = placed(program);
            assert_eq!(file, Path::new(path));
            assert_eq!(unit.lines().filter(|unit| unit.starts_with(line)).count(), 1, "{unit}");
            assert!(!unit.contains(PACKAGED), "{unit}");
        }
    }

    #[test]
    fn a_program_is_put_whole_over_one_that_runs() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("new"), folder.path().join("opt/program"));
        fs::write(&from, "one").unwrap();
        put(&from, &to).unwrap();
        let running = fs::metadata(&to).unwrap();
        assert_eq!(running.permissions().mode() & 0o777, 0o755);
        fs::write(&from, "two").unwrap();
        put(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "two");
        assert_ne!(fs::metadata(&to).unwrap().ino(), running.ino());
        assert_eq!(fs::read_dir(to.parent().unwrap()).unwrap().count(), 1);
    }
}
