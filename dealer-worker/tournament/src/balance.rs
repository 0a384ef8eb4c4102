//! Which tables give players to which: breaking tables when all fit on fewer, and else levelling them. A pure function of how many sit where.
//!
//! Mistakes that other people's directors make, each of which is a test here: a table is broken only when three or fewer sit at it, so that 14 players at
//! three tables never come to one; seats are promised by a list that does not know of those who have gone out; all players of a broken
//! table go to the first table that has room.

/// How many sit at a table, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Which.
    pub table: u32,
    /// Who sits there.
    pub players: u32,
    /// Who is on the way there, or will be.
    pub expected: u32,
    /// Who sits there and has been told to go, or will be.
    pub giving: u32,
    /// It is being emptied.
    pub breaking: bool,
}

impl Size {
    fn will_be(&self) -> u32 {
        (self.players + self.expected).saturating_sub(self.giving)
    }

    /// Seats that are taken, or will be before anybody has gone.
    fn at_most(&self) -> u32 {
        self.players + self.expected
    }

    /// Nobody is on the way there or away.
    fn is_quiet(&self) -> bool {
        self.expected == 0 && self.giving == 0 && !self.breaking
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// A table.
    pub from: u32,
    /// Whither a player each goes.
    pub to: Vec<u32>,
    /// All of them go, and the table closes.
    pub breaks: bool,
}

/// By which rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Seats at a table.
    pub seats: u32,
    /// So many seats a table are kept free for those who still come.
    pub reserve: u32,
    /// Tables may differ by so many players.
    pub apart: u32,
}

/// What is to be done now: at most one plan a table, and a table that gives or gets as much as it is to has no other. Each plan makes the sum of
/// the squares of the tables' sizes smaller, or the tables fewer; so it comes to an end.
pub fn plan(sizes: &[Size], rules: Rules) -> Vec<Plan> {
    let mut sizes = sizes.to_vec();
    let mut plans = Vec::new();
    while let Some(plan) = break_one(&mut sizes, rules) {
        plans.push(plan);
    }
    while let Some(plan) = level_one(&mut sizes, rules) {
        plans.push(plan);
    }
    plans
}

/// The table with the fewest players is broken if all have a seat without it; of several, the one that was opened last.
fn break_one(sizes: &mut [Size], rules: Rules) -> Option<Plan> {
    let open = || sizes.iter().filter(|size| !size.breaking);
    let total: u32 = open().map(Size::will_be).sum();
    let tables = u32::try_from(open().count()).unwrap_or(u32::MAX);
    let seats = rules.seats.saturating_sub(rules.reserve);
    // To have them at one table, nothing is kept free.
    let seats = if tables == 2 { rules.seats } else { seats };
    if tables < 2 || total > (tables - 1) * seats {
        return None;
    }
    let least = open().min_by_key(|size| (size.will_be(), std::cmp::Reverse(size.table)))?;
    let breaks = least.is_quiet().then_some(least.table).or_else(|| {
        // One that is on its way to other sizes is waited for, unless another one may go as well.
        open().filter(|size| size.is_quiet()).min_by_key(|size| size.will_be()).map(|size| size.table)
    })?;
    let from = sizes.iter().position(|size| size.table == breaks)?;
    let mut after = sizes.to_vec();
    after[from].breaking = true;
    let mut to = Vec::new();
    for _ in 0..sizes[from].players {
        to.push(next_seat(&mut after, rules.seats)?);
    }
    after[from].giving = after[from].players;
    sizes.copy_from_slice(&after);
    Some(Plan { from: breaks, to, breaks: true })
}

/// The emptiest table that has a seat for certain, with one more expected there.
fn next_seat(sizes: &mut [Size], seats: u32) -> Option<u32> {
    let open = sizes.iter_mut().filter(|size| !size.breaking && size.at_most() < seats);
    let to = open.min_by_key(|size| (size.will_be(), size.table))?;
    to.expected += 1;
    Some(to.table)
}

/// One player of the fullest table goes to the emptiest.
fn level_one(sizes: &mut [Size], rules: Rules) -> Option<Plan> {
    let open = || (0..sizes.len()).filter(|at| !sizes[*at].breaking);
    let from = open()
        .filter(|at| sizes[*at].giving == 0 && sizes[*at].players > 0)
        .max_by_key(|at| (sizes[*at].will_be(), std::cmp::Reverse(sizes[*at].table)))?;
    let to = open()
        .filter(|at| sizes[*at].at_most() < rules.seats)
        .min_by_key(|at| (sizes[*at].will_be(), sizes[*at].table))?;
    if sizes[from].will_be() <= sizes[to].will_be() + rules.apart.max(1) {
        return None;
    }
    sizes[from].giving += 1;
    sizes[to].expected += 1;
    Some(Plan { from: sizes[from].table, to: vec![sizes[to].table], breaks: false })
}

