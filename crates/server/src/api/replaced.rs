//! What is replaced as a whole: the context of an asset, the rules that count. Each has a tag, with which a change says what
//! it replaces.

use std::collections::BTreeMap;
use std::fmt::Display;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tenon_engine::World;
use tenon_model::{AssetContext, Tempo};
use tenon_model::{
    AssetId, ClockRule, Command, DecisionTable, Digest, HumanImpact, MissionAndWellBeing, Rules,
    SystemExposure, Vdr, VdrClass, VdrPain,
};
use utoipa::ToSchema;

use super::as_of::{AsOf, Then};
use super::read::parse;
use super::write::{Done, submit_if};
use super::{ApiError, Input, Shared};
use crate::access::Caller;
use crate::view::ContextView;
use crate::writer::Condition;

/// Most bytes of an `If-Match` header that are looked at.
const MAX_TAGS: usize = 4 << 10;

/// The published rules that count.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct RulesBody {
    /// The table that decides: `bod-26-04`, `ssvc-deployer` or `cisa-coordinator`.
    table: String,
    /// The rules that set due dates: `bod-26-04`, `bod-22-01`, `bod-19-02`, `fedramp-rev5`, `pci-dss-4.0`,
    /// `fedramp-vdr`, `pci-dss-4.0.1`.
    clocks: Vec<String>,
    /// What `fedramp-vdr` counts by; absent where that is not among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vdr: Option<VdrBody>,
}

/// What FedRAMP VDR asks of findings, by the group of assets on which they are.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VdrBody {
    /// Certification class of the cloud service: `A`, `B`, `C` or `D`.
    class: String,
    /// PAIN of findings on assets of groups that are not named: `1` to `5`, 5 the worst; 1 has no time frame.
    pain: String,
    /// PAIN of findings on assets of these groups.
    #[serde(default)]
    groups: BTreeMap<String, String>,
}

impl VdrBody {
    fn of(vdr: &Vdr) -> Self {
        let groups = vdr.groups.iter().map(|(group, pain)| (group.to_string(), pain.to_string()));
        Self { class: vdr.class.to_string(), pain: vdr.pain.to_string(), groups: groups.collect() }
    }

    fn read(self) -> Result<Vdr, ApiError> {
        let pain = |text: &str| one_of(text, VdrPain::ALL);
        let groups = self.groups.iter().map(|(group, of)| Ok((parse(group)?, pain(of)?)));
        Ok(Vdr {
            class: one_of(&self.class, VdrClass::ALL)?,
            pain: pain(&self.pain)?,
            groups: groups.collect::<Result<_, ApiError>>()?,
        })
    }
}

impl RulesBody {
    fn of(rules: &Rules) -> Self {
        Self {
            table: rules.table.to_string(),
            clocks: rules.clocks.iter().map(ToString::to_string).collect(),
            vdr: rules.vdr.as_ref().map(VdrBody::of),
        }
    }
}

fn context_of(world: &World, id: &AssetId) -> Option<ContextView> {
    world.asset(id).map(|asset| ContextView::of(&asset.context))
}

/// The tag of a value: of its content, so that another that says the same has the same.
fn tag(value: &impl Serialize) -> String {
    let text = serde_json::to_vec(value).unwrap_or_default();
    format!("\"{}\"", hex::encode(&Digest::of(&text).as_bytes()[..12]))
}

/// An answer with its position and its tag. What said the same then has the same tag.
fn tagged<T: Serialize>(then: &Then, value: T) -> Response {
    let tag = HeaderValue::from_str(&tag(&value)).ok();
    let mut response = then.answer(value);
    if let Some(tag) = tag {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// What `If-Match` (RFC 9110, section 13.1.1) asks of what is to be replaced; `None` where it asks nothing.
fn condition(
    headers: &HeaderMap,
    tag_of: impl FnOnce(&World) -> Option<String> + Send + 'static,
) -> Result<Option<Condition>, ApiError> {
    let Some(value) = headers.get(IF_MATCH) else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| text.len() <= MAX_TAGS);
    let text =
        text.ok_or_else(|| ApiError::bad_request("the If-Match header is no list of tags"))?.to_owned();
    let holds = move |world: &World| {
        let Some(now) = tag_of(world) else { return false };
        // A weak tag never matches here.
        text.split(',').map(str::trim).any(|wanted| wanted == "*" || wanted == now)
    };
    Ok(Some(Box::new(holds)))
}

/// What is stated about an asset. The `ETag` is what a change names in `If-Match`.
#[utoipa::path(get, path = "/api/v1/assets/{id}/context", params(("id" = String, Path, description = "as in ast_0123..."), AsOf),
    responses((status = OK, body = ContextView), (status = NOT_FOUND)))]
