//! What the rules of a cash table promise and anybody can see kept: what a top-up may bring, and that nobody plays past the
//! big blinds that he missed.
//!
//! Judged only as far as it was seen from hand to hand: after frames that were left out everything is unknown again.

use protocol::table::{BlindKind, BlindsOwed, TableEvent, TableView};

use crate::follower::When;

/// Judges one table.
#[derive(Debug, Default)]
pub struct FairPlay {
    /// How each seat's player stands; unknown beyond the end.
    standings: Vec<Standing>,
    /// Who had the big blind last, if that was seen.
    big_blind: Option<u8>,
    /// The hand whose blinds are being posted.
    posting: Option<Posting>,
}

/// What a player owes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Standing {
    /// Perhaps a small blind, perhaps nothing.
    #[default]
    Unknown,
    /// Nothing: he was dealt into the last hand.
    Even,
    /// A big blind: he has just come, or one has passed him.
    Owes,
}

#[derive(Debug)]
struct Posting {
    dealt: Vec<u8>,
    big_blind: Option<u8>,
    /// Who has posted a big blind, in turn or owed.
    paid: Vec<u8>,
}

impl FairPlay {
    /// Has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Frames were left out: what was known does not hold any more.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Judges an event, once before and once after it is applied; says what was unfair.
    pub fn event(&mut self, when: When, event: &TableEvent, view: &TableView) -> Option<String> {
        match (when, event) {
            (When::Before, TableEvent::ToppedUp { seat, amount }) => {
                return unfair_top_up(*seat, *amount, view);
            }
            (When::After, TableEvent::Seated { seat, .. }) => {
                let game_is_on = view.hand.is_some();
                self.stands(*seat, if game_is_on { Standing::Owes } else { Standing::Even });
            }
            (When::After, TableEvent::Left { seat, .. }) => self.stands(*seat, Standing::Unknown),
            (When::After, TableEvent::HandStarted { seats, .. }) => {
                self.posting = Some(Posting { dealt: seats.clone(), big_blind: None, paid: Vec::new() });
            }
            (When::After, TableEvent::Posted { seat, blind: BlindKind::Big | BlindKind::Live, .. }) => {
                let in_turn = matches!(event, TableEvent::Posted { blind: BlindKind::Big, .. });
                if let Some(posting) = &mut self.posting {
                    posting.paid.push(*seat);
                    posting.big_blind = posting.big_blind.or(in_turn.then_some(*seat));
                }
            }
            (When::After, TableEvent::Dealt { .. }) => {
                let posting = self.posting.take()?;
                let unfair = self.unfair_deal(&posting, view);
                self.go_on(&posting, view);
                return unfair;
            }
            _ => {}
        }
        None
    }

    fn standing(&self, seat: u8) -> Standing {
        self.standings.get(usize::from(seat)).copied().unwrap_or_default()
    }

    fn stands(&mut self, seat: u8, standing: Standing) {
        let at = usize::from(seat);
        if self.standings.len() <= at {
            self.standings.resize(at + 1, Standing::Unknown);
        }
        self.standings[at] = standing;
    }

    /// Somebody plays who owes a big blind and has not posted one. A game in which fewer than two owe nothing has fallen apart
    /// and begins anew.
    fn unfair_deal(&self, posting: &Posting, view: &TableView) -> Option<String> {
        if view.config.blinds_owed != BlindsOwed::PostOrWait {
            return None;
        }
        let even = posting.dealt.iter().filter(|seat| self.standing(**seat) == Standing::Even).count();
        let has_chips = |seat: u8| view.seats[usize::from(seat)].as_ref().is_some_and(|seat| seat.stack > 0);
        let unpaid = posting.dealt.iter().find(|seat| {
            self.standing(**seat) == Standing::Owes && !posting.paid.contains(seat) && has_chips(**seat)
        });
        let seat = unpaid.filter(|_| even >= 2)?;
        Some(format!("seat {seat} plays and has not posted the big blind that it owes"))
    }

    /// Who was dealt in is even; the others may have been passed by the blinds.
    fn go_on(&mut self, posting: &Posting, view: &TableView) {
        let taken = (0u8..).zip(&view.seats).filter(|(_, player)| player.is_some()).map(|(seat, _)| seat);
        let seats = u8::try_from(view.seats.len()).unwrap_or(u8::MAX);
        for seat in taken {
            let passed = match (self.big_blind, posting.big_blind) {
                (Some(from), Some(to)) => {
                    // From a seat to itself is a whole round.
                    let steps = |at: u8| (at + seats - from - 1) % seats;
                    seat != from && steps(seat) < steps(to)
                }
                _ => false,
            };
            if posting.dealt.contains(&seat) {
                self.stands(seat, Standing::Even);
            } else if passed {
                self.stands(seat, Standing::Owes);
            } else if self.standing(seat) == Standing::Even {
                self.stands(seat, Standing::Unknown);
            }
        }
        self.big_blind = posting.big_blind;
    }
}

/// Chips come between hands, up to the largest buy-in, and from nothing at least the smallest.
fn unfair_top_up(seat: u8, amount: u64, view: &TableView) -> Option<String> {
    let player = view.seats.get(usize::from(seat))?.as_ref()?;
    let config = &view.config;
    let in_hand = player.in_hand && view.hand.as_ref().is_some_and(|hand| !hand.ended);
    if in_hand {
        return Some(format!("seat {seat} is brought {amount} in the middle of a hand"));
    }
    if player.stack + amount > config.buy_in_max {
        return Some(format!("seat {seat} has {} and is brought {amount}", player.stack));
    }
    (player.stack == 0 && amount < config.buy_in_min)
        .then(|| format!("seat {seat} has nothing and is brought {amount}"))
}

