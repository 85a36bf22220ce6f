//! The only place that names the crate's private parts: a simulated machine with a vault on it, and vaults
//! in real folders with unusual options.

use super::forward::forward_fs;
use super::old;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use strongroom::__internals::crypto::{Unlock, VaultId, key_file};
use strongroom::__internals::env::faults;
use strongroom::__internals::env::{Clock, Env, File, Fs, OpenMode, UnixMillis};
use strongroom::__internals::error::Result;
use strongroom::__internals::model::{ChangeSet, RecordId, RowChange, Scope, Seq, Tree, VersionId};
use strongroom::__internals::secret::SecretBytes;
use strongroom::__internals::semantics::Answer;
use strongroom::__internals::store::{MemtableBytes, OrderedStore, Store};
use strongroom::__internals::vault::{
    CheckReport, OnLabelUpdated, Options, RepairReport, StoreChoice, Vault, VaultDir, Write,
    internals,
};
use strongroom_fuzz_bodies::env::sim::{CrashPlan, CutPoint, Sim, SimClock, SimFs};

pub use strongroom::__internals::env::faults::Fault;

#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Whether the vault has its own threads, or does everything on the caller's.
    pub background: bool,
    /// First and largest segment, in bytes.
    pub segment_bytes: (u64, u64),
    pub fault: Option<Fault>,
    /// How many bytes of rows may wait for the state; the vault's own choice, if absent.
    pub memtable: Option<u64>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { background: false, segment_bytes: (8 << 10, 8 << 10), fault: None, memtable: None }
    }
}

impl Setup {
    /// As a user opens a vault.
    pub fn usual() -> Self {
        Self { background: true, segment_bytes: (256 << 10, 16 << 20), ..Self::default() }
    }

    pub fn options(&self) -> Options {
        let mut options = Options::default();
        let tuning = &mut options.tuning;
        tuning.background = self.background;
        tuning.memtable = self.memtable.map(MemtableBytes::of);
        (tuning.segment_bytes_first, tuning.segment_bytes_max) = self.segment_bytes;
        if self.segment_bytes.1 < 1 << 20 {
            tuning.reserve_bytes = self.segment_bytes.1;
        }
        if self.fault == Some(Fault::NullCipher) {
            faults::for_process(Fault::NullCipher);
        }
        tuning.faults = self.fault.into();
        options
    }
}

/// What a power cut does to unsynced bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All are lost.
    Dropped,
    /// All are kept.
    Kept,
    /// Some writes are kept, some are lost, some are partial.
    Torn,
}

/// A simulated machine: clock, random bytes and disk from one seed.
pub struct World {
    pub sim: Sim,
    key: Mutex<Vec<u8>>,
    /// The store that replaces the state folder, if any.
    state: Option<Arc<OrderedStore>>,
}

const DIR: &str = "/vault";

impl World {
    pub fn new(seed: u64) -> Self {
        Self { sim: Sim::new(seed), key: Mutex::default(), state: None }
    }

    fn unlock(&self) -> Unlock {
        key(&self.key.lock().unwrap())
    }

    fn options(&self, setup: &Setup, env: Env) -> Options {
        let mut options = setup.options();
        options.tuning.env = Some(env);
        options.tuning.store = StoreChoice::Memory;
        options.tuning.kept_state.clone_from(&self.state);
        options
    }

    pub fn create(&self, setup: &Setup) -> Result<Vault> {
        self.make(&self.options(setup, self.sim.reboot()))
    }

    fn make(&self, options: &Options) -> Result<Vault> {
        VaultDir::make(Path::new(DIR), options)?.create(|id| {
            let key = key_file::generate(id, self.sim.entropy.as_ref()).unwrap();
            *self.key.lock().unwrap() = key.expose().to_vec();
            Ok(self.unlock())
        })
    }

    pub fn open(&self, setup: &Setup) -> Result<Vault> {
        self.options(setup, self.sim.reboot()).open(Path::new(DIR), &self.unlock())
    }

