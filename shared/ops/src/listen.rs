//! Where a program listens: the address as people write it, and taking it.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket, lookup_host},
    time::timeout,
};

use crate::serve::HostName;

/// Connections that wait to be accepted, at most (the system's `net.core.somaxconn` may allow fewer). When a relay has died its
/// clients come to the others all at once, and one that finds no room tries again only after a second.
const BACKLOG: u32 = 16_384;

/// A name that is not resolved within this is taken for unknown.
const RESOLVED_WITHIN: Duration = Duration::from_secs(10);

/// Where to listen: `8080` for this machine alone, `:8080` for everybody, `127.0.0.1:8080`, `[::]:8080` or `localhost:8080`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    host: Host,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Ip(IpAddr),
    /// Resolved when the program starts.
    Name(String),
}

/// Text that is no address, and what it may have been meant for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// No port.
    #[error("{0} has no port; try {0}:8080")]
    NoPort(String),
    /// A number that is none.
    #[error("{0} is not a port, which is a number up to 65535; try 8080 or 127.0.0.1:8080")]
    Port(String),
    /// A URL.
    #[error("{0} is a URL; leave out what is before and after the address, as in 127.0.0.1:8080")]
    Url(String),
    /// Anything else.
    #[error("{0:?} is not an address; try 8080 or 127.0.0.1:8080")]
    Other(String),
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let text = text.trim();
        let other = || BadAddress::Other(text.to_owned());
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(address.into());
        }
        if text.contains("://") {
            return Err(BadAddress::Url(text.to_owned()));
        }
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(IpAddr::V6(ip)) => return Err(BadAddress::NoPort(format!("[{ip}]"))),
            Ok(IpAddr::V4(ip)) => return Err(BadAddress::NoPort(ip.to_string())),
            Err(_) => {}
        }
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let port = |port: &str| match port.parse() {
            Ok(port) => Ok(port),
            Err(_) if is_number(port) => Err(BadAddress::Port(port.to_owned())),
            Err(_) => Err(other()),
        };
        if is_number(text) {
            return Ok(Self { host: Host::Ip(Ipv4Addr::LOCALHOST.into()), port: port(text)? });
        }
        let host = match text.rsplit_once(':') {
            None if is_name(text) && !text.starts_with(|first: char| first.is_ascii_digit()) => {
                return Err(BadAddress::NoPort(text.to_owned()));
            }
            None => return Err(other()),
            Some(("" | "*", _)) => Host::Ip(Ipv4Addr::UNSPECIFIED.into()),
            Some((host, _)) if is_name(host) => Host::Name(host.to_owned()),
            Some(_) => return Err(other()),
        };
        let after = text.rsplit_once(':').map_or("", |(_, port)| port);
        Ok(Self { host, port: port(after)? })
    }
}

/// Whether a machine may be called so. Numbers with dots are IP addresses, or mistyped ones.
fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(fits)
    };
    let has_letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    has_letter && text.strip_suffix('.').unwrap_or(text).split('.').all(label)
}

impl Address {
    /// The name in it, by which pages may come then.
    pub fn name(&self) -> Option<HostName> {
        match &self.host {
            Host::Ip(_) => None,
            Host::Name(name) => name.parse().ok(),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self { host: Host::Ip(address.ip()), port: address.port() }
    }
}

impl<I: Into<IpAddr>> From<(I, u16)> for Address {
    fn from((ip, port): (I, u16)) -> Self {
        SocketAddr::new(ip.into(), port).into()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(ip) => SocketAddr::new(*ip, self.port).fmt(f),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

/// Why nobody can listen there, and which flag to change.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else does.
    #[error(
        "cannot listen on {address} ({flag}): another program has the port, perhaps this one started earlier; \
         end that, or choose another port, such as {flag} {}, or 0 for any free one",
        other_port(*address)
    )]
    Taken {
        /// Where.
        address: SocketAddr,
        /// What says so.
        flag: &'static str,
    },
    /// Only root may.
    #[error(
        "cannot listen on {address} ({flag}): ports below 1024 are for root; choose a higher one, such as {flag} {}",
        other_port(*address)
    )]
    Forbidden {
        /// Where.
        address: SocketAddr,
        /// What says so.
        flag: &'static str,
    },
    /// It is another machine's.
    #[error(
        "cannot listen on {address} ({flag}): {} is not an address of this machine; try 127.0.0.1:{} for this machine \
         alone or 0.0.0.0:{} for everybody",
        address.ip(), address.port(), address.port()
    )]
    Elsewhere {
        /// Where.
        address: SocketAddr,
        /// What says so.
        flag: &'static str,
    },
    /// It is a name that nobody knows.
    #[error("cannot listen on {address} ({flag}): the name is not known here; try 127.0.0.1:{}", address.port)]
    Unknown {
        /// Where.
        address: Address,
        /// What says so.
        flag: &'static str,
    },
    /// Anything else.
    #[error("cannot listen on {address} ({flag}): {error}")]
    Other {
        /// Where.
        address: SocketAddr,
        /// What says so.
        flag: &'static str,
        /// In the system's words.
        error: io::Error,
    },
}

