//! The keeper: pruner, compactor and checkpointer in one background thread, and beside it one that
//! makes log segments ready.
//!
//! It owns no rule. What may go is asked of `semantics` through the commit pipeline like any other
//! operation; what the log or the state needs is begun and finished on the pipeline, and only the
//! long middle part (copying, syncing) runs here.

use super::key_rotation;
use crate::env::threads::channel::{Receiver, Sender};
use crate::env::threads::sync::{Arc, PoisonError};
use crate::error::{Error, ErrorKind, Result};
use crate::log::LogError;
use crate::model::api::Mutation;
use crate::model::{RecordId, Tree};
use crate::semantics::{Answer, may_be_due};
use crate::vault::commit::pipeline::Pipeline;
use crate::vault::error::RowError;
use crate::vault::job::{Job, Mutate};
use crate::vault::runtime::reserve;
use crate::vault::runtime::shared::Status;
use crate::vault::worker::{Worker, bell};
use crate::vault::{Inner, rows};
use std::time::Duration;

/// How often the keeper looks around when nobody calls it.
const TICK: Duration = Duration::from_millis(500);
/// Applied bytes after which the state is made durable.
const CHECKPOINT_BYTES: u64 = 8 * 1024 * 1024;
/// How long the keeper rests after something failed: a full disk stays full for a while.
const PAUSE: Duration = Duration::from_secs(60);
/// How often all secrets are looked through for what is due.
const HOUR: Duration = Duration::from_secs(3600);
/// Secrets looked at in one go.
const PAGE: usize = 256;

/// The background threads of an open vault.
pub(crate) struct Keeper {
    /// Pruner, compactor, checkpointer.
    passes: Worker,
    /// Makes log segments ready. A thread of its own: a pass may be long, and the put path must not
    /// make a file meanwhile.
    segments: Worker,
}

impl Keeper {
    /// Starts the threads.
    pub(crate) fn spawn(inner: &Arc<Inner>, bells: Bells) -> Result<Self> {
        let prepare = |inner: &Inner| {
            // While a damaged log is replaced nothing of the old one may be made.
            let _preparing = inner.preparing.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(preparation) = inner.shared.take_preparation() {
                // After a failure the append makes its own segment, or says that the disk is full.
                let _ = preparation.run();
            }
        };
        let segments = Worker::spawn("strongroom-segments", inner, bells.segments, HOUR, prepare)?;
        let mut last_full: Option<Duration> = None;
        let mut not_before = Duration::ZERO;
        let pass = move |inner: &Inner| {
            let now = inner.shared.env.clock.monotonic();
            let full = last_full.is_none_or(|last| now.saturating_sub(last) >= HOUR);
            if full {
                last_full = Some(now);
            }
            // Nobody is there to be told: what failed is met again by the next caller or pass.
            if inner.tick(full, now >= not_before).is_err() {
                not_before = now.saturating_add(PAUSE);
            }
        };
        let passes = Worker::spawn("strongroom-keeper", inner, bells.passes, TICK, pass)?;
        Ok(Self { passes, segments })
    }

    /// Asks the threads to stop.
    pub(crate) fn tell_to_stop(&self) {
        self.passes.tell_to_stop();
        self.segments.tell_to_stop();
    }

    /// Stops the threads, and waits for that.
    pub(crate) fn stop(&self) {
        self.tell_to_stop();
        self.passes.stop();
        self.segments.stop();
    }
}

/// Both ends of both bells.
pub(crate) struct Bells {
    pub(crate) passes: (Sender<()>, Receiver<()>),
    pub(crate) segments: (Sender<()>, Receiver<()>),
}

impl Default for Bells {
    fn default() -> Self {
        Self { passes: bell(), segments: bell() }
    }
}

/// Remembers the first error, so that what follows it is done all the same: a pruner that fails for
/// want of space must not keep the compaction from making some.
#[derive(Default)]
struct FirstError(Option<Error>);

impl FirstError {
    fn note(&mut self, result: Result<()>) {
        if let Err(error) = result {
            self.0.get_or_insert(error);
        }
    }

