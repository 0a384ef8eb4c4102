//! What every component is given: the two ports and the clock.

use std::sync::Arc;

use crate::{bus::Bus, clock::Clock, store::Store};

/// The world, as a component sees it. Cheap to clone.
#[derive(Clone)]
pub struct Ports {
    /// Publish and subscribe.
    pub bus: Arc<dyn Bus>,
    /// Journals and maps.
    pub store: Arc<dyn Store>,
    /// Time.
    pub clock: Clock,
}
