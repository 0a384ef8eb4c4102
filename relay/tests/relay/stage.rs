//! A relay on memory adapters behind a real socket, a dealer to play its rooms, and clients of another implementation.
//! Everything ends when it is dropped.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use broker::{
    bus::{Bus, Receiver, Subscription, memory::MemoryBus},
    channel::Channel,
    clock::Clock,
    directory::{self, Partition},
    entry::{Cause, Delay, Entry, Kind, Places, Private, Rail, fingerprint},
    lobby::{LobbyNews, TableSummary},
    node::{Asked, ToRelay, ToRoom, decode, encode},
    ports::Ports,
    revocations::Revoker,
    store::{Store, memory::MemoryStore},
    wire::{Link, Wire},
};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use ops::serve::{HttpArgs, serve};
use protocol::{
    SUBPROTOCOL,
    id::{NodeId, Position, RoomId, SessionId, UserId},
    rights::Rights,
};
use relay::{Keys, Relay, RelayConfig};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokens::{Claims, Signer};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

/// How long anything may take that must happen: a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// One for all tests, since making keys is not what they are about.
pub(crate) fn signer() -> &'static Signer {
    static SIGNER: OnceLock<Signer> = OnceLock::new();
    SIGNER.get_or_init(Signer::generate)
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

pub(crate) fn room(name: &str) -> RoomId {
    RoomId::new(name).unwrap()
}

/// Waits for what must come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not happen"))
}

pub(crate) struct Stage {
    pub(crate) relay: Arc<Relay>,
    pub(crate) address: SocketAddr,
    pub(crate) dealer: Dealer,
    pub(crate) bus: MemoryBus,
    pub(crate) clock: Clock,
    /// The relay's link to bus and store.
    pub(crate) link: Arc<Link>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) shutdown: CancellationToken,
    /// Ends after `shutdown`, when the relay has drained.
    pub(crate) running: AbortOnDropHandle<()>,
    _serving: AbortOnDropHandle<()>,
}

