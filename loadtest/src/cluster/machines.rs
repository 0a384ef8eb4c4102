//! A machine for each node, as far as the network goes: a network namespace with one wire to here, which can be pulled. Whoever is on a
//! machine whose wire is pulled gets nothing and is told nothing; what was under way is sent again when the wire is back. Needs root.

use std::{io, net::Ipv4Addr, process::Command, sync::Arc};

use super::undertaker::Living;

/// As many as addresses last: four for each wire.
const MACHINES_MAX: usize = 62;

/// See the module. Dropping it takes the machines away; what runs on them must have ended.
#[derive(Debug)]
pub struct Machines {
    /// Namespaces; the first is nobody's, its wire is never pulled and gives this side its address.
    names: Vec<String>,
    /// `10.X.Y`.
    net: [u8; 3],
}

impl Machines {
    /// Whether there can be any: for root, where `ip` and `nsenter` are installed and nothing forbids it. It is tried.
    pub fn are_possible() -> bool {
        let tried = "command -v nsenter && ip netns add chtry$$ || exit 1
             ip -n chtry$$ link add name a type veth peer name b
             possible=$?
             ip netns del chtry$$
             exit $possible";
        sh(tried).is_ok()
    }

    /// So many machines.
    ///
    /// # Errors
    /// When that is not possible here.
    pub fn build(count: usize, living: &Living) -> io::Result<Arc<Self>> {
        if count > MACHINES_MAX {
            return Err(io::Error::other(format!("{count} machines are more than {MACHINES_MAX}")));
        }
        // By chance, so that two clusters on one machine do not meet.
        let net = [10, rand::random_range(64..=254), rand::random_range(0..=255)];
        let prefix = format!("ch{:02x}{:02x}", net[1], net[2]);
        let mut machines = Self { names: Vec::new(), net };
        for at in 0..=count {
            let name = format!("{prefix}n{at}");
            living.add_network(&name);
            machines.names.push(name.clone());
            let (near, far) = (machines.near(at), machines.far(at));
            sh(&format!(
                "set -e
                 ip netns add {name}
                 ip link add {name} type veth peer name eth0 netns {name}
                 ip addr add {near}/30 dev {name}
                 ip link set {name} up
                 ip -n {name} addr add {far}/30 dev eth0
                 ip -n {name} link set eth0 up
                 ip -n {name} link set lo up
                 ip -n {name} route add default via {near}"
            ))?;
        }
        Ok(Arc::new(machines))
    }

    /// The address of this side, as all machines reach it.
    pub fn here(&self) -> Ipv4Addr {
        self.near(0)
    }

    /// The address of a machine, from 0.
    pub fn address(&self, machine: usize) -> Ipv4Addr {
        self.far(machine + 1)
    }

    /// The command that runs another on a machine.
    pub fn on(&self, machine: usize) -> [String; 2] {
        ["nsenter".into(), format!("--net=/var/run/netns/{}", self.names[machine + 1])]
    }

    /// Pulls a machine's wire, or plugs it in again.
    ///
    /// # Errors
    /// When that does not work.
    pub fn set_wire(&self, machine: usize, plugged: bool) -> io::Result<()> {
        let state = if plugged { "up" } else { "down" };
        sh(&format!("ip link set {} {state}", self.names[machine + 1]))
    }

    /// Plugs all wires in.
    ///
    /// # Errors
    /// When that does not work.
    pub fn plug_all(&self) -> io::Result<()> {
        (0..self.names.len() - 1).try_for_each(|machine| self.set_wire(machine, true))
    }

    fn near(&self, at: usize) -> Ipv4Addr {
        self.numbered(4 * at + 1)
    }

    fn far(&self, at: usize) -> Ipv4Addr {
        self.numbered(4 * at + 2)
    }

    fn numbered(&self, number: usize) -> Ipv4Addr {
        let [a, b, c] = self.net;
        Ipv4Addr::new(a, b, c, u8::try_from(number).expect("no more than MACHINES_MAX"))
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        for name in &self.names {
            // The wire goes with it.
            if let Err(error) = sh(&format!("ip netns del {name}")) {
                tracing::warn!(%error, name, "a network namespace is left behind");
            }
        }
    }
}

fn sh(script: &str) -> io::Result<()> {
    let output = Command::new("sh").args(["-c", script]).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, net::TcpListener, process::Stdio, time::Duration};

    use super::*;
    use crate::cluster::undertaker::Undertaker;

    #[test]
    fn a_machine_without_its_wire_hears_nothing_until_it_is_back() {
        if !Machines::are_possible() {
            return eprintln!("not root: not tested");
        }
        let dir = tempfile::tempdir().unwrap();
        let undertaker = Undertaker::for_dir(dir.path()).unwrap();
        let machines = Machines::build(2, &undertaker.living()).unwrap();
        let listener = TcpListener::bind((machines.here(), 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let [first, second] = machines.on(1);
        let script = format!("exec 3<>/dev/tcp/{}/{port}; head -c 1 <&3", machines.here());
        let mut child =
            Command::new(first).args([&second, "bash", "-c", &script]).stdout(Stdio::null()).spawn().unwrap();
        let (mut stream, from) = listener.accept().unwrap();
        assert_eq!(from.ip(), machines.address(1));
        machines.set_wire(1, false).unwrap();
        stream.write_all(b"x").unwrap();
        std::thread::sleep(Duration::from_millis(300));
        assert!(child.try_wait().unwrap().is_none(), "the wire is pulled");
        machines.plug_all().unwrap();
        assert!(child.wait().unwrap().success());
        let names = machines.names.clone();
        drop(machines);
        let left = Command::new("ip").args(["netns", "list"]).output().unwrap();
        let left = String::from_utf8_lossy(&left.stdout);
        assert!(names.iter().all(|name| !left.contains(name)), "{left}");
    }
}
