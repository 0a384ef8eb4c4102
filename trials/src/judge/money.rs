//! Who has brought what to tables and taken it home, as the journals tell it, beside what the ledger says.

use std::collections::BTreeMap;

use cage::{
    DbError,
    ledger::{Definition, audit::Audit},
};
use player::follower::When;
use protocol::{
    id::{RoomId, UserId},
    table::{TableEvent, TableView},
};

use super::{Promise, Shadow};

/// What players of a table have taken home, less what they have brought.
#[derive(Debug, Clone, Default)]
pub(super) struct Purses(BTreeMap<UserId, i64>);

impl Purses {
    /// Takes an event of a table.
    pub(super) fn event(&mut self, when: When, event: &TableEvent, view: &TableView) {
        let user_at =
            |seat: u8| view.seats.get(usize::from(seat))?.as_ref().map(|player| player.user.clone());
        let (user, change) = match (event, when) {
            (TableEvent::Seated { user, stack, .. }, When::After) => (Some(user.clone()), -whole(*stack)),
            (TableEvent::ToppedUp { seat, amount }, When::After) => (user_at(*seat), -whole(*amount)),
            (TableEvent::Left { seat, stack }, When::Before) => (user_at(*seat), whole(*stack)),
            _ => return,
        };
        if let Some(user) = user {
            *self.0.entry(user).or_default() += change;
        }
    }
}

fn whole(chips: u64) -> i64 {
    i64::try_from(chips).expect("tables hold less")
}

/// What the ledger says at the end, when everything is settled.
pub trait Books {
    /// Of what the chips are.
    fn currency(&self) -> Definition;

    /// What it holds for a table.
    ///
    /// # Errors
    /// Of the database.
    fn held(&self, table: &RoomId) -> Result<i64, DbError>;

    /// What a player has in his account.
    ///
    /// # Errors
    /// Of the database.
    fn available(&self, user: &UserId) -> Result<u64, DbError>;

    /// Whether it is right by itself.
    ///
    /// # Errors
    /// Of the database.
    fn audit(&self) -> Result<Audit, DbError>;
}

/// Compares the ledger with what tables show, and with what their journals tell of each player.
///
/// # Errors
/// When the ledger cannot be asked.
pub fn judge_money(tables: &[RoomId], books: &dyn Books, shadow: &mut Shadow) -> Result<(), DbError> {
    let audit = books.audit()?;
    let totals = audit.totals.get(&books.currency().code).cloned().unwrap_or_default();
    if !audit.is_right() {
        shadow.accuse(Promise::Money, format!("the ledger is not right: {audit:?}"));
    }
    if audit.conflicts > 0 {
        shadow
            .accuse(Promise::Money, format!("{} requests had a name that another one has", audit.conflicts));
    }
    if shadow.losses() == 0 && totals.variance() != 0 {
        let what = format!("{} went to the variance, and nothing was lost", totals.variance());
        shadow.accuse(Promise::Money, what);
    }
    let mut taken: BTreeMap<UserId, i64> = BTreeMap::new();
    for table in tables {
        let Some((view, purses)) = shadow.table(table) else { continue };
        let (view, purses) = (view.clone(), purses.clone());
        let promised: u64 = view.seats.iter().flatten().map(|player| player.top_up).sum();
        let (shown, held) = (whole(view.on_table() + promised), books.held(table)?);
        if shown != held {
            let what = format!("{table}: {shown} lie there, and the ledger holds {held} for it");
            shadow.accuse(Promise::Money, what);
        }
        for (user, change) in purses.0 {
            *taken.entry(user).or_default() += change;
        }
        for player in view.seats.iter().flatten().filter(|player| player.top_up > 0) {
            *taken.entry(player.user.clone()).or_default() -= whole(player.top_up);
        }
    }
    // What was lost was perhaps paid.
    let is_whole = shadow.losses() == 0;
    for (user, taken) in taken.into_iter().filter(|_| is_whole) {
        let (has, due) = (whole(books.available(&user)?), whole(books.currency().opening) + taken);
        if has != due {
            shadow.accuse(Promise::Money, format!("{user} has {has}, and should have {due}"));
        }
    }
    Ok(())
}

/// Compares the ledger with what a tournament tells of those who may have taken part in it, and have had nothing to do with other tables: whoever did has paid
/// `cost`, and has got his prize; whoever did not has what he had; and nothing is left with a tournament that is over.
///
/// # Errors
/// When the ledger cannot be asked.
pub fn judge_stakes(
    cup: &RoomId,
    cost: u64,
    users: &[UserId],
    books: &dyn Books,
    shadow: &mut Shadow,
) -> Result<(), DbError> {
    if shadow.is_contest_broken() {
        // It was not waited for its end.
        return Ok(());
    }
    let held = books.held(cup)?;
    if held != 0 {
        shadow.accuse(Promise::Money, format!("{cup} is over, and the ledger holds {held} for it"));
    }
    // What was lost was perhaps paid.
    if shadow.losses() > 0 {
        return Ok(());
    }
    let prizes = shadow.prizes_of_contest();
    for user in users {
        let won = prizes.get(user).map_or(0, |prize| whole(*prize) - whole(cost));
        let (has, due) = (whole(books.available(user)?), whole(books.currency().opening) + won);
        if has != due {
            shadow.accuse(Promise::Money, format!("{user} has {has} behind {cup}, and should have {due}"));
        }
    }
    Ok(())
}
