//! What is told of requests that come to no endpoint, in the form in which endpoints refuse: `{"code": "...", "message": "..."}`, with
//! `retry_after_ms` where waiting helps.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// What a connection gets that cannot be let in.
pub(super) const NO_ROOM: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n",
    "content-type: application/json\r\ncontent-length: 78\r\n\r\n",
    r#"{"code":"busy","message":"no room for more connections","retry_after_ms":5000}"#
);

/// Why a request comes to no endpoint. It is the last one on its connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    /// Its address asks too much at once.
    Crowded,
    /// More bytes than any request may have.
    Large,
    /// Its body did not come, or its answer was not known.
    Late,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            Self::Crowded => {
                (StatusCode::TOO_MANY_REQUESTS, "too_fast", "too many requests of your address at once")
            }
            Self::Large => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large"),
            Self::Late => (StatusCode::REQUEST_TIMEOUT, "too_slow", "the request did not come in time"),
        };
        let mut body = json!({ "code": code, "message": message });
        let mut headers = vec![(header::CONNECTION, "close")];
        if !matches!(self, Self::Large) {
            body["retry_after_ms"] = 1_000.into();
            headers.push((header::RETRY_AFTER, "1"));
        }
        let mut response = (status, Json(body)).into_response();
        response
            .headers_mut()
            .extend(headers.into_iter().map(|(name, value)| (name, value.parse().expect("plain text"))));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_be_let_in_gets_an_answer_of_the_length_that_it_says() {
        let (head, body) = NO_ROOM.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
        let told: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((&told["code"], &told["retry_after_ms"]), (&json!("busy"), &json!(5_000)));
    }
}
