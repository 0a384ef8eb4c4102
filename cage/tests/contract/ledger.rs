//! What rooms ask of the ledger, and what players see of it.

use cage::{
    DbError, Tx,
    ledger::{self, Answer, Definition, balances::Balance, grant::Refill},
    people::{person, sanction},
};
use futures_util::future::join_all;
use money::{AMOUNT_END, Ask, Body as _, Currency, Share, Stake, Why};
use protocol::id::{ErrandId, Position, RoomId, UserId};

use crate::setup::{Cage, DAY, NOW};

pub(crate) const OPENING: u64 = 1_000;
pub(crate) const REFILL: u64 = 200;

pub(crate) fn currency(code: &str) -> Currency {
    Currency::new(code).unwrap()
}

pub(crate) fn play() -> Currency {
    currency("PLAY")
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

pub(crate) fn room(name: &str) -> RoomId {
    RoomId::new(name).unwrap()
}

pub(crate) fn id(epoch: u64, seq: u64) -> ErrandId {
    ErrandId { at: Position::new(epoch, seq), n: 0 }
}

pub(crate) fn buy(who: &str, amount: u64) -> Ask {
    Ask::BuyIn(Stake { user: user(who), currency: play(), amount, nonce: 7 })
}

pub(crate) fn top_up(who: &str, amount: u64) -> Ask {
    Ask::TopUp(Stake { user: user(who), currency: play(), amount, nonce: 7 })
}

fn share(who: &str, amount: u64) -> Share {
    Share { user: user(who), currency: play(), amount }
}

pub(crate) fn cash_out(who: &str, amount: u64) -> Ask {
    Ask::CashOut(share(who, amount))
}

pub(crate) fn give_back(who: &str, amount: u64) -> Ask {
    Ask::Return(share(who, amount))
}

pub(crate) fn absorb(who: &str, amount: u64) -> Ask {
    Ask::Absorb(share(who, amount))
}

pub(crate) fn rake(amount: u64) -> Ask {
    Ask::Rake { currency: play(), amount, hand: 1 }
}

pub(crate) fn void(of: ErrandId) -> Ask {
    Ask::Void { of }
}

pub(crate) fn done() -> Result<Answer, DbError> {
    Ok(Answer::Done(Vec::new()))
}

pub(crate) fn refused(why: Why) -> Result<Answer, DbError> {
    Ok(Answer::Refused(why))
}

impl Cage {
    /// With a play currency and a real one.
    pub(crate) async fn with_currencies(self) -> Self {
        let play = Definition { code: play(), digits: 0, play: true, opening: OPENING, refill: REFILL };
        let real = Definition { code: currency("EUR"), digits: 2, play: false, opening: 0, refill: 0 };
        self.write(move |tx| ledger::define(tx, &[play, real])).await;
        self
    }

    /// The room `t1` asks.
    pub(crate) async fn ask(&self, id: ErrandId, ask: Ask) -> Result<Answer, DbError> {
        self.ask_of("t1", id, ask).await
    }

    pub(crate) async fn ask_of(&self, of: &str, id: ErrandId, ask: Ask) -> Result<Answer, DbError> {
        let (room, body) = (room(of), ask.write());
        self.try_write(move |tx| ledger::answer(tx, NOW, &room, id, &body)).await
    }

    pub(crate) async fn balance(&self, who: &str) -> Balance {
        let user = user(who);
        let all = self.read(move |tx| ledger::balances(tx, NOW, &user)).await;
        all.into_iter().find(|balance| balance.currency.code == play()).unwrap()
    }

    pub(crate) async fn available(&self, who: &str) -> u64 {
        self.balance(who).await.available
    }

    /// What the table `t1` holds, and what losses have cost.
    pub(crate) async fn table_and_variance(&self) -> (i64, i64) {
        let audit = self.read(ledger::audit).await;
        assert!(audit.is_right(), "{audit:?}");
        let totals = audit.totals.get(&play()).cloned().unwrap_or_default();
        (totals.tables, totals.variance())
    }
}

pub(crate) async fn a_request_is_answered_once_and_for_ever(cage: Cage) {
    let cage = cage.with_currencies().await;
    for _ in 0..3 {
        assert_eq!(cage.ask(id(1, 2), buy("u-ann", 300)).await, done());
        assert_eq!(cage.available("u-ann").await, OPENING - 300);
    }
    assert_eq!(cage.ask(id(1, 3), cash_out("u-ann", 300)).await, done());
    assert_eq!(cage.ask(id(1, 2), buy("u-ann", 300)).await, done());
    assert_eq!((cage.available("u-ann").await, cage.table_and_variance().await), (OPENING, (0, 0)));
    // A refusal stays one, also when there is enough later.
    assert_eq!(cage.ask(id(1, 4), buy("u-bob", OPENING + 1)).await, refused(Why::Insufficient));
    assert_eq!(cage.ask(id(1, 5), buy("u-ann", 500)).await, done());
    assert_eq!(cage.ask(id(1, 6), cash_out("u-bob", 500)).await, done());
    assert_eq!(cage.ask(id(1, 4), buy("u-bob", OPENING + 1)).await, refused(Why::Insufficient));
    // Another request under a name that was given: an epoch was given twice, or a program is wrong.
    for _ in 0..2 {
        assert_eq!(cage.ask(id(1, 2), buy("u-ann", 301)).await, refused(Why::Conflict));
        assert_eq!(cage.ask(id(1, 3), cash_out("u-bob", 300)).await, refused(Why::Conflict));
    }
    assert_eq!(cage.read(ledger::audit).await.conflicts, 2, "each is counted once");
    // The same position of another room is another name.
    assert_eq!(cage.ask_of("t2", id(1, 2), buy("u-ann", 301)).await, done());
}

pub(crate) async fn what_is_given_up_comes_back_once_or_never_goes(cage: Cage) {
    let cage = cage.with_currencies().await;
    cage.ask(id(1, 2), buy("u-ann", 300)).await.unwrap();
    for n in 3..6 {
        assert_eq!(cage.ask(id(1, n), void(id(1, 2))).await, done());
        assert_eq!(cage.available("u-ann").await, OPENING);
    }
    assert_eq!(cage.ask(id(1, 2), buy("u-ann", 300)).await, refused(Why::Void));
    // Before it has come, whatever it is.
    assert_eq!(cage.ask(id(1, 7), void(id(1, 6))).await, done());
    assert_eq!(cage.ask(id(1, 6), buy("u-ann", 300)).await, refused(Why::Void));
    assert_eq!(cage.ask(id(1, 6), top_up("u-bob", 1)).await, refused(Why::Void));
    // Of what was refused there is nothing to give up, and nothing else can be given up.
    assert_eq!(cage.ask(id(1, 8), buy("u-ann", OPENING + 1)).await, refused(Why::Insufficient));
    assert_eq!(cage.ask(id(1, 9), void(id(1, 8))).await, done());
    assert_eq!(cage.ask(id(1, 8), buy("u-ann", OPENING + 1)).await, refused(Why::Insufficient));
    cage.ask(id(1, 10), buy("u-ann", 300)).await.unwrap();
    cage.ask(id(1, 11), cash_out("u-ann", 100)).await.unwrap();
    assert_eq!(cage.ask(id(1, 12), void(id(1, 11))).await, refused(Why::Bad));
    assert_eq!(cage.ask(id(1, 12), void(id(1, 12))).await, refused(Why::Bad));
    assert_eq!((cage.available("u-ann").await, cage.table_and_variance().await), (OPENING - 200, (200, 0)));
}

pub(crate) async fn play_money_is_given_at_the_first_and_again_once_a_day(cage: Cage) {
    let cage = cage.with_currencies().await;
    let refill = |at: u64, code: &'static str| {
        cage.write(move |tx| ledger::refill(tx, at, &user("u-ann"), currency(code)))
    };
    assert_eq!(cage.balance("u-ann").await.available, OPENING, "before anything was written");
    assert_eq!(refill(NOW, "PLAY").await, Refill::Enough);
    cage.ask(id(1, 2), buy("u-ann", OPENING - 50)).await.unwrap();
    assert_eq!(cage.balance("u-ann").await.in_play, [(room("t1"), OPENING - 50)]);
    assert_eq!(refill(NOW, "PLAY").await, Refill::Enough, "what is in play counts");
    // He is broke, and leaves with nothing.
    assert_eq!(cage.ask(id(1, 3), rake(OPENING - 50)).await, done());
    assert_eq!(cage.ask(id(1, 4), cash_out("u-ann", 0)).await, done());
    assert_eq!(cage.balance("u-ann").await.in_play, []);
    assert_eq!(cage.balance("u-ann").await.refill_from_ms, None);
    let given = join_all((0..10).map(|_| refill(NOW, "PLAY"))).await;
    assert_eq!(cage.balance("u-ann").await.refill_from_ms, Some(NOW + DAY - NOW % DAY));
    assert_eq!(given.iter().filter(|given| **given == Refill::Given(REFILL - 50)).count(), 1, "{given:?}");
    assert_eq!(given.iter().filter(|given| **given == Refill::Had).count(), 9, "{given:?}");
    cage.ask(id(1, 5), buy("u-ann", 150)).await.unwrap();
    cage.ask(id(1, 6), give_back("u-ann", 10)).await.unwrap();
    assert_eq!(cage.balance("u-ann").await.in_play, [(room("t1"), 140)]);
    cage.ask(id(1, 7), absorb("u-ann", 140)).await.unwrap();
    assert_eq!(cage.balance("u-ann").await.in_play, []);
    assert_eq!(refill(NOW + DAY - NOW % DAY - 1, "PLAY").await, Refill::Had, "the day is not over");
    assert_eq!(refill(NOW + DAY - NOW % DAY, "PLAY").await, Refill::Given(REFILL - 60));
    assert_eq!((refill(NOW, "EUR").await, refill(NOW, "NONE").await), (Refill::Never, Refill::Never));
    assert_eq!(cage.write(move |tx| ledger::refill(tx, NOW, &user("bot-1"), play())).await, Refill::Never);
}

