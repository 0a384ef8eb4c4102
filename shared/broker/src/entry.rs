//! The codec of a journal entry, which is also what travels to the relays.
//!
//! ```text
//! u8   version (1 to 4)     u8   kind (0 claim, 1 delta, 2 keyframe, 3 end)
//! u64  epoch                u64  seq                  (all integers little-endian)
//! u8+n room                 u8   has cause: u8+n user, u64 session, u64 n
//! u8   says what it follows: u64 epoch                (keyframes); deltas with a cause: u64 fingerprint of what it said
//! u64  when it was decided                                                     (since version 2)
//! u32  the rail's delay in ms    u16 users who are live: each u8+n             (since version 3)
//! u32  how many may watch        u16 users who need no place: each u8+n        (version 4 alone)
//! u16+n what later releases add, passed over                                   (since version 2)
//! u16  private parts: each  u8+n user, u32+n bytes    (since version 2: u8 audience before)
//! u32+n public part
//! u32+n secret              (left out of what is published: relays have no use for it)
//! ```
//!
//! Audience 0 is a user. Audience 1 is the rail, at most once and not in version 1: the user's name is empty there, and the bytes begin with
//! those who get nothing of it, `u16` names of `u8+n`. What is for another audience is passed over.
//!
//! Version 3 is that of rooms whose rail has a [delay](Delay). A node that does not know the delay must show nothing of such a room, so it does not
//! read its entries at all. Version 4 is that of rooms that only [so many](Places) may watch, for the same reason; where their rail has no delay it
//! says 0.
//!
//! The dealer worker encodes once. The public and private parts are the very bytes that clients get, so a relay
//! reads the header and slices; it never parses a part. The secret is sealed ([`crate::seal`]).
//!
//! What a later release adds must be such that who passes over it does no harm; what must be understood is written when all living nodes
//! speak of it. Each addition is `u8 tag, u16+n bytes`, with tags and audiences given once and for ever. Tag 3, with no bytes: the rail's part is
//! told [at once](Rail::at_once). Who passes over it tells it late.

use bytes::{BufMut, Bytes, BytesMut};
use protocol::{
    id::{Epoch, Position, RoomId, Seq, SessionId, UserId},
    time::UnixMs,
};
use smallvec::SmallVec;

use crate::members::Membership;

/// Of entries that do not tell when they were decided.
const UNTIMED: u8 = 1;

/// Of entries that do.
const TIMED: u8 = 2;

/// Of entries of rooms whose rail has a delay.
const DELAYED: u8 = 3;

/// Of entries of rooms that only so many may watch.
const PLACED: u8 = 4;

/// Since this release nodes read [`TIMED`] entries; see [`SPEAKS`](crate::node::SPEAKS).
const TIMED_SINCE: u16 = 3;

/// The audience of a private part that is one user's.
const FOR_A_USER: u8 = 0;

/// The audience of the part that is the rail's.
const FOR_THE_RAIL: u8 = 1;

/// The addition which says that the part for the rail is told at once.
const AT_ONCE: u8 = 3;

/// Whether every living node reads entries that tell when they were decided.
pub fn may_be_timed(membership: &Membership) -> bool {
    membership.all_speak >= TIMED_SINCE
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Begins an epoch at `(epoch, 0)`: fences all earlier owners. Never sent to clients.
    Claim,
    /// The events of one decision.
    Delta,
    /// The room's whole state, equal to what the frames up to the one before it add up to.
    Keyframe,
    /// The room has ended: nothing follows. It takes a number as a frame does, and holds nothing. Clients get it as `unwatched`.
    End,
}

/// The command that a frame answers: what deduplication and the relay's `ack` go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Who commanded.
    pub user: UserId,
    /// In which session.
    pub session: SessionId,
    /// The client's counter.
    pub n: u64,
    /// The [`fingerprint`] of what it said, where that is known: entries of the first release do not tell.
    pub said: Option<u64>,
}

impl Cause {
    /// Whether the two have one number of one session, whatever they said.
    pub fn has_number_of(&self, other: &Self) -> bool {
        (self.session, self.n) == (other.session, other.n) && self.user == other.user
    }
}

