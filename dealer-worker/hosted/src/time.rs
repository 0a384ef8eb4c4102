//! What is over after a while: knocking, seats that are kept, pauses, AI players that do not come, and tables at which nobody sits.

use protocol::time::UnixMs;

use crate::{Event, Hosted, ai, draft::Draft, is_due};

/// When something of this is due.
pub(crate) fn deadline(hosted: &Hosted) -> Option<UnixMs> {
    let door = &hosted.door;
    if door.is_over {
        return None;
    }
    let knocking = door.knocking.iter().map(|knocks| knocks.until_ms);
    let kept = door.kept.iter().map(|kept| kept.until_ms);
    // A new table has not looked at itself yet.
    let looks = (hosted.table.is_empty() && door.empty_since.is_none()).then_some(0);
    let idle = door.empty_since.filter(|_| !door.is_closing).map(|since| since + door.idle_ms);
    knocking.chain(kept).chain(door.paused_ms).chain(looks).chain(idle).chain(hosted.ai.deadline()).min()
}

/// Does what is due of it.
pub(crate) fn over(draft: &mut Draft<'_>) {
    let now = draft.now();
    let door = &draft.door;
    let silent = door.knocking.iter().filter(|knocks| knocks.until_ms <= now);
    let silent: Vec<Event> = silent.map(|knocks| Event::Silent { user: knocks.user.clone() }).collect();
    let kept = door.kept.iter().filter(|kept| kept.until_ms <= now);
    let released: Vec<Event> = kept.map(|kept| Event::Released { seat: kept.seat }).collect();
    let resumed = is_due(door.paused_ms, now).then_some(Event::Resumed);
    let is_idle = is_due(door.empty_since.map(|since| since + door.idle_ms), now);
    let closing = (is_idle && !door.is_closing).then_some(Event::Closing);
    silent.into_iter().chain(released).chain(resumed).chain(closing).for_each(|event| draft.emit(event));
    ai::time_over(draft);
}
