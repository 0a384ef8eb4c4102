//! Brings a bot, or another [`Mind`], over real connections: dials, brings messages and time, comes back when a connection ends.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::{
    Uri,
    header::{HeaderValue, ORIGIN, SEC_WEBSOCKET_PROTOCOL},
};
use protocol::{SUBPROTOCOL, id::RoomId};
use tokio::{
    net::TcpStream,
    time::{Duration, Instant},
};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_util::sync::CancellationToken;
use tokio_websockets::{ClientBuilder, Config, Limits, MaybeTlsStream, Message, WebSocketStream};

use crate::{
    bot::Acting,
    client::Heard,
    comeback::{self, Comeback},
    guest::{Guest, NoToken, Tokens},
    mind::Mind,
    way::Way,
};

/// The largest message taken from a relay, bytes: a keyframe of a full table is about 4 KiB, a lobby of thousands of
/// tables some megabytes.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A connection and its handshake take at most this, as in the page: the relay may stand still.
const CONNECT_WITHIN: Duration = Duration::from_secs(4);

/// The first behind a relay that has fallen silent: it may lead to that one again, which takes it and says nothing.
const CONNECT_AFTER_SILENCE: Duration = Duration::from_secs(2);

/// A connection that lasted this long was a good one: the next failure is the first again.
const GOOD_AFTER: Duration = Duration::from_secs(10);

/// After being told to stop, a bot waits at most this long for its last answers.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A relay's (or an nginx's) WebSocket address.
#[derive(Debug, Clone)]
pub struct Dialer {
    uri: Uri,
    way: Way,
    host: String,
    port: u16,
    /// By TLS: what the other side must show to be.
    shows: Option<ServerName<'static>>,
    names_origin: bool,
}

/// A URL that cannot be dialled.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0:?} is not the address of a relay; try ws://127.0.0.1:8080/ws")]
pub struct BadUrl(String);

/// A connection that did not come to be.
#[derive(Debug, thiserror::Error)]
pub enum NoConnection {
    /// TCP failed, or TLS.
    #[error(transparent)]
    Tcp(#[from] std::io::Error),
    /// The handshake failed.
    #[error("the handshake failed: {0}")]
    Handshake(String),
    /// It took too long.
    #[error("no handshake in time")]
    Late,
}

// As text: the sources of such an error say the same once more, each.
impl From<tokio_websockets::Error> for NoConnection {
    fn from(error: tokio_websockets::Error) -> Self {
        Self::Handshake(error.to_string())
    }
}

/// A WebSocket to a relay.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What is below a WebSocket, and below TLS.
pub fn tcp(socket: &Socket) -> &TcpStream {
    match socket.get_ref() {
        MaybeTlsStream::Plain(stream) => stream,
        MaybeTlsStream::Rustls(stream) => stream.get_ref().0,
    }
}

impl Dialer {
    /// Takes `ws://HOST[:PORT]/PATH`.
    ///
    /// # Errors
    /// [`BadUrl`] when it is something else.
    pub fn new(url: &str) -> Result<Self, BadUrl> {
        let dialer = Self::by(&Way::plain(), url)?;
        if dialer.shows.is_some() { Err(BadUrl(url.to_owned())) } else { Ok(dialer) }
    }

    /// Takes `wss://HOST[:PORT]/PATH`, too.
    ///
    /// # Errors
    /// [`BadUrl`] when it is something else.
    pub fn by(way: &Way, url: &str) -> Result<Self, BadUrl> {
        let bad = || BadUrl(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| bad())?;
        let host = uri.host().ok_or_else(bad)?.trim_matches(['[', ']']).to_owned();
        let (port, shows) = match uri.scheme_str() {
            Some("ws") => (80, None),
            Some("wss") => (443, Some(ServerName::try_from(host.clone()).map_err(|_| bad())?)),
            _ => return Err(bad()),
        };
        let port = uri.port_u16().unwrap_or(port);
        Ok(Self { uri, way: way.clone(), host, port, shows, names_origin: true })
    }

    /// Names no origin, as programs do that come by another name than pages: relays let pages come by their own names alone.
    #[must_use]
    pub fn without_origin(self) -> Self {
        Self { names_origin: false, ..self }
    }

    /// A new connection that speaks [`SUBPROTOCOL`]; at an edge that knows of it, [near](comeback::near) something.
    ///
    /// # Errors
    /// [`NoConnection`]; all may be tried again later.
    pub async fn dial(&self, near: Option<&str>) -> Result<Socket, NoConnection> {
        self.dial_within(CONNECT_WITHIN, near).await
    }

