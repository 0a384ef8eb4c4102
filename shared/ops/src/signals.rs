//! How a process is told to end by its supervisor, or by whoever sits at the terminal.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that SIGTERM and SIGINT (Ctrl-C) cancel. Asked for before a process says that it is up: a signal that nobody has
/// asked for kills.
///
/// # Errors
/// When the signals cannot be listened to.
pub fn leaving() -> io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let leaving = CancellationToken::new();
    let told = leaving.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        told.cancel();
    });
    Ok(leaving)
}
