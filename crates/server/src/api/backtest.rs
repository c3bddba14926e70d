//! Policies replayed over years of history, beside the record.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tenon_engine::World;
use tenon_model::RefusalCode;
use tenon_predict::backtest::{Acts, Policy, PolicyError, PolicyFile};
use tenon_predict::{Day, HORIZON, SpanError};
use utoipa::ToSchema;

use super::context::in_background;
use super::{ApiError, Code, Input, Shared};
use crate::backtesting::Asked;
use crate::view::{BacktestView, ReplayView};

/// Most policies of a replay: as many as a chart tells apart.
pub(crate) const MOST: usize = 8;
/// The policy that counts, as the record has it.
pub(crate) const IN_FORCE: &str = "in-force";
/// A policy whose text comes with the question.
const DRAFT: &str = "draft";

/// What is replayed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BacktestBody {
    /// The policies, 1 to 8: built-in ones as `tenon backtest run` takes them (`epss>=0.1`), `in-force` for the policy that counts,
    /// `draft` for the one in `draft`.
    policies: Vec<String>,
    /// The first day `YYYY-MM-DD` or month `YYYY-MM`; the first of the history where nothing is said.
    from: Option<String>,
    /// The last day or month; the last of the history where nothing is said.
    to: Option<String>,
    /// The text of a policy that nobody has set.
    draft: Option<String>,
    /// What of a policy file flags: `automatic` (where nothing is said), `emergency` or `allowed`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    flagging: Acts,
}

/// Which history can be replayed, and which policies.
#[utoipa::path(get, path = "/api/v1/backtest", responses((status = OK, body = BacktestView)))]
pub(super) async fn backtest(State(context): State<Shared>) -> Result<Json<BacktestView>, ApiError> {
    let world = context.writer.world();
    in_background(move || BacktestView::of(context.backtests.survey(), &world)).await.map(Json)
}

/// Replay policies over history. Nothing changes. One replay runs at a time; ask the same again until its state is `done`. What came of
/// the last ones is kept for whoever asks the same while the files of the history stay as they are.
#[utoipa::path(post, path = "/api/v1/backtest", request_body = BacktestBody,
    responses((status = OK, body = ReplayView), (status = BAD_REQUEST), (status = NOT_FOUND), (status = UNPROCESSABLE_ENTITY)))]
pub(super) async fn replay_policies(
    State(context): State<Shared>,
    Input(body): Input<BacktestBody>,
) -> Result<Json<ReplayView>, ApiError> {
    let policies = policies(&context.writer.world(), &body)?;
    let backtests = context.backtests.clone();
    let Some(survey) = in_background(move || backtests.survey()).await? else {
        return Err(ApiError::not_found("no history was named: start Tenon with --history FOLDER"));
    };
    let survey = survey.map_err(|error| ApiError::internal(&error))?;
    let day = |said: Option<&String>, read: fn(&str) -> Result<Day, SpanError>, usual: Option<&Day>| {
        let said = said.map(|text| read(text)).transpose();
        said.map(|day| day.or(usual.copied())).map_err(|error| ApiError::bad_request(error.to_string()))
    };
    let from = day(body.from.as_ref(), Day::first_of, survey.days.first())?;
    let to = day(body.to.as_ref(), Day::last_of, survey.days.last())?;
    let (Some(from), Some(to)) = (from, to) else {
        return Err(ApiError::bad_request("the history has no day of scores"));
    };
    if to < from {
        return Err(ApiError::bad_request(format!("the last day {to} is before the first, {from}")));
    }
    if !survey.records
        && let Some(policy) = policies.iter().find(|policy| policy.reads_records())
    {
        return Err(ApiError::bad_request(format!(
            "{policy} reads records, and the history has none: it needs timeline/ and cve/ too"
        )));
    }
    if !survey.complete().any(|day| (from..=to).contains(&day)) {
        return Err(ApiError::bad_request(format!(
            "no day of scores from {from} to {to} has its next {HORIZON} days of listings in this history"
        )));
    }
    let standing = context.backtests.ask(Asked { policies, span: (from, to), stamp: survey.stamp });
    standing.map(|standing| Json(ReplayView::of(&standing))).map_err(|why| ApiError::internal(&why))
}

/// The policies that are meant, each once.
fn policies(world: &World, body: &BacktestBody) -> Result<Vec<Policy>, ApiError> {
    if body.policies.is_empty() || body.policies.len() > MOST {
        let named = body.policies.len();
        return Err(ApiError::bad_request(format!("a replay compares 1 to {MOST} policies, not {named}")));
    }
    let mut policies = Vec::new();
    for text in &body.policies {
        let policy = one(world, body, text)?;
        if policies.contains(&policy) {
            return Err(ApiError::bad_request(format!("{text:?} is named twice")));
        }
        policies.push(policy);
    }
    Ok(policies)
}

fn one(world: &World, body: &BacktestBody, text: &str) -> Result<Policy, ApiError> {
    let file =
        |name: String, policy| Policy::File(Box::new(PolicyFile { name, policy, acts: body.flagging }));
    match text {
        IN_FORCE => {
            let known = world.policy().ok_or_else(|| {
                ApiError::bad_request("no policy was ever set: leave in-force out, or send a draft")
            })?;
            Ok(file(format!("policy in force, version {}", known.version), known.policy.as_ref().clone()))
        }
        DRAFT => {
            let text = body.draft.as_ref().ok_or_else(|| {
                ApiError::bad_request("draft is the policy in the field `draft`, which is missing")
            })?;
            let policy = tenon_policy::read(text).map_err(|problems| {
                let first = problems.listed().first().map(ToString::to_string).unwrap_or_default();
                let detail = format!("{} problems in the draft, the first: {first}", problems.total());
                ApiError::new(Code::Refused(RefusalCode::BadContent), detail)
            })?;
            Ok(file(DRAFT.to_owned(), policy))
        }
        text => text
            .parse()
            .map_err(|error: PolicyError| ApiError::bad_request(format!("{error}, in-force and draft"))),
    }
}
