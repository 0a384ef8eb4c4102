//! Who a member is elsewhere: linked to the account, looked at, and taken away again.

use cage::{
    Tx,
    people::{
        identity::{self, Identity, Subject},
        login::{self, How},
        person,
        visit::Goer,
    },
};

use super::{Asker, Caller, Came, People, audit};
use crate::{
    error::ApiError,
    guest,
    oidc::{Provider, Refused},
    passwords::Secret,
};

/// So long after a sign-in one is who one says, milliseconds.
const LATELY_MS: u64 = 10 * 60 * 1_000;

/// By what somebody signs in.
pub struct Ways {
    /// Whether there is a password.
    pub password: bool,
    /// Who he is elsewhere; with the provider, if it is still one.
    pub identities: Vec<Identity>,
}

impl People {
    /// Links a subject to who went.
    pub(super) async fn link(
        &self,
        provider: &Provider,
        goer: &Goer,
        subject: Subject,
        asker: &Asker,
    ) -> Result<Came, ApiError> {
        let (goer, now, told) = (goer.clone(), self.now(), asker.clone());
        let (by, link) = (provider.name().to_owned(), guest::new_id("i-", &mut rand::rng()));
        let about = goer.person.to_string();
        let work = move |tx: &mut dyn Tx| {
            if login::open(tx, &goer.person, &goer.login, now)?.is_none() {
                return Ok(Err(ApiError::BadToken));
            }
            if identity::add(tx, &link, &goer.person, &subject, now)? {
                audit::tell(tx, &goer.person, "linked", by.as_str(), &told, now)?;
                return Ok(Ok(()));
            }
            Ok(match identity::by_subject(tx, &subject.issuer, &subject.subject)? {
                Some(known) if known.person == goer.person => Ok(()),
                Some(_) => Err(Refused::Taken.into()),
                None => Err(Refused::Another.into()),
            })
        };
        self.tellers.write(&about, work).await??;
        Ok(Came::Linked)
    }

    /// By what who asks signs in.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ways(&self, caller: &Caller) -> Result<Ways, ApiError> {
        let id = caller.person.id.clone();
        let find = move |tx: &mut dyn Tx| {
            Ok(Ways { password: person::hash(tx, &id)?.is_some(), identities: identity::of(tx, &id)? })
        };
        Ok(self.tellers.read(find).await?)
    }

    /// Takes a way to sign in from who asks, who must have another.
    ///
    /// # Errors
    /// [`Refused::LastWay`], [`ApiError::NotFound`]; as for linking.
    pub async fn unlink(
        &self,
        caller: &Caller,
        link: &str,
        password: Option<Secret>,
        asker: &Asker,
    ) -> Result<(), ApiError> {
        self.confirm_or_lately(caller, password).await?;
        let named: Vec<(String, String)> = self
            .providers
            .all()
            .iter()
            .map(|provider| (provider.issuer().to_owned(), provider.name().to_owned()))
            .collect();
        let (id, link, told, now) = (caller.person.id.clone(), link.to_owned(), asker.clone(), self.now());
        let work = move |tx: &mut dyn Tx| {
            identity::hold(tx, &id)?;
            // By a provider that is none any more nobody signs in.
            let others = identity::of(tx, &id)?;
            let mut others = others
                .iter()
                .filter(|other| other.id != link && named.iter().any(|(known, _)| *known == other.issuer));
            if person::hash(tx, &id)?.is_none() && others.next().is_none() {
                return Ok(Err(Refused::LastWay.into()));
            }
            let Some(issuer) = identity::remove(tx, &id, &link)? else { return Ok(Err(ApiError::NotFound)) };
            let name = named.iter().find(|(known, _)| *known == issuer).map_or(&issuer, |(_, name)| name);
            audit::tell(tx, &id, "unlinked", name.as_str(), &told, now)?;
            Ok(Ok(()))
        };
        self.tellers.write(caller.person.id.as_str(), work).await?
    }

    /// Whether it is the person who asks: by the password, or because he has signed in a short while ago.
    pub(super) async fn confirm_or_lately(
        &self,
        caller: &Caller,
        password: Option<Secret>,
    ) -> Result<(), ApiError> {
        if let Some(password) = password {
            return self.confirm(caller, password).await;
        }
        let (id, login, now) = (caller.person.id.clone(), caller.login.clone(), self.now());
        let login = self.tellers.read(move |tx| login::open(tx, &id, &login, now)).await?;
        let is_late = |login: &login::Login| now > login.created_ms.saturating_add(LATELY_MS);
        match login {
            Some(login) if !is_late(&login) && login.how != How::Guest.as_str() => Ok(()),
            _ => Err(Refused::SignInAgain.into()),
        }
    }

    /// The same where who has a password is to say it.
    pub(super) async fn confirm_by_what_there_is(
        &self,
        caller: &Caller,
        password: Option<Secret>,
    ) -> Result<(), ApiError> {
        let id = caller.person.id.clone();
        let has_password = self.tellers.read(move |tx| person::hash(tx, &id)).await?.is_some();
        if has_password {
            return self.confirm(caller, password.ok_or(ApiError::WrongPassword)?).await;
        }
        self.confirm_or_lately(caller, None).await
    }
}
