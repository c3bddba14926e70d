//! The repository's signing key, used through gpg.

use std::{fs, path::Path, process::Command, time::Duration};

use crate::{Error, run::must};

const NAME: &str = "Test repository <repo@example.invalid>";
const DEADLINE: Duration = Duration::from_secs(60);

/// Makes a key pair: `secret.asc` and `public.gpg` in `dir`.
pub(crate) fn make_key(dir: &Path) -> Result<(), Error> {
    let home = Home::new()?;
    must(
        home.gpg(&[]).args(["--passphrase", "", "--quick-gen-key", NAME, "rsa2048", "sign", "0"]),
        DEADLINE,
    )?;
    must(home.gpg(&["--armor", "--export-secret-keys", "--output"]).arg(dir.join("secret.asc")), DEADLINE)?;
    must(home.gpg(&["--export", "--output"]).arg(dir.join("public.gpg")), DEADLINE)?;
    must(home.gpg(&["--armor", "--export", "--output"]).arg(dir.join("public.asc")), DEADLINE)?;
    Ok(())
}

/// Writes `release` with a clear signature to `signed`.
pub(crate) fn clearsign(secret: &Path, release: &Path, signed: &Path) -> Result<(), Error> {
    let home = Home::new()?;
    must(home.gpg(&["--import"]).arg(secret), DEADLINE)?;
    must(home.gpg(&["--yes", "--clearsign", "--output"]).arg(signed).arg(release), DEADLINE)?;
    Ok(())
}

/// Writes a detached signature of `file` to `signature`.
pub(crate) fn sign_beside(secret: &Path, file: &Path, signature: &Path) -> Result<(), Error> {
    let home = Home::new()?;
    must(home.gpg(&["--import"]).arg(secret), DEADLINE)?;
    let words = ["--yes", "--armor", "--detach-sign", "--output"];
    must(home.gpg(&words).arg(signature).arg(file), DEADLINE).map(drop)
}

/// Signs an RPM package in place.
pub(crate) fn sign_rpm(secret: &Path, rpm: &Path) -> Result<(), Error> {
    let home = Home::new()?;
    must(home.gpg(&["--import"]).arg(secret), DEADLINE)?;
    let mut command = Command::new("rpmsign");
    command.env("GNUPGHOME", home.dir.path()).args(["--define", &format!("_gpg_name {NAME}")]);
    // Debian's rpm names gpg without a folder and does not look for it.
    command.args(["--define", "__gpg /usr/bin/gpg", "--addsign"]);
    must(command.arg(rpm), DEADLINE).map(drop)
}

/// A key ring of its own under a short path (the agent's socket names are limited to 107 bytes),
/// whose agent ends with it.
struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new() -> Result<Self, Error> {
        let dir = tempfile::Builder::new()
            .prefix("tenon-gpg-")
            .tempdir_in("/tmp")
            .map_err(Error::file("create", "/tmp"))?;
        Ok(Self { dir })
    }

    fn gpg(&self, args: &[&str]) -> Command {
        let mut command = Command::new("gpg");
        command.env("GNUPGHOME", self.dir.path()).args(["--batch", "--quiet"]).args(args);
        command
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // Without this every signature would leave an agent running.
        let _stopped =
            Command::new("gpgconf").env("GNUPGHOME", self.dir.path()).args(["--kill", "all"]).output();
        let _sockets = fs::remove_dir_all(self.dir.path());
    }
}
