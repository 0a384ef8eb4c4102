//! What chips are worth in prizes (independent chip model, Malmuth and Harville): who has a share of the chips wins first place so often,
//! and the other places follow in the same way among those who are left.

/// What each of these stacks wins on average, in the prizes' unit. Stacks of none win nothing but what is left for the last.
///
/// Goes through all orders of the paid places: for up to ten players, three or four paid places are a few thousand.
pub fn values(stacks: &[f64], prizes: &[f64]) -> Vec<f64> {
    let mut values = vec![0.0; stacks.len()];
    let mut is_placed = vec![false; stacks.len()];
    place(stacks, prizes, 1.0, &mut is_placed, &mut values);
    values
}

fn place(stacks: &[f64], prizes: &[f64], chance: f64, is_placed: &mut [bool], values: &mut [f64]) {
    let Some((prize, rest)) = prizes.split_first() else { return };
    let left: f64 =
        stacks.iter().zip(&*is_placed).filter(|(_, placed)| !**placed).map(|(stack, _)| stack).sum();
    let (count, broke) = (is_placed.iter().filter(|placed| !**placed).count(), left <= 0.0);
    for at in 0..stacks.len() {
        if is_placed[at] {
            continue;
        }
        // Those who go at once share what is left.
        let chance = chance * if broke { 1.0 / count as f64 } else { stacks[at] / left };
        if chance <= 0.0 {
            continue;
        }
        values[at] += chance * prize;
        is_placed[at] = true;
        place(stacks, rest, chance, is_placed, values);
        is_placed[at] = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(values: &[f64], known: &[f64]) -> bool {
        values.iter().zip(known).all(|(value, known)| (value - known).abs() < 1e-9)
    }

    #[test]
    fn chips_are_worth_what_the_model_says() {
        assert!(
            close(&values(&[75.0, 25.0], &[1.0]), &[0.75, 0.25]),
            "one prize: chips are worth their share"
        );
        let even = values(&[10.0; 4], &[50.0, 30.0, 20.0]);
        assert!(close(&even, &[25.0; 4]), "{even:?}");
        // By hand: first with 1/2; second behind each of the others.
        let three = values(&[50.0, 30.0, 20.0], &[60.0, 40.0]);
        let second = 0.3 * 0.5 / 0.7 + 0.2 * 0.5 / 0.8;
        assert!((three[0] - (0.5 * 60.0 + second * 40.0)).abs() < 1e-9, "{three:?}");
        assert!((three.iter().sum::<f64>() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_chip_more_is_worth_less_than_a_chip_less_costs() {
        let worth =
            |mine: f64| values(&[mine, 3_000.0 - mine / 2.0, 3_000.0 - mine / 2.0], &[50.0, 30.0, 20.0])[0];
        assert!(worth(3_000.0) - worth(2_000.0) < worth(2_000.0) - worth(1_000.0));
    }

    #[test]
    fn who_has_no_chips_left_wins_the_last_prize_at_most() {
        let values = values(&[100.0, 0.0, 50.0], &[50.0, 30.0, 20.0]);
        assert!((values[1] - 20.0).abs() < 1e-9, "{values:?}");
    }
}