/// Tells one text from another (FNV-1a): whether a command that comes again with its number is the same. It guards nothing, and never
/// changes: it stands in journals.
pub fn fingerprint(text: &[u8]) -> u64 {
    text.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A part for one user's sockets alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Private {
    /// Whose sockets.
    pub user: UserId,
    /// The bytes that they get.
    pub bytes: Bytes,
}

/// A part for the rail: for all who watch and have no part in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rail {
    /// Who has a part in the room, and gets nothing of this in any session.
    pub except: Vec<UserId>,
    /// The bytes that all others get.
    pub bytes: Bytes,
    /// Where the rail is shown the room late: this is not. The owner has held it back for as long as that, so it has never been anywhere before.
    /// Written only with a [delay](Entry::delay).
    pub at_once: bool,
}

/// What holds for the rail of a room that is shown to it late. Each entry says it, so nobody who has one needs another to know who may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delay {
    /// So much later the rail gets the entry, milliseconds.
    pub ms: u32,
    /// Who has a part in the room, before the entry or after it: they get it at once, in all their sessions.
    pub live: Vec<UserId>,
}

/// How many may watch a room. Each entry says it, so nobody who has one needs another to know who may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// So many users who have no part in the room.
    pub max: u32,
    /// Who has a part in it, before the entry or after it: they need no place, in any of their sessions.
    pub insiders: Vec<UserId>,
}

/// A journal entry. Decoding shares the buffer it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Whose journal.
    pub room: RoomId,
    /// Where it stands.
    pub at: Position,
    /// What it answers, if anybody asked.
    pub cause: Option<Cause>,
    /// Of a keyframe: the epoch of the frame before it. Whoever has a frame of that number from another epoch has one that the
    /// broker lost, and that this history does not contain.
    pub follows: Option<Epoch>,
    /// When it was decided. `None` as long as nodes live that do not read it ([`may_be_timed`]), and in claims and ends.
    pub at_ms: Option<UnixMs>,
    /// What holds for the rail, if it is shown the room late. Written only with [`Entry::at_ms`].
    pub delay: Option<Delay>,
    /// How many may watch, if not as many as come. Written only with [`Entry::at_ms`].
    pub places: Option<Places>,
    /// Parts for single users.
    pub privates: SmallVec<[Private; 2]>,
    /// A part for the rail. Written only with [`Entry::at_ms`].
    pub rail: Option<Rail>,
    /// The JSON text that everybody in the room gets; empty in a claim.
    pub public: Bytes,
    /// Sealed bytes for dealer workers only; empty in what is published.
    pub secret: Bytes,
}

/// An encoded entry: the journal's bytes, and how much of them is published.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// The whole.
    pub stored: Bytes,
    /// The same without the secret, sharing the buffer.
    pub published: Bytes,
}

/// Bytes that are not an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// They end too soon, or something follows.
    #[error("an entry of the wrong length")]
    Length,
    /// They are of another version of the format.
    #[error("an entry of format version {0}, known are {UNTIMED} to {PLACED}")]
    Version(u8),
    /// The kind is none that we know.
    #[error("an entry of unknown kind {0}")]
    Kind(u8),
    /// A room or user has a name that cannot be one.
    #[error("an entry with a bad name")]
    Name,
}

impl Entry {
    /// When the rail may get it: not before this time. The first keyframe of a room may be seen by everybody, as nobody has done anything there.
    pub fn due_ms(&self) -> UnixMs {
        let is_first = self.kind == Kind::Keyframe && self.at.seq() == Seq(1);
        match (&self.delay, self.at_ms) {
            (Some(delay), Some(at_ms)) if !is_first => at_ms.saturating_add(delay.ms.into()),
            _ => 0,
        }
    }

