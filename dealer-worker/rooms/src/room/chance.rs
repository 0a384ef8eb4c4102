//! Randomness that does not tell what was drawn from it before, nor, in a house, what will be.
//!
//! A deck follows from 32 bytes. Were they a part of one stream with one key, whoever reads the worker's memory once would have the
//! decks of all hands before and after. So the key changes with each draw, by a function that cannot be turned round, and the one
//! before is overwritten: nothing leads back. And each draw takes in 32 bytes that the system gives at that moment: nothing leads
//! forward. In tests and in the simulator the latter are left out, so that everything follows from the seed.

use std::convert::Infallible;

use aws_lc_rs::hmac;
use rand::rngs::SysRng;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng, TryRng},
};
use zeroize::Zeroizing;

const BYTES: usize = 32;

/// What is drawn at once; overwritten when it is dropped.
pub type Drawn = Zeroizing<[u8; BYTES]>;

/// See the module.
pub struct Chance {
    key: Drawn,
    source: Source,
}

/// What comes in with each draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    System,
    Seed,
}

impl Chance {
    /// For a house.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn of_the_system() -> Self {
        Self { key: fresh(), source: Source::System }
    }

    /// For tests and the simulator: all that is drawn follows from the seed.
    pub fn seeded(seed: u64) -> Self {
        let mut key = Drawn::default();
        ChaCha20Rng::seed_from_u64(seed).fill_bytes(&mut *key);
        Self { key, source: Source::Seed }
    }

    /// Another one, of the same sort.
    #[must_use]
    pub fn split(&mut self) -> Self {
        Self { key: self.draw(), source: self.source }
    }

    /// The next bytes.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn draw(&mut self) -> Drawn {
        let fresh = match self.source {
            Source::System => fresh(),
            Source::Seed => Drawn::default(),
        };
        // Its memory is overwritten too when it is dropped.
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*self.key);
        let derived = |what: u8| {
            let mut context = hmac::Context::with_key(&key);
            context.update(&[what]);
            context.update(&*fresh);
            let mut bytes = Drawn::default();
            bytes.copy_from_slice(context.sign().as_ref());
            bytes
        };
        let drawn = derived(0);
        self.key.copy_from_slice(&*derived(1));
        drawn
    }
}

fn fresh() -> Drawn {
    let mut bytes = Drawn::default();
    SysRng.try_fill_bytes(&mut *bytes).expect("the system gives random bytes");
    bytes
}

/// As rooms use it: few draws, of a seed each.
impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
        for part in into.chunks_mut(BYTES) {
            part.copy_from_slice(&self.draw()[..part.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in memory, as one finds it who reads it now.
    fn memory_of(chance: &Chance) -> Chance {
        Chance { key: chance.key.clone(), source: chance.source }
    }

    #[test]
    fn what_was_drawn_stands_nowhere_in_what_is_kept() {
        let mut chance = Chance::seeded(7);
        let mut before = vec![chance.key.to_vec()];
        for _ in 0..100 {
            let drawn = chance.draw();
            before.push(drawn.to_vec());
            assert!(!before.contains(&chance.key.to_vec()), "neither a key of before nor anything drawn");
            // Nor does one who has read it come to it by drawing on.
            let mut read = memory_of(&chance);
            assert!((0..200).all(|_| !before.contains(&read.draw().to_vec())));
            before.push(chance.key.to_vec());
        }
    }

    #[test]
    fn who_has_read_the_memory_of_a_house_does_not_know_what_is_drawn_next() {
        let mut chance = Chance::of_the_system();
        let mut read = memory_of(&chance);
        assert_ne!(*chance.draw(), *read.draw());
        assert_ne!(*chance.split().key, *read.split().key);
    }

    #[test]
    fn with_a_seed_everything_is_drawn_again() {
        let drawn = |seed| {
            let mut chance = Chance::seeded(seed);
            let mut room = chance.split();
            [chance.draw(), room.draw(), room.split().draw()].map(|drawn| *drawn)
        };
        assert_eq!(drawn(1), drawn(1));
        assert!(drawn(1).iter().zip(&drawn(2)).all(|(one, other)| one != other));
        let [worker, room, split] = drawn(1);
        assert!(worker != room && room != split && worker != split);
    }

    #[test]
    fn bytes_of_any_length_are_filled_from_as_many_draws() {
        let (mut whole, mut one_by_one) = (Chance::seeded(3), Chance::seeded(3));
        let mut bytes = [0; 80];
        whole.fill_bytes(&mut bytes);
        let drawn: Vec<u8> = (0..3).flat_map(|_| one_by_one.draw().to_vec()).take(80).collect();
        assert_eq!(bytes.to_vec(), drawn);
    }
}