pub(crate) async fn nobody_brings_what_he_has_not_or_may_not(cage: Cage) {
    let cage = cage.with_currencies().await;
    let (ann, bob) = (cage.member("ann").await, cage.member("bob").await);
    let gone = cage.guest("gone").await;
    cage.guest("gus").await;
    cage.ask(id(1, 1), buy("u-bob", 500)).await.unwrap();
    cage.write(move |tx| {
        let of = |id: &str, kind, person: &UserId, by: &UserId, until| sanction::Sanction {
            id: id.into(),
            person: person.clone(),
            kind,
            from_ms: 1,
            until_ms: until,
            reason: "for a test".into(),
            by: by.clone(),
            lifted_ms: None,
        };
        sanction::impose(tx, &of("s-1", sanction::Kind::Mute, &ann, &bob, None))?;
        sanction::impose(tx, &of("s-2", sanction::Kind::Ban, &bob, &ann, None))?;
        sanction::impose(
            tx,
            &of("s-3", sanction::Kind::SelfExclusion, &user("g-gus"), &user("g-gus"), Some(NOW + 1)),
        )?;
        person::forget(tx, &gone, NOW).map(drop)
    })
    .await;
    assert_eq!(cage.ask(id(1, 2), buy("u-ann", 10)).await, done(), "who is mute plays");
    assert_eq!(cage.ask(id(1, 3), buy("u-bob", 10)).await, refused(Why::Banned));
    assert_eq!(cage.ask(id(1, 4), top_up("u-bob", 10)).await, refused(Why::Banned));
    assert_eq!(cage.ask(id(1, 5), buy("g-gus", 10)).await, refused(Why::Banned));
    assert_eq!(cage.ask(id(1, 6), buy("g-gone", 10)).await, refused(Why::NoAccount));
    assert_eq!(cage.ask(id(1, 7), buy("u-stranger", 10)).await, done(), "whom the house does not know");
    let other =
        |code| Ask::BuyIn(Stake { user: user("u-ann"), currency: currency(code), amount: 1, nonce: 1 });
    assert_eq!(cage.ask(id(1, 8), other("GOLD")).await, refused(Why::NoCurrency));
    assert_eq!(cage.ask(id(1, 9), other("EUR")).await, refused(Why::Insufficient), "nothing real is given");
    // It stays refused when there is such a currency later.
    let gold = Definition { code: currency("GOLD"), digits: 0, play: true, opening: 5, refill: 0 };
    cage.write(move |tx| ledger::define(tx, &[gold])).await;
    assert_eq!(cage.ask(id(1, 8), other("GOLD")).await, refused(Why::NoCurrency));
    assert_eq!(cage.ask(id(1, 10), other("GOLD")).await, done());
    // Who may not play, and whose account is frozen, is paid.
    assert_eq!(cage.ask(id(1, 11), cash_out("u-bob", 400)).await, done());
    cage.write(|tx| ledger::freeze(tx, NOW, &user("u-ann"), play(), true)).await;
    assert!(cage.balance("u-ann").await.is_frozen);
    assert_eq!(cage.ask(id(1, 12), buy("u-ann", 10)).await, refused(Why::Frozen));
    assert_eq!(cage.ask(id(1, 13), cash_out("u-ann", 10)).await, done());
    cage.write(|tx| ledger::freeze(tx, NOW, &user("u-ann"), play(), false)).await;
    assert_eq!(cage.ask(id(1, 14), buy("u-ann", 10)).await, done());
    assert!(!cage.write(|tx| ledger::freeze(tx, NOW, &user("u-ann"), currency("NONE"), true)).await);
}

