//! What a strategy is.

use holdem::Action;
use rand::Rng;

use crate::spot::Spot;

/// Decides, by what a player may know.
///
/// It has no memory from one decision to the next, nor from hand to hand: what it knows of others is in the spot. So a
/// hand can be dealt again to others, and nobody has seen it before.
pub trait Strategy: Send + Sync {
    /// A legal action for the player whose turn it is. All chance comes from `rng`.
    fn decide(&self, spot: &Spot, rng: &mut dyn Rng) -> Action;
}

impl<S: Strategy + ?Sized> Strategy for Box<S> {
    fn decide(&self, spot: &Spot, rng: &mut dyn Rng) -> Action {
        (**self).decide(spot, rng)
    }
}
