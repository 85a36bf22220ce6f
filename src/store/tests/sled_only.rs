//! What only a state on disk can do wrong.

use super::*;
use crate::store::{StoreError, guard};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

fn is_broken<T>(result: Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Broken { .. }))
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Every file and directory below and including `dir`.
fn paths(dir: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::from([dir.to_path_buf()]);
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(paths(&path));
        } else {
            found.insert(path);
        }
    }
    found
}

#[test]
fn rows_and_lsn_survive_close_and_drop() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.apply(&[set_of(1, 100), set_of(2, 100)]).unwrap();
    assert_eq!(store.close().unwrap(), Lsn(2));
    let store = open(dir.path());
    assert_eq!(store.applied().unwrap(), Lsn(2));
    store.apply(&[set_of(3, 100)]).unwrap();
    let (before, live_bytes) = (rows(&store), store.live_bytes());
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.applied().unwrap(), Lsn(3));
    assert_eq!(store.live_bytes(), live_bytes);
    assert_eq!(rows(&store), before);
}

#[test]
fn live_bytes_count_rows_as_they_come_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let sets = [
        set(1, vec![put(Tree::Names, b"key", b"value"), put(Tree::Labels, b"a", b"")]),
        set(2, vec![put(Tree::Names, b"key", b"longer value"), gone(Tree::Labels, b"b")]),
    ];
    store.apply(&sets).unwrap();
    assert_eq!(store.live_bytes(), 3 + 12 + 1);
    store.apply(&[set(3, vec![gone(Tree::Names, b"key"), gone(Tree::Labels, b"a")])]).unwrap();
    assert_eq!(store.live_bytes(), 0);
}

#[test]
fn a_closed_store_refuses_and_has_let_its_files_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.apply(&[set_of(1, 1)]).unwrap();
    store.close().unwrap();
    let lock = NotingFs::default().try_lock(&dir.path().join("state/db")).unwrap();
    assert!(lock.is_some(), "sled still holds its lock");
    assert!(is_broken(store.get(Tree::Names, b"k")));
    assert!(is_broken(store.apply(&[set_of(2, 1)])));
    assert!(is_broken(store.checkpoint()));
    assert!(is_broken(store.close()));
}

#[test]
fn checkpoint_and_close_sync_every_file_and_directory() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let fs = NotingFs::default();
    let store = SledStore::open(Arc::new(fs.clone()), &state, SledOptions::default()).unwrap();
    store.apply(&[set_of(1, 100)]).unwrap();
    for close in [false, true] {
        fs.take_synced();
        assert_eq!(if close { store.close() } else { store.checkpoint() }.unwrap(), Lsn(1));
        let mut expected = paths(&state);
        assert!(expected.contains(&state.join("db")) && expected.contains(&state.join("conf")));
        expected.insert(dir.path().to_path_buf());
        let synced: BTreeSet<_> = fs.take_synced().into_iter().collect();
        assert_eq!(synced, expected, "close={close}");
    }
}

#[test]
fn after_a_failed_sync_no_checkpoint_is_believed_and_reads_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let fs = NotingFs::default();
    let store = SledStore::open(Arc::new(fs.clone()), &state, SledOptions::default()).unwrap();
    store.apply(&[set(1, vec![put(Tree::Names, b"k", b"v")])]).unwrap();
    fs.fail_sync_of(Some(state.join("db")));
    assert!(matches!(store.checkpoint(), Err(StoreError::Io { .. })));
    fs.fail_sync_of(None);
    assert!(matches!(store.checkpoint(), Err(StoreError::Io { .. })), "the kernel forgot, not we");
    assert_eq!(store.get(Tree::Names, b"k").unwrap().as_deref(), Some(&b"v"[..]));
    assert!(matches!(store.close(), Err(StoreError::Io { .. })), "no end mark may follow");
}

#[test]
fn everything_is_private_after_open_and_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
    let check = || {
        for path in paths(&state) {
            assert_eq!(mode(&path), if path.is_dir() { 0o700 } else { 0o600 }, "{path:?}");
        }
    };
    let store = open(dir.path());
    check();
    for path in paths(&state).into_iter().filter(|path| path.is_file()) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    store.checkpoint().unwrap();
    check();
    store.close().unwrap();
    open(dir.path());
    check();
}