pub(crate) async fn a_bot_plays_with_the_houses_chips(cage: Cage) {
    let cage = cage.with_currencies().await;
    assert_eq!(cage.ask(id(1, 1), buy("bot-1", 5_000_000)).await, done());
    assert_eq!(cage.ask(id(1, 2), buy("u-ann", 1_000)).await, done());
    assert_eq!(cage.ask(id(1, 3), cash_out("bot-1", 5_000_700)).await, done());
    let audit = cage.read(ledger::audit).await;
    let totals = &audit.totals[&play()];
    assert!(audit.is_right() && totals.house[&ledger::account::House::Bots] == 700, "{audit:?}");
    assert_eq!((totals.players, totals.tables), (0, 300));
}

pub(crate) async fn a_table_never_pays_more_than_it_holds(cage: Cage) {
    let cage = cage.with_currencies().await;
    cage.ask(id(1, 1), buy("u-ann", 100)).await.unwrap();
    cage.ask_of("t2", id(1, 1), buy("u-bob", 100)).await.unwrap();
    let euros = Share { currency: currency("EUR"), ..share("u-ann", 1) };
    for ask in [
        cash_out("u-ann", 101),
        give_back("u-ann", 101),
        absorb("u-ann", 101),
        rake(101),
        Ask::CashOut(euros),
    ] {
        let answer = cage.ask(id(1, 2), ask.clone()).await;
        assert!(matches!(answer, Err(DbError::Refused(_))), "{ask:?}: {answer:?}");
    }
    assert_eq!((cage.available("u-ann").await, cage.table_and_variance().await), (OPENING - 100, (200, 0)));
    // Nothing was written down: it is done when it can be.
    cage.ask(id(1, 3), top_up("u-ann", 1)).await.unwrap();
    assert_eq!(cage.ask(id(1, 2), cash_out("u-ann", 101)).await, done());
}

