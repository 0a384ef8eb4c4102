//! A service in memory that things go wrong with: it takes what counters pay, each errand once.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use protocol::id::RoomId;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::counter::amount;
use crate::room::errands::{Away, Errand, ErrandId, Outcome, Service};

/// More than this is not taken, if it may be refused.
pub const TAKEN_MAX: u64 = 100;

/// What goes wrong with one asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// It does not arrive.
    Away,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// It is done, and nothing is heard ever after.
    Hangs,
}

/// See the module.
pub struct Till {
    trouble: Mutex<Box<dyn FnMut() -> Trouble + Send>>,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    /// Each errand that was answered, with the amount and whether it was taken.
    errands: BTreeMap<(RoomId, ErrandId), (u64, bool)>,
    asked: u64,
    /// What it has taken once more, since it forgets: by room.
    again: Option<BTreeMap<RoomId, u64>>,
}

impl Till {
    /// A till with these troubles, one for each asking.
    pub fn with(trouble: impl FnMut() -> Trouble + Send + 'static) -> Self {
        Self { trouble: Mutex::new(Box::new(trouble)), taken: Mutex::default() }
    }

    /// A till with which something goes wrong so often, whatever it is; everything follows from the seed.
    pub fn troubled(seed: u64, chance: f64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Self::with(move || match rng.random_range(0..3) {
            _ if !rng.random_bool(chance) => Trouble::None,
            0 => Trouble::Away,
            1 => Trouble::AnswerLost,
            _ => Trouble::Hangs,
        })
    }

    /// What it has taken of a room, in all.
    pub fn taken(&self, room: &RoomId) -> u64 {
        let taken = self.taken.lock();
        let of_room = taken.errands.iter().filter(|((of, _), (_, is_taken))| of == room && *is_taken);
        let again = taken.again.as_ref().and_then(|again| again.get(room)).copied().unwrap_or_default();
        of_room.map(|(_, (amount, _))| amount).sum::<u64>() + again
    }

    /// From now on it takes again what it has taken under the same name: a fault for tests to find.
    pub fn forget_names(&self) {
        self.taken.lock().again = Some(BTreeMap::new());
    }

    /// How many errands of a room it knows.
    pub fn known(&self, room: &RoomId) -> usize {
        self.taken.lock().errands.keys().filter(|(of, _)| of == room).count()
    }

    /// How often it was asked.
    pub fn asked(&self) -> u64 {
        self.taken.lock().asked
    }
}

impl Taken {
    /// Takes it, or knows what it has done before.
    fn take(&mut self, name: (RoomId, ErrandId), amount: u64, may_take: bool) -> (u64, bool) {
        match self.errands.get(&name) {
            Some(known @ (_, is_taken)) => {
                if let Some(again) = self.again.as_mut().filter(|_| *is_taken) {
                    *again.entry(name.0).or_default() += amount;
                }
                *known
            }
            None => *self.errands.entry(name).or_insert((amount, may_take)),
        }
    }
}

impl Service for Till {
    fn ask(&self, room: &RoomId, errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>> {
        let trouble = self.trouble.lock()();
        self.taken.lock().asked += 1;
        if trouble == Trouble::Away {
            return Box::pin(async { Err(Away("nobody at the till".into())) });
        }
        let amount = amount(&errand.ask.body);
        let may_take = !errand.ask.wants_answer || amount <= TAKEN_MAX;
        let name = (room.clone(), errand.id);
        let (known, is_taken) = self.taken.lock().take(name, amount, may_take);
        assert_eq!(known, amount, "two errands of one name: {room}/{}", errand.id);
        let outcome = if is_taken { Outcome::Done(Bytes::new()) } else { Outcome::Refused(Bytes::new()) };
        Box::pin(async move {
            match trouble {
                Trouble::AnswerLost => Err(Away("the answer is lost".into())),
                Trouble::Hangs => std::future::pending().await,
                Trouble::None | Trouble::Away => Ok(outcome),
            }
        })
    }
}
