//! Guests, refreshing, signing in and out.

use std::time::Duration;

use cage::{
    Tx,
    people::{
        lockout,
        login::{self, Ended, How, Presented},
        person::{self, Kind},
        refresh::PREFIX,
        sanction,
    },
};
use protocol::text::PlayerName;

use super::{Asker, Caller, Device, Granted, People, Session, audit, begin, go_on, new_login, unless_banned};
use crate::{error::ApiError, guest, passwords::Secret};

/// What a refresh came to.
enum Refreshed {
    Granted(Box<Granted>),
    Bad,
    Ended(Ended),
    Reused(login::Login),
}

/// What is known of who signs in.
struct SigningIn {
    /// How long nobody may try.
    locked_ms: Option<u64>,
    credentials: Option<person::Credentials>,
}

impl People {
    /// A new guest of this name.
    ///
    /// # Errors
    /// When the database does not do it.
    pub async fn guest(&self, name: &PlayerName, asker: &Asker) -> Result<Session, ApiError> {
        let now = self.now();
        let id = guest::new_guest(&mut rand::rng());
        let (login, name, about) = (new_login(&id, How::Guest, asker), name.clone(), id.to_string());
        let token_ms = self.desk.token_ms();
        let work = move |tx: &mut dyn Tx| {
            person::new_guest(tx, &id, &name, now)?;
            begin(tx, &login, token_ms, now)
        };
        let granted = self.tellers.write(&about, work).await?;
        metrics::counter!("reception_tokens_total", "for" => "guest").increment(1);
        Ok(self.session(granted, now))
    }

    /// The next tokens of the login of this refresh token; or the first, of an access token of a house without a database.
    ///
    /// # Errors
    /// [`ApiError::BadToken`], [`ApiError::SessionEnded`], [`ApiError::Banned`].
    pub async fn refresh(&self, token: &Secret, asker: &Asker) -> Result<Session, ApiError> {
        let now = self.now();
        let refreshed = if token.as_str().starts_with(PREFIX) {
            self.present(token, asker, now).await?
        } else {
            self.adopt(token, asker, now).await?
        };
        match refreshed {
            Refreshed::Granted(granted) if granted.person.gone => Err(ApiError::SessionEnded(Ended::Gone)),
            Refreshed::Granted(granted) => {
                unless_banned(&granted.sanctions)?;
                metrics::counter!("reception_tokens_total", "for" => "refresh").increment(1);
                Ok(self.session(*granted, now))
            }
            Refreshed::Bad => Err(ApiError::BadToken),
            Refreshed::Ended(why) => Err(ApiError::SessionEnded(why)),
            Refreshed::Reused(login) => {
                metrics::counter!("reception_reuse_total").increment(1);
                tracing::warn!(user = %login.person, login = login.id, "an old refresh token was used: its login has ended");
                self.revoke_logins(&login.person, [login.id]).await;
                Err(ApiError::SessionEnded(Ended::Reuse))
            }
        }
    }

    async fn present(&self, token: &Secret, asker: &Asker, now: u64) -> Result<Refreshed, ApiError> {
        // Whoever guesses ends nobody's login.
        let Some((key, generation)) = self.keys.read(token.as_str()) else { return Ok(Refreshed::Bad) };
        let (asker, token_ms) = (asker.clone(), self.desk.token_ms());
        let work = move |tx: &mut dyn Tx| {
            Ok(match login::present(tx, &key, generation, now)? {
                Presented::Current(login, generation) => {
                    Refreshed::Granted(Box::new(go_on(tx, &login, (key, generation), token_ms, now)?))
                }
                Presented::Unknown => Refreshed::Bad,
                Presented::Ended(why) => Refreshed::Ended(why),
                Presented::Reused(login) => {
                    let detail = format!("login {}", login.id);
                    audit::tell(tx, &login.person, "refresh_token_reused", detail, &asker, now)?;
                    Refreshed::Reused(login)
                }
            })
        };
        Ok(self.tellers.write(&format!("{key:?}"), work).await?)
    }

    /// Tokens of a house without a database name no login. Those that do are of this one, and no refresh tokens: who has stolen one has it
    /// until it ends, and no longer.
    async fn adopt(&self, token: &Secret, asker: &Asker, now: u64) -> Result<Refreshed, ApiError> {
        let keys = self.desk.keyring().keys();
        let Ok(claims) = keys.public().verify(token.as_str(), now) else { return Ok(Refreshed::Bad) };
        if claims.sid.is_some() || claims.sub.is_bot() {
            return Ok(Refreshed::Bad);
        }
        let issued_ms = claims.issued_ms();
        let (id, name) = (claims.sub, PlayerName::salvaged(&claims.name));
        let (login, about) = (new_login(&id, How::Guest, asker), id.to_string());
        let token_ms = self.desk.token_ms();
        let work = move |tx: &mut dyn Tx| {
            person::new_guest(tx, &id, &name, now)?;
            let person = person::by_id(tx, &id)?;
            let is_his = |person: &person::Person| {
                person.kind == Kind::Guest && !person.gone && issued_ms > person.tokens_from_ms
            };
            if !person.as_ref().is_some_and(is_his) {
                return Ok(Refreshed::Bad);
            }
            Ok(Refreshed::Granted(Box::new(begin(tx, &login, token_ms, now)?)))
        };
        Ok(self.tellers.write(&about, work).await?)
    }

