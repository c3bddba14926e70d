//! The estate's context as one document: looked at, compared, taken over.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use tenon_model::{Command, ContextDocument, RefusalCode};
use utoipa::ToSchema;

use super::as_of::AsOf;
use super::write::{Done, submit};
use super::{ApiError, Code, Input, Shared};
use crate::access::Caller;
use crate::view::{ContextDocumentView, PreviewView};

/// A document that takes the place of the one before.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct TakeOver {
    /// The document, as `GET` gives it.
    #[schema(value_type = Object)]
    document: ContextDocument,
    /// The version that it was compared with; when another counts by now, nothing changes (`evidence-changed`).
    compared: u32,
}

/// The context document that counts, and of how many assets nobody states what.
#[utoipa::path(get, path = "/api/v1/context", params(AsOf), responses((status = OK, body = ContextDocumentView)))]
pub(super) async fn context_document(
    State(context): State<Shared>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let then = context.then(as_of.as_ref()).await?;
    let world = then.world.clone();
    Ok(then.answer(in_background(move || ContextDocumentView::of(&world)).await?))
}

/// What taking over a context document would change, and for which assets. Nothing changes.
#[utoipa::path(post, path = "/api/v1/context/preview", request_body = Object,
    responses((status = OK, body = PreviewView), (status = UNAUTHORIZED), (status = UNPROCESSABLE_ENTITY)))]
pub(super) async fn preview_context(
    State(context): State<Shared>,
    Input(document): Input<ContextDocument>,
) -> Result<Json<PreviewView>, ApiError> {
    document
        .check()
        .map_err(|error| ApiError::new(Code::Refused(RefusalCode::BadContent), error.to_string()))?;
    let world = context.writer.world();
    in_background(move || PreviewView::of(&world, &document)).await.map(Json)
}

/// Take over a context document. It replaces the one before.
#[utoipa::path(post, path = "/api/v1/context", request_body = TakeOver,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT)))]
pub(super) async fn take_over_context(
    State(context): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Input(TakeOver { document, compared }): Input<TakeOver>,
) -> Result<Json<Done>, ApiError> {
    let by = caller.person;
    submit(&context, &headers, Command::TakeOverContext { document, compared, by }).await
}

/// Every asset is looked at, which may take seconds: not on the thread that answers others.
pub(super) async fn in_background<T: Send + 'static>(
    look: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(look).await.map_err(|error| ApiError::internal(&error))
}
