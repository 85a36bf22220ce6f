#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::env::{File, Fs, OpenMode, read_exact_at};
use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

mod faults;
mod plans;

const DIR: &str = "/v";
const LOG: &str = "/v/log";

/// A disk with a durable empty directory and a durable file of 2 KiB of `a`.
fn disk() -> SimFs {
    let fs = SimFs::new();
    fs.create_dir(Path::new(DIR)).unwrap();
    fs.sync_dir(Path::new("/")).unwrap();
    let log = create(&fs, LOG);
    log.write_all_at(&[b'a'; 2048], 0).unwrap();
    log.sync_data().unwrap();
    fs.sync_dir(Path::new(DIR)).unwrap();
    fs
}

fn create(fs: &SimFs, path: &str) -> Arc<dyn File> {
    fs.open(Path::new(path), OpenMode::CreateNew).unwrap()
}

fn open(fs: &SimFs, path: &str) -> Arc<dyn File> {
    fs.open(Path::new(path), OpenMode::Existing).unwrap()
}

fn content(fs: &SimFs, path: &str) -> Option<Vec<u8>> {
    fs.read_all(Path::new(path)).ok()
}

/// What a file is after each of many random power cuts on copies of `fs`.
fn outcomes(fs: &SimFs, path: &str) -> BTreeSet<Option<Vec<u8>>> {
    (0..2000)
        .map(|seed| {
            let fork = fs.fork();
            fork.crash(CrashPlan::Random(seed));
            content(&fork, path)
        })
        .collect()
}

#[test]
fn synced_content_and_names_survive_everything() {
    let fs = disk();
    for plan in [CrashPlan::DropAll, CrashPlan::KeepAll, CrashPlan::Random(3)] {
        fs.crash(plan);
        assert_eq!(content(&fs, LOG).unwrap(), [b'a'; 2048]);
    }
}

#[test]
fn unsynced_writes_are_seen_and_then_gone() {
    let fs = disk();
    let log = open(&fs, LOG);
    log.write_all_at(b"new", 2048).unwrap();
    assert_eq!(log.len().unwrap(), 2051);
    assert_eq!(read_exact_at(log.as_ref(), 3, 2048).unwrap(), b"new");

    let kept = fs.fork();
    kept.crash(CrashPlan::KeepAll);
    assert_eq!(content(&kept, LOG).unwrap().len(), 2051);

    fs.crash(CrashPlan::DropAll);
    assert_eq!(content(&fs, LOG).unwrap(), [b'a'; 2048]);
}

#[test]
fn a_sync_covers_what_was_written_before_it_and_nothing_after() {
    let fs = disk();
    let log = open(&fs, LOG);
    log.write_all_at(b"one", 0).unwrap();
    log.sync_data().unwrap();
    log.write_all_at(b"two", 3).unwrap();
    fs.crash(CrashPlan::DropAll);
    assert_eq!(&content(&fs, LOG).unwrap()[..6], b"oneaaa");
}

#[test]
fn a_name_is_durable_only_with_its_directory() {
    let fs = disk();
    let file = create(&fs, "/v/new");
    file.write_all_at(b"x", 0).unwrap();
    file.sync_all().unwrap();
    let synced = fs.fork();
    synced.sync_dir(Path::new(DIR)).unwrap();

    fs.crash(CrashPlan::DropAll);
    assert_eq!(content(&fs, "/v/new"), None);
    synced.crash(CrashPlan::DropAll);
    assert_eq!(content(&synced, "/v/new").unwrap(), b"x");
}

#[test]
fn a_durable_name_needs_every_directory_above_it() {
    let fs = SimFs::new();
    fs.create_dir(Path::new("/a")).unwrap();
    fs.create_dir(Path::new("/a/b")).unwrap();
    create(&fs, "/a/b/c").sync_all().unwrap();
    fs.sync_dir(Path::new("/a/b")).unwrap();
    fs.sync_dir(Path::new("/a")).unwrap();
    let whole = fs.fork();
    whole.sync_dir(Path::new("/")).unwrap();

    fs.crash(CrashPlan::DropAll);
    assert!(fs.paths().is_empty());
    whole.crash(CrashPlan::DropAll);
    assert_eq!(whole.paths(), [Path::new("/a/b/c")]);
}

#[test]
fn an_unsynced_name_over_unsynced_content_shows_an_empty_file() {
    let fs = disk();
    create(&fs, "/v/new").write_all_at(b"x", 0).unwrap();
    fs.sync_dir(Path::new(DIR)).unwrap();
    fs.crash(CrashPlan::DropAll);
    assert_eq!(content(&fs, "/v/new").unwrap(), b"");
}

