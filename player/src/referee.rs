//! Judges what a client sees of one table: chips, cards, and what may be seen when.
//!
//! The rule of positions is [`follower`](crate::follower)'s, answers are [`answers`](crate::answers)'; here are the
//! promises that need the game. A referee knows no more than an honest client: it never asks how hands are ranked.

use protocol::{
    id::UserId,
    table::{Card, HandView, MadeHand, TableEvent, TablePrivate, TableView},
};

use crate::{
    breach::{Breach, Breaches},
    fair_play::FairPlay,
    follower::When,
};

/// Judges one table for one user.
#[derive(Debug, Default)]
pub struct Referee {
    /// The hand that `own` belongs to.
    hand: u64,
    /// The user's hole cards in that hand, once dealt.
    own: Vec<Card>,
    /// Where they were dealt.
    own_seat: Option<u8>,
    /// Cards that were the user's before frames and a change of owner were jumped over. Had the broker lost some of those
    /// frames, nobody could say so any more: the same hand may have been dealt again.
    doubted: Option<Vec<Card>>,
    /// A card of this hand has already been seen twice: told once.
    doubled: bool,
    fair_play: FairPlay,
}

impl Referee {
    /// Has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Judges an event, once before and once after it is applied.
    pub fn event(&mut self, when: When, event: &TableEvent, view: &TableView, breaches: &mut Breaches) {
        if let Some(unfair) = self.fair_play.event(when, event, view) {
            breaches.count(Breach::Rules, || unfair);
        }
        match when {
            When::Before => self.before(event, view, breaches),
            When::After => self.after(event, view, breaches),
        }
    }

    fn before(&mut self, event: &TableEvent, view: &TableView, breaches: &mut Breaches) {
        match event {
            TableEvent::Shown { seat, .. } if !may_show(view) => {
                breaches.count(Breach::Privacy, || format!("seat {seat} shown while there is betting"));
            }
            TableEvent::Won { seat, pot, .. } => {
                let pot = view.hand.as_ref().and_then(|hand| hand.pots.get(usize::from(*pot)));
                if pot.is_some_and(|pot| !pot.seats.contains(seat)) {
                    breaches.count(Breach::Chips, || format!("seat {seat} won a pot that it is not in"));
                }
            }
            _ => {}
        }
    }

    fn after(&mut self, event: &TableEvent, view: &TableView, breaches: &mut Breaches) {
        if !view.conserves_chips() {
            breaches.count(Breach::Chips, || {
                format!("{:?}, but {} on the table after {event:?}", view.chips, view.on_table())
            });
        }
        if let TableEvent::Shown { hands, .. } | TableEvent::HandEnded { hands, .. } = event
            && let Some(made) = hands.iter().find(|made| !is_face_up(made, view))
        {
            breaches.count(Breach::Privacy, || {
                format!("seat {} makes a hand of cards that nobody sees: {made:?}", made.seat)
            });
        }
        match event {
            TableEvent::HandStarted { hand, .. } => self.begin(*hand),
            TableEvent::Collected { pots } => {
                let out = |seat: &&u8| {
                    let player = view.seats.get(usize::from(**seat)).and_then(Option::as_ref);
                    player.is_none_or(|player| !player.in_hand || player.folded)
                };
                if let Some(seat) = pots.iter().flat_map(|pot| &pot.seats).find(out) {
                    breaches.count(Breach::Chips, || format!("seat {seat} is in a pot but not in the hand"));
                }
            }
            TableEvent::HandEnded { hand, .. } => {
                let pots: u64 = view.hand.iter().flat_map(|hand| &hand.pots).map(|pot| pot.amount).sum();
                let bets: u64 = view.seats.iter().flatten().map(|seat| seat.bet).sum();
                if pots + bets > 0 {
                    breaches
                        .count(Breach::Chips, || format!("hand {hand} left {pots} in pots, {bets} in bets"));
                }
            }
            TableEvent::Shown { .. } | TableEvent::Street { .. } => self.distinct(view, breaches),
            _ => {}
        }
    }

