//! How long the commit thread lingers for more requests.
//!
//! Before a batch, the thread waits briefly for as many requests as the last two batches contained. Without
//! that, two groups of writers alternate and each waits for two syncs. If a wait times out, no more writers
//! are active, so for a number of batches the thread waits for no more than it got. Neither a single writer
//! nor a full queue waits.

use super::pipeline::{BATCH_OPERATIONS_MAX, Pipeline, Task};
use crate::env::threads::queue::Queue;
use std::time::Duration;

/// Longest linger, and its share of the recent commit time.
const LINGER_MAX: Duration = Duration::from_micros(500);
const LINGER_SHARE: u32 = 7; // about 15 %
/// Batches after which the limit of a linger that ran out is lifted again.
const LINGER_RETRY: u32 = 64;

/// How many writers there seem to be.
pub(super) struct Pace {
    last: usize,
    before: usize,
    commit: Duration,
    /// How many requests the last linger that ran out had gathered: there are no more writers.
    reach: usize,
    /// Batches until more are waited for again.
    retry: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { last: 0, before: 0, commit: Duration::ZERO, reach: usize::MAX, retry: 0 }
    }
}

impl Pace {
    /// Whether the last two batches had one request each, so that nobody is waited for.
    pub(super) fn is_alone(&self) -> bool {
        self.last <= 1 && self.before <= 1
    }

    /// Moves requests to the pipeline, and waits briefly for more.
    pub(super) fn gather(&mut self, pipeline: &mut Pipeline, tasks: &Queue<Task>) {
        let clock = pipeline.clock();
        let target = (self.last + self.before).min(self.reach).min(BATCH_OPERATIONS_MAX);
        let deadline = clock.monotonic() + (self.commit / LINGER_SHARE).min(LINGER_MAX);
        let mut has_time = true;
        loop {
            let room = BATCH_OPERATIONS_MAX.saturating_sub(pipeline.queued());
            tasks.take(room, |task| pipeline.submit(task));
            let missing = target.saturating_sub(pipeline.queued());
            if missing == 0 {
                return;
            }
            if !has_time {
                self.reach = pipeline.queued();
                self.retry = LINGER_RETRY;
                return;
            }
            has_time = tasks.wait_for(missing, deadline.saturating_sub(clock.monotonic()));
        }
    }

    /// Notes a batch: how many requests it had, and how long it took.
    pub(super) fn note(&mut self, batch: usize, commit: Duration) {
        (self.before, self.last) = (self.last, batch);
        self.commit = (self.commit + commit) / 2;
        self.retry = self.retry.saturating_sub(1);
        if self.retry == 0 || batch > self.reach {
            self.reach = usize::MAX;
        }
    }
}
