//! The commit pipeline: a state machine without threads or channels.
//!
//! ```text
//! submit -> queue -> step: plan -> seal rows -> log.append -> log.sync -> publish -> completed
//!                          one batch at a time: at most 256 operations or 1 MiB, one frame
//! ```
//!
//! - Every operation of a batch, no-ops and refusals included, is answered after the sync of that batch (I1).
//!   If the append is undone all of them are answered `NoSpace`. If the sync fails all of them are answered
//!   `OutcomeUnknown` and the vault is poisoned (I4).
//! - Rows are published after the sync, so the state never holds what the log does not (I6). The memtable
//!   gets room before the append, so that a slow state holds up writers and nobody else.
//! - If publishing fails the answers stand, because the operations are durable. The state is rebuilt from the
//!   log before the next operation is planned.
//! - A batch can be planned twice. A row that does not open shows that the state is damaged. Nothing that was
//!   planned on it is logged, because the log's digest would stay wrong; the state is rebuilt and the batch
//!   is planned again. On a full disk only operations that need no new space are planned, and the reserve is
//!   kept for them (I4).
//!
//! The driver (`driver.rs`) steps it from its thread. Simulations and vaults in memory step it themselves.

use super::batch::{Batch, BatchStart, Outcome};
use super::job::{Done, Job};
use crate::crypto::SetSum;
use crate::env::UnixMillis;
use crate::env::age::AgeClock;
use crate::env::faults::{Fault, Stash};
use crate::error::{Error, ErrorKind, Result};
use crate::log::{End, Frame, Log, LogError};
use crate::model::{ChangeSet, Lsn, RowChange, Seq};
use crate::semantics::{Answer, Command, Now};
use crate::vault::error::RowError;
use crate::vault::log_keys::clock_note;
use crate::vault::rows::{self, Refresh};
use crate::vault::runtime::shared::Shared;
use crate::vault::runtime::status::Status;
use crate::vault::state::serving::State;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Most operations in a batch (I2).
pub(crate) const BATCH_OPERATIONS_MAX: usize = 256;
/// Most bytes in a batch, unless one operation alone has more (I2).
const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// What an operation costs in a batch besides its value: rows, seals, keys.
const OPERATION_BYTES: usize = 1536;

/// What waits in the queue.
pub(crate) enum Task {
    /// An operation, to be done in a batch.
    Job(Job),
    /// Work to be done between two batches, on the commit thread. It reports by itself.
    Control(Box<dyn FnOnce(&mut Pipeline) + Send>),
}

/// Orders every mutation of one vault.
pub(crate) struct Pipeline {
    pub(crate) log: Log,
    pub(crate) sum: SetSum,
    pub(crate) lsn: Lsn,
    pub(crate) age: AgeClock,
    /// Bytes published since the last checkpoint of the state began.
    pub(crate) unsynced_bytes: u64,
    /// The first purge since the epoch was last switched. That switch does not cover it (I10).
    pub(crate) unshredded: Option<UnixMillis>,
    queue: VecDeque<Task>,
    completed: Vec<(Done, Result<Answer>)>,
    /// The frame that a faulty build has not written yet.
    held: Stash<Frame>,
    /// The last field, so that the log is dropped before what may hold the vault's lock.
    pub(crate) shared: Arc<Shared>,
}

/// Why a batch was not committed.
enum BatchError {
    /// The state is damaged.
    State,
    /// The append was undone.
    NoSpace,
    /// Anything else: the error for the callers, and the outcomes as they were planned.
    Other(ErrorKind, Vec<Outcome>),
}

impl Pipeline {
    pub(crate) fn new(shared: Arc<Shared>, log: Log, sum: SetSum, age: AgeClock) -> Self {
        let lsn = log.end().lsn;
        shared.space.note_needed(&log);
        let (queue, completed) = (VecDeque::new(), Vec::new());
        let (unsynced_bytes, unshredded) = (0, None);
        Self {
            log,
            sum,
            lsn,
            age,
            unsynced_bytes,
            unshredded,
            queue,
            completed,
            held: Stash::default(),
            shared,
        }
    }

