//! Rooms that others open: a table of a player and the room of the floor from which he did, a tournament and the tables of it; and what tournaments and
//! their tables write to each other, which stands in journals until it is heard.

use std::sync::Arc;

use broker::node::RoomSpec;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use hosted::Hosted;
use protocol::{
    floor::room_of,
    id::{Position, RoomId, UserId},
    rights::{Rights, Roles},
    table::TableEvent,
    tournament::{self as seen, HandForHand, Level, Starts, Ties, TournamentConfig},
};
use rooms::room::{
    Room,
    errands::{Away, Errand, Outcome, Service},
    letters::{LetterId, Reference},
};
use serde_json::{Value, json};
use tokio::time::sleep;
use tournament::{
    Tournament, TournamentTable, at_table,
    director::{
        self,
        stakes::{Price, StakeEvent},
    },
    letters::{Arrival, Leaver, ToTable, ToTournament, read, write},
};

use super::{Cage, Game, Scribe, is_read, is_written_as_it_stands, journal, passive, words};
use crate::support::{Followed, Relay, room, user};

/// A table of a player with all that its host can do, closed in the end.
const HOSTED: &str = include_str!("hosted-release-8.journal");
const HOSTED_VIEW: &str = include_str!("hosted-release-8.view.json");

/// The room of the floor from which he has opened it, and another one.
const FLOOR: &str = include_str!("floor-release-4.journal");
const FLOOR_VIEW: &str = include_str!("floor-release-4.view.json");

/// A tournament of seven entries at three tables and a last one, with late registration, a director, and hands that are played in step. Its entries cost chips that
/// are somebody's: bought, refused, taken back, and paid in a branch that is lost.
const TOURNAMENT: &str = include_str!("tournament-release-7.journal");
const TOURNAMENT_VIEW: &str = include_str!("tournament-release-7.view.json");

/// The first of its tables.
const TOURNAMENT_TABLE: &str = include_str!("tournament_table-release-7.journal");
const TOURNAMENT_TABLE_VIEW: &str = include_str!("tournament_table-release-7.view.json");

/// What was written before tables had waiting lists, before they remembered who misses calls, before there were AI players, before tables told their
/// rail anything, and before entries cost anything: it is read, and written no more.
const HOSTED_BEFORE: [(&str, &str); 4] = [
    (include_str!("hosted-release-4.journal"), include_str!("hosted-release-4.view.json")),
    (include_str!("hosted-release-5.journal"), include_str!("hosted-release-5.view.json")),
    (include_str!("hosted-release-6.journal"), include_str!("hosted-release-6.view.json")),
    (include_str!("hosted-release-7.journal"), include_str!("hosted-release-7.view.json")),
];
const TOURNAMENT_BEFORE: [(&str, &str); 2] = [
    (include_str!("tournament-release-5.journal"), include_str!("tournament-release-5.view.json")),
    (include_str!("tournament-release-6.journal"), include_str!("tournament-release-6.view.json")),
];
const TOURNAMENT_TABLE_BEFORE: [(&str, &str); 3] = [
    (
        include_str!("tournament_table-release-4.journal"),
        include_str!("tournament_table-release-4.view.json"),
    ),
    (
        include_str!("tournament_table-release-5.journal"),
        include_str!("tournament_table-release-5.view.json"),
    ),
    (
        include_str!("tournament_table-release-6.journal"),
        include_str!("tournament_table-release-6.view.json"),
    ),
];

/// All letters of tournaments, and facts that no quiet tournament holds: a name and bytes a line.
const TOURNAMENT_WORDS: &str = include_str!("tournament-release-6.words");

