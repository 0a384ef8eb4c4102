//! What staff asks for about people. Roles are looked up with each request: whoever has just lost one has lost it.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use cage::people::sanction::Kind;
use protocol::id::UserId;
use serde::Deserialize;
use serde_json::json;

use super::{
    NO_STORE,
    asked::{Asked, Behind, By, From, Kept, NUMBER_MAX, Named, When, given},
    told::{EntryTold, LoginTold, PersonTold, Role, SanctionTold},
};
use crate::{error::ApiError, people::AuditPage};

/// Characters that are looked for at most.
const SOUGHT_CHARS_MAX: usize = 400;

/// Characters of a reason.
const REASON_CHARS: std::ops::RangeInclusive<usize> = 3..=400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskWhom {
    q: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Imposed {
    Ban,
    Mute,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskSanction {
    kind: Imposed,
    #[serde(default, deserialize_with = "given")]
    until_ms: Option<When>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskWhy {
    pub(super) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskRoles {
    roles: Vec<Role>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskAudit {
    before: Option<u64>,
    subject: Option<String>,
}

pub(super) fn whom(id: &str) -> Result<UserId, ApiError> {
    UserId::new(id).map_err(|_| ApiError::NotFound)
}

pub(super) fn why(reason: &str) -> Result<&str, ApiError> {
    let reason = reason.trim();
    let fits = REASON_CHARS.contains(&reason.chars().count());
    if fits { Ok(reason) } else { Err(ApiError::BadRequest("a reason has 3 to 400 characters".into())) }
}

pub(super) async fn find(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Behind(asked): Behind<AskWhom>,
) -> Result<Response, ApiError> {
    if asked.q.chars().count() > SOUGHT_CHARS_MAX {
        return Err(ApiError::BadRequest("q has at most 400 characters".into()));
    }
    let found = people.find(&caller, &asked.q, &asker).await?;
    let found: Vec<_> = found.into_iter().map(PersonTold::from).collect();
    Ok((NO_STORE, Json(json!({ "people": found }))).into_response())
}

pub(super) async fn dossier(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Named(id): Named,
) -> Result<Response, ApiError> {
    let dossier = people.dossier(&caller, &whom(&id)?, &asker).await?;
    let logins = dossier.logins.into_iter().map(|login| LoginTold::new(login, &caller.login));
    let told = json!({
        "person": PersonTold::from(dossier.person),
        "logins": logins.collect::<Vec<_>>(),
        "sanctions": dossier.sanctions.into_iter().map(SanctionTold::to_staff).collect::<Vec<_>>(),
        "events": dossier.events.into_iter().map(EntryTold::from).collect::<Vec<_>>(),
    });
    Ok((NO_STORE, Json(told)).into_response())
}

pub(super) async fn impose(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Named(id): Named,
    Asked(asked): Asked<AskSanction>,
) -> Result<Response, ApiError> {
    let kind = match asked.kind {
        Imposed::Ban => Kind::Ban,
        Imposed::Mute => Kind::Mute,
    };
    let until_ms = asked.until_ms.map(|When(ms)| ms);
    let imposed = people.impose(&caller, &whom(&id)?, kind, until_ms, why(&asked.reason)?, &asker).await?;
    Ok((StatusCode::CREATED, NO_STORE, Json(SanctionTold::to_staff(imposed))).into_response())
}

pub(super) async fn lift(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Named(id): Named,
    Asked(asked): Asked<AskWhy>,
) -> Result<StatusCode, ApiError> {
    people.lift(&caller, &id, why(&asked.reason)?, &asker).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn sign_out(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Named(id): Named,
    Asked(asked): Asked<AskWhy>,
) -> Result<StatusCode, ApiError> {
    people.sign_out_all(&caller, &whom(&id)?, why(&asked.reason)?, &asker).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn set_roles(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Named(id): Named,
    Asked(asked): Asked<AskRoles>,
) -> Result<Response, ApiError> {
    let roles = Role::all(&asked.roles);
    let person = people.set_roles(&caller, &whom(&id)?, roles, why(&asked.reason)?, &asker).await?;
    Ok((NO_STORE, Json(PersonTold::from(person))).into_response())
}

pub(super) async fn password_link(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Named(id): Named,
    Asked(asked): Asked<AskWhy>,
) -> Result<Response, ApiError> {
    let link = people.password_link(&caller, &whom(&id)?, why(&asked.reason)?, &asker).await?;
    let told = json!({ "link": link.secret.as_str(), "expires_ms": link.expires_ms });
    Ok((StatusCode::CREATED, NO_STORE, Json(told)).into_response())
}

pub(super) async fn audit(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Behind(AskAudit { before, subject }): Behind<AskAudit>,
) -> Result<Response, ApiError> {
    if before.is_some_and(|before| before > NUMBER_MAX) {
        return Err(ApiError::BadRequest("there are no such numbers".into()));
    }
    if subject.as_deref().is_some_and(|subject| UserId::new(subject).is_err()) {
        return Err(ApiError::BadRequest("subject is a person's id".into()));
    }
    let entries = people.audit(&caller, AuditPage { before, subject }, &asker).await?;
    let entries: Vec<_> = entries.into_iter().map(EntryTold::from).collect();
    Ok((NO_STORE, Json(json!({ "entries": entries }))).into_response())
}

pub(super) async fn verify_audit(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
) -> Result<Response, ApiError> {
    let told = match people.verify_audit(&caller, &asker).await? {
        Ok(entries) => json!({ "good": true, "entries": entries }),
        Err(breach) => json!({ "good": false, "breach": breach.to_string() }),
    };
    Ok((NO_STORE, Json(told)).into_response())
}
