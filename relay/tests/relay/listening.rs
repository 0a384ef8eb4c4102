//! A relay says where it listens to whoever publishes frames only for those who do.

use std::time::Duration;

use broker::{
    bus::{Bus, memory::MemoryBus},
    channel::Channel,
    node::{ListenPace, ListenerNews, NodeNews, Role, SPEAKS, encode},
    wire::LinkState,
};
use protocol::id::NodeId;
use relay::RelayConfig;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::stage::{Stage, keyframe, soon};

/// A worker that spares frames, of which nothing is there but its heartbeat, until it is dropped.
fn sparing(bus: MemoryBus) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        for beat in 1.. {
            let (node, role, speaks) = (NodeId::new("owner").unwrap(), Role::Worker, SPEAKS);
            let (sent_ms, draining, missed, spares) = (0, false, 0, true);
            let beat =
                NodeNews::Beat { node, role, beat, sent_ms, draining, speaks, missed, spares, door: None };
            let _ = bus.publish(&Channel::nodes(), encode(&beat)).await;
            sleep(Duration::from_millis(100)).await;
        }
    }))
}

#[tokio::test]
async fn where_a_relay_listens_it_says_so_at_once_and_again_and_at_once_when_words_may_be_lost() {
    let listens = ListenPace { again_ms: 600_000, holds_ms: 1_900_000 };
    let stage = Stage::with(RelayConfig { listens, ..RelayConfig::default() }).await;
    let _owner = sparing(stage.dealer.bus.clone());
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let (mut words, _listening) = stage.dealer.listen_on(&Channel::listeners("t1")).await;
    let says = ListenerNews::Listens { relay: NodeId::new("relay-1").unwrap() };
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    // The second one much sooner than the pace: the first may be lost.
    for _ in 0..2 {
        assert_eq!(soon("a word", words.recv()).await.as_ref(), Some(&says));
    }
    stage.link.set(LinkState::Refusing);
    stage.until("the relay is cut off", |stage| !stage.is_ready()).await;
    while words.try_recv().is_ok() {}
    stage.link.heal();
    assert_eq!(soon("a word", words.recv()).await, Some(says));
}
