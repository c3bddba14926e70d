//! Tokens for programs: of a person, with a scope, hashed.

use rusqlite::{OptionalExtension as _, params};
use tenon_model::{Person, Timestamp};
use tenon_wire::Secret;

use super::caller::{Caller, Via};
use super::people::{People, PeopleError, person, roles};
use super::roles::{Role, Roles};
use crate::folder::random_secret;

/// What a token begins with, so that scanners for leaked secrets find it.
const PREFIX: &str = "tenon_";
/// The token in the data folder's file `operator.token`, of the folder's owner.
const OPERATOR: &str = "operator";

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) user: Person,
    pub(crate) label: String,
    pub(crate) roles: Roles,
    pub(crate) created: Timestamp,
    pub(crate) expires: Option<Timestamp>,
}

/// What a new token is to be.
#[derive(Debug)]
pub(crate) struct NewToken<'a> {
    pub(crate) user: &'a Person,
    pub(crate) label: &'a str,
    pub(crate) roles: &'a Roles,
    pub(crate) expires: Option<Timestamp>,
}

impl People {
    /// Makes a token and gives its secret, which is not kept.
    pub(crate) fn new_token(
        &self,
        new: &NewToken<'_>,
        now: Timestamp,
    ) -> Result<(Token, Secret), PeopleError> {
        let secret = Secret::new(format!("{PREFIX}{}", random_secret()?.expose()));
        let id = format!("tok_{}", &random_secret()?.expose()[..12]);
        self.put_token(&id, new, &secret, now)?;
        let token = Token {
            id,
            user: new.user.clone(),
            label: new.label.to_owned(),
            roles: new.roles.clone(),
            created: now,
            expires: new.expires,
        };
        Ok((token, secret))
    }

    fn put_token(
        &self,
        id: &str,
        new: &NewToken<'_>,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<(), PeopleError> {
        self.lock().execute(
            "INSERT OR REPLACE INTO token (id, digest, user, label, roles, created, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                id,
                secret.digest().as_bytes(),
                new.user.to_string(),
                new.label,
                new.roles.names().join(" "),
                now.as_millis(),
                new.expires.map(Timestamp::as_millis)
            ],
        )?;
        Ok(())
    }

    /// Lets the secret of the data folder's file stand for the folder's owner.
    pub(crate) fn keep_operator_token(&self, secret: &Secret, now: Timestamp) -> Result<(), PeopleError> {
        let owner = self.owner()?.ok_or_else(|| PeopleError::Damaged("no owner".to_owned()))?;
        let roles = Roles::one(Role::Admin);
        let new = NewToken {
            user: &owner.id,
            label: "operator.token in the data folder",
            roles: &roles,
            expires: None,
        };
        self.put_token(OPERATOR, &new, secret, now)
    }

    /// The tokens of one person, or all.
    pub(crate) fn tokens(&self, of: Option<&Person>) -> Result<Vec<Token>, PeopleError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT id, user, label, roles, created, expires FROM token WHERE ?1 IS NULL OR user = ?1 ORDER BY created, id",
        )?;
        let mut rows = statement.query([of.map(Person::to_string)])?;
        let mut tokens = Vec::new();
        while let Some(row) = rows.next()? {
            tokens.push(Token {
                id: row.get(0)?,
                user: person(&row.get::<_, String>(1)?)?,
                label: row.get(2)?,
                roles: roles(&row.get::<_, String>(3)?)?,
                created: Timestamp::from_millis(row.get(4)?),
                expires: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
            });
        }
        Ok(tokens)
    }

    /// Ends a token, of this person where one is given; `false` when there is none.
    pub(crate) fn revoke(&self, id: &str, of: Option<&Person>) -> Result<bool, PeopleError> {
        let ended = self.lock().execute(
            "DELETE FROM token WHERE id = ?1 AND (?2 IS NULL OR user = ?2)",
            params![id, of.map(Person::to_string)],
        )?;
        Ok(ended > 0)
    }

    /// Whose token this is, if it has not expired. Digests are looked up, not secrets: how long that takes tells nothing
    /// of a secret.
    pub(crate) fn of_token(&self, secret: &Secret, now: Timestamp) -> Result<Option<Caller>, PeopleError> {
        let connection = self.lock();
        let row = connection
            .prepare_cached(
                "SELECT user.id, user.name, user.roles, token.roles FROM token JOIN user ON user.id = token.user
                 WHERE token.digest = ?1 AND (token.expires IS NULL OR token.expires > ?2)",
            )?
            .query_row(params![secret.digest().as_bytes(), now.as_millis()], |row| {
                Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
            });
        let Some((id, name, of_user, scope)) = row.optional()? else { return Ok(None) };
        Ok(Some(Caller::new(person(&id)?, name, roles(&of_user)?, Some(roles(&scope)?), Via::Token)))
    }
}
