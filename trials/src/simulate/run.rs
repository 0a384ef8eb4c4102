//! One run: storm, calm, end, verdict.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant as WallInstant,
};

use broker::{
    channel::Channel,
    directory::{self, Readers},
    lobby::LobbyNews,
    node::{PLACE_MS, RoomSpec, decode},
    wire::{LinkState, seeded::Rates},
};
use cash::Cash;
use player::{Bot, Character, Habits, Mind, Style};
use protocol::{
    id::{NodeId, Position, RoomId, UserId},
    table::TableConfig,
    talk::beside,
    time::UnixMs,
    tournament::Starts,
};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rooms::{
    open_room,
    room::{Room as _, mailbox::Bound},
    testing::{Postbox, depth::take_deepest},
};
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
    time::{Duration, Instant, sleep, sleep_until},
};
use tournament::Tournament;

use super::{
    agent::Agents,
    archive::Archive,
    faults::Tripwires,
    guest::{Guest, Left, Phase, Stage, Whims},
    plan::{Blow, Contest, Place, Plan},
    planted::Planted,
    world::World,
};
use crate::{
    guests::{
        asker::Asker,
        circle::{Circle, RAIL_DELAY_MAX_MS, Whispers},
        counters,
        entrant::Entrant,
        flooder::Flooder,
        patron::Patron,
        presser::Presser,
        seeker::Seeker,
        stranger::{Manner, Stranger},
        teller::Teller,
        waiter::{Manners, Waiter},
        workman::{Diligence, WORKMAN, Workman},
    },
    judge::{
        Promise, Shadow, judge_closed, judge_contest, judge_counters, judge_hosted, judge_kept, judge_money,
        judge_stakes, names_of,
    },
};

/// Once nothing goes wrong any more, every table completes a hand within this.
const LIVE_BOUND: Duration = Duration::from_secs(120);

/// And every guest has left its table and has its answers within this: the last hand of a table at which three act as late as they may on each street, and use
/// up their time banks.
const STOP_BOUND: Duration = Duration::from_secs(180);

/// And a tournament has come to its end within this.
const CONTEST_BOUND: Duration = Duration::from_secs(300);

/// And what has waited to be written down is written within this.
const KEPT_BOUND: Duration = Duration::from_secs(240);

/// Then nothing more is on its way after this.
const QUIET: Duration = Duration::from_secs(20);

/// A process that is told to stop is killed after this.
const DRAIN_PATIENCE: Duration = Duration::from_secs(12);

/// How often the shadow looks by itself; guests make it look more often.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A mailbox has so many queues for what clients say, each with its bound.
const MAILBOX_QUEUES: usize = 3;

/// Why the shadow can always read.
pub(super) const SPARED: &str = "nothing goes wrong on the shadow's link";

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Of which seed.
    pub seed: u64,
    /// How long it took on the simulated clock.
    pub virtual_time: Duration,
    /// How long it took.
    pub wall_time: Duration,
    /// Frames in all journals.
    pub frames: u64,
    /// Hands that ended.
    pub hands: u64,
    /// Messages that clients received.
    pub heard: u64,
    /// Commands acknowledged.
    pub acked: u64,
    /// Commands that were refused because the room had too much to do.
    pub busy: u64,
    /// Commands that were refused because nothing could be stored.
    pub unavailable: u64,
    /// Commands of which the room had forgotten whether they were applied.
    pub forgotten: u64,
    /// Connections that were cut right before an answer or a private part.
    pub cut: u64,
    /// Parts for the rail that guests got.
    pub railed: u64,
    /// Frames that guests got later than players did.
    pub late: u64,
    /// Questions that were answered.
    pub answered: u64,
    /// How many have sat down on a seat to which they were called.
    pub called: u64,
    /// How many did not come to the seat to which they were called.
    pub missed: u64,
    /// How many have come where a queue had sent them.
    pub served: u64,
    /// How many jobs were answered, and how many of them by another than who had taken them first.
    pub jobs_done: (u64, u64),
    /// How many AI players were played for.
    pub invited: u64,
    /// How many of them by several, one after the other.
    pub inherited: u64,
    /// How often a session was moved to another connection, and the first left open.
    pub moved: u64,
    /// How often somebody was told to reconnect.
    pub told: u64,
    /// How often a connection was closed because its token was revoked.
    pub revoked: u64,
    /// How often somebody has watched where only so many may.
    pub viewers: u64,
    /// How often a second session of a user took the seat.
    pub ousted: u64,
    /// Blows that fell, by kind.
    pub blows: BTreeMap<&'static str, u64>,
    /// Keyframes that told clients of a loss (only where the broker lost something).
    pub rewound: u64,
    /// Keyframes that went past frames, for slow readers and long absences.
    pub jumped: u64,
    /// Broken promises, with what happened.
    pub broken: Vec<(Promise, String)>,
    /// A number that differs if anything in any journal does, its secrets aside, or in what any client heard.
    pub digest: u64,
}

