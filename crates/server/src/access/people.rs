//! People and their sessions, kept apart from the record so that they can be erased.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};
use tenon_model::{Digest, Person, Timestamp};
use tenon_wire::Secret;

use super::caller::{Caller, Via};
use super::roles::{Role, Roles};
use super::schema;
use crate::folder::random_secret;

/// A session ends after so many seconds without a request, ...
const IDLE: u32 = 12 * 3_600;
/// ... and after so many in any case.
const LONGEST: u32 = 7 * 24 * 3_600;
/// Use is noted at most so often, in seconds: reading must not write each time.
const NOTED: u32 = 300;
/// An invitation can be used for so many seconds.
const INVITED: u32 = 24 * 3_600;
/// Longest name a person signs in with, in characters.
const MAX_NAME: usize = 64;

/// Why the file of people does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The file cannot be made.
    #[error("cannot open {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The failure.
        source: std::io::Error,
    },
    /// SQLite fails.
    #[error("people.sqlite: {0}")]
    Store(#[from] rusqlite::Error),
    /// A file of another release.
    #[error("{} is of version {version}, which this program does not know: use the release that wrote it", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: i64,
    },
    /// A stored value is not what it must be.
    #[error("people.sqlite holds {0}: restore it from a backup")]
    Damaged(String),
    /// The system's random source fails.
    #[error("no random number: {0}")]
    Random(#[from] std::io::Error),
    /// The name is taken.
    #[error("somebody signs in as {0:?} already: choose another name")]
    Taken(String),
    /// The name cannot be used.
    #[error("{0:?} is no name to sign in with: 1 to {MAX_NAME} letters, digits, or . _ @ + -")]
    Name(String),
    /// Nobody has this id.
    #[error("{0:?} is nobody here: look at `tenon user list`")]
    Unknown(String),
    /// The owner of the data folder has all rights anyhow.
    #[error(
        "{0} owns the data folder and stays an admin; remove the data folder's file operator.token instead"
    )]
    Owner(String),
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// The opaque id, as the record names the person.
    pub(crate) id: Person,
    pub(crate) name: String,
    pub(crate) roles: Roles,
    pub(crate) has_password: bool,
    pub(crate) created: Timestamp,
}

/// A code with which a person sets a password, once.
#[derive(Debug)]
pub(crate) struct Invitation {
    pub(crate) code: Secret,
    pub(crate) expires: Timestamp,
}

/// The file of people. Every question is answered from memory or a page of the file in microseconds, so handlers ask directly.
#[derive(Clone)]
pub(crate) struct People {
    connection: Arc<Mutex<Connection>>,
}

/// An opaque id that says nothing of the person.
fn new_id() -> Result<Person, PeopleError> {
    let secret = random_secret()?;
    let id = format!("usr_{}", &secret.expose()[..16]);
    id.parse().map_err(|_| PeopleError::Damaged(format!("the id {id}")))
}

fn valid_name(name: &str) -> Result<&str, PeopleError> {
    let shape = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '@' | '+' | '-');
    let good = (1..=MAX_NAME).contains(&name.chars().count()) && name.chars().all(shape);
    good.then_some(name).ok_or_else(|| PeopleError::Name(name.to_owned()))
}

pub(super) fn person(id: &str) -> Result<Person, PeopleError> {
    id.parse().map_err(|_| PeopleError::Damaged(format!("the id {id:?}")))
}

pub(super) fn roles(text: &str) -> Result<Roles, PeopleError> {
    let names = text.split(' ').filter(|name| !name.is_empty());
    Roles::parse(names).map_err(|error| PeopleError::Damaged(error.to_string()))
}

