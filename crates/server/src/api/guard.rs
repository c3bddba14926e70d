//! Who may ask what. Default deny: an operation that the table does not know is refused.

use std::net::IpAddr;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tenon_wire::Secret;

use super::{ApiError, Code, Context, Shared};
use crate::access::{Caller, Need, Right, Role, Roles, Via, methods_of, need_of};
use crate::clock::clock;
use crate::tls::Client;

/// The cookie of a session.
pub(super) const COOKIE: &str = "tenon_session";
/// What takes it from a browser.
pub(super) const NO_COOKIE: &str = "tenon_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";
/// A header that no page elsewhere can send without being asked first (Fetch standard, CORS preflight).
const OWN_HEADER: HeaderName = HeaderName::from_static("x-tenon-request");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses requests under a name that is not ours: a page elsewhere may resolve its own name to this address and
/// would otherwise read the answers (DNS rebinding).
pub(super) async fn known_host(State(context): State<Shared>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Whoever watches over Tenon may know only its address, and learns nothing of the estate.
    let watching = matches!(request.uri().path(), "/healthz" | "/readyz");
    if watching || context.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
        return next.run(request).await;
    }
    let message =
        format!("this Tenon is not served under the name {host:?}; known: {}", context.hosts.join(", "));
    ApiError::new(Code::UnknownHost, message).into_response()
}

/// Lets a request through to its operation when its caller may use that.
pub(super) async fn admit(State(context): State<Shared>, mut request: Request, next: Next) -> Response {
    match admitted(&context, &request) {
        Ok(Some(caller)) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Ok(None) => next.run(request).await,
        Err(error) => refused(&request, error),
    }
}

fn refused(request: &Request, error: ApiError) -> Response {
    let code = error.code;
    let mut response = error.into_response();
    let headers = response.headers_mut();
    match code {
        Code::MethodNotAllowed => {
            let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
            if let Ok(allowed) = HeaderValue::from_str(&methods_of(path).join(", ")) {
                headers.insert(header::ALLOW, allowed);
            }
        }
        // A cookie that is of no more use would only be in the way, where reading is open for one.
        Code::NotSignedIn if session_of(request.headers()).is_some() => {
            headers.insert(header::SET_COOKIE, HeaderValue::from_static(NO_COOKIE));
        }
        _ => {}
    }
    response
}

fn admitted(context: &Context, request: &Request) -> Result<Option<Caller>, ApiError> {
    let method = request.method();
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let Some(need) = need_of(method.as_str(), path) else {
        return Err(ApiError::new(Code::MethodNotAllowed, format!("{path} does not know {method}")));
    };
    let headers = request.headers();
    let changes = !matches!(*method, Method::GET | Method::HEAD);
    if need == Need::Nothing {
        // Nobody signs a person in, or out, from a page elsewhere. Programs say nothing of where they come from.
        let site = site(headers);
        return match changes && site == Site::Elsewhere {
            true => Err(foreign()),
            false => Ok(None),
        };
    }
    let found = caller(context, headers);
    // Whoever tries credentials is bounded like nobody.
    let key = match &found {
        Ok(Some(caller)) => caller.person.to_string(),
        _ => address(request).to_string(),
    };
    context.asking.take(&key).map_err(too_many)?;
    let caller = found?;
    let Some(caller) = caller else {
        let open = need == Need::Right(Right::Read) || !changes && path == "/api/v1/session";
        if context.open_reading && open {
            return nobody().map(Some);
        }
        let message = "sign in, open the link that `tenon up` printed, or use the `tenon` command";
        return Err(ApiError::new(Code::NotSignedIn, message));
    };
    if changes && caller.via == Via::Session && site(headers) != Site::Ours {
        return Err(foreign());
    }
    match need {
        Need::Right(right) if !caller.may(right) => {
            let message =
                format!("{} may not {}: that takes the role {}", caller.name, right.name(), right.given_by());
            Err(ApiError::new(Code::NoRights, message))
        }
        _ => Ok(Some(caller)),
    }
}

fn foreign() -> ApiError {
    let message =
        "a page elsewhere sent this, or a program that uses a cookie without the header `x-tenon-request`";
    ApiError::new(Code::ForeignOrigin, message)
}

pub(super) fn too_many(seconds: u64) -> ApiError {
    ApiError::new(Code::TooManyRequests, format!("too many requests: wait {seconds} s")).retry_after(seconds)
}

/// Whether a request that was let through before would still be: a stream must not outlive its session.
pub(super) fn still_reads(context: &Context, headers: &HeaderMap) -> bool {
    match caller(context, headers) {
        Ok(Some(caller)) => caller.may(Right::Read),
        Ok(None) => context.open_reading,
        Err(_) => false,
    }
}

/// Who asks. A credential that is given and wrong is no way to ask as nobody.
fn caller(context: &Context, headers: &HeaderMap) -> Result<Option<Caller>, ApiError> {
    let now = clock();
    let wrong = |what: &str| ApiError::new(Code::NotSignedIn, format!("{what}: sign in again"));
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
        let token = token.map(|token| Secret::new(token.trim().to_owned()));
        let token = token.ok_or_else(|| wrong("the Authorization header holds no bearer token"))?;
        let known = context.people.of_token(&token, now).map_err(|error| ApiError::internal(&error))?;
        return known.map(Some).ok_or_else(|| wrong("the token is unknown, revoked or expired"));
    }
    let Some(secret) = session_of(headers) else { return Ok(None) };
    let known = context.people.of_session(&secret, now).map_err(|error| ApiError::internal(&error))?;
    known.map(Some).ok_or_else(|| wrong("the session has ended"))
}

/// The secret of the session that the cookie names.
pub(super) fn session_of(headers: &HeaderMap) -> Option<Secret> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| Secret::new(value.to_owned()))
}

/// Where a request comes from, by what the browser says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Site {
    Ours,
    Elsewhere,
    /// Not a browser, or an old one.
    Unsaid,
}

fn site(headers: &HeaderMap) -> Site {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if headers.contains_key(&OWN_HEADER) {
        return Site::Ours;
    }
    match text(&FETCH_SITE) {
        Some("same-origin") => return Site::Ours,
        Some(_) => return Site::Elsewhere,
        None => {}
    }
    let host = text(&header::HOST).unwrap_or_default();
    match text(&header::ORIGIN) {
        // The host is known to be ours by now.
        Some(origin) if origin.split_once("://").is_some_and(|(_, at)| at.eq_ignore_ascii_case(host)) => {
            Site::Ours
        }
        Some(_) => Site::Elsewhere,
        None => Site::Unsaid,
    }
}

/// The address at the other end; of no use to tell people apart behind a proxy, which is why accounts are bounded, too.
pub(super) fn address(request: &Request) -> IpAddr {
    let client = request.extensions().get::<ConnectInfo<Client>>();
    client.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(client)| client.address)
}

/// Says of every answer of a demonstration that it is one.
pub(super) async fn demo_header(State(context): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if context.demo.is_some() {
        response.headers_mut().insert("tenon-demo", HeaderValue::from_static("synthetic"));
    }
    response
}

/// The page may load only what comes with it, and be framed by nobody.
pub(super) async fn security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let fixed = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Whoever reaches the address where reading is open. Nothing of theirs enters the record.
fn nobody() -> Result<Caller, ApiError> {
    let name = "nobody".to_owned();
    let person = name.parse().map_err(|error| ApiError::internal(&error))?;
    Ok(Caller::new(person, name, Roles::one(Role::Viewer), None, Via::Nothing))
}
