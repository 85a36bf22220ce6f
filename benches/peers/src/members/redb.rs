//! redb: one table; a transaction with `Durability::Immediate`, its default, by a leader, because it has one
//! writer at a time.

use super::Backend;
use crate::work::{Book, Put};
use redb::{Database, ReadableDatabase, TableDefinition};
use std::path::Path;

const ROWS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("rows");

pub struct Redb(Database);

impl Redb {
    pub fn open(dir: &Path) -> Self {
        let path = dir.join("redb");
        let is_new = !path.exists();
        let database = Database::create(path).expect("redb opens");
        if is_new {
            let transaction = database.begin_write().expect("redb begins");
            transaction.open_table(ROWS).expect("the table opens");
            transaction.commit().expect("redb commits");
        }
        Self(database)
    }
}

impl Backend for Redb {
    fn write(&self, puts: Vec<Put>) {
        let transaction = self.0.begin_write().expect("redb begins");
        {
            let mut rows = transaction.open_table(ROWS).expect("the table opens");
            for (key, value) in puts.iter().flat_map(|put| &put.0) {
                rows.insert(key.as_slice(), value.as_slice()).expect("redb writes");
            }
        }
        transaction.commit().expect("redb commits");
    }

    fn current(&self, book: &Book, secret: usize, found: &mut dyn FnMut(&[u8])) {
        let transaction = self.0.begin_read().expect("redb begins");
        let rows = transaction.open_table(ROWS).expect("the table opens");
        let row = |key: &[u8]| rows.get(key).expect("redb reads").expect("the row is there");
        let label = row(&book.current(secret));
        found(row(&book.version(secret, label.value())).value());
    }
}
