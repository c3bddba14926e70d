//! Signing in and out, over JSON; `sign_in` does the same for people without scripts.

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use tenon_model::Person;
use tenon_wire::Secret;
use utoipa::ToSchema;

use super::guard::{COOKIE, NO_COOKIE, session_of, too_many};
use super::{ApiError, Code, Context, Input, Shared};
use crate::access::{Caller, Right, Via};
use crate::clock::clock;
use crate::tls::Client;

/// Name and password, or nothing where the request carries a token.
#[derive(Deserialize, ToSchema)]
pub(super) struct SignIn {
    /// The name to sign in with.
    name: Option<String>,
    /// The password.
    password: Option<String>,
}

/// A new password in place of an old one.
#[derive(Deserialize, ToSchema)]
pub(super) struct NewPassword {
    /// The old one.
    old: String,
    /// The new one.
    new: String,
}

/// Who asks, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// Opaque id, as the record names the person.
    pub id: String,
    /// The name they sign in with.
    pub name: String,
    /// Their roles.
    pub roles: Vec<String>,
    /// `read`, `assess`, `operate`, `approve`, `audit`, `administer`.
    pub rights: Vec<String>,
    /// `session`, `token`, or `nothing` where reading is open.
    pub via: String,
}

impl SessionView {
    fn of(caller: &Caller) -> Self {
        let via = match caller.via {
            Via::Session => "session",
            Via::Token => "token",
            Via::Nothing => "nothing",
        };
        Self {
            id: caller.person.to_string(),
            name: caller.name.clone(),
            roles: caller.roles().names(),
            rights: caller.rights().into_iter().map(|right| right.name().to_owned()).collect(),
            via: via.to_owned(),
        }
    }
}

/// Whether name and password are right; takes as long for a name that nobody has.
pub(super) async fn checked(
    context: &Context,
    client: Client,
    name: &str,
    password: Secret,
) -> Result<Option<Person>, ApiError> {
    let address = client.address.to_string();
    let account = name.to_lowercase();
    // The address first: who is over its bound fills no bucket of an account.
    context.signing_in_from.take(&address).map_err(too_many)?;
    context.signing_in_as.take(&account).map_err(too_many)?;
    let known = context.people.password(name).map_err(|error| ApiError::internal(&error))?;
    let hash = known.as_ref().and_then(|(_, hash)| hash.clone());
    let right = context.passwords.verify(password, hash).await.map_err(|error| ApiError::internal(&error))?;
    match known {
        Some((person, _)) if right => {
            context.signing_in_as.forgive(&account);
            context.writer.metrics().signed_in(true);
            tracing::info!(%person, "signed in");
            Ok(Some(person))
        }
        _ => {
            context.writer.metrics().signed_in(false);
            tracing::warn!(address, "a sign-in failed");
            Ok(None)
        }
    }
}

/// A new session's cookie. It is out of reach of scripts and of requests from elsewhere.
pub(super) fn begin(context: &Context, person: &Person) -> Result<String, ApiError> {
    let secret = context.people.begin(person, clock()).map_err(|error| ApiError::internal(&error))?;
    let secure = if context.secure { "; Secure" } else { "" };
    Ok(format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict{secure}", secret.expose()))
}

/// Ends the session that the cookie names, and gives the cookie that takes it from the browser.
pub(super) fn end(context: &Context, headers: &HeaderMap) -> Result<&'static str, ApiError> {
    if let Some(secret) = session_of(headers) {
        context.people.end(&secret.digest()).map_err(|error| ApiError::internal(&error))?;
    }
    Ok(NO_COOKIE)
}

/// Who asks, and what they may do.
#[utoipa::path(get, path = "/api/v1/session", responses((status = OK, body = SessionView)))]
pub(super) async fn who_am_i(caller: Caller) -> Json<SessionView> {
    Json(SessionView::of(&caller))
}

/// Sign in: with name and password, or with a token in the `Authorization` header, which the cookie of a session then
/// stands for.
#[utoipa::path(post, path = "/api/v1/session", request_body = SignIn,
    responses((status = NO_CONTENT, description = "the session's cookie"), (status = UNAUTHORIZED)))]
pub(super) async fn sign_in(
    State(context): State<Shared>,
    ConnectInfo(client): ConnectInfo<Client>,
    headers: HeaderMap,
    Input(body): Input<SignIn>,
) -> Result<Response, ApiError> {
    let wrong = |message: &str| ApiError::new(Code::NotSignedIn, message);
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let person = match (bearer, body.name, body.password) {
        (Some(bearer), None, None) => {
            context.asking.take(&client.address.to_string()).map_err(too_many)?;
            let token = Secret::new(bearer.strip_prefix("Bearer ").unwrap_or_default().trim().to_owned());
            let caller =
                context.people.of_token(&token, clock()).map_err(|error| ApiError::internal(&error))?;
            // A session has all of its person's rights, so only a token that has them may begin one.
            let caller = caller.filter(|caller| caller.may(Right::Administer));
            caller.map(|caller| caller.person).ok_or_else(|| wrong("this token begins no session"))?
        }
        (None, Some(name), Some(password)) => {
            let person = checked(&context, client, &name, Secret::new(password)).await?;
            person.ok_or_else(|| wrong("name or password is wrong"))?
        }
        _ => return Err(ApiError::bad_request("give a name and a password, or a token as bearer")),
    };
    let cookie = begin(&context, &person)?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// Sign out: ends the session.
#[utoipa::path(delete, path = "/api/v1/session", responses((status = NO_CONTENT)))]
pub(super) async fn sign_out(
    State(context): State<Shared>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let cookie = end(&context, &headers)?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// Change the own password. Every session of the person ends, this one too.
#[utoipa::path(post, path = "/api/v1/session/password", request_body = NewPassword,
    responses((status = NO_CONTENT), (status = UNAUTHORIZED)))]
pub(super) async fn change_password(
    State(context): State<Shared>,
    ConnectInfo(client): ConnectInfo<Client>,
    caller: Caller,
    Input(body): Input<NewPassword>,
) -> Result<StatusCode, ApiError> {
    let right = checked(&context, client, &caller.name, Secret::new(body.old)).await?;
    if right.as_ref() != Some(&caller.person) {
        return Err(ApiError::new(Code::NotSignedIn, "the old password is wrong"));
    }
    let hash = context.passwords.hash(Secret::new(body.new)).await;
    let hash = hash.map_err(|error| ApiError::bad_request(error.to_string()))?;
    let set = context.people.set_password(&caller.person.to_string(), &hash);
    set.map_err(|error| ApiError::internal(&error))?;
    Ok(StatusCode::NO_CONTENT)
}
