//! A command to a Redis server and its answer, over a connection of its own: for setting servers up, not for playing.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Longer than any answer takes to a server that lives.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer, as far as tests tell answers apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A simple or bulk string, or nothing at all.
    Text(String),
    /// An error's text.
    Error(String),
    /// A number.
    Number(i64),
    /// Several answers.
    List(Vec<Answer>),
}

impl Answer {
    /// The text, whatever the answer is.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) | Self::Error(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::List(answers) => answers.iter().map(Self::text).collect::<Vec<_>>().join(" "),
        }
    }
}

/// Asks the server on a loopback port.
///
/// # Errors
/// When the server cannot be reached or does not answer in 5 seconds.
pub fn ask(port: u16, command: &[&str]) -> io::Result<Answer> {
    let stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let words = command.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    let command = format!("*{}\r\n{}", command.len(), words.collect::<String>());
    (&stream).write_all(command.as_bytes())?;
    read(&mut BufReader::new(&stream))
}

fn read(from: &mut impl BufRead) -> io::Result<Answer> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "not an answer of Redis");
    let kind = line.chars().next().ok_or_else(malformed)?;
    let rest = line[1..].trim_end();
    let count = || rest.parse::<i64>().map_err(|_| malformed());
    match kind {
        '+' => Ok(Answer::Text(rest.into())),
        '-' => Ok(Answer::Error(rest.into())),
        ':' => Ok(Answer::Number(count()?)),
        '$' => {
            let Ok(length) = usize::try_from(count()?) else { return Ok(Answer::Text(String::new())) };
            let mut bytes = vec![0; length + 2];
            from.read_exact(&mut bytes)?;
            bytes.truncate(length);
            Ok(Answer::Text(String::from_utf8_lossy(&bytes).into_owned()))
        }
        '*' => (0..count()?).map(|_| read(from)).collect::<io::Result<_>>().map(Answer::List),
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;
    use crate::redis_server::{Persistence, RedisServer};

    #[tokio::test]
    async fn a_server_answers_whatever_it_is_asked() {
        let server = RedisServer::start(Persistence::None).await.unwrap();
        let ask = |words: &[&str]| server.ask(words).unwrap();
        assert_eq!(ask(&["SET", "name", "An n\u{e9}"]), Answer::Text("OK".into()));
        assert_eq!(ask(&["GET", "name"]), Answer::Text("An n\u{e9}".into()));
        assert_eq!(ask(&["APPEND", "name", ""]), Answer::Number(6));
        assert_eq!(ask(&["MGET", "name", "none"]).text(), "An n\u{e9} ");
        let refused = server.ask(&["INCR", "name"]).unwrap_err();
        assert!(refused.to_string().contains("not an integer"), "{refused}");
    }
}
