//! What people report of each other.

use cage::people::report::{
    Closed, Filed, Kind, OFTEN_MAX, OFTEN_MS, Report, Wanted, close, file, filed_by, forget_closed, list,
};
use protocol::id::{RoomId, UserId};
use tokio::task::JoinSet;

use crate::setup::{Cage, NOW};

pub(crate) fn report(id: &str, reporter: &UserId, reported: &UserId, room: &str, at_ms: u64) -> Report {
    Report {
        id: id.into(),
        reporter: reporter.clone(),
        reported: reported.clone(),
        room: RoomId::new(room).unwrap(),
        kind: Kind::Collusion,
        words: "words".into(),
        at_ms,
        closed: None,
    }
}

pub(crate) fn closed(by: &UserId, at_ms: u64) -> Closed {
    Closed { at_ms, by: by.clone(), why: "seen to".into() }
}

async fn filed(cage: &Cage, id: &str, reporter: &UserId, reported: &UserId, room: &str, at: u64) -> Filed {
    let report = report(id, reporter, reported, room, at);
    cage.write(move |tx| file(tx, &report)).await
}

async fn open(cage: &Cage, staff: &UserId) -> Vec<String> {
    let staff = staff.clone();
    let listed = cage.read(move |tx| list(tx, &Wanted::default(), &staff, true, 100)).await;
    listed.into_iter().map(|listed| listed.report.id).collect()
}

pub(crate) async fn one_is_open_for_each_reporter_reported_and_room_and_ten_are_taken_in_a_day(cage: Cage) {
    let (ann, bob, staff) = (cage.guest("ann").await, cage.guest("bob").await, cage.member("staff").await);
    assert_eq!(filed(&cage, "r-00", &ann, &bob, "t0", NOW).await, Filed::Taken);
    assert_eq!(filed(&cage, "r-x", &ann, &bob, "t0", NOW).await, Filed::Known);
    assert_eq!(filed(&cage, "r-b", &bob, &ann, "t0", NOW).await, Filed::Taken);
    for number in 1..u64::from(OFTEN_MAX) {
        let (id, room) = (format!("r-{number:02}"), format!("t{number}"));
        assert_eq!(filed(&cage, &id, &ann, &bob, &room, NOW + number).await, Filed::Taken);
    }
    let late = NOW + OFTEN_MS - 1;
    assert_eq!(filed(&cage, "r-y", &ann, &staff, "t0", late).await, Filed::TooMany(NOW + OFTEN_MS));
    assert_eq!(filed(&cage, "r-y", &ann, &bob, "t0", late).await, Filed::Known, "that is told first");
    assert_eq!(filed(&cage, "r-y", &ann, &staff, "t0", NOW + OFTEN_MS).await, Filed::Taken);

    let by = staff.clone();
    let end = move |tx: &mut dyn cage::Tx| close(tx, "r-00", &closed(&by, NOW + 50));
    assert!(cage.write(end.clone()).await);
    assert!(!cage.write(end).await, "once");
    assert_eq!(
        filed(&cage, "r-z", &ann, &bob, "t0", NOW + 2 * OFTEN_MS).await,
        Filed::Taken,
        "it may begin again"
    );
    let all = open(&cage, &ann).await;
    assert!(
        all.contains(&"r-01".into()) && !all.contains(&"r-00".into()) && !all.contains(&"r-b".into()),
        "{all:?}"
    );
    let after = Wanted { after: Some((NOW + 8, "r-08".into())), reported: Some(bob), closed: false };
    let rest = cage.read(move |tx| list(tx, &after, &staff, false, 100)).await;
    assert_eq!(rest.iter().map(|listed| &*listed.report.id).collect::<Vec<_>>(), ["r-09", "r-z"]);
    assert_eq!(rest[0].reporter_nick, "ann");
    let own = cage.read(move |tx| filed_by(tx, &ann, 1)).await;
    assert_eq!(own[0].id, "r-z", "the latest first");
}

pub(crate) async fn a_hundred_at_once_are_one_and_ten_in_all(cage: Cage) {
    let (ann, bob, staff) = (cage.guest("ann").await, cage.guest("bob").await, cage.member("staff").await);
    for (rooms, taken) in [(1_u32, 1), (100, OFTEN_MAX as usize)] {
        let mut filing = JoinSet::new();
        for number in 0..100 {
            let (cage, ann, bob) = (cage.clone(), ann.clone(), bob.clone());
            filing.spawn(async move {
                let (id, room) = (format!("r-{rooms}-{number}"), format!("t{}", number % rooms));
                let report = report(&id, &ann, &bob, &room, NOW);
                // By as many tellers as there are.
                cage.tellers().write(&id, move |tx| file(tx, &report)).await.unwrap()
            });
        }
        filing.join_all().await;
        assert_eq!(open(&cage, &staff).await.len(), taken);
    }
}

pub(crate) async fn what_was_closed_is_forgotten_in_time_and_nothing_that_is_open(cage: Cage) {
    let (ann, bob, staff) = (cage.guest("ann").await, cage.guest("bob").await, cage.member("staff").await);
    for (id, room) in [("r-1", "t1"), ("r-2", "t2"), ("r-3", "t3")] {
        filed(&cage, id, &ann, &bob, room, NOW).await;
    }
    for (id, at) in [("r-1", NOW + 1), ("r-2", NOW + 5)] {
        let by = staff.clone();
        cage.write(move |tx| close(tx, id, &closed(&by, at))).await;
    }
    assert_eq!(cage.write(|tx| forget_closed(tx, NOW + 5, 100)).await, 1);
    let left = cage.read(move |tx| filed_by(tx, &ann, 100)).await;
    assert_eq!(left.iter().map(|report| &*report.id).collect::<Vec<_>>(), ["r-2", "r-3"]);
}
