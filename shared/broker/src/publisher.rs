//! Publications without answers, on a connection of their own.
//!
//! Redis answers every `PUBLISH` with how many have heard it, and wakes the process that sent it to read that. Where actions come one
//! by one these answers are a good part of what one costs, and nothing depends on them: a publication that must arrive is
//! numbered or repeated, and a node that does not hear its own heartbeat knows it. `CLIENT REPLY OFF` ends them. The client
//! library matches every command with an answer, so this connection is ours: it goes to the server that the library's connection
//! is with, and again when that has changed; it says who it is, publishes once with an answer, so that a missing permission is
//! an error, and from then on only writes. What is published while others run is written in one go.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use fred::{
    interfaces::ClientLike,
    prelude::{Client, EventInterface},
    types::config::Server,
};
use metrics::counter;
use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, broadcast, watch},
    time::{Duration, MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, warn};

use crate::{bus::BusError, resp::write_command};

/// Before another connection is tried.
const AGAIN: Duration = Duration::from_millis(100);

/// How often it is looked whether the library is with another server.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What may wait to be written, bytes. More publications are refused.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Where the publication goes that shows whether we may publish: a channel that nobody subscribes to.
const NOBODY: &str = "ch:{nobody}:hello";

/// See the module. Dropping it closes the connection.
pub(crate) struct Publisher {
    waiting: Arc<Waiting>,
    state: watch::Receiver<State>,
    _writing: AbortOnDropHandle<()>,
}

/// Whether there is a connection; if not, why.
type State = Result<(), String>;

#[derive(Default)]
struct Waiting {
    queue: Mutex<Queue>,
    some: Notify,
    written: Notify,
    losses: AtomicU64,
}

#[derive(Default)]
struct Queue {
    connected: bool,
    commands: Vec<u8>,
    /// Something that was taken out of here is on its way to the socket.
    writing: bool,
}

/// Who we are to the server.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
}

impl Publisher {
    /// Follows `client` from server to server. Connecting, and each write, takes at most `patience`.
    pub(crate) fn start(client: Client, credentials: Credentials, patience: Duration) -> Self {
        let waiting = Arc::<Waiting>::default();
        let (tell, state) = watch::channel(Err("not tried yet".into()));
        let writing = run(client, credentials, patience, waiting.clone(), tell);
        Self { waiting, state, _writing: AbortOnDropHandle::new(tokio::spawn(writing)) }
    }

    /// Waits until the connection is up; answers why it is not.
    pub(crate) async fn connected(&self, within: Duration) -> Result<(), String> {
        let mut state = self.state.clone();
        let up = timeout(within, state.wait_for(Result::is_ok)).await.is_ok();
        if up { Ok(()) } else { state.borrow().clone() }
    }

    /// Publishes, as soon as others have run. Publications keep their order.
    pub(crate) fn publish(&self, channel: &str, payload: &[u8]) -> Result<(), BusError> {
        let mut queue = self.waiting.queue.lock();
        if !queue.connected {
            return Err(BusError::Unavailable("no connection to Redis".into()));
        }
        if queue.commands.len() + payload.len() > WAITING_BYTES_MAX {
            counter!("cardhouse_bus_full_total").increment(1);
            return Err(BusError::Full);
        }
        if queue.commands.is_empty() {
            self.waiting.some.notify_one();
        }
        write_command(&mut queue.commands, &[b"PUBLISH", channel.as_bytes(), payload]);
        Ok(())
    }

    /// Waits until everything is written, or lost with the connection.
    pub(crate) async fn flush(&self) {
        loop {
            let written = self.waiting.written.notified();
            tokio::pin!(written);
            written.as_mut().enable();
            {
                let queue = self.waiting.queue.lock();
                if !queue.writing && queue.commands.is_empty() {
                    return;
                }
            }
            written.await;
        }
    }

    /// How often a connection has ended. What was published shortly before may be lost with each.
    pub(crate) fn losses(&self) -> u64 {
        self.waiting.losses.load(Relaxed)
    }
}

impl Waiting {
    fn set_connected(&self, connected: bool) {
        *self.queue.lock() = Queue { connected, ..Queue::default() };
        self.written.notify_waiters();
    }
}

