//! nginx with the configuration of production: only addresses and paths are filled in.

use std::{
    fmt::Write as _,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

/// Where Debian puts it; `PATH` of a user who is not root may not name it.
const PROGRAMS: [&str; 2] = ["/usr/sbin/nginx", "nginx"];

/// Sockets to relays leave from so many loopback addresses, each good for 64,000 to every relay.
const SOURCES: u8 = 4;

/// What is filled in.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The folder with the templates.
    pub templates: PathBuf,
    /// The folder with the web client.
    pub web: PathBuf,
    /// Where nginx listens.
    pub listen: SocketAddr,
    /// All relays.
    pub relays: Vec<SocketAddr>,
    /// Reception.
    pub reception: SocketAddr,
    /// The address that relays see, where it is not loopback.
    pub source: Option<Ipv4Addr>,
}

impl Edge {
    /// Writes the configuration into `dir` (which becomes the folder of its pid and temporary files too) and returns the main file.
    ///
    /// # Errors
    /// When a template cannot be read, names something unknown, or the result cannot be written.
    pub fn render(&self, dir: &Path) -> anyhow::Result<PathBuf> {
        fs::create_dir_all(dir)?;
        pack::write(&self.web, &dir.join("web"))?;
        let values = self.values(dir)?;
        for name in ["cardhouse.conf", "locations.conf"] {
            let template = self.templates.join(format!("{name}.template"));
            let text = fs::read_to_string(&template).with_context(|| template.display().to_string())?;
            let text = fill_in(&text, &values).with_context(|| template.display().to_string())?;
            fs::write(dir.join(name), text)?;
        }
        fs::copy(self.templates.join("security-headers.conf"), dir.join("security-headers.conf"))?;
        Ok(dir.join("cardhouse.conf"))
    }

    fn values(&self, dir: &Path) -> anyhow::Result<Vec<(&'static str, String)>> {
        let mut relays = String::new();
        for relay in &self.relays {
            write!(relays, "server {relay} max_fails=0; ")?;
        }
        let mut sources = String::new();
        if let Some(source) = self.source {
            write!(sources, "* {source};")?;
        } else {
            for source in 1..SOURCES {
                write!(sources, "{}% 127.0.0.{source}; ", 100 / u32::from(SOURCES))?;
            }
            write!(sources, "* 127.0.0.{SOURCES};")?;
        }
        Ok(vec![
            ("NGINX_USER", user()?),
            ("OPEN_FILES", open_files().to_string()),
            ("RUN_DIR", dir.display().to_string()),
            ("LOG", "stderr".into()),
            ("LISTEN", format!("listen {} backlog=4096;", self.listen)),
            ("WEB_DIR", dir.join("web").display().to_string()),
            ("RELAYS", relays),
            ("RECEPTION", self.reception.to_string()),
            ("SOURCES", sources),
        ])
    }
}

/// The nginx program.
///
/// # Errors
/// When it is not installed.
pub fn program() -> anyhow::Result<&'static str> {
    let runs =
        |program: &&str| Command::new(program).arg("-v").output().is_ok_and(|out| out.status.success());
    PROGRAMS.into_iter().find(runs).context("nginx is not installed (Debian: apt-get install nginx)")
}

/// Arguments to run nginx in the foreground with a rendered configuration.
pub fn arguments(config: &Path) -> Vec<String> {
    let dir = config.parent().unwrap_or(Path::new(".")).display();
    let file = config.display();
    [format!("-p{dir}"), format!("-c{file}"), "-estderr".into(), "-gdaemon off;".into()].into()
}

/// Replaces `${NAME}`s. Only capital names in braces count: nginx has variables of its own.
fn fill_in(template: &str, values: &[(&str, String)]) -> anyhow::Result<String> {
    let mut text = String::with_capacity(template.len());
    for line in template.lines() {
        let mut rest = line;
        // Comments explain the names and keep them.
        while let Some(at) = rest.find("${").filter(|_| !line.trim_start().starts_with('#')) {
            let end = rest[at..].find('}').context("a ${ without }")? + at;
            let name = &rest[at + 2..end];
            let value = values.iter().find(|(known, _)| *known == name);
            let (_, value) = value.with_context(|| format!("{name} is not known"))?;
            text.push_str(&rest[..at]);
            text.push_str(value);
            rest = &rest[end + 1..];
        }
        text.push_str(rest);
        text.push('\n');
    }
    Ok(text)
}

/// The user that nginx's workers run as: whoever runs this.
fn user() -> anyhow::Result<String> {
    let out = Command::new("id").arg("-un").output().context("cannot run id")?;
    Ok(String::from_utf8(out.stdout)?.trim().to_owned())
}

