//! Nobody is told a card that he was not shown, in whatever form. Two judges read every byte: one looks for cards in it, and one compares it with
//! what would be told if all that was not shown had been something else.

use hands::{
    HandRecord, Name, Seen, Viewer,
    seen::SeenPlayer,
    testing::{any_hand, cards_in, may_see, same_to, unseen},
    told::{About, Money, files, json},
};
use holdem::{Card, SeatIndex};
use proptest::prelude::*;
use protocol::id::UserId;

fn users(count: usize) -> Vec<UserId> {
    (0..count).map(|number| UserId::new(&format!("g-{number}")).unwrap()).collect()
}

/// All forms of what somebody saw.
fn forms(seen: &Seen) -> Vec<(&'static str, String)> {
    let name: Name = "t1.1-20".parse().unwrap();
    let about = About { name: &name, money: Money::Real { digits: 2 }, is_void: false };
    vec![
        ("JSON", json::hand(seen, about).to_string()),
        ("line", json::line(seen, about).to_string()),
        ("OHH", files::ohh(seen, about)),
        ("PHH", files::phh(seen, about).to_string()),
        ("text", files::text(seen, about)),
    ]
}

/// The forms in which this viewer is told more than he may see, by what `look` lets him see.
fn breaches(
    record: &HandRecord,
    viewer: Viewer<'_>,
    seed: u64,
    look: impl Fn(&HandRecord) -> Seen,
) -> Vec<String> {
    let (allowed, other) = (may_see(record, viewer), same_to(record, viewer, seed));
    let mut breaches = Vec::new();
    for ((form, told), (_, of_other)) in forms(&look(record)).into_iter().zip(forms(&look(&other))) {
        let unseen: Vec<Card> = cards_in(&told).into_iter().filter(|card| !allowed.contains(card)).collect();
        if !unseen.is_empty() {
            breaches.push(format!("{form} tells {unseen:?}"));
        }
        if told != of_other {
            breaches.push(format!("{form} differs"));
        }
    }
    breaches
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_told_a_card_that_he_was_not_shown(seed: u64, count in 2_usize..=6) {
        let users = users(count);
        let record = any_hand(seed, 1, [0; 32], &users);
        prop_assert!(record.is_whole());
        let stranger = UserId::new("g-stranger").unwrap();
        let viewers = users.iter().chain([&stranger]).map(Viewer::User).chain([Viewer::Anybody]);
        for viewer in viewers {
            let found = breaches(&record, viewer, !seed, |record| Seen::of(record, viewer));
            prop_assert_eq!(found, Vec::<String>::new(), "{:?}", viewer);
            // And he is told all that he may see.
            for (form, told) in forms(&Seen::of(&record, viewer)) {
                let (told, allowed) = (cards_in(&told), may_see(&record, viewer));
                prop_assert_eq!(told, allowed, "{} to {:?}", form, viewer);
            }
        }
    }
}

/// A hand in which the first player has cards that nobody else saw.
fn with_unseen_cards(users: &[UserId]) -> HandRecord {
    let mut records = (0..).map(|seed| any_hand(seed, 1, [0; 32], users));
    let is_so = |record: &HandRecord| unseen(record, Viewer::User(&users[1])).len() > 1;
    records.find(is_so).unwrap()
}

#[test]
fn each_judge_finds_a_card_that_is_told_to_whom_it_was_not_shown() {
    let users = users(2);
    let record = with_unseen_cards(&users);
    let viewer = Viewer::User(&users[1]);
    assert!(breaches(&record, viewer, 1, |record| Seen::of(record, viewer)).is_empty());
    // Planted: the other one's view is given.
    let found = breaches(&record, viewer, 1, |record| Seen::of(record, Viewer::User(&users[0])));
    for form in ["JSON", "line", "OHH", "PHH", "text"] {
        for what in [" tells", " differs"] {
            assert!(
                found.iter().any(|breach| breach.starts_with(&format!("{form}{what}"))),
                "{form}: {found:?}"
            );
        }
    }
    // Planted: nothing is turned face down.
    let found = breaches(&record, Viewer::Anybody, 1, |record| {
        let mut seen = Seen::of(record, Viewer::Anybody);
        seen.events.clone_from(&record.events);
        seen
    });
    for form in ["JSON", "line", "PHH"] {
        assert!(found.iter().any(|breach| breach.starts_with(&format!("{form} tells"))), "{form}: {found:?}");
        assert!(found.contains(&format!("{form} differs")), "{form}: {found:?}");
    }
}

#[test]
fn who_is_not_to_be_named_is_a_seat() {
    let users = users(2);
    let record = with_unseen_cards(&users);
    let seen = Seen::of(&record, Viewer::User(&users[0])).without_names(|user| *user == users[1]);
    let seat = |number| SeatIndex::new(number).unwrap();
    assert_eq!(seen.you, Some(seat(0)));
    assert_eq!(
        seen.players,
        [
            SeenPlayer { seat: seat(0), user: Some(users[0].clone()), name: Some("Nick 0".into()) },
            SeenPlayer { seat: seat(1), user: None, name: None },
        ]
    );
    for (form, told) in forms(&seen) {
        assert!(told.contains("Nick 0"), "{form}: {told}");
        assert!(!told.contains("Nick 1") && !told.contains("g-1"), "{form}: {told}");
        assert!(form == "JSON" || form == "line" || told.contains("Seat 2"), "{form}: {told}");
    }
}
