//! What is scanned: this host, a root file system at rest, files copied from a host, or a bill of materials.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use tenon_formats::cyclonedx::{self, MAX_BOM, OF_THE_SYSTEM};
use tenon_host::{PackageFile, System};
use tenon_model::{HostFacts, Inventory, VexStatement};

use crate::common::document;

/// What was found.
pub(super) struct Looked {
    pub(super) inventory: Inventory,
    /// What a bill of materials says does not matter in it.
    pub(super) statements: Vec<VexStatement>,
    /// What cannot be assessed of it.
    pub(super) not_assessed: Vec<String>,
}

/// What to scan; without any of these, this host.
#[derive(Args)]
#[command(next_help_heading = "What to scan")]
#[group(multiple = true)]
pub(super) struct Target {
    /// A root file system that is not running, such as a mounted image.
    #[arg(long, value_name = "FOLDER", group = "target")]
    root: Option<PathBuf>,
    /// A copy of a host's /var/lib/dpkg/status.
    #[arg(long, value_name = "FILE", group = "target", requires = "os_release")]
    dpkg_status: Option<PathBuf>,
    /// A copy of a host's /lib/apk/db/installed.
    #[arg(long, value_name = "FILE", group = "target", requires = "os_release")]
    apk_installed: Option<PathBuf>,
    /// What `rpm -qa --qf FORMAT` wrote; `tenon scan --rpm-format` prints the format.
    #[arg(long, value_name = "FILE", group = "target", requires = "os_release")]
    rpm_list: Option<PathBuf>,
    /// A copy of that host's /etc/os-release.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["root", "sbom"])]
    os_release: Option<PathBuf>,
    /// A CycloneDX bill of materials in JSON (1.4 to 1.7).
    #[arg(long, value_name = "FILE", group = "target")]
    sbom: Option<PathBuf>,
}

impl Target {
    /// Whether it is this host as it runs.
    pub(super) fn is_live(&self) -> bool {
        self.root.is_none() && self.packages().is_none() && self.sbom.is_none()
    }

    fn packages(&self) -> Option<PackageFile> {
        None.or_else(|| self.dpkg_status.clone().map(PackageFile::DpkgStatus))
            .or_else(|| self.apk_installed.clone().map(PackageFile::ApkInstalled))
            .or_else(|| self.rpm_list.clone().map(PackageFile::RpmList))
    }

    /// Looks at it.
    pub(super) fn look(&self) -> Result<Looked> {
        if let Some(bom) = &self.sbom {
            return of_bom(bom);
        }
        let mut inventory = self.inventory()?;
        if inventory.facts.hostname.is_empty() {
            let files = [&self.dpkg_status, &self.apk_installed, &self.rpm_list, &self.root];
            let file = files.into_iter().flatten().next();
            inventory.facts.hostname = file.map(|path| path.display().to_string()).unwrap_or_default();
        }
        Ok(Looked { inventory, statements: Vec::new(), not_assessed: Vec::new() })
    }

    fn inventory(&self) -> Result<Inventory> {
        match (self.packages(), &self.os_release, &self.root) {
            (Some(packages), Some(os_release), _) => {
                Ok(tenon_host::inventory_of_files(&packages, os_release)?)
            }
            (None, Some(_), _) => {
                bail!("--os-release goes with --dpkg-status, --apk-installed or --rpm-list")
            }
            (_, _, Some(root)) => Ok(tenon_host::inventory(&System::at_rest(root), None)?),
            _ => Ok(tenon_host::inventory(&System::live(), None)?),
        }
    }
}

fn of_bom(path: &Path) -> Result<Looked> {
    let shown = || path.display().to_string();
    let bom = cyclonedx::parse(&document(path, MAX_BOM)?).with_context(shown)?;
    let installed = bom.installed();
    let mut facts = HostFacts::nothing_known_of(installed.os);
    facts.hostname = bom.describes.as_ref().map_or_else(shown, |described| described.name.clone());
    facts
        .gaps
        .push("only a bill of materials is at hand: pending updates and processes are not known".to_owned());
    let mut not_assessed = Vec::new();
    for (reason, count) in &installed.left_out {
        let line = format!("{count} components are left out: {reason}");
        if reason == OF_THE_SYSTEM { facts.gaps.push(line) } else { not_assessed.push(line) }
    }
    if let Some(first) = bom.problems.listed().first() {
        let total = bom.problems.total();
        not_assessed.push(format!("{total} places of the document break its schema, the first: {first}"));
    }
    if installed.components.is_empty() {
        bail!("{}: it names no package that could be installed: {}", path.display(), not_assessed.join("; "));
    }
    let statements = bom.claims(&path.display().to_string());
    let inventory = Inventory { facts, components: installed.components };
    Ok(Looked { inventory, statements, not_assessed })
}
