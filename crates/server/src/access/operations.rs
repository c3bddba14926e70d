//! The one table of what each operation needs. What is not in it is denied.

use super::roles::Right;

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing: it tells nothing of the estate.
    Nothing,
    /// Somebody who is signed in, for their own affairs.
    SignedIn,
    /// A right.
    Right(Right),
}

use Need::{Nothing, SignedIn};

const READ: Need = Need::Right(Right::Read);
const ASSESS: Need = Need::Right(Right::Assess);
const REPORT: Need = Need::Right(Right::Report);
const DISCUSS: Need = Need::Right(Right::Discuss);
const OPERATE: Need = Need::Right(Right::Operate);
const APPROVE: Need = Need::Right(Right::Approve);
const INVESTIGATE: Need = Need::Right(Right::Investigate);
const AUDIT: Need = Need::Right(Right::Audit);
const ADMINISTER: Need = Need::Right(Right::Administer);

/// Method, path, need.
const OPERATIONS: &[(&str, &str, Need)] = &[
    ("GET", "/api/v1/assets", READ),
    ("GET", "/api/v1/assets/{id}", READ),
    ("GET", "/api/v1/assets/{id}/context", READ),
    ("GET", "/api/v1/assets/{id}/directives", READ),
    ("GET", "/api/v1/assets/{id}/reach", READ),
    ("GET", "/api/v1/assets/{id}/vulnerabilities/{vulnerability}/why", READ),
    ("POST", "/api/v1/assets/{id}/context", ASSESS),
    ("POST", "/api/v1/assets/{id}/retire", OPERATE),
    ("GET", "/api/v1/backtest", READ),
    ("POST", "/api/v1/backtest", READ),
    ("GET", "/api/v1/context", READ),
    ("POST", "/api/v1/context", ASSESS),
    ("POST", "/api/v1/context/preview", ASSESS),
    ("GET", "/api/v1/controls", READ),
    ("POST", "/api/v1/controls", APPROVE),
    ("POST", "/api/v1/controls/{id}/end", APPROVE),
    ("GET", "/api/v1/detections", READ),
    ("POST", "/api/v1/detections", REPORT),
    ("POST", "/api/v1/detections/{id}/dismiss", ASSESS),
    ("GET", "/api/v1/directives", READ),
    ("GET", "/api/v1/directives/{id}", READ),
    ("POST", "/api/v1/directives/{id}/approve", APPROVE),
    ("GET", "/api/v1/directives/{id}/evidence/{asset}", INVESTIGATE),
    ("POST", "/api/v1/directives/{id}/evidence-waiver", APPROVE),
    ("GET", "/api/v1/directives/{id}/signatures", READ),
    ("POST", "/api/v1/directives/{id}/signatures", APPROVE),
    ("POST", "/api/v1/directives/{id}/refuse", APPROVE),
    ("POST", "/api/v1/directives/{id}/notes", DISCUSS),
    // Giving it to others takes the right to approve, which the operation asks itself.
    ("POST", "/api/v1/directives/{id}/assign", DISCUSS),
    ("POST", "/api/v1/directives/{id}/retry", OPERATE),
    ("POST", "/api/v1/directives/{id}/halt", OPERATE),
    ("POST", "/api/v1/directives/{id}/resume", OPERATE),
    ("GET", "/api/v1/directives/{id}/reach", READ),
    ("GET", "/api/v1/directives/{id}/why", READ),
    ("GET", "/api/v1/directives/{id}/moves", READ),
    ("POST", "/api/v1/enrolment-tokens", OPERATE),
    ("GET", "/api/v1/events", READ),
    ("GET", "/api/v1/exceptions", READ),
    ("POST", "/api/v1/exceptions", APPROVE),
    ("POST", "/api/v1/exceptions/{id}/end", APPROVE),
    ("GET", "/api/v1/feeds", READ),
    ("GET", "/api/v1/gaps", READ),
    ("POST", "/api/v1/groups/{name}/demote", OPERATE),
    ("POST", "/api/v1/groups/{name}/promote", OPERATE),
    ("GET", "/api/v1/head", READ),
    ("GET", "/api/v1/journal", AUDIT),
    ("GET", "/api/v1/log", READ),
    ("GET", "/api/v1/measures", READ),
    ("GET", "/api/v1/messages", READ),
    ("POST", "/api/v1/messages/{name}/try", ADMINISTER),
    ("GET", "/api/v1/openapi.json", Nothing),
    ("GET", "/api/v1/overview", READ),
    ("GET", "/api/v1/policy", READ),
    ("POST", "/api/v1/policy", ADMINISTER),
    ("POST", "/api/v1/policy/check", READ),
    ("GET", "/api/v1/policy/presets", READ),
    ("POST", "/api/v1/policy/preview", READ),
    ("GET", "/api/v1/reach", READ),
    ("GET", "/api/v1/regulations", READ),
    ("POST", "/api/v1/regulations", ASSESS),
    ("DELETE", "/api/v1/regulations/{regulation}/{version}", ASSESS),
    ("GET", "/api/v1/reports/{digest}", READ),
    ("GET", "/api/v1/risk", READ),
    ("GET", "/api/v1/rules", READ),
    ("POST", "/api/v1/rules", ASSESS),
    ("GET", "/api/v1/session", SignedIn),
    ("POST", "/api/v1/session", Nothing),
    ("DELETE", "/api/v1/session", SignedIn),
    ("POST", "/api/v1/session/password", SignedIn),
    ("GET", "/api/v1/tempo", READ),
    ("POST", "/api/v1/tempo", OPERATE),
    ("GET", "/api/v1/tokens", SignedIn),
    ("POST", "/api/v1/tokens", SignedIn),
    ("DELETE", "/api/v1/tokens/{id}", SignedIn),
    ("GET", "/api/v1/trend", READ),
    ("GET", "/api/v1/users", AUDIT),
    ("POST", "/api/v1/users", ADMINISTER),
    ("DELETE", "/api/v1/users/{id}", ADMINISTER),
    ("POST", "/api/v1/users/{id}/invitation", ADMINISTER),
    ("POST", "/api/v1/users/{id}/roles", ADMINISTER),
    ("POST", "/api/v1/vex", ASSESS),
    ("GET", "/api/v1/vulnerabilities", READ),
    ("GET", "/api/v1/vulnerabilities/{id}", READ),
    ("GET", "/board", READ),
    ("GET", "/board.css", Nothing),
    ("GET", "/healthz", Nothing),
    ("GET", "/metrics", READ),
    ("GET", "/readyz", Nothing),
    ("GET", "/sign-in", Nothing),
    ("POST", "/sign-in", Nothing),
    ("GET", "/sign-in.css", Nothing),
    ("POST", "/sign-out", Nothing),
    ("GET", "/welcome", Nothing),
    ("POST", "/welcome", Nothing),
];

/// What an operation needs; `None` for one that nobody may use.
pub(crate) fn need_of(method: &str, path: &str) -> Option<Need> {
    // HEAD is GET without its body (RFC 9110, section 9.3.2).
    let method = if method == "HEAD" { "GET" } else { method };
    OPERATIONS.iter().find(|(known, at, _)| (*known, *at) == (method, path)).map(|(_, _, need)| *need)
}

/// The methods that a path knows, for `Allow`.
pub(crate) fn methods_of(path: &str) -> Vec<&'static str> {
    OPERATIONS.iter().filter(|(_, at, _)| *at == path).map(|(method, _, _)| *method).collect()
}

/// Every operation: method and path.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str)> {
    OPERATIONS.iter().map(|(method, path, _)| (*method, *path))
}
