//! Promises of the queue.

use std::collections::BTreeSet;

use broker::queue::{DELIVERIES_MAX, Delivery, Lag};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::{Duration, Instant};

use crate::setup::{House, at_last};

const Q: &str = "hands";
/// Nobody takes longer.
const PATIENCE: Duration = Duration::from_secs(30);
const NOT: Duration = Duration::ZERO;

async fn push(house: &House, text: &str) {
    house.queue.push(Q, Bytes::copy_from_slice(text.as_bytes())).await.unwrap();
}

async fn take(house: &House, taker: &str, most: usize) -> Vec<Delivery> {
    house.queue.take(Q, taker, most, NOT).await.unwrap()
}

/// What came again, once all that is to come again is there.
async fn reclaim(house: &House, taker: &str, idle: Duration, count: usize) -> Vec<Delivery> {
    let mut had = Vec::new();
    let until = Instant::now() + PATIENCE;
    while had.len() < count && Instant::now() < until {
        had.extend(house.queue.reclaim(Q, taker, idle, 100).await.unwrap());
    }
    had
}

fn texts(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| str::from_utf8(&delivery.message).unwrap()).collect()
}

async fn done(house: &House, deliveries: &[Delivery]) {
    let ids: Vec<_> = deliveries.iter().map(|delivery| delivery.id.clone()).collect();
    house.queue.done(Q, &ids).await.unwrap();
}

async fn lag(house: &House) -> (u64, u64, u64) {
    let Lag { waiting, taken, dead } = house.queue.lag(Q).await.unwrap();
    (waiting, taken, dead)
}

pub(crate) async fn what_is_pushed_is_taken_once_and_in_order(house: House) {
    assert_eq!(lag(&house).await, (0, 0, 0));
    for text in ["one", "two", "three", "four"] {
        push(&house, text).await;
    }
    assert_eq!(lag(&house).await, (4, 0, 0));
    let first = take(&house, "a", 3).await;
    assert_eq!(texts(&first), ["one", "two", "three"]);
    assert!(first.iter().all(|delivery| delivery.deliveries == 1));
    assert_eq!(texts(&take(&house, "b", 3).await), ["four"]);
    assert!(take(&house, "a", 3).await.is_empty(), "all is taken");
    assert_eq!(lag(&house).await, (0, 4, 0));
}

pub(crate) async fn takers_at_the_same_time_have_nothing_twice(house: House) {
    for n in 0..40 {
        push(&house, &n.to_string()).await;
    }
    let takers = (0..8).map(|taker| {
        let queue = house.queue.clone();
        tokio::spawn(async move {
            let mut had = Vec::new();
            loop {
                let more = queue.take(Q, &format!("taker-{taker}"), 3, NOT).await.unwrap();
                had.extend(more.iter().map(|delivery| delivery.message.clone()));
                // Somebody else may have been faster with all three.
                let Lag { waiting, .. } = queue.lag(Q).await.unwrap();
                if more.is_empty() && waiting == 0 {
                    return had;
                }
            }
        })
    });
    let takers: Vec<_> = takers.collect();
    let mut had = Vec::new();
    for taker in takers {
        had.extend(taker.await.unwrap());
    }
    let all: BTreeSet<_> = had.iter().cloned().collect();
    assert_eq!((had.len(), all.len()), (40, 40));
}

pub(crate) async fn what_is_done_is_gone_whoever_took_it(house: House) {
    for text in ["one", "two"] {
        push(&house, text).await;
    }
    let taken = take(&house, "a", 9).await;
    done(&house, &taken[..1]).await;
    done(&house, &taken[..1]).await;
    assert_eq!(lag(&house).await, (0, 1, 0));
    let again = reclaim(&house, "b", NOT, 1).await;
    assert_eq!(texts(&again), ["two"]);
    // Who was thought to be dead was only slow.
    done(&house, &taken).await;
    assert_eq!(lag(&house).await, (0, 0, 0));
    done(&house, &again).await;
    assert!(house.queue.reclaim(Q, "c", NOT, 9).await.unwrap().is_empty());
    push(&house, "three").await;
    assert_eq!(texts(&take(&house, "a", 9).await), ["three"]);
}

pub(crate) async fn what_is_taken_and_not_done_comes_to_another(house: House) {
    push(&house, "one").await;
    push(&house, "two").await;
    take(&house, "who dies", 1).await;
    let idle = Duration::from_millis(300);
    assert!(house.queue.reclaim(Q, "b", Duration::from_secs(600), 9).await.unwrap().is_empty(), "it lives");
    let again = reclaim(&house, "b", idle, 1).await;
    assert_eq!((texts(&again), again[0].deliveries), (vec!["one"], 2));
    // It is the other's now.
    assert!(house.queue.reclaim(Q, "c", PATIENCE, 9).await.unwrap().is_empty());
    assert_eq!(texts(&take(&house, "c", 9).await), ["two"], "what nobody has taken is not reclaimed");
}

