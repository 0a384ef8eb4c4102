//! The ledger, for the house's own processes: dealer workers ask on a port of its own what their rooms want of it.
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

use crate::People;

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
    let now = cage.clock.now_ms();
    let began = tokio::time::Instant::now();
    let about = room.clone();
    let work = move |tx: &mut dyn cage::Tx| ledger::answer(tx, now, &about, id, &body);
    let answered = tokio::time::timeout(WITHIN, cage.people.tellers().write(room.as_str(), work)).await;
    histogram!("cardhouse_cage_answer_seconds").record(began.elapsed().as_secs_f64());
    let answer = match answered {
        Ok(Ok(answer)) => answer,
        Ok(Err(error @ (DbError::Busy | DbError::Away(_) | DbError::Again))) => {
            tracing::warn!(%error, "the ledger is out of reach");
            return said("away", StatusCode::SERVICE_UNAVAILABLE);
        }
        Ok(Err(error)) => {
            // Nothing is done. It is asked again, until somebody has looked.
            tracing::error!(%error, %room, errand = %id, "the ledger does not do what a room asks");
            return said("failed", StatusCode::SERVICE_UNAVAILABLE);
        }
        Err(_) => return said("late", StatusCode::SERVICE_UNAVAILABLE),
    };
    let (told, answered) = match answer {
        Answer::Done(body) => ("done", Answered::Done(body)),
        Answer::Refused(why) => (word(why), Answered::Refused(why)),
    };
    if matches!(answered, Answered::Refused(Why::Conflict)) {
        tracing::error!(%room, errand = %id, "two requests have one name");
    }
    counter!("cardhouse_cage_answers_total", "answer" => told).increment(1);
    let bytes = answered.write();
    ([(AUTHORIZATION, checked.sign(&bytes))], bytes).into_response()
}

fn said(what: &'static str, status: StatusCode) -> Response {
    counter!("cardhouse_cage_answers_total", "answer" => what).increment(1);
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
