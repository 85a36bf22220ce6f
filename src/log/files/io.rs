//! Small steps on files, with errors that name the file.

use crate::env::parent;
use crate::env::{File, Fs};
use crate::log::error::LogError;
use std::io;
use std::path::Path;
use subtle::ConstantTimeEq;

/// Syncs a directory. A file system that cannot do that at all has not failed: nothing is poisoned by it.
pub(crate) fn sync_dir(fs: &dyn Fs, path: &Path, name: &str) -> Result<(), LogError> {
    fs.sync_dir(path).map_err(|error| {
        let op = if error.kind() == io::ErrorKind::Unsupported { "sync a folder" } else { "sync" };
        LogError::io(op, name, error)
    })
}

/// Syncs a directory and the one that names it.
pub(crate) fn sync_dir_and_parent(fs: &dyn Fs, path: &Path) -> Result<(), LogError> {
    sync_dir(fs, path, "")?;
    sync_dir(fs, &parent(path), "..")
}

/// Reads up to `len` bytes: fewer only at the end of the file.
pub(crate) fn read_up_to(
    file: &dyn File,
    name: &str,
    len: usize,
    offset: u64,
) -> Result<Vec<u8>, LogError> {
    let mut bytes = vec![0; len];
    let mut done = 0;
    while done < len {
        let rest = bytes.get_mut(done..).unwrap_or_default();
        match file.read_at(rest, offset.saturating_add(done as u64)) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(LogError::io("read", name, error)),
        }
    }
    bytes.truncate(done);
    Ok(bytes)
}

/// Fills a file with real zeros up to `len`, so that a later write there allocates nothing.
pub(crate) fn fill_with_zeros(
    file: &dyn File,
    name: &str,
    from: u64,
    len: u64,
) -> Result<(), LogError> {
    const STEP: usize = 256 * 1024;
    let all = usize::try_from(len.saturating_sub(from)).unwrap_or(STEP);
    let zeros = vec![0; all.min(STEP)];
    let mut offset = from;
    while offset < len {
        let step = usize::try_from(len - offset).unwrap_or(STEP).min(STEP);
        file.write_all_at(zeros.get(..step).unwrap_or_default(), offset)
            .map_err(|error| LogError::write(name, error))?;
        offset += step as u64;
    }
    Ok(())
}

/// Compares MACs without telling where they differ.
pub(crate) fn same_tag(left: &[u8; 32], right: &[u8; 32]) -> bool {
    left.as_slice().ct_eq(right.as_slice()).into()
}
