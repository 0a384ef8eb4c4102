//! What staff does about others, and looks at. Everything of it stands in the audit.

use cage::{
    DbError, Tx,
    people::{
        audit::{self as chain, Breach, Kept},
        login::{self, Ended, Login},
        person::{self, Person},
        sanction::{self, Kind, Sanction},
    },
};
use protocol::{id::UserId, rights::Roles, time::UnixMs};

use super::{
    Asker, Caller, People,
    accounts::{Link, new_link, new_secret},
    audit::ByStaff,
};
use crate::{error::ApiError, guest};

/// People that are found at once.
const FOUND_MAX: u32 = 50;

/// Entries of the audit that are told at once.
const ENTRIES_MAX: u32 = 100;

/// All that staff sees of somebody.
pub struct Dossier {
    /// Who.
    pub person: Person,
    /// Open logins.
    pub logins: Vec<Login>,
    /// All sanctions.
    pub sanctions: Vec<Sanction>,
    /// What has happened, the latest first.
    pub events: Vec<Kept>,
}

/// Which entries of the audit are wanted.
#[derive(Debug, Clone, Default)]
pub struct AuditPage {
    /// With lower numbers than this.
    pub before: Option<u64>,
    /// About this person alone.
    pub subject: Option<String>,
}

/// What is wanted of a transaction and may not be, is found out in it.
type Done<T> = Result<Result<T, ApiError>, DbError>;

