//! Whatever comes from the bus: it is mail or it is not, and never a panic.

use proptest::prelude::*;
use protocol::id::{Epoch, Position, RoomId};
use rooms::room::letters::{
    BODY_BYTES_MAX, Body, Letter, LetterId, Mail, REFERENCES_MAX, Reference, What,
    wire::{BadMail, LETTERS_BYTES_MAX, LETTERS_MAX, MAIL_BYTES_MAX, together},
};

fn name() -> impl Strategy<Value = RoomId> {
    "[a-z0-9-]{1,40}".prop_map(|name| RoomId::new(&name).unwrap())
}

fn id() -> impl Strategy<Value = LetterId> {
    (any::<u64>(), any::<u64>(), any::<u16>())
        .prop_map(|(epoch, seq, index)| LetterId { at: Position::new(epoch, seq), index })
}

fn letter() -> impl Strategy<Value = Letter> {
    let reference = (name(), id()).prop_map(|(from, letter)| Reference { from, letter });
    let re = proptest::collection::vec(reference, 0..=REFERENCES_MAX);
    let body = proptest::collection::vec(any::<u8>(), 0..=BODY_BYTES_MAX);
    (id(), proptest::option::of(id()), re, body).prop_map(|(id, prev, re, body)| Letter {
        id,
        prev,
        re,
        body: Body::new(body).unwrap(),
    })
}

fn mail() -> impl Strategy<Value = Mail> {
    let ids = || proptest::option::of(id());
    let letters = || proptest::collection::vec(letter(), 0..4);
    let what = prop_oneof![
        (ids(), ids()).prop_map(|(said, heard)| What::Hello { said, heard }),
        (any::<u64>(), ids(), ids(), proptest::option::of(letters()))
            .prop_map(|(to, said, heard, forgotten)| What::Back { to: Epoch(to), said, heard, forgotten }),
        letters().prop_map(What::Letters),
        (ids(), any::<bool>()).prop_map(|(heard, listens)| What::Got { heard, listens }),
    ];
    (name(), any::<u64>(), what).prop_map(|(from, epoch, what)| Mail { from, epoch: Epoch(epoch), what })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn mail_is_read_as_it_was_written_and_nothing_may_follow(mail in mail(), more in any::<u8>()) {
        let bytes = mail.encode();
        prop_assert_eq!(Mail::decode(&bytes), Ok(mail));
        prop_assert!(Mail::decode(&bytes[..bytes.len() - 1]).is_err());
        let followed = [&bytes[..], &[more]].concat();
        prop_assert_eq!(Mail::decode(&followed), Err(BadMail::Followed(1)));
        let later = [&[bytes[0] + 1], &bytes[1..]].concat();
        prop_assert_eq!(Mail::decode(&later), Err(BadMail::Version(Some(2))));
    }

    #[test]
    fn any_bytes_are_mail_or_refused(mail in mail(), at in any::<prop::sample::Index>(), flip in 1_u8.., junk in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = mail.encode().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let _ = Mail::decode(&bytes);
        let _ = Mail::decode(&junk);
        let _ = Mail::decode(&[&[1], &junk[..]].concat());
    }

    #[test]
    fn letters_that_travel_together_fit_and_one_always_does(letters in proptest::collection::vec(letter(), 0..40)) {
        let taken = together(letters.iter());
        prop_assert_eq!(taken.is_empty(), letters.is_empty());
        prop_assert_eq!(&taken[..], &letters[..taken.len()]);
        prop_assert!(taken.len() <= LETTERS_MAX);
        let mail = Mail { from: RoomId::new("x").unwrap(), epoch: Epoch(1), what: What::Letters(taken) };
        prop_assert!(mail.encode().len() <= LETTERS_BYTES_MAX + 64);
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let letter = Letter {
        id: LetterId { at: Position::new(1, 1), index: 0 },
        prev: None,
        re: Vec::new(),
        body: Body::new(Vec::new()).unwrap(),
    };
    let mail = |what| Mail { from: RoomId::new("x").unwrap(), epoch: Epoch(1), what };
    let many = mail(What::Letters(vec![letter.clone(); LETTERS_MAX + 1])).encode();
    assert_eq!(Mail::decode(&many), Err(BadMail::TooMany(LETTERS_MAX + 1)));
    let long = vec![1; MAIL_BYTES_MAX + 1];
    assert_eq!(Mail::decode(&long), Err(BadMail::TooLong(MAIL_BYTES_MAX + 1)));
    assert_eq!(Mail::decode(&[]), Err(BadMail::Version(None)));
    assert!(Body::new(vec![0; BODY_BYTES_MAX + 1]).is_err());

    let reference = Reference { from: RoomId::new("y").unwrap(), letter: letter.id };
    let uses_too_much = Letter { re: vec![reference; REFERENCES_MAX + 1], ..letter };
    assert!(Mail::decode(&mail(What::Letters(vec![uses_too_much])).encode()).is_err());
}
