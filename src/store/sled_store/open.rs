//! Opening and closing sled.

use super::blocks::{Layout, Trees};
use super::contain::{Contained, contain};
use super::files::{self, DB_FILE, Descriptors};
use super::tidy::{TIDY_TREE, Tidier, Waker};
use super::{
    APPLIED_KEY, APPLIED_TREE, Handles, SEGMENT_BYTES, Shared, SledOptions, SledStore,
    decode_applied, writer,
};
use crate::env::{Fs, LockMode, OpenFolder, OpenMode, is_no_space};
use crate::model::Lsn;
use crate::store::per_tree::{PerTree, old_tree_name, tree_name};
use crate::store::{Span, StoreError, guard};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often, and how far apart, sled's lock is tried: about two seconds in all.
const LOCK_TRIES: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// The same for a store that is dropped without being closed.
const DROP_TRIES: u32 = 10;
/// How sled's error begins if another process, or another store of this one, has its file.
const HELD: &str = "could not acquire lock";

/// ENFILE and EMFILE: they have no `ErrorKind`, and the same numbers on every Unix.
const DESCRIPTORS_EXHAUSTED: [i32; 2] = [23, 24];

impl SledStore {
    /// Opens the state of the vault in `vault_dir` under the opening mark (I7). If the
    /// mark is there already, an earlier opening was not finished: that state is set aside unopened, and
    /// an empty one is opened.
    ///
    /// The mark stays until the caller has compared the state with the log and calls
    /// [`SledStore::checked`]. It also stays after [`StoreError::Broken`]: the next call sets the state
    /// aside.
    pub fn open_guarded(
        fs: &Arc<dyn Fs>,
        vault_dir: &Path,
        options: SledOptions,
    ) -> Result<Self, StoreError> {
        // A state that somebody has open is never damaged.
        wait_until_free(&**fs, &guard::state_dir(vault_dir))?;
        if guard::was_opening(&**fs, vault_dir)? {
            guard::set_aside(&**fs, vault_dir)?;
        }
        guard::mark_opening(&**fs, vault_dir)?;
        let opened = Self::open(Arc::clone(fs), &guard::state_dir(vault_dir), options);
        if let Err(StoreError::Io { .. } | StoreError::Held) = &opened {
            // Too many open files say nothing about the state, so the mark is removed. If that fails
            // as well, the only cost is a rebuild.
            let _ = guard::clear_opening(&**fs, vault_dir);
        }
        opened
    }

    /// Whether this build writes the state as it lies. One that an older build wrote is only read.
    pub fn is_current(&self) -> Result<bool, StoreError> {
        self.shared.sled.call("sled failed", |handles| Ok(handles.trees.layout == Layout::Blocks))
    }

    /// Removes the opening mark, after the caller has compared the state with the log.
    pub fn checked(&self) -> Result<(), StoreError> {
        guard::clear_opening(&*self.shared.fs, &crate::env::parent(&self.shared.dir))
    }

    /// Opens the state in `dir`, or makes an empty one (its parent must exist). The caller holds
    /// the vault's lock, so only a dying process or a store that was just dropped can still hold sled's
    /// lock. This waits for it.
    ///
    /// [`StoreError::Broken`]: sled cannot read the state; set it aside and rebuild.
    /// [`StoreError::Held`]: somebody has it open; leave it alone.
    pub fn open(fs: Arc<dyn Fs>, dir: &Path, options: SledOptions) -> Result<Self, StoreError> {
        let config = sled::Config::new()
            .cache_capacity(options.cache_bytes.max(1 << 20))
            .segment_size(SEGMENT_BYTES)
            .flush_every_ms(None);
        Self::open_with(fs, dir, config)
    }

