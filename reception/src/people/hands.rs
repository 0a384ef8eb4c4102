//! Hands that people have played: who may see what of them, and for how long they are kept.

use std::{collections::BTreeSet, time::Duration};

use cage::{
    DbError, Tx,
    history::{
        self, Period, Sum,
        find::{self, Filter, Found, Place},
    },
    ledger::currency::{self, Definition},
    people::{person, refresh::RefreshKeys},
};
use hands::{
    Link, Name, Seen, Viewer,
    told::{About, Money},
};
use protocol::{
    id::{RoomId, UserId},
    rights::Roles,
    time::UnixMs,
};
use serde_json::Value;

use super::{
    Asker, Caller, People,
    staff::{Told, may},
};
use crate::{api::NUMBER_MAX, error::ApiError};

/// Between two looks for hands that are too old.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);

/// Hands that are forgotten in one transaction.
const FORGOTTEN_MAX: u32 = 1_000;

/// Hands that ended less than so long ago are not yet told in collections, milliseconds: whether the broker has lost them is mostly known by then.
pub(crate) const SETTLED_MS: u64 = 60 * 60 * 1_000;

/// So many hands of a table are open to whoever has their names: those that lists of tables tell.
const LAST_OPEN: u32 = 100;

/// How long a day is, milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A hand as somebody may see it.
#[derive(Debug, Clone)]
pub struct KeptHand {
    /// What it is called.
    pub name: Name,
    /// What may be seen of it.
    pub seen: Seen,
    /// By what it is shared.
    pub link: Option<Link>,
    /// The hands before and behind it, where who asks has played it.
    pub beside: Option<[Option<Name>; 2]>,
    money: Money,
    is_void: bool,
}

/// By what a hand is asked for.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// Its name.
    Named(Name),
    /// Its link.
    Linked(Link),
}

impl KeptHand {
    /// What is told of it beside what was seen.
    pub fn about(&self) -> About<'_> {
        About { name: &self.name, money: self.money, is_void: self.is_void }
    }

    /// The same without a word of who has played it.
    #[must_use]
    pub fn without_names(self) -> Self {
        Self { seen: self.seen.without_names(|_| true), ..self }
    }
}

/// Hands, and what must be known to tell them.
pub(crate) struct Looked {
    pub(crate) hands: Vec<Found>,
    pub(crate) gone: BTreeSet<UserId>,
    currencies: Vec<Definition>,
}

