//! What rooms and the cage say to each other of chips that are somebody's.
//!
//! A room asks by *errands*: each is journaled before it is sent, has a name that is given once, and is repeated until it is answered. The
//! cage answers each name once and for ever. Neither knows the other: a room puts an [`Ask`] into its errand's body, the cage puts what
//! came of it into the answer. What a body holds begins with a version.

mod currency;
pub mod holdings;
pub mod wire;

pub use currency::{BadCurrency, Currency};

use protocol::{
    id::{ErrandId, Position, UserId},
    table::DeclinedCode,
    time::UnixMs,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The service's name in errands.
pub const SERVICE: &str = "cage";

/// The kind of the tables whose chips are somebody's, in the directory. For ever.
pub const TABLE_KIND: &str = "cash";

/// So long a room waits for chips that a player brings.
pub const WAIT_MS: UnixMs = 15_000;

/// A cage that has not answered a room for so long is taken to be away: nobody else is made to wait for it.
const AWAY_MS: UnixMs = 2_000;

/// Whoever is refused because of that is told so, and to come again after [`RETRY_MS`].
pub const AWAY: &str = "the cage, which keeps what players own, does not answer at the moment";

/// Milliseconds.
pub const RETRY_MS: u64 = 2_000;

/// Whether a cage is away that was asked for chips at these times and has not answered.
pub fn is_away(mut asked_at: impl Iterator<Item = UnixMs>, now: UnixMs) -> bool {
    asked_at.any(|asked_at| asked_at + AWAY_MS < now)
}

/// The version of both.
const VERSION: u8 = 1;

/// Amounts are below this, so that every program can count them: browsers too.
pub const AMOUNT_END: u64 = 1 << 53;

/// What a room asks of the cage. Amounts are in the smallest unit of their currency and more than 0, but for the one of a player
/// who leaves with nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// A player brings chips to the table. It wants an answer.
    BuyIn(Stake),
    /// A player who has a seat brings more. It wants an answer.
    TopUp(Stake),
    /// A [buy-in](Ask::BuyIn) or [top-up](Ask::TopUp) of this room is given up, whatever became of it.
    Void {
        /// Its name.
        of: ErrandId,
    },
    /// A player has left with so many chips.
    CashOut(Share),
    /// Chips that a player has brought and that do not fit go back; the player stays.
    Return(Share),
    /// Chips of a seat whose player was paid in a lost branch: they are the house's.
    Absorb(Share),
    /// What the house takes of a hand.
    Rake {
        /// Of what.
        currency: Currency,
        /// How much.
        amount: u64,
        /// The number of the hand at its table.
        hand: u64,
    },
    /// The epoch of this errand goes on after that position: what was decided behind it in earlier epochs is no part of the history. It wants an
    /// answer, which names whom the cage has paid in a lost branch ([`Paid`]).
    Cut {
        /// Where the room decided something last.
        follows: Position,
    },
}

impl Ask {
    /// Whether the room decides on what comes of it. Else it has done its part with the asking.
    pub fn wants_answer(&self) -> bool {
        matches!(self, Self::BuyIn(_) | Self::TopUp(_) | Self::Cut { .. })
    }

    /// Whether it is asked before what the room has asked earlier and is not done.
    pub fn goes_first(&self) -> bool {
        matches!(self, Self::Cut { .. })
    }
}

/// Chips that a player brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stake {
    /// Whose.
    pub user: UserId,
    /// Of what.
    pub currency: Currency,
    /// How much.
    pub amount: u64,
    /// Drawn by the room for this errand. Should two histories ever give one name, the two differ in it, and the cage does not take one for the other.
    pub nonce: u64,
}

/// Chips that a player takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Whose.
    pub user: UserId,
    /// Of what.
    pub currency: Currency,
    /// How much.
    pub amount: u64,
}

/// Whom the cage has paid in a lost branch: the seats that these had before are the house's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid(pub Vec<UserId>);

