//! Making such a file, line by line.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use cage::{
    DbError, Tx,
    history::{
        checkpoint::{self, Witness},
        find::Found,
    },
};
use hands::{
    Hash, Seen, Viewer,
    hex::digits,
    merkle,
    told::{About, json},
    witness,
};
use serde_json::{Value, json};

use super::{End, KIND, VERSION};
use crate::keyring::Keys;

/// How a hand's leaf leads to a root.
#[derive(Debug, Clone)]
struct Anchor {
    n: u64,
    stated: String,
    path: Vec<merkle::Step>,
}

/// What is known of a hand beside its record.
#[derive(Debug, Clone, Default)]
pub struct Known {
    witness: Option<Witness>,
    anchor: Option<Anchor>,
}

/// The checkpoints that were read last.
#[derive(Default)]
pub struct Leaves(Option<(u64, String, Vec<Hash>)>);

impl Leaves {
    /// What is known of these hands.
    ///
    /// # Errors
    /// Of the database.
    pub fn of(&mut self, tx: &mut dyn Tx, hands: &[Found]) -> Result<Vec<Known>, DbError> {
        hands.iter().map(|hand| self.of_one(tx, hand)).collect()
    }

    fn of_one(&mut self, tx: &mut dyn Tx, hand: &Found) -> Result<Known, DbError> {
        let Some(witness) = checkpoint::witness(tx, &hand.name)? else { return Ok(Known::default()) };
        let Some(n) = witness.signed else { return Ok(Known { witness: Some(witness), anchor: None }) };
        if self.0.as_ref().is_none_or(|(last, ..)| *last != n) {
            self.0 = checkpoint::leaves(tx, n)?.map(|(stated, leaves)| (n, stated, leaves));
        }
        let anchor = self.0.as_ref().and_then(|(_, stated, leaves)| {
            let at = leaves.binary_search(&witness.leaf).ok()?;
            Some(Anchor { n, stated: stated.clone(), path: merkle::path(leaves, at) })
        });
        Ok(Known { witness: Some(witness), anchor })
    }
}

/// See the module.
pub struct Writer {
    of: String,
    digest: Context,
    hands: u64,
    told: BTreeSet<u64>,
}

impl Writer {
    /// A file of these hands, and how it begins.
    pub fn begin(of: &str, jwks: &str) -> (Self, String) {
        let mut writer =
            Self { of: of.into(), digest: Context::new(&SHA256), hands: 0, told: BTreeSet::new() };
        let jwks: Value = serde_json::from_str(jwks).expect("keys are JSON");
        let head = writer.line(&json!({ "is": "hands", "version": VERSION, "of": of }))
            + &writer.line(&json!({ "is": "keys", "keys": jwks["keys"] }));
        (writer, head)
    }

    fn line(&mut self, value: &Value) -> String {
        let line = format!("{value}\n");
        self.digest.update(line.as_bytes());
        line
    }

    /// A hand, as this viewer may see it; `seen` and `about` are what he is told of it.
    pub fn hand(
        &mut self,
        found: &Found,
        known: &Known,
        viewer: Viewer<'_>,
        (seen, about): (&Seen, About<'_>),
    ) -> String {
        self.hands += 1;
        let mut line = json!({ "is": "hand", "hand": json::hand(seen, about) });
        let mut before = String::new();
        // A name that is not told any more is in what was hashed.
        if seen.players.iter().all(|player| player.user.is_some()) {
            line["public"] = BASE64_STANDARD.encode(found.record.public_bytes()).into();
            if let Some(witness) = &known.witness {
                line["cards"] = cards(found, witness, viewer, seen);
            }
            if let Some(Anchor { n, stated, path }) = &known.anchor {
                if self.told.insert(*n) {
                    before = self.line(&json!({ "is": "checkpoint", "stated": stated }));
                }
                line["checkpoint"] = json!(n);
                line["path"] = json!(path);
            }
        }
        before + &self.line(&line)
    }

    /// How it ends: signed with the key in force.
    pub fn end(self, keys: &Keys, at_ms: u64) -> String {
        let Self { of, digest, hands, .. } = self;
        let end = End { of, hands, sha256: digits(digest.finish().as_ref()), at_ms };
        format!("{}\n", json!({ "is": "end", "stated": keys.state(KIND, &end) }))
    }
}

/// Of each seat the cards, if the viewer was dealt them or sees all, or what binds them.
fn cards(found: &Found, witness: &Witness, viewer: Viewer<'_>, seen: &Seen) -> Value {
    let of = |(seat, cards): &(u8, holdem::HoleCards)| {
        let salt = witness::salt_of(&witness.salt, *seat);
        if viewer == Viewer::Integrity || seen.you.is_some_and(|you| you.get() == *seat) {
            let cards: Vec<String> = cards.iter().flatten().map(|card| card.to_string()).collect();
            json!({ "seat": seat, "salt": digits(&salt), "cards": cards })
        } else {
            json!({ "seat": seat, "commitment": digits(&witness::commitment(&salt, *seat, cards)) })
        }
    };
    witness::dealt(&found.record).iter().map(of).collect()
}
