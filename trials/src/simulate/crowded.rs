//! Judging answers where a crowd asks a table for more than it can do: whoever sits there is heard in time and never told that the
//! table is busy; everybody else is answered in time too, be it with that.

use std::collections::BTreeMap;

use protocol::{
    RefusalCode,
    id::{RoomId, SessionId},
};
use tokio::time::{Duration, Instant};

/// A member's command is answered within this: it waits for what is being decided and for one more, and is then decided itself. Each
/// takes an append, and what is sent may be on its way as long.
const MEMBER_BOUND: Duration = Duration::from_secs(2);

/// And everybody else's within this.
const STRANGER_BOUND: Duration = Duration::from_secs(8);

/// The commands of one guest that have no answer yet.
#[derive(Debug, Default)]
pub(super) struct Crowded {
    asked: BTreeMap<(SessionId, u64), Asked>,
}

#[derive(Debug)]
struct Asked {
    since: Instant,
    is_member: bool,
}

impl Crowded {
    /// A command is sent, perhaps once more. `is_member`: who sends it has a seat.
    pub(super) fn asks(&mut self, session: SessionId, n: u64, is_member: bool) {
        self.asked.entry((session, n)).or_insert(Asked { since: Instant::now(), is_member });
    }

    /// It is answered; what is wrong with that. `still_sits`: whoever had a seat has it now.
    pub(super) fn answered(
        &mut self,
        (session, n): (SessionId, u64),
        room: &RoomId,
        code: Option<RefusalCode>,
        still_sits: bool,
    ) -> Option<String> {
        let Asked { since, is_member } = self.asked.remove(&(session, n))?;
        // What was said before this was answered has a turn of its own, which begins now.
        let later = self.asked.range_mut((session, n)..=(session, u64::MAX));
        later.for_each(|(_, asked)| asked.since = Instant::now());
        if is_member && !still_sits {
            return None;
        }
        let (who, bound) =
            if is_member { ("a member", MEMBER_BOUND) } else { ("a stranger", STRANGER_BOUND) };
        let took = since.elapsed();
        if is_member && code == Some(RefusalCode::Busy) {
            return Some(format!("{room}: a member was told that the room is busy, after {took:?}"));
        }
        (took > bound).then(|| format!("{room}: {who} was answered after {took:?}, with {code:?}"))
    }
}