    /// The same with a receiver of events.
    pub fn open_told(&self, setup: &Setup, receiver: OnLabelUpdated) -> Result<Vault> {
        let options = self.options(setup, self.sim.reboot());
        let options = Options { on_label_updated: Some(receiver), ..options };
        options.open(Path::new(DIR), &self.unlock())
    }

    /// The same with a recorder of every change on the disk.
    pub fn create_watched(&self, setup: &Setup, fs: Arc<dyn Fs>) -> Result<Vault> {
        let env = Env { fs, ..self.sim.reboot() };
        self.make(&self.options(setup, env))
    }

    pub fn open_watched(&self, setup: &Setup, fs: Arc<dyn Fs>) -> Result<Vault> {
        let env = Env { fs, ..self.sim.reboot() };
        self.options(setup, env).open(Path::new(DIR), &self.unlock())
    }

    /// Another machine with the same key and time, and a copy of `image` as its disk.
    pub fn on_image(&self, image: &SimFs, wall: i64, seed: u64) -> Self {
        let mut sim = Sim::new(seed);
        sim.fs = Arc::new(image.fork());
        sim.clock.set_wall(UnixMillis(wall));
        Self { sim, key: Mutex::new(self.key.lock().unwrap().clone()), state: self.state.clone() }
    }

    /// The same machine with `state` in place of the state folder.
    pub fn with_state(self, state: Option<&Arc<OrderedStore>>) -> Self {
        Self { state: state.cloned(), ..self }
    }

    /// A deep check.
    pub fn check(&self) -> Result<CheckReport> {
        let options = self.options(&Setup::default(), self.sim.env());
        VaultDir::lock(Path::new(DIR), &options)?.check(&self.unlock(), true)
    }

    pub fn repair(&self, accept_loss: bool) -> Result<RepairReport> {
        let options = self.options(&Setup::default(), self.sim.reboot());
        VaultDir::lock(Path::new(DIR), &options)?.repair(&self.unlock(), accept_loss)
    }

    /// Closes the vault and makes it one of format 1, with or without an end mark.
    pub fn make_old(&self, vault: Vault, is_clean: bool) {
        let keys = internals::keyring(&vault);
        vault.close().unwrap();
        drop(vault);
        old::make_old(&self.sim.reboot(), Path::new(DIR), &keys, is_clean);
    }

    pub fn wall(&self) -> i64 {
        self.sim.clock.wall().0
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        self.sim.clock.advance(time);
    }

    /// Sets the wall clock; no time passes.
    pub fn set_wall(&self, millis: i64) {
        self.sim.clock.set_wall(UnixMillis(millis));
    }

    /// Mutating calls of the file system so far.
    pub fn calls(&self) -> u64 {
        self.sim.fs.ops_done()
    }

    /// Cuts the power: every call from the `n`-th mutating one on fails.
    pub fn crash_at(&self, n: u64) {
        self.sim.fs.set_crash_at(n, CutPoint::Before);
    }

    /// Restores the power. `loss` says what happens to unsynced changes.
    pub fn restart(&self, seed: u64, loss: Loss) {
        self.sim.fs.crash(match loss {
            Loss::Dropped => CrashPlan::DropAll,
            Loss::Kept => CrashPlan::KeepAll,
            Loss::Torn => CrashPlan::Random(seed),
        });
    }

    /// Syncs of file content in the log folder so far.
    pub fn log_syncs(&self) -> u64 {
        let log = Path::new(DIR).join("log");
        self.sim.fs.sync_count(|path| path.parent() == Some(&log)) as u64
    }

    /// Makes each sync take this much real time.
    pub fn set_sync_delay(&self, delay: Duration) {
        self.sim.fs.set_sync_delay(delay);
    }

    /// Makes every following sync fail.
    pub fn fail_syncs(&self) {
        self.sim.fs.fail_nth_sync(1, u64::MAX, std::io::ErrorKind::Other);
    }

    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let paths = self.sim.fs.paths().into_iter();
        paths.map(|path| (path.clone(), self.sim.fs.read_all(&path).unwrap())).collect()
    }
}

