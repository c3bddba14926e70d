//! Evidence of hosts: the document that was sealed, and who lets a host be changed without.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tenon_engine::EvidenceState;
use tenon_model::{AssetId, Command, Digest, DirectiveId};
use utoipa::ToSchema;

use super::read::parse;
use super::write::{Done, submit};
use super::{ApiError, Input, Shared};
use crate::access::Caller;

/// Header of an answer: the digest under which the record names the bytes.
const DIGEST: HeaderName = HeaderName::from_static("tenon-digest");

/// Leave to change hosts without evidence.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WaiverBody {
    /// The assets (`ast_...`); all that lack it where none is named.
    assets: Option<Vec<String>>,
    /// Why. It stays in the record, with your name.
    why: String,
}

/// The evidence that was sealed of an asset, exactly as its host sent it. The header `tenon-digest` names what the record holds;
/// bytes that are others are not given out.
#[utoipa::path(get, path = "/api/v1/directives/{id}/evidence/{asset}",
    params(("id" = String, Path, description = "as in dir_7"), ("asset" = String, Path, description = "as in ast_0123...")),
    responses((status = OK, body = Object), (status = NOT_FOUND)))]
pub(super) async fn evidence(
    State(context): State<Shared>,
    Path((id, asset)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let (id, asset): (DirectiveId, AssetId) = (parse(&id)?, parse(&asset)?);
    let document = {
        let world = context.writer.world();
        let state = world.directive(&id).ok_or_else(|| ApiError::not_found(format!("{id} is unknown")))?;
        let ordinal = world.ordinal(&asset);
        match ordinal.and_then(|asset| state.evidence(asset)) {
            Some(EvidenceState::Sealed { document, .. }) => *document,
            _ => return Err(ApiError::not_found(format!("nothing of {asset} is sealed for {id}"))),
        }
    };
    let content = context.writer.blob(document).await?;
    let content = content.ok_or_else(|| ApiError::not_found(format!("no evidence {document}")))?;
    let found = Digest::of(&content);
    if found != document {
        let wrong = std::io::Error::other(format!("evidence {document} has other bytes: {found}"));
        return Err(ApiError::internal(&wrong));
    }
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (DIGEST, document.to_string())];
    Ok((headers, content).into_response())
}

/// Let assets be changed without evidence that the directive's row asks for.
#[utoipa::path(post, path = "/api/v1/directives/{id}/evidence-waiver", params(("id" = String, Path)), request_body = WaiverBody,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT)))]
pub(super) async fn waive_evidence(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Input(body): Input<WaiverBody>,
) -> Result<Json<Done>, ApiError> {
    let assets = body.assets.map(|assets| assets.iter().map(|asset| parse(asset)).collect());
    let assets: Option<BTreeSet<AssetId>> = assets.transpose()?;
    let command = Command::WaiveEvidence { directive: parse(&id)?, assets, why: body.why, by: caller.person };
    submit(&context, &headers, command).await
}
