//! Damage to sled's files: broken, or rows that differ from the truth's (which the vault's digest
//! shows), but never a panic that leaves the module and never a hang.
//!
//! A panic in one of sled's own threads spoils every later sled of the process, so that the damage
//! is looked at in a child: this test binary again, told by a variable what to do.

use super::*;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const DIR: &str = "STRONGROOM_TEST_DAMAGE_DIR";
const CASES: u64 = 120;
const PATIENCE: Duration = Duration::from_secs(120);

/// Files of a state, without directories.
fn files_of(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// Does something bad to one file.
fn damage(state: &Path, dice: &mut Dice) {
    let files = files_of(state);
    let path = &files[usize::try_from(dice.below(files.len() as u64)).unwrap()];
    let mut bytes = fs::read(path).unwrap();
    let at = usize::try_from(dice.below(bytes.len() as u64)).unwrap();
    match dice.below(5) {
        0 => bytes[at] ^= 1 << dice.below(8),
        1 => bytes.truncate(at),
        2 => {
            let end = bytes.len().min(at + 4096);
            bytes[at..end].fill(0);
        }
        3 => {
            let noise = dice.bytes(bytes.len().min(at + 512) - at);
            bytes[at..at + noise.len()].copy_from_slice(&noise);
        }
        _ => return fs::remove_file(path).unwrap(),
    }
    fs::write(path, bytes).unwrap();
}

/// Opens, reads everything, applies and closes; counts what came of it.
fn look_at(dir: &Path, expected: &[(Tree, Vec<u8>, Vec<u8>)], seen: &mut [u32; 3]) {
    let Ok(store) = SledStore::open(real_fs(), &dir.join("state"), SledOptions::default()) else {
        seen[0] += 1;
        return;
    };
    let mut found = Vec::new();
    let scanned = Tree::ALL.into_iter().try_for_each(|tree| {
        store.scan(tree, &mut |key, value| found.push((tree, key.to_vec(), value.to_vec())))
    });
    match scanned {
        Err(_) => {
            seen[0] += 1;
            assert!(store.applied().is_err(), "a store that failed answers again");
            assert!(store.get(Tree::Names, b"k").is_err(), "a store that failed answers again");
        }
        Ok(()) => seen[if found == expected { 2 } else { 1 }] += 1,
    }
    let _ = store.apply(&[set_of(1 << 40, 20)]);
    let _ = store.checkpoint();
    let _ = store.close();
}

#[test]
fn damaged_files_break_the_store_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::damage::in_a_child", "--nocapture"])
        .env(DIR, dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("a damaged state hangs");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let report = fs::read_to_string(dir.path().join("report")).unwrap_or_default();
    assert!(status.success(), "the child failed: {report}");
    let seen: Vec<u32> = report.split(' ').map(|count| count.parse().unwrap()).collect();
    assert_eq!(seen.iter().sum::<u32>(), u32::try_from(CASES).unwrap());
    assert!(seen[0] > 10, "hardly any damage was noticed: {seen:?}");
}

/// The work of the test above, in a separate process. Does nothing unless that test started it.
#[test]
fn in_a_child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let dir = PathBuf::from(dir);
    let store = open(&dir);
    let mut dice = Dice(2);
    for lsn in 1..=40 {
        let rows = (0..50).map(|_| put(Tree::Versions, &dice.bytes(16), &dice.bytes(150)));
        store.apply(&[set(lsn, rows.collect())]).unwrap();
    }
    let expected = rows(&store);
    store.close().unwrap();
    let mut seen = [0; 3];
    for case in 0..CASES {
        // Half of the cases against a state that was never reopened, half with sled's snapshot.
        if case == CASES / 2 {
            open(&dir).close().unwrap();
        }
        let copy = tempfile::tempdir_in(&dir).unwrap();
        let state = copy.path().join("state");
        fs::create_dir_all(state.join("blobs")).unwrap();
        for path in files_of(&dir.join("state")) {
            fs::copy(&path, state.join(path.file_name().unwrap())).unwrap();
        }
        damage(&state, &mut dice);
        look_at(copy.path(), &expected, &mut seen);
    }
    fs::write(dir.join("report"), seen.map(|count| count.to_string()).join(" ")).unwrap();
}
