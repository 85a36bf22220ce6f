//! The commit pipeline: a state machine without threads or channels.
//!
//! ```text
//! submit -> queue -> step: plan -> seal rows -> log.append -> log.sync -> store.apply -> completed
//!                          one batch at a time: at most 256 operations or 1 MiB, one frame
//! ```
//!
//! - Whatever was planned on a batch's view, no-ops and faults included, is answered after that
//!   batch's sync (I1). If the append is undone all of it is answered `NoSpace`; if the sync fails
//!   all of it is `OutcomeUnknown` and the vault is poisoned (I4).
//! - Applying comes after the sync, so the state never holds what the log does not (I6).
//! - A failing apply does not take back the answer: the operation is durable. The state is rebuilt
//!   from the log before the next operation is planned.
//! - A batch can be planned twice. A row that does not open says that the state lies: nothing that
//!   was planned on it is logged (the digest would be wrong for good), it is rebuilt, and the batch
//!   is planned anew. On a full disk what grows is planned out, and the reserve is for the rest (I4).
//!
//! The driver (`driver.rs`) steps it from its thread; simulation and in-memory vaults step it
//! themselves.

use super::batch::{Batch, Outcome};
use crate::crypto::SetSum;
use crate::env::UnixMillis;
use crate::env::age::AgeClock;
use crate::env::faults::{Fault, Stash};
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Frame, Log, LogError};
use crate::model::api::Mutation;
use crate::model::{ChangeSet, Lsn, RowChange};
use crate::semantics::{Answer, Now};
use crate::store::Store;
use crate::vault::job::{Done, Job};
use crate::vault::log_keys::clock_note;
use crate::vault::runtime::shared::{Shared, Status};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Most operations in a batch (I2).
pub(crate) const BATCH_OPERATIONS_MAX: usize = 256;
/// Most bytes in a batch, unless one operation alone has more (I2).
const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// What an operation costs in a batch besides its value: rows, seals, keys.
const OPERATION_BYTES: usize = 1536;

/// Orders every mutation of one vault.
pub(crate) struct Pipeline {
    pub(crate) log: Log,
    pub(crate) sum: SetSum,
    pub(crate) lsn: Lsn,
    pub(crate) age: AgeClock,
    /// Bytes applied to the state since its last checkpoint began.
    pub(crate) unsynced_bytes: u64,
    /// The first purge since the last switch of the epoch: that switch does not cover it (I10).
    pub(crate) unshredded: Option<UnixMillis>,
    queue: VecDeque<Job>,
    completed: Vec<(Done, Result<Answer>)>,
    /// The frame that a broken build has not written yet.
    held: Stash<Frame>,
    /// The last field, so that the log is gone before what may hold the vault's lock.
    pub(crate) shared: Arc<Shared>,
}

/// Why a batch did not happen.
enum Setback {
    /// The state lies.
    State,
    /// The append was undone.
    NoSpace,
    /// Anything else, and what the callers are told.
    Told(ErrorKind, Vec<Outcome>),
}

