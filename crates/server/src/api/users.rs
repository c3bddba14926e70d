//! People: who they are, their roles, and the invitations with which they set a password.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ApiError, Code, Input, Shared};
use crate::access::{Caller, Invitation, PeopleError, Roles, User};
use crate::clock::clock;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserView {
    /// Opaque id, as the record names the person.
    pub id: String,
    /// The name they sign in with.
    pub name: String,
    /// Their roles.
    pub roles: Vec<String>,
    /// Whether they have set a password.
    pub has_password: bool,
    /// When they were added, RFC 3339.
    pub created: String,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            name: user.name,
            roles: user.roles.names(),
            has_password: user.has_password,
            created: user.created.to_string(),
        }
    }
}

/// A code with which a person sets a password at `/welcome`, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationView {
    /// For whom.
    pub user: UserView,
    /// The code: one use.
    pub code: String,
    /// Not accepted from then on, RFC 3339.
    pub expires: String,
}

impl InvitationView {
    fn of(user: User, invitation: &Invitation) -> Self {
        Self {
            user: user.into(),
            code: invitation.code.expose().to_owned(),
            expires: invitation.expires.to_string(),
        }
    }
}

/// Somebody new.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct UserBody {
    /// The name to sign in with.
    name: String,
    /// `viewer`, `analyst`, `operator`, `approver`, `sensor`, `auditor`, `admin`.
    roles: Vec<String>,
}

/// Other roles.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct RolesBody {
    /// All that the person is to have.
    roles: Vec<String>,
}

impl From<PeopleError> for ApiError {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Unknown(_) => Self::not_found(error.to_string()),
            PeopleError::Taken(_) | PeopleError::Owner(_) | PeopleError::Name(_) => {
                Self::bad_request(error.to_string())
            }
            error => Self::internal(&error),
        }
    }
}

pub(super) fn parse_roles(names: &[String]) -> Result<Roles, ApiError> {
    let roles = Roles::parse(names.iter().map(String::as_str));
    let roles = roles.map_err(|error| ApiError::bad_request(error.to_string()))?;
    match roles.is_empty() {
        true => Err(ApiError::bad_request("name at least one role")),
        false => Ok(roles),
    }
}

/// Everybody, the oldest first.
#[utoipa::path(get, path = "/api/v1/users", responses((status = OK, body = Vec<UserView>)))]
pub(super) async fn users(State(context): State<Shared>) -> Result<Json<Vec<UserView>>, ApiError> {
    Ok(Json(context.people.users()?.into_iter().map(UserView::from).collect()))
}

/// Add somebody, who sets a password with the invitation.
#[utoipa::path(post, path = "/api/v1/users", request_body = UserBody, responses((status = OK, body = InvitationView)))]
pub(super) async fn add_user(
    State(context): State<Shared>,
    caller: Caller,
    Input(body): Input<UserBody>,
) -> Result<Json<InvitationView>, ApiError> {
    let (user, invitation) = context.people.add(&body.name, &parse_roles(&body.roles)?, clock())?;
    tracing::info!(by = %caller.person, user = %user.id, roles = body.roles.join(" "), "user added");
    Ok(Json(InvitationView::of(user, &invitation)))
}

/// A new invitation, for a forgotten password. The one before it is void.
#[utoipa::path(post, path = "/api/v1/users/{id}/invitation", params(("id" = String, Path, description = "as in usr_0123...")),
    responses((status = OK, body = InvitationView), (status = NOT_FOUND)))]
pub(super) async fn invite(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<InvitationView>, ApiError> {
    let invitation = context.people.invite(&id, clock())?;
    let user = context.people.users()?.into_iter().find(|user| user.id.to_string() == id);
    let user = user.ok_or_else(|| ApiError::new(Code::NotFound, format!("{id} is gone")))?;
    tracing::info!(by = %caller.person, user = %user.id, "user invited again");
    Ok(Json(InvitationView::of(user, &invitation)))
}

/// Give somebody other roles.
#[utoipa::path(post, path = "/api/v1/users/{id}/roles", params(("id" = String, Path, description = "as in usr_0123...")),
    request_body = RolesBody, responses((status = OK, body = UserView), (status = NOT_FOUND)))]
pub(super) async fn set_roles(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Input(body): Input<RolesBody>,
) -> Result<Json<UserView>, ApiError> {
    let user = context.people.set_roles(&id, &parse_roles(&body.roles)?)?;
    tracing::info!(by = %caller.person, user = %user.id, roles = body.roles.join(" "), "roles changed");
    Ok(Json(user.into()))
}

/// Erase somebody: name, password, sessions, tokens. The record keeps the opaque id.
#[utoipa::path(delete, path = "/api/v1/users/{id}", params(("id" = String, Path, description = "as in usr_0123...")),
    responses((status = NO_CONTENT), (status = NOT_FOUND)))]
pub(super) async fn remove_user(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    context.people.remove(&id)?;
    tracing::info!(by = %caller.person, user = id, "user erased");
    Ok(StatusCode::NO_CONTENT)
}
