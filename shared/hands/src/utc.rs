//! A moment as a date and a time of the day in UTC.

use std::fmt;

use protocol::time::UnixMs;

const DAY_S: u64 = 24 * 60 * 60;

/// A second of a day. Shown as ISO 8601 writes it: `2026-01-31T18:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utc {
    /// Of the Gregorian calendar, 1970 and on.
    pub year: u64,
    /// From 1.
    pub month: u64,
    /// From 1.
    pub day: u64,
    /// 0 to 23.
    pub hour: u64,
    /// 0 to 59.
    pub minute: u64,
    /// 0 to 59.
    pub second: u64,
}

impl Utc {
    /// The second in which this millisecond lies.
    pub fn of(ms: UnixMs) -> Self {
        let seconds = ms / 1_000;
        // Days since the first of March of the year 0, as leap days are the last of a year that begins then; in cycles of 400 years.
        let days = seconds / DAY_S + 719_468;
        let (cycle, of_cycle) = (days / 146_097, days % 146_097);
        let year = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
        let of_year = of_cycle - (365 * year + year / 4 - year / 100);
        // Months from March have 31, 30, 31, 30, 31 days, and so on.
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = cycle * 400 + year + u64::from(month <= 2);
        let of_day = seconds % DAY_S;
        Self { year, month, day, hour: of_day / 3_600, minute: of_day / 60 % 60, second: of_day % 60 }
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The right values are those of `date -u -d @SECONDS`.
    #[test]
    fn a_moment_is_told_as_calendars_do() {
        for (seconds, told) in [
            (0, "1970-01-01T00:00:00Z"),
            (68_169_599, "1972-02-28T23:59:59Z"),
            (68_169_600, "1972-02-29T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_769_882_400, "2026-01-31T18:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(Utc::of(seconds * 1_000 + 999).to_string(), told);
        }
        // No day is left out, and none comes twice.
        let mut before = Utc::of(0);
        for day in 1..200_000 {
            let now = Utc::of(day * DAY_S * 1_000);
            let goes_on = (now.year, now.month, now.day) == (before.year, before.month, before.day + 1);
            let new_month = now.day == 1 && (28..=31).contains(&before.day);
            assert!(goes_on || new_month, "{before} {now}");
            before = now;
        }
    }
}