async fn run(
    client: Client,
    credentials: Credentials,
    patience: Duration,
    waiting: Arc<Waiting>,
    tell: watch::Sender<State>,
) {
    let mut moves = client.reconnect_rx();
    let mut told = String::new();
    loop {
        if let Some(server) = client.active_connections().into_iter().next() {
            let why_not = match timeout(patience, open(&server, &credentials)).await {
                Ok(Ok(stream)) => {
                    notice_silence(&stream, patience * 2);
                    waiting.set_connected(true);
                    let _ = tell.send_replace(Ok(()));
                    let why = tokio::select! {
                        why = write(stream, &waiting, patience) => why,
                        why = moved(&client, &server, &mut moves) => why,
                    };
                    waiting.set_connected(false);
                    waiting.losses.fetch_add(1, Relaxed);
                    counter!("cardhouse_publishers_lost_total").increment(1);
                    warn!(%server, why, "the connection for publications has ended");
                    why.to_owned()
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it does not answer in time".into(),
            };
            if told == why_not {
                debug!(%server, why_not, "no connection for publications");
            } else {
                // Once: it is tried several times a second.
                warn!(%server, why_not, "no connection for publications");
                told.clone_from(&why_not);
            }
            let _ = tell.send_replace(Err(why_not));
        }
        sleep(AGAIN).await;
    }
}

/// Connects, and ends all answers.
async fn open(server: &Server, credentials: &Credentials) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect((&*server.host, server.port)).await?;
    stream.set_nodelay(true)?;
    let Credentials { username, password } = credentials;
    if let Some(password) = password {
        let parts = ["AUTH"].into_iter().chain(username.as_deref()).chain([password.as_str()]);
        let parts: Vec<&[u8]> = parts.map(str::as_bytes).collect();
        ask(&mut stream, &parts).await?;
    }
    ask(&mut stream, &[b"PUBLISH", NOBODY.as_bytes(), b""]).await?;
    // Answered, which `OFF` is only where it is forbidden.
    ask(&mut stream, &[b"CLIENT", b"REPLY", b"ON"]).await?;
    let mut off = Vec::new();
    write_command(&mut off, &[b"CLIENT", b"REPLY", b"OFF"]);
    stream.write_all(&off).await?;
    Ok(stream)
}

/// Ends the connection when nothing that was written has arrived for so long. Where nothing is answered only the system sees that, and left to
/// itself it takes a quarter of an hour to say so: a way that vanishes without a word, as when a machine gets another address.
fn notice_silence(stream: &TcpStream, after: Duration) {
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(after)) {
        warn!(%error, "a silent connection for publications will be noticed late");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, after);
}

/// Asks something that is answered in one line.
async fn ask(stream: &mut TcpStream, parts: &[&[u8]]) -> io::Result<()> {
    let mut command = Vec::new();
    write_command(&mut command, parts);
    stream.write_all(&command).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n") {
        answer.push(stream.read_u8().await?);
    }
    if answer.starts_with(b"-") {
        return Err(io::Error::other(String::from_utf8_lossy(&answer).trim().to_owned()));
    }
    Ok(())
}

/// Writes what waits, until the connection ends.
async fn write(mut stream: TcpStream, waiting: &Waiting, patience: Duration) -> &'static str {
    let (mut read, mut write) = stream.split();
    let mut writing = Vec::new();
    let mut ended = [0];
    loop {
        tokio::select! { biased;
            () = waiting.some.notified() => {}
            _ = read.read(&mut ended) => return "closed by the server",
        }
        {
            let mut queue = waiting.queue.lock();
            std::mem::swap(&mut queue.commands, &mut writing);
            queue.writing = true;
        }
        match timeout(patience, write.write_all(&writing)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return "broken",
            Err(_) => return "nothing is taken any more",
        }
        writing.clear();
        waiting.queue.lock().writing = false;
        waiting.written.notify_waiters();
    }
}

/// Ends when the client is with another server: looks after each of its reconnects, and now and then.
async fn moved(client: &Client, server: &Server, moves: &mut broadcast::Receiver<Server>) -> &'static str {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = moves.recv() => {}
            _ = looks.tick() => {}
        }
        if !client.active_connections().contains(server) {
            return "the client is with another server";
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_connection_whose_other_end_has_vanished_is_given_up_by_the_system() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        notice_silence(&stream, Duration::from_secs(4));
        let socket = socket2::SockRef::from(&stream);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(4)));
    }
}
