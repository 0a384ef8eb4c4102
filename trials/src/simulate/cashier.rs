//! The cage of a simulated house: the real ledger, on a database in memory, behind a way on which things go wrong.

use broker::clock::Clock;
use bytes::Bytes;
use cage::{
    DbError,
    inline::Inline,
    ledger::{self, Answer, Definition, audit::Audit},
};
use futures_util::future::BoxFuture;
use money::{Body as _, Currency};
use parking_lot::Mutex;
use protocol::id::{Position, RoomId, UserId};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rooms::room::errands::{Away, Errand, Outcome, Service};

use super::planted::Planted;
use crate::judge::Books;

/// See the module.
pub(super) struct Cashier {
    database: Inline,
    clock: Clock,
    currency: Definition,
    planted: Option<Planted>,
    way: Mutex<Way>,
}

/// The way to it.
struct Way {
    rng: ChaCha8Rng,
    /// How often something goes wrong.
    troubles: f64,
    /// What was asked once and may be asked again, by nobody.
    late: Vec<(RoomId, Errand)>,
}

/// So many requests may still be on their way.
const LATE_MAX: usize = 8;

impl Cashier {
    /// Everything follows from the seed.
    pub(super) fn new(seed: u64, troubles: f64, clock: Clock, planted: Option<Planted>) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xca5e);
        // Enough for as long as a run lasts: a table whose players are all broke plays no hand.
        let opening = rng.random_range(20_000..=40_000);
        let code = Currency::new("PLAY").expect("a code");
        let currency = Definition { code, digits: 0, play: true, opening, refill: 0 };
        let database = Inline::open();
        database.run(|tx| ledger::define(tx, &[currency])).expect("a new ledger");
        Self { database, clock, currency, planted, way: Mutex::new(Way { rng, troubles, late: Vec::new() }) }
    }

    /// The currency of its tables.
    pub(super) fn code(&self) -> Currency {
        self.currency.code
    }

    /// From now on nothing goes wrong.
    pub(super) fn heal(&self) {
        self.way.lock().troubles = 0.0;
    }

    fn does(&self, room: &RoomId, errand: &Errand) -> Result<Outcome, Away> {
        let mut id = errand.id;
        if self.planted == Some(Planted::PaysUnderOtherNames) {
            // As one would that makes up a name for each request.
            id.n = self.way.lock().rng.random_range(1_000..60_000);
        }
        let answer =
            self.database.run(|tx| ledger::answer(tx, self.clock.now_ms(), room, id, &errand.ask.body));
        match answer {
            Ok(Answer::Done(what)) => Ok(Outcome::Done(Bytes::from(what))),
            Ok(Answer::Refused(why)) => Ok(Outcome::Refused(Bytes::from(why.write()))),
            Err(error) => Err(Away(error.to_string())),
        }
    }
}

impl Service for Cashier {
    fn ask(&self, room: &RoomId, errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>> {
        let (what, twin) = {
            let mut way = self.way.lock();
            let troubles = way.troubles;
            let what = if way.rng.random_bool(troubles) { way.rng.random_range(0..4) } else { 4 };
            // Somebody else's request comes late, once more, after whatever has happened since.
            let late = way.late.len();
            let comes = late > 0 && way.rng.random_bool(troubles / 2.0);
            let twin = comes.then(|| {
                let at = way.rng.random_range(0..late);
                way.late.swap_remove(at)
            });
            if troubles > 0.0 && way.late.len() < LATE_MAX {
                way.late.push((room.clone(), errand.clone()));
            }
            (what, twin)
        };
        if let Some((room, errand)) = twin {
            let _ = self.does(&room, &errand);
        }
        let outcome = match what {
            0 => Err(Away("nobody at the counter".into())),
            1 => self.does(room, errand).and(Err(Away("the answer is lost".into()))),
            _ => self.does(room, errand),
        };
        Box::pin(async move {
            match what {
                2 => std::future::pending().await,
                _ => outcome,
            }
        })
    }
}

impl Books for Cashier {
    fn currency(&self) -> Definition {
        self.currency
    }

    fn held(&self, table: &RoomId) -> Result<i64, DbError> {
        let end = Position::new(u64::MAX >> 1, u64::MAX >> 1);
        let account = self.database.run(|tx| ledger::account_of_table(tx, table, end, &[]))?;
        Ok(account.of(self.currency.code))
    }

    fn available(&self, user: &UserId) -> Result<u64, DbError> {
        let balances = self.database.run(|tx| ledger::balances(tx, 0, user))?;
        Ok(balances.first().map_or(0, |balance| balance.available))
    }

    fn audit(&self) -> Result<Audit, DbError> {
        self.database.run(ledger::audit)
    }
}