impl People {
    /// A transaction by staff about somebody: what `work` is given is the person. The entry stands in the audit only if it was done.
    async fn about<T: Send + 'static>(
        &self,
        caller: &Caller,
        id: &UserId,
        told: Told,
        mut work: impl FnMut(&mut dyn Tx, &Person, UnixMs) -> Done<T> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (staff, about, now) = (caller.person.id.clone(), id.clone(), self.now());
        let work = move |tx: &mut dyn Tx| {
            let Some(person) = person::by_id(tx, &about)? else { return Ok(Err(ApiError::NotFound)) };
            let done = work(tx, &person, now)?;
            if done.is_ok() {
                told.by(&staff, Some(about.as_str())).tell(tx, now)?;
            }
            Ok(done)
        };
        self.tellers.write(id.as_str(), work).await?
    }

    /// People whose id, handle or looks are this.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`].
    pub async fn find(&self, caller: &Caller, text: &str, asker: &Asker) -> Result<Vec<Person>, ApiError> {
        may(caller, LOOK)?;
        let (staff, text, now) = (caller.person.id.clone(), text.to_owned(), self.now());
        let told = Told::looked("people_searched", &text, asker);
        let work = move |tx: &mut dyn Tx| {
            told.by(&staff, None).tell(tx, now)?;
            person::find(tx, text.trim(), FOUND_MAX)
        };
        Ok(self.tellers.write("audit", work).await?)
    }

    /// All that staff sees of somebody.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`], [`ApiError::NotFound`].
    pub async fn dossier(&self, caller: &Caller, id: &UserId, asker: &Asker) -> Result<Dossier, ApiError> {
        may(caller, LOOK)?;
        self.about(caller, id, Told::looked("person_seen", "", asker), |tx, person, now| {
            Ok(Ok(Dossier {
                person: person.clone(),
                logins: login::of(tx, &person.id, now)?,
                sanctions: sanction::all_of(tx, &person.id)?,
                events: chain::about(tx, person.id.as_str(), u64::MAX, ENTRIES_MAX)?,
            }))
        })
        .await
    }

    /// Bans or mutes somebody.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`], [`ApiError::NotFound`], [`ApiError::BadTime`].
    pub async fn impose(
        &self,
        caller: &Caller,
        id: &UserId,
        kind: Kind,
        until_ms: Option<UnixMs>,
        reason: &str,
        asker: &Asker,
    ) -> Result<Sanction, ApiError> {
        may(caller, who_imposes(kind))?;
        let (staff, name) = (caller.clone(), guest::new_id("s-", &mut rand::rng()));
        let (reason, told) = (reason.to_owned(), Told::did(kind.as_str(), reason, asker));
        let imposed = self.about(caller, id, told, move |tx, person, now| {
            if let Err(refused) = may_about(&staff, person) {
                return Ok(Err(refused));
            }
            if until_ms.is_some_and(|until| until <= now) {
                return Ok(Err(ApiError::BadTime("until_ms is over")));
            }
            let imposed = Sanction {
                id: name.clone(),
                person: person.id.clone(),
                kind,
                from_ms: now,
                until_ms,
                reason: reason.clone(),
                by: staff.person.id.clone(),
                lifted_ms: None,
            };
            sanction::impose(tx, &imposed)?;
            person::void_tokens(tx, &person.id, now)?;
            Ok(Ok(imposed))
        });
        let imposed = imposed.await?;
        self.revoke_all(id).await;
        Ok(imposed)
    }

    /// Lifts a ban or a mute.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`], [`ApiError::NotFound`], [`ApiError::NotLifted`].
    pub async fn lift(
        &self,
        caller: &Caller,
        name: &str,
        reason: &str,
        asker: &Asker,
    ) -> Result<(), ApiError> {
        may(caller, LOOK)?;
        let asked = name.to_owned();
        let found = self.tellers.read(move |tx| sanction::by_id(tx, &asked)).await?;
        let found = found.ok_or(ApiError::NotFound)?;
        if found.kind == Kind::SelfExclusion {
            return Err(ApiError::NotLifted);
        }
        may(caller, who_imposes(found.kind))?;
        let (staff, name) = (caller.clone(), name.to_owned());
        let told =
            Told { detail: format!("{} {name}", found.kind.as_str()), ..Told::did("lifted", reason, asker) };
        let lifted = self.about(caller, &found.person, told, move |tx, person, now| {
            if let Err(refused) = may_about(&staff, person) {
                return Ok(Err(refused));
            }
            let lifted = sanction::lift(tx, &name, &staff.person.id, now)?;
            if lifted.is_some() {
                // What the old token does not say, a new one does.
                person::void_tokens(tx, &person.id, now)?;
            }
            Ok(lifted.map(drop).ok_or(ApiError::NotFound))
        });
        lifted.await?;
        self.revoke_all(&found.person).await;
        Ok(())
    }

    /// Ends all logins of somebody.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`], [`ApiError::NotFound`].
    pub async fn sign_out_all(
        &self,
        caller: &Caller,
        id: &UserId,
        reason: &str,
        asker: &Asker,
    ) -> Result<(), ApiError> {
        may(caller, LOOK)?;
        let staff = caller.clone();
        let ended = self.about(
            caller,
            id,
            Told::did("signed_out_by_staff", reason, asker),
            move |tx, person, now| {
                if let Err(refused) = may_about(&staff, person) {
                    return Ok(Err(refused));
                }
                login::end_all(tx, &person.id, None, Ended::Staff, now)?;
                person::void_tokens(tx, &person.id, now)?;
                Ok(Ok(()))
            },
        );
        ended.await?;
        self.revoke_all(id).await;
        Ok(())
    }

    /// Gives a member these roles instead of the others.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`], [`ApiError::NotFound`], [`ApiError::LastAdmin`].
    pub async fn set_roles(
        &self,
        caller: &Caller,
        id: &UserId,
        roles: Roles,
        reason: &str,
        asker: &Asker,
    ) -> Result<Person, ApiError> {
        may(caller, &[Roles::ADMIN])?;
        let told = Told { detail: format!("{roles:?}"), ..Told::did("roles_set", reason, asker) };
        let set = self.about(caller, id, told, move |tx, person, now| {
            let was_admin = Roles(person.roles).has(Roles::ADMIN);
            let is_last = was_admin && !person::others_with_roles(tx, &person.id, Roles::ADMIN.0)?;
            if is_last && !roles.has(Roles::ADMIN) {
                return Ok(Err(ApiError::LastAdmin));
            }
            if !person::set_roles(tx, &person.id, roles.0)? {
                return Ok(Err(ApiError::NotFound));
            }
            person::void_tokens(tx, &person.id, now)?;
            Ok(Ok(Person { roles: roles.0, ..person.clone() }))
        });
        let person = set.await?;
        self.revoke_all(id).await;
        Ok(person)
    }

    /// A link by which a member sets a password.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`], [`ApiError::NotFound`].
    pub async fn password_link(
        &self,
        caller: &Caller,
        id: &UserId,
        reason: &str,
        asker: &Asker,
    ) -> Result<Link, ApiError> {
        may(caller, &[Roles::ADMIN])?;
        let secret = new_secret();
        let of = secret.clone();
        let made =
            self.about(caller, id, Told::did("password_link_made", reason, asker), move |tx, person, now| {
                if person.handle.is_none() {
                    return Ok(Err(ApiError::NotFound));
                }
                new_link(tx, &of, &person.id, now).map(Ok)
            });
        Ok(Link { expires_ms: made.await?, secret })
    }

    /// Entries of the audit, the latest first.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`].
    pub async fn audit(
        &self,
        caller: &Caller,
        page: AuditPage,
        asker: &Asker,
    ) -> Result<Vec<Kept>, ApiError> {
        may(caller, AUDIT)?;
        let (staff, now) = (caller.person.id.clone(), self.now());
        let told = Told::looked("audit_seen", "", asker);
        let work = move |tx: &mut dyn Tx| {
            let subject = page.subject.as_deref();
            told.by(&staff, subject).tell(tx, now)?;
            let before = page.before.unwrap_or(u64::MAX);
            match subject {
                Some(subject) => chain::about(tx, subject, before, ENTRIES_MAX),
                None => chain::latest(tx, before, ENTRIES_MAX),
            }
        };
        Ok(self.tellers.write("audit", work).await?)
    }

    /// Goes through the whole audit.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`].
    pub async fn verify_audit(
        &self,
        caller: &Caller,
        asker: &Asker,
    ) -> Result<Result<u64, Breach>, ApiError> {
        may(caller, AUDIT)?;
        let (staff, now) = (caller.person.id.clone(), self.now());
        let told = Told::looked("audit_verified", "", asker);
        self.tellers.write("audit", move |tx| told.by(&staff, None).tell(tx, now)).await?;
        Ok(self.tellers.read(chain::verify).await?)
    }
}

