//! What surrounds every request of both doors: an id, a span in the log, and errors as problems.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, BodyDataStream, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};
use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::Mutex;
use tracing::Instrument as _;

use super::ApiError;
use super::problem::Code;
use crate::folder::random_secret;
use crate::metrics::{Door, Metrics};

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
    let wants_page = !path.starts_with("/api/")
        && request
            .headers()
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"));
    let span = tracing::info_span!("request", %id, method = %request.method(), %path);
    let response = answered(request, next, id, wants_page).instrument(span).await;
    counted.metrics.answered(counted.door, response.status().as_u16());
    response
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

async fn answered(request: Request, next: Next, id: String, wants_page: bool) -> Response {
    let start = Instant::now();
    let (request, rest) = shared(request);
    let response = next.run(request).await;
    drain(&rest).await;
    let mut response = match response.status() {
        // A page of ours says in its own words what is wrong.
        status if (status.is_client_error() || status.is_server_error()) && !is_page(&response) => {
            failed(response, &id, wants_page).await
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

async fn failed(mut response: Response, id: &str, wants_page: bool) -> Response {
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
    if wants_page {
        return page(error, status, id);
    }
    error.render(response, id)
}

/// The same for people, without scripts.
fn page(error: ApiError, status: StatusCode, id: &str) -> Response {
    let problem = error.problem(id);
    let text = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Tenon: {title}</title>\
         <link rel=\"stylesheet\" href=\"/sign-in.css\"><main><h1>{title}</h1><p>{detail}</p>\
         <p class=\"sub\">{code}, request {id}</p><p><a href=\"/\">To the queue</a></p></main></html>",
        title = escaped(&problem.title),
        detail = escaped(&problem.detail),
        code = escaped(&problem.code),
        id = escaped(id),
    );
    (status, Html(text)).into_response()
}

/// A text inside HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
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
