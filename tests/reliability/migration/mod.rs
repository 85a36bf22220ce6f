//! Vaults of format 1 that are brought over to format 2, with power cuts, kills and full disks on the way.
//!
//! What must hold: whatever happens during the open, the next open answers everything as the vault did
//! before, and the vault is then of format 2 and whole. Until the new manifest is durable nothing that the
//! old one names is touched.

mod real;

use crate::common::rng::Rng;
use crate::common::search::with_ending;
use crate::common::twin;
use crate::common::world::{Fault, Loss, Setup, World};
use crate::figures;
use std::path::{Path, PathBuf};
use strongroom::__internals::error::{ErrorKind, Result};
use strongroom::__internals::model::api::{
    CreateSecret, DeleteSecret, PutResourcePolicy, PutSecretValue, ReplicaRegion,
    ReplicateSecretToRegions, UpdateSecretVersionStage,
};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::Vault;
use strongroom_fuzz_bodies::dump::{AWAY, difference, dump, scope};

/// Seeds of which one at least shows the defect of a known-bad build.
const BAD_SEEDS: std::ops::RangeInclusive<u64> = 1..=3;
/// Cuts in one open that are tried in the short tier; all of them in the others.
const CUTS_SHORT: u64 = 40;

fn create(vault: &Vault, name: &str, value: Option<Vec<u8>>) {
    let mut request = CreateSecret::new(name);
    request.client_request_token = Some(format!("{name:c>40}"));
    request.description = Some(format!("about {name}"));
    request.value = value.map(SecretValue::binary);
    vault.create_secret(request).unwrap();
}

fn put(vault: &Vault, name: &str, token: &str, value: Vec<u8>, stages: Option<Vec<String>>) {
    let mut request = PutSecretValue::new(name, SecretValue::binary(value));
    request.client_request_token = Some(token.to_owned());
    request.version_stages = stages;
    vault.put_secret_value(request).unwrap();
}

/// Values of one and of several chunks, versions with labels of their own and without any, a replica, a
/// policy, a secret without a value, scheduled deletions, and dead secrets whose rows nobody has swept.
fn fill(vault: &Vault, rng: &mut Rng) {
    let secrets = 4 + rng.below(5);
    for n in 0..secrets {
        let name = format!("s{n}");
        create(vault, &name, (!rng.chance(20)).then(|| rng.bytes(20)));
        let mut tokens = Vec::new();
        for round in 0..rng.below(12) {
            let len = [10, 300, 5_000, 12_000][rng.below(4)];
            let token = format!("{round:0>3}{name:p>40}");
            let stages = rng.chance(40).then(|| vec![format!("stage-{}", rng.below(4))]);
            put(vault, &name, &token, rng.bytes(len), stages);
            tokens.push(token);
        }
        if tokens.len() > 1 && rng.chance(50) {
            let mut request = UpdateSecretVersionStage::new(&name, "moved");
            request.move_to_version_id = Some(rng.pick(&tokens).clone());
            vault.update_secret_version_stage(request).unwrap();
        }
        match rng.below(8) {
            0 => {
                let region = ReplicaRegion::new(AWAY);
                let request = ReplicateSecretToRegions::new(&name, [region]);
                vault.replicate_secret_to_regions(request).unwrap();
            }
            1 => {
                let text = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}}"#;
                vault.put_resource_policy(PutResourcePolicy::new(&name, text)).unwrap();
            }
            2 => drop(vault.delete_secret(DeleteSecret::new(&name)).unwrap()),
            3 => {
                let mut request = DeleteSecret::new(&name);
                request.force_delete_without_recovery = Some(true);
                vault.delete_secret(request).unwrap();
            }
            _ => {}
        }
        if rng.chance(10) {
            vault.maintain().unwrap();
        }
    }
    vault.in_scope(scope(AWAY)).create_secret(CreateSecret::new("away")).unwrap();
    vault.new_credential("000000000000").unwrap();
}

/// A vault of format 1, and what it answers.
struct Old {
    world: World,
    answers: String,
}

fn old_vault(seed: u64) -> Old {
    old_vault_closed(seed, Rng::new(seed ^ 1).chance(50))
}

