//! What is signed of a hand, so that nobody can write it anew afterwards: its name, its place in the chain, what its table was, and a commitment to each
//! player's cards. Who has played it is given the secret of his own, and can show what he held; of the others' cards the commitments tell nothing.
//!
//! | bytes | SHA-256 of |
//! | --- | --- |
//! | a seat's salt | `cardhouse.salt`, the hand's salt, the seat |
//! | a commitment | `cardhouse.cards`, the seat's salt, the seat, the cards as text, such as `AsKd` |
//! | the leaf | `0`, then with its length in front (8 bytes, the highest first) each of: the hand's name, the table's name, its number of seats, the currency or nothing, `prev`, `hash`; then the seat and the commitment of each who was dealt in, by seat |

use aws_lc_rs::digest::{Context, SHA256};
use holdem::{Event, HoleCards};

use crate::{HandRecord, Hash, Name};

/// What nobody knows who has not been told.
pub type Salt = [u8; 32];

/// What a leaf's bytes begin with.
const LEAF: u8 = 0;

/// What is known of a table beside what its hands' hashes hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The hand's name.
    pub name: &'a Name,
    /// What the table was called.
    pub table: &'a str,
    /// How many seats it has.
    pub seats: u8,
    /// What the chips are.
    pub currency: Option<&'a str>,
    /// The hash of the hand before.
    pub prev: &'a Hash,
    /// Its own.
    pub hash: &'a Hash,
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hash = Context::new(&SHA256);
    parts.iter().for_each(|part| hash.update(part));
    hash.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// The secret of one seat's cards.
pub fn salt_of(hand: &Salt, seat: u8) -> Salt {
    sha256(&[b"cardhouse.salt", hand, &[seat]])
}

/// What binds these cards and does not tell them.
pub fn commitment(salt: &Salt, seat: u8, cards: &HoleCards) -> Hash {
    let text: String = cards.iter().flatten().map(|card| card.to_string()).collect();
    sha256(&[b"cardhouse.cards", salt, &[seat], text.as_bytes()])
}

/// The cards that each who was dealt in was dealt, by seat.
pub fn dealt(record: &HandRecord) -> Vec<(u8, HoleCards)> {
    let dealt = record.events.iter().filter_map(|(_, event)| match event {
        Event::HoleDealt { seat, cards } => Some((seat.get(), *cards)),
        _ => None,
    });
    let mut dealt: Vec<(u8, HoleCards)> = dealt.collect();
    dealt.sort_by_key(|(seat, _)| *seat);
    dealt
}

/// The commitments to all of them.
pub fn commitments(record: &HandRecord, salt: &Salt) -> Vec<(u8, Hash)> {
    let committed =
        |(seat, cards): &(u8, HoleCards)| (*seat, commitment(&salt_of(salt, *seat), *seat, cards));
    dealt(record).iter().map(committed).collect()
}

/// What is signed.
pub fn leaf(place: Place<'_>, commitments: &[(u8, Hash)]) -> Hash {
    let name = place.name.to_string();
    let currency = place.currency.unwrap_or("");
    let fields: [&[u8]; 6] = [
        name.as_bytes(),
        place.table.as_bytes(),
        &[place.seats],
        currency.as_bytes(),
        place.prev,
        place.hash,
    ];
    let mut hash = Context::new(&SHA256);
    hash.update(&[LEAF]);
    for field in fields {
        hash.update(&(field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    for (seat, commitment) in commitments {
        hash.update(&[*seat]);
        hash.update(commitment);
    }
    hash.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// The same of a hand that was written down with this salt.
pub fn leaf_of(name: &Name, record: &HandRecord, salt: &Salt) -> Hash {
    let HandRecord { table, seats, currency, prev, hash, .. } = record;
    let place = Place { name, table, seats: *seats, currency: currency.as_deref(), prev, hash };
    leaf(place, &commitments(record, salt))
}
