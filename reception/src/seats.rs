//! In which rooms somebody has a part: a port. Dealer workers know it, and reception asks them before somebody is deleted.

use std::pin::Pin;

use broker::parts::{NotKnown, Parts};
use protocol::id::{RoomId, UserId};

/// Some of the rooms in which somebody has a part; none if there is none. `None` where nobody can be asked.
pub type Known = Result<Option<Vec<RoomId>>, NotKnown>;

/// Knows who sits where.
pub trait Seats: Send + Sync + 'static {
    /// In which rooms this user has a part.
    fn of<'a>(&'a self, user: &'a UserId) -> Pin<Box<dyn Future<Output = Known> + Send + 'a>>;
}

/// For a reception that reaches no dealer worker.
pub struct Unasked;

impl Seats for Unasked {
    fn of<'a>(&'a self, _: &'a UserId) -> Pin<Box<dyn Future<Output = Known> + Send + 'a>> {
        Box::pin(async { Ok(None) })
    }
}

impl Seats for Parts {
    fn of<'a>(&'a self, user: &'a UserId) -> Pin<Box<dyn Future<Output = Known> + Send + 'a>> {
        Box::pin(Parts::of(self, user))
    }
}
