//! What is durable is for ever: journals that earlier releases wrote are read, and what a release of the past must read is written
//! as it was.

mod support;

use std::borrow::Cow;

use broker::{
    entry::{Entry, Kind},
    seal::Form,
};
use protocol::id::{Position, RoomId};
use rooms::room::{
    Room,
    record::{BadRecord, Delta, DeltaOf, Journaled, Record, open, seal},
};
use table::{Event, Table};

use support::journals::{self, NOW, holds, sealer, seen, stretches};

/// Four hands of three to four players, as the first release wrote them: three keyframes, 67 deltas, with a top-up, chat of a spectator,
/// an absence, a time-out, who sits out and comes back. Its sealing key is [`journals::KEY`].
const JOURNAL: &str = include_str!("golden/table-first-release.journal");

/// What everybody saw at its end.
const VIEW: &str = include_str!("golden/table-first-release.view.json");

fn journal() -> Vec<Entry> {
    journals::journal(JOURNAL)
}

fn restored(entries: &[Entry]) -> Journaled<Table> {
    journals::restored(entries)
}

#[test]
fn a_journal_of_the_first_release_is_read_to_its_last_card() {
    let journal = journal();
    let stretches = stretches(&journal);
    assert_eq!((journal.len(), stretches.len()), (70, 3));
    for stretch in &stretches {
        let state = restored(stretch);
        assert!(state.room.public().conserves_chips());
        // The last commands of each session are known, and their places.
        for entry in stretch.iter().rev().take(3) {
            if let Some(cause) = &entry.cause {
                use rooms::room::answers::{Asked, Known, Refused, look_up};
                let asked = Asked { cause, is_first: false, now: NOW };
                let known = look_up(&state.applied, &Refused::default(), asked);
                assert_eq!(known, Known::Applied(entry.at));
            }
        }
    }
    let end = restored(stretches.last().unwrap());
    holds(&seen(&end), &serde_json::from_str(VIEW).unwrap(), "view");
}

#[test]
fn a_later_keyframe_equals_what_the_entries_before_it_add_up_to() {
    let journal = journal();
    for pair in stretches(&journal).windows(2) {
        let (before, keyframe) = (restored(pair[0]), restored(&pair[1][..1]));
        assert_eq!(seen(&before), seen(&keyframe));
        assert!(before.room == keyframe.room && before.sessions == keyframe.sessions);
    }
}

#[test]
fn what_a_worker_of_the_first_release_must_read_is_written_as_that_release_wrote_it() {
    for entry in journal() {
        let (form, plain) = sealer().open(&entry.room, entry.at, &entry.secret).unwrap();
        assert_eq!(form, Form::Bare);
        let written = match entry.kind {
            Kind::Keyframe => Journaled::<Table>::read(Form::Bare, &plain, NOW).unwrap().write(Form::Bare),
            _ => DeltaOf::<Table>::read(Form::Bare, &plain, NOW).unwrap().write(Form::Bare),
        };
        assert_eq!(written, plain, "at {}", entry.at);
    }
}

#[test]
fn a_record_of_this_release_comes_back_as_it_was() {
    let journal = journal();
    let state = restored(stretches(&journal)[1]);
    let read = Journaled::<Table>::read(Form::Headed, &state.write(Form::Headed), NOW).unwrap();
    assert!(read == state);
    let (_, plain) = sealer().open(&journal[1].room, journal[1].at, &journal[1].secret).unwrap();
    let DeltaOf(delta) = DeltaOf::<Table>::read(Form::Bare, &plain, NOW).unwrap();
    let record = DeltaOf::<Table>(Cow::Borrowed(&delta)).write(Form::Headed);
    assert_eq!(DeltaOf::<Table>::read(Form::Headed, &record, NOW).unwrap().0, delta);
}

#[test]
fn what_the_first_release_has_no_words_for_is_written_so_that_it_goes_on() {
    let events = vec![
        Event::TopUpLapsed { seat: 1, amount: 20 },
        Event::AwayBank { seat: 1, used_ms: 5_000 },
        Event::Left { seat: 2, at_ms: NOW },
    ];
    let delta = Delta::of(events, NOW);
    let record = DeltaOf::<Table>(Cow::Borrowed(&delta)).write(Form::Bare);
    let DeltaOf(read) = DeltaOf::<Table>::read(Form::Bare, &record, NOW).unwrap();
    let said = [Event::ToppedUp { seat: 1, amount: 0 }, Event::Left { seat: 2, at_ms: 0 }];
    assert_eq!(read.events, said, "the promise is over, who has left is gone");
}

#[test]
fn what_is_no_record_of_this_kind_and_schema_is_refused_to_the_byte() {
    let state = restored(stretches(&journal())[0]);
    let good = state.write(Form::Headed);
    let read = |bytes: &[u8]| Journaled::<Table>::read(Form::Headed, bytes, NOW).map(drop);
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(read(&longer), Err(BadRecord::TooLong(1)));
    for length in 0..good.len() {
        assert!(read(&good[..length]).is_err(), "{length} of {} bytes", good.len());
    }
    let mut other = good.clone();
    other[0] = 77;
    assert_eq!(read(&other), Err(BadRecord::Kind(77)));
    let mut later = good;
    let known = <Table as Room>::SCHEMA;
    later[1] = u8::try_from(known + 1).unwrap();
    assert_eq!(read(&later), Err(BadRecord::Schema { schema: known + 1, known }));
}

#[test]
fn a_record_does_not_open_in_the_other_form() {
    let room = RoomId::new("t1").unwrap();
    let mut entry = journal().swap_remove(0);
    (entry.room, entry.at) = (room, Position::new(2, 9));
    let state = restored(stretches(&journal())[0]);
    for (form, other) in [(Form::Bare, Form::Headed), (Form::Headed, Form::Bare)] {
        seal(&sealer(), &mut entry, form, &state);
        assert!(open::<Journaled<Table>>(&sealer(), &entry, NOW).is_ok());
        let mut bytes = entry.secret.to_vec();
        bytes[0] = other as u8;
        entry.secret = bytes.into();
        assert!(matches!(open::<Journaled<Table>>(&sealer(), &entry, NOW), Err(BadRecord::Sealed(_))));
    }
}
