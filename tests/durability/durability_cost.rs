//! What durability costs in syncs: many writers share them, a lone writer pays one each.
//!
//! Sixteen writers that *block* never have more than sixteen operations on their way, so 16,000 puts
//! cost them at least 1,000 syncs, whatever the vault does. The group commit shows with requests in
//! flight: here each writer keeps a window of 32, as a server's connections do.

use crate::common::world::{self, Setup, World};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use strongroom::__internals::model::api::{CreateSecret, PutSecretValue};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::{Vault, Write};

const WRITERS: usize = 16;
const PUTS: usize = 1_000;

fn create(vault: &Vault, writer: usize) {
    let mut request = CreateSecret::new(format!("writer-{writer}"));
    request.client_request_token = Some(format!("c{writer:0>36}"));
    vault.create_secret(request).unwrap();
}

fn put(writer: usize, n: usize) -> PutSecretValue {
    let name = format!("writer-{writer}");
    let mut request = PutSecretValue::new(name, SecretValue::text(format!("value {n}")));
    request.client_request_token = Some(format!("w{writer:0>4}n{n:0>32}"));
    request
}

fn made(background: bool) -> (World, Vault) {
    let world = World::new(41);
    // Segments that are large enough to leave the count to the puts.
    let setup = Setup { background, segment_bytes: (16 << 20, 16 << 20), ..Setup::default() };
    let vault = world.create(&setup).unwrap();
    (0..WRITERS).for_each(|writer| create(&vault, writer));
    world.set_sync_delay(Duration::from_millis(1));
    (world, vault)
}

#[test]
fn sixteen_writers_with_requests_in_flight_share_their_syncs() {
    const WINDOW: usize = 32;
    let (world, vault) = made(true);
    let (before, started) = (world.log_syncs(), Instant::now());
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let vault = vault.clone();
            scope.spawn(move || {
                let (told, outcomes) = mpsc::channel();
                let mut flying = 0;
                for n in 0..PUTS {
                    if flying == WINDOW {
                        outcomes.recv().unwrap();
                        flying -= 1;
                    }
                    let told = told.clone();
                    let done =
                        Box::new(move |answer: strongroom::__internals::error::Result<_>| {
                            answer.unwrap();
                            let _ = told.send(());
                        });
                    let write = Write::PutSecretValue(put(writer, n));
                    vault.submit_write(write, done);
                    flying += 1;
                }
                (0..flying).for_each(|_| outcomes.recv().unwrap());
            });
        }
    });
    let (syncs, took) = (world.log_syncs() - before, started.elapsed());
    println!("{WRITERS} writers x {PUTS} puts, window {WINDOW}: {syncs} syncs in {took:.2?}");
    assert!(syncs <= 250, "{syncs} syncs");
    vault.close().unwrap();
}

#[test]
fn sixteen_blocking_writers_share_their_syncs_as_far_as_they_can() {
    const EACH: usize = 100;
    let (world, vault) = made(true);
    let (before, started) = (world.log_syncs(), Instant::now());
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let vault = vault.clone();
            scope.spawn(move || {
                for n in 0..EACH {
                    vault.put_secret_value(put(writer, n)).unwrap();
                }
            });
        }
    });
    let (syncs, took) = (world.log_syncs() - before, started.elapsed());
    println!("{WRITERS} blocking writers x {EACH} puts: {syncs} syncs in {took:.2?}");
    assert!(syncs >= EACH as u64, "an answer came before its sync");
    // Two cohorts that alternate would cost twice the least.
    assert!(syncs <= 4 * EACH as u64, "{syncs} syncs");
    vault.close().unwrap();
}

#[test]
fn one_writer_pays_one_sync_for_each_put() {
    for background in [false, true] {
        let (world, vault) = made(background);
        world.set_sync_delay(Duration::ZERO);
        let before = world.log_syncs();
        for n in 0..PUTS {
            vault.put_secret_value(put(0, n)).unwrap();
        }
        let syncs = world.log_syncs() - before;
        println!("one writer, {PUTS} puts, threads {background}: {syncs} syncs");
        assert!((1_000..=1_010).contains(&syncs), "{syncs} syncs");
        vault.close().unwrap();
    }
}

/// The child: a vault in a real folder, and 1,000 puts between two marks that a trace can see.
#[test]
fn child() {
    let Some(dir) = crate::common::child_task() else { return };
    let dir = Path::new(&dir);
    let setup = Setup { segment_bytes: (16 << 20, 16 << 20), ..Setup::usual() };
    let vault = world::create_in(&dir.join("vault"), &dir.join("key"), &setup).unwrap();
    create(&vault, 0);
    std::fs::File::create(dir.join("mark")).unwrap().sync_data().unwrap();
    for n in 0..PUTS {
        vault.put_secret_value(put(0, n)).unwrap();
    }
    std::fs::File::create(dir.join("mark")).unwrap().sync_data().unwrap();
    vault.close().unwrap();
}

