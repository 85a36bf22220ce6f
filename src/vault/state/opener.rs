//! Opens the state, compares it with the log, and catches it up or rebuilds it (I6, I7).
//!
//! The state's own LSN and the *recomputed* digest of its rows decide:
//!
//! - Not older than the snapshot: the frames after it are applied, and the digest of all rows is compared
//!   with that of the log's end.
//! - Older than the snapshot, unequal or unreadable: it is set aside and rebuilt from snapshot and frames.
//! - Newer than the end of the log: the log has lost acknowledged operations. That is damage, and no repair
//!   forgets them silently.
//!
//! Where sled cannot open at all (a full disk, a panic that broke its threads) an ordered map in memory
//! serves until the next open.

use super::serving::{Backing, State};
use super::sums::{advance, sum_rows};
use super::translate::to_newest;
use crate::crypto::{Keyring, SetSum};
use crate::env::Env;
use crate::env::faults::Fault;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Frame, LogError, Recovered, RowFormat};
use crate::model::Tree;
use crate::store::guard::set_aside;
use crate::store::{OrderedStore, SledOptions, SledStore, Span, Store, StoreError};
use crate::vault::directory::VaultDir;
use crate::vault::error::RowError;
use crate::vault::options::{OnProgress, Progress, StoreChoice, Tuning};
use std::path::Path;

/// A state that equals the log, and the sum over its rows.
pub(crate) struct Opened {
    pub(crate) state: State,
    pub(crate) sum: SetSum,
}

/// What opening a state needs.
pub(crate) struct StateOpener<'a> {
    pub(crate) env: &'a Env,
    pub(crate) dir: &'a Path,
    pub(crate) tuning: &'a Tuning,
    pub(crate) keys: &'a Keyring,
    pub(crate) progress: Option<&'a OnProgress>,
}

/// The longest log that is read into memory for a single read.
const ONE_READ_BYTES_MAX: u64 = 8 << 20;
/// Rows between two reports of progress.
const REPORT_ROWS: u64 = 10_000;

impl<'a> StateOpener<'a> {
    /// What opening the state of a locked folder needs.
    pub(crate) fn of(place: &'a VaultDir, tuning: &'a Tuning, keys: &'a Keyring) -> Self {
        let VaultDir { env, dir, options, .. } = place;
        Self { env, dir, tuning, keys, progress: options.progress.as_ref() }
    }
}