/// With an end mark or without one.
fn old_vault_closed(seed: u64, is_clean: bool) -> Old {
    let mut rng = Rng::new(seed);
    let world = World::new(seed);
    let vault = world.create(&Setup::default()).unwrap();
    fill(&vault, &mut rng);
    let answers = dump(&vault).unwrap();
    world.make_old(vault, is_clean);
    Old { world, answers }
}

impl Old {
    /// A copy on a machine of its own.
    fn copy(&self, seed: u64) -> World {
        self.world.on_image(&self.world.sim.fs, self.world.wall(), seed)
    }

    /// Whether a vault answers as the old one did.
    fn is_same(&self, vault: Result<Vault>) -> std::result::Result<Vault, String> {
        let vault = vault.map_err(|error| format!("does not open: {error}"))?;
        let found = dump(&vault)?;
        if found == self.answers {
            Ok(vault)
        } else {
            Err(format!("another answer: {}", difference(&self.answers, &found)))
        }
    }
}

fn formats(world: &World) -> [u32; 2] {
    ["manifest.a", "manifest.b"].map(|name| {
        twin::format_of(&world.sim.fs.read_all(&Path::new("/vault").join(name)).unwrap())
    })
}

/// The vault is whole, of format 2, takes writes, and keeps nothing of format 1.
fn judge(world: &World, old: &Old, vault: &Vault) -> std::result::Result<(), String> {
    if formats(world) != [2, 2] {
        return Err(format!("formats {:?}", formats(world)));
    }
    create(vault, "new", Some(b"value".to_vec()));
    let answers = dump(vault)?;
    vault.close().map_err(|error| error.to_string())?;
    let report = world.check().map_err(|error| format!("check: {error}"))?;
    if !report.damage.is_empty() || !report.findings.is_empty() {
        return Err(format!("{report:?}"));
    }
    if with_ending(world.sim.fs.paths(), "snap").len() != 1 {
        return Err("more than one snapshot is left".to_owned());
    }
    let again = world.open(&Setup::default()).map_err(|error| format!("again: {error}"))?;
    let found = dump(&again)?;
    let is_same = found == answers && found.len() > old.answers.len();
    is_same.then_some(()).ok_or_else(|| format!("later: {}", difference(&answers, &found)))
}

#[derive(Default)]
struct Counts {
    vaults: u64,
    cuts: u64,
    /// After which the vault was still of format 1, or already of format 2.
    before: u64,
    after: u64,
}

/// One vault, with a cut at every call of the open that brings it over.
fn attack(seed: u64, fault: Option<Fault>, counts: &mut Counts) -> std::result::Result<(), String> {
    let old = old_vault(seed);
    let mut rng = Rng::new(!seed);
    let setup = Setup { fault, ..Setup::default() };
    counts.vaults += 1;
    let whole = old.copy(seed);
    let from = whole.calls();
    let vault = old.is_same(whole.open(&setup))?;
    let calls = whole.calls() - from;
    judge(&whole, &old, &vault)?;
    let step = if figures::is_short() { calls.div_ceil(CUTS_SHORT) } else { 1 };
    let mut at = 1 + rng.range(0..step);
    while at <= calls {
        for loss in [Loss::Dropped, Loss::Kept, Loss::Torn] {
            let failure = |why: String| format!("seed {seed}, cut {at}, {loss:?}: {why}");
            let world = old.copy(seed);
            world.crash_at(world.calls() + at);
            drop(world.open(&setup));
            world.restart(rng.next_u64(), loss);
            counts.cuts += 1;
            let is_new = formats(&world).contains(&2);
            *if is_new { &mut counts.after } else { &mut counts.before } += 1;
            let vault = old.is_same(world.open(&setup)).map_err(failure)?;
            if rng.chance(20) {
                judge(&world, &old, &vault).map_err(failure)?;
            }
        }
        at += step;
    }
    Ok(())
}

#[test]
fn no_cut_while_a_vault_is_brought_over_loses_anything() {
    let (seeds, mut counts) = (figures::seeds(2, 12), Counts::default());
    for seed in seeds.clone() {
        if let Err(why) = attack(seed, None, &mut counts) {
            panic!("{why}");
        }
    }
    assert!(counts.before > 0 && counts.after > 0, "both sides of the manifest are met");
    figures::tell(
        "migration, simulated",
        &seeds,
        &[
            ("vaults of format 1", counts.vaults),
            ("cuts", counts.cuts),
            ("that left format 1", counts.before),
            ("that left format 2", counts.after),
        ],
    );
}

