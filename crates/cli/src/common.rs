//! What every command knows: where the data is, where the server is, how to print.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use tenon_journal::Store;
use tenon_wire::Secret;

use crate::sessions::Sessions;

#[cfg(feature = "demo")]
pub(crate) use tenon_program::log_lines_to_stderr;
pub(crate) use tenon_program::{Format, document, log_to_stderr};

/// Heading of the help for what every command takes.
const EVERYWHERE: &str = "Everywhere";

#[derive(Clone, Args)]
pub(crate) struct Common {
    /// The data folder [default: /var/lib/tenon as root, otherwise ~/.local/share/tenon]
    #[arg(long, global = true, env = "TENON_DATA", value_name = "FOLDER", help_heading = EVERYWHERE)]
    pub(crate) data: Option<PathBuf>,
    /// Address of the server's API [default: the server of the last `tenon login`, otherwise http://127.0.0.1:8420]
    #[arg(long, global = true, env = "TENON_URL", value_name = "URL", help_heading = EVERYWHERE)]
    pub(crate) url: Option<String>,
    /// Certificate (PEM) of the authority that the server's TLS is trusted by, in place of the public ones.
    #[arg(long, global = true, env = "TENON_CA", value_name = "FILE", help_heading = EVERYWHERE)]
    pub(crate) ca: Option<PathBuf>,
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value = "text", help_heading = EVERYWHERE)]
    pub(crate) format: Format,
}

impl Common {
    /// Address of the server that is asked.
    pub(crate) fn url(&self) -> String {
        let named = self.url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
        // Without a file of sessions, or a home for it, nobody has signed in anywhere.
        let last = || Sessions::read().ok().and_then(|sessions| sessions.current);
        named.or_else(last).unwrap_or_else(|| "http://127.0.0.1:8420".to_owned())
    }

    /// The data folder.
    pub(crate) fn data(&self) -> Result<PathBuf> {
        if let Some(data) = &self.data {
            return Ok(data.clone());
        }
        if rustix::process::geteuid().is_root() {
            return Ok(PathBuf::from("/var/lib/tenon"));
        }
        let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share"));
        let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home);
        Ok(base.context("no home folder is known: name a data folder with --data")?.join("tenon"))
    }

    /// The folder of the store of feeds: the one that is named, or that of the data folder.
    pub(crate) fn store(&self, named: Option<&Path>) -> Result<PathBuf> {
        match named {
            Some(folder) => Ok(folder.to_owned()),
            None => Ok(self.data()?.join("feeds")),
        }
    }
}

/// Of when an answer is.
#[derive(Args)]
pub(crate) struct AsOf {
    /// What the record said then: a day or time (a time without a fraction is the whole second), or the number of an entry of
    /// `tenon log`.
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
}

/// Where the record is kept, for the commands that open it themselves.
#[derive(Args)]
pub(crate) struct RecordStore {
    /// Where the record is kept: a PostgreSQL database, as postgres://USER:PASSWORD@HOST:PORT/DATABASE. Others on this machine can
    /// read a command line: with a password, better in the environment [default: a file in the data folder]
    // Not parsed by clap, which would print it with its error.
    #[arg(long, env = "TENON_STORE", hide_env_values = true, value_name = "ADDRESS")]
    store: Option<Hidden>,
}

/// A text that may hold a password.
#[derive(Clone)]
struct Hidden(Secret);

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(Secret::new(text))
    }
}

impl RecordStore {
    /// The store that was named, if any.
    pub(crate) fn named(&self) -> Result<Option<Store>> {
        Ok(self.store.as_ref().map(|address| Store::at(address.0.expose())).transpose()?)
    }
}
