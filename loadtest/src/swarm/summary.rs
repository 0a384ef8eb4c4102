//! The result of a swarm.

use std::{collections::BTreeMap, io};

use hdrhistogram::Histogram;
use player::{Breaches, Purses};
use protocol::RefusalCode;
use serde::{Deserialize, Serialize};

/// Everything that a swarm found out.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Bots that took part.
    pub bots: u64,
    /// Measured for so long, seconds.
    pub seconds: u64,
    /// Hands ended.
    pub hands: u64,
    /// Actions applied.
    pub actions: u64,
    /// Frames and keyframes that bots got.
    pub deliveries: u64,
    /// Action to frame at each player, microseconds.
    pub latency_us: Histogram<u64>,
    /// Broken promises, from the first connection to the last answer.
    pub breaches: Breaches,
    /// Refusals by code.
    pub refused: BTreeMap<RefusalCode, u64>,
    /// Connections after a bot's first.
    pub reconnects: u64,
    /// Bots whose connection was closed for good, by close code.
    pub turned_away: BTreeMap<u16, u64>,
    /// Bots that never got a token.
    pub without_token: u64,
    /// Whose accounts were held against their own sums, where the tables play for a currency.
    pub purses: Purses,
}

/// The JSON line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Summary {
    /// See [`Outcome`].
    pub bots: u64,
    /// See [`Outcome`].
    pub seconds: u64,
    /// See [`Outcome`].
    pub hands: u64,
    /// See [`Outcome`].
    pub actions: u64,
    /// See [`Outcome`].
    pub deliveries: u64,
    /// See [`Outcome`].
    pub latency_us: Quantiles,
    /// See [`Outcome`].
    pub breaches: Breaches,
    /// See [`Outcome`].
    pub refused: BTreeMap<RefusalCode, u64>,
    /// See [`Outcome`]; nothing where nobody was judged so.
    #[serde(default, skip_serializing_if = "is_nobody")]
    pub purses: Purses,
}

fn is_nobody(purses: &Purses) -> bool {
    *purses == Purses::default()
}

/// A distribution in four numbers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Quantiles {
    /// Half are at most this.
    pub p50: u64,
    /// 99 of 100 are.
    pub p99: u64,
    /// 999 of 1,000 are.
    pub p999: u64,
    /// All are.
    pub max: u64,
}

impl Quantiles {
    /// Of a histogram; all zero when it is empty.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            p50: histogram.value_at_quantile(0.5),
            p99: histogram.value_at_quantile(0.99),
            p999: histogram.value_at_quantile(0.999),
            max: histogram.max(),
        }
    }
}

impl Outcome {
    /// The JSON line's content.
    pub fn summary(&self) -> Summary {
        Summary {
            bots: self.bots,
            seconds: self.seconds,
            hands: self.hands,
            actions: self.actions,
            deliveries: self.deliveries,
            latency_us: Quantiles::of(&self.latency_us),
            breaches: self.breaches.clone(),
            refused: self.refused.clone(),
            purses: self.purses,
        }
    }

    /// The same for people, with what the JSON line leaves out.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn describe(&self, out: &mut impl io::Write) -> io::Result<()> {
        let each_second = |count: u64| count as f64 / self.seconds.max(1) as f64;
        let latency = Quantiles::of(&self.latency_us);
        let ms = |us: u64| us as f64 / 1_000.0;
        writeln!(
            out,
            "{} bots, {} s: {} hands, {} actions ({:.0}/s), {} deliveries ({:.0}/s)",
            self.bots,
            self.seconds,
            self.hands,
            self.actions,
            each_second(self.actions),
            self.deliveries,
            each_second(self.deliveries)
        )?;
        writeln!(
            out,
            "action to frame: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms",
            ms(latency.p50),
            ms(latency.p99),
            ms(latency.p999),
            ms(latency.max)
        )?;
        let b = &self.breaches;
        writeln!(
            out,
            "breaches: {}; reconnects {}, keyframes that jumped {}",
            b.total(),
            self.reconnects,
            b.jumped
        )?;
        for line in &b.described {
            writeln!(out, "  {line}")?;
        }
        if !is_nobody(&self.purses) {
            let Purses { judged, unsure } = self.purses;
            writeln!(
                out,
                "accounts held against their players' sums: {judged}; players who are not sure: {unsure}"
            )?;
        }
        if b.lost > 0 {
            writeln!(out, "history lost by the broker, seen by clients: {}", b.lost)?;
        }
        if !self.refused.is_empty() {
            writeln!(out, "refused: {:?}", self.refused)?;
        }
        if !self.turned_away.is_empty() || self.without_token > 0 {
            let (away, without) = (&self.turned_away, self.without_token);
            writeln!(out, "turned away for good, by close code: {away:?}; without a token: {without}")?;
        }
        Ok(())
    }

    /// Adds another part of the same swarm.
    pub fn add(&mut self, other: &Self) {
        self.bots += other.bots;
        self.seconds = self.seconds.max(other.seconds);
        self.hands += other.hands;
        self.actions += other.actions;
        self.deliveries += other.deliveries;
        self.latency_us.add(&other.latency_us).expect("all have the same bounds");
        self.breaches.add(&other.breaches);
        for (code, count) in &other.refused {
            *self.refused.entry(*code).or_default() += count;
        }
        self.reconnects += other.reconnects;
        for (code, count) in &other.turned_away {
            *self.turned_away.entry(*code).or_default() += count;
        }
        self.without_token += other.without_token;
        self.purses.add(other.purses);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swarm::tally::new_histogram;

    #[test]
    fn the_summary_is_the_line_that_others_read() {
        let mut latency_us = new_histogram();
        latency_us.record(700).unwrap();
        let outcome = Outcome {
            bots: 6,
            seconds: 30,
            hands: 4,
            actions: 50,
            deliveries: 300,
            latency_us,
            breaches: Breaches { chips: 2, jumped: 1, ..Breaches::default() },
            refused: [(RefusalCode::Late, 3)].into(),
            reconnects: 1,
            turned_away: BTreeMap::new(),
            without_token: 0,
            purses: Purses::default(),
        };
        assert_eq!(
            serde_json::to_string(&outcome.summary()).unwrap(),
            concat!(
                r#"{"bots":6,"seconds":30,"hands":4,"actions":50,"deliveries":300,"#,
                r#""latency_us":{"p50":700,"p99":700,"p999":700,"max":700},"#,
                r#""breaches":{"gap":0,"repeat":0,"fold":0,"chips":2,"rules":0,"privacy":0,"answer":0,"money":0},"refused":{"late":3}}"#
            )
        );
    }
}
