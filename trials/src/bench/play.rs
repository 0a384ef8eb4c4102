//! Seated players at many tables, paced: so many actions a second are played, each by whoever has the turn.
//!
//! Lean on purpose, since it runs on the machine that it measures: no view of the table is kept and no rule is checked (the
//! swarm does that). What is kept is each player's last `seq`, so a frame that is missed or comes twice is counted.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use anyhow::Context;
use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use hdrhistogram::Histogram;
use loadtest::swarm::tally::new_histogram;
use player::connect::{Dialer, Socket};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::{
    sync::Notify,
    task::{AbortHandle, spawn_local},
    time::{Duration, Instant, sleep},
};
use tokio_websockets::Message;

use super::{
    connection::{Entered, LeftOff, enter, hello},
    pace::Pace,
    stage::{BUY_IN, Stage},
    told::{self, Told, Turn},
};

/// Players of a table.
pub const SEATS: usize = 6;

/// How often the pace is looked at.
const PACE_EVERY: Duration = Duration::from_millis(1);

/// When an action was sent is remembered for so many actions of a table; all players have long seen an older one.
const SENT_KEPT: usize = 32;

/// In a hundred turns, so many fold when there is something to call, and so many raise when they may.
const FOLDS: u32 = 12;
/// See [`FOLDS`].
const RAISES: u32 = 8;

/// All players must be seated within this.
const SEATED_WITHIN: Duration = Duration::from_secs(60);

/// Connections being opened at the same time while players are being seated.
const OPENING_MAX: usize = 64;

/// What players have counted since the last [`Play::reset`].
#[derive(Debug)]
pub struct Counts {
    /// Frames and keyframes that reached a player.
    pub deliveries: Cell<u64>,
    /// Bytes of all messages that reached a player.
    pub bytes: Cell<u64>,
    /// Actions that were acknowledged.
    pub actions: Cell<u64>,
    /// Frames of which the first player of a table has heard; of those, without a player's action.
    pub frames: Cell<u64>,
    /// Hands that have begun.
    pub hands: Cell<u64>,
    /// Frames of blinds, keyframes, and what else nobody's action has caused.
    pub unasked: Cell<u64>,
    /// Commands that were refused.
    pub refused: Cell<u64>,
    /// Frames that a player never got.
    pub missed: Cell<u64>,
    /// Frames that a player got twice.
    pub repeated: Cell<u64>,
    /// From an action to each player's socket.
    pub latency_us: RefCell<Histogram<u64>>,
}

impl Counts {
    fn new() -> Self {
        let zero = || Cell::new(0);
        Self {
            deliveries: zero(),
            bytes: zero(),
            actions: zero(),
            frames: zero(),
            hands: zero(),
            unasked: zero(),
            refused: zero(),
            missed: zero(),
            repeated: zero(),
            latency_us: RefCell::new(new_histogram()),
        }
    }

    fn reset(&self) {
        let Self {
            deliveries,
            bytes,
            actions,
            frames,
            hands,
            unasked,
            refused,
            missed,
            repeated,
            latency_us,
        } = self;
        for count in [deliveries, bytes, actions, frames, hands, unasked, refused, missed, repeated] {
            count.set(0);
        }
        latency_us.borrow_mut().reset();
    }
}

fn add(count: &Cell<u64>, more: u64) {
    count.set(count.get() + more);
}

/// The turn that a table waits for.
#[derive(Debug, Clone, Copy)]
struct Due {
    hand: u64,
    turn: Turn,
}

struct Table {
    name: String,
    /// By seat.
    players: RefCell<Vec<Rc<Player>>>,
    due: Cell<Option<Due>>,
    /// The last turn that was put into the queue.
    queued: Cell<(u64, u64)>,
    /// When actions were sent, by their number at this table.
    sent_at: RefCell<[Instant; SENT_KEPT]>,
    sent: Cell<u64>,
    /// The last frame that any player of the table has seen.
    last_seq: Cell<u64>,
}

