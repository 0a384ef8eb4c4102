//! Making such a file, line by line.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use cage::{
    DbError, Tellers, Tx,
    history::{
        checkpoint::{self, Witness},
        find::Found,
    },
};
use hands::{
    Seen, Viewer,
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
    stated: Arc<str>,
    path: Vec<merkle::Step>,
}

/// What is known of a hand beside its record.
#[derive(Debug, Clone, Default)]
pub struct Known {
    witness: Option<Witness>,
    anchor: Option<Anchor>,
}

/// What these hands were written down with; in their order.
///
/// # Errors
/// Of the database.
pub fn witnesses(tx: &mut dyn Tx, hands: &[Found]) -> Result<Vec<Option<Witness>>, DbError> {
    hands.iter().map(|hand| checkpoint::witness(tx, &hand.name)).collect()
}

/// The tree of one checkpoint: the last one that was needed. Hands come in the order in which they ended, and checkpoints hold what was written down in
/// a minute, so the next hand mostly needs the same.
#[derive(Default)]
pub struct Trees {
    last: Option<(u64, Arc<str>, merkle::Tree)>,
    /// How many were made.
    made: u64,
}

impl Trees {
    /// What is known of hands that were written down with these. Each checkpoint's tree is made once for all of them, and none beside another.
    ///
    /// # Errors
    /// Of the database.
    pub async fn known(
        &mut self,
        tellers: &Tellers,
        witnesses: Vec<Option<Witness>>,
    ) -> Result<Vec<Known>, DbError> {
        let mut under: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (at, witness) in witnesses.iter().enumerate() {
            if let Some(n) = witness.as_ref().and_then(|witness| witness.signed) {
                under.entry(n).or_default().push(at);
            }
        }
        let mut known: Vec<Known> =
            witnesses.into_iter().map(|witness| Known { witness, anchor: None }).collect();
        let here = self.last.as_ref().and_then(|(n, ..)| under.remove_entry(n));
        for (n, hands) in here.into_iter().chain(under) {
            self.turn_to(tellers, n).await?;
            let Some((_, stated, tree)) = &self.last else { continue };
            for at in hands {
                let path = known[at].witness.as_ref().and_then(|witness| tree.path(&witness.leaf));
                known[at].anchor = path.map(|path| Anchor { n, stated: stated.clone(), path });
            }
        }
        Ok(known)
    }

    /// Makes the tree of this checkpoint, unless it is the one that is there. There is none where its leaves are forgotten.
    async fn turn_to(&mut self, tellers: &Tellers, n: u64) -> Result<(), DbError> {
        if self.last.as_ref().is_some_and(|(last, ..)| *last == n) {
            return Ok(());
        }
        self.last = None;
        let read = tellers.read(move |tx: &mut dyn Tx| checkpoint::leaves(tx, n)).await?;
        if let Some((stated, leaves)) = read {
            let made = tokio::task::spawn_blocking(move || merkle::Tree::over(leaves)).await;
            self.last = Some((n, stated.into(), made.expect("hashing does not panic")));
            self.made += 1;
        }
        Ok(())
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
                    before = self.line(&json!({ "is": "checkpoint", "stated": **stated }));
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

#[cfg(test)]
mod tests {
    use cage::{
        Place,
        history::{NewHand, find, keep},
    };
    use hands::testing::any_hand;
    use protocol::id::{Position, RoomId, UserId};
    use tokens::Signer;

    use super::*;
    use crate::keyring::Keys;

    /// Hands of two tables, of which each checkpoint holds so many.
    async fn signed(checkpoints: u64, hands: u64) -> Tellers {
        let tellers = Tellers::open(&Place::Memory).unwrap();
        let keys = Arc::new(Keys::new(vec![Signer::generate()], 0).unwrap());
        let users: Vec<UserId> = ["ann", "bob"].iter().map(|name| UserId::new(name).unwrap()).collect();
        for n in 0..checkpoints {
            let (keys, users) = (keys.clone(), users.clone());
            let work = move |tx: &mut dyn Tx| {
                for number in n * hands + 1..=(n + 1) * hands {
                    let mut record = any_hand(number, number, [0; 32], &users);
                    record.ended_ms = number;
                    let room = RoomId::new(["t1", "t2"][number as usize % 2]).unwrap();
                    keep(tx, &NewHand { room, at: Position::new(1, number), record, late_ms: 0 })?;
                }
                let by = |checkpoint: &::hands::checkpoint::Checkpoint| checkpoint::Signed {
                    stated: keys.state("checkpoint", checkpoint),
                    kid: keys.signing_kid().into(),
                    jwks: keys.jwks_of_hands(),
                };
                checkpoint::sign(tx, n, 0, &by).map(drop)
            };
            tellers.write("hands", work).await.unwrap();
        }
        tellers
    }

    /// However many hands there are: paths that are looked up are not made.
    #[tokio::test]
    async fn each_checkpoints_tree_is_made_once_for_a_page_and_goes_on_to_the_next() {
        let tellers = signed(6, 30).await;
        let (mut trees, mut after, mut told) = (Trees::default(), None, 0);
        loop {
            let behind = after.clone();
            let work = move |tx: &mut dyn Tx| {
                let found = find::of_all(tx, u64::MAX, behind.as_ref(), 45)?;
                let witnesses = witnesses(tx, &found)?;
                Ok((found, witnesses))
            };
            let (found, witnesses) = tellers.read(work).await.unwrap();
            let Some(last) = found.last() else { break };
            after = Some((last.record.ended_ms, last.name.clone()));
            for known in trees.known(&tellers, witnesses).await.unwrap() {
                let (witness, anchor) = (known.witness.unwrap(), known.anchor.unwrap());
                told += 1;
                assert_eq!(anchor.n, (told - 1) / 30 + 1);
                let (n, _, tree) = trees.last.as_ref().unwrap();
                assert!(*n != anchor.n || merkle::climb(&witness.leaf, &anchor.path) == tree.root());
            }
        }
        assert_eq!((told, trees.made), (180, 6));
    }

    #[tokio::test]
    async fn hands_that_come_in_turns_from_two_checkpoints_have_each_made_once_a_page() {
        let tellers = signed(2, 40).await;
        let work = |tx: &mut dyn Tx| {
            let found = find::of_all(tx, u64::MAX, None, 100)?;
            witnesses(tx, &found)
        };
        let all = tellers.read(work).await.unwrap();
        let (first, second) = all.split_at(40);
        let in_turns: Vec<_> =
            first.iter().zip(second).flat_map(|(one, other)| [one, other]).cloned().collect();
        let mut trees = Trees::default();
        for page in in_turns.chunks(20) {
            trees.known(&tellers, page.to_vec()).await.unwrap();
        }
        // The first page makes both, each other one the one that it does not find there.
        assert_eq!(trees.made, 5);
    }
}
