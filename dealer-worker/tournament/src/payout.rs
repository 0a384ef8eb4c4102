//! How prizes are divided: a pure function of entries and pool. What is given adds up to the pool exactly, and a better place never gets less.
//!
//! To ten entries the parts are fixed. Beyond, 13 to 15 % of the places are paid; the last of them gets about 1.7 buy-ins, and the rest follows a power law that is
//! fitted to a usual first prize. Places are paid in groups, as everywhere: nobody plays for two chips between the 40th and the 41st place.

use protocol::tournament::{Payouts, Prize};

/// Hundredths of a percent in all.
const WHOLE: u64 = 10_000;

/// The last prize in tenths of a buy-in, where the pool has it.
const LAST_TENTHS: u128 = 17;

/// The first prize is sought with so many halvings.
const HALVINGS: u32 = 60;

/// So many places have a prize.
pub fn paid(entries: u32, payouts: &Payouts) -> u32 {
    let places = match payouts {
        Payouts::Parts(parts) => u32::try_from(parts.len()).unwrap_or(u32::MAX),
        Payouts::Auto => match entries {
            0..=2 => 1,
            3..=6 => 2,
            7..=10 => 3,
            11..=200 => (entries * 15).div_ceil(100).max(3),
            201..2_000 => (entries * 14).div_ceil(100),
            _ => u32::try_from((u64::from(entries) * 13).div_ceil(100)).unwrap_or(u32::MAX),
        },
    };
    places.min(entries)
}

/// All prizes, best place first. Their sum is the pool.
pub fn prizes(entries: u32, pool: u64, payouts: &Payouts) -> Vec<Prize> {
    let places = paid(entries, payouts);
    if places == 0 || pool == 0 {
        return Vec::new();
    }
    let mut prizes = match payouts {
        Payouts::Parts(parts) => by_parts(parts, places, pool),
        Payouts::Auto => match places {
            1 => by_parts(&[10_000], places, pool),
            2 if entries <= 6 => by_parts(&[6_500, 3_500], places, pool),
            3 if entries <= 10 => by_parts(&[5_000, 3_000, 2_000], places, pool),
            _ => by_power(entries, places, pool),
        },
    };
    settle(&mut prizes, pool);
    prizes
}

/// The prize of a place.
pub fn prize(prizes: &[Prize], place: u32) -> u64 {
    prizes.iter().find(|prize| (prize.from..=prize.to).contains(&place)).map_or(0, |prize| prize.each)
}

/// What each of those that share these places gets, in an order in which odd chips are given: the first get one more.
pub fn shared(prizes: &[Prize], best: u32, sharers: u32) -> Vec<u64> {
    let sum: u64 = (best..best + sharers).map(|place| prize(prizes, place)).sum();
    let (each, odd) = (sum / u64::from(sharers), sum % u64::from(sharers));
    (0..u64::from(sharers)).map(|at| each + u64::from(at < odd)).collect()
}

fn by_parts(parts: &[u16], places: u32, pool: u64) -> Vec<Prize> {
    let used = &parts[..usize::try_from(places).unwrap_or(parts.len()).min(parts.len())];
    // With fewer entries than parts, those that are left have the whole.
    let whole: u64 = used.iter().map(|part| u64::from(*part)).sum::<u64>().max(1);
    let part = |part: u16| scaled(pool, u64::from(part), whole.min(WHOLE));
    (1..).zip(used).map(|(place, of)| Prize { from: place, to: place, each: part(*of) }).collect()
}

fn scaled(amount: u64, by: u64, of: u64) -> u64 {
    u64::try_from(u128::from(amount) * u128::from(by) / u128::from(of)).unwrap_or(u64::MAX)
}

/// Groups of places that get the same: nine single ones, then wider and wider.
fn groups(places: u32) -> Vec<(u32, u32)> {
    let mut groups = Vec::new();
    let mut from = 1;
    while from <= places {
        let size = match from {
            ..=9 => 1,
            10..=18 => 3,
            19..=54 => 9,
            55..=126 => 18,
            127..=342 => 36,
            _ => 90,
        };
        let to = (from + size - 1).min(places);
        groups.push((from, to));
        from = to + 1;
    }
    groups
}

/// The first prize that is sought, as a part of the pool.
fn first_part(entries: u32) -> f64 {
    match entries {
        ..=60 => 0.30,
        61..=500 => 0.22,
        501..=3_000 => 0.17,
        _ => 0.145,
    }
}

fn by_power(entries: u32, places: u32, pool: u64) -> Vec<Prize> {
    let groups = groups(places);
    let buy_in = pool / u64::from(entries).max(1);
    let wanted = u64::try_from(u128::from(pool) * LAST_TENTHS / 10 / u128::from(entries)).unwrap_or(pool);
    let last = wanted.min(pool / u64::from(places));
    let rest = (pool - last * u64::from(places)) as f64;
    let sizes: Vec<f64> = groups.iter().map(|(from, to)| f64::from(to - from + 1)).collect();
    let each = |power: f64| -> Vec<f64> {
        let mean = |(from, to): &(u32, u32)| {
            (*from..=*to).map(|place| f64::from(place).powf(-power)).sum::<f64>() / f64::from(to - from + 1)
        };
        let weights: Vec<f64> = groups.iter().map(mean).collect();
        let total: f64 = weights.iter().zip(&sizes).map(|(weight, size)| weight * size).sum();
        weights.iter().map(|weight| last as f64 + rest * weight / total).collect()
    };
    let (mut low, mut high) = (0.0, 6.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if each(middle)[0] < first_part(entries) * pool as f64 { low = middle } else { high = middle }
    }
    let round = |exact: f64| {
        let whole = exact as u64;
        if whole >= 20 * buy_in.max(1) { nice(whole).max(last) } else { whole.max(last) }
    };
    let prizes = groups.iter().zip(each(low));
    prizes.map(|((from, to), exact)| Prize { from: *from, to: *to, each: round(exact) }).collect()
}

