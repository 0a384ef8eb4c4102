//! The way between one node and Redis: passes bytes on, and can be cut, held, silenced and slowed down.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{Duration, sleep},
};
use tokio_util::task::AbortOnDropHandle;

/// Bytes read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// How a link behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it should.
    Open,
    /// Connections end, new ones at once.
    Cut,
    /// Nothing comes through; later everything does.
    Held,
    /// Nothing comes from Redis on connections that subscribe. They end when that is over, as what was held cannot be
    /// told from what was lost.
    Silent,
    /// Everything takes so much longer, both ways.
    Slow(Duration),
}

/// See the module. Dropping it ends all connections.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    state: watch::Sender<State>,
    _task: AbortOnDropHandle<()>,
}

impl Link {
    /// A link to a server of this machine, at its address.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn to(server: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((server.ip(), 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (state, current) = watch::channel(State::Open);
        let task = tokio::spawn(accept(TcpListener::from_std(listener)?, server, current));
        Ok(Self { address, state, _task: AbortOnDropHandle::new(task) })
    }

    /// Where the node connects to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it behaves like this.
    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, state: watch::Receiver<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((node, _)) = accepted else { continue };
                connections.spawn(connection(node, server, state.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Dropping both sockets with bytes unread resets the connection, as a cut should.
async fn connection(node: TcpStream, server: SocketAddr, mut state: watch::Receiver<State>) {
    if *state.borrow() == State::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (node.set_nodelay(true), server.set_nodelay(true));
    let subscribes = Arc::new(AtomicBool::new(false));
    let (from_node, to_node) = node.into_split();
    let (from_server, to_server) = server.into_split();
    let up = Lane { state: state.clone(), subscribes: subscribes.clone(), is_up: true };
    let down = Lane { state: state.clone(), subscribes: subscribes.clone(), is_up: false };
    let silenced = async {
        if state.wait_for(|state| *state == State::Cut).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = silenced => {}
        () = up.run(from_node, to_server) => {}
        () = down.run(from_server, to_node) => {}
    }
}

/// One direction of a connection.
struct Lane {
    state: watch::Receiver<State>,
    subscribes: Arc<AtomicBool>,
    /// From the node to Redis.
    is_up: bool,
}

impl Lane {
    /// Until one side closes, or a silence is over.
    async fn run(mut self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let bytes = match from.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(count) => &chunk[..count],
            };
            if self.is_up && bytes.windows(9).any(|word| word.eq_ignore_ascii_case(b"SUBSCRIBE")) {
                self.subscribes.store(true, Relaxed);
            }
            let is_silenced = !self.is_up && self.subscribes.load(Relaxed);
            let state = *self.state.borrow();
            match state {
                State::Silent if is_silenced => {
                    let _ = self.state.wait_for(|state| *state != State::Silent).await;
                    return;
                }
                State::Held if self.state.wait_for(|state| *state != State::Held).await.is_err() => return,
                State::Slow(more) => sleep(more).await,
                State::Open | State::Held | State::Cut | State::Silent => {}
            }
            if to.write_all(bytes).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    async fn echo() -> (SocketAddr, AbortOnDropHandle<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                });
            }
        });
        (address, AbortOnDropHandle::new(task))
    }

    async fn asked(stream: &mut TcpStream, text: &[u8]) -> io::Result<Vec<u8>> {
        stream.write_all(text).await?;
        let mut answer = vec![0; text.len()];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn what_was_held_comes_late_but_comes() {
        let (server, _task) = echo().await;
        let link = Link::to(server).unwrap();
        let mut stream = TcpStream::connect(link.address()).await.unwrap();
        assert_eq!(asked(&mut stream, b"one").await.unwrap(), b"one");
        link.set(State::Held);
        stream.write_all(b"two").await.unwrap();
        let mut answer = [0; 3];
        let early = tokio::time::timeout(Duration::from_millis(50), stream.read_exact(&mut answer)).await;
        assert!(early.is_err(), "nothing comes through");
        link.set(State::Open);
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"two");
    }

    #[tokio::test]
    async fn a_cut_ends_connections_and_new_ones() {
        let (server, _task) = echo().await;
        let link = Link::to(server).unwrap();
        let mut stream = TcpStream::connect(link.address()).await.unwrap();
        assert_eq!(asked(&mut stream, b"one").await.unwrap(), b"one");
        link.set(State::Cut);
        assert!(asked(&mut stream, b"two").await.is_err());
        let mut again = TcpStream::connect(link.address()).await.unwrap();
        assert!(asked(&mut again, b"two").await.is_err());
        link.set(State::Open);
        let mut healed = TcpStream::connect(link.address()).await.unwrap();
        assert_eq!(asked(&mut healed, b"two").await.unwrap(), b"two");
    }

    #[tokio::test]
    async fn silence_is_for_those_who_subscribe_alone() {
        let (server, _task) = echo().await;
        let link = Link::to(server).unwrap();
        let mut listens = TcpStream::connect(link.address()).await.unwrap();
        let mut asks = TcpStream::connect(link.address()).await.unwrap();
        asked(&mut listens, b"SUBSCRIBE x").await.unwrap();
        link.set(State::Silent);
        assert_eq!(asked(&mut asks, b"PING").await.unwrap(), b"PING");
        listens.write_all(b"PING").await.unwrap();
        let mut answer = [0; 4];
        let early = tokio::time::timeout(Duration::from_millis(50), listens.read_exact(&mut answer)).await;
        assert!(early.is_err(), "connected and silent");
        link.set(State::Open);
        assert!(listens.read_exact(&mut answer).await.is_err(), "what was silent ends");
    }
}
