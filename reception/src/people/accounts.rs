//! Making an account, and passwords.

use std::time::Duration;

use cage::{
    DbError, Tellers, Tx,
    people::{
        audit::{Entry, append},
        lockout,
        login::{self, Ended, How},
        one_time,
        person::{self, Kind, Membership},
    },
};
use protocol::{id::UserId, rights::Roles, text::PlayerName, time::UnixMs};

use super::{Asker, Caller, People, Session, audit, begin, new_login};
use crate::{
    error::ApiError,
    guest,
    passwords::{self, Secret},
};

/// How long a link by which a password is set is good, milliseconds.
const LINK_MS: u64 = 30 * 60 * 1_000;

/// Characters of a handle.
const HANDLE_CHARS: std::ops::RangeInclusive<usize> = 3..=32;

/// A handle as it is stored: in small letters.
fn handle(text: &str) -> Result<String, ApiError> {
    let handle = text.trim().to_ascii_lowercase();
    let good = HANDLE_CHARS.contains(&handle.len())
        && handle.starts_with(|c: char| c.is_ascii_lowercase())
        && handle.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c));
    if good { Ok(handle) } else { Err(ApiError::BadHandle) }
}

/// What somebody wants to be.
pub struct Wanted {
    /// To sign in with.
    pub handle: String,
    /// Only he knows it.
    pub password: Secret,
    /// What others see.
    pub nick: PlayerName,
}

/// A link by which a password is set: only who gets it knows it.
pub struct Link {
    /// What `POST /api/passwords` takes.
    pub secret: Secret,
    /// When it stops working.
    pub expires_ms: UnixMs,
}

/// A new link for this person, in a transaction.
pub(super) fn new_link(
    tx: &mut dyn Tx,
    secret: &Secret,
    person: &UserId,
    now: UnixMs,
) -> Result<UnixMs, DbError> {
    let expires_ms = now.saturating_add(LINK_MS);
    one_time::to_set_password(tx, &one_time::hash(secret.as_str()), person, expires_ms)?;
    Ok(expires_ms)
}

/// The secret of a link: 160 random bits.
pub(super) fn new_secret() -> Secret {
    Secret::from(guest::new_id("", &mut rand::rng()) + &guest::new_id("", &mut rand::rng()))
}

impl People {
    /// Makes an account: of the guest who asks, if one does, who stays who he is.
    ///
    /// # Errors
    /// What is wrong with what was wanted; [`ApiError::HandleTaken`], [`ApiError::NickTaken`], [`ApiError::NotAGuest`].
    pub async fn sign_up(
        &self,
        wanted: Wanted,
        guest: Option<&Caller>,
        asker: &Asker,
    ) -> Result<Session, ApiError> {
        if guest.is_some_and(|caller| caller.person.kind != Kind::Guest) {
            return Err(ApiError::NotAGuest);
        }
        let handle = handle(&wanted.handle)?;
        passwords::check(&wanted.password, &[&handle, wanted.nick.as_str()])?;
        let hash = self.hasher.hash(self.hasher.turn()?, wanted.password).await;
        let membership = Membership { handle: handle.clone(), nick: wanted.nick, hash: Some(hash) };
        let now = self.now();
        let is_new = guest.is_none();
        let id = guest.map_or_else(|| guest::new_member(&mut rand::rng()), |caller| caller.person.id.clone());
        let (login, told) = (new_login(&id, How::Password, asker), asker.clone());
        let token_ms = self.desk.token_ms();
        let work = move |tx: &mut dyn Tx| {
            if is_new {
                person::new_member(tx, &login.person, &membership, now)?;
            } else if !person::upgrade(tx, &login.person, &membership, now)? {
                return Ok(None);
            }
            // Whoever has a guest's token is not a member by it.
            let ended = login::end_all(tx, &login.person, None, Ended::Password, now)?;
            let how = if is_new { "new" } else { "from a guest" };
            audit::tell(tx, &login.person, "account_made", how, &told, now)?;
            Ok(Some((begin(tx, &login, token_ms, now)?, ended)))
        };
        let done = self.tellers.write(id.as_str(), work).await?;
        let (granted, mut ended) = done.ok_or(ApiError::NotAGuest)?;
        // The socket on which he plays goes on: it is his, and refreshes with the new login.
        ended.retain(|login| guest.is_none_or(|caller| *login != caller.login));
        self.revoke_logins(&id, ended).await;
        metrics::counter!("reception_tokens_total", "for" => "account").increment(1);
        Ok(Session { device: Some(self.device(&handle)), ..self.session(granted, now) })
    }

    /// Whether this is the password of who asks. Wrong ones are counted for this login alone.
    pub(super) async fn confirm(&self, caller: &Caller, password: Secret) -> Result<(), ApiError> {
        let turn = self.hasher.turn()?;
        let subject = lockout::subject(&format!("login {}", caller.login));
        let (id, now) = (caller.person.id.clone(), self.now());
        let attempt =
            move |tx: &mut dyn Tx| Ok((lockout::attempt(tx, &subject, true, now)?, person::hash(tx, &id)?));
        let about = caller.person.id.as_str();
        let (locked_ms, hash) = self.tellers.write(about, attempt).await?;
        if let Some(wait_ms) = locked_ms {
            return Err(ApiError::Locked(Duration::from_millis(wait_ms)));
        }
        if !self.hasher.is_right(turn, password, hash).await {
            return Err(ApiError::WrongPassword);
        }
        self.tellers.write(about, move |tx| lockout::succeeded(tx, &subject, true)).await?;
        Ok(())
    }