thread_local! {
    /// Panics of this thread's tasks, which end only their task.
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// Grows with every second of the simulated clock of this thread's run.
    static PULSE: Arc<AtomicU64> = Arc::default();
}

/// A number that grows while runs of this thread go on: a run in which somebody never rests stands still for ever.
pub fn pulse() -> Arc<AtomicU64> {
    PULSE.with(Arc::clone)
}

/// Has panics counted against the run in which they happen; to be called once, before the first run.
pub fn count_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.with_borrow_mut(|panics| panics.push(panic.to_string()));
        hook(panic);
    }));
}

/// Runs a plan to its end, in this thread.
///
/// # Panics
/// When the simulator itself is wrong. Panics of the house's tasks are [findings](Promise::Sound).
pub fn run(plan: &Plan) -> Verdict {
    PANICS.take();
    rooms::planted::plant(plan.planted.and_then(Planted::of_workers));
    relay::planted::plant(plan.planted.and_then(Planted::of_relays));
    rooms::planted::without(plan.planted.and_then(Planted::of_letters));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime without I/O can be built");
    let began = WallInstant::now();
    take_deepest();
    let mut verdict = runtime.block_on(live(plan));
    verdict.wall_time = began.elapsed();
    let (messages, bytes) = take_deepest();
    let Bound { messages: messages_max, bytes: bytes_max } = plan.mailbox;
    if messages > MAILBOX_QUEUES * messages_max || bytes > MAILBOX_QUEUES * bytes_max {
        let what = format!("{messages} messages with {bytes} bytes have waited in a mailbox");
        verdict.broken.push((Promise::Bounded, what));
    }
    verdict.broken.extend(PANICS.take().into_iter().map(|panic| (Promise::Sound, panic)));
    verdict
}

