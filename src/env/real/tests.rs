#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::env::{Env, read_exact_at, read_file};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

/// Set in a child of this test binary; names the child's own folder.
const CHILD_DIR: &str = "STRONGROOM_TEST_CHILD_DIR";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn mode_of(path: &Path) -> u32 {
    RealFs.metadata(path).unwrap().unwrap().mode
}

/// Runs one test of this file in a separate process, because umask, limits and the dumpable flag apply
/// to the whole process, and other tests run in this one. Returns the child's folder.
fn in_a_child(test: &str) -> Option<tempfile::TempDir> {
    if std::env::var_os(CHILD_DIR).is_some() {
        return None;
    }
    let dir = folder();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("env::real::tests::{test}"), "--nocapture"])
        .env(CHILD_DIR, dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "the child failed: {said}");
    Some(dir)
}

fn child_dir() -> PathBuf {
    PathBuf::from(std::env::var_os(CHILD_DIR).unwrap())
}

#[test]
fn files_are_0600_and_directories_0700_under_any_umask() {
    let umasks = [0o000, 0o002, 0o022, 0o077, 0o177, 0o777];
    if let Some(dir) = in_a_child("files_are_0600_and_directories_0700_under_any_umask") {
        for umask in umasks {
            let dir = dir.path().join(format!("{umask:03o}"));
            assert_eq!(mode_of(&dir), 0o700, "umask={umask:03o}");
            for file in ["new", "made", "lock"] {
                assert_eq!(mode_of(&dir.join(file)), 0o600, "umask={umask:03o} file={file}");
            }
        }
        return;
    }
    for umask in umasks {
        let dir = child_dir().join(format!("{umask:03o}"));
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(umask));
        RealFs.create_dir(&dir).unwrap();
        RealFs.open(&dir.join("new"), OpenMode::CreateNew).unwrap();
        RealFs.open(&dir.join("made"), OpenMode::Create).unwrap();
        RealFs.try_lock(&dir.join("lock")).unwrap().unwrap();
    }
}

#[test]
fn a_hardened_process_makes_private_files_and_no_core() {
    if in_a_child("a_hardened_process_makes_private_files_and_no_core").is_some() {
        return;
    }
    harden_process().unwrap();
    // Created as sled does: a plain file with the mode that the umask leaves.
    let path = child_dir().join("plain");
    fs::write(&path, b"").unwrap();
    assert_eq!(mode_of(&path), 0o600);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Core);
    assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    #[cfg(target_os = "linux")]
    assert_eq!(
        rustix::process::dumpable_behavior().unwrap(),
        rustix::process::DumpableBehavior::NotDumpable
    );
}

#[test]
fn opening_an_existing_file_leaves_its_mode() {
    let dir = folder();
    let path = dir.path().join("lax");
    fs::write(&path, b"").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let file = RealFs.open(&path, OpenMode::Create).unwrap();
    assert_eq!(file.metadata().unwrap().mode, 0o640, "the caller decides about lax files");
    RealFs.set_mode(&path, 0o600).unwrap();
    assert_eq!(file.metadata().unwrap().mode, 0o600);
    assert_eq!(file.metadata().unwrap().uid, effective_uid());
}

#[test]
fn only_regular_files_are_opened() {
    let dir = folder();
    let (fifo, link, dangling, sub) = (
        dir.path().join("fifo"),
        dir.path().join("link"),
        dir.path().join("dangling"),
        dir.path().join("sub"),
    );
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    fs::write(dir.path().join("target"), b"x").unwrap();
    symlink(dir.path().join("target"), &link).unwrap();
    symlink(dir.path().join("nowhere"), &dangling).unwrap();
    fs::create_dir(&sub).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();

    let null = PathBuf::from("/dev/null");
    for path in [fifo, link.clone(), dangling.clone(), sub, dir.path().join("socket"), null] {
        for mode in [OpenMode::Read, OpenMode::Existing, OpenMode::Create] {
            let error = RealFs.open(&path, mode).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{path:?} {mode:?}");
        }
        let error = RealFs.open(&path, OpenMode::CreateNew).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{path:?}");
        assert_eq!(RealFs.try_lock(&path).is_err(), !path.is_dir(), "{path:?}");
    }
    assert!(!dir.path().join("nowhere").exists(), "a link is not created through");
    assert_eq!(RealFs.metadata(&link).unwrap().unwrap().kind, FileKind::Other);
    assert_eq!(
        RealFs.set_mode(&link, 0o600).unwrap_err().kind(),
        ErrorKind::InvalidInput,
        "a mode is not set through a link"
    );
}

