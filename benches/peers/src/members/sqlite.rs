//! SQLite: one table without row ids, WAL, `synchronous=FULL`; a transaction by a leader, because it has one
//! writer at a time. Each reading thread has a connection of its own, and one transaction for the two rows of a
//! get.

use super::Backend;
use crate::work::{Book, Put};
use rusqlite::Connection;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

thread_local! {
    /// A process has one store of a kind at a time.
    static READER: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

pub struct Sqlite {
    path: PathBuf,
    writer: Mutex<Connection>,
}

impl Sqlite {
    pub fn open(dir: &Path) -> Self {
        let path = dir.join("sqlite");
        let writer = connect(&path);
        let table =
            "CREATE TABLE IF NOT EXISTS rows (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID";
        writer.execute(table, ()).expect("the table can be created");
        Self { path, writer: Mutex::new(writer) }
    }
}

fn connect(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("SQLite opens");
    connection.pragma_update(None, "journal_mode", "WAL").expect("SQLite has a WAL");
    connection.pragma_update(None, "synchronous", "FULL").expect("SQLite syncs");
    connection
}

fn say(connection: &Connection, statement: &str) {
    let statement = connection.prepare_cached(statement);
    statement.expect("SQLite prepares").execute(()).expect("SQLite does it");
}

fn row(connection: &Connection, key: &[u8], found: &mut dyn FnMut(&[u8])) {
    let mut select =
        connection.prepare_cached("SELECT v FROM rows WHERE k = ?").expect("SQLite prepares");
    let mut rows = select.query((key,)).expect("SQLite reads");
    let row = rows.next().expect("SQLite reads").expect("the row is there");
    found(row.get_ref(0).expect("the row has a value").as_blob().expect("the value is a blob"));
}

impl Backend for Sqlite {
    fn write(&self, puts: Vec<Put>) {
        let mut writer = self.writer.lock().expect("no writer panics");
        let transaction = writer.transaction().expect("SQLite begins");
        {
            let mut insert = transaction
                .prepare_cached("INSERT OR REPLACE INTO rows VALUES (?, ?)")
                .expect("SQLite prepares");
            for (key, value) in puts.iter().flat_map(|put| &put.0) {
                insert.execute((key, value)).expect("SQLite writes");
            }
        }
        transaction.commit().expect("SQLite commits");
    }

    fn current(&self, book: &Book, secret: usize, found: &mut dyn FnMut(&[u8])) {
        READER.with_borrow_mut(|reader| {
            let reader = reader.get_or_insert_with(|| connect(&self.path));
            say(reader, "BEGIN");
            let mut key = Vec::new();
            row(reader, &book.current(secret), &mut |label| key = book.version(secret, label));
            row(reader, &key, found);
            say(reader, "COMMIT");
        });
    }

    /// The last connection to close moves the WAL into the file.
    fn close(&self) {
        READER.take();
    }
}
