//! What stands on a tape: lines of JSON, each of which names the one before it by its hash.

use aws_lc_rs::digest::{SHA256, digest};
use hands::hex::digits;
use money::Currency;
use protocol::{
    id::{ErrandId, Position, RoomId, UserId},
    time::UnixMs,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::tx::Tx;

/// The form of tapes that this release writes, and the only one there has been.
pub(super) const FORM: u32 = 1;

/// Before the first line there is none.
pub(super) const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What becomes of a request, and all that it moved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What was asked.
    pub request: Request,
    /// `posted`, `refused`, `void`.
    pub outcome: String,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What it moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<Leg>,
    /// The requests that it has undone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undone: Vec<String>,
    /// Buys of players who were paid in a branch that it cuts off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paid_before: Vec<String>,
    /// Requests that have undone something in a branch that it leaves, which is taken back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_back: Vec<String>,
    /// From where the room goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}

/// A request as the ledger keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its name, given once.
    pub name: String,
    /// Of all that it asks, in hexadecimal digits; none of what was given up before it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What kind of request.
    pub kind: String,
    /// Whose chips.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<UserId>,
    /// Of what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// The room that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// The errand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<ErrandId>,
    /// The hand that was raked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand: Option<u64>,
    /// Who moved it by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<UserId>,
    /// Who confirmed that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<UserId>,
    /// Why it was moved by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub at_ms: UnixMs,
}

/// Chips that went from one account to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// As `player/u-ann`, `table/t1`, `house/rake.3`.
    pub from: String,
    /// The same.
    pub to: String,
    /// Of what.
    pub currency: Currency,
    /// How many.
    pub amount: u64,
}

/// What a cut said, and what it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// From where the room goes on.
    pub follows: Position,
    /// In hexadecimal digits.
    pub answer: String,
}

/// The entry of a request that this transaction has recorded, where there is a tape.
pub(crate) fn entry<'a>(tx: &'a mut dyn Tx, name: &str) -> Option<&'a mut Entry> {
    tx.taped()?.iter_mut().rev().find(|entry| entry.request.name == name)
}

/// The first line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// The form of the lines.
    pub(super) tape: u32,
    /// The ledger that it belongs to.
    pub(super) database: String,
    /// Which of its tapes it is.
    pub(super) id: String,
    /// The number of the next line.
    pub(super) from: u64,
    /// The hash of the line before, which stands in the file before.
    pub(super) prev: String,
}

/// Another line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    /// One more than the line before.
    pub(super) n: u64,
    /// Of every line up to this one it is known that the database has it, or that it was dropped.
    pub(super) done: u64,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) entry: Option<Entry>,
    /// Lines that the database has never got, nor anybody been told of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) dropped: Vec<u64>,
    /// The hash of the line before.
    pub(super) prev: String,
}

/// A line as it is written, and its hash.
pub(super) fn write<T: Serialize>(line: &T) -> (String, String) {
    let mut text = serde_json::to_string(line).expect("it is a map of texts and numbers");
    let hash = hash_of(&text);
    // Behind everything else, so that what it is the hash of is the rest of the line.
    text.truncate(text.len() - 1);
    text += &format!(r#","hash":"{hash}"}}"#);
    text.push('\n');
    (text, hash)
}

/// Reads a line without its end, and its hash.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<(T, String), &'static str> {
    let (said, hash) = text.rsplit_once(r#","hash":""#).ok_or("it has no hash")?;
    let hash = hash.strip_suffix("\"}").ok_or("it has no hash")?;
    let said = format!("{said}}}");
    if hash_of(&said) != hash {
        return Err("its hash is not that of what it says");
    }
    let line = serde_json::from_str(&said).map_err(|_| "this release does not read it")?;
    Ok((line, hash.to_owned()))
}

fn hash_of(text: &str) -> String {
    digits(digest(&SHA256, text.as_bytes()).as_ref())
}

/// Out of hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| (digit as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?);
    text.as_bytes().chunks(2).map(pair).collect()
}
