//! Hands that people have played: who may see what of them, and for how long they are kept.

use std::{collections::BTreeSet, time::Duration};

use cage::{
    DbError, Tx,
    history::{
        self, Period, Sum,
        find::{self, Filter, Found, Place},
    },
    ledger::currency::{self, Definition},
    people::person,
};
use hands::{
    Name, Seen, Viewer,
    told::{About, Money},
};
use protocol::{
    id::{RoomId, UserId},
    rights::Roles,
};
use serde_json::Value;

use super::{
    Asker, Caller, People,
    staff::{Told, may},
};
use crate::error::ApiError;

/// Between two looks for hands that are too old.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);

/// Hands that are forgotten in one transaction.
const FORGOTTEN_MAX: u32 = 1_000;

/// Hands that ended less than so long ago are not yet told in collections, milliseconds: most that are written down late are there by then.
const SETTLED_MS: u64 = 60 * 60 * 1_000;

/// How long a day is, milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A hand as somebody may see it.
#[derive(Debug, Clone)]
pub struct KeptHand {
    /// What it is called.
    pub name: Name,
    /// What may be seen of it.
    pub seen: Seen,
    money: Money,
    is_void: bool,
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
pub(super) struct Looked {
    hands: Vec<Found>,
    gone: BTreeSet<UserId>,
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
        let user = caller.person.id.clone();
        let work = move |tx: &mut dyn Tx| {
            let played = find::of_player(tx, &user, &filter, most)?;
            with_all(tx, played.into_iter().map(|played| played.hand).collect())
        };
        Ok(told(self.tellers.read(work).await?, Viewer::User(&caller.person.id)))
    }

    /// A hand, as who asks saw it if he has played it, and else as everybody did.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] when there is none of this name.
    pub async fn hand(&self, caller: Option<&Caller>, name: Name) -> Result<KeptHand, ApiError> {
        let work = move |tx: &mut dyn Tx| {
            let found = find::one(tx, &name)?;
            with_all(tx, found.into_iter().collect())
        };
        let viewer = caller.map_or(Viewer::Anybody, |caller| Viewer::User(&caller.person.id));
        told(self.tellers.read(work).await?, viewer).pop().ok_or(ApiError::NotFound)
    }

    /// The last hands of a table that count, the latest first, at most `most`; as everybody saw them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn hands_at(&self, room: RoomId, most: u32) -> Result<Vec<KeptHand>, ApiError> {
        let work = move |tx: &mut dyn Tx| {
            let found = find::of_table(tx, &room, most)?;
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

    /// Hands of all people, the earliest first, with every card and without a name; at most `most`, behind one of them if one is named. And where
    /// they end, if there are more. Who asks stands in the audit.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`].
    pub async fn collect_hands(
        &self,
        caller: &Caller,
        after: Option<Place>,
        most: u32,
        asker: &Asker,
    ) -> Result<(Vec<Value>, Option<Place>), ApiError> {
        may(caller, &[Roles::INTEGRITY])?;
        let (staff, now) = (caller.person.id.clone(), self.now());
        let behind = after.as_ref().map_or_else(|| "the first".into(), |(_, name)| format!("behind {name}"));
        let looked = Told::looked("hands_collected", &behind, asker);
        let work = move |tx: &mut dyn Tx| {
            let before = now.saturating_sub(SETTLED_MS);
            let found = find::of_all(tx, before, after.as_ref(), most.saturating_add(1))?;
            looked.by(&staff, None).tell(tx, now)?;
            with_all(tx, found)
        };
        let mut looked = self.tellers.write("audit", work).await?;
        let is_more = looked.hands.len() > most as usize;
        looked.hands.truncate(most as usize);
        let last = looked.hands.last().map(|hand| (hand.record.ended_ms, hand.name.clone()));
        let nameless = |hand: &KeptHand| {
            let seen = hand.seen.clone().with_pseudonyms(|user| self.pseudonym(user));
            hands::told::json::nameless(&seen, hand.about(), &self.keys.pseudonym(&hand.name.to_string()))
        };
        // Who is gone has no name in any case, and is as good a player as others.
        looked.gone.clear();
        let told = told(looked, Viewer::Integrity).iter().map(nameless).collect();
        Ok((told, last.filter(|_| is_more)))
    }

    /// Another name for somebody: `b-` for a bot of the house, `h-` for others.
    fn pseudonym(&self, user: &UserId) -> UserId {
        let kind = if user.is_bot() { "b" } else { "h" };
        let name = format!("{kind}-{}", self.keys.pseudonym(user.as_str()));
        UserId::new(&name).expect("base64 for URLs has the characters of names")
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
                Ok(_) => return,
                Err(error) => return tracing::warn!(%error, "old hands are not forgotten yet"),
            }
        }
    }
}

/// Hands with what must be known to tell them.
pub(super) fn with_all(tx: &mut dyn Tx, hands: Vec<Found>) -> Result<Looked, DbError> {
    let players = hands.iter().flat_map(|hand| &hand.record.players);
    let gone = person::gone_of(tx, players.map(|player| &player.user))?;
    let currencies = currency::all(tx)?;
    Ok(Looked { hands, gone, currencies })
}

/// What this viewer may see of them. Who has deleted himself has no name any more.
pub(super) fn told(Looked { hands, gone, currencies }: Looked, viewer: Viewer<'_>) -> Vec<KeptHand> {
    let told = |Found { name, record, is_void }| {
        let money = money(&currencies, record.currency.as_deref());
        let seen = Seen::of(&record, viewer).without_names(|user| gone.contains(user));
        KeptHand { name, seen, money, is_void }
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