    fn end(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

impl Inner {
    /// One look around. Cheap when nothing is due. `is_rested`: the last one has not just failed.
    fn tick(&self, full: bool, is_rested: bool) -> Result<()> {
        let _pass = self.pass.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing more to do for a vault that only reads, and nothing to try again.
        if self.shared.status() != Status::Open {
            return Ok(());
        }
        let mut first = FirstError::default();
        // The age clock wants to be asked at least every hour.
        self.driver.control(Pipeline::now)?;
        first.note(self.mend_state());
        // A vault that lives this long is a server's: its first put finds a segment ready.
        let _ = self.prepare_segment(full);
        if !full && !is_rested {
            return Ok(());
        }
        if full {
            // A disk without room for the reserve is not an error.
            let _ = reserve::refill(&self.shared);
            first.note(self.find_due());
        }
        first.note(self.work_off_nudges());
        if full {
            first.note(self.switch_if_due());
        }
        first.note(self.compact(false));
        first.note(self.checkpoint(false));
        first.end()
    }

    /// A whole pass, now: everything that is due is done when this returns.
    pub(crate) fn maintain(&self) -> Result<()> {
        let pass = self.pass.lock().unwrap_or_else(PoisonError::into_inner);
        let mut first = FirstError::default();
        first.note(self.mend_state());
        let _ = self.prepare_segment(true);
        let _ = reserve::refill(&self.shared);
        first.note(self.find_due());
        first.note(self.work_off_nudges());
        first.note(self.switch_if_due());
        first.note(self.compact(true));
        first.note(self.checkpoint(true));
        // Functions may take long: nothing that waits for a pass shall wait for them.
        drop(pass);
        first.note(self.rotate_due());
        first.end()
    }

    /// Makes a broken state anew before somebody has to wait for it.
    fn mend_state(&self) -> Result<()> {
        if !self.shared.state_is_broken() {
            return Ok(());
        }
        self.driver.control(|pipeline| pipeline.state().map(drop))?
    }

    fn switch_if_due(&self) -> Result<()> {
        if key_rotation::is_due(self)? { key_rotation::switch(self) } else { Ok(()) }
    }

    /// Fails once the vault is being closed.
    pub(crate) fn go_on(&self) -> Result<()> {
        if self.shared.is_stopping() { Err(ErrorKind::Closed.into()) } else { Ok(()) }
    }

    /// Has the next log segment made ready off the put path; `ahead`: even if nothing asks for it yet.
    pub(crate) fn prepare_segment(&self, ahead: bool) -> Result<()> {
        let left = self.driver.control(move |pipeline| pipeline.hand_over_segment(ahead))?;
        // Only a vault without threads is left with it.
        left.map_or(Ok(()), |preparation| preparation.run().map(drop).map_err(Error::from))
    }

    /// Looks through all secrets for what the pruner should be asked about.
    fn find_due(&self) -> Result<()> {
        let mut after: Option<Box<[u8]>> = None;
        loop {
            let state = self.shared.state()?;
            let keys = self.shared.keys();
            let page = state
                .store()
                .range(Tree::Secrets, &[], after.as_deref(), PAGE, false)
                .map_err(RowError::from)?;
            let ended = page.len() < PAGE;
            for (key, row) in page {
                let opened = keys.open_row(Tree::Secrets, &key, &row).map_err(RowError::from);
                let record = opened.and_then(|open| Ok(rows::decode_secret(&open)?));
                match record {
                    Ok(record) => {
                        self.shared.agenda.note_read(&record);
                        if may_be_due(&record) {
                            self.shared.nudge([record.id]);
                        }
                    }
                    // The next reader or writer of it finds out whether only the state lies.
                    Err(failure) if failure.is_of_state() => self.shared.nudge(id_of(&key)),
                    Err(failure) => return Err(failure.into()),
                }
                after = Some(key);
            }
            if ended {
                return Ok(());
            }
        }
    }

    /// Asks the pruner about every secret that was nudged.
    pub(crate) fn work_off_nudges(&self) -> Result<()> {
        let mut first = FirstError::default();
        for id in self.shared.take_nudges() {
            let worked = self.work_off(id);
            if worked.is_err() {
                // Not forgotten, only later.
                self.shared.nudge([id]);
            }
            first.note(worked);
            self.go_on()?;
        }
        // An operation that only does a part nudges again; the part after is done by now.
        first.end()
    }

    fn work_off(&self, id: RecordId) -> Result<()> {
        for mutation in [Mutation::Purge, Mutation::Prune, Mutation::Sweep] {
            while self.internal(mutation(id))? == Answer::More {
                self.go_on()?;
            }
        }
        Ok(())
    }

    /// An operation of the vault's own, through the one door.
    pub(crate) fn internal(&self, mutation: Mutation) -> Result<Answer> {
        let scope = crate::model::Scope::default();
        self.driver
            .call(|done| Job::Mutate(Box::new(Mutate { scope, mutation, payload: None, done })))
    }

    /// Merges snapshot and ended segments into the next snapshot, and frees what it replaces once
    /// the state is durable past it (I6).
    fn compact(&self, always: bool) -> Result<()> {
        let begun = self.driver.control(move |pipeline| pipeline.begin_compaction(always))?;
        let Some(compaction) = begun? else { return Ok(()) };
        match compaction.run_with(&mut |_| !self.shared.is_stopping()) {
            Ok(compacted) => {
                self.driver.control(move |pipeline| pipeline.finish_compaction(compacted))??;
                self.driver.control(Pipeline::shrink_state)??;
                self.checkpoint(true)
            }
            // The truth is damaged while the state serves: it is mended now, while both are at hand.
            Err(damage @ LogError::Damaged(_)) => {
                let preparing = self.preparing.lock().unwrap_or_else(PoisonError::into_inner);
                self.driver.control(move |pipeline| pipeline.heal(damage))??;
                drop(preparing);
                self.checkpoint(true)
            }
            Err(LogError::Stopped) => self.go_on(),
            // Tried again later; the old snapshot and its segments are all still there.
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the state durable, so that the log may let go of what it covers.
    fn checkpoint(&self, always: bool) -> Result<()> {
        let due = self
            .driver
            .control(move |pipeline| pipeline.begin_checkpoint(always, CHECKPOINT_BYTES))?;
        if !due {
            return Ok(());
        }
        let state = self.shared.state()?;
        match state.checkpoint(&self.shared) {
            Ok(Some(durable)) => {
                self.driver.control(move |pipeline| pipeline.free(&state, durable))?
            }
            Ok(None) => Ok(()),
            // What cannot be made durable never lets the log go: it is made anew.
            Err(_) => self.driver.control(move |pipeline| pipeline.replace_failed(&state))?,
        }
    }

    /// Removes the rows of dead secrets, so that no wrap of theirs is carried to a new epoch.
    pub(crate) fn sweep_all(&self) -> Result<()> {
        self.find_due()?;
        self.work_off_nudges()
    }
}

/// The secret whose record lies under `key`.
fn id_of(key: &[u8]) -> Option<RecordId> {
    key.try_into().ok().map(RecordId)
}
