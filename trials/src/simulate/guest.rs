//! A simulated guest: a bot of the swarm, or a stranger, on a connection in memory, whose every message the shadow judges.

use std::{collections::BTreeSet, sync::Arc};

use parking_lot::Mutex;
use player::{
    Heard, Mind,
    comeback::{self, Comeback},
};
use protocol::{
    ClientIn, ClientOut, CloseCode, RefusalCode,
    client_out::NoticeCode,
    id::{Position, RoomId, SessionId, UserId},
    rights::{Can, Rights},
    time::UnixMs,
};
use rand::RngExt;
use relay::RelayConfig;
use tokio::{
    sync::{Mutex as AsyncMutex, Notify},
    task::JoinSet,
    time::{Duration, Instant, sleep, sleep_until, timeout},
};

use super::{
    crowded::Crowded,
    pipe::{Far, Head, Received},
    queued::Queued,
    railbird::Railbird,
    run::SPARED,
    viewer::Watching,
    world::World,
};
use crate::judge::{Promise, Shadow, digest};

/// A command must be answered within this, once nothing goes wrong any more.
const ANSWER_BOUND: Duration = Duration::from_secs(30);

/// A guest that reads nothing for a while does so for at most this.
const NAP_MAX_MS: u64 = 3_000;

/// Nobody moves on sooner: of two connections that begin within the time that news of them take, either may be the one that stays.
const MOVES_AFTER: Duration = Duration::from_millis(100);

/// A connection that the session has moved from is closed within this.
const MOVED_WITHIN: Duration = Duration::from_secs(5);

/// Whoever is not told that a token was revoked knows it within this, as long as the broker is there.
const VOID_WITHIN: Duration = Duration::from_secs(6);

/// What a relay says comes to a room's owner no later, in bad weather: it may have been held up.
const HEARD_WITHIN: Duration = Duration::from_secs(15);

/// Whose connection was cut comes back within this.
const CUT_MAX_MS: u64 = 3_000;

/// What guests are told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Play.
    Playing,
    /// Leave the table and have everything answered.
    Stopping,
    /// The run is over: go.
    Gone,
}

/// Tells all guests the phase, and wakes them in the order in which they wait.
#[derive(Debug)]
pub(super) struct Stage {
    phase: Mutex<Phase>,
    changed: Notify,
}

impl Stage {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { phase: Mutex::new(Phase::Playing), changed: Notify::new() })
    }

    pub(super) fn set(&self, phase: Phase) {
        *self.phase.lock() = phase;
        self.changed.notify_waiters();
    }

    fn phase(&self) -> Phase {
        *self.phase.lock()
    }
}

/// What a guest leaves behind.
#[derive(Debug, Clone, Default)]
pub(super) struct Left {
    /// Messages received, and a number that differs if anything in them does.
    pub(super) heard: u64,
    pub(super) digest: u64,
    /// Commands that were acknowledged.
    pub(super) acked: u64,
    /// Commands that were refused because the room had too much to do.
    pub(super) busy: u64,
    /// Commands that were refused because nothing could be stored.
    pub(super) unavailable: u64,
    /// Commands of which the room had forgotten whether they were applied.
    pub(super) forgotten: u64,
    /// How often it has moved its session to another connection, leaving the first one open.
    pub(super) moved: u64,
    /// How often it was told to reconnect.
    pub(super) told: u64,
    /// Parts for the rail.
    pub(super) railed: u64,
    /// Frames that it got later than others did.
    pub(super) late: u64,
    /// Questions that were answered.
    pub(super) answered: u64,
    /// Connections that were cut right before an answer or a private part.
    pub(super) cut: u64,
    /// How often its connection was closed because its token was revoked.
    pub(super) revoked: u64,
    /// How often another session took the seat.
    pub(super) ousted: u64,
    /// Keyframes of a later epoch that went back: the broker had lost what this guest had seen.
    pub(super) rewound: u64,
    /// Keyframes that went past frames not seen.
    pub(super) jumped: u64,
}

/// A guest.
pub(super) struct Guest {
    user: UserId,
    mind: Box<dyn Mind>,
    world: Arc<World>,
    shadow: Arc<AsyncMutex<Shadow>>,
    stage: Arc<Stage>,
    whims: Whims,
    /// What it greets with.
    shows: Shows,
    /// Commands that may have been heard, since they were said when they might be.
    said: BTreeSet<(SessionId, u64)>,
    /// The table that its connection is near.
    near: Option<RoomId>,
    /// How it is answered in a crowd.
    crowded: Option<Crowded>,
    /// What it is told as one of the rail, if it is anywhere where the rail is told something.
    railbird: Option<Railbird>,
    queued: Option<Queued>,
    /// What it watches, where only so many may.
    watching: Option<Watching>,
    left: Left,
}

