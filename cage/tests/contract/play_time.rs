//! How long somebody wants to play in a day.

use cage::{
    DbError,
    people::{
        person,
        play_time::{DAY_MS, LOOSER_AFTER_MS, MINUTES_ALL, PlayTime, TOKEN_MAX_MS, begin, forget, of, set},
    },
};
use protocol::id::UserId;

use crate::setup::{Cage, MINUTE, NOW};

const TOKEN_MS: u64 = 10 * MINUTE;

async fn limit(cage: &Cage, person: &UserId, minutes: u32, at: u64) -> Option<PlayTime> {
    let person = person.clone();
    cage.write(move |tx| set(tx, &person, minutes, TOKEN_MS, at)).await
}

async fn token(cage: &Cage, person: &UserId, at: u64) -> Option<PlayTime> {
    let person = person.clone();
    cage.write(move |tx| begin(tx, &person, TOKEN_MS, at)).await
}

async fn known(cage: &Cage, person: &UserId, at: u64) -> PlayTime {
    let person = person.clone();
    cage.read(move |tx| of(tx, &person, at)).await.unwrap()
}

/// Plays until it is used up; when that was.
async fn play(cage: &Cage, person: &UserId, from: u64) -> u64 {
    let mut now = from;
    loop {
        let time = token(cage, person, now).await.unwrap();
        if time.again_ms().is_some() {
            return now;
        }
        now += time.token_ms(TOKEN_MS);
    }
}

pub(crate) async fn time_is_used_up_and_begins_again_a_day_after_it_began(cage: Cage) {
    let ann = cage.member("ann").await;
    assert_eq!(token(&cage, &ann, NOW).await, None, "nothing is counted of who has no limit");
    limit(&cage, &ann, 60, NOW).await;
    let end = play(&cage, &ann, NOW).await;
    assert_eq!(end, NOW + 60 * MINUTE);
    assert_eq!(token(&cage, &ann, end).await.unwrap().again_ms(), Some(NOW + DAY_MS));
    assert!(token(&cage, &ann, NOW + DAY_MS - 1).await.unwrap().again_ms().is_some());
    // The next day begins when he comes, not when he could have.
    let late = NOW + DAY_MS + 5 * 60 * MINUTE;
    assert_eq!(token(&cage, &ann, late).await.unwrap().day_ms, late);
    assert_eq!(play(&cage, &ann, late).await, late + 60 * MINUTE);
}

pub(crate) async fn several_tokens_at_once_count_once_and_one_that_is_left_no_longer_than_it_lasts(
    cage: Cage,
) {
    let ann = cage.member("ann").await;
    limit(&cage, &ann, 60, NOW).await;
    // What was given out before the limit lasts ten minutes, and counts.
    for second in 0..60 {
        token(&cage, &ann, NOW + second * 1_000).await;
    }
    assert_eq!(known(&cage, &ann, NOW + 60_000).await.used_ms, 60_000);
    let left = NOW + 20 * MINUTE;
    assert_eq!(known(&cage, &ann, left).await.used_ms, TOKEN_MS);
    token(&cage, &ann, left).await;
    assert_eq!(known(&cage, &ann, left + 5 * 60 * MINUTE).await.used_ms, TOKEN_MS + TOKEN_MAX_MS);
}

pub(crate) async fn a_hundred_tokens_at_once_use_the_time_of_one(cage: Cage) {
    let ann = cage.member("ann").await;
    limit(&cage, &ann, 15, NOW).await;
    let asked: Vec<_> = (0..100)
        .map(|_| {
            let (cage, ann) = (cage.clone(), ann.clone());
            tokio::spawn(async move { token(&cage, &ann, NOW + 5 * MINUTE).await.unwrap().used_ms })
        })
        .collect();
    for used in asked {
        assert_eq!(used.await.unwrap(), 5 * MINUTE);
    }
    assert_eq!(play(&cage, &ann, NOW + 5 * MINUTE).await, NOW + 15 * MINUTE);
}

pub(crate) async fn a_tighter_limit_holds_at_once_and_a_looser_one_after_three_days(cage: Cage) {
    let ann = cage.member("ann").await;
    assert_eq!(limit(&cage, &ann, MINUTES_ALL, NOW).await, None);
    assert_eq!(limit(&cage, &ann, 120, NOW).await.unwrap().minutes, 120);
    assert_eq!(limit(&cage, &ann, 60, NOW).await.unwrap().minutes, 60);
    let waits = limit(&cage, &ann, 90, NOW + 1).await.unwrap();
    assert_eq!((waits.minutes, waits.next.unwrap().from_ms), (60, NOW + 1 + LOOSER_AFTER_MS));
    // Whoever asks again waits no longer, nor less.
    assert_eq!(limit(&cage, &ann, 90, NOW + DAY_MS).await.unwrap().next, waits.next);
    assert_eq!(known(&cage, &ann, NOW + LOOSER_AFTER_MS).await.minutes, 60);
    assert_eq!(token(&cage, &ann, NOW + 1 + LOOSER_AFTER_MS).await.unwrap().minutes, 90);
    // Whoever thinks better of it keeps what he has.
    let now = NOW + 2 * LOOSER_AFTER_MS;
    assert!(limit(&cage, &ann, MINUTES_ALL, now).await.unwrap().next.is_some());
    assert_eq!(limit(&cage, &ann, 90, now + 1).await.unwrap().next, None);
    assert!(limit(&cage, &ann, MINUTES_ALL, now + 2).await.unwrap().next.is_some());
    assert_eq!(token(&cage, &ann, now + 2 + LOOSER_AFTER_MS).await, None, "there is none any more");
    assert_eq!(limit(&cage, &ann, 30, now + 3 + LOOSER_AFTER_MS).await.unwrap().minutes, 30);
}

pub(crate) async fn a_tighter_limit_than_was_played_ends_it_until_the_day_is_over(cage: Cage) {
    let ann = cage.member("ann").await;
    limit(&cage, &ann, 120, NOW).await;
    for step in 0..=20 {
        token(&cage, &ann, NOW + step * 3 * MINUTE).await;
    }
    let now = NOW + 61 * MINUTE;
    assert_eq!(limit(&cage, &ann, 60, now).await.unwrap().again_ms(), Some(NOW + DAY_MS));
    // What was used is used: another limit does not begin another day.
    assert_eq!(known(&cage, &ann, now).await.used_ms, 61 * MINUTE);
}

pub(crate) async fn who_is_gone_leaves_no_limit_and_who_is_not_keeps_it(cage: Cage) {
    let ann = cage.member("ann").await;
    limit(&cage, &ann, 60, NOW).await;
    let id = ann.clone();
    let kept = cage.try_write(move |tx| forget(tx, &id)).await;
    assert!(matches!(kept, Err(DbError::Refused(_))), "{kept:?}");
    let id = ann.clone();
    cage.write(move |tx| {
        person::forget(tx, &id, NOW)?;
        forget(tx, &id)
    })
    .await;
    assert_eq!(cage.read(move |tx| of(tx, &ann, NOW)).await, None);
}
