//! A table as everybody sees it: the state of a keyframe, and what events do to it.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};

use super::{
    card::Card,
    config::TableConfig,
    event::{BlindKind, StreetName, TableEvent, TurnView},
};
use crate::{id::UserId, time::UnixMs};

/// The state of a table without anybody's secrets. Equal views of two clients are equal to the letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableView {
    /// The settings.
    #[serde(deserialize_with = "super::config::of_any_house")]
    pub config: TableConfig,
    /// One a seat; `None` where it is free.
    pub seats: Vec<Option<SeatView>>,
    /// The hand being played, or the last one until the next begins.
    pub hand: Option<HandView>,
    /// When the next hand begins at the earliest; `None` during a hand.
    pub next_ms: Option<UnixMs>,
    /// What has come in and gone out: with what lies on the table it adds up at every moment.
    pub chips: ChipCount,
}

/// A taken seat. Clients are also told whether its player is a [`bot`](UserId::is_bot) of the house; that follows from the user
/// and is not stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SeatView {
    /// Who.
    pub user: UserId,
    /// The name to show.
    pub name: String,
    /// Chips behind.
    pub stack: u64,
    /// Chips bet on this street.
    pub bet: u64,
    /// Chips promised for when the hand has ended.
    #[serde(default)]
    pub top_up: u64,
    /// Between hands.
    pub status: SeatStatus,
    /// Whether the connection is gone.
    pub away: bool,
    /// Time bank left.
    pub bank_ms: u64,
    /// Dealt into the hand shown.
    pub in_hand: bool,
    /// Has folded or mucked in the hand shown.
    pub folded: bool,
    /// Hole cards, once they are face up.
    pub shown: Vec<Card>,
}

impl Serialize for SeatView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // JSON is for clients, what is not for people's eyes is stored.
        let for_clients = serializer.is_human_readable();
        let Self { user, name, stack, bet, top_up, status, away, bank_ms, in_hand, folded, shown } = self;
        let mut seat = serializer.serialize_struct("SeatView", 11 + usize::from(for_clients))?;
        seat.serialize_field("user", user)?;
        seat.serialize_field("name", name)?;
        if for_clients {
            seat.serialize_field("bot", &user.is_bot())?;
        }
        seat.serialize_field("stack", stack)?;
        seat.serialize_field("bet", bet)?;
        seat.serialize_field("top_up", top_up)?;
        seat.serialize_field("status", status)?;
        seat.serialize_field("away", away)?;
        seat.serialize_field("bank_ms", bank_ms)?;
        seat.serialize_field("in_hand", in_hand)?;
        seat.serialize_field("folded", folded)?;
        seat.serialize_field("shown", shown)?;
        seat.end()
    }
}

/// What a player does between hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatStatus {
    /// Dealt into the next hand.
    Playing,
    /// Comes in with the big blind.
    Waiting,
    /// Not dealt in.
    SittingOut,
    /// Leaves when the hand has ended.
    Leaving,
}

/// A hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandView {
    /// Its number at this table.
    pub hand: u64,
    /// The button's seat; may be empty (dead button).
    pub button: u8,
    /// How far it is.
    pub street: StreetName,
    /// Hole cards each.
    pub hole_cards: u8,
    /// One board, or several when it is run more than once.
    pub boards: Vec<Vec<Card>>,
    /// Main pot first; without the bets of this street.
    pub pots: Vec<PotView>,
    /// Whose turn.
    pub turn: Option<TurnView>,
    /// The hand has ended, and lies there to be seen.
    pub ended: bool,
    /// What the players are asked when no betting is left.
    #[serde(default)]
    pub runs: Option<RunsView>,
}

/// The question on how many boards the rest of a hand shall be dealt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsView {
    /// At most so many.
    pub max: u8,
    /// Whose answer is awaited.
    pub seats: Vec<u8>,
    /// Whoever has not answered by then wants one.
    pub deadline_ms: UnixMs,
}

/// A pot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PotView {
    /// Chips.
    pub amount: u64,
    /// Who can win it.
    pub seats: Vec<u8>,
}

