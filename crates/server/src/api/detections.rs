//! Detections: attacks that sensors saw. An alert names a vulnerability and a host; the rest follows.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tenon_engine::World;
use tenon_model::{AssetId, Command, Detection, DetectionId, DetectionKind, RefusalCode, Timestamp};
use utoipa::ToSchema;

use super::read::parse;
use super::standing::StandingQuery;
use super::write::{Done, submit};
use super::{ApiError, Code, Input, Shared};
use crate::access::Caller;
use crate::view::DetectionView;

/// Hosts of one name or address that are named where one was asked for.
const NAMED: usize = 5;

/// Detections, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionsView {
    /// The first of them.
    pub items: Vec<DetectionView>,
    /// How many there are in all.
    pub total: u64,
}

/// An attack that was seen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DetectionBody {
    /// The vulnerability.
    vulnerability: String,
    /// What was seen: `attack` (where nothing is said), `incident` (one that succeeded), or `honeypot` (on a decoy).
    kind: Option<String>,
    /// The host: `ast_...`, its name, or one of its addresses. Not of a honeypot, which is none.
    asset: Option<String>,
    /// The zone in which a honeypot stands; nothing where it stands in none.
    zone: Option<String>,
    /// When it was seen, RFC 3339; now where nothing is said. Only the last 30 days count.
    seen: Option<String>,
    /// What was seen, in up to 1,000 characters.
    what: String,
    /// Which sensor saw it; whoever reports it where nothing is said.
    sensor: Option<String>,
    /// By what the sensor knows it.
    reference: Option<String>,
}

/// What became of an alert. It tells sensors no more than they need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionTaken {
    /// The detection that tells of it: `det_...`.
    pub detection: String,
    /// Whether that was told before: the same attack on the same host within a day, or one that was dismissed. Then nothing has
    /// changed.
    pub known: bool,
    /// Open directives that close the vulnerability there, of a honeypot anywhere; none where it is not open, or its risk is accepted.
    pub directives: Vec<String>,
}

/// Why a detection is dismissed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DismissalBody {
    /// Why.
    why: String,
}

/// Detections: which attacks were seen, where, when, and what answers them.
#[utoipa::path(get, path = "/api/v1/detections", params(StandingQuery),
    responses((status = OK, body = DetectionsView), (status = BAD_REQUEST)))]
pub(super) async fn detections(
    State(context): State<Shared>,
    Query(query): Query<StandingQuery>,
) -> Result<Response, ApiError> {
    let asked = query.read()?;
    let then = context.then(query.as_of.as_ref()).await?;
    let world = &then.world;
    let wanted = world
        .detections()
        .rev()
        .filter(|(_, state)| asked.means(|id| *id == state.detection.vulnerability, state.ended.is_some()));
    let (items, total) = asked.shown(wanted, |(id, state)| DetectionView::of(world, id, state));
    Ok(then.answer(DetectionsView { items, total }))
}

/// Report an attack that was seen: its vulnerability counts as exploited on this host, and what closes it there is due within a day.
/// In its zone, and less so everywhere, it counts as more likely for a month. Sensors repeat themselves; what is known already changes
/// nothing.
#[utoipa::path(post, path = "/api/v1/detections", request_body = DetectionBody,
    responses((status = OK, body = DetectionTaken), (status = UNAUTHORIZED), (status = NOT_FOUND),
        (status = UNPROCESSABLE_ENTITY)))]
pub(super) async fn report_detection(
    State(context): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Input(body): Input<DetectionBody>,
) -> Result<Json<DetectionTaken>, ApiError> {
    let bad = |message: String| ApiError::new(Code::Refused(RefusalCode::BadContent), message);
    let now = context.now();
    let seen = match &body.seen {
        None => now,
        Some(text) => Timestamp::parse(text)
            .ok_or_else(|| bad(format!("seen is a time, as in 2026-11-30T08:15:00Z, not {text:?}")))?,
    };
    let kind = match body.kind.as_deref() {
        None => DetectionKind::default(),
        Some(text) => DetectionKind::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
            bad(format!("what was seen is an attack, an incident or on a honeypot, not {text:?}"))
        })?,
    };
    let asset = body.asset.as_deref().map(|named| called(&context.writer.world(), named)).transpose()?;
    let zone = match (&asset, body.zone.as_deref()) {
        (Some(_), Some(zone)) => {
            return Err(bad(format!("the record knows in which zone a host stands: leave {zone:?} out")));
        }
        (_, zone) => zone.map(parse).transpose()?,
    };
    let detection = Detection {
        vulnerability: parse(&body.vulnerability)?,
        asset,
        zone,
        kind,
        // A sensor's clock may be ahead.
        seen: seen.min(now),
        what: body.what,
        sensor: body.sensor.unwrap_or(caller.name),
        reference: body.reference,
        by: caller.person,
    };
    let command = Command::ReportDetection { detection: Box::new(detection.clone()) };
    let known = match submit(&context, &headers, command).await {
        Ok(Json(done)) => done.repeated,
        Err(error) if error.is_refused_as(RefusalCode::NothingToDo) => true,
        Err(error) => return Err(error),
    };
    let world = context.writer.world();
    let told = world.detection_like(&detection).and_then(|id| Some((id, world.detection(id)?)));
    let (id, state) = told.ok_or_else(|| {
        ApiError::new(Code::Refused(RefusalCode::UnknownDetection), "it was taken, and has ended since")
    })?;
    let directives = world.directives_answering(state).iter().map(ToString::to_string).collect();
    Ok(Json(DetectionTaken { detection: id.to_string(), known, directives }))
}

/// Dismiss a detection that was none: what followed from it is taken back, and what the same sensor says of it again within a month
/// changes nothing.
#[utoipa::path(post, path = "/api/v1/detections/{id}/dismiss", params(("id" = String, Path)), request_body = DismissalBody,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = NOT_FOUND)))]
pub(super) async fn dismiss_detection(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Input(body): Input<DismissalBody>,
) -> Result<Json<Done>, ApiError> {
    let detection: DetectionId = parse(&id)?;
    submit(&context, &headers, Command::DismissDetection { detection, by: caller.person, why: body.why })
        .await
}

/// The one host that is meant.
fn called(world: &World, named: &str) -> Result<AssetId, ApiError> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let called = world.assets_called(named);
    match called.as_slice() {
        [id] => Ok(*id),
        [] => {
            let message =
                format!("no host is called {named:?} or has that address: name it as `tenon assets` does");
            Err(ApiError::new(Code::Refused(RefusalCode::UnknownAsset), message))
        }
        several => {
            let ids: Vec<String> = several.iter().take(NAMED).map(ToString::to_string).collect();
            let message =
                format!("{} hosts answer to {named:?}: name one of {}", several.len(), ids.join(", "));
            Err(ApiError::new(Code::Refused(RefusalCode::BadContent), message))
        }
    }
}
