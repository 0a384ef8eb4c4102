//! What the broker may do to a worker: lose answers, messages and entries, or say things twice. Players notice nothing, or
//! are told.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use broker::{
    clock::Clock,
    entry::{Entry, Kind},
    seal::SealKey,
    store::Store,
    wire::{
        LinkState, Wire,
        fault::{Answer, Copies, Fate, Faults, Operation, one_copy},
    },
};
use parking_lot::Mutex;
use protocol::id::{NodeId, Position, Seq};
use serde_json::json;
use tokio::time::{Duration, sleep};

use rooms::planted::{Fault, plant};
use support::{House, Relay, by_partition, fast, node, play, room, rooms, user};

/// Each operation of kind `which` by workers meets the next of `fates`, in turn.
struct Script {
    which: Operation,
    fates: Vec<Fate>,
    next: AtomicU64,
}

impl Script {
    fn wire(which: Operation, fates: &[Fate]) -> Arc<Wire> {
        Wire::with_faults(Arc::new(Self { which, fates: fates.to_vec(), next: AtomicU64::new(0) }))
    }
}

impl Faults for Script {
    fn operation(&self, node: &NodeId, operation: Operation) -> Fate {
        if operation != self.which || !node.as_str().starts_with('w') {
            return Fate::FINE;
        }
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.fates[usize::try_from(next).unwrap() % self.fates.len()]
    }

    fn delivery(&self, _from: &NodeId, _to: &NodeId, _channel: &str) -> Copies {
        one_copy()
    }
}

/// The journal has no hole, no entry twice, and no epoch after a later one.
async fn check_journal(house: &House, number: u32) {
    let entries = house.store.read(&room(number), None, 10_000).await.unwrap();
    let entries: Vec<Entry> =
        entries.into_iter().map(|stored| Entry::decode(stored.bytes).unwrap()).collect();
    let frames: Vec<&Entry> = entries.iter().filter(|entry| entry.kind != Kind::Claim).collect();
    for pair in frames.windows(2) {
        assert_eq!(pair[1].at.seq(), pair[0].at.seq().next(), "a hole after {}", pair[0].at);
        assert!(pair[1].at.epoch() >= pair[0].at.epoch());
    }
}

async fn two_players_play(house: &House, hands: u64) {
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(house, "r1", 1).await;
    relay.owned(&room(1)).await;
    assert_eq!(relay.sit(&room(1), "ann", 1, 100).await.code(), "applied");
    assert_eq!(relay.sit(&room(1), "bob", 2, 100).await.code(), "applied");
    play(&relay, &room(1), &[("ann", 1), ("bob", 2)], hands).await;
    check_journal(house, 1).await;
    assert_eq!(relay.followed(&room(1)).epochs.len(), 1, "its own entries fence nobody");
}

#[tokio::test(start_paused = true)]
async fn an_append_whose_answer_is_lost_counts_once() {
    let wire =
        Script::wire(Operation::Append, &[Fate::FINE, Fate::ANSWER_LOST, Fate::REFUSED, Fate::ANSWER_LOST]);
    two_players_play(&House::on(wire), 12).await;
}

#[tokio::test(start_paused = true)]
async fn an_append_that_hangs_is_found_out_about() {
    let applied = Fate { answer: Answer::Never, ..Fate::FINE };
    let wire = Script::wire(Operation::Append, &[Fate::FINE, Fate::FINE, applied, Fate::FINE, Fate::HANGS]);
    // Each hanging costs five seconds of a turn that lasts fifteen, so not many. What comes meanwhile is refused and asked again.
    two_players_play(&House::on(wire), 2).await;
}

#[tokio::test(start_paused = true)]
async fn frames_that_the_bus_does_not_take_are_offered_again_or_found_in_the_journal() {
    let wire =
        Script::wire(Operation::Publish, &[Fate::FINE, Fate::REFUSED, Fate::ANSWER_LOST, Fate::REFUSED]);
    two_players_play(&House::on(wire), 8).await;
}

/// Every message comes twice, the second time a little later.
struct Echo;

impl Faults for Echo {
    fn operation(&self, _node: &NodeId, _operation: Operation) -> Fate {
        Fate::FINE
    }

