//! Full disks: file systems in memory of every size, in steps of 4 KiB, starting with sizes that cannot hold
//! a vault; too few inodes; a limit on the size of files.
//!
//! What must hold: an operation without space fails with that error and has no effect. Acknowledged data is
//! readable now and after the next open, even if the disk is full to the last byte. Deleting works. Once
//! there is space again, writes work.

use crate::common::rng::Rng;
use crate::common::world::{Setup, create_with};
use crate::figures;
use crate::life::Life;
use crate::mount::{self, Mount};
use crate::place::{self, Place};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use strongroom::__internals::error::{Error, ErrorKind};
use strongroom::__internals::model::api::{
    CreateSecret, DeleteSecret, GetSecretValue, PutSecretValue,
};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::{Options, Vault};

const STEP: u64 = 4096;
/// Too small for a vault.
const SMALLEST: u64 = 32 << 10;
/// Most puts into one vault.
const PUTS: usize = 400;

#[derive(Default)]
struct Counts {
    disks: u64,
    /// On which a vault could not be made, and said so.
    too_small: u64,
    acknowledged: u64,
    refused: u64,
    deleted: u64,
    /// Deletions refused on disks that never had room for a reserve.
    without_reserve: u64,
}

/// What was acknowledged: name, then version and value.
type Kept = BTreeMap<String, Vec<(String, String)>>;

fn options() -> Options {
    let setup = Setup { background: true, segment_bytes: (8 << 10, 16 << 10), ..Setup::default() };
    setup.options()
}

fn is_no_space(error: &Error) -> bool {
    *error.kind() == ErrorKind::NoSpace
}

fn put(vault: &Vault, rng: &mut Rng, kept: &mut Kept) -> Result<(), Error> {
    let name = format!("secret-{}", rng.below(9));
    let (token, len) = (rng.uuid(), [20, 200, 3_000][rng.below(3)]);
    let value = rng.word(len);
    let sealed = SecretValue::text(value.clone());
    if kept.contains_key(&name) {
        let mut request = PutSecretValue::new(name.clone(), sealed);
        request.client_request_token = Some(token.clone());
        vault.put_secret_value(request)?;
    } else {
        let mut request = CreateSecret::new(name.clone());
        request.client_request_token = Some(token.clone());
        request.value = Some(sealed);
        vault.create_secret(request)?;
    }
    kept.entry(name).or_default().push((token, value));
    Ok(())
}

fn read_all(vault: &Vault, kept: &Kept) -> Result<(), String> {
    for (name, versions) in kept {
        for (version, value) in versions {
            let mut request = GetSecretValue::new(name.clone());
            request.version_id = Some(version.clone());
            let got = vault.get_secret_value(request.clone());
            let got = got.map_err(|error| format!("{name} {version}: {error}"))?;
            if got.value.bytes().expose() != value.as_bytes() {
                return Err(format!("{name} {version}: another value"));
            }
        }
    }
    Ok(())
}

/// Fills a file system to its last byte.
fn fill(dir: &Path) {
    let mut file = File::create(dir.join("filler")).unwrap();
    for len in [65_536, 4_096, 512, 1] {
        while file.write_all(&vec![1; len]).is_ok() {}
    }
}

fn delete(vault: &Vault, name: &str) -> Result<(), Error> {
    let request = DeleteSecret {
        secret_id: name.to_owned(),
        recovery_window_in_days: None,
        force_delete_without_recovery: Some(true),
    };
    vault.delete_secret(request).map(drop)
}

/// A new vault. `None`: the disk is too small for one, and it could be made once it had grown.
fn create_or_grow(
    vault_dir: &Path,
    key: &Path,
    options: &Options,
    grow: &dyn Fn(),
    counts: &mut Counts,
) -> Result<Option<Vault>, String> {
    match create_with(vault_dir, key, options) {
        Ok(vault) => Ok(Some(vault)),
        Err(error) if is_no_space(&error) => {
            counts.too_small += 1;
            grow();
            let again = create_with(vault_dir, key, options);
            let vault = again.map_err(|error| format!("not made with room: {error}"))?;
            vault.close().map_err(|error| format!("no close: {error}"))?;
            Ok(None)
        }
        Err(error) => Err(format!("not made, and not for space: {error}")),
    }
}

