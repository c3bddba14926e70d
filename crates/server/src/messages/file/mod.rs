//! The file that says who is told what: YAML, every problem with line and column.

mod reader;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tenon_formats::Problems;
use tenon_model::GroupName;
use tenon_wire::Secret;

use super::hook::Hook;
use super::mail::Mail;
use super::{Form, Topic};
use crate::folder::{FolderError, Secrecy, read_small};

/// Who is told what.
#[derive(Debug, Clone, Default)]
pub struct Addressees {
    /// Where people open Tenon, without a slash at its end: the beginning of every link.
    pub link: String,
    /// By name.
    pub to: Vec<Addressee>,
}

/// Somebody who is told.
#[derive(Debug, Clone)]
pub struct Addressee {
    /// Its name, here only.
    pub name: String,
    /// How messages are written.
    pub form: Form,
    /// What it is told.
    pub about: BTreeSet<Topic>,
    /// Only of these groups' work; of everybody's where that is `None`.
    pub groups: Option<BTreeSet<GroupName>>,
    /// How long messages gather for one post.
    pub gather: Duration,
    /// Where posts go, and how.
    pub(crate) way: Way,
}

/// How posts leave.
#[derive(Debug, Clone)]
pub(crate) enum Way {
    /// Over HTTP.
    Hook(Box<Hook>),
    /// By SMTP.
    Mail(Box<Mail>),
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MessagesError {
    /// It, or the file of a key, cannot be read, or others can read it.
    #[error(transparent)]
    File(#[from] FolderError),
    /// There is none.
    #[error("there is no file {}: `tenon messages --help` shows one", .0.display())]
    Missing(PathBuf),
    /// It does not say what it must.
    #[error("{path} says nobody to tell:{problems}", path = path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Every problem on a line of its own.
        problems: Said,
    },
}

/// Problems, each on a line of its own.
#[derive(Debug)]
pub struct Said(pub Problems);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in self.0.listed() {
            write!(f, "\n  {}: {}", problem.place, problem.reason)?;
        }
        Ok(())
    }
}

impl Addressees {
    /// Reads the file and the keys that it names. None of them may be readable by others.
    ///
    /// # Errors
    /// [`MessagesError`].
    pub fn load(path: &Path) -> Result<Self, MessagesError> {
        let text = read_small(path, Secrecy::Secret)?;
        let text = text.ok_or_else(|| MessagesError::Missing(path.to_owned()))?;
        Self::read(&text, &|key| {
            // Beside the file, where its path is relative.
            let path = path.parent().unwrap_or(Path::new("")).join(key);
            match read_small(&path, Secrecy::Secret) {
                Ok(Some(text)) => Ok(Secret::new(text.trim().to_owned())),
                Ok(None) => Err(format!("there is no file {}", path.display())),
                Err(error) => Err(error.to_string()),
            }
        })
        .map_err(|problems| MessagesError::Content { path: path.to_owned(), problems: Said(problems) })
    }

    /// Reads the text; `secret` gives the content of a file of a key or password, or says why there is none.
    ///
    /// # Errors
    /// Every problem, with line and column.
    pub fn read(text: &str, secret: &dyn Fn(&str) -> Result<Secret, String>) -> Result<Self, Problems> {
        reader::read(text, secret)
    }

    /// The addressee of that name.
    pub fn named(&self, name: &str) -> Option<&Addressee> {
        self.to.iter().find(|addressee| addressee.name == name)
    }
}

impl Addressee {
    /// The host that posts go to. The rest of an address may be secret.
    pub fn host(&self) -> &str {
        match &self.way {
            Way::Hook(hook) => &hook.host,
            Way::Mail(mail) => &mail.host,
        }
    }

    /// Whether posts are signed.
    pub fn is_signed(&self) -> bool {
        matches!(&self.way, Way::Hook(hook) if hook.key.is_some())
    }
}
