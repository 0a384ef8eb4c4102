//! The opening handshake (RFC 6455, section 4.2), as pure functions over request headers.
//!
//! The HTTP server reads the request, asks [`Upgrade::check`], and sends [`Upgrade::response`] or the refusal's status. What is
//! kept of the request is copied, so that nothing pins the HTTP server's buffers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{Method, Response, StatusCode, Version};
use thiserror::Error;

/// Proves that the server speaks WebSocket and not merely echoes (section 1.3).
const ACCEPT_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The version of RFC 6455, the only one in use.
const VERSION: &str = "13";

/// A request that may be upgraded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    accept: String,
    /// The subprotocol that both sides speak.
    protocol: Option<&'static str>,
}

/// Why a request may not be upgraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Upgrading takes a GET.
    #[error("a WebSocket is opened with GET")]
    Method,
    /// HTTP/2 opens WebSockets in another way (RFC 8441), which we do not speak.
    #[error("a WebSocket is opened over HTTP/1.1")]
    HttpVersion,
    /// Not `Connection: Upgrade` and `Upgrade: websocket`.
    #[error("this address speaks WebSocket: send `Connection: Upgrade` and `Upgrade: websocket`")]
    NotUpgrade,
    /// Another version than 13.
    #[error("send `Sec-WebSocket-Version: 13`")]
    WebSocketVersion,
    /// `Sec-WebSocket-Key` is missing or not 16 bytes in base64.
    #[error("`Sec-WebSocket-Key` must be 16 bytes in base64")]
    Key,
}

impl Refusal {
    /// The status to answer with. With 426, [`headers`](Self::headers) say what would do.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::HttpVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::NotUpgrade | Self::WebSocketVersion => StatusCode::UPGRADE_REQUIRED,
            Self::Key => StatusCode::BAD_REQUEST,
        }
    }

    /// The headers to answer with (section 4.4, and RFC 9110, sections 15.5.6 and 15.5.22).
    #[must_use]
    pub fn headers(self) -> HeaderMap {
        let pairs: &[(HeaderName, &'static str)] = match self {
            Self::Method => &[(http::header::ALLOW, "GET")],
            Self::NotUpgrade | Self::WebSocketVersion => {
                &[(CONNECTION, "upgrade"), (UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, VERSION)]
            }
            Self::HttpVersion | Self::Key => &[],
        };
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }
}

impl Upgrade {
    /// Checks a request, and picks the first of `spoken` that the client offers as subprotocol; with none in common the
    /// connection has none, which the client may refuse.
    ///
    /// The origin is not looked at: whether one matters depends on how clients prove who they are.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], with the status to answer with.
    pub fn check(
        method: &Method,
        version: Version,
        headers: &HeaderMap,
        spoken: &[&'static str],
    ) -> Result<Self, Refusal> {
        if version != Version::HTTP_11 {
            return Err(Refusal::HttpVersion);
        }
        if method != Method::GET {
            return Err(Refusal::Method);
        }
        let says = |name, token: &str| tokens(headers, name).any(|said| said.eq_ignore_ascii_case(token));
        if !says(CONNECTION, "upgrade") || !says(UPGRADE, "websocket") {
            return Err(Refusal::NotUpgrade);
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
            return Err(Refusal::WebSocketVersion);
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).map_or(&[][..], HeaderValue::as_bytes);
        let accept = accept_key(key).ok_or(Refusal::Key)?;
        let protocol =
            spoken.iter().copied().find(|protocol| offers(headers).any(|offer| offer == *protocol));
        Ok(Self { accept, protocol })
    }

    /// The subprotocol that was picked.
    #[must_use]
    pub fn protocol(&self) -> Option<&'static str> {
        self.protocol
    }

    /// The answer that opens the connection.
    #[must_use]
    pub fn response(&self) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(
            SEC_WEBSOCKET_ACCEPT,
            HeaderValue::from_str(&self.accept).expect("base64 is visible ASCII"),
        );
        if let Some(protocol) = self.protocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        }
        response
    }
}

