//! Where others open the house: this machine's addresses in its networks, and one of them as a picture for a phone's camera.

use std::net::{IpAddr, SocketAddr};

use qrcode::{QrCode, render::unicode::Dense1x2};

/// So many addresses are named; a machine with more has an owner who knows them.
const NAMED_MAX: usize = 3;

/// Networks of containers and virtual machines inside this one: nobody outside is in them.
const INSIDE: [&str; 9] = ["docker", "br-", "veth", "virbr", "cni", "flannel", "podman", "lxc", "vmnet"];

/// What a phone's network hangs on, mostly: cable and radio.
const LIKELY: [&str; 3] = ["en", "eth", "wl"];

/// Addresses under which others reach who listens on `address`, the likeliest first. None for this machine's own ones.
pub fn addresses(address: SocketAddr) -> Vec<SocketAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    among(address, interfaces.into_iter().map(|interface| (interface.name.clone(), interface.ip())))
}

fn among(address: SocketAddr, interfaces: impl Iterator<Item = (String, IpAddr)>) -> Vec<SocketAddr> {
    if !address.ip().is_unspecified() {
        return if address.ip().is_loopback() { Vec::new() } else { vec![address] };
    }
    let starts_with_one = |name: &str, of: &[&str]| of.iter().any(|start| name.starts_with(start));
    let mut found: Vec<(String, IpAddr)> = interfaces
        .filter(|(name, ip)| reaches_others(*ip) && !starts_with_one(name, &INSIDE))
        // Who listens for IPv4 alone is not there for the others.
        .filter(|(_, ip)| ip.is_ipv4() || address.is_ipv6())
        .collect();
    found.sort_by_key(|(name, ip)| (!ip.is_ipv4(), !starts_with_one(name, &LIKELY)));
    found.into_iter().take(NAMED_MAX).map(|(_, ip)| (ip, address.port()).into()).collect()
}

fn reaches_others(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified(),
        // A link-local address means something only together with the name of an interface.
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local() && !ip.is_unspecified(),
    }
}

/// The text as a QR code of half blocks, a line each row. Cameras want dark on light, so colours are set where the terminal
/// takes them; without, it is drawn for light letters on dark.
pub fn picture(text: &str, coloured: bool) -> Option<Vec<String>> {
    let code = QrCode::new(text).ok()?;
    let mut drawing = code.render::<Dense1x2>();
    if !coloured {
        drawing.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark);
    }
    let row = |row: &str| if coloured { format!("\x1b[30;107m{row}\x1b[0m") } else { row.to_owned() };
    Some(drawing.build().lines().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(listen: &str) -> Vec<String> {
        let interfaces = [
            ("lo", "127.0.0.1"),
            ("lo", "::1"),
            ("docker0", "172.17.0.1"),
            ("tailscale0", "100.101.102.103"),
            ("wlp2s0", "192.168.1.7"),
            ("wlp2s0", "fe80::1"),
            ("wlp2s0", "fd00::7"),
            ("eth9", "169.254.3.4"),
            ("br-0a1b", "172.18.0.1"),
            ("enp0s31f6", "10.0.0.5"),
        ];
        let interfaces = interfaces.map(|(name, ip)| (name.to_owned(), ip.parse().unwrap()));
        among(listen.parse().unwrap(), interfaces.into_iter()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn others_are_told_the_addresses_of_this_machine_in_their_networks() {
        assert_eq!(named("0.0.0.0:8080"), ["192.168.1.7:8080", "10.0.0.5:8080", "100.101.102.103:8080"]);
        assert_eq!(named("[::]:80"), ["192.168.1.7:80", "10.0.0.5:80", "100.101.102.103:80"]);
        assert_eq!(named("192.168.1.7:80"), ["192.168.1.7:80"]);
        assert!(named("127.0.0.1:8080").is_empty() && named("[::1]:8080").is_empty());
    }

    #[test]
    fn a_machine_with_ipv6_alone_is_told_by_it() {
        let only = [("eth0".to_owned(), "2001:db8::7".parse().unwrap())];
        assert_eq!(among("[::]:80".parse().unwrap(), only.into_iter())[0].to_string(), "[2001:db8::7]:80");
    }

    #[test]
    fn a_picture_is_of_half_blocks_with_a_margin_as_wide_as_it_is_high() {
        let rows = picture("http://192.168.1.7:8080/", false).unwrap();
        // Version 2: 25 modules and a margin of 4 on each side; two rows of modules a line.
        assert_eq!((rows.len(), rows[0].chars().count()), (17, 33));
        assert!(rows.iter().flat_map(|row| row.chars()).all(|part| " ▀▄█".contains(part)));
        // The margin is light: drawn, where letters are light.
        assert!(rows[0].chars().all(|part| part == '█'));
        let coloured = picture("http://192.168.1.7:8080/", true).unwrap();
        assert!(coloured[0].starts_with("\x1b[30;107m    ") && coloured[0].ends_with("\x1b[0m"));
    }
}
