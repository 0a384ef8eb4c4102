//! What people report of each other, and what staff does about it.

use std::time::Duration;

use cage::{
    Tx,
    people::{
        person,
        report::{self, Closed, Filed, Kind, Listed, Report, Wanted},
    },
};
use protocol::{
    id::{RoomId, UserId},
    rights::Roles,
};

use super::{
    Asker, Caller, People,
    audit::ByStaff,
    staff::{LOOK, Told, may, may_about},
};
use crate::{error::ApiError, guest};

/// Reports that staff is told at once.
const LISTED_MAX: u32 = 100;

/// Reports that were closed are kept for so long, milliseconds.
const CLOSED_KEPT_MS: u64 = 366 * 24 * 60 * 60 * 1_000;

/// Reports that are forgotten in one sweep.
const SWEPT_MAX: u32 = 10_000;

/// What somebody says of somebody else.
#[derive(Debug, Clone)]
pub struct Complaint {
    /// Whom it is about.
    pub about: UserId,
    /// In which room it was.
    pub room: RoomId,
    /// What it is.
    pub kind: Kind,
    /// More of it; may be empty.
    pub words: String,
}

/// Which reports are wanted.
#[derive(Debug, Clone, Default)]
pub struct ReportPage {
    /// About this person alone.
    pub reported: Option<UserId>,
    /// Those that are closed, instead of those that are open.
    pub closed: bool,
    /// After the report of this name.
    pub after: Option<String>,
}

impl People {
    /// Takes a report by who asks.
    ///
    /// # Errors
    /// [`ApiError::BadReport`], [`ApiError::NotFound`], [`ApiError::AlreadyReported`], [`ApiError::ManyReports`].
    pub async fn report(
        &self,
        caller: &Caller,
        complaint: Complaint,
        asker: &Asker,
    ) -> Result<Report, ApiError> {
        let (reporter, asker, now) = (caller.person.id.clone(), asker.clone(), self.now());
        if complaint.about == reporter {
            return Err(ApiError::BadReport("nobody reports himself".into()));
        }
        let Complaint { about: reported, room, kind, words } = complaint;
        let id = guest::new_id("r-", &mut rand::rng());
        let report = Report { id, reporter, reported, room, kind, words, at_ms: now, closed: None };
        let work = move |tx: &mut dyn Tx| {
            if person::by_id(tx, &report.reported)?.is_none_or(|person| person.gone) {
                return Ok(Err(ApiError::NotFound));
            }
            match report::file(tx, &report)? {
                Filed::Known => return Ok(Err(ApiError::AlreadyReported)),
                Filed::TooMany(until) => {
                    return Ok(Err(ApiError::ManyReports(Duration::from_millis(until.saturating_sub(now)))));
                }
                Filed::Taken => {}
            }
            // About the report, and not about the person: what a person is told of himself does not say who has reported him.
            let (staff, subject) = (&report.reporter, Some(report.id.as_str()));
            let detail = report.kind.as_str().into();
            ByStaff { staff, action: "reported", subject, reason: None, detail, asker: &asker }
                .tell(tx, now)?;
            Ok(Ok(report.clone()))
        };
        self.tellers.write(caller.person.id.as_str(), work).await?
    }

    /// Reports for staff, the oldest first; about oneself none, and about others of staff for admins alone.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`]; [`ApiError::NotFound`] when there is none of which to tell what comes after.
    pub async fn reports(
        &self,
        caller: &Caller,
        page: ReportPage,
        asker: &Asker,
    ) -> Result<Vec<Listed>, ApiError> {
        may(caller, LOOK)?;
        let (staff, now) = (caller.person.id.clone(), self.now());
        let is_admin = Roles(caller.person.roles).has(Roles::ADMIN);
        let told = Told::looked("reports_seen", page.reported.as_ref().map_or("", UserId::as_str), asker);
        let work = move |tx: &mut dyn Tx| {
            let after = match &page.after {
                Some(id) => match report::by_id(tx, id)? {
                    Some(report) => Some((report.at_ms, report.id)),
                    None => return Ok(Err(ApiError::NotFound)),
                },
                None => None,
            };
            told.by(&staff, None).tell(tx, now)?;
            let wanted = Wanted { reported: page.reported.clone(), closed: page.closed, after };
            report::list(tx, &wanted, &staff, is_admin, LISTED_MAX).map(Ok)
        };
        self.tellers.write("audit", work).await?
    }

    /// Closes a report, with what was found.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`], also where it is about who asks; [`ApiError::NotFound`] when no such report is open.
    pub async fn close_report(
        &self,
        caller: &Caller,
        id: &str,
        why: &str,
        asker: &Asker,
    ) -> Result<(), ApiError> {
        may(caller, LOOK)?;
        let (staff, id, why, now) = (caller.clone(), id.to_owned(), why.to_owned(), self.now());
        let told = Told::did("report_closed", &why, asker);
        let work = move |tx: &mut dyn Tx| {
            let Some(report) = report::by_id(tx, &id)? else { return Ok(Err(ApiError::NotFound)) };
            let Some(about) = person::by_id(tx, &report.reported)? else {
                return Ok(Err(ApiError::NotFound));
            };
            if let Err(refused) = may_about(&staff, &about) {
                return Ok(Err(refused));
            }
            let closed = Closed { at_ms: now, by: staff.person.id.clone(), why: why.clone() };
            if !report::close(tx, &id, &closed)? {
                return Ok(Err(ApiError::NotFound));
            }
            told.by(&staff.person.id, Some(&id)).tell(tx, now)?;
            Ok(Ok(()))
        };
        self.tellers.write("audit", work).await?
    }

    /// Forgets what was closed long ago.
    pub(super) async fn sweep_reports(&self) {
        let before = self.now().saturating_sub(CLOSED_KEPT_MS);
        let sweep = move |tx: &mut dyn Tx| report::forget_closed(tx, before, SWEPT_MAX);
        if let Err(error) = self.tellers.write("sweep", sweep).await {
            tracing::warn!(%error, "old reports are not forgotten yet");
        }
    }
}
