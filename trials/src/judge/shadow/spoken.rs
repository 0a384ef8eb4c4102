//! What is said in a room in which people talk, as its journal tells it.

use std::collections::BTreeMap;

use player::{follower::Follower, kind::Talk};
use protocol::{
    id::{Position, RoomId},
    talk::{TalkEvent, TalkView},
};

use super::{
    Promise,
    journal::{breach, keep},
};

/// See the module.
#[derive(Default)]
pub(super) struct Spoken {
    follower: Follower<Talk>,
    /// Frames are missing before what comes next: nothing is known until the next keyframe.
    torn: bool,
    /// After the frames, to compare with what clients have heard.
    views: BTreeMap<Position, TalkView>,
}

/// Only what is needed of a frame's text.
#[derive(serde::Deserialize)]
struct Text {
    #[serde(default)]
    events: Vec<TalkEvent>,
    state: Option<Box<TalkView>>,
}

impl Spoken {
    /// What had been said after this frame, if that is remembered.
    pub(super) fn at(&self, at: Position) -> Option<&TalkView> {
        self.views.get(&at)
    }

    /// Takes a frame. `torn`: frames are missing before it; `lossy`: the broker may have lost some.
    pub(super) fn take(
        &mut self,
        at: Position,
        public: &[u8],
        torn: bool,
        lossy: bool,
        room: &RoomId,
        broken: &mut Vec<(Promise, String)>,
    ) {
        self.torn |= torn;
        let text: Text = match serde_json::from_slice(public) {
            Ok(text) => text,
            Err(error) => return broken.push((Promise::Fold, format!("{room} {at}: {error}"))),
        };
        let step = match text.state {
            Some(state) => {
                if std::mem::take(&mut self.torn) {
                    self.follower.forget();
                }
                self.follower.keyframe(at, state)
            }
            None if self.torn => return,
            None => self.follower.delta(at, &text.events, |_, _, _| {}),
        };
        broken.extend(breach(step, lossy).map(|what| (Promise::Fold, format!("{room} {at}: {what}"))));
        if let Some(view) = self.follower.view() {
            keep(&mut self.views, at, view.clone());
        }
    }

    /// The broker has lost what stood there and after.
    pub(super) fn forget_after(&mut self, first_lost: Position) {
        self.views.split_off(&first_lost);
        self.follower.forget();
        self.torn = true;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(text: &str) -> serde_json::Value {
        json!({"user": "ann", "name": "Ann", "bot": false, "text": text, "at_ms": 7})
    }

    fn frame(text: &str) -> String {
        let mut event = said(text);
        event["e"] = json!("said");
        json!({"events": [event]}).to_string()
    }

    fn keyframe(texts: &[&str]) -> String {
        let lines: Vec<_> = texts.iter().map(|text| said(text)).collect();
        json!({"state": {"lines": lines}}).to_string()
    }

    /// What is broken by these frames, from 1-1 on.
    fn broken(frames: &[String]) -> Vec<Promise> {
        let (mut spoken, mut broken) = (Spoken::default(), Vec::new());
        let room = RoomId::new("t1.talk").unwrap();
        for (seq, text) in (1..).zip(frames) {
            spoken.take(Position::new(1, seq), text.as_bytes(), false, false, &room, &mut broken);
        }
        broken.into_iter().map(|(promise, _)| promise).collect()
    }

    #[test]
    fn a_keyframe_holds_what_was_said_before_it() {
        assert_eq!(broken(&[keyframe(&[]), frame("hi"), frame("ty"), keyframe(&["hi", "ty"])]), []);
    }

    #[test]
    fn a_line_that_a_keyframe_has_lost_or_doubled_is_found() {
        for wrong in [&["hi"][..], &["hi", "ty", "ty"], &["ty", "hi"]] {
            let frames = [keyframe(&[]), frame("hi"), frame("ty"), keyframe(wrong)];
            assert_eq!(broken(&frames), [Promise::Fold], "{wrong:?}");
        }
    }

    #[test]
    fn what_is_no_talk_is_found() {
        assert_eq!(broken(&[keyframe(&[]), r#"{"events": [{"e": "acted"}]}"#.into()]), [Promise::Fold]);
    }
}
