//! What a client is told when it does not get what it asked for: a status, a stable code, a sentence.

use std::time::Duration;

use axum::{
    Json,
    extract::rejection::JsonRejection,
    http::{StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use broker::parts::NotKnown;
use cage::{DbError, people::login::Ended};
use money::Currency;
use ops::serve::Stranger;
use protocol::{id::RoomId, text::Unfit, time::UnixMs};
use serde::Serialize;

use crate::{
    oidc::Refused,
    passwords::{TooMany, Weak},
};

/// A refusal. As JSON `{"code": "...", "message": "..."}`, with `retry_after_ms` where waiting helps.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 400: the body is not the JSON that was asked for.
    #[error("{0}")]
    BadRequest(String),
    /// 413: the body is larger than [`BODY_BYTES_MAX`](crate::api::BODY_BYTES_MAX).
    #[error("the body is larger than {} bytes", crate::api::BODY_BYTES_MAX)]
    TooLarge,
    /// 415: the body is not declared as JSON.
    #[error("send JSON, with content-type application/json")]
    NotJson,
    /// 422: choose another name.
    #[error("this name cannot be shown to others: {0}")]
    BadName(#[from] Unfit),
    /// 401: the token to be refreshed is not, or no longer, valid. Ask for a new guest.
    #[error("the token is not valid or has expired; ask for a new one")]
    BadToken,
    /// 429: too many requests from this address.
    #[error("too many requests from your address; try again later")]
    TooFast(Duration),
    /// 404: there is nothing under this path.
    #[error("there is nothing here; see docs/openapi.json for what there is")]
    NotFound,
    /// 404: this house has no database.
    #[error("this house keeps no accounts")]
    NoAccounts,
    /// 401: the login of the refresh token has ended.
    #[error("this device was signed out: {}", why(*.0))]
    SessionEnded(Ended),
    /// 401: handle or password is wrong; nobody is told which.
    #[error("the handle or the password is wrong")]
    BadCredentials,
    /// 401: the link is not good, or was used.
    #[error("this link is not good any more; ask for another")]
    BadLink,
    /// 403: the old password of who changes it.
    #[error("the password is wrong")]
    WrongPassword,
    /// 403: no token for the person.
    #[error("you may not play here: {reason}")]
    Banned {
        /// Until when; none: until it is lifted.
        until_ms: Option<UnixMs>,
        /// What staff says.
        reason: String,
    },
    /// 403: this takes another role.
    #[error("this takes another role than yours")]
    NotAllowed,
    /// 409: somebody signs in with it.
    #[error("somebody else signs in with this handle; choose another")]
    HandleTaken,
    /// 409: somebody is called so.
    #[error("somebody else is called so, or looks so; choose another name")]
    NickTaken,
    /// 409: who asks has an account.
    #[error("you have an account; sign out before you make another")]
    NotAGuest,
    /// 409: guests have no password.
    #[error("guests have no password; make an account first")]
    NotAMember,
    /// 409: the nick was changed a short while ago.
    #[error("the name can be changed once in 30 days")]
    TooSoon(Duration),
    /// 409: an open report of this person about that one in this room.
    #[error("you have reported this person already; staff has not closed it yet")]
    AlreadyReported,
    /// 429: too many reports by one person.
    #[error("you have reported many today; try again later")]
    ManyReports(Duration),
    /// 409: the last one who may give roles.
    #[error("somebody has to stay admin")]
    LastAdmin,
    /// 409: who sits somewhere is not deleted.
    #[error("you still have a seat ({}); leave it first", list(.0))]
    Seated(Vec<RoomId>),
    /// 409: chips would be nobody's.
    #[error("{}", has_chips(rooms, currencies))]
    HasChips {
        /// At these tables there are some.
        rooms: Vec<RoomId>,
        /// In the account of each of these, which are no play money.
        currencies: Vec<Currency>,
    },
    /// 503: it is not known whether somebody sits.
    #[error("{0}; try again in a moment")]
    SeatsUnknown(#[from] NotKnown),
    /// 409: nothing is given to who has enough.
    #[error("you have enough; what you have at tables counts")]
    HasEnough,
    /// 409: it is given once a day.
    #[error("you have had it today; come again tomorrow (UTC)")]
    HadToday,
    /// 409: there is less in the account.
    #[error("there is less than that in the account")]
    Insufficient,
    /// 409: what was asked under this name was something else.
    #[error("something else was asked under this name; choose another")]
    OtherOfThatName,
    /// 409: a table that may be there is not settled.
    #[error("the table may still be there: {0}")]
    TableLives(&'static str),
    /// 409: nobody lifts a self-exclusion.
    #[error("nobody ends a self-exclusion early")]
    NotLifted,
    /// 422: choose another handle.
    #[error("a handle has 3 to 32 characters of a-z, 0-9, '.', '_' and '-', and begins with a letter")]
    BadHandle,
    /// 422: choose another password.
    #[error("choose another password: {0}")]
    BadPassword(#[from] Weak),
    /// 422: a report that says nothing, or in words that nobody can be shown.
    #[error("{0}")]
    BadReport(String),
    /// 422: a time that does not fit.
    #[error("{0}")]
    BadTime(&'static str),
    /// 423: too many wrong passwords.
    #[error("too many wrong passwords; try again later, or on a device that has signed in before")]
    Locked(Duration),
    /// 503: too much waits.
    #[error("too much is going on; try again in a moment")]
    Busy,
    /// 503: the database does not answer.
    #[error("accounts are out of reach; try again in a moment")]
    Away,
    /// Signing in elsewhere came to nothing.
    #[error(transparent)]
    Elsewhere(#[from] Refused),
    /// 403: a page of another site may not use cookies.
    #[error("only pages of this house may use its cookies")]
    OtherSite,
    /// 403: a page that may not.
    #[error("{0}")]
    Page(#[from] Stranger),
    /// 406: it is told in other forms.
    #[error("it is told as application/json, application/vnd.ohh+json, application/x-phh or text/plain")]
    NotAcceptable,
    /// 405: the path knows other methods.
    #[error("this path does not know the method")]
    BadMethod,
}

fn list(rooms: &[RoomId]) -> String {
    rooms.iter().map(RoomId::as_str).collect::<Vec<_>>().join(", ")
}

fn has_chips(rooms: &[RoomId], currencies: &[Currency]) -> String {
    let codes = currencies.iter().map(Currency::as_str).collect::<Vec<_>>().join(", ");
    match (rooms.is_empty(), currencies.is_empty()) {
        (false, true) => format!("you still have chips at a table ({}); leave it first", list(rooms)),
        (true, _) => format!("your account still holds {codes}; have the house pay you out first"),
        (false, false) => format!(
            "you still have chips at a table ({}), and your account holds {codes}; leave the table and have the house pay you out first",
            list(rooms)
        ),
    }
}

fn why(ended: Ended) -> &'static str {
    match ended {
        Ended::SignedOut => "by you",
        Ended::Password => "the password was changed",
        Ended::Reuse => "somebody else has used its token, which may have been stolen",
        Ended::Staff => "by the house",
        Ended::Gone => "the account was deleted",
        Ended::Expired => "it was not used for long",
    }
}

impl ApiError {
    fn status(&self) -> StatusCode {
        self.status_and_code().0
    }

    /// For programs; also the label in the metrics.
    pub fn code(&self) -> &'static str {
        self.status_and_code().1
    }

    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json"),
            Self::BadName(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_name"),
            Self::BadToken => (StatusCode::UNAUTHORIZED, "bad_token"),
            Self::TooFast(_) => (StatusCode::TOO_MANY_REQUESTS, "too_fast"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "not_acceptable"),
            Self::BadMethod => (StatusCode::METHOD_NOT_ALLOWED, "bad_method"),
            Self::NoAccounts => (StatusCode::NOT_FOUND, "no_accounts"),
            Self::SessionEnded(_) => (StatusCode::UNAUTHORIZED, "session_ended"),
            Self::BadCredentials => (StatusCode::UNAUTHORIZED, "bad_credentials"),
            Self::BadLink => (StatusCode::UNAUTHORIZED, "bad_link"),
            Self::WrongPassword => (StatusCode::FORBIDDEN, "wrong_password"),
            Self::Banned { .. } => (StatusCode::FORBIDDEN, "banned"),
            Self::NotAllowed => (StatusCode::FORBIDDEN, "not_allowed"),
            Self::Elsewhere(refused) => refused.status_and_code(),
            Self::OtherSite => (StatusCode::FORBIDDEN, "wrong_origin"),
            Self::Page(stranger) => (StatusCode::FORBIDDEN, stranger.code()),
            Self::HandleTaken => (StatusCode::CONFLICT, "handle_taken"),
            Self::NickTaken => (StatusCode::CONFLICT, "nick_taken"),
            Self::NotAGuest => (StatusCode::CONFLICT, "not_a_guest"),
            Self::NotAMember => (StatusCode::CONFLICT, "not_a_member"),
            Self::TooSoon(_) => (StatusCode::CONFLICT, "too_soon"),
            Self::AlreadyReported => (StatusCode::CONFLICT, "already_reported"),
            Self::ManyReports(_) => (StatusCode::TOO_MANY_REQUESTS, "many_reports"),
            Self::LastAdmin => (StatusCode::CONFLICT, "last_admin"),
            Self::HasEnough => (StatusCode::CONFLICT, "has_enough"),
            Self::HadToday => (StatusCode::CONFLICT, "had_today"),
            Self::Insufficient => (StatusCode::CONFLICT, "insufficient"),
            Self::OtherOfThatName => (StatusCode::CONFLICT, "other_request"),
            Self::TableLives(_) => (StatusCode::CONFLICT, "table_lives"),
            Self::NotLifted => (StatusCode::CONFLICT, "not_lifted"),
            Self::Seated(_) => (StatusCode::CONFLICT, "seated"),
            Self::HasChips { .. } => (StatusCode::CONFLICT, "has_chips"),
            Self::SeatsUnknown(_) => (StatusCode::SERVICE_UNAVAILABLE, "seats_unknown"),
            Self::BadHandle => (StatusCode::UNPROCESSABLE_ENTITY, "bad_handle"),
            Self::BadPassword(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_password"),
            Self::BadReport(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_report"),
            Self::BadTime(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_time"),
            Self::Locked(_) => (StatusCode::LOCKED, "locked"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::Away => (StatusCode::SERVICE_UNAVAILABLE, "away"),
        }
    }

    /// How long waiting helps, if it does.
    fn wait(&self) -> Option<Duration> {
        match self {
            Self::TooFast(wait) | Self::TooSoon(wait) | Self::Locked(wait) | Self::ManyReports(wait) => {
                Some(*wait)
            }
            Self::Busy | Self::Away => Some(COME_AGAIN),
            Self::Elsewhere(refused) if refused.passes() => Some(COME_AGAIN),
            Self::SeatsUnknown(_) => Some(SETTLED),
            _ => None,
        }
    }
}

/// When it is worth asking again what could not be answered.
const COME_AGAIN: Duration = Duration::from_secs(1);

/// When it is worth asking again who sits where: rooms that were being taken over have been by then.
const SETTLED: Duration = Duration::from_secs(5);

/// What constraints say of what somebody chose is his to mend, and so is a text that no database keeps; everything else is ours, and told in the log.
impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Unique(what) if what.contains("handle") => Self::HandleTaken,
            DbError::Unique(what) if what.contains("nick") => Self::NickTaken,
            DbError::Unique(what) if what.contains("identity") => Refused::Taken.into(),
            DbError::Busy => Self::Busy,
            DbError::Unfit => Self::BadRequest(error.to_string()),
            DbError::Away(_) | DbError::Again => {
                tracing::warn!(%error, "accounts are out of reach");
                Self::Away
            }
            DbError::Unique(_) | DbError::Refused(_) | DbError::Broken(_) => {
                tracing::error!(%error, "accounts did not do what was asked");
                Self::Away
            }
        }
    }
}

impl From<TooMany> for ApiError {
    fn from(TooMany: TooMany) -> Self {
        Self::Busy
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::NotJson,
            _ => Self::BadRequest(rejection.body_text()),
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<UnixMs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rooms: Option<&'a [RoomId]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currencies: Option<&'a [Currency]>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        metrics::counter!("reception_refused_total", "code" => self.code()).increment(1);
        let wait = self.wait();
        let retry_after_ms =
            wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1));
        let why = if let Self::SessionEnded(why) = self { Some(why.as_str()) } else { None };
        let (until_ms, reason) = match &self {
            Self::Banned { until_ms, reason } => (*until_ms, Some(reason.as_str())),
            _ => (None, None),
        };
        let (rooms, currencies) = match &self {
            Self::Seated(rooms) => (Some(rooms.as_slice()), None),
            Self::HasChips { rooms, currencies } => (Some(rooms.as_slice()), Some(currencies.as_slice())),
            _ => (None, None),
        };
        let message = &self.to_string();
        let body =
            Body { code: self.code(), message, retry_after_ms, why, until_ms, reason, rooms, currencies };
        let mut response = (self.status(), Json(body)).into_response();
        if let Some(wait) = wait {
            // Whole seconds, rounded up (RFC 9110, section 10.2.3).
            response.headers_mut().insert(RETRY_AFTER, (wait.as_secs() + 1).into());
        }
        response
    }
}