    fn delivery(&self, _from: &NodeId, _to: &NodeId, _channel: &str) -> Copies {
        [Duration::ZERO, Duration::from_millis(40)].into_iter().collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_comes_twice_is_applied_once_and_refused_once() {
    let house = House::on(Wire::with_faults(Arc::new(Echo)));
    two_players_play(&house, 10).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_command_gets_the_same_refusal_again() {
    let house = House::new();
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let sit = json!({"a": "sit", "buy_in": 1});
    let refused = relay.command(&room(1), &user("ann"), 1, 5, sit).await;
    assert_eq!(refused.code(), "bad_amount");
    // What would be accepted now is not: this number was answered.
    let sit = json!({"a": "sit", "buy_in": 100});
    relay.send(&room(1), &user("ann"), 1, 5, &sit).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(relay.followed(&room(1)).view().chips.bought, 0);
    assert_eq!(relay.command(&room(1), &user("ann"), 1, 4, sit.clone()).await.code(), "stale_n");
    assert_eq!(relay.command(&room(1), &user("ann"), 1, 6, sit).await.code(), "applied");
}

#[tokio::test(start_paused = true)]
async fn a_rail_that_chats_makes_no_table_forget_what_it_answered_to_a_player() {
    let house = House::new();
    house.open(1, &fast()).await;
    let first = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let ask =
        async |name: &str, session, n, what| relay.command(&room(1), &user(name), session, n, what).await;
    assert_eq!(ask("ann", 1, 1, json!({"a": "sit", "buy_in": 100})).await.code(), "applied");
    let top_up = json!({"a": "top_up", "amount": 50});
    let answer = ask("ann", 1, 2, top_up.clone()).await;
    assert_eq!(answer.code(), "applied");
    // Twice as many as are kept, spread over more time than they are kept for.
    let mut last = 0;
    for guest in 0..140 {
        let name = format!("g{guest}");
        last = protocol::id::SessionId::beginning(house.clock.now_ms(), guest).0;
        for n in [1, 2] {
            let chat = json!({"a": "chat", "text": format!("hi {n}")});
            assert_eq!(ask(&name, last, n, chat).await.code(), "applied");
        }
        sleep(Duration::from_secs(1)).await;
    }
    let repeated = async || {
        relay.send(&room(1), &user("ann"), 1, 2, &top_up).await;
        sleep(Duration::from_secs(1)).await;
        // A second answer would have to be the same: `Relay` sees to that.
        assert_eq!(relay.followed(&room(1)).view().chips.bought, 150);
    };
    repeated().await;
    // Whoever may have been forgotten is told so.
    let chat = json!({"a": "chat", "text": "hi again"});
    assert_eq!(ask("g0", 9_000, 1, chat.clone()).await.code(), "forgotten");
    assert_eq!(ask("g139", last, 3, chat).await.code(), "applied", "who is remembered goes on");
    // The next owner knows it all.
    let epochs = relay.followed(&room(1)).epochs.len();
    first.kill();
    let _second = house.worker("w2");
    relay.until(&room(1), |followed| followed.epochs.len() > epochs).await;
    repeated().await;
}

#[tokio::test(start_paused = true)]
async fn a_user_talks_in_a_room_no_faster_than_others_can_read_however_many_sessions_it_has() {
    let house = House::new();
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let say = async |session, n| {
        let chat = json!({"a": "chat", "text": "buy now"});
        relay.command(&room(1), &user("eve"), session, n, chat).await.code().to_owned()
    };
    let mut said = Vec::new();
    for session in 1..=8 {
        said.push(say(session, 1).await);
    }
    assert_eq!(said.iter().filter(|code| *code == "applied").count(), 5, "{said:?}");
    assert_eq!(said[7], "too_fast");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(say(9, 1).await, "applied");
    assert_eq!(say(9, 2).await, "too_fast");
}

#[tokio::test(start_paused = true)]
async fn entries_that_the_store_lost_are_restored_by_the_owner_who_has_them() {
    let house = House::on(Script::wire(Operation::Map, &[Fate::FINE]));
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    relay.sit(&room(1), "ann", 1, 100).await;
    relay.sit(&room(1), "bob", 2, 100).await;
    play(&relay, &room(1), &[("ann", 1), ("bob", 2)], 3).await;
    let before = relay.followed(&room(1));
    assert_eq!(house.store.lose_suffix(5), 5);
    let after = relay.until(&room(1), |followed| followed.epochs.len() > before.epochs.len()).await;
    assert_eq!(after.view().chips, before.view().chips);
    play(&relay, &room(1), &[("ann", 1), ("bob", 2)], 3).await;
    check_journal(&house, 1).await;
}

/// What two workers write may take long, and nothing may be heard of one.
#[derive(Default)]
struct Late {
    /// Whose appends take so many milliseconds to the store.
    appends: Mutex<BTreeMap<NodeId, u64>>,
    unheard: Mutex<Option<NodeId>>,
}

impl Faults for Late {
    fn operation(&self, node: &NodeId, operation: Operation) -> Fate {
        let late = self.appends.lock().get(node).copied().filter(|_| operation == Operation::Append);
        Fate { before: Duration::from_millis(late.unwrap_or(0)), ..Fate::FINE }
    }

    fn delivery(&self, from: &NodeId, to: &NodeId, _channel: &str) -> Copies {
        let is_lost =
            self.unheard.lock().as_ref().is_some_and(|unheard| (unheard == from) != (unheard == to));
        if is_lost { Copies::new() } else { one_copy() }
    }
}

#[tokio::test(start_paused = true)]
async fn an_owner_whose_claim_comes_behind_a_successors_writes_nothing_of_what_it_remembers() {
    let late = Arc::new(Late::default());
    let mut house = House::on(Wire::with_faults(late.clone()));
    // Then epochs tell when they were claimed.
    house.clock = Clock::starting_at(1_800_000_000_000);
    let owner = by_partition(&rooms(1), &["w1", "w2"])[&room(1)].clone().unwrap();
    let successor = node(if owner == node("w1") { "w2" } else { "w1" });
    house.open(1, &fast()).await;
    let _first = house.worker(owner.as_str());
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    relay.sit(&room(1), "ann", 1, 100).await;
    relay.sit(&room(1), "bob", 2, 100).await;
    let players = [("ann", 1), ("bob", 2)];
    play(&relay, &room(1), &players, 2).await;
    let _second = house.worker(successor.as_str());
    sleep(Duration::from_secs(1)).await;

    let mut written = house.store.witness();
    // The successor takes the owner for dead, and its claim is on its way for two seconds.
    late.appends.lock().insert(successor.clone(), 2_000);
    *late.unheard.lock() = Some(owner.clone());
    sleep(Duration::from_secs(1)).await;
    late.appends.lock().remove(&successor);
    // Meanwhile the owner, who sees no other claim, claims anew: later, and for longer.
    late.appends.lock().insert(owner.clone(), 3_000);
    let link = house.wire.link(&owner);
    link.set(LinkState::Refusing);
    link.heal();
    sleep(Duration::from_millis(500)).await;
    late.appends.lock().remove(&owner);
    sleep(Duration::from_secs(4)).await;
    let written: Vec<_> =
        std::iter::from_fn(|| written.try_recv().ok()).map(|(_, stored)| stored.at).collect();
    // One claim behind the other's frames, and nothing in its epoch.
    let claims: Vec<_> = written.iter().filter(|at| at.seq() == Seq(0)).collect();
    let frames = |claim: &Position| written.iter().filter(|at| at.epoch() == claim.epoch()).count() - 1;
    // A successor, the owner behind it, and then both: one does not hear that the other has taken it.
    let [successor, behind, next, last] = &claims[..] else { panic!("{written:?}") };
    assert!(frames(successor) > 0 && frames(behind) == 0, "{written:?}");
    assert!(frames(next) > 0 && frames(last) > 0, "{written:?}");

    *late.unheard.lock() = None;
    play(&relay, &room(1), &players, 2).await;
    assert!(!history_lost(&relay.followed(&room(1))), "nothing was lost");
    check_journal(&house, 1).await;
}

/// Whether the table was told of a loss.
fn history_lost(followed: &support::Followed) -> bool {
    let told = |event: &_| matches!(event, protocol::table::TableEvent::HistoryLost { .. });
    followed.events.iter().any(told)
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_was_evicted_is_put_back_by_its_owner_with_the_next_action() {
    let house = House::new();
    house.open(1, &fast()).await;
    let worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    relay.sit(&room(1), "ann", 1, 100).await;
    relay.sit(&room(1), "bob", 2, 100).await;
    let players = [("ann", 1), ("bob", 2)];
    play(&relay, &room(1), &players, 3).await;
    let before = relay.followed(&room(1));
    assert!(house.store.forget(&room(1)));
    play(&relay, &room(1), &players, 2).await;
    let after = relay.followed(&room(1));
    assert_eq!(after.epochs.len(), before.epochs.len() + 1, "it was claimed anew, once");
    assert_eq!(after.view().chips.bought, before.view().chips.bought);
    check_journal(&house, 1).await;
    // A journal that is there with another end is not gone on with either.
    let last = house.store.last(&room(1)).await.unwrap().unwrap();
    assert!(last.at >= after.at);
    // Who takes it over finds everything.
    worker.kill();
    let _second = house.worker("w2");
    let taken = relay.until(&room(1), |followed| followed.epochs.len() > after.epochs.len()).await;
    assert_eq!(taken.view().chips.bought, before.view().chips.bought);
    play(&relay, &room(1), &players, 1).await;
    assert!(!history_lost(&relay.followed(&room(1))), "nothing was lost to anybody");
}

#[tokio::test(start_paused = true)]
async fn a_table_whose_journal_and_owner_are_gone_begins_anew_and_says_so() {
    let house = House::new();
    house.open(1, &fast()).await;
    let worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    assert_eq!(relay.sit(&room(1), "ann", 1, 200).await.code(), "applied");
    worker.kill();
    assert!(house.store.forget(&room(1)));
    let _second = house.worker("w2");
    let anew = relay.until(&room(1), history_lost).await;
    assert_eq!(anew.view().chips.bought, 0, "the chips are gone, and it is said");
}

#[tokio::test(start_paused = true)]
async fn while_the_store_says_no_players_are_told_commands_refused_and_clocks_stand() {
    let house = House::new();
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    relay.sit(&room(1), "ann", 1, 100).await;
    relay.sit(&room(1), "bob", 2, 100).await;
    let turn = |followed: &support::Followed| {
        followed.view().hand.as_ref().and_then(|hand| Some((hand.hand, hand.turn.as_ref()?.turn)))
    };
    let before = relay.until(&room(1), |followed| turn(followed).is_some()).await;
    house.store.refuse_writes(Some("OOM command not allowed when used memory > 'maxmemory'."));
    let began = tokio::time::Instant::now();
    let chat = json!({"a": "chat", "text": "hello"});
    let refused = relay.new_command(&room(1), &user("ann"), 1, 50, chat.clone()).await;
    assert_eq!(refused.code(), "unavailable");
    assert!(refused.retry_after() >= Duration::from_secs(1), "{refused:?}");
    relay.told(&["ann", "bob"], "delayed", 1).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // The next is not tried at all.
    let began = tokio::time::Instant::now();
    assert_eq!(relay.new_command(&room(1), &user("bob"), 2, 50, chat.clone()).await.code(), "unavailable");
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
    sleep(Duration::from_secs(300)).await;
    let stood = relay.followed(&room(1));
    assert_eq!((stood.at, turn(&stood)), (before.at, turn(&before)), "nothing happens, no turn ends");
    house.store.refuse_writes(None);
    relay.told(&["ann", "bob"], "recovered", 1).await;
    let on = relay.until(&room(1), |followed| followed.at > before.at).await;
    assert_eq!(turn(&on), turn(&before), "nobody has lost a turn");
    // Who was refused is refused again, not applied after all.
    assert_eq!(relay.new_command(&room(1), &user("ann"), 1, 50, chat.clone()).await.code(), "unavailable");
    assert_eq!(relay.new_command(&room(1), &user("ann"), 1, 51, chat).await.code(), "applied");
    play(&relay, &room(1), &[("ann", 1), ("bob", 2)], 2).await;
    assert_eq!(relay.notices().len(), 4, "told once each");
    check_journal(&house, 1).await;
}

/// Whoever cannot write may have lost the room to somebody who has done what is said again here.
#[tokio::test(start_paused = true)]
async fn what_was_said_before_is_not_refused_by_a_room_that_stands_still() {
    let house = House::new();
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    house.store.refuse_writes(Some("OOM command not allowed when used memory > 'maxmemory'."));
    let chat = json!({"a": "chat", "text": "hello"});
    let first = relay.new_command(&room(1), &user("ann"), 1, 1, chat.clone()).await;
    assert_eq!(first.code(), "unavailable", "the room stands still");
    let (table, bob) = (room(1), user("bob"));
    let said_again = relay.command(&table, &bob, 2, 1, chat);
    let mended = async {
        sleep(Duration::from_secs(30)).await;
        house.store.refuse_writes(None);
    };
    let (answer, ()) = tokio::join!(said_again, mended);
    assert_eq!(answer.code(), "applied", "it had no answer until the room went on");
    check_journal(&house, 1).await;
}

/// Somebody else has the room, and this owner has not heard of it: what it says of a command that was said before may not be so any more.
async fn what_a_zombie_answers(house: &House) -> (support::Answer, u64) {
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(house, "r1", 1).await;
    let epoch = relay.owned(&room(1)).await.at.epoch();
    let claim = Entry {
        kind: Kind::Claim,
        room: room(1),
        at: Position::new(epoch.0 + 1, 0),
        cause: None,
        follows: None,
        at_ms: None,
        delay: None,
        places: None,
        rail: None,
        privates: Default::default(),
        public: bytes::Bytes::new(),
        secret: bytes::Bytes::from_static(b"w2"),
    };
    house.store.append(&room(1), claim.at, claim.encode().stored, None).await.unwrap();
    // Nobody who leaves has a seat here.
    let answer = relay.command(&room(1), &user("ann"), 1, 1, json!({"a": "leave"})).await;
    (answer, relay.followed(&room(1)).at.epoch().0 - epoch.0)
}

#[tokio::test(start_paused = true)]
async fn what_was_said_before_is_refused_only_by_who_owns_the_room() {
    let (answer, later) = what_a_zombie_answers(&House::new()).await;
    assert_eq!(answer.code(), "not_seated");
    assert!(later > 1, "by an owner of after that claim: {later}");
    plant(Some(Fault::RefusesUnasked));
    let (_, later) = what_a_zombie_answers(&House::new()).await;
    plant(None);
    assert_eq!(later, 0, "the planted zombie answers");
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_written_is_not_refused_but_what_comes_behind_it_is() {
    // From the sixth append on nothing is heard of what was asked, though it is done.
    let lost = Fate { answer: Answer::Never, ..Fate::FINE };
    let fates: Vec<Fate> = std::iter::repeat_n(Fate::FINE, 4).chain(std::iter::repeat_n(lost, 1)).collect();
    let house = House::on(Script::wire(Operation::Append, &fates));
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    // Claim and keyframe came before.
    let chat = json!({"a": "chat", "text": "hello"});
    for (session, name) in [(1, "ann"), (2, "bob")] {
        assert_eq!(
            relay.new_command(&room(1), &user(name), session, 1, chat.clone()).await.code(),
            "applied"
        );
    }
    let (open, behind) = (user("cleo"), user("dan"));
    let table = room(1);
    let first = relay.new_command(&table, &open, 3, 1, chat.clone());
    let second = async {
        sleep(Duration::from_secs(3)).await;
        relay.new_command(&table, &behind, 4, 1, chat.clone()).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.code(), second.code()), ("applied", "unavailable"));
    check_journal(&house, 1).await;
}

/// What is written first, when a member's session comes with a command, is that it plays from now on. That took so long that a copy of the command was
/// refused as one that had come meanwhile; then it was applied.
#[tokio::test(start_paused = true)]
async fn a_command_that_waits_for_its_session_to_be_written_down_is_not_refused_meanwhile() {
    let lost = Fate { answer: Answer::Never, ..Fate::FINE };
    let fates: Vec<Fate> = std::iter::repeat_n(Fate::FINE, 3).chain([lost, Fate::FINE, Fate::FINE]).collect();
    let house = House::on(Script::wire(Operation::Append, &fates));
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    // Claim and keyframe came before, and ann's seat; then comes her other session.
    assert_eq!(relay.sit(&room(1), "ann", 1, 100).await.code(), "applied");
    let began = tokio::time::Instant::now();
    let chat = json!({"a": "chat", "text": "hello"});
    assert_eq!(relay.command(&room(1), &user("ann"), 2, 1, chat).await.code(), "applied");
    assert!(began.elapsed() > Duration::from_secs(2), "the room stood still meanwhile");
    check_journal(&house, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_room_that_cannot_be_restored_is_not_claimed_over_and_over() {
    let house = House::new();
    house.open(1, &fast()).await;
    let first = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    relay.sit(&room(1), "ann", 1, 100).await;
    first.kill();
    let mut config = house.config("w2");
    config.seal_key = SealKey::random();
    let blind = house.worker_with("w2", config);
    sleep(Duration::from_secs(120)).await;
    let entries = house.store.read(&room(1), None, 10_000).await.unwrap();
    let claims = entries.iter().filter(|stored| stored.at.seq().0 == 0).count();
    assert!((2..=12).contains(&claims), "{claims} claims in two minutes");
    blind.stop().await;
    let _third = house.worker("w3");
    relay.until(&room(1), |followed| followed.epochs.len() == 2).await;
    let leave = json!({"a": "leave"});
    assert_eq!(relay.command(&room(1), &user("ann"), 1, 2, leave).await.code(), "applied");
}

#[tokio::test(start_paused = true)]
async fn a_hole_in_the_journal_is_told_to_the_table() {
    let house = House::on(Script::wire(Operation::Map, &[Fate::FINE]));
    house.open(1, &fast()).await;
    let first = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    relay.sit(&room(1), "ann", 1, 100).await;
    let at = relay.followed(&room(1)).at;
    first.kill();
    // An entry two further on, as a journal holds it that has lost the one between.
    let entries = house.store.read(&room(1), None, 10_000).await.unwrap();
    let mut stray = Entry::decode(entries.last().unwrap().bytes.clone()).unwrap();
    stray.at = protocol::id::Position(at.epoch(), at.seq().next().next());
    house.store.append(&room(1), stray.at, stray.encode().stored, None).await.unwrap();
    let _second = house.worker("w2");
    let lost = |followed: &support::Followed| {
        followed
            .events
            .iter()
            .any(|event| matches!(event, protocol::table::TableEvent::HistoryLost { frames: 2 }))
    };
    relay.until(&room(1), lost).await;
}

#[tokio::test(start_paused = true)]
async fn a_table_whose_keyframes_are_lost_begins_anew_and_says_so() {
    let house = House::new();
    house.open(1, &fast()).await;
    // What a store keeps that has lost a new table's beginning while its owner was writing on.
    let public = bytes::Bytes::from_static(b"{}");
    let (secret, privates) = (bytes::Bytes::new(), Default::default());
    let at = protocol::id::Position::new(1, 7);
    let stray = Entry {
        kind: Kind::Delta,
        room: room(1),
        at,
        cause: None,
        follows: None,
        at_ms: None,
        delay: None,
        places: None,
        rail: None,
        privates,
        public,
        secret,
    };
    house.store.append(&room(1), at, stray.encode().stored, None).await.unwrap();
    let owner = serde_json::to_vec(&json!({"node": null, "epoch": 1})).unwrap();
    house
        .store
        .map_set(&broker::directory::Partition::of(&room(1)).owners(), "t1", owner.into())
        .await
        .unwrap();
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    let lost = |followed: &support::Followed| {
        let told = |event: &_| matches!(event, protocol::table::TableEvent::HistoryLost { frames: 7 });
        followed.events.iter().any(told)
    };
    relay.until(&room(1), lost).await;
    assert_eq!(relay.sit(&room(1), "ann", 1, 100).await.code(), "applied");
}

#[tokio::test(start_paused = true)]
async fn a_flooded_room_refuses_what_is_too_much_and_answers_everything_once() {
    let house = House::new();
    house.open(1, &fast()).await;
    let mut config = house.config("w1");
    config.bounds.mailbox_messages_max = 4;
    let _worker = house.worker_with("w1", config);
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let chat = json!({"a": "chat", "text": "hello"});
    for n in 1..=8 {
        relay.send(&room(1), &user("ann"), n, 1, &chat).await;
    }
    let mut busy = 0;
    for session in 1..=8 {
        let answer = relay.command(&room(1), &user("ann"), session, 1, chat.clone()).await;
        busy += u32::from(answer.code() == "busy");
    }
    assert!(busy > 0, "some were too many");
    // Who was refused is not applied after all.
    sleep(Duration::from_secs(5)).await;
    assert_eq!(relay.followed(&room(1)).events.len(), 8 - busy as usize);
}