    pub(in crate::store) fn open_with(
        fs: Arc<dyn Fs>,
        dir: &Path,
        config: sled::Config,
    ) -> Result<Self, StoreError> {
        let failed = |op| {
            move |source: io::Error| match source.kind() {
                io::ErrorKind::InvalidData => {
                    StoreError::Broken { what: "something that is no file lies in the state" }
                }
                _ => StoreError::Io { op, source },
            }
        };
        if !fs.is_real() {
            let source = io::ErrorKind::Unsupported.into();
            return Err(StoreError::Io { op: "open sled on a simulated disk", source });
        }
        files::prepare(&*fs, dir).map_err(failed("prepare the state"))?;
        // sled works by path. This one leads to the folder that was opened, whatever takes its name (I11).
        let OpenFolder { path, keep } =
            fs.open_folder(dir).map_err(failed("open the state's folder"))?;
        let db = open_db(&config.path(path))?;
        let (handles, span, live_bytes) = contain(|| open_trees(db))
            .unwrap_or(Err(StoreError::Broken { what: "sled panicked while it was opened" }))?;
        files::make_private(&*fs, dir).map_err(failed("make the state private"))?;
        let db_file =
            fs.open(&dir.join(DB_FILE), OpenMode::Existing).map_err(failed("open the state"))?;
        let shared = Arc::new(Shared {
            fs,
            dir: dir.to_path_buf(),
            sled: Contained::new(handles),
            folder: Mutex::new(keep),
            db_file,
            applied: AtomicU64::new(span.applied.0),
            reaches: AtomicU64::new(span.reaches.0),
            live_bytes: AtomicU64::new(live_bytes),
            unflushed_bytes: AtomicU64::new(0),
            unflushed_changes: AtomicU64::new(0),
            tidied: AtomicU64::new(0),
            waker: Waker::default(),
            sync_failed: AtomicBool::new(false),
        });
        let tidier = Tidier::start(Arc::clone(&shared)).map_err(failed("start a thread"))?;
        Ok(Self { shared, tidier: Mutex::new(Some(tidier)), applying: Mutex::new(()) })
    }

    /// Flushes and closes sled, waits until its files are closed, and makes every file and directory of
    /// the state durable (I6), as a clean close requires. Returns the LSN up to which the state is
    /// durable. Later calls fail with [`StoreError::Broken`].
    ///
    /// After an error the caller must not write the end mark; the next open compares the state and
    /// rebuilds it if necessary.
    pub fn close(&self) -> Result<Lsn, StoreError> {
        let shared = &*self.shared;
        let failed = |source| StoreError::Io { op: "sync the state", source };
        self.stop_tidier();
        let descriptors = Descriptors::open(&*shared.fs, &shared.dir).map_err(failed)?;
        let (lsn, dropped) = {
            let writer = writer();
            let lsn = shared.applied()?;
            shared.flush(&writer)?;
            (lsn, shared.sled.drop_inner())
        };
        if !dropped {
            return Err(StoreError::Broken { what: "sled panicked while it was closed" });
        }
        if shared.sync_failed.load(Ordering::Acquire) {
            return Err(failed(io::Error::other("an earlier sync of the state failed")));
        }
        self.wait_for_lock()?;
        files::make_private(&*shared.fs, &shared.dir).map_err(failed)?;
        shared
            .db_file
            .sync_all()
            .and_then(|()| descriptors.sync(&*shared.fs, &shared.dir))
            .map_err(failed)?;
        Ok(lsn)
    }

    fn stop_tidier(&self) {
        let mut tidier = self.tidier.lock().unwrap_or_else(PoisonError::into_inner);
        drop(tidier.take());
    }

    /// Waits until sled's last descriptor is closed: until then it may still write.
    fn wait_for_lock(&self) -> Result<(), StoreError> {
        let op = "wait for sled to let its files go";
        let path = self.shared.dir.join(DB_FILE);
        for _ in 0..LOCK_TRIES {
            match self.shared.fs.lock(&path, LockMode::Existing) {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => settle(),
                Err(source) => return Err(StoreError::Io { op, source }),
            }
        }
        Err(StoreError::Io { op, source: io::ErrorKind::TimedOut.into() })
    }
}

