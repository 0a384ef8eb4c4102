//! What to do when a connection has ended: whether to come back, when, and with what.

use protocol::{CloseCode, id::RoomId};
use rand::{Rng, RngExt};
use tokio::time::Duration;

/// The first pause after a connection could not be made or broke.
const PAUSE_MIN: Duration = Duration::from_millis(100);

/// Pauses double up to this.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// A relay that restarts asks to come back within this.
const RESTART_WITHIN: Duration = Duration::from_secs(1);

/// A relay that is full, or finds a client too fast, asks to come back after "some seconds".
const SOME_SECONDS: std::ops::Range<f64> = 2.0..5.0;

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comeback {
    /// Connect again after so long, resuming.
    After(Duration),
    /// The same, with a new token.
    WithNewToken(Duration),
    /// The same, as a new session.
    AsNewSession(Duration),
    /// Nothing: what was said is wrong and would be wrong again.
    Never,
}

impl Comeback {
    /// What a close code asks for, at the `failures`th end of a connection in a row (from 0).
    pub fn to(code: Option<u16>, failures: u32, rng: &mut impl Rng) -> Self {
        let is = |known: CloseCode| code == Some(known as u16);
        let pause = backoff(failures, rng);
        if is(CloseCode::Restart) {
            Self::After(RESTART_WITHIN.mul_f64(rng.random_range(0.0..1.0)))
        } else if is(CloseCode::TryAgainLater) || is(CloseCode::TooFast) {
            Self::After(Duration::from_secs_f64(rng.random_range(SOME_SECONDS)))
        } else if is(CloseCode::BadToken) || is(CloseCode::TokenExpired) || is(CloseCode::Revoked) {
            Self::WithNewToken(pause)
        } else if is(CloseCode::SessionTaken) {
            Self::AsNewSession(pause)
        } else if is(CloseCode::Protocol)
            || is(CloseCode::Unsupported)
            || is(CloseCode::NotText)
            || is(CloseCode::TooLarge)
            || is(CloseCode::HelloFirst)
            || is(CloseCode::BadMessage)
        {
            Self::Never
        } else {
            Self::After(pause)
        }
    }
}

/// What the `failures`th attempt in a row (from 0) asks the edge to be near: the first a room, if there is one. The edge takes
/// equal words to the same relay. That one may be standing still, which the edge sees some seconds later, so a later attempt says another
/// word: all players of a room the same one, and who has no room any.
pub fn near(room: Option<&RoomId>, failures: u32, rng: &mut impl Rng) -> Option<String> {
    match (room, failures) {
        (None, 0) => None,
        (None, _) => Some(format!("~{}", rng.random::<u16>())),
        (Some(room), 0) => Some(room.to_string()),
        (Some(room), again) => Some(format!("{room}~{again}")),
    }
}

/// Doubles from `PAUSE_MIN` to `PAUSE_MAX`; then anything between half of it and the whole, so that clients that
/// lost one relay together do not come to the next one together.
pub fn backoff(failures: u32, rng: &mut impl Rng) -> Duration {
    let whole = PAUSE_MIN.saturating_mul(2_u32.saturating_pow(failures)).min(PAUSE_MAX);
    whole.mul_f64(rng.random_range(0.5..1.0))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn every_close_code_is_obeyed() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut to = |code: CloseCode| Comeback::to(Some(code as u16), 0, &mut rng);
        assert!(matches!(to(CloseCode::Restart), Comeback::After(pause) if pause < RESTART_WITHIN));
        assert!(matches!(to(CloseCode::TryAgainLater), Comeback::After(pause) if pause.as_secs() >= 2));
        assert!(matches!(to(CloseCode::TooFast), Comeback::After(pause) if pause.as_secs() >= 2));
        assert!(matches!(to(CloseCode::TokenExpired), Comeback::WithNewToken(_)));
        assert!(matches!(to(CloseCode::Revoked), Comeback::WithNewToken(pause) if pause.as_secs() < 1));
        assert!(matches!(to(CloseCode::SessionTaken), Comeback::AsNewSession(_)));
        assert!(matches!(to(CloseCode::Idle), Comeback::After(_)));
        assert_eq!(to(CloseCode::BadMessage), Comeback::Never);
        assert!(matches!(Comeback::to(None, 0, &mut rng), Comeback::After(_)), "a connection that broke");
    }

    #[test]
    fn who_has_failed_asks_for_another_relay_and_players_of_a_room_for_the_same() {
        let room = RoomId::new("t1").unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut say = |room, failures| near(room, failures, &mut rng);
        assert_eq!(say(None, 0), None);
        assert_ne!(say(None, 1), say(None, 1));
        let words = [0, 1, 2].map(|failures| say(Some(&room), failures).unwrap());
        assert_eq!(words, ["t1", "t1~1", "t1~2"]);
    }

    #[test]
    fn pauses_grow_to_their_bound() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert!(backoff(0, &mut rng) <= PAUSE_MIN);
        assert!(backoff(4, &mut rng) >= PAUSE_MIN * 8);
        assert!(backoff(99, &mut rng) <= PAUSE_MAX);
    }
}
