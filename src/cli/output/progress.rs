//! The progress of a long opening, on standard error. A terminal shows it at once. A log gets a line after
//! each second, so a short opening writes none.

use crate::cli::output;
use crate::env::{Clock, Env};
use crate::vault::Progress;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The time between two lines of a log.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// What `vault` calls while it is busy.
pub(crate) fn reporter(env: &Env) -> Arc<dyn Fn(Progress) + Send + Sync> {
    let reporter = Reporter::new(Arc::clone(&env.clock), output::notes_are_seen());
    Arc::new(move |progress| {
        if let Some(text) = reporter.text(progress) {
            output::raw_note(&text);
        }
    })
}

struct Reporter {
    clock: Arc<dyn Clock>,
    is_seen: bool,
    shown_percent: AtomicU64,
    next_line: Mutex<Option<Duration>>,
}

impl Reporter {
    fn new(clock: Arc<dyn Clock>, is_seen: bool) -> Self {
        Self {
            clock,
            is_seen,
            shown_percent: AtomicU64::new(u64::MAX),
            next_line: Mutex::new(None),
        }
    }

    /// What to print now, if anything.
    fn text(&self, progress: Progress) -> Option<String> {
        let (doing, done, total) = match progress {
            Progress::Rebuilding { done, total } => ("rebuilding the state", done, total),
            Progress::Checking { done, total } => ("checking", done, total),
        };
        let percent = done.saturating_mul(100).checked_div(total).unwrap_or(100).min(100);
        if self.is_seen {
            let end = if percent == 100 { "\n" } else { "" };
            let is_new = self.shown_percent.swap(percent, Ordering::Relaxed) != percent;
            return is_new.then(|| format!("\rstrongroom: {doing}: {percent:3} %{end}"));
        }
        let now = self.clock.monotonic();
        let mut next = self.next_line.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = *next.get_or_insert(now.saturating_add(LOG_EVERY));
        if now < due {
            return None;
        }
        *next = Some(now.saturating_add(LOG_EVERY));
        Some(format!("strongroom: {doing}: {percent} %\n"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::env::UnixMillis;

    /// A clock whose every reading is a quarter of a second after the last.
    struct Ticking(AtomicU64);

    impl Clock for Ticking {
        fn wall(&self) -> UnixMillis {
            UnixMillis(0)
        }
        fn monotonic(&self) -> Duration {
            Duration::from_millis(self.0.fetch_add(250, Ordering::Relaxed))
        }
    }

    fn said(is_seen: bool, steps: u64) -> Vec<String> {
        let reporter = Reporter::new(Arc::new(Ticking(AtomicU64::new(0))), is_seen);
        (0..=steps)
            .filter_map(|done| reporter.text(Progress::Rebuilding { done, total: steps }))
            .collect()
    }

    #[test]
    fn a_log_hears_of_a_long_rebuild_once_a_second_and_of_a_short_one_never() {
        assert_eq!(said(false, 3).len(), 0);
        assert_eq!(said(false, 40).len(), 10);
    }

    #[test]
    fn a_person_sees_each_percent_once() {
        let said = said(true, 1000);
        assert_eq!(said.len(), 101);
        assert!(said.last().unwrap().ends_with("100 %\n"));
    }
}
