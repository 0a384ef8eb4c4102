//! Promises for when the broker goes away and comes back.

use std::sync::Arc;

use bytes::Bytes;
use shared::{
    channel::Channel,
    id::Position,
    store::{AppendError, Stored},
};
use tokio::time::{Duration, timeout};

use crate::setup::{House, Inbox, at_last, room};

/// Three times what a command may take.
const BOUND: Duration = Duration::from_secs(6);

pub(crate) async fn a_subscriber_hears_that_it_missed_something_when_its_connection_was_lost(
    mut house: House,
) {
    let inbox = Arc::new(Inbox::default());
    let channel = Channel::frames(&room("t1"));
    let subscription = house.bus.subscriber(inbox.clone());
    subscription.subscribe(&channel).await.unwrap();
    house.bus.publish(&channel, Bytes::from_static(b"before")).await.unwrap();
    inbox.wait_for(&channel, 1).await;

    let missed = inbox.missed_so_far();
    house.break_broker();
    house.mend_broker().await;
    inbox.wait_for_missed(missed).await;
    // The subscriptions stand when it is told: nothing published from now on is lost.
    let reached = at_last(|| house.bus.publish(&channel, Bytes::from_static(b"after"))).await;
    assert_eq!(reached, 1);
    assert_eq!(inbox.wait_for(&channel, 2).await.last().unwrap(), "after");
}

pub(crate) async fn the_generation_changes_when_the_connection_was_lost(mut house: House) {
    let before = house.store.generation();
    assert_eq!(house.store.generation(), before, "it changes for a reason only");
    house.break_broker();
    house.mend_broker().await;
    at_last(|| house.store.last(&room("t1"))).await;
    assert_ne!(house.store.generation(), before);
}

pub(crate) async fn without_a_broker_operations_fail_in_bounded_time_and_later_work_again(mut house: House) {
    let (room, at) = (room("t1"), Position::new(1, 1));
    house.break_broker();
    let publish = house.bus.publish(&Channel::frames(&room), Bytes::from_static(b"x"));
    assert!(timeout(BOUND, publish).await.expect("it is bounded").is_err());
    let append = house.store.append(&room, at, Bytes::from_static(b"x"), None);
    let failed = timeout(BOUND, append).await.expect("it is bounded");
    let is_out_of_reach = matches!(failed, Err(AppendError::Unavailable(_)));
    // A quick failover may serve what waited.
    assert!(is_out_of_reach || house.heals_itself(), "{failed:?}");
    let read = timeout(BOUND, house.store.read(&room, None, 10)).await.expect("it is bounded");
    assert!(read.is_err() || house.heals_itself());

    house.mend_broker().await;
    at_last(|| house.bus.publish(&Channel::frames(&room), Bytes::from_static(b"x"))).await;
    // The failed append may have happened or not; a repeat finds out.
    at_last(|| async {
        match house.store.append(&room, at, Bytes::from_static(b"x"), None).await {
            Err(AppendError::Unavailable(unavailable)) => Err(unavailable),
            Ok(()) | Err(AppendError::Fenced) => Ok(()),
        }
    })
    .await;
    let found = at_last(|| house.store.read(&room, None, 10)).await;
    assert_eq!(found, [Stored { at, bytes: Bytes::from_static(b"x") }]);
}
