//! HTTP as bytes on a socket: what no client would send can be sent.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Whoever is not answered by then is not answered.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// With JSON.
    pub(crate) fn with(method: &'static str, path: &str, body: &Value) -> Self {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        Self { method, path: path.into(), headers: vec![("content-type", "application/json".into())], body }
    }

    pub(crate) fn by(mut self, token: &str) -> Self {
        self.headers.push(("authorization", format!("Bearer {token}")));
        self
    }
}

/// The way of somebody to reception, by a proxy that tells the address.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    to: SocketAddr,
    from: [u8; 4],
}

impl Line {
    pub(crate) fn to(to: SocketAddr, from: [u8; 4]) -> Self {
        Self { to, from }
    }

    /// Status and body; nothing when the connection was closed without a word.
    pub(crate) async fn ask(&self, asked: &Asked) -> Option<(u16, Value)> {
        let Asked { method, path, headers, body } = asked;
        let [a, b, c, d] = self.from;
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nx-forwarded-for: {a}.{b}.{c}.{d}\r\n\
             content-length: {}\r\n",
            self.to,
            body.len()
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        let asking = async {
            let (mut reading, mut writing) = TcpStream::connect(self.to).await.ok()?.into_split();
            let sending = async {
                // Reception may have answered, and not read all of it.
                let _ = writing.write_all(head.as_bytes()).await;
                let _ = writing.write_all(body).await;
            };
            let mut answer = Vec::new();
            let hearing = async { while reading.read_buf(&mut answer).await.is_ok_and(|count| count > 0) {} };
            tokio::join!(sending, hearing);
            let answer = String::from_utf8_lossy(&answer).into_owned();
            let (head, body) = answer.split_once("\r\n\r\n")?;
            let status = head.split(' ').nth(1)?.parse().ok()?;
            Some((status, serde_json::from_str(body).unwrap_or_default()))
        };
        timeout(ANSWER_WITHIN, asking).await.ok().flatten()
    }
}
