//! The public HTTP API. The page and the CLI are clients like any other.

mod as_of;
mod assign;
pub(crate) mod backtest;
mod board;
mod context;
mod controls;
mod coverage;
mod detections;
mod document;
mod evidence;
mod exceptions;
mod guard;
mod input;
mod last;
mod lists;
mod log;
mod measures;
mod messages;
mod operating;
mod parts;
mod policy;
mod problem;
mod reach;
mod read;
mod regulations;
mod replaced;
mod request;
mod risk;
mod session;
mod sign_in;
mod signatures;
mod standing;
mod tokens;
mod trend;
mod users;
mod vulnerabilities;
mod write;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::middleware;
use axum::routing::{get, post};
use tenon_model::{Digest, Person, Timestamp};
use tokio::sync::watch;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use controls::ControlsView;
pub use coverage::{FeedsPage, GapsPage};
pub use detections::{DetectionTaken, DetectionsView};
pub use exceptions::ExceptionsView;
use input::Fields;
pub(crate) use input::{Input, Patience};
pub(crate) use last::{Aside, Last, Of};
pub use lists::{AssetsPage, DirectivesPage};
pub use messages::{AddresseeView, MessagesView, TrialView};
pub use parts::{PartView, QueueTotals};
pub use problem::reference as refusals_reference;
pub(crate) use problem::{ApiError, Code};
pub(crate) use request::{Counted, identified};
pub use session::SessionView;
pub use tokens::{NewTokenView, TokenView};
pub use users::{InvitationView, UserView};
pub(crate) use vulnerabilities::OpenVulnerabilities;
pub use vulnerabilities::{VulnerabilitiesPage, VulnerabilityLine};
pub(crate) use write::new_token;

use crate::access::{Passwords, People, Rates};
use crate::backtesting::Backtests;
use crate::clock::clock;
use crate::demo::Demo;
use crate::health::FeedHealth;
use crate::messages::{Messages, Poster};
use crate::metrics::Door;
use crate::pages;
use crate::past::Past;
use crate::view::Solved;
use crate::writer::Writer;

/// Most bytes of a body where nothing else is said.
const MAX_BODY: usize = 64 << 10;

/// What every handler needs.
pub(crate) struct Context {
    pub(crate) writer: Writer,
    /// The World as it was.
    pub(crate) past: Past,
    /// Everybody, with sessions and tokens.
    pub(crate) people: People,
    pub(crate) passwords: Passwords,
    /// The owner of the data folder, in whose name `tenon up` itself acts.
    pub(crate) owner: Person,
    /// How often one caller may ask.
    pub(crate) asking: Rates,
    /// How often one address may try to sign in, ...
    pub(crate) signing_in_from: Rates,
    /// ... and how often somebody may try one account.
    pub(crate) signing_in_as: Rates,
    /// Whether reading takes no session: only on loopback.
    pub(crate) open_reading: bool,
    /// Whether cookies must not travel without TLS.
    pub(crate) secure: bool,
    /// How long a body may take.
    pub(crate) patience: Duration,
    /// Host names under which the API may be asked (DNS rebinding).
    pub(crate) hosts: Vec<String>,
    /// Digest of the certificate authority, for new tokens.
    pub(crate) authority: Digest,
    /// Becomes true when Tenon stops.
    pub(crate) stopped: watch::Receiver<bool>,
    /// Who plays, in a demonstration.
    pub(crate) demo: Option<Arc<dyn Demo>>,
    /// How the last attempts at the feeds went.
    pub(crate) health: FeedHealth,
    /// Who is told what, and how it stands with each.
    pub(crate) messages: Messages,
    /// What tells them.
    pub(crate) poster: Poster,
    /// Policies over history.
    pub(crate) backtests: Backtests,
    /// Who an attacker can reach, as last asked.
    pub(crate) solved: Last<Solved>,
    /// What is open in the estate, as last asked.
    pub(crate) open: Last<OpenVulnerabilities>,
}

pub(crate) type Shared = Arc<Context>;

impl Context {
    /// The record's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.demo.as_ref().map_or_else(clock, |demo| demo.now())
    }
}

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Tenon",
    description = "One record of assets, vulnerabilities, directives and evidence. Every operation takes a session's cookie or a \
                   token as bearer, and a role that allows it; docs/reference/rights.md has the table."
))]
struct ApiDoc;

