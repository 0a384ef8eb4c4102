//! People, where there is a database: what each request does, in transactions of the [`cage`].
//!
//! - `sessions`: guests, refreshing, signing in and out.
//! - `accounts`: making an account, passwords.
//! - `elsewhere`: signing in by somebody else's word; `links`: by whose, for a member.
//! - `hands`: hands that they have played; `hand_files`: all of a period; `witness`: what is signed of hands.
//! - `own`: what somebody does about himself.
//! - `reports`: what people report of each other, and what staff does about it.
//! - `ledger`: what people have; `tables`: the ledger held against the tables; `settling`: tables of which nothing is left.
//! - `staff`: what staff does about others; `audit`: the words for what has happened.

mod accounts;
mod audit;
mod elsewhere;
mod hand_files;
mod hands;
mod ledger;
mod links;
mod own;
mod reports;
mod sessions;
mod settling;
mod staff;
mod tables;
mod witness;

use std::{sync::Arc, time::Duration};

use broker::queue::Queue;
use cage::{
    DbError, Tellers, Tx,
    people::{
        login::{How, Key, Login, NewLogin},
        person::{self, Person},
        play_time::{self, PlayTime},
        refresh::RefreshKeys,
        sanction::{self, Sanction},
    },
};
use protocol::{
    id::{LoginId, UserId},
    rights::{Can, Rights, Roles},
    time::UnixMs,
};
use tokens::Claims;

pub use self::{
    accounts::{Link, Wanted, admin},
    elsewhere::{Arrived, Came, Departure},
    hand_files::{FileAsked, Format, HandFile},
    hands::{Collected, KeptHand, Wanted as WantedHand},
    links::Ways,
    own::Known,
    reports::{Complaint, ReportPage},
    staff::{AuditPage, Dossier},
    tables::TablesAudit,
    witness::HandKeys,
};
/// What collections of hands are made of.
pub(crate) mod collecting {
    pub(crate) use super::hands::{Looked, SETTLED_MS, pseudonym, read_place, told, with_all, write_place};
}
pub(crate) use self::{elsewhere::AWAY_MS, sessions::device_name, settling::Settles};
use crate::{
    desk::{Desk, Issued},
    error::ApiError,
    floor::Floor,
    guest,
    oidc::Providers,
    passwords::{Cost, Hasher, Secret},
    revocations::{Bearer, Revocations, until_told},
    seats::{Seats, Unasked},
};

/// How long a request waits for relays to be told; they are told in any case.
const TELL_WITHIN: Duration = Duration::from_secs(1);

/// Logins that ended are kept for so long, milliseconds.
const ENDED_KEPT_MS: u64 = 90 * 24 * 60 * 60 * 1_000;

/// Between two sweeps of those that are older.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);

/// People and logins of which relays are told again at the start, each.
const TOLD_AGAIN_MAX: u32 = 10_000;

/// Logins that are forgotten in one sweep.
const SWEPT_MAX: u32 = 10_000;

/// The people of a house.
pub struct People {
    tellers: Tellers,
    keys: RefreshKeys,
    desk: Desk,
    hasher: Hasher,
    revocations: Arc<dyn Revocations>,
    /// By whom people may sign in, too.
    providers: Providers,
    seats: Arc<dyn Seats>,
    has_purses: bool,
    keeps_hands: bool,
    floor: Option<Floor>,
    settling: settling::Settling,
    /// Who gets files of hands.
    files: Arc<hand_files::Counter>,
    /// What signs hands, where they are written down.
    hand_keys: Option<HandKeys>,
}

/// From where somebody asks.
#[derive(Debug, Clone)]
pub struct Asker {
    /// The network of the address.
    pub network: String,
    /// What the device calls itself.
    pub agent: String,
}

/// Who has shown an access token that is good.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub person: Person,
    /// By which login.
    pub login: String,
    /// What holds against the person.
    pub sanctions: Vec<Sanction>,
    /// How long the person wants to play in a day, and has.
    pub play_time: Option<PlayTime>,
}

