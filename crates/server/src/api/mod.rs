//! The public HTTP API. The page and the CLI are clients like any other.

mod document;
mod guard;
mod input;
mod problem;
mod read;
mod request;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::middleware;
use tenon_model::{Digest, Person};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use input::Input;
pub use problem::reference as refusals_reference;
pub(crate) use problem::{ApiError, Code};
pub(crate) use request::identified;
pub(crate) use write::new_token;

use crate::health::FeedHealth;
use crate::writer::Writer;

/// What every handler needs.
pub(crate) struct Context {
    pub(crate) writer: Writer,
    /// SHA-256 of the operator's token; the token itself is not kept.
    pub(crate) operator: Digest,
    /// In whose name the operator's token acts.
    pub(crate) person: Person,
    /// Host names under which the API may be asked (DNS rebinding).
    pub(crate) hosts: Vec<String>,
    /// Digest of the certificate authority, for new tokens.
    pub(crate) authority: Digest,
    /// How the last attempts at the feeds went.
    pub(crate) health: FeedHealth,
}

pub(crate) type Shared = Arc<Context>;

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Tenon",
    description = "One record of assets, vulnerabilities, directives and evidence. Reading is open to whoever reaches \
                   the listening address (loopback by default); changing anything takes the operator's token as bearer."
))]
struct ApiDoc;

fn documented() -> OpenApiRouter<Shared> {
    let reads = OpenApiRouter::with_openapi(ApiDoc::openapi())
        .routes(routes!(read::overview))
        .routes(routes!(read::directive))
        .routes(routes!(read::why))
        .routes(routes!(read::asset))
        .routes(routes!(read::report))
        .routes(routes!(read::head))
        .routes(routes!(read::journal))
        .routes(routes!(read::events));
    let writes = OpenApiRouter::new()
        .routes(routes!(write::approve))
        .routes(routes!(write::refuse))
        .routes(routes!(write::retry))
        .routes(routes!(write::promote))
        .routes(routes!(write::demote))
        .routes(routes!(write::set_context))
        .routes(routes!(write::set_rules))
        .routes(routes!(write::state_vex))
        .routes(routes!(write::issue_token));
    reads.merge(writes)
}

/// The OpenAPI document, generated from the handlers.
pub fn openapi() -> utoipa::openapi::OpenApi {
    document::completed(documented().into_openapi())
}

/// The API and the page.
pub(crate) fn router(context: Shared) -> Router {
    let (router, document) = documented().split_for_parts();
    let document = Arc::new(serde_json::to_vec(&document::completed(document)).unwrap_or_default());
    router
        .route(
            "/api/v1/openapi.json",
            axum::routing::get(move || {
                let document = document.clone();
                async move { ([(header::CONTENT_TYPE, "application/json")], document.to_vec()) }
            }),
        )
        .layer(middleware::from_fn_with_state(context.clone(), guard::operator_for_writes))
        .merge(page())
        .fallback(|| async { ApiError::not_found("no such path; see /api/v1/openapi.json") })
        .layer(middleware::from_fn_with_state(context.clone(), guard::known_host))
        .layer(middleware::map_response(guard::security_headers))
        .layer(middleware::from_fn(request::identified))
        .with_state(context)
}

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/page.rs"));
}

/// The page, compiled in.
fn page() -> Router<Shared> {
    let mut router = Router::new();
    for (path, kind, content) in embedded::FILES {
        router = router.route(
            path,
            axum::routing::get(move || async move { ([(header::CONTENT_TYPE, *kind)], *content) }),
        );
    }
    router
}

/// The operations of one path, each with its method.
fn operations_of(
    item: &mut utoipa::openapi::PathItem,
) -> Vec<(&'static str, &mut utoipa::openapi::path::Operation)> {
    let methods = [
        ("GET", item.get.as_mut()),
        ("POST", item.post.as_mut()),
        ("PUT", item.put.as_mut()),
        ("DELETE", item.delete.as_mut()),
    ];
    methods.into_iter().filter_map(|(method, operation)| Some((method, operation?))).collect()
}
