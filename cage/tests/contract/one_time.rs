//! Links that work once.

use cage::people::one_time::{hash, take, to_set_password, whose};

use crate::setup::{Cage, MINUTE, NOW};

pub(crate) async fn a_link_works_once_in_time_and_the_latest_alone(cage: Cage) {
    let ann = cage.member("ann").await;
    for secret in ["first", "second"] {
        let of = ann.clone();
        cage.write(move |tx| to_set_password(tx, &hash(secret), &of, NOW + 30 * MINUTE)).await;
    }
    let used = |secret: &'static str, at| cage.write(move |tx| take(tx, &hash(secret), at));
    assert_eq!(used("first", NOW).await, None, "a later one is there");
    assert_eq!(used("second", NOW + 30 * MINUTE).await, None, "it is over");
    assert_eq!(cage.read(|tx| whose(tx, &hash("second"), NOW)).await.as_ref(), Some(&ann));
    assert_eq!(cage.read(|tx| whose(tx, &hash("first"), NOW)).await, None);
    assert_eq!(used("second", NOW).await, Some(ann));
    assert_eq!(used("second", NOW).await, None, "once");
    assert_eq!(used("third", NOW).await, None);
}
