//! Signing in elsewhere: who may be asked, the way there and back, and what is linked to an account.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use cage::people::visit::Purpose;
use protocol::text::PlayerName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    NO_STORE, Offices,
    asked::{Address, Asked, By, From, Kept, Named, bearer, given},
    cookie,
    me::AskNick,
    told::{IdentityTold, SessionTold},
};
use crate::{
    error::ApiError,
    oidc::{Refused, provider::Answer},
    passwords::Secret,
    people::{Came, People},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskDeparture {
    #[serde(default)]
    link: bool,
    #[serde(default, deserialize_with = "given")]
    password: Option<Secret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskUnlink {
    #[serde(default, deserialize_with = "given")]
    password: Option<Secret>,
}

/// Where the page is to look: nothing of it is sent to anybody.
const PAGE: &str = "/#oidc=";

/// The page's address held a code: it is told to nobody.
const NO_REFERRER: (HeaderName, HeaderValue) =
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));

/// By whom people may sign in; nobody, in most houses.
pub(super) async fn providers(State(offices): State<Offices>) -> Response {
    let of = |people: &std::sync::Arc<People>| {
        let all = people.providers().all().iter();
        all.map(|provider| json!({ "name": provider.name(), "label": provider.label() })).collect::<Vec<_>>()
    };
    let providers = offices.people.as_ref().map(of).unwrap_or_default();
    ([(header::CACHE_CONTROL, "no-cache")], Json(json!({ "providers": providers }))).into_response()
}

/// Only the house's own pages go, and only from where people come back to: the cookie would not be there.
fn check_page(
    offices: &Offices,
    people: &People,
    headers: &HeaderMap,
    Address(caller): Address,
) -> Result<(), ApiError> {
    offices.check_cookie(true, headers, caller)?;
    let origin = headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
    match origin {
        Some(origin) if origin != people.providers().public_url().as_bytes() => {
            Err(Refused::OtherAddress.into())
        }
        _ => Ok(()),
    }
}

pub(super) async fn depart(
    State(offices): State<Offices>,
    Kept(people): Kept,
    address: Address,
    Named(provider): Named,
    headers: HeaderMap,
    Asked(asked): Asked<AskDeparture>,
) -> Result<Response, ApiError> {
    people.providers().get(&provider)?;
    check_page(&offices, &people, &headers, address)?;
    let caller = match bearer(&headers) {
        Some(token) => Some(people.caller(token).await?),
        None => None,
    };
    let purpose = if asked.link { Purpose::Link } else { Purpose::SignIn };
    let departure = people.depart(&provider, purpose, caller.as_ref(), asked.password).await?;
    let mut into = HeaderMap::new();
    cookie::keep_away(&departure.way, people.providers().is_secure(), &mut into);
    Ok((NO_STORE, into, Json(json!({ "url": departure.url }))).into_response())
}

/// Whoever comes back is sent on to the page, which tells him what came of it.
pub(super) async fn come_back(
    State(offices): State<Offices>,
    Kept(people): Kept,
    From(asker): From,
    Named(provider): Named,
    headers: HeaderMap,
    answer: Result<Query<Answer>, QueryRejection>,
) -> Result<Response, ApiError> {
    people.providers().get(&provider)?;
    let secure = people.providers().is_secure();
    let answer = answer.map_or_else(|_| Answer::default(), |Query(answer)| answer);
    let state = answer.state.as_deref().unwrap_or_default();
    let way = cookie::read_away(&headers, state, secure);
    let mut into = HeaderMap::new();
    if way.as_ref().is_some_and(|way| way.has_state(state)) {
        cookie::forget_away(state, secure, &mut into);
    }
    let what = match people.come_back(&provider, way, &answer, &asker).await {
        Ok(Came::In(session)) => {
            cookie::keep_over(secure, &session, offices.desk.now_ms(), &mut into);
            "in"
        }
        Ok(Came::Linked) => "linked",
        Ok(Came::New(way)) => {
            cookie::keep_arrived(&way, secure, &mut into);
            "new"
        }
        Err(error) => error.code(),
    };
    into.insert(header::LOCATION, HeaderValue::try_from(format!("{PAGE}{what}")).expect("codes are words"));
    Ok((StatusCode::SEE_OTHER, NO_STORE, [NO_REFERRER], into).into_response())
}

pub(super) async fn arrived(Kept(people): Kept, headers: HeaderMap) -> Result<Response, ApiError> {
    let way = cookie::read_arrived(&headers, people.providers().is_secure());
    let arrived = people.arrived(way.as_ref()).await?;
    let told: Value = json!({ "provider": arrived.provider, "label": arrived.label, "nick": arrived.nick });
    Ok((NO_STORE, Json(told)).into_response())
}

pub(super) async fn settle(
    State(offices): State<Offices>,
    Kept(people): Kept,
    From(asker): From,
    address: Address,
    headers: HeaderMap,
    Asked(asked): Asked<AskNick>,
) -> Result<Response, ApiError> {
    check_page(&offices, &people, &headers, address)?;
    let secure = people.providers().is_secure();
    let nick = PlayerName::new(&asked.nick)?;
    let way = cookie::read_arrived(&headers, secure);
    let session = people.settle(way.as_ref(), nick, &asker).await?;
    let mut into = HeaderMap::new();
    cookie::forget_arrived(secure, &mut into);
    cookie::keep_over(secure, &session, offices.desk.now_ms(), &mut into);
    Ok((StatusCode::CREATED, NO_STORE, into, Json(SessionTold::new(session, true))).into_response())
}

pub(super) async fn ways(Kept(people): Kept, By(caller): By) -> Result<Response, ApiError> {
    let ways = people.ways(&caller).await?;
    let told = |identity| IdentityTold::new(identity, people.providers());
    let identities: Vec<_> = ways.identities.into_iter().map(told).collect();
    Ok((NO_STORE, Json(json!({ "password": ways.password, "identities": identities }))).into_response())
}

pub(super) async fn unlink(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Named(id): Named,
    Asked(asked): Asked<AskUnlink>,
) -> Result<StatusCode, ApiError> {
    people.unlink(&caller, &id, asked.password, &asker).await?;
    Ok(StatusCode::NO_CONTENT)
}
