//! The result of a chaos run.

use std::{collections::BTreeMap, fmt::Write as _};

use player::{Breaches, Purses};
use serde::Serialize;

use super::{books::Written, cup::Played, fault::Kind, recovery::Times};
use crate::judge::Promise;

/// How many breaches are told in words.
const DESCRIBED_MAX: usize = 40;

/// The last line of `--json`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// For how long things went wrong.
    pub minutes: f64,
    /// Hands that ended, by the journals.
    pub hands: u64,
    /// Actions that were accepted, by the bots.
    pub actions: u64,
    /// Faults by kind.
    pub faults: BTreeMap<Kind, u64>,
    /// Broken promises by kind: those of the judge, and those that bots' referees saw.
    pub breaches: BTreeMap<String, u64>,
    /// From a fault to the first accepted action at each table concerned, milliseconds.
    pub recovery_ms: BTreeMap<Kind, Quantiles>,
    /// The same since the first of the tables had a new owner; where tables had to move.
    pub since_noticed_ms: BTreeMap<Kind, Quantiles>,
    /// From letting a table go to owning it, microseconds, for all hand-overs.
    pub hand_over_us: Quantiles,
    /// What nodes counted.
    pub counted: BTreeMap<&'static str, u64>,
    /// Connections of bots after their first.
    pub reconnects: u64,
    /// Frames and keyframes that bots got.
    pub deliveries: u64,
    /// Entries in all journals.
    pub frames: u64,
    /// Messages that were held against the journals.
    pub judged: u64,
    /// Messages that were not, as the judge was too slow.
    pub not_judged: u64,
    /// Bots whose account was held against their own sum, where the tables play for a currency, and those that are not sure of it.
    pub purses: Purses,
    /// Tables of which nothing was left, and that had chips.
    pub settled_tables: u64,
    /// Players that these have paid.
    pub settled_players: u64,
    /// Jobs that were answered, and those of them that another had taken before.
    pub jobs_done: u64,
    /// See there.
    pub jobs_handed_on: u64,
    /// What was found written down of hands, where they are kept.
    pub written: Written,
    /// What the tournament has come to, if one was played.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tournament: Option<Played>,
    /// The first breaches in words.
    #[serde(skip)]
    pub described: Vec<String>,
    /// When which fault struck, UTC.
    #[serde(skip)]
    pub struck: Vec<String>,
}

/// A distribution in two numbers, and of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    /// Half are at most this.
    pub p50: u64,
    /// 99 of 100 are.
    pub p99: u64,
    /// How many there were.
    pub count: usize,
}

impl Quantiles {
    /// Of these values; all zero without any.
    pub fn of(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let count = values.len();
        // The smallest value that so many percent do not exceed.
        let at =
            |percent: usize| values.get((count * percent).div_ceil(100).max(1) - 1).copied().unwrap_or(0);
        Self { p50: at(50), p99: at(99), count }
    }
}

impl Report {
    /// Takes what the judge found.
    pub fn take_broken(&mut self, broken: &[(Promise, String)]) {
        for promise in Promise::all() {
            self.breaches.entry(promise.name()).or_default();
        }
        for (promise, what) in broken {
            *self.breaches.entry(promise.name()).or_default() += 1;
            self.describe(format!("{promise:?}: {what}"));
        }
    }

    /// Takes what bots' referees saw.
    pub fn refereed(&mut self, seen: &Breaches) {
        let kinds = [
            ("gap", seen.gap),
            ("repeat", seen.repeat),
            ("fold", seen.fold),
            ("chips", seen.chips),
            ("rules", seen.rules),
            ("privacy", seen.privacy),
            ("answer", seen.answer),
            ("money", seen.money),
        ];
        for (kind, count) in kinds {
            *self.breaches.entry(kind.into()).or_default() += count;
        }
        seen.described.iter().for_each(|what| self.describe(format!("a bot: {what}")));
    }

    /// Takes how long tables took to recover.
    pub fn recovered(&mut self, times: BTreeMap<Kind, Times>) {
        for (kind, times) in times {
            self.recovery_ms.insert(kind, Quantiles::of(times.since_fault));
            if kind.moves_tables() {
                self.since_noticed_ms.insert(kind, Quantiles::of(times.since_noticed));
            }
        }
    }