    /// Puts another password in the place of the one of who asks, and ends all other logins. Who has none has signed in a short while ago.
    ///
    /// # Errors
    /// [`ApiError::WrongPassword`], [`ApiError::BadPassword`], [`ApiError::NotAMember`].
    pub async fn change_password(
        &self,
        caller: &Caller,
        old: Option<Secret>,
        new: Secret,
        asker: &Asker,
    ) -> Result<(), ApiError> {
        let Some(handle) = &caller.person.handle else { return Err(ApiError::NotAMember) };
        passwords::check(&new, &[handle, &caller.person.nick])?;
        self.confirm_by_what_there_is(caller, old).await?;
        let hash = self.hasher.hash(self.hasher.turn()?, new).await;
        let (id, but, asker, now) =
            (caller.person.id.clone(), caller.login.clone(), asker.clone(), self.now());
        let work = move |tx: &mut dyn Tx| {
            person::set_password(tx, &id, &hash)?;
            let ended = login::end_all(tx, &id, Some(&but), Ended::Password, now)?;
            audit::tell(tx, &id, "password_changed", format!("{} logins ended", ended.len()), &asker, now)?;
            Ok(ended)
        };
        let ended = self.tellers.write(caller.person.id.as_str(), work).await?;
        self.revoke_logins(&caller.person.id, ended).await;
        Ok(())
    }

    /// Sets a password by a link, and ends all logins of the person.
    ///
    /// # Errors
    /// [`ApiError::BadLink`], [`ApiError::BadPassword`].
    pub async fn set_password(&self, link: &Secret, new: Secret, asker: &Asker) -> Result<(), ApiError> {
        let link = one_time::hash(link.as_str());
        let now = self.now();
        let find = move |tx: &mut dyn Tx| {
            let Some(id) = one_time::whose(tx, &link, now)? else { return Ok(None) };
            person::by_id(tx, &id)
        };
        let person = self.tellers.read(find).await?.ok_or(ApiError::BadLink)?;
        let handle = person.handle.ok_or(ApiError::BadLink)?;
        passwords::check(&new, &[&handle, &person.nick])?;
        let hash = self.hasher.hash(self.hasher.turn()?, new).await;
        let (id, asker, now) = (person.id.clone(), asker.clone(), self.now());
        let subject = lockout::subject(&handle);
        let work = move |tx: &mut dyn Tx| {
            if one_time::take(tx, &link, now)?.is_none() || !person::set_password(tx, &id, &hash)? {
                return Ok(false);
            }
            for trusted in [false, true] {
                lockout::succeeded(tx, &subject, trusted)?;
            }
            login::end_all(tx, &id, None, Ended::Password, now)?;
            person::void_tokens(tx, &id, now)?;
            audit::tell(tx, &id, "password_set", "by a link", &asker, now)?;
            Ok(true)
        };
        if !self.tellers.write(person.id.as_str(), work).await? {
            return Err(ApiError::BadLink);
        }
        self.revoke_all(&person.id).await;
        Ok(())
    }
}

/// Makes an admin of the member with this handle, who is made if there is none, and a link by which the password is set. For who has the
/// database itself: the first admin comes from nowhere else.
///
/// # Errors
/// What is wrong with the handle, or why the database does not do it.
pub async fn admin(tellers: &Tellers, text: &str, now: UnixMs) -> Result<Link, ApiError> {
    let handle = handle(text)?;
    let nick = PlayerName::new(&handle)?;
    let id = guest::new_member(&mut rand::rng());
    let secret = new_secret();
    let of = secret.clone();
    let work = move |tx: &mut dyn Tx| {
        let id = match person::by_handle(tx, &handle)? {
            Some(found) => found.person.id,
            None => {
                let membership = Membership { handle: handle.clone(), nick: nick.clone(), hash: None };
                person::new_member(tx, &id, &membership, now)?;
                id.clone()
            }
        };
        let roles = person::by_id(tx, &id)?.map_or(0, |person| person.roles) | Roles::ADMIN.0;
        person::set_roles(tx, &id, roles)?;
        let entry = Entry {
            at_ms: now,
            actor: "house".into(),
            action: "admin_made".into(),
            subject: Some(id.as_str().into()),
            reason: None,
            detail: "on the command line".into(),
            network: None,
        };
        append(tx, &entry)?;
        new_link(tx, &of, &id, now)
    };
    let expires_ms = tellers.write("admin", work).await?;
    Ok(Link { secret, expires_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_short_plain_and_in_small_letters() {
        assert_eq!(handle(" Ann.B-2_x ").unwrap(), "ann.b-2_x");
        for bad in ["", "ab", "2ann", ".ann", "ann b", "änn", "ann@x", &"a".repeat(33), "a\u{212a}n"] {
            assert!(matches!(handle(bad), Err(ApiError::BadHandle)), "{bad}");
        }
    }

    #[test]
    fn two_links_are_never_the_same() {
        assert_ne!(new_secret(), new_secret());
        assert_eq!(new_secret().as_str().len(), 32);
    }
}
