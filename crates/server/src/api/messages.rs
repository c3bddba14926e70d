//! Who is told what, how it stands with each, and a trial.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ApiError, Code, Shared};
use crate::clock::clock;
use crate::messages::{Addressee, Form, Messages, Topic, try_out as send_trial};

/// Who is told what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessagesView {
    /// Position of the journal that this shows.
    pub generation: u64,
    /// By name in the file.
    pub items: Vec<AddresseeView>,
}

/// One addressee, and how it stands with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AddresseeView {
    /// Its name in the file.
    pub name: String,
    /// The host that is posted to. The rest of the address is a secret.
    pub host: String,
    /// How messages are written.
    pub form: Form,
    /// What it is told.
    pub about: Vec<Topic>,
    /// Only of these groups' work; absent where of everybody's.
    pub groups: Option<Vec<String>>,
    /// How many seconds messages gather for one post.
    pub gather_seconds: u64,
    /// Whether posts are signed.
    pub signed: bool,
    /// How many entries of the record it was not told of yet, nor found that there is nothing to tell.
    pub behind: u64,
    /// How many messages wait.
    pub waiting: u64,
    /// How many posts it took since Tenon started.
    pub posts: u64,
    /// When it took the last one, RFC 3339.
    pub last: Option<String>,
    /// Why the next is not taken; it is tried again.
    pub problem: Option<String>,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrialView {
    /// Whether the other side took it.
    pub taken: bool,
    /// Why not.
    pub problem: Option<String>,
}

impl AddresseeView {
    fn of(messages: &Messages, to: &Addressee, seq: u64) -> Self {
        let delivery = messages.delivery(&to.name);
        Self {
            name: to.name.clone(),
            host: to.host().to_owned(),
            form: to.form,
            about: to.about.iter().copied().collect(),
            groups: to.groups.as_ref().map(|groups| groups.iter().map(ToString::to_string).collect()),
            gather_seconds: to.gather.as_secs(),
            signed: to.is_signed(),
            behind: seq.saturating_sub(delivery.delivered_to),
            waiting: delivery.waiting,
            posts: delivery.posts,
            last: delivery.last.map(|last| last.to_string()),
            problem: delivery.problem,
        }
    }
}

/// Who is told what, and how it stands with each.
#[utoipa::path(get, path = "/api/v1/messages", responses((status = OK, body = MessagesView)))]
pub(super) async fn messages(State(context): State<Shared>) -> Json<MessagesView> {
    let generation = context.writer.world().seq();
    let to = &context.messages.addressees.to;
    let items = to.iter().map(|to| AddresseeView::of(&context.messages, to, generation)).collect();
    Json(MessagesView { generation, items })
}

/// Send a trial message to an addressee now, and say what came of it.
#[utoipa::path(post, path = "/api/v1/messages/{name}/try", params(("name" = String, Path)),
    responses((status = OK, body = TrialView), (status = UNAUTHORIZED), (status = NOT_FOUND)))]
pub(super) async fn try_out(
    State(context): State<Shared>,
    Path(name): Path<String>,
) -> Result<Json<TrialView>, ApiError> {
    let to = context.messages.addressees.named(&name).ok_or_else(|| {
        ApiError::new(Code::NotFound, format!("{name:?} is no addressee: look at `tenon messages`"))
    })?;
    let problem = send_trial(&context.messages, &context.poster, to, clock()).await;
    Ok(Json(TrialView { taken: problem.is_none(), problem }))
}