impl People {
    /// Hands that somebody has played, the latest first, at most `most`; as he saw them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn hands_of(
        &self,
        caller: &Caller,
        filter: Filter,
        most: u32,
    ) -> Result<Vec<KeptHand>, ApiError> {
        self.hands_played_by(&caller.person.id, filter, most).await
    }

    /// The same by his id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn hands_played_by(
        &self,
        user: &UserId,
        filter: Filter,
        most: u32,
    ) -> Result<Vec<KeptHand>, ApiError> {
        let person = user.clone();
        let work = move |tx: &mut dyn Tx| {
            let played = find::of_player(tx, &person, &filter, most)?;
            with_all(tx, played.into_iter().map(|played| played.hand).collect())
        };
        Ok(told(self.tellers.read(work).await?, Viewer::User(user)))
    }

    /// A hand, as who asks saw it if he has played it, and else as everybody did. By its link it is anybody's; by its name, which can be guessed, it is so for
    /// whoever has played it, and for others while it is one of the last of its table. Of a table that is shown to its rail late it is nobody's but its
    /// players' before it is as old.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] when there is none that who asks may see.
    pub async fn hand(&self, caller: Option<&Caller>, wanted: Wanted) -> Result<KeptHand, ApiError> {
        let (user, now) = (caller.map(|caller| caller.person.id.clone()), self.now());
        let work = move |tx: &mut dyn Tx| {
            let found = match &wanted {
                Wanted::Named(name) => find::one(tx, name)?,
                Wanted::Linked(link) => find::by_link(tx, *link)?,
            };
            let Some(found) = found else { return with_all(tx, Vec::new()).map(|none| (none, None)) };
            let player =
                user.as_ref().filter(|user| found.record.players.iter().any(|player| player.user == **user));
            let is_named = matches!(wanted, Wanted::Named(_));
            let is_open =
                found.open_ms <= now && (!is_named || find::is_open(tx, &found.name, now, LAST_OPEN)?);
            if player.is_none() && !is_open {
                return with_all(tx, Vec::new()).map(|none| (none, None));
            }
            let place = (found.record.ended_ms, found.name.clone());
            let beside = player.map(|user| find::beside(tx, user, &place)).transpose()?;
            Ok((with_all(tx, vec![found])?, beside))
        };
        let (looked, beside) = self.tellers.read(work).await?;
        let viewer = caller.map_or(Viewer::Anybody, |caller| Viewer::User(&caller.person.id));
        let hand = told(looked, viewer).pop().ok_or(ApiError::NotFound)?;
        let link = match hand.link {
            Some(link) => Some(link),
            None if beside.is_some() => {
                let name = hand.name.clone();
                self.tellers.write("hands", move |tx| find::share(tx, &name)).await?
            }
            None => None,
        };
        Ok(KeptHand { link, beside, ..hand })
    }

    /// The last hands of a table that count and that its rail has seen, the latest first, at most `most`; as everybody saw them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn hands_at(&self, room: RoomId, most: u32) -> Result<Vec<KeptHand>, ApiError> {
        let now = self.now();
        let work = move |tx: &mut dyn Tx| {
            let found = find::of_table(tx, &room, now, most)?;
            with_all(tx, found)
        };
        Ok(told(self.tellers.read(work).await?, Viewer::Anybody))
    }

    /// What somebody did in a period, of each game; of one alone, if it is named. With what the chips of each are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sums_of(
        &self,
        caller: &Caller,
        period: Period,
        game: Option<String>,
    ) -> Result<Vec<(Sum, Money)>, ApiError> {
        let user = caller.person.id.clone();
        let work = move |tx: &mut dyn Tx| {
            Ok((history::sums(tx, &user, period, game.as_deref())?, currency::all(tx)?))
        };
        let (sums, currencies) = self.tellers.read(work).await?;
        let with_money = |sum: Sum| {
            let money = money(&currencies, sum.currency.as_deref());
            (sum, money)
        };
        Ok(sums.into_iter().map(with_money).collect())
    }

    /// Hands of all people, in the order in which they were written down, with every card and without a name; at most `most`, behind what was told before.
    /// And where they end, if there are more. Who asks stands in the audit.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`].
    pub async fn collect_hands(
        &self,
        caller: &Caller,
        after: Collected,
        most: u32,
        asker: &Asker,
    ) -> Result<(Vec<Value>, Option<Collected>), ApiError> {
        may(caller, &[Roles::INTEGRITY])?;
        let (staff, now) = (caller.person.id.clone(), self.now());
        let behind = match &after {
            Collected::Nothing => "the first".into(),
            after => format!("behind {after}"),
        };
        let looked = Told::looked("hands_collected", &behind, asker);
        let work = move |tx: &mut dyn Tx| {
            let (found, last) = after.read_on(tx, now, most)?;
            let more = match &last {
                Some(last) => last.read_on(tx, now, 1)?.1,
                None => None,
            };
            looked.by(&staff, None).tell(tx, now)?;
            Ok((with_all(tx, found)?, last.filter(|_| more.is_some())))
        };
        let (mut looked, last) = self.tellers.write("audit", work).await?;
        let nameless = |hand: &KeptHand| {
            let seen = hand.seen.clone().with_pseudonyms(|user| pseudonym(&self.keys, user));
            hands::told::json::nameless(&seen, hand.about(), &self.keys.pseudonym(&hand.name.to_string()))
        };
        // Who is gone has no name in any case, and is as good a player as others.
        looked.gone.clear();
        let told = told(looked, Viewer::Integrity).iter().map(nameless).collect();
        Ok((told, last))
    }

    /// Forgets hands that are older than so many days; 0: none. Never ends; drop it.
    pub async fn forget_hands(&self, days: u32) {
        let mut ticks = tokio::time::interval(FORGET_EVERY);
        loop {
            ticks.tick().await;
            if days > 0 {
                self.forget_old_hands(u64::from(days) * DAY_MS).await;
            }
        }
    }

    /// Forgets all that ended so long ago.
    pub async fn forget_old_hands(&self, age_ms: u64) {
        let before = self.now().saturating_sub(age_ms);
        loop {
            let forget = move |tx: &mut dyn Tx| history::forget(tx, before, FORGOTTEN_MAX);
            match self.tellers.write("hands", forget).await {
                Ok(forgotten) if forgotten == u64::from(FORGOTTEN_MAX) => {}
                Ok(_) => break,
                Err(error) => return tracing::warn!(%error, "old hands are not forgotten yet"),
            }
        }
        let forget = move |tx: &mut dyn Tx| history::checkpoint::forget(tx, before);
        if let Err(error) = self.tellers.write("hands", forget).await {
            tracing::warn!(%error, "what was signed of old hands is not forgotten yet");
        }
    }
}

