#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::env::{read_exact_at, read_file};
use std::io::ErrorKind;

fn create(fs: &MemoryFs, path: &str, bytes: &[u8]) -> Arc<dyn File> {
    let file = fs.open(Path::new(path), OpenMode::CreateNew).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    file
}

#[test]
fn names_follow_the_rules_of_a_real_file_system() {
    let fs = MemoryFs::new();
    fs.create_dir(Path::new("/v")).unwrap();
    create(&fs, "/v/log", b"log");
    let kind = |outcome: io::Result<()>| outcome.unwrap_err().kind();
    let at = |path: &'static str, mode| fs.open(Path::new(path), mode).map(drop);
    assert_eq!(kind(at("/v/none", OpenMode::Existing)), ErrorKind::NotFound);
    assert_eq!(kind(at("/none/x", OpenMode::Create)), ErrorKind::NotFound);
    assert_eq!(kind(at("/v/log/x", OpenMode::Create)), ErrorKind::NotADirectory);
    assert_eq!(kind(at("/v/log", OpenMode::CreateNew)), ErrorKind::AlreadyExists);
    assert_eq!(kind(at("/v", OpenMode::Create)), ErrorKind::InvalidInput);
    assert_eq!(kind(at("/v/../w", OpenMode::Create)), ErrorKind::InvalidInput);
    assert_eq!(kind(fs.create_dir(Path::new("/v"))), ErrorKind::AlreadyExists);
    assert_eq!(kind(fs.remove_file(Path::new("/v"))), ErrorKind::IsADirectory);
    assert_eq!(kind(fs.rename(Path::new("/v/log"), Path::new("/v"))), ErrorKind::IsADirectory);
    assert_eq!(kind(fs.rename(Path::new("/v"), Path::new("/v/in"))), ErrorKind::InvalidInput);
    fs.rename(Path::new("/v/log"), Path::new("/v/log")).unwrap();
    let read = fs.open(Path::new("/v/log"), OpenMode::Read).unwrap();
    assert_eq!(kind(read.write_all_at(b"x", 0)), ErrorKind::PermissionDenied);
    assert_eq!(fs.metadata(Path::new("/v/none")).unwrap(), None);

    fs.create_dir(Path::new("/v/sub")).unwrap();
    create(&fs, "/v/sub/b", b"b");
    create(&fs, "/v/sub/a", b"a");
    let names = fs.read_dir(Path::new("/v/sub")).unwrap().into_iter();
    assert_eq!(names.map(|entry| entry.name).collect::<Vec<_>>(), ["a", "b"]);
    fs.rename(Path::new("/v/sub"), Path::new("/v/moved")).unwrap();
    assert_eq!(read_file(&fs, Path::new("/v/moved/a"), 9).unwrap(), b"a");
    assert_eq!(fs.paths().len(), 3);
    fs.remove_dir_all(Path::new("/v")).unwrap();
    assert!(fs.paths().is_empty());
}

#[test]
fn an_open_file_outlives_its_name_and_another_takes_its_place() {
    let fs = MemoryFs::new();
    let old = create(&fs, "/old", b"old");
    create(&fs, "/new", b"new");
    fs.rename(Path::new("/new"), Path::new("/old")).unwrap();
    assert_eq!(read_exact_at(old.as_ref(), 3, 0).unwrap(), b"old");
    assert_eq!(read_file(&fs, Path::new("/old"), 9).unwrap(), b"new");
}

#[test]
fn files_grow_with_zeros_and_keep_their_modes() {
    let fs = MemoryFs::new();
    let file = create(&fs, "/f", b"ab");
    file.write_all_at(b"c", 4).unwrap();
    file.set_len(6).unwrap();
    assert_eq!(read_file(&fs, Path::new("/f"), 9).unwrap(), b"ab\0\0c\0");
    let mut buffer = [1; 4];
    assert_eq!(file.read_at(&mut buffer, 4).unwrap(), 2);
    assert_eq!(file.read_at(&mut buffer, 99).unwrap(), 0);
    fs.set_mode(Path::new("/f"), 0o640).unwrap();
    let metadata = file.metadata().unwrap();
    assert_eq!((metadata.mode, metadata.len, metadata.kind), (0o640, 6, FileKind::File));
}

#[test]
fn a_fork_shares_nothing_and_a_lock_is_held_by_one() {
    let fs = MemoryFs::new();
    let file = create(&fs, "/f", b"one");
    let fork = fs.fork();
    file.write_all_at(b"two", 0).unwrap();
    assert_eq!(read_file(&fork, Path::new("/f"), 9).unwrap(), b"one");
    let held = fs.try_lock(Path::new("/lock")).unwrap();
    assert!(held.is_some() && fs.try_lock(Path::new("/lock")).unwrap().is_none());
    assert!(fs.fork().try_lock(Path::new("/lock")).unwrap().is_some());
    drop(held);
    assert!(fs.try_lock(Path::new("/lock")).unwrap().is_some());
}
