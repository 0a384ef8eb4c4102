//! When what is sent, and how much is kept: two rooms, step by step.

use protocol::id::{Epoch, Position, RoomId};
use rooms::room::letters::{
    Body, Correspondence, Delta, Letter, Mail, Post, RETAINED_MAX, RETAINED_MS, Said, Step, UNACKED_HARD_MAX,
    UNACKED_MAX, What, inbox::Hearing, wire::LETTERS_MAX,
};

/// Of the first owners.
const EPOCH: u64 = 3;

struct Side {
    me: RoomId,
    other: RoomId,
    letters: Correspondence,
    post: Post,
    epoch: u64,
    seq: u64,
}

impl Side {
    fn new(me: &str, other: &str) -> Self {
        let (me, other) = (RoomId::new(me).unwrap(), RoomId::new(other).unwrap());
        let letters = Correspondence::default();
        let post = Post::open(&letters, [other.clone()]);
        Self { me, other, letters, post, epoch: EPOCH, seq: 0 }
    }

    fn commit(&mut self, mut delta: Delta, now: u64) {
        self.seq += 1;
        self.post.commits(&self.letters, &mut delta);
        self.letters.apply(&delta, Position::new(self.epoch, self.seq), now);
        self.post.committed(&self.letters, &delta, now);
    }

    fn say(&mut self, count: usize, now: u64) {
        let said = |n: usize| Said {
            to: self.other.clone(),
            re: Vec::new(),
            body: Body::new(vec![n as u8]).unwrap(),
        };
        self.commit(Delta { said: (0..count).map(said).collect(), ..Delta::default() }, now);
    }

    fn sends(&mut self, now: u64) -> Vec<What> {
        self.post.outgoing(&self.letters, now).into_iter().map(|(_, what)| what).collect()
    }

    fn letters(&mut self, now: u64) -> Vec<Letter> {
        let sent = self.sends(now).into_iter();
        sent.flat_map(|what| if let What::Letters(letters) = what { letters } else { panic!("{what:?}") })
            .collect()
    }

    /// Takes what the other side sends, and answers what is to be sent back.
    fn hear(&mut self, what: What, now: u64) -> Option<What> {
        self.hear_from(EPOCH, what, now)
    }

    /// The same from an owner of another epoch.
    fn hear_from(&mut self, epoch: u64, what: What, now: u64) -> Option<What> {
        let mail = Mail { from: self.other.clone(), epoch: Epoch(epoch), what };
        match self.post.hear(&self.letters, Epoch(self.epoch), mail, |_| true, now) {
            Step::Nothing => None,
            Step::Meet(met) => {
                let (epoch, said) = (met.epoch, met.said);
                self.commit(Delta { met: Some(met), ..Delta::default() }, now);
                Some(self.letters.back(&self.other, epoch, said))
            }
            Step::Answer { epoch, said } => Some(self.letters.back(&self.other, epoch, said)),
            Step::Recall { in_touch, .. } => {
                self.commit(Delta { in_touch, ..Delta::default() }, now);
                None
            }
            Step::Tell(told) => {
                for heard in told {
                    if self.letters.hearing(&heard.from, &heard.letter) == Hearing::Ignore {
                        continue;
                    }
                    self.commit(Delta { heard: vec![heard], ..Delta::default() }, now);
                }
                Some(Post::got(&self.letters, &self.other, false))
            }
        }
    }
}

/// Two rooms that have said hello to each other.
fn in_touch(now: u64) -> (Side, Side) {
    let (mut a, mut b) = (Side::new("a", "b"), Side::new("b", "a"));
    assert_eq!((&a.me, &b.me), (&b.other, &a.other));
    let (hello_a, hello_b) = (a.sends(now).remove(0), b.sends(now).remove(0));
    let (back_b, back_a) = (b.hear(hello_a, now).unwrap(), a.hear(hello_b, now).unwrap());
    assert_eq!((a.hear(back_b, now), b.hear(back_a, now)), (None, None));
    assert!(a.letters.is_in_touch(&a.other) && b.letters.is_in_touch(&b.other));
    assert_eq!((a.sends(now), b.sends(now)), (Vec::new(), Vec::new()));
    (a, b)
}

#[test]
fn a_letter_is_sent_at_once_and_again_after_pauses_that_double_until_it_is_acknowledged() {
    let (mut a, mut b) = in_touch(0);
    a.say(1, 10_000);
    let first = a.letters(10_000);
    assert_eq!(first.len(), 1);
    for due in [10_250, 10_750, 11_750, 13_750, 15_750] {
        assert_eq!(a.post.deadline(), Some(due));
        assert_eq!(a.letters(due - 1), []);
        assert_eq!(a.letters(due), first);
    }
    // The other room has a new owner, who listens now: at once, and with short pauses again.
    a.hear(What::Got { heard: None, listens: true }, 15_800);
    assert_eq!(a.letters(15_800), first);
    assert_eq!(a.post.deadline(), Some(16_050));
    let got = b.hear(What::Letters(first), 15_801).unwrap();
    a.hear(got, 15_802);
    assert_eq!((a.letters(15_802), a.post.deadline()), (Vec::new(), None));
}

