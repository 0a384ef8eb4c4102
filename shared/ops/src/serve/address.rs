//! Whose request it is: the peer of the connection, or the client that a trusted proxy names.
//!
//! `X-Forwarded-For` is the one header that is read. Every proxy writes behind what it was sent (or replaces it), so from the
//! right it holds first what our own proxies have seen and then the client's word. All lines of it are one list, in their
//! order: some proxies add a line of their own. `X-Real-IP`, `Forwarded` and their like are never read: a proxy that does not
//! set them hands on what the client has written.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap},
};
use ipnet::IpNet;

/// The header.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// More proxies than this are a mistake.
const HOPS_MAX: u8 = 16;

/// Which proxies are believed about a client's address: a flag's value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TrustProxy {
    /// None: whoever connects is the client.
    #[default]
    Nobody,
    /// So many, one behind the other; the last of them connects to us, and nobody else can.
    Hops(u8),
    /// Those with an address in one of these networks.
    Networks(Vec<IpNet>),
}

/// What no proxies can be trusted by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is neither a number of proxies (1 to {HOPS_MAX}) nor networks of proxies such as 10.0.0.0/8,fd00::/8"
)]
pub struct BadTrust(String);

impl FromStr for TrustProxy {
    type Err = BadTrust;

    /// A number of proxies, or networks and addresses with commas. `true` and `false` are 1 and none.
    fn from_str(text: &str) -> Result<Self, BadTrust> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "0" | "false" | "no" | "n" | "f" | "off" => return Ok(Self::Nobody),
            "true" | "yes" | "y" | "t" | "on" => return Ok(Self::Hops(1)),
            _ => {}
        }
        let bad = || BadTrust(text.into());
        if let Ok(hops) = text.trim().parse::<u8>() {
            return if hops <= HOPS_MAX { Ok(Self::Hops(hops)) } else { Err(bad()) };
        }
        let network = |one: &str| {
            let one = one.trim();
            one.parse::<IpNet>().or_else(|_| one.parse::<IpAddr>().map(IpNet::from)).map_err(|_| bad())
        };
        Ok(Self::Networks(text.split(',').map(network).collect::<Result<_, _>>()?))
    }
}

impl TrustProxy {
    /// Whether who connects from there may be a proxy of ours: then the connection is not one client's.
    pub fn may_be_proxy(&self, peer: IpAddr) -> bool {
        match self {
            Self::Nobody => false,
            Self::Hops(_) => true,
            Self::Networks(networks) => {
                let peer = peer.to_canonical();
                networks.iter().any(|network| network.contains(&peer))
            }
        }
    }

    /// Whose request it is that came over a connection from `peer`.
    ///
    /// An entry that is no address counts as the address of whoever has sent it on.
    pub fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> Caller {
        let mut address = peer.to_canonical();
        let mut through_proxy = false;
        let mut hops_left = match self {
            Self::Nobody => 0,
            Self::Hops(hops) => usize::from(*hops),
            // By their networks; the header itself is bounded.
            Self::Networks(_) => usize::MAX,
        };
        for entry in from_the_right(headers) {
            if hops_left == 0 || !self.may_be_proxy(address) {
                break;
            }
            hops_left -= 1;
            let Some(before) = entry.and_then(read_entry) else { break };
            (address, through_proxy) = (before, true);
        }
        Caller { address, through_proxy }
    }
}

/// The entries of all lines, the last one first; `None` for what is not even text.
fn from_the_right(headers: &HeaderMap) -> impl Iterator<Item = Option<&str>> {
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    lines.flat_map(|line| {
        let text = line.to_str().ok();
        // Nothing between two commas, or behind the last, is no entry (RFC 9110, section 5.6.1).
        let entries = text.into_iter().flat_map(|text| text.rsplit(',').map(str::trim));
        let entries = entries.filter(|entry| !entry.is_empty()).map(Some);
        entries.chain(text.is_none().then_some(None))
    })
}

/// An address with or without a port, an IPv6 address with or without brackets and zone.
fn read_entry(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim_matches('"');
    let address = match entry.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            is_port(port).then_some(address)?
        }
        // More than one colon: an IPv6 address without a port.
        None => match entry.split_once(':') {
            Some((address, port)) if !port.contains(':') => {
                port.parse::<u16>().ok()?;
                address
            }
            _ => entry,
        },
    };
    let without_zone = address.split_once('%').map_or(address, |(address, _)| address);
    Some(without_zone.parse::<IpAddr>().ok()?.to_canonical())
}

