//! Figures for `docs/STORE.md`. Ignored: run one by one, in release, on a quiet machine.

#![allow(clippy::print_stdout, clippy::cast_precision_loss)]

use super::*;
use crate::store::{Memtable, MemtableBytes};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}

/// Processor time of all threads so far: says more than the clock on a machine that is shared.
fn busy() -> String {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.split_whitespace().collect();
    format!("(busy {}0 + {}0 ms in all)", fields[13], fields[14])
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn open_tuned(dir: &Path) -> SledStore {
    let config = sled::Config::new()
        .cache_capacity(setting("CACHE_MIB", 16) << 20)
        .segment_size(usize::try_from(setting("SEGMENT_KIB", 1024)).unwrap() << 10)
        .flush_every_ms(match setting("FLUSH_MS", 0) {
            0 => None,
            millis => Some(millis),
        });
    SledStore::open_with(real_fs(), &dir.join("state"), config).unwrap()
}

fn id(secret: u64) -> Vec<u8> {
    [secret.to_be_bytes(), [7; 8]].concat()
}

fn with(id: &[u8], rest: u64) -> Vec<u8> {
    [id, &rest.to_be_bytes()].concat()
}

/// Lengths of the sealed rows of format 2: a secret without description and tags, and versions of 1 KiB.
const NAME: usize = 61;
const SECRET: usize = 213;
const VERSION: usize = 276;
const CHUNK: usize = 1129;
const TOKEN: usize = 54;
const LABELS: usize = 107;
/// The same for all that a version adds, and for all that a secret has besides its versions, with their keys.
const VERSION_BYTES: usize = (24 + VERSION) + (26 + CHUNK) + (32 + TOKEN);
const SECRET_BYTES: usize = (16 + SECRET) + (16 + LABELS);

fn token(id: &[u8], seq: u64) -> Vec<u8> {
    [with(id, seq), vec![3; 8]].concat()
}

fn chunk(id: &[u8], seq: u64) -> Vec<u8> {
    [with(id, seq), vec![0, 0]].concat()
}

/// What a put of 1 KiB changes, in the order of the trees, and what it drops if version `old` is one too many.
/// `sealed` makes a row of a length.
fn rows_of_put(
    id: &[u8],
    seq: u64,
    old: Option<u64>,
    sealed: impl Fn(usize) -> Vec<u8>,
) -> Vec<RowChange> {
    let mut rows = vec![
        put(Tree::Secrets, id, &sealed(SECRET)),
        put(Tree::Labels, id, &sealed(LABELS)),
        put(Tree::Versions, &with(id, seq), &sealed(VERSION)),
        put(Tree::Tokens, &token(id, seq), &sealed(TOKEN)),
        put(Tree::Blobs, &chunk(id, seq), &sealed(CHUNK)),
    ];
    if let Some(old) = old {
        rows.extend([
            gone(Tree::Versions, &with(id, old)),
            gone(Tree::Tokens, &token(id, old)),
            gone(Tree::Blobs, &chunk(id, old)),
        ]);
    }
    rows
}

/// Secrets with so many versions each, as a snapshot gives them: tree by tree, sorted. Returns their bytes.
fn snapshot(secrets: u64, versions: u64, mut row: impl FnMut(Tree, &[u8], &[u8])) -> u64 {
    let mut dice = Dice(5);
    let mut live = 0;
    let small = dice.bytes(4096);
    let mut row = |tree, key: &[u8], len: usize| {
        live += (key.len() + len) as u64;
        row(tree, key, &small[..len]);
    };
    for secret in 0..secrets {
        row(
            Tree::Names,
            &[secret.to_be_bytes(), secret.to_le_bytes(), [7; 8], [7; 8]].concat(),
            NAME,
        );
    }
    for secret in 0..secrets {
        row(Tree::Secrets, &id(secret), SECRET);
    }
    for tree in [Tree::Versions, Tree::Blobs, Tree::Tokens] {
        for secret in 0..secrets {
            for seq in 0..versions {
                match tree {
                    Tree::Versions => row(tree, &with(&id(secret), seq), VERSION),
                    Tree::Blobs => row(tree, &chunk(&id(secret), seq), CHUNK),
                    _ => row(tree, &token(&id(secret), seq), TOKEN),
                }
            }
        }
    }
    for secret in 0..secrets {
        row(Tree::Labels, &id(secret), LABELS);
    }
    live
}

#[test]
#[ignore = "a measurement: \
            `cargo test --release --lib store::tests::measure::load_reopen_scan -- --ignored --nocapture`"]
fn load_reopen_scan() {
    let dir = tempfile::tempdir_in(std::env::var("MEASURE_DIR").unwrap_or("/tmp".into())).unwrap();
    let versions = setting("VERSIONS", 100);
    let secrets = setting("TOTAL", 200_000) / versions;
    if std::env::var("CHILD").is_err() {
        let store = open_tuned(dir.path());
        let start = Instant::now();
        let mut loader = store.load().unwrap();
        let live = snapshot(secrets, versions, |t, k, v| loader.push(t, k, v).unwrap());
        loader.finish(Lsn(9)).unwrap();
        println!(
            "load: {:?}, rss {} MiB, live {} MiB, disk {} MiB {}",
            start.elapsed(),
            resident_mib(),
            live >> 20,
            store.disk_bytes() >> 20,
            busy()
        );
        let start = Instant::now();
        store.close().unwrap();
        let disk =
            crate::store::sled_store::files::disk_bytes(&*real_fs(), &dir.path().join("state"));
        println!("close: {:?}, disk {} MiB", start.elapsed(), disk >> 20);
        assert!(disk <= 3 * live, "{disk} bytes");
        for _ in 0..2 {
            let status = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "store::tests::measure::load_reopen_scan", "--ignored"])
                .arg("--nocapture")
                .env("CHILD", dir.path())
                .status();
            assert!(status.unwrap().success());
        }
        return;
    }
    let dir = std::path::PathBuf::from(std::env::var("CHILD").unwrap());
    let start = Instant::now();
    let store = open_tuned(&dir);
    println!("open: {:?}, rss {} MiB {}", start.elapsed(), resident_mib(), busy());
    let start = Instant::now();
    let scan = |trees: &[Tree]| {
        let mut count = 0_u64;
        for tree in trees {
            store.scan(*tree, &mut |_, _| count += 1).unwrap();
        }
        count
    };
    let count = std::thread::scope(|scope| {
        let first = scope.spawn(|| scan(&[Tree::Versions, Tree::Names, Tree::Labels]));
        scan(&[Tree::Tokens, Tree::Secrets]) + first.join().unwrap()
    });
    assert_eq!(count, secrets * (2 * versions + 3));
    println!(
        "scan of {count} rows by 2: {:?}, rss {} MiB {}",
        start.elapsed(),
        resident_mib(),
        busy()
    );
    let start = Instant::now();
    let blobs = scan(&[Tree::Blobs]);
    println!("scan of blobs: {:?}, rss {} MiB", start.elapsed(), resident_mib());
    assert_eq!(blobs, secrets * versions);
}