/// A vault on a disk that is `mount`, which `grow` makes large.
fn attack(
    mount: &Mount,
    options: &Options,
    rng: &mut Rng,
    grow: &dyn Fn(&Mount),
    counts: &mut Counts,
) -> Result<(), String> {
    let place = Place::new(mount.dir());
    let keys = tempfile::tempdir().unwrap();
    counts.disks += 1;
    let key = keys.path().join("key");
    let vault_dir = place.vault();
    let made = create_or_grow(&vault_dir, &key, options, &|| grow(mount), counts)?;
    let Some(vault) = made else { return Ok(()) };
    let open = || place::open_with(&vault_dir, &[std::fs::read(&key).unwrap()], options);
    // As maintenance does in its first second: the reserve is made, if there is room for one.
    let _ = vault.maintain();
    let mut kept = Kept::new();
    let mut refused = 0;
    for _ in 0..PUTS {
        match put(&vault, rng, &mut kept) {
            Ok(()) => counts.acknowledged += 1,
            Err(error) if is_no_space(&error) => refused += 1,
            Err(error) => return Err(format!("not for space: {error}")),
        }
        if refused == 3 {
            break;
        }
    }
    counts.refused += refused;
    read_all(&vault, &kept).map_err(|why| format!("after a refusal: {why}"))?;
    match vault.close() {
        Err(error) if !is_no_space(&error) => return Err(format!("no close: {error}")),
        _ => drop(vault),
    }
    // On a disk that never had room for the reserve nothing was promised of deletions.
    let reserve = std::fs::metadata(vault_dir.join("reserve")).map_or(0, |file| file.len());
    let has_reserve = reserve >= options.tuning.reserve_bytes;
    fill(mount.dir());
    let vault = open().map_err(|error| format!("does not open on a full disk: {error}"))?;
    read_all(&vault, &kept).map_err(|why| format!("on a full disk: {why}"))?;
    for name in kept.keys().cloned().collect::<Vec<_>>() {
        match delete(&vault, &name) {
            Ok(()) => {
                counts.deleted += 1;
                kept.remove(&name);
                let gone = vault.get_secret_value(GetSecretValue::new(name));
                assert!(gone.is_err(), "a deleted secret is read");
            }
            Err(error) if is_no_space(&error) && !has_reserve => counts.without_reserve += 1,
            Err(error) => return Err(format!("no deletion on a full disk: {error}")),
        }
    }
    read_all(&vault, &kept).map_err(|why| format!("after a deletion: {why}"))?;
    grow(mount);
    // As maintenance does by itself after a while.
    // The first pass may still find a state that the full disk broke; it is made anew.
    let upkept = vault.maintain().or_else(|_| vault.maintain());
    upkept.map_err(|error| format!("no upkeep with room again: {error}"))?;
    put(&vault, rng, &mut kept).map_err(|error| format!("no write with room again: {error}"))?;
    vault.close().map_err(|error| format!("no close with room: {error}"))?;
    drop(vault);
    let vault = open().map_err(|error| format!("does not open again: {error}"))?;
    read_all(&vault, &kept).map_err(|why| format!("at the end: {why}"))?;
    vault.close().map_err(|error| format!("no close at the end: {error}"))
}

fn tell(harness: &str, seeds: &std::ops::Range<u64>, counts: &Counts) {
    figures::tell(
        harness,
        seeds,
        &[
            ("disks", counts.disks),
            ("too small for a vault", counts.too_small),
            ("operations acknowledged", counts.acknowledged),
            ("refused for space", counts.refused),
            ("deletions on a full disk", counts.deleted),
            ("refused where no reserve fitted", counts.without_reserve),
        ],
    );
}

/// A disk of `size` bytes, which becomes large.
fn one_size(
    size: u64,
    options: &Options,
    rng: &mut Rng,
    counts: &mut Counts,
) -> Result<(), String> {
    let scratch = tempfile::tempdir().unwrap();
    let mount = Mount::tmpfs(scratch.path(), &format!("mode=700,size={size}")).unwrap();
    let grow = |mount: &Mount| {
        let _ = std::fs::remove_file(mount.dir().join("filler"));
        assert!(mount.remount("size=64m"));
    };
    attack(&mount, options, rng, &grow, counts)
}

/// A seed is a size; short tiers take sizes far apart.
#[test]
fn a_full_disk_of_any_size_loses_nothing_and_reads_on() {
    if !mount::is_possible() {
        return;
    }
    const SIZES: u64 = 500;
    let (seeds, mut counts) = (figures::seeds(20, 50), Counts::default());
    let tier = seeds.end - seeds.start;
    let far = if std::env::var("STRONGROOM_SEEDS").is_ok() { 1 } else { SIZES / tier };
    for seed in seeds.clone() {
        let size = SMALLEST + (seed - 1) * far * STEP;
        let outcome = one_size(size, &options(), &mut Rng::new(seed), &mut counts);
        outcome.unwrap_or_else(|why| panic!("seed {seed}, {size} bytes: {why}"));
    }
    tell("full disks", &seeds, &counts);
}

#[test]
fn a_build_that_holds_nothing_back_cannot_delete_on_a_full_disk() {
    if !mount::is_possible() {
        return;
    }
    let mut options = options();
    options.tuning.reserve_bytes = 0;
    let caught = (20..140).find_map(|n| {
        let size = SMALLEST + n * STEP;
        let outcome = one_size(size, &options, &mut Rng::new(n), &mut Counts::default());
        outcome.err().map(|why| (size, why))
    });
    let (size, why) = caught.expect("one of 120 sizes shows it");
    assert!(why.contains("full disk"), "{why}");
    println!("caught with {size} bytes: {why}");
}

