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

use super::effects::{Sealer, drop_row};
use super::failure::Failure;
use super::job::{Done, Job, Mutate};
use super::keeper::from_log;
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
use crate::model::{ChangeSet, Lsn, RecordId, RowChange, Seq, Suffix, Tree};
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
const OPERATION_BYTES: usize = 1024;

/// Orders every mutation of one vault.
pub(crate) struct Pipeline {
    pub(super) log: Log,
    pub(super) sum: SetSum,
    pub(super) lsn: Lsn,
    pub(super) age: AgeClock,
    /// Bytes applied to the state since its last checkpoint began.
    pub(super) unsynced_bytes: u64,
    /// The first purge since the last switch of the epoch: that switch does not cover it (I10).
    pub(super) unshredded: Option<UnixMillis>,
    queue: VecDeque<Job>,
    completed: Vec<(Done, Result<Answer>)>,
    /// The last field, so that the log is gone before what may hold the vault's lock.
    pub(super) shared: Arc<Shared>,
}

/// One batch while it is planned.
struct Batch<'a> {
    keys: &'a Keyring,
    layer: Layer<'a>,
    now: Now,
    sum: SetSum,
    lsn: Lsn,
    sets: Vec<ChangeSet>,
    may_grow: bool,
    unshredded: Option<UnixMillis>,
    outcomes: Vec<Outcome>,
    settled: Vec<(RecordId, Seq, UnixMillis)>,
    nudges: Vec<RecordId>,
    /// The state could not be read, or holds what does not open.
    state_lies: bool,
}

