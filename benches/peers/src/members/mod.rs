//! The members of the comparison.
//!
//! | file | what is in it |
//! |---|---|
//! | `limit.rs` | files without a store: what the disk and the cipher allow |
//! | `product.rs` | Strongroom by its library, on the disk |
//! | `rocksdb.rs`, `fjall.rs`, `redb.rs`, `sqlite.rs`, `lmdb.rs`, `sled.rs` | the peers |

mod fjall;
mod limit;
pub use limit::Log;
mod lmdb;
mod product;
mod redb;
#[cfg(feature = "rocksdb")]
mod rocksdb;
mod sled;
mod sqlite;

use crate::group_commit::GroupCommit;
use crate::work::{Book, Put};
use std::path::Path;
use std::sync::Arc;

pub const PRODUCT: &str = "strongroom";
/// What ratios are ratios to: a lingering group commit onto blocks that were written before. In bursts it is
/// that or [`GROUP`], whichever is faster.
pub const LIMIT: &str = "linger";
pub const GROUP: &str = "group";
pub const PEERS: [&str; 6] = ["rocksdb", "fjall", "redb", "sqlite", "lmdb", "sled"];
/// Files without a store.
pub const LIMITS: [&str; 4] = ["append", "prealloc", GROUP, LIMIT];

/// What a reader of the document sees.
pub fn title(member: &str) -> &str {
    match member {
        PRODUCT => "**Strongroom**",
        "append" => "append + fdatasync, one put at a time",
        "prealloc" => "the same onto written blocks",
        GROUP => "group commit that does not linger",
        LIMIT => "group commit that lingers",
        "rocksdb" => "RocksDB",
        "fjall" => "fjall",
        "redb" => "redb",
        "sqlite" => "SQLite",
        "lmdb" => "LMDB",
        "sled" => "sled alone",
        other => other,
    }
}

/// A store as the measuring threads see it.
pub trait Member: Send + Sync {
    /// Returns when a new version of this secret is durable.
    fn put(&self, secret: usize);
    /// Reads and opens the current value of this secret; its length.
    fn get(&self, secret: usize) -> usize;
    /// Whether its leader lingers. `false`: it has no such choice.
    fn set_linger(&self, _linger: bool) -> bool {
        false
    }
    /// Ends cleanly.
    fn close(self: Box<Self>);
}

/// A key-value store below [`Member`].
pub trait Backend: Send + Sync + 'static {
    /// Makes these puts durable, with one sync if the store can.
    fn write(&self, puts: Vec<Put>);
    /// Looks up the label row of this secret and then the row of its current version, which `found` gets.
    fn current(&self, book: &Book, secret: usize, found: &mut dyn FnMut(&[u8]));
    fn close(&self) {}
}

/// A store whose writers need a leader: the first that waits commits for all.
struct Led<B> {
    backend: Arc<B>,
    book: Arc<Book>,
    leader: GroupCommit<Put>,
}

impl<B: Backend> Led<B> {
    fn new(backend: B, book: Arc<Book>) -> Self {
        let backend = Arc::new(backend);
        let writer = Arc::clone(&backend);
        let leader = GroupCommit::new(true, move |puts| writer.write(puts));
        Self { backend, book, leader }
    }
}

impl<B: Backend> Member for Led<B> {
    fn put(&self, secret: usize) {
        self.leader.put(self.book.put(secret));
    }

    fn get(&self, secret: usize) -> usize {
        read(&*self.backend, &self.book, secret)
    }

    fn set_linger(&self, linger: bool) -> bool {
        self.leader.set_linger(linger);
        true
    }

    fn close(self: Box<Self>) {
        let Self { backend, leader, .. } = *self;
        drop(leader);
        backend.close();
    }
}

/// A store that groups the commits of several writers by itself.
#[cfg_attr(not(feature = "rocksdb"), allow(dead_code))]
struct Direct<B> {
    backend: B,
    book: Arc<Book>,
}

impl<B: Backend> Member for Direct<B> {
    fn put(&self, secret: usize) {
        self.backend.write(vec![self.book.put(secret)]);
    }

    fn get(&self, secret: usize) -> usize {
        read(&self.backend, &self.book, secret)
    }

    fn close(self: Box<Self>) {
        self.backend.close();
    }
}

fn read(backend: &impl Backend, book: &Book, secret: usize) -> usize {
    let mut length = 0;
    backend.current(book, secret, &mut |row| length = book.open(row).len());
    length
}

/// Why this member cannot take part.
pub fn missing(member: &str) -> Option<&'static str> {
    (member == "rocksdb" && !cfg!(feature = "rocksdb")).then_some(
        "built without RocksDB: install librocksdb-dev and libclang-dev, set ROCKSDB_LIB_DIR, and add --features rocksdb",
    )
}

/// Opens a member in this folder, which may have what an earlier one has left.
pub fn open(member: &str, dir: &Path, book: Book) -> Box<dyn Member> {
    let book = Arc::new(book);
    match member {
        PRODUCT => Box::new(product::Product::open(dir, book.secrets())),
        "append" | "prealloc" | GROUP | LIMIT => limit::open(member, dir, book),
        "fjall" => Box::new(Led::new(fjall::Fjall::open(dir), book)),
        "redb" => Box::new(Led::new(redb::Redb::open(dir), book)),
        "sqlite" => Box::new(Led::new(sqlite::Sqlite::open(dir), book)),
        "lmdb" => Box::new(Led::new(lmdb::Lmdb::open(dir), book)),
        "sled" => Box::new(Led::new(sled::Sled::open(dir), book)),
        #[cfg(feature = "rocksdb")]
        "rocksdb" => Box::new(Direct { backend: rocksdb::Rocks::open(dir), book }),
        other => panic!("no member is named {other}"),
    }
}
