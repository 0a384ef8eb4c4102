//! How many chips a player may bring: on sitting down, between hands, and during one for after it.

use holdem::Chips;
use protocol::{
    RefusalCode as Code,
    id::UserId,
    table::{BuyInLimits, LegalView, TableConfig},
};
use rooms::{
    planted::{Fault, is_planted},
    room::Refusal,
};

use super::{Event, Table, commands, draft::Draft, json};

/// Whether a user may sit down with so many chips.
///
/// # Errors
/// A [`Refusal`] that says the limits.
pub fn check_buy_in(draft: &Draft, user: &UserId, buy_in: u64) -> Result<(), Refusal> {
    let table = &draft.table;
    let (min, max) = (table.config().buy_in_min, table.config().buy_in_max);
    let rathole_ms = table.config().rathole_ms;
    let took = table.leavers.stack_of(user, draft.now, rathole_ms).unwrap_or(0);
    // Whoever left with more than the table lets newcomers bring may bring that again.
    let limits = BuyInLimits { min: min.max(took), max: max.max(took) };
    if (limits.min..=limits.max).contains(&buy_in) {
        return table_has_room_for(table, buy_in);
    }
    let BuyInLimits { min: least, max: most } = limits;
    let refusal = if (min..least).contains(&buy_in) {
        let minutes = rathole_ms.div_ceil(60_000);
        let message =
            format!("you left with {took} chips less than {minutes} minutes ago: bring {least} to {most}");
        Refusal::new(Code::LeftWithMore, message)
    } else {
        Refusal::new(Code::BadAmount, format!("the buy-in is {least} to {most} chips"))
    };
    let legal = LegalView { buy_in: Some(limits), ..commands::legal(table, user) };
    Err(Refusal { legal: Some(json(&legal)), ..refusal })
}

/// Whether the player of a seat may bring so many more.
///
/// # Errors
/// A [`Refusal`] that says the limits.
pub fn check_top_up(table: &Table, seat: u8, amount: u64) -> Result<(), Refusal> {
    let player = table.seated(seat);
    let has = player.map_or(0, |player| player.stack + player.bet + player.top_up);
    let most = table.config().buy_in_max.saturating_sub(has);
    let broke = has == 0 && !table.in_running_hand(seat);
    let least = if broke { table.config().buy_in_min } else { 1 };
    if most == 0 {
        return Err(Refusal::new(Code::BadAmount, "you have as much as one may bring to this table"));
    }
    if !(least..=most).contains(&amount) {
        return Err(Refusal::new(Code::BadAmount, format!("you may bring {least} to {most} chips")));
    }
    table_has_room_for(table, amount)
}

/// The hand is over: what the player of a seat has promised comes, as far as the stack that he has now lets it. What lay in
/// the pots is known only now: nobody is brought above the largest buy-in, and from nothing it takes the smallest.
pub(super) fn settle_top_up(draft: &mut Draft, seat: u8) {
    let Some(player) = draft.table.seated(seat).filter(|player| player.top_up > 0) else { return };
    let (promised, stack) = (player.top_up, player.stack);
    let comes = match fitting(draft.table.config(), stack, promised) {
        _ if is_planted(Fault::BringsWholeTopUps) => promised,
        fits => fits,
    };
    if comes > 0 {
        draft.emit(Event::ToppedUp { seat, amount: comes });
    }
    if comes < promised {
        draft.emit(Event::TopUpLapsed { seat, amount: promised - comes });
    }
}

/// So many of the chips that a player with this stack brings are within the table's limits.
pub(super) fn fitting(config: &TableConfig, stack: u64, brought: u64) -> u64 {
    let fits = brought.min(config.buy_in_max.saturating_sub(stack));
    if stack == 0 && fits < config.buy_in_min { 0 } else { fits }
}

/// What the rules ask of a hand, asked before chips come: that a table never holds more than they can count.
fn table_has_room_for(table: &Table, amount: u64) -> Result<(), Refusal> {
    let promised: u64 = table.players().map(|(_, player)| player.top_up).sum();
    if table.view.on_table() + promised + amount > Chips::TABLE_MAX.0 {
        return Err(Refusal::new(Code::BadAmount, "the table cannot hold more chips"));
    }
    Ok(())
}