async fn live(plan: &Plan) -> Verdict {
    let began = Instant::now();
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed ^ 0x5eed);
    let spared = NodeId::new("shadow").expect("a name");
    let (faults, tripped) = Tripwires::new(split(&mut rng), spared.clone());
    let world = World::new(plan, faults.clone(), &spared, split(&mut rng));
    let mut shadow = Shadow::witness(world.store());
    world.archive().iter().for_each(|archive| shadow.keeps_hands(archive.pushed()));
    let tables = tables(plan);
    let counters = counters::named(plan.counters);
    open(&tables, &world).await;
    counters::open(&counters, world.rail(), &world.spared_ports()).await.expect(SPARED);
    tables.iter().for_each(|table| shadow.follow(table.clone()));
    let talks: Vec<RoomId> = tables.iter().map(talk_at).collect();
    talks.iter().for_each(|talk| shadow.follow_talk(talk.clone()));
    counters.iter().for_each(|counter| shadow.follow_counter(counter.clone()));
    let narrow = counters::narrow(plan.narrow);
    counters::open(&narrow, world.narrow_rail(), &world.spared_ports()).await.expect(SPARED);
    narrow.iter().for_each(|counter| shadow.follow_counter(counter.clone()));
    let postbox = RoomId::new("p1").expect("a name");
    if !counters.is_empty() {
        shadow.follow_postbox(postbox.clone());
        open_postbox(&postbox, &world).await;
    }
    if plan.hosts > 0 {
        open_floor(&world).await;
        protocol::floor::rooms().for_each(|room| shadow.follow_floor(room));
    }
    let queue = RoomId::new("queue-1").expect("a name");
    if plan.seekers > 0 {
        open_queue(&queue, &world).await;
        shadow.follow_queue(queue.clone(), world.sealer());
    }
    if plan.workmen > 0 {
        open_jobs(&world).await;
        shadow.follow_jobs(world.sealer());
    }
    let cup = RoomId::new("cup-1").expect("a name");
    if let Some(contest) = &plan.contest {
        open_contest(&cup, contest, &world, &mut shadow).await;
    }
    let shadow = Arc::new(Mutex::new(shadow));
    let others = [postbox.clone(), cup.clone(), queue.clone()];
    let mut eavesdropper = world.eavesdrop(&[&tables[..], &talks, &counters[..], &others[..]].concat()).await;
    // Seats that are kept for somebody stand in no frame by their number.
    let (listener, clock, counts) =
        (shadow.clone(), world.clock, plan.rail_delay_ms > 0 && plan.waiters == 0 && !plan.money);
    let mut judges = JoinSet::new();
    judges.spawn(async move {
        while let Some((channel, told)) = eavesdropper.told.recv().await {
            let mut shadow = listener.lock().await;
            look(&mut shadow).await;
            match *channel == *Channel::lobby().as_str() {
                true => listed(&told, counts.then(|| clock.now_ms()), &mut shadow),
                false => shadow.published(told),
            }
        }
    });
    let pulse = pulse();
    judges.spawn(async move {
        loop {
            pulse.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_secs(1)).await;
        }
    });
    if let Some(archive) = world.archive().filter(|_| plan.rail_delay_ms > 0).cloned() {
        let (shadow, tables, clock) = (shadow.clone(), tables.clone(), world.clock);
        judges.spawn(async move {
            loop {
                sleep(Duration::from_millis(100)).await;
                let now_ms = clock.now_ms();
                let told = tables.iter().map(|table| (table, archive.told_everybody(table, now_ms)));
                let told: Vec<(&RoomId, Vec<Position>)> = told.collect();
                let mut shadow = shadow.lock().await;
                look(&mut shadow).await;
                for (table, hands) in told {
                    hands.into_iter().for_each(|at| shadow.told_hand_in_time(table, at, now_ms));
                }
            }
        });
    }
    let stage = Stage::new();
    if plan.agencies > 0 {
        world.has_agents(Arc::new(Agents::new(plan, &world, shadow.clone(), stage.clone())));
    }
    for place in places(plan) {
        world.start(place);
    }
    let mut guests = JoinSet::new();
    let all_is_well = plan.is_calm();
    let mut admit = |user: String, mind: Box<dyn Mind>, whims: Whims| {
        let user = UserId::new(&user).expect("a name");
        guests.spawn(Guest::new(user, mind, whims, world.clone(), shadow.clone(), stage.clone()).play());
    };
    let token = |user: &str| world.token(&UserId::new(user).expect("a name"));
    for (index, character) in characters(plan, &tables, &mut rng).enumerate() {
        // Those beyond the bots are second sessions of the first ones.
        let user = format!("guest-{}", index % plan.bots);
        // In a crowd no answer is late because nobody reads it.
        let naps = character.seed.is_multiple_of(4) && plan.flood.is_none();
        let crowded = plan.flood.is_some();
        let whims = Whims { naps, moves: plan.moves, all_is_well, crowded, ..Whims::default() };
        let mind = Bot::new(character, token(&user), Instant::now());
        admit(user, Box::new(mind), whims);
    }
    for (index, manner) in manners(plan, &tables, &mut rng).enumerate() {
        let user = format!("stranger-{index}");
        let mind = Stranger::new(manner, token(&user), Instant::now());
        admit(user, Box::new(mind), Whims::default());
    }
    for index in 0..2 * counters.len() {
        // Two sessions of each: they take what they are members of from each other.
        let user = format!("teller-{}", index / 2);
        let mind = Teller::new(counters.clone(), rng.next_u64(), token(&user), Instant::now());
        let mind = mind.with_postbox(Some(postbox.clone()));
        admit(user, Box::new(mind), Whims { rails: true, ..Whims::default() });
    }
    let all_rooms: Arc<[RoomId]> = tables.iter().chain(&talks).chain(&*counters).cloned().collect();
    for index in 0..plan.askers {
        let user = format!("asker-{index}");
        let mind = Asker::new(all_rooms.clone(), rng.next_u64(), token(&user), Instant::now());
        admit(user, Box::new(mind), Whims::default());
    }

    let whispers = Whispers::default();
    let name = |index| UserId::new(&format!("circle-{index}")).expect("a name");
    let circle: Arc<[UserId]> = (0..2 * plan.hosts).map(name).collect();
    for (index, user) in circle.iter().enumerate() {
        let (rude, who) = (index % 2 == 1, (whispers.clone(), circle.clone()));
        let mind = Circle::new(who, rude, rng.next_u64(), world.token(user), Instant::now());
        let mind = mind.that_invites_ai(plan.agencies > 0);
        admit(user.to_string(), Box::new(mind), Whims::default());
    }

    for index in 0..Manners::ALL.len() * plan.waiters {
        let (user, manners) = (format!("waiter-{index}"), Manners::ALL[index % Manners::ALL.len()]);
        let mind = Waiter::new(tables.clone(), manners, rng.next_u64(), token(&user), Instant::now());
        admit(user, Box::new(mind), Whims { waits: true, ..Whims::default() });
    }

    for index in 0..Manners::ALL.len() * plan.seekers {
        let (user, manners) = (format!("seeker-{index}"), Manners::ALL[index % Manners::ALL.len()]);
        let mind = Seeker::new(queue.clone(), manners, rng.next_u64(), token(&user), Instant::now());
        admit(user, Box::new(mind), Whims { waits: true, ..Whims::default() });
    }

    for index in 0..plan.contest.as_ref().map_or(0, |contest| contest.entrants) {
        let user = format!("entrant-{index}");
        let (seed, late) = (rng.next_u64(), Duration::from_millis(rng.random_range(0..8_000)));
        let bot = Bot::new(contestant(index, seed), token(&user), Instant::now());
        let mind = Entrant::new(bot, cup.clone(), seed, late, Instant::now());
        let naps = index % 4 == 0;
        let whims = Whims { naps, moves: plan.moves, all_is_well, ..Whims::default() };
        admit(user, Box::new(mind), whims);
    }

    for index in 0..plan.workmen {
        let (user, diligence) = (format!("{WORKMAN}{index}"), Diligence::ALL[index % Diligence::ALL.len()]);
        let mind = Workman::new(diligence, rng.next_u64(), token(&user), Instant::now());
        admit(user, Box::new(mind), Whims { moves: plan.moves, ..Whims::default() });
    }
    for index in 0..2 * plan.workmen {
        let user = UserId::new(&format!("patron-{index}")).expect("a name");
        let (room, rude) = (protocol::jobs::room_of(&user), index % 2 == 1);
        let mind = Patron::new(room, rude, rng.next_u64(), world.token(&user), Instant::now());
        admit(user.to_string(), Box::new(mind), Whims { moves: plan.moves, ..Whims::default() });
    }

    let flood = plan.flood.into_iter().flat_map(|flood| (0..flood.guests).map(move |at| (at, flood)));
    for (index, flood) in flood {
        let user = format!("flooder-{index}");
        let when = (Instant::now() + flood.from, Instant::now() + flood.until);
        let mind = Flooder::new(tables[0].clone(), flood.long_winded, rng.next_u64(), token(&user), when);
        admit(user, Box::new(mind), Whims { crowded: true, ..Whims::default() });
    }

    for index in 0..plan.pressers {
        let user = format!("presser-{index}");
        let mind = Presser::new(narrow.clone(), rng.next_u64(), token(&user), Instant::now());
        admit(user, Box::new(mind), Whims { presses: true, all_is_well, ..Whims::default() });
    }

    faults.set_rates(plan.rates);
    let blows = storm(plan, &world, &shadow, tripped).await;
    faults.set_rates(Rates::default());
    world.heal();
    for place in places(plan) {
        world.start(place);
    }
    expect_hands(&tables, &shadow).await;
    stage.set(Phase::Stopping);
    let of_hosts = if plan.hosts > 0 { RAIL_DELAY_MAX_MS } else { 0 };
    let shown_after = Duration::from_millis(of_hosts.max(plan.rail_delay_ms.into()));
    // A new owner gives nobody a place for as long as one may hold that the owner before has given.
    let placed_after = Duration::from_millis(if plan.pressers > 0 { PLACE_MS } else { 0 });
    settle(&tables, &counters, QUIET + shown_after + placed_after, &shadow).await;
    if let Some(contest) = &plan.contest {
        decide(&shadow).await;
        judge_contest(&world.store(), &mut *shadow.lock().await).await.expect(SPARED);
        if let Some(cost) = contest.cost() {
            let name = |index: usize| UserId::new(&format!("entrant-{index}")).expect("a name");
            let users: Vec<UserId> = (0..contest.entrants).map(name).collect();
            let judged = judge_stakes(&cup, cost, &users, world.cashier(), &mut *shadow.lock().await);
            judged.expect("the ledger is in memory");
        }
    }
    let taken = |room: &RoomId| world.till().taken(room);
    let judged = judge_counters(&counters, taken, &world.store(), &mut *shadow.lock().await).await;
    judged.expect(SPARED);
    shadow.lock().await.judge_viewers();
    if plan.hosts > 0 {
        judge_hosted(&world.store(), &mut *shadow.lock().await).await.expect(SPARED);
    }
    if plan.seekers > 0 {
        let mut shadow = shadow.lock().await;
        shadow.judge_queue();
        judge_closed(&world.store(), &mut shadow).await.expect(SPARED);
    }
    if plan.workmen > 0 {
        shadow.lock().await.judge_jobs();
    }
    if plan.money {
        let judged = judge_money(&tables, world.cashier(), &mut *shadow.lock().await);
        judged.expect("the ledger is in memory");
    }
    if let Some(archive) = world.archive() {
        write_down(&world, &spared, &shadow, archive).await;
    }
    stage.set(Phase::Gone);
    let mut left: Vec<Left> = guests.join_all().await;
    // In the order in which they came; nothing else tells two sessions of a user apart.
    left.sort_by_key(|left| left.digest);

    let shadow = shadow.lock().await;
    Verdict {
        seed: plan.seed,
        virtual_time: began.elapsed(),
        wall_time: Duration::ZERO,
        frames: shadow.frames(),
        hands: tables.iter().map(|table| shadow.hands_ended(table)).sum(),
        heard: left.iter().map(|left| left.heard).sum(),
        acked: left.iter().map(|left| left.acked).sum(),
        busy: left.iter().map(|left| left.busy).sum(),
        unavailable: left.iter().map(|left| left.unavailable).sum(),
        forgotten: left.iter().map(|left| left.forgotten).sum(),
        cut: left.iter().map(|left| left.cut).sum(),
        railed: left.iter().map(|left| left.railed).sum(),
        late: left.iter().map(|left| left.late).sum(),
        answered: left.iter().map(|left| left.answered).sum(),
        called: shadow.called_and_seated(),
        missed: shadow.calls_missed(),
        served: shadow.served(),
        jobs_done: shadow.jobs_done(),
        invited: shadow.agents().0,
        inherited: shadow.agents().1,
        moved: left.iter().map(|left| left.moved).sum(),
        told: left.iter().map(|left| left.told).sum(),
        revoked: left.iter().map(|left| left.revoked).sum(),
        viewers: shadow.viewers(),
        ousted: left.iter().map(|left| left.ousted).sum(),
        blows,
        rewound: left.iter().map(|left| left.rewound).sum(),
        jumped: left.iter().map(|left| left.jumped).sum(),
        broken: shadow.broken().to_vec(),
        digest: left.iter().fold(shadow.digest(), |sum, left| sum.rotate_left(7) ^ left.digest),
    }
}

