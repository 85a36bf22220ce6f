//! Runs a script with the power on. Before every call that changes the disk, the watch takes an image of it.
//! After every frame it records a dump of the vault.

use super::acts::{Kind, Maker, NAMES};
use super::dump::{HOME, difference, dump, scope, text};
use super::machine::{Key, Machine, unlock};
use crate::common::recorder::Recorder;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use strongroom::__internals::crypto::{Unlock, key_file};
use strongroom::__internals::env::faults::Faults;
use strongroom::__internals::env::{Clock, Fs};
use strongroom::__internals::error::{Error, Result};
use strongroom::__internals::model::Lsn;
use strongroom::__internals::model::api::{
    BatchGetSecretValue, CreateSecret, DeleteSecret, GetSecretValue,
};
use strongroom::__internals::secret::SecretBytes;
use strongroom::__internals::store::{OrderedStore, Store};
use strongroom::__internals::vault::{Vault, Write, internals};
use strongroom_fuzz_bodies::env::sim::SimFs;

/// The disk before one of its changes, and what was promised by then.
pub struct Image {
    pub fs: SimFs,
    pub wall: i64,
    /// The vault's creation had been answered.
    pub made: bool,
    /// The last of [`Run::prefixes`] that was shown to readers.
    pub shown: usize,
    /// The key that was promised to open the vault.
    pub key: usize,
    /// The key after it may open it instead.
    pub changes_key: bool,
    pub act: usize,
    /// What a power cut may leave of the state: each below-state of the memtable since its last checkpoint.
    pub kept: Vec<Arc<OrderedStore>>,
}

#[derive(Default)]
struct Book {
    /// What the vault read as after each frame.
    prefixes: Vec<String>,
    images: Vec<Image>,
    keys: Vec<Key>,
    made: bool,
    key: usize,
    changes_key: bool,
    act: usize,
    frames: u64,
    /// As in [`Image`].
    kept: Vec<Arc<OrderedStore>>,
}

impl Book {
    /// Notes the state below the memtable, if it has moved on, and forgets those from before its checkpoint.
    fn note_below(&mut self, vault: &Vault) {
        let Some(below) = internals::fork_below(vault) else { return };
        let durable = below.durable();
        if self.kept.last().is_none_or(|last| !last.is_same(&below)) {
            self.kept.push(Arc::new(below));
        }
        self.kept.retain(|kept| lsn_of(kept) >= durable);
    }
}

/// The last operation of a state.
pub fn lsn_of(state: &OrderedStore) -> Lsn {
    state.applied().unwrap()
}

/// What a run of a script has learned.
pub struct Run {
    pub seed: u64,
    pub prefixes: Vec<String>,
    pub images: Vec<Image>,
    pub keys: Vec<Key>,
    pub script: Vec<Kind>,
}

pub struct Runner {
    pub machine: Machine,
    maker: Maker,
    watch: Arc<Watch>,
    pub vault: Option<Vault>,
    seed: u64,
    /// What went wrong and is no refusal of AWS's, since somebody last looked.
    errors: Arc<Mutex<Vec<Error>>>,
    /// Puts something between the vault and its disk.
    wrap: fn(Arc<dyn Fs>) -> Arc<dyn Fs>,
}

#[derive(Default)]
struct Watch {
    /// Nobody looks at the disk's changes.
    is_blind: bool,
    book: Mutex<Book>,
    /// The open vault, while there is one.
    vault: Mutex<Option<Vault>>,
}

impl Watch {
    /// Notes what the vault reads as, if a frame has come since the last time.
    fn look(&self) {
        let vault = self.vault.lock().unwrap();
        let Some(vault) = vault.as_ref() else { return };
        let mut book = self.book.lock().unwrap();
        book.note_below(vault);
        let frames = internals::frames(vault);
        if frames != book.frames {
            let each = self.is_blind || frames == book.frames + 1;
            assert!(each, "each frame is met by itself");
            book.frames = frames;
            book.prefixes.push(dump(vault).unwrap());
        }
    }