fn hosted_word(event: &hosted::Event) -> &'static str {
    use hosted::{Event as E, ai::Event as Ai};
    match event {
        E::Table(_) => "table",
        E::Host { .. } => "host",
        E::Access { .. } => "access",
        E::Knocked { .. } => "knocked",
        E::Silent { .. } => "silent",
        E::LetIn { .. } => "let in",
        E::Kept { .. } => "kept",
        E::Released { .. } => "released",
        E::Kicked { .. } => "kicked",
        E::Gone { .. } => "gone",
        E::Pending { .. } => "pending",
        E::Set => "set",
        E::Paused { .. } => "paused",
        E::Resumed => "resumed",
        E::Empty { .. } => "empty",
        E::Taken => "taken",
        E::Closing => "closing",
        E::Over => "over",
        E::Ai(Ai::Invited { .. }) => "ai invited",
        E::Ai(Ai::Asked { .. }) => "ai asked",
        E::Ai(Ai::Here { .. }) => "ai here",
        E::Ai(Ai::GivenUp { .. }) => "ai given up",
        E::Ai(Ai::Gone { .. }) => "ai gone",
    }
}

fn floor_word(event: &floor::Event) -> &'static str {
    use floor::Event as E;
    match event {
        E::Opens { .. } => "opens",
        E::Opened { .. } => "opened",
        E::Closed { .. } => "closed",
    }
}

fn tournament_word(event: &director::Event) -> &'static str {
    use director::Event as E;
    match event {
        E::Registered { .. } => "registered",
        E::Unregistered { .. } => "unregistered",
        E::Started { .. } => "started",
        E::Wanted { .. } => "wanted",
        E::Asked { .. } => "asked",
        E::Opened { .. } => "opened",
        E::Sent { .. } => "sent",
        E::Seated { .. } => "seated",
        E::Turned { .. } => "turned",
        E::Giving { .. } => "giving",
        E::Released { .. } => "released",
        E::Busted { .. } => "busted",
        E::Out { .. } => "out",
        E::Placed { .. } => "placed",
        E::AllPlaced => "all placed",
        E::Closed => "closed",
        E::Holding { .. } => "holding",
        E::Held { .. } => "held",
        E::ClockSet { .. } => "clock set",
        E::Counted { .. } => "counted",
        E::Adjusted { .. } => "adjusted",
        E::Closing { .. } => "closing",
        E::Gone { .. } => "gone",
        E::Next { .. } => "next",
        E::Cancelled { .. } => "cancelled",
        E::Ended { .. } => "ended",
        E::Over => "over",
        E::Waits { .. } => "waits",
        E::Penalized { .. } => "penalized",
        E::Expels { .. } => "expels",
        E::Expelled { .. } => "expelled",
        E::Stake(event) => stake_word(event),
    }
}

fn stake_word(event: &StakeEvent) -> &'static str {
    use StakeEvent as E;
    match event {
        E::Asked { .. } => "stake asked",
        E::Over { .. } => "stake over",
        E::Declined { .. } => "stake declined",
        E::Brought { .. } => "stake brought",
        E::Returned { .. } => "stake returned",
        E::Forfeited { .. } => "stake forfeited",
        E::Given { .. } => "prizes given",
        E::FeesTaken { .. } => "fees taken",
        E::TakenOver => "stakes taken over",
        E::Cut => "cut",
    }
}

fn at_table_word(event: &at_table::Event) -> &'static str {
    use at_table::Event as E;
    match event {
        E::Table(_) => "table",
        E::Took { .. } => "took",
        E::Went { .. } => "went",
        E::Haunts { .. } => "haunts",
        E::Began { .. } => "began",
        E::Giving { .. } => "giving",
        E::Gave => "gave",
        E::Holding { .. } => "holding",
        E::Held => "held",
        E::Clock { .. } => "clock",
        E::Counted { .. } => "counted",
        E::Waits { .. } => "waits",
        E::Closing { .. } => "closing",
        E::Closed => "closed",
        E::Penalty { .. } => "penalty",
        E::SitsOut { .. } => "sits out",
        E::Expelling { .. } => "expelling",
        E::Expelled { .. } => "expelled",
    }
}

const HOSTED_WORDS: usize = 23;
const FLOOR_WORDS: usize = 3;

/// All but that somebody was turned away, that chips were adjusted, that it was called off, and what directors decide of single entries: see [`rare`].
const QUIET_TOURNAMENT_WORDS: usize = 35;

/// All but that the journal has lost that somebody had gone, and what directors decide of single entries: see [`rare`].
const QUIET_TABLE_WORDS: usize = 13;

