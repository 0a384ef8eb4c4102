//! Guests, refreshing, signing in and out.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use protocol::{id::LoginId, text::PlayerName};
use serde::Deserialize;
use serde_json::json;

use super::{
    NO_STORE, Offices,
    asked::{Address, Asked, Behind, By, From, Kept, Named, given},
    cookie,
    told::{LoginTold, SessionTold},
};
use crate::{error::ApiError, passwords::Secret, people::Session};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskGuest {
    name: String,
    #[serde(default)]
    cookie: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskRefresh {
    #[serde(default, deserialize_with = "given")]
    token: Option<Secret>,
    #[serde(default)]
    cookie: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskSession {
    handle: String,
    password: Secret,
    #[serde(default, deserialize_with = "given")]
    device: Option<String>,
    #[serde(default)]
    cookie: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlsoAsked {
    also: Option<Also>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Also {
    Current,
}

/// A session as an answer; a browser's keeps in cookies what no script is to read.
pub(super) fn answer(
    offices: &Offices,
    status: StatusCode,
    headers: &HeaderMap,
    session: Session,
    in_cookie: bool,
) -> Response {
    let mut into = HeaderMap::new();
    if in_cookie {
        cookie::keep(headers, &session, offices.desk.now_ms(), &mut into);
    }
    (status, NO_STORE, into, Json(SessionTold::new(session, in_cookie))).into_response()
}

pub(super) async fn new_guest(
    State(offices): State<Offices>,
    From(asker): From,
    Address(caller): Address,
    headers: HeaderMap,
    Asked(asked): Asked<AskGuest>,
) -> Result<Response, ApiError> {
    let name = PlayerName::new(&asked.name)?;
    let Some(people) = &offices.people else {
        return Ok((StatusCode::CREATED, NO_STORE, Json(offices.desk.new_guest(&name))).into_response());
    };
    offices.check_cookie(asked.cookie, &headers, caller)?;
    let session = people.guest(&name, &asker).await?;
    Ok(answer(&offices, StatusCode::CREATED, &headers, session, asked.cookie))
}

pub(super) async fn refresh(
    State(offices): State<Offices>,
    From(asker): From,
    Address(caller): Address,
    headers: HeaderMap,
    Asked(asked): Asked<AskRefresh>,
) -> Result<Response, ApiError> {
    if asked.token.is_none() && !asked.cookie {
        return Err(ApiError::BadRequest("say by which token: as `token`, or with `cookie`".into()));
    }
    let Some(people) = &offices.people else {
        let token = asked.token.ok_or(ApiError::BadToken)?;
        let issued = offices.desk.refresh(token.as_str()).map_err(|_| ApiError::BadToken)?;
        return Ok((NO_STORE, Json(issued)).into_response());
    };
    offices.check_cookie(asked.cookie, &headers, caller)?;
    // What a page still has from before the house had a database comes first: the cookie is its successor.
    let kept = || asked.cookie.then(|| cookie::refresh(&headers)).flatten();
    let token = asked.token.clone().or_else(kept).ok_or(ApiError::BadToken)?;
    let session = people.refresh(&token, &asker).await?;
    Ok(answer(&offices, StatusCode::OK, &headers, session, asked.cookie))
}

pub(super) async fn sign_in(
    State(offices): State<Offices>,
    Kept(people): Kept,
    From(asker): From,
    Address(caller): Address,
    headers: HeaderMap,
    Asked(asked): Asked<AskSession>,
) -> Result<Response, ApiError> {
    offices.check_cookie(asked.cookie, &headers, caller)?;
    let kept = || asked.cookie.then(|| cookie::device(&headers, &asked.handle)).flatten();
    let known_by = asked.device.clone().or_else(kept);
    let session = people.sign_in(&asked.handle, asked.password, known_by.as_deref(), &asker).await?;
    Ok(answer(&offices, StatusCode::CREATED, &headers, session, asked.cookie))
}

pub(super) async fn list(Kept(people): Kept, By(caller): By) -> Result<Response, ApiError> {
    let logins = people.logins(&caller).await?;
    let logins: Vec<_> = logins.into_iter().map(|login| LoginTold::new(login, &caller.login)).collect();
    Ok((NO_STORE, Json(json!({ "sessions": logins }))).into_response())
}

pub(super) async fn end_others(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    headers: HeaderMap,
    Behind(asked): Behind<AlsoAsked>,
) -> Result<Response, ApiError> {
    let also_this = asked.also.is_some();
    people.sign_out_elsewhere(&caller, also_this, &asker).await?;
    Ok(ended(&headers, also_this))
}

pub(super) async fn end(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    headers: HeaderMap,
    Named(id): Named,
) -> Result<Response, ApiError> {
    let login = if id == "current" { caller.login.clone() } else { id };
    LoginId::new(&login).map_err(|_| ApiError::NotFound)?;
    people.sign_out(&caller, &login, &asker).await?;
    Ok(ended(&headers, login == caller.login))
}

fn ended(headers: &HeaderMap, this: bool) -> Response {
    let mut into = HeaderMap::new();
    if this {
        cookie::forget(headers, &mut into);
    }
    (StatusCode::NO_CONTENT, into).into_response()
}
