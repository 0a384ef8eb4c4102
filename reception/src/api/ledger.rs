//! What somebody has, and what staff does about it. Amounts are whole numbers of a currency's smallest unit.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use cage::ledger::{
    Adjusted, Adjustment, Settlement,
    adjust::{Decision, Proposal},
    audit::Totals,
    balances::Balance,
    grant::Refill,
    statement::Line,
};
use money::{Currency, Why};
use protocol::id::{RoomId, UserId};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    NO_STORE, Offices,
    asked::{Asked, Behind, By, From, Kept, NUMBER_MAX, Named},
};
use crate::{error::ApiError, people::TablesAudit};

/// What one of the staff moves alone, of each currency.
const ALONE_MAX: u64 = 100_000;

/// Characters of a reason.
const REASON_CHARS: std::ops::RangeInclusive<usize> = 8..=400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskStatement {
    currency: String,
    before: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskRefill {
    currency: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskAdjustment {
    name: String,
    user: String,
    currency: String,
    change: i64,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskSettlement {
    room: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decided {
    Confirm,
    Decline,
    Withdraw,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskDecision {
    decision: Decided,
}

fn currency(code: &str) -> Result<Currency, ApiError> {
    Currency::new(code).map_err(|_| ApiError::NotFound)
}

pub(super) async fn balances(Kept(people): Kept, By(caller): By) -> Result<Response, ApiError> {
    let balances: Vec<_> = people.balances(&caller).await?.into_iter().map(balance).collect();
    Ok((NO_STORE, Json(json!({ "balances": balances }))).into_response())
}

pub(super) fn balance(of: Balance) -> Value {
    let Balance { currency, available, is_frozen, in_play, refill_from_ms } = of;
    let in_play: Vec<_> =
        in_play.iter().map(|(room, amount)| json!({ "room": room, "amount": amount })).collect();
    let mut told = json!({
        "currency": currency.code,
        "digits": currency.digits,
        "play": currency.play,
        "refill": currency.refill,
        "available": available,
        "frozen": is_frozen,
        "in_play": in_play,
    });
    if let Some(from) = refill_from_ms {
        told["refill_from_ms"] = json!(from);
    }
    told
}

pub(super) async fn statement(
    Kept(people): Kept,
    By(caller): By,
    Behind(AskStatement { currency: code, before }): Behind<AskStatement>,
) -> Result<Response, ApiError> {
    if before.is_some_and(|before| before > NUMBER_MAX) {
        return Err(ApiError::BadRequest("there are no such numbers".into()));
    }
    let lines = people.statement(&caller, currency(&code)?, before).await?;
    let lines: Vec<_> = lines.into_iter().map(line).collect();
    Ok((NO_STORE, Json(json!({ "lines": lines }))).into_response())
}

pub(super) fn line(Line { number, at_ms, kind, room, change, balance }: Line) -> Value {
    let mut told = json!({
        "number": number,
        "at_ms": at_ms,
        "kind": kind,
        "change": change,
        "balance": balance,
    });
    if let Some(room) = room {
        told["room"] = json!(room);
    }
    told
}

pub(super) async fn refill(
    Kept(people): Kept,
    By(caller): By,
    Asked(AskRefill { currency: code }): Asked<AskRefill>,
) -> Result<Response, ApiError> {
    let given = match people.refill(&caller, currency(&code)?).await? {
        Refill::Given(amount) => amount,
        Refill::Enough => return Err(ApiError::HasEnough),
        Refill::Had | Refill::Never => return Err(ApiError::HadToday),
    };
    Ok((NO_STORE, Json(json!({ "given": given }))).into_response())
}

pub(super) async fn audit(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
) -> Result<Response, ApiError> {
    let (audit, tables) = people.audit_ledger(&caller, &asker).await?;
    let currencies: Vec<_> = audit.totals.iter().map(|(code, totals)| totals_of(*code, totals)).collect();
    let told = json!({
        "good": audit.is_right() && tables.as_ref().is_none_or(|tables| tables.wrong_count == 0),
        "complete": tables.as_ref().is_some_and(|tables| tables.unanswered_count == 0),
        "currencies": currencies,
        "accounts": audit.accounts,
        "transfers": audit.transfers,
        "wrong": audit.wrong,
        "lame": audit.lame,
        "conflicts": audit.conflicts,
        "tables": tables.as_ref().map(tables_told),
    });
    Ok((NO_STORE, Json(told)).into_response())
}

fn tables_told(tables: &TablesAudit) -> Value {
    let wrong = tables.wrong.iter().map(|(room, of)| {
        json!({
            "room": room,
            "currency": of.currency,
            "at": of.at,
            "chips": of.chips,
            "under_way": of.under_way,
            "ledger": of.ledger,
            "difference": of.difference(),
        })
    });
    let unanswered = tables.unanswered.iter().map(|(room, why)| json!({ "room": room, "why": why }));
    let differences: Map<String, Value> =
        tables.differences.iter().map(|(code, by)| (code.to_string(), json!(by))).collect();
    json!({
        "compared": tables.compared,
        "differences": differences,
        "wrong": wrong.collect::<Vec<_>>(),
        "wrong_count": tables.wrong_count,
        "unanswered": unanswered.collect::<Vec<_>>(),
        "unanswered_count": tables.unanswered_count,
    })
}

fn totals_of(code: Currency, totals: &Totals) -> Value {
    let house: Map<String, Value> =
        totals.house.iter().map(|(house, balance)| (house.as_str().into(), json!(balance))).collect();
    json!({
        "currency": code,
        "players": totals.players,
        "tables": totals.tables,
        "house": house,
        "sum": totals.sum(),
        "variance": totals.variance(),
    })
}

pub(super) async fn adjust(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Asked(asked): Asked<AskAdjustment>,
) -> Result<Response, ApiError> {
    let reason = why(&asked.reason)?;
    let wanted = Adjustment {
        name: asked.name,
        user: UserId::new(&asked.user).map_err(|_| ApiError::NotFound)?,
        currency: currency(&asked.currency)?,
        change: asked.change,
        reason: reason.to_owned(),
        staff: caller.person.id.clone(),
    };
    told(people.adjust(&caller, wanted, ALONE_MAX, &asker).await?)
}

fn why(reason: &str) -> Result<&str, ApiError> {
    let reason = reason.trim();
    match REASON_CHARS.contains(&reason.chars().count()) {
        true => Ok(reason),
        false => Err(ApiError::BadRequest("a reason has 8 to 400 characters".into())),
    }
}

pub(super) async fn settle(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Asked(asked): Asked<AskSettlement>,
) -> Result<Response, ApiError> {
    let reason = why(&asked.reason)?;
    let room = RoomId::new(&asked.room).map_err(|_| ApiError::NotFound)?;
    let Settlement { hand, paid, variance } = people.settle_table(&caller, &room, reason, &asker).await?;
    let paid = paid
        .iter()
        .map(|(user, currency, amount)| json!({ "user": user, "currency": currency, "amount": amount }));
    let variance =
        variance.iter().map(|(currency, amount)| json!({ "currency": currency, "amount": amount }));
    let told = json!({
        "hand": hand.map(|hand| hand.to_string()),
        "paid": paid.collect::<Vec<_>>(),
        "variance": variance.collect::<Vec<_>>(),
    });
    Ok((NO_STORE, Json(told)).into_response())
}

/// What came of moving chips by hand.
fn told(adjusted: Adjusted) -> Result<Response, ApiError> {
    let (status, came) = match adjusted {
        Adjusted::Done => (StatusCode::OK, "done"),
        Adjusted::Proposed => (StatusCode::ACCEPTED, "proposed"),
        Adjusted::Dropped => (StatusCode::OK, "dropped"),
        Adjusted::Refused(Why::Insufficient) => return Err(ApiError::Insufficient),
        Adjusted::Refused(Why::Conflict) => return Err(ApiError::OtherOfThatName),
        Adjusted::Refused(Why::NoCurrency) => return Err(ApiError::NotFound),
        Adjusted::Refused(_) => {
            let form = "an adjustment has a name of 1 to 40 characters of A-Z a-z 0-9 _ - . and moves something, as far as there is room";
            return Err(ApiError::BadRequest(form.into()));
        }
    };
    Ok((status, NO_STORE, Json(json!({ "came": came }))).into_response())
}

pub(super) async fn proposals(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
) -> Result<Response, ApiError> {
    let proposals: Vec<_> = people.proposals(&caller, &asker).await?.into_iter().map(proposal).collect();
    Ok((NO_STORE, Json(json!({ "proposals": proposals }))).into_response())
}

fn proposal(Proposal { wanted, at_ms, .. }: Proposal) -> Value {
    let Adjustment { name, user, currency, change, reason, staff } = wanted;
    json!({
        "name": name,
        "user": user,
        "currency": currency,
        "change": change,
        "reason": reason,
        "by": staff,
        "at_ms": at_ms,
    })
}

pub(super) async fn decide(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Named(name): Named,
    Asked(AskDecision { decision }): Asked<AskDecision>,
) -> Result<Response, ApiError> {
    let decision = match decision {
        Decided::Confirm => Decision::Confirm,
        Decided::Decline => Decision::Decline,
        Decided::Withdraw => Decision::Withdraw,
    };
    told(people.decide(&caller, &name, decision, &asker).await?)
}

/// The requests here, which count as others do.
pub(super) fn counted() -> Vec<(&'static str, axum::routing::MethodRouter<Offices>)> {
    use axum::routing::{get, post};
    vec![
        ("/api/me/balances", get(balances)),
        ("/api/me/statement", get(statement)),
        ("/api/me/refill", post(refill)),
        ("/api/staff/ledger/audit", get(audit)),
        ("/api/staff/ledger/adjust", post(adjust)),
        ("/api/staff/ledger/settle", post(settle)),
        ("/api/staff/ledger/proposals", get(proposals)),
        ("/api/staff/ledger/proposals/{id}", post(decide)),
    ]
}
