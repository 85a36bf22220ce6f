//! RocksDB: each writer commits its own `WriteBatch` with `sync`, and RocksDB's writers share syncs by
//! themselves. Log files are used again, as its documentation advises for synced writes.

use super::Backend;
use crate::work::{Book, Put};
use rocksdb::{DB, Options, WriteBatch, WriteOptions};
use std::path::Path;

pub struct Rocks(DB);

impl Rocks {
    pub fn open(dir: &Path) -> Self {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_recycle_log_file_num(4);
        options.increase_parallelism(2);
        Self(DB::open(&options, dir.join("rocksdb")).expect("RocksDB opens"))
    }
}

impl Backend for Rocks {
    fn write(&self, puts: Vec<Put>) {
        let mut batch = WriteBatch::default();
        for (key, value) in puts.iter().flat_map(|put| &put.0) {
            batch.put(key, value);
        }
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.0.write_opt(batch, &options).expect("RocksDB commits");
    }

    fn current(&self, book: &Book, secret: usize, found: &mut dyn FnMut(&[u8])) {
        let row =
            |key: &[u8]| self.0.get_pinned(key).expect("RocksDB reads").expect("the row is there");
        let label = row(&book.current(secret));
        found(&row(&book.version(secret, &label)));
    }
}