#[test]
#[ignore = "a measurement: \
            `cargo test --release --lib store::tests::measure::space_under_churn -- --ignored --nocapture`"]
fn space_under_churn() {
    let dir = tempfile::tempdir_in(std::env::var("MEASURE_DIR").unwrap_or("/tmp".into())).unwrap();
    let store = open_tuned(dir.path());
    let (secrets, keep, puts) = (50, 100, setting("PUTS", 100_000));
    let mut dice = Dice(6);
    let mut live: Vec<VecDeque<u64>> = (0..secrets).map(|_| VecDeque::new()).collect();
    let value = dice.bytes(CHUNK);
    let (mut worst, mut sum, mut samples) = (0, 0, 0_u64);
    let start = Instant::now();
    for lsn in 1..=puts {
        let secret = dice.below(secrets);
        let (id, seqs) = (id(secret), &mut live[usize::try_from(secret).unwrap()]);
        seqs.push_back(lsn);
        let old = if seqs.len() > keep { seqs.pop_front() } else { None };
        let rows = rows_of_put(&id, lsn, old, |len| value[..len].to_vec());
        store.apply(&[set(lsn, rows)]).unwrap();
        if lsn % 5000 == 0 {
            store.checkpoint().unwrap();
        }
        if lsn > puts / 2 && lsn % 1000 == 0 {
            let disk = store.disk_bytes();
            worst = worst.max(disk);
            sum += disk;
            samples += 1;
        }
        if lsn % (puts / 5) == 0 {
            println!(
                "{lsn} puts: disk {} KiB, rss {} MiB",
                store.disk_bytes() >> 10,
                resident_mib()
            );
        }
    }
    let live_bytes = secrets * (keep * VERSION_BYTES + SECRET_BYTES) as u64;
    println!(
        "{:?}; live {} KiB, disk mean {:.2}x worst {:.2}x {}",
        start.elapsed(),
        live_bytes >> 10,
        (sum / samples) as f64 / live_bytes as f64,
        worst as f64 / live_bytes as f64,
        busy(),
    );
    let blob_files = std::fs::read_dir(dir.path().join("state/blobs")).unwrap().count();
    println!("blob files {blob_files}");
    assert_eq!(blob_files, 0);
    assert!(worst <= 3 * live_bytes + (16 << 20), "{worst} bytes");
    let fresh_dir = tempfile::tempdir().unwrap();
    let fresh = open_tuned(fresh_dir.path());
    let mut loader = fresh.load().unwrap();
    for tree in Tree::ALL {
        store.scan(tree, &mut |key, value| loader.push(tree, key, value).unwrap()).unwrap();
    }
    loader.finish(Lsn(puts)).unwrap();
    fresh.close().unwrap();
    let disk =
        crate::store::sled_store::files::disk_bytes(&*real_fs(), &fresh_dir.path().join("state"));
    println!("rebuilt: {} KiB, {:.2}x", disk >> 10, disk as f64 / live_bytes as f64);
}

