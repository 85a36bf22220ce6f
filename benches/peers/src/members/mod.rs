//! The members of the comparison.
//!
//! | file | what is in it |
//! |---|---|
//! | `limit.rs` | files without a store: what the disk and the cipher allow |
//! | `product.rs` | Strongroom by its library, on the disk |
//! | `rocksdb.rs`, `fjall.rs`, `redb.rs`, `sqlite.rs`, `lmdb.rs`, `sled.rs` | the peers |

mod fjall;
mod limit;
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
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

pub const PRODUCT: &str = "strongroom";
/// What ratios are ratios to: a lingering group commit onto blocks that were written before. For puts it is
/// the fastest of [`LIMITS`].
pub const LIMIT: &str = "linger";
pub const GROUP: &str = "group";
pub const PEERS: [&str; 6] = ["rocksdb", "fjall", "redb", "sqlite", "lmdb", "sled"];
/// Files without a store.
pub const LIMITS: [&str; 4] = ["append", "prealloc", GROUP, LIMIT];

/// Threads of the product: they commit, flush the memtable, make segments ready, and compact the log.
pub const COMMITTER: &str = "strongroom-commit";
pub const FLUSHER: &str = "strongroom-flush";
pub const PREPARER: &str = "strongroom-segments";
pub const MAINTAINER: &str = "strongroom-maintenance";

/// What a reader of the document sees.
pub fn title(member: &str) -> &str {
    match member {
        PRODUCT => "**Strongroom**",
        "append" => "append + fdatasync, one put at a time",
        "prealloc" => "the same onto written blocks",
        GROUP => "group commit without linger",
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

/// How the puts of several writers become durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As the member does it by itself.
    Own,
    /// Each writer commits by itself, one at a time.
    Alone,
    /// A leader commits what waits.
    Led,
    /// A leader waits a little for those that it has just answered.
    Lingering,
}

impl Way {
    /// What the figures say.
    pub fn title(self) -> &'static str {
        match self {
            Self::Own => "its own",
            Self::Alone => "each by itself",
            Self::Led => "a leader",
            Self::Lingering => "a leader that lingers",
        }
    }
}

/// A store as the measuring threads see it.
pub trait Member: Send + Sync {
    /// Returns when a new version of this secret is durable.
    fn put(&self, secret: usize);
    /// Reads and opens the current value of this secret; its length.
    fn get(&self, secret: usize) -> usize;
    /// The ways in which so many writers can put.
    fn ways(&self, _writers: usize) -> &'static [Way] {
        &[Way::Own]
    }
    /// Puts go this way from here on.
    fn take(&self, _way: Way) {}
    /// Does at once what it would do at rest.
    fn settle(&self) {}
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

/// A store that does not group the commits of several writers. A leader does it for them; a writer that is the
/// only one is spared the way to another thread and back.
struct Led<B> {
    backend: Arc<B>,
    book: Arc<Book>,
    leader: GroupCommit<Put>,
    alone: AtomicBool,
    one_at_a_time: Mutex<()>,
}

impl<B: Backend> Led<B> {
    fn new(backend: B, book: Arc<Book>) -> Self {
        let backend = Arc::new(backend);
        let writer = Arc::clone(&backend);
        let leader = GroupCommit::new(true, move |puts| writer.write(puts));
        let (alone, one_at_a_time) = (AtomicBool::new(false), Mutex::new(()));
        Self { backend, book, leader, alone, one_at_a_time }
    }
}

impl<B: Backend> Member for Led<B> {
    fn put(&self, secret: usize) {
        let put = self.book.put(secret);
        if self.alone.load(Ordering::Relaxed) {
            let _turn = self.one_at_a_time.lock().expect("no writer panics");
            self.backend.write(vec![put]);
        } else {
            self.leader.put(put);
        }
    }

    fn get(&self, secret: usize) -> usize {
        read(&*self.backend, &self.book, secret)
    }

    fn ways(&self, writers: usize) -> &'static [Way] {
        // Nobody else comes to a single writer, so a leader has no reason to linger.
        if writers == 1 { &[Way::Alone, Way::Led] } else { &[Way::Led, Way::Lingering] }
    }

    fn take(&self, way: Way) {
        self.leader.set_linger(way == Way::Lingering);
        self.alone.store(way == Way::Alone, Ordering::Relaxed);
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
