//! The ledger, for the house's own processes: dealer workers ask on a port of its own what their rooms want of it; a house in one process
//! asks directly ([`answer`]).
//!
//! Whoever asks signs with a key that follows from the sealing key, and so does the answer. A request may be said again by whoever heard
//! it, to no effect: each name is answered once and for ever.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::post,
};
use broker::{clock::Clock, pass::Passes};
use cage::{
    DbError,
    ledger::{self, Answer},
};
use metrics::{counter, histogram};
use money::{
    Body as _, Why,
    wire::{Answered, Asked, BYTES_MAX, PATH},
};
use protocol::{
    id::{ErrandId, RoomId},
    time::UnixMs,
};

use crate::{People, people::Settles};

/// Connections of the house's own processes at once.
pub const CONNECTIONS_MAX: usize = 1_024;

/// Who waits longer has gone, and asks again.
const WITHIN: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct Cage {
    people: Arc<People>,
    passes: Arc<Passes>,
    clock: Clock,
}

/// What is served on the port for the house's own processes.
pub fn router(people: Arc<People>, passes: Arc<Passes>, clock: Clock) -> Router {
    Router::new().route(PATH, post(errand)).layer(DefaultBodyLimit::max(BYTES_MAX)).with_state(Cage {
        people,
        passes,
        clock,
    })
}

async fn errand(State(cage): State<Cage>, headers: HeaderMap, body: Bytes) -> Response {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(checked) = cage.passes.check(&body, authorization) else {
        return said("stranger", StatusCode::UNAUTHORIZED);
    };
    let Ok(Asked { room, id, body }) = Asked::read(&body) else {
        return said("unread", StatusCode::BAD_REQUEST);
    };
    let answered = match answer(&cage.people, cage.clock.now_ms(), room, id, body).await {
        Ok(Answer::Done(body)) => Answered::Done(body),
        Ok(Answer::Refused(why)) => Answered::Refused(why),
        Err(Unanswered(_)) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    let bytes = answered.write();
    ([(AUTHORIZATION, checked.sign(&bytes))], bytes).into_response()
}

/// The ledger has not answered: what was asked is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ledger has not answered: {0}")]
pub struct Unanswered(&'static str);

/// Asks the ledger what a room wants of it, counts how it is answered, and logs what an operator must look at.
///
/// # Errors
/// [`Unanswered`].
pub async fn answer(
    people: &People,
    now: UnixMs,
    room: RoomId,
    id: ErrandId,
    body: Vec<u8>,
) -> Result<Answer, Unanswered> {
    let began = tokio::time::Instant::now();
    let settles = match people.settles(&room, id, &body).await {
        Ok(Settles::NotYet) => {
            tracing::warn!(%room, "a table has begun anew, and its last hands are not written down yet");
            count("not_yet");
            return Err(Unanswered("not yet"));
        }
        Ok(settles) => matches!(settles, Settles::ATable),
        // What is asked next finds it away, too.
        Err(_) => false,
    };
    let about = room.clone();
    let work = move |tx: &mut dyn cage::Tx| ledger::answer(tx, now, &about, id, &body);
    let answered = tokio::time::timeout(WITHIN, people.tellers().write(room.as_str(), work)).await;
    histogram!("cardhouse_cage_answer_seconds").record(began.elapsed().as_secs_f64());
    let (told, answer) = match answered {
        Ok(Ok(answer @ Answer::Done(_))) => {
            if settles {
                tracing::error!(%room, errand = %id, "nothing was left of a table: its players are paid at the last recorded hand");
                counter!("cardhouse_cage_settled_total").increment(1);
            }
            ("done", Ok(answer))
        }
        Ok(Ok(answer @ Answer::Refused(why))) => {
            if why == Why::Conflict {
                tracing::error!(%room, errand = %id, "two requests have one name");
            }
            (word(why), Ok(answer))
        }
        Ok(Err(error @ (DbError::Busy | DbError::Away(_) | DbError::Again))) => {
            tracing::warn!(%error, "the ledger is out of reach");
            ("away", Err(Unanswered("away")))
        }
        Ok(Err(error)) => {
            // Nothing is done. It is asked again, until somebody has looked.
            tracing::error!(%error, %room, errand = %id, "the ledger does not do what a room asks");
            ("failed", Err(Unanswered("failed")))
        }
        Err(_) => ("late", Err(Unanswered("late"))),
    };
    count(told);
    answer
}

fn count(what: &'static str) {
    counter!("cardhouse_cage_answers_total", "answer" => what).increment(1);
}

fn said(what: &'static str, status: StatusCode) -> Response {
    count(what);
    status.into_response()
}

fn word(why: Why) -> &'static str {
    match why {
        Why::Insufficient => "insufficient",
        Why::Frozen => "frozen",
        Why::Banned => "banned",
        Why::NoCurrency => "no_currency",
        Why::NoAccount => "no_account",
        Why::Void => "void",
        Why::Conflict => "conflict",
        Why::Bad => "bad",
    }
}