    async fn dial_within(&self, within: Duration, near: Option<&str>) -> Result<Socket, NoConnection> {
        let dial = async {
            let stream = self.way.connect(&self.host, self.port).await?;
            stream.set_nodelay(true)?;
            let (scheme, stream) = match &self.shows {
                None => ("http", MaybeTlsStream::Plain(stream)),
                Some(name) => {
                    let stream = self.way.tls().connect(name.clone(), stream).await?;
                    ("https", MaybeTlsStream::Rustls(stream))
                }
            };
            let origin =
                format!("{scheme}://{}", self.uri.authority().map_or("", |authority| authority.as_str()));
            let origin = HeaderValue::from_str(&origin).expect("an authority is a header's value");
            let builder = ClientBuilder::from_uri(self.uri(near))
                .config(Config::default())
                .limits(Limits::default().max_payload_len(Some(MESSAGE_BYTES_MAX)))
                .add_header(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL))?;
            let builder = if self.names_origin { builder.add_header(ORIGIN, origin)? } else { builder };
            Ok(builder.connect_on(stream).await?.0)
        };
        tokio::time::timeout(within, dial).await.map_err(|_| NoConnection::Late)?
    }

    fn uri(&self, near: Option<&str>) -> Uri {
        let Some(near) = near else { return self.uri.clone() };
        let joint = if self.uri.query().is_some() { '&' } else { '?' };
        format!("{}{joint}near={near}", self.uri).parse().expect("names of rooms need no escaping")
    }
}

