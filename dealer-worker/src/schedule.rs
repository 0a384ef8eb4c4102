//! Tournaments that a house offers: a file of templates. Of each there is one that takes entries; when it begins, it opens the next itself.

use broker::{
    directory::{self, Readers},
    node::RoomSpec,
    ports::Ports,
    store::Unavailable,
};
use money::Currency;
use protocol::{
    id::RoomId,
    rail::{RailCards, RailChoice, RailConfig},
    time::UnixMs,
    tournament::{Starts, TournamentConfig},
};
use rooms::{open_room, room::Room as _};
use serde::Deserialize;
use serde_json::value::RawValue;
use tournament::{
    Price, Settings, Tournament,
    presets::{Speed, sit_and_go},
    settings::{check, check_price},
};

/// The longest name of a template: the names of its tournaments and of their tables are longer.
const ID_CHARS_MAX: usize = 20;

/// More templates are a mistake.
const TEMPLATES_MAX: usize = 200;

/// A tournament that is offered again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The first part of the names of its tournaments.
    pub id: String,
    /// Of those that begin at a time: so long after the one before, milliseconds, at whole multiples of it.
    pub every_ms: u64,
    /// How those watch their tables who have no seat there.
    pub rail: RailConfig,
    /// What an entry costs, where it costs chips that are somebody's.
    pub price: Option<Price>,
    /// What they are set to.
    pub tournament: TournamentConfig,
}

/// As it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    #[serde(default)]
    every_ms: u64,
    #[serde(default)]
    rail: WrittenRail,
    #[serde(default)]
    price: Option<WrittenPrice>,
    #[serde(default)]
    preset: Option<Preset>,
    #[serde(default)]
    tournament: Option<TournamentConfig>,
}

/// How its tables are watched.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenRail {
    delay_ms: u64,
    cards: RailCards,
}

/// What an entry costs. What it adds to the prizes is the tournament's `buy_in`, unless it stands here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPrice {
    currency: Currency,
    #[serde(default)]
    buy_in: Option<u64>,
    #[serde(default)]
    fee: u64,
}

/// One of the house's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preset {
    seats: u8,
    speed: String,
}

/// A schedule that cannot be kept, and where it says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct BadSchedule {
    /// From 1.
    pub line: usize,
    /// In words.
    pub why: String,
}

/// Reads a schedule: a JSON array of templates.
///
/// # Errors
/// [`BadSchedule`] names the line.
pub fn read(text: &str) -> Result<Vec<Template>, BadSchedule> {
    let bad = |line: usize, why: String| BadSchedule { line, why };
    let parts: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|error| bad(error.line(), error.to_string()))?;
    if parts.len() > TEMPLATES_MAX {
        return Err(bad(1, format!("there are more than {TEMPLATES_MAX} templates")));
    }
    let mut templates: Vec<Template> = Vec::new();
    for part in parts {
        let offset = part.get().as_ptr() as usize - text.as_ptr() as usize;
        let first = 1 + text[..offset].matches('\n').count();
        let written: Written = serde_json::from_str(part.get())
            .map_err(|error| bad(first + error.line().saturating_sub(1), error.to_string()))?;
        let template = whole(written).map_err(|why| bad(first, why))?;
        if templates.iter().any(|known| known.id == template.id) {
            return Err(bad(first, format!("`id` {} is there twice", template.id)));
        }
        templates.push(template);
    }
    Ok(templates)
}

fn whole(written: Written) -> Result<Template, String> {
    let Written { id, every_ms, rail: WrittenRail { delay_ms, cards }, price, preset, tournament } = written;
    if id.is_empty() || id.len() > ID_CHARS_MAX || RoomId::new(&id).is_err() || id.contains('.') {
        return Err(format!("`id` has 1 to {ID_CHARS_MAX} characters of A-Z a-z 0-9 _ -"));
    }
    let mut tournament = match (preset, tournament) {
        (Some(Preset { seats, speed }), None) => {
            let named = Speed::named(&speed);
            sit_and_go(seats, named.ok_or("`preset.speed` is hyper, turbo or regular")?)
        }
        (None, Some(tournament)) => tournament,
        _ => return Err("it has either `preset` or `tournament`".into()),
    };
    let price = price.map(|WrittenPrice { currency, buy_in, fee }| {
        tournament.buy_in = buy_in.unwrap_or(tournament.buy_in);
        Price { currency, fee }
    });
    check(&tournament)
        .and_then(|()| check_price(price.as_ref(), &tournament))
        .map_err(|bad| bad.to_string())?;
    if matches!(tournament.starts, Starts::AtMs(_)) != (every_ms > 0) {
        return Err("`every_ms` belongs to what `starts` at a time, `at_ms`, and to nothing else".into());
    }
    if (1..60_000).contains(&every_ms) {
        return Err("`every_ms` is at least 60000".into());
    }
    if cards != RailCards::Never {
        return Err("those who watch a table of a tournament see nobody's cards, as they may play at another: `rail.cards` is `never`".into());
    }
    let rail = RailChoice { delay_ms, cards, viewers_max: 0 }.config()?;
    Ok(Template { id, every_ms, rail, price, tournament })
}

/// The first template whose entries cost a currency, and which.
pub fn first_price(templates: &[Template]) -> Option<(&str, Currency)> {
    templates.iter().find_map(|template| Some((&*template.id, template.price?.currency)))
}

