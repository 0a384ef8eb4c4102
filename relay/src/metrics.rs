//! What a relay counts. Handles are looked up once, so counting costs an atomic operation.

use metrics::{Counter, Gauge, counter, gauge};
use protocol::{CloseCode, ErrorCode, RefusalCode};
use serde::Serialize;

macro_rules! metrics {
    ($($(#[$doc:meta])* $field:ident: $kind:ident = $make:ident!($name:literal)),+ $(,)?) => {
        /// Of one relay.
        pub(crate) struct Metrics {
            $($(#[$doc])* pub(crate) $field: $kind,)+
        }

        impl Metrics {
            /// Handles of the recorder that is installed now; without one, counting does nothing.
            pub(crate) fn new() -> Self {
                Self { $($field: $make!($name),)+ }
            }
        }
    };
}

metrics! {
    connections: Gauge = gauge!("relay_connections"),
    /// Connections that were turned away.
    turned_away: Counter = counter!("relay_turned_away_total"),
    messages: Counter = counter!("relay_messages_total"),
    rooms: Gauge = gauge!("relay_rooms"),
    /// Frames that came from the bus or were read from a journal, and were new.
    frames: Counter = counter!("relay_frames_total"),
    /// Frames, private parts and answers handed to sockets.
    deliveries: Counter = counter!("relay_deliveries_total"),
    /// Times that a client's queue was full.
    lagging: Counter = counter!("relay_lagging_total"),
    /// Holes that a journal was read for.
    holes: Counter = counter!("relay_holes_total"),
    /// Frames that came from a journal, since the bus had not brought them.
    repaired: Counter = counter!("relay_repaired_frames_total"),
    journal_reads: Counter = counter!("relay_journal_reads_total"),
    journal_failures: Counter = counter!("relay_journal_failures_total"),
    /// Positions that clients said they had and that their rooms' journals do not know. Whether such a frame was ever there, nobody
    /// can tell: anybody may say anything.
    resume_claims: Counter = counter!("relay_resume_claims_total"),
    /// Times that a journal has shown that the broker had lost what it had acknowledged. No client has a part in it.
    history_lost: Counter = counter!("relay_history_lost_total"),
    commands: Counter = counter!("relay_commands_total"),
    in_flight: Gauge = gauge!("relay_commands_in_flight"),
    retries: Counter = counter!("relay_command_retries_total"),
    /// Questions of clients to rooms.
    questions: Counter = counter!("relay_questions_total"),
    /// Answers to them that their clients read too slowly for.
    answers_dropped: Counter = counter!("relay_answers_dropped_total"),
    acks: Counter = counter!("relay_acks_total"),
    /// Messages to rooms that wait for the bus.
    publishes_waiting: Gauge = gauge!("relay_publishes_waiting"),
    /// Messages to rooms that did not fit into the queue or that the bus did not take.
    publishes_failed: Counter = counter!("relay_publishes_failed_total"),
    /// Messages to rooms that nobody received.
    malformed: Counter = counter!("relay_malformed_total"),
    lobby_viewers: Gauge = gauge!("relay_lobby_viewers"),
    /// Rooms of all kinds.
    lobby_tables: Gauge = gauge!("relay_lobby_tables"),
    /// Different views that somebody looks at.
    lobby_views: Gauge = gauge!("relay_lobby_views"),
    /// Times that a viewer got a coarser view, since there were as many as there may be.
    lobby_views_rounded: Counter = counter!("relay_lobby_views_rounded_total"),
    /// Users and logins with tokens that are known to be void.
    revocations: Gauge = gauge!("relay_revocations"),
    /// Times that the revocations could not be read from the store.
    revocation_reads_failed: Counter = counter!("relay_revocation_reads_failed_total"),
    key_fetches_failed: Counter = counter!("relay_key_fetches_failed_total"),
}

/// Counts a close of our own by its code.
pub(crate) fn closed(code: CloseCode) {
    counter!("relay_closed_total", "code" => (code as u16).to_string()).increment(1);
}

/// Counts a player that is led to the pit of its table: at the `door`, by the edge, or by a `word` to reconnect.
pub(crate) fn led(how: &'static str) {
    counter!("relay_led_total", "how" => how).increment(1);
}

/// Counts a refused command by its code.
pub(crate) fn refused(code: RefusalCode) {
    counter!("relay_refusals_total", "code" => name(code)).increment(1);
}

/// Counts a question that is not answered, by the code of why.
pub(crate) fn unanswered(code: RefusalCode) {
    counter!("relay_unanswered_total", "code" => name(code)).increment(1);
}

/// Counts a message other than a command that was refused, by its code.
pub(crate) fn error(code: ErrorCode) {
    counter!("relay_errors_total", "code" => name(code)).increment(1);
}

fn name(code: impl Serialize) -> String {
    let name = serde_json::to_value(code).ok().and_then(|name| name.as_str().map(str::to_owned));
    name.unwrap_or_default()
}