/// A copy of the vault's rows that outlives the vault.
pub fn state_of(vault: &Vault) -> Arc<OrderedStore> {
    let rows = sealed_rows(vault).into_iter().map(|row| RowChange {
        tree: row.tree,
        key: row.key.into(),
        value: Some(row.value.into()),
    });
    let lsn = internals::with_store(vault, |store| store.applied().unwrap()).unwrap();
    let copy = OrderedStore::new();
    copy.apply(&[ChangeSet { lsn, rows: rows.collect() }]).unwrap();
    Arc::new(copy)
}

/// The same rows except for the `n`-th. That row is missing, or taken from `older` if it differs there.
/// `None` if there are fewer rows.
pub fn with_one_row_wrong(
    state: &OrderedStore,
    n: usize,
    older: Option<&OrderedStore>,
) -> Option<Arc<OrderedStore>> {
    let mut rows = Vec::new();
    for tree in Tree::ALL {
        let mut take = |key: &[u8], value: &[u8]| {
            rows.push(RowChange { tree, key: key.into(), value: Some(value.into()) });
        };
        state.scan(tree, &mut take).unwrap();
    }
    let row = rows.get_mut(n)?;
    row.value = older.and_then(|older| older.get(row.tree, &row.key).unwrap());
    let copy = OrderedStore::new();
    copy.apply(&[ChangeSet { lsn: state.applied().unwrap(), rows }]).unwrap();
    Some(Arc::new(copy))
}

/// Repairs a vault in a real folder.
pub fn repair_in(dir: &Path, key_file: &[u8], accept_loss: bool) -> Result<RepairReport> {
    VaultDir::lock(dir, &Options::default())?.repair(&key(key_file), accept_loss)
}

/// Submits mutations together, so that they share a batch.
pub fn submit_together(
    vault: &Vault,
    scope: &Scope,
    writes: Vec<(Write, Box<dyn FnOnce(Result<Answer>) + Send>)>,
) {
    internals::submit_together(vault, scope, writes);
}

/// Closes a vault in a real folder and makes it one of format 1.
pub fn make_old_in(dir: &Path, vault: Vault) {
    let keys = internals::keyring(&vault);
    vault.close().unwrap();
    drop(vault);
    old::make_old(&Env::real(), dir, &keys, true);
}

/// The content of a fresh key file.
fn new_key_file(id: VaultId) -> Vec<u8> {
    let env = Env::real();
    key_file::generate(id, env.entropy.as_ref()).unwrap().expose().to_vec()
}

fn key(key_file: &[u8]) -> Unlock {
    Unlock::KeyFile(SecretBytes::copy_from(key_file))
}

/// Creates a vault in a real folder, with its key file at `key_path`.
pub fn create_in(dir: &Path, key_path: &Path, setup: &Setup) -> Result<Vault> {
    create_with(dir, key_path, &setup.options())
}

/// The same with options.
pub fn create_with(dir: &Path, key_path: &Path, options: &Options) -> Result<Vault> {
    VaultDir::make(dir, options)?.create(|id| {
        let content = new_key_file(id);
        std::fs::write(key_path, &content).unwrap();
        std::fs::set_permissions(key_path, std::fs::Permissions::from_mode(0o600)).unwrap();
        Ok(key(&content))
    })
}

/// The key file of a vault created by [`create_in`].
pub fn key_of(key_path: &Path) -> Vec<u8> {
    std::fs::read(key_path).unwrap()
}

/// Opens the vault in a real folder.
pub fn open_in(dir: &Path, key_file: &[u8], setup: &Setup) -> Result<Vault> {
    setup.options().open(dir, &key(key_file))
}

/// An environment with real files and a simulated clock.
pub struct SlowWorld {
    pub clock: Arc<SimClock>,
    pub fs: Arc<CountingFs>,
    env: Env,
    dir: PathBuf,
}