impl StateOpener<'_> {
    fn uses_sled(&self) -> bool {
        self.tuning.store != StoreChoice::Memory && self.env.fs.is_real()
    }

    /// Whether the log is read into memory although there is a state on the disk.
    fn spares_sled(&self, recovered: &Recovered) -> bool {
        self.tuning.store == StoreChoice::OneRead && recovered.bytes() <= ONE_READ_BYTES_MAX
    }

    /// Reads the log's rows into memory and compares their digest.
    pub(crate) fn read(&self, recovered: &Recovered) -> Result<OrderedStore> {
        match self.fill(self.in_memory(OrderedStore::new())?, recovered)?.state.backing() {
            Backing::Memory(rows) => {
                rows.flush().map_err(RowError::from)?;
                Ok(rows.below().fork())
            }
            Backing::Sled(_) => Err(ErrorKind::StateBroken.into()),
        }
    }

    /// Opens the state and brings it to the end of the log.
    pub(crate) fn open(&self, recovered: &Recovered) -> Result<Opened> {
        if recovered.row_format() < RowFormat::NEWEST {
            return self.translate(recovered);
        }
        if !self.uses_sled() {
            if let Some(kept) = &self.tuning.kept_state
                && let Some(opened) = self.catch_up(self.in_memory(kept.fork())?, recovered)?
            {
                return Ok(opened);
            }
            return self.fill(self.in_memory(OrderedStore::new())?, recovered);
        }
        // If it does not read back, the state may still be whole.
        if self.spares_sled(recovered)
            && let Ok(opened) = self.fill(self.in_memory(OrderedStore::new())?, recovered)
        {
            return Ok(opened);
        }
        match self.open_sled() {
            Some(state) => match self.catch_up(state, recovered)? {
                Some(opened) => {
                    checked(&opened.state)?;
                    Ok(opened)
                }
                None => self.rebuild(recovered),
            },
            None => self.rebuild(recovered),
        }
    }

    /// Makes the empty state of a new vault, durable if it is on disk.
    pub(crate) fn fresh(&self) -> Result<State> {
        if self.uses_sled()
            && set_aside(self.env.fs.as_ref(), self.dir).is_ok()
            && let Some(state) = self.open_sled()
            && state.store().checkpoint().is_ok()
        {
            checked(&state)?;
            return Ok(state);
        }
        self.in_memory(OrderedStore::new())
    }

    /// The rows of a log of format 1 in memory, in format 2: for a vault that cannot be brought over.
    fn translate(&self, recovered: &Recovered) -> Result<Opened> {
        let found = self.read(recovered)?;
        let (rows, sum) = to_newest(&found, self.keys, self.env.entropy.as_ref())?;
        Ok(Opened { state: self.in_memory(rows)?, sum })
    }

    fn in_memory(&self, rows: OrderedStore) -> Result<State> {
        Ok(State::in_memory(rows, self.tuning).map_err(RowError::from)?)
    }

    /// Sets the state aside, if there is one, and rebuilds it from the log.
    pub(crate) fn rebuild(&self, recovered: &Recovered) -> Result<Opened> {
        if recovered.row_format() < RowFormat::NEWEST {
            return self.translate(recovered);
        }
        if self.uses_sled()
            && set_aside(self.env.fs.as_ref(), self.dir).is_ok()
            && let Some(state) = self.open_sled()
        {
            match self.fill(state, recovered) {
                Ok(opened) => {
                    // What the snapshot held is durable at once. Else a power cut would cost all of it again.
                    if opened.state.store().checkpoint().is_ok() && checked(&opened.state).is_ok() {
                        return Ok(opened);
                    }
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::StateBroken | ErrorKind::NoSpace) => {}
                Err(error) => return Err(error),
            }
        }
        self.fill(self.in_memory(OrderedStore::new())?, recovered)
    }

    /// Opens sled under its opening mark. The second try sets a state aside that sled cannot read.
    fn open_sled(&self) -> Option<State> {
        for _ in 0..2 {
            match SledStore::open_guarded(&self.env.fs, self.dir, SledOptions::default()) {
                Ok(store) => return State::on_disk(store, self.tuning).ok(),
                Err(StoreError::Broken { .. }) => {}
                Err(_) => return None,
            }
        }
        None
    }

    /// Applies the frames that the state lacks. `None`: it does not belong to this log.
    fn catch_up(&self, state: State, recovered: &Recovered) -> Result<Option<Opened>> {
        let (end, snapshot) = (recovered.end(), recovered.snapshot_lsn());
        let Ok(Span { applied, reaches }) = state.store().span() else { return Ok(None) };
        if reaches > end.lsn {
            if !self.is_ours(state.store()) {
                // It is another vault's, or no one's, and says nothing about this log.
                state.discard();
                return Ok(None);
            }
            return Err(ErrorKind::Damaged { file: "log".to_owned(), offset: 0, rule: "I6" }.into());
        }
        if self.tuning.faults.active(Fault::BelieveState) {
            return Ok(sum_rows(state.store(), self.keys).ok().map(|sum| Opened { state, sum }));
        }
        if applied < snapshot || !is_current(&state) {
            state.discard();
            return Ok(None);
        }
        // Applied before anything is compared. The sum then reads each row once, and needs no older row of
        // those that the frames replace. Frames that go into a state which proves to be wrong do no harm: it
        // is set aside.
        let replayed = recovered.replay(applied, &mut |frame: Frame| {
            publish(&state, frame).map_err(|_| LogError::Stopped)
        });
        match replayed {
            Ok(()) => {}
            Err(LogError::Stopped) => {
                // Closed, so that it can be moved aside.
                state.discard();
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        }
        let Ok(sum) = sum_rows(state.store(), self.keys) else { return Ok(None) };
        if sum.digest(self.keys.digest_key(), end.lsn) != end.digest {
            state.discard();
            return Ok(None);
        }
        Ok(Some(Opened { state, sum }))
    }

    /// Whether the rows are of this vault: some row opens with its keys, or there are no rows.
    fn is_ours(&self, store: &dyn Store) -> bool {
        let (mut rows, mut open) = (0_u64, 0_u64);
        for tree in [Tree::Secrets, Tree::Names, Tree::Meta] {
            let scanned = store.scan(tree, &mut |key, row| {
                // One row that opens is proof enough: none of another vault does.
                if open == 0 {
                    rows += 1;
                    open += u64::from(self.keys.open_row(tree, key, row).is_ok());
                }
            });
            if scanned.is_err() {
                return true;
            }
        }
        open > 0 || rows == 0
    }

    /// Fills an empty state from snapshot and frames.
    fn fill(&self, state: State, recovered: &Recovered) -> Result<Opened> {
        let mut sum = SetSum::empty();
        self.fill_from_snapshot(&state, &mut sum, recovered)?;
        let damaged =
            || ErrorKind::Damaged { file: "log".to_owned(), offset: 0, rule: "LOG-DIGEST" };
        let snapshot = recovered.snapshot_lsn();
        if sum.digest(self.keys.digest_key(), snapshot) != recovered.snapshot_digest() {
            return Err(damaged().into());
        }
        let replayed = recovered.replay(snapshot, &mut |frame: Frame| {
            self.apply(&state, &mut sum, frame).map_err(|_| LogError::Stopped)
        });
        match replayed {
            Ok(()) => {}
            Err(LogError::Stopped) => return Err(ErrorKind::StateBroken.into()),
            Err(error) => return Err(error.into()),
        }
        let end = recovered.end();
        if sum.digest(self.keys.digest_key(), end.lsn) != end.digest {
            return Err(damaged().into());
        }
        Ok(Opened { state, sum })
    }

    fn fill_from_snapshot(
        &self,
        state: &State,
        sum: &mut SetSum,
        recovered: &Recovered,
    ) -> Result<()> {
        let (lsn, total) = (recovered.snapshot_lsn(), recovered.snapshot_rows());
        let mut done = 0_u64;
        let mut each = |tree: Tree, key: &[u8], value: &[u8]| {
            if tree.is_digested() {
                sum.add(self.keys.digest_key(), tree, key, value);
            }
            done += 1;
            if done.is_multiple_of(REPORT_ROWS)
                && let Some(progress) = self.progress
            {
                progress(Progress::Rebuilding { done, total });
            }
        };
        let broken = |_: StoreError| LogError::Stopped;
        let read = match state.backing() {
            Backing::Sled(store) => {
                let mut loader = store.load().map_err(RowError::from)?;
                let read = recovered.read_snapshot(&mut |tree, key, value| {
                    each(tree, key, value);
                    loader.push(tree, key, value).map_err(broken)
                });
                read.and_then(|()| loader.finish(lsn).map_err(broken))
            }
            Backing::Memory(store) => {
                let mut rows = Vec::new();
                let read = recovered.read_snapshot(&mut |tree, key, value| {
                    each(tree, key, value);
                    rows.push(crate::model::RowChange {
                        tree,
                        key: key.into(),
                        value: Some(value.into()),
                    });
                    Ok(())
                });
                // Even an empty snapshot sets the LSN that later frames continue.
                let set = crate::model::ChangeSet { lsn, rows };
                read.and_then(|()| store.below().apply(&[set]).map_err(broken))
            }
        };
        match read {
            Ok(()) => Ok(()),
            Err(LogError::Stopped) => Err(ErrorKind::StateBroken.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Applies the sets of a frame that come after the state's LSN, and advances the sum with them.
    fn apply(
        &self,
        state: &State,
        sum: &mut SetSum,
        frame: Frame,
    ) -> std::result::Result<(), RowError> {
        advance(state.store(), self.keys, sum, &frame)?;
        Ok(publish(state, frame)?)
    }
}

/// Applies the sets of a frame that come after the state's LSN.
fn publish(state: &State, frame: Frame) -> std::result::Result<(), StoreError> {
    state.make_room()?;
    state.publish(frame.sets)
}

/// Whether this build writes the state as it lies.
fn is_current(state: &State) -> bool {
    match state.backing() {
        Backing::Sled(table) => table.below().is_current().unwrap_or_default(),
        Backing::Memory(_) => true,
    }
}

fn checked(state: &State) -> Result<()> {
    match state.backing() {
        Backing::Sled(table) => {
            table.below().checked().map_err(|error| Error::from(RowError::from(error)))
        }
        Backing::Memory(_) => Ok(()),
    }
}
