//! Plain TCP: connections that are held by a task each, and one pre-framed buffer written to all of them, inline.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream, tcp::OwnedWriteHalf},
    time::{Duration, Instant, interval, sleep},
};
use ws::Frame;

use super::{
    child::{DONE, READY},
    orders::orders,
};

/// Sockets written in one go before other tasks get their turn, as the relay does it.
const PIECE: usize = 64;

/// How long a socket that is full is waited for.
const FULL_PAUSE: Duration = Duration::from_millis(1);

type Sockets = Arc<Mutex<Vec<Arc<OwnedWriteHalf>>>>;

/// Serves until standard input ends.
///
/// # Errors
/// When it cannot listen.
pub async fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{READY} {}", listener.local_addr()?);
    let sockets = Sockets::default();
    let accepting = sockets.clone();
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            let _ = stream.set_nodelay(true);
            tokio::spawn(hold(stream, accepting.clone()));
        }
    });
    let mut orders = orders();
    while let Some(order) = orders.recv().await {
        let numbers: Vec<u64> = order.split(' ').filter_map(|word| word.parse().ok()).collect();
        let written = match numbers[..] {
            [per_s, frames, bytes] => write_to_all(&sockets, per_s, frames, usize::try_from(bytes)?).await,
            _ => anyhow::bail!("not an order: {order}"),
        };
        println!("{DONE} {written}");
    }
    Ok(())
}

/// What an idle connection is at the least. Greeted with a byte, so that the client knows that it was accepted.
async fn hold(stream: TcpStream, sockets: Sockets) {
    let (mut read, write) = stream.into_split();
    if write.writable().await.is_err() || write.try_write(&[GREETING]).is_err() {
        return;
    }
    sockets.lock().push(Arc::new(write));
    let mut byte = [0];
    while matches!(read.read(&mut byte).await, Ok(1..)) {}
}

/// What a connection begins with.
const GREETING: u8 = b'.';

/// A connection that a floor has accepted.
///
/// # Errors
/// When it has not.
pub async fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    anyhow::ensure!(stream.read_u8().await? == GREETING, "not a greeting");
    Ok(stream)
}

/// Writes `frames` frames to every socket, `per_s` a second, or without a pause if that is 0; how many were written.
async fn write_to_all(sockets: &Sockets, per_s: u64, frames: u64, bytes: usize) -> u64 {
    let sockets: Vec<_> = sockets.lock().clone();
    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(per_s.max(1)).unwrap_or(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let mut written = 0;
    for _ in 0..frames {
        if per_s > 0 {
            ticks.tick().await;
        }
        let frame = Bytes::copy_from_slice(stamped(bytes).as_bytes());
        for piece in sockets.chunks(PIECE) {
            for socket in piece {
                written += u64::from(write_one(socket, &frame).await);
            }
            tokio::task::yield_now().await;
        }
    }
    written
}

async fn write_one(socket: &OwnedWriteHalf, frame: &[u8]) -> bool {
    let mut rest = frame;
    let give_up = Instant::now() + Duration::from_secs(5);
    while !rest.is_empty() {
        match socket.try_write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < give_up => {
                sleep(FULL_PAUSE).await;
            }
            Err(_) => return false,
        }
    }
    true
}

/// A text frame of so many bytes that says when it was made.
fn stamped(bytes: usize) -> Frame {
    let mut text = format!(r#"{{"t":"stamp","{STAMP}{}"#, now_us());
    let rest = bytes.saturating_sub(text.len() + 2);
    text.extend(std::iter::repeat_n('.', rest));
    text.push_str(r#""}"#);
    Frame::text(&text)
}

/// Stands before the time in a frame, microseconds since 1970, followed by anything but a digit.
pub const STAMP: &str = "text\":\"";

/// Microseconds since 1970, by the clock that all processes of the machine share.
pub fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// How old a stamped message is, microseconds.
pub fn age_us(text: &str) -> Option<u64> {
    let at = text.find(STAMP)? + STAMP.len();
    let digits = text[at..].split(|c: char| !c.is_ascii_digit()).next()?;
    Some(now_us().saturating_sub(digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamped_frame_has_its_size_and_says_its_age() {
        let frame = stamped(200);
        let payload = &frame.as_bytes()[frame.len() - 200..];
        let text = std::str::from_utf8(payload).unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
        assert!(age_us(text).unwrap() < 60_000_000);
        assert_eq!(age_us("{}"), None);
    }
}