/// The limits of a bet or raise: totals of the street, chips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaiseLimits {
    /// At least.
    pub min: u64,
    /// At most (all-in, or the pot in pot-limit).
    pub max: u64,
    /// It would be the street's first bet (`bet`), not a `raise`.
    pub bet: bool,
}

/// What is legal for a player: comes with a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalView {
    /// The current hand.
    pub hand: u64,
    /// The turn, and its limits; `None` when it is nobody's.
    pub turn: Option<TurnView>,
    /// The limits of this player's buy-in, when one was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buy_in: Option<BuyInLimits>,
    /// When this player may play again, whose play time is used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub play_from_ms: Option<UnixMs>,
}

/// The limits of a buy-in, chips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuyInLimits {
    /// At least.
    pub min: u64,
    /// At most.
    pub max: u64,
}

/// What only the player sees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TablePrivate {
    /// The hand that it belongs to.
    pub hand: u64,
    /// Hole cards; empty when not dealt in.
    pub cards: Vec<Card>,
    /// Chips that were asked for and have not come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// A buy-in or a top-up that has not come; nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    /// Chips.
    pub amount: u64,
    /// Why.
    pub code: DeclinedCode,
}

/// Why chips have not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclinedCode {
    /// The player owns less.
    Insufficient,
    /// What the player owns is frozen: ask the house.
    Frozen,
    /// The player may not play for this.
    NotAllowed,
    /// The cage, which keeps what players own, has not answered in time. Try again later.
    CageAway,
    /// For a reason that is the house's.
    Other,
}

/// A table's chips.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChipCount {
    /// All buy-ins and top-ups since the table opened.
    pub bought: u64,
    /// All that players left with.
    pub cashed: u64,
    /// All rake.
    pub raked: u64,
}

