//! Who may ask, and who may change. Default deny: a new route that changes something is guarded without a word.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tenon_model::Digest;

use super::{ApiError, Code, Shared};

/// Refuses requests under a name that is not ours: a page elsewhere may resolve its own name to this address and
/// would otherwise read the answers (DNS rebinding).
pub(super) async fn known_host(State(context): State<Shared>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if context.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
        return next.run(request).await;
    }
    let message =
        format!("this Tenon is not served under the name {host:?}; known: {}", context.hosts.join(", "));
    ApiError::new(Code::UnknownHost, message).into_response()
}

/// Everything but reading takes the operator's token.
pub(super) async fn operator_for_writes(
    State(context): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let bearer = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    // Digests are compared, not tokens: how long that takes says nothing about the token.
    if bearer.is_some_and(|token| Digest::of(token.trim().as_bytes()) == context.operator) {
        return next.run(request).await;
    }
    let message =
        "this needs the operator's token: open the link that `tenon up` printed, or use the `tenon` command";
    ApiError::new(Code::NotSignedIn, message).into_response()
}

/// The page may load only what comes with it, and be framed by nobody.
pub(super) async fn security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let fixed = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
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
