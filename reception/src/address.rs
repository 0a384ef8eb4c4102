//! Whose request it is: the peer of the connection, or whom a trusted proxy names.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{extract::ConnectInfo, http::Extensions, http::HeaderMap};

/// The address that limits go by.
///
/// With `trust_proxy` it is the *last* entry of `X-Forwarded-For`: the one that our own proxy appended. Everything
/// before it is the client's word. Without, the header counts for nothing.
pub(crate) fn of(headers: &HeaderMap, extensions: &Extensions, trust_proxy: bool) -> IpAddr {
    let forwarded = || {
        let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        last.rsplit(',').next()?.trim().parse().ok()
    };
    // A server without connection info puts all clients under one address: the stricter mistake.
    let peer =
        || extensions.get::<ConnectInfo<SocketAddr>>().map_or(Ipv4Addr::UNSPECIFIED.into(), |at| at.0.ip());
    trust_proxy.then(forwarded).flatten().unwrap_or_else(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(forwarded: &[&'static str]) -> (HeaderMap, Extensions) {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 5))));
        (headers, extensions)
    }

    #[test]
    fn a_client_cannot_choose_its_address() {
        let (headers, extensions) = request(&["203.0.113.9"]);
        assert_eq!(of(&headers, &extensions, false), IpAddr::from([127, 0, 0, 1]));
    }

    #[test]
    fn behind_a_trusted_proxy_only_what_the_proxy_appended_counts() {
        let (headers, extensions) = request(&["203.0.113.1", "203.0.113.2, 198.51.100.7"]);
        assert_eq!(of(&headers, &extensions, true), IpAddr::from([198, 51, 100, 7]));
        let (headers, extensions) = request(&["nonsense"]);
        assert_eq!(of(&headers, &extensions, true), IpAddr::from([127, 0, 0, 1]));
    }
}
