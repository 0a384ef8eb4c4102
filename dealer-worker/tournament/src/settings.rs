//! What makes a tournament's settings valid, taken together. A mistake names the field.

use holdem::seat::SEATS_MAX;
use protocol::{
    table::{BlindsOwed, ButtonRule, RakeRule, Straddles, TableConfig},
    tournament::{Level, Payouts, TournamentConfig},
};
use table::settings::STAKE_MAX;

use crate::{director::stakes::Price, seating::tables_for};

/// More entries are not taken: each is a part of the room's state.
pub const ENTRIES_MAX: u32 = 20_000;

/// More tables than a room writes to.
const TABLES_MAX: usize = 4_000;

/// More levels than any tournament has.
pub const LEVELS_MAX: usize = 100;

/// Longer than any tournament, milliseconds.
const NEVER_MS: u64 = 1 << 50;

/// Milliseconds.
const HOUR: u64 = 3_600_000;

/// A setting with which no tournament can be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {why}")]
pub struct BadSetting {
    /// Which.
    pub field: String,
    /// In words, behind its name.
    pub why: String,
}

fn bad<T>(field: impl Into<String>, why: impl Into<String>) -> Result<T, BadSetting> {
    Err(BadSetting { field: field.into(), why: why.into() })
}

/// Checks settings before a tournament is opened with them.
///
/// # Errors
/// [`BadSetting`] names the first field that is wrong.
pub fn check(config: &TournamentConfig) -> Result<(), BadSetting> {
    let name = config.name.trim();
    if name.is_empty() || config.name.chars().count() > 60 {
        return bad("name", "has 1 to 60 characters");
    }
    let most = table::settings::seats_max(&table(config, (1, 2, 0)));
    if !(2..=most).contains(&usize::from(config.seats)) {
        return bad("seats", format!("is 2 to {most} at this game"));
    }
    check_entries(config)?;
    check_levels(config)?;
    if let Payouts::Parts(parts) = &config.payouts {
        check_parts(parts, config.entries_max)?;
    }
    for (field, chips) in [("buy_in", config.buy_in), ("guarantee", config.guarantee)] {
        if chips > STAKE_MAX {
            return bad(field, format!("is at most {STAKE_MAX}"));
        }
    }
    for (field, ms, least, most) in [
        ("turn_ms", config.turn_ms, 1, HOUR),
        ("bank_ms", config.bank_ms, 0, HOUR),
        ("pause_ms", config.pause_ms, 0, HOUR / 6),
        ("runout_ms", config.runout_ms, 0, HOUR / 60),
        ("deal_in_ms", config.deal_in_ms, 0, HOUR),
        ("linger_ms", config.linger_ms, 0, 24 * HOUR),
        ("hand_for_hand.hand_ms", config.hand_for_hand.hand_ms, 0, HOUR),
    ] {
        if !(least..=most).contains(&ms) {
            return bad(field, format!("is {least} to {most} milliseconds"));
        }
    }
    Ok(())
}

/// Checks what entries cost, where they cost chips that are somebody's. Prizes come of what is brought, so there is nothing else to add to them yet.
///
/// # Errors
/// As of [`check`].
pub fn check_price(price: Option<&Price>, config: &TournamentConfig) -> Result<(), BadSetting> {
    let Some(Price { fee, .. }) = price else { return Ok(()) };
    if config.buy_in == 0 {
        return bad("buy_in", "is at least 1 where entries cost a currency");
    }
    if *fee > config.buy_in {
        return bad("fee", "is at most the buy-in");
    }
    let all = (config.buy_in + fee).checked_mul(u64::from(config.entries_max));
    if all.is_none_or(|all| all > STAKE_MAX) {
        return bad("buy_in", format!("and fee of all entries together are at most {STAKE_MAX}"));
    }
    if config.guarantee > 0 {
        return bad(
            "guarantee",
            "is not there yet where entries cost a currency: prizes are what they bring",
        );
    }
    Ok(())
}

fn check_entries(config: &TournamentConfig) -> Result<(), BadSetting> {
    let TournamentConfig { entries_min: min, entries_max: max, stack, .. } = *config;
    if !(2..=ENTRIES_MAX).contains(&max) {
        return bad("entries_max", format!("is 2 to {ENTRIES_MAX}"));
    }
    if tables_for(max as usize, config.seats) > TABLES_MAX {
        return bad("entries_max", format!("needs more than {TABLES_MAX} tables with so few seats"));
    }
    if !(2..=max).contains(&min) {
        return bad("entries_min", format!("is 2 to {max}, which is `entries_max`"));
    }
    if stack == 0 || stack.saturating_mul(u64::from(max)) > STAKE_MAX {
        return bad("stack", format!("is at least 1, and all stacks together at most {STAKE_MAX}"));
    }
    Ok(())
}