#[test]
fn bytes_come_back_from_where_they_were_put() {
    let dir = folder();
    let path = dir.path().join("file");
    let file = RealFs.open(&path, OpenMode::CreateNew).unwrap();
    file.write_all_at(b"head", 0).unwrap();
    file.write_all_at(b"tail", 100).unwrap();
    assert_eq!(file.len().unwrap(), 104);
    assert_eq!(read_exact_at(file.as_ref(), 8, 96).unwrap(), b"\0\0\0\0tail");
    assert_eq!(read_exact_at(file.as_ref(), 8, 100).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    file.set_len(2).unwrap();
    file.sync_data().unwrap();
    file.sync_all().unwrap();
    RealFs.sync_dir(dir.path()).unwrap();
    assert_eq!(read_file(&RealFs, &path, 2).unwrap(), b"he");
    assert_eq!(read_file(&RealFs, &path, 1).unwrap_err().kind(), ErrorKind::FileTooLarge);

    let reader = RealFs.open(&path, OpenMode::Read).unwrap();
    assert!(reader.write_all_at(b"x", 0).is_err());
    assert_eq!(
        RealFs.open(&path, OpenMode::CreateNew).map(drop).unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    assert_eq!(
        RealFs.open(&dir.path().join("none"), OpenMode::Existing).map(drop).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn names_are_listed_sorted_renamed_and_removed() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    for name in ["b", "a", "c"] {
        RealFs.open(&at(name), OpenMode::CreateNew).unwrap().write_all_at(b"x", 0).unwrap();
    }
    RealFs.create_dir(&at("d")).unwrap();
    assert_eq!(RealFs.create_dir(&at("d")).unwrap_err().kind(), ErrorKind::AlreadyExists);
    RealFs.rename(&at("a"), &at("b")).unwrap();
    RealFs.remove_file(&at("c")).unwrap();
    let entries = RealFs.read_dir(dir.path()).unwrap();
    assert_eq!(
        entries,
        [
            DirEntry { name: "b".into(), kind: FileKind::File },
            DirEntry { name: "d".into(), kind: FileKind::Dir }
        ]
    );
    RealFs.open(&at("d").join("x"), OpenMode::CreateNew).unwrap();
    RealFs.remove_dir_all(&at("d")).unwrap();
    assert_eq!(RealFs.metadata(&at("d")).unwrap(), None);
    assert!(RealFs.sync_dir(&at("b")).is_err(), "a file is no directory");
    assert!(RealFs.free_bytes(dir.path()).unwrap() > 0);
    assert!(RealFs.is_real());
}

#[test]
fn a_lock_keeps_other_handles_out_until_it_is_dropped() {
    let dir = folder();
    let path = dir.path().join("LOCK");
    let guard = RealFs.try_lock(&path).unwrap().unwrap();
    guard.file().write_all_at(b"42", 0).unwrap();
    assert!(RealFs.try_lock(&path).unwrap().is_none());
    assert_eq!(fs::read(&path).unwrap(), b"42", "the holder's note can be read");
    drop(guard);
    assert!(RealFs.try_lock(&path).unwrap().is_some());
}

#[test]
fn a_directory_can_be_locked_and_used_all_the_same() {
    let dir = folder();
    let guard = RealFs.try_lock(dir.path()).unwrap().unwrap();
    assert!(RealFs.try_lock(dir.path()).unwrap().is_none());
    assert!(guard.file().write_all_at(b"x", 0).is_err());
    let file = RealFs.try_lock(&dir.path().join("LOCK")).unwrap();
    assert!(file.is_some(), "the files in it have locks of their own");
    RealFs.sync_dir(dir.path()).unwrap();
    drop(guard);
    assert!(RealFs.try_lock(dir.path()).unwrap().is_some());
}

#[test]
fn a_lock_keeps_other_processes_out_and_dies_with_its_holder() {
    if let Some(dir) = in_a_child("a_lock_keeps_other_processes_out_and_dies_with_its_holder") {
        // The child has leaked its guard and exited.
        assert!(RealFs.try_lock(&dir.path().join("dead")).unwrap().is_some());
        let live = dir.path().join("live");
        let _guard = RealFs.try_lock(&live).unwrap().unwrap();
        let probe = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "env::real::tests::probe_of_a_held_lock", "--nocapture"])
            .env(CHILD_DIR, dir.path())
            .output()
            .unwrap();
        assert!(probe.status.success());
        return;
    }
    let guard = RealFs.try_lock(&child_dir().join("dead")).unwrap().unwrap();
    std::mem::forget(guard);
}

/// Only does something as the child of the test above.
#[test]
fn probe_of_a_held_lock() {
    if std::env::var_os(CHILD_DIR).is_some() {
        assert!(RealFs.try_lock(&child_dir().join("live")).unwrap().is_none());
    }
}

/// If a cleanup job unlinks LOCK, a second vault must not open as if it were alone: the locked file must
/// be the one that has the name.
#[test]
fn a_lock_is_always_on_the_file_that_has_the_name() {
    let dir = folder();
    let path = dir.path().join("LOCK");
    let first = RealFs.try_lock(&path).unwrap().unwrap();
    fs::remove_file(&path).unwrap();
    // The holder can notice: path and descriptor differ.
    assert_eq!(RealFs.metadata(&path).unwrap(), None);
    let second = RealFs.try_lock(&path).unwrap().unwrap();
    let named = RealFs.metadata(&path).unwrap().unwrap().identity;
    assert_eq!(second.file().metadata().unwrap().identity, named);
    assert_ne!(first.file().metadata().unwrap().identity, named);

    // Even if the file is unlinked again and again, the lock is never on an unlinked file.
    drop((first, second));
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let _ = fs::remove_file(&path);
                std::thread::yield_now();
            }
        });
        let mut taken = 0;
        for _ in 0..2000 {
            taken += u32::from(matches!(RealFs.try_lock(&path), Ok(Some(_))));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(taken > 0);
    });
}

