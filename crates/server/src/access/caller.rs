//! Who asks.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tenon_model::{Person, Role};

use super::roles::{Right, Roles};
use crate::api::{ApiError, Code};

/// Who asks, as the guard found out. Handlers take it as an argument; without a guard there is none.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The opaque id under which the record knows the person.
    pub(crate) person: Person,
    /// The name the person signs in with.
    pub(crate) name: String,
    /// Those of the person.
    roles: Roles,
    /// Those of the token, where one is used: it can do less than its person, never more.
    scope: Option<Roles>,
    /// By what the caller was known.
    pub(crate) via: Via,
}

/// By what a caller is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// A session's cookie.
    Session,
    /// A token.
    Token,
    /// Nothing: reading is open here.
    Nothing,
}

impl Caller {
    pub(crate) fn new(person: Person, name: String, roles: Roles, scope: Option<Roles>, via: Via) -> Self {
        Self { person, name, roles, scope, via }
    }

    pub(crate) fn may(&self, right: Right) -> bool {
        self.roles.may(right) && self.scope.as_ref().is_none_or(|scope| scope.may(right))
    }

    /// The rights, in their order.
    pub(crate) fn rights(&self) -> Vec<Right> {
        self.roles.rights().into_iter().filter(|right| self.may(*right)).collect()
    }

    /// The roles in which something is done: a token's are its own.
    pub(crate) fn acting_roles(&self) -> BTreeSet<Role> {
        self.scope.as_ref().unwrap_or(&self.roles).iter().collect()
    }

    /// The person's roles.
    pub(crate) fn roles(&self) -> &Roles {
        &self.roles
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let missing = || ApiError::new(Code::NotSignedIn, "nobody is signed in");
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}