/// A seated player.
struct Player {
    name: String,
    seat: u64,
    table: usize,
    token: String,
    session: RefCell<String>,
    epoch: Cell<u64>,
    seq: Cell<u64>,
    hand: Cell<u64>,
    /// Actions at the table that this player has seen.
    seen: Cell<u64>,
    n: Cell<u64>,
    out: tokio::sync::Mutex<Option<SplitSink<Socket, Message>>>,
    reading: RefCell<Option<AbortHandle>>,
    /// The table's last frame was here since the last welcome.
    up_to_date: Cell<bool>,
}

/// All tables and players.
pub struct Play {
    tables: Vec<Table>,
    players: Vec<Rc<Player>>,
    dialers: Vec<Dialer>,
    ready: RefCell<VecDeque<usize>>,
    /// Somebody is up to date who was not.
    caught_up: Notify,
    behind: Cell<usize>,
    /// How often everybody has come back.
    comebacks: Cell<usize>,
    /// Latencies are those of an undisturbed table: not counted once somebody was cut off.
    timing: Cell<bool>,
    /// What players count.
    pub counts: Counts,
}

impl Play {
    /// Seats six players at each of so many tables: those of a table at one relay, as the edge leads them there, or `apart`.
    ///
    /// # Errors
    /// When not all are seated in time.
    pub async fn seat(stage: &Stage, tables: usize, apart: bool) -> anyhow::Result<Rc<Self>> {
        let long_ago = Instant::now();
        let mut all = Vec::new();
        let mut players = Vec::new();
        for index in 0..tables {
            let seated: Vec<Rc<Player>> = (0..SEATS)
                .map(|seat| {
                    let name = format!("p{}", index * SEATS + seat);
                    Rc::new(Player {
                        token: stage.token(&name),
                        name,
                        seat: seat as u64,
                        table: index,
                        session: RefCell::default(),
                        epoch: Cell::new(0),
                        seq: Cell::new(0),
                        hand: Cell::new(0),
                        seen: Cell::new(0),
                        n: Cell::new(0),
                        out: tokio::sync::Mutex::new(None),
                        reading: RefCell::new(None),
                        up_to_date: Cell::new(false),
                    })
                })
                .collect();
            players.extend(seated.iter().cloned());
            all.push(Table {
                name: Stage::table(index).to_string(),
                players: RefCell::new(seated),
                due: Cell::new(None),
                queued: Cell::new((0, 0)),
                sent_at: RefCell::new([long_ago; SENT_KEPT]),
                sent: Cell::new(0),
                last_seq: Cell::new(0),
            });
        }
        let dialers = (0..players.len())
            .map(|i| if apart { stage.dialer(i) } else { stage.dialer_near(i / SEATS) })
            .collect::<anyhow::Result<_>>()?;
        let play = Rc::new(Self {
            tables: all,
            players,
            dialers,
            ready: RefCell::default(),
            caught_up: Notify::new(),
            behind: Cell::new(0),
            comebacks: Cell::new(0),
            timing: Cell::new(true),
            counts: Counts::new(),
        });
        let seated = futures_util::stream::iter(0..play.players.len()).map(|i| {
            let play = play.clone();
            async move { play.sit(i).await }
        });
        let seating = seated.buffer_unordered(OPENING_MAX).fold(Ok(()), |all, one| async { all.and(one) });
        tokio::time::timeout(SEATED_WITHIN, seating)
            .await
            .context("not all players are seated in time")??;
        let give_up = Instant::now() + SEATED_WITHIN;
        while play.counts.actions.get() < play.players.len() as u64 {
            anyhow::ensure!(Instant::now() < give_up, "not all players are seated in time");
            anyhow::ensure!(play.counts.refused.get() == 0, "a player was refused a seat");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(play)
    }

    async fn sit(self: Rc<Self>, index: usize) -> anyhow::Result<()> {
        let player = &self.players[index];
        let entered = enter(&self.dialers[index], hello(&player.token, None)).await?;
        player.session.replace(entered.session.clone());
        self.begin(player, entered).await;
        let what = format!(r#"{{"a":"sit","seat":{},"buy_in":{BUY_IN}}}"#, player.seat);
        self.command(player, &what).await?;
        Ok(())
    }

    /// Reads from a new connection from now on.
    async fn begin(self: &Rc<Self>, player: &Rc<Player>, entered: Entered) {
        let (out, incoming) = entered.socket.split();
        *player.out.lock().await = Some(out);
        let reading = spawn_local(self.clone().read(player.clone(), incoming));
        player.reading.replace(Some(reading.abort_handle()));
        let table = &self.tables[player.table];
        if table.due.get().is_some_and(|due| due.turn.seat == player.seat) {
            // Somebody's turn whose connection was cut off.
            self.ready.borrow_mut().push_back(player.table);
        }
    }

    async fn read(self: Rc<Self>, player: Rc<Player>, mut incoming: SplitStream<Socket>) {
        while let Some(Ok(message)) = incoming.next().await {
            if let Some(text) = message.as_text() {
                add(&self.counts.bytes, text.len() as u64);
                self.hear(&player, text);
            }
        }
    }

    fn hear(&self, player: &Player, text: &str) {
        match Told::read(text) {
            Told::Frame { epoch, seq, rest } => {
                player.epoch.set(epoch);
                self.follow(player, seq, false);
                let has_action = told::has_action(rest);
                if has_action {
                    self.saw_action(player);
                }
                if player.seat == 0 {
                    add(&self.counts.frames, 1);
                    add(&self.counts.unasked, u64::from(!has_action));
                }
                if let Some(hand) = told::hand_started(rest) {
                    player.hand.set(hand);
                    add(&self.counts.hands, u64::from(player.seat == 0));
                }
                if let Some(turn) = Turn::in_events(rest) {
                    self.turn(player, turn);
                }
            }
            Told::Keyframe { epoch, seq, rest } => {
                player.epoch.set(epoch);
                self.follow(player, seq, true);
                if player.seat == 0 {
                    add(&self.counts.frames, 1);
                    add(&self.counts.unasked, 1);
                }
                if let Some(hand) = told::hand_in_state(rest) {
                    player.hand.set(hand);
                }
                if let Some(turn) = Turn::in_state(rest) {
                    self.turn(player, turn);
                }
            }
            Told::Ack => add(&self.counts.actions, 1),
            Told::Refused => {
                add(&self.counts.refused, 1);
                tracing::debug!(player = player.name, text, "refused");
                let table = &self.tables[player.table];
                table.sent.set(table.sent.get().saturating_sub(1));
            }
            Told::Welcome { .. } | Told::Other => {}
        }
    }

    /// Counts a frame, and what is wrong with its number.
    fn follow(&self, player: &Player, seq: u64, is_keyframe: bool) {
        add(&self.counts.deliveries, 1);
        let last = player.seq.get();
        if last == 0 && is_keyframe {
            player.seq.set(seq);
        } else if seq <= last {
            add(&self.counts.repeated, 1);
        } else {
            add(&self.counts.missed, seq - last - 1);
            player.seq.set(seq);
        }
        let table = &self.tables[player.table];
        table.last_seq.set(table.last_seq.get().max(seq));
        self.check_up_to_date(player);
    }

    fn check_up_to_date(&self, player: &Player) {
        if !player.up_to_date.get() && player.seq.get() >= self.tables[player.table].last_seq.get() {
            player.up_to_date.set(true);
            self.behind.set(self.behind.get().saturating_sub(1));
            self.caught_up.notify_one();
        }
    }

    fn saw_action(&self, player: &Player) {
        let seen = player.seen.get();
        player.seen.set(seen + 1);
        if self.timing.get() {
            let table = &self.tables[player.table];
            let sent_at = table.sent_at.borrow()[seen as usize % SENT_KEPT];
            let us = u64::try_from(sent_at.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.counts.latency_us.borrow_mut().saturating_record(us);
        }
    }

    fn turn(&self, player: &Player, turn: Turn) {
        let table = &self.tables[player.table];
        let number = (player.hand.get(), turn.turn);
        if turn.seat == player.seat && table.queued.get() != number {
            table.queued.set(number);
            table.due.set(Some(Due { hand: number.0, turn }));
            self.ready.borrow_mut().push_back(player.table);
        }
    }

    /// Plays so many actions a second, until dropped.
    pub async fn run(&self, per_s: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut pace = Pace::new(per_s);
        loop {
            sleep(PACE_EVERY).await;
            for _ in 0..pace.due(Instant::now()) {
                let Some(table) = self.ready.borrow_mut().pop_front() else { break };
                self.act(&self.tables[table], &mut rng).await;
                pace.done();
            }
        }
    }

    async fn act(&self, table: &Table, rng: &mut ChaCha8Rng) {
        let Some(due) = table.due.take() else { return };
        let Due { hand, turn } = due;
        let player = table.players.borrow()[turn.seat as usize].clone();
        let chance = rng.random_range(0..100);
        let (kind, to) = match turn.raise {
            Some((least, is_bet)) if chance < RAISES => (if is_bet { "bet" } else { "raise" }, Some(least)),
            _ if turn.may_check => ("check", None),
            _ if chance < RAISES + FOLDS => ("fold", None),
            _ => ("call", None),
        };
        let to = to.map_or_else(String::new, |to| format!(r#","to":{to}"#));
        let what = format!(r#"{{"a":"act","hand":{hand},"turn":{},"kind":"{kind}"{to}}}"#, turn.turn);
        table.sent_at.borrow_mut()[table.sent.get() as usize % SENT_KEPT] = Instant::now();
        table.sent.set(table.sent.get() + 1);
        if self.command(&player, &what).await.is_err() {
            // Cut off: the player acts after coming back.
            table.sent.set(table.sent.get() - 1);
            table.due.set(Some(due));
        }
    }

    async fn command(&self, player: &Player, what: &str) -> anyhow::Result<()> {
        let mut out = player.out.lock().await;
        let out = out.as_mut().context("no connection")?;
        player.n.set(player.n.get() + 1);
        let room = &self.tables[player.table].name;
        let text = format!(r#"{{"t":"do","n":{},"room":"{room}","do":{what}}}"#, player.n.get());
        out.send(Message::text(text)).await?;
        Ok(())
    }

    /// Forgets what was counted.
    pub fn reset(&self) {
        self.counts.reset();
    }

    /// Cuts all connections at once, without a word.
    pub async fn cut_all(&self) {
        self.timing.set(false);
        self.behind.set(self.players.len());
        for player in &self.players {
            if let Some(reading) = player.reading.take() {
                reading.abort();
            }
            player.up_to_date.set(false);
            player.out.lock().await.take();
        }
    }

    /// Everybody comes back at once and resumes; returns when the last is welcome and has the last frame that anybody at the
    /// table has.
    ///
    /// # Errors
    /// When somebody is turned away.
    pub async fn come_back(self: &Rc<Self>) -> anyhow::Result<ComeBack> {
        // With each time the relay of one table further: another one than before, where nothing is known of the session.
        let comebacks = self.comebacks.get() + 1;
        self.comebacks.set(comebacks);
        let began = Instant::now();
        let all = (0..self.players.len()).map(|index| {
            let play = self.clone();
            spawn_local(async move {
                let player = &play.players[index];
                let at = (player.epoch.get(), player.seq.get());
                let rooms = BTreeMap::from([(play.tables[player.table].name.clone(), at)]);
                let left_off = LeftOff { session: player.session.borrow().clone(), rooms };
                let dialer = &play.dialers[(index + SEATS * comebacks) % play.dialers.len()];
                let entered = enter(dialer, hello(&player.token, Some(&left_off))).await?;
                play.begin(player, entered).await;
                play.check_up_to_date(player);
                anyhow::Ok(began.elapsed())
            })
        });
        let mut welcomed = Duration::ZERO;
        for back in all.collect::<Vec<_>>() {
            welcomed = welcomed.max(back.await??);
        }
        while self.behind.get() > 0 {
            self.caught_up.notified().await;
        }
        Ok(ComeBack { welcomed, up_to_date: began.elapsed() })
    }

    /// After play has ceased: how many frames players still lack that others at their table have.
    pub fn lacking(&self) -> u64 {
        let behind = |player: &Rc<Player>| self.tables[player.table].last_seq.get() - player.seq.get();
        self.players.iter().map(behind).sum()
    }
}

/// How long coming back took.
#[derive(Debug, Clone, Copy)]
pub struct ComeBack {
    /// Until the last was welcome.
    pub welcomed: Duration,
    /// Until the last was up to date.
    pub up_to_date: Duration,
}
