//! The form of a file: a head, then frames, each of them one group of changes that was written and synced together.
//!
//! ```text
//! head     8 bytes "CARDROOM"    u16 version (1)    16 bytes salt, drawn for this file       (all integers little-endian)
//! frame    4 bytes mark          u32 length         u64 number: 0, 1, 2 ...                  u32 CRC-32 of salt, length, number, changes
//!          changes, one after the other, each a [`Change`] in postcard
//! ```
//!
//! A frame is begun when the one before it stands on the disk. So a frame that is not whole, with none after it, was never acknowledged: it is
//! torn, and as if it had not been written. One that is not whole with another after it has been damaged later. The salt keeps what players
//! write, or what a disk's blocks held before, from being taken for a frame.

use bytes::Bytes;
use protocol::{
    id::{Position, RoomId},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

use crate::store::shelf::Shelf;

const MAGIC: [u8; 8] = *b"CARDROOM";
const VERSION: u16 = 1;
const HEAD: usize = 8 + 2 + 16;

/// Begins each frame.
const MARK: [u8; 4] = [0xf5, b'c', b'h', 0xf6];
const FRAME_HEAD: usize = 4 + 4 + 8 + 4;

/// What a file's frames are told apart by from all others.
pub(super) type Salt = [u8; 16];

/// One change of what is kept. For ever: new ones come last, and a reader that does not know one refuses the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Change {
    /// An entry at the end of a journal, which begins with it where there is none; drops those before `keep_from`.
    Append { room: RoomId, at: Position, entry: Bytes, keep_from: Option<Position> },
    /// The fence and the end of a journal, which may hold no entries: how a file that is begun tells of one.
    Journal { room: RoomId, last: Position, expires_ms: Option<UnixMs> },
    /// A journal will vanish.
    Expire { room: RoomId, at_ms: UnixMs },
    /// A journal has vanished.
    Vanish { room: RoomId },
    /// A field has a value.
    Set { map: String, field: String, value: Bytes },
    /// A field is gone.
    Remove { map: String, field: String },
    /// All that the file before held has been told.
    Whole,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It was written by a later release.
    #[error("it has version {0}, which a later release has written")]
    Later(u16),
    /// What was acknowledged is not there any more.
    #[error("it is damaged at byte {0}")]
    Damaged(usize),
}

impl Change {
    /// How many bytes it takes, more or less.
    pub(super) fn about_bytes(&self) -> usize {
        const NAMES: usize = 64;
        NAMES
            + match self {
                Self::Append { entry, .. } => entry.len(),
                Self::Set { value, .. } => value.len(),
                _ => 0,
            }
    }
}

/// The head of a file.
pub(super) fn head(salt: &Salt) -> Vec<u8> {
    [MAGIC.as_slice(), &VERSION.to_le_bytes(), salt].concat()
}

