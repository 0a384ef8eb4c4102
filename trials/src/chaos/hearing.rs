//! Brings what bots were told before the judge, who takes it up once it has read the journal as far.

use std::{collections::BTreeMap, sync::Arc};

use player::{Client, Heard, incoming::Refusal};
use protocol::{
    id::{Position, RoomId, SessionId, UserId},
    table::{TablePrivate, TableView},
    talk::TalkView,
};
use serde_json::value::RawValue;
use tokio::{
    sync::{Mutex, mpsc},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

use crate::judge::{Promise, Shadow};

/// How often the judge reads the journals. They keep at least the last 64 frames of a table, far more than come meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Testimony that waits for the judge; when there is more, it is left out and counted.
const WAITING_MAX: usize = 200_000;

/// Of the deltas that a bot gets, one in so many has the whole view compared; of keyframes, all.
const COMPARED: u64 = 4;

/// What a bot was told.
#[derive(Debug)]
struct Testimony {
    room: RoomId,
    user: UserId,
    at: Position,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Its command was applied in this frame.
    Acked { session: SessionId, n: u64 },
    /// This is the table after this frame.
    View(Box<TableView>),
    /// What was said, after the frame.
    Talk(Box<TalkView>),
    /// This part of the frame is for it alone.
    Private(TablePrivate),
    /// There is such a frame.
    Frame,
    /// This was answered to what it asked.
    Answer { q: Box<RawValue>, body: Box<RawValue> },
    /// It got no answer to what it asked.
    Unanswered { q: Box<RawValue>, why: Refusal },
}

/// Where bots testify. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Witness {
    to: mpsc::Sender<Testimony>,
    left_out: Arc<std::sync::atomic::AtomicU64>,
}

impl Witness {
    /// Tells what a guest has just heard.
    pub fn heard(&self, client: &Client, heard: &Heard) {
        let Some(user) = client.user() else { return };
        let (room, at, what) = match heard {
            Heard::Frame { room, at, .. } if !at.seq().0.is_multiple_of(COMPARED) => (room, *at, What::Frame),
            Heard::Frame { room, at, .. } | Heard::Keyframe { room, at } => {
                let what = match (client.table(room), client.talk(room)) {
                    (Some(view), _) => What::View(Box::new(view.clone())),
                    (None, Some(view)) => What::Talk(Box::new(view.clone())),
                    (None, None) => return,
                };
                (room, *at, what)
            }
            // A counter's parts are judged by its own referee alone.
            Heard::Private { room } if client.table(room).is_some() => {
                let Some(follower) = client.room(room) else { return };
                (room, follower.private_at(), What::Private(follower.private().clone()))
            }
            Heard::Acked { n, room, at, .. } => {
                let Some(session) = client.session() else { return };
                (room, *at, What::Acked { session, n: *n })
            }
            Heard::Answer { room, at, q, body, .. } => {
                (room, *at, What::Answer { q: q.clone(), body: body.clone() })
            }
            Heard::Unanswered { q, why } => {
                (&why.room, Position::default(), What::Unanswered { q: q.clone(), why: why.clone() })
            }
            _ => return,
        };
        let testimony = Testimony { room: room.clone(), user: user.clone(), at, what };
        if self.to.try_send(testimony).is_err() {
            self.left_out.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }

    /// How much was left out since the judge was too slow.
    pub fn left_out(&self) -> u64 {
        self.left_out.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// See the module.
pub struct Hearing {
    shadow: Arc<Mutex<Shadow>>,
    from: mpsc::Receiver<Testimony>,
    /// What is about frames that the judge has not read yet.
    early: BTreeMap<RoomId, Vec<Testimony>>,
    count: u64,
}

impl Hearing {
    /// A hearing before this judge.
    pub fn before(shadow: Arc<Mutex<Shadow>>) -> (Self, Witness) {
        let (to, from) = mpsc::channel(WAITING_MAX);
        (Self { shadow, from, early: BTreeMap::new(), count: 0 }, Witness { to, left_out: Arc::default() })
    }

    /// Reads and judges until told that nothing more will happen. What is then about frames that are in no journal was told
    /// before it was durable.
    pub async fn run(mut self, over: CancellationToken) -> u64 {
        let mut shadow = self.shadow.clone().lock_owned().await;
        loop {
            let is_over = over.is_cancelled();
            // Before the journals are read: what was said until now is about what stands there then.
            while let Ok(testimony) = self.from.try_recv() {
                self.early.entry(testimony.room.clone()).or_default().push(testimony);
            }
            match shadow.look().await {
                Ok(()) => self.judge_what_is_ripe(&mut shadow),
                // Out of reach while Redis is down: later.
                Err(error) => {
                    tracing::debug!(%error, "the judge cannot read");
                    if is_over {
                        let what = format!("the journals cannot be read at the end: {error}");
                        shadow.accuse(Promise::Live, what);
                    }
                }
            }
            if is_over {
                for testimony in self.early.into_values().flatten() {
                    testimony.has_no_frame(&mut shadow);
                }
                return self.count;
            }
            drop(shadow);
            let next = Instant::now() + LOOK_EVERY;
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = over.cancelled() => {}
            }
            shadow = self.shadow.clone().lock_owned().await;
        }
    }
}

impl Hearing {
    fn judge_what_is_ripe(&mut self, shadow: &mut Shadow) {
        for (room, early) in &mut self.early {
            let last = shadow.last(room);
            for testimony in early.extract_if(.., |testimony| testimony.at <= last) {
                self.count += 1;
                testimony.judge(shadow);
            }
        }
    }
}

impl Testimony {
    fn judge(self, shadow: &mut Shadow) {
        // These know themselves what the journal must hold.
        match &self.what {
            What::Answer { q, body } => return shadow.answered(&self.room, &self.user, self.at, q, body),
            What::Unanswered { q, why } => return shadow.unanswered(&self.user, q, why),
            _ => {}
        }
        if !shadow.holds(&self.room, self.at) {
            if !shadow.may_have_held(&self.room, self.at) {
                self.has_no_frame(shadow);
            }
            return;
        }
        let Self { room, user, at, what } = self;
        match what {
            What::Acked { session, n } => shadow.acknowledged(&room, &user, session, n, at),
            What::View(view) => shadow.saw_view(&room, &user, at, &view),
            What::Talk(view) => shadow.saw_talk(&room, &user, at, &view),
            What::Private(part) => shadow.saw_own_part(&room, &user, at, &part),
            What::Frame | What::Answer { .. } | What::Unanswered { .. } => {}
        }
    }

    fn has_no_frame(self, shadow: &mut Shadow) {
        let Self { room, user, at, .. } = self;
        if shadow.losses() == 0 {
            shadow
                .accuse(Promise::Durable, format!("{room} {at}: {user} was told of it, no journal holds it"));
        }
    }
}
