//! What a table promises of the AI players whom its host invites: they sit where nobody else is kept out for them, somebody plays for each, and people
//! go first.

mod world;

use hosted::Hosted;
use protocol::{
    RefusalCode as Code,
    hosted::{Access, AiLevel, AiPlayer, AiSeats, HostLeaves},
    id::{ErrandId, Position, UserId},
    table::SeatStatus,
};
use rooms::room::{
    Input, Room,
    errands::{Errand, Outcome},
};
use seats::{SERVICE, Wanted};
use serde_json::json;

use self::world::{World, sit, user};

/// Who is asked has so long to come.
const COMES_MS: u64 = 5_000;

fn invite(count: u8) -> serde_json::Value {
    json!({"a": "invite_ai", "count": count, "level": "easy"})
}

impl World {
    /// For whom somebody was asked since this was asked last.
    fn wanted(&mut self) -> Vec<Wanted> {
        let asked = std::mem::take(&mut self.asked);
        let asked = asked.iter().filter(|ask| ask.of == SERVICE && ask.wants_answer);
        asked.flat_map(|ask| seats::read(&ask.body).unwrap()).collect()
    }

    fn ai(&self) -> Vec<AiPlayer> {
        self.hosted().ai
    }

    fn away(&mut self, user: &UserId, away: bool) {
        self.decide(Input::Away { user, away }).unwrap();
    }

    /// So many AI players sit with Ann.
    fn with_ai(count: u8) -> (Self, Vec<UserId>) {
        let mut world = Self::new(Access::Public, HostLeaves::PassOn);
        world.does("ann", sit());
        world.does("ann", invite(count));
        let users: Vec<UserId> = world.wanted().into_iter().map(|wanted| wanted.user).collect();
        users.iter().for_each(|user| drop(world.does(user.as_str(), sit())));
        assert!(world.ai().iter().all(|player| player.here));
        (world, users)
    }

    /// Whoever is to act folds or checks, until the hand is over.
    fn ends_the_hand(&mut self) {
        while self.in_hand() {
            self.wait(1_000);
        }
    }
}

#[test]
fn whom_the_host_invites_is_asked_for_has_a_seat_kept_and_is_marked() {
    let mut world = World::new(Access::Approve, HostLeaves::PassOn);
    world.may_not("ann", invite(1), Code::NotSeated);
    world.does("ann", sit());
    world.may_not("bob", invite(1), Code::NotAllowed);
    world.does("ann", json!({"a": "invite_ai", "count": 2, "level": "hard"}));
    let wanted = world.wanted();
    assert_eq!(wanted.len(), 2);
    assert_ne!(wanted[0].user, wanted[1].user);
    for wanted in &wanted {
        assert!(wanted.user.is_bot() && wanted.name.ends_with(" hard"), "{wanted:?}");
        assert_eq!((wanted.level, wanted.until_ms), (AiLevel::Hard, world.now + COMES_MS));
        assert!(world.hosted().kept.iter().any(|kept| kept.user == wanted.user));
    }
    assert!(world.ai().iter().all(|player| !player.here));
    world.does(wanted[0].user.as_str(), sit());
    assert_eq!(world.ai().iter().filter(|player| player.here).count(), 1);
    assert!(world.wanted().is_empty(), "who is there is not asked for");
    let view = world.view();
    let seat = view.seats[usize::from(view.seat_of(&wanted[0].user).unwrap())].clone().unwrap();
    assert_eq!(serde_json::to_value(&seat).unwrap()["bot"], true);
}

#[test]
fn a_table_that_forbids_them_has_none_and_no_bot_comes_uninvited() {
    let mut world = World::with(Access::Public, HostLeaves::PassOn, AiSeats::None);
    world.does("ann", sit());
    world.may_not("ann", invite(1), Code::NotAllowed);
    world.may_not("bot-x", sit(), Code::NotAllowed);
    let mut world = World::new(Access::Public, HostLeaves::PassOn);
    world.does("ann", sit());
    world.may_not("bot-x", sit(), Code::NotAllowed);
    world.may_not("ann", json!({"a": "invite", "user": "bot-x"}), Code::Illegal);
}

#[test]
fn they_take_no_more_seats_than_are_free_and_none_that_is_anothers() {
    let (mut world, _) = World::with_ai(2);
    world.does("ann", json!({"a": "invite", "user": "bob"}));
    let seats = usize::from(world.view().config.seats);
    world.may_not("ann", invite(u8::try_from(seats - 3).unwrap()), Code::NoSeat);
    assert_eq!(world.ai().len(), 2, "all that are asked for, or none");
    world.does("ann", invite(u8::try_from(seats - 4).unwrap()));
    world.may_not("ann", invite(1), Code::NoSeat);
    world.does("bob", sit());
    assert!(world.sits("bob"));
}

#[test]
fn where_nobody_comes_somebody_is_asked_again_and_given_up_after_five_times() {
    let mut world = World::new(Access::Public, HostLeaves::PassOn);
    world.does("ann", sit());
    world.does("ann", invite(1));
    assert_eq!(world.wanted().len(), 1);
    for _ in 1..5 {
        world.wait(COMES_MS);
        assert_eq!(world.wanted().len(), 1);
    }
    world.wait(COMES_MS);
    assert!(world.wanted().is_empty() && world.ai().is_empty() && world.hosted().kept.is_empty());
    assert_eq!(world.room.deadline().filter(|due| *due <= world.now), None);
}

