//! Changing: what people decide. Each is one command; an `Idempotency-Key` header makes a repetition harmless.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use tenon_journal::ClientKey;
use tenon_model::{Command, GroupName, NoteKind, Person, RefusalCode, TokenId};
use tenon_wire::EnrolToken;
use utoipa::ToSchema;

use super::read::parse;
use super::{ApiError, Code, Input, Shared};
use crate::access::Caller;
use crate::folder::random_secret;
use crate::writer::Condition;

/// How long an enrolment token lives, in seconds.
const TOKEN_SECONDS: u32 = 3_600;

/// The change is durable and visible.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Done {
    /// Position of the last event it led to.
    pub(crate) seq: u64,
    /// Whether it had been done before, under the same key.
    pub(crate) repeated: bool,
}

/// Approval of what the rehearsals showed.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct Approval {
    /// Digests of the rehearsal reports that were looked at. When others wait by now nothing is approved
    /// (`evidence-changed`). Without it whatever waits is approved.
    reports: Option<Vec<String>>,
    /// Why evidence need not be preserved first, where the decision row asks for it.
    waive_evidence: Option<String>,
}

/// A refusal.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct RefusalBody {
    /// Why.
    why: String,
}

/// A note.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NoteBody {
    /// `comment`, `dispute` or `answer`.
    #[schema(value_type = String)]
    kind: NoteKind,
    /// What it says: plain text, at most 2,000 bytes. It stays in the record.
    text: String,
}

/// A host that is gone.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct RetirementBody {
    /// Why.
    why: String,
}

/// Another attempt.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct RetryBody {
    /// On which asset.
    asset: String,
}

/// A new enrolment token.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct TokenBody {
    /// Hosts that use it join this group.
    group: String,
}

/// The token, shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenIssued {
    /// What to hand to the host.
    token: String,
    /// Not accepted after this many seconds.
    expires_seconds: u32,
}

pub(super) async fn submit(
    context: &Shared,
    headers: &HeaderMap,
    command: Command,
) -> Result<Json<Done>, ApiError> {
    submit_if(context, headers, command, None).await
}

/// One command, if the condition holds when it is decided.
pub(super) async fn submit_if(
    context: &Shared,
    headers: &HeaderMap,
    command: Command,
    condition: Option<Condition>,
) -> Result<Json<Done>, ApiError> {
    let key = headers.get("idempotency-key").map(|value| value.to_str().unwrap_or_default());
    let key: Option<ClientKey> = key.map(parse).transpose()?;
    let accepted = context.writer.submit_if(command, key, condition).await?;
    Ok(Json(Done { seq: accepted.seq, repeated: accepted.repeated }))
}

/// Approve a directive wherever its rehearsal passed.
#[utoipa::path(post, path = "/api/v1/directives/{id}/approve", params(("id" = String, Path)), request_body = Approval,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT)))]
pub(super) async fn approve(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Input(body): Input<Approval>,
) -> Result<Json<Done>, ApiError> {
    let (roles, by) = (caller.acting_roles(), caller.person);
    let reports =
        body.reports.map(|reports| reports.iter().map(|digest| parse(digest)).collect::<Result<_, _>>());
    let command = Command::Approve {
        directive: parse(&id)?,
        by,
        roles,
        reports: reports.transpose()?,
        waive_evidence: body.waive_evidence,
    };
    submit(&context, &headers, command).await
}

/// Refuse a directive. Its findings stay open.
#[utoipa::path(post, path = "/api/v1/directives/{id}/refuse", params(("id" = String, Path)), request_body = RefusalBody,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT)))]
pub(super) async fn refuse(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Input(body): Input<RefusalBody>,
) -> Result<Json<Done>, ApiError> {
    let by = caller.person;
    submit(&context, &headers, Command::Refuse { directive: parse(&id)?, by, why: body.why }).await
}

/// Say something in the thread of a directive. While a dispute has no answer, nothing of it is approved.
#[utoipa::path(post, path = "/api/v1/directives/{id}/notes", params(("id" = String, Path)), request_body = NoteBody,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT)))]
pub(super) async fn note(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Input(body): Input<NoteBody>,
) -> Result<Json<Done>, ApiError> {
    let NoteBody { kind, text } = body;
    submit(&context, &headers, Command::Note { directive: parse(&id)?, kind, text, by: caller.person }).await
}

/// Try again on an asset that stands still.
#[utoipa::path(post, path = "/api/v1/directives/{id}/retry", params(("id" = String, Path)), request_body = RetryBody,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT)))]
pub(super) async fn retry(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Input(body): Input<RetryBody>,
) -> Result<Json<Done>, ApiError> {
    let by = caller.person;
    submit(&context, &headers, Command::Retry { directive: parse(&id)?, asset: parse(&body.asset)?, by })
        .await
}

