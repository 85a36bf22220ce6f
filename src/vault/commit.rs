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
//!   from the log before anything else happens.
//!
//! The driver (`driver.rs`) steps it from its thread; simulation and in-memory vaults step it
//! themselves.

use super::effects::{Sealer, drop_row};
use super::failure::Failure;
use super::job::{Done, Job, Mutate};
use super::logkeys::clock_note;
use super::rows;
use super::shared::{Shared, Status};
use super::source::{Layer, RowSource};
use super::view::RowView;
use crate::crypto::{Keyring, SetSum};
use crate::env::UnixMillis;
use crate::env::age::AgeClock;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Frame, Log, LogError};
use crate::model::api::Mutation;
use crate::model::limits::VERSIONS_KEPT;
use crate::model::{ChangeSet, Lsn, RecordId, RowChange, Scope, Seq, Suffix, Tree};
use crate::semantics::{self, Answer, Context, Effect, Now, Refusal};
use crate::store::Store;
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
    pub(super) shared: Arc<Shared>,
    pub(super) log: Log,
    pub(super) sum: SetSum,
    pub(super) lsn: Lsn,
    pub(super) age: AgeClock,
    /// Bytes applied to the state since its last checkpoint began.
    pub(super) unsynced_bytes: u64,
    pub(super) stopping: bool,
    queue: VecDeque<Job>,
    completed: Vec<(Done, Result<Answer>)>,
}

/// One batch while it is planned.
struct Batch<'a> {
    keys: &'a Keyring,
    layer: Layer<'a>,
    now: Now,
    sum: SetSum,
    lsn: Lsn,
    sets: Vec<ChangeSet>,
    short_of_space: bool,
    results: Vec<(Done, Result<Answer>)>,
    settled: Vec<(RecordId, Seq, UnixMillis)>,
    nudges: Vec<RecordId>,
}

impl Pipeline {
    pub(super) fn new(shared: Arc<Shared>, log: Log, sum: SetSum, age: AgeClock) -> Self {
        let lsn = log.end().lsn;
        let (queue, completed) = (VecDeque::new(), Vec::new());
        Self { shared, log, sum, lsn, age, unsynced_bytes: 0, stopping: false, queue, completed }
    }

    /// Takes a job; it waits for its batch.
    pub(super) fn submit(&mut self, job: Job) {
        self.queue.push_back(job);
    }

    /// Jobs that wait.
    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Outcomes that are ready to be told.
    pub(super) fn completed(&mut self) -> Vec<(Done, Result<Answer>)> {
        std::mem::take(&mut self.completed)
    }