/// A port to propose instead, with its address.
fn other_port(mut address: SocketAddr) -> SocketAddr {
    match address.port() {
        port @ ..1_024 => address.set_port(port + 8_000),
        u16::MAX => address.set_port(8_080),
        port => address.set_port(port + 1),
    }
    address
}

impl Address {
    /// Listens there. A name that has several addresses gives its first IPv4 one. `flag` is what errors ask to change.
    ///
    /// # Errors
    /// [`ListenError`].
    pub async fn listen(&self, flag: &'static str) -> Result<TcpListener, ListenError> {
        let address = match &self.host {
            Host::Ip(ip) => SocketAddr::new(*ip, self.port),
            Host::Name(name) => resolve(name, self.port)
                .await
                .ok_or_else(|| ListenError::Unknown { address: self.clone(), flag })?,
        };
        let listen = || {
            let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            // A program that was restarted takes its port over from connections that are still ending.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(BACKLOG)
        };
        listen().map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => ListenError::Taken { address, flag },
            io::ErrorKind::PermissionDenied if self.port < 1_024 => ListenError::Forbidden { address, flag },
            io::ErrorKind::AddrNotAvailable => ListenError::Elsewhere { address, flag },
            _ => ListenError::Other { address, flag, error },
        })
    }
}

async fn resolve(name: &str, port: u16) -> Option<SocketAddr> {
    let found = timeout(RESOLVED_WITHIN, lookup_host((name, port))).await.ok()?.ok()?;
    let found: Vec<SocketAddr> = found.collect();
    found.iter().find(|address| address.is_ipv4()).or(found.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, read) in [
            ("8080", "127.0.0.1:8080"),
            ("0", "127.0.0.1:0"),
            (":8080", "0.0.0.0:8080"),
            ("*:8080", "0.0.0.0:8080"),
            ("localhost:8080", "localhost:8080"),
            ("cards.example:80", "cards.example:80"),
            ("my_host:80", "my_host:80"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::]:8080"),
            ("[::1]:0", "[::1]:0"),
            (" 8080 ", "127.0.0.1:8080"),
        ] {
            assert_eq!(
                text.parse::<Address>().map(|address| address.to_string()),
                Ok(read.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_told_with_one_that_is() {
        for (text, told) in [
            ("x", "x has no port; try x:8080"),
            ("localhost", "localhost has no port; try localhost:8080"),
            ("127.0.0.1", "127.0.0.1 has no port; try 127.0.0.1:8080"),
            ("::1", "[::1] has no port; try [::1]:8080"),
            ("[::1]", "[::1] has no port; try [::1]:8080"),
            ("80800", "80800 is not a port, which is a number up to 65535; try 8080 or 127.0.0.1:8080"),
            (
                "localhost:70000",
                "70000 is not a port, which is a number up to 65535; try 8080 or 127.0.0.1:8080",
            ),
            (
                "http://localhost:8080/",
                "http://localhost:8080/ is a URL; leave out what is before and after the address, as in 127.0.0.1:8080",
            ),
            ("8080x", "\"8080x\" is not an address; try 8080 or 127.0.0.1:8080"),
            ("", "\"\" is not an address; try 8080 or 127.0.0.1:8080"),
            (":", "\":\" is not an address; try 8080 or 127.0.0.1:8080"),
            ("-1", "\"-1\" is not an address; try 8080 or 127.0.0.1:8080"),
            ("localhost:", "\"localhost:\" is not an address; try 8080 or 127.0.0.1:8080"),
            ("localhost:http", "\"localhost:http\" is not an address; try 8080 or 127.0.0.1:8080"),
            ("256.0.0.1:80", "\"256.0.0.1:80\" is not an address; try 8080 or 127.0.0.1:8080"),
            ("a b:80", "\"a b:80\" is not an address; try 8080 or 127.0.0.1:8080"),
            ("::1:8080:x", "\"::1:8080:x\" is not an address; try 8080 or 127.0.0.1:8080"),
        ] {
            assert_eq!(
                text.parse::<Address>().map_err(|error| error.to_string()),
                Err(told.to_owned()),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn a_name_is_resolved_when_the_program_starts() {
        let named: Address = "localhost:0".parse().unwrap();
        let listener = named.listen("--listen").await.unwrap();
        assert!(listener.local_addr().unwrap().ip().is_loopback());
        let unknown: Address = "nobody.invalid:80".parse().unwrap();
        let error = unknown.listen("--listen").await.unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot listen on nobody.invalid:80 (--listen): the name is not known here; try 127.0.0.1:80"
        );
    }

    #[tokio::test]
    async fn a_port_that_is_taken_and_an_address_of_another_machine_are_told_with_what_to_do() {
        let taken = Address::from_str("0").unwrap().listen("--listen").await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = Address::from(address).listen("--ops-listen").await.unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "cannot listen on {address} (--ops-listen): another program has the port, perhaps this one started \
                 earlier; end that, or choose another port, such as --ops-listen {}, or 0 for any free one",
                other_port(address)
            )
        );
        // Set aside for documents (RFC 5737): nobody has it.
        let elsewhere: Address = "192.0.2.1:8080".parse().unwrap();
        let error = elsewhere.listen("--listen").await.unwrap_err().to_string();
        assert!(error.contains("192.0.2.1 is not an address of this machine; try 127.0.0.1:8080"), "{error}");
    }
}