type Floor = floor::Floor<true>;

#[test]
fn what_stood_in_journals_before_is_read_to_its_end() {
    for (lines, view) in HOSTED_BEFORE {
        is_read::<Hosted>(&journal(lines), view);
    }
    for (lines, view) in TOURNAMENT_BEFORE {
        is_read::<Tournament>(&journal(lines), view);
    }
    for (lines, view) in TOURNAMENT_TABLE_BEFORE {
        is_read::<TournamentTable>(&journal(lines), view);
    }
}

#[test]
fn what_a_player_has_opened_is_read_as_it_stands() {
    is_read::<Hosted>(&journal(HOSTED), HOSTED_VIEW);
    is_read::<Floor>(&journal(FLOOR), FLOOR_VIEW);
    is_written_as_it_stands::<Hosted>(&journal(HOSTED));
    is_written_as_it_stands::<Floor>(&journal(FLOOR));
    assert_eq!(words::<Hosted>(&journal(HOSTED), hosted_word).len(), HOSTED_WORDS);
    assert_eq!(words::<Floor>(&journal(FLOOR), floor_word).len(), FLOOR_WORDS);
}

#[test]
fn a_tournament_is_read_from_its_first_entry_to_its_last_prize() {
    is_read::<Tournament>(&journal(TOURNAMENT), TOURNAMENT_VIEW);
    is_read::<TournamentTable>(&journal(TOURNAMENT_TABLE), TOURNAMENT_TABLE_VIEW);
    is_written_as_it_stands::<Tournament>(&journal(TOURNAMENT));
    is_written_as_it_stands::<TournamentTable>(&journal(TOURNAMENT_TABLE));
    let words_of_it = words::<Tournament>(&journal(TOURNAMENT), tournament_word);
    assert_eq!(words_of_it.len(), QUIET_TOURNAMENT_WORDS, "{words_of_it:?}");
    let words_of_it = words::<TournamentTable>(&journal(TOURNAMENT_TABLE), at_table_word);
    assert_eq!(words_of_it.len(), QUIET_TABLE_WORDS, "{words_of_it:?}");
}

fn clock() -> seen::Clock {
    seen::Clock {
        version: 3,
        base_ms: 1_700_000_005_000,
        offset_ms: -120_000,
        stopped_ms: Some(1_700_000_060_000),
        paused: true,
    }
}

fn letter() -> LetterId {
    LetterId { at: Position::new(1_700_000_000_001, 42), index: 3 }
}

/// The letters that a tournament writes.
fn to_table() -> Vec<(&'static str, ToTable)> {
    let arrival = Arrival {
        entry: 7,
        user: user("ann"),
        name: "Ann".into(),
        stack: 1_500,
        bank_ms: 30_000,
        sits_out: true,
        drawn: false,
    };
    vec![
        ("seat", ToTable::Seat(arrival)),
        ("give", ToTable::Give { to: vec![room(2), room(3)], all: false }),
        ("break", ToTable::Give { to: vec![room(2)], all: true }),
        ("hold", ToTable::Hold { round: 1, clock: clock() }),
        ("deal one", ToTable::DealOne { round: 2, clock: clock() }),
        ("go", ToTable::Go { clock: seen::Clock { stopped_ms: None, paused: false, ..clock() } }),
        ("clock", ToTable::Clock { clock: clock() }),
        ("close", ToTable::Close),
        ("penalty", ToTable::Penalty { entry: 7, hands: 3 }),
        ("expel", ToTable::Expel { entry: 7 }),
    ]
}

