//! Errors as problem details (RFC 9457), each with a stable code.

use std::fmt::Write as _;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tenon_model::RefusalCode;
use tenon_wire::Problem;

use crate::writer::SubmitError;

/// The media type of every error answer.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Why a request failed, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// The core decided against it.
    Refused(RefusalCode),
    BadRequest,
    NoSuchTime,
    NotKept,
    NotSignedIn,
    NotEnrolled,
    Cloned,
    NoRights,
    ForeignOrigin,
    NotFound,
    MethodNotAllowed,
    TooSlow,
    PreconditionFailed,
    TooLarge,
    UnsupportedMediaType,
    UnknownHost,
    TooManyRequests,
    Internal,
    JournalFailed,
}

/// What is said of a code in the answer and in the reference.
struct Said {
    code: String,
    status: StatusCode,
    title: &'static str,
    remedy: &'static str,
}

impl Code {
    /// The failures that are not the core's.
    const OTHERS: [Self; 18] = [
        Self::BadRequest,
        Self::NoSuchTime,
        Self::NotKept,
        Self::NotSignedIn,
        Self::NotEnrolled,
        Self::Cloned,
        Self::NoRights,
        Self::ForeignOrigin,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooSlow,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::UnknownHost,
        Self::TooManyRequests,
        Self::Internal,
        Self::JournalFailed,
    ];

    fn all() -> impl Iterator<Item = Self> {
        RefusalCode::ALL.into_iter().map(Self::Refused).chain(Self::OTHERS)
    }

    /// The code of an error that the HTTP machinery answers by itself.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::NotSignedIn,
            StatusCode::FORBIDDEN => Self::NoRights,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::TooSlow,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            status if status.is_client_error() => Self::BadRequest,
            _ => Self::Internal,
        }
    }

    fn said(self) -> Said {
        let (code, status, title, remedy) = match self {
            Self::Refused(code) => {
                let name = serde_json::to_value(code).ok().and_then(|name| name.as_str().map(str::to_owned));
                let (status, title, remedy) = refused(code);
                return Said { code: name.unwrap_or_default(), status, title, remedy };
            }
            Self::BadRequest => (
                "bad-request",
                StatusCode::BAD_REQUEST,
                "The request is not as it must be",
                "correct what the detail names",
            ),
            Self::NoSuchTime => (
                "no-such-time",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The record says nothing of that time",
                "ask for one that the detail allows",
            ),
            Self::NotKept => (
                "not-kept",
                StatusCode::GONE,
                "History is not kept as far back as that",
                "ask for the time that the detail names, or a later one; an export or backup of before tells the rest",
            ),
            Self::NotSignedIn => (
                "not-signed-in",
                StatusCode::UNAUTHORIZED,
                "Nobody is signed in",
                "sign in, or open the link that `tenon up` printed; `tenon login` for the command line",
            ),
            Self::NotEnrolled => (
                "not-enrolled",
                StatusCode::UNAUTHORIZED,
                "The host is not enrolled here",
                "agents: enrol with a token of this server",
            ),
            Self::Cloned => (
                "cloned",
                StatusCode::CONFLICT,
                "Another host speaks with the same key",
                "on one of the two: stop the agent, remove its state folder, and enrol it with a new token",
            ),
            Self::NoRights => (
                "no-rights",
                StatusCode::FORBIDDEN,
                "The role does not allow this",
                "ask an admin for the role that the detail names",
            ),
            Self::ForeignOrigin => (
                "foreign-origin",
                StatusCode::FORBIDDEN,
                "A page elsewhere sent this",
                "use Tenon's own page; programs send a token instead of a cookie",
            ),
            Self::NotFound => (
                "not-found",
                StatusCode::NOT_FOUND,
                "There is no such thing",
                "look it up, or see the API's description",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This path knows other methods",
                "see the answer's `Allow` header",
            ),
            Self::TooSlow => (
                "too-slow",
                StatusCode::REQUEST_TIMEOUT,
                "The body did not arrive in time",
                "send it again over a better connection",
            ),
            Self::PreconditionFailed => (
                "precondition-failed",
                StatusCode::PRECONDITION_FAILED,
                "Somebody else changed it meanwhile",
                "read it again, then decide anew",
            ),
            Self::TooLarge => (
                "too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is larger than accepted",
                "send less at a time",
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is of another type than accepted",
                "send JSON as `application/json`",
            ),
            Self::UnknownHost => (
                "unknown-host",
                StatusCode::MISDIRECTED_REQUEST,
                "Tenon is not served under this name",
                "use one of the names in the detail, or add one with `--name`",
            ),
            Self::TooManyRequests => (
                "too-many-requests",
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests in a short time",
                "wait as long as `Retry-After` says",
            ),
            Self::Internal => (
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Tenon failed",
                "look for the request's id in the server's log",
            ),
            Self::JournalFailed => (
                "journal-failed",
                StatusCode::SERVICE_UNAVAILABLE,
                "Tenon has stopped writing",
                "see its log for the first failure, free space or restore, then start it again",
            ),
        };
        Said { code: code.to_owned(), status, title, remedy }
    }

    /// The code as programs see it.
    pub(crate) fn name(self) -> String {
        self.said().code
    }

    pub(super) fn status(self) -> StatusCode {
        self.said().status
    }
}

