//! The address of a database, which may hold a password and therefore cannot be printed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use postgres::Config;
use postgres::config::{Host, SslMode};

/// The address of a PostgreSQL database: `postgres://USER@HOST:PORT/DATABASE`. Printing it shows no password.
#[derive(Clone)]
pub struct PostgresUrl(Box<Config>);

/// A text that is no address of a database. It is not repeated here: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostgresUrlError {
    /// Not a URL of this kind.
    #[error(
        "this is not the address of a PostgreSQL database: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, \
         with %2F for each slash of a socket's folder as HOST, and other signs of a password as %XX"
    )]
    Malformed,
    /// A part is missing that would otherwise be guessed from the environment.
    #[error("the address of the PostgreSQL database names no {0}: write postgres://USER@HOST:PORT/DATABASE")]
    Missing(&'static str),
    /// What would travel unprotected.
    #[error(
        "Tenon does not yet speak TLS to PostgreSQL, and this database is on another machine: reach it through a socket, \
         loopback or a tunnel; on a network that nobody else is on, say so with ?sslmode=disable"
    )]
    Unprotected,
    /// What Tenon cannot do.
    #[error(
        "Tenon does not yet speak TLS to PostgreSQL: leave sslmode=require out, and reach the database through a \
         socket, loopback or a tunnel"
    )]
    NoTls,
}

impl PostgresUrl {
    /// How to connect, without TLS.
    pub(super) fn config(&self) -> Config {
        let mut config = Config::clone(&self.0);
        config.ssl_mode(SslMode::Disable);
        config
    }

    /// Its place in messages.
    pub(super) fn place(&self) -> PathBuf {
        PathBuf::from(self.to_string())
    }
}

impl FromStr for PostgresUrl {
    type Err = PostgresUrlError;

    fn from_str(text: &str) -> Result<Self, PostgresUrlError> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(PostgresUrlError::Malformed);
        }
        // The parser's own message may repeat a part of the text.
        let config: Config = text.parse().map_err(|_| PostgresUrlError::Malformed)?;
        if config.get_user().is_none() {
            return Err(PostgresUrlError::Missing("user"));
        }
        if config.get_dbname().is_none() {
            return Err(PostgresUrlError::Missing("database"));
        }
        if config.get_hosts().is_empty() {
            return Err(PostgresUrlError::Missing("host"));
        }
        let local = |host: &Host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name == "localhost"
                    || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
            }
        };
        let local = config.get_hosts().iter().all(local)
            && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback);
        match config.get_ssl_mode() {
            SslMode::Disable => {}
            // The default, where nothing is said.
            SslMode::Prefer if local => {}
            SslMode::Prefer => return Err(PostgresUrlError::Unprotected),
            _ => return Err(PostgresUrlError::NoTls),
        }
        Ok(Self(Box::new(config)))
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres://{}@", self.0.get_user().unwrap_or_default())?;
        for (n, host) in self.0.get_hosts().iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                Host::Unix(folder) => write!(f, "{comma}{}", folder.display())?,
            }
            // One port stands for every host, none for the usual one.
            let ports = self.0.get_ports();
            if let Some(port) = ports.get(n).or(ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.0.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}
