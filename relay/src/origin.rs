//! Which web pages may connect. Browsers name the page's origin; programs name none, and have a token to show.

use hyper::header::{HOST, HeaderMap, ORIGIN};

/// Whether a request's origin may connect: none is named, it is allowed, or it is the host that was asked.
pub(crate) fn may_connect(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    // A page without an origin of its own (a sandboxed frame, a file) says `null`, which is nobody.
    let Ok(origin) = origin.to_str() else { return false };
    if allowed.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin)) {
        return true;
    }
    let page_host = origin.split_once("://").map(|(_, host)| host);
    let own_host = headers.get(HOST).and_then(|host| host.to_str().ok());
    page_host.zip(own_host).is_some_and(|(page, own)| page.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(origin: Option<&str>, allowed: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "cards.example:8080".parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        let allowed: Vec<String> = allowed.iter().map(|&origin| origin.into()).collect();
        may_connect(&headers, &allowed)
    }

    #[test]
    fn programs_own_pages_and_allowed_pages_may_connect() {
        assert!(check(None, &[]));
        assert!(check(Some("http://cards.example:8080"), &[]));
        assert!(check(Some("https://other.example"), &["https://other.example"]));
        assert!(check(Some("https://any.example"), &["*"]));
    }

    #[test]
    fn other_pages_may_not() {
        for origin in
            ["https://evil.example", "null", "http://cards.example", "http://cards.example:8080.evil.example"]
        {
            assert!(!check(Some(origin), &["https://other.example"]), "{origin}");
        }
    }
}
