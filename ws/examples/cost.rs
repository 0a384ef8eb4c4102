//! What the codec costs next to bare TCP: CPU per delivered frame, resident bytes per idle connection.
//!
//! `cargo run --release -p ws --example cost`. Clients live in a child process, so that the figures are the server's alone;
//! bare TCP and the codec take turns, three times each. The server's share of loopback is in both.

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use ws::{Connection, Frame, Handler, Pushed, Socket};

const PAYLOAD_BYTES: usize = 200;
const FANOUT_SOCKETS: usize = 1_000;
const IDLE_SOCKETS: usize = 9_000;
const ROUND: Duration = Duration::from_secs(4);
/// A large fan-out goes in chunks, or it holds the executor for milliseconds.
const CHUNK_SOCKETS: usize = 64;
const QUEUED_BYTES_MAX: usize = 64 * 1024;
/// Of `/proc/self/stat`: `USER_HZ`, the same on every Linux that we run on.
const TICKS_PER_SECOND: f64 = 100.0;

type Task = JoinHandle<()>;

struct Quiet {
    socket: Arc<Socket<OwnedWriteHalf>>,
}

impl Handler for Quiet {
    type Wire = OwnedWriteHalf;

    fn socket(&self) -> &Socket<OwnedWriteHalf> {
        &self.socket
    }

    fn text(&mut self, _: &str) {}

    fn drained(&mut self) {
        self.socket.resume();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["clients", address, count] => {
            clients(address.parse().expect("an address"), count.parse().expect("a number")).await
        }
        // In a process of its own: memory that was used once is not given back to the system.
        ["idle", kind] => idle(kind == "codec").await,
        _ => {
            for round in 1..=3 {
                for codec in [false, true] {
                    let kind = if codec { "codec" } else { "bare TCP" };
                    let per_second = fanout(codec).await?;
                    println!("round {round}: {kind}: {per_second:.0} frames per CPU-second");
                }
            }
            for kind in ["bare", "codec"] {
                Command::new(std::env::current_exe()?).args(["idle", kind]).status()?;
            }
            Ok(())
        }
    }
}

/// Frames of 200 bytes to a thousand sockets, per second of this process's CPU.
async fn fanout(codec: bool) -> std::io::Result<f64> {
    let (streams, mut clients) = connect(FANOUT_SOCKETS).await?;
    let frame = Frame::binary(&[b'x'; PAYLOAD_BYTES]);
    let mut frames = 0u64;
    let cpu_before = cpu_seconds();
    let until = Instant::now() + ROUND;
    if codec {
        let (sockets, tasks) = serve(streams);
        while Instant::now() < until {
            for chunk in sockets.chunks(CHUNK_SOCKETS) {
                for socket in chunk {
                    while socket.push(&frame) == Pushed::Full {
                        tokio::task::yield_now().await;
                    }
                    frames += 1;
                }
                tokio::task::yield_now().await;
            }
        }
        tasks.iter().for_each(JoinHandle::abort);
    } else {
        while Instant::now() < until {
            for chunk in streams.chunks(CHUNK_SOCKETS) {
                for stream in chunk {
                    write_bare(stream, frame.as_bytes()).await?;
                    frames += 1;
                }
                tokio::task::yield_now().await;
            }
        }
    }
    let cpu = cpu_seconds() - cpu_before;
    clients.kill()?;
    clients.wait()?;
    Ok(frames as f64 / cpu)
}

async fn write_bare(stream: &TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Prints the resident bytes per connection that waits in its task.
async fn idle(codec: bool) -> std::io::Result<()> {
    // Whatever is allocated once is not a connection's.
    let (warm_up, mut first_clients) = connect(10).await?;
    let before = resident_bytes();
    let (streams, mut clients) = connect(IDLE_SOCKETS).await?;
    let kept: (Vec<Arc<Socket<OwnedWriteHalf>>>, Vec<Task>) = if codec {
        serve(streams)
    } else {
        (Vec::new(), streams.into_iter().map(|stream| tokio::spawn(wait_bare(stream))).collect())
    };
    // Every task has its first turn, in which it goes to sleep.
    for _ in 0..IDLE_SOCKETS {
        tokio::task::yield_now().await;
    }
    let each = (resident_bytes() - before) / IDLE_SOCKETS as f64;
    println!("idle: {}: {each:.0} resident bytes per connection", if codec { "codec" } else { "bare TCP" });
    drop((kept, warm_up));
    for clients in [&mut clients, &mut first_clients] {
        clients.kill()?;
        clients.wait()?;
    }
    Ok(())
}

async fn wait_bare(stream: TcpStream) {
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut [0; 16 * 1024]) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
}

fn serve(streams: Vec<TcpStream>) -> (Vec<Arc<Socket<OwnedWriteHalf>>>, Vec<Task>) {
    streams
        .into_iter()
        .map(|stream| {
            let (read, write) = stream.into_split();
            let socket = Arc::new(Socket::new(write, QUEUED_BYTES_MAX));
            let connection = Connection::new(read, Quiet { socket: Arc::clone(&socket) }, 64 * 1024);
            (socket, tokio::spawn(async move { _ = connection.await }))
        })
        .unzip()
}

/// Connects a child process's clients.
async fn connect(count: usize) -> std::io::Result<(Vec<TcpStream>, Child)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let child = Command::new(std::env::current_exe()?)
        .args(["clients", &listener.local_addr()?.to_string(), &count.to_string()])
        .stdin(Stdio::piped())
        .spawn()?;
    let mut streams = Vec::with_capacity(count);
    while streams.len() < count {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    Ok((streams, child))
}

/// The child: connects and swallows what comes, until the parent is gone.
async fn clients(server: SocketAddr, count: usize) -> std::io::Result<()> {
    for _ in 0..count {
        tokio::spawn(wait_bare(TcpStream::connect(server).await?));
    }
    // The parent's end of the pipe closes with it, however it ends.
    tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0])).await??;
    Ok(())
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = stat.rsplit_once(") ").expect("a name in parentheses");
    let ticks =
        |nth: usize| -> f64 { fields.split(' ').nth(nth).expect("52 fields").parse().expect("ticks") };
    // Fields 14 and 15 of proc(5), counted from the third.
    (ticks(11) + ticks(12)) / TICKS_PER_SECOND
}

fn resident_bytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("resident set size");
    line.split_whitespace().nth(1).expect("a number").parse::<f64>().expect("KiB") * 1024.0
}
