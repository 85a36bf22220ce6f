//! A copy of the state to read from. sled writes when it opens, so a check or a repair cannot open the
//! state in its place.

use crate::env::{Env, File, FileKind, Fs, OpenMode, is_no_space, read_exact_at, temp_dir};
use crate::error::{Error, Result};
use crate::model::{RowChange, Tree};
use crate::store::guard::{STATE_DIR, state_dir};
use crate::store::{OrderedStore, SledOptions, SledStore, Store};
use crate::vault::directory::VaultDir;
use crate::vault::state::serving::State;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is done in the temporary folder, whose name the variable TMPDIR has.
const MAKE_COPY: &str = "copy the state to the temporary folder";
/// Bytes copied in one go.
const COPY_BYTES: usize = 256 * 1024;

/// The state as it is, read-only.
pub(crate) struct StateCopy {
    state: State,
    /// The copied folder that is open, removed when this is dropped.
    copy: Option<CopiedFolder>,
}

impl StateCopy {
    /// The state of a vault. `None`: there is none, or it cannot be read. An error says that the temporary
    /// folder cannot be written, which says nothing about the state.
    pub(crate) fn of(place: &VaultDir) -> Result<Option<Self>> {
        let VaultDir { env, dir, options, .. } = place;
        if !env.fs.is_real() {
            let in_memory =
                |kept: &Arc<OrderedStore>| State::in_memory(kept.fork(), &options.tuning);
            let kept = options.tuning.kept_state.as_ref().and_then(|kept| in_memory(kept).ok());
            return Ok(kept.map(|state| Self { state, copy: None }));
        }
        if !matches!(env.fs.metadata(&state_dir(dir)), Ok(Some(_))) {
            return Ok(None);
        }
        let Some(copy) = CopiedFolder::of_state(env, dir)? else { return Ok(None) };
        let store =
            SledStore::open(Arc::clone(&env.fs), &copy.dir.join(STATE_DIR), SledOptions::default());
        let state = store.ok().and_then(|store| State::to_read(store).ok());
        Ok(state.map(|state| Self { state, copy: Some(copy) }))
    }

    /// Its rows.
    pub(crate) fn store(&self) -> &dyn Store {
        self.state.store()
    }
}

impl Drop for StateCopy {
    fn drop(&mut self) {
        // sled closes its files before they are removed.
        let _ = self.state.close();
        self.copy.take();
    }
}

/// A copy of a store's rows at its LSN.
pub(crate) fn in_memory(store: &dyn Store) -> Option<OrderedStore> {
    let span = store.span().ok()?;
    let mut rows = Vec::new();
    for tree in Tree::ALL {
        let mut take = |key: &[u8], value: &[u8]| {
            rows.push(RowChange { tree, key: key.into(), value: Some(value.into()) });
        };
        store.scan(tree, &mut take).ok()?;
    }
    let memory = OrderedStore::new();
    memory.apply_part(&rows, span).ok()?;
    Some(memory)
}

/// A copy of the state folder, removed when dropped.
struct CopiedFolder {
    env: Env,
    dir: PathBuf,
}

impl CopiedFolder {
    fn of_state(env: &Env, vault: &Path) -> Result<Option<Self>> {
        let name = u64::from_le_bytes(env.random().map_err(Error::no_entropy)?);
        let dir = temp_dir().join(format!("strongroom-check-{name:016x}"));
        env.fs.create_dir(&dir).map_err(|error| Error::io(MAKE_COPY, &dir, error))?;
        let copy = Self { env: env.clone(), dir };
        match copy_dir(env.fs.as_ref(), &state_dir(vault), &copy.dir.join(STATE_DIR)) {
            Ok(()) => Ok(Some(copy)),
            Err(error) if is_no_space(&error) => Err(Error::io(MAKE_COPY, &copy.dir, error)),
            // The state itself cannot be read.
            Err(_) => Ok(None),
        }
    }
}

impl Drop for CopiedFolder {
    fn drop(&mut self) {
        // It holds only sealed rows, so a leftover does no harm.
        let _ = self.env.fs.remove_dir_all(&self.dir);
    }
}

/// Copies a folder with its content. Nothing is synced.
fn copy_dir(fs: &dyn Fs, from: &Path, to: &Path) -> std::io::Result<()> {
    fs.create_dir(to)?;
    for entry in fs.read_dir(from)? {
        let (from, to) = (from.join(&entry.name), to.join(&entry.name));
        match entry.kind {
            FileKind::Dir => copy_dir(fs, &from, &to)?,
            FileKind::File => drop(copy_file(fs, &from, &to)?),
            FileKind::Other => return Err(std::io::ErrorKind::InvalidData.into()),
        }
    }
    Ok(())
}

/// Copies one file. The caller syncs the copy.
pub(crate) fn copy_file(fs: &dyn Fs, from: &Path, to: &Path) -> std::io::Result<Arc<dyn File>> {
    let (source, target) = (fs.open(from, OpenMode::Read)?, fs.open(to, OpenMode::CreateNew)?);
    let (len, mut at) = (source.len()?, 0);
    while at < len {
        let part = usize::try_from(len - at).unwrap_or(COPY_BYTES).min(COPY_BYTES);
        target.write_all_at(&read_exact_at(source.as_ref(), part, at)?, at)?;
        at += part as u64;
    }
    Ok(target)
}