    /// The pipeline of a fork of the vault, with an empty queue.
    #[cfg(feature = "testkit")]
    pub(crate) fn fork(&self, shared: Arc<Shared>) -> Result<Self> {
        let log = self.log.fork(&shared.env)?;
        let (unsynced_bytes, unshredded) = (self.unsynced_bytes, self.unshredded);
        let fork = Self::new(shared, log, self.sum.clone(), self.age.clone());
        Ok(Self { lsn: self.lsn, unsynced_bytes, unshredded, ..fork })
    }

    /// Queues a task.
    pub(crate) fn submit(&mut self, task: Task) {
        self.queue.push_back(task);
    }

    /// Tasks that wait.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Takes the outcomes that are ready to be reported.
    pub(crate) fn completed(&mut self) -> Vec<(Done, Result<Answer>)> {
        std::mem::take(&mut self.completed)
    }

    /// Does one batch, or one control task. `false`: there was nothing to do.
    pub(crate) fn step(&mut self) -> bool {
        if let Some(Task::Control(_)) = self.queue.front() {
            if let Some(Task::Control(run)) = self.queue.pop_front() {
                run(self);
            }
            return true;
        }
        let batch = self.take_batch();
        if batch.is_empty() {
            return false;
        }
        self.run(batch);
        true
    }

    fn take_batch(&mut self) -> Vec<Job> {
        let mut batch = Vec::new();
        let mut bytes = 0_usize;
        // A frame that fits into the prepared segment does not have to make a new one.
        let bytes_max = BATCH_BYTES_MAX.min(self.log.frame_room());
        while batch.len() < BATCH_OPERATIONS_MAX {
            let Some(Task::Job(next)) = self.queue.front() else { break };
            bytes = bytes.saturating_add(match next {
                Job::Mutate(job) => {
                    let sealed = job.payload.as_ref().map_or(0, |payload| payload.sealed.len());
                    OPERATION_BYTES + sealed + more_bytes(&job.mutation)
                }
                Job::Rewrap(versions, _) => versions.len() * 256,
                Job::ClearPurge(_) | Job::Note(..) | Job::Outbox(..) => OPERATION_BYTES,
            });
            if bytes > bytes_max && !batch.is_empty() {
                break;
            }
            if let Some(Task::Job(next)) = self.queue.pop_front() {
                batch.push(next);
            }
        }
        batch
    }

    /// Reads both clocks, for a batch.
    pub(crate) fn now(&mut self) -> Now {
        let clock = &self.shared.env.clock;
        let wall = clock.wall();
        let age = self.age.now(wall, clock.monotonic());
        Now {
            wall,
            age: if self.shared.tuning.faults.active(Fault::AgeByWall) { wall } else { age },
        }
    }

    /// Commits a row of the vault's own between two batches, and returns the end of the log with it.
    pub(crate) fn note(&mut self, key: &'static [u8], content: Vec<u8>) -> Result<End> {
        self.run(vec![Job::Note(key, content, Box::new(|_| {}))]);
        // What was run is the last that was completed.
        let Some((_, result)) = self.completed.pop() else {
            return Err(ErrorKind::OutcomeUnknown.into());
        };
        result.map(|_| self.log.end().clone())
    }

    /// Notes a refresh of an anchor file in the log, before the file is written (RB-3).
    pub(crate) fn note_refresh(&mut self, refresh: Refresh) -> Result<End> {
        let (state, keys) = (self.state()?, self.shared.keys());
        let content = rows::anchors(state.store(), &keys)?.with(refresh)?;
        self.note(rows::META_ANCHORS, content)
    }

