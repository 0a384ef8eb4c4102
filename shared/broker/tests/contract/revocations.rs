//! What reception says of void tokens, through each adapter.

use std::sync::Arc;

use broker::{
    channel::Channel,
    clock::Clock,
    node::decode,
    ports::Ports,
    revocations::{Bearer, Reader, RevocationNews, Revoker},
};
use protocol::id::{LoginId, UserId};

use crate::setup::{House, Inbox};

pub(crate) async fn what_is_revoked_is_told_at_once_and_read_by_whoever_did_not_hear_it(house: House) {
    let (inbox, channel) = (Arc::new(Inbox::default()), Channel::revocations());
    let subscription = house.bus.subscriber(inbox.clone());
    subscription.subscribe(&channel).await.unwrap();
    let ports = Ports { bus: house.bus.clone(), store: house.store.clone(), clock: Clock::system() };
    let (one, other) = (Revoker::new(ports.clone(), 600_000), Revoker::new(ports, 600_000));
    let ann = Bearer { user: UserId::new("ann").unwrap(), login: None };
    let phone = Bearer { user: UserId::new("bob").unwrap(), login: Some(LoginId::new("l-phone").unwrap()) };
    one.revoke(std::slice::from_ref(&ann)).await.unwrap();
    other.revoke(std::slice::from_ref(&phone)).await.unwrap();
    let told = inbox.wait_for(&channel, 2).await.into_iter().flat_map(|news| {
        let RevocationNews::Revoked { revocations } = decode(&news).unwrap();
        revocations
    });
    let told: Vec<_> = told.collect();
    let mut reader = Reader::default();
    let read = reader.read(&*house.store).await.unwrap();
    assert_eq!(read, told);
    assert_eq!(read.into_iter().map(|revocation| revocation.bearer).collect::<Vec<_>>(), [ann, phone]);
}
