//! Tokens that are void before they expire: who has shown one is closed, and nobody else is.

use std::{sync::Arc, time::Duration};

use broker::{
    bus::memory::MemoryBus,
    ports::Ports,
    revocations::{Bearer, Revoker},
    wire::{LinkState, Wire},
};
use protocol::{
    id::{LoginId, NodeId},
    rights::{Can, Rights, Roles},
};
use relay::RelayConfig;
use serde_json::json;
use tokio::time::Instant;

use crate::stage::{Client, Stage, keyframe, signer, user};

const REVOKED: u16 = 4009;

fn all_of(name: &str) -> Bearer {
    Bearer { user: user(name), login: None }
}

fn login(name: &str) -> LoginId {
    LoginId::new(name).unwrap()
}

/// A client that has shown a token of a login.
async fn on_device(stage: &Stage, name: &str, device: &str) -> Client {
    let mut client = stage.connect().await;
    let token = signer().sign(&stage.claims(name, 0).of_login(login(device)));
    client.hello(&token, json!({})).await;
    client
}

/// Tokens tell to the millisecond when they were made, and one of the very millisecond of a revocation is revoked too.
async fn the_clock_goes_on() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

#[tokio::test]
async fn who_has_shown_a_token_that_is_revoked_is_closed_at_once_and_nobody_else() {
    let stage = Stage::new().await;
    let (mut ann, mut phone, mut bob) =
        (stage.client("ann").await, on_device(&stage, "ann", "l-phone").await, stage.client("bob").await);
    stage.revoker().revoke(&[all_of("ann")]).await.unwrap();
    assert_eq!((ann.hear_close().await, phone.hear_close().await), (REVOKED, REVOKED));
    bob.hear_nothing_more().await;
    // A token that is made now says what is so now.
    the_clock_goes_on().await;
    stage.client("ann").await.hear_nothing_more().await;
}

#[tokio::test]
async fn a_login_that_ends_takes_only_its_own_connections_with_it() {
    let stage = Stage::new().await;
    let (mut phone, mut desk) =
        (on_device(&stage, "ann", "l-phone").await, on_device(&stage, "ann", "l-desk").await);
    let gone = Bearer { login: Some(login("l-phone")), ..all_of("ann") };
    stage.revoker().revoke(&[gone]).await.unwrap();
    assert_eq!(phone.hear_close().await, REVOKED);
    desk.hear_nothing_more().await;
}

#[tokio::test]
async fn a_revoked_token_is_no_good_for_a_new_connection_nor_for_a_refresh() {
    let stage = Stage::new().await;
    let old = signer().sign(&stage.claims("ann", 0));
    let mut ann = stage.client("ann").await;
    stage.revoker().revoke(&[all_of("ann")]).await.unwrap();
    assert_eq!(ann.hear_close().await, REVOKED);
    let mut again = stage.connect().await;
    again.say(&json!({"t": "hello", "token": old})).await;
    assert_eq!(again.hear_close().await, REVOKED);
    the_clock_goes_on().await;
    let mut anew = stage.client("ann").await;
    anew.say(&json!({"t": "refresh", "token": old})).await;
    assert_eq!(anew.hear_close().await, REVOKED);
}

#[tokio::test]
async fn whose_token_was_replaced_in_time_is_not_closed() {
    let stage = Stage::new().await;
    let mut ann = on_device(&stage, "ann", "l-old").await;
    let token = signer().sign(&stage.claims("ann", 0).of_login(login("l-new")));
    ann.say(&json!({"t": "refresh", "token": token})).await;
    assert_eq!(ann.hear().await["t"], "refreshed");
    let gone = Bearer { login: Some(login("l-old")), ..all_of("ann") };
    stage.revoker().revoke(&[gone]).await.unwrap();
    ann.hear_nothing_more().await;
}

/// Reception's news reach nobody: it stands on another bus.
fn unheard(stage: &Stage) -> Revoker {
    let ports = stage.ports_of("reception");
    let bus = Arc::new(MemoryBus::new(Wire::perfect(), &NodeId::new("reception").unwrap()));
    Revoker::new(Ports { bus, ..ports }, 60_000)
}

#[tokio::test]
async fn a_revocation_whose_news_are_lost_is_read_within_the_time_that_is_set() {
    let stage = Stage::with(RelayConfig { revocations_reread_ms: 300, ..RelayConfig::default() }).await;
    let (mut ann, mut bob) = (stage.client("ann").await, stage.client("bob").await);
    let since = Instant::now();
    unheard(&stage).revoke(&[all_of("ann")]).await.unwrap();
    assert_eq!(ann.hear_close().await, REVOKED);
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
    bob.hear_nothing_more().await;
}

#[tokio::test]
async fn a_relay_that_was_cut_off_reads_what_it_has_missed_when_it_is_back() {
    let stage = Stage::with(RelayConfig { revocations_reread_ms: 600_000, ..RelayConfig::default() }).await;
    stage.until("the relay hears itself", Stage::is_ready).await;
    let mut ann = stage.client("ann").await;
    stage.link.set(LinkState::Refusing);
    stage.revoker().revoke(&[all_of("ann")]).await.unwrap();
    stage.link.set(LinkState::Up);
    assert_eq!(ann.hear_close().await, REVOKED);
}

#[tokio::test]
async fn a_relay_that_starts_reads_what_was_revoked_before() {
    let stage = Stage::new().await;
    let old = signer().sign(&stage.claims("ann", 0));
    stage.revoker().revoke(&[all_of("ann")]).await.unwrap();
    let another = stage.another_relay().await;
    let mut ann = Client::connect(another.address).await;
    ann.say(&json!({"t": "hello", "token": old})).await;
    assert_eq!(ann.hear_close().await, REVOKED);
}

#[tokio::test]
async fn the_rooms_owner_is_told_what_the_token_allows_and_what_a_later_one_does() {
    let stage = Stage::patient().await;
    let mut ears = stage.dealer.listen("t1").await;
    let rights = |can, roles| Rights { can, roles, ..Rights::default() };
    let muted = rights(Can::ALL.without(Can::CHAT), Roles::FLOOR);
    let mut ann = stage.connect().await;
    ann.hello(&signer().sign(&stage.claims("ann", 0).with(muted)), json!({})).await;
    ann.ask("t1", 1, json!({"a": "chat", "text": "hi"})).await;
    let heard = ears.rights().await;
    assert_eq!(heard, (1, muted));
    ann.say(&json!({"t": "refresh", "token": stage.token("ann")})).await;
    ann.hear_until("refreshed").await;
    // The first one waits for its answer: another room.
    stage.dealer.commit(keyframe("t2", 1, 1)).await;
    let mut ears = stage.dealer.listen("t2").await;
    ann.ask("t2", 2, json!({"a": "chat", "text": "hi"})).await;
    assert_eq!(ears.rights().await, (2, Rights::default()));
}
