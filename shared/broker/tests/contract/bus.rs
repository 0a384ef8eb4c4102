//! Promises of the bus.

use std::sync::Arc;

use broker::channel::Channel;
use bytes::Bytes;

use crate::setup::{House, Inbox, room};

pub(crate) async fn what_is_published_after_a_confirmed_subscription_arrives(house: House) {
    let inbox = Arc::new(Inbox::default());
    let subscription = house.bus.subscriber(inbox.clone());
    // Many channels: a confirmation that comes too early would lose a message of one of them.
    for number in 0..300 {
        let channel = Channel::frames(&room(&format!("t{number}")));
        subscription.subscribe(&channel).await.unwrap();
        house.bus.publish(&channel, Bytes::from_static(b"1")).await.unwrap();
        inbox.wait_for(&channel, 1).await;
    }
}

pub(crate) async fn one_channel_keeps_the_order_of_one_publisher(house: House) {
    const MESSAGES: u32 = 2_000;
    let inbox = Arc::new(Inbox::default());
    let subscription = house.bus.subscriber(inbox.clone());
    let channels =
        [Channel::frames(&room("t1")), Channel::commands(&room("t1")), Channel::frames(&room("t2"))];
    for channel in &channels {
        subscription.subscribe(channel).await.unwrap();
    }
    let publishers = channels.clone().map(|channel| {
        let bus = house.bus.clone();
        tokio::spawn(async move {
            for number in 0..MESSAGES {
                bus.publish(&channel, Bytes::copy_from_slice(&number.to_le_bytes())).await.unwrap();
            }
        })
    });
    for publisher in publishers {
        publisher.await.unwrap();
    }
    let expected: Vec<Bytes> =
        (0..MESSAGES).map(|number| Bytes::copy_from_slice(&number.to_le_bytes())).collect();
    for channel in &channels {
        assert_eq!(inbox.wait_for(channel, expected.len()).await, expected, "{channel:?}");
    }
}

pub(crate) async fn a_first_connection_is_not_told_as_a_loss(house: House) {
    let (inbox, channel) = (Arc::new(Inbox::default()), Channel::frames(&room("t1")));
    let subscription = house.bus.subscriber(inbox.clone());
    subscription.subscribe(&channel).await.unwrap();
    // What does not happen cannot be awaited.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(inbox.missed_so_far(), 0);
}

pub(crate) async fn a_publication_reaches_all_who_subscribe(house: House) {
    let channel = Channel::lobby();
    let publish = || house.bus.publish(&channel, Bytes::from_static(b"x"));
    publish().await.unwrap();
    let (one, other) = (Arc::new(Inbox::default()), Arc::new(Inbox::default()));
    let first = house.bus.subscriber(one.clone());
    first.subscribe(&channel).await.unwrap();
    publish().await.unwrap();
    assert_eq!(one.wait_for(&channel, 1).await.len(), 1);
    let second = house.bus.subscriber(other.clone());
    second.subscribe(&channel).await.unwrap();
    publish().await.unwrap();
    assert_eq!(one.wait_for(&channel, 2).await.len(), 2);
    assert_eq!(other.wait_for(&channel, 1).await.len(), 1);
}

pub(crate) async fn subscribing_twice_delivers_once(house: House) {
    let inbox = Arc::new(Inbox::default());
    let channel = Channel::nodes();
    let subscription = house.bus.subscriber(inbox.clone());
    subscription.subscribe(&channel).await.unwrap();
    subscription.subscribe(&channel).await.unwrap();
    house.bus.publish(&channel, Bytes::from_static(b"1")).await.unwrap();
    house.bus.publish(&channel, Bytes::from_static(b"2")).await.unwrap();
    let got = inbox.wait_for(&channel, 2).await;
    assert_eq!(got, [Bytes::from_static(b"1"), Bytes::from_static(b"2")]);
}

pub(crate) async fn an_ended_subscription_delivers_nothing(house: House) {
    let inbox = Arc::new(Inbox::default());
    let (left, kept) = (Channel::frames(&room("t1")), Channel::commands(&room("t1")));
    let subscription = house.bus.subscriber(inbox.clone());
    subscription.subscribe(&left).await.unwrap();
    subscription.subscribe(&kept).await.unwrap();
    subscription.unsubscribe(&left).await.unwrap();
    // Another's subscription is confirmed later, so by then the broker has taken ours away.
    subscription.subscribe(&Channel::replies(&"n9".parse().unwrap())).await.unwrap();
    house.bus.publish(&left, Bytes::from_static(b"1")).await.unwrap();
    house.bus.publish(&kept, Bytes::from_static(b"2")).await.unwrap();
    inbox.wait_for(&kept, 1).await;
    assert!(inbox.got(&left).is_empty());

    drop(subscription);
    // Somebody else hears of it when it has ended: until then there are as many messages here as there.
    let (witness, next) = (Arc::new(Inbox::default()), || house.bus.publish(&kept, Bytes::from_static(b"3")));
    let watching = house.bus.subscriber(witness.clone());
    watching.subscribe(&kept).await.unwrap();
    let mut published = 0;
    loop {
        let before = inbox.got(&kept).len();
        next().await.unwrap();
        published += 1;
        witness.wait_for(&kept, published).await;
        if inbox.got(&kept).len() == before {
            break;
        }
    }
}

pub(crate) async fn a_payload_of_any_bytes_and_size_arrives_whole(house: House) {
    let inbox = Arc::new(Inbox::default());
    let channel = Channel::frames(&room("t1"));
    let subscription = house.bus.subscriber(inbox.clone());
    subscription.subscribe(&channel).await.unwrap();
    let every_byte: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let payloads =
        [Bytes::new(), Bytes::from_static(b"\r\n\0\xff"), every_byte.into(), vec![7; 2_000_000].into()];
    for payload in &payloads {
        house.bus.publish(&channel, payload.clone()).await.unwrap();
    }
    assert!(inbox.wait_for(&channel, payloads.len()).await == payloads);
}

pub(crate) async fn channels_do_not_mix(house: House) {
    let (one, other) = (Arc::new(Inbox::default()), Arc::new(Inbox::default()));
    let (first, second) = (house.bus.subscriber(one.clone()), house.bus.subscriber(other.clone()));
    let (frames, commands) = (Channel::frames(&room("t1")), Channel::commands(&room("t1")));
    first.subscribe(&frames).await.unwrap();
    second.subscribe(&commands).await.unwrap();
    house.bus.publish(&frames, Bytes::from_static(b"f")).await.unwrap();
    house.bus.publish(&commands, Bytes::from_static(b"c")).await.unwrap();
    assert_eq!(one.wait_for(&frames, 1).await, [Bytes::from_static(b"f")]);
    assert_eq!(other.wait_for(&commands, 1).await, [Bytes::from_static(b"c")]);
    assert!(one.got(&commands).is_empty() && other.got(&frames).is_empty());
}