    fn take_image(&self, fs: &SimFs, wall: i64) {
        self.look();
        let mut book = self.book.lock().unwrap();
        let (made, key, changes_key, act) = (book.made, book.key, book.changes_key, book.act);
        let shown = book.prefixes.len() - 1;
        let (fs, kept) = (fs.fork(), book.kept.clone());
        book.images.push(Image { fs, wall, made, shown, key, changes_key, act, kept });
    }
}

impl Runner {
    pub fn new(seed: u64, faults: Faults) -> Self {
        Self::on(Machine::new(seed, faults), seed, false)
    }

    /// On a machine of its own; with `is_blind`, without images.
    pub fn on(machine: Machine, seed: u64, is_blind: bool) -> Self {
        let watch = Arc::new(Watch { is_blind, ..Watch::default() });
        watch.book.lock().unwrap().prefixes.push(String::new());
        let (maker, errors) = (Maker::new(seed), Arc::default());
        Self { machine, maker, watch, vault: None, seed, errors, wrap: |fs| fs }
    }

    /// Goes on with the vault that is there, which reads as `dump`.
    pub fn with_vault(self, key: &Key, dump: &str) -> Self {
        self.book(|book| {
            book.keys = vec![key.clone()];
            book.prefixes = vec![dump.to_owned()];
            book.made = true;
        });
        self
    }

    /// The same with something between the vault and its disk.
    pub fn wrapped(mut self, wrap: fn(Arc<dyn Fs>) -> Arc<dyn Fs>) -> Self {
        self.wrap = wrap;
        self
    }

    /// The simulated disk, watched.
    fn disk(&self) -> Option<Arc<dyn Fs>> {
        if self.watch.is_blind {
            return None;
        }
        let (watch, fs) = (Arc::clone(&self.watch), Arc::clone(&self.machine.sim.fs));
        let clock = Arc::clone(&self.machine.sim.clock);
        let recorder = Recorder::new(Arc::clone(&self.machine.sim.fs), move || {
            watch.take_image(&fs, strongroom::__internals::env::Clock::wall(clock.as_ref()).0);
        });
        Some((self.wrap)(Arc::new(recorder)))
    }

    fn book<T>(&self, write: impl FnOnce(&mut Book) -> T) -> T {
        write(&mut self.watch.book.lock().unwrap())
    }

    fn vault(&self) -> Vault {
        self.vault.clone().unwrap()
    }

    fn install(&mut self, vault: Vault) {
        let found = self.machine.kept.take();
        self.book(|book| {
            book.frames = 0;
            book.kept = found.into_iter().collect();
            book.note_below(&vault);
        });
        *self.watch.vault.lock().unwrap() = Some(vault.clone());
        self.vault = Some(vault);
    }

    /// Chooses what the next open finds for a state: nothing, one that a cut may have left, or the last.
    fn choose_kept(&mut self, vault: &Vault) {
        let choice = self.machine.sim.clock.wall().0 / 1_000 % 3;
        if choice == 0 {
            return;
        }
        if choice == 1 && self.vault.is_some() {
            let _ = internals::flush(vault);
        }
        self.watch.look();
        let kept = self.book(|book| {
            if choice == 1 { book.kept.last().cloned() } else { book.kept.first().cloned() }
        });
        self.machine.keep(kept);
    }

    /// Lets go of the vault: the last handle is the one given back.
    fn remove(&mut self) -> Vault {
        self.watch.vault.lock().unwrap().take();
        self.vault.take().unwrap()
    }

    /// What the vault last read as.
    pub fn last(&self) -> String {
        self.book(|book| book.prefixes.last().unwrap().clone())
    }

    /// What the end of the power may leave of the state.
    pub fn kept(&self) -> Vec<Arc<OrderedStore>> {
        self.book(|book| book.kept.clone())
    }

    /// The keys that may open it, the promised one first.
    pub fn keys(&self) -> Vec<Key> {
        self.book(|book| book.keys[book.key..].to_vec())
    }