/// And its tables.
fn to_tournament() -> Vec<(&'static str, ToTournament)> {
    let leaver = Leaver { entry: 7, stack: 4_500, bank_ms: 12_000, sits_out: true, to: room(2) };
    vec![
        ("seated", ToTournament::Seated { entry: 7, seat: 5 }),
        ("no seat", ToTournament::NoSeat { entry: 7 }),
        ("released", ToTournament::Released { players: vec![leaver], all: true }),
        (
            "busted",
            ToTournament::Busted {
                hand: 9,
                at_ms: 1_700_000_060_000,
                round: Some(2),
                players: vec![(7, 300), (8, 200)],
            },
        ),
        ("held", ToTournament::Held { round: 2 }),
        ("counted", ToTournament::Counted { stacks: vec![(7, 300), (8, 200)] }),
        ("adjusted", ToTournament::Adjusted { chips: -250 }),
        ("closed", ToTournament::Closed),
        ("penalty left", ToTournament::Penalty { entry: 7, hands: 2 }),
        ("expelled", ToTournament::Expelled { entry: 7, stack: 4_500 }),
    ]
}

/// What happens in no quiet tournament.
fn rare() -> Vec<director::Event> {
    use director::Event as E;
    let re = Some(Reference { from: room(2), letter: letter() });
    vec![
        E::Turned { entry: 7, re },
        E::Turned { entry: 8, re: None },
        E::Adjusted { table: 2, chips: -250 },
        E::Cancelled { at_ms: 1_700_000_060_000 },
        E::Penalized { entry: 7, hands: 3, is_new: true },
        E::Expels { entry: 7 },
        E::Expelled { entry: 7, chips: 4_500 },
    ]
}

