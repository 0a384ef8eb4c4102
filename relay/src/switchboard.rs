//! Where each message of the bus goes.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use broker::{
    bus::{Receiver, Subscription},
    channel::Channel,
    entry::Entry,
    lobby::{Line, LobbyNews},
    node::{SessionNews, ToRelay, decode, encode},
    revocations::RevocationNews,
};
use bytes::Bytes;
use tokio::time::sleep;
use ws::Frame;

use crate::{commands::Asker, hub::Hub, lobby::Lobby, questions, registry::Registry, works::Works};

/// How often a subscription that every relay needs is tried again.
const SUBSCRIBE_AGAIN: Duration = Duration::from_millis(250);

/// See the module.
pub(crate) struct Switchboard {
    hub: Arc<Hub>,
    works: Arc<Works>,
    lobby: Arc<Lobby>,
    /// Weak: it holds the sessions, and lives as long as the relay.
    registry: Weak<Registry>,
    /// The channels that are not rooms'.
    replies: Channel,
    news: Channel,
    sessions: Channel,
    revocations: Channel,
}

impl Switchboard {
    pub(crate) fn new(
        hub: &Arc<Hub>,
        works: &Arc<Works>,
        lobby: &Arc<Lobby>,
        registry: &Arc<Registry>,
    ) -> Self {
        Self {
            hub: hub.clone(),
            works: works.clone(),
            lobby: lobby.clone(),
            registry: Arc::downgrade(registry),
            replies: Channel::replies(&works.node),
            news: Channel::lobby(),
            sessions: Channel::sessions(),
            revocations: Channel::revocations(),
        }
    }

    fn frame(&self, payload: Bytes) {
        match Entry::decode(payload) {
            Ok(entry) => {
                if let Some(room) = self.hub.get(&entry.room) {
                    room.take(&self.works, entry);
                }
            }
            Err(error) => self.malformed(&error),
        }
    }

    fn reply(&self, payload: &[u8]) {
        let text = |body: &Bytes| String::from_utf8(body.to_vec());
        match decode::<ToRelay>(payload) {
            Ok(ToRelay::Refused { user, session, n, room, body, epoch }) => match text(&body) {
                Ok(text) => {
                    if let Some(room) = self.hub.get(&room) {
                        room.refused(&self.works, &Asker { user: &user, session, n }, epoch, &text);
                    }
                }
                Err(error) => self.malformed(&error),
            },
            Ok(ToRelay::Applied { user, session, n, room, at }) => {
                if let Some(room) = self.hub.get(&room) {
                    room.applied(&self.works, &Asker { user: &user, session, n }, at);
                }
            }
            Ok(ToRelay::Places { room, epoch, round, without, is_full }) => {
                if let Some(room) = self.hub.get(&room) {
                    room.places_given(&self.works, (epoch, round), &without, is_full);
                }
            }
            Ok(ToRelay::Elsewhere { user, session }) => {
                if let Some(registry) = self.registry.upgrade() {
                    registry.tell_session(session, &user);
                }
            }
            Ok(ToRelay::Answer { user, session, body }) => match text(&body) {
                Ok(text) => {
                    let registry = self.registry.upgrade();
                    if let Some(peer) = registry.and_then(|registry| registry.of_session(session, &user)) {
                        questions::tell(&peer, &Frame::text(&text), &self.works);
                    }
                }
                Err(error) => self.malformed(&error),
            },
            Ok(ToRelay::Notice { user, session, body, .. }) => match text(&body) {
                Ok(text) => {
                    let peer =
                        self.registry.upgrade().and_then(|registry| registry.of_session(session, &user));
                    if let Some(peer) = peer {
                        peer.answer(&Frame::text(&text), self.works.now_ms());
                    }
                }
                Err(error) => self.malformed(&error),
            },
            Err(error) => self.malformed(&error),
        }
    }

    fn lobby_news(&self, news: LobbyNews) {
        let (catalogue, lobby) = (&self.works.catalogue, &self.lobby);
        let lines = match news {
            LobbyNews::Tables { tables, .. } => tables.into_iter().map(Line::from).collect(),
            LobbyNews::Lines { lines, .. } => lines,
            LobbyNews::Changes { changes, .. } => return lobby.heard_changes(changes, &self.works),
            LobbyNews::Wanted => return,
        };
        catalogue.listed(lines.iter().map(|line| &line.room));
        lobby.heard_lines(lines, &self.works);
    }

    fn malformed(&self, error: &dyn std::error::Error) {
        self.works.metrics.malformed.increment(1);
        tracing::error!(%error, "a message of the bus cannot be read");
    }
}

impl Receiver for Switchboard {
    fn deliver(&self, channel: &str, payload: Bytes) {
        if channel == self.replies.as_str() {
            self.reply(&payload);
        } else if channel == self.sessions.as_str() {
            match decode::<SessionNews>(&payload) {
                Ok(news) => {
                    if let Some(registry) = self.registry.upgrade() {
                        registry.hear(&news, &self.works);
                    }
                }
                Err(error) => self.malformed(&error),
            }
        } else if channel == self.revocations.as_str() {
            match decode::<RevocationNews>(&payload) {
                Ok(RevocationNews::Revoked { revocations }) => {
                    if let Some(registry) = self.registry.upgrade() {
                        registry.revoke(revocations, &self.works);
                    }
                }
                Err(error) => self.malformed(&error),
            }
        } else if channel == self.news.as_str() {
            match decode::<LobbyNews>(&payload) {
                Ok(news) => self.lobby_news(news),
                Err(error) => self.malformed(&error),
            }
        } else {
            self.frame(payload);
        }
    }

    fn missed(&self) {
        self.hub.missed(&self.works);
        self.works.revoked.missed();
        // Perhaps news of the lobby, of which only the next full set would make up for what is missing.
        self.works.outgoing.publish(&self.news, encode(&LobbyNews::Wanted), &self.works.metrics);
    }
}

/// Subscribes to what every relay hears, and asks for the rooms.
pub(crate) async fn listen(subscription: &dyn Subscription, works: &Works) {
    let replies = Channel::replies(&works.node);
    for channel in [Channel::revocations(), replies, Channel::sessions(), Channel::lobby()] {
        while let Err(error) = works.answer(subscription.subscribe(&channel)).await {
            tracing::debug!(?channel, error, "cannot subscribe yet");
            sleep(SUBSCRIBE_AGAIN).await;
        }
    }
    // What was told before that was read, or is now.
    works.revoked.missed();
    // A lost question does not matter much: workers tell of all their rooms every minute anyway.
    works.outgoing.publish(&Channel::lobby(), encode(&LobbyNews::Wanted), &works.metrics);
    std::future::pending().await
}
