//! Who may ask at the operators' port. Anybody who reaches it may look; whatever changes something is not for web pages, and not
//! without the token where there is one.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    Router,
    extract::{Request, State},
    http::{
        HeaderMap, Method, StatusCode,
        header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE},
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use metrics::counter;

use super::{Sparingly, hosts::Hosts};

/// What browsers say about where a request comes from. Nothing else says it, so it need not be read.
const FETCH_SITE: &str = "sec-fetch-site";

/// A secret that whoever changes something must show.
#[derive(Clone, PartialEq, Eq)]
pub struct OpsToken(Arc<str>);

impl FromStr for OpsToken {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let token = text.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("a token has at least one character, and only visible ones of ASCII");
        }
        Ok(Self(token.into()))
    }
}

impl fmt::Debug for OpsToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpsToken(..)")
    }
}

impl OpsToken {
    /// What a file holds, as a mounted secret does.
    ///
    /// # Errors
    /// [`BadTokenFile`].
    pub fn read(file: &Path) -> Result<Self, BadTokenFile> {
        let text = fs::read_to_string(file).map_err(|error| BadTokenFile::Unreadable(file.into(), error))?;
        text.parse().map_err(|error| BadTokenFile::NoToken(file.into(), error))
    }
}

/// A file without a token.
#[derive(Debug, thiserror::Error)]
pub enum BadTokenFile {
    /// It cannot be read.
    #[error("cannot read --ops-token-file {path}: {1}", path = .0.display())]
    Unreadable(PathBuf, io::Error),
    /// There is none in it.
    #[error("--ops-token-file {path}: {1}", path = .0.display())]
    NoToken(PathBuf, &'static str),
}

/// See the module.
#[derive(Debug, Clone)]
pub struct OpsGuard {
    /// By which names it may be asked.
    pub hosts: Hosts,
    /// Only this machine reaches the port: then nobody asks it by another name even to look.
    pub only_here: bool,
    /// Demanded of whoever changes something.
    pub token: Option<OpsToken>,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error("web pages may not: this request has an Origin or a Sec-Fetch-Site header")]
    Page,
    #[error("show the token: Authorization: Bearer TOKEN (--ops-token, CARDHOUSE_OPS_TOKEN)")]
    Token,
    #[error("this port does not answer to that Host: ask by address, or allow the name with --ops-host")]
    Host,
}

impl OpsGuard {
    /// These routes, behind it.
    pub fn protect(self, routes: Router) -> Router {
        routes.layer(from_fn_with_state(Arc::new(self), pass))
    }

    fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refused> {
        let changes = !matches!(*method, Method::GET | Method::HEAD);
        if changes {
            if headers.contains_key(ORIGIN) || headers.contains_key(FETCH_SITE) {
                return Err(Refused::Page);
            }
            if let Some(token) = &self.token {
                // Who knows it may ask by any name.
                return if is_shown(token, headers) { Ok(()) } else { Err(Refused::Token) };
            }
        }
        // A program that names no host was not led here by a name.
        let host = headers.get(HOST).map(|host| host.to_str().unwrap_or_default());
        let is_ours = host.is_none_or(|host| self.hosts.allow(host, false));
        if is_ours || !(changes || self.only_here || self.hosts.are_named()) {
            Ok(())
        } else {
            Err(Refused::Host)
        }
    }
}

fn is_shown(token: &OpsToken, headers: &HeaderMap) -> bool {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown =
        shown.and_then(|value| value.split_once(' ')).filter(|(how, _)| how.eq_ignore_ascii_case("bearer"));
    shown.is_some_and(|(_, shown)| {
        verify_slices_are_equal(shown.trim().as_bytes(), token.0.as_bytes()).is_ok()
    })
}

