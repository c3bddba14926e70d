//! What agents ask: enrolment, reports, and the long poll for orders. Everything here is outside data.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use tenon_engine::Runs;
use tenon_model::{AgentRun, AssetId, Command, RefusalCode};
use tenon_wire::{
    ApplyAnswer, DeltaReport, DirectiveKey, EnrolRequest, EnrolResponse, EvidenceAnswer, InventoryReport,
    MAX_DELTA_BYTES, MAX_INVENTORY_BYTES, MAX_REPORT_BYTES, RUN_HEADER, RehearsalAnswer, ReportAccepted,
    SignedOrder, path,
};
use tokio::sync::watch;

use crate::api::{ApiError, Code, Counted, Input, Patience, identified};
use crate::authority::Authority;
use crate::metrics::Door;
use crate::serve::is_true;
use crate::tls::Peer;
use crate::writer::{SubmitError, Writer};

/// How long a poll for an order is held open.
const HOLD: Duration = Duration::from_secs(25);

/// What the gateway's handlers need.
pub(crate) struct Gateway {
    pub(crate) writer: Writer,
    pub(crate) authority: Authority,
    pub(crate) key: DirectiveKey,
    /// How long a body may take.
    pub(crate) patience: Duration,
    /// Becomes true when Tenon stops.
    pub(crate) stopped: watch::Receiver<bool>,
}

type Shared = Arc<Gateway>;

pub(crate) fn router(gateway: Shared) -> Router {
    let counted = Counted { metrics: gateway.writer.metrics().clone(), door: Door::Gateway };
    let small = DefaultBodyLimit::max(64 * 1024);
    Router::new()
        .route(path::AUTHORITY, get(authority))
        .route(path::ENROL, post(enrol).layer(small))
        .route(path::INVENTORY, post(inventory).layer(DefaultBodyLimit::max(MAX_INVENTORY_BYTES)))
        .route(path::INVENTORY_DELTA, post(delta).layer(DefaultBodyLimit::max(MAX_DELTA_BYTES)))
        .route(path::ORDER, get(order))
        .route(path::REHEARSAL, post(rehearsal).layer(DefaultBodyLimit::max(MAX_REPORT_BYTES)))
        .route(path::EVIDENCE, post(evidence).layer(DefaultBodyLimit::max(MAX_REPORT_BYTES)))
        .route(path::APPLY, post(apply).layer(DefaultBodyLimit::max(MAX_REPORT_BYTES)))
        .fallback(|| async { ApiError::not_found("no such path on the agents' gateway") })
        .layer(middleware::from_fn_with_state(counted, identified))
        .layer(axum::Extension(Patience(gateway.patience)))
        .with_state(gateway)
}

/// The enrolled asset at the other end. Checked from the connection alone, so that nobody else's body is read.
struct Enrolled(AssetId);

impl FromRequestParts<Shared> for Enrolled {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Shared) -> Result<Self, ApiError> {
        let denied = |message: String| ApiError::new(Code::NotEnrolled, message);
        let peer = parts.extensions.get::<ConnectInfo<Peer>>().and_then(|ConnectInfo(peer)| peer.asset);
        let asset = peer.ok_or_else(|| denied("a client certificate is needed: enrol first".to_owned()))?;
        if gateway.writer.world().asset(&asset).is_none() {
            return Err(denied(format!("{asset} is not enrolled here")));
        }
        if let Some(said) = parts.headers.get(RUN_HEADER) {
            let run = said.to_str().ok().and_then(|run| run.parse::<AgentRun>().ok());
            let bad = || ApiError::bad_request(format!("header {RUN_HEADER} names no run of an agent"));
            hear(gateway, asset, run.ok_or_else(bad)?).await?;
        }
        Ok(Self(asset))
    }
}

/// Notes which run of its agent speaks for an asset. Of two hosts with one key the other is not listened to.
async fn hear(gateway: &Shared, asset: AssetId, run: AgentRun) -> Result<(), ApiError> {
    let known = |is: fn(&Runs, AgentRun) -> bool| {
        gateway.writer.world().asset(&asset).is_some_and(|state| is(&state.runs, run))
    };
    if known(Runs::is_settled) {
        return Ok(());
    }
    match gateway.writer.submit(Command::HearRun { asset, run }, None).await {
        Ok(_) => {}
        Err(SubmitError::Refused(refusal)) if refusal.code == RefusalCode::NothingToDo => {}
        Err(error) => return Err(error.into()),
    }
    if known(|runs, run| runs.current == Some(run)) {
        return Ok(());
    }
    let message = format!("another host, or an agent that was started later, speaks for {asset}");
    Err(ApiError::new(Code::Cloned, message))
}