    /// The bytes.
    ///
    /// # Panics
    /// If there are more than 65,535 private parts or a part exceeds 4 GiB: a room's own bounds keep it far below.
    pub fn encode(&self) -> Encoded {
        let parts: usize = self.privates.iter().map(|p| 6 + p.user.as_str().len() + p.bytes.len()).sum();
        // Nodes that do not read when it was decided do not read this either.
        let rail = self.rail.as_ref().filter(|_| self.at_ms.is_some());
        let rail_bytes = rail.map_or(0, Rail::encoded_bytes);
        let live = self.delay.iter().flat_map(|delay| &delay.live);
        let insiders = self.places.iter().flat_map(|places| &places.insiders);
        let live_bytes: usize = live.chain(insiders).map(|user| 1 + user.as_str().len()).sum();
        let mut out = BytesMut::with_capacity(
            170 + parts + live_bytes + rail_bytes + self.public.len() + self.secret.len(),
        );
        let delay = self.delay.as_ref().filter(|_| self.at_ms.is_some());
        let places = self.places.as_ref().filter(|_| self.at_ms.is_some());
        out.put_u8(match (self.at_ms, delay, places) {
            (None, ..) => UNTIMED,
            (Some(_), None, None) => TIMED,
            (Some(_), Some(_), None) => DELAYED,
            (Some(_), _, Some(_)) => PLACED,
        });
        out.put_u8(match self.kind {
            Kind::Claim => 0,
            Kind::Delta => 1,
            Kind::Keyframe => 2,
            Kind::End => 3,
        });
        out.put_u64_le(self.at.epoch().0);
        out.put_u64_le(self.at.seq().0);
        put_name(&mut out, self.room.as_str());
        match &self.cause {
            None => out.put_u8(0),
            Some(cause) => {
                out.put_u8(1);
                put_name(&mut out, cause.user.as_str());
                out.put_u64_le(cause.session.0);
                out.put_u64_le(cause.n);
            }
        }
        // One place for both: the first release reads no more of a delta than that it is there.
        let said = self.cause.as_ref().and_then(|cause| cause.said);
        match self.follows.map(|epoch| epoch.0).or(said) {
            None => out.put_u8(0),
            Some(number) => {
                out.put_u8(1);
                out.put_u64_le(number);
            }
        }
        if let Some(at_ms) = self.at_ms {
            out.put_u64_le(at_ms);
            if let Some(Delay { ms, live }) = delay {
                out.put_u32_le(*ms);
                put_names(&mut out, live);
            } else if places.is_some() {
                out.put_u32_le(0);
                put_names(&mut out, &[]);
            }
            if let Some(Places { max, insiders }) = places {
                out.put_u32_le(*max);
                put_names(&mut out, insiders);
            }
            let is_at_once = delay.is_some() && rail.is_some_and(|rail| rail.at_once);
            let added: &[u8] = if is_at_once { &[AT_ONCE, 0, 0] } else { &[] };
            out.put_u16_le(u16::try_from(added.len()).expect("it is short"));
            out.put_slice(added);
        }
        let parts = self.privates.len() + usize::from(rail.is_some());
        out.put_u16_le(u16::try_from(parts).expect("a room has fewer than 65,535 members"));
        for private in &self.privates {
            if self.at_ms.is_some() {
                out.put_u8(FOR_A_USER);
            }
            put_name(&mut out, private.user.as_str());
            put_part(&mut out, &private.bytes);
        }
        if let Some(rail) = rail {
            rail.put(&mut out);
        }
        put_part(&mut out, &self.public);
        let published = out.len();
        put_part(&mut out, &self.secret);
        let stored = out.freeze();
        Encoded { published: stored.slice(..published), stored }
    }

