//! What is mounted where, and paths without links. Who is trusted with it is decided above (OWN-4).

use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Names the folder of a systemd unit's credentials.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// A mounted file system.
pub struct Mount {
    /// The folder or file that it covers.
    pub point: PathBuf,
    /// Whether nobody can write there.
    pub is_read_only: bool,
}

/// What this process sees mounted, later mounts over earlier ones.
#[must_use]
pub fn mounts() -> Vec<Mount> {
    parse_all(&fs::read("/proc/self/mountinfo").unwrap_or_default())
}

/// The folder that a service manager names for the credentials of this process.
#[must_use]
pub fn credentials_folder() -> Option<PathBuf> {
    std::env::var_os(CREDENTIALS).map(PathBuf::from)
}

/// The lines of `mountinfo`.
fn parse_all(lines: &[u8]) -> Vec<Mount> {
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
}
