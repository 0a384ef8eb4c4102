//! Promises of the short way: two processes that are relay and dealer worker, on one broker.

use std::{collections::BTreeMap, sync::Arc};

use broker::{
    bus::{Bus, Subscription, near::NearBus},
    channel::Channel,
    members::{Member, Membership},
    node::{LISTENERS_TELL_SINCE, ListenPace, ListenerNews, Role, encode},
};
use bytes::Bytes;
use protocol::id::NodeId;
use tokio::sync::watch;

use crate::setup::{House, Inbox, at_last, room};

/// Words that hold so briefly that a test sees them run out.
const PACE: ListenPace = ListenPace { again_ms: 50, holds_ms: 400 };

/// A process, and what its relay hears of the room.
struct Node {
    bus: Arc<NearBus>,
    relay: Arc<Inbox>,
    owner: Arc<Inbox>,
    /// The relay's subscription.
    _watching: Box<dyn Subscription>,
    /// The worker's.
    owning: Box<dyn Subscription>,
    living: watch::Sender<Arc<Membership>>,
}

fn node(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

fn frames() -> Channel {
    Channel::frames(&room("t1"))
}

fn commands() -> Channel {
    Channel::commands(&room("t1"))
}

/// A house in which these relays live.
fn living(relays: &[(&str, u16)]) -> Arc<Membership> {
    let relay = |speaks| Member { role: Role::Relay, draining: false, speaks, spares: false, door: None };
    let nodes: BTreeMap<_, _> = relays.iter().map(|(name, speaks)| (node(name), relay(*speaks))).collect();
    Arc::new(Membership { nodes, settled: true, ..Membership::default() })
}

impl Node {
    async fn start(house: &House, name: &str) -> Self {
        let bus = NearBus::new(house.bus.clone(), node(name), PACE);
        let (relay, owner) = (Arc::new(Inbox::default()), Arc::new(Inbox::default()));
        let (watching, owning) = (bus.subscriber(relay.clone()), bus.subscriber(owner.clone()));
        watching.subscribe(&frames()).await.unwrap();
        watching.subscribe(&Channel::replies(&node(name))).await.unwrap();
        let relays = [("r1", LISTENERS_TELL_SINCE), ("r2", LISTENERS_TELL_SINCE)];
        let (living, membership) = watch::channel(living(&relays));
        bus.follow(membership);
        Self { bus, relay, owner, _watching: watching, owning, living }
    }

    async fn own(&self) {
        at_last(|| self.owning.subscribe(&commands())).await;
    }

    /// Sends a frame as an owner does; whether the witness elsewhere has heard it.
    async fn is_heard(&self, house: &House, witness: &Inbox, frame: &'static [u8]) -> bool {
        let before = witness.got(&frames()).len();
        self.bus.publish_near(&frames(), Bytes::from_static(frame)).await.unwrap();
        // By the same way, so what was sent before it comes before it.
        let mark = Bytes::from(format!("mark-{before}"));
        at_last(|| house.bus.publish(&frames(), mark.clone())).await;
        let mut heard = before;
        loop {
            let got = witness.wait_for(&frames(), heard + 1).await;
            if got[before..].contains(&mark) {
                return got[before..].contains(&Bytes::from_static(frame));
            }
            heard = got.len();
        }
    }

    /// Sends frames until one is kept from the broker.
    async fn until_spared(&self, house: &House, witness: &Inbox, frame: &'static [u8]) {
        at_last(|| async {
            match self.is_heard(house, witness, frame).await {
                true => Err("it is published"),
                false => Ok(()),
            }
        })
        .await;
    }
}

async fn witness(house: &House) -> (Arc<Inbox>, Box<dyn Subscription>) {
    let inbox = Arc::new(Inbox::default());
    let subscription = house.bus.subscriber(inbox.clone());
    for channel in [frames(), commands(), Channel::replies(&node("r1"))] {
        subscription.subscribe(&channel).await.unwrap();
    }
    (inbox, subscription)
}

async fn says_that_it_listens(house: &House, relay: &str) {
    let said = encode(&ListenerNews::Listens { relay: node(relay) });
    house.bus.publish(&Channel::listeners("t1"), said).await.unwrap();
}

pub(crate) async fn what_is_said_to_a_room_of_the_same_process_is_heard_there_alone(house: House) {
    let one = Node::start(&house, "r1").await;
    let (witness, _listening) = witness(&house).await;
    one.own().await;
    one.bus.publish_near(&commands(), Bytes::from_static(b"near")).await.unwrap();
    assert_eq!(one.owner.wait_for(&commands(), 1).await, [Bytes::from_static(b"near")]);
    let replies = Channel::replies(&node("r1"));
    one.bus.publish_near(&replies, Bytes::from_static(b"near")).await.unwrap();
    assert_eq!(one.relay.wait_for(&replies, 1).await, [Bytes::from_static(b"near")]);
    for channel in [commands(), replies] {
        house.bus.publish(&channel, Bytes::from_static(b"far")).await.unwrap();
        assert_eq!(witness.wait_for(&channel, 1).await, [Bytes::from_static(b"far")]);
    }
}

pub(crate) async fn what_is_said_again_is_heard_by_whoever_may_own_the_room(house: House) {
    let (one, other) = (Node::start(&house, "r1").await, Node::start(&house, "r2").await);
    one.own().await;
    other.own().await;
    one.bus.publish(&commands(), Bytes::from_static(b"again")).await.unwrap();
    assert_eq!(one.owner.wait_for(&commands(), 1).await, [Bytes::from_static(b"again")]);
    assert_eq!(other.owner.wait_for(&commands(), 1).await, [Bytes::from_static(b"again")]);
}

pub(crate) async fn a_room_elsewhere_is_reached_before_and_after_it_was_here(house: House) {
    let (one, other) = (Node::start(&house, "r1").await, Node::start(&house, "r2").await);
    let (witness, _listening) = witness(&house).await;
    one.own().await;
    other.bus.publish_near(&commands(), Bytes::from_static(b"1")).await.unwrap();
    assert_eq!(one.owner.wait_for(&commands(), 1).await.len(), 1);
    // The room goes to the other process, and its frames are for everybody at first.
    one.until_spared(&house, &witness, b"mine").await;
    at_last(|| one.owning.unsubscribe(&commands())).await;
    other.own().await;
    one.bus.publish_near(&commands(), Bytes::from_static(b"2")).await.unwrap();
    assert_eq!(other.owner.wait_for(&commands(), 1).await, [Bytes::from_static(b"2")]);
    assert!(other.is_heard(&house, &witness, b"theirs").await);
    let theirs = Bytes::from_static(b"theirs");
    at_last(|| async { if one.relay.got(&frames()).contains(&theirs) { Ok(()) } else { Err("not yet") } })
        .await;
}

pub(crate) async fn frames_are_for_everybody_until_it_is_known_that_nobody_elsewhere_listens(house: House) {
    let one = Node::start(&house, "r1").await;
    let (witness, _listening) = witness(&house).await;
    assert!(one.is_heard(&house, &witness, b"of a room that is not owned here").await);
    one.own().await;
    assert!(one.is_heard(&house, &witness, b"first").await);
    one.until_spared(&house, &witness, b"later").await;
    let heard_here = one.relay.got(&frames());
    // The process's own word is no word of another.
    says_that_it_listens(&house, "r1").await;
    assert!(!one.is_heard(&house, &witness, b"spared").await);
    let spared = one.relay.wait_for(&frames(), heard_here.len() + 1).await;
    assert!(spared.contains(&Bytes::from_static(b"spared")), "its own relay hears every frame");
}

pub(crate) async fn who_says_that_he_listens_hears_the_frame_that_was_kept_back_and_all_that_follow(
    house: House,
) {
    let one = Node::start(&house, "r1").await;
    let (witness, _listening) = witness(&house).await;
    one.own().await;
    one.until_spared(&house, &witness, b"kept back").await;
    let before = witness.got(&frames()).len();
    says_that_it_listens(&house, "r2").await;
    let heard = witness.wait_for(&frames(), before + 1).await;
    assert_eq!(heard[before], Bytes::from_static(b"kept back"));
    assert!(one.is_heard(&house, &witness, b"next").await);
    // It has gone without a word, or its words are lost.
    one.until_spared(&house, &witness, b"nobody there").await;
    let before = witness.got(&frames()).len();
    says_that_it_listens(&house, "r2").await;
    witness.wait_for(&frames(), before + 1).await;
    assert!(one.is_heard(&house, &witness, b"and back").await);
}

pub(crate) async fn a_relay_that_does_not_say_where_it_listens_misses_nothing(house: House) {
    let one = Node::start(&house, "r1").await;
    let (witness, _listening) = witness(&house).await;
    one.own().await;
    one.until_spared(&house, &witness, b"kept back").await;
    let before = witness.got(&frames()).len();
    one.living.send_replace(living(&[("r1", LISTENERS_TELL_SINCE), ("old", LISTENERS_TELL_SINCE - 1)]));
    assert_eq!(witness.wait_for(&frames(), before + 1).await[before], Bytes::from_static(b"kept back"));
    for _ in 0..20 {
        assert!(one.is_heard(&house, &witness, b"for the old one").await);
        tokio::time::sleep(std::time::Duration::from_millis(PACE.holds_ms / 10)).await;
    }
    // It is cut off: who lives is not known.
    let unsure = Membership { cut_off: true, ..(*living(&[("r1", LISTENERS_TELL_SINCE)])).clone() };
    one.living.send_replace(Arc::new(unsure));
    for _ in 0..20 {
        assert!(one.is_heard(&house, &witness, b"for whoever may be there").await);
        tokio::time::sleep(std::time::Duration::from_millis(PACE.holds_ms / 10)).await;
    }
    one.living.send_replace(living(&[("r1", LISTENERS_TELL_SINCE)]));
    one.until_spared(&house, &witness, b"again").await;
}

pub(crate) async fn after_a_lost_connection_frames_are_for_everybody_again(mut house: House) {
    let one = Node::start(&house, "r1").await;
    let (inbox, _listening) = witness(&house).await;
    one.own().await;
    one.until_spared(&house, &inbox, b"kept back").await;
    house.break_broker();
    house.mend_broker().await;
    inbox.wait_for_missed(0).await;
    one.relay.wait_for_missed(0).await;
    // What was said meanwhile is lost: whoever said it hears the frame when this process knows that it has missed something.
    at_last(|| async {
        let bus = &house.bus;
        bus.publish(&Channel::lobby(), Bytes::new()).await.map_err(|error| error.to_string())?;
        let again = inbox.got(&frames()).ends_with(&[Bytes::from_static(b"kept back")]);
        if again || one.is_heard(&house, &inbox, b"after").await { Ok(()) } else { Err("spared".to_owned()) }
    })
    .await;
}
