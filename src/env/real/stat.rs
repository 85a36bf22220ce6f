//! Facts about files, asked for without their times.
//!
//! On Linux since 6.13 a file whose times somebody has asked for gets new ones at its next write, and the
//! sync after it also writes the inode. The log looks at its segment after every sync (I11), so it would pay
//! for a second write with each put.

use super::{facts, retry};
use crate::env::Metadata;
use rustix::fs::AtFlags;
use rustix::io::Result;
use std::os::fd::AsFd;
use std::path::Path;

/// The facts about an open file or folder.
pub(super) fn of_file(file: impl AsFd) -> Result<Metadata> {
    match without_times(&file, Path::new(""), AtFlags::EMPTY_PATH) {
        Some(found) => found,
        None => Ok(facts(&rustix::fs::fstat(file)?)),
    }
}

/// The facts about what has this name in a folder; links are not followed.
pub(super) fn of_name(folder: impl AsFd, name: &Path) -> Result<Metadata> {
    match without_times(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Some(found) => found,
        None => Ok(facts(&rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?)),
    }
}

/// `None`: the system or a sandbox does not know the call.
#[cfg(target_os = "linux")]
fn without_times(folder: &impl AsFd, name: &Path, flags: AtFlags) -> Option<Result<Metadata>> {
    use crate::env::real::kind_of_mode;
    use rustix::fs::{StatxFlags, makedev, statx};
    use rustix::io::Errno;

    let wanted = StatxFlags::TYPE
        | StatxFlags::MODE
        | StatxFlags::NLINK
        | StatxFlags::UID
        | StatxFlags::INO
        | StatxFlags::SIZE;
    let found = match retry(|| statx(folder, name, flags, wanted)) {
        Ok(found) => found,
        // A sandbox may answer with any of these.
        Err(Errno::NOSYS | Errno::PERM | Errno::INVAL) => return None,
        Err(error) => return Some(Err(error)),
    };
    let has_all = StatxFlags::from_bits_retain(found.stx_mask).contains(wanted);
    has_all.then(|| {
        Ok(Metadata {
            kind: kind_of_mode(found.stx_mode.into()),
            len: found.stx_size,
            mode: u32::from(found.stx_mode) & 0o7777,
            uid: found.stx_uid,
            identity: (makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino),
            links: u64::from(found.stx_nlink),
        })
    })
}

#[cfg(not(target_os = "linux"))]
fn without_times(_folder: &impl AsFd, _name: &Path, _flags: AtFlags) -> Option<Result<Metadata>> {
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;
    use rustix::fs::CWD;

    /// Goal: the facts are those of `fstat`, whichever call found them.
    #[test]
    fn the_facts_are_those_with_times() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, b"twelve bytes").unwrap();
        std::fs::hard_link(&path, dir.path().join("link")).unwrap();
        let file = std::fs::File::open(&path).unwrap();
        let expected = facts(&rustix::fs::fstat(&file).unwrap());
        assert_eq!(of_file(&file).unwrap(), expected);
        assert_eq!(of_name(CWD, &path).unwrap(), expected);
        assert_eq!((expected.len, expected.links), (12, 2));
        let folder = std::fs::File::open(dir.path()).unwrap();
        let expected = facts(&rustix::fs::fstat(&folder).unwrap());
        assert_eq!(of_name(CWD, dir.path()).unwrap(), expected);
        std::os::unix::fs::symlink(&path, dir.path().join("symlink")).unwrap();
        let link = of_name(&folder, Path::new("symlink")).unwrap();
        assert_eq!(link.kind, crate::env::FileKind::Other);
        assert!(of_name(&folder, Path::new("none")).is_err());
    }
}