/// What happens to a bot, for whoever counts.
#[derive(Debug)]
pub enum Happening<'a> {
    /// The relay said welcome, for the first time or again.
    Online,
    /// The connection ended.
    Offline,
    /// There was none to be had; it is tried again.
    Unreachable(&'a NoConnection),
    /// A message came.
    Heard(&'a Heard),
    /// An action is on its way.
    Acting(&'a Acting),
}

/// How a bot's run ended.
#[derive(Debug)]
pub struct Ended<M> {
    /// The bot with all it has judged.
    pub bot: M,
    /// The relay closed for good with this code.
    pub turned_away: Option<u16>,
    /// Why, if reception has said it: it gives no new token.
    pub told: Option<String>,
}

/// Gets a guest token for a bot that was made without one and plays until `stop`, or until it [has gone](Mind::has_gone), over as many connections as it takes; then leaves the table and waits for the
/// last answers.
///
/// # Errors
/// [`NoToken`] when `stop` came before reception gave a token.
pub async fn play<M: Mind>(
    name: &str,
    mut bot: M,
    dialer: &Dialer,
    tokens: &impl Tokens,
    stop: CancellationToken,
    mut on: impl FnMut(&M, Happening<'_>, Instant),
) -> Result<Ended<M>, NoToken> {
    let mut guest = first_token(name, &mut bot, tokens, &stop).await?;
    bot.client_mut().renew_token(guest.token.clone(), Instant::now());
    let mut failures = 0;
    let mut within = CONNECT_WITHIN;
    let mut stop_by = None;
    loop {
        if bot.has_gone() {
            return Ok(Ended { bot, turned_away: None, told: None });
        }
        if stop.is_cancelled() {
            bot.stop();
            let by = *stop_by.get_or_insert_with(|| Instant::now() + STOP_WITHIN);
            if bot.has_stopped() || Instant::now() >= by {
                return Ok(Ended { bot, turned_away: None, told: None });
            }
        }
        let began = Instant::now();
        let near = bot.near().cloned();
        let place = comeback::near(near.as_ref(), failures, bot.rng());
        let mut lasted = false;
        let ended = match dialer.dial_within(within, place.as_deref()).await {
            Ok(mut socket) => {
                let visit = Visit { tokens, stop: &stop, guest: &mut guest, near };
                let ended = visit.run(&mut socket, &mut bot, &mut on).await;
                if !matches!(ended, ConnectionEnd::Broken(_) | ConnectionEnd::Silent) {
                    // Politely, but without waiting for a relay that may be gone.
                    let _ = tokio::time::timeout(Duration::from_secs(1), socket.close()).await;
                }
                on(&bot, Happening::Offline, Instant::now());
                lasted = began.elapsed() >= GOOD_AFTER;
                ended
            }
            Err(error) => {
                tracing::debug!(%error, name, "no connection");
                on(&bot, Happening::Unreachable(&error), Instant::now());
                ConnectionEnd::Broken(None)
            }
        };
        bot.client_mut().disconnected();
        let is_silent = matches!(ended, ConnectionEnd::Silent);
        within = if is_silent { CONNECT_AFTER_SILENCE } else { CONNECT_WITHIN };
        failures = if lasted && !is_silent { 0 } else { failures + 1 };
        let pause = match ended {
            ConnectionEnd::Stopped => continue,
            ConnectionEnd::Moves => {
                failures = 0;
                Duration::ZERO
            }
            ConnectionEnd::Vanished(pause) => {
                failures = 0;
                pause
            }
            ConnectionEnd::Missed => comeback::backoff(failures, bot.rng()),
            // It has been waited for already, however often others have failed.
            ConnectionEnd::Silent => comeback::backoff(0, bot.rng()),
            ConnectionEnd::Broken(code) => match Comeback::to(code, failures, bot.rng()) {
                Comeback::After(pause) => pause,
                Comeback::WithNewToken(pause) => {
                    match tokens.refresh(&guest).await {
                        Ok(renewed) => guest = renewed,
                        Err(NoToken::Refused { message, .. }) => {
                            return Ok(Ended { bot, turned_away: code, told: Some(message) });
                        }
                        Err(error) => tracing::debug!(%error, name, "no new token yet"),
                    }
                    bot.client_mut().renew_token(guest.token.clone(), Instant::now());
                    pause
                }
                Comeback::AsNewSession(pause) => {
                    bot.client_mut().forget_session();
                    pause
                }
                Comeback::Never => return Ok(Ended { bot, turned_away: code, told: None }),
            },
        };
        // When told to stop, a bot still comes back for answers that it has not heard.
        let cut_short = async {
            stop.cancelled().await;
            tokio::time::sleep(pause.min(Duration::from_millis(200))).await;
        };
        tokio::select! {
            biased;
            () = tokio::time::sleep(pause) => {}
            () = cut_short => {}
        }
    }
}

async fn first_token(
    name: &str,
    bot: &mut impl Mind,
    tokens: &impl Tokens,
    stop: &CancellationToken,
) -> Result<Guest, NoToken> {
    let mut failures = 0;
    loop {
        match tokens.guest(name).await {
            Ok(guest) => return Ok(guest),
            Err(error) if stop.is_cancelled() => return Err(error),
            Err(error) => tracing::debug!(%error, name, "no token yet"),
        }
        let pause = comeback::backoff(failures, bot.rng());
        failures += 1;
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Why a connection ended.
enum ConnectionEnd {
    /// It broke, or the relay closed it with this code.
    Broken(Option<u16>),
    /// To connect again at once: the relay asked for it, and it is time, or the bot has a seat now and its connection should be
    /// near it.
    Moves,
    /// The bot vanishes for so long.
    Vanished(Duration),
    /// A gap was seen.
    Missed,
    /// The relay says nothing any more.
    Silent,
    /// All is done.
    Stopped,
}

/// One connection's life.
struct Visit<'a, T> {
    tokens: &'a T,
    stop: &'a CancellationToken,
    guest: &'a mut Guest,
    /// The room that this connection is near.
    near: Option<RoomId>,
}

impl<T: Tokens> Visit<'_, T> {
    async fn run<M: Mind>(
        mut self,
        socket: &mut Socket,
        bot: &mut M,
        on: &mut impl FnMut(&M, Happening<'_>, Instant),
    ) -> ConnectionEnd {
        bot.client_mut().connected(Instant::now());
        let mut stop_by: Option<Instant> = None;
        // The relay leaves: until then it still serves us.
        let mut move_at: Option<Instant> = None;
        loop {
            let now = Instant::now();
            if bot.has_gone() {
                return ConnectionEnd::Stopped;
            }
            if move_at.is_some_and(|at| now >= at) {
                return ConnectionEnd::Moves;
            }
            if self.stop.is_cancelled() {
                bot.stop();
                let by = *stop_by.get_or_insert(now + STOP_WITHIN);
                if bot.has_stopped() || now >= by {
                    return ConnectionEnd::Stopped;
                }
            }
            if let Some(acting) = bot.poll(now) {
                on(bot, Happening::Acting(&acting), now);
            }
            if let Some(away) = bot.take_vanishing() {
                return ConnectionEnd::Vanished(away);
            }
            if bot.near().is_some_and(|room| self.near.as_ref() != Some(room)) {
                return ConnectionEnd::Moves;
            }
            if bot.client().wants_reconnect() {
                return ConnectionEnd::Missed;
            }
            if bot.client().is_in_silence(now) {
                return ConnectionEnd::Silent;
            }
            if bot.client().needs_token(now) {
                self.renew_token(bot).await;
            }
            if send_all(socket, bot).await.is_err() {
                return ConnectionEnd::Broken(None);
            }
            let deadline = [bot.next_deadline(), stop_by, move_at].into_iter().flatten().min();
            let message = tokio::select! {
                biased;
                message = socket.next() => message,
                () = sleep_until(deadline) => continue,
                () = self.stop.cancelled(), if stop_by.is_none() => continue,
            };
            let Some(Ok(message)) = message else { return ConnectionEnd::Broken(None) };
            if let Some((code, _)) = message.as_close() {
                return ConnectionEnd::Broken(Some(code.into()));
            }
            let Some(text) = message.as_text() else { continue };
            let now = Instant::now();
            let heard = bot.receive(text, now);
            if let Heard::Welcome { .. } = heard {
                on(bot, Happening::Online, now);
            }
            on(bot, Happening::Heard(&heard), now);
            if let Heard::Reconnect(after) = heard {
                move_at = Some(now + after);
            }
        }
    }

    /// Tries once; the client asks again some seconds later, long before the token ends.
    async fn renew_token(&mut self, bot: &mut impl Mind) {
        match self.tokens.refresh(self.guest).await {
            Ok(renewed) => {
                *self.guest = renewed;
                bot.client_mut().renew_token(self.guest.token.clone(), Instant::now());
            }
            Err(error) => {
                tracing::debug!(%error, "no new token yet");
                bot.client_mut().put_off_token(Instant::now());
            }
        }
    }
}

async fn send_all(socket: &mut Socket, bot: &mut impl Mind) -> Result<(), tokio_websockets::Error> {
    let mut any = false;
    while let Some(text) = bot.pop_outgoing() {
        socket.feed(Message::text(Bytes::from(text))).await?;
        any = true;
    }
    if any { socket.flush().await } else { Ok(()) }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use protocol::{
        ClientIn, ClientOut,
        id::{SessionId, UserId},
        time::UnixMs,
    };
    use tokio::net::TcpListener;
    use tokio_websockets::{CloseCode, ServerBuilder};

    use super::*;
    use crate::{
        Style,
        bot::{Bot, Character, Habits},
    };

    /// Gives everybody the same token.
    struct OneToken;

    impl Tokens for OneToken {
        async fn guest(&self, name: &str) -> Result<Guest, NoToken> {
            let user = UserId::new("guest").expect("a name");
            let (token, expires_ms) = ("token".into(), UnixMs::MAX);
            Ok(Guest { token, user, name: name.into(), expires_ms, refresh: None })
        }

        async fn refresh(&self, _: &Guest) -> Result<Guest, NoToken> {
            self.guest("Ann").await
        }
    }

    async fn accept(listener: &TcpListener) -> WebSocketStream<TcpStream> {
        let (stream, _) = listener.accept().await.unwrap();
        ServerBuilder::new().accept(stream).await.unwrap().1
    }

    async fn text(socket: &mut WebSocketStream<TcpStream>) -> String {
        loop {
            let message = socket.next().await.expect("the bot is there").unwrap();
            if let Some(text) = message.as_text() {
                return text.to_owned();
            }
        }
    }

    async fn say(socket: &mut WebSocketStream<TcpStream>, message: &ClientOut) {
        socket.send(Message::text(serde_json::to_string(message).unwrap())).await.unwrap();
    }

    /// Gives the first token, then the second, and then says why there is no third.
    #[derive(Default)]
    struct TwoTokens(AtomicU32);

    impl Tokens for TwoTokens {
        async fn guest(&self, name: &str) -> Result<Guest, NoToken> {
            self.0.fetch_add(1, Ordering::Relaxed);
            OneToken.guest(name).await
        }

        async fn refresh(&self, _: &Guest) -> Result<Guest, NoToken> {
            match self.0.fetch_add(1, Ordering::Relaxed) {
                1 => Ok(Guest { token: "second".into(), ..OneToken.guest("Ann").await? }),
                _ => Err(NoToken::Refused {
                    status: hyper::StatusCode::FORBIDDEN,
                    message: "banned until tomorrow: he was rude".into(),
                }),
            }
        }
    }

    #[test]
    fn a_relay_is_dialled_by_tls_where_it_is_to_be_believed_and_only_there() {
        let way = Way::plain();
        let dialled = |url| Dialer::by(&way, url).map(|to| (to.host, to.port, to.shows.is_some()));
        assert_eq!(dialled("wss://cards.example/ws").unwrap(), ("cards.example".into(), 443, true));
        assert_eq!(dialled("wss://[::1]:8443/ws").unwrap(), ("::1".into(), 8443, true));
        assert_eq!(dialled("ws://cards.example/ws").unwrap(), ("cards.example".into(), 80, false));
        assert!(dialled("https://cards.example/ws").is_err());
        assert!(Dialer::new("wss://cards.example/ws").is_err(), "nobody is trusted");
    }

    #[tokio::test]
    async fn an_origin_is_named_unless_there_is_to_be_none() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let page = Dialer::new(&format!("ws://{address}/ws")).unwrap();
        for (dialer, origin) in
            [(page.clone(), Some(format!("http://{address}"))), (page.without_origin(), None)]
        {
            let dialled = tokio::spawn(async move { dialer.dial(None).await });
            let (stream, _) = listener.accept().await.unwrap();
            let (asked, _) = ServerBuilder::new().accept(stream).await.unwrap();
            let named = asked.headers().get(ORIGIN).map(|origin| origin.to_str().unwrap().to_owned());
            assert_eq!(named, origin);
            dialled.await.unwrap().unwrap();
        }
    }

    fn a_bot() -> Bot {
        let (think, away) = (Duration::ZERO, Duration::ZERO);
        let habits =
            Habits { think_min: think, think_more: think, chat: 0.0, leave: 0.0, away, ..Habits::default() };
        let tables = Arc::default();
        Bot::new(
            Character { style: Style::Tight, habits, tables, home: 0, seed: 1 },
            String::new(),
            Instant::now(),
        )
    }

    fn welcome(idle_ms: u64) -> ClientOut {
        ClientOut::Welcome {
            user: UserId::new("guest").unwrap(),
            name: "Ann".to_owned(),
            session: SessionId(9),
            now_ms: 0,
            expires_ms: UnixMs::MAX,
            idle_ms,
            near: false,
            counts: true,
            views: true,
        }
    }

    #[tokio::test]
    async fn whose_token_is_revoked_comes_back_with_a_new_one_and_goes_when_told_why_there_is_none() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dialer = Dialer::new(&format!("ws://{}/ws", listener.local_addr().unwrap())).unwrap();
        let playing = tokio::spawn(async move {
            let stop = CancellationToken::new();
            play("Ann", a_bot(), &dialer, &TwoTokens::default(), stop, |_, _, _| {}).await
        });
        for (token, session) in [("token", None), ("second", Some(SessionId(9)))] {
            let mut socket = accept(&listener).await;
            let said = text(&mut socket).await;
            let hello = ClientIn::read(&said).unwrap();
            let ClientIn::Hello { token: shown, session: resumed, .. } = hello else { panic!("{hello:?}") };
            assert_eq!((&*shown, resumed), (token, session));
            say(&mut socket, &welcome(30_000)).await;
            let revoked = CloseCode::try_from(protocol::CloseCode::Revoked as u16).unwrap();
            socket.send(Message::close(Some(revoked), "revoked")).await.unwrap();
        }
        let ended = playing.await.unwrap().unwrap();
        assert_eq!(ended.turned_away, Some(4009));
        assert_eq!(ended.told.as_deref(), Some("banned until tomorrow: he was rude"));
    }

    #[tokio::test]
    async fn a_relay_that_leaves_is_left_at_the_time_it_names_and_not_before() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dialer = Dialer::new(&format!("ws://{}/ws", listener.local_addr().unwrap())).unwrap();
        let playing = tokio::spawn(async move {
            let stop = CancellationToken::new();
            play("Ann", a_bot(), &dialer, &OneToken, stop, |_, _, _| {}).await
        });

        let mut socket = accept(&listener).await;
        let _hello = text(&mut socket).await;
        // A bot sends something every half of the idle time: as long as it does, it is there.
        say(&mut socket, &welcome(100)).await;
        say(&mut socket, &ClientOut::Reconnect { after_ms: 1_500 }).await;
        let mut pings = 0;
        while pings < 3 {
            if let Ok(ClientIn::Ping { .. }) = ClientIn::read(&text(&mut socket).await) {
                pings += 1;
            }
        }
        let mut next = accept(&listener).await;
        let hello = text(&mut next).await;
        let hello = ClientIn::read(&hello).unwrap();
        assert!(matches!(hello, ClientIn::Hello { session: Some(SessionId(9)), .. }), "{hello:?}");
        playing.abort();
    }
}
