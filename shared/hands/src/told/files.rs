//! A hand in forms that programs of others read, and as a page for people.

use holdem::{
    SeatIndex,
    history::{Occasion, ohh as open_hand_history, text as page},
    phh::{Record, record_of},
};

use super::{About, Money};
use crate::{Seen, utc::Utc};

/// Who runs the games.
const SITE: &str = "Cardhouse";

/// Play money, where codes of ISO 4217 are wanted.
const PLAY: &str = "XPM";

/// As Open Hand History JSON.
pub fn ohh(seen: &Seen, about: About<'_>) -> String {
    open_hand_history::render(&seen.setup, &seen.facts(), &occasion(seen, about), seen.view())
}

/// As text.
pub fn text(seen: &Seen, about: About<'_>) -> String {
    page::render(&seen.setup, &seen.facts(), &occasion(seen, about), seen.view())
}

/// As PHH. `_id` is the hand's name, and `_void` says that it does not count.
pub fn phh(seen: &Seen, about: About<'_>) -> Record {
    let mut record = record_of(&seen.setup, &seen.facts(), about.money.digits().into());
    let occasion = occasion(seen, about);
    let mut order: Vec<SeatIndex> = seen.setup.seats.iter().map(|dealt| dealt.seat).collect();
    order.sort_unstable_by_key(|seat| seen.setup.button.clockwise().position(|at| at == *seat));
    let players: Vec<&str> = order.iter().map(|seat| occasion.names[seat.index()].as_str()).collect();
    record.tell_all("players", &players);
    record.tell("table", &occasion.table);
    record.tell("currency", &occasion.currency);
    let began = Utc::of(seen.started_ms);
    let numbers = [
        ("seat_count", seen.seats.to_string()),
        ("hand", seen.number.to_string()),
        ("day", began.day.to_string()),
        ("month", began.month.to_string()),
        ("year", began.year.to_string()),
        ("time", format!("{:02}:{:02}:{:02}", began.hour, began.minute, began.second)),
    ];
    record.other.extend(numbers.map(|(field, number)| (field.to_owned(), number)));
    record.tell("time_zone", "UTC");
    record.tell("_id", &occasion.hand);
    if about.is_void {
        record.other.push(("_void".into(), "true".into()));
    }
    record
}

/// The same without what leads back to the hand as others know it, under another name: for collections of many. People are called by what stands for
/// their ids.
pub fn phh_nameless(seen: &Seen, about: About<'_>, id: &str) -> Record {
    let mut named = seen.clone();
    for player in &mut named.players {
        player.name = player.user.as_ref().map(ToString::to_string);
    }
    let mut record = phh(&named, about);
    record.other.retain(|(field, _)| STAYS.contains(&field.as_str()));
    record.tell("_id", id);
    record
}

/// What is told of a hand in a collection beside its course.
const STAYS: [&str; 3] = ["players", "currency", "seat_count"];

fn occasion(seen: &Seen, About { name, money, is_void: _ }: About<'_>) -> Occasion {
    let mut names: Vec<String> = (1..=holdem::SEATS_MAX).map(|number| format!("Seat {number}")).collect();
    for player in &seen.players {
        if let Some(name) = &player.name {
            names[player.seat.index()].clone_from(name);
        }
    }
    let currency = match (money, &seen.currency) {
        (Money::Real { .. }, Some(code)) => code.clone(),
        _ => PLAY.to_owned(),
    };
    Occasion {
        site: SITE.to_owned(),
        hand: name.to_string(),
        table: seen.table.clone(),
        table_size: seen.seats,
        started_at: Utc::of(seen.started_ms).to_string(),
        currency,
        scale: money.digits().into(),
        tournament: None,
        names,
    }
}
