//! Every close code of `docs/protocol.md` is sent for what the document says, and no other code is.

use std::{collections::BTreeSet, fs, path::Path};

use broker::revocations::Bearer;
use futures_util::SinkExt;
use protocol::testing::mutations::table;
use relay::RelayConfig;
use serde_json::json;
use tokens::{Claims, LEEWAY_S};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_websockets::Message;

use crate::stage::{Client, Stage, signer, soon, user};

fn documented() -> BTreeSet<u16> {
    table("code | meaning | what a client does").iter().map(|row| row[0].parse().unwrap()).collect()
}

/// What comes back for these bytes right behind the handshake: the code of the close frame.
async fn answer_to(stage: &Stage, bytes: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(stage.address).await.unwrap();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: cardhouse.v1\r\n\r\n",
        stage.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    soon("the end", stream.read_to_end(&mut answer)).await.unwrap();
    let head_end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(answer[head_end], 0x88, "the first frame is the close");
    u16::from_be_bytes([answer[head_end + 2], answer[head_end + 3]])
}

/// Does what the code stands for; the code that was sent.
async fn provoke(code: u16) -> u16 {
    let config = RelayConfig::default();
    let said = async |text: &str| {
        let stage = Stage::new().await;
        let mut client = stage.connect().await;
        client.say_text(text.to_owned()).await;
        client.hear_close().await
    };
    match code {
        // A close frame of the client's, masked with zeros.
        1000 => answer_to(&Stage::new().await, b"\x88\x82\0\0\0\0\x03\xe8").await,
        1002 => answer_to(&Stage::new().await, b"\x81\x02{}").await,
        1003 => {
            let stage = Stage::new().await;
            let mut client = stage.connect().await;
            client.socket.send(Message::binary("{}")).await.unwrap();
            client.hear_close().await
        }
        1007 => answer_to(&Stage::new().await, b"\x81\x82\0\0\0\0o\xff").await,
        1009 => said(&" ".repeat(config.message_bytes_max as usize + 1)).await,
        1012 => {
            let stage = Stage::with(RelayConfig { drain_ms: 0, ..config }).await;
            let mut client = stage.client("ann").await;
            stage.shutdown.cancel();
            client.hear_close().await
        }
        1013 => {
            let stage = Stage::with(RelayConfig { connections_max: 1, ..config }).await;
            let _first = stage.client("ann").await;
            stage.connect().await.hear_close().await
        }
        4000 => {
            let stage = Stage::with(RelayConfig { hello_ms: 10, ..config }).await;
            stage.connect().await.hear_close().await
        }
        4001 => said(r#"{"t":"ping","at":1}"#).await,
        4002 => said(r#"{"t":"hello","token":"x"}"#).await,
        4003 => {
            let stage = Stage::new().await;
            // Expired, but within what clocks may differ.
            let made_ms = stage.clock.now_ms() - LEEWAY_S * 1_000;
            let mut client = stage.connect().await;
            let token = signer().sign(&Claims::new(user("ann"), "ann", made_ms, 1_000));
            client.hello(&token, json!({})).await;
            client.hear_close().await
        }
        4004 => said(r#"["hello","x"]"#).await,
        4005 => {
            let stage = Stage::with(RelayConfig { messages_per_s: 1, messages_burst: 1, ..config }).await;
            let mut client = stage.client("ann").await;
            for _ in 0..4 {
                client.say(&json!({"t": "unknown"})).await;
            }
            client.hear_close().await
        }
        4006 => {
            let stage = Stage::with(RelayConfig { idle_ms: 1, ..config }).await;
            stage.client("ann").await.hear_close().await
        }
        4007 => {
            let (messages_per_s, bytes_per_s) = (1_000_000, 100_000_000);
            let config = RelayConfig {
                queue_bytes_max: 100,
                messages_per_s,
                messages_burst: messages_per_s,
                bytes_per_s,
                bytes_burst: bytes_per_s,
                ..config
            };
            let stage = Stage::with(config).await;
            let mut client = stage.slow_client("ann").await;
            // Their answers fill all buffers between, and then the relay's own.
            let mut pings = 0;
            while stage.relay.connections() == 1 && pings < 20_000 {
                client.socket.feed(Message::text(r#"{"t":"ping","at":1}"#)).await.unwrap();
                pings += 1;
            }
            client.socket.flush().await.unwrap();
            client.hear_close().await
        }
        4008 => {
            let stage = Stage::new().await;
            let mut first = stage.client("ann").await;
            let _second = stage.resume("ann", Some(first.session), json!({})).await;
            first.hear_close().await
        }
        4009 => {
            let stage = Stage::new().await;
            let mut client = stage.client("ann").await;
            stage.revoker().revoke(&[Bearer { user: user("ann"), login: None }]).await.unwrap();
            client.hear_close().await
        }
        other => panic!(
            "nothing is known to be answered with {other}: say how it comes about, or leave it out of the document"
        ),
    }
}

#[tokio::test]
async fn every_close_code_of_the_document_is_sent_for_what_it_says() {
    let documented = documented();
    assert!(documented.len() > 10, "{documented:?}");
    for code in documented {
        assert_eq!(provoke(code).await, code);
    }
}

/// The words behind this one in the sources under a folder, tests left out.
fn words_behind(before: &str, folder: &str, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            words_behind(before, path.to_str().unwrap(), into);
            continue;
        }
        let source = fs::read_to_string(path).unwrap();
        let code = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let word =
            |rest: &str| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned();
        into.extend(code.split(before).skip(1).map(word));
    }
}

#[test]
fn every_close_code_that_is_sent_stands_in_the_document() {
    const OURS: &str = include_str!("../../../shared/protocol/src/code.rs");
    const RFC: &str = include_str!("../../../ws/src/close.rs");
    let (_, close_codes) = OURS.split_once("pub enum CloseCode").unwrap();
    let mut ours = BTreeSet::new();
    words_behind("CloseCode::", "src", &mut ours);
    let mut rfc = BTreeSet::new();
    words_behind("CloseCode::", "../ws/src", &mut rfc);
    // The one that is made of a number is made of ours, or is the client's own.
    assert!(ours.remove("new") && rfc.remove("new"));
    let number = |name: &str, defined: &str| {
        let rest = defined.split(&format!(" {name}")).nth(1).unwrap_or_else(|| panic!("{name}"));
        let digits: String =
            rest.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        digits.parse::<u16>().unwrap()
    };
    let sent: BTreeSet<u16> = (ours.iter().map(|name| number(name, close_codes)))
        .chain(rfc.iter().map(|name| number(&format!("{name}: Self"), RFC)))
        // The answer to a client's goodbye.
        .chain([1000])
        .collect();
    assert_eq!(sent, documented());
}

#[tokio::test]
async fn a_clients_close_is_answered_with_its_own_code() {
    let stage = Stage::new().await;
    assert_eq!(answer_to(&stage, b"\x88\x82\0\0\0\0\x0f\xa7").await, 4007);
    let mut client: Client = stage.client("ann").await;
    client.hear_nothing_more().await;
}
