//! What a browser keeps for us where no script reads it: the refresh token, and what shows that it has signed in before.
//!
//! Over TLS the names begin with `__Host-`: no other host and no page without TLS can put one there. Without TLS (a house on a loopback
//! or in a home's network) browsers take no such name.

use axum::http::{HeaderMap, HeaderValue, header};
use ops::serve::{Caller, Pages};

use crate::{
    error::ApiError,
    passwords::Secret,
    people::{Device, Session, device_name},
};

/// Of the refresh token.
const REFRESH: &str = "cardhouse";

/// What the names of devices begin with.
const DEVICE: &str = "cardhouse-device-";

/// A device is known for so long, seconds.
const DEVICE_KEPT_S: u64 = 400 * 24 * 60 * 60;

/// Whether the page that asks came over TLS, which a proxy has taken off: browsers tell with every request that changes something.
fn is_secure(headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

fn name(of: &str, secure: bool) -> String {
    if secure { format!("__Host-{of}") } else { of.to_owned() }
}

fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs =
        pairs.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
}

/// Only pages of this house use cookies: browsers say whose page it is, by `Sec-Fetch-Site` or `Origin`, and that the body is JSON makes
/// others ask first.
pub(super) fn check_page(pages: &Pages, headers: &HeaderMap, caller: Caller) -> Result<(), ApiError> {
    pages.check(headers, caller)?;
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(ApiError::OtherSite),
    }
}

/// The refresh token that the browser keeps.
pub(super) fn refresh(headers: &HeaderMap) -> Option<Secret> {
    read(headers, &name(REFRESH, is_secure(headers))).map(Secret::from)
}

/// What the browser is known by when it signs in with this handle.
pub(super) fn device(headers: &HeaderMap, handle: &str) -> Option<String> {
    read(headers, &name(&format!("{DEVICE}{}", device_name(handle)), is_secure(headers)))
}

fn set(name: &str, value: &str, seconds: u64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    let mut value = HeaderValue::try_from(text).expect("tokens are visible characters");
    value.set_sensitive(true);
    value
}

/// Has the browser keep what a session is refreshed with.
pub(super) fn keep(headers: &HeaderMap, session: &Session, now_ms: u64, into: &mut HeaderMap) {
    let secure = is_secure(headers);
    let seconds = session.refresh_expires_ms.saturating_sub(now_ms) / 1_000;
    let refresh = set(&name(REFRESH, secure), session.refresh.as_str(), seconds, secure);
    into.append(header::SET_COOKIE, refresh);
    if let Some(Device { name: of, proof }) = &session.device {
        let device = name(&format!("{DEVICE}{of}"), secure);
        into.append(header::SET_COOKIE, set(&device, proof.as_str(), DEVICE_KEPT_S, secure));
    }
}

/// Has the browser forget the refresh token. It stays known as a device.
pub(super) fn forget(headers: &HeaderMap, into: &mut HeaderMap) {
    let secure = is_secure(headers);
    into.append(header::SET_COOKIE, set(&name(REFRESH, secure), "", 0, secure));
}
