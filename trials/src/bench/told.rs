//! What a load generator needs of a message, found in the text without parsing it: another 18,000 a second come.

/// A message of a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told<'a> {
    /// Events of a room.
    Frame {
        /// Its epoch.
        epoch: u64,
        /// Its number.
        seq: u64,
        /// From the events on.
        rest: &'a str,
    },
    /// The state of a room.
    Keyframe {
        /// Its epoch.
        epoch: u64,
        /// Its number.
        seq: u64,
        /// From the state on.
        rest: &'a str,
    },
    /// A command was applied.
    Ack,
    /// A command was refused.
    Refused,
    /// The answer to `hello`.
    Welcome {
        /// The session's name.
        session: &'a str,
    },
    /// Anything else.
    Other,
}

impl<'a> Told<'a> {
    /// Reads a message.
    pub fn read(text: &'a str) -> Self {
        let Some((tag, rest)) = text.strip_prefix(r#"{"t":""#).and_then(|rest| rest.split_once('"')) else {
            return Self::Other;
        };
        match tag {
            "frame" | "keyframe" => match numbered(rest) {
                Some((epoch, seq, rest)) if tag == "frame" => Self::Frame { epoch, seq, rest },
                Some((epoch, seq, rest)) => Self::Keyframe { epoch, seq, rest },
                None => Self::Other,
            },
            "ack" => Self::Ack,
            "refused" => Self::Refused,
            "welcome" => match after(rest, r#""session":""#).and_then(|rest| rest.split('"').next()) {
                Some(session) => Self::Welcome { session },
                None => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

/// Whose turn it is, and what is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Counts within the hand.
    pub turn: u64,
    /// Who.
    pub seat: u64,
    /// Whether checking is free.
    pub may_check: bool,
    /// The least total of a bet or raise, if there can be one, and whether it is a bet.
    pub raise: Option<(u64, bool)>,
}

impl Turn {
    /// The turn that a frame's events begin, if they do.
    pub fn in_events(events: &str) -> Option<Self> {
        Self::read(after(events, r#""e":"turn","#)?)
    }

    /// The turn in a keyframe's state.
    pub fn in_state(state: &str) -> Option<Self> {
        Self::read(after(state, r#""turn":{"#)?)
    }

    fn read(text: &str) -> Option<Self> {
        let turn = number(text, r#""turn":"#)?;
        let seat = number(text, r#""seat":"#)?;
        let may_check = after(text, r#""call":"#)?.starts_with("null");
        let raise = after(text, r#""raise":"#)?;
        let raise = raise.strip_prefix('{').and_then(|limits| {
            let is_bet = after(limits, r#""bet":"#)?.starts_with("true");
            Some((number(limits, r#""min":"#)?, is_bet))
        });
        Some(Self { turn, seat, may_check, raise })
    }
}

/// The hand that a frame's events begin.
pub fn hand_started(events: &str) -> Option<u64> {
    number(events, r#""e":"hand_started","hand":"#)
}

/// The hand in a keyframe's state.
pub fn hand_in_state(state: &str) -> Option<u64> {
    number(state, r#""hand":{"hand":"#)
}

/// Whether a player's own action is among the events.
pub fn has_action(events: &str) -> bool {
    after(events, r#""e":"acted""#).is_some_and(|acted| {
        after(acted, r#""timeout":"#).is_some_and(|timeout| timeout.starts_with("false"))
    })
}

/// What is told of one player's seat at a table whose chips are somebody's.
#[derive(Debug, Clone)]
pub struct SeatNews {
    seated: String,
    freed: String,
    left: String,
}

impl SeatNews {
    /// Of this user's seat.
    pub fn of(seat: usize, user: &str) -> Self {
        Self {
            seated: format!(r#""e":"seated","seat":{seat},"user":"{user}""#),
            freed: format!(r#""e":"freed","seat":{seat}}}"#),
            left: format!(r#""e":"left","seat":{seat},"stack":"#),
        }
    }

    /// Whether he sits down in these events: his chips have come.
    pub fn is_seated(&self, events: &str) -> bool {
        events.contains(&self.seated)
    }

    /// Whether the seat that was kept for him is free again: they have not.
    pub fn is_freed(&self, events: &str) -> bool {
        events.contains(&self.freed)
    }

    /// With how many chips he leaves, if he does.
    pub fn left_with(&self, events: &str) -> Option<u64> {
        number(events, &self.left)
    }
}

fn numbered(text: &str) -> Option<(u64, u64, &str)> {
    let epoch = after(text, r#""epoch":"#)?;
    let seq = after(epoch, r#""seq":"#)?;
    Some((leading_number(epoch)?, leading_number(seq)?, seq))
}

fn number(text: &str, key: &str) -> Option<u64> {
    leading_number(after(text, key)?)
}

fn leading_number(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

fn after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.find(key).map(|at| &text[at + key.len()..])
}

#[cfg(test)]
mod tests {
    use protocol::{
        ClientOut,
        id::{Epoch, RoomId, Seq, SessionId, UserId},
        table::{
            ActKind, Acted, HandView, RaiseLimits, SeatStatus, StreetName, TableConfig, TableEvent,
            TableView, TurnView,
        },
    };
    use serde_json::value::to_raw_value;

    use super::*;

    fn room() -> RoomId {
        RoomId::new("t1").unwrap()
    }

    fn turn() -> TurnView {
        let raise = Some(RaiseLimits { min: 4, max: 200, bet: true });
        TurnView { turn: 7, seat: 3, deadline_ms: 1_760_000_000_000, call: None, raise }
    }

    #[test]
    fn a_frame_is_read_as_the_protocol_writes_it() {
        let acted = Acted { seat: 1, kind: ActKind::Call, amount: 2, to: 2, all_in: false, timeout: false };
        let started = TableEvent::HandStarted { hand: 12, button: 0, seats: vec![1, 0] };
        let events = to_raw_value(&[TableEvent::Acted(acted), started, TableEvent::Turn(turn())]).unwrap();
        let frame = ClientOut::Frame { room: room(), epoch: Epoch(3), seq: Seq(41), events };
        let text = serde_json::to_string(&frame).unwrap();
        let Told::Frame { epoch: 3, seq: 41, rest } = Told::read(&text) else { panic!("{text}") };
        assert!(has_action(rest));
        assert_eq!(hand_started(rest), Some(12));
        let expected = Turn { turn: 7, seat: 3, may_check: true, raise: Some((4, true)) };
        assert_eq!(Turn::in_events(rest), Some(expected));
    }

    #[test]
    fn an_action_of_the_clock_is_not_a_players() {
        let acted = Acted { seat: 1, kind: ActKind::Fold, amount: 0, to: 0, all_in: false, timeout: true };
        assert!(!has_action(&serde_json::to_string(&[TableEvent::Acted(acted)]).unwrap()));
    }

    #[test]
    fn ones_own_seat_is_told_from_all_others() {
        let seated = |seat, user: &str| TableEvent::Seated {
            seat,
            user: UserId::new(user).unwrap(),
            name: "Ann".into(),
            bot: false,
            stack: 200,
            status: SeatStatus::Waiting,
            bank_ms: 1,
        };
        let text = |event: TableEvent| serde_json::to_string(&[event]).unwrap();
        let news = SeatNews::of(1, "ann");
        assert!(news.is_seated(&text(seated(1, "ann"))));
        for other in [seated(1, "anna"), seated(2, "ann"), TableEvent::Freed { seat: 1 }] {
            assert!(!news.is_seated(&text(other)));
        }
        assert!(news.is_freed(&text(TableEvent::Freed { seat: 1 })));
        assert!(!news.is_freed(&text(TableEvent::Freed { seat: 11 })));
        assert_eq!(news.left_with(&text(TableEvent::Left { seat: 1, stack: 9 })), Some(9));
        assert_eq!(news.left_with(&text(TableEvent::Left { seat: 11, stack: 9 })), None);
    }

    #[test]
    fn a_keyframe_says_whose_turn_it_is_in_which_hand() {
        let mut view = TableView::new(TableConfig::default());
        view.hand = Some(HandView {
            hand: 9,
            button: 0,
            street: StreetName::Flop,
            hole_cards: 2,
            boards: vec![Vec::new()],
            pots: Vec::new(),
            turn: Some(TurnView { call: Some(2), raise: None, ..turn() }),
            ended: false,
            runs: None,
        });
        let state = to_raw_value(&view).unwrap();
        let kind = "table".into();
        let keyframe =
            ClientOut::Keyframe { room: room(), epoch: Epoch(3), seq: Seq(40), kind, sparse: false, state };
        let text = serde_json::to_string(&keyframe).unwrap();
        let Told::Keyframe { epoch: 3, seq: 40, rest } = Told::read(&text) else { panic!("{text}") };
        assert_eq!(hand_in_state(rest), Some(9));
        assert_eq!(Turn::in_state(rest), Some(Turn { turn: 7, seat: 3, may_check: false, raise: None }));
    }

    #[test]
    fn a_welcome_names_its_session() {
        let welcome = ClientOut::Welcome {
            user: UserId::new("ann").unwrap(),
            name: "Ann".into(),
            session: SessionId(7),
            now_ms: 1,
            expires_ms: 2,
            idle_ms: 3,
            near: true,
            counts: true,
            views: true,
        };
        let text = serde_json::to_string(&welcome).unwrap();
        assert_eq!(Told::read(&text), Told::Welcome { session: "0000000000000007" });
        assert_eq!(Told::read("{}"), Told::Other);
    }
}
