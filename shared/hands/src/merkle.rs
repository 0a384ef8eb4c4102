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

/// Where so many are divided: the largest power of two that leaves something on the right.
fn half(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// The root over these, which are in order; zeros where there is none.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => [0; 32],
        [one] => *one,
        many => {
            let (left, right) = many.split_at(half(many.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The steps from the leaf at `at` to the root, from below.
///
/// # Panics
/// If there is no such leaf.
pub fn path(leaves: &[Hash], at: usize) -> Vec<Step> {
    assert!(at < leaves.len(), "there are {} leaves", leaves.len());
    let mut steps = Vec::new();
    let (mut part, mut at) = (leaves, at);
    while part.len() > 1 {
        let (left, right) = part.split_at(half(part.len()));
        if at < left.len() {
            steps.push(Step::Right(root(right)));
            part = left;
        } else {
            at -= left.len();
            steps.push(Step::Left(root(left)));
            part = right;
        }
    }
    steps.reverse();
    steps
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

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|n| [n; 32]).collect()
    }

    #[test]
    fn every_leaf_leads_to_the_root_and_no_other_hash_does() {
        for count in 1..40 {
            let leaves = leaves(count);
            let root = root(&leaves);
            for (at, leaf) in leaves.iter().enumerate() {
                let steps = path(&leaves, at);
                assert_eq!(climb(leaf, &steps), root, "{at} of {count}");
                assert_ne!(climb(&[99; 32], &steps), root);
                assert!(steps.len() <= 6);
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
