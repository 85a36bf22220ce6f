//! The keeper: pruner, compactor and checkpointer in one background thread.
//!
//! It owns no rule. What may go is asked of `semantics` through the commit pipeline like any other
//! operation; what the log or the state needs is begun and finished on the pipeline, and only the
//! long middle part (copying, syncing) runs here.

use super::Inner;
use super::commit::Pipeline;
use super::job::{Job, Mutate};
use super::{epoch, reserve, rows};
use crate::error::{Error, ErrorKind, Result};
use crate::log::LogError;
use crate::model::Tree;
use crate::model::api::Mutation;
use crate::semantics::Answer;
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the keeper looks around when nobody calls it.
const TICK: Duration = Duration::from_millis(500);
/// Applied bytes after which the state is made durable.
const CHECKPOINT_BYTES: u64 = 8 * 1024 * 1024;
/// How often all secrets are looked through for what is due.
const FULL_PASS: Duration = Duration::from_secs(3600);
/// Secrets looked at in one go.
const PAGE: usize = 256;

/// The background thread. Stopped and joined before the pipeline.
pub(super) struct Keeper {
    call: Sender<()>,
    stop: Mutex<Option<Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Keeper {
    /// Starts the thread, which keeps no vault alive. `calls` wakes it.
    pub(super) fn spawn(inner: &Arc<Inner>, call: Sender<()>, calls: Receiver<()>) -> Result<Self> {
        let (stop, stopped) = bounded(0);
        let weak = Arc::downgrade(inner);
        let thread = std::thread::Builder::new()
            .name("strongroom-keeper".to_owned())
            .spawn(move || run(&weak, &calls, &stopped))
            .map_err(|error| Error::io("start the keeper thread", error))?;
        Ok(Self { call, stop: Mutex::new(Some(stop)), thread: Mutex::new(Some(thread)) })
    }

    /// Stops it after the step that it is in.
    pub(super) fn stop(&self) {
        drop(self.stop.lock().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.call.try_send(());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

fn run(inner: &Weak<Inner>, calls: &Receiver<()>, stopped: &Receiver<()>) {
    let mut last_full: Option<Duration> = None;
    loop {
        match calls.recv_timeout(TICK) {
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let is_stopped =
            || matches!(stopped.try_recv(), Err(crossbeam::channel::TryRecvError::Disconnected));
        if is_stopped() {
            return;
        }
        let Some(inner) = inner.upgrade() else { return };
        let now = inner.shared.env.clock.monotonic();
        let full = last_full.is_none_or(|last| now.saturating_sub(last) >= FULL_PASS);
        if full {
            last_full = Some(now);
        }
        // Nobody is there to be told: what failed is met again by the next caller or pass.
        let _ = inner.tick(full, &is_stopped);
    }
}

impl Inner {
    /// One look around. Cheap when nothing is due.
    fn tick(&self, full: bool, is_stopped: &dyn Fn() -> bool) -> Result<()> {
        let _pass = self.pass.lock().unwrap_or_else(PoisonError::into_inner);
        // A vault that lives this long is a server's: its first put finds a segment ready.
        self.prepare_segment(full)?;
        if full {
            // A disk without room for the reserve is not an error.
            let _ = reserve::refill(&self.shared);
            self.find_due()?;
        }
        self.work_off_nudges(is_stopped)?;
        if full && epoch::is_due(self)? {
            epoch::switch(self)?;
        }
        self.compact(false)?;
        self.checkpoint(false)
    }

    /// A whole pass, now: everything that is due is done when this returns.
    pub(super) fn maintain(&self) -> Result<()> {
        let _pass = self.pass.lock().unwrap_or_else(PoisonError::into_inner);
        self.prepare_segment(true)?;
        let _ = reserve::refill(&self.shared);
        self.find_due()?;
        self.work_off_nudges(&|| false)?;
        if epoch::is_due(self)? {
            epoch::switch(self)?;
        }
        self.compact(true)?;
        self.checkpoint(true)
    }

    /// Makes the next log segment ready off the put path; `ahead`: even if nothing asks for it yet.
    pub(super) fn prepare_segment(&self, ahead: bool) -> Result<()> {
        let wanted = move |pipeline: &mut Pipeline| {
            if ahead { pipeline.log.preparation_ahead() } else { pipeline.log.preparation() }
        };
        while let Some(preparation) = self.driver.control(wanted)? {
            let prepared = preparation.run();
            let done = self.driver.control(move |pipeline| match prepared {
                Ok(prepared) => {
                    pipeline.log.prepared(prepared);
                    true
                }
                // The append makes its own segment then, or says that the disk is full.
                Err(_) => false,
            })?;
            if !done {
                break;
            }
        }
        Ok(())
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
                .map_err(super::failure::Failure::from)?;
            let ended = page.len() < PAGE;
            for (key, row) in page {
                let record = keys
                    .open_row(Tree::Secrets, &key, &row)
                    .ok()
                    .and_then(|open| rows::decode_secret(&open).ok());
                if let Some(record) = record
                    && (record.dead
                        || record.deletion.is_some()
                        || record.version_count > crate::model::limits::VERSIONS_KEPT)
                {
                    self.shared.nudge([record.id]);
                }
                after = Some(key);
            }
            if ended {
                return Ok(());
            }
        }
    }

    /// Asks the pruner about every secret that was nudged.
    pub(super) fn work_off_nudges(&self, is_stopped: &dyn Fn() -> bool) -> Result<()> {
        for id in self.shared.take_nudges() {
            for mutation in [Mutation::Purge, Mutation::Prune, Mutation::Sweep] {
                while self.internal(mutation(id))? == Answer::More {
                    if is_stopped() {
                        return Ok(());
                    }
                }
            }
        }
        // An operation that only does a part nudges again; the part after is done by now.
        Ok(())
    }

    /// An operation of the vault's own, through the one door.
    fn internal(&self, mutation: Mutation) -> Result<Answer> {
        let scope = crate::model::Scope::default();
        self.driver
            .call(|done| Job::Mutate(Box::new(Mutate { scope, mutation, payload: None, done })))
    }

    /// Merges snapshot and ended segments into the next snapshot, and frees what it replaces once
    /// the state is durable past it (I6).
    fn compact(&self, always: bool) -> Result<()> {
        let begun = self.driver.control(move |pipeline| {
            if !always && !pipeline.log.compaction_due() {
                return Ok(None);
            }
            pipeline.log.begin_compaction()
        })?;
        let Some(compaction) = begun.map_err(from_log)? else { return Ok(()) };
        // The put path goes on meanwhile and must find its next segment ready.
        match compaction.run_with(&mut |_| self.prepare_segment(false).is_ok()) {
            Ok(compacted) => {
                self.driver.control(move |pipeline| pipeline.finish_compaction(compacted))??;
                self.checkpoint(true)
            }
            // Tried again later; the old snapshot and its segments are all still there.
            Err(error) => Err(from_log(error)),
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
        let durable =
            self.shared.state()?.store().checkpoint().map_err(super::failure::Failure::from)?;
        self.driver.control(move |pipeline| pipeline.log.free(durable))?.map_err(from_log)
    }

    /// Removes the rows of dead secrets, so that no wrap of theirs is carried to a new epoch.
    pub(super) fn sweep_all(&self) -> Result<()> {
        self.find_due()?;
        self.work_off_nudges(&|| false)
    }
}

/// The log's refusal as the caller of a vault sees it.
pub(super) fn from_log(error: LogError) -> Error {
    match error {
        LogError::Io { op, source, .. } => Error::io(op, source),
        LogError::NoSpace => ErrorKind::NoSpace.into(),
        LogError::Poisoned => ErrorKind::Poisoned.into(),
        LogError::Damaged(damage) => {
            ErrorKind::Damaged { file: damage.file, offset: damage.offset, rule: damage.rule }
                .into()
        }
        LogError::NewerFormat { file, found, known } => {
            ErrorKind::NewerFormat { file, found, known }.into()
        }
        LogError::Refused { what } => ErrorKind::Usage { what }.into(),
        LogError::Stopped => ErrorKind::StateBroken.into(),
    }
}
