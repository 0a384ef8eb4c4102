//! Hands that are over.

use cage::{
    DbError,
    history::{
        NewHand, Period,
        find::{self, Filter, Played},
        forget, keep, sums,
    },
    people::person,
};
use hands::{
    HandRecord, Name,
    testing::{START_MS, chain},
};
use protocol::id::{Position, RoomId, UserId};

use crate::setup::Cage;

fn room() -> RoomId {
    RoomId::new("t1").unwrap()
}

fn ann() -> UserId {
    UserId::new("ann").unwrap()
}

fn place(record: &HandRecord) -> Position {
    Position::new(1, record.number * 10)
}

pub(crate) async fn a_hand_is_kept_once_found_by_who_played_it_and_forgotten_in_time(cage: Cage) {
    let all = chain(5);
    for record in all.clone() {
        for is_new in [true, false] {
            let hand = NewHand { room: room(), at: place(&record), record: record.clone(), late_ms: 0 };
            let written = cage.write(move |tx| keep(tx, &hand)).await;
            assert_eq!((written.is_new, written.is_gap, written.voided), (is_new, false, 0));
        }
    }
    let list = |filter: Filter, most| cage.read(move |tx| find::of_player(tx, &ann(), &filter, most));
    let first = list(Filter::default(), 3).await;
    assert_eq!(numbers(&first), [5, 4, 3]);
    let last = &first.last().unwrap().hand;
    let before = Some((last.record.ended_ms, last.name.clone()));
    let rest = list(Filter { before, room: Some(room()), ..Filter::default() }, 3).await;
    assert_eq!(numbers(&rest), [2, 1]);
    assert!(first.iter().chain(&rest).all(|line| line.game == "nlhe 1/2" && !line.hand.is_void));
    assert!(list(Filter { game: Some("nlhe 1/3".into()), ..Filter::default() }, 3).await.is_empty());
    let others = cage.read(|tx| find::of_player(tx, &UserId::new("cyd").unwrap(), &Filter::default(), 3));
    assert!(others.await.is_empty(), "he has played none");
    assert!(list(Filter { min_pot: 1 << 40, ..Filter::default() }, 3).await.is_empty());
    let name = Name { room: room(), at: place(&all[1]) };
    let found = cage.read(move |tx| find::one(tx, &name)).await.unwrap();
    assert_eq!((found.record, found.is_void), (all[1].clone(), false));
    let period = Period { from_ms: START_MS, to_ms: START_MS + 60_000 };
    let added = cage.read(move |tx| sums(tx, &ann(), period, None)).await;
    let net: i64 = first.iter().chain(&rest).map(|line| line.net).sum();
    assert_eq!(added.iter().map(|sum| (sum.tally.hands, sum.tally.net)).collect::<Vec<_>>(), [(5, net)]);
    assert!(cage.read(move |tx| sums(tx, &ann(), period, Some("nlhe 5/10"))).await.is_empty());
    let until = all[2].ended_ms;
    assert_eq!(cage.write(move |tx| forget(tx, until, 10)).await, 2);
    let left = cage.read(move |tx| find::of_table(tx, &room(), u64::MAX, 10)).await;
    assert_eq!(left.iter().map(|found| found.record.number).collect::<Vec<_>>(), [5, 4, 3]);
}

