//! What a client is told when it does not get what it asked for: a status, a stable code, a sentence.

use std::time::Duration;

use axum::{
    Json,
    extract::rejection::JsonRejection,
    http::{StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use protocol::text::Unfit;
use serde::Serialize;

/// A refusal. As JSON `{"code": "...", "message": "..."}`, with `retry_after_ms` where waiting helps.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 400: the body is not the JSON that was asked for.
    #[error("{0}")]
    BadRequest(String),
    /// 413: the body is larger than [`BODY_BYTES_MAX`](crate::api::BODY_BYTES_MAX).
    #[error("the body is larger than {} bytes", crate::api::BODY_BYTES_MAX)]
    TooLarge,
    /// 415: the body is not declared as JSON.
    #[error("send JSON, with content-type application/json")]
    NotJson,
    /// 422: choose another name.
    #[error("this name cannot be shown to others: {0}")]
    BadName(#[from] Unfit),
    /// 401: the token to be refreshed is not, or no longer, valid. Ask for a new guest.
    #[error("the token is not valid or has expired; ask for a new one")]
    BadToken,
    /// 429: too many requests from this address.
    #[error("too many requests from your address; try again later")]
    TooFast(Duration),
    /// 404: there is nothing under this path.
    #[error("there is nothing here; see /api/guest, /api/refresh and /.well-known/jwks.json")]
    NotFound,
    /// 405: the path knows other methods.
    #[error("this path does not know the method")]
    BadMethod,
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BadName(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::BadToken => StatusCode::UNAUTHORIZED,
            Self::TooFast(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadMethod => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// For programs; also the label in the metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad_request",
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
            Self::BadName(_) => "bad_name",
            Self::BadToken => "bad_token",
            Self::TooFast(_) => "too_fast",
            Self::NotFound => "not_found",
            Self::BadMethod => "bad_method",
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::NotJson,
            _ => Self::BadRequest(rejection.body_text()),
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        metrics::counter!("reception_refused_total", "code" => self.code()).increment(1);
        let wait = if let Self::TooFast(wait) = self { Some(wait) } else { None };
        let retry_after_ms =
            wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1));
        let body = Body { code: self.code(), message: &self.to_string(), retry_after_ms };
        let mut response = (self.status(), Json(body)).into_response();
        if let Some(wait) = wait {
            // Whole seconds, rounded up (RFC 9110, section 10.2.3).
            response.headers_mut().insert(RETRY_AFTER, (wait.as_secs() + 1).into());
        }
        response
    }
}