#[cfg(test)]
mod tests {
    use protocol::{
        id::UserId,
        table::{PotView, SeatStatus, TableConfig},
    };

    use super::*;

    /// A table of four in seats 0 to 3 and what was found unfair at it.
    struct Scene {
        view: TableView,
        judge: FairPlay,
        unfair: Vec<String>,
        hand: u64,
    }

    impl Scene {
        fn new() -> Self {
            let (view, judge) = (TableView::new(TableConfig::default()), FairPlay::new());
            let mut scene = Self { view, judge, unfair: Vec::new(), hand: 0 };
            (0..4).for_each(|seat| scene.sit(seat));
            scene
        }

        fn see(&mut self, event: TableEvent) {
            self.unfair.extend(self.judge.event(When::Before, &event, &self.view));
            self.view.apply(&event).unwrap();
            self.unfair.extend(self.judge.event(When::After, &event, &self.view));
        }

        fn sit(&mut self, seat: u8) {
            let (user, status) = (UserId::new(&format!("guest-{seat}")).unwrap(), SeatStatus::Playing);
            let (name, bot, bank_ms) = (user.as_str().to_owned(), false, 0);
            self.see(TableEvent::Seated { seat, user, name, bot, stack: 100, status, bank_ms });
        }

        /// A hand in which these are dealt in and one has the big blind, and nobody wins anything.
        fn hand(&mut self, dealt: &[u8], big: u8, live: &[u8]) {
            self.hand += 1;
            self.see(TableEvent::HandStarted { hand: self.hand, button: 0, seats: dealt.to_vec() });
            self.see(TableEvent::Posted { seat: big, blind: BlindKind::Big, amount: 2 });
            for seat in live {
                self.see(TableEvent::Posted { seat: *seat, blind: BlindKind::Live, amount: 2 });
            }
            self.see(TableEvent::Dealt { cards: 2 });
            let pot = 2 * (1 + live.len() as u64);
            self.see(TableEvent::Collected { pots: vec![PotView { amount: pot, seats: dealt.to_vec() }] });
            self.see(TableEvent::Won { seat: dealt[0], pot: 0, amount: pot, run: 0 });
            self.see(TableEvent::HandEnded { hand: self.hand, next_ms: 0, hands: Vec::new() });
        }
    }

    #[test]
    fn who_plays_after_the_big_blind_has_passed_and_posts_none_is_seen() {
        let mut scene = Scene::new();
        scene.hand(&[0, 1, 2, 3], 2, &[]);
        scene.hand(&[0, 1, 2], 0, &[]);
        scene.hand(&[0, 1, 2, 3], 1, &[]);
        assert_eq!(scene.unfair, ["seat 3 plays and has not posted the big blind that it owes"]);
    }

    #[test]
    fn who_posts_what_is_owed_or_has_the_big_blind_in_turn_plays_fairly() {
        for (big, live) in [(1, &[3][..]), (3, &[])] {
            let mut scene = Scene::new();
            scene.hand(&[0, 1, 2, 3], 2, &[]);
            scene.hand(&[0, 1, 2], 0, &[]);
            scene.hand(&[0, 1, 2, 3], big, live);
            assert!(scene.unfair.is_empty(), "{:?}", scene.unfair);
        }
    }

    #[test]
    fn a_newcomer_who_is_dealt_in_for_nothing_is_seen() {
        let mut scene = Scene::new();
        scene.hand(&[0, 1, 2, 3], 2, &[]);
        scene.sit(4);
        scene.hand(&[0, 1, 2, 3, 4], 3, &[]);
        assert_eq!(scene.unfair.len(), 1);
    }

    #[test]
    fn a_game_that_fell_apart_is_not_judged_nor_what_was_not_seen() {
        let mut scene = Scene::new();
        scene.hand(&[0, 1], 1, &[]);
        // The big blind passes 2 and 3; then only 0 is even.
        scene.hand(&[0, 1], 0, &[]);
        scene.see(TableEvent::Left { seat: 1, stack: scene.view.seats[1].as_ref().unwrap().stack });
        scene.hand(&[0, 2, 3], 2, &[]);
        assert!(scene.unfair.is_empty(), "{:?}", scene.unfair);
        let mut scene = Scene::new();
        scene.hand(&[0, 1, 2, 3], 2, &[]);
        scene.hand(&[0, 1, 2], 0, &[]);
        scene.judge.forget();
        scene.hand(&[0, 1, 2, 3], 1, &[]);
        assert!(scene.unfair.is_empty(), "{:?}", scene.unfair);
    }

    #[test]
    fn a_top_up_above_the_largest_buy_in_or_below_the_smallest_from_nothing_is_seen() {
        let mut scene = Scene::new();
        scene.see(TableEvent::ToppedUp { seat: 0, amount: 300 });
        assert!(scene.unfair.is_empty(), "{:?}", scene.unfair);
        scene.see(TableEvent::ToppedUp { seat: 0, amount: 1 });
        assert_eq!(scene.unfair, ["seat 0 has 400 and is brought 1"]);
        let broke = scene.view.seats[1].as_mut().unwrap();
        scene.view.chips.cashed += std::mem::take(&mut broke.stack);
        scene.see(TableEvent::ToppedUp { seat: 1, amount: 79 });
        assert_eq!(scene.unfair.last().unwrap(), "seat 1 has nothing and is brought 79");
    }
}