/// A generator of its own, so that one part drawing more does not change the others.
fn split(rng: &mut ChaCha8Rng) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(rng.next_u64())
}

fn places(plan: &Plan) -> impl Iterator<Item = Place> + use<> {
    let nodes = (0..plan.relays).map(Place::Relay).chain((0..plan.workers).map(Place::Worker));
    let nodes = nodes.chain((0..plan.pits).map(Place::Pit));
    let nodes = nodes.chain((0..plan.recorders).map(Place::Recorder));
    nodes.chain((0..plan.agencies).map(Place::Agency))
}

fn tables(plan: &Plan) -> Arc<[RoomId]> {
    (1..=plan.tables).map(|number| RoomId::new(&format!("t{number}")).expect("a name")).collect()
}

/// Writes a postbox into the map of rooms.
async fn open_postbox(postbox: &RoomId, world: &World) {
    let spec = RoomSpec::new(Postbox::NAME, &serde_json::json!({}));
    open_room(&world.spared_ports(), postbox, &spec, Readers::OfThisRelease).await.expect(SPARED);
}

/// Opens the rooms from which players open tables.
async fn open_floor(world: &World) {
    let settings = floor::Settings {
        table: TableConfig {
            bank_ms: 2_000,
            pause_ms: 500,
            runout_ms: 200,
            sit_out_ms: 15_000,
            ..TableConfig::default()
        },
        tables_max: 4,
        big_blind_max: 1_000,
        idle_ms: 20_000,
    };
    dealer_worker::open_floor(&world.spared_ports(), &settings).await.expect(SPARED);
}