pub(crate) async fn what_is_given_back_is_reclaimed_at_once(house: House) {
    for text in ["one", "two"] {
        push(&house, text).await;
    }
    let taken = take(&house, "a", 9).await;
    house.queue.give_back(Q, "a", &[taken[1].id.clone()]).await.unwrap();
    assert!(take(&house, "b", 9).await.is_empty(), "it comes again, and is not new");
    let again = house.queue.reclaim(Q, "b", PATIENCE, 9).await.unwrap();
    assert_eq!((texts(&again), again[0].deliveries), (vec!["two"], 2));
    assert!(house.queue.reclaim(Q, "c", PATIENCE, 9).await.unwrap().is_empty(), "once");
    // What is done cannot be given back.
    done(&house, &again).await;
    house.queue.give_back(Q, "b", &[again[0].id.clone()]).await.unwrap();
    assert!(house.queue.reclaim(Q, "c", PATIENCE, 9).await.unwrap().is_empty());
}

pub(crate) async fn what_nobody_can_do_is_put_aside_and_holds_up_nothing(house: House) {
    push(&house, "bad").await;
    push(&house, "good").await;
    let taken = take(&house, "a", 9).await;
    done(&house, &taken[1..]).await;
    for n in 2..=DELIVERIES_MAX {
        let again = reclaim(&house, "a", NOT, 1).await;
        assert_eq!((texts(&again), again[0].deliveries), (vec!["bad"], n));
    }
    assert_eq!(lag(&house).await, (0, 1, 0), "the last one may still do it");
    while lag(&house).await != (0, 0, 1) {
        assert!(house.queue.reclaim(Q, "a", NOT, 9).await.unwrap().is_empty());
    }
    push(&house, "later").await;
    assert_eq!(texts(&take(&house, "a", 9).await), ["later"]);
    assert_eq!(house.queue.dead(Q).await.unwrap(), [Bytes::from_static(b"bad")]);
}

pub(crate) async fn who_waits_is_given_what_comes(house: House) {
    let queue = house.queue.clone();
    let waiting = tokio::spawn(async move { queue.take(Q, "a", 9, PATIENCE).await });
    tokio::task::yield_now().await;
    push(&house, "late").await;
    assert_eq!(texts(&waiting.await.unwrap().unwrap()), ["late"]);
}

pub(crate) async fn queues_do_not_mix_and_messages_of_any_bytes_come_back(house: House) {
    let every_byte: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let messages = [Bytes::new(), Bytes::from_static(b"\r\n\0\xff"), every_byte.into()];
    for message in &messages {
        house.queue.push(Q, message.clone()).await.unwrap();
    }
    assert!(house.queue.take("others", "a", 9, NOT).await.unwrap().is_empty());
    let found: Vec<Bytes> = take(&house, "a", 9).await.into_iter().map(|delivery| delivery.message).collect();
    assert!(found == messages);
}

pub(crate) async fn what_was_pushed_is_there_when_the_broker_comes_back(mut house: House) {
    for text in ["one", "two"] {
        push(&house, text).await;
    }
    take(&house, "a", 1).await;
    // A replica that takes the primary's place has what it was sent; that it has all is what `wait-replicas` promises.
    let may_lose = house.heals_itself();
    house.break_broker();
    assert!(house.queue.push(Q, Bytes::from_static(b"not known")).await.is_err());
    house.mend_broker().await;
    // As whoever has not been answered.
    at_last(|| house.queue.push(Q, Bytes::from_static(b"not known"))).await;
    let there = Mutex::new(BTreeSet::new());
    let (queue, found) = (house.queue.clone(), &there);
    let look = || {
        let queue = queue.clone();
        async move {
            let mut more = queue.take(Q, "b", 9, NOT).await.map_err(|error| error.to_string())?;
            more.extend(queue.reclaim(Q, "b", NOT, 9).await.map_err(|error| error.to_string())?);
            found.lock().extend(more.into_iter().map(|delivery| delivery.message));
            let all = ["one", "two"].iter().all(|text| found.lock().contains(text.as_bytes()));
            if all || may_lose { Ok(()) } else { Err("something is missing".to_owned()) }
        }
    };
    at_last(look).await;
}