/// What a newcomer's house offers.
pub fn of_a_newcomer() -> Vec<Template> {
    let template = |id: &str, seats| Template {
        id: id.into(),
        every_ms: 0,
        rail: RailConfig::default(),
        price: None,
        tournament: sit_and_go(seats, Speed::Hyper),
    };
    vec![template("hyper", 6), template("duel", 2)]
}

/// What tournaments there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opened {
    /// So many are new.
    pub opened: u32,
    /// Entries of one of them cost chips that are somebody's.
    pub has_prices: bool,
}

/// Opens the first tournament of each template of which there is none.
///
/// # Errors
/// The directory cannot be read or written; some may have been opened.
pub async fn open(ports: &Ports, templates: &[Template]) -> Result<Opened, Unavailable> {
    let (mut known, mut opened): (Vec<String>, _) = (Vec::new(), Opened::default());
    for (_, spec) in directory::specs(&*ports.store).await? {
        let Ok(spec) = serde_json::from_slice::<RoomSpec>(&spec) else { continue };
        if spec.kind == Tournament::NAME
            && let Ok(settings) = spec.read::<Settings>()
        {
            opened.has_prices |= settings.price.is_some();
            known.push(settings.template);
        }
    }
    for template in templates.iter().filter(|template| !known.contains(&template.id)) {
        let settings = first(template, ports.clock.now_ms());
        let spec = RoomSpec::new(Tournament::NAME, &settings).with_rail(template.rail);
        // Workers of earlier releases could do nothing with it.
        opened.has_prices |= settings.price.is_some();
        opened.opened += u32::from(open_room(ports, &settings.id, &spec, Readers::OfThisRelease).await?);
    }
    Ok(opened)
}

fn first(template: &Template, now: UnixMs) -> Settings {
    let Template { id: template, every_ms, price, mut tournament, .. } = template.clone();
    if let Starts::AtMs(at) = tournament.starts
        && at <= now
    {
        let passed = (now - at) / every_ms.max(1);
        tournament.starts = Starts::AtMs(at + (passed + 1) * every_ms);
    }
    let id = RoomId::new(&format!("{template}-1")).expect("a template's id is short");
    Settings { id, template, number: 1, repeats: true, every_ms, price, tournament }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_read_and_the_line_of_a_mistake_is_named() {
        let good = r#"[
            {"id": "duel", "preset": {"seats": 2, "speed": "hyper"}},
            {"id": "cup", "every_ms": 1800000, "tournament": {"name": "Cup", "starts": {"at_ms": 0}, "entries_max": 100}}
        ]"#;
        assert_eq!(read(good).unwrap().len(), 2);
        for (line, text) in [
            (2, "[\n{\"id\": \"duel\"}]"),
            (
                3,
                "[{\"id\": \"a\", \"preset\": {\"seats\": 2, \"speed\": \"hyper\"}},\n\n{\"id\": \"a\", \"preset\": {\"seats\": 2, \"speed\": \"hyper\"}}]",
            ),
            (2, "[{\"id\": \"a\",\n\"preset\": {\"seats\": 2, \"sped\": \"hyper\"}}]"),
            (2, "[\n{\"id\": \"a\", \"tournament\": {\"name\": \"A\", \"stack\": 0}}]"),
            (1, "[{\"id\": \"a b\", \"preset\": {\"seats\": 2, \"speed\": \"hyper\"}}]"),
            (
                2,
                "[\n{\"id\": \"a\", \"rail\": {\"delay_ms\": 900001}, \"preset\": {\"seats\": 2, \"speed\": \"hyper\"}}]",
            ),
            (
                2,
                "[\n{\"id\": \"a\", \"rail\": {\"cards\": \"delayed\"}, \"preset\": {\"seats\": 2, \"speed\": \"hyper\"}}]",
            ),
            (
                2,
                "[\n{\"id\": \"a\", \"price\": {\"currency\": \"PLAY\", \"fee\": 101}, \"preset\": {\"seats\": 2, \"speed\": \"hyper\"}}]",
            ),
            (
                2,
                "[{\"id\": \"a\",\n\"price\": {\"currency\": \"play\"}, \"preset\": {\"seats\": 2, \"speed\": \"hyper\"}}]",
            ),
            (1, "{}"),
        ] {
            let error = read(text).expect_err(text);
            assert_eq!(error.line, line, "{error}: {text}");
        }
    }

    #[test]
    fn an_entry_costs_what_the_schedule_says() {
        let text = r#"[{"id": "a", "price": {"currency": "EUR", "buy_in": 500, "fee": 50}, "preset": {"seats": 2, "speed": "hyper"}}]"#;
        let Settings { price, tournament, .. } = first(&read(text).unwrap()[0], 0);
        let price = price.expect("it has one");
        assert_eq!((price.currency.as_str(), price.fee, tournament.buy_in), ("EUR", 50, 500));
    }

    #[test]
    fn what_begins_at_a_time_begins_at_the_next_multiple() {
        let text = r#"[{"id": "cup", "every_ms": 60000, "tournament": {"starts": {"at_ms": 1000}}}]"#;
        let template = &read(text).unwrap()[0];
        assert_eq!(first(template, 0).tournament.starts, Starts::AtMs(1_000));
        assert_eq!(first(template, 61_000).tournament.starts, Starts::AtMs(121_000));
    }
}
