#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use super::*;
use crate::env::{FileKind, read_file};
use std::io::ErrorKind;
use std::os::unix::fs::symlink;

struct Root {
    root: tempfile::TempDir,
    fs: Arc<dyn Fs>,
}

impl Root {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("vault");
        std::fs::create_dir_all(dir.join("log")).unwrap();
        let fs = Arc::new(RealFs).bind(&dir).unwrap();
        Self { root, fs }
    }

    fn dir(&self) -> PathBuf {
        self.root.path().join("vault")
    }

    fn write(&self, path: &Path, bytes: &[u8]) {
        self.fs.open(path, OpenMode::Create).unwrap().write_all_at(bytes, 0).unwrap();
    }
}

#[test]
fn a_folder_that_was_moved_is_still_the_one_that_is_used() {
    let root = Root::new();
    let (dir, moved) = (root.dir(), root.root.path().join("moved"));
    std::fs::rename(&dir, &moved).unwrap();
    std::fs::create_dir_all(dir.join("log")).unwrap();
    root.write(&dir.join("LOCK"), b"ours");
    root.write(&dir.join("log/1"), b"one");
    root.fs.create_dir(&dir.join("state")).unwrap();
    root.fs.rename(&dir.join("log/1"), &dir.join("state/2")).unwrap();
    root.fs.sync_dir(&dir).unwrap();
    root.fs.sync_dir(&dir.join("state")).unwrap();
    assert_eq!(std::fs::read(moved.join("LOCK")).unwrap(), b"ours");
    assert_eq!(std::fs::read(moved.join("state/2")).unwrap(), b"one");
    assert_eq!(read_file(root.fs.as_ref(), &dir.join("state/2"), 9).unwrap(), b"one");
    let names = root.fs.read_dir(&dir).unwrap().into_iter().map(|entry| (entry.name, entry.kind));
    let expected = [("LOCK", FileKind::File), ("log", FileKind::Dir), ("state", FileKind::Dir)];
    assert!(names.eq(expected.map(|(name, kind)| (name.to_owned(), kind))));
    assert!(root.fs.lock(&dir.join("LOCK"), LockMode::Existing).unwrap().is_some());
    root.fs.remove_file(&dir.join("LOCK")).unwrap();
    root.fs.remove_dir_all(&dir.join("state")).unwrap();
    assert!(!moved.join("LOCK").exists() && !moved.join("state").exists());
    // What has its name now was not touched.
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
    assert_eq!(std::fs::read_dir(dir.join("log")).unwrap().count(), 0);
}

#[test]
fn a_link_on_the_way_is_refused_and_nothing_leaves_the_folder() {
    let root = Root::new();
    let (dir, other) = (root.dir(), root.root.path().join("other"));
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("f"), "theirs").unwrap();
    symlink(&other, dir.join("link")).unwrap();
    let refused = |outcome: io::Result<()>| {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidInput);
    };
    refused(root.fs.open(&dir.join("link/f"), OpenMode::Existing).map(drop));
    refused(root.fs.open(&dir.join("link/new"), OpenMode::CreateNew).map(drop));
    refused(root.fs.read_dir(&dir.join("link")).map(drop));
    refused(root.fs.create_dir(&dir.join("link/d")));
    refused(root.fs.remove_file(&dir.join("link/f")));
    refused(root.fs.rename(&dir.join("link/f"), &dir.join("f")));
    refused(root.fs.sync_dir(&dir.join("link")));
    refused(root.fs.open_folder(&dir.join("link")).map(drop));
    assert!(root.fs.remove_dir_all(&dir.join("link")).is_err());
    refused(root.fs.open(&dir.join("../other/f"), OpenMode::Read).map(drop));
    refused(root.fs.open(&dir.join("log/../LOCK"), OpenMode::Create).map(drop));
    assert_eq!(root.fs.metadata(&dir.join("link")).unwrap().unwrap().kind, FileKind::Other);
    assert_eq!(std::fs::read(other.join("f")).unwrap(), b"theirs");
    // Removing a folder removes a link in it, and not what it leads to.
    symlink(&other, dir.join("log/link")).unwrap();
    root.fs.remove_dir_all(&dir.join("log")).unwrap();
    assert!(other.join("f").exists() && !dir.join("log").exists());
}

#[test]
fn what_is_missing_is_missing_and_other_paths_are_as_before() {
    let root = Root::new();
    let dir = root.dir();
    assert_eq!(root.fs.metadata(&dir.join("none")).unwrap(), None);
    assert_eq!(root.fs.metadata(&dir.join("none/deeper")).unwrap(), None);
    let error = root.fs.open(&dir.join("none/deeper"), OpenMode::Read).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let outside = root.root.path().join("outside");
    root.write(&outside, b"x");
    assert_eq!(std::fs::read(&outside).unwrap(), b"x");
    root.fs.sync_dir(root.root.path()).unwrap();
    root.fs.set_mode(&dir.join("."), 0o750).unwrap();
    assert_eq!(root.fs.metadata(&dir.join(".")).unwrap().unwrap().mode, 0o750);
    assert!(root.fs.free_bytes(&dir).unwrap() > 0);
}

#[test]
fn the_folder_itself_is_locked_wherever_its_path_leads() {
    let root = Root::new();
    let (dir, moved) = (root.dir(), root.root.path().join("moved"));
    let guard = root.fs.lock(&dir, LockMode::Existing).unwrap().unwrap();
    assert!(RealFs.lock(&dir, LockMode::Existing).unwrap().is_none());
    assert!(RealFs.lock(&dir, LockMode::Shared).unwrap().is_none());
    std::fs::rename(&dir, &moved).unwrap();
    assert!(RealFs.lock(&moved, LockMode::Existing).unwrap().is_none());
    drop(guard);
    let shared = RealFs.lock(&moved, LockMode::Shared).unwrap();
    assert!(shared.is_some() && RealFs.lock(&moved, LockMode::Shared).unwrap().is_some());
    assert!(RealFs.lock(&moved, LockMode::Existing).unwrap().is_none());
    let missing = RealFs.lock(&moved.join("none"), LockMode::Existing).map(drop);
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
#[cfg(target_os = "linux")]
fn a_library_that_works_by_path_gets_one_that_stays() {
    let root = Root::new();
    let (dir, moved) = (root.dir(), root.root.path().join("moved"));
    let folder = root.fs.open_folder(&dir.join("log")).unwrap();
    std::fs::rename(&dir, &moved).unwrap();
    std::fs::create_dir_all(dir.join("log")).unwrap();
    std::fs::write(folder.path.join("db"), "x").unwrap();
    assert!(moved.join("log/db").exists() && !dir.join("log/db").exists());
    assert!(folder.keep.is_some());
}
