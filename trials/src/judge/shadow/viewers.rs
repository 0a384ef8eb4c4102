//! Who watches a room that only so many may watch, by what clients get: each for as long as frames come. Whether those were more at once than may, and
//! whether somebody was told that there is no place when there was one.

use std::collections::BTreeMap;

use broker::node::PLACE_MS;
use protocol::{
    id::{Position, RoomId, UserId},
    time::UnixMs,
};

use super::{Promise, Shadow, journal::Journal};

/// See the module.
#[derive(Default)]
pub(super) struct Viewers {
    rooms: BTreeMap<RoomId, Watched>,
}

#[derive(Default)]
struct Watched {
    /// How many may.
    max: u32,
    /// Who gets frames.
    on: BTreeMap<UserId, Span>,
    /// Who has got some.
    were: Vec<Span>,
    /// Who wants to watch, or until when that was so.
    wants: BTreeMap<UserId, Option<UnixMs>>,
}

/// From the first frame to the last one.
#[derive(Debug, Clone, Copy)]
struct Span {
    since_ms: UnixMs,
    last_ms: UnixMs,
}

impl Watched {
    fn ends(&mut self, viewer: &UserId) {
        self.were.extend(self.on.remove(viewer));
    }

    fn gets(&mut self, viewer: &UserId, now_ms: UnixMs) {
        // Nothing has come for so long that the place may have been somebody else's meanwhile.
        if self.on.get(viewer).is_some_and(|span| now_ms > span.last_ms + PLACE_MS) {
            self.ends(viewer);
        }
        let span = self.on.entry(viewer.clone()).or_insert(Span { since_ms: now_ms, last_ms: now_ms });
        span.last_ms = now_ms;
    }

    /// The most that have watched at once, and when.
    fn most(&self) -> (usize, UnixMs) {
        let spans = || self.were.iter().chain(self.on.values());
        let at = |moment: UnixMs| {
            // Whoever has got one frame has watched for a moment.
            let is_on =
                |span: &&Span| span.since_ms <= moment && moment < span.last_ms.max(span.since_ms + 1);
            spans().filter(is_on).count()
        };
        spans().map(|span| (at(span.since_ms), span.since_ms)).max().unwrap_or_default()
    }

    /// How many others may have had a place since then.
    fn may_have_had(&self, viewer: &UserId, since_ms: UnixMs) -> usize {
        let others = self.wants.iter().filter(|(other, _)| *other != viewer);
        others.filter(|(_, until_ms)| until_ms.is_none_or(|until_ms| until_ms >= since_ms)).count()
    }
}

impl Journal {
    /// Whether a user has had a part in the room with a frame, or with a later one.
    fn has_part(&self, user: &UserId, at: Position) -> bool {
        let insiders = |places: &broker::entry::Places| places.insiders.contains(user);
        self.frames.range(at..).any(|(_, frame)| frame.places.as_ref().is_some_and(insiders))
    }
}

impl Shadow {
    /// Somebody asks to watch, or to go on watching.
    pub fn wants_to_watch(&mut self, room: &RoomId, viewer: &UserId) {
        let watched = self.viewers.rooms.entry(room.clone()).or_default();
        watched.wants.insert(viewer.clone(), None);
    }

    /// Somebody watches no more, or not until he asks again.
    pub fn watches_no_more(&mut self, room: &RoomId, viewer: &UserId, now_ms: UnixMs) {
        let Some(watched) = self.viewers.rooms.get_mut(room) else { return };
        watched.ends(viewer);
        if let Some(until_ms) = watched.wants.get_mut(viewer) {
            until_ms.get_or_insert(now_ms);
        }
    }

    /// The same of all rooms: the connection is gone, of which its relay knows at this time at the latest. Until then it may keep the place.
    pub fn watches_nothing_more(&mut self, viewer: &UserId, known_ms: UnixMs) {
        let rooms: Vec<RoomId> = self.viewers.rooms.keys().cloned().collect();
        rooms.iter().for_each(|room| self.watches_no_more(room, viewer, known_ms));
    }

    /// Somebody has got a frame, or what stands in a keyframe.
    pub fn watches(&mut self, room: &RoomId, viewer: &UserId, at: Position, now_ms: UnixMs) {
        let Some(journal) = self.rooms.get(room) else { return };
        let places = journal.frames.get(&at).and_then(|frame| frame.places.as_ref());
        let Some(max) = places.map(|places| places.max) else { return };
        let has_part = journal.has_part(viewer, at);
        let watched = self.viewers.rooms.entry(room.clone()).or_default();
        watched.max = max;
        if has_part {
            watched.ends(viewer);
        } else {
            // A command that was on its way when its sender was told that there is no place has the room watched again.
            watched.wants.insert(viewer.clone(), None);
            watched.gets(viewer, now_ms);
        }
    }

    /// Judges that somebody is told that there is no place. `late_ms`: so late a relay's word may have come to the owner.
    pub fn has_no_place(&mut self, room: &RoomId, viewer: &UserId, now_ms: UnixMs, late_ms: u64) {
        let Some(watched) = self.viewers.rooms.get_mut(room) else { return };
        let others = watched.may_have_had(viewer, now_ms.saturating_sub(PLACE_MS + late_ms));
        let max = watched.max;
        self.watches_no_more(room, viewer, now_ms);
        if others < max as usize {
            let what = format!(
                "{room}: there is no place for {viewer} of {max}, and {others} others may have had one"
            );
            self.accuse(Promise::Viewers, what);
        }
    }

    /// Judges how many have watched at once.
    pub fn judge_viewers(&mut self) {
        let most =
            self.viewers.rooms.iter().map(|(room, watched)| (room.clone(), watched.max, watched.most()));
        let most: Vec<_> = most.filter(|(_, max, (most, _))| *most > *max as usize).collect();
        for (room, max, (most, at_ms)) in most {
            let what = format!("{room}: {most} have watched it at {at_ms}, and {max} may");
            self.accuse(Promise::Viewers, what);
        }
    }

    /// How many have watched rooms that only so many may watch.
    pub fn viewers(&self) -> u64 {
        self.viewers.rooms.values().map(|watched| (watched.were.len() + watched.on.len()) as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    #[test]
    fn who_has_gone_before_another_comes_has_not_watched_with_him() {
        let (ann, bob, mut watched) = (viewer("ann"), viewer("bob"), Watched::default());
        watched.gets(&ann, 100);
        watched.gets(&ann, 200);
        watched.ends(&ann);
        watched.gets(&bob, 200);
        assert_eq!(watched.most().0, 1);
        watched.gets(&ann, 250);
        watched.gets(&bob, 300);
        assert_eq!(watched.most(), (2, 250));
    }

    #[test]
    fn who_has_got_nothing_for_as_long_as_a_place_holds_has_not_watched_meanwhile() {
        let (ann, bob, mut watched) = (viewer("ann"), viewer("bob"), Watched::default());
        watched.gets(&ann, 100);
        watched.gets(&bob, 5_000);
        watched.ends(&bob);
        watched.gets(&ann, 101 + PLACE_MS);
        assert_eq!(watched.most().0, 1);
    }
}
