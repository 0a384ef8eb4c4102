//! The web client's files, out of the binary: so that the house runs from anywhere without installing anything. The build script has packed
//! them (`pack`): the page asks for one script and one sheet, whose names change with their content; its source is at `/source.html`.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "$OUT_DIR/web"]
struct Files;

/// The browser asks each time and gets `304 Not Modified` when the file is the same: a new build is seen at once, and an
/// unchanged one costs a header.
const ASKED_EACH_TIME: HeaderValue = HeaderValue::from_static("no-cache");

/// What has its content's hash in its name is never asked for again.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

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
    let Some(file) = Files::get(&path).filter(|_| !path.ends_with(COMPRESSED)) else {
        // Not for ever: while houses change, one that has the file may answer the next time.
        let headers = [(header::CACHE_CONTROL, ASKED_EACH_TIME)];
        return (StatusCode::NOT_FOUND, headers, "There is nothing here. The tables are at /\n")
            .into_response();
    };
    let compressed = Files::get(&format!("{path}{COMPRESSED}"));
    let varies = compressed.is_some();
    let mut response = match compressed.filter(|_| takes_gzip(request.headers())) {
        Some(compressed) => {
            let mut response = answer(&path, compressed, request.headers());
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        None => answer(&path, file, request.headers()),
    };
    if varies {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    response
}

/// Behind the name of a file, the same compressed.
const COMPRESSED: &str = ".gz";

/// Whether the browser reads gzip (RFC 9110, section 12.5.3).
fn takes_gzip(asked: &HeaderMap) -> bool {
    let codings = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    codings.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = quality.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
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
    headers
        .insert(header::CACHE_CONTROL, if path.starts_with("assets/") { FOR_EVER } else { ASKED_EACH_TIME });
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
        get_as(path, if_none_match, "").await
    }

    async fn get_as(path: &str, if_none_match: Option<&HeaderValue>, accept_encoding: &str) -> Response {
        let mut request = axum::http::Request::get(path);
        if !accept_encoding.is_empty() {
            request = request.header(header::ACCEPT_ENCODING, accept_encoding);
        }
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
            "/index.html.gz",
        ] {
            assert_eq!(get(path, None).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    /// Where the page's script is.
    async fn script() -> String {
        let page = axum::body::to_bytes(get("/", None).await.into_body(), 1 << 20).await.unwrap();
        let page = String::from_utf8(page.to_vec()).unwrap();
        page.split('"').find(|text| text.ends_with(".js")).unwrap().to_owned()
    }

    #[tokio::test]
    async fn what_is_named_by_its_content_is_asked_for_once_in_a_year_and_what_is_not_there_each_time() {
        let script = script().await;
        assert!(script.starts_with("/assets/app-"), "{script}");
        let cached =
            |response: &Response| response.headers()[header::CACHE_CONTROL].to_str().unwrap().to_owned();
        assert!(cached(&get(&script, None).await).contains("immutable"));
        let gone = get("/assets/app-0000000000000000.js", None).await;
        assert_eq!((gone.status(), cached(&gone).as_str()), (StatusCode::NOT_FOUND, "no-cache"));
        for source in ["/source.html", "/app.js", "/style/base.css"] {
            let source = get(source, None).await;
            assert_eq!((source.status(), cached(&source).as_str()), (StatusCode::OK, "no-cache"));
        }
    }

    #[tokio::test]
    async fn who_reads_gzip_gets_it_and_who_does_not_gets_the_same_plain() {
        let script = script().await;
        let plain = get(&script, None).await;
        assert_eq!(plain.headers().get(header::CONTENT_ENCODING), None);
        assert_eq!(plain.headers()[header::VARY], "accept-encoding");
        let tag = plain.headers()[header::ETAG].clone();
        for accepts in ["gzip", "deflate, GZip;q=0.5, br", "br,gzip"] {
            let zipped = get_as(&script, None, accepts).await;
            assert_eq!(zipped.headers()[header::CONTENT_ENCODING], "gzip", "{accepts}");
            assert_eq!(zipped.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
            assert_ne!(zipped.headers()[header::ETAG], tag, "it is another representation");
            let again = get_as(&script, Some(&zipped.headers()[header::ETAG].clone()), accepts).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        }
        for accepts in ["br", "gzip;q=0", "gzip; q=0.0, br", "xgzip"] {
            assert_eq!(
                get_as(&script, None, accepts).await.headers().get(header::CONTENT_ENCODING),
                None,
                "{accepts}"
            );
        }
    }

    #[test]
    fn every_file_has_a_type_that_a_browser_knows() {
        for path in Files::iter().filter(|path| !path.ends_with(COMPRESSED)) {
            assert_ne!(content_type(&path), "application/octet-stream", "{path}");
        }
    }
}
