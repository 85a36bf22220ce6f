//! The same seed gives the same bytes: twice, on any machine, and on a real disk.

use super::script::{DAY, files, fingerprint, image, options, rows, run};
use std::collections::BTreeMap;
use std::path::Path;
use strongroom::__internals::crypto::{Unlock, key_file};
use strongroom::__internals::env::{Env, real};
use strongroom::__internals::model::api::Operation;
use strongroom::__internals::secret::SecretBytes;
use strongroom::__internals::vault::VaultDir;
use strongroom::testkit::Ephemeral;
use strongroom::testkit::Machine;

const STEPS: u64 = 300;

/// Seed of the vault, seed of the script, SHA-256 over all files, rows and answers. Whoever changes
/// a format, a rule, a text, the order in which chance is drawn, or what `arbitrary` makes, changes
/// these, and says so.
const FINGERPRINTS: [(u64, u64, &str); 4] = [
    (0, 0, "ae8ebbf3be2a478fa8f299b2b52fcf1cd37a00b882087e2ad60324eb5c885e28"),
    (1, 1, "a9a18ae20db393f8ca9a6db54ae7087635c332ccf069eb0511a357bdd03cae1e"),
    (1, 2, "177cd04716a1cf02d1af94b3e8f0f43f26def860bb1ccb72249a84a025b35e5f"),
    (u64::MAX, 3, "9df40deb06d49fce49d29ebf7e6cfa313c4784e348be00e3e689fc90e202bf4a"),
];

fn fingerprint_of(seed: u64, script: u64) -> String {
    let vault = Ephemeral::new(seed, &options()).unwrap();
    let answers = run(&vault, vault.machine(), script, 0..STEPS);
    fingerprint(&image(&vault), &answers)
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_answers_on_any_machine() {
    let mut others = 0;
    for (seed, script, expected) in FINGERPRINTS {
        let found = fingerprint_of(seed, script);
        assert_eq!(found, fingerprint_of(seed, script), "seed {seed} script {script}, twice");
        println!("({seed}, {script}, \"{found}\"),");
        others += u32::from(found != expected);
    }
    assert_eq!(others, 0, "the fingerprints above are others");
    assert_ne!(fingerprint_of(2, 1), fingerprint_of(3, 1), "the seed changes nothing");
}

/// Goal: requests by `arbitrary` meet each other. Method: of 40 scripts every operation is asked, and
/// nearly all are carried out at least once; none fails for another reason than a rule.
#[test]
fn every_operation_is_asked_and_most_are_carried_out() {
    let mut counts: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
    for script in 0..40 {
        let vault = Ephemeral::new(script, &options()).unwrap();
        for line in run(&vault, vault.machine(), script, 0..STEPS) {
            let (name, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let Some(name) = Operation::from_name(name).map(Operation::name) else {
                assert_eq!(line, "nothing", "maintenance failed");
                continue;
            };
            let (done, refused) = counts.entry(name).or_default();
            let is_refused = rest.starts_with("error ");
            if is_refused {
                let why: String = rest.chars().take(90).collect();
                *reasons.entry(format!("{name} {why}")).or_default() += 1;
            }
            *(if is_refused { refused } else { done }) += 1;
        }
    }
    let (mut done_at_all, mut refused_at_all) = (0, 0);
    for (name, (done, refused)) in &counts {
        println!("{name}: {done} done, {refused} refused");
        done_at_all += done;
        refused_at_all += refused;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (why, count) in reasons.iter().take(25) {
        println!("{count} x {why}");
    }
    println!("{done_at_all} done, {refused_at_all} refused");
    assert_eq!(counts.len(), Operation::ALL.len());
    assert!(counts.values().filter(|(done, _)| *done > 0).count() >= 21);
    assert!(done_at_all * 3 > refused_at_all, "{done_at_all} done, {refused_at_all} refused");
}

fn real_files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for name in ["keystore.a", "keystore.b", "manifest.a", "manifest.b"] {
        files.insert(name.to_owned(), std::fs::read(dir.join(name)).unwrap());
    }
    for entry in std::fs::read_dir(dir.join("log")).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("log/{}", path.file_name().unwrap().to_str().unwrap());
        files.insert(name, std::fs::read(&path).unwrap());
    }
    files
}

/// Goal: nothing is left out in memory: cryptography, log and checks are those of a disk. Method: a
/// vault in a real folder, with sled, on the same clock and chance; after the same script every byte
/// of keystore, manifest and log is the same, and every row.
#[test]
fn a_vault_on_disk_of_the_same_seed_writes_the_same_keystore_and_log() {
    for seed in [5, 6] {
        let vault = Ephemeral::new(seed, &options()).unwrap();
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("vault");
        let machine = Machine::new(seed);
        let mut disk = options();
        let Env { clock, entropy, .. } = machine.env();
        let fs = std::sync::Arc::new(real::RealFs);
        disk.tuning.env = Some(Env { clock, entropy: entropy.clone(), fs });
        disk.tuning.background = false;
        let on_disk = VaultDir::make(&dir, &disk).unwrap().create(|id| {
            let text = key_file::generate(id, entropy.as_ref()).unwrap();
            Ok(Unlock::KeyFile(SecretBytes::copy_from(text.expose())))
        });
        let on_disk = on_disk.unwrap();
        assert!(dir.join("state/db").exists(), "no sled");

        let compare = |moment: &str| {
            let (expected, found) = (real_files(&dir), files(vault.machine()));
            let names = |files: &BTreeMap<String, _>| files.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&expected), names(&found), "{moment}");
            for (name, bytes) in &expected {
                assert!(found[name] == *bytes, "seed {seed}, {moment}: {name} differs");
            }
        };
        compare("made");
        for part in 0..4 {
            let range = part * STEPS / 4..(part + 1) * STEPS / 4;
            let expected = run(&on_disk, &machine, seed, range.clone());
            assert_eq!(expected, run(&vault, vault.machine(), seed, range));
            assert!(rows(&on_disk) == rows(&vault), "the rows differ");
            compare("at work");
        }
        for (one, clock) in [(&on_disk, &machine.clock), (vault.vault(), &vault.machine().clock)] {
            clock.advance(DAY * 40);
            one.maintain().unwrap();
            one.shred().unwrap();
        }
        assert!(rows(&on_disk) == rows(&vault), "the rows differ after maintenance");
        compare("maintained and shredded");
        on_disk.close().unwrap();
        vault.close().unwrap();
        compare("closed");
    }
}
