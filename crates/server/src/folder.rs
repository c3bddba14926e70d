//! The data folder: everything Tenon keeps, in one place.
//!
//! ```text
//! journal.sqlite      the record, unless it is kept in a database
//! demo                there when everything in the folder is played: `tenon up --demo`
//! authority.pem       certificate of the certificate authority
//! authority.key       its key (0600)
//! directive.key       seed of the key that signs orders (0600)
//! operator.token      what the owner's page and command line begin with: a token of the first admin (0600)
//! people.sqlite       people, their sessions and tokens (0600)
//! messages.yaml       who is told what, where somebody is (0600)
//! messages.sqlite     how far each of them was told
//! feeds/              store of feeds
//! agent/              state of the agent on this machine, when `tenon up` runs one
//! ```

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tenon_journal::Store;
use tenon_wire::{DirectiveKey, Secret};

/// Largest key or token file that is read.
const MAX_SMALL_FILE: u64 = 64 * 1024;

/// A folder that only its owner can look into.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file operation failed.
    #[error("cannot {doing} {path}: {source}", path = path.display())]
    Io {
        /// The operation.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// The failure.
        source: io::Error,
    },
    /// A file does not hold what its name says.
    #[error("{path} does not hold {expected}: restore it from a backup", path = path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
    /// A demonstration and a real estate never share a folder.
    #[error("{path} {}", if *played { "is not empty and holds no demonstration: name an empty folder with --data" } else { "holds a demonstration, where every host is played: name another folder with --data" }, path = path.display())]
    Mixed {
        /// The folder.
        path: PathBuf,
        /// Whether a demonstration was asked for.
        played: bool,
    },
    /// A secret that others can read is none.
    #[error("{path} can be read by others (mode {mode:o}): chmod 600 it, and replace the secret if they may have", path = path.display())]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
}

/// The file that tells the folder of a demonstration.
const DEMO: &str = "demo";

impl DataFolder {
    /// Makes sure that what is played and what is real never share a folder: remembers what a new one is for.
    ///
    /// # Errors
    /// [`FolderError::Mixed`] where the folder is for the other, or a file operation failed.
    pub fn claim(&self, played: bool) -> Result<(), FolderError> {
        let marked = self.read(DEMO, Secrecy::Public)?.is_some();
        let io = |source| FolderError::Io { doing: "list", path: self.0.clone(), source };
        let empty = fs::read_dir(&self.0).map_err(io)?.next().is_none();
        match (played, marked) {
            (true, true) | (false, false) => Ok(()),
            (true, false) if empty => {
                self.write(DEMO, "Everything in this folder is played.\n", Secrecy::Public)
            }
            _ => Err(FolderError::Mixed { path: self.0.clone(), played }),
        }
    }

    /// Opens the folder, creating it (0700) where it does not exist.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|source| FolderError::Io {
            doing: "create",
            path: path.to_owned(),
            source,
        })?;
        Ok(Self(path.to_owned()))
    }

    /// The folder, if it is there: for those who only read from it.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn existing(path: &Path) -> Result<Self, FolderError> {
        fs::metadata(path).map(|_| Self(path.to_owned())).map_err(|source| FolderError::Io {
            doing: "open",
            path: path.to_owned(),
            source,
        })
    }

    /// The operator's token, if one was made.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn existing_operator_token(&self) -> Result<Secret, FolderError> {
        let name = "operator.token";
        let text = self.read(name, Secrecy::Secret)?;
        let text = text.ok_or_else(|| FolderError::Io {
            doing: "read",
            path: self.path(name),
            source: io::ErrorKind::NotFound.into(),
        })?;
        Ok(Secret::new(text.trim().to_owned()))
    }

    /// The record, where nothing else is said about it.
    pub fn store(&self) -> Store {
        Store::File(self.path("journal.sqlite"))
    }

    /// Where a file of it lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// A small file, or `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read, is too large to be what it should be, or is a secret that others can read.
    pub fn read(&self, name: &str, secrecy: Secrecy) -> Result<Option<String>, FolderError> {
        read_small(&self.path(name), secrecy)
    }

    /// Writes a small file whole or not at all, durable when this returns.
    ///
    /// # Errors
    /// When any step fails; an older file of the name is untouched then.
    pub fn write(&self, name: &str, content: &str, secrecy: Secrecy) -> Result<(), FolderError> {
        let (path, new) = (self.path(name), self.path(&format!("{name}.new")));
        let io = |doing: &'static str| {
            let path = path.clone();
            move |source| FolderError::Io { doing, path, source }
        };
        if let Some(parent) = path.parent() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(parent)
                .map_err(io("create the folder of"))?;
        }
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io("replace")(error)),
            _ => {}
        }
        let mode = if secrecy == Secrecy::Secret { 0o600 } else { 0o644 };
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(mode).open(&new).map_err(io("create"))?;
        file.write_all(content.as_bytes()).and_then(|()| file.sync_all()).map_err(io("write"))?;
        fs::rename(&new, &path).map_err(io("replace"))?;
        let parent = path.parent().unwrap_or(&self.0);
        fs::File::open(parent).and_then(|folder| folder.sync_all()).map_err(io("sync the folder of"))
    }

    /// The seed of the key that signs orders, made on first use.
    ///
    /// # Errors
    /// When the file or the system's random source fails.
    pub fn directive_key(&self) -> Result<DirectiveKey, FolderError> {
        let name = "directive.key";
        let text = self.secret(name)?;
        let mut seed = [0; 32];
        hex::decode_to_slice(text.expose().trim(), &mut seed).map_err(|_| FolderError::Content {
            path: self.path(name),
            expected: "a seed of 64 hexadecimal digits",
        })?;
        Ok(DirectiveKey::from_seed(&seed))
    }

    /// The operator's token, made on first use.
    ///
    /// # Errors
    /// When the file or the system's random source fails.
    pub fn operator_token(&self) -> Result<Secret, FolderError> {
        self.secret("operator.token").map(|secret| Secret::new(secret.expose().trim().to_owned()))
    }

    fn secret(&self, name: &str) -> Result<Secret, FolderError> {
        if let Some(text) = self.read(name, Secrecy::Secret)? {
            return Ok(Secret::new(text));
        }
        let secret = random_secret().map_err(|source| FolderError::Io {
            doing: "make a random secret for",
            path: self.path(name),
            source,
        })?;
        self.write(name, secret.expose(), Secrecy::Secret)?;
        Ok(secret)
    }
}

/// A small file, wherever it lies, or `None` where there is none.
///
/// # Errors
/// When it cannot be read, is too large to be what it should be, or is a secret that others can read.
pub(crate) fn read_small(path: &Path, secrecy: Secrecy) -> Result<Option<String>, FolderError> {
    let io = |source| FolderError::Io { doing: "read", path: path.to_owned(), source };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io(source)),
    };
    let mode = metadata.permissions().mode() & 0o777;
    if secrecy == Secrecy::Secret && mode & 0o077 != 0 {
        return Err(FolderError::Readable { path: path.to_owned(), mode });
    }
    if metadata.len() > MAX_SMALL_FILE {
        return Err(FolderError::Content { path: path.to_owned(), expected: "a small file (too large)" });
    }
    fs::read_to_string(path).map(Some).map_err(io)
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// Its owner only.
    Secret,
    /// Whoever reaches the folder.
    Public,
}

/// 32 random bytes in hexadecimal.
pub(crate) fn random_secret() -> io::Result<Secret> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(Secret::new(hex::encode(bytes)))
}