fn check_levels(config: &TournamentConfig) -> Result<(), BadSetting> {
    let levels = &config.levels;
    if !(1..=LEVELS_MAX).contains(&levels.len()) {
        return bad("levels", format!("are 1 to {LEVELS_MAX}"));
    }
    if !matches!(levels.first(), Some(Level::Play { .. })) {
        return bad("levels[0]", "is a break: hands are played first");
    }
    if !matches!(levels.last(), Some(Level::Play { .. })) {
        return bad(format!("levels[{}]", levels.len() - 1), "is a break, and nothing follows");
    }
    let mut before = 0;
    for (at, level) in levels.iter().enumerate() {
        let field = format!("levels[{at}]");
        if level.ms() == 0 || level.ms() > 24 * HOUR {
            return bad(field, format!("lasts 1 to {} milliseconds", 24 * HOUR));
        }
        let Level::Play { small_blind, big_blind, ante, .. } = *level else { continue };
        if big_blind == 0 || small_blind > big_blind || big_blind > STAKE_MAX || ante > STAKE_MAX {
            return bad(field, "has a big blind of at least 1 and a small blind of at most that");
        }
        if big_blind < before {
            return bad(field, format!("has a smaller big blind than the level before it, {before}"));
        }
        before = big_blind;
    }
    let played = levels.iter().filter(|level| matches!(level, Level::Play { .. })).count();
    if config.late_levels as usize >= played && config.late_levels > 0 {
        return bad("late_levels", format!("is less than the number of levels, which is {played}"));
    }
    Ok(())
}

fn check_parts(parts: &[u16], entries_max: u32) -> Result<(), BadSetting> {
    let sum: u32 = parts.iter().map(|part| u32::from(*part)).sum();
    if parts.is_empty() || parts.len() > entries_max as usize {
        return bad("payouts", "has 1 part at least and `entries_max` at most");
    }
    if sum != 10_000 {
        return bad("payouts", format!("adds up to 10000 hundredths of a percent; it comes to {sum}"));
    }
    if parts.windows(2).any(|two| two[0] < two[1]) || parts.last() == Some(&0) {
        return bad("payouts", "gives no place more than the one before it, and each something");
    }
    Ok(())
}

/// What a table of this tournament is set to, with these blinds (small, big, ante).
pub fn table(config: &TournamentConfig, blinds: (u64, u64, u64)) -> TableConfig {
    let (small_blind, big_blind, ante) = blinds;
    TableConfig {
        name: config.name.clone(),
        seats: config.seats.min(u8::try_from(SEATS_MAX).unwrap_or(u8::MAX)),
        variant: config.variant,
        limit: config.limit,
        small_blind,
        big_blind,
        ante_kind: config.ante_kind,
        ante,
        straddles: Straddles::None,
        button_rule: ButtonRule::Dead,
        blinds_owed: BlindsOwed::NoneMissed,
        rake: RakeRule::default(),
        buy_in_min: 1,
        buy_in_max: STAKE_MAX,
        turn_ms: config.turn_ms,
        bank_ms: config.bank_ms,
        bank_refill_ms: 0,
        pause_ms: config.pause_ms,
        runout_ms: config.runout_ms,
        rathole_ms: 0,
        // Seats are the tournament's to take away.
        sit_out_ms: NEVER_MS,
        ..TableConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use money::Currency;
    use protocol::table::GameVariant;

    use super::*;
    use crate::presets::{Speed, sit_and_go};

    #[test]
    fn a_mistake_names_its_field() {
        let good = || sit_and_go(6, Speed::Turbo);
        assert_eq!(check(&good()), Ok(()));
        let play = |small_blind, big_blind| Level::Play { small_blind, big_blind, ante: 0, ms: 60_000 };
        let cases: [(&str, TournamentConfig); 12] = [
            ("name", TournamentConfig { name: "  ".into(), ..good() }),
            ("seats", TournamentConfig { seats: 11, ..good() }),
            ("seats", TournamentConfig { seats: 8, variant: GameVariant::Omaha6, ..good() }),
            ("entries_max", TournamentConfig { entries_max: 1, ..good() }),
            ("entries_min", TournamentConfig { entries_min: 7, ..good() }),
            ("stack", TournamentConfig { stack: 0, ..good() }),
            ("levels", TournamentConfig { levels: vec![], ..good() }),
            ("levels[0]", TournamentConfig { levels: vec![Level::Break { ms: 1 }, play(1, 2)], ..good() }),
            ("levels[1]", TournamentConfig { levels: vec![play(5, 10), play(2, 4)], ..good() }),
            ("late_levels", TournamentConfig { late_levels: 99, ..good() }),
            ("payouts", TournamentConfig { payouts: Payouts::Parts(vec![5_000, 4_000]), ..good() }),
            ("turn_ms", TournamentConfig { turn_ms: 0, ..good() }),
        ];
        for (field, config) in cases {
            let error = check(&config).expect_err(field);
            assert_eq!(error.field, field, "{error}");
        }
    }

    #[test]
    fn what_entries_cost_is_checked() {
        let price = |fee| Price { currency: Currency::new("PLAY").unwrap(), fee };
        let good = || sit_and_go(6, Speed::Turbo);
        let check = |fee, config: TournamentConfig| check_price(Some(&price(fee)), &config);
        assert_eq!(check(10, good()), Ok(()));
        let cases = [
            ("buy_in", 0, TournamentConfig { buy_in: 0, ..good() }),
            ("fee", 101, good()),
            ("guarantee", 0, TournamentConfig { guarantee: 1_000, ..good() }),
            ("buy_in", 0, TournamentConfig { buy_in: STAKE_MAX, ..good() }),
        ];
        for (field, fee, config) in cases {
            assert_eq!(check(fee, config).expect_err(field).field, field);
        }
    }

    #[test]
    fn tables_owe_nobody_a_blind_and_take_no_rake() {
        let config = table(&sit_and_go(9, Speed::Regular), (10, 20, 0));
        assert_eq!(
            (config.blinds_owed, config.rake.basis_points, config.seats),
            (BlindsOwed::NoneMissed, 0, 9)
        );
    }
}