#[test]
fn a_build_that_frees_the_old_snapshot_first_is_caught() {
    let fault = Some(Fault::MigrationFreesFirst);
    let caught =
        BAD_SEEDS.into_iter().find_map(|seed| attack(seed, fault, &mut Counts::default()).err());
    let why = caught.expect("one of these vaults shows the loss");
    assert!(why.contains("does not open"), "{why}");
    println!("caught: {why}");
}

#[test]
fn a_cut_in_a_second_try_loses_nothing_either() {
    let old = old_vault(21);
    for first in (2..60).step_by(9) {
        let world = old.copy(first);
        for round in 0..3 {
            world.crash_at(world.calls() + first + round);
            drop(world.open(&Setup::default()));
            world.restart(first, Loss::Torn);
        }
        let vault = old.is_same(world.open(&Setup::default())).unwrap();
        judge(&world, &old, &vault).unwrap();
    }
}

#[test]
fn a_check_reads_format_1_and_changes_nothing() {
    let old = old_vault(31);
    let before = old.world.files();
    let report = old.world.check().unwrap();
    assert!(report.damage.is_empty() && report.findings.is_empty(), "{report:?}");
    assert!(report.values > 10, "values are opened");
    let after = old.world.files();
    let names = |files: &[(PathBuf, Vec<u8>)]| -> Vec<_> {
        files.iter().map(|(path, _)| path.clone()).collect()
    };
    assert_eq!(names(&after), names(&before));
    for (was, is) in before.iter().zip(&after).filter(|(was, _)| !was.0.ends_with("LOCK")) {
        assert!(was == is, "{} was changed", was.0.display());
    }
    assert_eq!(formats(&old.world), [1, 1]);
}

#[test]
fn a_full_disk_serves_format_1_and_says_why_it_takes_no_writes() {
    let old = old_vault(41);
    let world = old.copy(1);
    let used: usize = world.files().iter().map(|(_, bytes)| bytes.len()).sum();
    for room in [0, 5_000] {
        world.sim.fs.set_capacity(Some(used as u64 + room));
        let vault = old.is_same(world.open(&Setup::default())).unwrap();
        let refused = vault.create_secret(CreateSecret::new("new")).err().unwrap();
        assert_eq!(*refused.kind(), ErrorKind::OldFormat);
        assert!(refused.to_string().contains("make room"), "{refused}");
        assert!(vault.delete_secret(DeleteSecret::new("s0")).is_err());
        vault.close().unwrap();
        drop(vault);
        assert_eq!(formats(&world), [1, 1]);
        assert_eq!(with_ending(world.sim.fs.paths(), "snap").len(), 1);
    }
    world.sim.fs.set_capacity(None);
    let vault = old.is_same(world.open(&Setup::default())).unwrap();
    judge(&world, &old, &vault).unwrap();
}

/// Region, ARN, name and description of each secret in a dump.
fn secrets(dump: &str) -> Vec<&str> {
    let answers = dump.lines().filter(|line| line.contains("DescribeSecretResponse {"));
    answers.map(|line| line.split(", kms_key_id").next().unwrap()).collect()
}

#[test]
fn a_damaged_vault_of_format_1_is_repaired_and_brought_over() {
    let old = old_vault_closed(51, true);
    let paths = old.world.sim.fs.paths();
    let snapshot = &with_ending(paths.clone(), "snap")[0];
    let world = old.copy(1);
    world.sim.fs.overwrite(snapshot, 4_200, b"rot").unwrap();
    let refused = world.open(&Setup::default()).err().unwrap();
    assert!(matches!(refused.kind(), ErrorKind::Damaged { .. }), "{refused}");
    assert_eq!(formats(&world), [1, 1]);
    let world = old.copy(2);
    for path in with_ending(paths, "wal") {
        world.sim.fs.overwrite(&path, 4_300, b"rot").unwrap();
    }
    let report = world.repair(true).unwrap();
    assert!(report.loss.is_some(), "{report:?}");
    assert_eq!(formats(&world), [2, 2]);
    let vault = world.open(&Setup::default()).unwrap();
    // The frames had the versions and labels. The secrets were in the snapshot.
    let kept = dump(&vault).unwrap();
    assert!(secrets(&kept).len() > 4, "{kept}");
    assert_eq!(secrets(&kept), secrets(&old.answers));
    vault.close().unwrap();
}