pub(crate) async fn amounts_that_cannot_be_are_refused(cage: Cage) {
    let cage = cage.with_currencies().await;
    cage.ask(id(1, 1), buy("u-ann", 100)).await.unwrap();
    for amount in [0, AMOUNT_END, AMOUNT_END + 1, 1 << 63, u64::MAX] {
        for ask in [
            buy("u-ann", amount),
            top_up("u-ann", amount),
            give_back("u-ann", amount),
            absorb("u-ann", amount),
            rake(amount),
        ] {
            assert_eq!(cage.ask(id(1, 2), ask.clone()).await, refused(Why::Bad), "{ask:?}");
        }
    }
    assert_eq!(cage.ask(id(1, 2), cash_out("u-ann", AMOUNT_END)).await, refused(Why::Bad));
    let far = 1 << 63;
    for (at, ask) in [
        (id(far, 1), buy("u-ann", 1)),
        (id(1, far), buy("u-ann", 1)),
        (id(1, 2), void(id(far, 1))),
        (id(1, 2), Ask::Cut { follows: Position::new(1, far) }),
    ] {
        assert_eq!(cage.ask(at, ask.clone()).await, refused(Why::Bad), "{ask:?}");
    }
    // Together they are too much for the table's account, which never wraps.
    assert_eq!(cage.ask(id(1, 3), buy("bot-1", AMOUNT_END - 101)).await, done());
    assert_eq!(cage.ask(id(1, 4), buy("u-ann", 1)).await, refused(Why::Bad));
    assert_eq!(cage.ask(id(1, 5), buy("u-ann", 1)).await, refused(Why::Bad));
    assert_eq!(cage.available("u-ann").await, OPENING - 100);
    // And for a player's.
    let paid = cage.ask(id(1, 6), cash_out("u-ann", AMOUNT_END - 101)).await;
    assert!(matches!(paid, Err(DbError::Refused(_))), "{paid:?}");
    assert_eq!(cage.available("u-ann").await, OPENING - 100);
}