/// Opens a queue, whose tables have few seats and close soon.
async fn open_queue(queue: &RoomId, world: &World) {
    let settings = queue::Settings {
        id: queue.clone(),
        table: TableConfig {
            name: "Quick".into(),
            seats: 3,
            turn_ms: 3_000,
            bank_ms: 1_000,
            pause_ms: 500,
            runout_ms: 200,
            sit_out_ms: 15_000,
            rathole_ms: 0,
            ..TableConfig::default()
        },
        opens_at: 2,
        tables_max: 8,
        idle_ms: 4_000,
    };
    dealer_worker::open_queue(&world.spared_ports(), &settings, world.rail()).await.expect(SPARED);
}

/// Opens rooms of jobs, whose leases are short and whose answers are soon forgotten.
async fn open_jobs(world: &World) {
    let settings = jobs::Settings { lease_ms: 3_000, attempts_max: 3, wait_ms: 20_000, kept_ms: 10_000 };
    dealer_worker::open_jobs(&world.spared_ports(), &settings).await.expect(SPARED);
}

/// Opens a tournament, and has the shadow follow it.
async fn open_contest(cup: &RoomId, contest: &Contest, world: &World, shadow: &mut Shadow) {
    let mut config = contest.config.clone();
    if let Some(after) = contest.starts_after {
        let after = u64::try_from(after.as_millis()).expect("a short time");
        config.starts = Starts::AtMs(world.clock.now_ms() + after);
    }
    let price = contest.fee.map(|fee| tournament::Price { currency: world.cashier().code(), fee });
    let settings = tournament::Settings::once(cup.clone(), "cup", config.clone()).at(price);
    let spec = RoomSpec::new(Tournament::NAME, &settings);
    open_room(&world.spared_ports(), cup, &spec, Readers::OfThisRelease).await.expect(SPARED);
    shadow.follow_contest(cup.clone(), config, world.sealer());
}

