//! A vault in a real folder with a simulated clock, and its keys beside it.

use crate::common::world::Setup;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom::__internals::crypto::{Unlock, VaultId, key_file};
use strongroom::__internals::env::{Env, UnixMillis};
use strongroom::__internals::error::{Error, ErrorKind, Result};
use strongroom::__internals::secret::SecretBytes;
use strongroom::__internals::vault::{
    CheckReport, Options, RotationFunctions, StoreChoice, Vault, VaultDir,
};
use strongroom_fuzz_bodies::env::sim::SimClock;

/// The function that the vaults of these harnesses rotate with.
pub const FUNCTION: &str = "arn:aws:lambda:eu-west-1:000000000000:function:rotate";

/// A vault and its keys in one folder: `vault`, and `key.0`, `key.1` ... as they were changed.
#[derive(Clone)]
pub struct Place {
    dir: PathBuf,
}

impl Place {
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn vault(&self) -> PathBuf {
        self.dir.join("vault")
    }

    /// Options of `setup` with a clock of its own, which shows `wall`.
    pub fn options(setup: &Setup, wall: i64, store: StoreChoice) -> (Options, Arc<SimClock>) {
        let mut options = setup.options();
        let clock = Arc::new(SimClock::new(UnixMillis(wall)));
        options.rotation = RotationFunctions::default().with_random(FUNCTION, 24);
        options.tuning.env = Some(Env { clock: clock.clone(), ..Env::real() });
        options.tuning.store = store;
        (options, clock)
    }

    pub fn create(&self, options: &Options) -> Result<Vault> {
        VaultDir::make(&self.vault(), options)?.create(|id| Ok(self.new_key(id)))
    }

    /// Makes the next key file, durable before it is used.
    fn new_key(&self, id: VaultId) -> Unlock {
        let content = key_file::generate(id, Env::real().entropy.as_ref()).unwrap();
        let path = self.dir.join(format!("key.{}", self.all_keys().len()));
        std::fs::write(&path, content.expose()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::File::open(&path).unwrap().sync_all().unwrap();
        std::fs::File::open(&self.dir).unwrap().sync_all().unwrap();
        Unlock::KeyFile(content)
    }

    pub fn change_key(&self, vault: &Vault) -> Result<()> {
        vault.change_unlock(&self.new_key(vault.id()))
    }

    fn all_keys(&self) -> Vec<Vec<u8>> {
        let paths = (0..).map(|n| self.dir.join(format!("key.{n}")));
        paths.map_while(|path| std::fs::read(path).ok()).collect()
    }

    /// The keys that the vault may have, the newest first. One that was never written whole is none.
    pub fn keys(&self) -> Vec<Vec<u8>> {
        let is_whole = |key: &Vec<u8>| key_file::parse(&SecretBytes::copy_from(key)).is_ok();
        let mut keys = self.all_keys();
        keys.retain(is_whole);
        keys.reverse();
        keys
    }

    pub fn open(&self, options: &Options) -> Result<Vault> {
        open_with(&self.vault(), &self.keys(), options)
    }

    pub fn check(&self, options: &Options) -> Result<CheckReport> {
        let place = VaultDir::lock(&self.vault(), options)?;
        with_keys(&self.keys(), |unlock| place.check(unlock, true))
    }

    /// Away with the vault, for the next one.
    pub fn clear(&self) {
        let _ = std::fs::remove_dir_all(&self.dir);
        make_private_dir(&self.dir);
    }
}

/// Opens the vault in `dir` with the first of `keys` that fits.
pub fn open_with(dir: &Path, keys: &[Vec<u8>], options: &Options) -> Result<Vault> {
    with_keys(keys, |unlock| options.open(dir, unlock))
}

fn with_keys<T>(keys: &[Vec<u8>], mut open: impl FnMut(&Unlock) -> Result<T>) -> Result<T> {
    let mut outcome: Result<T> = Err(Error::from(ErrorKind::WrongKey));
    for key in keys {
        outcome = open(&Unlock::KeyFile(SecretBytes::copy_from(key)));
        if !matches!(&outcome, Err(error) if *error.kind() == ErrorKind::WrongKey) {
            break;
        }
    }
    outcome
}

/// A folder 0700 with its parents.
pub fn make_private_dir(dir: &Path) {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).unwrap();
}

/// A scratch folder in memory where there is one, or as others are made. Removed when dropped.
pub fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let builder = tempfile::Builder::new().prefix("strongroom-").tempdir_in(memory);
    builder.or_else(|_| tempfile::tempdir()).unwrap()
}
