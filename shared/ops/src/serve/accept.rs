//! Taking connections as they come, and waiting when the system gives none: others must end first.

use std::{future::Future, io, time::Duration};

use metrics::counter;
use tokio::time::sleep;

use super::Sparingly;

/// The pause after the first failure; it doubles with each further one.
const PAUSE_FIRST: Duration = Duration::from_millis(10);
/// No pause is longer.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// How accepting goes.
#[derive(Default)]
pub(super) struct Accepting {
    /// Failures in a row.
    failures: u32,
}

impl Accepting {
    /// The next connection. `accept` is called again after a pause for as long as it fails.
    pub(super) async fn next<T, F: Future<Output = io::Result<T>>>(
        &mut self,
        mut accept: impl FnMut() -> F,
    ) -> T {
        static TOLD: Sparingly = Sparingly::every_minute();
        loop {
            match accept().await {
                Ok(accepted) => {
                    self.failures = 0;
                    return accepted;
                }
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    counter!("cardhouse_accepts_failed_total").increment(1);
                    if let Some(before) = TOLD.tell() {
                        tracing::error!(
                            %error,
                            before,
                            "cannot accept connections for now; if it is for open files, raise their limit (ulimit -n) or lower \
                             --connections-max"
                        );
                    }
                    // The one that waits stays at the head of the queue: trying at once would fail at once.
                    sleep(pause(self.failures)).await;
                    self.failures = self.failures.saturating_add(1);
                }
            }
        }
    }
}

fn pause(failures: u32) -> Duration {
    PAUSE_FIRST.saturating_mul(1 << failures.min(16)).min(PAUSE_MAX)
}

/// The client has gone before it was accepted.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, future::ready};

    use tokio::time::Instant;

    use super::*;

    const EMFILE: i32 = 24;

    #[tokio::test(start_paused = true)]
    async fn when_files_run_out_it_pauses_longer_and_longer_and_then_takes_whoever_waits() {
        let (began, tries) = (Instant::now(), RefCell::new(Vec::new()));
        let accept = || {
            tries.borrow_mut().push(began.elapsed().as_millis());
            ready(if tries.borrow().len() <= 10 {
                Err(io::Error::from_raw_os_error(EMFILE))
            } else {
                Ok("Ann")
            })
        };
        let mut accepting = Accepting::default();
        assert_eq!(accepting.next(accept).await, "Ann");
        let pauses: Vec<_> = tries.borrow().windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1_000, 1_000, 1_000]);
        assert_eq!(accepting.failures, 0, "the next failure is the first again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_has_gone_already_costs_no_pause() {
        let began = Instant::now();
        let mut answers = [Err(io::ErrorKind::ConnectionAborted.into()), Ok("Bob")].into_iter();
        assert_eq!(Accepting::default().next(|| ready(answers.next().unwrap())).await, "Bob");
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
