//! Hands that are over.

use cage::{
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
            let hand = NewHand { room: room(), at: place(&record), record: record.clone() };
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
    let added = cage.read(move |tx| sums(tx, &ann(), period)).await;
    let net: i64 = first.iter().chain(&rest).map(|line| line.net).sum();
    assert_eq!(added.iter().map(|(_, tally)| (tally.hands, tally.net)).collect::<Vec<_>>(), [(5, net)]);
    let until = all[2].ended_ms;
    assert_eq!(cage.write(move |tx| forget(tx, until, 10)).await, 2);
    let left = cage.read(move |tx| find::of_table(tx, &room(), 10)).await;
    assert_eq!(left.iter().map(|found| found.record.number).collect::<Vec<_>>(), [5, 4, 3]);
}

pub(crate) async fn hands_of_a_branch_that_is_lost_are_void(cage: Cage) {
    let all = chain(4);
    for record in all.clone() {
        let hand = NewHand { room: room(), at: place(&record), record };
        cage.write(move |tx| keep(tx, &hand)).await;
    }
    // The table goes on from its second hand.
    let again = hands::testing::hand(3, all[1].hash);
    let again = HandRecord { table: "again".into(), ..again };
    let hand = NewHand { room: room(), at: Position::new(2, 30), record: again };
    let written = cage.write(move |tx| keep(tx, &hand)).await;
    assert_eq!((written.is_new, written.voided), (true, 2));
    let lines = cage.read(|tx| find::of_player(tx, &ann(), &Filter::default(), 10)).await;
    let void: Vec<Played> = lines.iter().filter(|line| line.hand.is_void).cloned().collect();
    assert_eq!((lines.len(), numbers(&void)), (5, vec![4, 3]));
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