impl Caller {
    /// What the person may do.
    pub fn rights(&self) -> Rights {
        rights(&self.person, &self.sanctions, self.play_time.as_ref())
    }
}

/// What is given to somebody who is who he says.
pub struct Session {
    /// The access token.
    pub issued: Issued,
    /// As what.
    pub kind: person::Kind,
    /// The login.
    pub login: String,
    /// What the token says.
    pub rights: Rights,
    /// The refresh token.
    pub refresh: Secret,
    /// When it ends if it is not used.
    pub refresh_expires_ms: UnixMs,
    /// Under what name and what a device keeps to be known by, after a sign-in.
    pub device: Option<Device>,
    /// There are tables whose chips are somebody's: a page does well to show what one has.
    pub has_purse: bool,
    /// Hands are kept: a page does well to lead to them.
    pub keeps_hands: bool,
}

/// What a device keeps that has signed in.
pub struct Device {
    /// Apart from those of others on the same device.
    pub name: String,
    /// What it is known by.
    pub proof: Secret,
}

/// What a transaction found, of which a [`Session`] is made once it is durable.
struct Granted {
    person: Person,
    sanctions: Vec<Sanction>,
    play_time: Option<PlayTime>,
    login: String,
    expires_ms: UnixMs,
    key: Key,
    generation: u32,
}

impl People {
    /// People kept by `tellers`. Tokens are made at `desk` and by `keys`; `revocations` makes them void.
    pub fn new(
        tellers: Tellers,
        keys: RefreshKeys,
        desk: Desk,
        cost: Cost,
        revocations: Arc<dyn Revocations>,
    ) -> Self {
        let (hasher, providers, seats) = (Hasher::new(cost), Providers::default(), Arc::new(Unasked));
        let files = Arc::default();
        Self {
            tellers,
            keys,
            desk,
            hasher,
            revocations,
            providers,
            seats,
            has_purses: false,
            keeps_hands: false,
            floor: None,
            settling: settling::Settling::default(),
            files,
            hand_keys: None,
        }
    }

    /// The same, where there are tables whose chips are somebody's.
    #[must_use]
    pub fn with_purses(self, has_purses: bool) -> Self {
        Self { has_purses, ..self }
    }

    /// The same, where hands are kept.
    #[must_use]
    pub fn that_keeps_hands(self, keeps_hands: bool) -> Self {
        Self { keeps_hands, ..self }
    }

    /// The same, with somebody to ask who sits where.
    #[must_use]
    pub fn with_seats(self, seats: Arc<dyn Seats>) -> Self {
        Self { seats, ..self }
    }

    /// The same, with tables that the ledger is held against.
    #[must_use]
    pub fn with_floor(self, floor: Floor) -> Self {
        Self { floor: Some(floor), ..self }
    }

    /// The same, with the queue in which hands wait to be written down.
    #[must_use]
    pub fn with_hands(self, hands: Arc<dyn Queue>) -> Self {
        Self { settling: settling::Settling::behind(hands), ..self }
    }

    /// Who does jobs on the database.
    pub fn tellers(&self) -> &Tellers {
        &self.tellers
    }

    /// Where tokens are made.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Tells relays again whose tokens are void, as those of before may have heard of it alone, or nobody; then forgets from time to
    /// time what need not be kept. Never ends; drop it.
    pub async fn keep_tidy(&self) {
        if let Err(error) = self.tell_again().await {
            tracing::warn!(%error, "relays were not told again whose tokens are void; they end by themselves");
        }
        let mut ticks = tokio::time::interval(SWEEP_EVERY);
        loop {
            ticks.tick().await;
            let before = self.now().saturating_sub(ENDED_KEPT_MS);
            let sweep = move |tx: &mut dyn Tx| cage::people::login::forget_ended(tx, before, SWEPT_MAX);
            if let Err(error) = self.tellers.write("sweep", sweep).await {
                tracing::warn!(%error, "old logins are not forgotten yet");
            }
            self.sweep_reports().await;
        }
    }