    /// Reads what [`Entry::encode`] wrote, with or without the secret.
    ///
    /// # Errors
    /// [`Malformed`], whatever the bytes are; never a panic.
    pub fn decode(bytes: Bytes) -> Result<Self, Malformed> {
        let mut from = Cursor { bytes, at: 0 };
        let version = from.u8()?;
        let is_timed = match version {
            UNTIMED => false,
            TIMED | DELAYED | PLACED => true,
            other => return Err(Malformed::Version(other)),
        };
        let kind = match from.u8()? {
            0 => Kind::Claim,
            1 => Kind::Delta,
            2 => Kind::Keyframe,
            3 => Kind::End,
            other => return Err(Malformed::Kind(other)),
        };
        let at = Position(Epoch(from.u64()?), Seq(from.u64()?));
        let room = RoomId::new(from.name()?).map_err(|_| Malformed::Name)?;
        let mut cause = match from.u8()? {
            0 => None,
            1 => Some(Cause {
                user: UserId::new(from.name()?).map_err(|_| Malformed::Name)?,
                session: SessionId(from.u64()?),
                n: from.u64()?,
                said: None,
            }),
            _ => return Err(Malformed::Length),
        };
        let number = match from.u8()? {
            0 => None,
            1 => Some(from.u64()?),
            _ => return Err(Malformed::Length),
        };
        let follows = match &mut cause {
            Some(cause) => {
                cause.said = number;
                None
            }
            None => number.map(Epoch),
        };
        let at_ms = if is_timed { Some(from.u64()?) } else { None };
        let delay = match version {
            DELAYED | PLACED => Some(Delay { ms: from.u32()?, live: from.names()? }),
            _ => None,
        };
        let delay = delay.filter(|delay| version == DELAYED || delay.ms > 0);
        let places = match version {
            PLACED => Some(Places { max: from.u32()?, insiders: from.names()? }),
            _ => None,
        };
        let is_at_once = match is_timed {
            true => {
                let added = from.u16()?;
                has_addition(from.take(usize::from(added))?, AT_ONCE)
            }
            false => false,
        };
        let (mut privates, mut rail) = (SmallVec::new(), None);
        for _ in 0..from.u16()? {
            let audience = if is_timed { from.u8()? } else { FOR_A_USER };
            if audience == FOR_A_USER {
                let user = UserId::new(from.name()?).map_err(|_| Malformed::Name)?;
                privates.push(Private { user, bytes: from.part()? });
                continue;
            }
            let whom = from.u8()?;
            from.take(usize::from(whom))?;
            let part = from.part()?;
            if audience == FOR_THE_RAIL && rail.replace(Rail::decode(part, is_at_once)?).is_some() {
                return Err(Malformed::Length);
            }
        }
        let public = from.part()?;
        let secret = if from.at_end() { Bytes::new() } else { from.part()? };
        if !from.at_end() {
            return Err(Malformed::Length);
        }
        Ok(Self { kind, room, at, cause, follows, at_ms, delay, places, privates, rail, public, secret })
    }
}

impl Rail {
    /// The length of what [`Rail::put`] writes.
    fn encoded_bytes(&self) -> usize {
        6 + self.part_bytes()
    }

    fn part_bytes(&self) -> usize {
        let names: usize = self.except.iter().map(|user| 1 + user.as_str().len()).sum();
        2 + names + self.bytes.len()
    }

    fn put(&self, out: &mut BytesMut) {
        out.put_u8(FOR_THE_RAIL);
        put_name(out, "");
        out.put_u32_le(u32::try_from(self.part_bytes()).expect("a part is far below 4 GiB"));
        put_names(out, &self.except);
        out.put_slice(&self.bytes);
    }

    fn decode(part: Bytes, at_once: bool) -> Result<Self, Malformed> {
        let mut from = Cursor { bytes: part, at: 0 };
        let except = from.names()?;
        Ok(Self { except, bytes: from.bytes.slice(from.at..), at_once })
    }
}

/// Whether an addition of this tag is among them. What is no addition ends them.
fn has_addition(mut added: &[u8], tag: u8) -> bool {
    while let [of, low, high, rest @ ..] = added {
        if *of == tag {
            return true;
        }
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        added = rest.get(length..).unwrap_or_default();
    }
    false
}

fn put_name(out: &mut BytesMut, name: &str) {
    out.put_u8(u8::try_from(name.len()).expect("a name has at most NAME_BYTES_MAX bytes"));
    out.put_slice(name.as_bytes());
}

