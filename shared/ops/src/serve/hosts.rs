//! Which names this house answers to. A page on a name that somebody else owns could let that name point here (DNS rebinding):
//! the browser then takes us for that page's own server, and only `Host` still tells.

use std::{net::IpAddr, str::FromStr};

/// A name that may stand in `Host`: a flag's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostName {
    /// Any: no protection.
    Any,
    /// This one.
    Exactly(String),
    /// Those that end in this, which begins with a dot.
    Under(String),
}

/// What is no name of a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no host such as cards.example, .cards.example for all below it, or * for any: without scheme and port"
)]
pub struct BadHost(String);

impl FromStr for HostName {
    type Err = BadHost;

    fn from_str(text: &str) -> Result<Self, BadHost> {
        let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
        if name == "*" {
            return Ok(Self::Any);
        }
        // As some write it.
        let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(&name);
        let labels = name.strip_prefix('.').unwrap_or(name);
        let is_label = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let is_address = name.parse::<IpAddr>().is_ok();
        if !is_address && !labels.split('.').all(is_label) {
            return Err(BadHost(text.into()));
        }
        Ok(if name.starts_with('.') { Self::Under(name.into()) } else { Self::Exactly(name.into()) })
    }
}

/// The names that a house answers to.
///
/// Always: addresses (nobody can let an address point elsewhere), `localhost` and what is below it, and this machine's own name,
/// also with `.local`. Beside them those that the operator has named. If there are none, a trusted proxy is believed: it has its
/// own list of the names that lead to us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    named: Vec<HostName>,
    machine: Option<String>,
}

impl Hosts {
    /// With these beside the usual ones.
    pub fn new(named: Vec<HostName>) -> Self {
        let machine = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
        let machine = machine.split('.').next().filter(|name| !name.is_empty()).map(str::to_owned);
        Self { named, machine }
    }

    /// Whether a request may name this host, with or without a port.
    pub fn allow(&self, host: &str, through_proxy: bool) -> bool {
        if through_proxy && self.named.is_empty() {
            return true;
        }
        let Some(name) = name_of(host) else { return false };
        if name.parse::<IpAddr>().is_ok() || name == "localhost" || name.ends_with(".localhost") {
            return true;
        }
        let own = self.machine.as_deref();
        let is_machine = own.is_some_and(|own| name == own || name.strip_suffix(".local") == Some(own));
        is_machine
            || self.named.iter().any(|named| match named {
                HostName::Any => true,
                HostName::Exactly(exactly) => name == *exactly,
                HostName::Under(below) => name.ends_with(below.as_str()),
            })
    }

    /// Whether the operator has named some.
    pub fn are_named(&self) -> bool {
        !self.named.is_empty()
    }
}

/// A `Host` without port, brackets and the dot at its end, in small letters.
pub(super) fn name_of(host: &str) -> Option<String> {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    (!name.is_empty()).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(named: &[&str]) -> Hosts {
        Hosts {
            named: named.iter().map(|name| name.parse().unwrap()).collect(),
            machine: Some("parlour".into()),
        }
    }

    #[test]
    fn addresses_and_this_machines_names_are_always_right() {
        for host in [
            "localhost",
            "localhost:8080",
            "LOCALHOST.",
            "cards.localhost:8080",
            "127.0.0.1:8080",
            "127.0.0.2",
            "192.168.1.7:8080",
            "[::1]:8080",
            "[2001:db8::7]",
            "parlour:8080",
            "Parlour.local",
        ] {
            assert!(hosts(&[]).allow(host, false), "{host}");
        }
        assert!(Hosts::new(Vec::new()).allow("localhost", false));
    }

    #[test]
    fn a_name_that_somebody_could_let_point_here_is_not_ours() {
        for host in [
            "evil",
            "evil:8080",
            "evil.example",
            "localhost.evil.example",
            "evillocalhost",
            "127.0.0.1.evil.example",
            "parlour.evil.example",
            "parlour.local.evil.example",
            "[::1",
            "",
            ":8080",
        ] {
            assert!(!hosts(&[]).allow(host, false), "{host}");
            assert!(!hosts(&["cards.example"]).allow(host, false), "{host}");
        }
    }

    #[test]
    fn named_hosts_are_right_and_with_a_dot_all_below_them() {
        assert!(hosts(&["cards.example"]).allow("Cards.Example.:443", false));
        assert!(!hosts(&["cards.example"]).allow("www.cards.example", false));
        assert!(hosts(&[".cards.example"]).allow("www.cards.example", false));
        assert!(hosts(&["*.cards.example"]).allow("www.cards.example", false));
        assert!(!hosts(&[".cards.example"]).allow("evilcards.example", false));
        assert!(hosts(&["*"]).allow("anything", false));
    }

    #[test]
    fn a_trusted_proxy_knows_the_names_that_lead_to_us_until_they_are_named_here() {
        assert!(hosts(&[]).allow("cards.example", true));
        assert!(!hosts(&["cards.example"]).allow("evil.example", true));
    }

    #[test]
    fn what_is_no_host_is_refused_as_a_flag() {
        for bad in
            ["https://cards.example", "cards.example:443", "cards.example/", "a b", "", ".", "cards..example"]
        {
            assert!(bad.parse::<HostName>().is_err(), "{bad:?}");
        }
    }
}
