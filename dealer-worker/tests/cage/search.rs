//! All states within bounds, breadth first, so that what is found has the shortest way to it.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
};

use broker::seal::Form;
use protocol::{
    id::{Position, UserId},
    rights::Rights,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng as _};
use rooms::room::{
    Input, Moment, Room as _,
    answers::Memory,
    errands::{Answered, ErrandId, Round},
    record::{Delta, Journaled, Record},
};

use crate::{
    Faults,
    ledger::{Cage, PLAYERS, Request},
    room::{Event, Stakes, Wish},
};

/// A broker loses so many entries at most.
const LOST_MAX: usize = 4;

/// How often something may happen in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    pub(crate) sit: u8,
    pub(crate) leave: u8,
    pub(crate) play: u8,
    /// The owner dies.
    pub(crate) crash: u8,
    /// It dies, and the broker loses the end of the journal.
    pub(crate) lose: u8,
    pub(crate) give_up: u8,
}

/// What the search has come to.
pub(crate) struct Found {
    pub(crate) states: usize,
    /// What is wrong, and the way there.
    pub(crate) breach: Option<(String, Vec<String>)>,
}

impl Found {
    pub(crate) fn holds(&self) {
        println!("{self}");
        assert!(self.breach.is_none(), "{self}");
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.breach {
            None => write!(f, "no breach in {} states", self.states),
            Some((what, way)) => write!(f, "{what} (state {}) after: {}", self.states, way.join(" > ")),
        }
    }
}

/// The room after an entry.
#[derive(Clone)]
struct After {
    at: Position,
    state: Rc<Journaled<Stakes>>,
    /// As its record, which is what tells states apart.
    record: Rc<[u8]>,
}

impl After {
    fn new(at: Position, state: Journaled<Stakes>) -> Self {
        let record = state.write(Form::Versioned).into();
        Self { at, state: Rc::new(state), record }
    }
}

#[derive(Clone)]
struct World {
    /// The last entries, and the room after each.
    journal: VecDeque<After>,
    /// A successor has written its keyframe, and the first thing that it decides is that it has taken over.
    takes_over: bool,
    /// What the owner remembers.
    round: Round,
    cage: Rc<Cage>,
    /// Requests on their way; a dead owner's too.
    on_their_way: BTreeMap<ErrandId, Request>,
    left: Bounds,
    has_lost: bool,
    /// What must be done was refused.
    is_stuck: bool,
}

impl World {
    fn new(left: Bounds, faults: Faults) -> Self {
        let first = After::new(Position::new(1, 1), Journaled::new(Stakes::new(faults)));
        Self {
            journal: VecDeque::from([first]),
            takes_over: false,
            round: Round::default(),
            cage: Rc::new(Cage::new()),
            on_their_way: BTreeMap::new(),
            left,
            has_lost: false,
            is_stuck: false,
        }
    }

    fn now(&self) -> &After {
        self.journal.back().expect("there is a first entry")
    }

    fn room(&self) -> &Stakes {
        &self.now().state.room
    }

    /// Two of them, so that no two states are taken for one.
    fn fingerprint(&self) -> (u64, u64) {
        let of = |salt: u64| {
            let mut hasher = DefaultHasher::new();
            salt.hash(&mut hasher);
            for after in &self.journal {
                (after.at.epoch().0, after.at.seq().0).hash(&mut hasher);
                after.record.hash(&mut hasher);
            }
            (self.takes_over, self.has_lost, self.is_stuck, self.left).hash(&mut hasher);
            let rest = (&self.round.done().collect::<Vec<_>>(), &*self.cage, &self.on_their_way);
            postcard::to_stdvec(&rest).unwrap().hash(&mut hasher);
            hasher.finish()
        };
        (of(0), of(1))
    }

    fn append(&mut self, after: After) {
        self.journal.push_back(after);
        if self.journal.len() > LOST_MAX + 1 {
            self.journal.pop_front();
        }
    }

