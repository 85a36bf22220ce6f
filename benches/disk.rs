//! The product as its users run it, on the disk and with sled, beside the limit of the same disk in the same
//! run: durable puts of 1 KiB by 1, 16 and 64 writers, and gets.
//!
//! The limits are made of the same work without a vault: each writer seals a value of 1 KiB; one thread
//! appends what waits to blocks that were written before, syncs once, and answers. A get is a look into a map
//! and the opening of the value.
//!
//! `cargo bench --bench disk` (`-- --quick` for a short run, `-- --dir DIR` for another disk, `-- --only WORDS`
//! for the rows that begin with these words, such as `put 1 KiB, 16`). Members alternate; each figure is the median of its rounds. Prints; judges nothing.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]

use crossbeam::channel::{Receiver, Sender, bounded};
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use strongroom::__internals::crypto::{Keyring, Keystore, Unlock, VaultId, key_file};
use strongroom::__internals::env::real::OsEntropy;
use strongroom::__internals::model::api::{CreateSecret, GetSecretValue, PutSecretValue};
use strongroom::__internals::secret::{PayloadKind, SecretValue};
use strongroom::__internals::vault::{Options, Vault, VaultDir};

const SECRETS: usize = 1000;
const WRITERS: [usize; 3] = [1, 16, 64];
const READERS: [usize; 2] = [1, 2];
const VALUE: usize = 1024;

fn value() -> SecretValue {
    SecretValue::binary(vec![7; VALUE])
}

fn unlock(id: VaultId) -> Unlock {
    Unlock::KeyFile(key_file::generate(id, &OsEntropy).unwrap())
}

fn vault(dir: &Path) -> Vault {
    let options = Options::default();
    let vault =
        VaultDir::make(&dir.join("vault"), &options).unwrap().create(|id| Ok(unlock(id))).unwrap();
    for n in 0..SECRETS {
        let mut request = CreateSecret::new(format!("secret-{n}"));
        request.value = Some(value());
        vault.create_secret(request).unwrap();
    }
    vault
}

fn keys() -> Keyring {
    let id = VaultId::generate(&OsEntropy).unwrap();
    let params = strongroom::__internals::crypto::KdfParams::FLOOR;
    Keystore::create(id, &unlock(id), params, &OsEntropy).unwrap().1
}

/// A group commit without a vault.
struct Limit {
    queue: Option<Sender<(Vec<u8>, Sender<()>)>>,
    thread: Option<std::thread::JoinHandle<()>>,
    keys: Keyring,
}

impl Limit {
    fn new(dir: &Path) -> Self {
        let file = File::create(dir.join("limit")).unwrap();
        let bytes = vec![0_u8; 1 << 20];
        for at in 0..64_u64 {
            file.write_all_at(&bytes, at << 20).unwrap();
        }
        file.sync_all().unwrap();
        let (queue, waiting) = bounded(1024);
        let thread = std::thread::spawn(move || Self::run(&file, &waiting));
        Self { queue: Some(queue), thread: Some(thread), keys: keys() }
    }

    /// Waits a little for as many as the last two batches had, as the product does.
    fn run(file: &File, waiting: &Receiver<(Vec<u8>, Sender<()>)>) {
        let (mut at, mut last, mut before) = (0_u64, 0, 0);
        let mut commit = Duration::ZERO;
        while let Ok(first) = waiting.recv() {
            let mut batch = vec![first];
            let until = Instant::now() + (commit / 7).min(Duration::from_micros(500));
            while batch.len() < 256 {
                match waiting.try_recv() {
                    Ok(next) => batch.push(next),
                    Err(_) if batch.len() >= last + before => break,
                    Err(_) => match waiting.recv_deadline(until) {
                        Ok(next) => batch.push(next),
                        Err(_) => break,
                    },
                }
            }
            let started = Instant::now();
            let bytes = batch.iter().flat_map(|(bytes, _)| bytes).copied().collect::<Vec<_>>();
            if at + bytes.len() as u64 > 64 << 20 {
                at = 0;
            }
            file.write_all_at(&bytes, at).unwrap();
            file.sync_data().unwrap();
            at += bytes.len() as u64;
            (before, last) = (last, batch.len());
            batch.into_iter().for_each(|(_, done)| done.send(()).unwrap());
            commit = (commit + started.elapsed()) / 2;
        }
    }

