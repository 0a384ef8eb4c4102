//! What was taken from somebody.

use cage::{
    DbError,
    people::sanction::{Kind, Sanction, impose, lift, that_hold},
};
use protocol::id::UserId;

use crate::setup::{Cage, DAY, NOW};

fn sanction(id: &str, person: &UserId, kind: Kind, until_ms: Option<u64>, by: &UserId) -> Sanction {
    Sanction {
        id: id.into(),
        person: person.clone(),
        kind,
        from_ms: NOW,
        until_ms,
        reason: "for a test".into(),
        by: by.clone(),
        lifted_ms: None,
    }
}

async fn held(cage: &Cage, person: &UserId, at: u64) -> Vec<String> {
    let person = person.clone();
    cage.read(move |tx| that_hold(tx, &person, at)).await.into_iter().map(|sanction| sanction.id).collect()
}

pub(crate) async fn it_holds_until_its_end_or_until_it_is_lifted(cage: Cage) {
    let (ann, staff) = (cage.member("ann").await, cage.member("staff").await);
    for (id, until_ms) in [("s-1", Some(NOW + DAY)), ("s-2", None)] {
        let imposed = sanction(id, &ann, Kind::Mute, until_ms, &staff);
        cage.write(move |tx| impose(tx, &imposed)).await;
    }
    assert_eq!(held(&cage, &ann, NOW).await, ["s-1", "s-2"]);
    assert_eq!(held(&cage, &ann, NOW + DAY).await, ["s-2"]);
    assert_eq!(held(&cage, &staff, NOW).await, Vec::<String>::new());
    let by = staff.clone();
    assert_eq!(cage.write(move |tx| lift(tx, "s-2", &by, NOW + 2)).await, Some(ann.clone()));
    assert_eq!(cage.write(move |tx| lift(tx, "s-2", &staff, NOW + 3)).await, None);
    assert_eq!(held(&cage, &ann, NOW + DAY).await, Vec::<String>::new());
}

pub(crate) async fn nobody_lifts_a_self_exclusion_early(cage: Cage) {
    let (ann, staff) = (cage.member("ann").await, cage.member("staff").await);
    let own = sanction("s-1", &ann, Kind::SelfExclusion, Some(NOW + DAY), &ann);
    cage.write(move |tx| impose(tx, &own)).await;
    for by in [&ann, &staff] {
        let by = by.clone();
        let lifted = cage.try_write(move |tx| lift(tx, "s-1", &by, NOW + 1)).await;
        assert!(matches!(lifted, Err(DbError::Refused(_))), "{lifted:?}");
    }
    assert_eq!(held(&cage, &ann, NOW + DAY - 1).await, ["s-1"]);
    assert!(held(&cage, &ann, NOW + DAY).await.is_empty());
    // Nobody else excludes somebody, and not without an end.
    for wrong in [
        sanction("s-2", &ann, Kind::SelfExclusion, Some(NOW + DAY), &staff),
        sanction("s-3", &ann, Kind::SelfExclusion, None, &ann),
    ] {
        let refused = cage.try_write(move |tx| impose(tx, &wrong)).await;
        assert!(matches!(refused, Err(DbError::Refused(_))), "{refused:?}");
    }
}
