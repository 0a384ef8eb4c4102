//! What somebody does about himself; and how he becomes a member.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use protocol::text::PlayerName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    NO_STORE, Offices,
    asked::{Address, Asked, By, Count, From, Kept, When, bearer, given},
    cookie, ledger,
    reports::ReportTold,
    sessions,
    told::{EntryTold, IdentityTold, LoginTold, Me, PersonTold, PlayTimeTold, SanctionTold},
};
use crate::{error::ApiError, passwords::Secret, people::Wanted};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskAccount {
    handle: String,
    password: Secret,
    nick: String,
    #[serde(default)]
    cookie: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskNick {
    pub(super) nick: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskPassword {
    #[serde(default, deserialize_with = "given")]
    old: Option<Secret>,
    new: Secret,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskByLink {
    link: Secret,
    password: Secret,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskExclusion {
    until_ms: When,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskLimit {
    minutes: Count,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskDeletion {
    #[serde(default, deserialize_with = "given")]
    password: Option<Secret>,
}

pub(super) async fn sign_up(
    State(offices): State<Offices>,
    Kept(people): Kept,
    From(asker): From,
    Address(caller): Address,
    headers: HeaderMap,
    Asked(asked): Asked<AskAccount>,
) -> Result<Response, ApiError> {
    offices.check_cookie(asked.cookie, &headers, caller)?;
    // Who shows a token means to be that guest: if it is not good, nobody else is made of him.
    let guest = match bearer(&headers) {
        Some(token) => Some(people.caller(token).await?),
        None => None,
    };
    let nick = PlayerName::new(&asked.nick)?;
    let wanted = Wanted { handle: asked.handle, password: asked.password, nick };
    let session = people.sign_up(wanted, guest.as_ref(), &asker).await?;
    Ok(sessions::answer(&offices, StatusCode::CREATED, &headers, session, asked.cookie))
}

pub(super) async fn set_password(
    Kept(people): Kept,
    From(asker): From,
    Asked(asked): Asked<AskByLink>,
) -> Result<StatusCode, ApiError> {
    people.set_password(&asked.link, asked.password, &asker).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn me(By(caller): By) -> Response {
    (NO_STORE, Json(Me::from(caller))).into_response()
}

pub(super) async fn change_nick(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Asked(asked): Asked<AskNick>,
) -> Result<Response, ApiError> {
    let nick = PlayerName::new(&asked.nick)?;
    let caller = people.change_nick(&caller, nick, &asker).await?;
    Ok((NO_STORE, Json(Me::from(caller))).into_response())
}

pub(super) async fn change_password(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Asked(asked): Asked<AskPassword>,
) -> Result<StatusCode, ApiError> {
    people.change_password(&caller, asked.old, asked.new, &asker).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn exclude_self(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Asked(asked): Asked<AskExclusion>,
) -> Result<Response, ApiError> {
    let caller = people.exclude_self(&caller, asked.until_ms.0, &asker).await?;
    Ok((NO_STORE, Json(Me::from(caller))).into_response())
}

pub(super) async fn limit_play(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Asked(asked): Asked<AskLimit>,
) -> Result<Response, ApiError> {
    let caller = people.limit_play(&caller, asked.minutes.0, &asker).await?;
    Ok((NO_STORE, Json(Me::from(caller))).into_response())
}

/// A line each, so that it is read without being held whole.
pub(super) async fn export(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
) -> Result<Response, ApiError> {
    let known = people.export(&caller, &asker).await?;
    let id = known.person.id.to_string();
    let mut lines = vec![of_kind("person", json!(PersonTold::from(known.person)))];
    let logins = known.logins.into_iter().map(|login| LoginTold::new(login, &caller.login));
    lines.extend(logins.map(|login| of_kind("login", json!(login))));
    let identities =
        known.identities.into_iter().map(|identity| IdentityTold::new(identity, people.providers()));
    lines.extend(identities.map(|identity| of_kind("identity", json!(identity))));
    let sanctions = known.sanctions.into_iter().map(SanctionTold::to_person);
    // A sanction and a person have a kind of their own.
    lines.extend(sanctions.map(|sanction| of_kind("sanction", json!(sanction))));
    let play_time = known.play_time.as_ref().and_then(PlayTimeTold::new);
    lines.extend(play_time.map(|time| of_kind("play_time", json!(time))));
    let reports = known.reports.into_iter().map(ReportTold::to_reporter);
    lines.extend(reports.map(|report| of_kind("report", json!(report))));
    let events = known.events.into_iter().map(|event| EntryTold::to_person(event, &id));
    lines.extend(events.map(|event| of_kind("event", json!(event))));
    for (of, moved) in known.chips {
        let code = of.currency.code;
        lines.push(of_kind("balance", ledger::balance(of)));
        lines.extend(moved.into_iter().map(|line| {
            let mut told = ledger::line(line);
            told["currency"] = json!(code);
            of_kind("statement", told)
        }));
    }
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"cardhouse.ndjson\""),
    ];
    Ok((NO_STORE, headers, body).into_response())
}

fn of_kind(line: &str, what: Value) -> Value {
    json!({ "line": line, line: what })
}

pub(super) async fn delete(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    headers: HeaderMap,
    Asked(asked): Asked<AskDeletion>,
) -> Result<Response, ApiError> {
    people.delete(&caller, asked.password, &asker).await?;
    let mut into = HeaderMap::new();
    cookie::forget(&headers, &mut into);
    Ok((StatusCode::NO_CONTENT, into).into_response())
}