    fn put(&self) {
        let sealed = self.keys.seal_value(&value(), &OsEntropy).unwrap().sealed;
        let (report, done) = bounded(1);
        self.queue.as_ref().unwrap().send((sealed, report)).unwrap();
        done.recv().unwrap();
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        self.queue.take();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// User and system time of this process.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after = stat.rsplit(')').next().unwrap();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

#[derive(Clone, Copy, Default)]
struct Figure {
    rate: f64,
    cpu_us: f64,
    p50_us: f64,
    p99_us: f64,
}

/// Repeats `work` in so many threads.
fn measure(threads: usize, time: Duration, work: impl Fn(usize, u64) + Sync) -> Figure {
    let stop = AtomicBool::new(false);
    let (started, used) = (Instant::now(), cpu());
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                let (stop, work) = (&stop, &work);
                scope.spawn(move || {
                    let (mut times, mut n) = (Vec::new(), thread as u64 * 7919);
                    while !stop.load(Ordering::Relaxed) {
                        let started = Instant::now();
                        work(thread, n);
                        times.push(started.elapsed());
                        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    }
                    times
                })
            })
            .collect();
        std::thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let (elapsed, used) = (started.elapsed(), cpu() - used);
    times.sort_unstable();
    let count = times.len().max(1);
    let at = |share: usize| times.get(count * share / 100).map_or(0.0, |t| t.as_secs_f64() * 1e6);
    Figure {
        rate: count as f64 / elapsed.as_secs_f64(),
        cpu_us: used.as_secs_f64() * 1e6 / count as f64,
        p50_us: at(50),
        p99_us: at(99),
    }
}

fn median(mut figures: Vec<Figure>) -> Figure {
    let mut of = |by: fn(&Figure) -> f64| {
        figures.sort_by(|a, b| by(a).total_cmp(&by(b)));
        by(&figures[figures.len() / 2])
    };
    Figure {
        rate: of(|figure| figure.rate),
        cpu_us: of(|figure| figure.cpu_us),
        p50_us: of(|figure| figure.p50_us),
        p99_us: of(|figure| figure.p99_us),
    }
}

fn show(what: &str, product: Figure, limit: Figure) {
    println!(
        "{what:<24} {:>9.0}/s  {:>6.2} of the limit  {:>7.1} us CPU ({:.1} x)  p50 {:>7.1} us  p99 {:>8.1} us",
        product.rate,
        product.rate / limit.rate,
        product.cpu_us,
        product.cpu_us / limit.cpu_us,
        product.p50_us,
        product.p99_us,
    );
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let quick = args.iter().any(|arg| arg == "--quick" || arg == "--test");
    let only = args.iter().position(|arg| arg == "--only").map(|at| args[at + 1].clone());
    let is_wanted = |what: &str| only.as_deref().is_none_or(|only| what.starts_with(only));
    let place = args.iter().position(|arg| arg == "--dir").map(|at| PathBuf::from(&args[at + 1]));
    let (rounds, time) =
        if quick { (1, Duration::from_millis(200)) } else { (5, Duration::from_millis(2000)) };
    let dir = place.map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap();
    let (vault, limit) = (vault(dir.path()), Limit::new(dir.path()));
    let secret = |n: u64| format!("secret-{}", (n >> 33) as usize % SECRETS);
    for writers in WRITERS {
        let what = format!("put 1 KiB, {writers} writers");
        if !is_wanted(&what) {
            continue;
        }
        let (mut product, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            bare.push(measure(writers, time, |_, _| limit.put()));
            product.push(measure(writers, time, |_, n| {
                vault.put_secret_value(PutSecretValue::new(secret(n), value())).unwrap();
            }));
        }
        show(&what, median(product), median(bare));
    }
    let mut map = HashMap::new();
    for n in 0..SECRETS {
        let sealed = limit.keys.seal_value(&value(), &OsEntropy).unwrap();
        map.insert(format!("secret-{n}"), sealed);
    }
    for readers in READERS {
        let what = format!("get 1 KiB, {readers} readers");
        if !is_wanted(&what) {
            continue;
        }
        let (mut product, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            bare.push(measure(readers, time, |_, n| {
                let sealed = &map[&secret(n)];
                let opened =
                    limit.keys.open_value(PayloadKind::Binary, &sealed.key, &sealed.sealed);
                assert!(opened.is_ok());
            }));
            product.push(measure(readers, time, |_, n| {
                vault.get_secret_value(GetSecretValue::new(secret(n))).unwrap();
            }));
        }
        show(&what, median(product), median(bare));
    }
    let state = size(&dir.path().join("vault/state"));
    let started = Instant::now();
    vault.close().unwrap();
    println!("close {} ms, state {} MiB", started.elapsed().as_millis(), state >> 20);
}

fn size(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            let found = entry.metadata().unwrap();
            if found.is_dir() { size(&entry.path()) } else { found.len() }
        })
        .sum()
}
