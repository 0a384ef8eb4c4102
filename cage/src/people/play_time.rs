//! How long somebody wants to play in a day, by his own wish.
//!
//! Time counts while a token lasts with which he may play, from when it is given out until it ends or the next one is: several at once
//! count once. No such token lasts longer than there is time left, so nobody has to watch the clock. A day begins when he first comes after
//! the one before is over, and lasts 24 hours. A tighter limit holds at once, a looser one after [`LOOSER_AFTER_MS`].

use protocol::{id::UserId, time::UnixMs};

use crate::tx::{DbError, Row, Tx};

const MINUTE_MS: u64 = 60_000;

/// How long a day lasts.
pub const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// The tightest limit, minutes in a day.
pub const MINUTES_MIN: u32 = 15;

/// The loosest: none, and nothing is counted.
pub const MINUTES_ALL: u32 = 24 * 60;

/// A looser limit holds so long after it was asked for.
pub const LOOSER_AFTER_MS: u64 = 3 * DAY_MS;

/// A token of whoever has a limit lasts no longer: that much is counted at most for somebody who has left.
pub const TOKEN_MAX_MS: u64 = 3 * MINUTE_MS;

/// Less than this is nothing: no token is made for it.
pub const REST_MS: u64 = 30_000;

/// How long somebody wants to play, and has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlayTime {
    /// The limit, minutes in a day.
    pub minutes: u32,
    /// A looser one, and when it holds.
    pub next: Option<Next>,
    /// When the day began.
    pub day_ms: UnixMs,
    /// How much of it was used.
    pub used_ms: u64,
    set_ms: UnixMs,
    counted_ms: UnixMs,
    until_ms: UnixMs,
}

/// A looser limit that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// Minutes in a day.
    pub minutes: u32,
    /// When it was asked for.
    pub asked_ms: UnixMs,
    /// When it holds.
    pub from_ms: UnixMs,
}

impl PlayTime {
    fn unlimited(now: UnixMs) -> Self {
        Self {
            minutes: MINUTES_ALL,
            next: None,
            day_ms: now,
            used_ms: 0,
            set_ms: now,
            counted_ms: now,
            until_ms: now,
        }
    }

    /// Whether there is a limit.
    pub fn is_limited(&self) -> bool {
        self.minutes < MINUTES_ALL
    }

    /// How much is left.
    pub fn left_ms(&self) -> u64 {
        (u64::from(self.minutes) * MINUTE_MS).saturating_sub(self.used_ms)
    }

    /// When it begins again, once it is used up.
    pub fn again_ms(&self) -> Option<UnixMs> {
        let is_used_up = self.is_limited() && self.left_ms() < REST_MS;
        let day_ends_ms = self.day_ms.saturating_add(DAY_MS);
        is_used_up.then(|| self.next.map_or(day_ends_ms, |next| next.from_ms.min(day_ends_ms)))
    }

    /// As it is later. Clocks of several receptions differ: none sets it back.
    fn at(self, now: UnixMs) -> Self {
        let now = now.max(self.counted_ms);
        let mut at = self;
        let until_ms = self.until_ms.min(now);
        let day_ends_ms = self.day_ms.saturating_add(DAY_MS);
        if now < day_ends_ms {
            at.used_ms = self.used_ms.saturating_add(until_ms.saturating_sub(self.counted_ms));
        } else if until_ms > day_ends_ms && now < day_ends_ms.saturating_add(DAY_MS) {
            // He plays on: the next day begins with the end of this one.
            (at.day_ms, at.used_ms) = (day_ends_ms, until_ms - day_ends_ms);
        } else {
            (at.day_ms, at.used_ms) = (now, 0);
        }
        at.counted_ms = now;
        if let Some(next) = self.next.filter(|next| next.from_ms <= now) {
            (at.minutes, at.next, at.set_ms) = (next.minutes, None, next.from_ms);
        }
        if !at.is_limited() {
            (at.day_ms, at.used_ms, at.until_ms) = (now, 0, now);
        }
        at
    }

