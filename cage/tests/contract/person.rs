//! Guests and members.

use cage::{
    DbError,
    people::person::{self, Kind, NICK_KEPT_MS},
};
use protocol::{id::UserId, text::PlayerName};

use crate::setup::{Cage, NOW, membership};

fn nick(name: &str) -> PlayerName {
    PlayerName::new(name).unwrap()
}

pub(crate) async fn a_guest_becomes_a_member_and_stays_who_he_is(cage: Cage) {
    let ann = cage.guest("ann").await;
    let of = ann.clone();
    assert!(cage.write(move |tx| person::upgrade(tx, &of, &membership("ann", "Ann B."), NOW + 1)).await);
    let of = ann.clone();
    let member = cage.read(move |tx| person::by_id(tx, &of)).await.unwrap();
    assert_eq!((member.id, member.kind, member.nick.as_str()), (ann.clone(), Kind::Member, "Ann B."));
    let found = cage.read(|tx| person::by_handle(tx, "ann")).await.unwrap();
    assert_eq!((found.person.id, found.hash.is_some()), (ann.clone(), true));
    // Once: he is no guest any more. And nobody comes from nowhere.
    let nobody = UserId::new("g-nobody").unwrap();
    for id in [ann, nobody] {
        assert!(
            !cage.write(move |tx| person::upgrade(tx, &id, &membership("other", "Other"), NOW + 2)).await
        );
    }
}

pub(crate) async fn two_members_have_neither_one_handle_nor_nicks_that_look_alike(cage: Cage) {
    cage.member("Paul").await;
    let try_ = async |id: &str, handle: &'static str, name: &'static str| {
        let id = UserId::new(id).unwrap();
        cage.try_write(move |tx| person::new_member(tx, &id, &membership(handle, name), NOW)).await
    };
    for (handle, name, why) in [
        ("paul", "Other", "handle"),
        ("other", "PAUL", "nick"),
        ("other", "Раul", "nick"),
        ("other", "PauI", "nick"),
    ] {
        let Err(DbError::Unique(what)) = try_("u-other", handle, name).await else {
            panic!("{handle} {name}")
        };
        assert!(what.contains(why), "{what}");
    }
    try_("u-other", "other", "Paula").await.unwrap();
    // Guests are not in anybody's way.
    cage.guest("Paul").await;
}

pub(crate) async fn a_member_changes_the_nick_once_in_thirty_days_and_a_guest_at_will(cage: Cage) {
    let (ann, bob) = (cage.member("ann").await, cage.guest("bob").await);
    let change = async |id: &UserId, name: &'static str, at| {
        let id = id.clone();
        cage.write(move |tx| person::change_nick(tx, &id, &nick(name), at)).await
    };
    assert!(change(&ann, "Ann 2", NOW).await);
    assert!(!change(&ann, "Ann 3", NOW + NICK_KEPT_MS - 1).await);
    assert!(change(&ann, "Ann 3", NOW + NICK_KEPT_MS).await);
    assert!(change(&bob, "Bob 2", NOW).await && change(&bob, "Ann 3", NOW).await);
}

pub(crate) async fn who_is_gone_leaves_an_id_that_nobody_gets(cage: Cage) {
    let ann = cage.member("ann").await;
    let of = ann.clone();
    assert!(cage.write(move |tx| person::forget(tx, &of, NOW + 1)).await);
    let of = ann.clone();
    let gone = cage.read(move |tx| person::by_id(tx, &of)).await.unwrap();
    assert!(gone.gone && gone.handle.is_none() && gone.nick == "-" && gone.tokens_from_ms == NOW + 1);
    assert!(cage.read(|tx| person::by_handle(tx, "ann")).await.is_none());
    let again = ann.clone();
    let made = cage.try_write(move |tx| person::new_member(tx, &again, &membership("ann", "ann"), NOW)).await;
    assert!(matches!(made, Err(DbError::Unique(_))), "{made:?}");
    // Handle and nick are free.
    let other = UserId::new("u-other").unwrap();
    cage.write(move |tx| person::new_member(tx, &other, &membership("ann", "ann"), NOW)).await;
    assert!(!cage.write(move |tx| person::set_password(tx, &ann, "$argon2id$x")).await);
}

pub(crate) async fn people_are_found_by_id_handle_and_looks(cage: Cage) {
    let (ann, guest) = (cage.member("ann").await, cage.guest("Gus").await);
    for (text, whom) in [("u-ann", &ann), ("ANN", &ann), ("аnn", &ann), ("Gus", &guest), ("g-Gus", &guest)] {
        let found = cage.read(move |tx| person::find(tx, text, 10)).await;
        assert_eq!(found.iter().map(|person| &person.id).collect::<Vec<_>>(), [whom], "{text}");
    }
    assert!(cage.read(|tx| person::find(tx, "%", 10)).await.is_empty());
    let of = ann.clone();
    cage.write(move |tx| person::set_roles(tx, &of, 16 | 2)).await;
    let (one, other) = (ann.clone(), guest);
    assert!(!cage.read(move |tx| person::others_with_roles(tx, &one, 16)).await);
    assert!(cage.read(move |tx| person::others_with_roles(tx, &other, 16)).await);
}