async fn pass(State(guard): State<Arc<OpsGuard>>, request: Request, next: Next) -> Response {
    static TOLD: Sparingly = Sparingly::every_minute();
    let Err(refused) = guard.check(request.method(), request.headers()) else {
        return next.run(request).await;
    };
    counter!("cardhouse_ops_refused_total").increment(1);
    if let Some(before) = TOLD.tell() {
        let (method, path) = (request.method(), request.uri().path());
        tracing::warn!(%method, path, before, "refuses a request at the operators' port: {refused}");
    }
    let message = format!("{refused}\n");
    match refused {
        Refused::Token => (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], message).into_response(),
        Refused::Page | Refused::Host => (StatusCode::FORBIDDEN, message).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        guard: &OpsGuard,
        method: Method,
        headers: &[(&'static str, &'static str)],
    ) -> Result<(), Refused> {
        let headers = headers.iter().map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        guard.check(&method, &headers.collect())
    }

    fn guard(only_here: bool, token: Option<&str>) -> OpsGuard {
        OpsGuard {
            hosts: Hosts::new(Vec::new()),
            only_here,
            token: token.map(|token| token.parse().unwrap()),
        }
    }

    const HERE: (&str, &str) = ("host", "127.0.0.1:9101");
    const SHOWN: (&str, &str) = ("authorization", "Bearer sesame");

    #[test]
    fn no_web_page_changes_anything_whatever_it_says_about_itself() {
        for guard in [guard(true, None), guard(false, Some("sesame"))] {
            for sign in [
                ("origin", "https://evil.example"),
                ("origin", "null"),
                ("origin", "http://127.0.0.1:9101"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "none"),
            ] {
                for method in [Method::POST, Method::PUT, Method::DELETE] {
                    assert_eq!(check(&guard, method, &[HERE, SHOWN, sign]), Err(Refused::Page), "{sign:?}");
                }
            }
        }
    }

    #[test]
    fn a_name_that_somebody_let_point_here_changes_nothing_and_on_loopback_sees_nothing() {
        let evil = ("host", "evil:9101");
        for only_here in [true, false] {
            assert_eq!(check(&guard(only_here, None), Method::POST, &[evil]), Err(Refused::Host));
            assert_eq!(check(&guard(only_here, None), Method::POST, &[HERE]), Ok(()));
        }
        assert_eq!(check(&guard(true, None), Method::GET, &[evil]), Err(Refused::Host));
        assert_eq!(check(&guard(true, None), Method::GET, &[]), Ok(()));
        // Where others are meant to look they may call it as they like, until names are given.
        assert_eq!(check(&guard(false, None), Method::GET, &[("host", "relay-1:9101")]), Ok(()));
        let named = OpsGuard { hosts: Hosts::new(vec!["relay-1".parse().unwrap()]), ..guard(false, None) };
        assert_eq!(check(&named, Method::GET, &[evil]), Err(Refused::Host));
        assert_eq!(check(&named, Method::POST, &[("host", "relay-1:9101")]), Ok(()));
    }

    #[test]
    fn where_there_is_a_token_nothing_changes_without_it_and_everybody_may_look() {
        let guard = guard(true, Some("sesame"));
        for wrong in ["Bearer sesam", "Bearer sesame2", "Bearer", "sesame", "Basic sesame", "Bearer  "] {
            assert_eq!(
                check(&guard, Method::POST, &[HERE, ("authorization", wrong)]),
                Err(Refused::Token),
                "{wrong}"
            );
        }
        assert_eq!(check(&guard, Method::POST, &[HERE]), Err(Refused::Token));
        assert_eq!(check(&guard, Method::POST, &[HERE, SHOWN]), Ok(()));
        assert_eq!(check(&guard, Method::POST, &[("host", "relay-1"), SHOWN]), Ok(()));
        assert_eq!(check(&guard, Method::GET, &[HERE]), Ok(()));
    }

    #[test]
    fn a_token_is_never_shown_and_never_empty() {
        let token: OpsToken = " sesame\n".parse().unwrap();
        assert_eq!((format!("{token:?}").as_str(), &*token.0), ("OpsToken(..)", "sesame"));
        for bad in ["", " \n", "two words"] {
            assert!(bad.parse::<OpsToken>().is_err(), "{bad:?}");
        }
    }
}
