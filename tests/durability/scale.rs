//! Size: a vault with many versions opens fast and small, and one that is written for a long time
//! does not grow beyond what lives in it.
//!
//! The commands of the full figures are in `docs/TESTING.md`. Plain `cargo test` runs smaller variants, without
//! judging time.

use crate::common::rng::Rng;
use crate::common::search::files_below;
use crate::common::world::{self, Setup, SlowWorld};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use strongroom::__internals::model::api::{
    CreateSecret, GetSecretValue, ListSecretVersionIds, PutSecretValue,
};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::{Vault, Write};

fn create(vault: &Vault, name: &str) {
    let mut request = CreateSecret::new(name);
    request.client_request_token = Some(format!("{name:c>40}"));
    vault.create_secret(request).unwrap();
}

fn token(n: usize) -> String {
    format!("n{n:0>39}")
}

/// Puts with a window of requests in flight; `each` is called before every one.
fn put_many(
    vault: &Vault,
    numbers: std::ops::Range<usize>,
    secrets: usize,
    bytes: usize,
    mut each: impl FnMut(usize),
) {
    let (told, outcomes) = mpsc::channel();
    let mut flying = 0;
    for n in numbers {
        each(n);
        if flying == 500 {
            outcomes.recv().unwrap();
            flying -= 1;
        }
        let value = format!("{n:0>bytes$}");
        let mut request =
            PutSecretValue::new(format!("secret-{}", n % secrets), SecretValue::text(value));
        request.client_request_token = Some(token(n));
        let told = told.clone();
        let done = Box::new(move |answer: strongroom::__internals::error::Result<_>| {
            answer.unwrap();
            let _ = told.send(());
        });
        vault.submit_write(Write::PutSecretValue(request), done);
        flying += 1;
    }
    (0..flying).for_each(|_| outcomes.recv().unwrap());
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// The child: opens, says how long it took and what memory it holds; or writes until it is killed.
#[test]
fn child() {
    let Some(task) = crate::common::child_task() else { return };
    let (what, dir) = task.split_once(' ').unwrap();
    let dir = Path::new(dir);
    let key = std::fs::read(dir.join("key")).unwrap();
    match what {
        "open" => {
            let started = Instant::now();
            let vault = world::open_in(&dir.join("vault"), &key, &Setup::usual()).unwrap();
            let opened = started.elapsed();
            let rss = resident_bytes();
            let mut request = GetSecretValue::new("secret-3");
            request.version_id = Some(token(3));
            vault.get_secret_value(request.clone()).unwrap();
            println!("opened {} {rss}", opened.as_micros());
            vault.close().unwrap();
        }
        _ => {
            let setup = Setup { segment_bytes: (16 << 10, 64 << 10), ..Setup::usual() };
            let vault = world::open_in(&dir.join("vault"), &key, &setup).unwrap();
            let mut n: usize = what.parse().unwrap();
            loop {
                for _ in 0..20 {
                    put_many(&vault, n..n + 1, 5, 700, |_| {});
                    println!("put {n}");
                    n += 1;
                }
                vault.maintain().unwrap();
            }
        }
    }
}

/// Fills a vault with so many versions, closes it, and opens it in a fresh process: time and
/// resident memory.
fn open_figures(versions: usize) -> (Duration, u64) {
    const SECRETS: usize = 2_000;
    let dir = tempfile::tempdir().unwrap();
    let (vault_dir, key_path) = (dir.path().join("vault"), dir.path().join("key"));
    let vault = world::create_in(&vault_dir, &key_path, &Setup::usual()).unwrap();
    let secrets = SECRETS.min(versions / 10);
    (0..secrets).for_each(|n| create(&vault, &format!("secret-{n}")));
    let started = Instant::now();
    put_many(&vault, 0..versions, secrets, 64, |_| {});
    println!("{versions} versions put in {:.1?}", started.elapsed());
    vault.maintain().unwrap();
    vault.close().unwrap();
    let mut best = None::<(Duration, u64)>;
    for _ in 0..3 {
        let output =
            crate::common::child("scale::child", &format!("open {}", dir.path().display()))
                .stderr(Stdio::inherit())
                .output()
                .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let line = said.lines().find_map(|line| line.split_once("opened ")).expect("it opened").1;
        let (micros, rss) = line.split_once(' ').unwrap();
        let seen = (Duration::from_micros(micros.parse().unwrap()), rss.trim().parse().unwrap());
        println!("opened in {:.1?} with {} MiB resident", seen.0, seen.1 >> 20);
        best = Some(best.map_or(seen, |best| best.min(seen)));
    }
    best.unwrap()
}

#[test]
fn a_vault_with_many_versions_opens_and_serves() {
    let (_, rss) = open_figures(10_000);
    assert!(rss < 150 << 20);
}

#[test]
#[ignore = "a minute of filling, figures of a release build: \
            `cargo test --release --test durability a_vault_with_200_000_versions_opens_within_a_second_and_150_mib -- --ignored --nocapture`"]
fn a_vault_with_200_000_versions_opens_within_a_second_and_150_mib() {
    let (took, rss) = open_figures(200_000);
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(rss < 150 << 20, "{rss} bytes resident");
}

fn folder_bytes(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let files = files_below(dir).into_iter();
    files.filter_map(|path| std::fs::metadata(path).ok()).map(|file| file.blocks() * 512).sum()
}

/// Puts on 50 secrets while simulated days pass, so that retention lets most of them go.
fn long_writing(puts: usize, segment_bytes: u64) -> Duration {
    const SECRETS: usize = 50;
    let dir = tempfile::tempdir().unwrap();
    let vault_dir = dir.path().join("vault");
    let world = SlowWorld::new(&vault_dir);
    let setup = Setup { segment_bytes: (segment_bytes, segment_bytes), ..Setup::usual() };
    let vault = world.create(&setup).unwrap();
    (0..SECRETS).for_each(|n| create(&vault, &format!("secret-{n}")));
    vault.maintain().unwrap();
    // Four days pass in all; every put has its moment.
    let step = Duration::from_secs(4 * 86_400) / u32::try_from(puts).unwrap();
    let chunk = puts / 20;
    let mut on_the_put_path = BTreeSet::new();
    let mut largest = 0;
    for at in (0..puts).step_by(chunk) {
        world.fs.take_made();
        put_many(&vault, at..(at + chunk).min(puts), SECRETS, 1_024, |_| world.clock.advance(step));
        for (thread, path) in world.fs.take_made() {
            if !["strongroom-maintenance", "strongroom-segments"].contains(&thread.as_str()) {
                on_the_put_path.insert((thread, path));
            }
        }
        vault.maintain().unwrap();
        largest = largest.max(folder_bytes(&vault_dir));
    }
    world.clock.advance(Duration::from_secs(2 * 86_400));
    for _ in 0..4 {
        vault.maintain().unwrap();
    }
    let (live, folder) = (world.live_bytes(&vault), folder_bytes(&vault_dir));
    println!(
        "{puts} puts of 1 KiB: folder {} KiB (at most {} KiB), of it state {} KiB and log {} KiB, live {} KiB: {:.2} times, segments of {} KiB",
        folder >> 10,
        largest >> 10,
        folder_bytes(&vault_dir.join("state")) >> 10,
        folder_bytes(&vault_dir.join("log")) >> 10,
        live >> 10,
        folder as f64 / live as f64,
        segment_bytes >> 10
    );
    let request = ListSecretVersionIds {
        secret_id: "secret-7".into(),
        include_deprecated: Some(true),
        max_results: Some(100),
        next_token: None,
    };
    let page = vault.list_secret_version_ids(request.clone()).unwrap();
    assert_eq!((page.versions.len(), page.next_token), (100.min(puts / SECRETS), None));
    assert!(on_the_put_path.is_empty(), "files made while putting: {on_the_put_path:?}");
    // The log alone has up to two segments and a snapshot of the live rows. sled's file is at most 2.6 times
    // the live rows, because a flush brings it many rows at once.
    assert!(folder <= 3 * live + 4 * segment_bytes, "{folder} bytes for {live} live ones");
    vault.close().unwrap();
    drop(vault);
    let started = Instant::now();
    let vault = world.open(&setup).unwrap();
    let took = started.elapsed();
    println!("opened in {took:.1?}");
    let mut request = GetSecretValue::new(format!("secret-{}", (puts - 1) % SECRETS));
    request.version_id = Some(token(puts - 1));
    let got = vault.get_secret_value(request.clone()).unwrap();
    assert_eq!(got.value.bytes().len(), 1_024);
    vault.close().unwrap();
    took
}

#[test]
fn a_folder_stays_in_proportion_to_what_lives_in_it() {
    long_writing(12_000, 4 << 20);
}

#[test]
#[ignore = "minutes of writing, figures of a release build: \
            `cargo test --release --test durability after_100_000_puts_the_folder_is_at_most_three_times_what_lives_in_it -- --ignored --nocapture`"]
fn after_100_000_puts_the_folder_is_at_most_three_times_what_lives_in_it() {
    let took = long_writing(100_000, 16 << 20);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

/// A writer that compacts all the time, killed at any moment of it.
fn kills_inside_compaction(rounds: u64) {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup { segment_bytes: (16 << 10, 64 << 10), ..Setup::usual() };
    let vault_dir = dir.path().join("vault");
    let vault = world::create_in(&vault_dir, &dir.path().join("key"), &setup).unwrap();
    let key = world::key_of(&dir.path().join("key"));
    (0..5).for_each(|n| create(&vault, &format!("secret-{n}")));
    vault.close().unwrap();
    let mut rng = Rng::new(61);
    let (mut next, mut acknowledged) = (0_usize, Vec::new());
    for round in 0..rounds {
        let task = format!("{next} {}", dir.path().display());
        let mut child =
            crate::common::child("scale::child", &task).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let (send, said) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let first = loop {
            let line = said.recv_timeout(Duration::from_secs(60)).unwrap();
            if line.contains("put ") {
                break line;
            }
        };
        std::thread::sleep(Duration::from_micros(rng.range(0..80_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        reader.join().unwrap();
        for line in std::iter::once(first).chain(said.try_iter()) {
            if let Some((_, n)) = line.split_once("put ") {
                acknowledged.push(n.trim().parse::<usize>().unwrap());
            }
        }
        // One more than was acknowledged may be there.
        next = acknowledged.last().map_or(0, |last| last + 1) + 1;
        let vault = world::open_in(&vault_dir, &key, &setup).unwrap();
        let recent =
            acknowledged.len().saturating_sub(if round + 1 == rounds { 100_000 } else { 200 });
        for n in &acknowledged[recent..] {
            let mut request = GetSecretValue::new(format!("secret-{}", n % 5));
            request.version_id = Some(token(*n));
            let got = vault.get_secret_value(request.clone());
            let got = got.unwrap_or_else(|error| panic!("round {round}: put {n}: {error}"));
            assert_eq!(got.value.bytes().expose(), format!("{n:0>700}").as_bytes());
        }
        vault.close().unwrap();
        drop(vault);
        let report = world::check_in(&vault_dir, &key).unwrap();
        assert!(report.damage.is_empty(), "round {round}: {:?}", report.damage);
    }
    println!("{rounds} kills inside compaction, {} acknowledged puts", acknowledged.len());
    let _ = std::io::stdout().flush();
    assert!(acknowledged.len() as u64 > rounds);
}

#[test]
fn a_kill_inside_compaction_loses_nothing() {
    kills_inside_compaction(crate::common::env_number("STRONGROOM_COMPACTION_KILLS", 12));
}

#[test]
#[ignore = "minutes of kills: \
            `cargo test --release --test durability a_hundred_kills_inside_compaction_lose_nothing -- --ignored --nocapture`"]
fn a_hundred_kills_inside_compaction_lose_nothing() {
    kills_inside_compaction(100);
}