fn put_names(out: &mut BytesMut, users: &[UserId]) {
    out.put_u16_le(u16::try_from(users.len()).expect("a room has fewer than 65,535 members"));
    users.iter().for_each(|user| put_name(out, user.as_str()));
}

fn put_part(out: &mut BytesMut, part: &[u8]) {
    out.put_u32_le(u32::try_from(part.len()).expect("a part is far below 4 GiB"));
    out.put_slice(part);
}

/// Reads forward; every read checks what is left.
struct Cursor {
    bytes: Bytes,
    at: usize,
}

impl Cursor {
    fn take(&mut self, count: usize) -> Result<&[u8], Malformed> {
        let end = self.at.checked_add(count).ok_or(Malformed::Length)?;
        let taken = self.bytes.get(self.at..end).ok_or(Malformed::Length)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed::Length)
    }

    fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    fn name(&mut self) -> Result<&str, Malformed> {
        let length = self.u8()?;
        std::str::from_utf8(self.take(usize::from(length))?).map_err(|_| Malformed::Name)
    }

    fn names(&mut self) -> Result<Vec<UserId>, Malformed> {
        let mut users = Vec::new();
        for _ in 0..self.u16()? {
            users.push(UserId::new(self.name()?).map_err(|_| Malformed::Name)?);
        }
        Ok(users)
    }

    fn part(&mut self) -> Result<Bytes, Malformed> {
        let length = self.u32()? as usize;
        let start = self.at;
        self.take(length)?;
        Ok(self.bytes.slice(start..start + length))
    }

    fn at_end(&self) -> bool {
        self.at == self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use smallvec::smallvec;

    use super::*;

    fn entry() -> Entry {
        Entry {
            kind: Kind::Delta,
            room: RoomId::new("t1").unwrap(),
            at: Position::new(3, 41),
            cause: Some(Cause {
                user: UserId::new("ann").unwrap(),
                session: SessionId(9),
                n: 7,
                said: Some(fingerprint(b"{}")),
            }),
            follows: None,
            at_ms: None,
            delay: None,
            places: None,
            privates: smallvec![Private {
                user: UserId::new("bob").unwrap(),
                bytes: Bytes::from_static(b"AsKd")
            }],
            rail: None,
            public: Bytes::from_static(b"{}"),
            secret: Bytes::from_static(b"sealed"),
        }
    }

    #[test]
    fn an_entry_comes_back_as_it_was() {
        let entry = entry();
        assert_eq!(Entry::decode(entry.encode().stored).unwrap(), entry);
    }

    #[test]
    fn an_entry_that_tells_when_it_was_decided_comes_back_as_it_was() {
        let timed = Entry { at_ms: Some(1_790_000_000_000), ..entry() };
        assert_eq!(Entry::decode(timed.encode().stored).unwrap(), timed);
        let published = Entry { secret: Bytes::new(), ..timed.clone() };
        assert_eq!(Entry::decode(timed.encode().published).unwrap(), published);
        assert_eq!(timed.encode().stored.len(), entry().encode().stored.len() + 8 + 2 + 1);
    }

    fn rail() -> Rail {
        let except = ["ann", "bob"].map(|name| UserId::new(name).unwrap()).into();
        Rail { except, bytes: Bytes::from_static(b"all"), at_once: false }
    }

    #[test]
    fn a_part_that_is_told_at_once_says_so_where_the_rest_is_late_and_is_passed_over_by_who_does_not_know_it()
    {
        let at_once = Rail { at_once: true, ..rail() };
        let told = Entry { at_ms: Some(7), delay: Some(delay()), rail: Some(at_once), ..entry() };
        let bytes = told.encode().stored;
        assert_eq!(Entry::decode(bytes.clone()).unwrap(), told);
        let late = Entry { rail: Some(rail()), ..told.clone() };
        assert_eq!(bytes.len(), late.encode().stored.len() + 3);
        assert_eq!(bytes.windows(5).filter(|bytes| **bytes == [3, 0, AT_ONCE, 0, 0]).count(), 1);
        // Where nothing is late there is nothing to be said.
        let live = Entry { delay: None, ..told };
        assert_eq!(Entry::decode(live.encode().stored).unwrap(), Entry { rail: Some(rail()), ..live });
        let others = [1, 2, 0, 0xaa, 0xbb, 9, 0, 0];
        assert!(!has_addition(&others, AT_ONCE) && has_addition(&others, 9));
        assert!(!has_addition(&[1, 255, 255, AT_ONCE, 0, 0], AT_ONCE));
    }

    #[test]
    fn a_part_for_the_rail_comes_back_with_those_who_get_nothing_of_it_and_is_not_written_for_older_nodes() {
        let railed = Entry { at_ms: Some(7), rail: Some(rail()), ..entry() };
        assert_eq!(Entry::decode(railed.encode().stored).unwrap(), railed);
        let untimed = Entry { at_ms: None, ..railed };
        assert_eq!(untimed.encode().stored, entry().encode().stored);
    }

    fn delay() -> Delay {
        Delay { ms: 30_000, live: ["ann", "bob"].map(|name| UserId::new(name).unwrap()).into() }
    }

    #[test]
    fn an_entry_of_a_room_that_is_shown_late_says_when_and_to_whom_not() {
        let delayed = Entry { at_ms: Some(7), delay: Some(delay()), rail: Some(rail()), ..entry() };
        assert_eq!(Entry::decode(delayed.encode().stored).unwrap(), delayed);
        assert_eq!(delayed.due_ms(), 30_007);
        assert_eq!(Entry { delay: None, ..delayed.clone() }.due_ms(), 0);
        let first = |kind, seq| Entry { kind, at: Position::new(3, seq), ..delayed.clone() }.due_ms();
        assert_eq!(
            [first(Kind::Keyframe, 1), first(Kind::Delta, 1), first(Kind::Keyframe, 2)],
            [0, 30_007, 30_007]
        );
        // Whoever knows no delay shows nothing.
        assert_eq!(delayed.encode().stored[0], DELAYED);
    }

    fn places() -> Places {
        Places { max: 12, insiders: ["ann", "cho"].map(|name| UserId::new(name).unwrap()).into() }
    }

    #[test]
    fn an_entry_of_a_room_that_only_so_many_may_watch_says_how_many_and_who_needs_no_place() {
        for delay in [None, Some(delay())] {
            let placed =
                Entry { at_ms: Some(7), delay, places: Some(places()), rail: Some(rail()), ..entry() };
            assert_eq!(Entry::decode(placed.encode().stored).unwrap(), placed);
            // Whoever does not know how many may watch shows it to nobody.
            assert_eq!(placed.encode().stored[0], PLACED);
        }
    }

    /// Journals hold them.
    #[test]
    fn entries_stay_what_they_are_to_the_byte() {
        let hex = |entry: Entry| -> String {
            entry.encode().stored.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let untimed = [
            "0101030000000000000029000000000000000274310103616e6e0900000000000000070000000000000001251a",
            "90b5074bf408010003626f620400000041734b64020000007b7d060000007365616c6564",
        ];
        assert_eq!(hex(entry()), untimed.concat());
        let timed = [
            "0201030000000000000029000000000000000274310103616e6e0900000000000000070000000000000001251a",
            "90b5074bf408006c50c4a0010000000001000003626f620400000041734b64020000007b7d060000007365616c",
            "6564",
        ];
        assert_eq!(hex(Entry { at_ms: Some(1_790_000_000_000), ..entry() }), timed.concat());
        let railed = [
            "0201030000000000000029000000000000000274310103616e6e0900000000000000070000000000000001251a",
            "90b5074bf408006c50c4a0010000000002000003626f620400000041734b6401000d000000020003616e6e03626f62",
            "616c6c020000007b7d060000007365616c6564",
        ];
        assert_eq!(
            hex(Entry { at_ms: Some(1_790_000_000_000), rail: Some(rail()), ..entry() }),
            railed.concat()
        );
        let delayed = [
            "0301030000000000000029000000000000000274310103616e6e0900000000000000070000000000000001251a",
            "90b5074bf408006c50c4a001000030750000020003616e6e03626f62000001000003626f620400000041734b64",
            "020000007b7d060000007365616c6564",
        ];
        assert_eq!(
            hex(Entry { at_ms: Some(1_790_000_000_000), delay: Some(delay()), ..entry() }),
            delayed.concat()
        );
        let placed = [
            "0401030000000000000029000000000000000274310103616e6e0900000000000000070000000000000001251a",
            "90b5074bf408006c50c4a00100000000000000000c000000020003616e6e0363686f000001000003626f6204000000",
            "41734b64020000007b7d060000007365616c6564",
        ];
        assert_eq!(
            hex(Entry { at_ms: Some(1_790_000_000_000), places: Some(places()), ..entry() }),
            placed.concat()
        );
    }

    /// Of a release to come: what it adds behind the time, and a part for others than a user.
    #[test]
    fn what_a_later_release_adds_is_passed_over() {
        let timed = Entry { at_ms: Some(7), privates: SmallVec::new(), ..entry() };
        let bytes = timed.encode().stored;
        // Before them stand 1 + 1 + 16, the room, the cause, the fingerprint and the time.
        let at = 18 + 3 + (1 + 4 + 16) + 9 + 8;
        assert_eq!(bytes[at..at + 4], [0, 0, 0, 0], "no additions and no parts");
        let mut later = bytes[..at].to_vec();
        later.extend_from_slice(&[8, 0, 1, 2, 0, 0xaa, 0xbb, 9, 0, 0]);
        let parts =
            [&[2, 0, 2, 0, 4, 0, 0, 0][..], b"them", &[0, 3], b"bob", &[4, 0, 0, 0], b"AsKd"].concat();
        later.extend_from_slice(&parts);
        later.extend_from_slice(&bytes[at + 4..]);
        let expected = Entry { privates: entry().privates, ..timed };
        assert_eq!(Entry::decode(later.into()).unwrap(), expected);
    }

    #[test]
    fn a_keyframe_says_what_it_follows() {
        let keyframe = Entry { kind: Kind::Keyframe, cause: None, follows: Some(Epoch(2)), ..entry() };
        assert_eq!(Entry::decode(keyframe.encode().stored).unwrap(), keyframe);
    }

    /// It stands in journals.
    #[test]
    fn a_fingerprint_stays_what_it_is() {
        assert_eq!(fingerprint(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(br#"{"a":"leave"}"#), 0x4b64_9da4_8d5d_4233);
    }

    #[test]
    fn what_is_published_lacks_the_secret_and_nothing_else() {
        let mut entry = entry();
        let published = entry.encode().published;
        assert!(!published.windows(6).any(|w| w == b"sealed"));
        entry.secret = Bytes::new();
        assert_eq!(Entry::decode(published).unwrap(), entry);
    }

    #[test]
    fn every_truncation_is_an_error_or_the_published_form() {
        let delayed = (Some(7), Some(rail()), Some(delay()), None);
        let placed = (Some(7), Some(rail()), Some(delay()), Some(places()));
        for (at_ms, rail, delay, places) in [
            (None, None, None, None),
            (Some(7), None, None, None),
            (Some(7), Some(rail()), None, None),
            delayed,
            placed,
        ] {
            let encoded = Entry { at_ms, rail, delay, places, ..entry() }.encode();
            for length in 0..encoded.stored.len() {
                let decoded = Entry::decode(encoded.stored.slice(..length));
                assert_eq!(decoded.is_ok(), length == encoded.published.len(), "{length} bytes");
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Entry::decode(bytes.into());
        }

        #[test]
        fn a_flipped_byte_never_panics(at in 0usize..150, to in any::<u8>(), at_ms in any::<Option<u64>>(), few: bool) {
            let places = few.then(places);
            let mut bytes = Entry { at_ms, rail: Some(rail()), delay: Some(delay()), places, ..entry() }.encode().stored.to_vec();
            let at = at % bytes.len();
            bytes[at] = to;
            let _ = Entry::decode(bytes.into());
        }
    }
}
