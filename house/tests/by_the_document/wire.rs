//! A WebSocket of the subprotocol.

use std::{
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;
use tungstenite::{Message, WebSocket, client::IntoClientRequest as _};

/// Far longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Wire(WebSocket<TcpStream>);

impl Wire {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", "cardhouse.v1".parse().unwrap());
        Self(tungstenite::client(request, stream).unwrap().0)
    }

    pub(crate) fn say(&mut self, message: &Value) {
        self.say_text(&message.to_string());
    }

    pub(crate) fn say_text(&mut self, text: &str) {
        // Closed by the other end, it says so when it is read.
        let _ = self.0.send(Message::text(text));
    }

    /// The next message, or the close code.
    pub(crate) fn hear(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Ok(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(close)) => return Err(close.map(|close| close.code.into())),
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("nothing comes any more")
                }
                Err(_) => return Err(None),
            }
        }
    }
}