    /// Signs somebody in. `known_by` is what this device was given when it signed in before with this handle.
    ///
    /// # Errors
    /// [`ApiError::BadCredentials`], [`ApiError::Locked`], [`ApiError::Banned`], [`ApiError::Busy`].
    pub async fn sign_in(
        &self,
        handle: &str,
        password: Secret,
        known_by: Option<&str>,
        asker: &Asker,
    ) -> Result<Session, ApiError> {
        let signed_in = self.try_sign_in(handle, password, known_by, asker).await;
        let result = signed_in.as_ref().map_or_else(ApiError::code, |_| "good");
        metrics::counter!("reception_sign_ins_total", "result" => result).increment(1);
        signed_in
    }

    async fn try_sign_in(
        &self,
        handle: &str,
        password: Secret,
        known_by: Option<&str>,
        asker: &Asker,
    ) -> Result<Session, ApiError> {
        // Before an attempt is taken: who is not looked at has not tried.
        let turn = self.hasher.turn()?;
        let handle = handle.trim().to_ascii_lowercase();
        let subject = lockout::subject(&handle);
        let trusted = known_by.is_some_and(|proof| self.keys.knows_device(&subject, proof));
        let (asked, told) = (handle.clone(), asker.clone());
        let now = self.now();
        let attempt = move |tx: &mut dyn Tx| {
            let locked_ms = lockout::attempt(tx, &subject, trusted, now)?;
            let credentials = person::by_handle(tx, &asked)?;
            if let (None, Some(credentials)) = (locked_ms, &credentials)
                && lockout::is_locked(tx, &subject, trusted, now)?
            {
                let detail = if trusted { "on devices that were known" } else { "on strangers' devices" };
                audit::tell(tx, &credentials.person.id, "last_password_before_lock", detail, &told, now)?;
            }
            Ok(SigningIn { locked_ms, credentials })
        };
        let SigningIn { locked_ms, credentials } = self.tellers.write(&handle, attempt).await?;
        if let Some(wait_ms) = locked_ms {
            metrics::counter!("reception_locked_out_total").increment(1);
            return Err(ApiError::Locked(Duration::from_millis(wait_ms)));
        }
        let (person, hash) = credentials.map_or((None, None), |found| (Some(found.person), found.hash));
        let is_right = self.hasher.is_right(turn, password, hash).await;
        let Some(person) = person.filter(|_| is_right) else { return Err(ApiError::BadCredentials) };

        let now = self.now();
        let (login, told) = (new_login(&person.id, How::Password, asker), asker.clone());
        let token_ms = self.desk.token_ms();
        let work = move |tx: &mut dyn Tx| {
            lockout::succeeded(tx, &subject, trusted)?;
            // Somebody may have changed it meanwhile, or have gone: then it was right, and is not.
            let still = person::by_id(tx, &login.person)?.filter(|person| person.handle.is_some());
            if still.is_none() {
                return Ok(Err(ApiError::BadCredentials));
            }
            if let Err(banned) = unless_banned(&sanction::that_hold(tx, &login.person, now)?) {
                return Ok(Err(banned));
            }
            audit::tell(tx, &login.person, "signed_in", format!("login {}", login.id), &told, now)?;
            begin(tx, &login, token_ms, now).map(Ok)
        };
        let granted = self.tellers.write(person.id.as_str(), work).await??;
        Ok(Session { device: Some(self.device(&handle)), ..self.session(granted, now) })
    }

    /// What a device keeps that has signed in with this handle.
    pub(super) fn device(&self, handle: &str) -> Device {
        let subject = lockout::subject(handle);
        Device { name: device_name(handle), proof: self.keys.device(&subject).into() }
    }

    /// The open logins of who asks.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn logins(&self, caller: &Caller) -> Result<Vec<login::Login>, ApiError> {
        let (id, now) = (caller.person.id.clone(), self.now());
        Ok(self.tellers.read(move |tx| login::of(tx, &id, now)).await?)
    }

    /// Ends a login of who asks.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] when there is none of this id.
    pub async fn sign_out(&self, caller: &Caller, login: &str, asker: &Asker) -> Result<(), ApiError> {
        let (id, login, asker, now) = (caller.person.id.clone(), login.to_owned(), asker.clone(), self.now());
        let ending = login.clone();
        let work = move |tx: &mut dyn Tx| {
            let ended = login::end(tx, &id, &ending, Ended::SignedOut, now)?;
            if ended {
                audit::tell(tx, &id, "signed_out", format!("login {ending}"), &asker, now)?;
            }
            Ok(ended)
        };
        if !self.tellers.write(caller.person.id.as_str(), work).await? {
            return Err(ApiError::NotFound);
        }
        self.revoke_logins(&caller.person.id, [login]).await;
        Ok(())
    }

    /// Ends all other logins of who asks, and with `also_this` the one that asks.
    ///
    /// # Errors
    /// When the database does not do it.
    pub async fn sign_out_elsewhere(
        &self,
        caller: &Caller,
        also_this: bool,
        asker: &Asker,
    ) -> Result<(), ApiError> {
        let (id, asker, now) = (caller.person.id.clone(), asker.clone(), self.now());
        let but = (!also_this).then(|| caller.login.clone());
        let work = move |tx: &mut dyn Tx| {
            let ended = login::end_all(tx, &id, but.as_deref(), Ended::SignedOut, now)?;
            audit::tell(tx, &id, "signed_out", format!("{} logins", ended.len()), &asker, now)?;
            Ok(ended)
        };
        let ended = self.tellers.write(caller.person.id.as_str(), work).await?;
        self.revoke_logins(&caller.person.id, ended).await;
        Ok(())
    }
}

/// What is told apart by who signs in: several people may use one device.
pub(crate) fn device_name(handle: &str) -> String {
    let subject = lockout::subject(&handle.trim().to_ascii_lowercase());
    subject[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}