    /// As the runtime commits what follows from an input.
    fn commit(&mut self, input: Input<'_>, settles: Option<ErrandId>) {
        let (epoch, seq) = (self.now().at.epoch().0, self.now().at.seq().0);
        let moment = Moment { now: 0, at: Position::new(epoch, seq + 1) };
        let mut state = (*self.now().state).clone();
        let decided = state.room.decide(input, moment, &mut ChaCha8Rng::seed_from_u64(0));
        let decision = decided.unwrap_or_else(|refusal| unreachable!("{}", refusal.message));
        let settled = self.round.settled(settles.into_iter().chain(decision.gives_up));
        let delta: Delta<Vec<Event>> =
            Delta { asks: decision.asks, settled, ..Delta::of(decision.events, 0) };
        state.apply(&delta, None, moment.at, &Memory::default());
        self.round.committed(&delta.settled);
        self.append(After::new(moment.at, state));
    }

    /// The owner dies, and of the journal so many entries are gone. A successor restores what is left and writes it down.
    fn taken_over(&self, lost: usize) -> Self {
        let mut next = self.clone();
        next.journal.truncate(self.journal.len() - lost);
        let Position(_, seq) = next.now().at;
        let read = Journaled::read(Form::Versioned, &next.now().record, 0).expect("it is a record");
        next.append(After::new(Position::new(self.now().at.epoch().0 + 1, seq.0 + 1), read));
        (next.round, next.takes_over) = (Round::default(), true);
        next
    }

    /// What may happen next.
    fn steps(&self, faults: Faults) -> Vec<(String, Self)> {
        let mut steps = Vec::new();
        for id in self.on_their_way.keys() {
            let mut next = self.clone();
            let request = next.on_their_way.remove(id).expect("it is on its way");
            Rc::make_mut(&mut next.cage).hear(*id, &request, faults);
            steps.push((format!("the cage hears {request:?}"), next));
        }
        if let Some(crash) = self.left.crash.checked_sub(1) {
            let mut next = self.taken_over(0);
            next.left.crash = crash;
            steps.push(("crash".into(), next));
        }
        if let Some(lose) = self.left.lose.checked_sub(1) {
            let late = self.errands().next().map(|(id, request)| (*id, request));
            for lost in 1..self.journal.len() {
                // What it was about to send may still come.
                for is_late in [false, true] {
                    let mut next = self.taken_over(lost);
                    (next.left.lose, next.has_lost) = (lose, true);
                    if is_late {
                        next.on_their_way.extend(late.clone());
                    }
                    steps.push((format!("crash, and {lost} lost"), next));
                }
            }
        }
        if self.takes_over {
            let mut next = self.clone();
            next.takes_over = false;
            next.commit(Input::TakenOver { grace_ms: 0, frames_lost: 0 }, None);
            steps.push(("takes over".into(), next));
            return steps;
        }
        steps.extend(self.wishes());
        steps.extend(self.errand_steps());
        steps
    }

    fn errands(&self) -> impl Iterator<Item = (&ErrandId, Request)> {
        let due = self.round.due(&self.now().state.errands);
        due.map(|errand| (&errand.id, postcard::from_bytes(&errand.ask.body).expect("a request")))
    }

    fn wishes(&self) -> Vec<(String, Self)> {
        let mut steps = Vec::new();
        let mut wished = |wish: Wish, left: Option<Bounds>| {
            if let Some(left) = left.filter(|_| self.room().allows(wish)) {
                let mut next = self.clone();
                next.left = left;
                let (user, body) = (UserId::new("ann").unwrap(), postcard::to_stdvec(&wish).unwrap());
                next.commit(
                    Input::Command { user: &user, name: "ann", rights: Rights::default(), body: &body },
                    None,
                );
                steps.push((format!("{wish:?}"), next));
            }
        };
        let left = self.left;
        for player in PLAYERS {
            wished(Wish::Sit(player), left.sit.checked_sub(1).map(|sit| Bounds { sit, ..left }));
            let leaves = match self.room().is_forfeit(player) {
                true => Some(left),
                false => left.leave.checked_sub(1).map(|leave| Bounds { leave, ..left }),
            };
            wished(Wish::Leave(player), leaves);
            let gives_up = left.give_up.checked_sub(1);
            wished(Wish::GiveUp(player), gives_up.map(|give_up| Bounds { give_up, ..left }));
        }
        wished(Wish::Play, left.play.checked_sub(1).map(|play| Bounds { play, ..left }));
        steps
    }

