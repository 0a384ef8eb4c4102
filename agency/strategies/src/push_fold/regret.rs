//! Regret matching plus: what would have been better is done more often, and what was done on average is an equilibrium of two.

/// One choice of two (to play or not) for each of several hands.
#[derive(Debug, Clone)]
pub(super) struct Regret {
    /// Of playing and of not playing; never less than 0.
    played: Vec<f64>,
    not: Vec<f64>,
    sums: Vec<f64>,
    weights: f64,
}

impl Regret {
    pub(super) fn new(hands: usize) -> Self {
        Self { played: vec![0.0; hands], not: vec![0.0; hands], sums: vec![0.0; hands], weights: 0.0 }
    }

    /// How often each hand is played now.
    pub(super) fn now(&self) -> Vec<f64> {
        self.played.iter().zip(&self.not).map(now).collect()
    }

    /// Takes what playing would have brought more than not playing. Later rounds weigh more.
    pub(super) fn learn(&mut self, gains: &[f64], round: usize) {
        let weight = round as f64;
        for (at, gain) in gains.iter().enumerate() {
            let playing = now((&self.played[at], &self.not[at]));
            self.sums[at] += weight * playing;
            self.played[at] = (self.played[at] + gain * (1.0 - playing)).max(0.0);
            self.not[at] = (self.not[at] - gain * playing).max(0.0);
        }
        self.weights += weight;
    }

    /// How often each hand was played on average.
    pub(super) fn average(&self) -> Vec<f64> {
        self.sums.iter().map(|sum| sum / self.weights.max(1.0)).collect()
    }
}

fn now((played, not): (&f64, &f64)) -> f64 {
    let all = played + not;
    if all > 0.0 { played / all } else { 0.5 }
}
