//! Who has which place: those that go out in one hand, and those that go out in hands that count as one.

use protocol::tournament::Ties;

/// Somebody who went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busted {
    /// Who.
    pub entry: u32,
    /// At which table.
    pub table: u32,
    /// The chips before the hand.
    pub began_with: u64,
}

/// Those that went out at once, best first; who is in one group shares its places.
///
/// Whoever began the hand with more chips has the better place; with the same, both share. Of hands that were played at several tables in step
/// ([`Ties::Stacks`]) all count as one hand; or ([`Ties::Tables`]) only those at one table are told apart, so that the best of each table share,
/// then the second, and so on.
pub fn groups(busted: &[Busted], ties: Ties) -> Vec<Vec<u32>> {
    let mut ranked: Vec<(usize, u64, u32)> = busted
        .iter()
        .map(|one| {
            let better = |other: &&Busted| other.table == one.table && other.began_with > one.began_with;
            match ties {
                Ties::Stacks => (0, one.began_with, one.entry),
                Ties::Tables => {
                    let mut stacks: Vec<u64> =
                        busted.iter().filter(better).map(|other| other.began_with).collect();
                    stacks.sort_unstable();
                    stacks.dedup();
                    (stacks.len(), 0, one.entry)
                }
            }
        })
        .collect();
    ranked.sort_by_key(|(rank, stack, entry)| (*rank, std::cmp::Reverse(*stack), *entry));
    let mut groups: Vec<Vec<u32>> = Vec::new();
    let mut last = None;
    for (rank, stack, entry) in ranked {
        match groups.last_mut().filter(|_| last == Some((rank, stack))) {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
        last = Some((rank, stack));
    }
    groups
}

/// The place of each group: of `entries` in all, when these groups have gone out, the first one first.
pub fn places<G: AsRef<[u32]>>(entries: u32, out: &[G]) -> Vec<u32> {
    let mut left = entries;
    let place = |group: &G| {
        left = left.saturating_sub(u32::try_from(group.as_ref().len()).unwrap_or(u32::MAX));
        left + 1
    };
    out.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busted(entry: u32, table: u32, began_with: u64) -> Busted {
        Busted { entry, table, began_with }
    }

    #[test]
    fn of_two_that_go_out_in_one_hand_the_larger_stack_places_higher_and_equal_ones_share() {
        let out = [busted(1, 1, 300), busted(2, 1, 500), busted(3, 1, 300)];
        assert_eq!(groups(&out, Ties::Stacks), [vec![2], vec![1, 3]]);
        assert_eq!(groups(&out, Ties::Tables), [vec![2], vec![1, 3]], "at one table both rules say the same");
    }

    #[test]
    fn hand_for_hand_one_rule_compares_stacks_across_tables() {
        let out = [busted(1, 1, 300), busted(2, 2, 500), busted(3, 2, 100)];
        assert_eq!(groups(&out, Ties::Stacks), [vec![2], vec![1], vec![3]]);
    }

    #[test]
    fn hand_for_hand_the_other_rule_lets_the_best_of_each_table_share() {
        let out = [busted(1, 1, 300), busted(2, 2, 500), busted(3, 2, 100)];
        assert_eq!(groups(&out, Ties::Tables), [vec![1, 2], vec![3]]);
    }

    #[test]
    fn places_count_down_from_the_last_and_who_shares_has_the_best_of_them() {
        // Groups go out worst first.
        assert_eq!(places(6, &[vec![4], vec![1, 3], vec![2]]), [6, 4, 3]);
        assert_eq!(places(2, &[vec![1], vec![2]]), [2, 1]);
    }
}