impl SledStore {
    /// Whether sled has closed its file.
    fn is_let_go(&self) -> bool {
        let path = self.shared.dir.join(DB_FILE);
        for _ in 0..DROP_TRIES {
            match self.shared.fs.lock(&path, LockMode::Existing) {
                Ok(Some(_)) => return true,
                Ok(None) => settle(),
                Err(_) => return false,
            }
        }
        false
    }
}

impl Drop for SledStore {
    /// A store that was not closed: sled is dropped inside the containment.
    fn drop(&mut self) {
        self.stop_tidier();
        self.shared.sled.drop_inner();
        let folder = self.shared.folder.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(folder) = folder
            && !self.is_let_go()
        {
            // Another folder that gets the number of this descriptor must never be taken for it.
            folder.leak();
        }
    }
}

/// Waits until nobody has the state's files open: a process that is dying, or a store that was just dropped.
/// [`StoreError::Held`]: somebody still has them.
pub(in crate::store) fn wait_until_free(fs: &dyn Fs, state: &Path) -> Result<(), StoreError> {
    let db = state.join(DB_FILE);
    for _ in 0..LOCK_TRIES {
        match fs.lock(&db, LockMode::Existing) {
            Ok(None) => settle(),
            // No such file, or no locks: sled says what it thinks of that.
            Ok(Some(_)) | Err(_) => return Ok(()),
        }
    }
    Err(StoreError::Held)
}

/// Waits, and runs sled's deferred destructors. They hold its files open, and possibly no other thread
/// ever advances their epoch.
fn settle() {
    crossbeam::epoch::pin().flush();
    std::thread::sleep(LOCK_PAUSE);
}

/// sled reports a held lock as an error of no particular kind, so that each of those is tried again.
fn open_db(config: &sled::Config) -> Result<sled::Db, StoreError> {
    let mut is_held = false;
    for _ in 0..LOCK_TRIES {
        match contain(|| config.open()) {
            Some(Ok(db)) => return Ok(db),
            Some(Err(sled::Error::Io(error))) if error.kind() == io::ErrorKind::Other => {
                is_held = error.to_string().starts_with(HELD);
                settle();
            }
            Some(Err(sled::Error::Io(source))) if is_environment(&source) => {
                return Err(StoreError::Io { op: "open sled", source });
            }
            Some(Err(_)) => return Err(StoreError::Broken { what: "sled cannot read the state" }),
            None => return Err(StoreError::Broken { what: "sled panicked while it was opened" }),
        }
    }
    if is_held {
        return Err(StoreError::Held);
    }
    Err(StoreError::Broken { what: "sled does not open" })
}

/// Whether an error says something about this machine rather than about the state.
fn is_environment(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| DESCRIPTORS_EXHAUSTED.contains(&code))
        || is_no_space(error)
        || matches!(
            error.kind(),
            io::ErrorKind::PermissionDenied
                | io::ErrorKind::ReadOnlyFilesystem
                | io::ErrorKind::OutOfMemory
                | io::ErrorKind::Interrupted
        )
}

fn open_trees(db: sled::Db) -> Result<(Handles, Span, u64), StoreError> {
    let broken = |_| StoreError::Broken { what: "sled cannot read the state's trees" };
    let applied = db.open_tree(APPLIED_TREE).map_err(broken)?;
    let tidy = db.open_tree(TIDY_TREE).map_err(broken)?;
    let (layout, span, live_bytes) = match applied.get(APPLIED_KEY).map_err(broken)? {
        None => (Layout::Blocks, Span::default(), 0),
        Some(bytes) => decode_applied(&bytes)
            .ok_or(StoreError::Broken { what: "the state's LSN is no number" })?,
    };
    let name = match layout {
        Layout::Blocks => tree_name,
        Layout::Rows => old_tree_name,
    };
    let trees = PerTree::try_new(|tree| db.open_tree(name(tree))).map_err(broken)?;
    Ok((Handles { trees: Trees { layout, trees }, applied, tidy, db }, span, live_bytes))
}