/// How many files this process may have open; nginx inherits it.
fn open_files() -> u64 {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let hard = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    hard.unwrap_or(1_024).min(200_000)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        process::Child,
        task::AbortHandle,
    };

    use super::*;
    use crate::cluster::free_address;

    fn edge() -> Edge {
        let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        Edge {
            templates: tree.join("nginx"),
            web: tree.join("web"),
            listen: ([127, 0, 0, 1], 18_080).into(),
            relays: vec![([127, 0, 0, 1], 18_081).into(), ([127, 0, 0, 1], 18_082).into()],
            reception: ([127, 0, 0, 1], 18_090).into(),
            source: None,
        }
    }

    fn test(config: &Path) -> (bool, String) {
        let mut arguments = arguments(config);
        arguments.push("-t".into());
        let out = Command::new(program().unwrap()).args(arguments).output().unwrap();
        (out.status.success(), String::from_utf8_lossy(&out.stderr).into_owned())
    }

    #[test]
    fn nginx_accepts_the_configuration() {
        let dir = tempfile::tempdir().unwrap();
        let config = edge().render(&dir.path().join("nginx")).unwrap();
        let (accepted, said) = test(&config);
        assert!(accepted, "{said}");
        assert!(!said.contains("[warn]") && !said.contains("[error]"), "{said}");
    }

    #[test]
    fn nginx_refuses_a_broken_one() {
        let dir = tempfile::tempdir().unwrap();
        let config = edge().render(&dir.path().join("nginx")).unwrap();
        let text = fs::read_to_string(&config).unwrap();
        fs::write(&config, text.replace("least_conn;", "most_conn;")).unwrap();
        let (accepted, said) = test(&config);
        assert!(!accepted && said.contains("most_conn"), "{said}");
    }

    /// Opens a socket for everybody and says its own port on it, as a relay that says which one it is; until the task is
    /// aborted, which breaks them all.
    async fn named_backend(address: SocketAddr) -> (SocketAddr, AbortHandle) {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let answering = tokio::spawn(async move {
            let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket";
            let mut open = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.unwrap_or(0) > 0
                {
                }
                let _ = stream.write_all(format!("{head}\r\n\r\n{}\n", address.port()).as_bytes()).await;
                open.push(stream);
            }
        });
        (address, answering.abort_handle())
    }

    async fn three_backends() -> BTreeMap<SocketAddr, AbortHandle> {
        let mut backends = BTreeMap::new();
        for _ in 0..3 {
            let (address, answering) = named_backend(([127, 0, 0, 1], 0).into()).await;
            backends.insert(address, answering);
        }
        backends
    }

    /// Opens a socket; the port of the backend at its other end.
    async fn open(nginx: SocketAddr, path: &str) -> Option<(u16, TcpStream)> {
        let mut stream = TcpStream::connect(nginx).await.ok()?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        while !answer.contains("\r\n\r\n") || !answer.ends_with('\n') || answer.ends_with("\r\n\r\n") {
            let mut bytes = [0; 1_024];
            let read = stream.read(&mut bytes).await.ok().filter(|read| *read > 0)?;
            answer.push_str(std::str::from_utf8(&bytes[..read]).ok()?);
        }
        let port = answer.rsplit_once("\r\n\r\n")?.1.trim().parse().ok()?;
        Some((port, stream))
    }

    /// The backend of a socket that is closed at once.
    async fn ask(nginx: SocketAddr, path: &str) -> Option<u16> {
        open(nginx, path).await.map(|(port, _)| port)
    }

    /// nginx in front of these backends.
    async fn run(backends: &BTreeMap<SocketAddr, AbortHandle>, dir: &Path) -> (SocketAddr, Child) {
        let edge = Edge {
            relays: backends.keys().copied().collect(),
            listen: free_address([127, 0, 0, 1].into()).unwrap(),
            ..edge()
        };
        let config = edge.render(&dir.join("nginx")).unwrap();
        // One process: with a master, its workers would outlive a test that fails.
        let arguments = arguments(&config)
            .into_iter()
            .map(|text| text.replace("daemon off;", "daemon off; master_process off;"));
        let mut nginx = tokio::process::Command::new(program().unwrap());
        let nginx = nginx.args(arguments).kill_on_drop(true).spawn().unwrap();
        while ask(edge.listen, "/ws").await.is_none() {
            tokio::task::yield_now().await;
        }
        (edge.listen, nginx)
    }

    #[tokio::test]
    async fn who_asks_for_a_room_reaches_the_relay_of_that_room_and_another_one_when_it_is_gone() {
        const ROOMS: usize = 60;
        let dir = tempfile::tempdir().unwrap();
        let mut backends = three_backends().await;
        let (edge, mut nginx) = run(&backends, dir.path()).await;
        let near = |room: usize| async move { ask(edge, &format!("/ws?near=t{room}")).await.unwrap() };
        let mut before = Vec::new();
        for room in 0..ROOMS {
            before.push(near(room).await);
            assert_eq!(near(room).await, before[room], "t{room} stays where it is");
        }
        let mut apart = Vec::new();
        for relay in backends.keys() {
            let rooms = before.iter().filter(|port| **port == relay.port()).count();
            assert!(rooms >= ROOMS / 20, "rooms are spread: {before:?}");
            apart.push(open(edge, "/ws").await.unwrap());
        }
        let apart: BTreeSet<u16> = apart.into_iter().map(|(port, _)| port).collect();
        assert!(apart.len() > 1, "who asks for no room goes where there is room");

        let (gone, answering) = backends.pop_first().unwrap();
        answering.abort();
        for (room, relay) in before.into_iter().enumerate() {
            let now = near(room).await;
            let is_right = if relay == gone.port() { now != relay } else { now == relay };
            assert!(is_right, "t{room}: {relay}, then {now}");
        }
        nginx.kill().await.unwrap();
    }

    #[tokio::test]
    async fn a_relay_that_is_back_gets_all_sockets_of_its_rooms_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let backends = three_backends().await;
        let (edge, mut nginx) = run(&backends, dir.path()).await;
        let room = "/ws?near=t1";
        // As in a restart of every relay, one after the other; the one that has the room is among them.
        for (relay, answering) in &backends {
            let before = ask(edge, room).await.unwrap();
            answering.abort();
            let meanwhile = open(edge, room).await.expect("another relay takes it");
            assert!(before != relay.port() || meanwhile.0 != before, "{relay} has gone");
            let (_, back) = named_backend(*relay).await;
            let mut sockets = Vec::new();
            for _ in 0..5 {
                sockets.push(open(edge, room).await.expect("all relays are there").0);
            }
            assert_eq!(sockets, [before; 5], "{relay} is back");
            drop(back);
        }
        nginx.kill().await.unwrap();
    }

    /// The head of what nginx answers to a browser that reads gzip, its lines in lower case, and the body.
    async fn get(nginx: SocketAddr, path: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(nginx).await.unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
        let body = answer.split_off(end);
        (String::from_utf8(answer).unwrap().to_lowercase(), body)
    }

    #[tokio::test]
    async fn the_packed_client_is_served_compressed_and_what_is_named_by_its_content_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let backends = three_backends().await;
        let (edge, mut nginx) = run(&backends, dir.path()).await;
        let packed = dir.path().join("nginx/web");
        let page = fs::read_to_string(packed.join("index.html")).unwrap();
        let script = page.split('"').find(|text| text.ends_with(".js")).unwrap();

        let (head, body) = get(edge, "/").await;
        assert!(head.starts_with("http/1.1 200") && head.contains("cache-control: no-cache\r\n"), "{head}");
        assert!(
            head.contains("content-encoding: gzip")
                && body == fs::read(packed.join("index.html.gz")).unwrap()
        );
        let (head, body) = get(edge, script).await;
        assert!(head.contains("cache-control: public, max-age=31536000, immutable\r\n"), "{head}");
        assert!(head.contains("content-encoding: gzip") && head.contains("vary: accept-encoding"), "{head}");
        assert!(
            head.contains("content-type: text/javascript") && head.contains("content-security-policy:"),
            "{head}"
        );
        assert_eq!(body, fs::read(packed.join(format!("{}.gz", &script[1..]))).unwrap());
        let (head, _) = get(edge, "/app.js").await;
        assert!(
            head.starts_with("http/1.1 200") && head.contains("cache-control: no-cache\r\n"),
            "the source: {head}"
        );
        for path in ["/assets/app-0000000000000000.js", "/index.html.gz", "/package.json"] {
            let (head, _) = get(edge, path).await;
            assert!(head.starts_with("http/1.1 404") && !head.contains("immutable"), "{path}: {head}");
        }
        nginx.kill().await.unwrap();
    }

    #[test]
    fn every_name_of_a_template_is_filled_in_and_nothing_else() {
        let values = [("A", "one".to_owned())];
        assert_eq!(fill_in("# ${A}\nx ${A} $b ${A};", &values).unwrap(), "# ${A}\nx one $b one;\n");
        assert!(fill_in("x ${B}", &values).is_err());
    }
}