    /// Of all that could still hold a token that was given out before.
    async fn tell_again(&self) -> Result<(), DbError> {
        let since = self.now().saturating_sub(self.desk.token_ms());
        let find = move |tx: &mut dyn Tx| {
            let people = person::voided_since(tx, since, TOLD_AGAIN_MAX)?;
            Ok((people, cage::people::login::ended_since(tx, since, TOLD_AGAIN_MAX)?))
        };
        let (people, logins) = self.tellers.read(find).await?;
        let people = people.into_iter().map(|user| Bearer { user, login: None });
        let logins = logins
            .into_iter()
            .filter_map(|(user, login)| Some(Bearer { user, login: Some(LoginId::new(&login).ok()?) }));
        self.revoke(people.chain(logins).collect()).await;
        Ok(())
    }

    /// Who has made this access token's request.
    ///
    /// # Errors
    /// [`ApiError::BadToken`] when it is not good, or void.
    pub async fn caller(&self, token: &str) -> Result<Caller, ApiError> {
        let now = self.now();
        let keys = self.desk.keyring().keys();
        let claims = keys.public().verify(token, now).map_err(|_| ApiError::BadToken)?;
        let issued_ms = claims.issued_ms();
        let (user, login) = (claims.sub, claims.sid.ok_or(ApiError::BadToken)?);
        let find = move |tx: &mut dyn Tx| {
            let Some(person) = person::by_id(tx, &user)? else { return Ok(None) };
            let is_open = cage::people::login::open(tx, &user, login.as_str(), now)?.is_some();
            let is_void = person.gone || issued_ms <= person.tokens_from_ms || !is_open;
            let sanctions = sanction::that_hold(tx, &user, now)?;
            let play_time = play_time::of(tx, &user, now)?;
            Ok((!is_void).then(|| Caller { person, login: login.as_str().into(), sanctions, play_time }))
        };
        self.tellers.read(find).await?.ok_or(ApiError::BadToken)
    }

    fn now(&self) -> UnixMs {
        self.desk.now_ms()
    }

    /// Makes the tokens of what was granted when it was `now`: before it was looked up what the person may do.
    fn session(&self, granted: Granted, now: UnixMs) -> Session {
        let rights = rights(&granted.person, &granted.sanctions, granted.play_time.as_ref());
        let login = LoginId::new(&granted.login).expect("ids of logins are names");
        let lasts_ms = lasts_ms(granted.play_time.as_ref(), rights.can, self.desk.token_ms(), now);
        let claims = Claims::new(granted.person.id, granted.person.nick, now, lasts_ms);
        Session {
            issued: self.desk.sign(claims.of_login(login).with(rights)),
            kind: granted.person.kind,
            login: granted.login,
            rights,
            refresh: self.keys.token(&granted.key, granted.generation).into(),
            refresh_expires_ms: granted.expires_ms,
            device: None,
            has_purse: self.has_purses,
            keeps_hands: self.keeps_hands,
        }
    }

    /// Makes tokens of these void, after what made it necessary is stored. Whether relays were told in time; they are told in any case.
    async fn revoke(&self, bearers: Vec<Bearer>) -> bool {
        if bearers.is_empty() {
            return true;
        }
        let revocations = self.revocations.clone();
        let lifetime = Duration::from_millis(self.desk.token_ms());
        let telling = tokio::spawn(async move { until_told(&*revocations, &bearers, lifetime).await });
        // It goes on without us.
        tokio::time::timeout(TELL_WITHIN, telling).await.is_ok()
    }

    async fn revoke_logins(&self, person: &UserId, logins: impl IntoIterator<Item = String>) {
        let logins = logins.into_iter().filter_map(|login| LoginId::new(&login).ok());
        self.revoke(logins.map(|login| Bearer { user: person.clone(), login: Some(login) }).collect()).await;
    }

