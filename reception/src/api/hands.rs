//! Hands that are over. Whose cards somebody may see is [`hands::seen`]'s to say.

use axum::{
    Json,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use cage::history::find::Filter;
use hands::{Name, told};
use protocol::{id::RoomId, time::UnixMs};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    NO_STORE, Offices,
    asked::{Behind, By, Kept, NUMBER_MAX, Named, Perhaps},
    form::Form,
};
use crate::{error::ApiError, people::KeptHand};

/// Hands that are told at once, unless it is said how many.
const HANDS: u32 = 50;

/// Hands that are told at once, at most.
const HANDS_MAX: u32 = 100;

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

/// Where a page ends: when the last hand on it ended, and its name. Nobody's hand is found by it but one's own, so it may be anybody's.
fn place(hand: &KeptHand) -> String {
    format!("{}.{}", hand.seen.ended_ms, hand.name)
}

fn read_place(text: &str) -> Option<(UnixMs, Name)> {
    let (ended_ms, name) = text.split_once('.')?;
    let ended_ms = ended_ms.parse().ok().filter(|ended_ms| *ended_ms <= NUMBER_MAX)?;
    Some((ended_ms, name.parse().ok()?))
}

impl AskHands {
    fn filter(self) -> Result<Filter, ApiError> {
        let room = self.room.map(|room| RoomId::new(&room)).transpose();
        let before = |place: String| read_place(&place).ok_or_else(|| bad("before is what a page has told"));
        Ok(Filter {
            room: room.map_err(|name| bad(&name.to_string()))?,
            game: self.game,
            min_pot: number(self.min_pot)?.unwrap_or(0),
            from_ms: number(self.from)?.unwrap_or(0),
            to_ms: number(self.to)?,
            before: self.before.map(before).transpose()?,
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
        told["before"] = place(last).into();
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
    let name = name.parse().map_err(|_| ApiError::NotFound)?;
    let hand = people.hand(caller.as_ref(), name).await?;
    let hand = match asked.names {
        Some(Names::Hidden) => hand.without_names(),
        None => hand,
    };
    let (seen, about) = (&hand.seen, hand.about());
    let told = match form {
        Form::Json => told::json::hand(seen, about).to_string(),
        Form::OpenHandHistory => told::files::ohh(seen, about),
        Form::Phh => told::files::phh(seen, about).to_string(),
        Form::Text => told::files::text(seen, about),
    };
    // It differs by who asks, and by what he wants.
    let headers = [(header::CONTENT_TYPE, form.content_type()), (header::VARY, "accept, authorization")];
    Ok((NO_STORE, headers, told).into_response())
}

/// The requests here, which count as others do.
pub(super) fn counted() -> Vec<(&'static str, axum::routing::MethodRouter<Offices>)> {
    use axum::routing::get;
    vec![("/api/me/hands", get(own)), ("/api/hands/{id}", get(hand)), ("/api/tables/{id}/hands", get(last))]
}
