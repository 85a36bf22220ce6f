//! A costly answer that all who wait for it share (rule CONN-14).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// When the question was last asked, and its answer.
type Asked<T> = Option<(Instant, T)>;

/// A question that is asked on a thread of its own, one at a time. So a vault that hangs blocks one thread
/// and not all, and a flood of probes does not delay the answer.
pub(super) struct Shared<T> {
    /// Held while the question is asked.
    turn: Arc<Semaphore>,
    last: Arc<Mutex<Asked<T>>>,
    patience: Duration,
}

impl<T: Clone + Send + 'static> Shared<T> {
    /// Whoever asks waits for `patience` at most.
    pub(super) fn new(patience: Duration) -> Self {
        Self { turn: Arc::new(Semaphore::new(1)), last: Arc::default(), patience }
    }

    /// An answer to the question, which was asked after this was called. `None`: there is none in time.
    pub(super) async fn get(&self, ask: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        timeout(self.patience, self.asked(ask)).await.ok().flatten()
    }

    async fn asked(&self, ask: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let arrived = Instant::now();
        let turn = Arc::clone(&self.turn).acquire_owned().await.ok()?;
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((began, answer)) = last
            && began >= arrived
        {
            return Some(answer);
        }
        let last = Arc::clone(&self.last);
        let asked = tokio::task::spawn_blocking(move || {
            let began = Instant::now();
            let answer = ask();
            let noted = Some((began, answer.clone()));
            *last.lock().unwrap_or_else(PoisonError::into_inner) = noted;
            drop(turn);
            answer
        });
        asked.await.ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    /// CONN-14
    #[test]
    fn those_who_wait_share_an_answer_that_was_asked_after_they_came() {
        let (shared, asked) = (Arc::new(Shared::new(Duration::from_secs(60))), AtomicU32::new(0));
        let asked = Arc::new(asked);
        let count = |asked: &Arc<AtomicU32>| {
            let asked = Arc::clone(asked);
            move || asked.fetch_add(1, Ordering::SeqCst)
        };
        runtime().block_on(async {
            let askers: Vec<_> = (0..100)
                .map(|_| {
                    let (shared, ask) = (Arc::clone(&shared), count(&asked));
                    tokio::spawn(async move { shared.get(ask).await })
                })
                .collect();
            for asker in askers {
                assert!(asker.await.unwrap().is_some());
            }
            // The first is asked when the others have come, or before; the second answers the rest.
            assert!(asked.load(Ordering::SeqCst) <= 2);
            let before = asked.load(Ordering::SeqCst);
            assert_eq!(shared.get(count(&asked)).await, Some(before), "an old answer is none");
        });
    }

    /// HEALTH-1
    #[test]
    fn nobody_waits_for_a_vault_that_hangs() {
        let shared = Shared::new(Duration::from_millis(20));
        let (release, held) = mpsc::channel::<()>();
        runtime().block_on(async {
            let hangs = move || {
                let _ = held.recv();
                1
            };
            assert_eq!(shared.get(hangs).await, None);
            assert_eq!(shared.get(|| 2).await, None, "one thread hangs, not two");
            drop(release);
            while shared.get(|| 3).await != Some(3) {}
        });
    }
}
