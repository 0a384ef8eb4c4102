//! AI players, as a host of a table of his own meets them.

use protocol::{floor::room_of, hosted::HostedView};
use serde_json::{Value, json, value::to_raw_value};

use super::*;

/// A host whose table is open, and who sits there.
struct Host {
    guest: Guest,
    hosted: Option<HostedView>,
}

impl Host {
    async fn enter(house: &Running) -> Self {
        let mut guest = Guest::enter(house.address, "Ann").await;
        let floor = room_of(guest.client.user().unwrap());
        guest.client.watch(&floor, Instant::now());
        let config = json!({
            "name": "Friday", "seats": 4, "small_blind": 1, "big_blind": 2, "buy_in_min": 80, "buy_in_max": 400, "turn_ms": 15_000,
        });
        asks(&mut guest, &floor, &json!({"a": "create_table", "config": config, "access": "code"}));
        let opened = async {
            loop {
                let text = guest.text().await;
                guest.client.receive(&text, Instant::now());
                let told: Value = serde_json::from_str(&text).unwrap();
                let table = &told["private"]["tables"][0];
                if table["is_open"] == true {
                    return RoomId::new(table["room"].as_str().unwrap()).unwrap();
                }
            }
        };
        guest.room = timeout(SOON, opened).await.expect("the table is opened");
        guest.applied(&TableCommand::Sit { seat: None, buy_in: 100, wait_for_big_blind: false }).await;
        Self { guest, hosted: None }
    }

    fn asks(&mut self, what: &Value) {
        let room = self.guest.room.clone();
        asks(&mut self.guest, &room, what);
    }

    /// Plays on until what everybody sees of the host's doing is like that.
    async fn until(&mut self, what: &str, is_it: impl Fn(&Guest, &HostedView) -> bool) {
        let mut answered = (0, 0);
        let looking = async {
            loop {
                self.guest.act(Style::Tight, &mut answered);
                if let Heard::Frame { events, .. } = self.guest.hear().await {
                    let told = events.into_iter().rev().find_map(|event| match event {
                        TableEvent::Hosted { hosted } => Some(*hosted),
                        _ => None,
                    });
                    self.hosted = told.or(self.hosted.take());
                }
                if self.hosted.as_ref().is_some_and(|hosted| is_it(&self.guest, hosted)) {
                    return;
                }
            }
        };
        timeout(SOON, looking).await.unwrap_or_else(|_| panic!("waited for {what}"));
    }
}

fn asks(guest: &mut Guest, room: &RoomId, what: &Value) {
    guest.client.raw_command(room, to_raw_value(what).unwrap(), Instant::now());
}

fn sits(guest: &Guest, user: &protocol::id::UserId) -> bool {
    guest.client.table(&guest.room).is_some_and(|view| view.seat_of(user).is_some())
}

#[tokio::test]
async fn ai_players_come_when_their_host_asks_for_them_play_and_go_when_he_says_so() {
    let mut config = quick();
    config.bots.bots = 0;
    let house = start(config).await;
    let mut ann = Host::enter(&house).await;
    ann.asks(&json!({"a": "invite_ai", "count": 3, "level": "easy"}));
    ann.until("three AI players", |guest, hosted| {
        hosted.ai.len() == 3 && hosted.ai.iter().all(|player| player.here && sits(guest, &player.user))
    })
    .await;
    let view = ann.guest.client.table(&ann.guest.room).unwrap();
    let others = view.seats.iter().flatten().filter(|seat| Some(&seat.user) != ann.guest.client.user());
    assert!(others.clone().all(|seat| seat.user.is_bot() && seat.name.ends_with(" easy")));
    assert_eq!(others.count(), 3);
    let hand = |guest: &Guest| {
        guest.client.table(&guest.room).and_then(|view| Some(view.hand.as_ref()?.hand)).unwrap_or(0)
    };
    ann.until("hands", |guest, _| hand(guest) > 3).await;
    ann.asks(&json!({"a": "remove_ai"}));
    ann.until("nobody else", |_, hosted| hosted.ai.is_empty()).await;
    let breaches = ann.guest.client.breaches();
    assert_eq!(breaches.total(), 0, "{breaches:?}");
}

#[tokio::test]
async fn a_house_without_ai_players_has_none_come() {
    let mut config = quick();
    (config.bots.bots, config.bots.ai_players) = (0, 0);
    let house = start(config).await;
    let mut ann = Host::enter(&house).await;
    ann.asks(&json!({"a": "invite_ai", "count": 1, "level": "hard"}));
    ann.until("one who is asked for", |_, hosted| !hosted.ai.is_empty()).await;
    ann.until("nobody", |_, hosted| hosted.ai.is_empty() && hosted.kept.is_empty()).await;
}