/// One who plays a tournament.
fn contestant(index: usize, seed: u64) -> Character {
    let styles = [Style::RandomLegal, Style::Tight, Style::LooseAggressive];
    let habits = Habits {
        think_min: Duration::from_millis(20),
        think_more: Duration::from_millis(200),
        chat: 0.0,
        ..Habits::default()
    };
    Character { style: styles[index % styles.len()], habits, tables: Arc::from([]), home: 0, seed }
}

/// What is told of rooms for the lobby.
fn listed(told: &[u8], now_ms: Option<UnixMs>, shadow: &mut Shadow) {
    let mut told_of = |room: &RoomId, taken| {
        shadow.listed(room);
        if let Some(now_ms) = now_ms {
            shadow.listed_in_time(room, taken, now_ms);
        }
    };
    match decode(told) {
        Ok(LobbyNews::Lines { lines, .. }) => lines.iter().for_each(|line| told_of(&line.room, line.taken)),
        Ok(LobbyNews::Changes { changes, .. }) => {
            changes.iter().for_each(|change| told_of(&change.room, change.taken))
        }
        _ => {}
    }
}

/// Where people talk at a table.
fn talk_at(table: &RoomId) -> RoomId {
    beside(table).expect("their names are short")
}

/// Writes the tables into the map of rooms, and where people talk at them, as each worker of a real house does when it starts.
async fn open(tables: &[RoomId], world: &World) {
    for room in tables {
        // Short times, so that clocks, sitting out and lost seats happen within a run.
        let config = TableConfig {
            name: format!("Table {room}"),
            seats: world.seats(),
            turn_ms: 3_000,
            bank_ms: 2_000,
            pause_ms: 500,
            runout_ms: 200,
            away_ms: 2_000,
            sit_out_ms: 15_000,
            runs_max: 2,
            ..TableConfig::default()
        };
        let (spec, readers) = if world.has_money() {
            let settings = cash::Settings { currency: world.cashier().code(), table: config };
            (RoomSpec::new(Cash::NAME, &settings), Readers::OfThisRelease)
        } else {
            (RoomSpec::new("table", &config), Readers::OfAnyRelease)
        };
        let spec = spec.with_rail(world.rail_of_tables());
        let written = directory::open(&world.store(), room, spec.to_bytes(), readers).await;
        written.expect(SPARED);
        let talk = talk::spec().with_rail(world.rail()).to_bytes();
        let written = directory::open(&world.store(), &talk_at(room), talk, Readers::OfThisRelease).await;
        written.expect(SPARED);
    }
}

fn characters(plan: &Plan, tables: &Arc<[RoomId]>, rng: &mut ChaCha8Rng) -> impl Iterator<Item = Character> {
    let styles = [Style::RandomLegal, Style::Tight, Style::LooseAggressive];
    let (bots, vanish) = (plan.bots, if plan.flood.is_some() { 0.0 } else { 0.03 });
    (0..bots + plan.twins).map(move |index| Character {
        style: styles[index % styles.len()],
        habits: Habits {
            think_min: Duration::from_millis(20),
            think_more: Duration::from_millis(rng.random_range(50..600)),
            chat: 0.05,
            leave: 0.02,
            sit_out: 0.03,
            top_up: 0.05,
            show: 0.2,
            wait: 0.3,
            vanish,
            away: Duration::from_secs(4),
        },
        tables: tables.clone(),
        home: index % bots % tables.len(),
        seed: rng.next_u64(),
    })
}

fn manners(plan: &Plan, tables: &Arc<[RoomId]>, rng: &mut ChaCha8Rng) -> impl Iterator<Item = Manner> {
    let (crowd, at) = (plan.crowd, plan.stormy.mul_f64(rng.random_range(0.1..0.5)));
    (0..plan.strangers).map(move |_| {
        let (seed, comes_after) = (rng.next_u64(), Duration::from_millis(rng.random_range(0..2_000)));
        match crowd {
            true => Manner {
                tables: Arc::from(&tables[..1]),
                comes_after: at + comes_after,
                pause_max: Duration::from_millis(300),
                says_max: Some(6),
                anew: 0.5,
                seed,
            },
            false => Manner {
                tables: tables.clone(),
                comes_after,
                pause_max: Duration::from_secs(2),
                says_max: None,
                anew: 0.1,
                seed,
            },
        }
    })
}

