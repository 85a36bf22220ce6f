//! Real processes that are killed while they bring a vault over, on a real disk with sled.

use super::fill;
use crate::common;
use crate::common::folder;
use crate::common::rng::Rng;
use crate::common::twin;
use crate::common::world::{Setup, check_in, create_in, key_of, make_old_in, open_in};
use crate::figures;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use strongroom_fuzz_bodies::dump::{difference, dump};

#[test]
fn child() {
    let Some(task) = common::child_task() else { return };
    let dir = Path::new(&task);
    let vault = open_in(dir, &key_of(&dir.with_extension("key")), &Setup::usual()).unwrap();
    vault.close().unwrap();
}

fn format(dir: &Path) -> u32 {
    twin::format_of(&std::fs::read(dir.join("manifest.a")).unwrap())
}

/// Of so many children some are past the new manifest when they are killed, or when they end. That kills fall
/// on both sides of it is shown by the simulated ones.
const MANY: u64 = 30;

/// A copy of the vault in `old`, and a child that brings the copy over.
fn start(old: &Path, dir: &Path) -> Child {
    folder::copy(old, dir);
    std::fs::copy(old.with_extension("key"), dir.with_extension("key")).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(dir, private).unwrap();
    let mut child = common::child("migration::real::child", dir.to_str().unwrap());
    child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_process_that_is_killed_while_it_brings_a_vault_over_loses_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let (old, key_path) = (scratch.path().join("old"), scratch.path().join("old.key"));
    let setup = Setup { background: false, ..Setup::usual() };
    let vault = create_in(&old, &key_path, &setup).unwrap();
    let mut rng = Rng::new(61);
    for _ in 0..3 {
        fill_more(&vault, &mut rng);
    }
    let answers = dump(&vault).unwrap();
    let key = key_of(&key_path);
    make_old_in(&old, vault);
    assert_eq!(format(&old), 1);
    let whole = scratch.path().join("whole");
    let mut child = start(&old, &whole);
    let started = Instant::now();
    assert!(child.wait().unwrap().success());
    assert_eq!(format(&whole), 2, "a child that nobody kills brings the vault over");
    let mut longest = started.elapsed();
    let seeds = figures::seeds(8, 60);
    let (mut kills, mut before) = (0, 0);
    for seed in seeds.clone() {
        let mut rng = Rng::new(seed);
        let dir = scratch.path().join(format!("vault-{seed}"));
        let mut child = start(&old, &dir);
        let started = Instant::now();
        let wait = rng.range(0..longest.as_micros() as u64);
        let until = started + Duration::from_micros(wait);
        while Instant::now() < until && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        let _has_ended = child.kill();
        let status = child.wait().unwrap();
        if status.success() {
            // The next ones are killed sooner.
            assert_eq!(format(&dir), 2, "seed {seed}: a child that ended by itself");
            longest = longest.mul_f32(0.8);
        } else {
            assert_eq!(status.signal(), Some(9), "seed {seed}: {status}");
            kills += 1;
            if format(&dir) == 1 {
                before += 1;
                longest = longest.mul_f32(1.1);
            }
        }
        let vault = open_in(&dir, &key, &setup).unwrap();
        let found = dump(&vault).unwrap();
        assert_eq!(found, answers, "seed {seed}: {}", difference(&answers, &found));
        vault.close().unwrap();
        drop(vault);
        assert_eq!(format(&dir), 2);
        let report = check_in(&dir, &key).unwrap();
        assert!(report.damage.is_empty() && report.findings.is_empty(), "{report:?}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
    if seeds.end - seeds.start >= MANY {
        let children = seeds.end - seeds.start;
        assert!(kills > 0 && before < children, "{before} of {children} children left format 1");
    }
    figures::tell(
        "migration, real processes",
        &seeds,
        &[("kills", kills), ("that left format 1", before)],
    );
}

/// More secrets under other names.
fn fill_more(vault: &strongroom::__internals::vault::Vault, rng: &mut Rng) {
    let scope = strongroom::__internals::model::Scope::default();
    if vault.list_secrets(Default::default()).unwrap().secrets.is_empty() {
        fill(vault, rng);
        return;
    }
    for n in 0..40 {
        let name = format!("more-{}-{n}", rng.next_u64());
        super::create(&vault.in_scope(&scope), &name, Some(rng.bytes(3_000)));
    }
}