impl SlowWorld {
    pub fn new(dir: &Path) -> Self {
        let real = Env::real();
        let clock = Arc::new(SimClock::new(UnixMillis(1_750_000_000_000)));
        let fs = Arc::new(CountingFs::new(real.fs.clone()));
        let env = Env { clock: clock.clone(), entropy: real.entropy, fs: fs.clone() };
        Self { clock, fs, env, dir: dir.to_owned() }
    }

    fn options(&self, setup: &Setup) -> Options {
        let mut options = setup.options();
        options.tuning.env = Some(self.env.clone());
        options
    }

    pub fn create(&self, setup: &Setup) -> Result<Vault> {
        create_with(&self.dir, &self.dir.with_extension("key"), &self.options(setup))
    }

    pub fn open(&self, setup: &Setup) -> Result<Vault> {
        let key_file = key_of(&self.dir.with_extension("key"));
        self.options(setup).open(&self.dir, &key(&key_file))
    }

    pub fn live_bytes(&self, vault: &Vault) -> u64 {
        internals::live_bytes(vault)
    }
}

/// The real file system; it records which thread created each file.
pub struct CountingFs {
    inner: Arc<dyn Fs>,
    made: Mutex<Vec<(String, PathBuf)>>,
}

impl CountingFs {
    fn new(inner: Arc<dyn Fs>) -> Self {
        Self { inner, made: Mutex::default() }
    }

    /// Files created since the last call, each with the name of the creating thread.
    pub fn take_made(&self) -> Vec<(String, PathBuf)> {
        std::mem::take(&mut *self.made.lock().unwrap())
    }
}

impl Fs for CountingFs {
    forward_fs!(inner: create_dir read_dir metadata rename remove_file remove_dir_all sync_dir set_mode free_bytes lock bind is_real);
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let new = mode == OpenMode::CreateNew
            || (mode == OpenMode::Create && self.inner.metadata(path)?.is_none());
        if new {
            let thread = std::thread::current().name().unwrap_or("?").to_owned();
            self.made.lock().unwrap().push((thread, path.to_owned()));
        }
        self.inner.open(path, mode)
    }
}

/// Checks a vault in a real folder without changing it.
pub fn check_in(dir: &Path, key_file: &[u8]) -> Result<CheckReport> {
    VaultDir::lock(dir, &Options::default())?.check(&key(key_file), true)
}

/// One sealed row.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedRow {
    pub tree: Tree,
    pub key: Vec<u8>,
    pub value: Vec<u8>,
}

/// All sealed rows that the state holds.
pub fn sealed_rows(vault: &Vault) -> Vec<SealedRow> {
    let rows = internals::with_store(vault, |store| {
        let mut rows = Vec::new();
        for tree in Tree::ALL {
            let mut visit = |key: &[u8], value: &[u8]| {
                rows.push(SealedRow { tree, key: key.to_vec(), value: value.to_vec() });
            };
            store.scan(tree, &mut visit).unwrap();
        }
        rows
    });
    rows.unwrap()
}

/// Whether the vault's keys open a row of `versions`, and the wrap of the data key that is its last part. A
/// wrap needs the id of its version.
pub fn data_key_opens(vault: &Vault, row: &SealedRow, version: &str) -> bool {
    let keys = internals::keyring(vault);
    let opened = keys.open_row(row.tree, &row.key, &row.value).ok();
    let wrap = opened.and_then(|content| content.last_chunk::<109>().copied());
    let (Some(wrap), Some(version)) = (wrap, VersionId::parse(version)) else { return false };
    let (id, seq) = row.key.split_first_chunk::<16>().unwrap();
    let (id, seq) = (RecordId(*id), Seq(u64::from_be_bytes(seq.try_into().unwrap())));
    keys.unwrap_value_key(id, seq, &version, &wrap).is_ok()
}

/// Whether the vault's keys open `row` in its place.
pub fn opens(vault: &Vault, row: &SealedRow) -> bool {
    internals::keyring(vault).open_row(row.tree, &row.key, &row.value).is_ok()
}