    /// Errands that are due are sent, or answered.
    fn errand_steps(&self) -> Vec<(String, Self)> {
        let mut steps = Vec::new();
        for (id, request) in self.errands() {
            if !self.on_their_way.contains_key(id) {
                let mut next = self.clone();
                next.on_their_way.insert(*id, request.clone());
                steps.push((format!("sends {request:?}"), next));
            }
            let Some(outcome) = self.cage.outcome(*id) else { continue };
            let mut next = self.clone();
            match next.round.answered(&self.now().state.errands, *id, &outcome) {
                Answered::Decide(errand) => {
                    next.commit(Input::Outcome { errand: &errand, outcome: &outcome }, Some(errand.id));
                }
                Answered::Done => {}
                Answered::AskAgain(_) => next.is_stuck = true,
                Answered::Nothing => unreachable!("{request:?} is due: {outcome:?}"),
            }
            steps.push((format!("{request:?} is answered"), next));
        }
        steps
    }

    /// What is wrong, if anything is.
    fn breach(&self, whole: Bounds) -> Option<String> {
        if self.is_stuck {
            return Some("what must be done was refused".to_owned());
        }
        let (cage, room) = (&self.cage, self.room());
        let on_table: i64 = room.seats.values().map(|seat| seat.chips()).sum();
        let sum = cage.balances.iter().sum::<i64>() + cage.table + cage.variance;
        if sum != 2 {
            return Some(format!("chips were made or lost: {sum} for 2"));
        }
        if cage.table < 0 || cage.balances.iter().any(|balance| *balance < 0) {
            return Some(format!("overdrawn: {:?}, {} for the table", cage.balances, cage.table));
        }
        let is_at_rest = !self.takes_over
            && self.round.are_done(&self.now().state.errands)
            && !PLAYERS.iter().any(|player| room.is_forfeit(*player));
        if !is_at_rest {
            return None;
        }
        if cage.table != on_table {
            return Some(format!(
                "at rest the cage holds {} for the table, on it lie {on_table}",
                cage.table
            ));
        }
        if !self.has_lost && cage.variance != 0 {
            return Some(format!("{} went to the variance although nothing was lost", cage.variance));
        }
        for player in PLAYERS {
            let has =
                cage.balances[usize::from(player)] + room.seats.get(&player).map_or(0, |seat| seat.chips());
            let won = if player == 0 { -room.plays } else { room.plays };
            // Where the broker has lost hands that were played, their winners may have been paid.
            if (!self.has_lost || whole.play == 0) && has != 1 + won {
                return Some(format!("player {player} has {has}, and should have {}", 1 + won));
            }
        }
        None
    }
}

/// Searches the states within these bounds, so many at most.
pub(crate) fn search(bounds: Bounds, faults: Faults, states_max: usize) -> Found {
    let first = World::new(bounds, faults);
    let mut seen = HashMap::from([(first.fingerprint(), 0_usize)]);
    // How each state was come to.
    let mut ways: Vec<(usize, String)> = vec![(0, String::new())];
    let mut queue = VecDeque::from([(0_usize, first)]);
    while let Some((index, world)) = queue.pop_front() {
        if let Some(breach) = world.breach(bounds) {
            let (mut way, mut at) = (Vec::new(), index);
            while at != 0 {
                way.push(ways[at].1.clone());
                at = ways[at].0;
            }
            way.reverse();
            return Found { states: seen.len(), breach: Some((breach, way)) };
        }
        for (what, next) in world.steps(faults) {
            let fingerprint = next.fingerprint();
            if seen.len() < states_max && !seen.contains_key(&fingerprint) {
                seen.insert(fingerprint, ways.len());
                queue.push_back((ways.len(), next));
                ways.push((index, what));
            }
        }
    }
    Found { states: seen.len(), breach: None }
}
