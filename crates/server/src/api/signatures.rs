//! Signatures of people whose keys the server does not have: what there is to sign, and what was signed.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use tenon_approval::{MAX_CHANGES, Statement, verify};
use tenon_model::{Command, DirectiveId};
use utoipa::ToSchema;

use super::as_of::AsOf;
use super::read::parse;
use super::write::{Done, submit};
use super::{ApiError, Code, Input, Shared};
use crate::access::{Caller, Names};
use crate::view::SignableView;

/// Largest body, in bytes: the ids of as many assets as one statement covers, the statement and the signature.
pub(super) const MAX_BODY: usize = 64 * MAX_CHANGES as usize + (16 << 10);

/// A signature over changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignatureBody {
    /// The statement, exactly as signed.
    statement: String,
    /// The signature, as `ssh-keygen -Y sign -n tenon-approval` writes it.
    signature: String,
    /// The assets (`ast_...`) whose changes the statement covers, in the order of its tree: ascending.
    assets: Vec<String>,
}

/// What can be signed of a directive: every change of a host that asks for signatures, to the last input. Whoever signs makes
/// leaves and root of this anew.
#[utoipa::path(get, path = "/api/v1/directives/{id}/signatures", params(("id" = String, Path, description = "as in dir_7"), AsOf),
    responses((status = OK, body = SignableView), (status = NOT_FOUND)))]
pub(super) async fn signable(
    State(context): State<Shared>,
    Path(id): Path<String>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let id: DirectiveId = parse(&id)?;
    let then = context.then(as_of.as_ref()).await?;
    let unknown = || ApiError::not_found(format!("{id} is unknown"));
    let mut view = SignableView::of(&then.world, id).ok_or_else(unknown)?;
    let names = Names::of(&context.people)?;
    for given in view.changes.iter_mut().flat_map(|change| &mut change.signatures.given) {
        given.by = names.of_id(std::mem::take(&mut given.by));
    }
    Ok(then.answer(view))
}

/// Hand over a signature. It is checked here for its form alone: the hosts decide whether it counts.
#[utoipa::path(post, path = "/api/v1/directives/{id}/signatures", params(("id" = String, Path)), request_body = SignatureBody,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT)))]
pub(super) async fn sign(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Input(body): Input<SignatureBody>,
) -> Result<Json<Done>, ApiError> {
    let directive: DirectiveId = parse(&id)?;
    let wrong = |why: String| ApiError::new(Code::BadRequest, why);
    let _said: Statement =
        body.statement.parse().map_err(|error| wrong(format!("the statement: {error}")))?;
    let signed = verify(&body.statement, &body.signature);
    let signed = signed.map_err(|error| wrong(format!("the signature: {error}")))?;
    let command = Command::SignChanges {
        directive,
        statement: body.statement,
        signature: body.signature,
        key: signed.key().fingerprint().clone(),
        assets: body.assets.iter().map(|asset| parse(asset)).collect::<Result<_, _>>()?,
        by: caller.person,
    };
    submit(&context, &headers, command).await
}
