//! Whole operations on a vault on disk: put by 1, 4 and 16 threads, get.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::time::{Duration, Instant};
use strongroom::__internals::crypto::{KdfParams, Unlock};
use strongroom::__internals::model::api::{CreateSecret, GetSecretValue, PutSecretValue};
use strongroom::__internals::secret::{SecretBytes, SecretValue};
use strongroom::__internals::vault::{Options, Vault};

fn vault(dir: &std::path::Path) -> Vault {
    let mut options = Options::default();
    options.tuning.kdf = Some(KdfParams::FLOOR);
    let unlock = Unlock::Passphrase(SecretBytes::from("bench".to_owned()));
    let vault = options.create(&dir.join("vault"), unlock).unwrap();
    for n in 0..16 {
        vault.create_secret(CreateSecret::new(format!("secret-{n}"))).unwrap();
    }
    vault
}

/// `count` puts of 1 KiB, spread over `threads` threads.
fn puts(vault: &Vault, threads: u64, count: u64) -> Duration {
    let started = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for _ in 0..count / threads + u64::from(thread < count % threads) {
                    let value = SecretValue::binary(vec![7; 1024]);
                    let request = PutSecretValue::new(format!("secret-{thread}"), value);
                    vault.put_secret_value(request).unwrap();
                }
            });
        }
    });
    started.elapsed()
}

fn operations(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(dir.path());
    let mut group = criterion.benchmark_group("vault");
    group.throughput(Throughput::Elements(1)).sample_size(10);
    for threads in [1, 4, 16] {
        group.bench_function(BenchmarkId::new("put 1 KiB, threads", threads), |bencher| {
            bencher.iter_custom(|count| puts(&vault, threads, count));
        });
    }
    let request = GetSecretValue::new("secret-0");
    group.bench_function("get 1 KiB", |bencher| {
        bencher.iter(|| vault.get_secret_value(request.clone()).unwrap());
    });
    group.finish();
    vault.close().unwrap();
}

criterion_group!(benches, operations);
criterion_main!(benches);
