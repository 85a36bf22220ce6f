//! Who may own a vault's folder and its key, and which modes they may have: one rule for every command, the
//! library and the server (rules OWN-1 to OWN-7 of `docs/TRIALS.md`).

use super::error::keystore_error;
use crate::crypto::{CryptoError, Unlock, VaultId, key_file};
use crate::env::real::{
    Input, Mount, RealFs, credentials_folder, effective_uid, mounts, real_path, user_name,
};
use crate::env::{Env, FileKind, Fs, Metadata, parent, private_file, refusals};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::SecretBytes;
use std::path::{Path, PathBuf};

/// The permission bits that let other users access a file.
const OTHERS: u32 = 0o077;
/// The longest key file that is read: far more than any has.
const KEY_FILE_BYTES_MAX: usize = 65_536;
/// The permission bits that let other users change a file.
const OTHERS_WRITE: u32 = 0o022;
/// Where containers find their secrets.
const SECRETS: &str = "/run/secrets";

/// Refuses a vault's folder that belongs to another user or that others can reach (OWN-1, OWN-2). It is asked
/// before anything is written. A missing folder is left to the caller.
pub(crate) fn check_folder(env: &Env, dir: &Path, allow_lax_modes: bool) -> Result<()> {
    // With the dot it is the folder itself, even if `dir` is a link to it.
    let found = match env.fs.metadata(&dir.join(".")) {
        Ok(found) => found,
        // Its owner keeps us out, and can be seen from above.
        Err(error) if refusals::is_denied(refusals::errno(&error)) => {
            let seen = env.fs.metadata(dir).ok().flatten();
            let other = seen.filter(|seen| seen.uid != effective_uid());
            return Err(other
                .map_or_else(|| Error::io("stat", dir, error), |seen| other_owner(dir, seen.uid)));
        }
        Err(error) => return Err(Error::io("stat", dir, error)),
    };
    let Some(found) = found.filter(|found| found.kind == FileKind::Dir) else { return Ok(()) };
    let is_accepted = is_ours(&found) || allow_lax_modes && found.uid == 0;
    if !is_accepted {
        return Err(other_owner(dir, found.uid));
    }
    if found.mode & OTHERS != 0 && !allow_lax_modes {
        return Err(lax(dir, found.mode));
    }
    Ok(())
}

/// Makes the folder of a new vault private. A file system that keeps no modes is refused (OWN-3).
pub(crate) fn make_private(env: &Env, dir: &Path, allow_lax_modes: bool) -> Result<()> {
    // With the dot it is the folder itself, even if `dir` is a link to it.
    let itself = dir.join(".");
    let changed = env.fs.set_mode(&itself, 0o700);
    let found = env.fs.metadata(&itself).map_err(|error| Error::io("stat", dir, error))?;
    let is_lax = found.is_none_or(|found| found.mode & OTHERS != 0);
    if is_lax && !allow_lax_modes {
        changed.map_err(|error| Error::io("set the mode of", dir, error))?;
        return Err(ErrorKind::Unsuitable { path: dir.to_path_buf(), what: MODES_IGNORED }.into());
    }
    Ok(())
}

/// What is wrong with a file system that ignores `chmod`.
const MODES_IGNORED: &str = "the file system keeps no modes, so others could reach what is here";

/// Refuses an opened key file or token file that others can reach (OWN-4, OWN-5).
pub(crate) fn check_private(opened: &Input, path: &Path, allow_lax_modes: bool) -> Result<()> {
    let found = opened.metadata().map_err(|error| Error::io("stat", path, error))?;
    let Some(found) = found.filter(|_| !allow_lax_modes) else { return Ok(()) };
    let is_others = found.kind == FileKind::File && !is_ours(&found) && found.uid != 0;
    if (found.mode & OTHERS == 0 && !is_others) || is_handed_in(&found, path) {
        return Ok(());
    }
    Err(if is_others { other_owner(path, found.uid) } else { lax(path, found.mode) })
}

/// Whether the opened file at `path` was handed to this process by an orchestrator (OWN-4): it lies under
/// `$CREDENTIALS_DIRECTORY` or `/run/secrets`, in a mount there that nobody else can change.
fn is_handed_in(opened: &Metadata, path: &Path) -> bool {
    let Some(path) = real_path(path) else { return false };
    // By now the path may lead to another file.
    let found = RealFs.metadata(&path).ok().flatten();
    if found.is_none_or(|found| found.identity != opened.identity) {
        return false;
    }
    let mounts = mounts();
    let roots = credentials_folder().into_iter().chain([SECRETS.into()]);
    let mut roots = roots.filter_map(|root| real_path(&root));
    roots.any(|root| is_sealed(&path, &root, &mounts))
}

/// Whether `path` is in a mount at or below `root` that is read-only, or where it and all folders above it
/// belong to root or to us and nobody else can write to them.
fn is_sealed(path: &Path, root: &Path, mounts: &[Mount]) -> bool {
    let below = mounts.iter().filter(|mount| path.starts_with(&mount.point));
    let Some(mount) = below.max_by_key(|mount| mount.point.components().count()) else {
        return false;
    };
    if !path.starts_with(root) || !mount.point.starts_with(root) {
        return false;
    }
    let inside = path.ancestors().take_while(|part| part.starts_with(&mount.point));
    let mut all = inside.peekable();
    all.peek().is_some()
        && all.all(|part| {
            RealFs.metadata(part).ok().flatten().is_some_and(|found| {
                let is_trusted = found.uid == 0 || is_ours(&found);
                is_trusted && (mount.is_read_only || found.mode & OTHERS_WRITE == 0)
            })
        })
}