    /// Judges a keyframe that was taken.
    pub fn keyframe(&mut self, view: &TableView, breaches: &mut Breaches) {
        if !view.conserves_chips() {
            breaches.count(Breach::Chips, || {
                format!("a keyframe with {:?}, but {} on the table", view.chips, view.on_table())
            });
        }
        let hand = view.hand.as_ref().map_or(0, |hand| hand.hand);
        if hand != self.hand {
            self.begin(hand);
        }
        if !may_show(view)
            && let Some(seat) = view.seats.iter().flatten().find(|seat| !seat.shown.is_empty())
        {
            let user = &seat.user;
            breaches
                .count(Breach::Privacy, || format!("a keyframe shows {user}'s cards while there is betting"));
        }
        self.distinct(view, breaches);
    }

    /// Frames were left out: whatever follows from hand to hand is not known any more.
    pub fn lose_track(&mut self) {
        self.fair_play.forget();
    }

    /// Frames were jumped over together with a change of owner.
    pub fn doubt(&mut self) {
        if !self.own.is_empty() {
            self.doubted = Some(std::mem::take(&mut self.own));
        }
    }

    /// Judges the user's own part of a frame, against the view after that frame.
    pub fn private(&mut self, me: &UserId, part: &TablePrivate, view: &TableView, breaches: &mut Breaches) {
        if part.cards.is_empty() {
            return;
        }
        let Some(hand) = view.hand.as_ref().filter(|hand| hand.hand == part.hand) else {
            return breaches
                .count(Breach::Privacy, || format!("cards of hand {}, which is not on", part.hand));
        };
        if !self.own.is_empty() && self.hand == part.hand {
            if self.own != part.cards {
                breaches.count(Breach::Privacy, || format!("other cards than before in hand {}", part.hand));
            }
            return;
        }
        let seat = view.seat_of(me).and_then(|seat| view.seats[usize::from(seat)].as_ref());
        if !seat.is_some_and(|seat| seat.in_hand) || part.cards.len() != usize::from(hand.hole_cards) {
            breaches.count(Breach::Privacy, || format!("{} cards, but not dealt so", part.cards.len()));
        }
        let doubted = self.doubted.take().filter(|_| self.hand == part.hand);
        breaches.lost += u64::from(doubted.is_some_and(|before| before != part.cards));
        self.hand = part.hand;
        self.own.clone_from(&part.cards);
        self.own_seat = view.seat_of(me);
        self.distinct(view, breaches);
    }

    /// Judges whether a room's part names cards that its fields do not account for: `named` were found in the raw
    /// text, `known` stand in the fields that may hold cards.
    pub fn no_other_cards(named: usize, known: usize, breaches: &mut Breaches) {
        if named > known {
            breaches
                .count(Breach::Privacy, || format!("{named} cards in the text, {known} in its known fields"));
        }
    }

    fn begin(&mut self, hand: u64) {
        self.hand = hand;
        self.own.clear();
        self.doubted = None;
        self.doubled = false;
    }

    /// No card lies in two places; what the user shows is what the user holds.
    fn distinct(&mut self, view: &TableView, breaches: &mut Breaches) {
        let Some(hand) = view.hand.as_ref().filter(|_| !self.doubled) else { return };
        let mut seen = Vec::with_capacity(24);
        let mut twice = None;
        let mut see = |card: Card| if seen.contains(&card) { twice = Some(card) } else { seen.push(card) };
        let first = hand.boards.first().map_or(&[][..], Vec::as_slice);
        first.iter().for_each(|card| see(*card));
        for board in hand.boards.iter().skip(1) {
            // A second board may repeat the cards that both have in common.
            let new = board.iter().enumerate().filter(|(at, card)| first.get(*at) != Some(card));
            new.for_each(|(_, card)| see(*card));
        }
        view.seats.iter().flatten().flat_map(|seat| &seat.shown).for_each(|card| see(*card));
        let mine = self.own_seat.and_then(|seat| view.seats.get(usize::from(seat))?.as_ref());
        let shown = mine.map_or(&[][..], |mine| &mine.shown);
        // Some of the own cards may be face up, and no others.
        let shown = if shown.iter().all(|card| self.own.contains(card)) { shown } else { &[] };
        self.own.iter().filter(|card| !shown.contains(card)).for_each(|card| see(*card));
        if let Some(card) = twice {
            self.doubled = true;
            breaches.count(Breach::Privacy, || format!("{card} is in two places in hand {}", hand.hand));
        }
    }
}

