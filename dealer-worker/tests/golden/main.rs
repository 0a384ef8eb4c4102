//! Journals of this release, which later ones read for ever: those of a table, of one whose chips are somebody's, of a counter and of a room in which people talk, of records whose runtime part has a version; in
//! [`opened`], those of a table that a player has opened, of the room from which he did, of a tournament and of a table of it; in [`queued`], those of a queue and of a table of it; in [`worked`], that of a room of jobs.
//! They were written by the tests here, which play the same again each time and see that what is written is still what stands there.
//!
//! A change of what records hold fails here. It gets a schema of its own ([`Room::SCHEMA`]), with a golden journal beside these:
//!
//! ```text
//! CARDHOUSE_GOLDEN=dealer-worker/tests/golden cargo test -p dealer-worker --test golden
//! ```

mod opened;
mod queued;
#[path = "../support/mod.rs"]
mod support;
mod worked;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    sync::Arc,
};

use broker::{
    entry::{Entry, Kind},
    node::{Asked, RoomSpec},
    seal::Form,
    store::Stored,
};
use bytes::Bytes;
use cash::Cash;
use futures_util::future::BoxFuture;
use money::{Ask, Body as _, Paid, Stake, Why};
use protocol::{
    id::{Position, RoomId, SessionId},
    rail::{RailCards, RailConfig},
    table::{SeatStatus, SeatView, TableConfig, TurnView},
};
use rooms::{
    Bounds, Kinds,
    room::{
        Room,
        errands::{Away, Errand, Outcome, Service},
        record::{DeltaOf, Journaled, Record, open},
    },
    testing::{
        Counter, Till, Trouble,
        counter::{self, Settings},
    },
};
use serde_json::{Value, json};
use table::{Event, Table};
use talk::Talk;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Duration, sleep},
};

use support::{
    Followed, House, Relay, Running,
    journals::{KEY, NOW, holds, journal, restored, sealer, seen, stretches},
    room, user,
};

/// Seven hands of two and three players with all that can happen to a table whose rail sees cards, at which some wait for a seat in the end.
const TABLE: &str = include_str!("table-release-7.journal");
const TABLE_VIEW: &str = include_str!("table-release-7.view.json");

/// A table whose chips are somebody's: bought, refused, waited for, topped up, and paid in a branch that is lost.
const CASH: &str = include_str!("cash-release-7.journal");
const CASH_VIEW: &str = include_str!("cash-release-7.view.json");

/// What releases before wrote of tables: it is read, and written no more.
const TABLE_BEFORE: [(&str, &str); 4] = [
    (include_str!("table-release-3.journal"), include_str!("table-release-3.view.json")),
    (include_str!("table-release-4.journal"), include_str!("table-release-4.view.json")),
    (include_str!("table-release-5.journal"), include_str!("table-release-5.view.json")),
    (include_str!("table-release-6.journal"), include_str!("table-release-6.view.json")),
];
const CASH_BEFORE: [(&str, &str); 4] = [
    (include_str!("cash-release-3.journal"), include_str!("cash-release-3.view.json")),
    (include_str!("cash-release-4.journal"), include_str!("cash-release-4.view.json")),
    (include_str!("cash-release-5.journal"), include_str!("cash-release-5.view.json")),
    (include_str!("cash-release-6.journal"), include_str!("cash-release-6.view.json")),
];

/// A counter that asks for things, writes to others, is told that one has ended and that one has forgotten too much, and ends.
const COUNTER: &str = include_str!("counter-release-3.journal");
const COUNTER_VIEW: &str = include_str!("counter-release-3.view.json");

/// A room in which people of all scripts talk, and more than it keeps.
const TALK: &str = include_str!("talk-release-3.journal");
const TALK_VIEW: &str = include_str!("talk-release-3.view.json");

/// Who comes to the table, in this order; the first three from the beginning.
const PLAYERS: [&str; 12] =
    ["ann", "bob", "cyd", "dan", "eve", "fay", "gus", "kim", "lee", "hal", "ida", "joe"];