#[test]
fn an_unfinished_snapshot_of_sled_is_not_taken_for_the_newest() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.apply(&[set_of(1, 100)]).unwrap();
    let before = rows(&store);
    store.close().unwrap();
    let unfinished = dir.path().join("state/snap.FFFFFFFFFFFFFFFF.generating");
    fs::write(&unfinished, b"").unwrap();
    let store = open(dir.path());
    assert_eq!(rows(&store), before);
    assert!(!unfinished.exists());
}

/// A copy of the folder while it is open is what `kill -9` leaves.
#[test]
fn a_killed_state_holds_whole_sets_up_to_its_lsn() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let model = crate::store::OrderedStore::new();
    for round in 0..12_u64 {
        let sets: Vec<_> = (1..=20).map(|lsn| set_of(round * 20 + lsn, 7)).collect();
        store.apply(&sets).unwrap();
        let durable = if round % 3 == 0 { store.checkpoint().unwrap() } else { Lsn(0) };
        let killed = tempfile::tempdir().unwrap();
        copy_dir(&dir.path().join("state"), &killed.path().join("state"));
        let killed = open(killed.path());
        let lsn = killed.applied().unwrap();
        assert!(lsn >= durable, "a checkpoint lied");
        model.apply(&(1..=lsn.0).map(|lsn| set_of(lsn, 7)).collect::<Vec<_>>()).unwrap();
        if model.applied().unwrap() == lsn {
            assert_eq!(rows(&killed), rows(&model));
        }
    }
    assert!(model.applied().unwrap() > Lsn(100), "hardly anything was compared");
}

#[test]
fn a_lingering_lock_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).close().unwrap();
    let lock = NotingFs::default().try_lock(&dir.path().join("state/db")).unwrap().unwrap();
    let holder = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        drop(lock);
    });
    open(dir.path());
    holder.join().unwrap();
}

#[test]
fn a_state_is_opened_again_right_after_a_drop() {
    let dir = tempfile::tempdir().unwrap();
    for lsn in 1..=30 {
        let store = open(dir.path());
        assert_eq!(store.applied().unwrap(), Lsn(lsn - 1));
        store.apply(&[set_of(lsn, 50)]).unwrap();
    }
}

#[test]
fn a_link_in_the_state_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).close().unwrap();
    let (db, elsewhere) = (dir.path().join("state/db"), dir.path().join("elsewhere"));
    fs::rename(&db, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &db).unwrap();
    let opened = SledStore::open(real_fs(), &dir.path().join("state"), SledOptions::default());
    assert!(is_broken(opened));
}

#[test]
fn chunks_of_large_values_stay_out_of_blob_files() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let chunk = Dice(1).bytes(crate::model::limits::CHUNK_BYTES);
    for lsn in 1..=60_u64 {
        let key = |row: u16| [lsn.to_be_bytes().as_slice(), &row.to_be_bytes()].concat();
        let chunks = (0..17).map(|row| put(Tree::Blobs, &key(row), &chunk));
        store.apply(&[set(lsn, chunks.collect())]).unwrap();
    }
    store.checkpoint().unwrap();
    assert_eq!(fs::read_dir(dir.path().join("state/blobs")).unwrap().count(), 0);
}

#[test]
fn a_load_gives_what_applying_gives() {
    let (loaded, applied) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (loaded, applied) = (open(loaded.path()), open(applied.path()));
    let mut dice = Dice(8);
    for lsn in 1..=40 {
        let tree = Tree::ALL[usize::try_from(dice.below(8)).unwrap()];
        let keys: BTreeSet<_> = (0..200).map(|_| dice.bytes(6)).collect();
        let puts = keys.iter().map(|key| put(tree, key, &key.repeat(9)));
        applied.apply(&[set(lsn, puts.collect())]).unwrap();
    }
    let mut loader = loaded.load().unwrap();
    for (tree, key, value) in rows(&applied) {
        loader.push(tree, &key, &value).unwrap();
    }
    assert_eq!(loaded.applied().unwrap(), Lsn(0), "the LSN comes last");
    loader.finish(Lsn(40)).unwrap();
    assert_eq!(rows(&loaded), rows(&applied));
    assert_eq!(loaded.applied().unwrap(), Lsn(40));
    assert_eq!(loaded.live_bytes(), applied.live_bytes());
    assert!(is_broken(loaded.load().map(drop)), "a load needs an empty state");
}