/// Any of these looks people up, mutes and signs out.
pub(super) const LOOK: &[Roles] = &[Roles::FLOOR, Roles::INTEGRITY, Roles::ADMIN];

/// Any of these reads the audit, and bans.
const AUDIT: &[Roles] = &[Roles::INTEGRITY, Roles::ADMIN];

fn who_imposes(kind: Kind) -> &'static [Roles] {
    match kind {
        Kind::Mute => LOOK,
        Kind::Ban => AUDIT,
        Kind::SelfExclusion => &[],
    }
}

/// Whether who asks has one of the roles.
pub(super) fn may(caller: &Caller, any_of: &[Roles]) -> Result<(), ApiError> {
    let roles = Roles(caller.person.roles);
    if any_of.iter().any(|role| roles.has(*role)) { Ok(()) } else { Err(ApiError::NotAllowed) }
}

/// Nobody judges himself, and staff is judged by admins.
pub(super) fn may_about(caller: &Caller, person: &Person) -> Result<(), ApiError> {
    if caller.person.id == person.id {
        return Err(ApiError::NotAllowed);
    }
    if person.roles == 0 { Ok(()) } else { may(caller, &[Roles::ADMIN]) }
}

/// What an entry of the audit says, before it is known by whom.
#[derive(Clone)]
pub(super) struct Told {
    action: String,
    reason: Option<String>,
    pub(super) detail: String,
    asker: Asker,
}

impl Told {
    pub(super) fn looked(action: &str, detail: &str, asker: &Asker) -> Self {
        Self { action: action.into(), reason: None, detail: detail.into(), asker: asker.clone() }
    }

    pub(super) fn did(action: &str, reason: &str, asker: &Asker) -> Self {
        Self {
            action: action.into(),
            reason: Some(reason.into()),
            detail: String::new(),
            asker: asker.clone(),
        }
    }

    pub(super) fn by<'a>(&'a self, staff: &'a UserId, subject: Option<&'a str>) -> ByStaff<'a> {
        let Self { action, reason, detail, asker } = self;
        ByStaff { staff, action, subject, reason: reason.as_deref(), detail: detail.clone(), asker }
    }
}
