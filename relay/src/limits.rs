//! How much one connection may ask.

/// A plain token bucket: so many per second, so many at once. Eight bytes and no timer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    /// Negative: overdrawn.
    level: f32,
    /// When the level was right, milliseconds; wraps after 49 days, which then refills once too much.
    at_ms: u32,
}

/// What a bucket allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Within the rate.
    Fine,
    /// Over the rate; below it again after so many milliseconds.
    Over(u64),
    /// As far over the rate as the burst allows under it.
    FarOver,
}

impl Bucket {
    /// A full one.
    pub(crate) fn full(burst: u32, now_ms: u64) -> Self {
        Self { level: burst as f32, at_ms: now_ms as u32 }
    }

    /// Takes `amount` out, into the red if need be.
    pub(crate) fn take(&mut self, amount: u32, per_s: u32, burst: u32, now_ms: u64) -> Verdict {
        let elapsed_ms = (now_ms as u32).wrapping_sub(self.at_ms);
        self.at_ms = now_ms as u32;
        let refilled = self.level + elapsed_ms as f32 * per_s as f32 / 1000.0;
        self.level = refilled.min(burst as f32) - amount as f32;
        if self.level >= 0.0 {
            Verdict::Fine
        } else if self.level >= -(burst as f32) {
            Verdict::Over((-self.level * 1000.0 / per_s.max(1) as f32).ceil() as u64)
        } else {
            Verdict::FarOver
        }
    }

    /// Takes one out, or nothing if there is none.
    ///
    /// # Errors
    /// After how many milliseconds there will be one.
    pub(crate) fn take_one(&mut self, per_s: u32, burst: u32, now_ms: u64) -> Result<(), u64> {
        match self.take(1, per_s, burst, now_ms) {
            Verdict::Fine => Ok(()),
            over => {
                self.level += 1.0;
                Err(if let Verdict::Over(wait_ms) = over { wait_ms } else { 1_000 / u64::from(per_s.max(1)) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_refused_one_has_lost_nothing_by_asking() {
        let mut bucket = Bucket::full(4, 0);
        let mut take = |now_ms| bucket.take_one(4, 4, now_ms);
        for _ in 0..4 {
            assert_eq!(take(0), Ok(()));
        }
        for _ in 0..100 {
            assert_eq!(take(0), Err(250));
        }
        assert_eq!(take(100), Err(150));
        assert_eq!(take(250), Ok(()));
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let mut bucket = Bucket::full(3, 0);
        let mut take = |now_ms| bucket.take(1, 10, 3, now_ms);
        assert_eq!([take(0), take(0), take(0)], [Verdict::Fine; 3]);
        assert_eq!(take(0), Verdict::Over(100));
        assert_eq!(take(200), Verdict::Fine);
        assert_eq!(
            [take(200), take(200), take(200)],
            [Verdict::Over(100), Verdict::Over(200), Verdict::Over(300)]
        );
        assert_eq!(take(200), Verdict::FarOver);
        assert_eq!(take(10_000), Verdict::Fine);
    }
}