/// What one job of a batch comes to, if the batch is committed.
struct Outcome {
    result: Result<Answer>,
    /// Nothing was written for it: a no-op or a refusal.
    is_idle: bool,
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
    pub(super) fn new(shared: Arc<Shared>, log: Log, sum: SetSum, age: AgeClock) -> Self {
        let lsn = log.end().lsn;
        let (queue, completed) = (VecDeque::new(), Vec::new());
        let (unsynced_bytes, unshredded) = (0, None);
        Self { log, sum, lsn, age, unsynced_bytes, unshredded, queue, completed, shared }
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
            if bytes > BATCH_BYTES_MAX && !batch.is_empty() {
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
            let tells_early = self.shared.tells_idle_early();
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
        let mut batch = Batch {
            keys: &keys,
            layer: Layer::over(state.store()),
            now,
            sum: self.sum.clone(),
            lsn: self.lsn,
            sets: Vec::new(),
            may_grow,
            unshredded: self.unshredded,
            outcomes: Vec::with_capacity(jobs.len()),
            settled: Vec::new(),
            nudges: Vec::new(),
            state_lies: false,
        };
        for job in jobs {
            batch.plan(job, &self.shared);
            // A row that does not open even in a state just rebuilt is so in the log: then only
            // those who ask for it fail.
            if batch.state_lies && !is_rebuilt {
                return Err(Setback::State);
            }
        }
        let Batch { sum, lsn, sets, outcomes, settled, nudges, unshredded, .. } = batch;
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
        if !self.shared.answers_before_sync()
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
        if self.log.preparation().is_some() || self.log.compaction_due() {
            self.shared.call_keeper();
        }
        Ok(())
    }

    fn append(
        &mut self,
        frame: &Frame,
        may_use_reserve: bool,
    ) -> std::result::Result<(), ErrorKind> {
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
    pub(super) fn log_failed(&mut self, error: LogError) -> Error {
        if !self.log.poisoned() {
            return from_log(error);
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

impl Batch<'_> {
    fn plan(&mut self, job: &Job, shared: &Shared) {
        let before = self.sets.len();
        let planned = match job {
            Job::Mutate(job) => self.mutate(job, shared),
            Job::Rewrap(versions, _) => self.rewrap(versions, shared),
            Job::ClearPurge(_) => self.clear_purge(shared),
            Job::Control(_) => return,
        };
        let result = planned.map_err(|refusal| {
            self.state_lies |=
                matches!(&refusal, Unplanned::View(failure) if failure.is_of_state());
            refusal.into()
        });
        self.outcomes.push(Outcome { result, is_idle: self.sets.len() == before });
    }

    fn view<'v>(
        &'v self,
        shared: &'v Shared,
        payload: Option<&'v crate::crypto::ValueKey>,
    ) -> RowView<'v, Layer<'v>> {
        // Marks are left out: a `Touch` must see what the records themselves say.
        RowView::new(&self.layer, self.keys, &shared.no_marks, payload)
    }

    fn mutate(&mut self, job: &Mutate, shared: &Shared) -> std::result::Result<Answer, Unplanned> {
        let Mutate { scope, mutation, payload, .. } = job;
        let payload = payload.as_ref();
        if !self.may_grow && grows(mutation) {
            return Err(Unplanned::Told(ErrorKind::NoSpace.into()));
        }
        let lsn = self.lsn.next();
        let context = Context {
            scope: scope.clone(),
            now: self.now,
            lsn,
            fresh_id: rows::fresh_id(self.keys, scope, lsn),
            suffix: fresh_suffix(shared).map_err(Unplanned::Told)?,
        };
        let view = self.view(shared, payload.map(|payload| &payload.key));
        let plan = semantics::plan(&view, &context, mutation)?;
        if let Mutation::Touch { id, seq, day } = mutation {
            self.settled.push((*id, *seq, *day));
        }
        if plan.effects.is_empty() {
            return Ok(plan.answer);
        }
        let mut effects = plan.effects;
        self.note_purge(&mut effects)?;
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
        let changes = sealer.rows(effects)?;
        self.write(changes)?;
        Ok(plan.answer)
    }

    /// The note says when the *oldest* unshredded purge was, so a later one leaves it.
    fn note_purge(&mut self, effects: &mut Vec<Effect>) -> std::result::Result<(), Failure> {
        let noted = effects.iter().find_map(|effect| match effect {
            Effect::NotePurge(age) => Some(*age),
            _ => None,
        });
        let Some(age) = noted else { return Ok(()) };
        self.unshredded.get_or_insert(age);
        if self.layer.get(Tree::Meta, rows::META_PURGE)?.is_some() {
            effects.retain(|effect| !matches!(effect, Effect::NotePurge(_)));
        }
        Ok(())
    }

    /// An epoch switch has made real every purge before it. One that came while it ran, when data
    /// keys lay under the new epoch already, takes over the note and waits for the next.
    fn clear_purge(&mut self, shared: &Shared) -> std::result::Result<Answer, Unplanned> {
        let changes = match self.unshredded {
            None => vec![drop_row(Tree::Meta, rows::META_PURGE)],
            Some(age) => {
                let (entropy, lsn) = (shared.env.entropy.as_ref(), self.lsn.next());
                let sealer = Sealer { keys: self.keys, entropy, lsn, payload: None };
                sealer.rows(vec![Effect::NotePurge(age)])?
            }
        };
        self.write(changes)?;
        Ok(Answer::Done)
    }

    /// Moves wrapped data keys to the current epoch (I10): one bounded operation. Those of a dead
    /// secret, or of no version at all, are removed instead: the new epoch must not open them.
    fn rewrap(
        &mut self,
        versions: &[(RecordId, Seq)],
        shared: &Shared,
    ) -> std::result::Result<Answer, Unplanned> {
        let mut changes = Vec::new();
        let view = self.view(shared, None);
        for (id, seq) in versions {
            let key = rows::version_key(*id, *seq);
            let Some(row) = self.layer.get(Tree::Keys, &key)? else { continue };
            if Keyring::wrap_term(&row) == Some(self.keys.epoch()) {
                continue;
            }
            let lives = semantics::View::secret(&view, *id)?.is_some_and(|record| !record.dead);
            let version = semantics::View::version(&view, *id, *seq)?;
            let Some(version) = version.filter(|_| lives) else {
                changes.push(drop_row(Tree::Keys, &key));
                continue;
            };
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

/// Why a job comes to nothing.
enum Unplanned {
    /// What it reads could not be read.
    View(Failure),
    /// A refusal, for the caller.
    Told(Error),
}

impl From<Failure> for Unplanned {
    fn from(failure: Failure) -> Self {
        Self::View(failure)
    }
}

impl From<Refusal<Failure>> for Unplanned {
    fn from(refusal: Refusal<Failure>) -> Self {
        match refusal {
            Refusal::Fault(fault) => Self::Told(fault.into()),
            Refusal::View(failure) => Self::View(failure),
        }
    }
}

impl From<Unplanned> for Error {
    fn from(unplanned: Unplanned) -> Self {
        match unplanned {
            Unplanned::View(failure) => failure.into(),
            Unplanned::Told(error) => error,
        }
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