/// What strace writes about the child, with these calls traced. `None`: strace does not run here.
fn trace_of_child(calls: &str) -> Option<String> {
    let works = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !works {
        println!("SKIP strace does not run here");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let child = crate::common::child("durability_cost::child", dir.path().to_str().unwrap());
    let trace = dir.path().join("trace");
    let status = Command::new("strace")
        .args(["-f", "-y", "-s", "0", "-e", &format!("trace={calls}"), "-o"])
        .arg(&trace)
        .arg(child.get_program())
        .args(child.get_args())
        .envs(child.get_envs().filter_map(|(name, value)| value.map(|value| (name, value))))
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    Some(std::fs::read_to_string(&trace).unwrap())
}

/// The same figure as the kernel sees it.
#[test]
fn strace_counts_one_fdatasync_for_each_put() {
    let Some(text) = trace_of_child("fdatasync,fsync") else { return };
    let (mut marks, mut syncs) = (0, 0);
    for line in text.lines().filter(|line| line.contains("sync(")) {
        if line.contains("/mark>") {
            marks += 1;
        } else if marks == 1 && line.contains("/vault/log/") {
            syncs += 1;
        }
    }
    assert_eq!(marks, 2);
    println!("one writer, {PUTS} puts on a real disk: {syncs} fdatasyncs of the log");
    assert!((1_000..=1_010).contains(&syncs), "{syncs} syncs");
}

/// A put costs four calls to the file system: what is free, the frame, its sync, and whether the segment
/// still has a name (I11). The looks at the folder's place are not among them.
#[test]
fn strace_counts_four_calls_to_the_file_system_for_each_put() {
    let Some(text) = trace_of_child("%file,%desc") else { return };
    let mut marks = 0;
    let mut puts = Vec::new();
    for line in text.lines() {
        if line.contains("sync(") && line.contains("/mark>") {
            marks += 1;
        } else if marks == 1 {
            puts.push(line);
        }
    }
    let thread = |line: &str| line.split(' ').next().map(str::to_owned);
    // Whoever commits syncs the log: the caller that is alone, or the commit thread if it is not. The state
    // has threads of its own.
    let is_sync = |line: &&&str| line.contains("fdatasync(") && line.contains("/vault/log/");
    let commits: std::collections::BTreeSet<_> =
        puts.iter().filter(is_sync).map(|line| thread(line)).collect();
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    let of_commits = |line: &&&str| commits.contains(&thread(line)) && line.contains("/vault");
    for line in puts.iter().filter(of_commits) {
        let Some((call, _)) = line.split_once('(') else { continue };
        let name = call.rsplit(' ').next().unwrap();
        // sled's pages, which are written some hundred puts apart.
        if !line.contains("/vault/state") {
            *counts.entry(name).or_default() += 1;
        }
    }
    println!("one writer, {PUTS} puts: {counts:?}");
    let all: usize = counts.values().sum();
    assert!((4 * PUTS..4 * PUTS + PUTS / 10).contains(&all), "{counts:?}");
}

/// Record, labels, version, token and one chunk: what a put of a short value changes, and nothing else.
/// Sealed and padded, a value of 3,964 bytes is the longest that fits into one chunk of 4,096.
#[test]
fn a_put_of_up_to_3_964_bytes_is_five_rows() {
    let world = World::new(42);
    let vault = world.create(&Setup::default()).unwrap();
    create(&vault, 0);
    vault.put_secret_value(put(0, 1)).unwrap();
    let cases: [(usize, &[u8]); 5] = [
        (1, &[2, 3, 5, 6, 7]),
        (1_024, &[2, 3, 5, 6, 7]),
        (3_964, &[2, 3, 5, 6, 7]),
        (3_965, &[2, 3, 5, 5, 6, 7]),
        (4_096, &[2, 3, 5, 5, 6, 7]),
    ];
    for (n, (len, trees)) in cases.into_iter().enumerate() {
        let before = world::sealed_rows(&vault);
        let value = SecretValue::binary(vec![7; len]);
        vault.put_secret_value(PutSecretValue { value: Some(value), ..put(0, 2 + n) }).unwrap();
        let after = world::sealed_rows(&vault);
        let written: Vec<_> = after.iter().filter(|row| !before.contains(row)).collect();
        let found: Vec<u8> = written.iter().map(|row| row.tree as u8).collect();
        assert_eq!(found, trees, "a value of {len} bytes");
        // All but the record and the labels are new.
        assert_eq!(after.len(), before.len() + trees.len() - 2, "a value of {len} bytes");
    }
    vault.close().unwrap();
}