/// Goal: whoever meets a block that is none breaks the state, so that it is rebuilt before anybody else
/// relies on it. Method: the block is changed through sled, and met by each way to read and to write.
#[test]
fn a_damaged_block_breaks_the_state() {
    type Meets = fn(&SledStore) -> bool;
    let ways: [Meets; 4] = [
        |store| is_broken(store.get(Tree::Names, b"k")),
        |store| is_broken(store.range(Tree::Names, all(9))),
        |store| is_broken(store.scan(Tree::Names, &mut |_, _| {})),
        |store| is_broken(store.apply(&[set(2, vec![put(Tree::Names, b"l", b"v")])])),
    ];
    for (number, meets) in ways.into_iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        store.apply(&[set(1, vec![put(Tree::Names, b"k", b"v")])]).unwrap();
        store.close().unwrap();
        let config = sled::Config::new().path(dir.path().join("state")).segment_size(1 << 20);
        let db = config.open().unwrap();
        db.open_tree("names in blocks").unwrap().insert("", "no block").unwrap();
        drop(db);
        let store = open(dir.path());
        assert!(meets(&store), "way {number}");
        assert!(is_broken(store.applied()), "way {number}: it goes on");
    }
}

#[test]
fn an_interrupted_load_is_at_lsn_zero() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut loader = store.load().unwrap();
    for row in 0..20_000_u32 {
        loader.push(Tree::Keys, &row.to_be_bytes(), &[7; 100]).unwrap();
    }
    drop(loader);
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.applied().unwrap(), Lsn(0));
    assert!(!rows(&store).is_empty(), "there was something to be taken in by");
}

/// Two vaults in one process: transactions and flushes of both take turns (I3), readers go on.
#[test]
fn two_states_in_one_process_do_not_block_each_other() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let stores = dirs.each_ref().map(|dir| open(dir.path()));
    std::thread::scope(|scope| {
        for store in &stores {
            let writer = scope.spawn(|| {
                for lsn in 1..=300 {
                    store.apply(&[set_of(lsn, 20)]).unwrap();
                }
            });
            scope.spawn(move || {
                let mut last = Lsn(0);
                while !writer.is_finished() {
                    let lsn = store.checkpoint().unwrap();
                    assert!(lsn >= last && lsn <= store.applied().unwrap());
                    last = lsn;
                }
            });
        }
    });
    for store in stores {
        assert_eq!(store.close().unwrap(), Lsn(300));
    }
}

#[test]
fn the_opening_mark_stands_until_the_check_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let fs = real_fs();
    let store = SledStore::open_guarded(&fs, dir.path(), SledOptions::default()).unwrap();
    assert!(guard::was_opening(&*fs, dir.path()).unwrap());
    store.apply(&[set_of(1, 3)]).unwrap();
    store.checked().unwrap();
    assert!(!guard::was_opening(&*fs, dir.path()).unwrap());
    store.close().unwrap();
    let store = SledStore::open_guarded(&fs, dir.path(), SledOptions::default()).unwrap();
    assert_eq!(store.applied().unwrap(), Lsn(1));
}

#[test]
fn a_state_whose_opening_never_ended_is_set_aside_unopened() {
    let dir = tempfile::tempdir().unwrap();
    let fs = real_fs();
    for lsn in 1..=3_u64 {
        let store = SledStore::open_guarded(&fs, dir.path(), SledOptions::default()).unwrap();
        assert_eq!(store.applied().unwrap(), Lsn(0), "the marked state was opened");
        store.apply(&[set_of(lsn, 3)]).unwrap();
        store.close().unwrap();
    }
    let aside = SledStore::open(fs, &dir.path().join("state.aside"), SledOptions::default());
    assert_eq!(aside.unwrap().applied().unwrap(), Lsn(2), "the older one was replaced");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "state, state.aside, state.opening");
}

