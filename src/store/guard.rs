//! Protects the state folder without sled: the opening mark, and setting a damaged state aside.
//!
//! ```text
//! vault/state/          sled
//! vault/state.opening   empty; synced before sled is opened, removed after its check (I7)
//! vault/state.aside/    the last state that was found damaged, kept for inspection; at most one
//! ```
//!
//! If sled panics, aborts, hangs or exhausts memory while it is opened, the mark stays behind. The next
//! start then sets the state aside unopened and rebuilds it. This works without unwinding, whatever the
//! embedding program does.

use super::StoreError;
use super::sled_store::{files, wait_until_free};
use crate::env::{FileKind, Fs, OpenMode};
use std::io;
use std::path::{Path, PathBuf};

/// Name of the state folder inside a vault.
pub const STATE_DIR: &str = "state";
/// Name of the mark inside a vault.
pub const OPENING_MARK: &str = "state.opening";
/// Name of the folder that keeps a damaged state.
pub const ASIDE_DIR: &str = "state.aside";

/// The state folder of the vault in `vault_dir`.
#[must_use]
pub fn state_dir(vault_dir: &Path) -> PathBuf {
    vault_dir.join(STATE_DIR)
}

/// Writes the mark and makes it durable. Must return before sled is opened.
pub fn mark_opening(fs: &dyn Fs, vault_dir: &Path) -> Result<(), StoreError> {
    let mark = || -> io::Result<()> {
        fs.open(&vault_dir.join(OPENING_MARK), OpenMode::Create)?.sync_all()?;
        fs.sync_dir(vault_dir)
    };
    mark().map_err(io_error("mark the state as being opened"))
}

/// Removes the mark (none is fine) and makes that durable.
pub fn clear_opening(fs: &dyn Fs, vault_dir: &Path) -> Result<(), StoreError> {
    let clear = || -> io::Result<()> {
        missing_is_fine(fs.remove_file(&vault_dir.join(OPENING_MARK)))?;
        fs.sync_dir(vault_dir)
    };
    clear().map_err(io_error("clear the state's opening mark"))
}

/// Whether an earlier opening was not finished.
pub fn was_opening(fs: &dyn Fs, vault_dir: &Path) -> Result<bool, StoreError> {
    let mark = fs.metadata(&vault_dir.join(OPENING_MARK));
    Ok(mark.map_err(io_error("look for the state's opening mark"))?.is_some())
}

/// The result of setting a state aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetAside {
    /// There was no state.
    Nothing,
    /// The state was moved to `state.aside`; an older one there was removed.
    Kept,
    /// The state was removed, because the disk has no room for it beside a rebuilt one.
    Removed,
}

/// Moves the state out of the way without opening it, so that it can be rebuilt. Durable when this
/// returns. The old state is kept for inspection only if the disk has room for another of its size.
///
/// [`StoreError::Held`]: somebody has it open, so it is left where it is.
pub fn set_aside(fs: &dyn Fs, vault_dir: &Path) -> Result<SetAside, StoreError> {
    wait_until_free(fs, &state_dir(vault_dir))?;
    let (state, aside) = (state_dir(vault_dir), vault_dir.join(ASIDE_DIR));
    let set_aside = || -> io::Result<SetAside> {
        if fs.metadata(&state)?.is_none() {
            return Ok(SetAside::Nothing);
        }
        remove(fs, &aside)?;
        let outcome = if fs.free_bytes(vault_dir)? < files::disk_bytes(fs, &state) {
            remove(fs, &state)?;
            SetAside::Removed
        } else {
            fs.rename(&state, &aside)?;
            SetAside::Kept
        };
        fs.sync_dir(vault_dir)?;
        Ok(outcome)
    };
    set_aside().map_err(io_error("set the state aside"))
}

/// Removes whatever is at `path`, not following a link.
fn remove(fs: &dyn Fs, path: &Path) -> io::Result<()> {
    match fs.metadata(path)?.map(|facts| facts.kind) {
        None => Ok(()),
        Some(FileKind::Dir) => fs.remove_dir_all(path),
        Some(FileKind::File | FileKind::Other) => missing_is_fine(fs.remove_file(path)),
    }
}

fn missing_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn io_error(op: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Io { op, source }
}