/// Whether hands may be face up: after the hand, at showdown, and as soon as no more betting is possible.
fn may_show(view: &TableView) -> bool {
    let Some(hand) = &view.hand else { return false };
    hand.ended || (hand.turn.is_none() && (board_is_full(hand) || betting_is_over(view)))
}

fn board_is_full(hand: &HandView) -> bool {
    hand.boards.first().is_some_and(|board| board.len() >= 5)
}

/// At most one player who is still in has chips, and that player owes nothing.
fn betting_is_over(view: &TableView) -> bool {
    let highest = view.seats.iter().flatten().map(|seat| seat.bet).max().unwrap_or(0);
    let mut with_chips = view.seats.iter().flatten().filter(|s| s.in_hand && !s.folded && s.stack > 0);
    match (with_chips.next(), with_chips.next()) {
        (None, _) => true,
        (Some(last), None) => last.bet == highest,
        _ => false,
    }
}

/// Cards (and names that look like one) in the fields of a frame's events.
pub(crate) fn cards_in_events(events: &[TableEvent]) -> usize {
    let looks = |text: &str| usize::from(Card::new(text).is_some());
    let in_event = |event: &TableEvent| match event {
        TableEvent::Street { cards, .. } => cards.len(),
        TableEvent::Shown { cards, hands, .. } => cards.len() + cards_in_hands(hands),
        TableEvent::HandEnded { hands, .. } => cards_in_hands(hands),
        TableEvent::Chat { user, name, text, .. } => looks(user.as_str()) + looks(name) + looks(text),
        TableEvent::Seated { user, name, .. } => looks(user.as_str()) + looks(name),
        _ => 0,
    };
    events.iter().map(in_event).sum()
}

fn cards_in_hands(hands: &[MadeHand]) -> usize {
    hands.iter().map(|hand| hand.cards.len()).sum()
}

/// Whether a hand is made of cards that everybody sees.
fn is_face_up(made: &MadeHand, view: &TableView) -> bool {
    let board = view.hand.as_ref().and_then(|hand| hand.boards.get(usize::from(made.run)));
    let shown = view.seats.get(usize::from(made.seat)).and_then(Option::as_ref).map(|seat| &seat.shown);
    made.cards.iter().all(|card| board.into_iter().chain(shown).flatten().any(|seen| seen == card))
}

/// The same for a keyframe.
pub(crate) fn cards_in_view(view: &TableView) -> usize {
    let looks = |text: &str| usize::from(Card::new(text).is_some());
    let boards: usize = view.hand.iter().flat_map(|hand| &hand.boards).map(Vec::len).sum();
    let seats = view.seats.iter().flatten().map(|s| s.shown.len() + looks(s.user.as_str()) + looks(&s.name));
    boards + seats.sum::<usize>() + looks(&view.config.name)
}

#[cfg(test)]
mod tests {
    use protocol::table::{
        ActKind, Acted, BlindKind, PotView, SeatStatus, StreetName, TableConfig, TurnView,
    };

    use super::*;

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    fn cards(text: &str) -> Vec<Card> {
        text.split(' ').map(|card| Card::new(card).unwrap()).collect()
    }

    /// A table at which ann (seat 0, the referee's user) and bob (seat 1) play hand 1 with 100 chips each.
    struct Scene {
        view: TableView,
        referee: Referee,
        breaches: Breaches,
    }

