//! Pages for people without scripts: signing in, and setting a password with an invitation.

use axum::extract::{ConnectInfo, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;
use tenon_wire::Secret;

use super::session::{begin, checked, end};
use super::{ApiError, Context, Fields, Shared};
use crate::access::MAX_PASSWORD;
use crate::clock::clock;
use crate::pages::short;
use crate::tls::Client;

/// What the sign-in form sends.
#[derive(Deserialize)]
pub(super) struct SignInForm {
    name: String,
    password: String,
}

/// What the welcome form sends.
#[derive(Deserialize)]
pub(super) struct WelcomeForm {
    name: String,
    code: String,
    password: String,
    again: String,
}

fn wrong(message: Option<&str>) -> Markup {
    html! { @if let Some(message) = message { p.wrong role="alert" { (message) } } }
}

fn sign_in_page(status: StatusCode, name: &str, problem: Option<&str>) -> Response {
    let body = html! {
        (wrong(problem))
        form method="post" action="/sign-in" {
            label { "Name " input name="name" value=(name) autocomplete="username" required autofocus; }
            label {
                "Password "
                input name="password" type="password" maxlength=(MAX_PASSWORD) autocomplete="current-password" required;
            }
            button { "Sign in" }
        }
        p.sub {
            "On the machine that runs Tenon, the link that " code { "tenon up" } " printed signs you in, too. With a code from an \
             admin, " a href="/welcome" { "set a password" } " first."
        }
    };
    short(status, "Sign in", &body)
}

fn welcome_page(status: StatusCode, name: &str, problem: Option<&str>) -> Response {
    let new = |name: &str, least: Option<u8>| {
        html! {
            input name=(name) type="password" minlength=[least] maxlength=(MAX_PASSWORD) autocomplete="new-password" required;
        }
    };
    let body = html! {
        (wrong(problem))
        form method="post" action="/welcome" {
            label { "Name " input name="name" value=(name) autocomplete="username" required; }
            label { "Code from the admin " input name="code" autocomplete="one-time-code" required; }
            label { "New password " (new("password", Some(12))) }
            label { "Once more " (new("again", None)) }
            button { "Set it and sign in" }
        }
    };
    short(status, "Set a password", &body)
}

/// To the queue, with a cookie.
fn on(cookie: impl Into<String>, to: &'static str) -> Response {
    (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie.into()), (LOCATION, to.to_owned())]).into_response()
}

pub(super) async fn ask() -> Response {
    sign_in_page(StatusCode::OK, "", None)
}

pub(super) async fn sign_in(
    State(context): State<Shared>,
    ConnectInfo(client): ConnectInfo<Client>,
    Fields(SignInForm { name, password }): Fields<SignInForm>,
) -> Result<Response, ApiError> {
    match checked(&context, client, &name, Secret::new(password)).await? {
        Some(person) => Ok(on(begin(&context, &person)?, "/")),
        None => Ok(sign_in_page(StatusCode::UNAUTHORIZED, &name, Some("Name or password is wrong."))),
    }
}

pub(super) async fn sign_out(
    State(context): State<Shared>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    Ok(on(end(&context, &headers)?, "/sign-in"))
}

pub(super) async fn welcome() -> Response {
    welcome_page(StatusCode::OK, "", None)
}

pub(super) async fn accept(
    State(context): State<Shared>,
    ConnectInfo(client): ConnectInfo<Client>,
    Fields(WelcomeForm { name, code, password, again }): Fields<WelcomeForm>,
) -> Result<Response, ApiError> {
    context.signing_in_from.take(&client.address.to_string()).map_err(super::guard::too_many)?;
    if password != again {
        return Ok(welcome_page(StatusCode::BAD_REQUEST, &name, Some("The two passwords differ.")));
    }
    match accepted(&context, &name, &Secret::new(code.trim().to_owned()), Secret::new(password)).await? {
        Ok(cookie) => Ok(on(cookie, "/")),
        Err(problem) => Ok(welcome_page(StatusCode::BAD_REQUEST, &name, Some(&problem))),
    }
}

/// The cookie of a new session, or what is wrong in words.
async fn accepted(
    context: &Context,
    name: &str,
    code: &Secret,
    password: Secret,
) -> Result<Result<String, String>, ApiError> {
    let hash = match context.passwords.hash(password).await {
        Ok(hash) => hash,
        Err(error) => return Ok(Err(error.to_string())),
    };
    match context.people.accept(name, code, &hash, clock())? {
        Some(user) => {
            tracing::info!(person = %user.id, "password set");
            begin(context, &user.id).map(Ok)
        }
        None => Ok(Err(
            "This code is not yours, was used, or has expired: ask an admin for a new one.".to_owned()
        )),
    }
}