#[test]
fn an_unsynced_rename_leaves_the_old_names() {
    let fs = disk();
    let new = create(&fs, "/v/new");
    new.write_all_at(b"new", 0).unwrap();
    new.sync_data().unwrap();
    fs.sync_dir(Path::new(DIR)).unwrap();
    fs.rename(Path::new("/v/new"), Path::new(LOG)).unwrap();
    assert_eq!(content(&fs, LOG).unwrap(), b"new");

    let old = vec![b'a'; 2048];
    assert_eq!(outcomes(&fs, LOG), BTreeSet::from([Some(b"new".to_vec()), Some(old.clone())]));
    fs.crash(CrashPlan::DropAll);
    assert_eq!(content(&fs, LOG), Some(old));
    assert_eq!(content(&fs, "/v/new").unwrap(), b"new");
}

/// A rename that builds on an unsynced creation is never seen without it, and no file ever has
/// two names.
#[test]
fn changes_of_one_file_are_kept_in_order() {
    let fs = disk();
    create(&fs, "/v/one").sync_data().unwrap();
    fs.rename(Path::new("/v/one"), Path::new("/v/two")).unwrap();
    fs.rename(Path::new("/v/two"), Path::new("/v/three")).unwrap();
    let mut seen = BTreeSet::new();
    for seed in 0..500 {
        let fork = fs.fork();
        fork.crash(CrashPlan::Random(seed));
        seen.insert(fork.paths().into_iter().filter(|path| path != Path::new(LOG)).collect());
    }
    let names = ["/v/one", "/v/two", "/v/three"].map(|name| vec![Path::new(name).to_path_buf()]);
    assert_eq!(seen, names.into_iter().chain([vec![]]).collect());
}

#[test]
fn a_rename_between_directories_is_whole_or_not_at_all() {
    let fs = disk();
    fs.create_dir(Path::new("/w")).unwrap();
    fs.sync_dir(Path::new("/")).unwrap();
    fs.rename(Path::new(LOG), Path::new("/w/log")).unwrap();
    for seed in 0..200 {
        let fork = fs.fork();
        fork.crash(CrashPlan::Random(seed));
        assert_eq!(fork.paths().len(), 1, "seed={seed}");
    }
    // A sync of either side takes the other along.
    fs.sync_dir(Path::new("/w")).unwrap();
    fs.crash(CrashPlan::DropAll);
    assert_eq!(fs.paths(), [Path::new("/w/log")]);
}

#[test]
fn an_unsynced_removal_may_come_back() {
    let fs = disk();
    fs.remove_file(Path::new(LOG)).unwrap();
    assert_eq!(content(&fs, LOG), None);
    assert_eq!(outcomes(&fs, LOG).len(), 2);
    fs.sync_dir(Path::new(DIR)).unwrap();
    assert_eq!(outcomes(&fs, LOG), BTreeSet::from([None]));
}

#[test]
fn a_random_cut_tears_at_sectors_and_reaches_every_subset() {
    let fs = disk();
    open(&fs, LOG).write_all_at(&[b'b'; 1536], 256).unwrap();
    let seen = outcomes(&fs, LOG);
    // Four pieces: 256..512, 512..1024, 1024..1536, 1536..1792.
    assert_eq!(seen.len(), 16);
    for outcome in seen {
        let bytes = outcome.unwrap();
        for piece in [0..256, 256..512, 512..1024, 1024..1536, 1536..1792, 1792..2048] {
            assert!(bytes[piece.clone()].iter().all(|b| *b == bytes[piece.start]));
        }
    }
}

#[test]
fn writes_to_different_sectors_reach_the_disk_in_any_order() {
    let fs = disk();
    let log = open(&fs, LOG);
    log.write_all_at(b"1", 0).unwrap();
    log.write_all_at(b"2", 600).unwrap();
    let seen: BTreeSet<_> =
        outcomes(&fs, LOG).into_iter().flatten().map(|bytes| (bytes[0], bytes[600])).collect();
    assert_eq!(
        seen,
        BTreeSet::from([(b'a', b'a'), (b'1', b'a'), (b'a', b'2'), (b'1', b'2')]),
        "a later write without an earlier one is legal"
    );
}

#[test]
fn within_a_sector_a_later_write_brings_the_earlier_ones() {
    let fs = disk();
    let log = open(&fs, LOG);
    log.write_all_at(b"1", 0).unwrap();
    log.write_all_at(b"2", 100).unwrap();
    let seen: BTreeSet<_> =
        outcomes(&fs, LOG).into_iter().flatten().map(|bytes| (bytes[0], bytes[100])).collect();
    assert_eq!(seen, BTreeSet::from([(b'a', b'a'), (b'1', b'a'), (b'1', b'2')]));
}