/// What is said of a refusal of the core.
fn refused(code: RefusalCode) -> (StatusCode, &'static str, &'static str) {
    match code {
        RefusalCode::UnknownAsset => (
            StatusCode::NOT_FOUND,
            "No such asset, or not part of this directive",
            "look it up with `tenon assets`",
        ),
        RefusalCode::UnknownDirective => {
            (StatusCode::NOT_FOUND, "No such directive, or it is closed", "look it up with `tenon queue`")
        }
        RefusalCode::UnknownOrder => (
            StatusCode::NOT_FOUND,
            "No such order to this asset, or it is answered already",
            "agents: drop the report",
        ),
        RefusalCode::UnknownException => (
            StatusCode::NOT_FOUND,
            "No such exception, or it has ended",
            "look it up with `tenon exception list`",
        ),
        RefusalCode::UnknownControl => (
            StatusCode::NOT_FOUND,
            "No such control, or it has ended",
            "look it up with `tenon control list`",
        ),
        RefusalCode::UnknownDetection => (
            StatusCode::NOT_FOUND,
            "No such detection, or it has ended",
            "look it up with `tenon detection list`",
        ),
        RefusalCode::BadToken => (
            StatusCode::FORBIDDEN,
            "Unknown, used up, expired or wrong enrolment token",
            "`tenon enrol-token` makes a new one",
        ),
        RefusalCode::AlreadyEnrolled => (StatusCode::CONFLICT, "This key is an asset already", "nothing"),
        RefusalCode::BadInventory => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "An inventory breaks a bound",
            "look at the host's package database",
        ),
        RefusalCode::StaleReport => (
            StatusCode::CONFLICT,
            "Not newer than the last report of this asset",
            "agents: go on with the next sequence",
        ),
        RefusalCode::StaleBase => (
            StatusCode::CONFLICT,
            "A delta does not follow from the last report of this asset",
            "agents: send a whole report",
        ),
        RefusalCode::NothingToApprove => (
            StatusCode::CONFLICT,
            "No asset waits with a passed rehearsal",
            "wait for the rehearsal, or see why it did not pass",
        ),
        RefusalCode::EvidenceChanged => (
            StatusCode::CONFLICT,
            "What waits for approval is not what was looked at",
            "look again, then approve",
        ),
        RefusalCode::EvidenceRequired => (
            StatusCode::CONFLICT,
            "The decision row wants evidence preserved first",
            "see what the host waits for (`tenon evidence show`), or waive it with a reason",
        ),
        RefusalCode::ForbiddenByPolicy => (
            StatusCode::CONFLICT,
            "A rule of the policy forbids it",
            "change the policy, or refuse the directive",
        ),
        RefusalCode::RoleNeeded => (
            StatusCode::CONFLICT,
            "This takes somebody with another role: the policy asks for it, or it is about somebody else",
            "ask a person who has it",
        ),
        RefusalCode::AnotherPersonNeeded => (
            StatusCode::CONFLICT,
            "The policy asks for several people, and this one has approved already",
            "ask another person",
        ),
        RefusalCode::UnknownKey => (
            StatusCode::CONFLICT,
            "No host that waits asks for a signature of that key",
            "sign with a key that `tenon show` lists, or have root of the host add it to its limits",
        ),
        RefusalCode::WrongStage => {
            (StatusCode::CONFLICT, "The asset's stage does not allow this", "look at the directive")
        }
        RefusalCode::NothingToDo => (StatusCode::CONFLICT, "The command would change nothing", "nothing"),
        RefusalCode::BadContent => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "A part is missing, does not encode or is too large",
            "correct it",
        ),
    }
}

