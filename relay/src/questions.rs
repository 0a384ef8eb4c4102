//! Clients' questions to rooms: passed on to whoever owns the room, once, and nothing is kept of them here. The answer goes to the
//! session that has asked, wherever it is by then; a question or an answer that is lost is asked for again by the client.
//!
//! A question needs no watcher. Whether there is such a room the relay often knows; if not, the directory is asked.

use std::{borrow::Cow, sync::Arc};

use broker::{
    channel::Channel,
    directory,
    node::{Asked, ToRoom},
    store::Store,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream::FuturesUnordered};
use protocol::{
    ClientOut, RefusalCode,
    id::{Epoch, RoomId, SessionId, UserId},
};
use tokio::sync::mpsc;
use ws::{Frame, Pushed};

use crate::{
    metrics,
    peer::{Peer, frame},
    registry::Registry,
    works::Works,
};

/// Questions that wait for the directory to say whether there is such a room.
pub(crate) const DOUBTFUL_MAX: usize = 1_024;

/// So many rooms are looked up at a time.
const LOOKED_UP_MAX: usize = 32;

/// A house that cannot answer now is worth asking again after so long, milliseconds.
const RETRY_MS: u64 = 1_000;

/// A room of which nodes have told within so many milliseconds is believed to be there: they tell of each every minute.
const TOLD_MS: u64 = 70_000;

/// From this release on owners of rooms read questions.
const SINCE: u16 = 3;

/// A client's question.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) n: u64,
    pub(crate) room: RoomId,
    /// The JSON text of its `q`.
    pub(crate) body: Bytes,
}

/// Why a question is not answered.
#[derive(Debug)]
pub(crate) struct Unanswered {
    code: RefusalCode,
    message: Cow<'static, str>,
    retry_after_ms: Option<u64>,
}

impl Unanswered {
    pub(crate) fn new(
        code: RefusalCode,
        message: impl Into<Cow<'static, str>>,
        retry_after_ms: Option<u64>,
    ) -> Self {
        Self { code, message: message.into(), retry_after_ms }
    }

    fn busy() -> Self {
        Self::new(RefusalCode::Busy, "more questions than this relay can pass on", Some(RETRY_MS))
    }

    fn no_such_room() -> Self {
        Self::new(RefusalCode::NoSuchRoom, "there is no such room", None)
    }
}

/// Passes a question on, or puts it where the directory is asked first.
///
/// # Errors
/// [`Unanswered`], which is to be told.
pub(crate) fn ask(question: Question, works: &Works) -> Result<(), Unanswered> {
    works.metrics.questions.increment(1);
    if works.owners_speak() < SINCE {
        let message = "the house does not answer questions yet";
        return Err(Unanswered::new(RefusalCode::Unavailable, message, Some(RETRY_MS)));
    }
    let now_ms = works.now_ms();
    if works.catalogue.knows_to_lack(&question.room, now_ms) {
        return Err(Unanswered::no_such_room());
    }
    if works.catalogue.told_since(&question.room, now_ms.saturating_sub(TOLD_MS)) {
        return pass_on(question, works);
    }
    works.queues.doubtful.try_send(question).map_err(|_| Unanswered::busy())
}

fn pass_on(question: Question, works: &Works) -> Result<(), Unanswered> {
    let Question { user, session, n, room, body } = question;
    let what = Asked::Question { user, session, n, body };
    // It is for whoever owns the room: this relay may not follow it, and know no epoch.
    let message = ToRoom { epoch: Epoch::default(), relay: works.node.clone(), what };
    let is_sent = works.tell_room(&Channel::commands(&room), &message);
    if is_sent { Ok(()) } else { Err(Unanswered::busy()) }
}

/// Asks the directory about rooms of which this relay has not heard, a bounded number at a time.
pub(crate) async fn look_up(
    mut doubtful: mpsc::Receiver<Question>,
    registry: &Registry,
    works: &Works,
    store: &dyn Store,
) {
    let mut looking = FuturesUnordered::new();
    loop {
        tokio::select! { biased;
            Some(()) = looking.next() => {}
            question = doubtful.recv(), if looking.len() < LOOKED_UP_MAX => match question {
                Some(question) => looking.push(ask_if_there(question, registry, works, store)),
                None => return,
            },
        }
    }
}

async fn ask_if_there(question: Question, registry: &Registry, works: &Works, store: &dyn Store) {
    let Question { user, session, n, room, .. } = &question;
    let (user, session, n, room) = (user.clone(), *session, *n, room.clone());
    let asked_ms = works.now_ms();
    let passed_on = if works.catalogue.knows_to_lack(&room, asked_ms) {
        Err(Unanswered::no_such_room())
    } else {
        match works.answer(directory::spec(store, &room)).await {
            Ok(Some(_)) => pass_on(question, works),
            // It may have been opened since.
            Ok(None) if works.catalogue.told_since(&room, asked_ms) => pass_on(question, works),
            Ok(None) => {
                works.catalogue.lacks(&room, &works.config, works.now_ms());
                Err(Unanswered::no_such_room())
            }
            Err(_) => {
                let message = "the house cannot find the room at the moment";
                Err(Unanswered::new(RefusalCode::Unavailable, message, Some(RETRY_MS)))
            }
        }
    };
    if let (Err(why), Some(peer)) = (passed_on, registry.of_session(session, &user)) {
        tell(&peer, &unanswered(n, &room, why), works);
    }
}

/// What a client gets whose question is not answered.
pub(crate) fn unanswered(n: u64, room: &RoomId, why: Unanswered) -> Frame {
    let Unanswered { code, message, retry_after_ms } = why;
    metrics::unanswered(code);
    let (room, message) = (room.clone(), message.into_owned());
    frame(&ClientOut::Unanswered { n, room, code, message, retry_after_ms })
}

/// Tells an answer. A client that reads too slowly for it may ask again when it has read.
pub(crate) fn tell(peer: &Arc<Peer>, answer: &Frame, works: &Works) {
    if peer.socket.push_reply(answer) == Pushed::Full {
        works.metrics.answers_dropped.increment(1);
    }
}