/// An event that does not fit the view: one of the two is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an event does not fit the table: {0}")]
pub struct Misfit(pub &'static str);

impl TableView {
    /// An empty table.
    pub fn new(config: TableConfig) -> Self {
        let seats = vec![None; usize::from(config.seats)];
        Self { config, seats, hand: None, next_ms: None, chips: ChipCount::default() }
    }

    /// Chips that lie on the table: stacks, bets and pots. At every moment it equals bought - cashed - raked.
    pub fn on_table(&self) -> u64 {
        let seats: u64 = self.seats.iter().flatten().map(|seat| seat.stack + seat.bet).sum();
        let pots: u64 = self.hand.iter().flat_map(|hand| &hand.pots).map(|pot| pot.amount).sum();
        seats + pots
    }

    /// Whether the chips add up.
    pub fn conserves_chips(&self) -> bool {
        self.chips.bought == self.on_table() + self.chips.cashed + self.chips.raked
    }

    /// The seat of a user.
    pub fn seat_of(&self, user: &UserId) -> Option<u8> {
        let at = self.seats.iter().position(|seat| seat.as_ref().is_some_and(|seat| seat.user == *user))?;
        u8::try_from(at).ok()
    }

    /// Does what an event says.
    ///
    /// # Errors
    /// [`Misfit`] when the event speaks of a seat, hand, pot or chips that are not there; the view may then be half
    /// changed and is to be replaced by the next keyframe.
    pub fn apply(&mut self, event: &TableEvent) -> Result<(), Misfit> {
        use TableEvent as E;
        match event {
            E::Seated { seat, user, name, bot: _, stack, status, bank_ms } => {
                let place = self.seats.get_mut(usize::from(*seat)).ok_or(Misfit("no such seat"))?;
                if place.is_some() {
                    return Err(Misfit("the seat is taken"));
                }
                *place = Some(SeatView {
                    user: user.clone(),
                    name: name.clone(),
                    stack: *stack,
                    bet: 0,
                    top_up: 0,
                    status: *status,
                    away: false,
                    bank_ms: *bank_ms,
                    in_hand: false,
                    folded: false,
                    shown: Vec::new(),
                });
                self.chips.bought += stack;
            }
            E::Left { seat, stack } => {
                let left = self.seats.get_mut(usize::from(*seat)).and_then(Option::take);
                let left = left.ok_or(Misfit("nobody sits there"))?;
                if left.stack != *stack || left.bet != 0 {
                    return Err(Misfit("left with other chips than those of the seat"));
                }
                self.chips.cashed += stack;
            }
            E::TopUpPromised { seat, amount } => self.seat(*seat)?.top_up += amount,
            E::ToppedUp { seat, amount } => {
                let player = self.seat(*seat)?;
                player.stack += amount;
                player.top_up = 0;
                self.chips.bought += amount;
            }
            E::TopUpLapsed { seat, amount: _ } => self.seat(*seat)?.top_up = 0,
            E::Status { seat, status } => self.seat(*seat)?.status = *status,
            E::Away { seat, away } => self.seat(*seat)?.away = *away,
            E::Configured { config } if usize::from(config.seats) == self.seats.len() => {
                self.config.clone_from(config);
            }
            E::Configured { .. } => return Err(Misfit("settings for another number of seats")),
            E::HandStarted { hand, button, seats } => self.start(*hand, *button, seats)?,
            E::Posted { seat, blind, amount } => {
                let player = self.seat(*seat)?;
                player.stack =
                    player.stack.checked_sub(*amount).ok_or(Misfit("posted more than the stack"))?;
                match blind {
                    BlindKind::Ante | BlindKind::Dead => self.first_pot()?.amount += amount,
                    BlindKind::Small | BlindKind::Big | BlindKind::Straddle | BlindKind::Live => {
                        player.bet += amount
                    }
                }
            }
            E::Dealt { cards } => self.hand()?.hole_cards = *cards,
            E::Turn(turn) => self.hand()?.turn = Some(turn.clone()),
            E::Bank { seat, deadline_ms } => match &mut self.hand()?.turn {
                Some(turn) if turn.seat == *seat => turn.deadline_ms = *deadline_ms,
                _ => return Err(Misfit("the time bank of a player whose turn it is not")),
            },
            E::Acted(acted) => {
                self.hand()?.turn = None;
                let player = self.seat(acted.seat)?;
                player.stack =
                    player.stack.checked_sub(acted.amount).ok_or(Misfit("bet more than the stack"))?;
                player.bet += acted.amount;
                player.folded |= acted.kind == super::ActKind::Fold;
                if player.bet != acted.to || (player.stack == 0) != acted.all_in {
                    return Err(Misfit("an action that does not add up"));
                }
            }
            E::Returned { seat, amount } => {
                let player = self.seat(*seat)?;
                player.bet = player.bet.checked_sub(*amount).ok_or(Misfit("returned more than was bet"))?;
                player.stack += amount;
            }
            E::Collected { pots } => {
                for seat in self.seats.iter_mut().flatten() {
                    seat.bet = 0;
                }
                self.hand()?.pots.clone_from(pots);
            }
            E::RunsOffered { max, seats, deadline_ms } => {
                let (max, seats, deadline_ms) = (*max, seats.clone(), *deadline_ms);
                self.hand()?.runs = Some(RunsView { max, seats, deadline_ms });
            }
            E::RunsVoted { seat, boards: _ } => {
                let runs = self.hand()?.runs.as_mut().ok_or(Misfit("an answer to what was not asked"))?;
                runs.seats.retain(|asked| asked != seat);
            }
            E::RunsAgreed { boards } => {
                let hand = self.hand()?;
                hand.runs = None;
                let first = hand.boards.first().cloned().ok_or(Misfit("a hand without a board"))?;
                hand.boards = vec![first; usize::from(*boards)];
            }
            E::Street { street, cards, run } => {
                let hand = self.hand()?;
                hand.street = *street;
                let run = usize::from(*run);
                if run > hand.boards.len() {
                    return Err(Misfit("a board before its predecessor"));
                }
                if run == hand.boards.len() {
                    hand.boards.push(Vec::new());
                }
                hand.boards[run].extend_from_slice(cards);
            }
            E::Shown { seat, cards, rank: _, hands: _ } => self.seat(*seat)?.shown.clone_from(cards),
            E::Mucked { seat } => self.seat(*seat)?.folded = true,
            E::Raked { pot, amount } => {
                self.take(*pot, *amount)?;
                self.chips.raked += amount;
            }
            E::Won { seat, pot, amount, run: _ } => {
                self.take(*pot, *amount)?;
                self.seat(*seat)?.stack += amount;
            }
            E::HandEnded { hand, next_ms, hands: _ } => {
                let shown = self.hand()?;
                if shown.hand != *hand {
                    return Err(Misfit("another hand ended"));
                }
                shown.ended = true;
                shown.street = StreetName::Showdown;
                shown.turn = None;
                shown.pots.retain(|pot| pot.amount > 0);
                self.next_ms = Some(*next_ms);
            }
            E::BankLeft { seat, bank_ms } => self.seat(*seat)?.bank_ms = *bank_ms,
            // Who waits stands in a keyframe's `waiting_list`. Where chips are somebody's, its `reserved` names the seats that wait for some, and at a player's table its `hosted` what
            // the host has decided; they are no part of the game.
            E::WaitingList { .. } | E::Reserved { .. } | E::Freed { .. } | E::Hosted { .. } => {}
            E::Moved { .. } | E::Busted { .. } | E::Chat { .. } | E::HistoryLost { .. } => {}
        }
        Ok(())
    }

    fn start(&mut self, hand: u64, button: u8, seats: &[u8]) -> Result<(), Misfit> {
        for (at, seat) in self.seats.iter_mut().enumerate() {
            let Some(seat) = seat else { continue };
            seat.in_hand = seats.iter().any(|dealt| usize::from(*dealt) == at);
            seat.folded = false;
            seat.shown.clear();
            if seat.bet != 0 {
                return Err(Misfit("a bet is left from the last hand"));
            }
        }
        let street = StreetName::Preflop;
        let boards = vec![Vec::new()];
        self.hand = Some(HandView {
            hand,
            button,
            street,
            hole_cards: 0,
            boards,
            pots: Vec::new(),
            turn: None,
            ended: false,
            runs: None,
        });
        self.next_ms = None;
        Ok(())
    }

    fn seat(&mut self, seat: u8) -> Result<&mut SeatView, Misfit> {
        self.seats.get_mut(usize::from(seat)).and_then(Option::as_mut).ok_or(Misfit("nobody sits there"))
    }

    fn hand(&mut self) -> Result<&mut HandView, Misfit> {
        self.hand.as_mut().ok_or(Misfit("there is no hand"))
    }

    fn first_pot(&mut self) -> Result<&mut PotView, Misfit> {
        let hand = self.hand()?;
        if hand.pots.is_empty() {
            hand.pots.push(PotView { amount: 0, seats: Vec::new() });
        }
        Ok(&mut hand.pots[0])
    }

    fn take(&mut self, pot: u8, amount: u64) -> Result<(), Misfit> {
        let pot = self.hand()?.pots.get_mut(usize::from(pot)).ok_or(Misfit("no such pot"))?;
        pot.amount = pot.amount.checked_sub(amount).ok_or(Misfit("more than the pot holds"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{ActKind, Acted};

    fn seated(seat: u8, name: &str, stack: u64) -> TableEvent {
        let (user, status) = (UserId::new(name).unwrap(), SeatStatus::Playing);
        TableEvent::Seated { seat, bot: user.is_bot(), user, name: name.into(), stack, status, bank_ms: 0 }
    }

    #[test]
    fn chips_add_up_after_every_event_of_a_hand() {
        let mut view = TableView::new(TableConfig::default());
        let acted = |seat, kind, amount, to| {
            TableEvent::Acted(Acted { seat, kind, amount, to, all_in: false, timeout: false })
        };
        let pots = vec![PotView { amount: 14, seats: vec![0] }];
        let events = [
            seated(0, "ann", 100),
            seated(3, "bob", 80),
            TableEvent::HandStarted { hand: 1, button: 0, seats: vec![3, 0] },
            TableEvent::Posted { seat: 0, blind: BlindKind::Ante, amount: 1 },
            TableEvent::Posted { seat: 3, blind: BlindKind::Ante, amount: 1 },
            TableEvent::Posted { seat: 0, blind: BlindKind::Small, amount: 1 },
            TableEvent::Posted { seat: 3, blind: BlindKind::Big, amount: 6 },
            acted(0, ActKind::Raise, 9, 10),
            acted(3, ActKind::Fold, 0, 6),
            TableEvent::Returned { seat: 0, amount: 4 },
            TableEvent::Collected { pots },
            TableEvent::Raked { pot: 0, amount: 1 },
            TableEvent::Won { seat: 0, pot: 0, amount: 13, run: 0 },
            TableEvent::HandEnded { hand: 1, next_ms: 5, hands: Vec::new() },
            TableEvent::Left { seat: 3, stack: 73 },
        ];
        for event in events {
            view.apply(&event).unwrap_or_else(|misfit| panic!("{event:?}: {misfit}"));
            assert!(view.conserves_chips(), "{event:?}");
        }
        assert_eq!(view.chips, ChipCount { bought: 180, cashed: 73, raked: 1 });
    }

    #[test]
    fn a_promised_top_up_is_no_chips_on_the_table_until_it_is_brought() {
        let mut view = TableView::new(TableConfig::default());
        view.apply(&seated(0, "ann", 100)).unwrap();
        view.apply(&TableEvent::TopUpPromised { seat: 0, amount: 50 }).unwrap();
        view.apply(&TableEvent::TopUpPromised { seat: 0, amount: 30 }).unwrap();
        let ann = |view: &TableView| view.seats[0].as_ref().map(|seat| (seat.stack, seat.top_up));
        assert_eq!((ann(&view), view.chips.bought), (Some((100, 80)), 100));
        let mut lapsed = view.clone();
        view.apply(&TableEvent::ToppedUp { seat: 0, amount: 60 }).unwrap();
        assert_eq!((ann(&view), view.chips.bought), (Some((160, 0)), 160));
        lapsed.apply(&TableEvent::TopUpLapsed { seat: 0, amount: 80 }).unwrap();
        assert_eq!((ann(&lapsed), lapsed.chips.bought), (Some((100, 0)), 100));
    }

    #[test]
    fn an_event_that_makes_chips_is_seen() {
        let mut view = TableView::new(TableConfig::default());
        view.apply(&seated(0, "ann", 100)).unwrap();
        assert_eq!(
            view.apply(&TableEvent::Left { seat: 0, stack: 101 }),
            Err(Misfit("left with other chips than those of the seat"))
        );
        let won = TableEvent::Won { seat: 0, pot: 0, amount: 1, run: 0 };
        assert!(view.apply(&won).is_err());
    }

    #[test]
    fn a_view_comes_back_from_json_as_it_was() {
        let mut view = TableView::new(TableConfig::default());
        view.apply(&seated(2, "ann", 100)).unwrap();
        view.apply(&TableEvent::HandStarted { hand: 1, button: 2, seats: vec![2] }).unwrap();
        let text = serde_json::to_string(&view).unwrap();
        assert_eq!(serde_json::from_str::<TableView>(&text).unwrap(), view);
    }

    #[test]
    fn a_seat_says_whether_a_bot_of_the_house_has_it_and_does_not_store_that() {
        let mut view = TableView::new(TableConfig::default());
        view.apply(&seated(0, "bot-ann", 100)).unwrap();
        view.apply(&seated(1, "g-bot-ann", 100)).unwrap();
        let told = serde_json::to_value(&view).unwrap();
        assert_eq!([0, 1].map(|at| told["seats"][at]["bot"] == true), [true, false]);

        let seat = view.seats[0].as_ref().unwrap();
        let fields =
            ("bot-ann", "bot-ann", 100_u64, 0_u64, 0_u64, SeatStatus::Playing, false, 0_u64, false, false);
        let stored = postcard::to_stdvec(&(fields, Vec::<Card>::new())).unwrap();
        assert_eq!(postcard::to_stdvec(seat).unwrap(), stored);
        assert_eq!(postcard::from_bytes::<SeatView>(&stored).unwrap(), *seat);
    }
}