#[test]
fn a_torn_growing_write_may_leave_zeros() {
    let fs = disk();
    open(&fs, LOG).write_all_at(&[b'b'; 1024], 2048).unwrap();
    let seen = outcomes(&fs, LOG);
    let mut zeros = vec![b'a'; 2048];
    zeros.extend([0; 1024]);
    assert!(seen.contains(&Some(zeros.clone())));
    zeros[2560..].fill(b'b');
    assert!(seen.contains(&Some(zeros)), "the second sector without the first");
    assert!(seen.contains(&Some(vec![b'a'; 2048])));
}

#[test]
fn a_length_is_content_like_any_other() {
    let fs = disk();
    let log = open(&fs, LOG);
    log.set_len(10).unwrap();
    log.set_len(20).unwrap();
    assert_eq!(content(&fs, LOG).unwrap(), [&[b'a'; 10][..], &[0; 10]].concat());
    let lens: BTreeSet<_> = outcomes(&fs, LOG).into_iter().flatten().map(|b| b.len()).collect();
    assert_eq!(lens, BTreeSet::from([10, 20, 2048]));
    log.sync_data().unwrap();
    fs.crash(CrashPlan::DropAll);
    assert_eq!(content(&fs, LOG).unwrap().len(), 20);
}

#[test]
fn the_same_seed_leaves_the_same_disk() {
    let run = |seed| {
        let fs = disk();
        open(&fs, LOG).write_all_at(&[b'b'; 2000], 100).unwrap();
        for name in 0..20 {
            create(&fs, &format!("/v/{name}")).write_all_at(&[1; 700], 0).unwrap();
        }
        fs.crash(CrashPlan::Random(seed));
        fs.paths().into_iter().map(|p| (fs.read_all(&p).unwrap(), p)).collect::<Vec<_>>()
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

fn image(fs: &SimFs) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    fs.paths().into_iter().map(|path| (path.clone(), fs.read_all(&path).unwrap())).collect()
}

/// Goal: whatever was done before, what is synced is what every later power cut leaves, and
/// keeping everything leaves what was seen.
/// Method: random calls on a few names; refused ones (no such file) are part of the game.
#[test]
fn after_syncing_everything_no_plan_changes_anything() {
    let names = ["/v/a", "/v/b", "/v/c", "/w/a", "/w/b"];
    for seed in 0..300 {
        let mut rng = Prng::new(seed);
        let fs = disk();
        fs.create_dir(Path::new("/w")).unwrap();
        for _ in 0..rng.below(60) {
            let name = Path::new(names[usize::try_from(rng.below(5)).unwrap()]);
            let other = Path::new(names[usize::try_from(rng.below(5)).unwrap()]);
            let file = |mode| fs.open(name, mode).ok();
            match rng.below(10) {
                0..4 => {
                    let bytes = vec![rng.below(256).to_le_bytes()[0]; 300];
                    let file = file(OpenMode::Create).unwrap();
                    file.write_all_at(&bytes, rng.below(2000)).unwrap();
                }
                4 => drop(file(OpenMode::Existing).map(|file| file.set_len(rng.below(2000)))),
                5 => drop(file(OpenMode::Existing).map(|file| file.sync_data())),
                6 => drop(fs.rename(name, other)),
                7 => drop(fs.remove_file(name)),
                8 => fs.sync_dir(Path::new(if rng.coin() { "/v" } else { "/w" })).unwrap(),
                _ => {
                    let before = image(&fs);
                    let fork = fs.fork();
                    fork.crash(CrashPlan::KeepAll);
                    assert_eq!(image(&fork), before, "seed={seed}");
                    // Goes on from some legal past, which may lack the second directory.
                    fs.crash(CrashPlan::Random(rng.next_u64()));
                    drop(fs.create_dir(Path::new("/w")));
                }
            }
        }
        for path in fs.paths() {
            open(&fs, path.to_str().unwrap()).sync_data().unwrap();
        }
        for dir in ["/", "/v", "/w"] {
            fs.sync_dir(Path::new(dir)).unwrap();
        }
        let synced = image(&fs);
        for plan in [CrashPlan::KeepAll, CrashPlan::Random(seed), CrashPlan::DropAll] {
            fs.crash(plan);
            assert_eq!(image(&fs), synced, "seed={seed} {plan:?}");
        }
    }
}

#[test]
fn handles_and_locks_end_with_the_crash() {
    let fs = disk();
    let log = open(&fs, LOG);
    let lock_path = Path::new("/v/LOCK");
    let guard = fs.try_lock(lock_path).unwrap().unwrap();
    fs.sync_dir(Path::new(DIR)).unwrap();
    fs.crash(CrashPlan::KeepAll);

    let stale = |outcome: io::Result<()>| outcome.unwrap_err().kind();
    assert_eq!(stale(log.write_all_at(b"x", 0)), ErrorKind::StaleNetworkFileHandle);
    assert_eq!(stale(log.sync_data()), ErrorKind::StaleNetworkFileHandle);
    assert_eq!(stale(log.read_at(&mut [0], 0).map(drop)), ErrorKind::StaleNetworkFileHandle);

    let second = fs.try_lock(lock_path).unwrap().unwrap();
    drop(guard);
    assert!(fs.try_lock(lock_path).unwrap().is_none(), "a stale guard frees nobody's lock");
    drop(second);
    assert!(fs.try_lock(lock_path).unwrap().is_some());
}

#[test]
fn a_lock_keeps_others_out_until_it_is_dropped() {
    let fs = disk();
    let path = Path::new("/v/LOCK");
    let guard = fs.try_lock(path).unwrap().unwrap();
    guard.file().write_all_at(b"42", 0).unwrap();
    assert!(fs.try_lock(path).unwrap().is_none());
    assert!(fs.try_lock(Path::new("/v/other")).unwrap().is_some());
    drop(guard);
    assert!(fs.try_lock(path).unwrap().is_some());
    assert_eq!(content(&fs, "/v/LOCK").unwrap(), b"42");

    let guard = fs.try_lock(Path::new(DIR)).unwrap().unwrap();
    assert!(fs.try_lock(Path::new(DIR)).unwrap().is_none());
    guard.file().write_all_at(b"x", 0).unwrap_err();
    drop(guard);
    assert!(fs.try_lock(Path::new(DIR)).unwrap().is_some(), "directories have locks, too");
}

#[test]
fn a_kill_frees_locks_and_keeps_the_page_cache() {
    let fs = disk();
    open(&fs, LOG).write_all_at(b"new", 0).unwrap();
    let guard = fs.try_lock(Path::new("/v/LOCK")).unwrap().unwrap();
    fs.kill();
    assert!(fs.try_lock(Path::new("/v/LOCK")).unwrap().is_some());
    drop(guard);
    assert_eq!(&content(&fs, LOG).unwrap()[..3], b"new");
    fs.crash(CrashPlan::DropAll);
    assert_eq!(&content(&fs, LOG).unwrap()[..3], b"aaa", "and still nothing of it is durable");
}

#[test]
fn an_open_file_outlives_its_name() {
    for fs in [SimFs::new(), SimFs::volatile()] {
        let file = create(&fs, "/old");
        file.write_all_at(b"old", 0).unwrap();
        fs.remove_file(Path::new("/old")).unwrap();
        create(&fs, "/old").write_all_at(b"new", 0).unwrap();
        assert_eq!(read_exact_at(file.as_ref(), 3, 0).unwrap(), b"old");
    }
}

#[test]
fn names_follow_the_rules_of_a_real_file_system() {
    let fs = disk();
    let kind = |outcome: io::Result<()>| outcome.unwrap_err().kind();
    let at = |path: &'static str, mode| fs.open(Path::new(path), mode).map(drop);
    assert_eq!(kind(at("/v/none", OpenMode::Existing)), ErrorKind::NotFound);
    assert_eq!(kind(at("/none/x", OpenMode::Create)), ErrorKind::NotFound);
    assert_eq!(kind(at("/v/log/x", OpenMode::Create)), ErrorKind::NotADirectory);
    assert_eq!(kind(at("/v/log", OpenMode::CreateNew)), ErrorKind::AlreadyExists);
    assert_eq!(kind(at("/v", OpenMode::Create)), ErrorKind::InvalidInput);
    assert_eq!(kind(at("/v/../w", OpenMode::Create)), ErrorKind::InvalidInput);
    assert_eq!(kind(fs.create_dir(Path::new(DIR))), ErrorKind::AlreadyExists);
    assert_eq!(kind(fs.remove_file(Path::new(DIR))), ErrorKind::IsADirectory);
    assert_eq!(kind(fs.rename(Path::new(LOG), Path::new(DIR))), ErrorKind::IsADirectory);
    assert_eq!(kind(fs.rename(Path::new(DIR), Path::new("/v/in"))), ErrorKind::InvalidInput);
    fs.rename(Path::new(LOG), Path::new(LOG)).unwrap();
    let read = fs.open(Path::new(LOG), OpenMode::Read).unwrap();
    assert_eq!(kind(read.write_all_at(b"x", 0)), ErrorKind::PermissionDenied);
    assert_eq!(fs.metadata(Path::new("/v/none")).unwrap(), None);

    fs.create_dir(Path::new("/v/sub")).unwrap();
    create(&fs, "/v/sub/b");
    create(&fs, "/v/sub/a");
    let names: Vec<_> =
        fs.read_dir(Path::new("/v/sub")).unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["a", "b"]);
    fs.rename(Path::new("/v/sub"), Path::new("/v/moved")).unwrap();
    assert!(fs.paths().contains(&Path::new("/v/moved/a").to_path_buf()));
    fs.remove_dir_all(Path::new(DIR)).unwrap();
    assert!(fs.paths().is_empty());
    fs.crash(CrashPlan::DropAll);
    assert_eq!(fs.paths(), [Path::new(LOG)], "none of that was synced");
}