#[test]
fn an_unreadable_state_is_set_aside_by_the_next_guarded_open() {
    let dir = tempfile::tempdir().unwrap();
    let fs = real_fs();
    for _ in 0..2 {
        open(dir.path()).close().unwrap();
    }
    for entry in fs::read_dir(dir.path().join("state")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("snap.") {
            fs::write(path, [0; 64]).unwrap();
        }
    }
    let options = SledOptions::default();
    assert!(is_broken(SledStore::open_guarded(&fs, dir.path(), options)));
    let store = SledStore::open_guarded(&fs, dir.path(), options).unwrap();
    assert_eq!(store.applied().unwrap(), Lsn(0));
}

#[test]
fn a_state_is_not_kept_aside_when_space_is_short() {
    let dir = tempfile::tempdir().unwrap();
    let fs = NotingFs::default();
    assert_eq!(guard::set_aside(&fs, dir.path()).unwrap(), guard::SetAside::Nothing);
    open(dir.path()).close().unwrap();
    fs.claim_free(10);
    assert_eq!(guard::set_aside(&fs, dir.path()).unwrap(), guard::SetAside::Removed);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    open(dir.path()).close().unwrap();
    fs.claim_free(1 << 40);
    assert_eq!(guard::set_aside(&fs, dir.path()).unwrap(), guard::SetAside::Kept);
    assert!(fs.take_synced().contains(&dir.path().to_path_buf()), "the rename is durable");
}

/// Goal: constant overwriting does not let the file grow without bound. Without tidying it stands
/// at over seven times the live bytes.
#[test]
fn the_file_stays_near_its_live_bytes_under_churn() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut dice = Dice(4);
    let value = dice.bytes(1100);
    let key = |secret: u64, lsn: u64| [secret.to_be_bytes(), lsn.to_be_bytes()].concat();
    let mut seqs = vec![std::collections::VecDeque::new(); 20];
    for batch in 0..1500_u64 {
        let sets = (batch * 8 + 1..=batch * 8 + 8).map(|lsn| {
            let secret = dice.below(20);
            let mut rows = vec![
                put(Tree::Secrets, &secret.to_be_bytes(), &lsn.to_be_bytes().repeat(30)),
                put(Tree::Blobs, &key(secret, lsn), &value),
                put(Tree::Versions, &key(secret, lsn), &value[..140]),
                put(Tree::Keys, &key(secret, lsn), &value[..130]),
            ];
            let seqs = &mut seqs[usize::try_from(secret).unwrap()];
            seqs.push_back(lsn);
            if seqs.len() > 60 {
                let old = key(secret, seqs.pop_front().unwrap());
                rows.extend([Tree::Blobs, Tree::Versions, Tree::Keys].map(|tree| gone(tree, &old)));
            }
            set(lsn, rows)
        });
        store.apply(&sets.collect::<Vec<_>>()).unwrap();
    }
    store.checkpoint().unwrap();
    let (disk, live) = (store.disk_bytes(), store.live_bytes());
    assert!(disk < live * 4 + (2 << 20), "disk={disk} live={live}");
}

/// Goal: the largest values the same, sixteen chunks of 4 KiB at a time.
#[test]
fn large_rows_stay_near_their_live_bytes_under_churn() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut dice = Dice(6);
    let chunk = dice.bytes(4096);
    let key = |lsn: u64, chunk: u64| {
        [(lsn % 7).to_be_bytes(), lsn.to_be_bytes(), chunk.to_be_bytes()].concat()
    };
    for batch in 0..60_u64 {
        let sets = (batch * 8 + 1..=batch * 8 + 8).map(|lsn| {
            let puts = (0..16).map(|at| put(Tree::Blobs, &key(lsn, at), &chunk));
            let old =
                lsn.checked_sub(40).into_iter().flat_map(|old| (0..16).map(move |at| (old, at)));
            let gone = old.map(|(old, at)| gone(Tree::Blobs, &key(old, at)));
            set(lsn, puts.chain(gone).collect())
        });
        store.apply(&sets.collect::<Vec<_>>()).unwrap();
    }
    store.checkpoint().unwrap();
    let (disk, live) = (store.disk_bytes(), store.live_bytes());
    assert!(disk < live * 4 + (8 << 20), "disk={disk} live={live}");
}
