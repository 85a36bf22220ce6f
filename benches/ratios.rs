//! The figures that are promises, as ratios: what 16 writers make of one sync, and what a get costs
//! while syncs are slow. On a simulated disk whose syncs sleep, so that any machine can print them;
//! beside them the same bare append and sync.
//!
//! `cargo bench --bench ratios` (`-- --quick` for a short run). Prints; judges nothing.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use strongroom::__internals::env::real::{OsEntropy, RealClock};
use strongroom::__internals::env::{Env, Fs, OpenMode};
use strongroom::__internals::model::api::{CreateSecret, GetSecretValue, PutSecretValue};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::{Options, Vault, internals};
use strongroom_fuzz_bodies::env::sim::SimFs;

const WRITERS: usize = 16;

fn vault(fs: &Arc<SimFs>) -> Vault {
    let mut options = Options::default();
    options.tuning.env = Some(Env {
        clock: Arc::new(RealClock::new()),
        entropy: Arc::new(OsEntropy),
        fs: Arc::clone(fs) as Arc<dyn Fs>,
    });
    let vault = Vault::in_memory_with(&options).unwrap();
    for n in 0..WRITERS {
        vault.create_secret(CreateSecret::new(format!("secret-{n}"))).unwrap();
    }
    vault
}

fn put(vault: &Vault, writer: usize) {
    let request =
        PutSecretValue::new(format!("secret-{writer}"), SecretValue::binary(vec![7; 1024]));
    vault.put_secret_value(request).unwrap();
}

/// Puts per second by so many writers.
fn rate(vault: &Vault, writers: usize, time: Duration) -> f64 {
    let stop = AtomicBool::new(false);
    let started = Instant::now();
    let done: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|writer| {
                let stop = &stop;
                scope.spawn(move || {
                    let mut done = 0;
                    while !stop.load(Ordering::Relaxed) {
                        put(vault, writer);
                        done += 1;
                    }
                    done
                })
            })
            .collect();
        std::thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    done as f64 / started.elapsed().as_secs_f64()
}

/// Bare appends of 1 KiB, each synced, per second on the same disk.
fn floor(fs: &SimFs, time: Duration) -> f64 {
    let path = Path::new("/floor");
    let file = fs.open(path, OpenMode::Create).unwrap();
    let (started, mut done) = (Instant::now(), 0_u64);
    while started.elapsed() < time {
        file.write_all_at(&[7; 1024], done % 1024 * 1024).unwrap();
        file.sync_data().unwrap();
        done += 1;
    }
    done as f64 / started.elapsed().as_secs_f64()
}

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick" || arg == "--test");
    let time = Duration::from_millis(if quick { 500 } else { 4000 });

    let fs = Arc::new(SimFs::volatile());
    let open = vault(&fs);
    fs.set_sync_delay(Duration::from_millis(1));
    let (floor, one) = (floor(&fs, time), rate(&open, 1, time));
    let syncs = internals::frames(&open);
    let many = rate(&open, WRITERS, time);
    let syncs = internals::frames(&open) - syncs;
    let per_sync = many * time.as_secs_f64() / syncs as f64;
    println!("syncs take 1 ms: bare append and sync {floor:.0}/s");
    println!("  1 writer  {one:.0} puts/s, {:.2} of the bare append", one / floor);
    println!(
        "  16 writers {many:.0} puts/s, {:.1} times one writer, {per_sync:.1} puts a sync",
        many / one
    );

    fs.set_sync_delay(Duration::from_millis(50));
    put(&open, 0);
    let stop = AtomicBool::new(false);
    let mut times = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                put(&open, 1);
            }
        });
        let (until, mut times) = (Instant::now() + time * 2, Vec::new());
        while Instant::now() < until {
            let started = Instant::now();
            open.get_secret_value(GetSecretValue::new("secret-0")).unwrap();
            times.push(started.elapsed());
            std::thread::sleep(Duration::from_micros(200));
        }
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        times
    });
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("syncs take 50 ms, one writer: {} gets", times.len());
    println!("  p50 {:?}, p99 {:?}, longest {:?}", at(0.5), at(0.99), at(1.0));
    fs.set_sync_delay(Duration::ZERO);
    open.close().unwrap();
}
