//! What somebody does about himself.

use std::time::Duration;

use broker::parts::NotKnown;
use cage::{
    Tx,
    ledger::{self, balances::Balance, statement::Line},
    people::{
        audit as chain,
        identity::{self, Identity},
        login::{self, Ended, Login},
        person::{self, Kind, NICK_KEPT_MS, Person},
        play_time::{self, MINUTES_ALL, MINUTES_MIN, PlayTime},
        report::{self, Report},
        sanction::{self, Sanction},
    },
};
use protocol::{id::UserId, rights::Roles, text::PlayerName, time::UnixMs};

use super::{Asker, Caller, People, audit};
use crate::{error::ApiError, guest, passwords::Secret};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The shortest self-exclusion, milliseconds.
const EXCLUSION_MIN_MS: u64 = DAY_MS;

/// The longest, milliseconds: a number that nobody meant is no life sentence.
const EXCLUSION_MAX_MS: u64 = 5 * 366 * DAY_MS;

/// Events and reports that an export holds, the latest.
const EVENTS_MAX: u32 = 10_000;

/// All that is known of somebody, but secrets.
pub struct Known {
    /// Who.
    pub person: Person,
    /// The logins that are kept.
    pub logins: Vec<Login>,
    /// Who he is elsewhere.
    pub identities: Vec<Identity>,
    /// All sanctions, also those that are over.
    pub sanctions: Vec<Sanction>,
    /// How long he wants to play in a day, and has.
    pub play_time: Option<PlayTime>,
    /// What he has reported of others, the latest first.
    pub reports: Vec<Report>,
    /// What has happened, the latest first.
    pub events: Vec<chain::Kept>,
    /// What he owns of each currency, and what has moved it, the latest first.
    pub chips: Vec<(Balance, Vec<Line>)>,
}

impl People {
    /// Changes what others see of who asks.
    ///
    /// # Errors
    /// [`ApiError::TooSoon`], [`ApiError::NickTaken`].
    pub async fn change_nick(
        &self,
        caller: &Caller,
        nick: PlayerName,
        asker: &Asker,
    ) -> Result<Caller, ApiError> {
        let now = self.now();
        let free_ms = caller.person.nick_changed_ms.saturating_add(NICK_KEPT_MS);
        let too_soon = || ApiError::TooSoon(Duration::from_millis(free_ms.saturating_sub(now)));
        let (id, asker) = (caller.person.id.clone(), asker.clone());
        let work = move |tx: &mut dyn Tx| {
            if !person::change_nick(tx, &id, &nick, now)? {
                return Ok(None);
            }
            audit::tell(tx, &id, "nick_changed", nick.as_str(), &asker, now)?;
            person::by_id(tx, &id)
        };
        let person = self.tellers.write(caller.person.id.as_str(), work).await?.ok_or_else(too_soon)?;
        Ok(Caller { person, ..caller.clone() })
    }

    /// Who asks does not want to play until then. Nobody lifts it early.
    ///
    /// # Errors
    /// [`ApiError::BadTime`] when that is too short, too long, or ends before one that holds.
    pub async fn exclude_self(
        &self,
        caller: &Caller,
        until_ms: UnixMs,
        asker: &Asker,
    ) -> Result<Caller, ApiError> {
        let now = self.now();
        if until_ms < now.saturating_add(EXCLUSION_MIN_MS) || until_ms > now.saturating_add(EXCLUSION_MAX_MS)
        {
            return Err(ApiError::BadTime("a self-exclusion lasts from 24 hours to 5 years"));
        }
        let holds = |sanction: &&Sanction| sanction.kind == sanction::Kind::SelfExclusion;
        if caller.sanctions.iter().filter(holds).any(|holding| holding.until_ms > Some(until_ms)) {
            return Err(ApiError::BadTime("a self-exclusion that holds is not shortened"));
        }
        let (id, asker) = (caller.person.id.clone(), asker.clone());
        let excluded = Sanction {
            id: guest::new_id("s-", &mut rand::rng()),
            person: id.clone(),
            kind: sanction::Kind::SelfExclusion,
            from_ms: now,
            until_ms: Some(until_ms),
            reason: "self-exclusion".into(),
            by: id.clone(),
            lifted_ms: None,
        };
        let work = move |tx: &mut dyn Tx| {
            sanction::impose(tx, &excluded)?;
            person::void_tokens(tx, &id, now)?;
            audit::tell(tx, &id, "self_excluded", format!("until {until_ms}"), &asker, now)?;
            sanction::that_hold(tx, &id, now)
        };
        let sanctions = self.tellers.write(caller.person.id.as_str(), work).await?;
        self.revoke_all(&caller.person.id).await;
        Ok(Caller { sanctions, ..caller.clone() })
    }

