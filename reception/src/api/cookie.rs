//! What a browser keeps for us where no script reads it: the refresh token, and what shows that it has signed in before.
//!
//! Over TLS the names begin with `__Host-`: no other host and no page without TLS can put one there. Without TLS (a house on a loopback
//! or in a home's network) browsers take no such name.

use axum::http::{HeaderMap, HeaderValue, header};
use ops::serve::{Caller, Pages};

use crate::{
    error::ApiError,
    oidc::Way,
    passwords::Secret,
    people::{AWAY_MS, Device, Session, device_name},
};

/// Of the refresh token.
const REFRESH: &str = "cardhouse";

/// What the names of devices begin with.
const DEVICE: &str = "cardhouse-device-";

/// Of who is away to sign in elsewhere, with the beginning of the state behind it: two windows may go at once.
const AWAY: &str = "cardhouse-away-";

/// Of who has come back and is to say what he is called.
const ARRIVED: &str = "cardhouse-arrived";

/// Characters of the state in a name.
const STATE_CHARS: usize = 10;

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
    set_for(name, value, seconds, secure, "Strict")
}

/// `site`: who may send the browser here so that it tells the cookie.
fn set_for(name: &str, value: &str, seconds: u64, secure: bool, site: &str) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite={site}; Max-Age={seconds}{secure}");
    let mut value = HeaderValue::try_from(text).expect("tokens are visible characters");
    value.set_sensitive(true);
    value
}

/// Has the browser keep what a session is refreshed with.
pub(super) fn keep(headers: &HeaderMap, session: &Session, now_ms: u64, into: &mut HeaderMap) {
    keep_over(is_secure(headers), session, now_ms, into);
}

/// The same where a page came over TLS or not, which browsers do not tell with what they are sent to.
pub(super) fn keep_over(secure: bool, session: &Session, now_ms: u64, into: &mut HeaderMap) {
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

/// What the name of a way's cookie ends with; none for what is no state.
fn away(state: &str, secure: bool) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let head = state.get(..STATE_CHARS).filter(|head| head.chars().all(is_plain))?;
    Some(name(&format!("{AWAY}{head}"), secure))
}

/// Has the browser keep what it comes back with. Another site sends it here, so that one may.
pub(super) fn keep_away(way: &Way, secure: bool, into: &mut HeaderMap) {
    let name = away(&way.state(), secure).expect("a way's own state is one");
    into.append(header::SET_COOKIE, set_for(&name, way.secret(), AWAY_MS / 1_000, secure, "Lax"));
}

/// What a browser has kept that comes back with this state.
pub(super) fn read_away(headers: &HeaderMap, state: &str, secure: bool) -> Option<Way> {
    Way::read(&read(headers, &away(state, secure)?)?)
}

/// It is back.
pub(super) fn forget_away(state: &str, secure: bool, into: &mut HeaderMap) {
    if let Some(name) = away(state, secure) {
        into.append(header::SET_COOKIE, set_for(&name, "", 0, secure, "Lax"));
    }
}

/// Has the browser keep as whom somebody has come back.
pub(super) fn keep_arrived(way: &Way, secure: bool, into: &mut HeaderMap) {
    into.append(header::SET_COOKIE, set(&name(ARRIVED, secure), way.secret(), AWAY_MS / 1_000, secure));
}

/// As whom somebody has come back.
pub(super) fn read_arrived(headers: &HeaderMap, secure: bool) -> Option<Way> {
    Way::read(&read(headers, &name(ARRIVED, secure))?)
}

/// He is somebody.
pub(super) fn forget_arrived(secure: bool, into: &mut HeaderMap) {
    into.append(header::SET_COOKIE, set(&name(ARRIVED, secure), "", 0, secure));
}