    async fn revoke_all(&self, person: &UserId) -> bool {
        self.revoke(vec![Bearer { user: person.clone(), login: None }]).await
    }
}

/// What tokens say that somebody may do.
fn rights(person: &Person, sanctions: &[Sanction], play_time: Option<&PlayTime>) -> Rights {
    let can = sanctions.iter().fold(Can::ALL, |can, sanction| match sanction.kind {
        sanction::Kind::Ban => can.without(Can::ALL),
        sanction::Kind::Mute => can.without(Can::CHAT),
        sanction::Kind::SelfExclusion => can.without(Can::PLAY),
    });
    let again_ms = play_time.and_then(PlayTime::again_ms).filter(|_| can.has(Can::PLAY));
    let can = if again_ms.is_some() { can.without(Can::PLAY) } else { can };
    Rights { roles: Roles(person.roles), can, play_from_ms: again_ms.unwrap_or(0) }
}

/// How long a token lasts: while there is time to play at most, and once it is used up, until it begins again.
fn lasts_ms(play_time: Option<&PlayTime>, can: Can, token_ms: u64, now: UnixMs) -> u64 {
    let Some(time) = play_time else { return token_ms };
    match time.again_ms() {
        _ if can.has(Can::PLAY) => time.token_ms(token_ms),
        Some(again_ms) => token_ms.min(again_ms.saturating_sub(now).max(play_time::REST_MS)),
        None => token_ms,
    }
}

/// Who is banned gets no token. Of several bans, the one that lasts longest is told.
fn unless_banned(sanctions: &[Sanction]) -> Result<(), ApiError> {
    let bans = sanctions.iter().filter(|sanction| sanction.kind == sanction::Kind::Ban);
    match bans.max_by_key(|ban| ban.until_ms.unwrap_or(UnixMs::MAX)) {
        Some(ban) => Err(ApiError::Banned { until_ms: ban.until_ms, reason: ban.reason.clone() }),
        None => Ok(()),
    }
}

/// A login of this person that begins.
fn new_login(person: &UserId, how: How, asker: &Asker) -> NewLogin {
    NewLogin {
        key: rand::random(),
        id: guest::new_id("l-", &mut rand::rng()),
        person: person.clone(),
        how,
        network: asker.network.clone(),
        agent: asker.agent.clone(),
    }
}

/// Begins a login in a transaction, and finds what its token is to say, which lasts `token_ms` at most.
fn begin(tx: &mut dyn Tx, login: &NewLogin, token_ms: u64, now: UnixMs) -> Result<Granted, DbError> {
    cage::people::login::begin(tx, login, now)?;
    let expires_ms = now.saturating_add(login.how.lasts_ms().0);
    let of = (login.id.clone(), expires_ms);
    grant(tx, &login.person, of, (login.key, 0), token_ms, now)
}

/// The same for one that goes on.
fn go_on(
    tx: &mut dyn Tx,
    login: &Login,
    refresh: (Key, u32),
    token_ms: u64,
    now: UnixMs,
) -> Result<Granted, DbError> {
    grant(tx, &login.person, (login.id.clone(), login.expires_ms), refresh, token_ms, now)
}

/// What a token of this login is to say. Its person is here, and the time to play runs.
fn grant(
    tx: &mut dyn Tx,
    id: &UserId,
    (login, expires_ms): (String, UnixMs),
    (key, generation): (Key, u32),
    token_ms: u64,
    now: UnixMs,
) -> Result<Granted, DbError> {
    person::seen(tx, id, now)?;
    let person = person::by_id(tx, id)?;
    let person = person.ok_or_else(|| DbError::Broken("a login of nobody".into()))?;
    let sanctions = sanction::that_hold(tx, id, now)?;
    let play_time = if rights(&person, &sanctions, None).can.has(Can::PLAY) {
        play_time::begin(tx, id, token_ms, now)?
    } else {
        play_time::of(tx, id, now)?
    };
    Ok(Granted { person, sanctions, play_time, login, expires_ms, key, generation })
}
