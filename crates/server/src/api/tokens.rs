//! Tokens for programs: a person's own, with a scope.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::users::parse_roles;
use super::{ApiError, Code, Input, Shared};
use crate::access::{Caller, NewToken, Right, Token, Via};
use crate::clock::clock;

/// Longest label, in characters.
const MAX_LABEL: usize = 100;
/// Longest life, in seconds: a token that nobody renews ends.
const LONGEST: u32 = 366 * 24 * 3_600;

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    /// As in tok_0123...
    pub id: String,
    /// Whose it is: an opaque id.
    pub user: String,
    /// What it is for.
    pub label: String,
    /// What it may be used for, as far as its person may.
    pub roles: Vec<String>,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339; absent when it does not end by itself.
    pub expires: Option<String>,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        Self {
            id: token.id,
            user: token.user.to_string(),
            label: token.label,
            roles: token.roles.names(),
            created: token.created.to_string(),
            expires: token.expires.map(|time| time.to_string()),
        }
    }
}

/// A token with its secret, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewTokenView {
    /// The token.
    pub token: TokenView,
    /// What a program sends as `Authorization: Bearer ...`.
    pub secret: String,
}

/// A new token.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewTokenBody {
    /// What it is for.
    label: String,
    /// What it may be used for.
    roles: Vec<String>,
    /// How long it lives; at most a year.
    expires_seconds: u32,
}

/// The own tokens; for those who administer, all.
#[utoipa::path(get, path = "/api/v1/tokens", responses((status = OK, body = Vec<TokenView>)))]
pub(super) async fn tokens(
    State(context): State<Shared>,
    caller: Caller,
) -> Result<Json<Vec<TokenView>>, ApiError> {
    let of = (!caller.may(Right::Administer)).then_some(&caller.person);
    Ok(Json(context.people.tokens(of)?.into_iter().map(TokenView::from).collect()))
}

/// Make a token. It can do what both its roles and its person's allow.
#[utoipa::path(post, path = "/api/v1/tokens", request_body = NewTokenBody, responses((status = OK, body = NewTokenView)))]
pub(super) async fn new_token(
    State(context): State<Shared>,
    caller: Caller,
    Input(body): Input<NewTokenBody>,
) -> Result<Json<NewTokenView>, ApiError> {
    // A token that leaked must not be able to make itself a longer life.
    if caller.via == Via::Token && !caller.may(Right::Administer) {
        return Err(ApiError::new(
            Code::NoRights,
            "tokens are made by people who are signed in, or by an admin's token",
        ));
    }
    let roles = parse_roles(&body.roles)?;
    if let Some(right) = roles.rights().into_iter().find(|right| !caller.may(*right)) {
        let message =
            format!("a token can do no more than its person: {} may not {}", caller.name, right.name());
        return Err(ApiError::new(Code::NoRights, message));
    }
    if !(1..=LONGEST).contains(&body.expires_seconds) {
        return Err(ApiError::bad_request(format!(
            "a token lives 1 to {LONGEST} seconds, not {}",
            body.expires_seconds
        )));
    }
    if body.label.chars().count() > MAX_LABEL || body.label.chars().any(char::is_control) {
        return Err(ApiError::bad_request(format!("a label has at most {MAX_LABEL} printable characters")));
    }
    let now = clock();
    let new = NewToken {
        user: &caller.person,
        label: &body.label,
        roles: &roles,
        expires: Some(now.plus_seconds(body.expires_seconds)),
    };
    let (token, secret) = context.people.new_token(&new, now)?;
    tracing::info!(by = %caller.person, token = token.id, "token made");
    Ok(Json(NewTokenView { token: token.into(), secret: secret.expose().to_owned() }))
}

/// End a token.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", params(("id" = String, Path, description = "as in tok_0123...")),
    responses((status = NO_CONTENT), (status = NOT_FOUND)))]
pub(super) async fn revoke_token(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let of = (!caller.may(Right::Administer)).then_some(&caller.person);
    if !context.people.revoke(&id, of)? {
        return Err(ApiError::not_found(format!("you have no token {id:?}")));
    }
    tracing::info!(by = %caller.person, token = id, "token revoked");
    Ok(StatusCode::NO_CONTENT)
}