impl Pipeline {
    pub(crate) fn new(shared: Arc<Shared>, log: Log, sum: SetSum, age: AgeClock) -> Self {
        let lsn = log.end().lsn;
        shared.note_space_needed(&log);
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

    /// The pipeline of a fork of the vault. What waits here does not wait there.
    #[cfg(feature = "testkit")]
    pub(crate) fn fork(&self, shared: Arc<Shared>) -> Result<Self> {
        let log = self.log.fork(&shared.env)?;
        let (unsynced_bytes, unshredded) = (self.unsynced_bytes, self.unshredded);
        let fork = Self::new(shared, log, self.sum.clone(), self.age.clone());
        Ok(Self { lsn: self.lsn, unsynced_bytes, unshredded, ..fork })
    }

    /// Takes a job; it waits for its batch.
    pub(crate) fn submit(&mut self, job: Job) {
        self.queue.push_back(job);
    }

    /// Jobs that wait.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Outcomes that are ready to be told.
    pub(crate) fn completed(&mut self) -> Vec<(Done, Result<Answer>)> {
        std::mem::take(&mut self.completed)
    }

    /// Does one batch, or one control job. `false`: there was nothing to do.
    pub(crate) fn step(&mut self) -> bool {
        if let Some(Job::Control(_)) = self.queue.front() {
            if let Some(Job::Control(run)) = self.queue.pop_front() {
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
        // A frame that fits the segment that is ready makes none on the put path.
        let bytes_max = BATCH_BYTES_MAX.min(self.log.frame_room());
        while batch.len() < BATCH_OPERATIONS_MAX {
            let Some(next) = self.queue.front() else { break };
            bytes = bytes.saturating_add(match next {
                Job::Control(_) => break,
                Job::Mutate(job) => {
                    let sealed = job.payload.as_ref().map_or(0, |payload| payload.sealed.len());
                    OPERATION_BYTES + sealed + more_bytes(&job.mutation)
                }
                Job::Rewrap(versions, _) => versions.len() * 256,
                Job::ClearPurge(_) => OPERATION_BYTES,
            });
            if bytes > bytes_max && !batch.is_empty() {
                break;
            }
            batch.extend(self.queue.pop_front());
        }
        batch
    }

    /// The two readings of time for a batch.
    pub(crate) fn now(&mut self) -> Now {
        let clock = &self.shared.env.clock;
        let wall = clock.wall();
        let age = self.age.now(wall, clock.monotonic());
        Now {
            wall,
            age: if self.shared.tuning.faults.active(Fault::AgeByWall) { wall } else { age },
        }
    }

    fn run(&mut self, jobs: Vec<Job>) {
        if let Some(refusal) = self.shared.refuses_writes() {
            return self.refuse(jobs, &refusal);
        }
        let now = self.now();
        let mut may_grow = !self.shared.is_short_of_space(&self.log);
        let mut is_rebuilt = false;
        let outcome = loop {
            match self.attempt(&jobs, now, may_grow, is_rebuilt) {
                Err(Setback::State) if !is_rebuilt => {
                    is_rebuilt = true;
                    if let Err(error) = self.rebuild_state() {
                        break Err(Setback::Told(error.kind().clone(), Vec::new()));
                    }
                }
                Err(Setback::NoSpace) if may_grow => may_grow = false,
                outcome => break outcome,
            }
        };
        let dones = jobs.into_iter().filter_map(|job| match job {
            Job::Mutate(job) => Some(job.done),
            Job::Rewrap(_, done) | Job::ClearPurge(done) => Some(done),
            // Never in a batch: `take_batch` stops before one.
            Job::Control(_) => None,
        });
        let (kind, early) = match outcome {
            Ok(outcomes) => {
                let results = outcomes.into_iter().map(|outcome| outcome.result);
                return self.completed.extend(dones.zip(results));
            }
            Err(Setback::State) => (ErrorKind::StateBroken, Vec::new()),
            Err(Setback::NoSpace) => (ErrorKind::NoSpace, Vec::new()),
            Err(Setback::Told(kind, outcomes)) => (kind, outcomes),
        };
        // The batch's layer is dropped whole, and all of it fails alike (I1).
        let mut early = early.into_iter();
        self.completed.extend(dones.map(|done| {
            let tells_early = self.shared.tuning.faults.active(Fault::NoopAtPlanTime);
            let result = early.next().filter(|outcome| tells_early && outcome.is_idle);
            (done, result.map_or_else(|| Err(kind.clone().into()), |outcome| outcome.result))
        }));
    }

    /// Plans the jobs and commits what they come to.
    fn attempt(
        &mut self,
        jobs: &[Job],
        now: Now,
        may_grow: bool,
        is_rebuilt: bool,
    ) -> std::result::Result<Vec<Outcome>, Setback> {
        let keys = self.shared.keys();
        let told = |error: Error| Setback::Told(error.kind().clone(), Vec::new());
        let state = self.state().map_err(told)?;
        let mut batch = Batch::new(self, &keys, state.store(), now);
        batch.may_grow = may_grow;
        for job in jobs {
            batch.plan(job, &self.shared);
            // A row that does not open even in a state just rebuilt is so in the log: then only
            // those who ask for it fail.
            if batch.state_lies && !is_rebuilt {
                return Err(Setback::State);
            }
        }
        let Batch { sum, lsn, sets, outcomes, settled, nudges, rotations, unshredded, .. } = batch;
        if !sets.is_empty() {
            match self.commit(sum, lsn, sets, state.store(), !may_grow) {
                Ok(()) => self.unshredded = unshredded,
                Err(ErrorKind::NoSpace) => return Err(Setback::NoSpace),
                Err(kind) => return Err(Setback::Told(kind, outcomes)),
            }
        }
        for (id, seq, day) in settled {
            self.shared.marks.settle(id, seq, day);
        }
        self.shared.nudge(nudges);
        for (id, due) in rotations {
            self.shared.agenda.note(id, due);
        }
        Ok(outcomes)
    }

    /// Logs, syncs and applies. An error means that nothing was applied.
    fn commit(
        &mut self,
        sum: SetSum,
        lsn: Lsn,
        sets: Vec<ChangeSet>,
        store: &dyn Store,
        may_use_reserve: bool,
    ) -> std::result::Result<(), ErrorKind> {
        let frame = Frame {
            keystore_generation: self.shared.keys().generation(),
            clock: clock_note(self.age.note()),
            digest: sum.digest(self.shared.keys().digest_key(), lsn),
            sets,
        };
        self.append(&frame, may_use_reserve)?;
        if !self.shared.tuning.faults.active(Fault::AckBeforeSync)
            && let Err(error) = self.log.sync()
        {
            return Err(self.log_failed(error).kind().clone());
        }
        self.sum = sum;
        self.lsn = lsn;
        let bytes =
            |row: &RowChange| row.key.len() + row.value.as_ref().map_or(0, |value| value.len());
        let applied: usize = frame.sets.iter().flat_map(|set| &set.rows).map(bytes).sum();
        self.unsynced_bytes = self.unsynced_bytes.saturating_add(applied as u64);
        self.shared.turn_published();
        if store.apply(&frame.sets).is_err() {
            self.shared.break_state();
        }
        self.shared.turn_published();
        self.shared.frames.fetch_add(1, Ordering::Relaxed);
        // Without threads nobody takes it: the append that needs the segment makes it.
        drop(self.hand_over_segment(false));
        if self.log.compaction_due() {
            self.shared.call_keeper();
        }
        Ok(())
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
            && self.shared.release_reserve()
        {
            appended = self.log.append(frame);
        }
        appended.map_err(|error| self.log_failed(error).kind().clone())
    }

    /// What an error of the log means for the vault. If the log is in doubt about what the disk
    /// holds, so is the vault: no retry, no more writes (I4). Else nothing has changed.
    pub(crate) fn log_failed(&mut self, error: LogError) -> Error {
        if !self.log.poisoned() {
            return error.into();
        }
        self.shared.set_status(Status::Poisoned);
        match error {
            // Refused outright: an earlier failure, which nobody told the vault of.
            LogError::Poisoned => ErrorKind::Poisoned.into(),
            _ => ErrorKind::OutcomeUnknown.into(),
        }
    }

    fn refuse(&mut self, jobs: Vec<Job>, kind: &ErrorKind) {
        for job in jobs {
            let done = match job {
                Job::Mutate(job) => job.done,
                Job::Rewrap(_, done) | Job::ClearPurge(done) => done,
                Job::Control(run) => {
                    run(self);
                    continue;
                }
            };
            self.completed.push((done, Err(kind.clone().into())));
        }
    }
}

/// What an operation may write besides its own rows and value. What a promotion copies is known only
/// when it is planned, so it gets a batch of its own, as does what links two of the largest records.
fn more_bytes(mutation: &Mutation) -> usize {
    let regions = match mutation {
        Mutation::StopReplicationToReplica(_)
        | Mutation::AssociateCrossAccountReplica(_)
        | Mutation::DisassociateCrossAccountReplica(_) => return BATCH_BYTES_MAX,
        Mutation::CreateSecret(request) => request.add_replica_regions.as_ref().map_or(0, Vec::len),
        Mutation::ReplicateSecretToRegions(request) => request.add_replica_regions.len(),
        _ => 0,
    };
    regions.saturating_mul(OPERATION_BYTES)
}
