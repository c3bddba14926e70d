//! What must be on the machine, and how it gets there: from the distribution, by its own package manager.

use std::path::Path;

use anyhow::{Result, bail};

use crate::step::Step;

/// Commands the tests run, with the Debian package of each.
const TEST_COMMANDS: [(&str, &str); 14] = [
    ("mmdebstrap", "mmdebstrap"),
    ("apt-ftparchive", "apt-utils"),
    ("gpg", "gnupg"),
    ("dpkg-shlibdeps", "dpkg-dev"),
    ("ip", "iproute2"),
    ("ps", "procps"),
    ("rpmbuild", "rpm"),
    ("createrepo_c", "createrepo-c"),
    ("unshare", "util-linux"),
    ("chromium", "chromium"),
    ("jq", "jq"),
    // Debian keeps the server's own programs off `PATH`; this one comes with them.
    ("pg_ctlcluster", "postgresql"),
    ("ssh-keygen", "openssh-client"),
    ("strace", "strace"),
];

/// Whether a command is found on `PATH`.
pub(crate) fn on_path(command: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(command).is_file()))
}

/// The linker that Rust and the bundled database need.
pub(crate) fn linker() -> Result<()> {
    install(&[("cc", "gcc"), ("cc", "libc6-dev")])
}

/// What packs programs for Debian and signs a repository.
pub(crate) fn packaging() -> Result<()> {
    install(&[
        ("dpkg-shlibdeps", "dpkg-dev"),
        ("apt-ftparchive", "apt-utils"),
        ("gpg", "gnupg"),
        ("strip", "binutils"),
    ])
}

/// Everything the tests run. Without root the tests that need more say so and skip by name.
pub(crate) fn test_packages() -> Result<()> {
    install(&TEST_COMMANDS)
}

fn install(commands: &[(&str, &str)]) -> Result<()> {
    let mut missing: Vec<&str> =
        commands.iter().filter(|(command, _)| !on_path(command)).map(|(_, package)| *package).collect();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("missing: {}; install these with this system's package manager", missing.join(", "));
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!(
            "missing: {0}; tests that need them will say so. To have them: sudo apt-get install {0}",
            missing.join(" ")
        );
        return Ok(());
    }
    let mut arguments = vec!["apt-get", "-y", "-qq", "install", "--no-install-recommends"];
    arguments.extend(&missing);
    Step::new("package lists", &["apt-get", "-qq", "update"]).run()?;
    Step::new(&format!("install {}", missing.join(" ")), &arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .run()
}