/// What the own token says, and what was said on the connection that should not have been heard.
struct Shows {
    issued_ms: UnixMs,
    rights: Rights,
    unheard: BTreeSet<u64>,
}

/// What else a guest does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Whims {
    /// It naps now and then, reading nothing.
    pub(super) naps: bool,
    /// How often it moves its session to another connection and keeps the first, after a message.
    pub(super) moves: f64,
    /// A crowd asks for more than there is time for, or it is one of those: it must be answered all the same.
    pub(super) crowded: bool,
    /// It goes where the rail is told something.
    pub(super) rails: bool,
    /// It waits for seats.
    pub(super) waits: bool,
    /// It goes when it is told to, in the middle of a storm and without an answer to what it has said.
    pub(super) is_sent_away: bool,
    /// It goes where only so many may watch.
    pub(super) presses: bool,
    /// Nothing goes wrong in this run: a connection that the guest has moved from is closed for that, and no other is.
    pub(super) all_is_well: bool,
}

/// Why a connection is over.
enum Over {
    Closed(Option<u16>),
    /// Broken by the weather.
    Cut,
    /// The session goes on on another one, though this is still open.
    Moved,
    Vanished(Duration),
    Told(Duration),
    Gone,
}

impl Guest {
    pub(super) fn new(
        user: UserId,
        mind: Box<dyn Mind>,
        whims: Whims,
        world: Arc<World>,
        shadow: Arc<AsyncMutex<Shadow>>,
        stage: Arc<Stage>,
    ) -> Self {
        // All tokens are made in the beginning.
        let shows =
            Shows { issued_ms: world.clock.now_ms(), rights: Rights::default(), unheard: BTreeSet::new() };
        let (said, crowded, left) = (BTreeSet::new(), whims.crowded.then(Crowded::default), Left::default());
        let railbird = (whims.rails || world.shows_cards()).then(Railbird::default);
        let queued = whims.waits.then(Queued::default);
        let watching = whims.presses.then(Watching::default);
        let near = None;
        Self {
            user,
            mind,
            world,
            shadow,
            stage,
            whims,
            shows,
            said,
            near,
            crowded,
            railbird,
            queued,
            watching,
            left,
        }
    }

    /// Plays until the run is over.
    pub(super) async fn play(mut self) -> Left {
        let mut failures = 0;
        let mut kept = JoinSet::new();
        while self.stage.phase() != Phase::Gone {
            self.near = self.mind.near().cloned();
            let near =
                self.near.as_ref().and_then(|room| comeback::near(Some(room), failures, self.mind.rng()));
            let Some(mut far) = self.world.connect(near.as_deref()) else {
                sleep(Duration::from_millis(100)).await;
                continue;
            };
            self.shows.unheard.clear();
            self.railbird.iter_mut().for_each(Railbird::connected);
            self.mind.client_mut().connected(Instant::now());
            let over = self.converse(&mut far).await;
            if let Over::Moved = over {
                self.left.moved += 1;
                let judge = self.whims.all_is_well.then(|| (self.user.clone(), self.shadow.clone()));
                kept.spawn(keep(far, judge));
            }
            if let Some(watching) = &mut self.watching {
                watching.disconnected();
                // Who is gone without a word is there for the relay as long as a connection may be silent.
                let is_told = matches!(over, Over::Closed(_));
                let unheard_ms = if is_told { 0 } else { RelayConfig::default().idle_ms };
                let known_ms = self.world.clock.now_ms() + unheard_ms;
                self.shadow.lock().await.watches_nothing_more(&self.user, known_ms);
            }
            let was_online = self.mind.client().is_online();
            self.mind.client_mut().disconnected();
            failures = if was_online { 0 } else { failures + 1 };
            let pause = match over {
                Over::Gone => break,
                Over::Cut => Duration::from_millis(self.mind.rng().random_range(0..=CUT_MAX_MS)),
                Over::Moved => Duration::ZERO,
                Over::Vanished(pause) | Over::Told(pause) => pause,
                Over::Closed(code) => match Comeback::to(code, failures, self.mind.rng()) {
                    Comeback::After(pause) => pause,
                    Comeback::AsNewSession(pause) => {
                        if self.whims.all_is_well {
                            let what =
                                format!("{}: closed for another connection, and there is none", self.user);
                            self.shadow.lock().await.accuse(Promise::Client, what);
                        }
                        self.mind.client_mut().forget_session();
                        pause
                    }
                    Comeback::WithNewToken(pause) if code == Some(CloseCode::Revoked as u16) => {
                        self.left.revoked += 1;
                        self.get_new_token().await;
                        pause
                    }
                    Comeback::WithNewToken(_) | Comeback::Never => {
                        let what = format!("{}: closed with {code:?}", self.user);
                        self.shadow.lock().await.accuse(Promise::Client, what);
                        break;
                    }
                },
            };
            sleep(pause).await;
        }
        self.leave().await
    }

