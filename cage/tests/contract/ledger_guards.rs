//! Each constraint and each trigger of the ledger, with a statement that tries to break it and one that differs in what matters and is allowed.

use cage::{DbError, ledger};

use crate::{
    ledger::{buy, cash_out, id, play, rake, user, void},
    setup::{Cage, NOW},
};

/// What is to be refused, and what is allowed.
struct Case(&'static str, &'static str, &'static str);

/// A request of a table without chips, but for what is said.
macro_rules! request {
    ($columns:literal, $values:literal) => {
        concat!(
            "INSERT INTO request (at_ms, ",
            $columns,
            ") SELECT 1, ",
            $values,
            " FROM request r WHERE r.name = 't1/1-1/0'"
        )
    };
}

macro_rules! transfer {
    ($request:literal, $currency:literal, $payer:literal, $payee:literal, $amount:literal) => {
        concat!(
            "INSERT INTO transfer (request, leg, currency, payer, payee, amount) SELECT '",
            $request,
            "', 9, '",
            $currency,
            "', a.id, b.id, ",
            $amount,
            " FROM account a, account b WHERE a.currency = 'PLAY' AND a.name = '",
            $payer,
            "' AND b.currency = 'PLAY' AND b.name = '",
            $payee,
            "'"
        )
    };
}

const GOOD_TRANSFER: &str = transfer!("t1/1-1/0", "PLAY", "u-ann", "t1", "1");
const GOOD_REQUEST: &str = request!(
    "name, fingerprint, kind, outcome, room, epoch, seq, n, person, currency, amount",
    "'t1/9-9/0', r.fingerprint, 'buy_in', 'posted', 't1', 9, 9, 0, 'u-ann', 'PLAY', 5"
);

const CASES: &[Case] = &[
    Case(
        "a currency has a code",
        "INSERT INTO currency (code, digits, play, opening, refill) VALUES ('X', 0, 1, 0, 0)",
        "INSERT INTO currency (code, digits, play, opening, refill) VALUES ('XX', 0, 1, 0, 0)",
    ),
    Case(
        "a currency has few digits",
        "INSERT INTO currency (code, digits, play, opening, refill) VALUES ('XX', 5, 1, 0, 0)",
        "INSERT INTO currency (code, digits, play, opening, refill) VALUES ('XX', 4, 1, 0, 0)",
    ),
    Case(
        "nothing real is given at the first",
        "INSERT INTO currency (code, digits, play, opening, refill) VALUES ('XX', 0, 0, 1, 0)",
        "INSERT INTO currency (code, digits, play, opening, refill) VALUES ('XX', 0, 1, 1, 0)",
    ),
    Case(
        "nor again",
        "INSERT INTO currency (code, digits, play, opening, refill) VALUES ('XX', 0, 0, 0, 1)",
        "INSERT INTO currency (code, digits, play, opening, refill) VALUES ('XX', 0, 0, 0, 0)",
    ),
    Case(
        "a gift is an amount",
        "UPDATE currency SET opening = -1 WHERE code = 'PLAY'",
        "UPDATE currency SET opening = 9007199254740991 WHERE code = 'PLAY'",
    ),
    Case(
        "so is what is given again",
        "UPDATE currency SET refill = 9007199254740992 WHERE code = 'PLAY'",
        "UPDATE currency SET refill = 9007199254740991 WHERE code = 'PLAY'",
    ),
    Case(
        "a currency's digits stay",
        "UPDATE currency SET digits = 1 WHERE code = 'PLAY'",
        "UPDATE currency SET digits = 0 WHERE code = 'PLAY'",
    ),
    Case(
        "play money stays that",
        "UPDATE currency SET play = 0, opening = 0, refill = 0 WHERE code = 'PLAY'",
        "UPDATE currency SET play = 1, opening = 0, refill = 0 WHERE code = 'PLAY'",
    ),
    Case(
        "an account is of a currency",
        "INSERT INTO account (currency, kind, name) VALUES ('NONE', 'player', 'u-new')",
        "INSERT INTO account (currency, kind, name) VALUES ('EUR', 'player', 'u-new')",
    ),
    Case(
        "an account is of a kind",
        "INSERT INTO account (currency, kind, name) VALUES ('PLAY', 'king', 'u-new')",
        "INSERT INTO account (currency, kind, name) VALUES ('PLAY', 'house', 'u-new')",
    ),
    Case(
        "an account is somebody's",
        "INSERT INTO account (currency, kind, name) VALUES ('PLAY', 'player', '')",
        "INSERT INTO account (currency, kind, name) VALUES ('PLAY', 'player', 'x')",
    ),
    Case(
        "nobody has two of a currency",
        "INSERT INTO account (currency, kind, name) VALUES ('PLAY', 'player', 'u-ann')",
        "INSERT INTO account (currency, kind, name) VALUES ('PLAY', 'table', 'u-ann')",
    ),
    Case(
        "an account begins empty",
        "INSERT INTO account (currency, kind, name, balance) VALUES ('PLAY', 'player', 'u-new', 5)",
        "INSERT INTO account (currency, kind, name, balance) VALUES ('PLAY', 'player', 'u-new', 0)",
    ),
    Case(
        "and nothing has moved it",
        "INSERT INTO account (currency, kind, name, entries) VALUES ('PLAY', 'player', 'u-new', 1)",
        "INSERT INTO account (currency, kind, name, entries) VALUES ('PLAY', 'player', 'u-new', 0)",
    ),
    Case(
        "an account stays whose it is",
        "UPDATE account SET name = 'u-eve' WHERE name = 'u-ann'",
        "UPDATE account SET name = 'u-ann' WHERE name = 'u-ann'",
    ),
    Case(
        "an account is frozen or not",
        "UPDATE account SET frozen = 2 WHERE name = 'u-ann'",
        "UPDATE account SET frozen = 1 WHERE name = 'u-ann'",
    ),
    Case(
        "an account stays",
        "DELETE FROM account WHERE name = 'empty'",
        "UPDATE account SET frozen = 1 WHERE name = 'empty'",
    ),
    Case(
        "a balance moves with transfers alone",
        "UPDATE account SET balance = balance + 1 WHERE name = 'u-ann'",
        "UPDATE account SET balance = balance WHERE name = 'u-ann'",
    ),
    Case(
        "also with a number of its own",
        "UPDATE account SET balance = balance + 1, entries = entries + 1 WHERE name = 'u-ann'",
        GOOD_TRANSFER,
    ),
    Case(
        "what moves it is counted",
        "UPDATE account SET entries = entries - 1 WHERE name = 'u-ann'",
        GOOD_TRANSFER,
    ),
    Case(
        "nobody is overdrawn",
        transfer!("t1/1-1/0", "PLAY", "u-ann", "t1", "926"),
        transfer!("t1/1-1/0", "PLAY", "u-ann", "t1", "925"),
    ),
    Case(
        "nor a table",
        transfer!("t1/1-1/0", "PLAY", "t1", "u-ann", "76"),
        transfer!("t1/1-1/0", "PLAY", "t1", "u-ann", "75"),
    ),
    Case(
        "no balance is too large",
        transfer!("t1/1-1/0", "PLAY", "bank", "u-ann", "9007199254740991"),
        transfer!("t1/1-1/0", "PLAY", "bank", "u-ann", "9007199254740000"),
    ),
    Case("a transfer moves something", transfer!("t1/1-1/0", "PLAY", "u-ann", "t1", "0"), GOOD_TRANSFER),
    Case("and nothing backwards", transfer!("t1/1-1/0", "PLAY", "u-ann", "t1", "-1"), GOOD_TRANSFER),
    Case("it is of one currency", transfer!("t1/1-1/0", "EUR", "u-ann", "t1", "1"), GOOD_TRANSFER),
    Case(
        "of the payer's and the payee's",
        "INSERT INTO transfer (request, leg, currency, payer, payee, amount) SELECT 't1/1-1/0', 9, 'PLAY', a.id, b.id, 1 \
         FROM account a, account b WHERE a.currency = 'PLAY' AND a.name = 'u-ann' AND b.currency = 'EUR' AND b.name = 'u-ann'",
        GOOD_TRANSFER,
    ),
    Case("from one to another", transfer!("t1/1-1/0", "PLAY", "u-ann", "u-ann", "1"), GOOD_TRANSFER),
    Case("it belongs to a request", transfer!("t1/7-7/0", "PLAY", "u-ann", "t1", "1"), GOOD_TRANSFER),
    Case("which is not refused", transfer!("t1/1-2/0", "PLAY", "u-ann", "t1", "1"), GOOD_TRANSFER),
    Case("nor void", transfer!("t1/1-9/0", "PLAY", "u-ann", "t1", "1"), GOOD_TRANSFER),
    Case(
        "a leg is one",
        "INSERT INTO transfer (request, leg, currency, payer, payee, amount) SELECT request, leg, currency, payer, payee, 1 \
         FROM transfer WHERE request = 't1/1-1/0'",
        "INSERT INTO transfer (request, leg, currency, payer, payee, amount) SELECT request, leg + 1, currency, payer, payee, 1 \
         FROM transfer WHERE request = 't1/1-1/0'",
    ),
    Case("a transfer does not change", "UPDATE transfer SET amount = 1", "SELECT amount FROM transfer"),
    Case("nor go", "DELETE FROM transfer WHERE request = 't1/1-1/0'", "SELECT leg FROM transfer"),
    Case(
        "an entry follows from a transfer",
        "INSERT INTO entry (account, number, request, leg, change, balance) SELECT id, entries + 1, 't1/1-2/0', 0, 1, balance + 1 \
         FROM account WHERE name = 'u-ann'",
        GOOD_TRANSFER,
    ),
    Case(
        "once",
        "INSERT INTO entry (account, number, request, leg, change, balance) SELECT id, entries + 1, 't1/1-1/0', 0, -100, balance - 100 \
         FROM account WHERE currency = 'PLAY' AND name = 'u-ann'",
        GOOD_TRANSFER,
    ),
    Case("an entry does not change", "UPDATE entry SET balance = 1", "SELECT balance FROM entry"),
    Case("nor go", "DELETE FROM entry WHERE number = 1", "SELECT number FROM entry"),
    Case(
        "a name is given once",
        request!(
            "name, fingerprint, kind, outcome, room, epoch, seq, n, person, currency, amount",
            "'t1/1-1/0', r.fingerprint, 'buy_in', 'posted', 't1', 9, 9, 0, 'u-ann', 'PLAY', 5"
        ),
        GOOD_REQUEST,
    ),
    Case(
        "so is a position",
        request!(
            "name, fingerprint, kind, outcome, room, epoch, seq, n, person, currency, amount",
            "'t1/9-9/0', r.fingerprint, 'buy_in', 'posted', 't1', 1, 1, 0, 'u-ann', 'PLAY', 5"
        ),
        GOOD_REQUEST,
    ),
    Case(
        "a request is of a kind",
        request!(
            "name, fingerprint, kind, outcome, room, epoch, seq, n, person, currency, amount",
            "'t1/9-9/0', r.fingerprint, 'gift', 'posted', 't1', 9, 9, 0, 'u-ann', 'PLAY', 5"
        ),
        GOOD_REQUEST,
    ),
    Case(
        "it has an outcome",
        request!(
            "name, fingerprint, kind, outcome, room, epoch, seq, n, person, currency, amount",
            "'t1/9-9/0', r.fingerprint, 'buy_in', 'perhaps', 't1', 9, 9, 0, 'u-ann', 'PLAY', 5"
        ),
        GOOD_REQUEST,
    ),
    Case(
        "what is refused says why",
        request!(
            "name, fingerprint, kind, outcome, room, epoch, seq, n, person, currency, amount",
            "'t1/9-9/0', r.fingerprint, 'buy_in', 'refused', 't1', 9, 9, 0, 'u-ann', 'PLAY', 5"
        ),
        request!(
            "name, fingerprint, kind, outcome, code, room, epoch, seq, n, person, currency, amount",
            "'t1/9-9/0', r.fingerprint, 'buy_in', 'refused', 'bad', 't1', 9, 9, 0, 'u-ann', 'PLAY', 5"
        ),
    ),
    Case(
        "in a known word",
        request!(
            "name, fingerprint, kind, outcome, code, room, epoch, seq, n, person, currency, amount",
            "'t1/9-9/0', r.fingerprint, 'buy_in', 'refused', 'mood', 't1', 9, 9, 0, 'u-ann', 'PLAY', 5"
        ),
        GOOD_REQUEST,
    ),
    Case(
        "a fingerprint has 32 bytes",
        request!(
            "name, fingerprint, kind, outcome, room, epoch, seq, n, person, currency, amount",
            "'t1/9-9/0', substr(r.fingerprint, 1, 31), 'buy_in', 'posted', 't1', 9, 9, 0, 'u-ann', 'PLAY', 5"
        ),
        GOOD_REQUEST,
    ),
    Case(
        "and is there",
        request!(
            "name, kind, outcome, room, epoch, seq, n, person, currency, amount",
            "'t1/9-9/0', 'buy_in', 'posted', 't1', 9, 9, 0, 'u-ann', 'PLAY', 5"
        ),
        request!("name, kind, outcome, room, epoch, seq, n", "'t1/9-9/0', 'unseen', 'void', 't1', 9, 9, 0"),
    ),
    Case(
        "what was given up unseen is void",
        request!("name, kind, outcome, room, epoch, seq, n", "'t1/9-9/0', 'unseen', 'posted', 't1', 9, 9, 0"),
        request!("name, kind, outcome, room, epoch, seq, n", "'t1/9-9/0', 'unseen', 'void', 't1', 9, 9, 0"),
    ),
    Case(
        "a room's request is a room's",
        request!(
            "name, fingerprint, kind, outcome, person, currency, amount",
            "'t1/9-9/0', r.fingerprint, 'buy_in', 'posted', 'u-ann', 'PLAY', 5"
        ),
        request!(
            "name, fingerprint, kind, outcome, person, currency, amount",
            "'t1/9-9/0', r.fingerprint, 'grant', 'posted', 'u-ann', 'PLAY', 5"
        ),
    ),
    Case(
        "and has a whole position",
        request!(
            "name, fingerprint, kind, outcome, room, epoch, seq, person, currency, amount",
            "'t1/9-9/0', r.fingerprint, 'buy_in', 'posted', 't1', 9, 9, 'u-ann', 'PLAY', 5"
        ),
        GOOD_REQUEST,
    ),
    Case(
        "which is not before the beginning",
        request!(
            "name, fingerprint, kind, outcome, room, epoch, seq, n, person, currency, amount",
            "'t1/9-9/0', r.fingerprint, 'buy_in', 'posted', 't1', 9, -9, 0, 'u-ann', 'PLAY', 5"
        ),
        GOOD_REQUEST,
    ),
    Case(
        "a buy-in has an amount",
        request!(
            "name, fingerprint, kind, outcome, room, epoch, seq, n, person",
            "'t1/9-9/0', r.fingerprint, 'buy_in', 'posted', 't1', 9, 9, 0, 'u-ann'"
        ),
        request!(
            "name, fingerprint, kind, outcome, room, epoch, seq, n",
            "'t1/9-9/0', r.fingerprint, 'void', 'posted', 't1', 9, 9, 0"
        ),
    ),
    Case(
        "of a currency",
        request!(
            "name, fingerprint, kind, outcome, room, epoch, seq, n, person, amount",
            "'t1/9-9/0', r.fingerprint, 'buy_in', 'posted', 't1', 9, 9, 0, 'u-ann', 5"
        ),
        GOOD_REQUEST,
    ),
    Case(
        "which is not too large",
        request!(
            "name, fingerprint, kind, outcome, room, epoch, seq, n, person, currency, amount",
            "'t1/9-9/0', r.fingerprint, 'buy_in', 'posted', 't1', 9, 9, 0, 'u-ann', 'PLAY', 9007199254740992"
        ),
        GOOD_REQUEST,
    ),
    Case(
        "a buy-in is somebody's",
        request!(
            "name, fingerprint, kind, outcome, room, epoch, seq, n, currency, amount",
            "'t1/9-9/0', r.fingerprint, 'buy_in', 'posted', 't1', 9, 9, 0, 'PLAY', 5"
        ),
        request!(
            "name, fingerprint, kind, outcome, room, epoch, seq, n, currency, amount",
            "'t1/9-9/0', r.fingerprint, 'rake', 'posted', 't1', 9, 9, 0, 'PLAY', 5"
        ),
    ),
    Case(
        "what is moved by hand says by whom",
        request!(
            "name, fingerprint, kind, outcome, person, currency, amount, reason",
            "'x', r.fingerprint, 'adjust', 'posted', 'u-ann', 'PLAY', 5, 'long enough'"
        ),
        request!(
            "name, fingerprint, kind, outcome, person, currency, amount, reason, staff",
            "'x', r.fingerprint, 'adjust', 'posted', 'u-ann', 'PLAY', 5, 'long enough', 'u-bob'"
        ),
    ),
    Case(
        "and why, in some words",
        request!(
            "name, fingerprint, kind, outcome, person, currency, amount, reason, staff",
            "'x', r.fingerprint, 'adjust', 'posted', 'u-ann', 'PLAY', 5, 'so', 'u-bob'"
        ),
        request!(
            "name, fingerprint, kind, outcome, person, currency, amount, reason, staff",
            "'x', r.fingerprint, 'adjust', 'posted', 'u-ann', 'PLAY', 5, 'eight ch', 'u-bob'"
        ),
    ),
    Case(
        "by a person",
        request!(
            "name, fingerprint, kind, outcome, person, currency, amount, reason, staff",
            "'x', r.fingerprint, 'adjust', 'posted', 'u-ann', 'PLAY', 5, 'long enough', 'u-nobody'"
        ),
        request!(
            "name, fingerprint, kind, outcome, person, currency, amount, reason, staff, second",
            "'x', r.fingerprint, 'adjust', 'posted', 'u-ann', 'PLAY', 5, 'long enough', 'u-bob', 'u-cat'"
        ),
    ),
    Case(
        "two are two",
        request!(
            "name, fingerprint, kind, outcome, person, currency, amount, reason, staff, second",
            "'x', r.fingerprint, 'adjust', 'posted', 'u-ann', 'PLAY', 5, 'long enough', 'u-bob', 'u-bob'"
        ),
        request!(
            "name, fingerprint, kind, outcome, person, currency, amount, reason, staff, second",
            "'x', r.fingerprint, 'adjust', 'posted', 'u-ann', 'PLAY', 5, 'long enough', 'u-bob', 'u-cat'"
        ),
    ),
    Case("a request does not change", "UPDATE request SET amount = 1", "SELECT amount FROM request"),
    Case("nor go", "DELETE FROM request WHERE name = 't1/1-2/0'", "SELECT name FROM request"),
    Case(
        "what is undone was there",
        "INSERT INTO undone (request, by_request) VALUES ('t1/7-7/0', 't1/1-8/0')",
        "INSERT INTO undone (request, by_request) VALUES ('t1/1-1/0', 't1/1-8/0')",
    ),
    Case(
        "and was posted",
        "INSERT INTO undone (request, by_request) VALUES ('t1/1-2/0', 't1/1-8/0')",
        "INSERT INTO undone (request, by_request) VALUES ('t1/1-1/0', 't1/1-8/0')",
    ),
    Case(
        "by what undoes",
        "INSERT INTO undone (request, by_request) VALUES ('t1/1-1/0', 't1/1-3/0')",
        "INSERT INTO undone (request, by_request) VALUES ('t1/1-1/0', 't1/1-8/0')",
    ),
    Case(
        "nobody who was paid is given up",
        "INSERT INTO undone (request, by_request) VALUES ('t1/1-3/0', 't1/1-8/0')",
        "INSERT INTO undone (request, by_request) VALUES ('t1/1-3/0', 't1/2-9/0')",
    ),
    Case(
        "by its own room",
        "INSERT INTO undone (request, by_request) VALUES ('t2/1-1/0', 't1/1-8/0')",
        "INSERT INTO undone (request, by_request) VALUES ('t1/1-1/0', 't1/1-8/0')",
    ),
    Case(
        "once",
        "INSERT INTO undone (request, by_request) VALUES ('t1/1-7/0', 't1/2-9/0')",
        "INSERT INTO undone (request, by_request) VALUES ('t1/1-1/0', 't1/2-9/0')",
    ),
    Case(
        "what is taken back has undone something",
        "INSERT INTO taken_back (request, by_request) VALUES ('t1/1-3/0', 't1/2-9/0')",
        "INSERT INTO taken_back (request, by_request) VALUES ('t1/1-8/0', 't1/2-9/0')",
    ),
    Case(
        "a cut takes it back",
        "INSERT INTO taken_back (request, by_request) VALUES ('t1/1-8/0', 't1/1-10/0')",
        "INSERT INTO taken_back (request, by_request) VALUES ('t1/1-8/0', 't1/2-9/0')",
    ),
    Case("for good", "DELETE FROM taken_back", "SELECT request FROM taken_back"),
    Case("by that one", "UPDATE taken_back SET by_request = 't1/1-8/0'", "SELECT request FROM taken_back"),
    Case("it stays undone", "DELETE FROM undone", "SELECT request FROM undone"),
    Case("by what undid it", "UPDATE undone SET by_request = 't1/2-9/0'", "SELECT by_request FROM undone"),
    Case("who was paid was paid", "DELETE FROM paid_before", "SELECT request FROM paid_before"),
    Case("then", "UPDATE paid_before SET by_request = 't1/1-8/0'", "SELECT request FROM paid_before"),
    Case("a cut stays", "DELETE FROM cut", "SELECT request FROM cut"),
    Case("where it is", "UPDATE cut SET follows_seq = 7", "SELECT request FROM cut"),
    Case(
        "and follows a position",
        "INSERT INTO cut (request, room, epoch, follows_epoch, follows_seq, answer) \
         SELECT 't1/1-8/0', room, epoch, follows_epoch, -1, answer FROM cut",
        "INSERT INTO cut (request, room, epoch, follows_epoch, follows_seq, answer) \
         SELECT 't1/1-8/0', room, epoch, follows_epoch, 1, answer FROM cut",
    ),
    Case("a conflict stays", "DELETE FROM conflict", "SELECT request FROM conflict"),
    Case("what it was", "UPDATE conflict SET at_ms = 7", "SELECT request FROM conflict"),
    Case(
        "and is counted once",
        "INSERT INTO conflict (request, fingerprint, at_ms) SELECT request, fingerprint, 7 FROM conflict",
        "INSERT INTO conflict (request, fingerprint, at_ms) SELECT 't1/1-3/0', fingerprint, 7 FROM conflict",
    ),
    Case(
        "a room has a name",
        "INSERT INTO ledger_room (room) VALUES ('')",
        "INSERT INTO ledger_room (room) VALUES ('t9')",
    ),
    Case(
        "who is in play has something there",
        "UPDATE in_play SET amount = 0",
        "UPDATE in_play SET amount = 1",
    ),
    Case(
        "a proposal moves something",
        "INSERT INTO proposal (name, person, currency, change, reason, by_whom, at_ms) \
         VALUES ('p-9', 'u-ann', 'PLAY', 0, 'long enough', 'u-bob', 1)",
        "INSERT INTO proposal (name, person, currency, change, reason, by_whom, at_ms) \
         VALUES ('p-9', 'u-ann', 'PLAY', -1, 'long enough', 'u-bob', 1)",
    ),
    Case(
        "and says why",
        "INSERT INTO proposal (name, person, currency, change, reason, by_whom, at_ms) \
         VALUES ('p-9', 'u-ann', 'PLAY', 1, 'so', 'u-bob', 1)",
        "INSERT INTO proposal (name, person, currency, change, reason, by_whom, at_ms) \
         VALUES ('p-9', 'u-ann', 'PLAY', 1, 'long enough', 'u-bob', 1)",
    ),
    Case(
        "a proposal is confirmed by somebody else",
        "UPDATE proposal SET decision = 'confirmed', decided_by = 'u-bob', decided_ms = 1 WHERE name = 'p-1'",
        "UPDATE proposal SET decision = 'confirmed', decided_by = 'u-cat', decided_ms = 1 WHERE name = 'p-1'",
    ),
    Case(
        "declined too",
        "UPDATE proposal SET decision = 'declined', decided_by = 'u-bob', decided_ms = 1 WHERE name = 'p-1'",
        "UPDATE proposal SET decision = 'declined', decided_by = 'u-cat', decided_ms = 1 WHERE name = 'p-1'",
    ),
    Case(
        "and withdrawn by himself",
        "UPDATE proposal SET decision = 'withdrawn', decided_by = 'u-cat', decided_ms = 1 WHERE name = 'p-1'",
        "UPDATE proposal SET decision = 'withdrawn', decided_by = 'u-bob', decided_ms = 1 WHERE name = 'p-1'",
    ),
    Case(
        "a decision is somebody's",
        "UPDATE proposal SET decision = 'confirmed', decided_ms = 1 WHERE name = 'p-1'",
        "UPDATE proposal SET decision = 'confirmed', decided_by = 'u-cat', decided_ms = 1 WHERE name = 'p-1'",
    ),
    Case(
        "a proposal does not change",
        "UPDATE proposal SET change = 1 WHERE name = 'p-1'",
        "UPDATE proposal SET change = change WHERE name = 'p-1'",
    ),
    Case(
        "it is decided once",
        "UPDATE proposal SET decision = 'declined' WHERE name = 'p-2'",
        "SELECT decision FROM proposal WHERE name = 'p-2'",
    ),
    Case("a proposal stays", "DELETE FROM proposal WHERE name = 'p-1'", "SELECT name FROM proposal"),
];

/// What PostgreSQL can, and SQLite cannot.
const OF_POSTGRES: &[Case] = &[
    Case("nothing is emptied", "TRUNCATE conflict", "SELECT request FROM conflict"),
    Case("whatever hangs on it", "TRUNCATE transfer CASCADE", "SELECT leg FROM transfer"),
    Case("nor accounts", "TRUNCATE account CASCADE", "SELECT id FROM account"),
];

pub(crate) async fn each_guard_of_the_ledger_refuses_what_it_is_for(cage: Cage) {
    for name in ["ann", "bob", "cat"] {
        cage.member(name).await;
    }
    let cage = cage.with_currencies().await;
    cage.ask(id(1, 1), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 2), buy("u-ann", 1_000)).await.unwrap();
    cage.ask(id(1, 2), buy("u-ann", 999)).await.unwrap();
    cage.ask(id(1, 3), cash_out("u-ann", 20)).await.unwrap();
    cage.ask(id(1, 4), rake(5)).await.unwrap();
    cage.ask(id(1, 7), buy("u-bob", 10)).await.unwrap();
    cage.ask(id(1, 8), void(id(1, 7))).await.unwrap();
    cage.ask(id(1, 10), void(id(1, 9))).await.unwrap();
    cage.ask_of("t2", id(1, 1), buy("u-bob", 10)).await.unwrap();
    cage.ask(id(2, 9), money::Ask::Cut { follows: protocol::id::Position::new(1, 20) }).await.unwrap();
    cage.write(|tx| {
        for (name, staff) in [("p-1", "u-bob"), ("p-2", "u-cat")] {
            let wanted = ledger::Adjustment {
                name: name.into(),
                user: user("u-ann"),
                currency: play(),
                change: 5,
                reason: "for a test".into(),
                staff: user(staff),
            };
            ledger::adjust(tx, NOW, &wanted, 4)?;
        }
        ledger::adjust::decide(tx, NOW, "p-2", &user("u-bob"), ledger::adjust::Decision::Confirm)?;
        ledger::freeze(tx, NOW, &user("u-ann"), crate::ledger::currency("EUR"), false)?;
        tx.run("INSERT INTO account (currency, kind, name) VALUES ('PLAY', 'player', 'empty')", &[])?;
        tx.run("INSERT INTO taken_back (request, by_request) VALUES ('t1/1-10/0', 't1/2-9/0')", &[])?;
        tx.run("INSERT INTO paid_before (request, by_request) VALUES ('t1/1-1/0', 't1/2-9/0')", &[])
    })
    .await;
    let of_postgres = if cage.is_postgres() { OF_POSTGRES } else { &[] };
    for &Case(what, breaks, keeps) in CASES.iter().chain(of_postgres) {
        let broken = cage.try_write(move |tx| tx.run(breaks, &[])).await;
        assert!(matches!(broken, Err(DbError::Unique(_) | DbError::Refused(_))), "{what}: {broken:?}");
        let kept = cage.try_write(move |tx| {
            tx.run(keeps, &[])?;
            Err::<(), _>(DbError::Broken("undone".into()))
        });
        assert_eq!(kept.await, Err(DbError::Broken("undone".into())), "{what}");
    }
    assert!(cage.read(ledger::audit).await.is_right());
}
