//! What a provider publishes and is not asked for each time. Several who want it at once wait for one request; for a while after one in vain
//! nobody asks.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Refused;

/// So long after a request in vain.
const VAIN_FOR: Duration = Duration::from_secs(2);

/// So long after a thing was asked for before its time, it is not asked for so again: whoever makes up what is not in it has us ask no more
/// often than that.
const EARLY_EVERY: Duration = Duration::from_secs(10);

/// A thing that is asked for.
pub(super) struct Kept<T> {
    good_for: Duration,
    state: Mutex<State<T>>,
    asking: tokio::sync::Mutex<()>,
}

struct State<T> {
    thing: Option<(Arc<T>, Instant)>,
    vain: Option<(Refused, Instant)>,
    early: Option<Instant>,
}

impl<T> Kept<T> {
    pub(super) fn new(good_for: Duration) -> Self {
        let state = State { thing: None, vain: None, early: None };
        Self { good_for, state: Mutex::new(state), asking: tokio::sync::Mutex::new(()) }
    }

    fn fresh(&self) -> Option<Arc<T>> {
        let state = self.state.lock();
        let (thing, since) = state.thing.as_ref()?;
        (since.elapsed() < self.good_for).then(|| thing.clone())
    }

    /// As it is kept, or asked for: `ask` is not begun if it is kept.
    pub(super) async fn get(&self, ask: impl Future<Output = Result<T, Refused>>) -> Result<Arc<T>, Refused> {
        if let Some(thing) = self.fresh() {
            return Ok(thing);
        }
        let _asking = self.asking.lock().await;
        if let Some(thing) = self.fresh() {
            return Ok(thing);
        }
        self.ask(ask).await
    }

    /// Later than `seen`, in which something was missed: as somebody else has meanwhile got it, or asked for; `seen` if that was done lately.
    pub(super) async fn later(
        &self,
        seen: Arc<T>,
        ask: impl Future<Output = Result<T, Refused>>,
    ) -> Result<Arc<T>, Refused> {
        let _asking = self.asking.lock().await;
        if let Some(thing) = self.fresh().filter(|thing| !Arc::ptr_eq(thing, &seen)) {
            return Ok(thing);
        }
        {
            let mut state = self.state.lock();
            if state.early.is_some_and(|early| early.elapsed() < EARLY_EVERY) {
                return Ok(seen);
            }
            state.early = Some(Instant::now());
        }
        self.ask(ask).await
    }

    async fn ask(&self, ask: impl Future<Output = Result<T, Refused>>) -> Result<Arc<T>, Refused> {
        let vain = self.state.lock().vain;
        if let Some((refused, _)) = vain.filter(|(_, since)| since.elapsed() < VAIN_FOR) {
            return Err(refused);
        }
        let asked = ask.await.map(Arc::new);
        let mut state = self.state.lock();
        match &asked {
            Ok(thing) => (state.thing, state.vain) = (Some((thing.clone(), Instant::now())), None),
            Err(refused) => state.vain = Some((*refused, Instant::now())),
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_are_one_and_a_vain_request_is_not_repeated_at_once() {
        let (kept, asked) = (Kept::new(Duration::from_secs(60)), AtomicU32::new(0));
        let ask = async |result: Result<u32, Refused>| {
            kept.get(async {
                asked.fetch_add(1, Relaxed);
                tokio::task::yield_now().await;
                result
            })
            .await
            .map(|thing| *thing)
        };
        assert_eq!(ask(Err(Refused::Away)).await, Err(Refused::Away));
        assert_eq!(ask(Ok(1)).await, Err(Refused::Away));
        assert_eq!(asked.load(Relaxed), 1);
        tokio::time::advance(VAIN_FOR).await;
        let two = futures_join(ask(Ok(2)), ask(Ok(3))).await;
        assert_eq!((two, asked.load(Relaxed)), ((Ok(2), Ok(2)), 2));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(ask(Ok(4)).await, Ok(4));
    }

    async fn futures_join<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
        tokio::join!(one, other)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_missed_is_looked_for_once_in_a_while() {
        let kept = Kept::new(Duration::from_secs(600));
        let first = kept.get(async { Ok(1) }).await.unwrap();
        let second = kept.later(first.clone(), async { Ok(2) }).await.unwrap();
        assert_eq!((*second, *kept.later(first, async { Ok(3) }).await.unwrap()), (2, 2), "somebody has it");
        assert_eq!(*kept.later(second.clone(), async { Ok(3) }).await.unwrap(), 2, "not so soon");
        tokio::time::advance(EARLY_EVERY).await;
        assert_eq!(*kept.later(second, async { Ok(3) }).await.unwrap(), 3);
    }
}