/// A word for each kind of fact, so that none is missing: who adds one is asked for it here.
fn table_word(event: &Event) -> &'static str {
    match event {
        Event::Seated { .. } => "seated",
        Event::Left { .. } => "left",
        Event::TopUpPromised { .. } => "top-up promised",
        Event::ToppedUp { .. } => "topped up",
        Event::TopUpLapsed { .. } => "top-up lapsed",
        Event::Status { .. } => "status",
        Event::Away { .. } => "away",
        Event::HandStarted { .. } => "hand started",
        Event::Hand { .. } => "hand",
        Event::Turn { .. } => "turn",
        Event::Extended { .. } => "extended",
        Event::BankLeft { .. } => "bank left",
        Event::AwayBank { .. } => "away bank",
        Event::RunOut { .. } => "run-out",
        Event::Paced { .. } => "paced",
        Event::HandEnded { .. } => "hand ended",
        Event::Chat { .. } => "chat",
        Event::HistoryLost { .. } => "history lost",
        Event::Configured { .. } => "configured",
        Event::Runs { .. } => "runs",
        Event::Timed { .. } => "timed",
        Event::Waits { .. } => "waits",
        Event::WaiterAway { .. } => "waiter away",
        Event::Called { .. } => "called",
        Event::WaitsNoMore { .. } => "waits no more",
        Event::CallMissed { .. } => "call missed",
        Event::CardsTold { .. } => "cards told",
    }
}

fn cash_word(event: &cash::Event) -> &'static str {
    use cash::Event as E;
    match event {
        E::Table(_) => "table",
        E::Reserved { .. } => "reserved",
        E::ReservedAway { .. } => "reserved away",
        E::Released { .. } => "released",
        E::Began { .. } => "began",
        E::Ended { .. } => "ended",
        E::TopUpAsked { .. } => "top-up asked",
        E::TopUpOver { .. } => "top-up over",
        E::TakenOver => "taken over",
        E::Cut => "cut",
        E::Forfeited { .. } => "forfeited",
    }
}

fn counter_word(event: &counter::Event) -> &'static str {
    use counter::Event as E;
    match event {
        E::Added { .. } => "added",
        E::Left { .. } => "left",
        E::Ticked => "ticked",
        E::Asked { .. } => "asked",
        E::Answered { .. } => "answered",
        E::Forgone => "forgone",
        E::Tipped { .. } => "tipped",
        E::Opens => "opens",
        E::Opened => "opened",
        E::Closed => "closed",
        E::Sent { .. } => "sent",
        E::Received { .. } => "received",
        E::Gone { .. } => "gone",
        E::Diverged { .. } => "diverged",
    }
}

/// All but a change of settings, which happens only to tables that have a host or a schedule.
const TABLE_WORDS: usize = 26;
const CASH_WORDS: usize = 11;
const COUNTER_WORDS: usize = 14;

