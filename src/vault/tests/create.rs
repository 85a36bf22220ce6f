//! Where a vault is made, and where not.

use super::*;
use crate::env::sim::{CrashPlan, CutPoint};
use std::os::unix::fs::{PermissionsExt, symlink};

#[test]
fn folders_of_others_are_left_alone_whatever_their_names() {
    for (path, is_dir) in [
        ("log/app.log", false),
        ("state/theirs", false),
        ("state.aside/x", false),
        ("creating/keystore.c", false),
        ("log", false),
        ("reserve", true),
        ("notes.txt", false),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let world = World::real(dir.path());
        let theirs = world.dir.join(path);
        std::fs::create_dir_all(theirs.parent().unwrap()).unwrap();
        if is_dir {
            std::fs::create_dir(&theirs).unwrap();
        } else {
            std::fs::write(&theirs, "theirs").unwrap();
        }
        assert!(matches!(kind(world.try_create()), ErrorKind::Exists { .. }), "{path}");
        assert!(theirs.exists(), "{path} was removed");
        assert!(!world.dir.join("LOCK").exists(), "{path}: the folder was touched");
    }
}

#[test]
fn what_is_left_of_a_vault_without_keystore_is_never_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::real(dir.path());
    let vault = world.create();
    make(&vault, "a", "one");
    vault.maintain().unwrap();
    vault.close().unwrap();
    drop(vault);
    for name in ["keystore.a", "keystore.b"] {
        std::fs::remove_file(world.dir.join(name)).unwrap();
    }
    let is_orphan =
        || matches!(kind(world.try_create()), ErrorKind::Damaged { rule: "TWIN-1", .. });
    assert!(is_orphan());
    std::fs::remove_dir_all(world.dir.join("state")).unwrap();
    assert!(is_orphan());
    // Nothing but the snapshot that all secrets are in.
    for entry in std::fs::read_dir(world.dir.join("log")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "wal") {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert!(is_orphan());
}

#[test]
fn a_second_creation_is_refused_and_changes_nothing() {
    let sim = Sim::new(1);
    let world = World::on(&sim);
    let vault = world.create();
    make(&vault, "a", "one");
    vault.close().unwrap();
    drop(vault);
    let key = world.key.lock().unwrap().clone();
    assert!(matches!(kind(world.try_create()), ErrorKind::Exists { .. }));
    assert_eq!(*world.key.lock().unwrap(), key, "a key was made for nothing");
    assert_eq!(get(&world.open().unwrap(), "a").unwrap(), "one");
}

#[test]
fn after_a_power_cut_at_any_point_of_creation_there_is_a_whole_vault_or_none() {
    let (mut opened, mut made) = (0, 0);
    for number in 1.. {
        let mut ended = true;
        for plan in [CrashPlan::DropAll, CrashPlan::KeepAll, CrashPlan::Random(number)] {
            let sim = Sim::new(number);
            let world = World::on(&sim);
            sim.fs.set_crash_at(number, CutPoint::After);
            let outcome = world.try_create();
            let is_off = sim.fs.is_off();
            ended &= !is_off;
            drop(outcome);
            sim.fs.crash(plan);
            let vault = match world.open() {
                Ok(vault) => {
                    opened += 1;
                    vault
                }
                Err(error) => {
                    assert!(
                        matches!(error.kind(), ErrorKind::NotFound { .. }),
                        "{number} {plan:?}: {error}"
                    );
                    made += 1;
                    world.try_create().unwrap_or_else(|error| panic!("{number} {plan:?}: {error}"))
                }
            };
            make(&vault, "a", "one");
            assert_eq!(get(&vault, "a").unwrap(), "one");
        }
        if ended {
            break;
        }
    }
    assert!(opened > 0 && made > 0, "{opened} {made}");
}

#[test]
fn a_link_to_an_open_folder_is_an_open_folder() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::real(dir.path());
    let vault = world.create();
    make(&vault, "a", "one");
    vault.close().unwrap();
    drop(vault);
    let link = dir.path().join("link");
    symlink(&world.dir, &link).unwrap();
    let linked = |mode| {
        std::fs::set_permissions(&world.dir, std::fs::Permissions::from_mode(mode)).unwrap();
        world.options().open(&link, &world.unlock())
    };
    assert!(matches!(kind(linked(0o755)), ErrorKind::LaxPermissions { mode: 0o755, .. }));
    assert_eq!(get(&linked(0o700).unwrap(), "a").unwrap(), "one");
}