#[test]
fn another_is_asked_to_go_on_when_whoever_plays_is_gone_and_the_seat_stays_as_it_is() {
    let (mut world, users) = World::with_ai(1);
    let stack = |world: &World| {
        let view = world.view();
        let seat = view.seats[usize::from(view.seat_of(&users[0]).unwrap())].clone().unwrap();
        seat.stack + seat.bet
    };
    let before = stack(&world);
    world.away(&users[0], true);
    let wanted = world.wanted();
    assert_eq!(wanted.iter().map(|wanted| &wanted.user).collect::<Vec<_>>(), [&users[0]]);
    assert!(!world.ai()[0].here && stack(&world) == before);
    world.away(&users[0], false);
    assert!(world.ai()[0].here);
    // Whoever has played for long has not come in vain, however often it is gone.
    for _ in 0..10 {
        world.wait(60_000);
        if !world.sits(users[0].as_str()) {
            break;
        }
        world.away(&users[0], true);
        assert_eq!(world.wanted().len(), 1);
        world.away(&users[0], false);
    }
}

#[test]
fn a_seat_for_which_nobody_can_play_is_free_again_and_its_chips_are_taken_along() {
    let (mut world, users) = World::with_ai(1);
    for _ in 0..5 {
        world.away(&users[0], true);
        world.away(&users[0], false);
    }
    world.away(&users[0], true);
    world.ends_the_hand();
    world.wait(1_000);
    assert!(!world.sits(users[0].as_str()) && world.ai().is_empty());
    let question = br#"{"about":"ledger"}"#;
    let answer: serde_json::Value =
        serde_json::from_str(world.room.answer(&user("ann"), question).unwrap().get()).unwrap();
    let sum = |field: &str| -> u64 {
        answer["lines"].as_array().unwrap().iter().map(|line| line[field].as_u64().unwrap_or(0)).sum()
    };
    assert_eq!(sum("brought"), sum("took") + sum("stack"));
}

#[test]
fn a_house_without_agents_says_so_by_taking_them_back() {
    let mut world = World::new(Access::Public, HostLeaves::PassOn);
    world.does("ann", sit());
    world.does("ann", invite(3));
    let ask = world.asked.pop().unwrap();
    let errand = Errand { id: ErrandId { at: Position::new(1, 1), n: 0 }, ask };
    let outcome = Outcome::Refused(Default::default());
    world.decide(Input::Outcome { errand: &errand, outcome: &outcome }).unwrap();
    assert!(world.ai().is_empty() && world.hosted().kept.is_empty());
}

#[test]
fn people_who_wait_get_the_seats_of_ai_players_when_the_hand_has_ended() {
    let (mut world, users) = World::with_ai(1);
    let seats = world.view().config.seats;
    world.does("ann", invite(seats - 2));
    let coming = world.wanted();
    // Who has not come makes room at once, and who plays does when the hand is over.
    world.does("bob", json!({"a": "wait"}));
    assert_eq!(world.list().1.len(), 1, "bob is called");
    assert_eq!(world.ai().len(), usize::from(seats) - 2);
    coming.iter().for_each(|wanted| drop(world.says(wanted.user.as_str(), sit())));
    world.does("bob", sit());
    world.wait(1);
    assert!(world.in_hand());
    world.does("cyd", json!({"a": "wait"}));
    assert_eq!(world.hosted().leaving.len(), 1);
    let leaves = world.hosted().leaving[0].clone();
    assert_ne!(leaves, users[0], "who came last goes first");
    assert!(world.sits(leaves.as_str()));
    world.ends_the_hand();
    world.wait(10);
    assert!(!world.sits(leaves.as_str()));
    assert_eq!(world.list().1.len(), 1, "cyd is called");
    assert!(world.wanted().is_empty());
}

#[test]
fn they_go_with_the_last_person_and_are_never_the_host() {
    let (mut world, users) = World::with_ai(2);
    world.may_not("ann", json!({"a": "hand_over", "user": users[0].as_str()}), Code::Illegal);
    world.does("bob", sit());
    world.does("ann", json!({"a": "leave"}));
    world.ends_the_hand();
    world.wait(10);
    assert_eq!(world.hosted().host, user("bob"));
    world.does("bob", json!({"a": "leave"}));
    world.ends_the_hand();
    world.wait(100);
    assert!(world.room.view().get().contains("\"ai\":[]"), "{}", world.room.view());
    assert_eq!(world.view().seats.iter().flatten().count(), 0);
}

#[test]
fn the_host_has_them_go_one_or_all() {
    let (mut world, users) = World::with_ai(3);
    let remove = |user: &UserId| json!({"a": "remove_ai", "user": user.as_str()});
    world.may_not("bob", json!({"a": "remove_ai"}), Code::NotAllowed);
    world.may_not("ann", remove(&user("ann")), Code::Unchanged);
    world.does("ann", remove(&users[1]));
    world.may_not("ann", remove(&users[1]), Code::Unchanged);
    world.does("ann", json!({"a": "kick", "user": users[2].as_str(), "ban": true}));
    world.ends_the_hand();
    world.wait(10);
    assert_eq!(world.ai().iter().map(|player| &player.user).collect::<Vec<_>>(), [&users[0]]);
    world.may_not(users[1].as_str(), sit(), Code::NotAllowed);
    world.does("ann", json!({"a": "remove_ai"}));
    world.ends_the_hand();
    world.wait(10);
    assert!(world.ai().is_empty());
    assert!(world.view().seats.iter().flatten().all(|seat| seat.status != SeatStatus::Leaving));
    world.may_not("ann", json!({"a": "remove_ai"}), Code::Unchanged);
}

#[test]
fn a_table_that_closes_asks_for_nobody() {
    let (mut world, _) = World::with_ai(1);
    world.does("ann", invite(1));
    world.does("ann", json!({"a": "close"}));
    world.wanted();
    world.ends_the_hand();
    world.wait(60_000);
    assert!(world.wanted().is_empty() && Hosted::is_over(&world.room));
}