/// How far a collection of all hands was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Collected {
    /// Not begun.
    Nothing,
    /// Up to this number, in the order in which they were written down.
    Number(u64),
    /// Up to this one in the order of their ends, as releases before have told it.
    Place(Place),
}

impl Collected {
    /// Reads it as it was told and in no other way.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`].
    pub(crate) fn read(text: &str) -> Result<Self, ApiError> {
        match text.parse::<u64>() {
            Ok(number) if number <= NUMBER_MAX && number.to_string() == text => Ok(Self::Number(number)),
            _ => read_place(text).map(Self::Place),
        }
    }

    /// The next hands, and how far that is.
    pub(crate) fn read_on(
        &self,
        tx: &mut dyn Tx,
        now: UnixMs,
        most: u32,
    ) -> Result<(Vec<Found>, Option<Self>), DbError> {
        let number = match self {
            Self::Nothing => 0,
            Self::Number(number) => *number,
            Self::Place(place) => find::number_at(tx, place)?,
        };
        let found = find::kept_behind(tx, now.saturating_sub(SETTLED_MS), number, most)?;
        let last = found.last().map(|(number, _)| Self::Number(*number));
        Ok((found.into_iter().map(|(_, found)| found).collect(), last))
    }
}

impl std::fmt::Display for Collected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Number(number) => number.fmt(f),
            Self::Place(place) => f.write_str(&write_place(place)),
        }
    }
}

/// Another name for somebody: `b-` for a bot of the house, `h-` for others.
pub(crate) fn pseudonym(keys: &RefreshKeys, user: &UserId) -> UserId {
    let kind = if user.is_bot() { "b" } else { "h" };
    let name = format!("{kind}-{}", keys.pseudonym(user.as_str()));
    UserId::new(&name).expect("base64 for URLs has the characters of names")
}

/// A place in somebody's list, as pages tell it. Nothing is found by it but one's own hands, so it may be anybody's.
pub(crate) fn write_place((ended_ms, name): &Place) -> String {
    format!("{ended_ms}.{name}")
}

/// Reads one, as it was told and in no other way.
pub(crate) fn read_place(text: &str) -> Result<Place, ApiError> {
    let parts = text.split_once('.').and_then(|(ended_ms, name)| {
        let ended_ms: UnixMs = ended_ms.parse().ok().filter(|ended_ms| *ended_ms <= NUMBER_MAX)?;
        Some((ended_ms, name.parse().ok()?))
    });
    let told = parts.filter(|place| write_place(place) == text);
    told.ok_or_else(|| ApiError::BadRequest("where a page begins is what the page before has told".into()))
}

/// Hands with what must be known to tell them.
pub(crate) fn with_all(tx: &mut dyn Tx, hands: Vec<Found>) -> Result<Looked, DbError> {
    let players = hands.iter().flat_map(|hand| &hand.record.players);
    let gone = person::gone_of(tx, players.map(|player| &player.user))?;
    let currencies = currency::all(tx)?;
    Ok(Looked { hands, gone, currencies })
}

/// What this viewer may see of them. Who has deleted himself has no name any more.
pub(crate) fn told(Looked { hands, gone, currencies }: Looked, viewer: Viewer<'_>) -> Vec<KeptHand> {
    let told = |Found { name, record, is_void, link, .. }| {
        let money = money(&currencies, record.currency.as_deref());
        let seen = Seen::of(&record, viewer).without_names(|user| gone.contains(user));
        KeptHand { name, seen, link, beside: None, money, is_void }
    };
    hands.into_iter().map(told).collect()
}

/// What chips are that a record says to be this.
fn money(currencies: &[Definition], code: Option<&str>) -> Money {
    let of = |code: &str| currencies.iter().find(|currency| currency.code.as_str() == code);
    match code.and_then(of) {
        Some(currency) if !currency.play => Money::Real { digits: currency.digits },
        Some(currency) => Money::Play { digits: currency.digits },
        None => Money::NOBODYS,
    }
}
