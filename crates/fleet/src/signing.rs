//! The repository's signing key, used through gpg.

use std::{fs, path::Path, process::Command, time::Duration};

use crate::{Error, run::must};

const DEADLINE: Duration = Duration::from_secs(60);

/// Makes a key pair: `secret.asc` and `public.gpg` in `dir`.
pub(crate) fn make_key(dir: &Path) -> Result<(), Error> {
    let home = Home::new()?;
    must(
        home.gpg(&[]).args([
            "--passphrase",
            "",
            "--quick-gen-key",
            "Test repository <repo@example.invalid>",
            "rsa2048",
            "sign",
            "0",
        ]),
        DEADLINE,
    )?;
    must(home.gpg(&["--armor", "--export-secret-keys", "--output"]).arg(dir.join("secret.asc")), DEADLINE)?;
    must(home.gpg(&["--export", "--output"]).arg(dir.join("public.gpg")), DEADLINE)?;
    Ok(())
}

/// Writes `release` with a clear signature to `signed`.
pub(crate) fn clearsign(secret: &Path, release: &Path, signed: &Path) -> Result<(), Error> {
    let home = Home::new()?;
    must(home.gpg(&["--import"]).arg(secret), DEADLINE)?;
    must(home.gpg(&["--yes", "--clearsign", "--output"]).arg(signed).arg(release), DEADLINE)?;
    Ok(())
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