/// Why the cage refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// The player has less.
    Insufficient,
    /// The account is frozen.
    Frozen,
    /// The player may not play for this.
    Banned,
    /// There is no such currency in this house.
    NoCurrency,
    /// There is no such player.
    NoAccount,
    /// It is part of a lost branch, or was given up.
    Void,
    /// Another request has this name.
    Conflict,
    /// It is not a request.
    Bad,
}

impl Why {
    /// As the player is told.
    pub fn told(self) -> DeclinedCode {
        match self {
            Self::Insufficient => DeclinedCode::Insufficient,
            Self::Frozen => DeclinedCode::Frozen,
            Self::Banned => DeclinedCode::NotAllowed,
            Self::NoCurrency | Self::NoAccount | Self::Void | Self::Conflict | Self::Bad => {
                DeclinedCode::Other
            }
        }
    }
}

/// What an errand's body holds: [`Ask`]; what its answer holds when it is done, of [`Ask::Cut`]: [`Paid`], else nothing; when it is
/// refused: [`Why`].
pub trait Body: Serialize + DeserializeOwned {
    /// As bytes.
    ///
    /// # Panics
    /// Never: all of it has known lengths.
    fn write(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![VERSION]).expect("all of it has known lengths")
    }

    /// Reads it again.
    ///
    /// # Errors
    /// [`BadBody`], whatever the bytes are.
    fn read(bytes: &[u8]) -> Result<Self, BadBody> {
        let (version, rest) = bytes.split_first().ok_or(BadBody)?;
        if *version != VERSION {
            return Err(BadBody);
        }
        match postcard::take_from_bytes(rest) {
            Ok((body, [])) => Ok(body),
            _ => Err(BadBody),
        }
    }
}

impl Body for Ask {}
impl Body for Paid {}
impl Body for Why {}

/// Bytes that hold nothing that this release reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not read as what a room or the cage says")]
pub struct BadBody;

#[cfg(test)]
mod tests {
    use super::*;

    fn stake() -> Stake {
        let (user, currency) = (UserId::new("u-ann").unwrap(), Currency::new("PLAY").unwrap());
        Stake { user, currency, amount: 2_000, nonce: 7 }
    }

    #[test]
    fn what_is_said_reads_as_it_was_written() {
        let share = Share { user: stake().user, currency: stake().currency, amount: 3 };
        let at = Position::new(5, 6);
        let rake = Ask::Rake { currency: stake().currency, amount: 2, hand: 9 };
        let all = [
            Ask::BuyIn(stake()),
            Ask::TopUp(stake()),
            Ask::Void { of: ErrandId { at, n: 1 } },
            Ask::CashOut(share.clone()),
            Ask::Return(share.clone()),
            Ask::Absorb(share),
            rake,
            Ask::Cut { follows: at },
        ];
        for ask in all {
            let bytes = ask.write();
            assert_eq!(Ask::read(&bytes).as_ref(), Ok(&ask));
            assert_eq!(Ask::read(&[&bytes[..], &[0]].concat()), Err(BadBody), "{ask:?} with a byte too many");
            for cut in 0..bytes.len() {
                assert_eq!(Ask::read(&bytes[..cut]), Err(BadBody), "{ask:?} of {cut} bytes");
            }
        }
    }

    #[test]
    fn what_a_later_release_says_is_not_taken_for_something_else() {
        let mut bytes = Why::Void.write();
        bytes[0] = VERSION + 1;
        assert_eq!(Why::read(&bytes), Err(BadBody));
    }

    /// What stands in journals is read for ever.
    #[test]
    fn the_bytes_stay_what_they_are() {
        let bytes = [1, 0, 5, b'u', b'-', b'a', b'n', b'n', 4, b'P', b'L', b'A', b'Y', 0xd0, 0x0f, 7];
        assert_eq!(Ask::BuyIn(stake()).write(), bytes);
        assert_eq!(Ask::Cut { follows: Position::new(300, 6) }.write(), [1, 7, 0xac, 0x02, 6]);
        assert_eq!(Why::Insufficient.write(), [1, 0]);
    }
}