    /// Who asks wants to play so many minutes in a day. Fewer than before hold at once, more in three days.
    ///
    /// # Errors
    /// [`ApiError::BadTime`] when a day has not so many, or they are too few.
    pub async fn limit_play(&self, caller: &Caller, minutes: u32, asker: &Asker) -> Result<Caller, ApiError> {
        if !(MINUTES_MIN..=MINUTES_ALL).contains(&minutes) {
            return Err(ApiError::BadTime("a limit has 15 to 1440 minutes in a day"));
        }
        let (id, asker, now) = (caller.person.id.clone(), asker.clone(), self.now());
        let token_ms = self.desk.token_ms();
        let work = move |tx: &mut dyn Tx| {
            let before = play_time::of(tx, &id, now)?.map_or(MINUTES_ALL, |time| time.minutes);
            let set = play_time::set(tx, &id, minutes, token_ms, now)?;
            let holds_ms = set.and_then(|time| time.next).map_or(now, |next| next.from_ms);
            audit::tell(
                tx,
                &id,
                "play_limited",
                format!("{minutes} minutes a day from {holds_ms}"),
                &asker,
                now,
            )?;
            // Tokens that were given out before last longer than there is time.
            let is_void = minutes < before && set.is_some_and(|time| time.left_ms() < token_ms);
            if is_void {
                person::void_tokens(tx, &id, now)?;
            }
            Ok((set, is_void))
        };
        let (play_time, is_void) = self.tellers.write(caller.person.id.as_str(), work).await?;
        if is_void {
            self.revoke_all(&caller.person.id).await;
        }
        Ok(Caller { play_time, ..caller.clone() })
    }

