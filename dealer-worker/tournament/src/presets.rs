//! Tournaments that need nobody to set them: heads-up, six and nine seats, in three speeds.

use protocol::tournament::{Level, Starts, TournamentConfig};

/// How fast the blinds grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    /// Levels of three minutes, few chips.
    Hyper,
    /// Of five minutes.
    Turbo,
    /// Of ten.
    Regular,
}

impl Speed {
    /// The speed of this name: `hyper`, `turbo` or `regular`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "hyper" => Some(Self::Hyper),
            "turbo" => Some(Self::Turbo),
            "regular" => Some(Self::Regular),
            _ => None,
        }
    }

    fn ms(self) -> u64 {
        match self {
            Self::Hyper => 180_000,
            Self::Turbo => 300_000,
            Self::Regular => 600_000,
        }
    }

    fn stack(self) -> u64 {
        match self {
            Self::Hyper => 500,
            Self::Turbo | Self::Regular => 1_500,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Hyper => "Hyper",
            Self::Turbo => "Turbo",
            Self::Regular => "Sit & Go",
        }
    }
}

/// Big blinds of the levels; the small one is half of it. From the fifth on the big blind pays an ante for the table, as much as itself.
const BIG_BLINDS: [u64; 18] =
    [20, 30, 40, 60, 80, 100, 140, 200, 300, 400, 600, 800, 1_200, 1_600, 2_400, 4_000, 8_000, 16_000];

/// The levels without an ante.
const WITHOUT_ANTE: usize = 4;

/// Levels of this length.
pub fn levels(ms: u64) -> Vec<Level> {
    let level = |(at, big_blind): (usize, &u64)| {
        let ante = if at < WITHOUT_ANTE { 0 } else { *big_blind };
        Level::Play { small_blind: big_blind / 2, big_blind: *big_blind, ante, ms }
    };
    BIG_BLINDS.iter().enumerate().map(level).collect()
}

/// A tournament at one table that begins when all seats are taken.
pub fn sit_and_go(seats: u8, speed: Speed) -> TournamentConfig {
    let how_many = if seats == 2 { "heads-up".to_owned() } else { format!("{seats} players") };
    let quick = speed == Speed::Hyper;
    TournamentConfig {
        name: format!("{} {how_many}", speed.word()),
        seats,
        entries_min: seats.into(),
        entries_max: seats.into(),
        starts: Starts::WhenFull,
        stack: speed.stack(),
        levels: levels(speed.ms()),
        turn_ms: if quick { 10_000 } else { 15_000 },
        bank_ms: if quick { 10_000 } else { 30_000 },
        ..TournamentConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::check;

    #[test]
    fn all_presets_are_valid() {
        for seats in [2, 6, 9] {
            for speed in ["hyper", "turbo", "regular"] {
                let config = sit_and_go(seats, Speed::named(speed).unwrap());
                assert_eq!(check(&config), Ok(()), "{seats} {speed}");
            }
        }
    }
}