/// A further relay on the same bus and store.
pub(crate) struct AnotherRelay {
    pub(crate) address: SocketAddr,
    _tasks: [AbortOnDropHandle<()>; 2],
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(RelayConfig::default()).await
    }

    pub(crate) async fn with(config: RelayConfig) -> Self {
        Self::with_keys(config, Keys::given(signer().public())).await
    }

    /// With room for as many commands and questions as it takes until the relay has heard who lives, and with a room `t1`.
    pub(crate) async fn patient() -> Self {
        let without_end = 100_000_000;
        let config = RelayConfig {
            messages_per_s: without_end,
            messages_burst: without_end,
            bytes_per_s: without_end,
            bytes_burst: without_end,
            questions_per_s: without_end,
            ..RelayConfig::default()
        };
        let stage = Self::with(config).await;
        stage.dealer.commit(keyframe("t1", 1, 1)).await;
        stage
    }

    pub(crate) async fn with_keys(config: RelayConfig, keys: Arc<Keys>) -> Self {
        let node = NodeId::new("relay-1").unwrap();
        let wire = Wire::perfect();
        let bus = MemoryBus::new(wire.clone(), &node);
        let store = MemoryStore::new(wire.clone(), &node);
        let clock = Clock::system();
        let dealer_node = NodeId::new("dealer-1").unwrap();
        let dealer =
            Dealer { bus: bus.handle(&dealer_node), store: store.handle(&dealer_node), relay: node.clone() };
        let ports = Ports { bus: Arc::new(bus.clone()), store: Arc::new(store), clock };
        let config = RelayConfig { node: Some(node.clone()), ..config };
        let front = config.front(HttpArgs::default(), 0);
        let relay = Relay::new(ports, config, keys.clone());
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(relay.run(shutdown.clone().cancelled_owned()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(serve(listener, relay.router(), front, std::future::pending()));
        Self {
            relay,
            address,
            dealer,
            bus,
            clock,
            link: wire.link(&node),
            keys,
            shutdown,
            running: AbortOnDropHandle::new(running),
            _serving: AbortOnDropHandle::new(serving),
        }
    }

    pub(crate) fn token(&self, name: &str) -> String {
        signer().sign(&Claims::new(user(name), name, self.clock.now_ms(), 60_000))
    }

    /// The claims of a token that was made so long ago.
    pub(crate) fn claims(&self, name: &str, ago_ms: u64) -> Claims {
        Claims::new(user(name), name, self.clock.now_ms() - ago_ms, 60_000)
    }

    /// What reception holds, on a link of its own.
    pub(crate) fn revoker(&self) -> Revoker {
        Revoker::new(self.ports_of("reception"), 60_000)
    }

    /// The ports of another node.
    pub(crate) fn ports_of(&self, node: &str) -> Ports {
        let node = NodeId::new(node).unwrap();
        let (bus, store) = (self.bus.handle(&node), self.dealer.store.handle(&node));
        Ports { bus: Arc::new(bus), store: Arc::new(store), clock: self.clock }
    }

    /// A connection that has said nothing yet.
    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }

    /// A connection that has said hello.
    pub(crate) async fn client(&self, name: &str) -> Client {
        let mut client = self.connect().await;
        client.hello(&self.token(name), json!({})).await;
        client
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.relay.troubles().is_empty()
    }

    /// Tells all nodes, once the relay is there to hear it: it listens to them only when it first beats itself.
    pub(crate) async fn tell_nodes(&self, news: Bytes) {
        self.until("the relay hears the nodes", Self::is_ready).await;
        self.dealer.bus.publish(&Channel::nodes(), news).await.unwrap();
    }

    /// Ends the relay as a crash would.
    pub(crate) fn stop(&mut self) {
        self.running.abort();
    }

    /// A client whose socket takes little, so that it soon shows when it does not read.
    pub(crate) async fn slow_client(&self, name: &str) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        let mut client = Client::connect_with(stream, self.address, &[]).await;
        client.hello(&self.token(name), json!({})).await;
        client
    }

    /// Waits until something is so that sends no message.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let look = async {
            while !is_so(self) {
                sleep(Duration::from_millis(2)).await;
            }
        };
        soon(what, look).await;
    }

    /// Starts a relay that knows nothing yet.
    pub(crate) async fn another_relay(&self) -> AnotherRelay {
        let node = NodeId::new("relay-2").unwrap();
        let ports = Ports {
            bus: Arc::new(self.bus.handle(&node)),
            store: Arc::new(self.dealer.store.handle(&node)),
            clock: self.clock,
        };
        let config = RelayConfig { node: Some(node), ..RelayConfig::default() };
        let front = config.front(HttpArgs::default(), 0);
        let relay = Relay::new(ports, config, Keys::given(signer().public()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let running = tokio::spawn(relay.run(std::future::pending()));
        let serving = tokio::spawn(serve(listener, relay.router(), front, std::future::pending()));
        AnotherRelay { address, _tasks: [running, serving].map(AbortOnDropHandle::new) }
    }

    /// Comes back at a relay with what a client has of rooms.
    pub(crate) async fn resume_at(&self, address: SocketAddr, name: &str, resume: Value) -> Client {
        let mut client = Client::connect(address).await;
        client.hello(&self.token(name), json!({ "resume": resume })).await;
        client
    }

    /// The same, coming back with a session and what it has of rooms.
    pub(crate) async fn resume(&self, name: &str, session: Option<SessionId>, resume: Value) -> Client {
        let mut client = self.connect().await;
        let mut more = json!({ "resume": resume });
        if let Some(session) = session {
            more["session"] = json!(session);
        }
        client.hello(&self.token(name), more).await;
        client
    }
}

/// Plays the owner of rooms: says what is in their journals.
pub(crate) struct Dealer {
    pub(crate) bus: MemoryBus,
    pub(crate) store: MemoryStore,
    pub(crate) relay: NodeId,
}

/// An entry to be.
pub(crate) struct Draft(Entry);

pub(crate) fn keyframe(name: &str, epoch: u64, seq: u64) -> Draft {
    draft(Kind::Keyframe, name, epoch, seq)
}

pub(crate) fn delta(name: &str, epoch: u64, seq: u64) -> Draft {
    draft(Kind::Delta, name, epoch, seq)
}

/// The last entry of a room.
pub(crate) fn end(name: &str, epoch: u64, seq: u64) -> Draft {
    let (public, secret) = Default::default();
    Draft(Entry { public, secret, ..draft(Kind::End, name, epoch, seq).0 })
}

fn draft(kind: Kind, name: &str, epoch: u64, seq: u64) -> Draft {
    let (tag, field) = if kind == Kind::Keyframe { ("keyframe", "state") } else { ("frame", "events") };
    let text = format!(r#"{{"t":"{tag}","room":"{name}","epoch":{epoch},"seq":{seq},"{field}":[{seq}]}}"#);
    Draft(Entry {
        kind,
        room: room(name),
        at: Position::new(epoch, seq),
        cause: None,
        follows: None,
        at_ms: None,
        delay: None,
        places: None,
        rail: None,
        privates: Default::default(),
        public: text.into(),
        secret: Bytes::from_static(b"THE-DECK"),
    })
}

impl Draft {
    pub(crate) fn private(mut self, name: &str, what: &str) -> Self {
        let Entry { room, at, .. } = &self.0;
        let text = format!(
            r#"{{"t":"private","room":"{room}","epoch":{},"seq":{},"private":"{what}"}}"#,
            at.epoch().0,
            at.seq().0
        );
        self.0.privates.push(Private { user: user(name), bytes: text.into() });
        self
    }

    /// What the rail gets, and who does not.
    pub(crate) fn rail(mut self, what: &str, except: &[&str]) -> Self {
        let Entry { room, at, .. } = &self.0;
        let (epoch, seq) = (at.epoch().0, at.seq().0);
        let text = format!(r#"{{"t":"rail","room":"{room}","epoch":{epoch},"seq":{seq},"rail":"{what}"}}"#);
        let except = except.iter().map(|name| user(name)).collect();
        self.0.rail = Some(Rail { except, bytes: text.into(), at_once: false });
        self.0.at_ms = Some(0);
        self
    }

    /// What the rail gets it gets at once.
    pub(crate) fn told_at_once(mut self) -> Self {
        self.0.rail.as_mut().expect("there is something for the rail").at_once = true;
        self
    }

    /// The rail gets it so much later, milliseconds, but for those who are live. It was decided at this time.
    pub(crate) fn late(mut self, (at_ms, ms): (u64, u32), live: &[&str]) -> Self {
        self.0.at_ms = Some(at_ms);
        self.0.delay = Some(Delay { ms, live: live.iter().map(|name| user(name)).collect() });
        self
    }

    /// Only so many may watch, but for those who have a part in the room.
    pub(crate) fn few(mut self, max: u32, insiders: &[&str]) -> Self {
        self.0.at_ms.get_or_insert(0);
        self.0.places = Some(Places { max, insiders: insiders.iter().map(|name| user(name)).collect() });
        self
    }

    /// It tells something only to those who have a part of it.
    pub(crate) fn for_its_parts_alone(mut self) -> Self {
        self.0.public = Bytes::new();
        self
    }

    pub(crate) fn caused_by(mut self, name: &str, session: SessionId, n: u64) -> Self {
        self.0.cause = Some(Cause { user: user(name), session, n, said: None });
        self
    }

    /// What the command said that it answers.
    pub(crate) fn said(mut self, body: &str) -> Self {
        self.0.cause.as_mut().expect("a cause").said = Some(fingerprint(body.as_bytes()));
        self
    }

    /// A public part of about so many bytes.
    pub(crate) fn padded(mut self, bytes: usize) -> Self {
        let mut value: Value = serde_json::from_slice(&self.0.public).unwrap();
        value["padding"] = Value::String("x".repeat(bytes));
        self.0.public = value.to_string().into();
        self
    }
}

impl Dealer {
    /// Makes a room known without a frame.
    pub(crate) async fn open(&self, name: &str) {
        let specs = Partition::of(&name.parse().unwrap()).specs();
        self.store.map_set(&specs, name, Bytes::from_static(b"{}")).await.unwrap();
    }

    /// Ends a room, as its owner does that buries it.
    pub(crate) async fn end(&self, name: &str, epoch: u64, seq: u64, is_told: bool) {
        let draft = end(name, epoch, seq);
        self.store(&draft).await;
        if is_told {
            self.publish(&draft).await;
        }
        directory::remove(&self.store, &room(name)).await.unwrap();
    }

    /// Appends to the journal without telling anybody. A room that has a keyframe has been opened.
    pub(crate) async fn store(&self, draft: &Draft) {
        if draft.0.kind == Kind::Keyframe {
            self.open(draft.0.room.as_str()).await;
        }
        let stored = draft.0.encode().stored;
        self.store.append(&draft.0.room, draft.0.at, stored, None).await.unwrap();
    }

    /// Tells, whatever the journal says.
    pub(crate) async fn publish(&self, draft: &Draft) {
        let published = draft.0.encode().published;
        self.bus.publish(&Channel::frames(&draft.0.room), published).await.unwrap();
    }

    pub(crate) async fn commit(&self, draft: Draft) {
        self.store(&draft).await;
        self.publish(&draft).await;
    }

    /// Drops everything before a position from the journal, as an append with `keep_from` does; appends `draft`.
    pub(crate) async fn commit_keeping(&self, draft: Draft, keep_from: Position) {
        let stored = draft.0.encode().stored;
        self.store.append(&draft.0.room, draft.0.at, stored, Some(keep_from)).await.unwrap();
        self.publish(&draft).await;
    }

    pub(crate) async fn claim(&self, name: &str, epoch: u64) {
        self.store(&draft(Kind::Claim, name, epoch, 0)).await;
    }

    pub(crate) async fn reply(&self, reply: &ToRelay) {
        self.bus.publish(&Channel::replies(&self.relay), encode(reply)).await.unwrap();
    }

    /// Tells of tables as workers of the releases before 3 do.
    pub(crate) async fn lobby(&self, tables: Vec<TableSummary>) {
        self.lobby_news(&LobbyNews::Tables { node: NodeId::new("dealer-1").unwrap(), tables }).await;
    }

    pub(crate) async fn lobby_news(&self, news: &LobbyNews) {
        self.bus.publish(&Channel::lobby(), encode(news)).await.unwrap();
    }

    /// What relays say to a room from now on.
    pub(crate) async fn listen(&self, name: &str) -> Ears {
        let (said, _subscription) = self.listen_on(&Channel::commands(&room(name))).await;
        Ears { said, _subscription }
    }

    /// What is said on a channel from now on.
    pub(crate) async fn listen_on<T: DeserializeOwned + Send + 'static>(
        &self,
        channel: &Channel,
    ) -> (mpsc::UnboundedReceiver<T>, Box<dyn Subscription>) {
        let (heard, said) = mpsc::unbounded_channel();
        let subscription = self.bus.subscriber(Arc::new(Ear(heard)));
        subscription.subscribe(channel).await.unwrap();
        (said, subscription)
    }
}

struct Ear<T>(mpsc::UnboundedSender<T>);

impl<T: DeserializeOwned + Send + 'static> Receiver for Ear<T> {
    fn deliver(&self, _: &str, payload: Bytes) {
        let _ = self.0.send(decode(&payload).unwrap());
    }

    fn missed(&self) {}
}

pub(crate) struct Ears {
    said: mpsc::UnboundedReceiver<ToRoom>,
    _subscription: Box<dyn Subscription>,
}

/// A command as the room's owner hears it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeardCommand {
    pub(crate) epoch: u64,
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) n: u64,
    pub(crate) body: Bytes,
}