/// Say that a host is gone for good: it counts nowhere any more. If it reports again, it is back.
#[utoipa::path(post, path = "/api/v1/assets/{id}/retire", params(("id" = String, Path)), request_body = RetirementBody,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT)))]
pub(super) async fn retire(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Input(body): Input<RetirementBody>,
) -> Result<Json<Done>, ApiError> {
    let by = caller.person;
    submit(&context, &headers, Command::Retire { asset: parse(&id)?, by, why: body.why }).await
}

/// Stop a rollout: nothing more is applied until somebody resumes it.
#[utoipa::path(post, path = "/api/v1/directives/{id}/halt", params(("id" = String, Path)), request_body = RefusalBody,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT)))]
pub(super) async fn halt(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Input(body): Input<RefusalBody>,
) -> Result<Json<Done>, ApiError> {
    let by = caller.person;
    submit(&context, &headers, Command::Halt { directive: parse(&id)?, by, why: body.why }).await
}

/// Let a halted rollout go on, or plan anew what is held back.
#[utoipa::path(post, path = "/api/v1/directives/{id}/resume", params(("id" = String, Path)),
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT)))]
pub(super) async fn resume(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Done>, ApiError> {
    submit(&context, &headers, Command::Resume { directive: parse(&id)?, by: caller.person }).await
}

/// Let the agents of a group act.
#[utoipa::path(post, path = "/api/v1/groups/{name}/promote", params(("name" = String, Path)),
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT)))]
pub(super) async fn promote(
    State(context): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Done>, ApiError> {
    let group: GroupName = parse(&name)?;
    // A group exists through its assets; promoting a name nobody carries is a typing error.
    if !context.writer.world().assets().any(|(_, asset)| asset.group == group) {
        return Err(ApiError::not_found(format!("no asset is in group {group}")));
    }
    let by = caller.person;
    submit(&context, &headers, Command::Promote { group, by }).await
}

/// Take that back: the agents of a group only observe.
#[utoipa::path(post, path = "/api/v1/groups/{name}/demote", params(("name" = String, Path)),
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT)))]
pub(super) async fn demote(
    State(context): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Done>, ApiError> {
    let by = caller.person;
    submit(&context, &headers, Command::Demote { group: parse(&name)?, by }).await
}

/// Take over what a supplier states about exploitability: an OpenVEX document. What it says is not affected or fixed comes
/// off the list, visibly. It replaces what the same document said before.
#[utoipa::path(post, path = "/api/v1/vex", request_body = Object,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = UNPROCESSABLE_ENTITY)))]
pub(super) async fn state_vex(
    State(context): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Input(body): Input<serde_json::Value>,
) -> Result<Json<Done>, ApiError> {
    let bad = |error: String| ApiError::new(Code::Refused(RefusalCode::BadContent), error);
    let bytes = serde_json::to_vec(&body).map_err(|error| bad(error.to_string()))?;
    let document = tenon_formats::openvex::parse(&bytes).map_err(|error| bad(error.to_string()))?;
    let by = caller.person;
    let statements = document.claims().statements;
    submit(&context, &headers, Command::StateVex { document: document.id, statements, by }).await
}

/// Make a one-time enrolment token.
#[utoipa::path(post, path = "/api/v1/enrolment-tokens", request_body = TokenBody,
    responses((status = OK, body = TokenIssued), (status = UNAUTHORIZED)))]
pub(super) async fn issue_token(
    State(context): State<Shared>,
    caller: Caller,
    Input(body): Input<TokenBody>,
) -> Result<Json<TokenIssued>, ApiError> {
    let group: GroupName = parse(&body.group)?;
    let token = new_token(&context, group, caller.person).await?;
    Ok(Json(TokenIssued { token: token.reveal(), expires_seconds: TOKEN_SECONDS }))
}

/// A token in the record, its secret half only in the answer.
pub(crate) async fn new_token(
    context: &Shared,
    group: GroupName,
    by: Person,
) -> Result<EnrolToken, ApiError> {
    let secret = random_secret().map_err(|error| ApiError::internal(&error))?;
    let name = random_secret().map_err(|error| ApiError::internal(&error))?;
    let id: TokenId = parse(&format!("t{}", &name.expose()[..8]))?;
    let world_time = context.writer.world().time();
    let now = context.now();
    let now = world_time.map_or(now, |time| time.max(now));
    let command = Command::IssueToken {
        token: id.clone(),
        secret: secret.digest(),
        group,
        expires: now.plus_seconds(TOKEN_SECONDS),
        by,
    };
    context.writer.submit(command, None).await?;
    Ok(EnrolToken { id, secret, authority: context.authority })
}
