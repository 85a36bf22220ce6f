//! A file that gets a line for each event.

use crate::env::{Env, OpenMode, parent, read_exact_at};
use std::io;
use std::path::Path;

/// Appends a line, which is durable when this returns. A missing file is made with mode 0600.
pub(super) fn append(env: &Env, path: &Path, line: &[u8]) -> io::Result<()> {
    let is_new = env.fs.metadata(path)?.is_none();
    let file = env.fs.open(path, OpenMode::Create)?;
    let len = file.len()?;
    let mut bytes = Vec::with_capacity(line.len() + 2);
    // A crash or a full disk may have left a part of a line.
    if len > 0 && read_exact_at(file.as_ref(), 1, len - 1)? != b"\n" {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(line);
    bytes.push(b'\n');
    file.write_all_at(&bytes, len)?;
    file.sync_data()?;
    if is_new { env.fs.sync_dir(&parent(path)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// SEM-EVENT-10
    #[test]
    fn each_event_is_a_line_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let (env, path) = (Env::real(), root.path().join("events"));
        append(&env, &path, b"one").unwrap();
        append(&env, &path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, b"one\ntw").unwrap();
        append(&env, &path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntw\ntwo\n");
        assert!(append(&env, root.path(), b"three").is_err());
    }
}