pub(crate) async fn hands_are_read_from_the_first_page_by_page_and_added_up_by_what_the_chips_are(
    cage: Cage,
) {
    let mut all = chain(7);
    // Several end at once: their names say which comes first.
    all.iter_mut().for_each(|record| record.ended_ms = START_MS + record.number / 3);
    all[5].currency = Some("EUR".into());
    for record in all.clone() {
        let hand = NewHand { room: room(), at: place(&record), record, late_ms: 0 };
        cage.write(move |tx| keep(tx, &hand)).await;
    }
    let all_time = Period { from_ms: 0, to_ms: u64::MAX };
    let (mut after, mut read) = (None, Vec::new());
    loop {
        let (behind, at) = (after.clone(), after.clone());
        let end = cage.read(move |tx| find::end_of_page(tx, &ann(), all_time, at.as_ref(), 3)).await;
        let until = end.clone();
        let work = move |tx: &mut dyn cage::Tx| {
            find::from(tx, &ann(), all_time, behind.as_ref(), until.as_ref(), 100)
        };
        let page = cage.read(work).await;
        assert_eq!(page.len(), if end.is_some() { 3 } else { 1 });
        read.extend(page.iter().map(|found| found.record.number));
        after = end;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(read, [1, 2, 3, 4, 5, 6, 7]);
    let some = cage.read(move |tx| find::from(tx, &ann(), all_time, None, None, 2)).await;
    assert_eq!(some.iter().map(|found| found.record.number).collect::<Vec<_>>(), [1, 2]);
    let second = Period { from_ms: START_MS + 1, to_ms: START_MS + 2 };
    let some = cage.read(move |tx| find::from(tx, &ann(), second, None, None, 100)).await;
    assert_eq!(some.iter().map(|found| found.record.number).collect::<Vec<_>>(), [3, 4, 5]);
    let seven = cage.read(move |tx| find::end_of_page(tx, &ann(), all_time, None, 7)).await;
    assert_eq!(seven, None, "there are no more than seven");
    // The same of everybody's, those that ended before the last one.
    let before = all[6].ended_ms;
    let first = cage.read(move |tx| find::of_all(tx, before, None, 3)).await;
    let last = first.last().map(|found| (found.record.ended_ms, found.name.clone()));
    let rest = cage.read(move |tx| find::of_all(tx, before, last.as_ref(), 100)).await;
    let of_all: Vec<_> = first.iter().chain(&rest).map(|found| found.record.number).collect();
    assert_eq!(of_all, [1, 2, 3, 4, 5]);
    let added = cage.read(move |tx| sums(tx, &ann(), all_time, None)).await;
    let added: Vec<_> = added.iter().map(|sum| (sum.currency.as_deref(), sum.tally.hands)).collect();
    assert_eq!(added, [(None, 6), (Some("EUR"), 1)]);
}

/// As when a recorder dies with what it has taken, and others go on meanwhile.
pub(crate) async fn a_hand_that_is_written_down_late_is_told_behind_what_was_told_before(cage: Cage) {
    let all = chain(5);
    let hand = |number: usize| {
        let record = all[number - 1].clone();
        NewHand { room: room(), at: place(&record), record, late_ms: 0 }
    };
    for number in [1, 2, 4, 5] {
        let hand = hand(number);
        cage.write(move |tx| keep(tx, &hand)).await;
    }
    let behind = |number, before_ms, most| {
        let read = cage.read(move |tx| find::kept_behind(tx, before_ms, number, most));
        async move {
            let found = read.await;
            let last = found.last().map_or(number, |(number, _)| *number);
            (found.iter().map(|(_, found)| found.record.number).collect::<Vec<_>>(), last)
        }
    };
    let (told, last) = behind(0, u64::MAX, 3).await;
    assert_eq!(told, [1, 2, 4]);
    let (late, again) = (hand(3), hand(4));
    cage.write(move |tx| keep(tx, &late)).await;
    cage.write(move |tx| keep(tx, &again)).await;
    let (told, end) = behind(last, u64::MAX, 9).await;
    assert_eq!(told, [5, 3]);
    assert!(behind(end, u64::MAX, 9).await.0.is_empty());
    assert_eq!(behind(0, u64::MAX, 3).await, (vec![1, 2, 4], last), "what was told is told the same way");
    assert_eq!(
        behind(0, all[3].ended_ms, 9).await.0,
        [1, 2],
        "what has just ended, and what is behind it, is told later"
    );
    // By what releases before have told: the end of the hand and its name.
    let at = |number: usize| {
        let NewHand { room, at, record, .. } = hand(number);
        (record.ended_ms, Name { room, at })
    };
    let (first, fourth) = (at(1), at(4));
    assert_eq!(cage.read(move |tx| find::number_at(tx, &fourth)).await, last);
    let until = all[1].ended_ms;
    assert_eq!(cage.write(move |tx| forget(tx, until, 100)).await, 1);
    let number = cage.read(move |tx| find::number_at(tx, &first)).await;
    assert_eq!(behind(number, u64::MAX, 1).await.0, [2], "with the first of those that are left");
}

pub(crate) async fn hands_of_a_branch_that_is_lost_are_void(cage: Cage) {
    let all = chain(4);
    for record in all.clone() {
        let hand = NewHand { room: room(), at: place(&record), record, late_ms: 0 };
        cage.write(move |tx| keep(tx, &hand)).await;
    }
    // The table goes on from its second hand.
    let again = hands::testing::hand(3, all[1].hash);
    let again = HandRecord { table: "again".into(), ..again };
    let hand = NewHand { room: room(), at: Position::new(2, 30), record: again, late_ms: 0 };
    let written = cage.write(move |tx| keep(tx, &hand)).await;
    assert_eq!((written.is_new, written.voided), (true, 2));
    let lines = cage.read(|tx| find::of_player(tx, &ann(), &Filter::default(), 10)).await;
    let void: Vec<Played> = lines.iter().filter(|line| line.hand.is_void).cloned().collect();
    assert_eq!((lines.len(), numbers(&void)), (5, vec![4, 3]));
    let all_time = Period { from_ms: 0, to_ms: u64::MAX };
    let read = cage.read(move |tx| find::from(tx, &ann(), all_time, None, None, 100)).await;
    let read: Vec<_> = read.iter().map(|found| (found.record.number, found.name.at.epoch().0)).collect();
    assert_eq!(read, [(1, 1), (2, 1), (3, 2)]);
}

pub(crate) async fn a_hand_of_a_table_that_is_shown_late_is_everybodys_when_it_is_due_and_no_sooner(
    cage: Cage,
) {
    let mut all = chain(5);
    all.iter_mut().for_each(|record| record.ended_ms = START_MS + record.number * 1_000);
    for record in all.clone() {
        let hand = NewHand { room: room(), at: place(&record), record, late_ms: 30_000 };
        cage.write(move |tx| keep(tx, &hand)).await;
    }
    let own = cage.read(|tx| find::of_player(tx, &ann(), &Filter::default(), 10)).await;
    assert_eq!(numbers(&own), [5, 4, 3, 2, 1], "whoever has played them has them at once");
    let first = Name { room: room(), at: place(&all[0]) };
    for (after_ms, expected, is_first_open) in [
        (30_999, vec![], true),
        (31_000, vec![1], true),
        (32_000, vec![2, 1], true),
        (33_000, vec![3, 2, 1], false),
        (35_000, vec![5, 4, 3, 2, 1], false),
    ] {
        let (now_ms, first) = (START_MS + after_ms, first.clone());
        let (told, is_open) = cage
            .read(move |tx| {
                Ok((find::of_table(tx, &room(), now_ms, 10)?, find::is_open(tx, &first, now_ms, 2)?))
            })
            .await;
        let told: Vec<u64> = told.iter().map(|found| found.record.number).collect();
        assert_eq!((told, is_open), (expected, is_first_open), "after {after_ms} ms");
    }
    let sooner = cage.try_write(|tx| tx.run("UPDATE hand SET open_ms = 0", &[])).await;
    assert!(matches!(sooner, Err(DbError::Refused(_))), "{sooner:?}");
}

pub(crate) async fn who_is_gone_is_known_however_many_are_asked_for(cage: Cage) {
    let mut people = Vec::new();
    for number in 0..20 {
        people.push(cage.guest(&format!("p{number}")).await);
    }
    let gone = [people[0].clone(), people[7].clone(), people[8].clone(), people[19].clone()];
    for id in gone.clone() {
        cage.write(move |tx| person::forget(tx, &id, crate::setup::NOW)).await;
    }
    // A bot is no person, and is not gone.
    people.push(UserId::new("bot-1").unwrap());
    let asked = people.clone();
    let found = cage.read(move |tx| person::gone_of(tx, asked.iter().chain(&asked))).await;
    assert_eq!(found, gone.into_iter().collect());
    assert!(cage.read(|tx| person::gone_of(tx, [])).await.is_empty());
}

fn numbers(lines: &[Played]) -> Vec<u64> {
    lines.iter().map(|line| line.hand.record.number).collect()
}
