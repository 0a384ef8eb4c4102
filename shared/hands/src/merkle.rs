//! Many hashes under one: that a hash is among them is shown by some twenty others, without the rest. The tree is that of RFC 6962, over hashes in their
//! own order: which of them came first is nobody's to choose.

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::{Hash, hex};

/// What a node's bytes begin with, so that no node passes for what [`leaf`](crate::witness::leaf) hashes.
const NODE: u8 = 1;

/// One step from a hash up to the root: what stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// On its left.
    Left(#[serde(with = "hex::serde")] Hash),
    /// On its right.
    Right(#[serde(with = "hex::serde")] Hash),
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Context::new(&SHA256);
    hash.update(&[NODE]);
    hash.update(left);
    hash.update(right);
    hash.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// All nodes over leaves that are in order: made once, it leads from any of them to the root in a few steps.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The leaves, then what stands over each two of them, up to the root. Who has nobody at his right stands in the row above himself, which
    /// divides leaves where RFC 6962 does: at the largest power of two that leaves something on the right.
    rows: Vec<Vec<Hash>>,
}

impl Tree {
    /// Over these leaves, which are in order.
    pub fn over(leaves: Vec<Hash>) -> Self {
        let mut rows = vec![leaves];
        while let Some(row) = rows.last().filter(|row| row.len() > 1) {
            let above = row.chunks(2).map(|two| match two {
                [left, right] => node(left, right),
                one => one[0],
            });
            let above = above.collect();
            rows.push(above);
        }
        Self { rows }
    }

    /// The root; zeros where there is no leaf.
    pub fn root(&self) -> Hash {
        self.rows.last().and_then(|row| row.first()).copied().unwrap_or_default()
    }

    /// The steps from a leaf to the root, from below; none where it is not among them.
    pub fn path(&self, leaf: &Hash) -> Option<Vec<Step>> {
        let (leaves, above) = self.rows.split_first()?;
        let mut at = leaves.binary_search(leaf).ok()?;
        let mut steps = Vec::with_capacity(above.len());
        for row in &self.rows[..above.len()] {
            if at % 2 == 1 {
                steps.push(Step::Left(row[at - 1]));
            } else if let Some(right) = row.get(at + 1) {
                steps.push(Step::Right(*right));
            }
            at /= 2;
        }
        Some(steps)
    }
}

/// The root that these steps lead to.
pub fn climb(leaf: &Hash, steps: &[Step]) -> Hash {
    steps.iter().fold(*leaf, |below, step| match step {
        Step::Left(left) => node(left, &below),
        Step::Right(right) => node(&below, right),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(leaves: &[Hash]) -> Hash {
        Tree::over(leaves.to_vec()).root()
    }

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|n| [n; 32]).collect()
    }

    #[test]
    fn every_leaf_leads_to_the_root_and_no_other_hash_does() {
        for count in 1..40 {
            let tree = Tree::over(leaves(count));
            for leaf in leaves(count) {
                let steps = tree.path(&leaf).unwrap();
                assert_eq!(climb(&leaf, &steps), tree.root(), "{} of {count}", leaf[0]);
                assert_ne!(climb(&[99; 32], &steps), tree.root());
                assert!(steps.len() <= 6);
            }
            assert_eq!(tree.path(&[99; 32]), None);
        }
    }

    /// As RFC 6962 says it, in section 2.1.
    fn as_in_the_rfc(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => [0; 32],
            [one] => *one,
            many => {
                let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
                node(&as_in_the_rfc(left), &as_in_the_rfc(right))
            }
        }
    }

    /// The steps by the same halves.
    fn by_halves(leaves: &[Hash], at: usize) -> Vec<Step> {
        let (mut steps, mut part, mut at) = (Vec::new(), leaves, at);
        while part.len() > 1 {
            let (left, right) = part.split_at(part.len().next_power_of_two() / 2);
            if at < left.len() {
                steps.push(Step::Right(as_in_the_rfc(right)));
                part = left;
            } else {
                at -= left.len();
                steps.push(Step::Left(as_in_the_rfc(left)));
                part = right;
            }
        }
        steps.reverse();
        steps
    }

    #[test]
    fn the_tree_is_that_of_the_rfc() {
        for count in 0..70 {
            let (leaves, tree) = (leaves(count), Tree::over(leaves(count)));
            assert_eq!(tree.root(), as_in_the_rfc(&leaves), "{count}");
            for (at, leaf) in leaves.iter().enumerate() {
                assert_eq!(tree.path(leaf).unwrap(), by_halves(&leaves, at), "{at} of {count}");
            }
        }
    }

    /// Trees that fill up with their last leaf have one root for both: CVE-2012-2459.
    #[test]
    fn the_last_leaf_once_more_makes_another_root() {
        for count in 1..40 {
            let (leaves, mut more) = (leaves(count), leaves(count));
            more.push(*leaves.last().unwrap());
            assert_ne!(root(&more), root(&leaves), "{count}");
        }
    }

    #[test]
    fn whichever_leaf_is_changed_left_out_or_moved_the_root_is_another() {
        let all = leaves(13);
        let root_of_all = root(&all);
        for at in 0..all.len() {
            let mut other = all.clone();
            other[at][5] ^= 1;
            assert_ne!(root(&other), root_of_all);
            other = all.clone();
            other.remove(at);
            assert_ne!(root(&other), root_of_all);
            other = all.clone();
            other.swap(at, (at + 1) % all.len());
            assert_ne!(root(&other), root_of_all);
        }
    }
}
