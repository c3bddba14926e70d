//! Reading: views of the World, the record itself, live changes.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use tenon_model::{AssetId, Digest, DirectiveId, VulnerabilityId, is_evidence};

use super::as_of::AsOf;
use super::guard::still_reads;
use super::{ApiError, Code, Shared};
use crate::access::Names;
use crate::facets::Facet;
use crate::log::LogEntryView;
use crate::serve::is_true;
use crate::view::{
    AssetDetail, AssetDirectivesView, AssetView, DirectiveView, FindingWhyView, HeadView, Overview,
    VulnerabilityView, WhyView,
};

/// Shortest time between two live notices to one client: a burst of events is one notice.
const NOTICE_PAUSE: Duration = Duration::from_millis(100);

impl Names {
    /// Puts the names of whoever refused a directive, of whoever halted it, approved it, signed it, waived evidence, and
    /// of whoever said something of it or does it.
    pub(super) fn put_into(&self, view: &mut DirectiveView) {
        self.put(&mut view.closed);
        let waves = view.rollout.iter_mut().flat_map(|rollout| {
            let waves = rollout.waves.iter_mut().flat_map(|wave| &mut wave.hosts);
            waves.chain(rollout.held_back.iter_mut().flat_map(|held| &mut held.hosts))
        });
        let owners = waves.map(|host| &mut host.owner);
        let owners = owners.chain(view.assets.iter_mut().map(|asset| &mut asset.stage.owner));
        for assignee in owners.chain([&mut view.assignee]).flatten() {
            assignee.put_names(self);
        }
        if let Some(halt) = view.rollout.as_mut().and_then(|rollout| rollout.halt.as_mut()) {
            halt.by = halt.by.take().map(|by| self.of_id(by));
            halt.owner.iter_mut().for_each(|owner| owner.put_names(self));
        }
        for note in &mut view.thread {
            note.by = self.of_id(std::mem::take(&mut note.by));
        }
        for asset in &mut view.assets {
            let signed = asset.signatures.iter_mut().flat_map(|signatures| &mut signatures.given);
            let waived = asset.evidence.iter_mut().filter_map(|evidence| evidence.by.as_mut());
            let signed = signed.map(|given| &mut given.by);
            for by in asset.approved_by.iter_mut().chain(signed).chain(waived) {
                *by = self.of_id(std::mem::take(by));
            }
        }
    }

    /// Puts the name of whom an entry says that they do a directive. What people wrote themselves stays as it is.
    pub(super) fn put_into_said(&self, entry: &mut LogEntryView) {
        if entry.kind == "directive-assigned" && entry.said.contains("usr_") {
            for (id, name) in self.iter() {
                entry.said = entry.said.replace(id, name);
            }
        }
    }

    /// Puts the name of whoever retired an asset.
    pub(super) fn put_into_asset(&self, view: &mut AssetView) {
        if let Some(by) = view.retired.as_mut().and_then(|retired| retired.by.as_mut()) {
            *by = self.of_id(std::mem::take(by));
        }
    }

    /// Puts the name of whoever refused into how a directive ended.
    pub(super) fn put(&self, closed: &mut Option<String>) {
        let Some(closed) = closed else { return };
        for (id, name) in self.iter() {
            if let Some(rest) = closed.strip_prefix(&format!("refused by {id}:")) {
                *closed = format!("refused by {name}:{rest}");
            }
        }
    }
}

/// How many assets, groups and directives there are, and how the feeds are.
#[utoipa::path(get, path = "/api/v1/overview", params(AsOf), responses((status = OK, body = Overview)))]
pub(super) async fn overview(
    State(context): State<Shared>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let then = context.then(as_of.as_ref()).await?;
    // What one can do in a demonstration is told of now.
    let demo = context.demo.as_deref().filter(|_| as_of.is_none());
    Ok(then.answer(Overview::of(&then.world, &context.attempts(as_of.as_ref()), demo)))
}