pub(super) async fn context(
    State(context): State<Shared>,
    Path(id): Path<String>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let id: AssetId = parse(&id)?;
    let then = context.then(as_of.as_ref()).await?;
    let stated = context_of(&then.world, &id);
    stated
        .map(|stated| tagged(&then, stated))
        .ok_or_else(|| ApiError::not_found(format!("{id} is not enrolled")))
}

/// State what an asset is for. It replaces what was stated before; with `If-Match`, only that.
#[utoipa::path(post, path = "/api/v1/assets/{id}/context",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "the `ETag` of what it replaces")),
    request_body = ContextView,
    responses((status = OK, body = Done), (status = NOT_FOUND), (status = PRECONDITION_FAILED)))]
pub(super) async fn set_context(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Input(body): Input<ContextView>,
) -> Result<Json<Done>, ApiError> {
    let stated = AssetContext {
        exposure: one_if_any(body.exposure.as_deref(), SystemExposure::ALL)?,
        human_impact: one_if_any(body.human_impact.as_deref(), HumanImpact::ALL)?,
        mission: one_if_any(body.mission.as_deref(), MissionAndWellBeing::ALL)?,
    };
    let asset: AssetId = parse(&id)?;
    let condition = condition(&headers, move |world| context_of(world, &asset).map(|context| tag(&context)))?;
    let command = Command::SetContext { asset, context: stated, by: caller.person };
    submit_if(&context, &headers, command, condition).await
}

/// The published rules that count. The `ETag` is what a change names in `If-Match`.
#[utoipa::path(get, path = "/api/v1/rules", params(AsOf), responses((status = OK, body = RulesBody)))]
pub(super) async fn rules(
    State(context): State<Shared>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let then = context.then(as_of.as_ref()).await?;
    Ok(tagged(&then, RulesBody::of(then.world.rules())))
}

/// Choose the published rules that count; with `If-Match`, only in place of those.
#[utoipa::path(post, path = "/api/v1/rules",
    params(("If-Match" = Option<String>, Header, description = "the `ETag` of what it replaces")),
    request_body = RulesBody, responses((status = OK, body = Done), (status = PRECONDITION_FAILED)))]
pub(super) async fn set_rules(
    State(context): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Input(body): Input<RulesBody>,
) -> Result<Json<Done>, ApiError> {
    let table = one_of(&body.table, DecisionTable::ALL)?;
    let clocks = body.clocks.iter().map(|clock| one_of(clock, ClockRule::ALL)).collect::<Result<_, _>>()?;
    let vdr = body.vdr.map(VdrBody::read).transpose()?;
    let asked = condition(&headers, |world| Some(tag(&RulesBody::of(world.rules()))))?;
    // Regulations have a door of their own, and stay as they are: also if one is adopted just now.
    let regulations = context.writer.world().rules().regulations.clone();
    let kept = regulations.clone();
    let condition: Condition =
        Box::new(move |world| world.rules().regulations == kept && asked.is_none_or(|holds| holds(world)));
    let command = Command::SetRules { rules: Rules { table, clocks, vdr, regulations }, by: caller.person };
    submit_if(&context, &headers, command, Some(condition)).await
}

/// How fast rollouts go.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct TempoBody {
    /// `cautious`, `standard` or `fast`.
    tempo: String,
}

/// How fast rollouts go.
#[utoipa::path(get, path = "/api/v1/tempo", params(AsOf), responses((status = OK, body = TempoBody)))]
pub(super) async fn tempo(
    State(context): State<Shared>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let then = context.then(as_of.as_ref()).await?;
    Ok(then.answer(TempoBody { tempo: then.world.tempo().to_string() }))
}

/// Choose how fast rollouts go, from the next plan on.
#[utoipa::path(post, path = "/api/v1/tempo", request_body = TempoBody,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT)))]
pub(super) async fn set_tempo(
    State(context): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Input(body): Input<TempoBody>,
) -> Result<Json<Done>, ApiError> {
    let tempo = one_of(&body.tempo, Tempo::ALL)?;
    submit_if(&context, &headers, Command::SetTempo { tempo, by: caller.person }, None).await
}

/// The value that this text names.
fn one_of<T: Copy + Display>(text: &str, all: &[T]) -> Result<T, ApiError> {
    all.iter().copied().find(|value| value.to_string() == text).ok_or_else(|| {
        let known: Vec<String> = all.iter().map(|value| format!("`{value}`")).collect();
        ApiError::bad_request(format!("{text:?} is none of {}", known.join(", ")))
    })
}

fn one_if_any<T: Copy + Display>(text: Option<&str>, all: &[T]) -> Result<Option<T>, ApiError> {
    text.map(|text| one_of(text, all)).transpose()
}
