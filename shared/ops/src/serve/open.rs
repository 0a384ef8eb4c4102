//! What is open: counted in all and by address, and bounded in both.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::Arc,
};

use metrics::{Gauge, gauge};
use parking_lot::Mutex;

/// Files that are kept for what is not a client: listeners, Redis, the bus, key files, the operators' port.
const FILES_KEPT: usize = 64;

/// How many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at most.
    pub connections_max: usize,
    /// Connections at most of one address.
    pub connections_per_address_max: usize,
    /// Files that the process needs for other things, beside some that every process needs.
    pub files_kept: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections_max: 20_000, connections_per_address_max: 10_000, files_kept: 0 }
    }
}

impl Limits {
    /// No more than so many open files leave room for. Where they are the narrower bound, one address gets at most half of
    /// them: nobody fills the house alone.
    pub(super) fn within(self, files: usize) -> Self {
        let kept = FILES_KEPT.min(files / 4) + self.files_kept.min(files / 2);
        let room = files.saturating_sub(kept).max(1);
        if room >= self.connections_max {
            return self;
        }
        tracing::info!(
            files,
            connections_max = room,
            "fewer connections than --connections-max fit into the limit of open files (ulimit -n)"
        );
        let per_address = self.connections_per_address_max.min(room.div_ceil(2));
        Self { connections_max: room, connections_per_address_max: per_address, ..self }
    }
}

/// Why one more is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// There are as many as there may be.
    Everything,
    /// This address has as many as it may have.
    Address,
}

/// See the module.
pub(super) struct Open {
    limits: Limits,
    counts: Mutex<Counts>,
    gauge: Option<Gauge>,
}

#[derive(Default)]
struct Counts {
    all: usize,
    /// Only those that have some.
    by_address: HashMap<IpAddr, usize>,
}

impl Open {
    /// Shown under a name, or not at all.
    pub(super) fn new(limits: Limits, shown_as: Option<&'static str>) -> Arc<Self> {
        let gauge = shown_as.map(|door| gauge!("cardhouse_http_open", "door" => door));
        Arc::new(Self { limits, counts: Mutex::default(), gauge })
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// One more, of that address if it is one client's.
    pub(super) fn enter(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Place, Full> {
        let mut counts = self.counts.lock();
        if counts.all >= self.limits.connections_max {
            return Err(Full::Everything);
        }
        if let Some(address) = address {
            let count = counts.by_address.entry(address).or_insert(0);
            if *count >= self.limits.connections_per_address_max {
                return Err(Full::Address);
            }
            *count += 1;
        }
        counts.all += 1;
        self.show(counts.all);
        Ok(Place { open: self.clone(), address })
    }

    fn leave(&self, address: Option<IpAddr>) {
        let mut counts = self.counts.lock();
        counts.all -= 1;
        self.show(counts.all);
        if let Some(Entry::Occupied(mut count)) = address.map(|address| counts.by_address.entry(address)) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    fn show(&self, all: usize) {
        if let Some(gauge) = &self.gauge {
            gauge.set(all as f64);
        }
    }
}

/// A place among what is open; free again when it is dropped.
pub struct Place {
    open: Arc<Open>,
    address: Option<IpAddr>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.leave(self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(connections_max: usize, connections_per_address_max: usize) -> Limits {
        Limits { connections_max, connections_per_address_max, files_kept: 0 }
    }

    #[test]
    fn places_are_bounded_in_all_and_by_address_and_come_free_again() {
        let open = Open::new(limits(3, 2), None);
        let [ann, bob, cat] = [1, 2, 3].map(|last| Some(IpAddr::from([192, 0, 2, last])));
        let first = open.enter(ann).unwrap_or_else(|_| panic!("the first comes in"));
        let _second = open.enter(ann).unwrap_or_else(|_| panic!("and the second"));
        assert_eq!(open.enter(ann).err(), Some(Full::Address));
        let _third = open.enter(bob).unwrap_or_else(|_| panic!("and somebody else"));
        assert_eq!(open.enter(cat).err(), Some(Full::Everything));
        drop(first);
        assert!(open.enter(ann).is_ok());
        assert_eq!(open.counts.lock().by_address.len(), 2, "nobody is remembered who has none");
    }

    #[test]
    fn fewer_files_than_connections_leave_some_for_the_house_and_half_for_one_address() {
        assert_eq!(limits(20_000, 10_000).within(1_000_000), limits(20_000, 10_000));
        assert_eq!(limits(20_000, 10_000).within(256), limits(192, 96));
        assert_eq!(limits(20_000, 10).within(256), limits(192, 10));
        let with_bots = Limits { files_kept: 16, ..limits(20_000, 10_000) }.within(256);
        assert_eq!((with_bots.connections_max, with_bots.connections_per_address_max), (176, 88));
        assert_eq!(limits(20_000, 10_000).within(0), limits(1, 1));
    }
}
