//! What everybody sees of a tournament: its state, what happens, its line in the lobby, and answers to questions.

use broker::lobby::{Line, More};
use protocol::{
    RefusalCode,
    id::{RoomId, UserId},
    tournament::{
        LOBBY_SCHEDULED, LOBBY_SIT_AND_GO, PAGE_MAX, Phase, Starts, TournamentAnswer, TournamentConfig,
        TournamentEvent as Seen, TournamentQuestion, Where,
    },
};
use rooms::room::{Refusal, json};
use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use super::{
    stakes::Price,
    state::{At, Event, Stage, Tournament},
};

/// So many prizes and players stand in the state.
const TOP: usize = 10;

/// A keyframe's `state`.
pub(super) fn state(room: &Tournament) -> Box<RawValue> {
    #[derive(Serialize)]
    struct State<'a> {
        config: &'a TournamentConfig,
        #[serde(flatten)]
        price: Option<&'a Price>,
        #[serde(flatten)]
        live: Map<String, Value>,
    }
    let price = room.stakes.as_ref().map(|stakes| &stakes.price);
    json(&State { config: room.config(), price, live: live(room) })
}

/// All of it that changes.
pub(super) fn live(room: &Tournament) -> Map<String, Value> {
    let tables = room.tables.values().filter(|table| matches!(table.stage, Stage::Open | Stage::Breaking));
    let top: Vec<_> = room.top(TOP).into_iter().filter_map(|entry| room.standing(entry)).collect();
    let prizes = room.first_prizes(TOP);
    let fields = serde_json::json!({
        "phase": room.phase,
        "open": is_open(room),
        "entries": room.entered(),
        "left": room.left(),
        "paid": room.paid(),
        "pool": room.pool(),
        "prizes": prizes,
        "clock": room.clock,
        "hand_for_hand": room.hold.is_some(),
        "tables": tables.count(),
        "top": top,
        "next": room.next,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Whether one may register.
pub(super) fn is_open(room: &Tournament) -> bool {
    let has_place = room.entered() < room.config().entries_max;
    !room.is_closed && has_place && matches!(room.phase, Phase::Registering | Phase::Running)
}

/// What everybody sees of an event, before it takes effect.
pub(super) fn seen(room: &Tournament, event: &Event) -> Vec<Seen> {
    let user = |entry: u32| room.entrants.get(&entry).map(|entrant| entrant.user.clone());
    let named = |entry: &u32| Some((*entry, user(*entry)?));
    match event {
        Event::Registered { entry, user, name } => {
            vec![Seen::Registered { entry: *entry, user: user.clone(), name: name.clone() }]
        }
        Event::Unregistered { entry } => {
            named(entry).map(|(entry, user)| Seen::Unregistered { entry, user }).into_iter().collect()
        }
        Event::Started { clock, tables, .. } => {
            let tables = (1..=*tables).map(|table| room.room_of(table)).take(PAGE_MAX).collect();
            vec![Seen::Started { deal_ms: clock.base_ms, tables }]
        }
        Event::Seated { entry, table } => {
            let table = room.room_of(*table);
            named(entry).map(|(entry, user)| Seen::Seated { entry, user, table }).into_iter().collect()
        }
        Event::Giving { table, all: true, .. } => vec![Seen::Breaking { table: room.room_of(*table) }],
        Event::Released { table, players, .. } => {
            let from = room.room_of(*table);
            let moved = |(entry, user)| Seen::Moved { entry, user, from: from.clone() };
            players.iter().filter_map(|(entry, ..)| named(entry).map(moved)).collect()
        }
        Event::Busted { table, hand, players } => {
            let (table, hand) = (room.room_of(*table), *hand);
            let busted = |(entry, user)| Seen::Busted { entry, user, table: table.clone(), hand };
            players.iter().filter_map(|(entry, _)| named(entry).map(busted)).collect()
        }
        Event::Placed { entry, place, prize } => {
            let name = room.entrants.get(entry).map(|entrant| entrant.name.clone()).unwrap_or_default();
            let (place, prize) = (*place, *prize);
            let placed = |(entry, user)| Seen::Placed { entry, user, name, place, prize };
            named(entry).map(placed).into_iter().collect()
        }
        Event::Closed => vec![Seen::RegistrationClosed],
        Event::Holding { round, .. } if round.is_some() != room.hold.is_some() => {
            vec![Seen::HandForHand { on: round.is_some() }]
        }
        Event::ClockSet { .. } => vec![Seen::ClockChanged],
        Event::Adjusted { table, chips } => {
            vec![Seen::Adjusted { table: room.room_of(*table), chips: *chips }]
        }
        Event::Next { room } => vec![Seen::Next { room: room.clone() }],
        Event::Penalized { entry, hands, is_new } if *is_new || is_news(room, *entry, *hands) => {
            let hands = *hands;
            let penalized = |(entry, user)| Seen::Penalized { entry, user, hands };
            named(entry).map(penalized).into_iter().collect()
        }
        Event::Expelled { entry, chips } => {
            let chips = *chips;
            let out = |(entry, user)| Seen::Disqualified { entry, user, chips };
            named(entry).map(out).into_iter().collect()
        }
        Event::Cancelled { .. } => vec![Seen::Cancelled],
        Event::Ended { .. } => {
            let winner = room.out.last().and_then(|(_, group)| group.first()).and_then(|entry| user(*entry));
            winner.map(|winner| Seen::Ended { winner }).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// Whether what a table says of a penalty is that it is over.
fn is_news(room: &Tournament, entry: u32, hands: u32) -> bool {
    hands == 0 && room.directed.get(&entry).is_some_and(|directed| directed.penalty > 0)
}

/// Answers a question.
///
/// # Errors
/// A [`Refusal`]: it is none of a tournament.
pub(super) fn answer(room: &Tournament, user: &UserId, question: &[u8]) -> Result<Box<RawValue>, Refusal> {
    let refuse = |why: &dyn std::fmt::Display| {
        Refusal::new(RefusalCode::BadQuestion, format!("not a question to a tournament: {why}"))
    };
    let text = str::from_utf8(question).map_err(|error| refuse(&error))?;
    let question = TournamentQuestion::read(text).map_err(|error| refuse(&error))?;
    Ok(json(&match question {
        TournamentQuestion::Me => {
            let me = room.by_user.get(user).and_then(|entry| room.standing(*entry));
            let stakes = room.stakes.as_ref();
            let paying = stakes.is_some_and(|stakes| stakes.paying(user).is_some());
            let declined = stakes.filter(|_| me.is_none()).and_then(|stakes| stakes.declined(user));
            TournamentAnswer::Me { me, paying, declined }
        }
        TournamentQuestion::Standings { from } => {
            let ranking = room.ranking();
            let lines = page(&ranking, from).iter().filter_map(|entry| room.standing(*entry)).collect();
            TournamentAnswer::Standings { from, total: ranking.len() as u64, lines }
        }
        TournamentQuestion::Prizes => {
            TournamentAnswer::Prizes { pool: room.pool(), open: !room.is_closed, prizes: room.all_prizes() }
        }
        TournamentQuestion::Tables { from } => {
            let sizes = room.sizes();
            let tables = page(&sizes, from).iter();
            let tables = tables.map(|size| Where { room: room.room_of(size.table), players: size.players });
            TournamentAnswer::Tables { from, total: sizes.len() as u64, tables: tables.collect() }
        }
    }))
}

fn page<T>(all: &[T], from: u64) -> &[T] {
    let from = usize::try_from(from).unwrap_or(usize::MAX).min(all.len());
    &all[from..all.len().min(from.saturating_add(PAGE_MAX))]
}

/// Its line in the lobby; once it is over it has none.
pub(super) fn line(room: &Tournament, id: &RoomId) -> Option<Line> {
    if room.is_over {
        return None;
    }
    let config = room.config();
    let (kind, starts_ms) = match config.starts {
        Starts::WhenFull => (LOBBY_SIT_AND_GO, 0),
        Starts::AtMs(at) => (LOBBY_SCHEDULED, at),
    };
    let mut more = More::of([
        ("phase", serde_json::json!(room.phase)),
        ("buy_in", config.buy_in.into()),
        ("pool", room.pool().into()),
        ("left", room.left().into()),
        ("at_a_table", config.seats.into()),
        ("open", is_open(room).into()),
        ("people", room.tally.people().into()),
    ]);
    if let Some(Price { currency, fee }) = room.stakes.as_ref().map(|stakes| stakes.price) {
        more.0.insert("currency".into(), currency.as_str().into());
        more.0.insert("fee".into(), fee.into());
    }
    Some(Line {
        room: id.clone(),
        kind: kind.into(),
        name: config.name.clone(),
        game: table::stats::game_name(config.limit, config.variant),
        big_blind: 0,
        seats: config.entries_max,
        taken: room.entered(),
        average_pot: 0,
        hands_per_hour: 0,
        starts_ms,
        more,
    })
}

/// Whether an entry is at this table, or on the way there.
pub(super) fn is_at(at: &At, table: u32) -> bool {
    matches!(at, At::Seated(known) | At::Sent(known) if *known == table)
}