    /// All that is known of who asks.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn export(&self, caller: &Caller, asker: &Asker) -> Result<Known, ApiError> {
        let (id, asker, now) = (caller.person.id.clone(), asker.clone(), self.now());
        let work = move |tx: &mut dyn Tx| {
            audit::tell(tx, &id, "exported", "", &asker, now)?;
            Ok(Known {
                person: person::by_id(tx, &id)?
                    .ok_or_else(|| cage::DbError::Broken("who asks is nobody".into()))?,
                logins: login::all_of(tx, &id)?,
                identities: identity::of(tx, &id)?,
                sanctions: sanction::all_of(tx, &id)?,
                play_time: play_time::of(tx, &id, now)?,
                reports: report::filed_by(tx, &id, EVENTS_MAX)?,
                events: chain::about(tx, id.as_str(), u64::MAX, EVENTS_MAX)?,
                chips: chips(tx, now, &id)?,
            })
        };
        Ok(self.tellers.write(caller.person.id.as_str(), work).await?)
    }

    /// Deletes who asks: the id alone stays. A member says the password, or has signed in a short while ago if he has none. Whoever sits
    /// somewhere leaves first: his seat would be nobody's. So that he does not sit down meanwhile, his sockets are closed before it is
    /// asked for the last time.
    ///
    /// # Errors
    /// [`ApiError::WrongPassword`], [`ApiError::LastAdmin`], [`ApiError::Seated`], [`ApiError::SeatsUnknown`], [`ApiError::HasChips`].
    pub async fn delete(
        &self,
        caller: &Caller,
        password: Option<Secret>,
        asker: &Asker,
    ) -> Result<(), ApiError> {
        if caller.person.kind == Kind::Member {
            self.confirm_by_what_there_is(caller, password).await?;
        }
        // Before his sockets are closed for nothing.
        self.owns_nothing(caller).await?;
        let how = if self.sits_nowhere(caller).await? {
            self.close_sockets(caller).await?;
            self.sits_nowhere(caller).await?;
            "by the person"
        } else {
            "by the person; nobody could say who sits where"
        };
        let (id, asker, now) = (caller.person.id.clone(), asker.clone(), self.now());
        let work = move |tx: &mut dyn Tx| {
            let is_admin =
                person::by_id(tx, &id)?.is_some_and(|person| Roles(person.roles).has(Roles::ADMIN));
            if is_admin && !person::others_with_roles(tx, &id, Roles::ADMIN.0)? {
                return Ok(Err(ApiError::LastAdmin));
            }
            // Who was paid out a moment ago has his chips once the ledger has heard of it.
            if let Err(has_chips) = unless_chips(ledger::balances::kept(tx, &id)?) {
                return Ok(Err(has_chips));
            }
            person::forget(tx, &id, now)?;
            identity::forget(tx, &id)?;
            login::end_all(tx, &id, None, Ended::Gone, now)?;
            login::blank(tx, &id)?;
            play_time::forget(tx, &id)?;
            report::blank(tx, &id)?;
            audit::tell(tx, &id, "deleted", how, &asker, now)?;
            Ok(Ok(()))
        };
        self.tellers.write(caller.person.id.as_str(), work).await??;
        self.revoke_all(&caller.person.id).await;
        Ok(())
    }

    /// Who has chips that would be nobody's is refused.
    async fn owns_nothing(&self, caller: &Caller) -> Result<(), ApiError> {
        let id = caller.person.id.clone();
        unless_chips(self.tellers.read(move |tx: &mut dyn Tx| ledger::balances::kept(tx, &id)).await?)
    }

    /// Whether that could be asked; who sits is refused.
    async fn sits_nowhere(&self, caller: &Caller) -> Result<bool, ApiError> {
        match self.seats.of(&caller.person.id).await? {
            Some(rooms) if rooms.is_empty() => Ok(true),
            Some(rooms) => Err(ApiError::Seated(rooms)),
            None => Ok(false),
        }
    }

    /// With the tokens that were given out until now nobody says anything more in a room.
    async fn close_sockets(&self, caller: &Caller) -> Result<(), ApiError> {
        let (id, now) = (caller.person.id.clone(), self.now());
        let void = move |tx: &mut dyn Tx| person::void_tokens(tx, &id, now);
        self.tellers.write(caller.person.id.as_str(), void).await?;
        let is_told = self.revoke_all(&caller.person.id).await;
        if is_told { Ok(()) } else { Err(NotKnown("relays could not be told in time").into()) }
    }
}

fn unless_chips(kept: ledger::balances::Kept) -> Result<(), ApiError> {
    let ledger::balances::Kept { rooms, currencies } = kept;
    match rooms.is_empty() && currencies.is_empty() {
        true => Ok(()),
        false => Err(ApiError::HasChips { rooms, currencies }),
    }
}

/// What somebody owns of each currency, and what has moved it.
fn chips(tx: &mut dyn Tx, now: UnixMs, user: &UserId) -> Result<Vec<(Balance, Vec<Line>)>, cage::DbError> {
    let balances = ledger::balances(tx, now, user)?;
    let all = balances.into_iter().map(|balance| {
        let lines = ledger::statement(tx, user, balance.currency.code, None, EVENTS_MAX)?;
        Ok((balance, lines))
    });
    all.collect()
}
