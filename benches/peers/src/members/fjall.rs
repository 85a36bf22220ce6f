//! fjall: one keyspace; a batch with `PersistMode::SyncData` by a leader, because its commits hold one lock
//! and each syncs by itself.

use super::Backend;
use crate::work::{Book, Put};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use std::path::Path;

pub struct Fjall {
    database: Database,
    rows: Keyspace,
}

impl Fjall {
    pub fn open(dir: &Path) -> Self {
        let database = Database::builder(dir.join("fjall")).open().expect("fjall opens");
        let rows = database.keyspace("rows", KeyspaceCreateOptions::default);
        Self { rows: rows.expect("the keyspace opens"), database }
    }

    fn row(&self, key: &[u8]) -> fjall::UserValue {
        self.rows.get(key).expect("fjall reads").expect("the row is there")
    }
}

impl Backend for Fjall {
    fn write(&self, puts: Vec<Put>) {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for (key, value) in puts.into_iter().flat_map(|put| put.0) {
            batch.insert(&self.rows, key, value);
        }
        batch.commit().expect("fjall commits");
    }

    fn current(&self, book: &Book, secret: usize, found: &mut dyn FnMut(&[u8])) {
        let label = self.row(&book.current(secret));
        found(&self.row(&book.version(secret, &label)));
    }
}