#[test]
fn the_clock_and_the_generator_are_real() {
    let env = Env::real();
    assert!(env.clock.wall() > UnixMillis(1_700_000_000_000));
    let before = env.clock.monotonic();
    std::thread::sleep(Duration::from_millis(5));
    assert!(env.clock.monotonic() >= before + Duration::from_millis(5));
    assert_ne!(env.random::<32>().unwrap(), env.random::<32>().unwrap());
    assert!(memory_bytes() > 1 << 24);
    assert_eq!(process_id(), std::process::id());
}

#[test]
fn an_environment_in_memory_has_real_chance_and_no_real_path() {
    let env = Env::in_memory();
    assert!(!env.fs.is_real());
    env.fs.open(Path::new("/x"), OpenMode::CreateNew).unwrap().write_all_at(b"x", 0).unwrap();
    assert!(!Path::new("/x").exists());
    assert_ne!(env.random::<32>().unwrap(), Env::in_memory().random::<32>().unwrap());
}

#[test]
fn a_limit_on_the_size_of_files_is_no_space_and_a_file_that_is_too_long_for_us_is_not() {
    for code in [Errno::NOSPC, Errno::DQUOT, Errno::FBIG] {
        assert!(crate::env::is_no_space(&code.into()), "{code}");
    }
    assert!(!crate::env::is_no_space(&ErrorKind::FileTooLarge.into()));
    assert!(!crate::env::is_no_space(&Errno::IO.into()));
}