impl Ears {
    pub(crate) async fn next(&mut self) -> ToRoom {
        soon("a message to the room", self.said.recv()).await.unwrap()
    }

    /// The next command, presence left out.
    pub(crate) async fn command(&mut self) -> HeardCommand {
        loop {
            let ToRoom { epoch, what, .. } = self.next().await;
            if let Asked::Command { user, session, n, body, .. }
            | Asked::First { user, session, n, body, .. } = what
            {
                return HeardCommand { epoch: epoch.0, user, session, n, body };
            }
        }
    }

    /// What the user of the next command may do, and its number.
    pub(crate) async fn rights(&mut self) -> (u64, Rights) {
        loop {
            let what = self.next().await.what;
            if let Asked::Command { n, rights, .. } | Asked::First { n, rights, .. } = what {
                return (n, rights);
            }
        }
    }

    /// The next word about presence: whether somebody came, and who.
    pub(crate) async fn presence(&mut self) -> (bool, UserId, SessionId) {
        loop {
            match self.next().await.what {
                Asked::Present { user, session, .. } => return (true, user, session),
                Asked::Absent { user, session } => return (false, user, session),
                Asked::Command { .. }
                | Asked::First { .. }
                | Asked::Question { .. }
                | Asked::Places { .. } => {}
            }
        }
    }

