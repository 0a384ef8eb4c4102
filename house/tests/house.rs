//! The house as its guests meet it: over HTTP and WebSockets, and as a process.

#[path = "guests/ai.rs"]
mod ai;

use std::{
    io::{BufRead as _, BufReader, PipeReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use broker::{lobby::FIRST_KIND, testing::redis_server::free_port};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use house::{Config, House};
use ops::testing::full_pipe::full_pipe;
use player::{
    Client, Heard, Style,
    connect::{Dialer, Socket},
    decision::{Prizes, Sight, choose},
    guest::{Reception, Tokens as _},
};
use protocol::{
    id::RoomId,
    lobby::View,
    table::{TableCommand, TableEvent},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tokio_websockets::Message;

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(60);

/// Quick bots at one table with blinds 1/2, so that a test sees many hands.
fn quick() -> Config {
    let mut config = Config::defaults();
    config.listen = ([127, 0, 0, 1], 0).into();
    config.tables.tables = 1;
    config.tables.pause_ms = 20;
    config.tables.runout_ms = 5;
    config.bots.bot_think_min_ms = 0;
    config.bots.bot_think_more_ms = 10;
    config
}

struct Running {
    address: SocketAddr,
    ops: SocketAddr,
    closing: CancellationToken,
    task: AbortOnDropHandle<()>,
}

async fn start(config: Config) -> Running {
    let house = House::open(config).await.unwrap();
    let (address, ops) = (house.address(), house.ops_address());
    let closing = CancellationToken::new();
    let run = house.run(closing.clone());
    let task = AbortOnDropHandle::new(tokio::spawn(async move { run.await.unwrap() }));
    Running { address, ops, closing, task }
}

/// A person's client, driven by hand.
struct Guest {
    client: Client,
    socket: Socket,
    room: RoomId,
}

impl Guest {
    async fn enter(address: SocketAddr, name: &str) -> Self {
        let url = format!("ws://{address}/ws");
        let guest = Reception::new(&Reception::base_of(&url)).guest(name).await.unwrap();
        let socket = Dialer::new(&url).unwrap().dial(None).await.unwrap();
        let mut client = Client::new(guest.token, Instant::now());
        client.connected(Instant::now());
        let mut guest = Self { client, socket, room: RoomId::new("t1").unwrap() };
        guest.until("the welcome", |_, heard| matches!(heard, Heard::Welcome { resumed: false })).await;
        guest
    }

    /// Sends what is to be sent and hears the next message.
    async fn hear(&mut self) -> Heard {
        let text = self.text().await;
        self.client.receive(&text, Instant::now())
    }

    /// The same, as it comes.
    async fn text(&mut self) -> String {
        loop {
            while let Some(text) = self.client.pop_outgoing() {
                self.socket.send(Message::text(Bytes::from(text))).await.unwrap();
            }
            let message = self.socket.next().await.expect("the connection stays").unwrap();
            if let Some(text) = message.as_text() {
                return text.to_owned();
            }
        }
    }

    async fn until(&mut self, what: &str, mut is_it: impl FnMut(&Client, &Heard) -> bool) {
        let looking = async {
            loop {
                let heard = self.hear().await;
                if is_it(&self.client, &heard) {
                    return;
                }
            }
        };
        timeout(SOON, looking).await.unwrap_or_else(|_| panic!("waited for {what}"));
    }

    fn seat(&self) -> Option<u8> {
        self.client.table(&self.room)?.seat_of(self.client.user()?)
    }

    fn command(&mut self, command: &TableCommand) -> u64 {
        self.client.command(&self.room.clone(), command, Instant::now())
    }

    async fn applied(&mut self, command: &TableCommand) {
        let n = self.command(command);
        let answered = |_: &Client, heard: &Heard| match heard {
            Heard::Refused(refusal) if refusal.n == n => panic!("{refusal:?}"),
            heard => matches!(heard, Heard::Acked { n: acked, .. } if *acked == n),
        };
        self.until("the answer", answered).await;
    }

    /// Acts as a person would who plays `style`, if it is their turn.
    fn act(&mut self, style: Style, answered: &mut (u64, u64)) {
        let Some((view, seat)) = self.client.table(&self.room).zip(self.seat()) else { return };
        let Some(hand) = &view.hand else { return };
        let Some(turn) = hand.turn.as_ref().filter(|turn| turn.seat == seat) else { return };
        if std::mem::replace(answered, (hand.hand, turn.turn)) == (hand.hand, turn.turn) {
            return;
        }
        let (hole, prizes) = (self.client.hole_cards(&self.room), &Prizes::default());
        let deeds = self.client.deeds(&self.room).expect("a watched table");
        let choice = choose(&style, Sight { turn, view, hole, deeds, prizes }, &mut rand::rng());
        let act = TableCommand::Act { hand: hand.hand, turn: turn.turn, kind: choice.kind, to: choice.to };
        self.command(&act);
    }
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn hand_ended(heard: &Heard) -> bool {
    let Heard::Frame { events, .. } = heard else { return false };
    events.iter().any(|event| matches!(event, TableEvent::HandEnded { .. }))
}

#[tokio::test]
async fn the_page_and_everything_that_it_loads_is_there() {
    let house = start(quick()).await;
    let page = get(house.address, "/").await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let links: Vec<&str> =
        page.split(['"']).filter(|part| part.ends_with(".js") || part.ends_with(".css")).collect();
    assert!(links.len() > 1, "{page}");
    for link in links {
        let file = get(house.address, &format!("/{link}")).await;
        assert!(file.starts_with("HTTP/1.1 200"), "{link}: {file}");
    }
}

#[tokio::test]
async fn health_and_metrics_are_on_an_address_of_their_own() {
    let house = start(quick()).await;
    let mut guest = Guest::enter(house.address, "Ann").await;
    guest.client.watch(&guest.room.clone(), Instant::now());
    guest.until("a hand", |_, heard| hand_ended(heard)).await;
    assert!(get(house.ops, "/readyz").await.starts_with("HTTP/1.1 200"));
    let metrics = get(house.ops, "/metrics").await;
    assert!(metrics.contains("reception_tokens_total{for=\"guest\"}"), "{metrics}");
    assert!(get(house.address, "/metrics").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn a_guest_sees_the_lobby_and_watches_bots_play() {
    let mut config = quick();
    config.tables.tables = 3;
    let house = start(config).await;
    let mut guest = Guest::enter(house.address, "Ann").await;
    let tables = View { kind: Some(FIRST_KIND.into()), ..View::default() };
    guest.client.lobby(Some(tables), Instant::now());
    // Bots have come to every table, and left two seats of each free.
    let all_there = |client: &Client, _: &Heard| {
        let mut rows = client.lobby_rows();
        client.lobby_rows().count() == 3 && rows.all(|row| (row.taken, row.seats) == (Some(4), Some(6)))
    };
    guest.until("bots at three tables", all_there).await;
    guest.client.watch(&guest.room.clone(), Instant::now());
    for _ in 0..3 {
        guest.until("a hand's end", |_, heard| hand_ended(heard)).await;
    }
    let seats = guest.client.table(&guest.room).unwrap().seats.iter().flatten();
    assert!(
        seats.clone().all(|seat| seat.user.is_bot() && !seat.name.contains("bot")),
        "marked, not named so"
    );
    assert!(!guest.client.user().unwrap().is_bot());
    assert_eq!(guest.client.breaches().total(), 0, "{:?}", guest.client.breaches());
}

#[tokio::test]
async fn a_guest_sits_plays_hands_against_bots_and_leaves() {
    let house = start(quick()).await;
    let mut guest = Guest::enter(house.address, "Ann").await;
    guest.applied(&TableCommand::Sit { seat: None, buy_in: 100, wait_for_big_blind: false }).await;
    let (mut answered, mut hands) = ((0, 0), 0);
    let playing = async {
        while hands < 3 {
            guest.act(Style::Tight, &mut answered);
            let heard = guest.hear().await;
            if let Heard::Refused(refusal) = &heard {
                panic!("{refusal:?}");
            }
            let seated = guest.seat().expect("the seat stays");
            let dealt_in =
                guest.client.table(&guest.room).unwrap().seats[usize::from(seated)].as_ref().unwrap().in_hand;
            hands += u32::from(dealt_in && hand_ended(&heard));
        }
    };
    timeout(SOON, playing).await.expect("three hands are played");
    guest.applied(&TableCommand::Leave).await;
    // In a hand one stays until it has ended.
    let leaving = async {
        while guest.seat().is_some() {
            guest.act(Style::Tight, &mut answered);
            guest.hear().await;
        }
    };
    timeout(SOON, leaving).await.expect("the seat becomes free");
    assert_eq!(guest.client.breaches().total(), 0, "{:?}", guest.client.breaches());
}

#[tokio::test]
async fn closing_says_goodbye_to_whoever_is_connected() {
    let house = start(quick()).await;
    let mut guest = Guest::enter(house.address, "Ann").await;
    house.closing.cancel();
    guest.until("the goodbye", |_, heard| matches!(heard, Heard::Reconnect(_))).await;
    timeout(SOON, house.task).await.expect("it closes").unwrap();
}

#[tokio::test]
async fn settings_that_describe_no_table_are_refused_at_the_door() {
    let mut config = quick();
    config.tables.seats = 11;
    let Err(error) = House::open(config).await else { panic!("a table of eleven") };
    assert!(error.to_string().contains("seats"), "{error}");
}

/// The binary as a newcomer starts it.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn ctrl_c_closes_the_house_and_frees_its_port() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_house"));
    let mut process = Process(
        process.args(["--memory", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap(),
    );
    let mut said = BufReader::new(process.0.stdout.take().unwrap()).lines();
    let first = said.next().unwrap().unwrap();
    let address = first.rsplit_once("http://").expect("it prints its address").1.trim_end_matches('/');
    let address: SocketAddr = address.parse().unwrap();
    let mut guest = Guest::enter(address, "Ann").await;
    guest.client.watch(&guest.room.clone(), Instant::now());
    guest.until("a hand", |client, _| client.table(&RoomId::new("t1").unwrap()).is_some()).await;

    let pid = process.0.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let ended = tokio::task::spawn_blocking(move || {
        let last = said.map(Result::unwrap).last();
        (process.0.wait().unwrap(), last)
    });
    let (status, last) = timeout(SOON, ended).await.expect("it ends").unwrap();
    assert!(status.success());
    assert_eq!(last.as_deref(), Some("Closed."));
    std::net::TcpListener::bind(address).expect("the port is free again");
}

/// A house whose output goes where nobody reads it, and what is at the other ends.
struct Unread {
    process: Process,
    address: SocketAddr,
    ops: SocketAddr,
    log: Option<PipeReader>,
    _said: Option<PipeReader>,
}

/// `read` keeps the other ends of the pipes open; without it they are closed.
fn unread(readers_stay: bool) -> Unread {
    let free = || SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
    let (address, ops) = (free(), free());
    let (said, stdout) = full_pipe().unwrap();
    let (log, stderr) = full_pipe().unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_house"));
    process.args(["--memory", "--listen", &address.to_string(), "--ops-listen", &ops.to_string()]);
    process.args(["--log", "trace", "--log-format", "json", "--log-bytes-max", "20000", "--pause-ms", "20"]);
    process.args(["--bot-think-min-ms", "0", "--bot-think-more-ms", "10"]);
    let process = Process(process.stdout(stdout).stderr(stderr).spawn().unwrap());
    let (log, said) = (readers_stay.then_some(log), readers_stay.then_some(said));
    Unread { process, address, ops, log, _said: said }
}

impl Unread {
    /// Plays and looks around until lines of the log have been lost.
    async fn goes_on(&self) {
        let up = async {
            while TcpStream::connect(self.ops).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, up).await.expect("it comes up");
        let mut guest = Guest::enter(self.address, "Ann").await;
        guest.client.watch(&guest.room.clone(), Instant::now());
        let lost = async {
            while get(self.ops, "/metrics").await.contains("cardhouse_log_lines_dropped_total 0\n") {
                guest.until("a hand's end", |_, heard| hand_ended(heard)).await;
            }
        };
        timeout(SOON, lost).await.expect("lines are dropped");
        assert!(get(self.ops, "/livez").await.starts_with("HTTP/1.1 200"));
        guest.until("a hand's end", |_, heard| hand_ended(heard)).await;
    }

    async fn closes(mut self) {
        let pid = self.process.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let ended = tokio::task::spawn_blocking(move || self.process.0.wait().unwrap());
        assert!(timeout(SOON, ended).await.expect("it ends").unwrap().success());
    }
}

#[tokio::test]
async fn a_log_and_an_output_that_nobody_reads_stop_nothing() {
    let house = unread(true);
    house.goes_on().await;
    house.closes().await;
}

#[tokio::test]
async fn a_log_and_an_output_whose_readers_have_gone_stop_nothing() {
    let house = unread(false);
    house.goes_on().await;
    house.closes().await;
}

#[tokio::test]
async fn a_log_that_is_read_again_says_how_many_lines_are_missing() {
    let mut house = unread(true);
    house.goes_on().await;
    let log = BufReader::new(house.log.take().unwrap());
    let reading = tokio::task::spawn_blocking(move || {
        let lines = log.lines().map(Result::unwrap).filter(|line| !line.is_empty());
        let mut lines = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap());
        let told = lines.find_map(|line| line["dropped"].as_u64());
        // Read on, so that the house may say what it wants.
        lines.for_each(drop);
        told
    });
    house.closes().await;
    let told = timeout(SOON, reading).await.expect("the log ends").unwrap();
    assert!(told.is_some_and(|count| count > 0), "{told:?}");
}

#[test]
fn a_port_that_is_taken_is_an_error_that_names_the_flag() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended =
        Command::new(env!("CARGO_BIN_EXE_house")).args(["--memory", "--listen", &address]).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success());
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");
}
