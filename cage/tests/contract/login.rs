//! Logins and their refresh tokens.

use cage::people::{
    login::{self, Ended, GRACE_MS, How, LOGINS_MAX, Presented},
    person,
};
use futures_util::future::join_all;

use crate::setup::{Cage, DAY, NOW};

async fn present(cage: &Cage, number: u8, generation: u32, at: u64) -> Presented {
    cage.write(move |tx| login::present(tx, &[number; 16], generation, at)).await
}

fn current(presented: &Presented) -> u32 {
    match presented {
        Presented::Current(_, generation) => *generation,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_hundred_refreshes_at_once_have_one_successor(cage: Cage) {
    let ann = cage.guest("ann").await;
    cage.login(&ann, 1, How::Guest, NOW).await;
    let asked = (0..100_u32).map(|i| {
        let cage = cage.clone();
        // By different tellers where there are several.
        async move {
            let about = format!("{i}");
            let work = |tx: &mut dyn cage::Tx| login::present(tx, &[1; 16], 0, NOW + 1);
            cage.tellers().write(&about, work).await.unwrap()
        }
    });
    let successors: Vec<_> = join_all(asked).await.iter().map(current).collect();
    assert_eq!(successors, vec![1; 100]);
    assert_eq!(current(&present(&cage, 1, 1, NOW + 2).await), 2);
}

pub(crate) async fn a_lost_answer_is_given_again_and_only_to_the_one_before(cage: Cage) {
    let ann = cage.guest("ann").await;
    cage.login(&ann, 1, How::Guest, NOW).await;
    assert_eq!(current(&present(&cage, 1, 0, NOW).await), 1);
    assert_eq!(current(&present(&cage, 1, 0, NOW + GRACE_MS).await), 1, "the same again");
    // The grace is not begun anew by asking again.
    let late = present(&cage, 1, 0, NOW + GRACE_MS + 1).await;
    assert!(matches!(late, Presented::Reused(_)), "{late:?}");

    cage.login(&ann, 2, How::Guest, NOW).await;
    assert_eq!(current(&present(&cage, 2, 0, NOW).await), 1);
    assert_eq!(current(&present(&cage, 2, 1, NOW + 1).await), 2);
    let older = present(&cage, 2, 0, NOW + 2).await;
    assert!(matches!(older, Presented::Reused(_)), "within the time, but not the one before: {older:?}");
}

pub(crate) async fn an_older_token_ends_the_login_and_nobody_elses(cage: Cage) {
    let ann = cage.guest("ann").await;
    for number in [1, 2] {
        cage.login(&ann, number, How::Guest, NOW).await;
    }
    for generation in 0..3 {
        present(&cage, 1, generation, NOW + u64::from(generation)).await;
    }
    let Presented::Reused(login) = present(&cage, 1, 0, NOW + 5).await else { panic!("it was not noticed") };
    assert_eq!((login.person, login.id.as_str()), (ann.clone(), "l-1"));
    assert_eq!(present(&cage, 1, 3, NOW + 6).await, Presented::Ended(Ended::Reuse), "for the owner, too");
    assert_eq!(current(&present(&cage, 2, 0, NOW + 6).await), 1);
    assert_eq!(present(&cage, 9, 0, NOW).await, Presented::Unknown);
    // A token of a generation that was never given out is from a database that went back.
    let open = cage.read(move |tx| login::of(tx, &ann, NOW + 7)).await;
    assert_eq!(open.iter().map(|login| login.id.as_str()).collect::<Vec<_>>(), ["l-2"]);
}

pub(crate) async fn a_login_ends_unused_and_at_last_in_any_case(cage: Cage) {
    let ann = cage.member("ann").await;
    cage.login(&ann, 1, How::Password, NOW).await;
    assert_eq!(current(&present(&cage, 1, 0, NOW + 30 * DAY - 1).await), 1);
    assert_eq!(present(&cage, 1, 1, NOW + 60 * DAY).await, Presented::Ended(Ended::Expired));

    cage.login(&ann, 2, How::Password, NOW).await;
    let mut generation = 0;
    for day in (20..180).step_by(20) {
        generation = current(&present(&cage, 2, generation, NOW + day * DAY).await);
    }
    assert_eq!(present(&cage, 2, generation, NOW + 180 * DAY).await, Presented::Ended(Ended::Expired));

    let bob = cage.guest("bob").await;
    cage.login(&bob, 3, How::Guest, NOW).await;
    assert_eq!(present(&cage, 3, 0, NOW + 7 * DAY).await, Presented::Ended(Ended::Expired));
}

pub(crate) async fn the_one_more_than_may_be_ends_the_one_unused_for_longest(cage: Cage) {
    let ann = cage.guest("ann").await;
    for number in 1..=LOGINS_MAX as u8 {
        cage.login(&ann, number, How::Guest, NOW + u64::from(number)).await;
    }
    present(&cage, 1, 0, NOW + 1_000).await;
    let one_more = crate::setup::new_login(&ann, 99, How::Guest);
    assert_eq!(cage.write(move |tx| login::begin(tx, &one_more, NOW + 2_000)).await, ["l-2"]);
    let open = cage.read(move |tx| login::of(tx, &ann, NOW + 2_000)).await;
    assert_eq!(open.len(), LOGINS_MAX as usize);
}

pub(crate) async fn ending_all_but_one_leaves_that_one(cage: Cage) {
    let (ann, bob) = (cage.guest("ann").await, cage.guest("bob").await);
    for number in 1..=3 {
        cage.login(&ann, number, How::Guest, NOW).await;
    }
    cage.login(&bob, 4, How::Guest, NOW).await;
    let of = ann.clone();
    let mut ended =
        cage.write(move |tx| login::end_all(tx, &of, Some("l-2"), Ended::Password, NOW + 1)).await;
    ended.sort();
    assert_eq!(ended, ["l-1", "l-3"]);
    assert_eq!(present(&cage, 1, 0, NOW + 2).await, Presented::Ended(Ended::Password));
    assert_eq!(current(&present(&cage, 2, 0, NOW + 2).await), 1);
    let of = ann.clone();
    assert_eq!(cage.write(move |tx| login::end_all(tx, &of, None, Ended::Staff, NOW + 3)).await, ["l-2"]);
    let (of, not_his) = (ann, bob);
    let (mine, theirs) = cage
        .write(move |tx| {
            Ok((
                login::end(tx, &of, "l-4", Ended::SignedOut, NOW)?,
                login::end(tx, &not_his, "l-4", Ended::SignedOut, NOW)?,
            ))
        })
        .await;
    assert!(!mine && theirs, "nobody ends another's");
}

pub(crate) async fn whose_tokens_became_void_lately_is_known(cage: Cage) {
    let (ann, bob) = (cage.guest("ann").await, cage.guest("bob").await);
    for number in 1..=2 {
        cage.login(&ann, number, How::Guest, NOW).await;
    }
    let (of, voided) = (ann.clone(), bob.clone());
    cage.write(move |tx| login::end(tx, &of, "l-1", Ended::SignedOut, NOW + 10)).await;
    cage.write(move |tx| person::void_tokens(tx, &voided, NOW + 20)).await;
    assert_eq!(cage.read(|tx| login::ended_since(tx, NOW + 9, 10)).await, [(ann, "l-1".to_owned())]);
    assert_eq!(cage.read(|tx| login::ended_since(tx, NOW + 10, 10)).await, []);
    assert_eq!(cage.read(|tx| person::voided_since(tx, NOW + 19, 10)).await, [bob]);
    assert_eq!(cage.read(|tx| person::voided_since(tx, NOW + 20, 10)).await, []);
}

pub(crate) async fn what_has_long_ended_is_forgotten(cage: Cage) {
    let ann = cage.guest("ann").await;
    for number in 1..=3 {
        cage.login(&ann, number, How::Guest, NOW).await;
    }
    let of = ann.clone();
    cage.write(move |tx| login::end(tx, &of, "l-1", Ended::SignedOut, NOW + DAY)).await;
    present(&cage, 3, 0, NOW + 5 * DAY).await;
    assert_eq!(cage.write(|tx| login::forget_ended(tx, NOW + DAY, 10)).await, 0);
    assert_eq!(cage.write(|tx| login::forget_ended(tx, NOW + 8 * DAY, 10)).await, 2);
    let kept = cage.read(move |tx| login::all_of(tx, &ann)).await;
    assert_eq!(kept.iter().map(|login| login.id.as_str()).collect::<Vec<_>>(), ["l-3"]);
}
