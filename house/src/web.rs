//! The web client's files, out of the binary: so that the house runs from anywhere without installing anything.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "../web"]
struct Files;

/// The browser asks each time and gets `304 Not Modified` when the file is the same: a new build is seen at once, and an
/// unchanged one costs a header.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("no-cache");

/// Everything from this origin, nothing inline: a name or chat line that slipped through as markup could run nothing. The
/// same policy stands in `nginx/`.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Answers GET and HEAD with a file, `index.html` for a folder; 404 otherwise.
pub(crate) async fn serve(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    let path = if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path.into() };
    match Files::get(&path).filter(|_| !is_for_developers(&path)) {
        Some(file) => answer(&path, file, request.headers()),
        None => (StatusCode::NOT_FOUND, "There is nothing here. The tables are at /\n").into_response(),
    }
}

/// What lies beside the client for those who write it; `nginx/` keeps the same back.
fn is_for_developers(path: &str) -> bool {
    path.starts_with("tests/") || matches!(path, "package.json" | "README.md")
}

fn answer(path: &str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let etag = etag(&file);
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|tags| names(tags, &etag));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body = match file.data {
            std::borrow::Cow::Borrowed(bytes) => Body::from(bytes),
            std::borrow::Cow::Owned(bytes) => Body::from(bytes),
        };
        ([(header::CONTENT_TYPE, content_type(path))], body).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag);
    headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn etag(file: &EmbeddedFile) -> HeaderValue {
    let hash = file.metadata.sha256_hash();
    let digits: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::try_from(format!("\"{digits}\"")).expect("hexadecimal digits are visible characters")
}

/// Whether an `If-None-Match` names the tag; weakly compared (RFC 9110, section 13.1.2).
fn names(tags: &HeaderValue, etag: &HeaderValue) -> bool {
    let Ok(tags) = tags.to_str() else { return false };
    tags.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == "*" || tag == etag)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(path: &str, if_none_match: Option<&HeaderValue>) -> Response {
        let mut request = axum::http::Request::get(path);
        if let Some(tag) = if_none_match {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        serve(request.body(Body::empty()).unwrap()).await
    }

    #[tokio::test]
    async fn the_page_comes_with_its_type_and_a_policy() {
        let page = get("/", None).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(page.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-cache");
        assert!(
            page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("script-src 'self';")
        );
    }

    #[tokio::test]
    async fn a_file_that_the_browser_has_is_not_sent_again() {
        let etag = get("/", None).await.headers()[header::ETAG].clone();
        assert_eq!(get("/", Some(&etag)).await.status(), StatusCode::NOT_MODIFIED);
        let weak = HeaderValue::try_from(format!("\"other\", W/{}", etag.to_str().unwrap())).unwrap();
        assert_eq!(get("/index.html", Some(&weak)).await.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(get("/", Some(&HeaderValue::from_static("\"other\""))).await.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn nothing_but_the_web_clients_files_is_served() {
        for path in [
            "/../Cargo.toml",
            "/%2e%2e/Cargo.toml",
            "/nothing.html",
            "//etc/passwd",
            "/tests/room.test.js",
            "/package.json",
        ] {
            assert_eq!(get(path, None).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn every_file_has_a_type_that_a_browser_knows() {
        for path in Files::iter() {
            assert_ne!(content_type(&path), "application/octet-stream", "{path}");
        }
    }
}
