//! `check` and `repair` as scripts see them: exit codes, what is said, what is kept.

use crate::cmd::Home;
use crate::common::search::newest_segment;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Content of every file but the lock's, which names its holder.
fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut dirs) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                dirs.push(entry);
            } else if !entry.ends_with("LOCK") {
                found.push((entry.clone(), std::fs::read(&entry).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn rot(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 4;
    std::fs::write(path, bytes).unwrap();
}

fn filled() -> Home {
    let home = Home::with_vault();
    home.put("a", "first");
    home.put("b", "second");
    home
}

#[test]
fn a_whole_vault_has_nothing_to_repair_and_is_not_touched() {
    let home = filled();
    let before = contents(&home.vault());
    let said = home.run(&["repair"]).expect(0);
    assert_eq!((said.text(), said.err.as_str()), ("nothing to repair\n", ""));
    assert!(contents(&home.vault()) == before);
    let json = home.run(&["repair", "--output", "json"]).expect(0).json();
    assert_eq!(json["Outcome"], "NothingToDo");
    assert_eq!(json["Kept"], serde_json::Value::Null);
}

#[test]
fn a_damaged_copy_is_repaired_from_the_other_and_kept() {
    let home = filled();
    let copy = home.vault().join("keystore.a");
    rot(&copy, 2000);
    let damaged = std::fs::read(&copy).unwrap();
    let said = home.run(&["check"]).expect(0);
    assert!(said.err.contains("keystore.a") && said.err.contains("the other copy"), "{}", said.err);
    let said = home.run(&["repair"]).expect(0);
    assert_eq!(said.text(), "repaired, nothing is lost\n");
    let kept = home.vault().join("damaged/0001");
    assert!(said.err.contains(kept.to_str().unwrap()), "{}", said.err);
    assert!(std::fs::read(kept.join("keystore.a")).unwrap() == damaged);
    for dir in [kept.as_path(), kept.parent().unwrap()] {
        assert_eq!(std::fs::metadata(dir).unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert_eq!(home.run(&["check", "--deep"]).expect(0).err, "");
    assert_eq!(home.get("b"), b"second");
}

/// An open that finds its state whole does not read the snapshot: only check and repair meet this.
#[test]
fn a_damaged_snapshot_is_reported_by_check_and_repaired_by_repair() {
    let home = filled();
    let log = contents(&home.vault().join("log"));
    let snapshot = log.iter().find(|(path, _)| path.extension().unwrap() == "snap").unwrap();
    // A new vault's holds no rows: its header is what there is to damage.
    rot(&snapshot.0, 100);
    let before = contents(&home.vault());
    home.run(&["check"]);
    assert!(contents(&home.vault()) == before, "check wrote");
    assert_eq!(home.run(&["repair"]).expect(0).text(), "repaired, nothing is lost\n");
    assert_eq!(home.run(&["check", "--deep"]).expect(0).err, "");
    std::fs::remove_dir_all(home.vault().join("state")).unwrap();
    assert_eq!(home.get("a"), b"first");
}

#[test]
fn what_would_be_lost_is_listed_and_lost_only_when_accepted() {
    let home = filled();
    rot(&newest_segment(&home.vault()), 4096 + 300);
    std::fs::remove_dir_all(home.vault().join("state")).unwrap();
    let said = home.run(&["check"]).expect(7);
    assert!(said.err.contains(".wal offset=4096 rule=LOG-12"), "{}", said.err);
    let before = contents(&home.vault());
    let said = home.run(&["repair"]).expect(7);
    assert!(said.err.contains("this would be lost: operations "), "{}", said.err);
    assert!(said.err.contains("--accept-loss"), "{}", said.err);
    assert_eq!(said.text(), "not repaired\n");
    assert!(contents(&home.vault()) == before, "it was not asked to");
    let json = home.run(&["repair", "--output", "json"]).expect(7).json();
    assert_eq!(json["Outcome"], "WouldLose");
    let lost = json["Lost"]["LastOperation"].as_u64().unwrap();
    assert!(lost >= json["Lost"]["FirstOperation"].as_u64().unwrap());

    let said = home.run(&["repair", "--accept-loss"]).expect(0);
    assert!(said.text().starts_with("repaired, lost: operations "), "{}", said.text());
    // The vault remembers that it gave up operations, and says so (RB-7).
    let said = home.run(&["check", "--deep"]).expect(0);
    assert!(said.err.contains("times=1") && said.err.lines().count() == 1, "{}", said.err);
    let after = contents(&home.vault().join("damaged/0001"));
    for (path, bytes) in before.iter().filter(|(path, _)| path.to_str().unwrap().contains("/log/"))
    {
        assert!(after.iter().any(|(_, kept)| kept == bytes), "{} is not kept", path.display());
    }
    // It is a vault as any other again, and what went before the damage is there.
    assert_eq!(home.run(&["ls"]).expect(0).text(), "a\n");
    assert_eq!(home.get("a"), b"first");
    home.put("b", "again");
    assert_eq!(home.get("b"), b"again");
}

#[test]
fn the_wrong_key_repairs_nothing() {
    let home = filled();
    let other = filled();
    rot(&home.vault().join("keystore.a"), 2000);
    let before = contents(&home.vault());
    let key = other.key_file();
    home.run(&["repair", "--accept-loss", "--key-file", key.to_str().unwrap()]).expect(4);
    assert!(contents(&home.vault()) == before);
}