    /// Does one batch, or one control job. `false`: there was nothing to do.
    pub(super) fn step(&mut self) -> bool {
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
                    OPERATION_BYTES + job.payload.as_ref().map_or(0, |p| p.sealed.len())
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
    pub(super) fn now(&mut self) -> Now {
        let clock = &self.shared.env.clock;
        let wall = clock.wall();
        Now { wall, age: self.age.now(wall, clock.monotonic()) }
    }

    fn run(&mut self, jobs: Vec<Job>) {
        if let Some(refusal) = self.shared.refuses_writes() {
            return self.refuse(jobs, &refusal);
        }
        let now = self.now();
        let keys = self.shared.keys();
        let state = match self.state() {
            Ok(state) => state,
            Err(error) => return self.refuse(jobs, error.kind()),
        };
        let mut batch = Batch {
            keys: &keys,
            layer: Layer::over(state.store()),
            now,
            sum: self.sum.clone(),
            lsn: self.lsn,
            sets: Vec::new(),
            short_of_space: self.shared.is_short_of_space(&self.log),
            results: Vec::with_capacity(jobs.len()),
            settled: Vec::new(),
            nudges: Vec::new(),
        };
        for job in jobs {
            batch.plan(job, &self.shared);
        }
        let Batch { sum, lsn, sets, results, settled, nudges, .. } = batch;
        let outcome =
            if sets.is_empty() { Ok(()) } else { self.commit(sum, lsn, sets, state.store()) };
        drop(state);
        match outcome {
            Ok(()) => {
                for (id, seq, day) in settled {
                    self.shared.marks.settle(id, seq, day);
                }
                self.shared.nudge(nudges);
                self.completed.extend(results);
            }
            // The batch's layer is dropped whole, and all of it fails alike (I1).
            Err(kind) => {
                let fail =
                    |(done, _): (Done, Result<Answer>)| (done, Err(Error::from(kind.clone())));
                self.completed.extend(results.into_iter().map(fail));
            }
        }
        if self.shared.state_is_broken() {
            // Readers got the answer or will retry; the next batch needs a whole state.
            let _ = self.rebuild_state();
        }
    }

    /// Logs, syncs and applies. An error means that nothing was applied.
    fn commit(
        &mut self,
        sum: SetSum,
        lsn: Lsn,
        sets: Vec<ChangeSet>,
        store: &dyn Store,
    ) -> std::result::Result<(), ErrorKind> {
        let frame = Frame {
            keystore_generation: self.shared.keys().generation(),
            clock: clock_note(self.age.note()),
            digest: sum.digest(self.shared.keys().digest_key(), lsn),
            sets,
        };
        self.append(&frame)?;
        #[cfg(feature = "sabotage")]
        let early = self.shared.sabotage.ack_before_sync;
        #[cfg(not(feature = "sabotage"))]
        let early = false;
        if !early && let Err(error) = self.log.sync() {
            return Err(self.poison(&error));
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
        if self.log.preparation().is_some() || self.log.compaction_due() {
            self.shared.call_keeper();
        }
        Ok(())
    }

    /// Appends a frame; a full disk is given its reserve back, and then undone.
    fn append(&mut self, frame: &Frame) -> std::result::Result<(), ErrorKind> {
        let mut appended = self.log.append(frame);
        if matches!(appended, Err(LogError::NoSpace)) && self.shared.release_reserve() {
            appended = self.log.append(frame);
        }
        match appended {
            Ok(()) => Ok(()),
            Err(error) if self.log.poisoned() => Err(self.poison(&error)),
            // Nothing changed, so nothing happened: later writes may work.
            Err(LogError::NoSpace) => Err(ErrorKind::NoSpace),
            Err(_) => Err(ErrorKind::Io { op: "append to the log" }),
        }
    }

    /// After a failed sync nobody knows what the disk holds: no retry, no more writes (I4).
    pub(super) fn poison(&mut self, _error: &LogError) -> ErrorKind {
        self.shared.set_status(Status::Poisoned);
        ErrorKind::OutcomeUnknown
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

impl Batch<'_> {
    fn plan(&mut self, job: Job, shared: &Shared) {
        match job {
            Job::Mutate(job) => {
                let Mutate { scope, mutation, payload, done } = *job;
                let result = self.mutate(&scope, &mutation, payload.as_ref(), shared);
                self.results.push((done, result));
            }
            Job::Rewrap(versions, done) => {
                let result = self.rewrap(&versions, shared);
                self.results.push((done, result));
            }
            Job::ClearPurge(done) => {
                let result = self.write(vec![drop_row(Tree::Meta, rows::META_PURGE)]);
                self.results.push((done, result.map(|()| Answer::Done).map_err(Error::from)));
            }
            // Never in a batch: `take_batch` stops before one.
            Job::Control(_) => {}
        }
    }

    fn view<'v>(
        &'v self,
        shared: &'v Shared,
        payload: Option<&'v crate::crypto::ValueKey>,
    ) -> RowView<'v, Layer<'v>> {
        // Marks are left out: a `Touch` must see what the records themselves say.
        RowView::new(&self.layer, self.keys, &shared.no_marks, payload)
    }

    fn mutate(
        &mut self,
        scope: &Scope,
        mutation: &Mutation,
        payload: Option<&crate::crypto::SealedValue>,
        shared: &Shared,
    ) -> Result<Answer> {
        if self.short_of_space && grows(mutation) {
            return Err(ErrorKind::NoSpace.into());
        }
        let lsn = self.lsn.next();
        let context = Context {
            scope: scope.clone(),
            now: self.now,
            lsn,
            fresh_id: rows::fresh_id(self.keys, scope, lsn),
            suffix: fresh_suffix(shared)?,
        };
        let view = self.view(shared, payload.map(|payload| &payload.key));
        let plan = match semantics::plan(&view, &context, mutation) {
            Ok(plan) => plan,
            Err(refusal) => {
                if let Refusal::View(failure) = &refusal {
                    shared.suspect(failure);
                }
                return Err(refusal.into());
            }
        };
        if let Mutation::Touch { id, seq, day } = mutation {
            self.settled.push((*id, *seq, *day));
        }
        if plan.effects.is_empty() {
            return Ok(plan.answer);
        }
        let mut effects = plan.effects;
        self.keep_oldest_purge(&mut effects)?;
        for effect in &effects {
            if let Effect::PutSecret(record) = effect
                && (record.dead
                    || record.deletion.is_some()
                    || record.version_count > VERSIONS_KEPT)
            {
                self.nudges.push(record.id);
            }
        }
        let sealer = Sealer { keys: self.keys, entropy: shared.env.entropy.as_ref(), lsn, payload };
        let changes = sealer.rows(effects).map_err(Error::from)?;
        self.write(changes).map_err(Error::from)?;
        Ok(plan.answer)
    }

    /// The note says when the *oldest* unshredded purge was, so a later one leaves it.
    fn keep_oldest_purge(&self, effects: &mut Vec<Effect>) -> Result<()> {
        if effects.iter().any(|effect| matches!(effect, Effect::NotePurge(_)))
            && self.layer.get(Tree::Meta, rows::META_PURGE).map_err(Error::from)?.is_some()
        {
            effects.retain(|effect| !matches!(effect, Effect::NotePurge(_)));
        }
        Ok(())
    }

    /// Moves wrapped data keys to the current epoch (I10): one bounded operation.
    fn rewrap(&mut self, versions: &[(RecordId, Seq)], shared: &Shared) -> Result<Answer> {
        let mut changes = Vec::new();
        let view = self.view(shared, None);
        for (id, seq) in versions {
            let Some(version) = semantics::View::version(&view, *id, *seq)? else { continue };
            let key = rows::version_key(*id, *seq);
            let Some(row) = self.layer.get(Tree::Keys, &key)? else { continue };
            if Keyring::wrap_term(&row) == Some(self.keys.epoch()) {
                continue;
            }
            let value_key = self
                .keys
                .unwrap_value_key(*id, *seq, &version.version_id, &row)
                .map_err(Failure::from)?;
            let entropy = shared.env.entropy.as_ref();
            let wrapped = self
                .keys
                .wrap_value_key(*id, *seq, &version.version_id, &value_key, entropy)
                .map_err(Failure::from)?;
            changes.push(RowChange {
                tree: Tree::Keys,
                key: key.into(),
                value: Some(wrapped.into()),
            });
        }
        if !changes.is_empty() {
            self.write(changes)?;
        }
        Ok(Answer::Done)
    }

    /// Makes `changes` the next change set, and keeps the set digest in step.
    fn write(&mut self, changes: Vec<RowChange>) -> std::result::Result<(), Failure> {
        let mut sum = self.sum.clone();
        let key = self.keys.digest_key();
        for change in changes.iter().filter(|change| change.tree.is_digested()) {
            if let Some(old) = self.layer.get(change.tree, &change.key)? {
                sum.remove(key, change.tree, &change.key, &old);
            }
            if let Some(new) = &change.value {
                sum.add(key, change.tree, &change.key, new);
            }
        }
        self.sum = sum;
        self.lsn = self.lsn.next();
        self.layer.write(&changes);
        self.sets.push(ChangeSet { lsn: self.lsn, rows: changes });
        Ok(())
    }
}

impl From<Failure> for Refusal<Failure> {
    fn from(failure: Failure) -> Self {
        Self::View(failure)
    }
}

/// Whether an operation needs room that nothing gives back: refused first when the disk runs out.
fn grows(mutation: &Mutation) -> bool {
    match mutation {
        Mutation::CreateSecret(_)
        | Mutation::PutSecretValue(_)
        | Mutation::UpdateSecret(_)
        | Mutation::TagResource(_)
        | Mutation::Touch { .. } => true,
        Mutation::UpdateSecretVersionStage(_)
        | Mutation::DeleteSecret(_)
        | Mutation::RestoreSecret(_)
        | Mutation::UntagResource(_)
        | Mutation::Prune(_)
        | Mutation::Purge(_)
        | Mutation::Sweep(_) => false,
    }
}

fn fresh_suffix(shared: &Shared) -> Result<Suffix> {
    loop {
        let random = shared.env.random::<16>().map_err(|error| Error::io("random bytes", error))?;
        if let Some(suffix) = Suffix::from_random(&random) {
            return Ok(suffix);
        }
    }
}
