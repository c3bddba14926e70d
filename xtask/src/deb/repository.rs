//! A flat repository for apt (sources.list(5)): packages, their index, a signature over it, and the key to believe it by.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::tree::said;

/// Adds packages to the repository in `folder` and signs it anew; what lies there stays.
pub(super) fn add(folder: &Path, key: &str, packages: &[PathBuf]) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    for package in packages {
        let name = package.file_name().context("a package has a name")?;
        fs::copy(package, folder.join(name)).with_context(|| format!("copying {}", package.display()))?;
    }
    // Signatures and indexes of before would be listed in the new release file.
    for stale in ["Release", "InRelease", "Packages"] {
        let path = folder.join(stale);
        if path.exists() {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    let write = |name: &str, bytes: Vec<u8>| {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))
    };
    let tool = || {
        let mut command = Command::new("apt-ftparchive");
        command.current_dir(folder);
        command
    };
    write("Packages", said(tool().args(["packages", "."]))?)?;
    let options = ["Origin=Tenon", "Label=Tenon", "Suite=stable"];
    let options = options.map(|option| format!("--option=APT::FTPArchive::Release::{option}"));
    let release = said(tool().args(options).args(["release", "."]))?;
    write("Release", release)?;
    let mut sign = Command::new("gpg");
    sign.current_dir(folder).args(["--batch", "--yes", "--local-user", key, "--clearsign"]);
    said(sign.args(["--output", "InRelease", "Release"]))?;
    let public = said(Command::new("gpg").args(["--batch", "--armor", "--export", key]))?;
    write("tenon.asc", public)?;
    println!("{}: a repository for apt; hosts know it by", folder.display());
    println!("    deb [signed-by=/etc/apt/keyrings/tenon.asc] https://.../ ./");
    Ok(())
}