#[test]
fn a_volatile_disk_forgets_removed_files_and_keeps_the_rest() {
    let fs = SimFs::volatile();
    for round in 0..1000 {
        let file = create(&fs, "/next");
        file.write_all_at(&vec![0; 1 << 20], 0).unwrap();
        drop(file);
        fs.rename(Path::new("/next"), Path::new("/last")).unwrap();
        assert!(fs.read_all(Path::new("/last")).unwrap().len() == 1 << 20, "round={round}");
    }
    fs.crash(CrashPlan::DropAll);
    assert_eq!(fs.paths(), [Path::new("/last")]);
    assert!(fs.ops().is_empty());
}

#[test]
fn what_is_done_to_the_disk_itself_is_durable_at_once() {
    let fs = disk();
    fs.overwrite(Path::new(LOG), 1, b"rot").unwrap();
    assert_eq!(&content(&fs, LOG).unwrap()[..5], b"arota");
    fs.truncate(Path::new(LOG), 8).unwrap();
    fs.crash(CrashPlan::DropAll);
    assert_eq!(content(&fs, LOG).unwrap(), b"arotaaaa");
    fs.delete(Path::new(LOG)).unwrap();
    fs.crash(CrashPlan::KeepAll);
    assert!(fs.paths().is_empty());
}