impl People {
    /// Opens the file. Its first user is the owner of the data folder, an admin under this name.
    ///
    /// # Errors
    /// When the file cannot be made, read or understood.
    pub(crate) fn open(path: &Path, owner: &Person, now: Timestamp) -> Result<Self, PeopleError> {
        let people = Self { connection: Arc::new(Mutex::new(schema::open(path)?)) };
        if people.owner()?.is_none() {
            let name = owner.to_string();
            let name = valid_name(&name).unwrap_or("operator");
            people.insert(&new_id()?, name, &Roles::one(Role::Admin), true, now)?;
        }
        Ok(people)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The owner of the data folder.
    pub(crate) fn owner(&self) -> Result<Option<User>, PeopleError> {
        Ok(self.select("WHERE owner = 1", [])?.pop())
    }

    fn insert(
        &self,
        id: &Person,
        name: &str,
        roles: &Roles,
        owner: bool,
        now: Timestamp,
    ) -> Result<(), PeopleError> {
        let row = params![id.to_string(), name, roles.names().join(" "), owner, now.as_millis()];
        let inserted = self.lock().execute(
            "INSERT INTO user (id, name, roles, owner, created) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name) DO NOTHING",
            row,
        )?;
        if inserted == 0 { Err(PeopleError::Taken(name.to_owned())) } else { Ok(()) }
    }

    fn select(&self, filter: &str, values: impl rusqlite::Params) -> Result<Vec<User>, PeopleError> {
        let connection = self.lock();
        let text = format!(
            "SELECT id, name, roles, password IS NOT NULL, created FROM user {filter} ORDER BY created, id"
        );
        let mut statement = connection.prepare_cached(&text)?;
        let mut rows = statement.query(values)?;
        let mut users = Vec::new();
        while let Some(row) = rows.next()? {
            users.push(User {
                id: person(&row.get::<_, String>(0)?)?,
                name: row.get(1)?,
                roles: roles(&row.get::<_, String>(2)?)?,
                has_password: row.get(3)?,
                created: Timestamp::from_millis(row.get(4)?),
            });
        }
        Ok(users)
    }

    /// Everybody, the oldest first.
    pub(crate) fn users(&self) -> Result<Vec<User>, PeopleError> {
        self.select("", [])
    }

    fn user(&self, id: &str) -> Result<User, PeopleError> {
        self.select("WHERE id = ?1", [id])?.pop().ok_or_else(|| PeopleError::Unknown(id.to_owned()))
    }

    fn not_owner(&self, id: &str) -> Result<User, PeopleError> {
        let user = self.user(id)?;
        match self.owner()?.is_some_and(|owner| owner.id == user.id) {
            true => Err(PeopleError::Owner(user.name)),
            false => Ok(user),
        }
    }

    /// Adds somebody, who sets a password with the invitation.
    ///
    /// # Errors
    /// When the name is taken or no name.
    pub(crate) fn add(
        &self,
        name: &str,
        roles: &Roles,
        now: Timestamp,
    ) -> Result<(User, Invitation), PeopleError> {
        let id = new_id()?;
        self.insert(&id, valid_name(name)?, roles, false, now)?;
        let id = id.to_string();
        Ok((self.user(&id)?, self.invite(&id, now)?))
    }

    /// A new invitation; the one before it is void.
    ///
    /// # Errors
    /// When nobody has this id.
    pub(crate) fn invite(&self, id: &str, now: Timestamp) -> Result<Invitation, PeopleError> {
        let user = self.user(id)?;
        let code = random_secret()?;
        let expires = now.plus_seconds(INVITED);
        self.lock().execute(
            "INSERT OR REPLACE INTO invitation (digest, user, expires) VALUES (?1, ?2, ?3)",
            params![code.digest().as_bytes(), user.id.to_string(), expires.as_millis()],
        )?;
        Ok(Invitation { code, expires })
    }

    /// Sets the password of the person of this name, who has an invitation; `None` when there is no such invitation. Ends all
    /// sessions of the person.
    pub(crate) fn accept(
        &self,
        name: &str,
        code: &Secret,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<User>, PeopleError> {
        let used = self.lock().query_row(
            "DELETE FROM invitation WHERE digest = ?1 AND expires > ?2 AND user = (SELECT id FROM user WHERE name = ?3)
             RETURNING user",
            params![code.digest().as_bytes(), now.as_millis(), name],
            |row| row.get::<_, String>(0),
        );
        let Some(id) = used.optional()? else { return Ok(None) };
        self.set_password(&id, hash)?;
        self.user(&id).map(Some)
    }

    /// Sets a password, and ends all sessions of the person.
    pub(crate) fn set_password(&self, id: &str, hash: &str) -> Result<(), PeopleError> {
        let connection = self.lock();
        connection.execute("UPDATE user SET password = ?2 WHERE id = ?1", params![id, hash])?;
        connection.execute("DELETE FROM session WHERE user = ?1", [id])?;
        Ok(())
    }

    /// Who has this name, and the hash of their password.
    pub(crate) fn password(&self, name: &str) -> Result<Option<(Person, Option<String>)>, PeopleError> {
        let row = self.lock().query_row("SELECT id, password FROM user WHERE name = ?1", [name], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?))
        });
        let Some((id, hash)) = row.optional()? else { return Ok(None) };
        Ok(Some((person(&id)?, hash)))
    }

    /// Gives somebody other roles.
    ///
    /// # Errors
    /// When nobody has this id, or it is the owner of the data folder.
    pub(crate) fn set_roles(&self, id: &str, roles: &Roles) -> Result<User, PeopleError> {
        self.not_owner(id)?;
        self.lock()
            .execute("UPDATE user SET roles = ?2 WHERE id = ?1", params![id, roles.names().join(" ")])?;
        self.user(id)
    }

    /// Erases somebody with sessions, tokens and invitation. The record keeps the opaque id.
    ///
    /// # Errors
    /// When nobody has this id, or it is the owner of the data folder.
    pub(crate) fn remove(&self, id: &str) -> Result<(), PeopleError> {
        self.not_owner(id)?;
        self.lock().execute("DELETE FROM user WHERE id = ?1", [id])?;
        Ok(())
    }

    /// Begins a session and gives its secret, which only the cookie holds.
    pub(crate) fn begin(&self, id: &Person, now: Timestamp) -> Result<Secret, PeopleError> {
        let secret = random_secret()?;
        let connection = self.lock();
        // Those that ended are of no more use to anybody.
        connection.execute(
            "DELETE FROM session WHERE used <= ?1 OR created <= ?2",
            params![before(now, IDLE), before(now, LONGEST)],
        )?;
        connection.execute(
            "INSERT INTO session (digest, user, created, used) VALUES (?1, ?2, ?3, ?3)",
            params![secret.digest().as_bytes(), id.to_string(), now.as_millis()],
        )?;
        Ok(secret)
    }

    /// Ends a session.
    pub(crate) fn end(&self, session: &Digest) -> Result<(), PeopleError> {
        self.lock().execute("DELETE FROM session WHERE digest = ?1", [session.as_bytes()])?;
        Ok(())
    }

    /// Whose session this is, if it has not ended.
    pub(crate) fn of_session(&self, secret: &Secret, now: Timestamp) -> Result<Option<Caller>, PeopleError> {
        let digest = secret.digest();
        let connection = self.lock();
        let row = connection
            .prepare_cached(
                "SELECT user.id, user.name, user.roles, session.used FROM session JOIN user ON user.id = session.user
                 WHERE session.digest = ?1 AND session.used > ?2 AND session.created > ?3",
            )?
            .query_row(params![digest.as_bytes(), before(now, IDLE), before(now, LONGEST)], |row| {
                Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get::<_, i64>(3)?))
            });
        let Some((id, name, of_user, used)) = row.optional()? else { return Ok(None) };
        if used <= before(now, NOTED) {
            connection.execute(
                "UPDATE session SET used = ?2 WHERE digest = ?1",
                params![digest.as_bytes(), now.as_millis()],
            )?;
        }
        Ok(Some(Caller::new(person(&id)?, name, roles(&of_user)?, None, Via::Session)))
    }
}

/// The time so many seconds before, in milliseconds.
fn before(now: Timestamp, seconds: u32) -> i64 {
    now.as_millis().saturating_sub(i64::from(seconds) * 1_000)
}
