//! A refusal says that a command was not done and never will be, whoever owns the room when a copy of it comes.

mod support;

use rooms::planted::{Fault, plant};
use serde_json::json;
use tokio::time::{Duration, timeout};

use support::{House, Relay, fast, room, user};

const OOM: &str = "OOM command not allowed when used memory > 'maxmemory'.";

/// A relay is cut off when its client has just said something, and the room refuses it. The client comes back through another relay, asks again, and
/// is told so. Then the room changes hands, and the first relay, which has heard neither the refusal nor that its client has gone, says the
/// command to the next owner: what that answers.
async fn what_the_next_owner_answers(house: &House) -> String {
    house.open(1, &fast()).await;
    let first = house.worker("w1");
    let (deaf, other) = (Relay::new(house, "r1", 1).await, Relay::new(house, "r2", 1).await);
    let epoch = deaf.owned(&room(1)).await.at.epoch();
    other.owned(&room(1)).await;
    let (table, ann, chat) = (room(1), user("ann"), json!({"a": "chat", "text": "hello"}));
    house.store.refuse_writes(Some(OOM));
    assert_eq!(deaf.new_command(&table, &ann, 1, 1, chat.clone()).await.code(), "unavailable");
    house.store.refuse_writes(None);
    assert_eq!(other.command(&table, &ann, 1, 1, chat.clone()).await.code(), "unavailable");
    first.kill();
    let _second = house.worker("w2");
    // As the deaf relay would, which here has heard of it.
    let late = Relay::new(house, "r3", 1).await;
    late.until(&table, |followed| followed.at.epoch() > epoch).await;
    late.command(&table, &ann, 1, 1, chat).await.code().to_owned()
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_to_whoever_asked_again_is_refused_by_the_next_owner() {
    assert_eq!(what_the_next_owner_answers(&House::new()).await, "unavailable");
    plant(Some(Fault::NotesNoRefusals));
    let answer = what_the_next_owner_answers(&House::new()).await;
    plant(None);
    assert_eq!(answer, "applied", "the planted owner has left nothing to the next");
}

#[tokio::test(start_paused = true)]
async fn what_was_said_before_is_refused_only_when_the_store_has_the_refusal() {
    let house = House::new();
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    house.store.refuse_writes(Some(OOM));
    let (table, ann, sit) = (room(1), user("ann"), json!({"a": "sit", "buy_in": 1}));
    let asked = timeout(Duration::from_secs(10), relay.command(&table, &ann, 1, 1, sit.clone()));
    assert!(asked.await.is_err(), "it has no answer");
    let new = relay.new_command(&table, &user("bob"), 2, 1, sit.clone()).await;
    assert_eq!(new.code(), "bad_amount", "of what was never said before there is no other copy");
    house.store.refuse_writes(None);
    assert_eq!(relay.command(&table, &ann, 1, 1, sit).await.code(), "bad_amount");
}