/// A seed is a number of inodes.
#[test]
fn too_few_inodes_lose_nothing() {
    if !mount::is_possible() {
        return;
    }
    let (seeds, mut counts) = (figures::seeds(40, 40), Counts::default());
    for seed in seeds.clone() {
        let scratch = tempfile::tempdir().unwrap();
        let options = format!("mode=700,size=64m,nr_inodes={}", seed + 1);
        let mount = Mount::tmpfs(scratch.path(), &options).unwrap();
        let grow = |mount: &Mount| {
            let _ = std::fs::remove_file(mount.dir().join("filler"));
            assert!(mount.remount("size=64m,nr_inodes=4096"));
        };
        // What fills the disk would need an inode of its own.
        let outcome = few_inodes(&mount, &mut Rng::new(seed), &grow, &mut counts);
        outcome.unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
    assert!(counts.too_small > 0);
    tell("too few inodes", &seeds, &counts);
}

fn few_inodes(
    mount: &Mount,
    rng: &mut Rng,
    grow: &dyn Fn(&Mount),
    counts: &mut Counts,
) -> Result<(), String> {
    let place = Place::new(mount.dir());
    let keys = tempfile::tempdir().unwrap();
    let key = keys.path().join("key");
    counts.disks += 1;
    let (vault_dir, options) = (place.vault(), options());
    let made = create_or_grow(&vault_dir, &key, &options, &|| grow(mount), counts)?;
    let Some(vault) = made else { return Ok(()) };
    let open = || place::open_with(&vault_dir, &[std::fs::read(&key).unwrap()], &options);
    let mut kept = Kept::new();
    for _ in 0..60 {
        match put(&vault, rng, &mut kept) {
            Ok(()) => counts.acknowledged += 1,
            Err(error) if is_no_space(&error) => counts.refused += 1,
            Err(error) => return Err(format!("not for space: {error}")),
        }
    }
    read_all(&vault, &kept)?;
    match vault.close() {
        Err(error) if !is_no_space(&error) => return Err(format!("no close: {error}")),
        _ => drop(vault),
    }
    let vault = open().map_err(|error| format!("does not open without inodes: {error}"))?;
    read_all(&vault, &kept)?;
    grow(mount);
    vault.maintain().map_err(|error| format!("no upkeep with inodes: {error}"))?;
    put(&vault, rng, &mut kept).map_err(|error| format!("no write with inodes: {error}"))?;
    vault.close().map_err(|error| format!("no close with inodes: {error}"))?;
    drop(vault);
    let vault = open().map_err(|error| format!("does not open with inodes: {error}"))?;
    read_all(&vault, &kept)?;
    vault.close().map_err(|error| format!("no close at the end: {error}"))
}

/// A seed is a limit; a process that meets it gets an error, because the signal is ignored.
#[test]
fn a_limit_on_the_size_of_files_loses_nothing() {
    let (seeds, scratch) = (figures::seeds(10, 25), place::scratch());
    let (mut limited, mut acknowledged) = (0, 0);
    for seed in seeds.clone() {
        let mut rng = Rng::new(seed);
        let place = Place::new(&scratch.path().join(format!("{seed}")));
        place.clear();
        let mut life = Life::new(place, 60, None);
        // Blocks of 512 bytes. sled makes its file of 512 KiB and more.
        for blocks in [1 << 20, 8 + seed * 2, 40 + seed * 16, 1 << 20] {
            let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
            let mut running =
                life.spawn_in(rng.next_u64() >> 16, &["sh", "-c", script.as_str(), "sh"]);
            running.until(|said| said.write.is_some() || said.done);
            let (work, said) = running.end();
            let failure = |why: String| format!("seed {seed}, {blocks} blocks, {said:?}: {why}");
            limited += u64::from(said.error.is_some());
            acknowledged += said.answered as u64;
            if let Some(error) = &said.error {
                // sled meets the limit too. Its state is then rebuilt in memory; who asks in between is told.
                let is_between = error.contains("cannot be read at the moment");
                let works_again = said.read.as_deref() == Some("ok");
                let is_expected = error.contains("no space") || is_between && works_again;
                if !is_expected {
                    panic!("{}", failure("an error that is not of space".into()));
                }
            }
            if said.error.is_some() && said.handed > said.answered + 1 {
                // Of requests handed in together, those without space fail and others may not: what
                // landed is no beginning of the script any more.
                break;
            }
            life.judge(work, &said, true).map_err(failure).unwrap();
        }
        let _ = std::fs::remove_dir_all(life.place.dir());
    }
    figures::tell(
        "limits on the size of files",
        &seeds,
        &[
            ("processes", (seeds.end - seeds.start) * 4),
            ("that met their limit", limited),
            ("operations acknowledged", acknowledged),
        ],
    );
}
