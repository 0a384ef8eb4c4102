//! What rooms send each other about their letters: the bytes on [`Channel::mail`](broker::channel::Channel::mail).
//!
//! ```text
//! u8 version (1)   the rest in postcard, and nothing after it
//! ```

use bytes::Bytes;
use protocol::id::{Epoch, RoomId};
use serde::{Deserialize, Serialize};

use super::{Letter, LetterId};

/// The version of what this release writes and reads.
const VERSION: u8 = 1;

/// So many letters travel together at most.
pub const LETTERS_MAX: usize = 32;

/// Letters that travel together have so many bytes at most; one alone always fits.
pub const LETTERS_BYTES_MAX: usize = 64 * 1_024;

/// A longer message is none: what was forgotten is at most [`RETAINED_MAX`](super::RETAINED_MAX) letters, and twice their length is this.
pub const MAIL_BYTES_MAX: usize = 192 * 1_024;

/// A message of one room to another. Any may be lost, come twice, late, or from somebody who owns the room no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Who says it.
    pub from: RoomId,
    /// As whose owner.
    pub epoch: Epoch,
    /// What.
    pub what: What,
}

/// See [`Mail`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// "I own the room now, and this is what it remembers." Repeated until there is a [`What::Back`].
    Hello {
        /// The last letter that it has said to you.
        said: Option<LetterId>,
        /// The last that it has heard from you.
        heard: Option<LetterId>,
    },
    /// The answer to a hello. From then on whoever says it hears nothing more from earlier owners.
    Back {
        /// To whose hello.
        to: Epoch,
        /// The last letter that this room has said to you.
        said: Option<LetterId>,
        /// The last letter that it has heard from you.
        heard: Option<LetterId>,
        /// All that it has heard after what you said that you remember, in order. `None`: not all of it is kept.
        forgotten: Option<Vec<Letter>>,
    },
    /// Letters that have not been acknowledged, in order; at most [`LETTERS_MAX`].
    Letters(Vec<Letter>),
    /// "I have heard all up to this one."
    Got {
        /// Which.
        heard: Option<LetterId>,
        /// It hears again since a moment, after a takeover: whoever has something to say need not wait.
        listens: bool,
    },
}

/// Bytes that are no such message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMail {
    /// Of another release, or something else.
    #[error("mail of version {0:?}")]
    Version(Option<u8>),
    /// Too long.
    #[error("mail of {0} bytes")]
    TooLong(usize),
    /// Not what it says it is.
    #[error("mail that does not read: {0}")]
    Foreign(#[from] postcard::Error),
    /// Something follows it.
    #[error("mail with {0} bytes too many")]
    Followed(usize),
    /// More letters than travel together.
    #[error("mail of {0} letters")]
    TooMany(usize),
}

impl Mail {
    /// The message's bytes.
    ///
    /// # Panics
    /// Never: messages have known lengths.
    pub fn encode(&self) -> Bytes {
        postcard::to_extend(self, vec![VERSION]).expect("messages have known lengths").into()
    }

    /// Reads it again.
    ///
    /// # Errors
    /// [`BadMail`], whatever the bytes are; never a panic.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadMail> {
        if bytes.len() > MAIL_BYTES_MAX {
            return Err(BadMail::TooLong(bytes.len()));
        }
        let Some((&VERSION, message)) = bytes.split_first() else {
            return Err(BadMail::Version(bytes.first().copied()));
        };
        let (mail, left): (Self, _) = postcard::take_from_bytes(message)?;
        if !left.is_empty() {
            return Err(BadMail::Followed(left.len()));
        }
        match &mail.what {
            What::Letters(letters) if letters.len() > LETTERS_MAX => Err(BadMail::TooMany(letters.len())),
            _ => Ok(mail),
        }
    }
}

/// As many of these letters as travel together; at least one, if there is one.
pub fn together<'a>(letters: impl Iterator<Item = &'a Letter>) -> Vec<Letter> {
    let mut bytes = 0;
    let mut taken: Vec<Letter> = Vec::new();
    for letter in letters.take(LETTERS_MAX) {
        bytes += bytes_at_most(letter);
        if bytes > LETTERS_BYTES_MAX && !taken.is_empty() {
            break;
        }
        taken.push(letter.clone());
    }
    taken
}

/// A bound of what the letter takes in a message.
fn bytes_at_most(letter: &Letter) -> usize {
    const ID: usize = 10 + 10 + 3;
    const LENGTH: usize = 3;
    let references: usize =
        letter.re.iter().map(|reference| LENGTH + reference.from.as_str().len() + ID).sum();
    ID + 1 + ID + LENGTH + references + LENGTH + letter.body.as_bytes().len()
}