/// The table for somebody who comes, of those with a free seat: the emptiest; `None`: there is none.
pub fn table_for(sizes: &[Size], seats: u32) -> Option<u32> {
    let open = sizes.iter().filter(|size| !size.breaking && size.at_most() < seats);
    open.min_by_key(|size| (size.will_be(), size.table)).map(|size| size.table)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIX: Rules = Rules { seats: 6, reserve: 0, apart: 1 };

    fn quiet(players: &[u32]) -> Vec<Size> {
        let size = |(table, players): (u32, &u32)| Size {
            table,
            players: *players,
            expected: 0,
            giving: 0,
            breaking: false,
        };
        (1..).zip(players).map(size).collect()
    }

    /// Everybody goes whither he is told, at once.
    fn done(sizes: &mut Vec<Size>, plans: &[Plan]) {
        for plan in plans {
            for to in &plan.to {
                sizes.iter_mut().find(|size| size.table == *to).unwrap().players += 1;
            }
            let from = sizes.iter_mut().find(|size| size.table == plan.from).unwrap();
            from.players -= u32::try_from(plan.to.len()).unwrap();
        }
        sizes.retain(|size| !plans.iter().any(|plan| plan.breaks && plan.from == size.table));
    }

    fn players(sizes: &[Size]) -> Vec<u32> {
        sizes.iter().map(|size| size.players).collect()
    }

    #[test]
    fn fourteen_players_at_three_tables_come_to_two_and_in_the_end_to_one() {
        let mut sizes = quiet(&[5, 5, 4]);
        let rules = Rules { seats: 9, ..SIX };
        let plans = plan(&sizes, rules);
        assert!(plans.iter().any(|plan| plan.breaks), "{plans:?}");
        done(&mut sizes, &plans);
        assert_eq!(players(&sizes), [7, 7]);
        sizes[0].players = 3;
        sizes[1].players = 6;
        let plans = plan(&sizes, rules);
        done(&mut sizes, &plans);
        assert_eq!(players(&sizes), [9]);
    }

    #[test]
    fn a_broken_tables_players_do_not_all_go_to_the_first_table_with_room() {
        let mut sizes = quiet(&[3, 4, 4, 3]);
        let plans = plan(&sizes, SIX);
        let first = plans.iter().find(|plan| plan.breaks).unwrap();
        assert!(first.to.iter().collect::<std::collections::BTreeSet<_>>().len() > 1, "{plans:?}");
        done(&mut sizes, &plans);
        assert_eq!(players(&sizes).iter().sum::<u32>(), 14);
    }

    #[test]
    fn no_seat_is_promised_that_somebody_still_has() {
        let mut sizes = quiet(&[6, 6, 4]);
        sizes[0].giving = 2;
        sizes[2].expected = 2;
        assert_eq!(table_for(&sizes, 6), None, "those who go have not gone yet");
        assert_eq!(plan(&sizes, SIX), []);
    }

    #[test]
    fn the_fullest_gives_to_the_emptiest_and_a_difference_of_one_is_left_alone() {
        assert_eq!(plan(&quiet(&[6, 4, 5]), SIX), [Plan { from: 1, to: vec![2], breaks: false }]);
        assert_eq!(plan(&quiet(&[6, 5, 5]), SIX), []);
        assert_eq!(plan(&quiet(&[6, 4, 5]), Rules { apart: 2, ..SIX }), []);
    }

    #[test]
    fn seats_are_kept_free_for_those_who_still_come() {
        assert!(plan(&quiet(&[6, 3, 3]), SIX).iter().any(|plan| plan.breaks));
        assert!(!plan(&quiet(&[6, 3, 3]), Rules { reserve: 1, ..SIX }).iter().any(|plan| plan.breaks));
    }

    #[test]
    fn a_table_to_which_somebody_is_on_the_way_is_not_broken() {
        let mut sizes = quiet(&[3, 2]);
        sizes[0].expected = 1;
        sizes[1].expected = 1;
        assert_eq!(plan(&sizes, Rules { seats: 9, ..SIX }), []);
    }

    proptest! {
        #[test]
        fn plans_end_with_as_few_tables_as_can_be_whose_sizes_are_within_one(
            at in prop::collection::vec(0_u32..=9, 1..40),
            seats in 9_u32..=10,
        ) {
            let mut sizes = quiet(&at);
            let total: u32 = at.iter().sum();
            let rules = Rules { seats, ..SIX };
            let mut rounds = 0;
            loop {
                let plans = plan(&sizes, rules);
                let mut givers: Vec<u32> = plans.iter().map(|plan| plan.from).collect();
                givers.sort_unstable();
                let all = givers.len();
                givers.dedup();
                prop_assert_eq!(givers.len(), all, "one plan a table");
                if plans.is_empty() {
                    break;
                }
                done(&mut sizes, &plans);
                prop_assert!(sizes.iter().all(|size| size.players <= seats), "{:?}", sizes);
                rounds += 1;
                prop_assert!(rounds < 200, "{:?}", sizes);
            }
            prop_assert_eq!(players(&sizes).iter().sum::<u32>(), total);
            let (most, least) = (players(&sizes).into_iter().max().unwrap(), players(&sizes).into_iter().min().unwrap());
            prop_assert!(most - least <= 1, "{:?}", sizes);
            prop_assert_eq!(u32::try_from(sizes.len()).unwrap(), total.div_ceil(seats).max(1));
        }
    }
}
