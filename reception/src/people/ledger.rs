//! What people have, and what staff does about it.

use cage::{
    Tx,
    ledger::{
        self, Adjusted, Adjustment,
        adjust::{self, Decided, Decision, Proposal},
        audit::Audit,
        balances::Balance,
        grant::Refill,
        statement::Line,
    },
    people::person,
};
use money::Currency;
use protocol::rights::Roles;

use super::{
    Asker, Caller, People,
    audit::ByStaff,
    staff::{Told, may},
    tables::TablesAudit,
};
use crate::error::ApiError;

/// Lines of a statement that are told at once.
const LINES_MAX: u32 = 100;

/// Proposals that are told at once.
const PROPOSALS_MAX: u32 = 100;

/// Any of these moves chips by hand, and looks at the ledger.
pub(super) const CAGE: &[Roles] = &[Roles::CAGE, Roles::ADMIN];

impl People {
    /// What somebody has of each currency.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn balances(&self, caller: &Caller) -> Result<Vec<Balance>, ApiError> {
        let (user, now) = (caller.person.id.clone(), self.now());
        Ok(self.tellers.read(move |tx: &mut dyn Tx| ledger::balances(tx, now, &user)).await?)
    }

    /// What has moved his account, the latest first: lines with numbers below `before`.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] when there is no such currency.
    pub async fn statement(
        &self,
        caller: &Caller,
        code: Currency,
        before: Option<u64>,
    ) -> Result<Vec<Line>, ApiError> {
        let user = caller.person.id.clone();
        let work = move |tx: &mut dyn Tx| {
            if ledger::currency::find(tx, code)?.is_none() {
                return Ok(Err(ApiError::NotFound));
            }
            ledger::statement(tx, &user, code, before, LINES_MAX).map(Ok)
        };
        self.tellers.read(work).await?
    }

    /// Play money, once a day.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] when there is no such currency, or none that is given away.
    pub async fn refill(&self, caller: &Caller, code: Currency) -> Result<Refill, ApiError> {
        let (user, now) = (caller.person.id.clone(), self.now());
        let work = move |tx: &mut dyn Tx| ledger::refill(tx, now, &user, code);
        match self.tellers.write(caller.person.id.as_str(), work).await? {
            Refill::Never => Err(ApiError::NotFound),
            refill => Ok(refill),
        }
    }

    /// Goes through the whole ledger, and holds it against the tables.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`].
    pub async fn audit_ledger(
        &self,
        caller: &Caller,
        asker: &Asker,
    ) -> Result<(Audit, Option<TablesAudit>), ApiError> {
        may(caller, CAGE)?;
        let (staff, now) = (caller.person.id.clone(), self.now());
        let told = Told::looked("ledger_audited", "", asker);
        let tell = move |tx: &mut dyn Tx| told.by(&staff, None).tell(tx, now);
        self.tellers.write("audit", tell).await?;
        let audit = self.tellers.read(ledger::audit).await?;
        let tables = self.audit_tables(&caller.person.id).await?;
        if let Some(tables) = &tables {
            super::tables::tell(&audit.totals, tables);
        }
        Ok((audit, tables))
    }

    /// Moves chips by hand, or proposes it where it is much. Nobody does it for himself.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`], [`ApiError::NotFound`] when there is no such person.
    pub async fn adjust(
        &self,
        caller: &Caller,
        wanted: Adjustment,
        alone_max: u64,
        asker: &Asker,
    ) -> Result<Adjusted, ApiError> {
        may(caller, CAGE)?;
        if wanted.user == caller.person.id {
            return Err(ApiError::NotAllowed);
        }
        let (now, asker, about) = (self.now(), asker.clone(), wanted.user.clone());
        let work = move |tx: &mut dyn Tx| {
            if person::by_id(tx, &wanted.user)?.is_none_or(|person| person.gone) {
                return Ok(Err(ApiError::NotFound));
            }
            let adjusted = ledger::adjust(tx, now, &wanted, alone_max)?;
            tell(tx, &wanted, "adjusted", &wanted.staff, adjusted, &asker, now)?;
            Ok(Ok(adjusted))
        };
        self.tellers.write(about.as_str(), work).await?
    }

    /// What waits for somebody else to confirm it.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`].
    pub async fn proposals(&self, caller: &Caller, asker: &Asker) -> Result<Vec<Proposal>, ApiError> {
        may(caller, CAGE)?;
        let (staff, now) = (caller.person.id.clone(), self.now());
        let told = Told::looked("proposals_seen", "", asker);
        let work = move |tx: &mut dyn Tx| {
            told.by(&staff, None).tell(tx, now)?;
            adjust::proposals(tx, PROPOSALS_MAX)
        };
        Ok(self.tellers.write("audit", work).await?)
    }

    /// Confirms, declines or withdraws a proposal. Nobody decides about his own account.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`], [`ApiError::NotFound`] when there is none that is open.
    pub async fn decide(
        &self,
        caller: &Caller,
        name: &str,
        decision: Decision,
        asker: &Asker,
    ) -> Result<Adjusted, ApiError> {
        may(caller, CAGE)?;
        let (staff, name, now, asker) =
            (caller.person.id.clone(), name.to_owned(), self.now(), asker.clone());
        let work = move |tx: &mut dyn Tx| {
            let Some(proposal) = adjust::proposal(tx, &name)? else { return Ok(Err(ApiError::NotFound)) };
            if proposal.wanted.user == staff {
                return Ok(Err(ApiError::NotAllowed));
            }
            let adjusted = match adjust::decide(tx, now, &name, &staff, decision)? {
                Decided::Done(adjusted) => adjusted,
                Decided::Unknown | Decided::Already => return Ok(Err(ApiError::NotFound)),
                Decided::NotYours => return Ok(Err(ApiError::NotAllowed)),
            };
            let action = match decision {
                Decision::Confirm => "adjustment_confirmed",
                Decision::Decline => "adjustment_declined",
                Decision::Withdraw => "adjustment_withdrawn",
            };
            tell(tx, &proposal.wanted, action, &staff, adjusted, &asker, now)?;
            Ok(Ok(adjusted))
        };
        self.tellers.write("audit", work).await?
    }
}

/// What came of it stands in the audit, too.
fn tell(
    tx: &mut dyn Tx,
    wanted: &Adjustment,
    action: &str,
    staff: &protocol::id::UserId,
    adjusted: Adjusted,
    asker: &Asker,
    now: protocol::time::UnixMs,
) -> Result<(), cage::DbError> {
    let came = match adjusted {
        Adjusted::Done => "done",
        Adjusted::Proposed => "proposed",
        Adjusted::Dropped => "dropped",
        Adjusted::Refused(_) => "refused",
    };
    let detail = format!("{}: {} {} {came}", wanted.name, wanted.change, wanted.currency);
    let (subject, reason) = (Some(wanted.user.as_str()), Some(wanted.reason.as_str()));
    ByStaff { staff, action, subject, reason, detail, asker }.tell(tx, now)
}
