//! Hands that are over. Whose cards somebody may see is [`hands::seen`]'s to say.

use axum::{
    Json,
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use cage::history::{
    Period, Sum,
    find::{Filter, Place},
};
use hands::{
    checkpoint::{Checkpoint, KIND, PURPOSE},
    stats::Tally,
    told::{self, Money},
};
use protocol::{id::RoomId, time::UnixMs};
use serde::Deserialize;
use serde_json::{Value, json};
use tokens::KeySet;

use super::{
    NO_STORE, Offices,
    asked::{Behind, By, From, Kept, NUMBER_MAX, Named, Perhaps},
    form::Form,
};
use crate::{
    error::ApiError,
    people::{
        Collected, FileAsked, Format, HandFile, KeptHand, WantedHand,
        collecting::{read_place, write_place},
    },
};

/// Hands that are told at once, unless it is said how many.
const HANDS: u32 = 50;

/// Hands that are told at once, at most.
const HANDS_MAX: u32 = 100;

/// Hands in a part of a collection at most.
const COLLECTED_MAX: u32 = 1_000;

/// Hands in a file at most.
const FILE_MAX: u32 = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskHands {
    room: Option<String>,
    game: Option<String>,
    min_pot: Option<u64>,
    from: Option<UnixMs>,
    to: Option<UnixMs>,
    before: Option<String>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskLast {
    limit: Option<u32>,
}

/// Whether it is told who has played.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Names {
    Hidden,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskHand {
    names: Option<Names>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskStats {
    from: Option<UnixMs>,
    to: Option<UnixMs>,
    game: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum FileFormat {
    Phhs,
    Ohh,
    Text,
    Proof,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskFile {
    format: FileFormat,
    from: Option<UnixMs>,
    to: Option<UnixMs>,
    after: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskCollection {
    after: Option<String>,
    limit: Option<u32>,
}

fn bad(why: &str) -> ApiError {
    ApiError::BadRequest(why.into())
}

/// How many hands are wanted.
fn most(limit: Option<u32>) -> Result<u32, ApiError> {
    let most = limit.unwrap_or(HANDS);
    if (1..=HANDS_MAX).contains(&most) { Ok(most) } else { Err(bad("limit is 1 to 100")) }
}

fn number(said: Option<u64>) -> Result<Option<u64>, ApiError> {
    if said.is_some_and(|said| said > NUMBER_MAX) { Err(bad("there are no such numbers")) } else { Ok(said) }
}

fn period(from: Option<UnixMs>, to: Option<UnixMs>) -> Result<Period, ApiError> {
    Ok(Period { from_ms: number(from)?.unwrap_or(0), to_ms: number(to)?.unwrap_or(u64::MAX) })
}

impl AskHands {
    fn filter(self) -> Result<Filter, ApiError> {
        let room = self.room.map(|room| RoomId::new(&room)).transpose();
        Ok(Filter {
            room: room.map_err(|name| bad(&name.to_string()))?,
            game: self.game,
            min_pot: number(self.min_pot)?.unwrap_or(0),
            from_ms: number(self.from)?.unwrap_or(0),
            to_ms: number(self.to)?,
            before: self.before.as_deref().map(read_place).transpose()?,
        })
    }
}

/// A page of one's own hands, and where it ends if there are more.
pub(super) async fn own(
    Kept(people): Kept,
    By(caller): By,
    Behind(asked): Behind<AskHands>,
) -> Result<Response, ApiError> {
    let most = most(asked.limit)?;
    let mut hands = people.hands_of(&caller, asked.filter()?, most + 1).await?;
    let is_more = hands.len() > most as usize;
    hands.truncate(most as usize);
    let mut told = lines(&hands);
    if let Some(last) = hands.last().filter(|_| is_more) {
        told["before"] = write_place(&(last.seen.ended_ms, last.name.clone())).into();
    }
    Ok((NO_STORE, Json(told)).into_response())
}

/// The last hands of a table, as everybody saw them.
pub(super) async fn last(
    Kept(people): Kept,
    Named(room): Named,
    Behind(asked): Behind<AskLast>,
) -> Result<Response, ApiError> {
    let room = RoomId::new(&room).map_err(|_| ApiError::NotFound)?;
    let hands = people.hands_at(room, most(asked.limit)?).await?;
    Ok((NO_STORE, Json(lines(&hands))).into_response())
}

fn lines(hands: &[KeptHand]) -> Value {
    let hands: Vec<_> = hands.iter().map(|hand| told::json::line(&hand.seen, hand.about())).collect();
    json!({ "hands": hands })
}

/// A hand, in the form that is wanted.
pub(super) async fn hand(
    Kept(people): Kept,
    Perhaps(caller): Perhaps,
    Named(name): Named,
    Behind(asked): Behind<AskHand>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let form = Form::wanted(&headers)?;
    let wanted = match name.parse() {
        Ok(link) => WantedHand::Linked(link),
        Err(_) => WantedHand::Named(name.parse().map_err(|_| ApiError::NotFound)?),
    };
    let hand = people.hand(caller.as_ref(), wanted).await?;
    let hand = match asked.names {
        Some(Names::Hidden) => hand.without_names(),
        None => hand,
    };
    let (seen, about) = (&hand.seen, hand.about());
    let told = match form {
        Form::Json => with_ways(told::json::hand(seen, about), &hand),
        Form::Frames => with_ways(told::frames::frames(seen, about), &hand),
        Form::OpenHandHistory => told::files::ohh(seen, about),
        Form::Phh => told::files::phh(seen, about).to_string(),
        Form::Text => told::files::text(seen, about),
    };
    // It differs by who asks, and by what he wants.
    let headers = [(header::CONTENT_TYPE, form.content_type()), (header::VARY, "accept, authorization")];
    Ok((NO_STORE, headers, told).into_response())
}

/// With what leads to it, and from there to others.
fn with_ways(mut told: Value, hand: &KeptHand) -> String {
    told["link"] = json!(hand.link.map(|link| link.to_string()));
    if let Some([previous, next]) = &hand.beside {
        told["previous"] = json!(previous.as_ref().map(ToString::to_string));
        told["next"] = json!(next.as_ref().map(ToString::to_string));
    }
    told.to_string()
}

/// Checkpoints that are told at once at most.
const CHECKPOINTS_MAX: u32 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskCheckpoints {
    after: Option<u64>,
    limit: Option<u32>,
}

/// What was signed of hands, for whoever wants to keep it; and the keys that have signed it.
pub(super) async fn checkpoints(
    Kept(people): Kept,
    Behind(asked): Behind<AskCheckpoints>,
) -> Result<Response, ApiError> {
    let most = asked.limit.unwrap_or(CHECKPOINTS_MAX);
    if !(1..=CHECKPOINTS_MAX).contains(&most) {
        return Err(bad("limit is 1 to 1000"));
    }
    let (listed, keys) = people.checkpoints(number(asked.after)?.unwrap_or(0), most).await?;
    let checkpoints: Vec<Value> = listed
        .iter()
        .map(|listed| {
            let read = keys.stated::<Checkpoint>(KIND, &listed.stated);
            let mut told =
                read.map_or_else(|_| json!({ "n": listed.n }), |(checkpoint, _)| json!(checkpoint));
            told["stated"] = listed.stated.as_str().into();
            told
        })
        .collect();
    let jwks: Value =
        serde_json::from_str(&keys.to_json_with(PURPOSE, &KeySet::default())).expect("keys are JSON");
    Ok((NO_STORE, Json(json!({ "checkpoints": checkpoints, "keys": jwks["keys"] }))).into_response())
}

/// What one has done, of each game and in all.
pub(super) async fn stats(
    Kept(people): Kept,
    By(caller): By,
    Behind(asked): Behind<AskStats>,
) -> Result<Response, ApiError> {
    let sums = people.sums_of(&caller, period(asked.from, asked.to)?, asked.game).await?;
    let mut all = Tally::default();
    sums.iter().for_each(|(sum, _)| all.add(&sum.tally));
    let games: Vec<_> = sums.iter().map(|(sum, money)| game_told(sum, *money)).collect();
    Ok((NO_STORE, Json(json!({ "games": games, "all": tally_told(&all) }))).into_response())
}

fn game_told(Sum { game, currency, tally }: &Sum, money: Money) -> Value {
    let mut told = tally_told(tally);
    told["game"] = json!(game);
    told["currency"] = json!(currency);
    told["digits"] = json!(money.digits());
    told["net"] = json!(tally.net);
    told["rake"] = json!(tally.rake);
    told
}

/// Of all games together it is not told what was won: chips of several kinds do not add up.
fn tally_told(tally: &Tally) -> Value {
    let rates = tally.rates();
    json!({
        "hands": tally.hands,
        "vpip": tally.vpip,
        "pfr": tally.pfr,
        "three_bet": tally.three_bet,
        "three_bet_could": tally.three_bet_could,
        "flops": tally.flops,
        "showdowns": tally.showdowns,
        "showdowns_won": tally.showdowns_won,
        "bets": tally.bets,
        "calls": tally.calls,
        "rates": {
            "vpip": rates.vpip,
            "pfr": rates.pfr,
            "three_bet": rates.three_bet,
            "af": rates.af,
            "wtsd": rates.wtsd,
            "wsd": rates.wsd,
            "bb_100": rates.bb_100,
        },
    })
}

/// A file of one's own hands, and where the next one begins.
pub(super) async fn file(
    Kept(people): Kept,
    By(caller): By,
    Behind(asked): Behind<AskFile>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (format, word) = match asked.format {
        FileFormat::Phhs => (Format::Phhs, "phhs"),
        FileFormat::Ohh => (Format::Ohh, "ohh"),
        FileFormat::Text => (Format::Text, "text"),
        FileFormat::Proof => (Format::Proof, "proof"),
    };
    let is_packed = takes_gzip(&headers);
    let period = period(asked.from, asked.to)?;
    let after = asked.after.as_deref().map(read_place).transpose()?;
    let file = FileAsked { period, after, format, most: FILE_MAX, is_packed };
    let HandFile { next, bytes } = people.hand_file(&caller, file).await?;
    let name = format!("attachment; filename=\"hands.{}\"", format.extension());
    let mut response = (
        NO_STORE,
        [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::VARY, "accept-encoding, authorization"),
        ],
        [(header::CONTENT_DISPOSITION, name)],
        Body::from_stream(bytes),
    )
        .into_response();
    if is_packed {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Some(place) = next {
        // Names of rooms have no character that a header could not hold.
        let link = HeaderValue::try_from(link_to(word, asked.to, &place));
        response.headers_mut().extend(link.map(|link| (header::LINK, link)));
    }
    Ok(response)
}

/// Hands of everybody with every card and without a name, one a line; for staff.
pub(super) async fn collection(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Behind(asked): Behind<AskCollection>,
) -> Result<Response, ApiError> {
    let most = asked.limit.unwrap_or(COLLECTED_MAX);
    if !(1..=COLLECTED_MAX).contains(&most) {
        return Err(bad("limit is 1 to 1000"));
    }
    let after = asked.after.as_deref().map_or(Ok(Collected::Nothing), Collected::read)?;
    let begins = asked.after.as_deref().unwrap_or("the-first");
    // The same question has the same name.
    let name = format!("attachment; filename=\"hands-{begins}-{most}.ndjson\"");
    let (hands, next) = people.collect_hands(&caller, after, most, &asker).await?;
    let lines: String = hands.iter().map(|hand| format!("{hand}\n")).collect();
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson")];
    let mut response = (NO_STORE, headers, [(header::CONTENT_DISPOSITION, name)], lines).into_response();
    if let Some(place) = next {
        let link = format!("</api/training/hands?limit={most}&after={place}>; rel=\"next\"");
        response.headers_mut().extend(HeaderValue::try_from(link).map(|link| (header::LINK, link)));
    }
    Ok(response)
}

/// Where the next file is, as `Link` says it (RFC 8288).
fn link_to(format: &str, to: Option<UnixMs>, after: &Place) -> String {
    let to = to.map_or(String::new(), |to| format!("&to={to}"));
    format!("</api/me/hands/export?format={format}{to}&after={}>; rel=\"next\"", write_place(after))
}

/// Whether the client unpacks gzip (RFC 9110, section 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let said = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|said| said.to_str().ok());
    let mut codings = said.flat_map(|said| said.split(',')).map(|coding| {
        let (coding, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = weight.trim().strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0_f32));
        (coding.trim().to_ascii_lowercase(), is_refused)
    });
    codings.any(|(coding, is_refused)| matches!(coding.as_str(), "gzip" | "x-gzip") && !is_refused)
}

/// The requests here, which count as others do.
pub(super) fn counted() -> Vec<(&'static str, axum::routing::MethodRouter<Offices>)> {
    use axum::routing::get;
    vec![
        ("/api/me/hands", get(own)),
        ("/api/me/hands/export", get(file)),
        ("/api/me/stats", get(stats)),
        ("/api/training/hands", get(collection)),
        ("/api/hands/{id}", get(hand)),
        ("/api/history/checkpoints", get(checkpoints)),
        ("/api/tables/{id}/hands", get(last)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_told_and_in_no_other_way() {
        for told in ["0.t1.1-2", "1700000000900.cup-1.2.7-30"] {
            assert_eq!(write_place(&read_place(told).unwrap()), told);
        }
        for wrong in [
            "",
            "t1.1-2",
            "1.t1",
            "01.t1.1-2",
            "+1.t1.1-2",
            "1.t1.1-02",
            "9007199254740992.t1.1-2",
            " 1.t1.1-2",
        ] {
            assert!(matches!(read_place(wrong), Err(ApiError::BadRequest(_))), "{wrong}");
        }
    }

    #[test]
    fn the_link_to_the_next_file_asks_for_what_is_behind_this_one() {
        let place = read_place("1700000000900.t1.7-30").unwrap();
        assert_eq!(
            link_to("phhs", Some(9), &place),
            "</api/me/hands/export?format=phhs&to=9&after=1700000000900.t1.7-30>; rel=\"next\""
        );
        assert!(link_to("ohh", None, &place).contains("?format=ohh&after=1700000000900.t1.7-30>"));
    }

    #[test]
    fn a_file_is_packed_for_who_unpacks_it() {
        for (said, packed) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("x-gzip", true),
            ("identity, gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("br", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, said.parse().unwrap());
            assert_eq!(takes_gzip(&headers), packed, "{said}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
