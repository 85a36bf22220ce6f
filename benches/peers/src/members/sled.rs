//! sled alone: a batch on its default tree and `flush`, by a leader. Its flush waits for the file's pages with
//! `sync_file_range`, which does not empty the disk's own cache: it promises less than the others.

use super::Backend;
use crate::work::{Book, Put};
use sled::{Batch, Db, IVec};
use std::path::Path;

pub struct Sled(Db);

impl Sled {
    pub fn open(dir: &Path) -> Self {
        Self(sled::open(dir.join("sled")).expect("sled opens"))
    }

    fn row(&self, key: &[u8]) -> IVec {
        self.0.get(key).expect("sled reads").expect("the row is there")
    }
}

impl Backend for Sled {
    fn write(&self, puts: Vec<Put>) {
        let mut batch = Batch::default();
        for (key, value) in puts.into_iter().flat_map(|put| put.0) {
            batch.insert(key, value);
        }
        self.0.apply_batch(batch).expect("sled writes");
        self.0.flush().expect("sled flushes");
    }

    fn current(&self, book: &Book, secret: usize, found: &mut dyn FnMut(&[u8])) {
        let label = self.row(&book.current(secret));
        found(&self.row(&book.version(secret, &label)));
    }

    fn close(&self) {
        self.0.flush().expect("sled flushes");
    }
}