/// One directive.
#[utoipa::path(get, path = "/api/v1/directives/{id}", params(("id" = String, Path, description = "as in dir_7"), AsOf),
    responses((status = OK, body = DirectiveView), (status = NOT_FOUND)))]
pub(super) async fn directive(
    State(context): State<Shared>,
    Path(id): Path<String>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let id: DirectiveId = parse(&id)?;
    let then = context.then(as_of.as_ref()).await?;
    let state = then.world.directive(&id).ok_or_else(|| ApiError::not_found(format!("{id} is unknown")))?;
    let mut view = DirectiveView::of(&then.world, id, state);
    Names::of(&context.people)?.put_into(&mut view);
    Ok(then.answer(view))
}

/// Why a directive has its priority.
#[utoipa::path(get, path = "/api/v1/directives/{id}/why", params(("id" = String, Path, description = "as in dir_7"), AsOf),
    responses((status = OK, body = WhyView), (status = NOT_FOUND)))]
pub(super) async fn why(
    State(context): State<Shared>,
    Path(id): Path<String>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let id: DirectiveId = parse(&id)?;
    let then = context.then(as_of.as_ref()).await?;
    let view = WhyView::of(&then.world, &id);
    view.map(|view| then.answer(view)).ok_or_else(|| ApiError::not_found(format!("{id} is unknown")))
}

/// Why one vulnerability on one asset has the priority that it has there.
#[utoipa::path(get, path = "/api/v1/assets/{id}/vulnerabilities/{vulnerability}/why",
    params(("id" = String, Path, description = "as in ast_0123..."), ("vulnerability" = String, Path, description = "as in CVE-2026-1"), AsOf),
    responses((status = OK, body = FindingWhyView), (status = NOT_FOUND)))]
pub(super) async fn finding_why(
    State(context): State<Shared>,
    Path((id, vulnerability)): Path<(String, String)>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let (id, about): (AssetId, VulnerabilityId) = (parse(&id)?, parse(&vulnerability)?);
    let then = context.then(as_of.as_ref()).await?;
    if then.world.asset(&id).is_none() {
        return Err(ApiError::not_found(format!("{id} is not enrolled")));
    }
    let view = FindingWhyView::of(&then.world, &id, &about);
    view.map(|view| then.answer(view))
        .ok_or_else(|| ApiError::not_found(format!("{about} is not open on {id}, as far as can be seen")))
}

/// One asset with its findings.
#[utoipa::path(get, path = "/api/v1/assets/{id}", params(("id" = String, Path, description = "as in ast_0123..."), AsOf),
    responses((status = OK, body = AssetDetail), (status = NOT_FOUND)))]
pub(super) async fn asset(
    State(context): State<Shared>,
    Path(id): Path<String>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let id: AssetId = parse(&id)?;
    let then = context.then(as_of.as_ref()).await?;
    let unknown = || ApiError::not_found(format!("{id} is not enrolled"));
    let mut view = AssetDetail::of(&then.world, &id).ok_or_else(unknown)?;
    if view.asset.retired.is_some() {
        Names::of(&context.people)?.put_into_asset(&mut view.asset);
    }
    Ok(then.answer(view))
}

/// The open directives that are about an asset: how far each is there, and what it waits for.
#[utoipa::path(get, path = "/api/v1/assets/{id}/directives",
    params(("id" = String, Path, description = "as in ast_0123..."), AsOf),
    responses((status = OK, body = AssetDirectivesView), (status = NOT_FOUND)))]
pub(super) async fn asset_directives(
    State(context): State<Shared>,
    Path(id): Path<String>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let id: AssetId = parse(&id)?;
    let then = context.then(as_of.as_ref()).await?;
    let unknown = || ApiError::not_found(format!("{id} is not enrolled"));
    let mut view = AssetDirectivesView::of(&then.world, &id).ok_or_else(unknown)?;
    let names = Names::of(&context.people)?;
    for owner in view.directives.iter_mut().filter_map(|directive| directive.owner.as_mut()) {
        owner.put_names(&names);
    }
    Ok(then.answer(view))
}

