//! How this program is known to servers: the sessions that `tenon login` began, a token, or the data folder's own.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tenon_server::DataFolder;
use tenon_wire::Secret;

use crate::common::Common;

/// Largest file of sessions that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// A token for programs, see `tenon token new`.
const TOKEN: &str = "TENON_TOKEN";

/// What is sent with every request.
pub(crate) enum Credential {
    /// The secret of a session, for its cookie.
    Session(Secret),
    /// A token.
    Token(Secret),
}

/// Sessions by server, in a file of this user alone.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Sessions {
    /// The server that was signed in to last: the one that is asked where nobody names one.
    pub(crate) current: Option<String>,
    secrets: BTreeMap<String, String>,
}

fn file() -> Result<PathBuf> {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".config"));
    let base = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home);
    Ok(base
        .context("no home folder is known for the file of sessions: set HOME")?
        .join("tenon/sessions.json"))
}

impl Sessions {
    /// Those of the file; none where there is no file.
    pub(crate) fn read() -> Result<Self> {
        let path = file()?;
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let mut text = String::new();
        file.take(MAX_FILE).read_to_string(&mut text).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| {
            format!("{} is no file of sessions: remove it and sign in again", path.display())
        })
    }

    fn write(&self) -> Result<()> {
        let path = file()?;
        let shown = || path.display().to_string();
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(shown)?;
        }
        let new = path.with_extension("new");
        // Of an earlier attempt that broke off: its mode is not known.
        let _old = fs::remove_file(&new);
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).with_context(shown)?;
        file.write_all(&serde_json::to_vec(self)?).and_then(|()| file.sync_all()).with_context(shown)?;
        fs::rename(&new, &path).with_context(shown)
    }

    /// Keeps a session.
    pub(crate) fn keep(mut self, url: &str, secret: &Secret) -> Result<()> {
        self.secrets.insert(url.to_owned(), secret.expose().to_owned());
        self.current = Some(url.to_owned());
        self.write()
    }

    /// Forgets the session with a server.
    pub(crate) fn forget(mut self, url: &str) -> Result<()> {
        self.secrets.remove(url);
        if self.current.as_deref() == Some(url) {
            self.current = None;
        }
        self.write()
    }
}

/// Whether a server's address is this machine.
pub(crate) fn is_here(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(name, port)| match port.parse::<u16>() {
        Ok(_) => name,
        Err(_) => host,
    });
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Credential {
    /// What this program is known by to a server: a token from the environment, else the session of `tenon login`, else, on
    /// this machine alone, the token in the data folder. `None` asks as nobody.
    pub(crate) fn find(common: &Common, url: &str) -> Result<Option<Self>> {
        if let Ok(token) = std::env::var(TOKEN) {
            return Ok(Some(Self::Token(Secret::new(token.trim().to_owned()))));
        }
        // Without a home there is no file of sessions.
        if let Some(secret) = Sessions::read().ok().and_then(|sessions| sessions.secrets.get(url).cloned()) {
            return Ok(Some(Self::Session(Secret::new(secret))));
        }
        if !is_here(url) {
            return Ok(None);
        }
        let token = DataFolder::existing(&common.data()?).and_then(|folder| folder.existing_operator_token());
        Ok(token.ok().map(Self::Token))
    }

    /// The headers that say so.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Token(token) => vec![("authorization", format!("Bearer {}", token.expose()))],
            // The second header is one that no page elsewhere can send.
            Self::Session(secret) => vec![
                ("cookie", format!("tenon_session={}", secret.expose())),
                ("x-tenon-request", "tenon".to_owned()),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_here() {
        for here in
            ["http://127.0.0.1:8420", "https://localhost", "http://[::1]:8420", "http://localhost:1/x"]
        {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in
            ["http://10.0.0.1:8420", "https://localhost.example.org", "http://127.0.0.1.example.org:80", ""]
        {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
