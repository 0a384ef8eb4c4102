//! Rooms in which people talk: what may be said there, and what is seen of it.
//!
//! A table `t1` has one called `t1.talk` beside it, so that whoever watches may talk without a place in the table's own mailbox and
//! journal.

use std::{borrow::Cow, collections::VecDeque};

use serde::{Deserialize, Serialize};

use crate::{
    id::{BadName, RoomId, UserId},
    object::{Object, Unfit},
    time::UnixMs,
};

/// What such a room is called in keyframes and in the map of rooms.
pub const KIND: &str = "talk";

/// So many lines are seen by whoever comes, at most.
pub const LINES_MAX: usize = 100;

/// And so many bytes of names and texts, so that a keyframe stays short.
pub const BYTES_MAX: usize = 16 * 1024;

/// Where people talk about a room.
///
/// # Errors
/// [`BadName`]: the room's own name is too long for that.
pub fn beside(room: &RoomId) -> Result<RoomId, BadName> {
    RoomId::new(&format!("{room}.{KIND}"))
}

/// The `do` of a command. Tag `a`. Written by serde, and read, strictly, by [`TalkCommand::read`] alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "a", rename_all = "snake_case")]
pub enum TalkCommand {
    /// Say something.
    Say {
        /// One [`Line`](crate::text::Line).
        text: String,
    },
}

impl TalkCommand {
    /// The tags of all commands.
    pub const TAGS: [&'static str; 1] = ["say"];

    /// Reads a command: no field may be missing, unknown, doubled or of another type.
    ///
    /// # Errors
    /// [`Unfit`] says what is wrong, in words for whoever writes the client.
    pub fn read(text: &str) -> Result<Self, Unfit> {
        let mut fields = Object::read(text).ok_or_else(|| Unfit::is_not("do", "an object"))?;
        let tag: Cow<'_, str> = fields.required("a")?;
        let command = match &*tag {
            "say" => Self::Say { text: fields.required::<Cow<'_, str>>("text")?.into_owned() },
            other => return Err(Unfit::unknown_word("a", other)),
        };
        fields.end()?;
        Ok(command)
    }
}

/// What happens in such a room. Tag `e`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "e", rename_all = "snake_case")]
pub enum TalkEvent {
    /// Somebody has said something.
    Said(Said),
}

/// A line, and who has said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Who.
    pub user: UserId,
    /// The name that others see. With a number behind it if somebody else whose lines are seen looks alike.
    pub name: String,
    /// Whether it is one of the house's bots.
    pub bot: bool,
    /// What.
    pub text: String,
    /// When.
    pub at_ms: UnixMs,
}

/// A keyframe's `state`: the last lines, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TalkView {
    /// At most [`LINES_MAX`], of at most [`BYTES_MAX`] together.
    pub lines: VecDeque<Said>,
}

impl TalkView {
    /// Adds what was said, and forgets what is too much by that: so do clients, who would differ from the next keyframe else.
    pub fn apply(&mut self, event: &TalkEvent) {
        let TalkEvent::Said(said) = event;
        self.lines.push_back(said.clone());
        keep_last(&mut self.lines, |said| said.name.len() + said.text.len());
    }
}

/// Forgets the oldest lines of too many, or of too many bytes.
pub fn keep_last<T>(lines: &mut VecDeque<T>, bytes_of: impl Fn(&T) -> usize) {
    let mut bytes: usize = lines.iter().map(&bytes_of).sum();
    while lines.len() > LINES_MAX || bytes > BYTES_MAX {
        let Some(oldest) = lines.pop_front() else { break };
        bytes -= bytes_of(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: String) -> TalkEvent {
        let user = UserId::new("ann").unwrap();
        TalkEvent::Said(Said { user, name: "Ann".into(), bot: false, text, at_ms: 7 })
    }

    #[test]
    fn what_is_written_is_read_again() {
        let command = TalkCommand::Say { text: "\"nice\"\thand".into() };
        let text = serde_json::to_string(&command).unwrap();
        assert_eq!(TalkCommand::read(&text), Ok(command));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, wrong) in [
            (r#"["say","hi"]"#, "`do` is not an object"),
            (r#"{"a":"chat","text":"hi"}"#, "`a` is `chat`, which this house does not know"),
            (r#"{"a":"say"}"#, "`text` is missing"),
            (r#"{"a":"say","text":"hi","to":"bob"}"#, "`to` does not belong here"),
            (r#"{"a":"say","text":["hi"]}"#, "`text` is not a text"),
        ] {
            assert_eq!(TalkCommand::read(text).unwrap_err().to_string(), wrong, "{text}");
        }
    }

    #[test]
    fn the_last_lines_are_seen() {
        let mut view = TalkView::default();
        for number in 0..LINES_MAX + 3 {
            view.apply(&said(number.to_string()));
        }
        assert_eq!(view.lines.len(), LINES_MAX);
        assert_eq!(view.lines[0].text, "3");
    }

    #[test]
    fn and_not_more_than_a_keyframe_should_hold() {
        let mut view = TalkView::default();
        for _ in 0..LINES_MAX {
            view.apply(&said("x".repeat(800)));
        }
        assert_eq!(view.lines.len(), BYTES_MAX / 803);
        view.apply(&said("short".into()));
        assert_eq!(view.lines.back().map(|line| &*line.text), Some("short"));
    }

    #[test]
    fn a_room_whose_name_is_long_has_no_place_to_talk_beside_it() {
        let name = |length| RoomId::new(&"t".repeat(length)).unwrap();
        assert_eq!(beside(&name(35)).unwrap().as_str(), format!("{}.talk", "t".repeat(35)));
        assert_eq!(beside(&name(36)), Err(BadName));
    }
}