/// Where a vulnerability stands in the estate. One that nothing loaded speaks of is answered too, as not known.
#[utoipa::path(get, path = "/api/v1/vulnerabilities/{id}", params(("id" = String, Path, description = "as in CVE-2026-23631"), AsOf),
    responses((status = OK, body = VulnerabilityView), (status = BAD_REQUEST)))]
pub(super) async fn vulnerability(
    State(context): State<Shared>,
    Path(id): Path<String>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let id: VulnerabilityId = parse(&id)?;
    let then = context.then(as_of.as_ref()).await?;
    Ok(then.answer(VulnerabilityView::of(&then.world, &id)))
}

/// A rehearsal or apply report, as the host sent it.
#[utoipa::path(get, path = "/api/v1/reports/{digest}", params(("digest" = String, Path, description = "SHA-256")),
    responses((status = OK, body = Object), (status = NOT_FOUND)))]
pub(super) async fn report(
    State(context): State<Shared>,
    Path(digest): Path<String>,
) -> Result<Response, ApiError> {
    let digest: Digest = parse(&digest)?;
    let content = context.writer.blob(digest).await?;
    // Evidence of hosts takes another right.
    let content = content.filter(|content| !is_evidence(content));
    let content = content.ok_or_else(|| ApiError::not_found(format!("no report {digest}")))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], content).into_response())
}

/// Position and digest of all state.
#[utoipa::path(get, path = "/api/v1/head", params(AsOf), responses((status = OK, body = HeadView)))]
pub(super) async fn head(
    State(context): State<Shared>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let then = context.then(as_of.as_ref()).await?;
    let world = &then.world;
    let digest = world.digest().map_err(|error| ApiError::internal(&error))?;
    Ok(then.answer(HeadView { seq: world.seq(), term: world.term(), world: digest.to_string() }))
}

/// The whole record, one JSON line per entry, for `tenon log verify`.
#[utoipa::path(get, path = "/api/v1/journal", responses((status = OK, content_type = "application/jsonl", body = String)))]
pub(super) async fn journal(State(context): State<Shared>) -> Result<Response, ApiError> {
    let lines = context.writer.export().await;
    let lines = lines.map_err(|error| ApiError::new(Code::JournalFailed, error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], lines).into_response())
}

/// Live: a `generation` event after every change, the first one at once. Its data is `{"generation": N, "facets": [...]}`: how
/// far the record reaches, and which of `assets`, `queue`, `feeds` and `context` changed since the event before.
#[utoipa::path(get, path = "/api/v1/events", responses((status = OK, content_type = "text/event-stream", body = String)))]
pub(super) async fn events(
    State(context): State<Shared>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let mut follow = context.writer.generations();
    follow.mark_changed();
    let start = (follow, context, headers, None);
    let notices = stream::unfold(start, |(mut follow, context, headers, told)| async move {
        let changed = async {
            // The writer is gone when this fails.
            follow.changed().await.ok()?;
            tokio::time::sleep(NOTICE_PAUSE).await;
            Some(*follow.borrow_and_update())
        };
        // The stream ends with the server, and the client sees it.
        let generation = tokio::select! {
            changed = changed => changed?,
            () = is_true(context.stopped.clone()) => return None,
        };
        if !still_reads(&context, &headers) {
            return None;
        }
        let facets = match told {
            Some(seq) => generation.since(seq),
            None => Facet::ALL.map(Facet::name).to_vec(),
        };
        let data = serde_json::json!({ "generation": generation.seq, "facets": facets });
        let event = sse::Event::default().event("generation").data(data.to_string());
        Some((Ok(event), (follow, context, headers, Some(generation.seq))))
    });
    Sse::new(notices).keep_alive(KeepAlive::default())
}

pub(super) fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|error: T::Err| ApiError::bad_request(error.to_string()))
}