    impl Scene {
        fn new() -> Self {
            let view = TableView::new(TableConfig::default());
            let mut scene = Self { view, referee: Referee::new(), breaches: Breaches::default() };
            for (seat, name) in [(0, "ann"), (1, "bob")] {
                let (user, name, status) = (user(name), name.into(), SeatStatus::Playing);
                scene.see(TableEvent::Seated {
                    seat,
                    user,
                    name,
                    bot: false,
                    stack: 100,
                    status,
                    bank_ms: 0,
                });
            }
            scene.see(TableEvent::HandStarted { hand: 1, button: 0, seats: vec![1, 0] });
            scene.see(TableEvent::Posted { seat: 0, blind: BlindKind::Small, amount: 1 });
            scene.see(TableEvent::Posted { seat: 1, blind: BlindKind::Big, amount: 2 });
            scene.see(TableEvent::Dealt { cards: 2 });
            scene.own("As Ad");
            scene.see(TableEvent::Turn(TurnView {
                turn: 1,
                seat: 0,
                deadline_ms: 9,
                call: Some(1),
                raise: None,
            }));
            assert_eq!(scene.breaches.total(), 0, "{:?}", scene.breaches.described);
            scene
        }

        fn see(&mut self, event: TableEvent) {
            self.referee.event(When::Before, &event, &self.view, &mut self.breaches);
            self.view.apply(&event).unwrap();
            self.referee.event(When::After, &event, &self.view, &mut self.breaches);
        }

        fn own(&mut self, text: &str) {
            let part = TablePrivate { hand: 1, cards: cards(text), declined: None };
            self.referee.private(&user("ann"), &part, &self.view, &mut self.breaches);
        }

        fn act(&mut self, seat: u8, amount: u64, to: u64) {
            let all_in = self.view.seats[usize::from(seat)].as_ref().unwrap().stack == amount;
            self.see(TableEvent::Acted(Acted {
                seat,
                kind: ActKind::Raise,
                amount,
                to,
                all_in,
                timeout: false,
            }));
        }

        fn show(&mut self, seat: u8, text: &str) {
            self.see(TableEvent::Shown { seat, cards: cards(text), rank: String::new(), hands: Vec::new() });
        }

        fn street(&mut self, street: StreetName, text: &str) {
            self.see(TableEvent::Street { street, cards: cards(text), run: 0 });
        }

        fn all_in(&mut self) {
            self.act(0, 99, 100);
            self.act(1, 98, 100);
            self.see(TableEvent::Collected { pots: vec![PotView { amount: 200, seats: vec![0, 1] }] });
        }
    }

    #[test]
    fn an_all_in_hand_to_its_end_is_in_order() {
        let mut scene = Scene::new();
        scene.all_in();
        scene.show(0, "As Ad");
        scene.show(1, "Ks Kd");
        scene.street(StreetName::Flop, "2c 3c 4c");
        scene.street(StreetName::Turn, "9c");
        scene.street(StreetName::River, "Th");
        scene.see(TableEvent::Won { seat: 0, pot: 0, amount: 200, run: 0 });
        scene.see(TableEvent::HandEnded { hand: 1, next_ms: 5, hands: Vec::new() });
        assert_eq!(scene.breaches, Breaches::default());
    }

    #[test]
    fn cards_shown_while_somebody_may_still_bet_are_a_leak() {
        let mut scene = Scene::new();
        scene.show(1, "Ks Kd");
        assert_eq!(scene.breaches.privacy, 1, "it is ann's turn");
        let mut scene = Scene::new();
        scene.act(0, 99, 100);
        scene.show(0, "As Ad");
        assert_eq!(scene.breaches.privacy, 1, "bob has chips and owes 98");
    }

    #[test]
    fn a_keyframe_with_cards_before_showdown_is_a_leak() {
        let mut scene = Scene::new();
        let mut view = scene.view.clone();
        view.seats[1].as_mut().unwrap().shown = cards("Ks Kd");
        scene.referee.keyframe(&view, &mut scene.breaches);
        assert_eq!(scene.breaches.privacy, 1);
    }

    #[test]
    fn a_card_in_two_places_is_seen() {
        let mut scene = Scene::new();
        scene.street(StreetName::Flop, "2c As 4c");
        assert_eq!(scene.breaches.privacy, 1);
        let mut scene = Scene::new();
        scene.all_in();
        scene.show(1, "As Kd");
        assert_eq!(scene.breaches.privacy, 1, "bob shows ann's ace");
    }

