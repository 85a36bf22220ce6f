//! Private files that are written whole: key files, `client.env`, `--out`. Mode 0600 in folders of mode 0700,
//! whatever the umask. A file is either whole or absent, and durable when the call returns.

use super::{Env, File, FileKind, OpenMode, parent};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Makes `dir` and what is missing above it, each name durable.
pub(crate) fn make_dirs(env: &Env, dir: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut at = dir.to_path_buf();
    // `..` and links are the kernel's to resolve: only what is missing is taken apart.
    while env.fs.metadata(&at)?.is_none() {
        let above = parent(&at);
        if above == at {
            break;
        }
        missing.push(std::mem::replace(&mut at, above));
    }
    for dir in missing.iter().rev() {
        match env.fs.create_dir(dir) {
            Ok(()) => env.fs.sync_dir(&parent(dir))?,
            // Another process may have made it in between.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes `bytes` to `path`: a new file beside it, synced, takes its name. An earlier regular file
/// is replaced; a link, pipe or device in its place is refused, never written through.
pub(crate) fn write(env: &Env, path: &Path, bytes: &[u8]) -> io::Result<()> {
    Draft::new(env, path, bytes)?.take_name()?;
    env.fs.sync_dir(&parent(path))
}

/// A file beside `path`, written and synced, that has not taken its name yet. It is removed when dropped
/// before that.
pub(crate) struct Draft<'a> {
    env: &'a Env,
    path: &'a Path,
    beside: PathBuf,
    file: Arc<dyn File>,
    is_named: bool,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(env: &'a Env, path: &'a Path, bytes: &[u8]) -> io::Result<Self> {
        refuse_other_kinds(env, path)?;
        let beside = beside(env, path)?;
        let file = env.fs.open(&beside, OpenMode::CreateNew)?;
        let draft = Self { env, path, beside, file, is_named: false };
        draft.file.write_all_at(bytes, 0)?;
        draft.file.sync_all()?;
        Ok(draft)
    }

    /// Writes it anew. Shorter content than before needs no more space.
    pub(crate) fn rewrite(&self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, 0)?;
        self.file.set_len(bytes.len() as u64)?;
        self.file.sync_all()
    }

    /// Takes the name. It is durable once the folder is synced.
    pub(crate) fn take_name(mut self) -> io::Result<()> {
        self.env.fs.rename(&self.beside, self.path)?;
        self.is_named = true;
        Ok(())
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.is_named {
            let _nothing_to_remove = self.env.fs.remove_file(&self.beside);
        }
    }
}

fn refuse_other_kinds(env: &Env, path: &Path) -> io::Result<()> {
    if env.fs.metadata(path)?.is_some_and(|found| found.kind != FileKind::File) {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "there is a folder, link, pipe or device of that name; only regular files are replaced",
        ));
    }
    Ok(())
}

/// A name in the same folder that nobody else uses.
fn beside(env: &Env, path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "this path names no file"))?;
    let mut temporary = OsString::from(".");
    // A long name must not become too long.
    if name.len() <= 200 {
        temporary.push(name);
    }
    temporary.push(format!(".{:016x}.tmp", u64::from_le_bytes(env.random()?)));
    Ok(parent(path).join(temporary))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn missing_folders_are_made_private_and_existing_ones_are_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let env = Env::real();
        let old = root.path().join("old");
        std::fs::create_dir(&old).unwrap();
        std::fs::set_permissions(&old, PermissionsExt::from_mode(0o755)).unwrap();
        make_dirs(&env, &old.join("a/b")).unwrap();
        make_dirs(&env, &old.join("a/b")).unwrap();
        assert_eq!(mode(&old), 0o755);
        assert_eq!((mode(&old.join("a")), mode(&old.join("a/b"))), (0o700, 0o700));
    }

    #[test]
    fn a_file_is_replaced_whole_and_private_and_nothing_else_is_left() {
        let root = tempfile::tempdir().unwrap();
        let env = Env::real();
        let path = root.path().join("f");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        write(&env, &path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_not_written_through() {
        let root = tempfile::tempdir().unwrap();
        let env = Env::real();
        let (target, link) = (root.path().join("t"), root.path().join("l"));
        std::fs::write(&target, "mine").unwrap();
        symlink(&target, &link).unwrap();
        assert!(write(&env, &link, b"secret").is_err());
        assert_eq!(std::fs::read(&target).unwrap(), b"mine");
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 2);
    }
}