/// The lowest folder above `path` that is there.
pub(crate) fn existing_parent(env: &Env, path: &Path) -> PathBuf {
    let mut at = parent(path);
    while matches!(env.fs.metadata(&at), Ok(None)) && parent(&at) != at {
        at = parent(&at);
    }
    at
}

/// Whether `path` leads into the folder `dir`, by whatever links.
pub(crate) fn is_inside(env: &Env, dir: &Path, path: &Path) -> bool {
    let identity = |at: &Path| {
        // With the dot it is the folder itself, even if the path is a link to it.
        env.fs.metadata(&at.join(".")).ok().flatten().map(|found| found.identity)
    };
    let Some(ours) = identity(dir) else { return false };
    let above = existing_parent(env, path);
    let real = if env.fs.is_real() { real_path(&above) } else { None };
    real.unwrap_or(above).ancestors().any(|at| identity(at) == Some(ours))
}

/// The content of an opened key file. That it is one is found out before anything is said about its mode
/// (OWN-7).
pub(crate) fn read_key(opened: Input, path: &Path, allow_lax_modes: bool) -> Result<SecretBytes> {
    let no_key_file = || ErrorKind::NotAKeyFile { path: path.to_path_buf() };
    let checked = check_private(&opened, path, allow_lax_modes);
    let text = opened
        .read_to_end(KEY_FILE_BYTES_MAX)
        .map_err(|error| Error::io("read", path, error))?
        .ok_or_else(no_key_file)?;
    let text = SecretBytes::copy_from(&text);
    match key_file::parse(&text) {
        // A newer format is reported with its number when the vault is opened.
        Ok(_) | Err(CryptoError::NewerFormat { .. }) => checked.map(|()| text),
        Err(_) => Err(no_key_file().into()),
    }
}

/// The key in the file at `path`.
pub(crate) fn key_file_at(path: &Path, allow_lax_modes: bool) -> Result<Unlock> {
    let opened = Input::open(path).map_err(|error| Error::io("open", path, error))?;
    let text = read_key(opened, path, allow_lax_modes)?;
    if let Err(CryptoError::NewerFormat { found, known }) = key_file::parse(&text) {
        let file = path.display().to_string();
        return Err(ErrorKind::NewerFormat { file, found, known }.into());
    }
    Ok(Unlock::KeyFile(text))
}

/// Makes the key file of a new vault, durable and private. One that is there already is used as it is:
/// replacing it could lock another vault for ever. Returns the key, and whether it was made.
pub(crate) fn make_key_file(
    env: &Env,
    path: &Path,
    id: VaultId,
    allow_lax_modes: bool,
) -> Result<(Unlock, bool)> {
    let io = |error| Error::io("write", path, error);
    // An empty file is a name that `mktemp` reserved.
    if env.fs.metadata(path).map_err(io)?.is_some_and(|found| found.len > 0) {
        return Ok((key_file_at(path, allow_lax_modes)?, false));
    }
    let key = key_file::generate(id, env.entropy.as_ref()).map_err(keystore_error)?;
    private_file::make_dirs(env, &parent(path)).map_err(io)?;
    // EXPOSE: the key file is the one place where this key is kept.
    private_file::write(env, path, key.expose()).map_err(io)?;
    let found = env.fs.metadata(path).map_err(io)?;
    if found.is_none_or(|found| found.mode & OTHERS != 0) && !allow_lax_modes {
        env.fs.remove_file(path).map_err(|error| Error::io("remove", path, error))?;
        return Err(ErrorKind::Unsuitable { path: path.to_path_buf(), what: MODES_IGNORED }.into());
    }
    Ok((Unlock::KeyFile(key), true))
}

fn is_ours(found: &Metadata) -> bool {
    found.uid == effective_uid()
}

fn other_owner(path: &Path, uid: u32) -> Error {
    ErrorKind::OtherOwner { path: path.to_path_buf(), owner: user_name(uid) }.into()
}

fn lax(path: &Path, mode: u32) -> Error {
    ErrorKind::LaxPermissions { path: path.to_path_buf(), mode }.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// OWN-4
    #[test]
    fn only_a_mount_that_nobody_else_can_change_is_trusted() {
        let root = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(root.path()).unwrap();
        let (secrets, elsewhere) = (root.join("secrets"), root.join("elsewhere"));
        fs::create_dir_all(secrets.join("a")).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        let key = secrets.join("a/key");
        fs::write(&key, "k").unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        };
        set(&key, 0o444);
        set(&secrets, 0o755);
        set(&secrets.join("a"), 0o755);
        let mount = |point: &Path, is_read_only| {
            let top = Mount { point: "/".into(), is_read_only: false };
            vec![top, Mount { point: point.into(), is_read_only }]
        };
        assert!(is_sealed(&key, &secrets, &mount(&secrets, false)));
        assert!(is_sealed(&key, &secrets, &mount(&key, false)), "a single file is mounted");
        assert!(!is_sealed(&key, &secrets, &mount(&elsewhere, true)), "it is no mount");
        assert!(!is_sealed(&key, &secrets, &mount(&root, true)), "the mount is above");
        assert!(!is_sealed(&key, &elsewhere, &mount(&secrets, true)), "another folder");
        set(&secrets.join("a"), 0o777);
        assert!(!is_sealed(&key, &secrets, &mount(&secrets, false)), "others can write");
        assert!(is_sealed(&key, &secrets, &mount(&secrets, true)), "nobody can write");
    }
}
