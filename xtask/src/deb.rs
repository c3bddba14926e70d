//! Debian packages of the server and of the agent, laid out here and packed by the distribution's own tools.
//!
//! ```text
//! packaging/PACKAGE/    control, maintainer scripts, unit: what is written by hand
//! target/deb/PACKAGE/   the tree as it lies on a host, with DEBIAN/ beside it
//! target/deb/*.deb      packed by dpkg-deb; the same programs of one commit give the same bytes
//! ```

mod repository;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::need;
use crate::step::{Step, text_of};
use tree::Tree;

/// Whom a package names, where nobody says otherwise: a build of one's own.
const MAINTAINER: &str = "Tenon <tenon@localhost>";

/// How the programs are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// As tests build them: quick to build, slow to run.
    Dev,
    /// Optimised.
    Release,
}

/// Packages to build.
#[derive(Args)]
pub(crate) struct Deb {
    /// How the programs are built.
    #[arg(long, value_enum, default_value = "release")]
    profile: Profile,
    /// Pack the programs of this folder as they are, and build none.
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
    /// Where the packages go.
    #[arg(long, default_value = "target/deb", value_name = "FOLDER")]
    out: PathBuf,
    /// Another version than Cargo's: `0.2.0~rc1`.
    #[arg(long)]
    version: Option<String>,
    /// Whom the packages name as their maintainer: `Name <address>`.
    #[arg(long, default_value = MAINTAINER, value_name = "WHO")]
    maintainer: String,
    /// Also put them into a flat repository for apt in this folder.
    #[arg(long, requires = "key", value_name = "FOLDER")]
    repository: Option<PathBuf>,
    /// The key of GnuPG that signs the repository.
    #[arg(long, requires = "repository", value_name = "KEYID")]
    key: Option<String>,
}

/// One package and what is particular about it.
struct Package {
    name: &'static str,
    /// The crate whose program it brings.
    member: &'static str,
    lay_out: fn(&Tree) -> Result<()>,
}

const PACKAGES: [Package; 2] = [
    Package { name: "tenon", member: "tenon-cli", lay_out: lay_out_server },
    Package { name: "tenon-agent", member: "tenon-agent", lay_out: |_| Ok(()) },
];

impl Deb {
    pub(crate) fn run(&self) -> Result<()> {
        need::packaging()?;
        // The time of everything in the packages: that of the commit, where nobody names one.
        let epoch = match std::env::var("SOURCE_DATE_EPOCH") {
            Ok(epoch) => epoch,
            Err(_) => text_of("git", &["log", "-1", "--format=%ct"])?,
        };
        let programs = match &self.programs {
            Some(folder) => folder.clone(),
            None => self.build()?,
        };
        fs::create_dir_all(&self.out).with_context(|| format!("making {}", self.out.display()))?;
        let mut built = Vec::new();
        for package in &PACKAGES {
            built.push(self.pack(package, &programs, &epoch)?);
        }
        for deb in &built {
            println!("{}", deb.display());
        }
        if let Some((folder, key)) = self.repository.as_ref().zip(self.key.as_ref()) {
            repository::add(folder, key, &built)?;
        }
        Ok(())
    }

    /// Builds both programs, whose bytes do not tell where they were built.
    fn build(&self) -> Result<PathBuf> {
        need::linker()?;
        crate::page()?;
        let (folder, words) = match self.profile {
            Profile::Dev => {
                ("debug", ["build", "--package", "tenon-cli", "--package", "tenon-agent"].as_slice())
            }
            Profile::Release => (
                "release",
                ["build", "--release", "--locked", "--package", "tenon-cli", "--package", "tenon-agent"]
                    .as_slice(),
            ),
        };
        let mut step = Step::cargo("build", words);
        if self.profile == Profile::Release {
            let here = std::env::current_dir().context("asking where this is")?;
            let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
            let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
            let home = home.context("neither CARGO_HOME nor HOME is set")?;
            let map = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
            // Parted as cargo parts it, so that a path may hold a blank.
            let flags = [map(&home, "/cargo"), map(&here, "/tenon")].join("\u{1f}");
            step = step.env("CARGO_ENCODED_RUSTFLAGS", &flags).env("CARGO_TARGET_DIR", "target/deb/build");
            step.run()?;
            return Ok(PathBuf::from("target/deb/build").join(folder));
        }
        step.run()?;
        Ok(PathBuf::from("target").join(folder))
    }

    fn pack(&self, package: &Package, programs: &Path, epoch: &str) -> Result<PathBuf> {
        let name = package.name;
        let version = self.version.as_deref().unwrap_or(env!("CARGO_PKG_VERSION"));
        let architecture = text_of("dpkg", &["--print-architecture"])?;
        let tree = Tree::new(name, &self.out.join(name))?;
        tree.program(&programs.join(name), name)?;
        tree.unit(&format!("{name}.service"))?;
        // The pages and completions of both come from the one program that knows how to write them.
        tree.described(&programs.join("tenon"))?;
        tree.documents(package.member, version, &self.maintainer, epoch)?;
        (package.lay_out)(&tree)?;
        tree.control(&[
            ("VERSION", version),
            ("ARCHITECTURE", &architecture),
            ("MAINTAINER", &self.maintainer),
            ("DEPENDS", &tree.depends(name)?),
            ("SIZE", &tree.kib()?.to_string()),
        ])?;
        let deb = self.out.join(format!("{name}_{version}_{architecture}.deb"));
        // Packages of a test live for minutes.
        let how = if self.profile == Profile::Dev || self.programs.is_some() { "-Zgzip" } else { "-Zxz" };
        let level = if how == "-Zgzip" { "-z1" } else { "-z6" };
        let mut command = Command::new("dpkg-deb");
        command.args(["--root-owner-group", how, level, "--build"]).arg(tree.root()).arg(&deb);
        let output = command.env("SOURCE_DATE_EPOCH", epoch).output().context("starting dpkg-deb")?;
        if !output.status.success() {
            bail!("dpkg-deb on {name}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(deb)
    }
}

/// What only the server has: what it is started with, and its user.
fn lay_out_server(tree: &Tree) -> Result<()> {
    tree.configuration("default", "etc/default/tenon")?;
    tree.copy("sysusers.conf", "usr/lib/sysusers.d/tenon.conf")
}
