//! Sealing and opening values: the price of a put and a get before anything touches a disk.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use strongroom::__internals::crypto::{KdfParams, Keystore, Unlock, VaultId, key_file};
use strongroom::__internals::env::Env;
use strongroom::__internals::secret::{PayloadKind, SecretValue};

fn seal(criterion: &mut Criterion) {
    let env = Env::real();
    let entropy = env.entropy.as_ref();
    let id = VaultId::generate(entropy).unwrap();
    let unlock = Unlock::KeyFile(key_file::generate(id, entropy).unwrap());
    let (_, keys) = Keystore::create(id, &unlock, KdfParams::FLOOR, entropy).unwrap();
    for bytes in [64, 1024, 65_536] {
        let mut group = criterion.benchmark_group("value");
        group.throughput(Throughput::Bytes(bytes as u64));
        let value = SecretValue::binary(vec![7; bytes]);
        group.bench_function(BenchmarkId::new("seal", bytes), |bencher| {
            bencher.iter(|| keys.seal_value(&value, entropy).unwrap());
        });
        let sealed = keys.seal_value(&value, entropy).unwrap();
        group.bench_function(BenchmarkId::new("open", bytes), |bencher| {
            bencher.iter_batched(
                || (),
                |()| keys.open_value(PayloadKind::Binary, &sealed.key, &sealed.sealed).unwrap(),
                BatchSize::SmallInput,
            );
        });
        group.finish();
    }
}

criterion_group!(benches, seal);
criterion_main!(benches);
