//! Says whether a replayed hand comes out as its record tells.

use smallvec::SmallVec;

use super::decimal::Decimal;
use super::record::Record;
use super::replay::{MILLION, Replay};
use crate::chips::Chips;
use crate::event::{Did, Event};
use crate::seat::SeatIndex;

/// How a replay compares with its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The stacks are the recorded ones.
    Matches,
    /// Nothing is recorded to compare with, but the hand plays to where the record ends and no chip is lost.
    Consistent,
    /// They are not.
    Differs {
        /// As recorded.
        expected: Vec<Option<Decimal>>,
        /// As played, in chips.
        actual: Vec<Chips>,
    },
}

impl Replay {
    /// Compares with what the record says. Where a pot did not divide evenly a record may tell halves, or give the odd
    /// chip to another winner than TDA 20 does: then a chip per such pot is let pass. The format knows no rake; the
    /// field `_rake` tells what winners may lack together. Amounts that were rounded when the record was read let pass what
    /// they lost by it.
    pub fn verdict(&self, record: &Record) -> Verdict {
        let expected = match (&record.finishing_stacks, &record.winnings) {
            (Some(stacks), _) => stacks,
            (None, Some(winnings)) => return self.verdict_on_winnings(winnings),
            (None, None) => return Verdict::Consistent,
        };
        let rake = record.rake().unwrap_or(Decimal::from(0));
        let odd_chips = self.uneven_parts(rake.units != 0);
        // Units fine enough for both sides.
        let scale = expected.iter().flatten().map(|stack| stack.scale).chain([self.scale, rake.scale]).max();
        let scale = scale.expect("two of them are given");
        let fine = |amount: Decimal| i128::from(amount.units) * 10_i128.pow(scale - amount.scale);
        let chip = 10_i128.pow(scale - self.scale);
        let rounded_off = (i128::from(self.lost_millionths) * chip / i128::from(MILLION))
            .max(chip * i128::from(self.tolerance.0));
        let slack = i128::from(odd_chips) * chip + rounded_off;
        let mut lacking = 0;
        let matches = expected.iter().zip(self.hand.seats()).all(|(expected, (seat, player))| {
            let Some(expected) = expected.filter(|_| !self.undecided(seat)) else { return true };
            if self.unknown_stacks[seat.index()] {
                return true;
            }
            let difference = fine(self.amount(player.stack())) - fine(expected);
            lacking += difference;
            if player.won().is_zero() {
                return difference.abs() <= rounded_off;
            }
            (-slack..=fine(rake) + slack).contains(&difference)
        });
        let matches = matches && (self.is_undecided() || (lacking - fine(rake)).abs() <= slack);
        match (matches, self.is_undecided()) {
            (true, false) => Verdict::Matches,
            (true, true) => Verdict::Consistent,
            (false, _) => Verdict::Differs { expected: expected.clone(), actual: self.stacks() },
        }
    }

    /// Winnings are pots collected after an unrecorded rake: whoever is said to have won has, and not more than he won.
    /// Collections write zeros for everybody where they do not know.
    fn verdict_on_winnings(&self, winnings: &[Decimal]) -> Verdict {
        if winnings.iter().all(|won| won.units == 0) {
            return Verdict::Consistent;
        }
        let fits = winnings.iter().zip(self.hand.seats()).all(|(recorded, (seat, player))| {
            let scale = recorded.scale.max(self.scale);
            let recorded = i128::from(recorded.units) * 10_i128.pow(scale - recorded.scale);
            let odd_chips = u64::from(self.uneven_parts(false));
            let won = player.won() + self.blind_returned(seat) + Chips(odd_chips) + self.tolerance;
            let won = i128::from(won.0) * 10_i128.pow(scale - self.scale);
            self.undecided(seat) || (recorded <= won && (recorded > 0) == (player.won().0 > 0))
        });
        if fits {
            return Verdict::Consistent;
        }
        let actual = self.hand.seats().map(|(_, player)| player.won()).collect();
        Verdict::Differs { expected: winnings.iter().copied().map(Some).collect(), actual }
    }

    /// What a player got back of his blind because everybody folded to it: some sites call that won and not returned.
    fn blind_returned(&self, seat: SeatIndex) -> Chips {
        let raised = self.events.iter().any(
            |event| matches!(event, Event::Acted { seat: who, did: Did::BetTo(_) | Did::RaiseTo(_), .. } if *who == seat),
        );
        let returned = self.events.iter().find_map(|event| match *event {
            Event::UncalledReturned { seat: who, amount } if who == seat && !raised => Some(amount),
            _ => None,
        });
        returned.unwrap_or_default()
    }

    /// How many parts of pots did not divide evenly among their winners; after a rake that is told apart from the pots
    /// any of them may.
    fn uneven_parts(&self, raked: bool) -> u32 {
        let mut shares: SmallVec<[(u8, u8, Chips, Chips); 16]> = SmallVec::new();
        for event in &self.events {
            if let Event::PotAwarded { pot, board, amount, .. } = *event {
                match shares.iter_mut().find(|share| (share.0, share.1) == (pot, board)) {
                    Some(share) => (share.2, share.3) = (share.2.min(amount), share.3.max(amount)),
                    None => shares.push((pot, board, amount, amount)),
                }
            }
        }
        shares.iter().filter(|(_, _, least, most)| raked || least != most).count() as u32
    }

    /// Whether the record leaves open who won, because cards at showdown are unknown.
    fn is_undecided(&self) -> bool {
        self.hand.ended()
            && self.hand.live().len() > 1
            && self.hand.live().iter().any(|seat| self.unseen(seat))
    }

    fn undecided(&self, seat: SeatIndex) -> bool {
        self.is_undecided() && self.hand.live().contains(seat)
    }

    fn unseen(&self, seat: SeatIndex) -> bool {
        let incomplete = self.hand.boards().iter().any(|board| board.known().is_none());
        self.hand.player(seat).is_some_and(|player| player.hole_cards().known().is_none()) || incomplete
    }
}