pub(crate) async fn what_this_release_does_not_read_is_not_answered(cage: Cage) {
    let cage = cage.with_currencies().await;
    let mut later = buy("u-ann", 100).write();
    later[0] += 1;
    for body in [later, vec![], vec![1], vec![1, 200, 0]] {
        let answer = cage.try_write(move |tx| ledger::answer(tx, NOW, &room("t1"), id(1, 1), &body)).await;
        assert!(matches!(answer, Err(DbError::Refused(_))), "{answer:?}");
    }
    assert_eq!(cage.ask(id(1, 1), buy("u-ann", 100)).await, done(), "a release that reads it answers it");
}

pub(crate) async fn a_statement_has_a_running_balance_and_pages(cage: Cage) {
    let cage = cage.with_currencies().await;
    let mut balances = vec![OPENING];
    for n in 0..20_u64 {
        let (ask, after) = match n % 2 {
            0 => (buy("u-ann", 10 + n), balances[balances.len() - 1] - 10 - n),
            _ => (cash_out("u-ann", 9 + n), balances[balances.len() - 1] + 9 + n),
        };
        cage.ask(id(1, n + 1), ask).await.unwrap();
        balances.push(after);
    }
    let page =
        |before: Option<u64>| cage.read(move |tx| ledger::statement(tx, &user("u-ann"), play(), before, 8));
    let (mut lines, mut before) = (Vec::new(), None);
    loop {
        let page = page(before).await;
        let Some(last) = page.last() else { break };
        before = Some(last.number);
        assert!(page.len() <= 8);
        lines.extend(page);
    }
    lines.reverse();
    assert_eq!(lines.len(), 21);
    assert_eq!((lines[0].kind.as_str(), lines[0].change, &lines[0].room), ("grant", 1_000, &None));
    assert_eq!((lines[1].kind.as_str(), lines[1].change), ("buy_in", -10));
    assert_eq!(lines[1].room, Some(room("t1")));
    for (at, line) in lines.iter().enumerate() {
        assert_eq!((line.number, line.balance), (at as u64 + 1, balances[at] as i64), "{line:?}");
    }
    let nobodys = cage.read(|tx| ledger::statement(tx, &user("u-bob"), play(), None, 8)).await;
    assert!(nobodys.is_empty(), "nobody sees another's");
}

/// Each asks for all of them, a little ahead of the one before, ten at a time.
pub(crate) async fn eight_tellers_with_the_same_names_do_each_once(cage: Cage) {
    const NAMES: u64 = 400;
    let cage = cage.with_currencies().await;
    let ask = |teller: u64, n: u64| {
        let n = (n + teller * 3) % NAMES;
        // By what it is about, each goes to whatever teller: so do twins from several processes.
        let about = format!("{teller}/{n}");
        let (room, body) = (room(&format!("t{}", n % 40)), buy(&format!("u-{}", n % 20), 3).write());
        let tellers = cage.tellers().clone();
        async move {
            loop {
                let (room, body) = (room.clone(), body.clone());
                let work = move |tx: &mut dyn Tx| ledger::answer(tx, NOW, &room, id(1, n), &body);
                match tellers.write(&about, work).await {
                    // The others stood in its way too often: rooms ask again.
                    Err(DbError::Again | DbError::Away(_)) => {}
                    answer => break answer,
                }
            }
        }
    };
    let ask = &ask;
    let all = (0..8_u64).map(|teller| async move {
        for block in 0..NAMES / 10 {
            for answer in join_all((0..10).map(|n| ask(teller, block * 10 + n))).await {
                assert_eq!(answer, done());
            }
        }
    });
    join_all(all).await;
    let audit = cage.read(ledger::audit).await;
    assert!(audit.is_right(), "{audit:?}");
    assert_eq!((audit.transfers, audit.totals[&play()].tables), (NAMES + 20, 3 * NAMES as i64));
}

