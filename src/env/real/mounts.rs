//! Whether a file was handed to this process by an orchestrator: in a mount that nobody else can change.

use super::effective_uid;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where containers find their secrets.
const SECRETS: &str = "/run/secrets";
/// Names the folder of a systemd unit's credentials.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// A mounted file system.
struct Mount {
    point: PathBuf,
    is_read_only: bool,
}

/// Whether `path` lies under `$CREDENTIALS_DIRECTORY` or `/run/secrets`, in a mount there that belongs to
/// root or to us and that nobody else can write to.
#[must_use]
pub fn is_handed_in(path: &Path) -> bool {
    let Ok(path) = fs::canonicalize(path) else { return false };
    let mounts = mounts(&fs::read("/proc/self/mountinfo").unwrap_or_default());
    let named = std::env::var_os(CREDENTIALS).map(PathBuf::from);
    let roots = named.into_iter().chain([SECRETS.into()]);
    let mut roots = roots.filter_map(|root| fs::canonicalize(root).ok());
    roots.any(|root| is_sealed(&path, &root, &mounts))
}

fn is_sealed(path: &Path, root: &Path, mounts: &[Mount]) -> bool {
    let below = mounts.iter().filter(|mount| path.starts_with(&mount.point));
    let Some(mount) = below.max_by_key(|mount| mount.point.components().count()) else {
        return false;
    };
    if !path.starts_with(root) || !mount.point.starts_with(root) {
        return false;
    }
    let inside = path.ancestors().take_while(|part| part.starts_with(&mount.point));
    let (us, mut all) = (effective_uid(), inside.peekable());
    all.peek().is_some()
        && all.all(|part| {
            fs::symlink_metadata(part).is_ok_and(|found| {
                let is_trusted = found.uid() == 0 || found.uid() == us;
                is_trusted && (mount.is_read_only || found.mode() & 0o022 == 0)
            })
        })
}

/// The lines of `mountinfo`, later mounts over earlier ones.
fn mounts(lines: &[u8]) -> Vec<Mount> {
    let lines = lines.split(|byte| *byte == b'\n');
    lines.filter_map(parse).collect()
}

/// `36 35 98:0 /root /point rw,noatime ... - ext3 /dev/root rw,errors=continue`
fn parse(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let point = PathBuf::from(std::ffi::OsString::from_vec(unescaped(fields.nth(4)?)));
    let own = fields.next()?;
    let whole = fields.skip_while(|field| *field != b"-").nth(3).unwrap_or_default();
    let is_ro = |options: &[u8]| options.split(|byte| *byte == b',').any(|one| one == b"ro");
    Some(Mount { point, is_read_only: is_ro(own) || is_ro(whole) })
}

/// Spaces and the like are written as three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let (b'\\', Some(byte)) = (*first, escaped) {
            bytes.push(byte);
            rest = after.get(3..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    bytes
}

/// The path without links. `None`: nothing is there.
#[must_use]
pub fn real_path(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

/// The identity of the folder at `path` as a text: its real path, device and inode. `None`: it cannot be
/// found out.
#[must_use]
pub fn folder_identity(path: &Path) -> Option<String> {
    let real = fs::canonicalize(path).ok()?;
    let found = fs::metadata(&real).ok()?;
    let name = real.as_os_str().as_bytes().escape_ascii().to_string();
    Some(format!("{}:{} {name}", found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_line_of_mountinfo_is_taken_apart() {
        let line = br"36 35 98:0 /mnt1 /mnt\0402/a rw,noatime master:1 - ext3 /dev/root ro,errors=continue";
        let mount = parse(line).unwrap();
        assert_eq!(mount.point, Path::new("/mnt 2/a"));
        assert!(mount.is_read_only);
        assert!(parse(b"").is_none());
        let plain = parse(b"1 2 0:3 / /run/secrets rw - tmpfs tmpfs rw").unwrap();
        assert!(!plain.is_read_only);
    }

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
