//! The tree of a package: files as they lie on a host, with the modes they have there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Scripts that dpkg runs (deb-postinst(5) and its like), as far as a package has them.
const SCRIPTS: [&str; 4] = ["preinst", "postinst", "prerm", "postrm"];

/// The files of one package under construction.
pub(super) struct Tree {
    name: &'static str,
    root: PathBuf,
    /// What is written by hand.
    sources: PathBuf,
}

impl Tree {
    /// An empty tree at `root`, in place of whatever lies there.
    pub(super) fn new(name: &'static str, root: &Path) -> Result<Self> {
        match fs::remove_dir_all(root) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("emptying {}", root.display()));
            }
            _ => {}
        }
        let sources = Path::new("packaging").join(name);
        let tree = Self { name, root: root.to_owned(), sources };
        tree.folder(root)?;
        Ok(tree)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// A program without what only a debugger reads.
    pub(super) fn program(&self, from: &Path, name: &str) -> Result<()> {
        let to = self.root.join("usr/bin").join(name);
        self.folder(&self.root.join("usr/bin"))?;
        let mut strip = Command::new("strip");
        strip.args(["--strip-unneeded", "-R", ".comment", "-R", ".note", "-o"]).arg(&to).arg(from);
        said(&mut strip)?;
        mode(&to, 0o755)
    }

    pub(super) fn unit(&self, name: &str) -> Result<()> {
        self.copy(name, &format!("usr/lib/systemd/system/{name}"))
    }

    /// A file that is written by hand.
    pub(super) fn copy(&self, from: &str, to: &str) -> Result<()> {
        let from = self.sources.join(from);
        let bytes = fs::read(&from).with_context(|| format!("reading {}", from.display()))?;
        self.put(to, &bytes, 0o644)
    }

    /// One that a host's root may change, and keeps so.
    pub(super) fn configuration(&self, from: &str, to: &str) -> Result<()> {
        self.copy(from, to)?;
        self.put("DEBIAN/conffiles", format!("/{to}\n").as_bytes(), 0o644)
    }

    /// Manual pages and completions, as the program `tenon` writes them.
    pub(super) fn described(&self, tenon: &Path) -> Result<()> {
        let pages = self.root.join("usr/share/man/man1");
        self.folder(&pages)?;
        said(Command::new(tenon).args(["man", "--program", self.name]).arg(&pages))?;
        for page in names(&pages)? {
            // They come with the agent's own package.
            if self.name == "tenon" && page.starts_with("tenon-agent") {
                fs::remove_file(pages.join(&page)).with_context(|| format!("removing {page}"))?;
                continue;
            }
            self.compress(&format!("usr/share/man/man1/{page}"))?;
        }
        for (shell, to) in [
            ("bash", format!("usr/share/bash-completion/completions/{}", self.name)),
            ("zsh", format!("usr/share/zsh/vendor-completions/_{}", self.name)),
            ("fish", format!("usr/share/fish/vendor_completions.d/{}.fish", self.name)),
        ] {
            let text = said(Command::new(tenon).args(["completions", shell, "--program", self.name]))?;
            self.put(&to, &text, 0o644)?;
        }
        Ok(())
    }

    /// What Debian asks every package to bring: its licence, with what is linked into it, and its changes.
    pub(super) fn documents(&self, member: &str, version: &str, maintainer: &str, epoch: &str) -> Result<()> {
        let folder = format!("usr/share/doc/{}", self.name);
        let linked = ["tree", "--locked", "--package", member, "--edges", "normal", "--prefix", "none"];
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let linked = said(Command::new(cargo).args(linked).args(["--format", "{p} {l} {r}"]))?;
        let linked = String::from_utf8(linked).context("cargo tree prints no UTF-8")?;
        let mut lines: Vec<&str> = linked
            .lines()
            .map(|line| line.trim_end_matches(" (*)"))
            .filter(|line| !line.contains(" (/"))
            .collect();
        lines.sort_unstable();
        lines.dedup();
        let copyright = fs::read_to_string("packaging/copyright").context("reading packaging/copyright")?;
        let copyright = format!("{copyright}{}\n", lines.join("\n"));
        self.put(&format!("{folder}/copyright"), copyright.as_bytes(), 0o644)?;
        let date = said(Command::new("date").args(["--utc", "--rfc-email", &format!("--date=@{epoch}")]))?;
        let date = String::from_utf8_lossy(&date);
        let changes = format!(
            "tenon ({version}) unstable; urgency=medium\n\n  * Built from the source; its history tells what changed.\n\n \
             -- {maintainer}  {date}"
        );
        let file = format!("{folder}/changelog");
        self.put(&file, changes.as_bytes(), 0o644)?;
        self.compress(&file)
    }

    /// The packages whose libraries the program is linked with, and from which version on they have what it calls.
    pub(super) fn depends(&self, program: &str) -> Result<String> {
        // dpkg-shlibdeps(1) wants to stand in the folder of a source package, and needs nothing of it here.
        let stand = self.root.with_extension("shlibs");
        fs::create_dir_all(stand.join("debian")).with_context(|| format!("making {}", stand.display()))?;
        fs::write(stand.join("debian/control"), "Source: tenon\n\nPackage: tenon\nArchitecture: any\n")
            .with_context(|| format!("writing in {}", stand.display()))?;
        let program = self.root.join("usr/bin").join(program);
        let program = program.canonicalize().with_context(|| format!("finding {}", program.display()))?;
        let found = said(Command::new("dpkg-shlibdeps").args(["-O", "-e"]).arg(program).current_dir(&stand));
        fs::remove_dir_all(&stand).with_context(|| format!("removing {}", stand.display()))?;
        let found = String::from_utf8(found?).context("dpkg-shlibdeps prints no UTF-8")?;
        let depends = found.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
        depends.map(str::to_owned).context("dpkg-shlibdeps names no libraries")
    }

    /// Size of the installed files, as control files count it (deb-substvars(5)): in KiB, each file rounded up.
    pub(super) fn kib(&self) -> Result<u64> {
        fn below(folder: &Path) -> Result<u64> {
            let mut sum = 0;
            for name in names(folder)? {
                let path = folder.join(name);
                let metadata =
                    fs::symlink_metadata(&path).with_context(|| format!("looking at {}", path.display()))?;
                sum += if metadata.is_dir() { 1 + below(&path)? } else { metadata.len().div_ceil(1024) };
            }
            Ok(sum)
        }
        let mut sum = 0;
        for name in names(&self.root)?.iter().filter(|name| *name != "DEBIAN") {
            sum += below(&self.root.join(name))?;
        }
        Ok(sum)
    }

    /// The control file, with these in the place of their names, and the scripts.
    pub(super) fn control(&self, values: &[(&str, &str)]) -> Result<()> {
        let file = self.sources.join("control");
        let mut text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        for (name, value) in values {
            text = text.replace(&format!("@{name}@"), value);
        }
        self.put("DEBIAN/control", text.as_bytes(), 0o644)?;
        for script in SCRIPTS {
            let from = self.sources.join(script);
            if from.exists() {
                let bytes = fs::read(&from).with_context(|| format!("reading {}", from.display()))?;
                self.put(&format!("DEBIAN/{script}"), &bytes, 0o755)?;
            }
        }
        let mut sums = Vec::new();
        self.digests(&self.root, &mut sums)?;
        self.put("DEBIAN/md5sums", &sums, 0o644)
    }

    /// MD5 of every file but the control files, as `dpkg --verify` reads them (deb-md5sums(5)).
    fn digests(&self, folder: &Path, sums: &mut Vec<u8>) -> Result<()> {
        for name in names(folder)? {
            let path = folder.join(&name);
            if path.is_dir() {
                if path != self.root.join("DEBIAN") {
                    self.digests(&path, sums)?;
                }
                continue;
            }
            let shown = path.strip_prefix(&self.root).unwrap_or(&path);
            // Configuration is root's to change, and its digest is kept elsewhere.
            if !shown.starts_with("etc") {
                sums.extend(said(Command::new("md5sum").arg(shown).current_dir(&self.root))?);
            }
        }
        Ok(())
    }

    fn compress(&self, file: &str) -> Result<()> {
        let path = self.root.join(file);
        said(Command::new("gzip").args(["--no-name", "-9", "--force"]).arg(&path))?;
        mode(&self.root.join(format!("{file}.gz")), 0o644)
    }

    fn put(&self, file: &str, bytes: &[u8], bits: u32) -> Result<()> {
        let path = self.root.join(file);
        if let Some(parent) = path.parent() {
            self.folder(parent)?;
        }
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
        mode(&path, bits)
    }

    /// Makes a folder with those above it, as every host has them whatever this one's umask is.
    fn folder(&self, path: &Path) -> Result<()> {
        fs::create_dir_all(path).with_context(|| format!("making {}", path.display()))?;
        path.ancestors()
            .take_while(|path| path.starts_with(&self.root))
            .try_for_each(|path| mode(path, 0o755))
    }
}

/// Runs a program to its end and returns what it says.
pub(super) fn said(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

/// Names in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn mode(path: &Path, bits: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(bits))
        .with_context(|| format!("setting the mode of {}", path.display()))
}