/// Two digits and zeros.
fn nice(whole: u64) -> u64 {
    let digits = whole.checked_ilog10().unwrap_or(0);
    let step = 10_u64.pow(digits.saturating_sub(1));
    whole / step * step
}

/// No place gets more than the one before it, and what rounding has left goes to the first.
fn settle(prizes: &mut [Prize], pool: u64) {
    for at in 1..prizes.len() {
        prizes[at].each = prizes[at].each.min(prizes[at - 1].each);
    }
    let given = |prizes: &[Prize]| -> u64 {
        prizes.iter().map(|prize| prize.each * u64::from(prize.to - prize.from + 1)).sum()
    };
    // Floating point may have given some chips too many: the last ones give them back.
    let mut over = given(prizes).saturating_sub(pool);
    for prize in prizes.iter_mut().rev() {
        let size = u64::from(prize.to - prize.from + 1);
        let less = over.div_ceil(size).min(prize.each);
        prize.each -= less;
        over = over.saturating_sub(less * size);
    }
    for at in 1..prizes.len() {
        prizes[at].each = prizes[at].each.min(prizes[at - 1].each);
    }
    let left = pool - given(prizes);
    if let Some(first) = prizes.first_mut() {
        first.each += left;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(prizes: &[Prize]) -> u64 {
        prizes.iter().map(|prize| prize.each * u64::from(prize.to - prize.from + 1)).sum()
    }

    fn each(entries: u32, pool: u64) -> Vec<u64> {
        prizes(entries, pool, &Payouts::Auto).iter().map(|prize| prize.each).collect()
    }

    #[test]
    fn small_tournaments_have_fixed_parts() {
        assert_eq!(each(2, 2_000), [2_000]);
        assert_eq!(each(6, 6_000), [3_900, 2_100]);
        assert_eq!(each(9, 9_000), [4_500, 2_700, 1_800]);
        assert_eq!(each(3, 100), [65, 35]);
        assert_eq!(each(7, 1), [1, 0, 0], "an odd chip is the first one's");
    }

    #[test]
    fn large_ones_pay_a_part_of_the_places_and_the_usual_first_prize() {
        for (entries, places, first) in
            [(27, 5, 0.30), (180, 27, 0.22), (1_000, 140, 0.17), (10_000, 1_300, 0.145)]
        {
            let pool = u64::from(entries) * 1_000;
            let prizes = prizes(entries, pool, &Payouts::Auto);
            assert_eq!((prizes.last().unwrap().to, sum(&prizes)), (places, pool), "{entries}");
            let part = prizes[0].each as f64 / pool as f64;
            assert!((first - 0.01..first + 0.06).contains(&part), "{entries}: {part}");
            assert!(prizes.last().unwrap().each >= 1_700, "{entries}: {:?}", prizes.last());
        }
    }

    #[test]
    fn parts_that_are_given_hold_and_with_fewer_entries_the_best_have_the_whole() {
        let parts = Payouts::Parts(vec![5_000, 3_000, 2_000]);
        assert_eq!(
            prizes(10, 1_000, &parts).iter().map(|prize| prize.each).collect::<Vec<_>>(),
            [500, 300, 200]
        );
        assert_eq!(prizes(2, 800, &parts).iter().map(|prize| prize.each).collect::<Vec<_>>(), [500, 300]);
    }

    #[test]
    fn who_ties_shares_what_the_places_get() {
        let prizes = prizes(9, 9_001, &Payouts::Auto);
        assert_eq!(shared(&prizes, 2, 2), [2_250, 2_250]);
        assert_eq!(shared(&prizes, 3, 3), [600, 600, 600], "one prize and two places without");
        let sum: u64 = shared(&prizes, 1, 2).iter().sum();
        assert_eq!(sum, prize(&prizes, 1) + prize(&prizes, 2));
    }

    proptest! {
        #[test]
        fn the_sum_is_exact_and_no_better_place_gets_less(
            entries in 1_u32..12_000,
            buy_in in prop::sample::select(vec![1_u64, 10, 100, 550, 1_000, 2_199]),
            overlay in 0_u64..100_000,
        ) {
            let pool = u64::from(entries) * buy_in + overlay;
            let prizes = prizes(entries, pool, &Payouts::Auto);
            prop_assert_eq!(sum(&prizes), pool);
            prop_assert!(prizes.windows(2).all(|two| two[0].each >= two[1].each));
            prop_assert_eq!(prizes.first().unwrap().from, 1);
            prop_assert!(prizes.windows(2).all(|two| two[0].to + 1 == two[1].from));
            prop_assert_eq!(prizes.last().unwrap().to, paid(entries, &Payouts::Auto));
        }
    }
}
