//! A guest who looks for a tournament in the lobby, and asks what has come of it.

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use player::{
    Client, Heard,
    connect::{Dialer, Socket},
    guest::{Reception, Tokens as _},
};
use protocol::{
    RefusalCode,
    id::RoomId,
    lobby::{self, COUNT_MAX, Row},
    tournament::{LOBBY_SCHEDULED, LOBBY_SIT_AND_GO, TournamentAnswer, TournamentQuestion},
};
use serde_json::Value;
use tokio::time::{Duration, Instant};
use tokio_websockets::Message;

/// Whatever is asked is answered within this, or asked again.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// Whoever has asked so often is not answered.
const QUESTIONS_MAX: usize = 20_000;

/// See the module.
pub(super) struct Scout {
    client: Client,
    socket: Socket,
    asked: usize,
}

/// What was found.
pub(super) struct Found {
    pub(super) room: RoomId,
    /// What an entry costs, and of which currency, where it is chips that are somebody's.
    pub(super) price: Option<(String, u64)>,
}

impl Found {
    fn of(row: &Row) -> Self {
        let number = |field: &str| row.more.get(field).and_then(Value::as_u64).unwrap_or_default();
        let currency = row.more.get("currency").and_then(Value::as_str);
        let price = currency.map(|currency| (currency.to_owned(), number("buy_in") + number("fee")));
        Self { room: row.room.clone(), price }
    }
}

impl Scout {
    /// Comes as a guest.
    ///
    /// # Errors
    /// When reception or relay does not let him in.
    pub(super) async fn sent(dialer: &Dialer, reception: &Reception) -> anyhow::Result<Self> {
        let guest = reception.guest("Scout").await.context("no guest token")?;
        let client = Client::new(guest.token, Instant::now());
        let mut scout = Self { client, socket: dialer.dial(None).await?, asked: 0 };
        scout.client.connected(Instant::now());
        Ok(scout)
    }

    /// What is heard next, if something is in time.
    async fn hears(&mut self, by: Instant) -> anyhow::Result<Option<Heard>> {
        while let Some(text) = self.client.pop_outgoing() {
            self.socket.send(Message::text(text)).await?;
        }
        let Ok(message) = tokio::time::timeout_at(by, self.socket.next()).await else { return Ok(None) };
        let message = message.context("the relay closed")??;
        Ok(message.as_text().map(|text| self.client.receive(text, Instant::now())))
    }

    /// A tournament that takes so many.
    ///
    /// # Errors
    /// When the lobby names none.
    pub(super) async fn finds(mut self, entries: usize) -> anyhow::Result<Found> {
        for kind in [LOBBY_SCHEDULED, LOBBY_SIT_AND_GO] {
            let view = lobby::View { kind: Some(kind.into()), count: COUNT_MAX, ..lobby::View::default() };
            self.client.lobby(Some(view), Instant::now());
            let by = Instant::now() + ANSWERED_WITHIN;
            while Instant::now() < by {
                self.hears(by).await?;
                let takes = self.client.lobby_rows().find(|row| {
                    row.more.get("open") == Some(&true.into())
                        && usize::try_from(row.free()).is_ok_and(|free| free >= entries)
                });
                if let Some(row) = takes {
                    return Ok(Found::of(row));
                }
            }
        }
        anyhow::bail!("the lobby names no tournament that takes {entries} entries: offer one with --schedule")
    }

    /// What a tournament answers.
    ///
    /// # Errors
    /// When the relay is gone, or the tournament does not answer.
    pub(super) async fn asks(
        &mut self,
        room: &RoomId,
        question: &TournamentQuestion,
    ) -> anyhow::Result<TournamentAnswer> {
        loop {
            self.asked += 1;
            anyhow::ensure!(self.asked < QUESTIONS_MAX, "{room} does not answer");
            let raw = serde_json::value::to_raw_value(question)?;
            let number = self.client.question(room, raw, Instant::now());
            let by = Instant::now() + ANSWERED_WITHIN;
            while Instant::now() < by {
                match self.hears(by).await? {
                    Some(Heard::Answer { n, body, .. }) if n == number => {
                        return Ok(serde_json::from_str(body.get())?);
                    }
                    Some(Heard::Unanswered { why, .. }) if why.code == Some(RefusalCode::NoSuchRoom) => {
                        anyhow::bail!(
                            "{room} is gone before it could be asked: it needs a longer `linger_ms`"
                        );
                    }
                    Some(Heard::Unanswered { why, .. }) => {
                        let pause = why.retry_after_ms.unwrap_or(250);
                        tokio::time::sleep(Duration::from_millis(pause)).await;
                        break;
                    }
                    _ => {}
                }
            }
        }
    }
}