    async fn converse(&mut self, far: &mut Far) -> Over {
        let began = Instant::now();
        loop {
            let stage = self.stage.clone();
            let changed = stage.changed.notified();
            let phase = stage.phase();
            match phase {
                Phase::Playing => {}
                Phase::Stopping => self.mind.stop(),
                Phase::Gone => return Over::Gone,
            }
            self.mind.poll(Instant::now());
            while let Some(text) = self.mind.pop_outgoing() {
                self.asks(&text).await;
                far.send(&text).await;
            }
            if let Some(pause) = self.mind.take_vanishing() {
                return Over::Vanished(pause);
            }
            if self.mind.has_gone() {
                return Over::Gone;
            }
            if self.mind.near().is_some_and(|room| self.near.as_ref() != Some(room)) {
                return Over::Told(Duration::ZERO);
            }
            if self.mind.client().wants_reconnect() || self.mind.client().is_in_silence(Instant::now()) {
                return Over::Closed(None);
            }
            if self.whims.naps && phase == Phase::Playing && self.mind.rng().random_bool(0.002) {
                let nap = self.mind.rng().random_range(0..=NAP_MAX_MS);
                sleep(Duration::from_millis(nap)).await;
            }
            let may_move = self.whims.moves > 0.0
                && phase == Phase::Playing
                && self.mind.client().is_online()
                && began.elapsed() >= MOVES_AFTER;
            if may_move && self.mind.rng().random_bool(self.whims.moves) {
                return Over::Moved;
            }
            // A far deadline stands for none: something is always due within a minute.
            let deadline =
                self.mind.next_deadline().unwrap_or_else(|| Instant::now() + Duration::from_secs(60));
            tokio::select! { biased;
                received = far.receive() => match received {
                    Received::Text(text) => {
                        if let Some(over) = self.hear(&text).await {
                            return over;
                        }
                    }
                    Received::Closed(code) => return Over::Closed(code),
                    Received::Cut => {
                        self.left.cut += 1;
                        return Over::Cut;
                    }
                },
                () = sleep_until(deadline) => {}
                () = changed => {}
            }
        }
    }

    /// Asks reception until it gives one.
    async fn get_new_token(&mut self) {
        loop {
            let issued_ms = self.world.clock.now_ms();
            match self.world.new_token(&self.user) {
                Ok((token, rights)) => {
                    self.mind.client_mut().renew_token(token, Instant::now());
                    self.shows = Shows { issued_ms, rights, unheard: BTreeSet::new() };
                    return;
                }
                Err(wait) => sleep(wait).await,
            }
        }
    }