    /// Notes the keystore's generation in the log, so that an older keystore is refused (RB-6).
    pub(crate) fn note_keystore(&mut self) -> Result<End> {
        let generation = Seq(self.shared.keys().generation());
        let content = rows::encode_seq(generation).map_err(|_| RowError::Plan("ROW-7"))?;
        self.note(rows::META_KEYSTORE, content)
    }

    fn run(&mut self, jobs: Vec<Job>) {
        if let Some(kind) = self.shared.refuses_writes() {
            let refused = jobs.into_iter().map(|job| (job.into_done(), Err(kind.clone().into())));
            return self.completed.extend(refused);
        }
        let now = self.now();
        let mut may_grow = self.make_space();
        let mut is_rebuilt = false;
        let outcome = loop {
            match self.attempt(&jobs, now, may_grow, is_rebuilt) {
                Err(BatchError::State) if !is_rebuilt => {
                    is_rebuilt = true;
                    if let Err(error) = self.rebuild_state() {
                        break Err(BatchError::Other(error.kind().clone(), Vec::new()));
                    }
                }
                Err(BatchError::NoSpace) if may_grow => may_grow = false,
                outcome => break outcome,
            }
        };
        let dones = jobs.into_iter().map(Job::into_done);
        let (kind, early) = match outcome {
            Ok(outcomes) => {
                let results = outcomes.into_iter().map(|outcome| outcome.result);
                return self.completed.extend(dones.zip(results));
            }
            Err(BatchError::State) => (ErrorKind::StateBroken, Vec::new()),
            Err(BatchError::NoSpace) => (ErrorKind::NoSpace, Vec::new()),
            Err(BatchError::Other(kind, outcomes)) => (kind, outcomes),
        };
        // The whole batch is dropped, and all of it fails alike (I1).
        let mut early = early.into_iter();
        self.completed.extend(dones.map(|done| {
            let is_early = self.shared.tuning.faults.active(Fault::NoopAtPlanTime);
            let result = early.next().filter(|outcome| is_early && outcome.is_idle);
            (done, result.map_or_else(|| Err(kind.clone().into()), |outcome| outcome.result))
        }));
    }

    /// Plans the jobs and commits the outcome.
    fn attempt(
        &mut self,
        jobs: &[Job],
        now: Now,
        may_grow: bool,
        is_rebuilt: bool,
    ) -> std::result::Result<Vec<Outcome>, BatchError> {
        let keys = self.shared.keys();
        let other = |error: Error| BatchError::Other(error.kind().clone(), Vec::new());
        let state = self.state().map_err(other)?;
        let Ok(rows) = state.latest() else { return Err(BatchError::State) };
        let mut batch = Batch::new(BatchStart {
            keys: &keys,
            rows,
            now,
            sum: self.sum.clone(),
            lsn: self.lsn,
            unshredded: self.unshredded,
            outbox: self.shared.label_events.outbox(),
            may_grow,
            jobs: jobs.len(),
            entropy: self.shared.env.entropy.as_ref(),
        });
        for job in jobs {
            batch.plan(job, &self.shared);
            // A row that does not open even in a rebuilt state is damaged in the log. Then only the
            // operations that need it fail.
            if batch.is_state_damaged && !is_rebuilt {
                return Err(BatchError::State);
            }
        }
        let Batch { layer, sum, lsn, outcomes, settled, pending, rotations, .. } = batch;
        let (unshredded, outbox) = (batch.unshredded, batch.outbox);
        let (sets, known) = layer.into_parts();
        if !sets.is_empty() {
            if state.make_room().is_err() {
                return Err(BatchError::State);
            }
            match self.commit(sum, lsn, sets, &state, !may_grow) {
                Ok(()) => {
                    // Whoever asks for these rows next need not open them.
                    state.keep_written(known, lsn);
                    self.unshredded = unshredded;
                    self.shared.label_events.note(outbox);
                }
                Err(ErrorKind::NoSpace) => return Err(BatchError::NoSpace),
                Err(kind) => return Err(BatchError::Other(kind, outcomes)),
            }
        }
        for (version, on, day) in settled {
            self.shared.access_marks.settle(version, on, day);
        }
        self.shared.pending.add(pending);
        for (id, due) in rotations {
            self.shared.rotation_schedule.note(id, due);
        }
        Ok(outcomes)
    }

