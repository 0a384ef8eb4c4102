//! What stands in front of the relays: passes TCP connections on to one of them, as a load balancer does that has
//! lost the others.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_util::task::AbortOnDropHandle;

/// Dropping it ends all connections.
pub(crate) struct Forwarder {
    address: SocketAddr,
    target: watch::Sender<SocketAddr>,
    held: watch::Sender<bool>,
    _task: AbortOnDropHandle<()>,
}

impl Forwarder {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (target, current) = watch::channel(target);
        let (held, holds) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let server = *current.borrow();
                let holds = holds.clone();
                connections.spawn(async move {
                    // A server that is gone is a closed connection to the client.
                    if let Ok(mut server) = TcpStream::connect(server).await {
                        let ((from_client, to_client), (from_server, to_server)) =
                            (client.split(), server.split());
                        tokio::select! {
                            () = copy(from_client, to_server, holds.clone()) => {}
                            () = copy(from_server, to_client, holds) => {}
                        }
                    }
                });
            }
        });
        Self { address, target, held, _task: AbortOnDropHandle::new(task) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections go there; those that stand stay.
    pub(crate) fn turn_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }

    /// Nothing passes any more, in either direction, and nobody is told: a cable that is pulled. `false` plugs it in again.
    pub(crate) fn hold(&self, on: bool) {
        self.held.send_replace(on);
    }
}

/// Until one of the two ends.
async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut holds: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if holds.wait_for(|held| !held).await.is_err() || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
