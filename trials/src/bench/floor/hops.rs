//! Two hops through Redis: a message on a command channel is answered by one on a frame channel, over plain connections and
//! without a client library.

use broker::resp::write_command;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::{child::READY, orders::orders};

/// Each message begins with the number of the hop it belongs to, in so many digits.
pub const NUMBER_DIGITS: usize = 16;

/// The name of a command channel.
pub fn commands(channel: usize) -> String {
    format!("ch:{{t{channel}}}:commands")
}

/// The name of a frame channel.
pub fn frames(channel: usize) -> String {
    format!("ch:{{t{channel}}}:frames")
}

/// A message that begins with `number`, of so many bytes.
pub fn message(number: u64, bytes: usize) -> Vec<u8> {
    let mut message = format!("{number:0NUMBER_DIGITS$}").into_bytes();
    message.resize(bytes.max(NUMBER_DIGITS), b'.');
    message
}

/// The number of a message.
pub fn number(message: &[u8]) -> Option<u64> {
    std::str::from_utf8(message.get(..NUMBER_DIGITS)?).ok()?.parse().ok()
}

/// Serves until standard input ends.
///
/// # Errors
/// When Redis is not there.
pub async fn serve(redis_port: u16, channels: usize, bytes: usize) -> anyhow::Result<()> {
    let mut listener = Listener::subscribe(redis_port, (1..=channels).map(commands)).await?;
    let mut publisher = Publisher::connect(redis_port).await?;
    println!("{READY}");
    let answering = async {
        loop {
            let (channel, command) = listener.next().await?;
            let frames = channel.replace(":commands", ":frames");
            let Some(number) = number(&command) else { continue };
            publisher.publish(&frames, &message(number, bytes)).await?;
        }
        #[expect(unreachable_code, reason = "says what the block's errors are")]
        anyhow::Ok(())
    };
    let mut orders = orders();
    tokio::select! {
        ended = answering => ended,
        _ = orders.recv() => Ok(()),
    }
}

/// Publishes and does not wait for the answers.
pub struct Publisher {
    write: OwnedWriteHalf,
    buffer: Vec<u8>,
}

impl Publisher {
    /// Connects.
    ///
    /// # Errors
    /// When Redis is not there.
    pub async fn connect(redis_port: u16) -> anyhow::Result<Self> {
        let (mut read, write) = connect(redis_port).await?;
        tokio::spawn(async move {
            let mut answers = [0; 4096];
            while matches!(read.read(&mut answers).await, Ok(1..)) {}
        });
        Ok(Self { write, buffer: Vec::new() })
    }

    /// Publishes.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn publish(&mut self, channel: &str, payload: &[u8]) -> anyhow::Result<()> {
        self.buffer.clear();
        write_command(&mut self.buffer, &[b"PUBLISH", channel.as_bytes(), payload]);
        Ok(self.write.write_all(&self.buffer).await?)
    }
}

/// Hears what is published.
pub struct Listener {
    read: BufReader<OwnedReadHalf>,
    /// Open as long as the connection.
    _write: OwnedWriteHalf,
    line: Vec<u8>,
}

impl Listener {
    /// Subscribes; all subscriptions stand when it returns.
    ///
    /// # Errors
    /// When Redis is not there.
    pub async fn subscribe(redis_port: u16, channels: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let (read, mut write) = connect(redis_port).await?;
        let channels: Vec<String> = channels.collect();
        let mut words: Vec<&[u8]> = vec![b"SUBSCRIBE"];
        words.extend(channels.iter().map(String::as_bytes));
        let mut buffer = Vec::new();
        write_command(&mut buffer, &words);
        write.write_all(&buffer).await?;
        let mut listener = Self { read: BufReader::new(read), _write: write, line: Vec::new() };
        for _ in channels {
            listener.words().await?;
        }
        Ok(listener)
    }

    /// The next message and its channel.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn next(&mut self) -> anyhow::Result<(String, Vec<u8>)> {
        let mut words = self.words().await?;
        anyhow::ensure!(words.len() == 3, "not a message");
        let payload = words.remove(2);
        Ok((String::from_utf8(words.remove(1))?, payload))
    }

    /// An array of strings and numbers.
    async fn words(&mut self) -> anyhow::Result<Vec<Vec<u8>>> {
        let count = self.number(b'*').await?;
        let mut words = Vec::with_capacity(count);
        for _ in 0..count {
            self.line().await?;
            if self.line.first() == Some(&b'$') {
                let length = parse(&self.line)?;
                let mut word = vec![0; length + 2];
                self.read.read_exact(&mut word).await?;
                word.truncate(length);
                words.push(word);
            } else {
                words.push(self.line[1..].to_vec());
            }
        }
        Ok(words)
    }

    async fn number(&mut self, kind: u8) -> anyhow::Result<usize> {
        self.line().await?;
        anyhow::ensure!(self.line.first() == Some(&kind), "not what Redis says to a subscriber");
        parse(&self.line)
    }

    async fn line(&mut self) -> anyhow::Result<()> {
        self.line.clear();
        anyhow::ensure!(self.read.read_until(b'\n', &mut self.line).await? > 0, "Redis is gone");
        Ok(())
    }
}

fn parse(line: &[u8]) -> anyhow::Result<usize> {
    Ok(std::str::from_utf8(&line[1..])?.trim_end().parse()?)
}

async fn connect(redis_port: u16) -> anyhow::Result<(OwnedReadHalf, OwnedWriteHalf)> {
    let stream = TcpStream::connect(("127.0.0.1", redis_port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream.into_split())
}