    /// Logs, syncs and publishes. On an error nothing was published.
    fn commit(
        &mut self,
        sum: SetSum,
        lsn: Lsn,
        sets: Vec<ChangeSet>,
        state: &State,
        may_use_reserve: bool,
    ) -> std::result::Result<(), ErrorKind> {
        let frame = Frame {
            keystore_generation: self.shared.keys().generation(),
            clock: clock_note(self.age.note()),
            digest: sum.digest(self.shared.keys().digest_key(), lsn),
            sets,
        };
        self.append(&frame, may_use_reserve)?;
        let is_early = self.shared.tuning.faults.active(Fault::PublishBeforeSync);
        if is_early {
            self.show(state, frame.sets.clone());
        }
        if !self.shared.tuning.faults.active(Fault::AckBeforeSync)
            && let Err(error) = self.log.sync()
        {
            return Err(self.log_failed(error).kind().clone());
        }
        self.sum = sum;
        self.lsn = lsn;
        let published: u64 =
            frame.sets.iter().flat_map(|set| &set.rows).map(RowChange::bytes).sum();
        self.unsynced_bytes = self.unsynced_bytes.saturating_add(published);
        if !is_early {
            self.show(state, frame.sets);
        }
        // Without threads the segment comes back. The append that needs it makes it.
        drop(self.hand_over_segment(false));
        let is_ample = self.shared.space.is_ample();
        if self.log.compaction_overdue() || (!is_ample && self.log.compaction_due()) {
            self.shared.wake_maintenance();
        }
        Ok(())
    }

    /// Shows the change sets of a frame to readers.
    fn show(&self, state: &State, sets: Vec<ChangeSet>) {
        self.shared.turn_published();
        if state.publish(sets).is_err() {
            self.shared.state.mark_broken();
        }
        self.shared.turn_published();
        self.shared.frames.fetch_add(1, Ordering::Relaxed);
    }

    fn append(
        &mut self,
        frame: &Frame,
        may_use_reserve: bool,
    ) -> std::result::Result<(), ErrorKind> {
        let holds_back = self.shared.tuning.faults.active(Fault::HoldFramesBack);
        let held = holds_back.then(|| self.held.replace(Some(frame.clone())));
        let frame = match &held {
            None => frame,
            Some(Some(before)) => before,
            Some(None) => return Ok(()),
        };
        let mut appended = self.log.append(frame);
        if matches!(appended, Err(LogError::NoSpace))
            && may_use_reserve
            && self.shared.space.release_reserve()
        {
            appended = self.log.append(frame);
        }
        appended.map_err(|error| self.log_failed(error).kind().clone())
    }

    /// What an error of the log means for the vault. If the log does not know what the disk holds, the
    /// vault is poisoned: no retry, no more writes (I4). Else nothing has changed.
    pub(crate) fn log_failed(&mut self, error: LogError) -> Error {
        if !self.log.poisoned() {
            return Error::from(error).in_vault(&self.shared.dir);
        }
        self.shared.status.raise(Status::Poisoned);
        match error {
            // Refused at once, because of an earlier failure that has not reached the vault.
            LogError::Poisoned => ErrorKind::Poisoned.into(),
            _ => self.shared.status.displaced().unwrap_or(ErrorKind::OutcomeUnknown).into(),
        }
    }
}

/// What an operation may write besides its own rows and value.
fn more_bytes(mutation: &Command) -> usize {
    if mutation.is_alone() {
        return BATCH_BYTES_MAX;
    }
    mutation.replicas().saturating_mul(OPERATION_BYTES)
}
