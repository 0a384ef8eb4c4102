//! Pits: processes that are relay and dealer worker, with a short way between the two; beside them processes that are one of both, and relays of
//! the release before, which do not say where they listen.

use std::sync::Arc;

use broker::{
    bus::{Bus, Publishing, Receiver, Subscription, near::NearBus},
    channel::Channel,
    node::{LISTENERS_TELL_SINCE, ListenPace, NodeNews, decode, encode},
};
use bytes::Bytes;
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Either, ready},
};
use protocol::id::RoomId;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc::UnboundedSender;

use super::{
    plan::{Blow, Place, Plan},
    world::Ear,
};

/// Words hold so briefly that frames are spared in a run, and not for long.
pub(super) const PACE: ListenPace = ListenPace { again_ms: 1_000, holds_ms: 4_000 };

/// And players follow their tables before the next blow, now and then.
pub(super) const LEAD_AFTER_MS: u64 = 1_000;

/// The port at which the edge reaches a pit that was the nth to start: nothing but a name here.
pub(super) fn door(started: u64) -> u16 {
    u16::try_from(1 + started % u64::from(u16::MAX)).expect("it is small enough")
}

impl Plan {
    /// The plan of a seed in a house of pits, alone or beside processes that are one of both.
    pub fn together(seed: u64) -> Self {
        let mut plan = Self::split(seed);
        plan.add_pits(&mut ChaCha8Rng::seed_from_u64(seed ^ 0x40df));
        plan
    }

    /// The same with nothing but one pit, so that nothing of a table is said to anybody elsewhere.
    pub fn together_alone(seed: u64) -> Self {
        let mut plan = Self::split(seed);
        plan.blows.iter_mut().for_each(|(_, blow)| blow.befalls_pits());
        Self { relays: 0, workers: 0, pits: 1, ..plan }
    }

    /// What befalls relays and dealer workers befalls pits, where there is nothing else; or pits take some of it over.
    pub(super) fn add_pits(&mut self, rng: &mut ChaCha8Rng) {
        self.leads = rng.random_bool(0.6);
        self.pits = rng.random_range(1..=3);
        if rng.random_bool(0.4) {
            (self.relays, self.workers) = (0, 0);
            self.blows.iter_mut().for_each(|(_, blow)| blow.befalls_pits());
            return;
        }
        if rng.random_bool(0.3) {
            self.earlier_relays = rng.random_range(1..=self.relays);
        }
        let moved = rng.random_range(0.2..1.0);
        for (_, blow) in &mut self.blows {
            if rng.random_bool(moved) {
                blow.befalls_pits();
            }
        }
    }
}

impl Blow {
    fn befalls_pits(&mut self) {
        let place = match self {
            Self::Kill(place, _)
            | Self::Trip(place, ..)
            | Self::Drain(place)
            | Self::Hold(place, _)
            | Self::Cut(place, _)
            | Self::Silence(place, _) => place,
            Self::Lose(_) | Self::Restart(_) | Self::Refuse(_) | Self::Revoke(..) => return,
        };
        if let Place::Relay(index) | Place::Worker(index) = *place {
            *place = Place::Pit(index);
        }
    }
}

/// Who listens to what is published for watchers: to the broker, and to what pits keep from it.
pub(super) struct Tap {
    pub(super) rooms: Vec<RoomId>,
    pub(super) tells: UnboundedSender<(String, Bytes)>,
}

impl Tap {
    /// Listens to what a pit says to itself, as long as it is kept.
    pub(super) fn of(&self, pit: &NearBus) -> Box<dyn Subscription> {
        let subscription = pit.short_way().subscriber(Arc::new(Ear(self.tells.clone())));
        for room in &self.rooms {
            let subscribed = subscription.subscribe(&Channel::frames(room)).now_or_never();
            subscribed.expect("within a process at once").expect("nothing goes wrong within a process");
        }
        subscription
    }
}

/// The bus of a relay of the release before: it says that it is one, and not where it listens.
pub(super) struct EarlierBus(pub(super) Arc<dyn Bus>);

impl Bus for EarlierBus {
    fn publish(&self, channel: &Channel, payload: Bytes) -> Publishing {
        if channel.as_str().ends_with(":listeners") {
            return Either::Left(ready(Ok(())));
        }
        match decode(&payload) {
            Ok(mut beat @ NodeNews::Beat { .. }) if *channel == Channel::nodes() => {
                if let NodeNews::Beat { speaks, .. } = &mut beat {
                    *speaks = LISTENERS_TELL_SINCE - 1;
                }
                self.0.publish(channel, encode(&beat))
            }
            _ => self.0.publish(channel, payload),
        }
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        self.0.flush()
    }

    fn subscriber(&self, receiver: Arc<dyn Receiver>) -> Box<dyn Subscription> {
        self.0.subscriber(receiver)
    }
}
