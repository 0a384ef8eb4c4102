//! A client's connection up to the relay's welcome; the sockets are another implementation than the relay's own.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use player::connect::{Dialer, Socket};
use tokio_websockets::Message;

use super::told::Told;

/// A connection that the relay has welcomed.
pub struct Entered {
    /// Where messages come and go.
    pub socket: Socket,
    /// The session's name, for coming back.
    pub session: String,
}

/// Where a client left off: its session, and the last frame of each room.
#[derive(Debug, Clone, Default)]
pub struct LeftOff {
    /// Of the first welcome.
    pub session: String,
    /// `[epoch, seq]` by room.
    pub rooms: BTreeMap<String, (u64, u64)>,
}

/// The text of a `hello`.
pub fn hello(token: &str, left_off: Option<&LeftOff>) -> String {
    let mut text = format!(r#"{{"t":"hello","token":"{token}""#);
    if let Some(LeftOff { session, rooms }) = left_off {
        let rooms: Vec<String> =
            rooms.iter().map(|(room, (epoch, seq))| format!(r#""{room}":[{epoch},{seq}]"#)).collect();
        let _ = write!(text, r#","session":"{session}","resume":{{{}}}"#, rooms.join(","));
    }
    text.push('}');
    text
}

/// Connects and says `hello`.
///
/// # Errors
/// When the connection or the token is refused.
pub async fn enter(dialer: &Dialer, hello: String) -> anyhow::Result<Entered> {
    let mut socket = dialer.dial(None).await?;
    socket.send(Message::text(hello)).await?;
    loop {
        let message = socket.next().await.context("the relay ended the connection")??;
        if let Some((code, reason)) = message.as_close() {
            anyhow::bail!("closed with {}: {reason}", u16::from(code));
        }
        if let Some(Told::Welcome { session }) = message.as_text().map(Told::read) {
            return Ok(Entered { session: session.to_owned(), socket });
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{
        ClientIn,
        id::{Position, RoomId, SessionId},
    };

    use super::*;

    #[test]
    fn a_hello_is_one_of_the_protocol() {
        let text = hello("x", None);
        let Ok(ClientIn::Hello { token, session: None, resume }) = ClientIn::read(&text) else { panic!() };
        assert!(token == "x" && resume.is_empty());
        let rooms = BTreeMap::from([("t1".to_owned(), (3, 41)), ("t2".to_owned(), (1, 1))]);
        let left_off = LeftOff { session: SessionId(7).to_string(), rooms };
        let text = hello("x", Some(&left_off));
        let Ok(ClientIn::Hello { session, resume, .. }) = ClientIn::read(&text) else { panic!() };
        assert_eq!(session, Some(SessionId(7)));
        assert_eq!(resume[&RoomId::new("t1").unwrap()], Position::new(3, 41));
        assert_eq!(resume.len(), 2);
    }
}