/// Lets the blows fall; answers how many of each kind did.
async fn storm(
    plan: &Plan,
    world: &Arc<World>,
    shadow: &Arc<Mutex<Shadow>>,
    mut tripped: mpsc::UnboundedReceiver<NodeId>,
) -> BTreeMap<&'static str, u64> {
    let began = Instant::now();
    let end = began + plan.stormy;
    let mut blows = plan.blows.iter();
    let mut next = blows.next();
    let mut fell = BTreeMap::new();
    // What follows a blow: a process started again, a link healed.
    let mut aftermath = JoinSet::new();
    let mut back_after = BTreeMap::new();
    loop {
        let due = next.map_or(end, |(at, _)| (began + *at).min(end));
        let next_look = Instant::now() + LOOK_EVERY;
        tokio::select! { biased;
            Some(node) = tripped.recv() => {
                if let Some(place) = world.kill_node(&node) {
                    tracing::info!(?place, %node, "tripped");
                    let (pause, kind) = back_after.remove(&node).expect("who trips was laid a wire for");
                    *fell.entry(kind).or_default() += 1;
                    aftermath.spawn(start_after(world.clone(), place, pause));
                }
            }
            () = sleep_until(due) => {
                if due == end {
                    break;
                }
                if let Some((_, blow)) = next {
                    if let Blow::Trip(place, wire, pause) = *blow {
                        if let Some(node) = world.node_at(place) {
                            back_after.insert(node.clone(), (pause, blow.name()));
                            world.lay(node, wire);
                        }
                    } else {
                        *fell.entry(blow.name()).or_default() += 1;
                        strike(*blow, world, shadow, &mut aftermath).await;
                    }
                }
                next = blows.next();
            }
            () = sleep_until(next_look) => look(&mut *shadow.lock().await).await,
        }
    }
    // Who has just tripped dies too; nobody trips from now on.
    world.clear_tripwires();
    while let Ok(node) = tripped.try_recv() {
        if world.kill_node(&node).is_some() {
            let (_, kind) = back_after.remove(&node).expect("who trips was laid a wire for");
            *fell.entry(kind).or_default() += 1;
        }
    }
    // Processes that are on their way down get their time; the others come back with the calm.
    while aftermath.join_next().await.is_some() {}
    fell
}

async fn strike(blow: Blow, world: &Arc<World>, shadow: &Arc<Mutex<Shadow>>, aftermath: &mut JoinSet<()>) {
    tracing::info!(?blow, "strikes");
    match blow {
        Blow::Kill(place, pause) => {
            world.kill(place);
            aftermath.spawn(start_after(world.clone(), place, pause));
        }
        Blow::Drain(place) => {
            let world = world.clone();
            aftermath.spawn(async move {
                world.drain(place, DRAIN_PATIENCE).await;
                world.start(place);
            });
        }
        Blow::Revoke(bot, standing) => {
            let user = UserId::new(&format!("guest-{bot}")).expect("a name");
            world.standings().set(&user, standing).await;
        }
        Blow::Hold(place, pause) => bend(world, place, LinkState::Held, pause, aftermath),
        Blow::Cut(place, pause) => bend(world, place, LinkState::Refusing, pause, aftermath),
        Blow::Silence(place, pause) => bend(world, place, LinkState::Silent, pause, aftermath),
        Blow::Lose(writes) => {
            let mut shadow = shadow.lock().await;
            look(&mut shadow).await;
            if world.store().lose_suffix(writes) > 0 {
                shadow.recede().await.expect(SPARED);
            }
            open(&shadow.tables(), world).await;
            let (narrow, counters): (Vec<RoomId>, Vec<RoomId>) =
                shadow.counters().into_iter().partition(counters::is_narrow);
            let ports = world.spared_ports();
            counters::open(&counters, world.rail(), &ports).await.expect(SPARED);
            counters::open(&narrow, world.narrow_rail(), &ports).await.expect(SPARED);
            for postbox in shadow.postboxes() {
                open_postbox(&postbox, world).await;
            }
        }
        Blow::Restart(down) => {
            world.set_broker_down(true);
            let world = world.clone();
            aftermath.spawn(async move {
                sleep(down).await;
                world.set_broker_down(false);
            });
        }
        Blow::Refuse(how_long) => {
            let store = world.store();
            store.refuse_writes(Some("OOM command not allowed when used memory > 'maxmemory'."));
            aftermath.spawn(async move {
                sleep(how_long).await;
                store.refuse_writes(None);
            });
        }
        Blow::Trip(..) => unreachable!("tripwires are laid by the storm"),
    }
}