/// What stands in a journal beside the room's own words.
fn words<R: Room>(journal: &[Entry], word: fn(&R::Event) -> &'static str) -> BTreeSet<&'static str> {
    let mut words = BTreeSet::new();
    for entry in journal.iter().filter(|entry| entry.kind == Kind::Delta) {
        let DeltaOf(delta): DeltaOf<'_, R> = open(&sealer(), entry, NOW).unwrap();
        words.extend(delta.events.iter().map(word));
    }
    words
}

/// Reads a journal whole, in every way in which an owner does.
fn is_read<R: Room + Debug>(journal: &[Entry], view: &str) {
    let stretches = stretches(journal);
    assert!(stretches.len() > 2);
    for pair in stretches.windows(2) {
        let (before, keyframe) = (restored::<R>(pair[0]), restored::<R>(&pair[1][..1]));
        // Where the store has lost the end, or the owner has died, more is remembered than was written down.
        if pair[1][0].follows == pair[0].last().map(|entry| entry.at.epoch()) {
            assert_eq!(before.room, keyframe.room);
            assert_eq!((before.sessions, before.errands), (keyframe.sessions, keyframe.errands));
        }
    }
    let end = restored::<R>(stretches.last().unwrap());
    holds(&seen(&end), &serde_json::from_str(view).unwrap(), "view");
}

/// What each record says is written to the byte as it stands there.
fn is_written_as_it_stands<R: Room>(journal: &[Entry]) {
    for entry in journal.iter().filter(|entry| matches!(entry.kind, Kind::Keyframe | Kind::Delta)) {
        let (form, plain) = sealer().open(&entry.room, entry.at, &entry.secret).unwrap();
        assert_eq!(form, Form::Versioned);
        let written = match entry.kind {
            Kind::Keyframe => Journaled::<R>::read(form, &plain, NOW).unwrap().write(form),
            _ => DeltaOf::<R>::read(form, &plain, NOW).unwrap().write(form),
        };
        assert_eq!(written, plain, "at {}", entry.at);
    }
}

#[test]
fn a_tables_journal_of_this_release_is_read_to_its_last_card() {
    is_read::<Table>(&journal(TABLE), TABLE_VIEW);
}

#[test]
fn a_cash_tables_journal_of_this_release_is_read_to_its_last_chip() {
    is_read::<Cash>(&journal(CASH), CASH_VIEW);
}

#[test]
fn tables_journals_of_releases_before_are_read_to_the_last_chip() {
    for (lines, view) in TABLE_BEFORE {
        is_read::<Table>(&journal(lines), view);
    }
    for (lines, view) in CASH_BEFORE {
        is_read::<Cash>(&journal(lines), view);
    }
}

#[test]
fn a_counters_journal_of_this_release_is_read_with_its_errands_and_letters() {
    let journal = journal(COUNTER);
    is_read::<Counter>(&journal, COUNTER_VIEW);
    assert_eq!(journal.last().unwrap().kind, Kind::End);
    let states: Vec<Journaled<Counter>> = stretches(&journal).into_iter().map(restored).collect();
    assert!(states.iter().any(|state| state.errands.iter().count() > 1), "some are open in between");
    assert!(states.iter().any(|state| !state.letters.is_empty()));
}

#[test]
fn what_was_said_in_this_release_is_read() {
    is_read::<Talk>(&journal(TALK), TALK_VIEW);
}

#[test]
fn what_records_hold_is_written_as_it_stands_in_the_golden_journals() {
    is_written_as_it_stands::<Table>(&journal(TABLE));
    is_written_as_it_stands::<Cash>(&journal(CASH));
    is_written_as_it_stands::<Counter>(&journal(COUNTER));
    is_written_as_it_stands::<Talk>(&journal(TALK));
}

/// An entry, too: its first form, which does not tell when it was decided, in the table's of before, and the second one in the others.
#[test]
fn entries_are_written_as_they_stand_in_the_golden_journals() {
    let [(first, _), (second, _), (third, _), (fourth, _)] = TABLE_BEFORE;
    let all = [
        (first, false),
        (second, true),
        (third, true),
        (fourth, true),
        (TABLE, true),
        (CASH, true),
        (COUNTER, true),
        (TALK, true),
    ];
    for (lines, is_timed) in all {
        let journal = journal(lines);
        for (entry, line) in journal.iter().zip(lines.lines()) {
            let written =
                entry.encode().stored.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
            assert_eq!(written, line, "at {}", entry.at);
        }
        assert_eq!(journal.iter().any(|entry| entry.at_ms.is_some()), is_timed);
    }
}

#[test]
fn the_golden_journals_hold_every_kind_of_fact() {
    assert_eq!(words::<Table>(&journal(TABLE), table_word).len(), TABLE_WORDS);
    assert_eq!(words::<Cash>(&journal(CASH), cash_word).len(), CASH_WORDS);
    assert_eq!(words::<Counter>(&journal(COUNTER), counter_word).len(), COUNTER_WORDS);
}

/// A cage that sells nothing to dan, never answers eve, and has paid bob in a branch that is lost, once it is told of another owner.
struct Cage;

impl Service for Cage {
    fn ask(&self, _room: &RoomId, errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>> {
        let is_of = |stake: &Stake, name: &str| stake.user == user(name);
        let answer = match Ask::read(&errand.ask.body).unwrap() {
            Ask::BuyIn(stake) if is_of(&stake, "eve") => Err(Away("nobody there".into())),
            Ask::BuyIn(stake) if is_of(&stake, "dan") => {
                Ok(Outcome::Refused(Why::Insufficient.write().into()))
            }
            Ask::Cut { follows } => {
                let paid = if follows == Position::default() { Vec::new() } else { vec![user("bob")] };
                Ok(Outcome::Done(Paid(paid).write().into()))
            }
            _ => Ok(Outcome::Done(Bytes::new())),
        };
        Box::pin(async { answer })
    }
}

/// A house that writes golden journals.
struct Scribe {
    house: House,
    written: UnboundedReceiver<(RoomId, Stored)>,
    journals: BTreeMap<RoomId, Vec<Stored>>,
}

impl Scribe {
    fn new(kinds: Kinds) -> Self {
        let house = House { kinds, seal_key: KEY.parse().unwrap(), ..House::new() };
        let written = house.store.witness();
        Self { house, written, journals: BTreeMap::new() }
    }

    fn worker(&self, name: &str, keyframe_every: u32) -> Running {
        self.house
            .worker_with(name, self.house.config_within(name, Bounds { keyframe_every, ..Bounds::default() }))
    }

    fn collect(&mut self) {
        while let Ok((room, stored)) = self.written.try_recv() {
            self.journals.entry(room).or_default().push(stored);
        }
    }

    /// The journal from its first keyframe on: kept for good, if that is asked for.
    fn journal<R: Room>(&mut self, of: &RoomId) -> Vec<Entry> {
        self.collect();
        let written = self.journals.remove(of).unwrap();
        let entries: Vec<Entry> =
            written.iter().map(|stored| Entry::decode(stored.bytes.clone()).unwrap()).collect();
        if let Ok(folder) = std::env::var("CARDHOUSE_GOLDEN") {
            let path = |ending| std::path::Path::new("..").join(&folder).join(format!("{}{ending}", R::NAME));
            let line = |stored: &Stored| {
                stored.bytes.iter().fold(String::new(), |line, byte| format!("{line}{byte:02x}"))
            };
            let lines: String = written.iter().map(|stored| line(stored) + "\n").collect();
            std::fs::write(path("-new.journal"), lines).unwrap();
            let end = restored::<R>(stretches(&entries).last().unwrap());
            std::fs::write(path("-new.view.json"), format!("{}\n", seen(&end))).unwrap();
        }
        entries
    }
}

/// The players of a table.
struct Game {
    relay: Relay,
    room: RoomId,
    players: Vec<(&'static str, u64)>,
}

impl Game {
    fn table(&self) -> Followed {
        self.relay.followed(&self.room)
    }

    async fn asks(&self, name: &str, what: Value) {
        let session =
            self.players.iter().find(|(known, _)| *known == name).map_or(99, |(_, session)| *session);
        let n = self.relay.next_n();
        assert_eq!(
            self.relay.command(&self.room, &user(name), session, n, what.clone()).await.code(),
            "applied",
            "{name}: {what}"
        );
    }

    /// Plays to the end of the hand: `acts` says what is done at each turn; nothing, and the clock does it.
    async fn hand(&self, mut acts: impl AsyncFnMut(&str, &TurnView) -> Option<Value>) {
        let hand_of = |followed: &Followed| followed.view().hand.clone();
        let now = hand_of(&self.table());
        let number = now.map_or(1, |hand| hand.hand + u64::from(hand.ended));
        let mut done = 0;
        loop {
            let followed = self.relay.until(&self.room, |followed| {
                hand_of(followed).is_some_and(|hand| {
                    hand.hand >= number && (hand.ended || hand.turn.is_some_and(|turn| turn.turn > done))
                })
            });
            let view = followed.await.view().clone();
            let hand = view.hand.as_ref().unwrap();
            let Some(turn) = hand.turn.as_ref().filter(|_| hand.hand == number) else { return };
            let seat: &SeatView = view.seats[usize::from(turn.seat)].as_ref().unwrap();
            if let Some(what) = acts(seat.user.as_str(), turn).await {
                let mut act = json!({"a": "act", "hand": hand.hand, "turn": turn.turn});
                act.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
                self.asks(seat.user.as_str(), act).await;
            }
            done = turn.turn;
        }
    }
}

fn passive(turn: &TurnView) -> Value {
    json!({"kind": if turn.call.is_some() { "call" } else { "check" }})
}

fn all_in(turn: &TurnView) -> Value {
    match &turn.raise {
        Some(raise) => json!({"kind": if raise.bet { "bet" } else { "raise" }, "to": raise.max}),
        None => passive(turn),
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_writes_what_stands_in_its_golden_journal() {
    let mut scribe = Scribe::new(dealer_worker::kinds());
    let config = TableConfig { pause_ms: 1_000, runout_ms: 300, runs_max: 2, ..TableConfig::default() };
    let rail = RailConfig { cards: RailCards::AfterHand, ..RailConfig::late(0) };
    scribe.house.open_room(&RoomSpec::new(Table::NAME, &config).with_rail(rail)).await;
    let worker = scribe.worker("w1", 24);
    let relay = Relay::new(&scribe.house, "r1", 1).await;
    let game = Game { relay, room: room(1), players: PLAYERS.into_iter().zip(1..).collect() };
    game.relay.owned(&room(1)).await;
    for (name, session) in game.players[..3].iter().copied() {
        assert_eq!(game.relay.sit(&room(1), name, session, 100).await.code(), "applied");
    }
    game.hand(async |_, turn| Some(passive(turn))).await;
    game.asks("eve", json!({"a": "chat", "text": "nice hand"})).await;
    // All promise as much as they may bring, and go all in: the winner has more than that then.
    let mut promised = false;
    game.hand(async |_, turn| {
        if !std::mem::replace(&mut promised, true) {
            for (name, _) in &game.players[..3] {
                let seats = game.table().view().seats.clone();
                let seat = seats.iter().flatten().find(|seat| seat.user == user(name)).unwrap();
                let amount = 400 - seat.stack - seat.bet;
                game.asks(name, json!({"a": "top_up", "amount": amount})).await;
            }
        }
        Some(all_in(turn))
    })
    .await;
    // Who thinks for long draws on the time bank.
    let mut thought = false;
    game.hand(async |_, turn| {
        if !std::mem::replace(&mut thought, true) {
            sleep(Duration::from_millis(config.turn_ms + 5_000)).await;
        }
        Some(passive(turn))
    })
    .await;
    // One loses the connection, and the clock plays; then he is back.
    let absent = Asked::Absent { user: user("bob"), session: SessionId(2) };
    game.relay.tell(&room(1), absent).await;
    let is_away = |away: bool| {
        move |followed: &Followed| {
            followed.view().seats.iter().flatten().any(|seat| seat.user == user("bob") && seat.away == away)
        }
    };
    game.relay.until(&room(1), is_away(true)).await;
    game.hand(async |who, turn| (who != "bob").then(|| passive(turn))).await;
    let present = Asked::Present { user: user("bob"), session: SessionId(2), anew: true };
    game.relay.tell(&room(1), present).await;
    game.relay.until(&room(1), is_away(false)).await;
    let bob = game.table().view().seats.iter().flatten().find(|seat| seat.user == user("bob")).cloned();
    if bob.unwrap().status == SeatStatus::SittingOut {
        game.asks("bob", json!({"a": "come_back"})).await;
    }
    game.asks("ann", json!({"a": "sit_out"})).await;
    game.hand(async |_, turn| Some(passive(turn))).await;
    game.asks("ann", json!({"a": "come_back"})).await;
    game.asks("cyd", json!({"a": "leave"})).await;
    game.hand(async |_, turn| Some(passive(turn))).await;
    // All seats are taken: others wait, one gives up, one is gone for a while, and who is called sits down or does not.
    for (name, _) in &game.players[3..9] {
        game.asks(name, json!({"a": "sit", "buy_in": 100})).await;
        if game.table().view().seats.iter().all(Option::is_some) {
            break;
        }
    }
    for name in ["hal", "ida", "joe"] {
        game.asks(name, json!({"a": "wait"})).await;
    }
    game.asks("ida", json!({"a": "stop_waiting"})).await;
    for asked in [
        Asked::Absent { user: user("joe"), session: SessionId(12) },
        Asked::Present { user: user("joe"), session: SessionId(12), anew: true },
    ] {
        game.relay.tell(&room(1), asked).await;
        sleep(Duration::from_millis(Bounds::default().absence_grace_ms + 1_000)).await;
    }
    game.asks("ann", json!({"a": "leave"})).await;
    game.hand(async |_, turn| Some(passive(turn))).await;
    game.asks("hal", json!({"a": "sit", "buy_in": 100})).await;
    // The next one who is called does not come.
    game.asks("bob", json!({"a": "leave"})).await;
    game.hand(async |_, turn| Some(passive(turn))).await;
    game.asks("joe", json!({"a": "stop_waiting"})).await;
    // The owner dies, and the store has lost all: the table begins anew, and says so.
    worker.kill();
    assert!(scribe.house.store.forget(&room(1)));
    let _next = scribe.worker("w2", 24);
    game.relay.until(&room(1), |followed| followed.epochs.len() == 2).await;
    for name in ["ann", "bob"] {
        game.asks(name, json!({"a": "sit", "buy_in": 100})).await;
    }
    game.hand(async |_, turn| Some(passive(turn))).await;
    let journal = scribe.journal::<Table>(&room(1));
    is_written_as_it_stands::<Table>(&journal);
    let (now, golden) =
        (words::<Table>(&journal, table_word), words::<Table>(&self::journal(TABLE), table_word));
    assert_eq!(now, golden);
}

#[tokio::test(start_paused = true)]
async fn a_cash_table_writes_what_stands_in_its_golden_journal() {
    let mut scribe = Scribe::new(dealer_worker::kinds().served_by(money::SERVICE, Arc::new(Cage)));
    let table = TableConfig {
        name: "Cash".into(),
        pause_ms: 1_000,
        runout_ms: 0,
        rathole_ms: 0,
        ..TableConfig::default()
    };
    let settings = cash::Settings { currency: "PLAY".parse().unwrap(), table };
    scribe.house.open_room(&RoomSpec::new(Cash::NAME, &settings)).await;
    let worker = scribe.worker("w1", 8);
    let relay = Relay::new(&scribe.house, "r1", 1).await;
    let game = Game { relay, room: room(1), players: vec![("ann", 1), ("bob", 2), ("dan", 3), ("eve", 4)] };
    game.relay.owned(&room(1)).await;
    let sits = |name: &'static str| move |followed: &Followed| followed.view().seat_of(&user(name)).is_some();
    let is_declined =
        |followed: &Followed| followed.privates.get(&user("dan")).is_some_and(|own| own.declined.is_some());
    for name in ["ann", "bob"] {
        game.asks(name, json!({"a": "sit", "buy_in": 100})).await;
        game.relay.until(&room(1), sits(name)).await;
    }
    game.asks("dan", json!({"a": "sit", "buy_in": 100})).await;
    game.relay.until(&room(1), is_declined).await;
    let mut brings = true;
    game.hand(async |_, turn| {
        if std::mem::take(&mut brings) {
            game.asks("ann", json!({"a": "top_up", "amount": 50})).await;
        }
        Some(passive(turn))
    })
    .await;
    game.asks("eve", json!({"a": "sit", "buy_in": 100})).await;
    game.relay.tell(&room(1), Asked::Absent { user: user("eve"), session: SessionId(4) }).await;
    // Nobody is told that she is gone, since she has no seat yet.
    sleep(Duration::from_millis(Bounds::default().absence_grace_ms + 1_000)).await;
    game.asks("eve", json!({"a": "leave"})).await;
    worker.kill();
    let _next = scribe.worker("w2", 8);
    game.relay.until(&room(1), |followed| !sits("bob")(followed)).await;
    game.asks("bob", json!({"a": "sit", "buy_in": 100})).await;
    game.relay.until(&room(1), sits("bob")).await;
    game.hand(async |_, turn| Some(passive(turn))).await;
    let journal = scribe.journal::<Cash>(&room(1));
    is_written_as_it_stands::<Cash>(&journal);
    assert_eq!(words::<Cash>(&journal, cash_word), words::<Cash>(&self::journal(CASH), cash_word));
}

#[tokio::test(start_paused = true)]
async fn a_counter_writes_what_stands_in_its_golden_journal() {
    let (opens, is_open) = tokio::sync::watch::channel(false);
    let till = Arc::new(Till::with(move || if *is_open.borrow() { Trouble::None } else { Trouble::Away }));
    let mut scribe = Scribe::new(Kinds::default().with::<Counter>().served_by("till", till.clone()));
    let settings = |me: u32| Settings {
        peers: (1..=3).filter(|other| *other != me).map(room).collect(),
        tick_ms: if me == 2 { 60_000 } else { 0 },
    };
    let specs: Vec<RoomSpec> = (1..=3).map(|me| RoomSpec::new("counter", &settings(me))).collect();
    scribe.house.open_rooms(&specs).await;
    let worker = scribe.worker("w1", 6);
    let relay = Relay::new(&scribe.house, "r1", 4).await;
    let ask = async |of: u32, who: &str, what: Value| {
        loop {
            let answer = relay.command(&room(of), &user(who), 1, relay.next_n(), what.clone()).await;
            match answer.code() {
                "applied" => return,
                "busy" | "unavailable" => sleep(answer.retry_after()).await,
                code => panic!("{code} for {what}"),
            }
        }
    };
    let told =
        |word: &'static str| move |followed: &Followed| followed.told.iter().any(|event| event["e"] == word);
    for number in 1..=3 {
        relay.owned(&room(number)).await;
        ask(number, "ann", json!({"a": "add", "by": 1_000})).await;
    }
    ask(2, "bob", json!({"a": "add", "by": 7})).await;
    ask(2, "bob", json!({"a": "leave"})).await;
    ask(2, "ann", json!({"a": "pay", "amount": 1})).await;
    ask(2, "ann", json!({"a": "forgo"})).await;
    for amount in [50, 200] {
        ask(2, "ann", json!({"a": "pay", "amount": amount})).await;
    }
    ask(2, "ann", json!({"a": "tip", "amount": 5})).await;
    ask(2, "ann", json!({"a": "open", "room": "t4"})).await;
    relay.until(&room(2), told("opened")).await;
    for by in 1..=20 {
        ask(1, "ann", json!({"a": "send", "to": room(2), "by": by})).await;
        ask(2, "ann", json!({"a": "send", "to": room(1), "by": by})).await;
    }
    ask(2, "ann", json!({"a": "send", "to": room(3), "by": 1})).await;
    opens.send(true).unwrap();
    while till.known(&room(2)) < 3 {
        sleep(Duration::from_millis(100)).await;
    }
    relay
        .until(&room(2), |followed| {
            followed.state.as_ref().unwrap()["ticks"] == 1 || told("ticked")(followed)
        })
        .await;
    // One ends, and is written to.
    ask(3, "ann", json!({"a": "close"})).await;
    relay.until(&room(3), |followed| followed.has_ended).await;
    ask(2, "ann", json!({"a": "send", "to": room(3), "by": 2})).await;
    relay.until(&room(2), told("gone")).await;
    // Another forgets everything while its owner dies.
    assert!(scribe.house.store.forget(&room(1)));
    worker.kill();
    let _next = scribe.worker("w2", 6);
    relay.until(&room(2), |followed| followed.epochs.len() == 2).await;
    relay
        .until(&room(2), |followed| {
            told("diverged")(followed)
                || !followed.state.as_ref().unwrap()["diverged"].as_array().unwrap().is_empty()
        })
        .await;
    ask(2, "ann", json!({"a": "close"})).await;
    relay.until(&room(2), |followed| followed.has_ended).await;
    let journal = scribe.journal::<Counter>(&room(2));
    is_written_as_it_stands::<Counter>(&journal);
    let (now, golden) =
        (words::<Counter>(&journal, counter_word), words::<Counter>(&self::journal(COUNTER), counter_word));
    assert_eq!(now, golden);
}

#[tokio::test(start_paused = true)]
async fn a_room_in_which_people_talk_writes_what_stands_in_its_golden_journal() {
    let mut scribe = Scribe::new(dealer_worker::kinds());
    scribe.house.open_room(&talk::spec()).await;
    let worker = scribe.worker("w1", 24);
    let relay = Relay::new(&scribe.house, "r1", 1).await;
    let says = async |who: &str, text: &str| {
        let n = relay.next_n();
        let answer = relay.command(&room(1), &user(who), 1, n, json!({"a": "say", "text": text})).await;
        assert_eq!(answer.code(), "applied");
    };
    relay.owned(&room(1)).await;
    for (who, text) in [("ann", "안녕하세요"), ("bot-bob", "nice hand"), ("ANN", "🂡 ça va?"), ("ann", "ty")]
    {
        says(who, text).await;
    }
    for guest in 0..10 {
        says(&format!("guest-{guest}"), &format!("{guest}")).await;
    }
    worker.kill();
    let _next = scribe.worker("w2", 24);
    relay.until(&room(1), |followed| followed.epochs.len() == 2).await;
    // Longer than a room keeps: the first ones are forgotten.
    for guest in 0..30 {
        says(&format!("late-{guest}"), &"한".repeat(199)).await;
    }
    let journal = scribe.journal::<Talk>(&room(1));
    is_written_as_it_stands::<Talk>(&journal);
    let end = restored::<Talk>(stretches(&journal).last().unwrap());
    let lines = seen(&end)["lines"].as_array().unwrap().len();
    assert!((20..30).contains(&lines), "{lines}");
}
