//! Bodies of requests: within bounds of size and time, or a problem like any other.

use std::future::Future;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::extract::{Form, FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::{ApiError, Code};

/// How long a body may take where a request says nothing else.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the bodies of this server's requests may take; the server puts it into every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience(pub(crate) Duration);

/// A JSON body.
pub(crate) struct Input<T>(pub(crate) T);

/// The body that a form of a page sends.
pub(crate) struct Fields<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let patience = patience(&request);
        let read = in_time(patience, Json::from_request(request, state)).await?;
        read.map(|Json(value)| Self(value))
            .map_err(|rejection: JsonRejection| refused(rejection.status(), rejection.body_text()))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Fields<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let patience = patience(&request);
        let read = in_time(patience, Form::from_request(request, state)).await?;
        read.map(|Form(value)| Self(value))
            .map_err(|rejection: FormRejection| refused(rejection.status(), rejection.body_text()))
    }
}

fn patience(request: &Request) -> Duration {
    request.extensions().get::<Patience>().map_or(PATIENCE, |Patience(patience)| *patience)
}

async fn in_time<T>(patience: Duration, read: impl Future<Output = T>) -> Result<T, ApiError> {
    let slow = |_| {
        let message = format!("the body did not arrive within {} s", patience.as_secs_f32());
        ApiError::new(Code::TooSlow, message)
    };
    tokio::time::timeout(patience, read).await.map_err(slow)
}

fn refused(status: StatusCode, text: String) -> ApiError {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(Code::TooLarge, text),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ApiError::new(Code::UnsupportedMediaType, text),
        _ => ApiError::bad_request(text),
    }
}
