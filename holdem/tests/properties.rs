//! What holds in every hand, on arbitrary hands.

mod invariants;

use holdem::phh::{Replay, Verdict, record_of};
use holdem::{AnteOrder, Chips, Deck, Event, Hand, HandSetup, PostKind, Rake, Seed};
use invariants::{Choices, any_setup, play_and_check, play_and_check_setup};
use proptest::collection::vec;
use proptest::prelude::*;

/// Enough for the setup, the seed and some fifty actions; after them everybody folds or is run out.
const CHOICES_MAX: usize = 400;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Chips conserved, legal actions exactly those accepted, an end within a bound, pots that sum to contributions,
    /// settlement pot by pot, replay: see `invariants`.
    #[test]
    fn every_hand_keeps_the_invariants(bytes in vec(any::<u8>(), 0..CHOICES_MAX)) {
        play_and_check(&mut Choices(&bytes));
    }

    #[test]
    fn setup_hand_deck_and_events_survive_postcard_and_json(bytes in vec(any::<u8>(), 0..CHOICES_MAX)) {
        let (setup, hand, events) = play_and_check(&mut Choices(&bytes));
        let packed = postcard::to_allocvec(&(&setup, &hand, &events)).expect("all of it serializes");
        let unpacked: (HandSetup, Hand, Vec<Event>) = postcard::from_bytes(&packed).expect("what was written reads");
        prop_assert_eq!(&unpacked, &(setup, hand, events));
        let text = serde_json::to_string(&unpacked).expect("all of it serializes");
        prop_assert_eq!(serde_json::from_str::<(HandSetup, Hand, Vec<Event>)>(&text).expect("what was written reads"), unpacked);
    }

    /// A keyframe taken at any event and the events after it give the same hand.
    #[test]
    fn a_hand_resumes_from_any_of_its_events(bytes in vec(any::<u8>(), 0..CHOICES_MAX), cut in any::<prop::sample::Index>()) {
        let mut choices = Choices(&bytes);
        let (setup, hand, events) = play_and_check(&mut choices);
        let cut = cut.index(events.len());
        let mut resumed = Hand::new(&setup, hand.deck().clone().from_the_top()).expect("the same setup");
        events[..cut].iter().for_each(|event| resumed.apply(event));
        let packed = postcard::to_allocvec(&resumed).expect("a hand serializes");
        let mut resumed: Hand = postcard::from_bytes(&packed).expect("what was written reads");
        events[cut..].iter().for_each(|event| resumed.apply(event));
        prop_assert_eq!(resumed, hand);
    }

    /// PHH keeps what it can express: the record of a hand replays to the hand's stacks and renders to itself.
    #[test]
    fn a_hand_survives_phh(bytes in vec(any::<u8>(), 0..CHOICES_MAX)) {
        let mut choices = Choices(&bytes);
        let mut setup = any_setup(&mut choices);
        leave_what_phh_can_express(&mut setup);
        let (hand, events) = play_and_check_setup(&setup, &mut choices);
        let record = record_of(&setup, &events, 0);
        let reread: holdem::phh::Record = record.to_string().parse().expect("what was written reads");
        prop_assert_eq!(&reread, &record);
        let replay = Replay::of(&reread).expect("a hand that was played");
        prop_assert_eq!(replay.verdict(&reread), Verdict::Matches, "{}", reread);
        let order = hand.dealt_in().clockwise_from(setup.button);
        let stacks: Vec<_> = order.map(|seat| hand.player(seat).expect("a player").stack()).collect();
        prop_assert_eq!(replay.stacks(), stacks);
    }

    #[test]
    fn a_setup_of_any_kind_is_playable(bytes in vec(any::<u8>(), 0..CHOICES_MAX)) {
        let setup = any_setup(&mut Choices(&bytes));
        let hand = Hand::start(&setup, Deck::shuffled(setup.rules.variant, &Seed([1; 32])), |_| ());
        prop_assert!(hand.is_ok());
    }
}

/// PHH knows no rake and no order of ante and blind, and lists blinds by amount: who posts what for which reason must
/// follow from the amounts.
fn leave_what_phh_can_express(setup: &mut HandSetup) {
    setup.rules.rake = Rake::NONE;
    setup.rules.ante_order = AnteOrder::BeforeBlinds;
    for seat in &mut setup.seats {
        seat.posts.retain(|post| !matches!(post.kind, PostKind::DeadBlind | PostKind::Straddle));
    }
    // How large a small blind is that nobody posts is not told.
    if setup.seats.iter().flat_map(|seat| &seat.posts).all(|post| post.kind != PostKind::SmallBlind) {
        setup.rules.small_blind = Chips::ZERO;
    }
}