/// Processor time of each thread that lives, in microseconds, added up by the beginning of its name.
fn busy_by_thread() -> BTreeMap<String, u64> {
    let mut busy = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let task = task.unwrap().path();
        // Nanoseconds come first.
        let Ok(spent) = std::fs::read_to_string(task.join("schedstat")) else { continue };
        let Ok(name) = std::fs::read_to_string(task.join("comm")) else { continue };
        let nanos: u64 = spent.split_whitespace().next().unwrap().parse().unwrap();
        let name = name.trim().trim_end_matches(|letter: char| letter.is_ascii_digit());
        *busy.entry(name.to_owned()).or_default() += nanos / 1000;
    }
    busy
}

/// What reaches sled of a sustained put, and what that costs: change sets of eight rows, as in format 2,
/// through a memtable, on a state that has `KEEP` versions of each secret, so that each put pushes one out.
#[test]
#[ignore = "a measurement: \
            `cargo test --release --lib store::tests::measure::flush_under_puts -- --ignored --nocapture`"]
fn flush_under_puts() {
    let dir = tempfile::tempdir_in(std::env::var("MEASURE_DIR").unwrap_or("/tmp".into())).unwrap();
    let store = open_tuned(dir.path());
    let (secrets, keep) = (setting("SECRETS", 1000), setting("KEEP", 20));
    let puts = setting("PUTS", 60_000);
    let mut loader = store.load().unwrap();
    let live = snapshot(secrets, keep, |t, k, v| loader.push(t, k, v).unwrap());
    loader.finish(Lsn(9)).unwrap();
    store.checkpoint().unwrap();
    println!("loaded {} KiB, disk {} KiB", live >> 10, store.disk_bytes() >> 10);
    let table = Memtable::over(store, MemtableBytes::of(setting("TABLE_MIB", 64) << 20), true);
    let table = table.unwrap();
    let mut next: Vec<u64> = (0..secrets).map(|_| keep).collect();
    let (mut dice, value) = (Dice(6), Dice(7).bytes(CHUNK));
    let (mut sets, mut worst) = (Vec::new(), 0);
    let (before, start) = (busy_by_thread(), Instant::now());
    for put_number in 1..=puts {
        let secret = dice.below(secrets);
        let id = id(secret);
        let seq = next[usize::try_from(secret).unwrap()];
        next[usize::try_from(secret).unwrap()] += 1;
        let own = put_number.to_be_bytes();
        let sealed = |len: usize| [&own, &value[8..len]].concat();
        let rows = rows_of_put(&id, seq, seq.checked_sub(keep), sealed);
        sets.push(set(9 + put_number, rows));
        if sets.len() == 16 || put_number == puts {
            table.make_room().unwrap();
            table.publish(std::mem::take(&mut sets)).unwrap();
        }
        if put_number % 4000 == 0 {
            table.checkpoint().unwrap();
            worst = worst.max(table.disk_bytes());
        }
    }
    table.flush().unwrap();
    let elapsed = start.elapsed();
    let mut versions = 0;
    table.below().scan(Tree::Versions, &mut |_, _| versions += 1).unwrap();
    assert_eq!(versions, secrets * keep, "each put pushed a version out");
    let mut sum = 0.0;
    for (name, spent) in busy_by_thread() {
        let each = (spent - before.get(&name).copied().unwrap_or(0)) as f64 / puts as f64;
        sum += each;
        println!("{name:>20} {each:7.1} us a put");
    }
    println!(
        "{:>20} {sum:7.1} us a put, {elapsed:.1?} elapsed, rss {} MiB",
        "in all",
        resident_mib()
    );
    table.checkpoint().unwrap();
    let disk = table.disk_bytes();
    println!(
        "disk {} KiB, {:.2}x live; worst {:.2}x",
        disk >> 10,
        disk as f64 / live as f64,
        worst.max(disk) as f64 / live as f64
    );
}
