//! The clock of the levels: data, not ticks. Whoever has it computes the level at any time, so a new level costs no message at however many
//! tables, and nothing is to be done after a takeover.

use protocol::{
    time::UnixMs,
    tournament::{Clock, Level},
};

/// What the clock says at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Which part of the schedule it is, from 0.
    pub index: usize,
    /// What is on.
    pub level: Level,
    /// When the next part begins, if the clock goes on; `None` in the last one, and while the clock stands still.
    pub until_ms: Option<UnixMs>,
}

/// One that begins then.
pub fn from(base_ms: UnixMs) -> Clock {
    Clock { version: 1, base_ms, offset_ms: 0, stopped_ms: None, paused: false }
}

/// So much of the levels has passed, milliseconds.
pub fn elapsed(clock: &Clock, now: UnixMs) -> u64 {
    let now = clock.stopped_ms.map_or(now, |stopped_ms| stopped_ms.min(now));
    let since = i128::from(now) - i128::from(clock.base_ms) - i128::from(clock.offset_ms);
    u64::try_from(since.max(0)).unwrap_or(u64::MAX)
}

/// What is on now. The last part of the schedule lasts for ever.
///
/// # Panics
/// If there are no levels: [`check`](crate::settings::check) lets nobody set that.
pub fn read(clock: &Clock, levels: &[Level], now: UnixMs) -> Reading {
    let passed = elapsed(clock, now);
    let mut begins = 0_u64;
    for (index, level) in levels.iter().enumerate() {
        let ends = begins.saturating_add(level.ms());
        if passed < ends || index + 1 == levels.len() {
            let is_last = index + 1 == levels.len();
            let goes_on = clock.stopped_ms.is_none() && !is_last;
            let until_ms = goes_on.then(|| reaches(clock, ends));
            return Reading { index, level: *level, until_ms };
        }
        begins = ends;
    }
    unreachable!("there is a level")
}

/// When so much of the levels has passed, if the clock goes on.
pub fn reaches(clock: &Clock, elapsed_ms: u64) -> UnixMs {
    let at = i128::from(clock.base_ms) + i128::from(clock.offset_ms) + i128::from(elapsed_ms);
    u64::try_from(at.max(0)).unwrap_or(u64::MAX)
}

/// When a hand may begin, from `at` on; `None` while the clock is paused.
pub fn hands_from(clock: &Clock, levels: &[Level], at: UnixMs) -> Option<UnixMs> {
    if clock.paused {
        return None;
    }
    let at = at.max(clock.base_ms);
    let reading = read(clock, levels, at);
    match reading.level {
        Level::Play { .. } => Some(at),
        Level::Break { .. } => reading.until_ms,
    }
}

/// The blinds at a moment: of a break, those of the level before it.
pub fn blinds(clock: &Clock, levels: &[Level], now: UnixMs) -> (u64, u64, u64) {
    let index = read(clock, levels, now).index;
    let played = levels[..=index].iter().rev().find_map(|level| match *level {
        Level::Play { small_blind, big_blind, ante, .. } => Some((small_blind, big_blind, ante)),
        Level::Break { .. } => None,
    });
    played.unwrap_or((0, 1, 0))
}

/// The same clock standing still from now on.
#[must_use]
pub fn stopped(clock: &Clock, now: UnixMs, paused: bool) -> Clock {
    let stopped_ms = Some(clock.stopped_ms.unwrap_or(now));
    Clock { version: clock.version + 1, stopped_ms, paused, ..*clock }
}

/// The same clock going on from now on.
#[must_use]
pub fn going(clock: &Clock, now: UnixMs) -> Clock {
    let stood = clock.stopped_ms.map_or(0, |stopped_ms| signed(now.saturating_sub(stopped_ms)));
    let offset_ms = clock.offset_ms.saturating_add(stood);
    Clock { version: clock.version + 1, offset_ms, stopped_ms: None, paused: false, ..*clock }
}

/// The same clock with more time for what is on, or less.
#[must_use]
pub fn with_time(clock: &Clock, ms: i64) -> Clock {
    Clock { version: clock.version + 1, offset_ms: clock.offset_ms.saturating_add(ms), ..*clock }
}

/// Milliseconds as a difference.
fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    fn play(big_blind: u64, minutes: u64) -> Level {
        Level::Play { small_blind: big_blind / 2, big_blind, ante: 0, ms: minutes * MINUTE }
    }

    fn levels() -> Vec<Level> {
        vec![play(20, 10), play(40, 10), Level::Break { ms: 5 * MINUTE }, play(80, 10)]
    }

    fn index(clock: &Clock, now: UnixMs) -> usize {
        read(clock, &levels(), now).index
    }

    #[test]
    fn a_new_level_begins_with_its_first_millisecond_and_the_last_one_lasts() {
        let clock = from(1_000);
        assert_eq!(
            [0, 1_000, 1_000 + 10 * MINUTE - 1, 1_000 + 10 * MINUTE].map(|now| index(&clock, now)),
            [0, 0, 0, 1]
        );
        assert_eq!(index(&clock, u64::MAX), 3);
        assert_eq!(read(&clock, &levels(), u64::MAX).until_ms, None);
        assert_eq!(read(&clock, &levels(), 1_000).until_ms, Some(1_000 + 10 * MINUTE));
    }

    #[test]
    fn no_hand_begins_before_the_start_in_a_break_or_in_a_pause() {
        let clock = from(1_000);
        let hand = |clock: &Clock, at| hands_from(clock, &levels(), at);
        assert_eq!(hand(&clock, 0), Some(1_000));
        assert_eq!(hand(&clock, 5_000), Some(5_000));
        let (begins, ends) = (1_000 + 20 * MINUTE, 1_000 + 25 * MINUTE);
        assert_eq!(
            [begins - 1, begins, ends - 1, ends].map(|at| hand(&clock, at)),
            [Some(begins - 1), Some(ends), Some(ends), Some(ends)]
        );
        assert_eq!(hand(&stopped(&clock, 5_000, true), 6_000), None);
        assert_eq!(hand(&stopped(&clock, 5_000, false), 6_000), Some(6_000), "hand for hand");
    }

    #[test]
    fn a_paused_clock_goes_on_where_it_stood() {
        let clock = from(0);
        let pause = stopped(&clock, 9 * MINUTE, true);
        assert_eq!(index(&pause, 100 * MINUTE), 0);
        assert_eq!(stopped(&pause, 50 * MINUTE, true).stopped_ms, Some(9 * MINUTE), "it stands already");
        let again = going(&pause, 100 * MINUTE);
        assert_eq!(elapsed(&again, 100 * MINUTE), 9 * MINUTE);
        assert_eq!((index(&again, 101 * MINUTE - 1), index(&again, 101 * MINUTE)), (0, 1));
        assert!(again.version > pause.version && pause.version > clock.version);
    }

    #[test]
    fn time_is_added_to_the_level_that_is_on_and_hands_for_hand_are_counted() {
        let longer = with_time(&from(0), 60_000);
        assert_eq!((index(&longer, 10 * MINUTE), index(&longer, 11 * MINUTE)), (0, 1));
        let stands = stopped(&from(0), 9 * MINUTE, false);
        assert_eq!(index(&with_time(&stands, -120_000), 9 * MINUTE), 1, "a hand has counted two minutes");
    }

    #[test]
    fn in_a_break_the_blinds_are_those_of_before() {
        let clock = from(0);
        assert_eq!(blinds(&clock, &levels(), 21 * MINUTE), (20, 40, 0));
        assert_eq!(blinds(&clock, &levels(), 25 * MINUTE), (40, 80, 0));
    }
}