fn rare_at_a_table() -> Vec<at_table::Event> {
    use at_table::Event as E;
    vec![
        E::Haunts { seat: 4, stack: 4_500 },
        E::Penalty { entry: 7, hands: 3 },
        E::SitsOut { entry: 7 },
        E::Expelling { letter: letter(), entry: 7 },
        E::Expelled { entry: 7 },
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[test]
fn letters_of_tournaments_and_rare_facts_are_written_as_they_stand_and_read() {
    let letters = to_table().into_iter().map(|(name, what)| (name, hex(write(&what).as_bytes())));
    let answers = to_tournament().into_iter().map(|(name, what)| (name, hex(write(&what).as_bytes())));
    let (rare, haunts) =
        (postcard::to_stdvec(&rare()).unwrap(), postcard::to_stdvec(&rare_at_a_table()).unwrap());
    let facts = [("rare", hex(&rare)), ("rare at a table", hex(&haunts))];
    let lines = letters.chain(answers).chain(facts).map(|(name, bytes)| format!("{name}: {bytes}\n"));
    let lines: String = lines.collect();
    if let Ok(folder) = std::env::var("CARDHOUSE_GOLDEN") {
        let path = std::path::Path::new("..").join(&folder).join("tournament-new.words");
        std::fs::write(path, &lines).unwrap();
    }
    assert_eq!(lines, TOURNAMENT_WORDS);
    for (_, what) in to_table() {
        assert_eq!(read(write(&what).as_bytes()), Some(what));
    }
    for (_, what) in to_tournament() {
        assert_eq!(read(write(&what).as_bytes()), Some(what));
    }
    assert_eq!(Tournament::read_events(3, &mut &rare[..]).unwrap(), self::rare());
    assert_eq!(TournamentTable::read_events(3, &mut &haunts[..]).unwrap(), rare_at_a_table());
}

/// What a player chooses.
fn choice(name: &str, big_blind: u64) -> Value {
    json!({
        "name": name,
        "seats": 4,
        "small_blind": big_blind / 2,
        "big_blind": big_blind,
        "buy_in_min": 40,
        "buy_in_max": 1_000,
        "turn_ms": 5_000,
    })
}

/// An agency of which nobody comes.
struct Agency;

impl Service for Agency {
    fn ask(&self, _room: &RoomId, _errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>> {
        Box::pin(async { Ok(Outcome::Done(Bytes::new())) })
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_player_opens_writes_what_stands_in_its_golden_journals() {
    let mut scribe = Scribe::new(dealer_worker::kinds().served_by(seats::SERVICE, Arc::new(Agency)));
    let table = protocol::table::TableConfig { pause_ms: 1_000, runout_ms: 0, ..Default::default() };
    let settings = floor::Settings { table, tables_max: 4, big_blind_max: 100, idle_ms: 600_000 };
    dealer_worker::open_floor(&scribe.house.ports("floor"), &settings).await.unwrap();
    let relay = Relay::new(&scribe.house, "r1", 0).await;
    let (ann, floor) = (user("ann"), room_of(&user("ann")));
    relay.hear(&floor).await;
    let worker = scribe.worker("w1", 8);
    relay.owned(&floor).await;
    let create = json!({"a": "create_table", "config": choice("Ann's", 10), "access": "approve"});
    let answer = relay.command(&floor, &ann, 1, relay.next_n(), create).await;
    assert_eq!(answer.code(), "applied");
    let own = |followed: &Followed| followed.parts.get(&user("ann")).map(|part| part["tables"].clone());
    let is_open = |followed: &Followed| own(followed).is_some_and(|tables| tables[0]["is_open"] == true);
    let told = own(&relay.until(&floor, is_open).await).unwrap();
    let table = RoomId::new(told[0]["room"].as_str().unwrap()).unwrap();
    relay.hear(&table).await;
    // The next owner begins with a keyframe, which whoever came late sees.
    worker.kill();
    let next = scribe.worker("w2", 8);
    relay.owned(&table).await;
    let players = vec![("ann", 1), ("bob", 2), ("cyd", 3)];
    let game = Game { relay, room: table.clone(), players };
    let asks = async |who: &str, what: Value| game.asks(who, what).await;
    asks("bob", json!({"a": "knock"})).await;
    asks("ann", json!({"a": "deny", "user": "bob"})).await;
    asks("bob", json!({"a": "knock"})).await;
    asks("ann", json!({"a": "approve", "user": "bob"})).await;
    for name in ["bob", "ann"] {
        asks(name, json!({"a": "sit", "buy_in": 100})).await;
    }
    asks("ann", json!({"a": "door", "access": "code", "code": "Q4XM-91"})).await;
    asks("cyd", json!({"a": "knock", "code": "q4xm91"})).await;
    asks("ann", json!({"a": "pause"})).await;
    asks("cyd", json!({"a": "sit", "buy_in": 100})).await;
    // One that comes and is sent away, and one for which nobody comes.
    let invite = json!({"a": "invite_ai", "count": 1, "level": "medium"});
    let ai = |followed: &Followed| {
        followed.events.iter().rev().find_map(|event| match event {
            TableEvent::Hosted { hosted } => Some(hosted.ai.clone()),
            _ => None,
        })
    };
    let is_there = |followed: &Followed| ai(followed).is_some_and(|ai| !ai.is_empty());
    let is_gone = |followed: &Followed| ai(followed).is_some_and(|ai| ai.is_empty());
    asks("ann", invite.clone()).await;
    let invited = ai(&game.relay.until(&table, is_there).await).unwrap().remove(0).user;
    let sit = json!({"a": "sit", "buy_in": 100});
    let answer = game.relay.command(&table, &invited, 9, game.relay.next_n(), sit).await;
    assert_eq!(answer.code(), "applied");
    asks("ann", json!({"a": "remove_ai"})).await;
    game.relay.until(&table, is_gone).await;
    asks("ann", invite).await;
    game.relay.until(&table, is_there).await;
    game.relay.until(&table, is_gone).await;
    asks("ann", json!({"a": "set", "config": choice("Ann's other", 20)})).await;
    asks("ann", json!({"a": "resume"})).await;
    game.hand(async |_, turn| Some(passive(turn))).await;
    asks("ann", json!({"a": "kick", "user": "cyd", "ban": true})).await;
    game.hand(async |_, turn| Some(passive(turn))).await;
    asks("ann", json!({"a": "hand_over", "user": "bob"})).await;
    asks("bob", json!({"a": "close"})).await;
    game.relay.until(&table, |followed| followed.has_ended).await;
    game.relay.until(&floor, |followed| own(followed) == Some(json!([]))).await;
    next.kill();
    let _last = scribe.worker("w3", 8);
    game.relay.until(&floor, |followed| followed.epochs.len() == 3).await;
    let hosted = scribe.journal::<Hosted>(&table);
    let floor = scribe.journal::<Floor>(&floor);
    is_written_as_it_stands::<Hosted>(&hosted);
    is_written_as_it_stands::<Floor>(&floor);
    assert_eq!(words::<Hosted>(&hosted, hosted_word), words::<Hosted>(&journal(HOSTED), hosted_word));
    assert_eq!(words::<Floor>(&floor, floor_word), words::<Floor>(&journal(FLOOR), floor_word));
}

/// Three seats at a table; blinds grow so fast that nobody needs to act.
fn cup() -> TournamentConfig {
    let level = |at: u32| {
        let big_blind = 20 << at;
        Level::Play { small_blind: big_blind / 2, big_blind, ante: 0, ms: 4_000 }
    };
    TournamentConfig {
        name: "Cup".into(),
        seats: 3,
        entries_min: 2,
        entries_max: 9,
        starts: Starts::AtMs(1_700_000_010_000),
        late_levels: 1,
        levels: (0..8).map(level).collect(),
        hand_for_hand: HandForHand { margin: 2, ties: Ties::Stacks, hand_ms: 5_000 },
        stack: 180,
        turn_ms: 200,
        bank_ms: 0,
        pause_ms: 100,
        runout_ms: 0,
        deal_in_ms: 500,
        linger_ms: 2_000,
        ..TournamentConfig::default()
    }
}

fn has(word: &'static str) -> impl Fn(&Followed) -> bool {
    move |followed| followed.told.iter().any(|event| event["e"] == word)
}

#[tokio::test(start_paused = true)]
async fn a_tournament_and_its_table_write_what_stands_in_their_golden_journals() {
    let mut scribe = Scribe::new(dealer_worker::kinds().served_by(money::SERVICE, Arc::new(Cage)));
    let settings = director::Settings {
        id: room(1),
        template: "cup".into(),
        number: 1,
        repeats: true,
        every_ms: 3_600_000,
        price: Some(Price { currency: "PLAY".parse().unwrap(), fee: 10 }),
        tournament: cup(),
    };
    scribe.house.open_room(&RoomSpec::new(Tournament::NAME, &settings)).await;
    let worker = scribe.worker("w1", 64);
    let relay = Relay::new(&scribe.house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let asks = async |who: UserId, rights: Rights, what: Value| {
        loop {
            let answer = relay.command_with(rights, &room(1), &who, what.clone()).await;
            match answer.code() {
                "applied" => return,
                "busy" => sleep(answer.retry_after()).await,
                code => panic!("{code} for {what}"),
            }
        }
    };
    let register = async |name: &str| asks(user(name), Rights::default(), json!({"a": "register"})).await;
    let unregister = async |name: &str| asks(user(name), Rights::default(), json!({"a": "unregister"})).await;
    for name in ["dan", "eve"] {
        register(name).await;
    }
    unregister("eve").await;
    for name in ["p1", "p2", "p3", "p4", "p5", "bob"] {
        register(name).await;
        let is_in = |event: &Value| event["e"] == "registered" && event["user"] == name;
        relay.until(&room(1), |followed| followed.told.iter().any(is_in)).await;
    }
    unregister("p3").await;
    register("p3").await;
    relay.until(&room(1), has("started")).await;
    // Both tables are full: he opens a third.
    register("p7").await;
    let director = Rights { roles: Roles::FLOOR, ..Rights::default() };
    asks(user("dora"), director, json!({"a": "pause"})).await;
    worker.kill();
    let _next = scribe.worker("w2", 64);
    asks(user("dora"), director, json!({"a": "resume"})).await;
    relay.until(&room(1), |followed| followed.has_ended).await;
    let tournament = scribe.journal::<Tournament>(&room(1));
    let table = scribe.journal::<TournamentTable>(&RoomId::new("t1.1").unwrap());
    is_written_as_it_stands::<Tournament>(&tournament);
    is_written_as_it_stands::<TournamentTable>(&table);
    let golden = words::<Tournament>(&journal(TOURNAMENT), tournament_word);
    assert_eq!(words::<Tournament>(&tournament, tournament_word), golden);
    let golden = words::<TournamentTable>(&journal(TOURNAMENT_TABLE), at_table_word);
    assert_eq!(words::<TournamentTable>(&table, at_table_word), golden);
}