#[test]
fn a_fork_is_independent_and_a_restore_brings_it_back() {
    let fs = disk();
    let log = open(&fs, LOG);
    log.write_all_at(b"pending", 0).unwrap();
    let image = fs.fork();
    log.sync_data().unwrap();
    log.write_all_at(b"later", 100).unwrap();
    assert_eq!(&content(&image, LOG).unwrap()[100..105], b"aaaaa");

    fs.restore(&image);
    assert_eq!(log.sync_data().unwrap_err().kind(), ErrorKind::StaleNetworkFileHandle);
    assert_eq!(&content(&fs, LOG).unwrap()[..7], b"pending");
    fs.crash(CrashPlan::DropAll);
    assert_eq!(&content(&fs, LOG).unwrap()[..7], b"aaaaaaa");
    assert_eq!(&content(&image, LOG).unwrap()[..7], b"pending");
}

#[test]
fn the_clock_moves_only_when_told() {
    let sim = Sim::new(1);
    let env = sim.env();
    assert_eq!((env.clock.wall(), env.clock.monotonic()), (SIM_START, Duration::ZERO));
    for _ in 0..1000 {
        sim.clock.advance(Duration::from_micros(1500));
    }
    assert_eq!(env.clock.wall(), SIM_START.plus(1500), "fractions add up");
    sim.clock.jump_wall(-400);
    sim.clock.set_wall(env.clock.wall().plus(1));
    assert_eq!(env.clock.wall(), SIM_START.plus(1101));
    assert_eq!(env.clock.monotonic(), Duration::from_millis(1500));
    let env = sim.reboot();
    assert_eq!((env.clock.wall(), env.clock.monotonic()), (SIM_START.plus(1101), Duration::ZERO));
}

#[test]
fn chance_follows_from_the_seed() {
    let stream = |seed| Sim::new(seed).env().random::<33>().unwrap();
    assert_eq!(stream(7), stream(7));
    assert_ne!(stream(7), stream(8));
    let sim = Sim::new(7);
    assert_ne!(sim.env().random::<33>().unwrap(), sim.reboot().random::<33>().unwrap());
    // Every bit moves: no byte of 4096 draws is constant.
    let draws: Vec<[u8; 16]> = (0..4096).map(|_| sim.env().random().unwrap()).collect();
    for index in 0..16 {
        assert_eq!(draws.iter().map(|draw| draw[index]).collect::<BTreeSet<_>>().len(), 256);
    }
}
