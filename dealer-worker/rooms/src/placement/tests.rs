//! What has ended is nowhere: seen from inside, where it could stay.

use std::sync::Arc;

use broker::{
    bus::memory::MemoryBus,
    clock::Clock,
    directory::{Partition, Readers},
    node::Owner,
    ports::Ports,
    seal::{SealKey, Sealer},
    store::{Store, memory::MemoryStore},
    wire::Wire,
};
use tokio::time::sleep;

use super::{
    maps::{Answer, Listing, Part},
    *,
};
use crate::{
    config::WorkerConfig,
    lobby::Board,
    replies::Replies,
    room::{chance::Chance, errands::Services, mailbox::Bound, switchboard::Switchboard},
};

fn node(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

fn room(number: u32) -> RoomId {
    RoomId::new(&format!("t{number}")).unwrap()
}

/// A placement that is alone and does what the tests have it do, and its store.
async fn placement() -> (Placement, MemoryStore) {
    let (wire, me) = (Wire::perfect(), node("w1"));
    let store = MemoryStore::new(wire.clone(), &me);
    let bus = MemoryBus::new(wire, &me);
    let clock = Clock::starting_at(1_800_000_000_000);
    let ports = Ports { bus: Arc::new(bus), store: Arc::new(store.clone()), clock };
    let config = WorkerConfig::new(me.clone(), SealKey::random());
    let members = Members::start(ports.clone(), me, Role::Worker, config.heartbeat, |_| {});
    let context = Arc::new(Context {
        services: Services::default(),
        sealer: Arc::new(Sealer::new(&config.seal_key)),
        switchboard: Switchboard::new(&*ports.bus, Bound { messages: 256, bytes: 1 << 17 }, || {}),
        replies: Replies::new().0,
        board: Board::default(),
        membership: members.watch(),
        kinds: Default::default(),
        ports,
        config,
    });
    let (_, news) = mpsc::channel(1);
    let mut placement = Placement::new(context, members, news, Chance::seeded(1));
    // Until it knows that it is alone.
    sleep(Duration::from_secs(2)).await;
    placement.reassign();
    read(&mut placement).await;
    (placement, store)
}

/// Lets everything be read and done that is asked of the store.
async fn read(placement: &mut Placement) {
    while let Some(answer) = placement.maps.next().await {
        placement.answered(answer);
    }
}

async fn read_again(placement: &mut Placement) {
    placement.read_all();
    read(placement).await;
}

fn owns(room: &RoomId, epoch: u64) -> NodeNews {
    NodeNews::Owns { node: node("w2"), room: room.clone(), epoch: Epoch(epoch) }
}

fn is_nowhere(placement: &Placement, room: &RoomId) -> bool {
    placement.beliefs.of(room).is_none()
        && !placement.said_owned.contains_key(room)
        && placement.tenancy.retry_at(room).is_none()
        && !placement.tenancy.has(room)
        && !placement.look_at.contains(room)
        && !placement.wake_at.values().any(|rooms| rooms.contains(room))
        && !placement.keeping.lists(room)
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_is_nowhere_and_what_is_read_or_said_late_does_not_bring_it_back() {
    let (mut placement, store) = placement().await;
    let (ended, partition) = (room(1), Partition::of(&room(1)));
    let owner = Owner { node: Some(node("w2")), epoch: Epoch(4) };
    directory::open(&store, &ended, "{}".into(), Readers::OfThisRelease).await.unwrap();
    directory::tell_owner(&store, &ended, &owner, Readers::OfThisRelease).await.unwrap();
    read_again(&mut placement).await;
    placement.hear(Heard::News(owns(&ended, 4)));
    placement.look();
    assert!(placement.beliefs.of(&ended).is_some() && placement.keeping.lists(&ended));
    assert!(placement.wake_at.values().any(|rooms| rooms.contains(&ended)), "its owner is waited for");
    // A reading that began before the end, and ends after it.
    let late = maps::list(&store, Part::Of(partition), true).await.unwrap();
    directory::remove(&store, &ended).await.unwrap();
    placement.hear(Heard::News(NodeNews::Closed { room: ended.clone(), epoch: Epoch(4) }));
    assert!(is_nowhere(&placement, &ended));
    placement.answered(Answer::Listed(Part::Of(partition), late.clone()));
    placement.answered(Answer::Listed(Part::Earlier, late));
    for news in [owns(&ended, 4), NodeNews::Opened { room: ended.clone() }] {
        placement.hear(Heard::News(news));
    }
    let offer = NodeNews::Offer { from: node("w2"), to: node("w1"), room: ended.clone(), epoch: Epoch(3) };
    placement.hear(Heard::News(offer));
    placement.look();
    read(&mut placement).await;
    read_again(&mut placement).await;
    assert!(is_nowhere(&placement, &ended));
    assert_eq!(directory::spec(&store, &ended).await.unwrap(), None);
    assert_eq!(directory::owner(&store, &ended).await.unwrap(), None, "no correction writes it again");
    // Another room of this name is another room.
    placement.hear(Heard::News(owns(&ended, 5)));
    assert!(placement.beliefs.of(&ended).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_room_whose_end_nobody_has_told_is_forgotten_with_the_next_reading() {
    let (mut placement, store) = placement().await;
    placement.hear(Heard::News(owns(&room(1), 4)));
    // Somebody who had it once wakes up and writes itself down, when it has ended.
    let owner = Owner { node: Some(node("w2")), epoch: Epoch(3) };
    directory::tell_owner(&store, &room(2), &owner, Readers::OfThisRelease).await.unwrap();
    placement.hear(Heard::News(owns(&room(2), 3)));
    read_again(&mut placement).await;
    for ended in [room(1), room(2)] {
        assert!(is_nowhere(&placement, &ended));
        assert_eq!(directory::owner(&store, &ended).await.unwrap(), None);
    }
}

/// Seen elsewhere (Orleans 10087): cleaning up after what was known removed what had been registered since.
#[tokio::test(start_paused = true)]
async fn a_room_that_is_claimed_while_it_is_looked_for_is_not_forgotten() {
    let (mut placement, _store) = placement().await;
    placement.hear(Heard::News(owns(&room(1), 4)));
    placement.read_all();
    let mut was_nowhere = false;
    while let Some(answer) = placement.maps.next().await {
        if matches!(answer, Answer::Nowhere(_)) {
            was_nowhere = true;
            // Said after the store was asked.
            placement.hear(Heard::News(owns(&room(1), 5)));
        }
        placement.answered(answer);
    }
    assert!(was_nowhere);
    assert_eq!(placement.beliefs.of(&room(1)).map(|belief| belief.epoch), Some(Epoch(5)));
    read_again(&mut placement).await;
    assert!(is_nowhere(&placement, &room(1)), "there is no such room still");
}

/// Its map has lost it, and its journal not: it is not gone.
#[tokio::test(start_paused = true)]
async fn a_room_that_has_a_journal_is_not_forgotten() {
    let (mut placement, store) = placement().await;
    let at = protocol::id::Position::new(4, 0);
    store.append(&room(1), at, "claim".into(), None).await.unwrap();
    placement.hear(Heard::News(owns(&room(1), 4)));
    read_again(&mut placement).await;
    assert!(placement.beliefs.of(&room(1)).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_room_that_turns_out_to_be_nowhere_when_it_is_claimed_is_not_tried_again() {
    let (mut placement, _store) = placement().await;
    placement.hear(Heard::News(NodeNews::Opened { room: room(1) }));
    placement.look();
    assert!(placement.tenancy.has(&room(1)));
    let (of, left) = placement.tenancy.next_left().await.unwrap();
    assert_eq!((&of, &left), (&room(1), &Left::Nowhere));
    placement.left(of, left);
    placement.look();
    assert!(is_nowhere(&placement, &room(1)));
}

/// While an older node lives its word stands in the earlier maps alone, so a room is not claimed by what the partition says of it.
#[tokio::test(start_paused = true)]
async fn a_room_is_taken_up_together_with_what_is_written_of_its_owner() {
    let (mut placement, _store) = placement().await;
    let partition = Partition::of(&room(1));
    let listing = |epoch| Listing {
        rooms: [room(1)].into(),
        owners: [(room(1), Owner { node: None, epoch: Epoch(epoch) })].into(),
    };
    placement.answered(Answer::Listed(Part::Earlier, listing(9)));
    assert!(placement.beliefs.of(&room(1)).is_none(), "it is carried over first");
    placement.answered(Answer::Listed(Part::Of(partition), listing(9)));
    assert_eq!(placement.beliefs.of(&room(1)).unwrap().epoch, Epoch(9));
}

/// Else a room whose older owner has just died is claimed in vain first, and players wait for another term.
#[tokio::test(start_paused = true)]
async fn the_later_word_counts_whichever_map_says_it() {
    let (mut placement, _store) = placement().await;
    let listing = |node: Option<&str>, epoch| Listing {
        rooms: [room(1)].into(),
        owners: [(room(1), Owner { node: node.map(self::node), epoch: Epoch(epoch) })].into(),
    };
    placement.answered(Answer::Listed(Part::Earlier, listing(Some("old"), 9)));
    placement.answered(Answer::Listed(Part::Of(Partition::of(&room(1))), listing(None, 4)));
    let believed = placement.beliefs.of(&room(1)).unwrap();
    assert_eq!((believed.epoch, &believed.ownership), (Epoch(9), &Ownership::Node(node("old"))));
}