    /// Opens the vault that is there, which must read as it last did.
    pub fn open(&mut self) {
        let key = self.book(|book| book.keys[book.key].clone());
        match self.machine.open(self.disk(), &key) {
            Ok(vault) => {
                let (last, found) = (self.last(), dump(&vault).unwrap());
                assert!(last == found, "opened again: {}", difference(&last, &found));
                let kept = self.machine.kept.as_ref();
                let needless = kept.and_then(|kept| needless_rebuild(&vault, kept));
                assert_eq!(needless, None);
                self.install(vault);
            }
            Err(error) => self.note::<()>(Err(error)),
        }
    }

    fn note<T>(&self, answer: Result<T>) {
        note(&self.errors, answer);
    }

    /// What went wrong since the last time.
    pub fn take_errors(&self) -> Vec<Error> {
        std::mem::take(&mut *self.errors.lock().unwrap())
    }

    /// The script that [`Self::run`] runs.
    pub fn script(&mut self, operations: usize) -> Vec<Kind> {
        self.maker.script(operations)
    }

    /// Makes a vault and runs a script of about so many operations, in which nothing goes wrong.
    pub fn run(mut self, operations: usize) -> Run {
        let script = self.script(operations);
        let watch = Arc::clone(&self.watch);
        let on_key = move |key: &Key| watch.book.lock().unwrap().keys.push(key.clone());
        let vault = self.machine.create(self.disk(), on_key).unwrap();
        self.book(|book| book.made = true);
        self.install(vault);
        for (at, kind) in script.iter().enumerate() {
            self.step(at, *kind);
            let errors: Vec<String> = self.take_errors().iter().map(text).collect();
            assert!(errors.is_empty(), "{kind:?}: {errors:?}");
        }
        let vault = self.remove();
        vault.close().unwrap();
        self.end(script)
    }

    /// What was learned.
    pub fn end(self, script: Vec<Kind>) -> Run {
        let book = std::mem::take(&mut *self.watch.book.lock().unwrap());
        let Book { prefixes, images, keys, .. } = book;
        Run { seed: self.seed, prefixes, images, keys, script }
    }

    /// One act of a script.
    pub fn step(&mut self, at: usize, kind: Kind) {
        self.book(|book| book.act = at);
        self.machine.sim.clock.advance(Duration::from_millis(1_000));
        self.act(kind);
        self.watch.look();
    }

