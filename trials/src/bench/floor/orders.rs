//! What a floor's process is told, line by line on standard input; it ends with its input.

use std::io::BufRead;

use tokio::sync::mpsc;

/// Orders that may wait.
const WAITING_MAX: usize = 16;

/// The orders, read by a thread of its own.
pub fn orders() -> mpsc::Receiver<String> {
    let (tell, told) = mpsc::channel(WAITING_MAX);
    std::thread::spawn(move || {
        for order in std::io::stdin().lock().lines().map_while(Result::ok) {
            if tell.blocking_send(order).is_err() {
                return;
            }
        }
    });
    told
}
