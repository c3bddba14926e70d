//! What surrounds every request of both doors: an id, a span in the log, and errors as problems.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, BodyDataStream, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt as _;
use futures_util::stream;
use maud::html;
use tokio::sync::Mutex;
use tracing::Instrument as _;

use super::ApiError;
use super::problem::Code;
use crate::folder::random_secret;
use crate::metrics::{Door, Metrics};
use crate::pages::short;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken over from a caller.
const MAX_ID: usize = 64;
/// Most bytes of a body that are read without being wanted, and how long that may take.
const MAX_DRAINED: usize = 1 << 20;
const LINGER: Duration = Duration::from_millis(500);
/// Most bytes of a text that the HTTP machinery gives as its reason.
const MAX_REASON: usize = 4 << 10;

/// Where answers are counted.
#[derive(Clone)]
pub(crate) struct Counted {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) door: Door,
}

/// Gives the request an id, or takes the caller's, and answers errors as problems.
pub(crate) async fn identified(State(counted): State<Counted>, request: Request, next: Next) -> Response {
    let id = id_of(&request);
    let path = request.uri().path().to_owned();
    let reads_page = !path.starts_with("/api/")
        && request
            .headers()
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"));
    let wants = if reads_page { Wants::Page { again: again(&request) } } else { Wants::Problem };
    let span = tracing::info_span!("request", %id, method = %request.method(), %path);
    let response = answered(request, next, id, wants).instrument(span).await;
    counted.metrics.answered(counted.door, response.status().as_u16());
    response
}

/// How errors are answered.
enum Wants {
    /// For programs.
    Problem,
    /// For people.
    Page {
        /// What they asked for, where asking again does no harm.
        again: Option<String>,
    },
}

/// The address of what was asked for, on this site and no other.
fn again(request: &Request) -> Option<String> {
    let address = request.uri().path_and_query()?.as_str();
    // Two slashes would begin the name of another site.
    let is_ours = address.starts_with('/') && !address.starts_with("//");
    (request.method() == Method::GET && is_ours).then(|| address.to_owned())
}

/// What the handler has not read of a body.
type Rest = Arc<Mutex<BodyDataStream>>;

/// Keeps a hand on the body.
fn shared(request: Request) -> (Request, Rest) {
    let (parts, body) = request.into_parts();
    let rest = Arc::new(Mutex::new(body.into_data_stream()));
    let taken = stream::unfold(rest.clone(), |rest| async move {
        let piece = rest.lock().await.next().await?;
        Some((piece, rest))
    });
    (Request::from_parts(parts, Body::from_stream(taken)), rest)
}

/// Reads what is left of a body that is not wanted, if that is short: a connection that is closed with bytes under way may be
/// reset before the caller has read the answer.
async fn drain(rest: &Rest) {
    let drained = async {
        let mut left = MAX_DRAINED;
        while let Some(Ok(piece)) = rest.lock().await.next().await {
            match left.checked_sub(piece.len()) {
                Some(less) => left = less,
                None => return,
            }
        }
    };
    // What does not come is not waited for.
    let _late = tokio::time::timeout(LINGER, drained).await;
}

async fn answered(request: Request, next: Next, id: String, wants: Wants) -> Response {
    let start = Instant::now();
    let (request, rest) = shared(request);
    let response = next.run(request).await;
    drain(&rest).await;
    let mut response = match response.status() {
        // A page of ours says in its own words what is wrong.
        status if (status.is_client_error() || status.is_server_error()) && !is_page(&response) => {
            failed(response, &id, wants).await
        }
        _ => response,
    };
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let status = response.status().as_u16();
    tracing::debug!(status, ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX), "answered");
    response
}

fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html"))
}

async fn failed(mut response: Response, id: &str, wants: Wants) -> Response {
    let status = response.status();
    let error = match response.extensions_mut().remove::<ApiError>() {
        Some(error) => error,
        None => {
            // Written by the HTTP machinery: an extractor's reason, or nothing.
            let body = std::mem::take(response.body_mut());
            let reason = to_bytes(body, MAX_REASON).await.unwrap_or_default();
            let reason = String::from_utf8_lossy(&reason).into_owned();
            let reason = if reason.is_empty() { status.to_string() } else { reason };
            let code = Code::of_status(status);
            *response.status_mut() = code.status();
            ApiError::new(code, reason)
        }
    };
    if status.is_server_error() {
        tracing::error!(code = error.code.name(), detail = error.detail(), "failed");
    }
    match wants {
        Wants::Page { again } => page(error, status, id, again.as_deref()),
        Wants::Problem => error.render(response, id),
    }
}

/// The same for people, without scripts. `again` is what they asked for.
fn page(error: ApiError, status: StatusCode, id: &str, again: Option<&str>) -> Response {
    let signed_out = error.code == Code::NotSignedIn;
    let problem = error.problem(id);
    let body = html! {
        p { (problem.detail) }
        p.sub { (problem.code) ", request " (id) }
        @if signed_out {
            p { a href="/sign-in" { "Sign in" } }
            // A link on another site brings no cookie along (`SameSite=Strict`); one on this page does.
            @if let Some(again) = again {
                p.sub { "Signed in already, and here by a link from elsewhere? " a href=(again) { "Open it again" } }
            }
        } @else {
            p { a href="/" { "To the queue" } }
        }
    };
    short(status, &problem.title, &body)
}

/// The caller's id where it is short and harmless in a log, else a new one.
fn id_of(request: &Request) -> String {
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match given.filter(|id| (1..=MAX_ID).contains(&id.len()) && id.bytes().all(harmless)) {
        Some(id) => id.to_owned(),
        // An id only helps to find lines of the log: without randomness there is none.
        None => random_secret().map(|secret| secret.expose()[..16].to_owned()).unwrap_or_default(),
    }
}