async fn start_after(world: Arc<World>, place: Place, pause: Duration) {
    sleep(pause).await;
    world.start(place);
}

fn bend(world: &World, place: Place, state: LinkState, pause: Duration, aftermath: &mut JoinSet<()>) {
    let Some(link) = world.link(place) else { return };
    link.set(state);
    aftermath.spawn(async move {
        sleep(pause).await;
        link.heal();
    });
}

/// Has the shadow read what is new in the journals.
async fn look(shadow: &mut Shadow) {
    shadow.look().await.expect(SPARED);
}

/// Nothing goes wrong any more: every table must complete a hand.
async fn expect_hands(tables: &[RoomId], shadow: &Mutex<Shadow>) {
    let before: Vec<u64> = {
        let mut shadow = shadow.lock().await;
        look(&mut shadow).await;
        tables.iter().map(|table| shadow.hands_ended(table)).collect()
    };
    let until = Instant::now() + LIVE_BOUND;
    loop {
        sleep(LOOK_EVERY).await;
        let mut shadow = shadow.lock().await;
        look(&mut shadow).await;
        let stuck = tables.iter().zip(&before).find(|(table, before)| shadow.hands_ended(table) <= **before);
        let Some((table, _)) = stuck else { return };
        if Instant::now() >= until {
            let what = format!("{table} completed no hand within {LIVE_BOUND:?} at {}", shadow.last(table));
            return shadow.accuse(Promise::Live, what);
        }
    }
}

/// Waits until the tournament is over, and nothing of it is there.
async fn decide(shadow: &Mutex<Shadow>) {
    let until = Instant::now() + CONTEST_BOUND;
    while Instant::now() < until {
        let mut shadow = shadow.lock().await;
        look(&mut shadow).await;
        if shadow.is_contest_broken() {
            return;
        }
        if shadow.rooms_of_contest().iter().all(|room| shadow.has_ended(room)) {
            drop(shadow);
            // Whoever looks on learns it, and what is to be taken out of the directory is.
            sleep(Duration::from_secs(10)).await;
            return;
        }
        drop(shadow);
        sleep(LOOK_EVERY).await;
    }
}

/// Waits until every hand that waits in the queue is written down, and judges what was.
async fn write_down(world: &World, spared: &NodeId, shadow: &Mutex<Shadow>, archive: &Archive) {
    let (queue, until) = (world.queue(spared), Instant::now() + KEPT_BOUND);
    let mut lag = queue.lag(hands::QUEUE).await.expect(SPARED);
    while lag.waiting + lag.taken > 0 && Instant::now() < until {
        sleep(LOOK_EVERY).await;
        lag = queue.lag(hands::QUEUE).await.expect(SPARED);
    }
    let mut shadow = shadow.lock().await;
    look(&mut shadow).await;
    if lag.waiting + lag.taken > 0 {
        shadow.accuse(Promise::Kept, format!("{lag:?} after {KEPT_BOUND:?}: hands wait to be written down"));
    }
    let dead = queue.dead(hands::QUEUE).await.expect(SPARED);
    judge_kept(&archive.recorded(), &names_of(&dead), &mut shadow);
}

/// Waits until the tables are empty, the counters have ended, and nothing has changed for that long.
async fn settle(tables: &[RoomId], counters: &[RoomId], quiet: Duration, shadow: &Mutex<Shadow>) {
    let until = Instant::now() + STOP_BOUND;
    loop {
        sleep(LOOK_EVERY).await;
        let mut shadow = shadow.lock().await;
        look(&mut shadow).await;
        let is_left = tables.iter().find(|table| !shadow.is_empty(table));
        let hosted = [shadow.hosted(), shadow.tables_of_queue()].concat();
        let is_left = is_left.or_else(|| counters.iter().find(|counter| !shadow.has_ended(counter)));
        let Some(room) = is_left.or_else(|| hosted.iter().find(|room| !shadow.has_ended(room))) else {
            break;
        };
        if Instant::now() >= until {
            let (last, who) = (shadow.last(room), shadow.seated(room));
            let what = format!("{room} was not left within {STOP_BOUND:?} by {who:?}, it is at {last}");
            shadow.accuse(Promise::Live, what);
            break;
        }
    }
    let mut last = Vec::new();
    loop {
        let mut shadow = shadow.lock().await;
        look(&mut shadow).await;
        let now: Vec<Position> = shadow.rooms().iter().map(|room| shadow.last(room)).collect();
        if now == last || (!last.is_empty() && Instant::now() >= until) {
            return;
        }
        last = now;
        drop(shadow);
        sleep(quiet).await;
    }
}