    fn act(&mut self, kind: Kind) {
        if let Some((scope, write)) = self.maker.write(kind) {
            let answered = Arc::new(AtomicBool::new(false));
            let (done, errors) = (Arc::clone(&answered), Arc::clone(&self.errors));
            let vault = self.vault();
            vault.in_scope(&scope).submit_write(write, move |answer| {
                note(&errors, answer);
                done.store(true, Ordering::Relaxed);
            });
            assert!(answered.load(Ordering::Relaxed));
            if kind == Kind::Rotate {
                self.watch.look();
                self.note(vault.maintain());
            }
            return;
        }
        let vault = self.vault();
        match kind {
            Kind::Batch => {
                let writes = (0..2 + self.maker.rng.below(5)).map(|_| self.maker.any_write());
                let writes: Vec<_> = writes.collect();
                let home: Vec<_> = writes
                    .into_iter()
                    .filter(|(scope, _)| *scope.region == *HOME)
                    .map(|(_, write)| -> (Write, Box<dyn FnOnce(_) + Send>) {
                        let errors = Arc::clone(&self.errors);
                        (write, Box::new(move |answer: Result<_>| note(&errors, answer)))
                    })
                    .collect();
                internals::submit_together(&vault, &scope(HOME), home);
            }
            Kind::LateHandIn => self.hand_in_late(&vault),
            Kind::Read => {
                let request = GetSecretValue::new(self.maker.name());
                self.note(vault.in_scope(scope(HOME)).get_secret_value(request.clone()));
            }
            Kind::ReadMany => {
                let request = BatchGetSecretValue {
                    secret_id_list: Some(NAMES.map(str::to_owned).to_vec()),
                    ..BatchGetSecretValue::default()
                };
                self.note(vault.in_scope(scope(HOME)).batch_get_secret_value(request.clone()));
            }
            Kind::NewCredential => self.note(vault.new_credential("111122223333")),
            Kind::RevokeCredential => {
                if let Some(credential) = vault.credentials().unwrap().first() {
                    self.note(vault.revoke_credential(&credential.access_key_id));
                }
            }
            Kind::ChangeKeyFile => {
                let key = key_file::generate(vault.id(), self.machine.sim.entropy.as_ref());
                let key = key.unwrap().expose().to_vec();
                self.book(|book| {
                    book.keys.push(key.clone());
                    book.changes_key = true;
                });
                let changed = vault.change_unlock(&unlock(&key));
                if changed.is_ok() {
                    self.book(|book| {
                        book.key += 1;
                        book.changes_key = false;
                    });
                }
                self.note(changed);
            }
            Kind::AddPassphrase => {
                let passphrase = SecretBytes::copy_from(b"correct horse battery staple");
                self.note(vault.change_unlock(&Unlock::Passphrase(passphrase)));
            }
            Kind::Maintain => self.note(vault.maintain()),
            Kind::Shred => self.note(vault.shred()),
            Kind::Reopen => {
                self.choose_kept(&vault);
                drop(vault);
                let vault = self.remove();
                self.note(vault.close());
                drop(vault);
                self.open();
            }
            Kind::Kill => {
                self.choose_kept(&vault);
                drop(vault);
                drop(self.remove());
                self.machine.sim.fs.kill();
                self.open();
            }
            Kind::HoursPass => self.machine.sim.clock.advance(Duration::from_secs(25 * 3_600)),
            Kind::DaysPass => self.machine.sim.clock.advance(Duration::from_secs(8 * 86_400)),
            _ => unreachable!("{kind:?} is one operation"),
        }
    }

    /// A put that was sealed before its secret was purged and made again, and the epoch switched.
    fn hand_in_late(&mut self, vault: &Vault) {
        let name = self.maker.name();
        let Some((scope, Write::PutSecretValue(mut request))) = self.maker.write(Kind::Put) else {
            unreachable!("a put is a put");
        };
        request.secret_id.clone_from(&name);
        request.version_stages = None;
        let delete = DeleteSecret {
            secret_id: name.clone(),
            recovery_window_in_days: None,
            force_delete_without_recovery: Some(true),
        };
        let mut create = CreateSecret::new(&name);
        create.client_request_token = Some(self.maker.token());
        create.value = Some(self.maker.value(12));
        let put = Write::PutSecretValue(request);
        let late = internals::hand_in_late(vault, &scope, put, || {
            self.note(vault.in_scope(&scope).delete_secret(delete));
            self.watch.look();
            self.note(vault.in_scope(&scope).create_secret(create));
            self.watch.look();
            self.note(vault.shred());
            self.watch.look();
        });
        self.note(late);
    }
}

/// Refusals of AWS's are answers like any other.
fn note<T>(errors: &Mutex<Vec<Error>>, answer: Result<T>) {
    if let Err(error) = answer
        && error.fault().is_none()
    {
        errors.lock().unwrap().push(error);
    }
}

/// Why a vault that was just opened should have caught `kept` up instead of rebuilding it.
pub fn needless_rebuild(vault: &Vault, kept: &OrderedStore) -> Option<String> {
    let (at, snapshot) = (lsn_of(kept), internals::snapshot_lsn(vault).ok()?);
    // A state that was caught up still knows its checkpoint. One that was rebuilt never had one.
    let is_rebuilt = internals::fork_below(vault)?.durable() != at;
    (is_rebuilt && at >= snapshot).then(|| {
        format!("rebuilt for nothing: the state is at {at:?}, the snapshot at {snapshot:?}")
    })
}