    /// With another limit. Tokens that were given out before last `token_ms` at most.
    fn with(self, minutes: u32, token_ms: u64, now: UnixMs) -> Self {
        let now = now.max(self.set_ms);
        if minutes > self.minutes {
            let waits_already = self.next.filter(|next| next.minutes == minutes);
            let from_ms = now.saturating_add(LOOSER_AFTER_MS);
            return Self { next: waits_already.or(Some(Next { minutes, asked_ms: now, from_ms })), ..self };
        }
        let with = Self { minutes, next: None, set_ms: now, ..self };
        let until_ms = if self.is_limited() { self.until_ms } else { now.saturating_add(token_ms) };
        let most_ms = self.counted_ms.saturating_add(with.left_ms());
        Self { until_ms: if with.is_limited() { until_ms.min(most_ms) } else { now }, ..with }
    }
}

const OF: &str = "SELECT minutes, next_minutes, asked_ms, next_from_ms, day_ms, used_ms, set_ms, counted_ms, until_ms \
                  FROM play_time WHERE person = $1";

/// So that nobody else counts the same time.
const ALONE: &str = "SELECT minutes, next_minutes, asked_ms, next_from_ms, day_ms, used_ms, set_ms, counted_ms, until_ms \
                     FROM play_time WHERE person = $1 FOR UPDATE";

fn read(row: &Row) -> Result<PlayTime, DbError> {
    let minutes = |count: u64| {
        u32::try_from(count).map_err(|_| DbError::Broken("a day has more minutes than there are".into()))
    };
    let next = match (row.maybe_count(1)?, row.maybe_count(2)?, row.maybe_count(3)?) {
        (Some(count), Some(asked_ms), Some(from_ms)) => {
            Some(Next { minutes: minutes(count)?, asked_ms, from_ms })
        }
        _ => None,
    };
    Ok(PlayTime {
        minutes: minutes(row.count(0)?)?,
        next,
        day_ms: row.count(4)?,
        used_ms: row.count(5)?,
        set_ms: row.count(6)?,
        counted_ms: row.count(7)?,
        until_ms: row.count(8)?,
    })
}

fn store(tx: &mut dyn Tx, person: &UserId, time: &PlayTime) -> Result<(), DbError> {
    tx.run(
        "INSERT INTO play_time (person, minutes, next_minutes, asked_ms, next_from_ms, day_ms, used_ms, set_ms, counted_ms, until_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (person) DO UPDATE SET minutes = $2, next_minutes = $3, \
         asked_ms = $4, next_from_ms = $5, day_ms = $6, used_ms = $7, set_ms = $8, counted_ms = $9, until_ms = $10",
        &[
            person.as_str().into(),
            time.minutes.into(),
            time.next.map(|next| next.minutes).into(),
            time.next.map(|next| next.asked_ms).into(),
            time.next.map(|next| next.from_ms).into(),
            time.day_ms.into(),
            time.used_ms.into(),
            time.set_ms.into(),
            time.counted_ms.into(),
            time.until_ms.into(),
        ],
    )
    .map(drop)
}

/// How long a person wants to play and has, if he has ever limited it.
///
/// # Errors
/// Of the database.
pub fn of(tx: &mut dyn Tx, person: &UserId, now: UnixMs) -> Result<Option<PlayTime>, DbError> {
    found(tx, OF, person, now)
}

fn found(
    tx: &mut dyn Tx,
    sql: &'static str,
    person: &UserId,
    now: UnixMs,
) -> Result<Option<PlayTime>, DbError> {
    let rows = tx.run(sql, &[person.as_str().into()])?;
    Ok(rows.first().map(read).transpose()?.map(|time| time.at(now)))
}

/// A token with which the person may play is about to be given out, which would last `token_ms`: it lasts [`PlayTime::token_ms`].
///
/// # Errors
/// Of the database.
pub fn begin(
    tx: &mut dyn Tx,
    person: &UserId,
    token_ms: u64,
    now: UnixMs,
) -> Result<Option<PlayTime>, DbError> {
    let Some(time) = found(tx, ALONE, person, now)?.filter(PlayTime::is_limited) else { return Ok(None) };
    let lasts_ms = if time.again_ms().is_some() { 0 } else { time.token_ms(token_ms) };
    let until_ms = time.until_ms.max(time.counted_ms.saturating_add(lasts_ms));
    let begun = PlayTime { until_ms, ..time };
    store(tx, person, &begun)?;
    Ok(Some(begun))
}