pub(crate) async fn the_account_of_a_table_is_exact_at_every_position(cage: Cage) {
    let cage = cage.with_currencies().await;
    let at = |epoch, seq, open: &[ErrandId]| {
        let open = open.to_vec();
        cage.read(move |tx| {
            let account = ledger::account_of_table(tx, &room("t1"), Position::new(epoch, seq), &open)?;
            Ok((account.of(play()), account.posted))
        })
    };
    assert_eq!(at(1, 1, &[id(1, 1)]).await, (0, vec![]));
    cage.ask(id(1, 2), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 4), buy("u-bob", 200)).await.unwrap();
    cage.ask(id(1, 6), cash_out("u-ann", 30)).await.unwrap();
    cage.ask(id(1, 8), void(id(1, 4))).await.unwrap();
    cage.ask(id(1, 9), rake(5)).await.unwrap();
    let asked = [id(1, 2), id(1, 4), id(1, 5)];
    assert_eq!(
        at(1, 3, &asked).await,
        (100, vec![(id(1, 2), 100), (id(1, 4), 200)]),
        "also what was decided later is told"
    );
    assert_eq!(at(1, 4, &asked).await, (300, vec![(id(1, 2), 100), (id(1, 4), 200)]));
    assert_eq!(at(1, 7, &asked).await, (270, vec![(id(1, 2), 100), (id(1, 4), 200)]));
    assert_eq!(at(1, 8, &asked).await, (70, vec![(id(1, 2), 100)]), "given up by then");
    assert_eq!(at(1, 9, &asked).await, (65, vec![(id(1, 2), 100)]));
    // A cut, of what came after 1-7.
    cage.ask(id(2, 8), Ask::Cut { follows: Position::new(1, 7) }).await.unwrap();
    assert_eq!(at(2, 8, &[id(2, 8)]).await, (70, vec![(id(2, 8), 0)]), "the rake of a lost hand is back");
    assert_eq!(at(1, 9, &[]).await, (65, vec![]));
}

pub(crate) async fn a_currency_stays_what_it_is(cage: Cage) {
    let cage = cage.with_currencies().await;
    let define = |of: Definition| cage.try_write(move |tx: &mut dyn Tx| ledger::define(tx, &[of]));
    let as_it_is = Definition { code: play(), digits: 0, play: true, opening: OPENING, refill: REFILL };
    assert_eq!(define(Definition { opening: 5, refill: 6, ..as_it_is }).await, Ok(()));
    assert_eq!(cage.available("u-ann").await, 5);
    // Who says nothing of currencies, as a recorder may, changes nothing.
    cage.write(|tx| ledger::define(tx, &[])).await;
    assert_eq!(cage.available("u-bob").await, 5);
    for other in [
        Definition { digits: 2, ..as_it_is },
        Definition { play: false, opening: 0, refill: 0, ..as_it_is },
        Definition { opening: AMOUNT_END, ..as_it_is },
        Definition { code: currency("USD"), play: false, ..as_it_is },
        Definition { code: currency("USD"), digits: 5, ..as_it_is },
    ] {
        let refused = define(other).await;
        assert!(matches!(refused, Err(DbError::Refused(_))), "{other:?}: {refused:?}");
    }
}

pub(crate) async fn a_house_that_says_nothing_of_currencies_has_play_money(cage: Cage) {
    cage.write(|tx| ledger::define(tx, &[])).await;
    assert_eq!(cage.available("u-ann").await, 10_000);
    assert_eq!(Definition::play_money(), "PLAY:0:10000:2000".parse().unwrap());
}
