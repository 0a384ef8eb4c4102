//! AI players in a cluster: a reception plays for them, and another one after it.

use std::time::Duration;

use loadtest::cluster::{Cluster, ClusterArgs, Node};
use player::{
    Heard,
    connect::{Dialer, play},
    guest::Reception,
    visitor::{Own, Visitor},
};
use protocol::{
    ClientOut,
    floor::{FloorPrivate, room_of},
    id::{RoomId, UserId},
    table::{ActKind, TableCommand, TableView},
};
use serde_json::{Value, json, value::RawValue};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

/// Nothing takes longer, however slow the machine.
const SOON: Duration = Duration::from_secs(60);

/// A player who opens a table, sits there, invites two AI players, and folds whatever comes.
struct Host {
    own: Own,
    room: Option<RoomId>,
    has_opened: bool,
    has_invited: bool,
}

/// What is seen at its table: who of the AI players sits there and is there, and which hand is dealt.
#[derive(Debug, Clone, Default, PartialEq)]
struct Seen {
    there: Vec<UserId>,
    hand: u64,
    breaches: u64,
}

impl Host {
    fn table(&self) -> Option<&TableView> {
        self.own.client.table(self.room.as_ref()?)
    }

    fn seen(&self) -> Seen {
        let breaches = self.own.client.breaches().total();
        let Some(view) = self.table() else { return Seen { breaches, ..Seen::default() } };
        let bots = view.seats.iter().flatten().filter(|seat| seat.user.is_bot() && !seat.away);
        let there = bots.map(|seat| seat.user.clone()).collect();
        Seen { there, hand: view.hand.as_ref().map_or(0, |hand| hand.hand), breaches }
    }

    fn asks(&mut self, room: &RoomId, what: &Value, now: Instant) {
        let raw = RawValue::from_string(what.to_string()).unwrap();
        self.own.client.raw_command(room, raw, now);
    }

    /// Folds, or checks, where it is asked.
    fn answer(&self) -> Option<TableCommand> {
        let view = self.table()?;
        let hand = view.hand.as_ref()?;
        let turn = hand.turn.as_ref()?;
        let mine = view.seat_of(self.own.client.user()?) == Some(turn.seat);
        let kind = if turn.call.is_some() { ActKind::Fold } else { ActKind::Check };
        mine.then_some(TableCommand::Act { hand: hand.hand, turn: turn.turn, kind, to: None })
    }
}

impl Visitor for Host {
    fn own(&self) -> &Own {
        &self.own
    }

    fn own_mut(&mut self) -> &mut Own {
        &mut self.own
    }

    fn hear(&mut self, text: &str, now: Instant) -> Heard {
        if let Ok(ClientOut::Private { room, private, .. }) = serde_json::from_str(text)
            && room.as_str().starts_with("floor-")
        {
            let told: FloorPrivate = serde_json::from_str(private.get()).unwrap_or_default();
            self.room = told.tables.into_iter().find(|table| table.is_open).map(|table| table.room);
        }
        self.own.client.receive(text, now)
    }

    fn act(&mut self, now: Instant) {
        self.own.rests_until = now + Duration::from_millis(50);
        let me = self.own.client.user().unwrap().clone();
        let floor = room_of(&me);
        let Some(room) = self.room.clone() else {
            self.own.client.watch(&floor, now);
            if !std::mem::replace(&mut self.has_opened, true) {
                let config = json!({"name": "Friday", "seats": 4, "small_blind": 1, "big_blind": 2, "buy_in_min": 80, "buy_in_max": 400, "turn_ms": 5_000});
                self.asks(&floor, &json!({"a": "create_table", "config": config, "access": "unlisted"}), now);
            }
            return;
        };
        let Some(view) = self.table() else { return self.own.client.watch(&room, now) };
        if view.seat_of(&me).is_none() {
            let sit = TableCommand::Sit { seat: None, buy_in: 400, wait_for_big_blind: false };
            self.own.client.command(&room, &sit, now);
        } else if !std::mem::replace(&mut self.has_invited, true) {
            self.asks(&room, &json!({"a": "invite_ai", "count": 2, "level": "easy"}), now);
        } else if let Some(answer) = self.answer() {
            self.own.client.command(&room, &answer, now);
        }
    }
}

/// Waits until it looks like that.
async fn until(seen: &mut watch::Receiver<Seen>, what: &str, is_it: impl FnMut(&Seen) -> bool) -> Seen {
    if let Ok(seen) = timeout(SOON, seen.wait_for(is_it)).await {
        return seen.expect("the host plays").clone();
    }
    panic!("waited for {what}: {:?}", *seen.borrow());
}

#[tokio::test(flavor = "multi_thread")]
async fn ai_players_sit_down_in_a_cluster_and_go_on_in_their_seats_when_whoever_plays_for_them_is_killed() {
    let args = ClusterArgs {
        relays: 1,
        dealers: 1,
        tables: 1,
        ai_players: true,
        no_build: true,
        dealer_flag: vec!["--pause-ms=100".into()],
        ..ClusterArgs::default()
    };
    let mut cluster = Cluster::start(&args).await.unwrap();
    let (url, http) = (cluster.ws_url(), format!("http://{}/api", cluster.address()));
    let stop = CancellationToken::new();
    let (tell, mut seen) = watch::channel(Seen::default());
    let playing = tokio::spawn({
        let stop = stop.clone();
        async move {
            let dialer = Dialer::new(&url).unwrap();
            let tokens = Reception::new(&http);
            let own = Own::new(1, String::new(), Instant::now());
            let host = Host { own, room: None, has_opened: false, has_invited: false };
            play("Ann", host, &dialer, &tokens, stop, |host, _, _| drop(tell.send_replace(host.seen()))).await
        }
    });
    let first = until(&mut seen, "two AI players", |seen| seen.there.len() == 2).await;
    until(&mut seen, "hands", |seen| seen.hand >= 3).await;

    cluster.node(Node::Reception).kill().await;
    until(&mut seen, "nobody who plays for them", |seen| seen.there.is_empty()).await;
    cluster.node(Node::Reception).spawn().unwrap();
    let again = until(&mut seen, "the same two", |seen| seen.there.len() == 2).await;
    assert_eq!(again.there, first.there);
    let later = until(&mut seen, "more hands", |seen| seen.hand >= again.hand + 2).await;
    assert_eq!(later.breaches, 0);
    stop.cancel();
    playing.await.unwrap().unwrap();
    cluster.end().await;
}
