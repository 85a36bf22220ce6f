#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use super::*;
use crate::env::memory::MemoryFs;
use crate::env::real::RealFs;
use crate::env::sim::SimFs;

/// A folder `v` with a file `f` that is watched and a file `LOCK` that is locked, on one file system.
struct Case {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    folder: Arc<LockedFolder>,
    _root: Option<tempfile::TempDir>,
}

impl Case {
    fn on(fs: Arc<dyn Fs>, root: Option<tempfile::TempDir>) -> Self {
        let dir = root.as_ref().map_or(Path::new("/"), |root| root.path()).join("v");
        fs.create_dir(&dir).unwrap();
        let folder = Arc::new(LockedFolder::bind(&fs, &dir).unwrap());
        assert!(folder.keep_lock(&dir, LockMode::Existing).unwrap());
        assert!(folder.keep_lock(&dir.join("LOCK"), LockMode::Make).unwrap());
        let file = folder.open(&dir.join("f"), OpenMode::Create).unwrap();
        folder.watch(&dir.join("f"), &file);
        Self { fs, dir, folder, _root: root }
    }

    fn all() -> Vec<Self> {
        let root = tempfile::tempdir().unwrap();
        vec![
            Self::on(Arc::new(MemoryFs::new()), None),
            Self::on(Arc::new(SimFs::new()), None),
            Self::on(Arc::new(RealFs), Some(root)),
        ]
    }

    fn refusals(&self) -> Vec<Displaced> {
        let folder = &self.folder;
        let outcomes = [
            folder.open(&self.dir.join("new"), OpenMode::CreateNew).map(drop),
            folder.open(&self.dir.join("f"), OpenMode::Existing).map(drop),
            folder.create_dir(&self.dir.join("d")),
            folder.rename(&self.dir.join("f"), &self.dir.join("g")),
            folder.remove_file(&self.dir.join("f")),
            folder.remove_dir_all(&self.dir.join("d")),
            folder.check_place(),
        ];
        let all = outcomes.map(|outcome| Displaced::of(&outcome.unwrap_err()).cloned().unwrap());
        all.into()
    }

    fn must_be(&self, path: &Path, is_replaced: bool) {
        let seen = Displaced { path: path.to_path_buf(), is_replaced };
        assert!(self.refusals().iter().all(|found| *found == seen), "{:?}", self.refusals());
        assert_eq!(self.folder.displaced(), Some(&seen));
    }
}

#[test]
fn a_folder_in_its_place_takes_every_change() {
    for case in Case::all() {
        let Case { dir, folder, .. } = &case;
        folder.create_dir(&dir.join("d")).unwrap();
        folder.open(&dir.join("d/x"), OpenMode::CreateNew).unwrap();
        folder.rename(&dir.join("f"), &dir.join("d/f")).unwrap();
        folder.check_place().unwrap();
        folder.remove_file(&dir.join("d/f")).unwrap();
        folder.remove_dir_all(&dir.join("d")).unwrap();
        folder.write_note(&dir.join("LOCK"), b"1\n").unwrap();
        folder.check_place().unwrap();
        assert_eq!(folder.displaced(), None);
        assert!(case.fs.try_lock(dir).unwrap().is_none());
        folder.release();
        assert!(case.fs.try_lock(dir).unwrap().is_some());
    }
}

#[test]
fn a_folder_that_is_moved_or_replaced_takes_no_change_any_more() {
    for case in Case::all() {
        let moved = case.dir.with_file_name("moved");
        case.fs.rename(&case.dir, &moved).unwrap();
        case.must_be(&case.dir, false);
        // What was seen stays seen.
        case.fs.rename(&moved, &case.dir).unwrap();
        case.must_be(&case.dir, false);
    }
    for case in Case::all() {
        case.fs.rename(&case.dir, &case.dir.with_file_name("moved")).unwrap();
        case.fs.create_dir(&case.dir).unwrap();
        // Reads and the files that are open still reach what was locked.
        assert!(case.folder.open(&case.dir.join("f"), OpenMode::Read).is_ok());
        case.must_be(&case.dir, true);
        assert!(case.fs.read_dir(&case.dir).unwrap().is_empty());
    }
    for case in Case::all() {
        case.fs.remove_dir_all(&case.dir).unwrap();
        case.must_be(&case.dir, false);
    }
}

#[test]
fn a_file_that_is_locked_or_watched_must_keep_its_name() {
    for name in ["LOCK", "f"] {
        for case in Case::all() {
            let path = case.dir.join(name);
            case.fs.remove_file(&path).unwrap();
            case.must_be(&path, false);
        }
        for case in Case::all() {
            let path = case.dir.join(name);
            let new = case.dir.join("new");
            case.fs.open(&new, OpenMode::CreateNew).unwrap();
            case.fs.rename(&new, &path).unwrap();
            case.must_be(&path, true);
        }
    }
}

#[test]
fn an_open_file_tells_that_it_has_no_name_any_more() {
    for case in Case::all() {
        let path = case.dir.join("f");
        let file = case.folder.open(&path, OpenMode::Existing).unwrap();
        assert_eq!(file.metadata().unwrap().links, 1);
        case.fs.remove_file(&path).unwrap();
        assert_eq!(file.metadata().unwrap().links, 0);
    }
}

#[test]
fn a_link_where_a_file_of_ours_should_be_is_found() {
    let root = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/", root.path().join("log")).unwrap();
    std::os::unix::fs::symlink("/", root.path().join("other")).unwrap();
    let found = |names: &[&str]| find_link(&RealFs, root.path(), names).unwrap();
    assert_eq!(found(&["state", "log"]), Some(root.path().join("log")));
    assert_eq!(found(&["state"]), None);
}