/// The subprotocols that a client offers, in its order of preference. Browsers can say nothing else in a handshake, which
/// is why tokens are found here too.
pub fn offers(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    tokens(headers, SEC_WEBSOCKET_PROTOCOL)
}

/// The `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`; `None` if the key is not 16 bytes in base64.
#[must_use]
pub fn accept_key(key: &[u8]) -> Option<String> {
    let mut nonce = [0; 18];
    if BASE64.decode_slice(key, &mut nonce) != Ok(16) {
        return None;
    }
    let mut hash = sha1_smol::Sha1::new();
    hash.update(key);
    hash.update(ACCEPT_GUID);
    Some(BASE64.encode(hash.digest().bytes()))
}

/// The elements of a header's comma-separated lists.
fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of section 1.3.
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    fn request() -> HeaderMap {
        [
            (CONNECTION, "keep-alive, Upgrade"),
            (UPGRADE, "WebSocket"),
            (SEC_WEBSOCKET_VERSION, "13"),
            (SEC_WEBSOCKET_KEY, KEY),
            (SEC_WEBSOCKET_PROTOCOL, "cardhouse.v9, cardhouse.v1"),
        ]
        .into_iter()
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .collect()
    }

    fn check(headers: &HeaderMap) -> Result<Upgrade, Refusal> {
        Upgrade::check(&Method::GET, Version::HTTP_11, headers, &["cardhouse.v2", "cardhouse.v1"])
    }

    #[test]
    fn the_example_of_the_rfc_is_accepted_with_its_accept_key() {
        let upgrade = check(&request()).expect("a good request");
        let response = upgrade.response();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(response.headers()[SEC_WEBSOCKET_ACCEPT], ACCEPT);
        assert_eq!(response.headers()[SEC_WEBSOCKET_PROTOCOL], "cardhouse.v1");
    }

    #[test]
    fn without_a_protocol_in_common_none_is_answered() {
        let mut headers = request();
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("chat"));
        let upgrade = check(&headers).expect("a good request");
        assert_eq!(upgrade.protocol(), None);
        assert!(!upgrade.response().headers().contains_key(SEC_WEBSOCKET_PROTOCOL));
    }

    #[test]
    fn each_missing_or_wrong_header_is_refused_for_what_it_is() {
        let cases = [
            (CONNECTION, "close", Refusal::NotUpgrade),
            (UPGRADE, "h2c", Refusal::NotUpgrade),
            (SEC_WEBSOCKET_VERSION, "8", Refusal::WebSocketVersion),
            (SEC_WEBSOCKET_KEY, "c2hvcnQ=", Refusal::Key),
            (SEC_WEBSOCKET_KEY, "not base64 at all!!!!!!!", Refusal::Key),
        ];
        for (name, wrong, refusal) in cases {
            let mut headers = request();
            headers.insert(name.clone(), HeaderValue::from_static(wrong));
            assert_eq!(check(&headers), Err(refusal), "{name}: {wrong}");
            headers.remove(name.clone());
            assert_eq!(check(&headers), Err(refusal), "without {name}");
        }
        let headers = request();
        let post = Upgrade::check(&Method::POST, Version::HTTP_11, &headers, &[]);
        assert_eq!(post, Err(Refusal::Method));
        for version in [Version::HTTP_10, Version::HTTP_2] {
            assert_eq!(Upgrade::check(&Method::GET, version, &headers, &[]), Err(Refusal::HttpVersion));
        }
    }

    #[test]
    fn a_refused_version_is_told_the_right_one() {
        assert_eq!(Refusal::WebSocketVersion.status(), StatusCode::UPGRADE_REQUIRED);
        assert_eq!(Refusal::WebSocketVersion.headers()[SEC_WEBSOCKET_VERSION], VERSION);
    }
}
