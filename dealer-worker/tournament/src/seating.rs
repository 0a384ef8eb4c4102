//! The first seating: who sits at which table. The table then draws the seat.

use rand_chacha::rand_core::Rng;

/// So many tables are needed.
pub fn tables_for(entries: usize, seats: u8) -> usize {
    entries.div_ceil(usize::from(seats).max(1))
}

/// Shares entries out over tables, by chance: each order is as likely as any other, and sizes differ by one at most. What is answered
/// is the number of the table, from 0, of each entry.
pub fn first(entries: usize, seats: u8, rng: &mut dyn Rng) -> Vec<usize> {
    let tables = tables_for(entries, seats);
    let mut places: Vec<usize> = (0..entries).map(|at| at % tables.max(1)).collect();
    shuffle(&mut places, rng);
    places
}

/// Every order is as likely as any other.
pub fn shuffle<T>(items: &mut [T], rng: &mut dyn Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(last + 1, rng));
    }
}

/// A number below `bound`, each as likely as any other.
pub fn below(bound: usize, rng: &mut dyn Rng) -> usize {
    let bound = bound as u64;
    // What lies beyond the last whole multiple would make small numbers likelier.
    let most = u64::MAX - u64::MAX % bound;
    loop {
        let drawn = rng.next_u64();
        if drawn < most {
            return usize::try_from(drawn % bound).expect("below a usize");
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    use super::*;

    #[test]
    fn tables_differ_by_one_player_at_most_and_are_as_few_as_can_be() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (entries, seats, tables) in
            [(2, 2, 1), (6, 6, 1), (7, 6, 2), (18, 9, 2), (100, 6, 17), (14, 5, 3)]
        {
            let of = first(entries, seats, &mut rng);
            let mut sizes = vec![0; tables];
            of.iter().for_each(|table| sizes[*table] += 1);
            let (most, least) = (sizes.iter().max().unwrap(), sizes.iter().min().unwrap());
            assert!(most - least <= 1 && *most <= usize::from(seats), "{sizes:?}");
        }
    }

    /// Chi-square with 8 degrees of freedom; 35.6 is exceeded once in 50,000 times.
    #[test]
    fn the_draw_favours_nobody() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let (draws, tables) = (100_000_u32, 9);
        let mut counts = vec![0_u32; tables];
        for _ in 0..draws {
            counts[first(54, 6, &mut rng)[0]] += 1;
        }
        let expected = f64::from(draws) / tables as f64;
        let chi: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        assert!(chi < 35.6, "{counts:?}: {chi}");
    }
}
