//! Which web pages may ask. Browsers name the page's origin, and in `Host` the name by which they came here; programs name no
//! origin, and have a token to show.

use axum::{
    Json,
    extract::Request,
    http::{
        StatusCode,
        header::{HOST, HeaderMap, ORIGIN},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use metrics::counter;
use serde_json::json;

use super::{Caller, Sparingly, hosts::Hosts};

/// What is told of a header's value, characters.
const TOLD_CHARS_MAX: usize = 100;

/// The pages that may ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pages {
    hosts: Hosts,
    origins: Vec<String>,
}

/// A page that may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stranger {
    /// It came by a name that is not ours.
    #[error(
        "This house does not answer to the name {host:?}. If that is its name, its operator adds --host {}.",
        super::hosts::name_of(host).unwrap_or_else(|| "NAME".into())
    )]
    Host {
        /// As it was written.
        host: String,
    },
    /// It is from elsewhere.
    #[error(
        "This page says that it is from {origin:?}, but its request is for {host:?}. If a proxy between changes Host, its \
         operator lets it pass Host on (in Nginx: proxy_set_header Host $http_host), or adds --origin {origin}."
    )]
    Origin {
        /// Where the page says that it is from.
        origin: String,
        /// What it asked.
        host: String,
    },
}

impl Pages {
    /// From our own hosts, and of these origins (`*`: of any).
    pub fn new(hosts: Hosts, origins: Vec<String>) -> Self {
        Self { hosts, origins }
    }

    /// Whether a request may come: it is no page's, its page's origin is allowed, or its page is from the host that was asked and
    /// that is us.
    ///
    /// # Errors
    /// [`Stranger`] says why not; it is counted and logged.
    pub fn check(&self, headers: &HeaderMap, caller: Caller) -> Result<(), Stranger> {
        let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
        // A page without an origin of its own (a sandboxed frame, a file) says `null`, which is nobody.
        let origin = origin.to_str().unwrap_or("null");
        if self.origins.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin)) {
            return Ok(());
        }
        let host = host(headers);
        if !is_from(origin, host) {
            return Err(Stranger::Origin { origin: brief(origin), host: brief(host) }.met());
        }
        self.check_host(headers, caller)
    }

    /// Whether a page's request came by a name that is ours.
    ///
    /// # Errors
    /// [`Stranger`] as for [`Self::check`].
    pub fn check_host(&self, headers: &HeaderMap, caller: Caller) -> Result<(), Stranger> {
        let host = host(headers);
        if !headers.contains_key(ORIGIN) || self.hosts.allow(host, caller.through_proxy) {
            return Ok(());
        }
        Err(Stranger::Host { host: brief(host) }.met())
    }
}

/// Lets only requests through that [`Pages::check`] lets.
pub async fn only_own_pages(pages: Pages, request: Request, next: Next) -> Response {
    match pages.check(request.headers(), Caller::of(request.extensions())) {
        Ok(()) => next.run(request).await,
        Err(stranger) => stranger.into_response(),
    }
}

fn host(headers: &HeaderMap) -> &str {
    headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// Whether an origin is this host, its scheme's port left out or not.
fn is_from(origin: &str, host: &str) -> bool {
    let Some((scheme, page)) = origin.split_once("://") else { return false };
    let port = match scheme {
        "https" => ":443",
        _ => ":80",
    };
    let without = |authority: &str| authority.strip_suffix(port).unwrap_or(authority).to_ascii_lowercase();
    !page.is_empty() && without(page) == without(host)
}

fn brief(value: &str) -> String {
    value.chars().take(TOLD_CHARS_MAX).collect()
}

impl Stranger {
    /// For programs; also the label in the metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Host { .. } => "wrong_host",
            Self::Origin { .. } => "wrong_origin",
        }
    }

    /// Counts and tells.
    fn met(self) -> Self {
        static TOLD: Sparingly = Sparingly::every_minute();
        counter!("cardhouse_pages_refused_total", "code" => self.code()).increment(1);
        if let Some(before) = TOLD.tell() {
            tracing::warn!(code = self.code(), before, "refuses a page: {self}");
        }
        self
    }
}

impl IntoResponse for Stranger {
    fn into_response(self) -> Response {
        let body = Json(json!({ "code": self.code(), "message": self.to_string() }));
        (StatusCode::FORBIDDEN, body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn check(
        origin: Option<&str>,
        host: &str,
        origins: &[&str],
        through_proxy: bool,
    ) -> Result<(), &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        let hosts = Hosts::new(vec!["cards.example".parse().unwrap()]);
        let pages = Pages::new(hosts, origins.iter().map(|&origin| origin.into()).collect());
        let caller = Caller { address: IpAddr::from([192, 0, 2, 1]), through_proxy };
        pages.check(&headers, caller).map_err(|stranger| stranger.code())
    }

    const OURS: &str = "cards.example:8080";

    #[test]
    fn programs_own_pages_and_allowed_pages_may_ask() {
        assert_eq!(check(None, OURS, &[], false), Ok(()));
        assert_eq!(
            check(None, "relay-3.internal", &[], false),
            Ok(()),
            "programs come by whatever name they like"
        );
        assert_eq!(check(Some("http://cards.example:8080"), OURS, &[], false), Ok(()));
        assert_eq!(check(Some("http://127.0.0.1:8080"), "127.0.0.1:8080", &[], false), Ok(()));
        assert_eq!(check(Some("https://cards.example"), "cards.example:443", &[], false), Ok(()));
        assert_eq!(check(Some("https://other.example"), OURS, &["https://other.example"], false), Ok(()));
        assert_eq!(check(Some("https://any.example"), OURS, &["*"], false), Ok(()));
    }

    #[test]
    fn other_pages_may_not() {
        for origin in [
            "https://evil.example",
            "null",
            "http://cards.example",
            "http://cards.example:8080.evil.example",
            "http://",
            "cards.example:8080",
        ] {
            assert_eq!(
                check(Some(origin), OURS, &["https://other.example"], false),
                Err("wrong_origin"),
                "{origin}"
            );
        }
        assert_eq!(check(Some("http://"), "", &[], false), Err("wrong_origin"));
    }

    #[test]
    fn a_page_whose_name_was_made_to_point_here_may_not() {
        for host in ["evil:8080", "evil.example:8080", "localhost.evil.example:8080"] {
            let origin = format!("http://{host}");
            assert_eq!(check(Some(&origin), host, &[], false), Err("wrong_host"), "{host}");
            assert_eq!(
                check(Some(&origin), host, &[], true),
                Err("wrong_host"),
                "the names are named: {host}"
            );
        }
    }

    #[test]
    fn the_answer_says_which_flag_mends_it() {
        let host = Stranger::Host { host: "cards.lan:8080".into() }.to_string();
        assert!(host.contains("--host cards.lan."), "{host}");
        let origin =
            Stranger::Origin { origin: "https://cards.example".into(), host: "relays".into() }.to_string();
        assert!(
            origin.contains("--origin https://cards.example") && origin.contains("proxy_set_header Host"),
            "{origin}"
        );
    }
}
