//! How often one address may ask: a token bucket each, in memory that no number of addresses can make grow.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use ops::serve::address::network;
use tokio::time::Instant;

/// Buckets, one word each (512 KiB in all). Addresses share a bucket when a keyed hash puts them there, which nobody
/// outside can bring about on purpose: with a thousand addresses active, about one in 65 of them has to share.
const BUCKETS: usize = 1 << 16;

/// A token bucket for each address: `burst` requests at once, and so many a minute in the long run.
///
/// Kept as a *theoretical arrival time* (the generic cell rate algorithm): the moment at which the bucket is full
/// again. So a bucket is a single word, changed by one compare-and-swap, and an idle one needs no sweeping.
pub struct AddressLimit {
    full_again_us: Box<[AtomicU64]>,
    hasher: RandomState,
    origin: Instant,
    token_us: u64,
    burst_us: u64,
}

impl AddressLimit {
    /// Allows `burst` requests at once (at least one) and `per_minute` in the long run; `None` with `per_minute` 0:
    /// no limit.
    pub fn new(per_minute: u32, burst: u32) -> Option<Self> {
        let token_us = Duration::from_secs(60).as_micros() as u64
            / u64::from(std::num::NonZeroU32::new(per_minute)?.get());
        Some(Self {
            full_again_us: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            origin: Instant::now(),
            token_us,
            burst_us: token_us * u64::from(burst.max(1)),
        })
    }

    /// Takes a token of the address.
    ///
    /// # Errors
    /// How long to wait for the next one.
    pub fn admit(&self, address: IpAddr) -> Result<(), Duration> {
        let now_us = u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX / 2);
        let bucket = &self.full_again_us[self.hasher.hash_one(network(address)) as usize % BUCKETS];
        let take = |full_again_us: u64| {
            let after = full_again_us.max(now_us) + self.token_us;
            (after <= now_us + self.burst_us).then_some(after)
        };
        bucket.fetch_update(Relaxed, Relaxed, take).map(drop).map_err(|full_again_us| {
            Duration::from_micros(full_again_us + self.token_us - now_us - self.burst_us)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_the_rate_holds() {
        let limit = AddressLimit::new(60, 3).unwrap();
        for _ in 0..3 {
            assert_eq!(limit.admit(ANN), Ok(()));
        }
        assert_eq!(limit.admit(ANN), Err(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_millis(400)).await;
        assert_eq!(limit.admit(ANN), Err(Duration::from_millis(600)));
        tokio::time::advance(Duration::from_millis(600)).await;
        assert_eq!(limit.admit(ANN), Ok(()));
        assert!(limit.admit(ANN).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_address_gets_its_burst_back_and_no_more() {
        let limit = AddressLimit::new(60, 2).unwrap();
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(
            [limit.admit(ANN).is_ok(), limit.admit(ANN).is_ok(), limit.admit(ANN).is_ok()],
            [true, true, false]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_does_not_use_up_anothers_tokens() {
        let limit = AddressLimit::new(1, 1).unwrap();
        let others = (1..=50).filter(|host| limit.admit(IpAddr::from([198, 51, 100, *host])).is_ok()).count();
        // A shared bucket is possible (one in 50 such runs); three are not.
        assert!(others > 47, "{others} of 50");
    }

    #[tokio::test(start_paused = true)]
    async fn an_ipv6_subscriber_cannot_step_aside_within_the_network() {
        let limit = AddressLimit::new(1, 1).unwrap();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(limit.admit(address("2001:db8:1:2::1")).is_ok());
        assert!(limit.admit(address("2001:db8:1:2:ffff::9")).is_err());
    }

    #[test]
    fn a_rate_of_zero_means_no_limit() {
        assert!(AddressLimit::new(0, 5).is_none());
    }
}