async fn authority(State(gateway): State<Shared>) -> Response {
    ([(header::CONTENT_TYPE, "application/x-pem-file")], gateway.authority.pem().to_owned()).into_response()
}

async fn enrol(
    State(gateway): State<Shared>,
    Input(request): Input<EnrolRequest>,
) -> Result<Json<EnrolResponse>, ApiError> {
    let (asset, certificate) = gateway
        .authority
        .certify_host(&request.request)
        .map_err(|error| ApiError::bad_request(error.to_string()))?;
    let secret = request.secret.digest();
    let EnrolRequest { hostname, token, machine, .. } = request;
    let command = Command::Enrol { asset, hostname, token, secret, machine };
    gateway.writer.submit(command, None).await?;
    let world = gateway.writer.world();
    let group = world.asset(&asset).map(|state| state.group.clone());
    let group = group.ok_or_else(|| ApiError::not_found(format!("{asset} is not enrolled")))?;
    Ok(Json(EnrolResponse { asset, group, certificate, order_key: gateway.key.public().to_string() }))
}

async fn inventory(
    State(gateway): State<Shared>,
    Enrolled(asset): Enrolled,
    Input(report): Input<InventoryReport>,
) -> Result<Json<ReportAccepted>, ApiError> {
    let command = Command::ReportInventory { asset, sequence: report.sequence, inventory: report.inventory };
    accept(&gateway, command).await
}

async fn delta(
    State(gateway): State<Shared>,
    Enrolled(asset): Enrolled,
    Input(report): Input<DeltaReport>,
) -> Result<Json<ReportAccepted>, ApiError> {
    let command = Command::ReportDelta { asset, sequence: report.sequence, delta: Box::new(report.delta) };
    accept(&gateway, command).await
}

async fn rehearsal(
    State(gateway): State<Shared>,
    Enrolled(asset): Enrolled,
    Input(answer): Input<RehearsalAnswer>,
) -> Result<Json<ReportAccepted>, ApiError> {
    accept(&gateway, Command::ReportRehearsal { asset, order: answer.order, report: answer.report }).await
}

async fn evidence(
    State(gateway): State<Shared>,
    Enrolled(asset): Enrolled,
    Input(answer): Input<EvidenceAnswer>,
) -> Result<Json<ReportAccepted>, ApiError> {
    accept(&gateway, Command::ReportEvidence { asset, order: answer.order, outcome: answer.outcome }).await
}

async fn apply(
    State(gateway): State<Shared>,
    Enrolled(asset): Enrolled,
    Input(answer): Input<ApplyAnswer>,
) -> Result<Json<ReportAccepted>, ApiError> {
    accept(&gateway, Command::ReportApply { asset, order: answer.order, report: answer.report }).await
}

async fn accept(gateway: &Gateway, command: Command) -> Result<Json<ReportAccepted>, ApiError> {
    let accepted = gateway.writer.submit(command, None).await?;
    Ok(Json(ReportAccepted { seq: accepted.seq }))
}

/// Held open until an order waits for this asset.
async fn order(State(gateway): State<Shared>, Enrolled(asset): Enrolled) -> Result<Response, ApiError> {
    let _counted = gateway.writer.metrics().polling();
    let mut follow = gateway.writer.follow();
    let waits = async {
        loop {
            if let Some(signed) = outstanding(&gateway, asset)? {
                return Ok(Some(signed));
            }
            let changed = tokio::select! {
                changed = follow.changed() => changed.is_ok(),
                () = is_true(gateway.stopped.clone()) => false,
            };
            if !changed {
                return Ok(None);
            }
        }
    };
    match tokio::time::timeout(HOLD, waits).await {
        Ok(Ok(Some(signed))) => Ok(Json(signed).into_response()),
        Ok(Ok(None)) | Err(_) => Ok(StatusCode::NO_CONTENT.into_response()),
        Ok(Err(error)) => Err(error),
    }
}

fn outstanding(gateway: &Gateway, asset: AssetId) -> Result<Option<SignedOrder>, ApiError> {
    let world = gateway.writer.world();
    // Whichever of two hosts asks, the other would not know.
    let alone = world.asset(&asset).filter(|state| !state.runs.is_cloned());
    let order = alone.and_then(|state| state.outstanding).and_then(|id| world.order(&id));
    let Some(state) = order.filter(|state| !state.settled) else { return Ok(None) };
    gateway.key.sign(&state.order).map(Some).map_err(|error| ApiError::internal(&error))
}