impl PlayTime {
    /// How long a token lasts with which the person may play, of a house whose tokens last `token_ms`.
    pub fn token_ms(&self, token_ms: u64) -> u64 {
        if self.is_limited() { token_ms.min(TOKEN_MAX_MS).min(self.left_ms()) } else { token_ms }
    }
}

/// The person wants to play so many minutes in a day, in a house whose tokens last `token_ms`. How it is then; `None` if there never was a
/// limit, and is none.
///
/// # Errors
/// [`DbError::Refused`] when a day has not so many, or they are too few.
pub fn set(
    tx: &mut dyn Tx,
    person: &UserId,
    minutes: u32,
    token_ms: u64,
    now: UnixMs,
) -> Result<Option<PlayTime>, DbError> {
    let known = found(tx, ALONE, person, now)?;
    if known.is_none() && minutes == MINUTES_ALL {
        return Ok(None);
    }
    let set = known.unwrap_or_else(|| PlayTime::unlimited(now)).with(minutes, token_ms, now);
    // What has come to hold meanwhile is stored first: a step at a time is what the database allows.
    if let Some(known) = known {
        store(tx, person, &known)?;
    }
    store(tx, person, &set)?;
    Ok(Some(set))
}

/// Forgets it all, of somebody who is gone.
///
/// # Errors
/// [`DbError::Refused`] while there is the person.
pub fn forget(tx: &mut dyn Tx, person: &UserId) -> Result<(), DbError> {
    tx.run("DELETE FROM play_time WHERE person = $1", &[person.as_str().into()]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    fn limited(minutes: u32) -> PlayTime {
        PlayTime { until_ms: NOW, ..PlayTime::unlimited(NOW).with(minutes, 0, NOW) }
    }

    /// Whoever comes at random times, from several devices, with breaks and over days, has used what a clock says that looks every second.
    #[test]
    fn what_is_counted_is_what_a_clock_says_that_looks_each_second() {
        let mut seed = 7_u64;
        let mut next = move |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        for _ in 0..200 {
            let mut time = limited(60 + u32::try_from(next(600)).unwrap());
            let (mut now, mut until) = (NOW, NOW);
            let (mut day, mut used) = (NOW, 0);
            for _ in 0..60 {
                let pause = [60, 170, 400, 20_000, 90_000][usize::try_from(next(5)).unwrap()] * 1_000;
                let later = now + 1_000 + next(pause) / 1_000 * 1_000;
                // The clock.
                while now < later {
                    now += 1_000;
                    if now > day + DAY_MS {
                        // A day ends, and the next begins when he is there.
                        if now <= until || now == later {
                            (day, used) = if now <= until { (day + DAY_MS, 0) } else { (now, 0) };
                        }
                    }
                    if now <= until {
                        used += 1_000;
                    }
                }
                if now == day + DAY_MS {
                    (day, used) = (now, 0);
                }
                time = time.at(now);
                assert_eq!((time.day_ms, time.used_ms), (day, used), "after {} s", (now - NOW) / 1_000);
                assert!(time.used_ms <= u64::from(time.minutes) * MINUTE_MS, "no more than the limit");
                if time.again_ms().is_none() {
                    time.until_ms = time.until_ms.max(now + time.token_ms(600_000));
                    until = time.until_ms;
                }
            }
        }
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_time_back() {
        let time = PlayTime { until_ms: NOW + 180_000, ..limited(60) }.at(NOW + 100_000);
        assert_eq!(time.at(NOW), time);
        assert_eq!(time.at(NOW + 100_001).used_ms, 100_001);
    }

    #[test]
    fn less_than_half_a_minute_is_nothing() {
        let time = PlayTime { used_ms: 60 * MINUTE_MS - REST_MS, ..limited(60) };
        assert_eq!((time.again_ms(), time.token_ms(600_000)), (None, REST_MS));
        let time = PlayTime { used_ms: time.used_ms + 1, ..time };
        assert_eq!(time.again_ms(), Some(NOW + DAY_MS));
    }
}