/// The reference of all codes, `docs/reference/refusals.md`.
pub fn reference() -> String {
    let mut page = String::from(
        "# Refusals\n\nEvery error answer of the API and of the agents' gateway is a problem (RFC 9457, `application/problem+json`):\n\
         `type` (`urn:tenon:problem:CODE`), `title`, `status`, `detail`, `instance` (the request, as the server's log and the\n\
         `x-request-id` header name it), and `code`, which is stable and meant for programs. `title` and `detail` are for people and\n\
         may change. A refused command has changed nothing.\n\n\
         Generated by `cargo xtask generate`.\n\n| code | HTTP | meaning | what to do |\n| --- | --- | --- | --- |\n",
    );
    for said in Code::all().map(Code::said) {
        let Said { code, status, title, remedy } = said;
        // Writing to a text cannot fail.
        let _written = writeln!(page, "| `{code}` | {} | {title} | {remedy} |", status.as_u16());
    }
    page.push_str(
        "\nApply reports of agents carry codes of their own: `transaction-changed`, `file-changed`, `precondition`, `busy`,\n\
         `dpkg-interrupted`, `rpm-interrupted`, `cannot-act`, `bad-order`, `package-manager`, `interrupted`, `host`, `limits` and `limits-distrusted`\n\
         (what root of the host forbids), `unapproved` (signatures that root of the host asks for are missing; the detail says\n\
         which), `hooks-distrusted` and `hook-failed` (what root of the host runs before a change): nothing\n\
         was changed on the host. With `expired` the order came after its end, as after a cut that lasted beyond a window: the approval\n\
         stands, and the host is ordered again in its turn.\n",
    );
    page
}

/// An error answer.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(super) code: Code,
    detail: String,
    /// Seconds after which asking again may help.
    retry_after: Option<u64>,
}

impl ApiError {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after: None }
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Whether the core refused it for this reason.
    pub(crate) fn is_refused_as(&self, code: RefusalCode) -> bool {
        self.code == Code::Refused(code)
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Code::NotFound, detail)
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, detail)
    }

    pub(crate) fn internal(error: &impl std::fmt::Display) -> Self {
        Self::new(Code::Internal, error.to_string())
    }

    /// The answer's body, for the request of this id.
    pub(super) fn problem(self, request: &str) -> Problem {
        let Said { code, status, title, .. } = self.code.said();
        Problem {
            kind: format!("urn:tenon:problem:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail,
            instance: format!("urn:tenon:request:{request}"),
            code,
        }
    }

    /// Turns `response` into this error's answer, keeping headers such as `Allow`.
    pub(super) fn render(self, mut response: Response, request: &str) -> Response {
        let retry_after = self.retry_after;
        let problem = self.problem(request);
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
        if problem.status == StatusCode::UNAUTHORIZED.as_u16() {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        *response.body_mut() = body.into();
        response
    }
}

impl IntoResponse for ApiError {
    /// Only marks the answer: its body names the request, which the outermost layer knows.
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<SubmitError> for ApiError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => Self::new(Code::Refused(refusal.code), refusal.message),
            SubmitError::Changed => Self::new(Code::PreconditionFailed, error.to_string()),
            error => Self::new(Code::JournalFailed, error.to_string()),
        }
    }
}
