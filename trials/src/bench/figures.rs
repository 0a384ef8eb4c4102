//! Figures by name, with the unit last in the name; of several runs the median, the least and the most.

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram;
use serde::Serialize;

/// Figures of one run.
pub type Figures = BTreeMap<String, f64>;

/// What one counted run has measured.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// Of the product.
    pub figures: Figures,
    /// Of the floor: what the kernel, or Redis alone, takes for the same bytes.
    pub floor: Figures,
    /// Product by floor; only where both measure the same.
    pub ratio: Figures,
    /// Latencies at fixed shares of all deliveries, for the report.
    pub latency: Vec<Curve>,
}

impl Run {
    /// Puts a figure of the product beside the floor's, and their ratio.
    pub fn compare(&mut self, name: &str, product: f64, floor: f64) {
        self.figures.insert(name.into(), product);
        self.floor.insert(name.into(), floor);
        if floor > 0.0 {
            self.ratio.insert(name.into(), product / floor);
        }
    }

    /// All figures of a run beside those of another that did the same otherwise, which is the floor then.
    pub fn beside(self, other: Self) -> Self {
        let mut run = Self { latency: self.latency, ..Self::default() };
        for (name, product) in self.figures {
            match other.figures.get(&name) {
                Some(floor) => run.compare(&name, product, *floor),
                None => run.tell(&name, product),
            }
        }
        run.latency.extend(other.latency);
        run
    }

    /// A figure without a floor.
    pub fn tell(&mut self, name: &str, product: f64) {
        self.figures.insert(name.into(), product);
    }
}

/// A latency distribution: `(share of deliveries, microseconds)`.
#[derive(Debug, Clone, Serialize)]
pub struct Curve {
    /// What was measured.
    pub name: String,
    /// From the fastest to the slowest.
    pub points: Vec<(f64, u64)>,
}

/// The shares of deliveries at which a latency distribution is kept: dense at the slow end.
const SHARES: [f64; 14] =
    [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 1.0];

impl Curve {
    /// The distribution in a histogram of microseconds.
    pub fn of(name: impl Into<String>, latency_us: &Histogram<u64>) -> Self {
        let points = SHARES.map(|share| (share, latency_us.value_at_quantile(share)));
        Self { name: name.into(), points: points.to_vec() }
    }
}

/// A figure over all counted runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of at least one value.
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Self { median, min: values[0], max: values[values.len() - 1] }
    }
}

/// All counted runs of a workload.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Of the product.
    pub figures: BTreeMap<String, Spread>,
    /// Of the floor.
    pub floor: BTreeMap<String, Spread>,
    /// Medians of the runs' ratios.
    pub ratio: BTreeMap<String, Spread>,
    /// The last run's.
    pub latency: Vec<Curve>,
    /// How many.
    pub runs: usize,
}

impl Summary {
    /// Sums runs up.
    pub fn of(runs: &[Run]) -> Self {
        Self {
            figures: spreads(runs.iter().map(|run| &run.figures)),
            floor: spreads(runs.iter().map(|run| &run.floor)),
            ratio: spreads(runs.iter().map(|run| &run.ratio)),
            latency: runs.last().map(|run| run.latency.clone()).unwrap_or_default(),
            runs: runs.len(),
        }
    }

    /// The median of a figure of the product.
    pub fn median(&self, name: &str) -> Option<f64> {
        self.figures.get(name).map(|spread| spread.median)
    }

    /// `{"figures": {..}, "floor": {..}, "ratio": {..}}` with medians, and beside them `"spread"` with least and most.
    pub fn to_json(&self) -> serde_json::Value {
        let medians = |of: &BTreeMap<String, Spread>| -> serde_json::Value {
            of.iter()
                .map(|(name, spread)| (name.clone(), number(spread.median)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let bounds = |of: &BTreeMap<String, Spread>| -> serde_json::Value {
            let pair = |spread: &Spread| vec![number(spread.min), number(spread.max)];
            of.iter()
                .map(|(name, spread)| (name.clone(), pair(spread).into()))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        serde_json::json!({
            "figures": medians(&self.figures),
            "floor": medians(&self.floor),
            "ratio": medians(&self.ratio),
            "spread": {
                "figures": bounds(&self.figures), "floor": bounds(&self.floor), "ratio": bounds(&self.ratio),
            },
            "runs": self.runs,
        })
    }

    /// Product, floor and ratio side by side, a line a figure.
    pub fn describe(&self, workload: &str) -> String {
        use std::fmt::Write as _;
        let mut text = format!(
            "{workload}, median of {} (least to most)\n  {:<40} {:>31} {:>31} {:>7}\n",
            self.runs, "", "product", "floor", "ratio"
        );
        let names: BTreeSet<&String> = self.figures.keys().chain(self.floor.keys()).collect();
        for name in names {
            let show =
                |of: &BTreeMap<String, Spread>| of.get(name).map_or_else(String::new, Spread::to_string);
            let ratio = self.ratio.get(name).map_or_else(String::new, |ratio| format!("{:.2}", ratio.median));
            let _ = writeln!(
                text,
                "  {name:<40} {:>31} {:>31} {ratio:>7}",
                show(&self.figures),
                show(&self.floor)
            );
        }
        text
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { median, min, max } = self;
        write!(f, "{} ({} to {})", short(*median), short(*min), short(*max))
    }
}

fn short(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 1_000.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// Whole numbers without a point; others to a thousandth.
fn number(value: f64) -> serde_json::Value {
    let rounded = (value * 1_000.0).round() / 1_000.0;
    if rounded.fract() == 0.0 { (rounded as i64).into() } else { rounded.into() }
}

fn spreads<'a>(runs: impl Iterator<Item = &'a Figures>) -> BTreeMap<String, Spread> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for run in runs {
        for (name, value) in run {
            values.entry(name.clone()).or_default().push(*value);
        }
    }
    values.into_iter().map(|(name, values)| (name, Spread::of(values))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_summed_up_as_medians_with_least_and_most() {
        let run = |product: f64, floor: f64| {
            let mut run = Run::default();
            run.compare("p50_us", product, floor);
            run.tell("lost", 0.0);
            run
        };
        let summary = Summary::of(&[run(30.0, 10.0), run(10.0, 10.0), run(50.0, 20.0)]);
        assert_eq!(summary.figures["p50_us"], Spread { median: 30.0, min: 10.0, max: 50.0 });
        let json = summary.to_json();
        assert_eq!(json["figures"]["p50_us"], 30);
        assert_eq!(json["figures"]["lost"], 0);
        assert_eq!(json["ratio"]["p50_us"], 2.5);
        assert_eq!(json["spread"]["floor"]["p50_us"], serde_json::json!([10, 20]));
        assert!(json["ratio"].get("lost").is_none());
    }
}