fn documented() -> OpenApiRouter<Shared> {
    let reads = OpenApiRouter::with_openapi(ApiDoc::openapi())
        .routes(routes!(read::overview))
        .routes(routes!(lists::assets))
        .routes(routes!(lists::directives))
        .routes(routes!(read::directive))
        .routes(routes!(read::why))
        .routes(routes!(log::moves))
        .routes(routes!(read::asset))
        .routes(routes!(read::finding_why))
        .routes(routes!(reach::asset_reach))
        .routes(routes!(reach::directive_reach))
        .routes(routes!(reach::reach))
        .routes(routes!(read::asset_directives))
        .routes(routes!(read::vulnerability))
        .routes(routes!(vulnerabilities::vulnerabilities))
        .routes(routes!(read::report))
        .routes(routes!(evidence::evidence))
        .routes(routes!(controls::controls, controls::record_control))
        .routes(routes!(exceptions::exceptions, exceptions::grant_exception))
        .routes(routes!(detections::detections, detections::report_detection))
        .routes(routes!(coverage::gaps))
        .routes(routes!(coverage::feeds))
        .routes(routes!(trend::trend))
        .routes(routes!(risk::risk))
        .routes(routes!(measures::measures))
        .routes(routes!(messages::messages))
        .routes(routes!(read::head))
        .routes(routes!(read::journal))
        .routes(routes!(log::log))
        .routes(routes!(read::events));
    let writes = OpenApiRouter::new()
        .routes(routes!(write::approve))
        .routes(routes!(write::refuse))
        .routes(routes!(write::note))
        .routes(routes!(assign::assign))
        .routes(routes!(evidence::waive_evidence))
        .routes(routes!(write::retry))
        .routes(routes!(write::retire))
        .routes(routes!(controls::end_control))
        .routes(routes!(exceptions::end_exception))
        .routes(routes!(detections::dismiss_detection))
        .routes(routes!(messages::try_out))
        .routes(routes!(write::halt))
        .routes(routes!(write::resume))
        .routes(routes!(replaced::tempo, replaced::set_tempo))
        .routes(routes!(write::promote))
        .routes(routes!(write::demote))
        .routes(routes!(replaced::context, replaced::set_context))
        .routes(routes!(replaced::rules, replaced::set_rules))
        .routes(routes!(regulations::regulations, regulations::adopt))
        .routes(routes!(regulations::withdraw))
        .routes(routes!(write::issue_token));
    // The bodies that may be long: documents.
    let documents = OpenApiRouter::new()
        .routes(routes!(write::state_vex))
        .layer(DefaultBodyLimit::max(tenon_formats::openvex::MAX_DOCUMENT));
    let contexts = OpenApiRouter::new()
        .routes(routes!(context::context_document, context::take_over_context))
        .routes(routes!(context::preview_context))
        .layer(DefaultBodyLimit::max(tenon_formats::context::MAX_DOCUMENT));
    // As many assets as one statement covers.
    let signatures = OpenApiRouter::new()
        .routes(routes!(signatures::signable, signatures::sign))
        .layer(DefaultBodyLimit::max(signatures::MAX_BODY));
    // A text in JSON may be twice as long.
    let policies = OpenApiRouter::new()
        .routes(routes!(policy::policy, policy::set_policy))
        .routes(routes!(policy::preview_policy))
        .routes(routes!(policy::check_policy))
        .routes(routes!(policy::policy_presets))
        .routes(routes!(backtest::backtest, backtest::replay_policies))
        .layer(DefaultBodyLimit::max(2 * tenon_policy::MAX_POLICY));
    let people = OpenApiRouter::new()
        .routes(routes!(session::who_am_i, session::sign_in, session::sign_out))
        .routes(routes!(session::change_password))
        .routes(routes!(users::users, users::add_user))
        .routes(routes!(users::remove_user))
        .routes(routes!(users::invite))
        .routes(routes!(users::set_roles))
        .routes(routes!(tokens::tokens, tokens::new_token))
        .routes(routes!(tokens::revoke_token));
    let short = reads.merge(writes).merge(people).layer(DefaultBodyLimit::max(MAX_BODY));
    short.merge(documents).merge(contexts).merge(policies).merge(signatures)
}

/// Pages that the server writes, for people without scripts.
fn written() -> Router<Shared> {
    Router::new()
        .route("/board", get(board::board))
        .route(pages::BOARD_STYLE, get(pages::board_style))
        .route("/sign-in", get(sign_in::ask).post(sign_in::sign_in))
        .route(pages::SHORT_STYLE, get(pages::short_style))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/welcome", get(sign_in::welcome).post(sign_in::accept))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// The OpenAPI document, generated from the handlers.
pub fn openapi() -> utoipa::openapi::OpenApi {
    document::completed(documented().into_openapi())
}

/// The API and the page.
pub(crate) fn router(context: Shared) -> Router {
    let (router, document) = documented().split_for_parts();
    let counted = Counted { metrics: context.writer.metrics().clone(), door: Door::Api };
    let document = Arc::new(serde_json::to_vec(&document::completed(document)).unwrap_or_default());
    router
        .route(
            "/api/v1/openapi.json",
            get(move || {
                let document = document.clone();
                async move { ([(header::CONTENT_TYPE, "application/json")], document.to_vec()) }
            }),
        )
        .merge(written())
        .route("/healthz", get(operating::alive))
        .route("/readyz", get(operating::ready))
        .route("/metrics", get(operating::metrics))
        .route_layer(middleware::from_fn_with_state(context.clone(), guard::admit))
        .merge(page())
        .fallback(|| async { ApiError::not_found("no such path; see /api/v1/openapi.json") })
        .layer(middleware::from_fn_with_state(context.clone(), guard::known_host))
        .layer(middleware::from_fn_with_state(context.clone(), guard::demo_header))
        .layer(middleware::map_response(guard::security_headers))
        .layer(middleware::from_fn_with_state(counted, request::identified))
        .layer(axum::Extension(Patience(context.patience)))
        .with_state(context)
}

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/page.rs"));
}

/// The page, compiled in.
fn page() -> Router<Shared> {
    let mut router = Router::new();
    for (path, kind, content) in embedded::FILES {
        router = router.route(
            path,
            axum::routing::get(move || async move { ([(header::CONTENT_TYPE, *kind)], *content) }),
        );
    }
    router
}