/// The frame of this number.
///
/// # Panics
/// If the changes come to 4 GiB.
pub(super) fn frame(salt: &Salt, number: u64, changes: &[Change]) -> Vec<u8> {
    let mut bytes = vec![0; FRAME_HEAD];
    for change in changes {
        bytes = postcard::to_extend(change, bytes).expect("changes can be written");
    }
    let length = u32::try_from(bytes.len() - FRAME_HEAD).expect("a group is bounded");
    let sum = checksum(salt, length, number, &bytes[FRAME_HEAD..]);
    bytes[..4].copy_from_slice(&MARK);
    bytes[4..8].copy_from_slice(&length.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    bytes[16..20].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn checksum(salt: &Salt, length: u32, number: u64, changes: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for part in [salt.as_slice(), &length.to_le_bytes(), &number.to_le_bytes(), changes] {
        sum.update(part);
    }
    sum.finalize()
}

/// What a file holds, without a frame at its end that is torn.
pub(super) fn read(bytes: &[u8]) -> Result<Shelf, Unreadable> {
    let head = bytes.get(..HEAD).filter(|head| head[..8] == MAGIC).ok_or(Unreadable::Damaged(0))?;
    let version = u16::from_le_bytes([head[8], head[9]]);
    if version != VERSION {
        return Err(Unreadable::Later(version));
    }
    let salt: Salt = head[10..].try_into().expect("the head is as long");
    let mut shelf = Shelf::default();
    let mut is_whole = false;
    let (mut at, mut number) = (HEAD, 0);
    while let Some(changes) = frame_at(bytes, at, &salt, number) {
        at += FRAME_HEAD + changes.len();
        let mut left = changes;
        while !left.is_empty() {
            let (change, rest) =
                postcard::take_from_bytes(left).map_err(|_| Unreadable::Damaged(at - left.len()))?;
            is_whole |= change == Change::Whole;
            shelf.apply(change);
            left = rest;
        }
        number += 1;
    }
    // A file gets its name when all that was before is told and stands.
    let is_torn = is_whole && !(at + 1..bytes.len()).any(|at| frame_after(bytes, at, &salt, number));
    if is_torn { Ok(shelf) } else { Err(Unreadable::Damaged(at)) }
}

/// The changes of the frame that begins here, if it is whole and has this number.
fn frame_at<'a>(bytes: &'a [u8], at: usize, salt: &Salt, number: u64) -> Option<&'a [u8]> {
    let (length, found, sum) = frame_head(bytes, at)?;
    let from = at + FRAME_HEAD;
    let changes = bytes.get(from..from.checked_add(length as usize)?)?;
    (found == number && sum == checksum(salt, length, number, changes)).then_some(changes)
}

/// Whether a whole frame begins here that was written after the one of this number.
fn frame_after(bytes: &[u8], at: usize, salt: &Salt, number: u64) -> bool {
    frame_head(bytes, at)
        .is_some_and(|(_, found, _)| found > number && frame_at(bytes, at, salt, found).is_some())
}

fn frame_head(bytes: &[u8], at: usize) -> Option<(u32, u64, u32)> {
    let head = bytes.get(at..at + FRAME_HEAD).filter(|head| head[..4] == MARK)?;
    let length = u32::from_le_bytes(head[4..8].try_into().ok()?);
    let number = u64::from_le_bytes(head[8..16].try_into().ok()?);
    let sum = u32::from_le_bytes(head[16..20].try_into().ok()?);
    Some((length, number, sum))
}

impl Shelf {
    /// Does what is written, with no question whether it may be: that was asked before.
    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Append { room, at, entry, keep_from } => {
                self.append(&room, at, entry, keep_from);
            }
            Change::Journal { room, last, expires_ms } => {
                let journal = self.journals.entry(room).or_default();
                (journal.last, journal.expires_ms) = (last, expires_ms);
            }
            Change::Expire { room, at_ms } => self.expire(&room, at_ms),
            Change::Vanish { room } => {
                self.journals.remove(&room);
            }
            Change::Set { map, field, value } => {
                self.set(&map, &field, Some(value));
            }
            Change::Remove { map, field } => {
                self.set(&map, &field, None);
            }
            Change::Whole => {}
        }
    }

    /// The changes that make all this of nothing, without journals whose time is over.
    pub(super) fn told(&self, now_ms: UnixMs) -> impl Iterator<Item = Change> {
        let journals = self.journals.iter().filter(move |(room, _)| !self.is_over(room, now_ms));
        let journals = journals.flat_map(|(room, journal)| {
            let entries = journal.entries.iter().map(move |(at, entry)| Change::Append {
                room: room.clone(),
                at: *at,
                entry: entry.clone(),
                keep_from: None,
            });
            let (last, expires_ms) = (journal.last, journal.expires_ms);
            entries.chain([Change::Journal { room: room.clone(), last, expires_ms }])
        });
        let maps = self.maps.iter().flat_map(|(map, fields)| {
            fields.iter().map(move |(field, value)| Change::Set {
                map: map.clone(),
                field: field.clone(),
                value: value.clone(),
            })
        });
        journals.chain(maps).chain([Change::Whole])
    }
}