    /// Whether what is said now may be heard: by a token that has been void for long nobody is, and by one without the right nobody talks.
    fn may_be_heard(&self, what: &str) -> bool {
        let Shows { issued_ms, rights, .. } = self.shows;
        let void_for = self.world.standings().void_for(&self.user, issued_ms);
        let talks = what.contains(r#""a":"chat""#);
        void_for.is_none_or(|long| long <= VOID_WITHIN) && (!talks || rights.can.has(Can::CHAT))
    }

    /// The judge is told of commands that are asked again although they were answered.
    async fn asks(&mut self, text: &str) {
        let asks = ClientIn::read(text);
        if let (Ok(ClientIn::Watch { room }), Some(railbird)) = (&asks, &mut self.railbird) {
            railbird.watches(room);
        }
        if let Some(watching) = &mut self.watching {
            let now_ms = self.world.clock.now_ms();
            watching.says(text, &self.user, &mut *self.shadow.lock().await, now_ms);
        }
        let (Ok(ClientIn::Do { n, room, what }), Some(session)) = (asks, self.mind.client().session()) else {
            return;
        };
        if self.may_be_heard(what.get()) {
            self.said.insert((session, n));
        } else if !self.said.contains(&(session, n)) {
            self.shows.unheard.insert(n);
        }
        if let Some(crowded) = &mut self.crowded {
            let view = self.mind.client().table(&room);
            crowded.asks(session, n, view.is_some_and(|view| view.seat_of(&self.user).is_some()));
        }
        let mut shadow = self.shadow.lock().await;
        shadow.asks_host(&room, (&self.user, session, n), what.get());
        shadow.asks_again(&room, &self.user, session, n);
    }

    async fn hear(&mut self, text: &str) -> Option<Over> {
        self.left.heard += 1;
        self.left.digest = digest(self.left.digest, text.bytes());
        if self.world.shows_late()
            && let Ok(Head { room, epoch, seq, t }) = serde_json::from_str(text)
            && ["frame", "keyframe", "private", "rail"].contains(&t)
        {
            let mut shadow = self.shadow.lock().await;
            shadow.look().await.expect(SPARED);
            let (at, now_ms) = (Position(epoch, seq), self.world.clock.now_ms());
            self.left.late += u64::from(shadow.saw_in_time(&room, &self.user, (at, t == "rail"), now_ms));
        }
        if let Some(railbird) = &mut self.railbird {
            let mut shadow = self.shadow.lock().await;
            shadow.look().await.expect(SPARED);
            railbird.hears(text, &self.user, &mut shadow);
        }
        if let Some(watching) = &mut self.watching {
            let mut shadow = self.shadow.lock().await;
            shadow.look().await.expect(SPARED);
            let late = if self.whims.all_is_well { Duration::from_secs(1) } else { HEARD_WITHIN };
            let late_ms = u64::try_from(late.as_millis()).expect("a short time");
            let when = (self.world.clock.now_ms(), late_ms);
            watching.hears(text, &self.user, &mut shadow, when);
        }
        if let Some(queued) = &mut self.queued {
            let mut shadow = self.shadow.lock().await;
            shadow.look().await.expect(SPARED);
            queued.hears(text, &self.user, &mut shadow);
        }
        match self.mind.receive(text, Instant::now()) {
            Heard::Frame { room, at, .. } | Heard::Keyframe { room, at } => self.compare(&room, at).await,
            Heard::Private { room } => self.compare_private(&room, text).await,
            Heard::Acked { n, room, at, .. } => {
                self.left.acked += 1;
                let session = self.mind.client().session().expect("acknowledged within a session");
                let mut shadow = self.shadow.lock().await;
                if self.shows.unheard.contains(&n) {
                    let what = format!("{room}: {} was heard, and had lost the right to it", self.user);
                    shadow.accuse(Promise::Revoked, what);
                }
                shadow.look_at(&room).await.expect(SPARED);
                shadow.acknowledged(&room, &self.user, session, n, at);
                if let Some(crowded) = &mut self.crowded {
                    let wrong = crowded.answered((session, n), &room, None, shadow.sits(&room, &self.user));
                    wrong.into_iter().for_each(|what| shadow.accuse(Promise::Heard, what));
                }
            }
            Heard::Refused(refusal) => {
                let session = self.mind.client().session().expect("refused within a session");
                let mut shadow = self.shadow.lock().await;
                shadow.look_at(&refusal.room).await.expect(SPARED);
                shadow.refused(&refusal.room, &self.user, session, refusal.n, refusal.code);
                shadow.told_by_refusal(&refusal.room, &self.user, text);
                if let Some(crowded) = &mut self.crowded {
                    let (asked, sits) = ((session, refusal.n), shadow.sits(&refusal.room, &self.user));
                    let wrong = crowded.answered(asked, &refusal.room, refusal.code, sits);
                    wrong.into_iter().for_each(|what| shadow.accuse(Promise::Heard, what));
                }
                if refusal.code == Some(RefusalCode::WrongCode) {
                    shadow.guessed_wrong(&refusal.room, &self.user);
                }
                self.left.forgotten += u64::from(refusal.code == Some(RefusalCode::Forgotten));
                let (busy, unavailable) = (Some(RefusalCode::Busy), Some(RefusalCode::Unavailable));
                self.left.busy += u64::from(refusal.code == busy);
                self.left.unavailable += u64::from(refusal.code == unavailable);
                if [busy, unavailable].contains(&refusal.code) && refusal.retry_after_ms.is_none() {
                    let what = format!("{}: {:?}, and not told when to come again", self.user, refusal.code);
                    shadow.accuse(Promise::Client, what);
                }
            }
            Heard::Answer { room, q, at, body, .. } => {
                self.left.answered += 1;
                let mut shadow = self.shadow.lock().await;
                shadow.look_at(&room).await.expect(SPARED);
                shadow.answered(&room, &self.user, at, &q, &body);
            }
            Heard::Unanswered { q, why } => {
                let mut shadow = self.shadow.lock().await;
                shadow.look_at(&why.room).await.expect(SPARED);
                shadow.unanswered(&self.user, &q, &why);
            }
            Heard::Notice(NoticeCode::TakenOver) => self.left.ousted += 1,
            Heard::Reconnect(after) => {
                self.left.told += 1;
                return Some(Over::Told(after));
            }
            _ => {}
        }
        None
    }

    async fn compare(&self, room: &RoomId, at: Position) {
        let mut shadow = self.shadow.lock().await;
        shadow.look_at(room).await.expect(SPARED);
        if let Some(view) = self.mind.client().table(room) {
            shadow.saw_view(room, &self.user, at, view);
        }
        if let Some(view) = self.mind.client().talk(room) {
            shadow.saw_talk(room, &self.user, at, view);
        }
    }

    async fn compare_private(&self, room: &RoomId, text: &str) {
        if let Ok(ClientOut::Private { epoch, seq, .. }) = serde_json::from_str(text) {
            let mut shadow = self.shadow.lock().await;
            // Of a sparse room it comes without its frame.
            shadow.look_at(room).await.expect(SPARED);
            shadow.saw_private(room, &self.user, Position(epoch, seq), text);
        }
    }

    /// At the end of a run: what the own referee saw, and whether the own view is the journal's.
    async fn leave(mut self) -> Left {
        // Whoever is sent away in the middle of a storm may have waited for longer.
        if !(self.whims.is_sent_away && self.stage.phase() == Phase::Playing) {
            self.mind.client_mut().judge_unanswered(ANSWER_BOUND, Instant::now());
        }
        let mut shadow = self.shadow.lock().await;
        let client = self.mind.client();
        for what in &client.breaches().described {
            shadow.accuse(Promise::Client, format!("{}: {what}", self.user));
        }
        for room in shadow.rooms() {
            let Some(at) = client.position(&room).filter(|_| !self.mind.has_gone()) else { continue };
            let last = shadow.last(&room);
            if client.is_sparse(&room) {
                shadow.got_parts(&room, &self.user, client.parts(&room));
            } else if at == last {
                let due = shadow.told_at_once(&room, &self.user);
                let told = self.railbird.as_ref().map(|railbird| railbird.told(&room));
                if let Some((due, told)) = due.zip(told).filter(|(due, told)| told.is_none_or(|at| at < *due))
                {
                    let what =
                        format!("{room} {due}: {} was told {told:?} as one of the rail last", self.user);
                    shadow.accuse(Promise::Rail, what);
                }
            } else {
                let what = format!("{room}: {} is at {at}, the journal at {last}", self.user);
                shadow.accuse(Promise::Equal, what);
            }
        }
        let breaches = client.breaches();
        if breaches.lost > 0 && shadow.losses() == 0 {
            let what = format!("{} was told of a loss, but nothing was lost", self.user);
            shadow.accuse(Promise::Told, what);
        }
        let railed = self.railbird.map_or(0, |railbird| railbird.parts);
        Left { rewound: breaches.lost, jumped: breaches.jumped, railed, ..self.left }
    }
}

/// Listens to a connection that the session has moved from, until it is closed. If there is somebody to judge: for that, and soon.
async fn keep(mut far: Far, judge: Option<(UserId, Arc<AsyncMutex<Shadow>>)>) {
    let closed = async {
        loop {
            match far.receive().await {
                Received::Text(_) => {}
                Received::Closed(code) => return code,
                Received::Cut => return None,
            }
        }
    };
    let closed = timeout(MOVED_WITHIN, closed).await;
    let Some((user, shadow)) = judge else { return };
    if closed != Ok(Some(CloseCode::SessionTaken as u16)) {
        let what = format!("{user}: the session has moved, and its first connection ended with {closed:?}");
        shadow.lock().await.accuse(Promise::Client, what);
    }
}