    #[test]
    fn showing_other_cards_than_one_holds_is_seen() {
        let mut scene = Scene::new();
        scene.all_in();
        scene.show(0, "As Kd");
        assert_eq!(scene.breaches.privacy, 1);
    }

    #[test]
    fn who_shows_one_card_still_holds_the_other() {
        let mut scene = Scene::new();
        scene.all_in();
        scene.show(0, "Ad");
        scene.show(0, "As Ad");
        assert_eq!(scene.breaches, Breaches::default());
        let mut scene = Scene::new();
        scene.all_in();
        scene.show(0, "Ad");
        scene.show(1, "As");
        assert_eq!(scene.breaches.privacy, 1, "bob shows what ann has kept down");
    }

    #[test]
    fn own_cards_do_not_change_and_come_only_to_who_is_dealt_in() {
        let mut scene = Scene::new();
        scene.own("As Ad");
        assert_eq!(scene.breaches.total(), 0);
        scene.own("As Ac");
        assert_eq!(scene.breaches.privacy, 1);

        let scene = Scene::new();
        let mut breaches = Breaches::default();
        let part = TablePrivate { hand: 1, cards: cards("5s 6s"), declined: None };
        Referee::new().private(&user("eve"), &part, &scene.view, &mut breaches);
        assert_eq!(breaches.privacy, 1, "eve has no seat");
        let part = TablePrivate { hand: 2, cards: cards("5s 6s"), declined: None };
        Referee::new().private(&user("ann"), &part, &scene.view, &mut breaches);
        assert_eq!(breaches.privacy, 2, "hand 2 is not on");
    }

    #[test]
    fn other_cards_beyond_a_jump_to_another_owner_are_a_loss_and_not_a_leak() {
        let mut scene = Scene::new();
        scene.referee.doubt();
        scene.own("As Ad");
        assert_eq!((scene.breaches.total(), scene.breaches.lost), (0, 0), "nothing was lost");
        scene.referee.doubt();
        scene.own("5s 6s");
        assert_eq!((scene.breaches.total(), scene.breaches.lost), (0, 1));
        scene.own("As Ad");
        assert_eq!(scene.breaches.privacy, 1, "from then on they do not change");
    }

    #[test]
    fn made_or_lost_chips_are_seen() {
        let mut scene = Scene::new();
        scene.all_in();
        scene.see(TableEvent::Collected { pots: vec![PotView { amount: 201, seats: vec![0, 1] }] });
        assert_eq!(scene.breaches.chips, 1);

        let mut scene = Scene::new();
        scene.all_in();
        scene.see(TableEvent::Won { seat: 0, pot: 0, amount: 199, run: 0 });
        scene.see(TableEvent::HandEnded { hand: 1, next_ms: 5, hands: Vec::new() });
        assert_eq!(scene.breaches.chips, 1, "a chip stays in the pot");

        let mut scene = Scene::new();
        scene.view.chips.bought += 1;
        let view = scene.view.clone();
        scene.referee.keyframe(&view, &mut scene.breaches);
        assert_eq!(scene.breaches.chips, 1);
    }

    #[test]
    fn a_pot_goes_only_to_who_is_in_it() {
        let mut scene = Scene::new();
        scene.act(0, 99, 100);
        scene.act(1, 98, 100);
        scene.see(TableEvent::Collected { pots: vec![PotView { amount: 200, seats: vec![0] }] });
        scene.see(TableEvent::Won { seat: 1, pot: 0, amount: 200, run: 0 });
        assert_eq!(scene.breaches.chips, 1);

        let mut scene = Scene::new();
        scene.see(TableEvent::Mucked { seat: 1 });
        scene.see(TableEvent::Collected { pots: vec![PotView { amount: 3, seats: vec![0, 1] }] });
        assert_eq!(scene.breaches.chips, 1, "bob has folded");
    }

    #[test]
    fn cards_outside_the_known_fields_are_seen() {
        let mut breaches = Breaches::default();
        Referee::no_other_cards(2, 2, &mut breaches);
        assert_eq!(breaches.total(), 0);
        Referee::no_other_cards(4, 2, &mut breaches);
        assert_eq!(breaches.privacy, 1);
    }
}
