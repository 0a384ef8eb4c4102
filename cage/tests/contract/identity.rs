//! Who somebody is elsewhere, and ways there and back.

use cage::{
    DbError,
    people::{
        identity::{Subject, add, by_email, by_subject, forget, of, remove, used},
        visit::{Arrival, Back, Goer, Purpose, Visit, arrive, arrived, begin, end, settle},
    },
};

use crate::setup::{Cage, MINUTE, NOW};

fn subject(issuer: &str, subject: &str, email: Option<&str>) -> Subject {
    Subject { issuer: issuer.into(), subject: subject.into(), email: email.map(Into::into) }
}

pub(crate) async fn a_subject_is_one_persons_and_a_person_has_one_of_an_issuer(cage: Cage) {
    let (ann, bob, gus) = (cage.member("ann").await, cage.member("bob").await, cage.guest("gus").await);
    let link = |id: &'static str, person: &protocol::id::UserId, of: Subject| {
        let person = person.clone();
        cage.try_write(move |tx| add(tx, id, &person, &of, NOW))
    };
    assert_eq!(link("i-1", &ann, subject("https://a", "1", Some("ann@x.example"))).await, Ok(true));
    assert_eq!(link("i-2", &bob, subject("https://a", "1", None)).await, Ok(false), "it is Ann's");
    assert_eq!(link("i-3", &ann, subject("https://a", "2", None)).await, Ok(false), "she has one there");
    assert_eq!(link("i-4", &bob, subject("https://a", "2", Some("ann@x.example"))).await, Ok(true));
    assert_eq!(
        link("i-5", &ann, subject("https://b", "1", None)).await,
        Ok(true),
        "elsewhere it is hers too"
    );
    let refused = link("i-6", &gus, subject("https://b", "3", None)).await;
    assert!(matches!(refused, Err(DbError::Refused(_))), "{refused:?}");
    let found = cage.read(|tx| by_subject(tx, "https://a", "1")).await.unwrap();
    assert_eq!((found.person, found.id.as_str(), found.used_ms), (ann.clone(), "i-1", NOW));
    assert_eq!(cage.read(|tx| by_subject(tx, "https://a/", "1")).await, None);
    let same = cage.read(|tx| by_email(tx, "ann@x.example")).await;
    assert_eq!(same.iter().map(|found| found.id.as_str()).collect::<Vec<_>>(), ["i-1", "i-4"]);
    cage.write(|tx| used(tx, "i-1", None, NOW + 5)).await;
    assert_eq!(
        cage.read(|tx| by_email(tx, "ann@x.example")).await.len(),
        1,
        "the address is not hers any more"
    );
    let (from, not_hers) = (ann.clone(), bob.clone());
    assert_eq!(cage.write(move |tx| remove(tx, &not_hers, "i-1")).await, None);
    assert_eq!(cage.write(move |tx| remove(tx, &from, "i-1")).await.as_deref(), Some("https://a"));
    let left = ann.clone();
    assert_eq!(cage.read(move |tx| of(tx, &left)).await.len(), 1);
    let gone = ann.clone();
    cage.write(move |tx| forget(tx, &gone)).await;
    assert!(cage.read(move |tx| of(tx, &ann)).await.is_empty());
    assert_eq!(cage.read(move |tx| of(tx, &bob)).await.len(), 1, "nobody else's");
}

pub(crate) async fn a_way_is_walked_once_in_time_and_from_where_it_led(cage: Cage) {
    let ann = cage.member("ann").await;
    let visit = Visit {
        provider: "a".into(),
        purpose: Purpose::Link,
        goer: Some(Goer { person: ann, login: "l-1".into() }),
    };
    let until = NOW + 10 * MINUTE;
    for hash in [[1; 32], [2; 32]] {
        let visit = visit.clone();
        cage.write(move |tx| begin(tx, &hash, &visit, until, NOW)).await;
    }
    let back =
        |hash: u8, provider: &'static str, at| cage.write(move |tx| end(tx, &[hash; 32], provider, at));
    assert_eq!(back(1, "b", NOW).await, Back::Never, "it led elsewhere");
    assert_eq!(back(1, "a", NOW).await, Back::From(visit.clone()));
    assert_eq!(back(1, "a", NOW).await, Back::Again);
    assert_eq!(back(2, "a", until).await, Back::Never, "too late");
    assert_eq!(back(3, "a", NOW).await, Back::Never);
    let nobody = Visit { goer: None, ..visit.clone() };
    let refused = cage.try_write(move |tx| begin(tx, &[4; 32], &nobody, until, NOW)).await;
    assert!(matches!(refused, Err(DbError::Refused(_))), "{refused:?}");
    // What is over goes with what comes.
    cage.write(move |tx| begin(tx, &[5; 32], &visit, until + MINUTE, until + 1)).await;
    assert_eq!(back(1, "a", NOW).await, Back::Never);
}

pub(crate) async fn a_hundred_who_come_back_at_once_are_one(cage: Cage) {
    let visit = Visit { provider: "a".into(), purpose: Purpose::SignIn, goer: None };
    let of = visit.clone();
    cage.write(move |tx| begin(tx, &[1; 32], &of, NOW + MINUTE, NOW)).await;
    let all = (0..100).map(|_| cage.write(|tx| end(tx, &[1; 32], "a", NOW)));
    let all = futures_util::future::join_all(all).await;
    assert_eq!(all.iter().filter(|back| **back == Back::From(visit.clone())).count(), 1);
    assert_eq!(all.iter().filter(|back| **back == Back::Again).count(), 99);
}

pub(crate) async fn who_has_arrived_settles_once_in_time(cage: Cage) {
    let arrival = Arrival {
        provider: "a".into(),
        subject: subject("https://a", "1", None),
        nick: "Ann".into(),
        goer: Some(Goer { person: cage.guest("ann").await, login: "l-1".into() }),
    };
    let until = NOW + 10 * MINUTE;
    let of = arrival.clone();
    cage.write(move |tx| arrive(tx, &[1; 32], &of, until, NOW)).await;
    assert_eq!(cage.read(|tx| arrived(tx, &[1; 32], NOW)).await, Some(arrival.clone()));
    assert_eq!(cage.read(move |tx| arrived(tx, &[1; 32], until)).await, None);
    assert_eq!(cage.write(move |tx| settle(tx, &[1; 32], until)).await, None, "too late");
    assert_eq!(cage.write(|tx| settle(tx, &[2; 32], NOW)).await, None);
    // A name that is taken uses nothing up.
    let failed = cage.try_write(|tx| {
        settle(tx, &[1; 32], NOW)?;
        Err::<(), _>(DbError::Unique("nick".into()))
    });
    assert!(failed.await.is_err());
    assert_eq!(cage.write(|tx| settle(tx, &[1; 32], NOW)).await, Some(arrival));
    assert_eq!(cage.write(|tx| settle(tx, &[1; 32], NOW)).await, None);
    assert_eq!(cage.read(|tx| arrived(tx, &[1; 32], NOW)).await, None);
}
