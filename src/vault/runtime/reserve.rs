//! The reserve: real blocks held back so that a full disk can still be deleted from (I4).

use super::shared::Shared;
use crate::env::{File, OpenMode};
use std::io;

const FILE: &str = "reserve";

/// Bytes that the reserve holds now.
pub(crate) fn bytes(shared: &Shared) -> u64 {
    shared.env.fs.metadata(&shared.dir.join(FILE)).ok().flatten().map_or(0, |metadata| metadata.len)
}

/// Removes the reserve. `false`: there was none.
pub(crate) fn release(shared: &Shared) -> bool {
    bytes(shared) > 0 && shared.env.fs.remove_file(&shared.dir.join(FILE)).is_ok()
}

/// Fills the reserve with real zeros, if it is not whole. Without room it stays as it is.
pub(crate) fn refill(shared: &Shared) -> io::Result<()> {
    let wanted = shared.tuning.reserve_bytes;
    if bytes(shared) >= wanted {
        return Ok(());
    }
    let path = shared.dir.join(FILE);
    let file = shared.env.fs.open(&path, OpenMode::Create)?;
    match fill(file.as_ref(), wanted) {
        Ok(()) => shared.env.fs.sync_dir(&shared.dir),
        Err(error) => {
            // A part of a reserve would only take from the room that is left.
            shared.env.fs.remove_file(&path)?;
            Err(error)
        }
    }
}

fn fill(file: &dyn File, wanted: u64) -> io::Result<()> {
    static BLOCK: [u8; 64 * 1024] = [0; 64 * 1024];
    let mut at = file.len()?;
    while at < wanted {
        let len = usize::try_from(wanted - at).unwrap_or(BLOCK.len()).min(BLOCK.len());
        file.write_all_at(BLOCK.get(..len).unwrap_or(&BLOCK), at)?;
        at += len as u64;
    }
    file.sync_all()
}