fn is_port(after_bracket: &str) -> bool {
    after_bracket.is_empty()
        || after_bracket.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

/// Who asks. A request carries it from [`serve`](super::serve()) to whoever counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The client's address; an IPv4 address that came as IPv6 is one.
    pub address: IpAddr,
    /// A trusted proxy has named it.
    pub through_proxy: bool,
}

impl Caller {
    /// Of this request. Without [`serve`](super::serve()) it is the peer; without any word about that, nobody's address,
    /// which all such requests share: the stricter mistake.
    pub fn of(extensions: &Extensions) -> Self {
        let peer = || {
            let peer = extensions.get::<ConnectInfo<SocketAddr>>();
            peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip().to_canonical())
        };
        let caller = extensions.get::<Self>().copied();
        caller.unwrap_or_else(|| Self { address: peer(), through_proxy: false })
    }

    /// By which limits count.
    pub fn network(&self) -> IpAddr {
        network(self.address)
    }
}

/// Where a proxy of ours has reached this process: this end of its connection. Requests of others carry none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached(SocketAddr);

impl Reached {
    /// By a connection between these ends, if the other one may be a proxy of ours.
    pub(super) fn by(trust: &TrustProxy, peer: SocketAddr, local: SocketAddr) -> Option<Self> {
        let canonical = SocketAddr::new(local.ip().to_canonical(), local.port());
        trust.may_be_proxy(peer.ip()).then_some(Self(canonical))
    }

    /// Of this request.
    pub fn of(extensions: &Extensions) -> Option<SocketAddr> {
        extensions.get::<Self>().map(|reached| reached.0)
    }
}

/// What counts as one address: an IPv4 address, or the /64 that an IPv6 subscriber has to themselves.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