    /// What has come until now.
    pub(crate) fn so_far(&mut self) -> Vec<ToRoom> {
        std::iter::from_fn(|| self.said.try_recv().ok()).collect()
    }
}

/// A client.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<TcpStream>,
    pub(crate) session: SessionId,
    /// All text that has come, for those who look for what must not.
    pub(crate) bytes: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self::connect_with(stream, address, &[]).await
    }

    pub(crate) async fn connect_with(
        stream: TcpStream,
        address: SocketAddr,
        headers: &[(&str, &str)],
    ) -> Self {
        Self::connect_for(stream, &format!("ws://{address}/ws"), headers).await
    }

    pub(crate) async fn connect_for(stream: TcpStream, uri: &str, headers: &[(&str, &str)]) -> Self {
        let uri = uri.parse().unwrap();
        let mut builder = ClientBuilder::from_uri(uri);
        for (name, value) in headers.iter().chain(&[("sec-websocket-protocol", SUBPROTOCOL)]) {
            builder = builder.add_header(name.parse().unwrap(), value.parse().unwrap()).unwrap();
        }
        let (socket, _) = soon("the handshake", builder.connect_on(stream)).await.unwrap();
        Self { socket, session: SessionId(0), bytes: Vec::new() }
    }

    pub(crate) async fn hello(&mut self, token: &str, more: Value) -> Value {
        let mut hello = more;
        hello["t"] = json!("hello");
        hello["token"] = json!(token);
        self.say(&hello).await;
        let welcome = self.hear().await;
        assert_eq!(welcome["t"], "welcome", "{welcome}");
        self.session = serde_json::from_value(welcome["session"].clone()).unwrap();
        welcome
    }

    pub(crate) async fn say(&mut self, message: &Value) {
        self.say_text(message.to_string()).await;
    }

    pub(crate) async fn say_text(&mut self, text: String) {
        soon("sending", self.socket.send(Message::text(text))).await.unwrap();
    }

    pub(crate) async fn watch(&mut self, room: &str) {
        self.say(&json!({"t": "watch", "room": room})).await;
    }

    pub(crate) async fn ask(&mut self, room: &str, n: u64, what: Value) {
        self.say(&json!({"t": "do", "room": room, "n": n, "do": what})).await;
    }

    async fn message(&mut self) -> Message {
        loop {
            let message =
                soon("a message", self.socket.next()).await.expect("the connection is there").unwrap();
            if !message.is_ping() && !message.is_pong() {
                return message;
            }
        }
    }

    /// The next message but `recovered`, which comes whenever the relay first hears itself.
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            let message = self.message().await;
            let text = message.as_text().unwrap_or_else(|| panic!("text, not {message:?}"));
            self.bytes.extend_from_slice(text.as_bytes());
            let value: Value = serde_json::from_str(text).unwrap();
            if value["code"] != "recovered" {
                return value;
            }
        }
    }

    /// The next message but `recovered`, as it was written.
    pub(crate) async fn hear_text(&mut self) -> String {
        loop {
            let message = self.message().await;
            let text = message.as_text().unwrap_or_else(|| panic!("text, not {message:?}"));
            if !text.contains("recovered") {
                return text.to_owned();
            }
        }
    }

    /// The close code; what comes before it is skipped.
    pub(crate) async fn hear_close(&mut self) -> u16 {
        loop {
            if let Some((code, _)) = self.message().await.as_close() {
                return code.into();
            }
        }
    }

    /// The close code, or `None` when the relay says welcome.
    pub(crate) async fn hear_welcome_or_close(&mut self) -> Option<u16> {
        self.message().await.as_close().map(|(code, _)| code.into())
    }

    /// Waits for a notice.
    pub(crate) async fn hear_notice(&mut self, code: &str) {
        while !self.message().await.as_text().is_some_and(|text| text.contains(code)) {}
    }

    /// Whether something comes, or the connection has ended.
    pub(crate) async fn is_there(&mut self) -> bool {
        self.socket.next().await.is_some_and(|message| message.is_ok())
    }

    /// The tag and position of the next message, such as `keyframe 1-5`; for answers with their number, such as
    /// `ack 7 1-5`.
    pub(crate) async fn hear_brief(&mut self) -> String {
        brief(&self.hear().await)
    }

    /// The next ones.
    pub(crate) async fn hear_briefs(&mut self, count: usize) -> Vec<String> {
        let mut briefs = Vec::new();
        for _ in 0..count {
            briefs.push(self.hear_brief().await);
        }
        briefs
    }

    /// The next message that is about a room.
    pub(crate) async fn hear_room_message(&mut self) -> Value {
        loop {
            let message = self.hear().await;
            if message["room"].is_string() {
                return message;
            }
        }
    }

    /// The next message with this tag; others are skipped.
    pub(crate) async fn hear_until(&mut self, tag: &str) -> Value {
        loop {
            let message = self.hear().await;
            if message["t"] == tag {
                return message;
            }
        }
    }

    /// All that has come until now.
    pub(crate) async fn hear_rest(&mut self) -> Vec<String> {
        self.say(&json!({"t": "ping", "at": 78})).await;
        let mut briefs = Vec::new();
        loop {
            let message = self.hear().await;
            if message["t"] == "pong" {
                return briefs;
            }
            briefs.push(brief(&message));
        }
    }

    /// Nothing more has come before the answer to a ping.
    pub(crate) async fn hear_nothing_more(&mut self) {
        self.say(&json!({"t": "ping", "at": 77})).await;
        let next = self.hear().await;
        assert_eq!(next["t"], "pong", "{next}");
    }
}

pub(crate) fn brief(message: &Value) -> String {
    let tag = message["t"].as_str().unwrap();
    let n = message["n"].as_u64().map(|n| format!(" {n}")).unwrap_or_default();
    let code = message["code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
    let at = match (message["epoch"].as_u64(), message["seq"].as_u64()) {
        (Some(epoch), Some(seq)) => format!(" {epoch}-{seq}"),
        _ => String::new(),
    };
    format!("{tag}{n}{code}{at}")
}
