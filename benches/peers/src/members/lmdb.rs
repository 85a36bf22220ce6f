//! LMDB through heed: its unnamed database, with its default, durable flags; a transaction by a leader, because
//! it has one writer at a time.

use super::Backend;
use crate::work::{Book, Put};
use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, EnvOpenOptions};
use std::path::Path;

/// Address space, not disk.
const MAP: usize = 64 << 30;

pub struct Lmdb {
    /// Never closed: databases borrow it, and LMDB has nothing left to do at a close.
    env: &'static Env,
    rows: Database<'static, Bytes, Bytes>,
}

impl Lmdb {
    pub fn open(dir: &Path) -> Self {
        let folder = dir.join("lmdb");
        std::fs::create_dir_all(&folder).expect("the folder can be created");
        // SAFETY: the folder is this run's own, and nothing else maps or changes its file.
        let env = unsafe { EnvOpenOptions::new().map_size(MAP).open(&folder) }.expect("LMDB opens");
        let env: &'static Env = Box::leak(Box::new(env));
        let transaction = env.write_txn().expect("LMDB begins");
        let rows = env
            .create_databases_and_commit(transaction, |make, transaction| {
                make.create_database(transaction, None).map(CommitOrAbort::<_, ()>::Commit)
            })
            .expect("the database opens")
            .unwrap_commit();
        Self { env, rows }
    }
}

impl Backend for Lmdb {
    fn write(&self, puts: Vec<Put>) {
        let mut transaction = self.env.write_txn().expect("LMDB begins");
        for (key, value) in puts.iter().flat_map(|put| &put.0) {
            self.rows.put(&mut transaction, key, value).expect("LMDB writes");
        }
        transaction.commit().expect("LMDB commits");
    }

    fn current(&self, book: &Book, secret: usize, found: &mut dyn FnMut(&[u8])) {
        let transaction = self.env.read_txn().expect("LMDB begins");
        let row = |key: &[u8]| {
            self.rows.get(&transaction, key).expect("LMDB reads").expect("the row is there")
        };
        let label = row(&book.current(secret));
        found(row(&book.version(secret, label)));
    }
}
