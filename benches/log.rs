//! Appending to the log, beside the floor: a bare append and `fdatasync` of the same bytes.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use strongroom::__internals::env::Env;
use strongroom::__internals::log::{Authenticator, ClockNote, Frame, Log, LogOptions, RowSum};
use strongroom::__internals::model::{ChangeSet, Lsn, RowChange, Tree};

/// The cost of the real MAC is in `benches/seal.rs`'s crate; here the log itself is measured.
struct Sum(u64);

impl RowSum for Sum {
    fn add(&mut self, _: Tree, key: &[u8], value: &[u8]) {
        self.0 = self.0.wrapping_add((key.len() + value.len()) as u64);
    }
    fn digest(&self, _: Lsn) -> [u8; 32] {
        [0; 32]
    }
}

struct Mac;

impl Authenticator for Mac {
    fn tag(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        hash.update(domain);
        parts.iter().for_each(|part| hash.update(part));
        hash.finalize().into()
    }
    fn new_sum(&self) -> Box<dyn RowSum> {
        Box::new(Sum(0))
    }
}

fn append(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let (env, options) = (Env::real(), LogOptions::default());
    let clock = ClockNote::default();
    let mut log = Log::create(&env, dir.path(), [1; 16], Arc::new(Mac), options, 1, clock).unwrap();
    let value: Box<[u8]> = vec![7; 1100].into();
    let mut group = criterion.benchmark_group("log");
    let mut lsn = 0_u64;
    group.bench_function("append and sync, 1 KiB", |bencher| {
        bencher.iter(|| {
            lsn += 1;
            let row = RowChange {
                tree: Tree::Blobs,
                key: lsn.to_be_bytes().as_slice().into(),
                value: Some(value.clone()),
            };
            let sets = vec![ChangeSet { lsn: Lsn(lsn), rows: vec![row] }];
            log.append(&Frame { keystore_generation: 1, clock, digest: [0; 32], sets }).unwrap();
            log.sync().unwrap();
            if let Some(preparation) = log.preparation() {
                log.prepared(preparation.run().unwrap());
            }
        });
    });
    let file = std::fs::File::create(dir.path().join("bare")).unwrap();
    file.write_all_at(&vec![0; 16 << 20], 0).unwrap();
    file.sync_all().unwrap();
    let mut at = 0_u64;
    group.bench_function("floor: bare append and fdatasync, 1 KiB", |bencher| {
        bencher.iter(|| {
            file.write_all_at(&value, at % (15 << 20)).unwrap();
            file.sync_data().unwrap();
            at += 1100;
        });
    });
    group.finish();
}

criterion_group!(benches, append);
criterion_main!(benches);