impl From<IpAddr> for Caller {
    fn from(address: IpAddr) -> Self {
        Self { address: address.to_canonical(), through_proxy: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.2";
    const ANN: &str = "203.0.113.7";
    /// What a client writes who wants to be somebody else.
    const LIE: &str = "198.51.100.66";

    /// Who it is, by the lines of `X-Forwarded-For` and whatever else a client may send.
    fn who(trust: &str, peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        for never_read in ["x-real-ip", "true-client-ip", "cf-connecting-ip", "x-client-ip"] {
            headers.append(never_read, LIE.parse().unwrap());
        }
        headers.append("forwarded", format!("for={LIE}").parse().unwrap());
        trust.parse::<TrustProxy>().unwrap().caller(peer.parse().unwrap(), &headers).address.to_string()
    }

    #[test]
    fn without_a_trusted_proxy_no_header_counts() {
        assert_eq!(who("false", ANN, &[LIE]), ANN);
        assert_eq!(who("10.0.0.0/8", ANN, &[LIE]), ANN, "who connects past the proxies is no proxy");
    }

    #[test]
    fn a_header_that_the_proxy_does_not_set_is_never_believed() {
        for trust in ["1", "10.0.0.0/8"] {
            assert_eq!(who(trust, PROXY, &[ANN]), ANN);
            // Nobody has named the client, so the proxy itself is all that is known.
            assert_eq!(who(trust, PROXY, &[]), PROXY);
        }
    }

    #[test]
    fn behind_nginx_the_last_entry_counts_whatever_the_client_has_sent() {
        // proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for: one line, the client's words first.
        for trust in ["true", "1", "10.0.0.2"] {
            assert_eq!(who(trust, PROXY, &[&format!("{LIE}, {ANN}")]), ANN);
        }
    }

    #[test]
    fn behind_haproxy_the_last_line_counts_whatever_the_client_has_sent() {
        // option forwardfor: a line of its own behind those that were there.
        for trust in ["1", "10.0.0.0/8"] {
            assert_eq!(who(trust, PROXY, &[LIE, ANN]), ANN);
            assert_eq!(who(trust, PROXY, &[&format!("{LIE}, {LIE}"), LIE, ANN]), ANN);
        }
    }

    #[test]
    fn behind_traefik_or_caddy_which_drop_what_the_client_has_sent_the_only_entry_counts() {
        assert_eq!(who("1", PROXY, &[ANN]), ANN);
        assert_eq!(who("172.16.0.0/12,10.0.0.0/8", PROXY, &[ANN]), ANN);
    }

    #[test]
    fn behind_an_alb_the_last_entry_counts_with_its_port_if_it_has_one() {
        // routing.http.xff_header_processing.mode=append, with client port preservation.
        assert_eq!(who("1", PROXY, &[&format!("{LIE}, {ANN}:41234")]), ANN);
        assert_eq!(who("1", PROXY, &["[2001:db8::7]:41234"]), "2001:db8::7");
    }

    #[test]
    fn behind_a_cdn_and_a_proxy_the_last_but_one_counts_on_however_many_lines() {
        const CDN: &str = "192.0.2.10";
        let chains: [&[&str]; 4] = [
            &[&format!("{LIE}, {ANN}, {CDN}")],
            &[LIE, ANN, CDN],
            &[&format!("{LIE}, {ANN}"), CDN],
            &[LIE, &format!("{ANN}, {CDN}")],
        ];
        for lines in chains {
            assert_eq!(who("2", PROXY, lines), ANN, "{lines:?}");
            assert_eq!(who("10.0.0.0/8,192.0.2.0/24", PROXY, lines), ANN, "{lines:?}");
            // One hop too few takes the CDN for the client: all share its limits, and nobody is believed too much.
            assert_eq!(who("1", PROXY, lines), CDN, "{lines:?}");
        }
    }

    #[test]
    fn who_goes_round_the_cdn_cannot_name_another_where_networks_are_given() {
        // Straight to the inner proxy, which appends the address that it has seen.
        let lines = [LIE, ANN];
        assert_eq!(who("10.0.0.0/8,192.0.2.0/24", PROXY, &lines), ANN);
    }

    #[test]
    fn a_chain_shorter_than_promised_ends_at_its_first_entry() {
        assert_eq!(who("3", PROXY, &[ANN]), ANN);
        assert_eq!(who("10.0.0.0/8", PROXY, &["10.0.0.9, 10.0.0.8"]), "10.0.0.9");
    }

    #[test]
    fn what_is_no_address_counts_as_the_one_who_sent_it_on() {
        for garbage in ["nonsense", "unknown", "_hidden", "1.2.3", "1.2.3.4:port", "[::1", "[::1]x", "%eth0"]
        {
            assert_eq!(who("1", PROXY, &[garbage]), PROXY, "{garbage}");
            assert_eq!(who("1", PROXY, &[&format!("{LIE}, {garbage}")]), PROXY, "{garbage}");
            assert_eq!(who("2", PROXY, &[&format!("{garbage}, {ANN}")]), ANN, "{garbage}");
        }
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED_FOR, LIE.parse().unwrap());
        headers.append(FORWARDED_FOR, axum::http::HeaderValue::from_bytes(b"\xff").unwrap());
        let caller = TrustProxy::Hops(1).caller(PROXY.parse().unwrap(), &headers);
        assert_eq!((caller.address.to_string().as_str(), caller.through_proxy), (PROXY, false));
    }

    #[test]
    fn ports_brackets_zones_and_mapped_addresses_are_read() {
        for (entry, address) in [
            ("203.0.113.7:80", ANN),
            ("::ffff:203.0.113.7", ANN),
            ("[::ffff:203.0.113.7]:80", ANN),
            ("\"[2001:db8::7]:80\"", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%eth0]:80", "fe80::1"),
            (" 203.0.113.7 ,", ANN),
        ] {
            assert_eq!(who("1", PROXY, &[entry]), address, "{entry}");
        }
        assert_eq!(who("10.0.0.0/8", "::ffff:10.0.0.2", &[ANN]), ANN, "the peer too");
    }

    #[test]
    fn an_ipv6_subscriber_is_one_address_within_the_64() {
        let count = |text: &str| network(text.parse().unwrap());
        assert_eq!(count("2001:db8:1:2::1"), count("2001:db8:1:2:ffff::9"));
        assert_ne!(count("2001:db8:1:2::1"), count("2001:db8:1:3::1"));
        assert_eq!(count("::ffff:192.0.2.1"), count("192.0.2.1"));
        assert_ne!(count("192.0.2.1"), count("192.0.2.2"));
    }

    #[test]
    fn the_flag_takes_what_it_took_before_and_numbers_and_networks() {
        let read = |text: &str| text.parse::<TrustProxy>();
        for one in ["true", "1", "yes", "on", "TRUE"] {
            assert_eq!(read(one), Ok(TrustProxy::Hops(1)), "{one}");
        }
        for none in ["false", "0", "no", "off", ""] {
            assert_eq!(read(none), Ok(TrustProxy::Nobody), "{none}");
        }
        assert_eq!(read("2"), Ok(TrustProxy::Hops(2)));
        assert!(matches!(read("10.0.0.0/8, ::1"), Ok(TrustProxy::Networks(networks)) if networks.len() == 2));
        for bad in ["17", "300", "-1", "10.0.0.0/33", "nginx", "10.0.0.0/8,"] {
            assert!(read(bad).unwrap_err().to_string().contains("10.0.0.0/8"), "{bad}");
        }
    }
}