    /// All breaches together.
    pub fn breaches_total(&self) -> u64 {
        self.breaches.values().sum()
    }

    fn describe(&mut self, what: String) {
        if self.described.len() < DESCRIBED_MAX {
            self.described.push(what);
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{:.1} minutes: {} hands, {} actions, {} frames, {} deliveries, {} reconnects; judged {} messages\n",
            self.minutes,
            self.hands,
            self.actions,
            self.frames,
            self.deliveries,
            self.reconnects,
            self.judged
        );
        let mut line = |args: std::fmt::Arguments<'_>| {
            let _ = text.write_fmt(args);
            text.push('\n');
        };
        line(format_args!("{:<20} {:>6} {:>8} {:>9} {:>9}", "fault", "times", "tables", "p50 ms", "p99 ms"));
        for (kind, times) in &self.faults {
            let recovery = self.recovery_ms.get(kind).copied().unwrap_or_default();
            let Quantiles { p50, p99, count } = recovery;
            line(format_args!("{:<20} {times:>6} {count:>8} {p50:>9} {p99:>9}", kind.name()));
        }
        for (kind, Quantiles { p50, p99, count }) in &self.since_noticed_ms {
            line(format_args!("since noticed: {:<20} {count:>8} {p50:>9} {p99:>9}", kind.name()));
        }
        let Quantiles { p50, p99, count } = self.hand_over_us;
        line(format_args!("hand-overs: {count}, p50 {p50} us, p99 {p99} us"));
        let (Purses { judged, unsure }, tables, players) =
            (self.purses, self.settled_tables, self.settled_players);
        line(format_args!(
            "accounts held against their players' sums: {judged}, players who are not sure: {unsure}; settled: {tables} tables, {players} players"
        ));
        line(format_args!(
            "jobs: {} answered, {} of them by a second one",
            self.jobs_done, self.jobs_handed_on
        ));
        let Written { hands, signed, dead } = self.written;
        line(format_args!("written down: {hands} hands, {signed} of them signed; {dead} put aside"));
        if let Some(Played {
            entries,
            accounts,
            seconds,
            moved,
            move_ms,
            seen_us,
            late_ms,
            owners,
            waited_ms,
        }) = &self.tournament
        {
            line(format_args!("tournament: {entries} entries, {seconds:.0} s to the winner, {moved} moved"));
            line(format_args!("  accounts held against what was paid and won: {accounts}"));
            let times = |name: &str, of: &Quantiles, unit: &str| {
                format!("{name}: {}, p50 {} {unit}, p99 {} {unit}", of.count, of.p50, of.p99)
            };
            line(format_args!("  {}", times("moves by the journals", move_ms, "ms")));
            line(format_args!("  {}", times("moves as players saw them", seen_us, "us")));
            line(format_args!("  {}", times("late entries until they sat", late_ms, "ms")));
            line(format_args!(
                "  owners after the first: {owners}; {}",
                times("waits for what was said before", waited_ms, "ms")
            ));
        }
        line(format_args!("counted: {:?}", self.counted));
        line(format_args!("breaches: {} {:?}", self.breaches_total(), self.breaches));
        for what in &self.described {
            line(format_args!("  {what}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        assert_eq!(Quantiles::of(Vec::new()), Quantiles::default());
        assert_eq!(Quantiles::of(vec![7]), Quantiles { p50: 7, p99: 7, count: 1 });
        assert_eq!(Quantiles::of((1..=100).rev().collect()), Quantiles { p50: 50, p99: 99, count: 100 });
    }

    #[test]
    fn the_line_names_every_promise_and_counts_what_was_broken() {
        let mut report = Report { minutes: 0.5, ..Report::default() };
        report.take_broken(&[(Promise::Once, "t1".into())]);
        report.refereed(&Breaches { chips: 2, ..Breaches::default() });
        assert_eq!(report.breaches_total(), 3);
        let line = serde_json::to_value(&report).unwrap();
        assert_eq!(line["breaches"]["once"], 1);
        assert_eq!(line["breaches"]["privacy"], 0);
        assert_eq!(line["minutes"], 0.5);
    }
}