#[test]
fn a_letter_that_is_said_meanwhile_does_not_wait_and_many_wait_for_the_first() {
    let (mut a, mut b) = in_touch(0);
    a.say(1, 0);
    assert_eq!(a.letters(0).len(), 1);
    a.say(1, 1);
    let second = a.letters(1);
    assert_eq!(second.len(), 1, "the first is on its way");
    assert_eq!(
        b.hear(What::Letters(second), 2),
        Some(What::Got { heard: None, listens: false }),
        "not in order"
    );

    a.say(100, 3);
    assert_eq!(a.letters(3).len(), LETTERS_MAX);
    let all = a.letters(250);
    assert_eq!(all.len(), LETTERS_MAX);
    let got = b.hear(What::Letters(all), 251).unwrap();
    a.hear(got, 252);
    assert_eq!(a.letters(252).len(), LETTERS_MAX, "the next leave as soon as these have arrived");
}

#[test]
fn what_has_arrived_is_kept_for_a_minute_and_never_more_than_sixteen() {
    let (mut a, mut b) = in_touch(0);
    a.say(40, 0);
    let first = a.letters(1);
    let got = b.hear(What::Letters(first), 2).unwrap();
    a.hear(got, 2);
    let rest = a.letters(3);
    let got = b.hear(What::Letters(rest), 3).unwrap();
    a.hear(got, 3);
    a.say(1, 4);
    let kept = |side: &Side| side.letters.peer(&side.other).unwrap().outbox.after(None).count();
    assert_eq!(kept(&a), RETAINED_MAX + 1);
    assert_eq!(b.letters.peer(&b.other).unwrap().inbox.after(None), None, "more is not kept");
    let last = a.letters(4);
    let got = b.hear(What::Letters(last), 4).unwrap();
    a.hear(got, 4);
    a.say(1, 4 + RETAINED_MS);
    assert_eq!(kept(&a), 2, "the one that has just been acknowledged, and the new one");
}

#[test]
fn rooms_that_do_not_answer_are_refused_more_letters_and_given_up_at_last() {
    let (mut a, _) = in_touch(0);
    let b = a.other.clone();
    a.say(UNACKED_MAX - 1, 0);
    assert!(a.post.has_space(&a.letters, &b));
    a.say(1, 0);
    assert!(!a.post.has_space(&a.letters, &b));
    assert!(!a.post.has_all_arrived(&a.letters));
    a.say(UNACKED_HARD_MAX - UNACKED_MAX, 0);
    assert!(!a.letters.peer(&b).unwrap().diverged);
    a.say(1, 0);
    assert!(a.letters.peer(&b).unwrap().diverged);
    assert_eq!(a.letters.peer(&b).unwrap().outbox.after(None).count(), UNACKED_HARD_MAX);
}

/// Seen elsewhere (actor-ts 726): a sender that began anew counted from one again, and the receiver took all that it said for
/// repetitions and acknowledged it.
#[test]
fn a_room_that_begins_anew_is_not_taken_for_one_that_repeats_itself() {
    let (mut a, mut b) = in_touch(0);
    a.say(20, 0);
    let said = a.letters(0);
    b.hear(What::Letters(said), 0);
    let mut anew = Side::new("a", "b");
    anew.epoch = EPOCH + 1;
    anew.say(1, 1);
    let hello = anew.sends(1).remove(0);
    let back = b.hear_from(anew.epoch, hello, 1).unwrap();
    assert!(matches!(back, What::Back { forgotten: None, .. }));
    assert_eq!(anew.hear(back, 1), None);
    let knows = |side: &Side| side.letters.peer(&side.other).unwrap().diverged;
    assert!(knows(&anew) && knows(&b), "both know that what was said is not kept whole");
    assert_eq!(anew.sends(1), []);
}

/// Seen elsewhere (librdkafka 4953): a sender that took a new epoch because of one receiver numbered what it had said to another anew, and
/// that one heard it twice.
#[test]
fn an_owner_that_claims_its_room_anew_sends_what_it_has_said_under_the_same_names() {
    let (mut a, mut b) = in_touch(0);
    a.say(3, 0);
    let sent = a.letters(0);
    b.hear(What::Letters(sent.clone()), 0);
    a.epoch += 1;
    let again = a.letters(250);
    assert_eq!(again, sent);
    let got = b.hear_from(a.epoch, What::Letters(again), 250).unwrap();
    assert_eq!(got, What::Got { heard: Some(sent[2].id), listens: false });
    a.say(1, 251);
    a.hear(got, 252);
    let next = a.letters(252);
    assert_eq!(next.iter().map(|letter| letter.prev).collect::<Vec<_>>(), [Some(sent[2].id)]);
    b.hear_from(a.epoch, What::Letters(next), 253);
    assert_eq!(b.letters.peer(&b.other).unwrap().inbox.after(None).unwrap().len(), 4);
}

#[test]
fn strangers_are_not_answered() {
    let mut a = Side::new("a", "b");
    let hello = What::Hello { said: None, heard: None };
    let mail = Mail { from: RoomId::new("x").unwrap(), epoch: Epoch(EPOCH), what: hello };
    assert_eq!(a.post.hear(&a.letters, Epoch(EPOCH), mail, |_| false, 0), Step::Nothing);
    let mail = Mail { from: RoomId::new("x").unwrap(), epoch: Epoch(EPOCH), what: What::Letters(Vec::new()) };
    assert_eq!(a.post.hear(&a.letters, Epoch(EPOCH), mail, |_| true, 0), Step::Nothing);
}
