//! What people report of each other, and what staff asks about it.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use cage::people::report::{Kind, Listed, Report};
use protocol::{
    id::{RoomId, UserId},
    text::Line,
    time::UnixMs,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    NO_STORE,
    asked::{Asked, Behind, By, From, Kept, Named},
    staff::{AskWhy, whom, why},
};
use crate::{
    error::ApiError,
    people::{Complaint, ReportPage},
};

/// The most that is looked at, in code points. How much people see of it may be less.
const WORDS_MAX: usize = 1_024;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reported {
    ChatAbuse,
    Name,
    Collusion,
    SlowPlay,
    Other,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskReport {
    user: String,
    room: RoomId,
    kind: Reported,
    #[serde(default)]
    words: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskReports {
    user: Option<UserId>,
    #[serde(default)]
    closed: bool,
    after: Option<String>,
}

/// A report. Staff hears all of it; who has filed it does not hear who closed it, and why.
#[derive(Serialize)]
pub(super) struct ReportTold {
    id: String,
    user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by_name: Option<String>,
    room: String,
    kind: &'static str,
    words: String,
    at_ms: UnixMs,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_ms: Option<UnixMs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl ReportTold {
    pub(super) fn to_reporter(report: Report) -> Self {
        Self {
            closed_ms: report.closed.map(|closed| closed.at_ms),
            id: report.id,
            user: report.reported.to_string(),
            name: None,
            by: None,
            by_name: None,
            room: report.room.to_string(),
            kind: report.kind.as_str(),
            words: report.words,
            at_ms: report.at_ms,
            closed_by: None,
            reason: None,
        }
    }

    fn to_staff(Listed { report, reporter_nick, reported_nick }: Listed) -> Self {
        let (by, closed) = (report.reporter.to_string(), report.closed.clone());
        let (closed_by, reason) =
            closed.map_or((None, None), |closed| (Some(closed.by.to_string()), Some(closed.why)));
        let (name, by_name) = (Some(reported_nick), Some(reporter_nick));
        Self { by: Some(by), name, by_name, closed_by, reason, ..Self::to_reporter(report) }
    }
}

/// As it is stored: one line, nothing in it that reorders or hides what stands beside it.
fn words(text: &str) -> Result<String, ApiError> {
    if text.chars().count() > WORDS_MAX {
        return Err(ApiError::BadRequest(format!("`words` has more than {WORDS_MAX} characters")));
    }
    let line = text.replace(['\n', '\r', '\t'], " ");
    if line.trim().is_empty() {
        return Ok(String::new());
    }
    Line::new(&line)
        .map(Line::into_string)
        .map_err(|unfit| ApiError::BadReport(format!("the words do not fit: {unfit}")))
}

pub(super) async fn file(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Asked(asked): Asked<AskReport>,
) -> Result<Response, ApiError> {
    let kind = match asked.kind {
        Reported::ChatAbuse => Kind::ChatAbuse,
        Reported::Name => Kind::Name,
        Reported::Collusion => Kind::Collusion,
        Reported::SlowPlay => Kind::SlowPlay,
        Reported::Other => Kind::Other,
    };
    let words = words(&asked.words)?;
    if kind == Kind::Other && words.is_empty() {
        return Err(ApiError::BadReport("say in words what it is".into()));
    }
    let complaint = Complaint { about: whom(&asked.user)?, room: asked.room, kind, words };
    let report = people.report(&caller, complaint, &asker).await?;
    Ok((StatusCode::CREATED, NO_STORE, Json(ReportTold::to_reporter(report))).into_response())
}

pub(super) async fn list(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Behind(AskReports { user, closed, after }): Behind<AskReports>,
) -> Result<Response, ApiError> {
    let page = ReportPage { reported: user, closed, after };
    let listed = people.reports(&caller, page, &asker).await?;
    let reports: Vec<_> = listed.into_iter().map(ReportTold::to_staff).collect();
    Ok((NO_STORE, Json(json!({ "reports": reports }))).into_response())
}

pub(super) async fn close(
    Kept(people): Kept,
    By(caller): By,
    From(asker): From,
    Named(id): Named,
    Asked(asked): Asked<AskWhy>,
) -> Result<StatusCode, ApiError> {
    people.close_report(&caller, &id, why(&asked.reason)?, &asker).await?;
    Ok(StatusCode::NO_CONTENT)
}
