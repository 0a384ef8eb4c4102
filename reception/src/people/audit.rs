//! The words for what has happened to accounts. None of them holds a secret.

use cage::{
    DbError, Tx,
    people::audit::{Entry, append},
};
use protocol::{id::UserId, time::UnixMs};

use super::Asker;

/// Something that somebody did about himself, or that happened to him.
pub(super) fn tell(
    tx: &mut dyn Tx,
    person: &UserId,
    action: &str,
    detail: impl Into<String>,
    asker: &Asker,
    now: UnixMs,
) -> Result<(), DbError> {
    let entry = Entry {
        at_ms: now,
        actor: person.as_str().into(),
        action: action.into(),
        subject: Some(person.as_str().into()),
        reason: None,
        detail: detail.into(),
        network: Some(asker.network.clone()),
    };
    append(tx, &entry).map(drop)
}

/// Something that staff did about somebody, or looked at.
pub(super) struct ByStaff<'a> {
    pub(super) staff: &'a UserId,
    pub(super) action: &'a str,
    pub(super) subject: Option<&'a str>,
    pub(super) reason: Option<&'a str>,
    pub(super) detail: String,
    pub(super) asker: &'a Asker,
}

impl ByStaff<'_> {
    pub(super) fn tell(self, tx: &mut dyn Tx, now: UnixMs) -> Result<(), DbError> {
        let entry = Entry {
            at_ms: now,
            actor: self.staff.as_str().into(),
            action: self.action.into(),
            subject: self.subject.map(str::to_owned),
            reason: self.reason.map(str::to_owned),
            detail: self.detail,
            network: Some(self.asker.network.clone()),
        };
        append(tx, &entry).map(drop)
    }
}
