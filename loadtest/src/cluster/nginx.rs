//! nginx with the configuration of production, by the program of production: only addresses and paths are filled in.

use std::{
    env,
    ffi::OsString,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use super::process::Recipe;

/// Where Debian puts it; `PATH` of a user who is not root may not name it.
const PROGRAMS: [&str; 2] = ["/usr/sbin/nginx", "nginx"];

/// Sockets to relays leave from so many loopback addresses, each good for 64,000 to every relay.
const SOURCES: u8 = 4;

/// What is filled in.
#[derive(Debug, Clone)]
pub struct Edge {
    /// What runs nginx: `docker/edge/run`.
    pub program: PathBuf,
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
    /// The folder with `cardhouse-check`, which asks relays whether they stand still. Without it none is asked.
    pub checks: Option<PathBuf>,
}

impl Edge {
    /// How to run it in a folder, which becomes that of its configuration, its pid and its temporary files.
    ///
    /// # Errors
    /// When the web client cannot be packed there.
    pub fn recipe(&self, dir: &Path) -> anyhow::Result<Recipe> {
        fs::create_dir_all(dir)?;
        let web = dir.join("web");
        pack::write(&self.web, &web)?;
        let relays: Vec<String> = self.relays.iter().map(SocketAddr::to_string).collect();
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(self.checks.iter().cloned().chain(env::split_paths(&path)))?;
        let mut environment: Vec<(String, OsString)> = [
            ("RELAYS_AT", relays.join(" ")),
            ("RECEPTION", self.reception.to_string()),
            ("LISTEN", format!("listen {} backlog=4096;", self.listen)),
            ("SOURCES", self.sources()),
            ("OPEN_FILES", open_files().to_string()),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
        if self.checks.is_none() {
            environment.push(("SILENT_MS".into(), "0".into()));
        }
        for (name, path) in [("WEB_DIR", &*web), ("TEMPLATES", &self.templates), ("RUN_DIR", dir)] {
            environment.push((name.into(), path.into()));
        }
        environment.push(("PATH".into(), path));
        Ok(Recipe {
            name: "nginx".into(),
            program: self.program.clone(),
            arguments: Vec::new(),
            environment,
            listen: self.listen,
            ready: (self.listen, "/livez"),
            // Fast: QUIT would wait for every socket.
            end_signal: "TERM",
        })
    }

    fn sources(&self) -> String {
        if let Some(source) = self.source {
            return format!("* {source};");
        }
        let share = 100 / u32::from(SOURCES);
        let mut lines: Vec<String> =
            (1..SOURCES).map(|source| format!("{share}% 127.0.0.{source};")).collect();
        lines.push(format!("* 127.0.0.{SOURCES};"));
        lines.join(" ")
    }
}

/// Whether there is an nginx at all.
///
/// # Errors
/// When it is not installed.
pub fn is_installed() -> anyhow::Result<()> {
    let runs =
        |program: &&str| Command::new(program).arg("-v").output().is_ok_and(|out| out.status.success());
    PROGRAMS.iter().any(runs).then_some(()).context("nginx is not installed (Debian: apt-get install nginx)")
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
        task::AbortHandle,
    };

    use super::*;
    use crate::cluster::{READY_WITHIN, free_address, process::Process, undertaker::Undertaker};

    fn edge() -> Edge {
        let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        Edge {
            program: tree.join("docker/edge/run"),
            templates: tree.join("nginx"),
            web: tree.join("web"),
            listen: ([127, 0, 0, 1], 18_080).into(),
            relays: vec![([127, 0, 0, 1], 18_081).into(), ([127, 0, 0, 1], 18_082).into()],
            reception: ([127, 0, 0, 1], 18_090).into(),
            source: None,
            checks: None,
        }
    }

    /// Whether nginx takes the configuration, and what it says.
    fn test(edge: &Edge, dir: &Path) -> (bool, String) {
        let recipe = edge.recipe(dir).unwrap();
        let out = Command::new(recipe.program).arg("test").envs(recipe.environment).output().unwrap();
        (out.status.success(), String::from_utf8_lossy(&out.stderr).into_owned())
    }

    #[test]
    fn nginx_accepts_the_configuration_and_every_name_is_filled_in() {
        let dir = tempfile::tempdir().unwrap();
        let (accepted, said) = test(&edge(), &dir.path().join("nginx"));
        assert!(accepted, "{said}");
        assert!(!said.contains("[warn]") && !said.contains("[error]"), "{said}");
        let config = fs::read_to_string(dir.path().join("nginx/conf/cardhouse.conf")).unwrap();
        let relays = "server 127.0.0.1:18081 max_fails=0; server 127.0.0.1:18082 max_fails=0;";
        assert_eq!(config.matches(relays).count(), 2, "{config}");
        let named = |line: &&str| !line.trim_start().starts_with('#') && line.contains("${");
        assert_eq!(config.lines().find(named), None);
    }

    #[test]
    fn nginx_refuses_a_broken_one() {
        let dir = tempfile::tempdir().unwrap();
        let edge = Edge { templates: dir.path().join("templates"), ..edge() };
        fs::create_dir(&edge.templates).unwrap();
        for file in fs::read_dir(self::edge().templates).unwrap() {
            let file = file.unwrap();
            let text = fs::read_to_string(file.path()).unwrap().replace("least_conn;", "most_conn;");
            fs::write(edge.templates.join(file.file_name()), text).unwrap();
        }
        let (accepted, said) = test(&edge, &dir.path().join("nginx"));
        assert!(!accepted && said.contains("most_conn"), "{said}");
    }

    /// Opens a socket for everybody and says its own port on it, as a relay that says which one it is; until the task is
    /// aborted, which breaks them all.
    async fn named_backend(address: SocketAddr) -> (SocketAddr, AbortHandle) {
        backend(address, None).await
    }

    /// The same, which has an edge that leads go on elsewhere with all who ask for a room.
    async fn backend(address: SocketAddr, home: Option<String>) -> (SocketAddr, AbortHandle) {
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
                let request = String::from_utf8_lossy(&request).to_lowercase();
                if let Some(home) = home.as_ref().filter(|_| {
                    request.starts_with("get /ws?near=")
                        && request.contains("\r\nx-cardhouse-edge: leads\r\n")
                }) {
                    let head = format!("HTTP/1.1 421 Misdirected Request\r\nX-Accel-Redirect: {home}");
                    let _ = stream.write_all(format!("{head}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await;
                    continue;
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
    async fn run(
        backends: &BTreeMap<SocketAddr, AbortHandle>,
        dir: &Path,
    ) -> (SocketAddr, Process, Undertaker) {
        let edge = Edge {
            relays: backends.keys().copied().collect(),
            listen: free_address([127, 0, 0, 1].into()).unwrap(),
            ..edge()
        };
        let undertaker = Undertaker::for_dir(dir).unwrap();
        let mut nginx =
            Process::start(edge.recipe(&dir.join("nginx")).unwrap(), dir, &undertaker.living()).unwrap();
        nginx.ready(READY_WITHIN).await.unwrap();
        (edge.listen, nginx, undertaker)
    }

    #[tokio::test]
    async fn who_asks_for_a_room_reaches_the_relay_of_that_room_and_another_one_when_it_is_gone() {
        const ROOMS: usize = 60;
        let dir = tempfile::tempdir().unwrap();
        let mut backends = three_backends().await;
        let (edge, _nginx, _undertaker) = run(&backends, dir.path()).await;
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
    }

    #[tokio::test]
    async fn a_relay_that_is_back_gets_all_sockets_of_its_rooms_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let backends = three_backends().await;
        let (edge, _nginx, _undertaker) = run(&backends, dir.path()).await;
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
    }

    /// Relays of which each knows that the room's players are at home there, and nginx in front of them.
    async fn led(home: String, dir: &Path) -> (SocketAddr, Vec<u16>, (Process, Undertaker)) {
        let mut backends = BTreeMap::new();
        for _ in 0..2 {
            let (address, answering) = backend(([127, 0, 0, 1], 0).into(), Some(home.clone())).await;
            backends.insert(address, answering);
        }
        let (edge, nginx, undertaker) = run(&backends, dir).await;
        (edge, backends.keys().map(SocketAddr::port).collect(), (nginx, undertaker))
    }

    #[tokio::test]
    async fn who_asks_for_a_room_is_led_to_its_pit_though_the_edge_does_not_know_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let (pit, _answering) = named_backend(([127, 0, 0, 1], 0).into()).await;
        let (edge, relays, _nginx) = led(format!("/led/{pit}"), dir.path()).await;
        for room in 0..8 {
            let (port, mut stream) = open(edge, &format!("/ws?near=t{room}")).await.unwrap();
            assert_eq!(port, pit.port(), "t{room}");
            // It is a socket like any.
            stream.write_all(b"still there").await.unwrap();
        }
        let apart = ask(edge, "/ws").await.unwrap();
        assert!(relays.contains(&apart), "who asks for no room goes where there is room");
        // What leads there is nothing that anybody may ask for.
        let (head, _) = get(edge, &format!("/led/{pit}")).await;
        assert!(head.starts_with("http/1.1 404"), "{head}");
    }

    #[tokio::test]
    async fn where_a_pit_does_not_answer_any_relay_takes_its_rooms_players() {
        let dir = tempfile::tempdir().unwrap();
        let gone = free_address([127, 0, 0, 1].into()).unwrap();
        let (edge, relays, _nginx) = led(format!("/led/{gone}"), dir.path()).await;
        for room in 0..8 {
            let port = ask(edge, &format!("/ws?near=t{room}")).await.expect("somebody takes it");
            assert!(relays.contains(&port), "t{room}");
        }
    }

    #[tokio::test]
    async fn what_a_client_says_of_being_led_is_not_handed_on() {
        let dir = tempfile::tempdir().unwrap();
        let (pit, _answering) = named_backend(([127, 0, 0, 1], 0).into()).await;
        let (edge, _, _nginx) = led(format!("/led/{pit}"), dir.path()).await;
        let lie = "/ws?near=t1 HTTP/1.1\r\nX-Cardhouse-Edge: led\r\nX-Also:";
        assert_eq!(ask(edge, lie).await, Some(pit.port()));
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
        let (edge, _nginx, _undertaker) = run(&backends, dir.path()).await;
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
    }
}
