//! [`VaultBuilder`]: how a vault is found and opened.

use super::directory::{VaultDir, env_of};
use super::handle::Vault;
use super::label_event::{EventError, LabelEvent};
use super::options::{Options, Progress};
use super::ownership::make_key_file;
use super::repair::report::{CheckReport, RepairReport};
use super::rotation_functions::RotationFunctions;
use crate::crypto::Unlock;
use crate::error::Result;
use std::borrow::Borrow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Opens or creates a vault with options. [`Vault::builder`] makes one.
///
/// ```no_run
/// # use std::time::Duration;
/// use strongroom::{Unlock, Vault};
///
/// # fn main() -> strongroom::Result<()> {
/// let vault = Vault::builder("/var/lib/app/vault")
///     .wait(Duration::from_secs(5))
///     .open_or_create(Unlock::passphrase("correct horse"))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct VaultBuilder {
    dir: PathBuf,
    options: Options,
}

impl VaultBuilder {
    fn new(dir: &Path) -> Self {
        Self { dir: dir.to_path_buf(), options: Options::default() }
    }

    /// Waits this long for another process that holds the vault. The default is not to wait.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.options.wait = wait;
        self
    }

    /// Calls `on_progress` during long steps, on the thread that opens, checks or repairs.
    #[must_use]
    pub fn progress(mut self, on_progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.options.progress = Some(Arc::new(on_progress));
        self
    }

    /// Notices a rollback of the whole folder: `path` is a small file outside the vault, best beside its key,
    /// that knows how far the vault had come. It is made if it is missing, and refreshed within a second
    /// after the last write and when the vault is closed.
    #[must_use]
    pub fn anchor(mut self, path: impl AsRef<Path>) -> Self {
        self.options.anchor = Some(path.as_ref().to_path_buf());
        self
    }

    /// Opens a vault although its anchor knows a later state of it, and writes the anchor anew. Without it
    /// such a vault is refused with [`ErrorKind::RolledBack`](crate::ErrorKind::RolledBack).
    #[must_use]
    pub fn accept_rollback(mut self, accept: bool) -> Self {
        self.options.accept_rollback = accept;
        self
    }

    /// Opens the vault even if others can reach its folder, for volumes whose modes cannot be changed.
    /// Whoever can write there can destroy it, and whoever also has the key can read it.
    #[must_use]
    pub fn allow_lax_modes(mut self, allow: bool) -> Self {
        self.options.allow_lax_modes = allow;
        self
    }

    /// Sets the functions that rotate secrets. Without them `RotateSecret` is refused, as on AWS for a
    /// function that cannot be called.
    #[must_use]
    pub fn rotation(mut self, functions: RotationFunctions) -> Self {
        self.options.rotation = functions;
        self
    }

    /// Calls `receiver` for each staging label that moves to a new version of a secret, `AWSPENDING` and
    /// `AWSPREVIOUS` excepted: what AWS sends to `EventBridge` as `Secret Label Updated`.
    ///
    /// An event is as durable as the move. It is handed over at least once, on a thread of its own, in the
    /// order of the moves; after a failure the same event is tried again. Writers never wait for the
    /// receiver. At most 10,000 events wait, then the oldest are dropped.
    ///
    /// From now on every process that opens the vault writes events, which wait for the next receiver, until
    /// [`Vault::forget_label_events`].
    ///
    /// ```no_run
    /// # use strongroom::{Unlock, Vault};
    /// # fn main() -> strongroom::Result<()> {
    /// let vault = Vault::builder("/var/lib/app/vault")
    ///     .on_label_updated(|event| {
    ///         println!("{} of {} is on {}", event.label, event.name, event.version_id);
    ///         Ok(())
    ///     })
    ///     .open(Unlock::passphrase("correct horse"))?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on_label_updated(
        mut self,
        receiver: impl Fn(&LabelEvent) -> std::result::Result<(), EventError> + Send + Sync + 'static,
    ) -> Self {
        self.options.on_label_updated = Some(Arc::new(receiver));
        self
    }

    /// Replaces all options.
    #[doc(hidden)]
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Opens the vault.
    ///
    /// # Errors
    ///
    /// Fails if there is no vault ([`Error::is_not_found`]), if another process holds it
    /// ([`Error::is_in_use`]), if the key does not fit ([`Error::is_wrong_key`]), or if the vault is
    /// damaged beyond what an open repairs by itself ([`Error::is_damaged`]).
    ///
    /// [`Error::is_not_found`]: crate::Error::is_not_found
    /// [`Error::is_in_use`]: crate::Error::is_in_use
    /// [`Error::is_wrong_key`]: crate::Error::is_wrong_key
    /// [`Error::is_damaged`]: crate::Error::is_damaged
    pub fn open(&self, unlock: impl Borrow<Unlock>) -> Result<Vault> {
        self.options.open(&self.dir, unlock.borrow())
    }

    /// Creates a vault, and its folder if that is missing. Keep the key safe: nobody opens the vault
    /// without it.
    ///
    /// # Errors
    ///
    /// Fails if there is a vault already, or a folder with other files ([`Error::is_exists`]).
    ///
    /// [`Error::is_exists`]: crate::Error::is_exists
    pub fn create(&self, unlock: impl Borrow<Unlock>) -> Result<Vault> {
        self.options.create(&self.dir, unlock)
    }

    /// Opens the vault, or creates it if there is none.
    ///
    /// # Errors
    ///
    /// Fails as [`open`](Self::open) and [`create`](Self::create) do.
    pub fn open_or_create(&self, unlock: impl Borrow<Unlock>) -> Result<Vault> {
        let dir = VaultDir::make(&self.dir, &self.options)?;
        if dir.has_vault() { dir.open(unlock.borrow()) } else { dir.create(|_| Ok(unlock)) }
    }

    /// Creates a vault that the key file at `path` opens. The key file is made first, with a random key,
    /// and is durable before the vault is; one that is there already is used as it is. Store it apart
    /// from the vault's backups and open the vault with [`Unlock::key_file`].
    ///
    /// # Errors
    ///
    /// Fails as [`create`](Self::create) and [`Unlock::key_file`] do.
    pub fn create_with_key_file(&self, path: impl AsRef<Path>) -> Result<Vault> {
        let (path, env) = (path.as_ref(), env_of(&self.options));
        let is_lax = self.options.allow_lax_modes;
        VaultDir::make(&self.dir, &self.options)?
            .create(|id| make_key_file(&env, path, id, is_lax).map(|(key, _)| key))
    }

    /// Reads the whole vault and changes nothing. `deep` also opens every value and compares every row of the
    /// state with the log.
    pub fn check(&self, unlock: impl Borrow<Unlock>, deep: bool) -> Result<CheckReport> {
        VaultDir::lock(&self.dir, &self.options)?.check(unlock.borrow(), deep)
    }

    /// Repairs a damaged vault and keeps the damaged originals in a folder of it. A repair that loses
    /// something is only reported, unless `accept_loss` allows it.
    pub fn repair(&self, unlock: impl Borrow<Unlock>, accept_loss: bool) -> Result<RepairReport> {
        VaultDir::lock(&self.dir, &self.options)?.repair(unlock.borrow(), accept_loss)
    }
}

impl fmt::Debug for VaultBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultBuilder")
            .field("dir", &self.dir)
            .field("options", &self.options)
            .finish()
    }
}

impl Vault {
    /// A builder for the vault in `dir`.
    #[must_use]
    pub fn builder(dir: impl AsRef<Path>) -> VaultBuilder {
        VaultBuilder::new(dir.as_ref())
    }

    /// Opens the vault in `dir` without options; see [`VaultBuilder::open`].
    pub fn open(dir: impl AsRef<Path>, unlock: impl Borrow<Unlock>) -> Result<Self> {
        Self::builder(dir).open(unlock)
    }

    /// Creates a vault in `dir` without options; see [`VaultBuilder::create`].
    pub fn create(dir: impl AsRef<Path>, unlock: impl Borrow<Unlock>) -> Result<Self> {
        Self::builder(dir).create(unlock)
    }
}

impl Options {
    /// Opens the vault in `dir`.
    pub fn open(&self, dir: &Path, unlock: &Unlock) -> Result<Vault> {
        VaultDir::lock(dir, self)?.open(unlock)
    }

    /// Creates a vault in `dir`.
    pub fn create(&self, dir: &Path, unlock: impl Borrow<Unlock>) -> Result<Vault> {
        VaultDir::make(dir, self)?.create(|_| Ok(unlock))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]
    use super::*;
    use crate::error::ErrorKind;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_vault_is_created_once_and_opened_after_that() {
        let root = tempfile::tempdir().unwrap();
        let (dir, key) = (root.path().join("vault"), root.path().join("keys/app.key"));
        let vault = Vault::builder(&dir).create_with_key_file(&key).unwrap();
        vault.put("a", "one").unwrap();
        let held = Vault::builder(&dir).open(Unlock::key_file(&key).unwrap()).unwrap_err();
        assert!(held.is_in_use(), "{held}");
        vault.close().unwrap();
        assert!(Vault::create(&dir, Unlock::passphrase("p")).unwrap_err().is_exists());
        assert!(Vault::open(&dir, Unlock::passphrase("p")).unwrap_err().is_wrong_key());
        let vault = Vault::builder(&dir).open_or_create(Unlock::key_file(&key).unwrap()).unwrap();
        assert_eq!(vault.get("a").unwrap().as_str(), Ok("one"));
        vault.close().unwrap();
        let unlock = Unlock::key_file(&key).unwrap();
        assert!(Vault::builder(&dir).check(&unlock, true).unwrap().findings.is_empty());
    }

    #[test]
    fn a_key_file_that_is_there_is_used_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        let key = root.path().join("app.key");
        Vault::builder(root.path().join("one")).create_with_key_file(&key).unwrap();
        let text = std::fs::read(&key).unwrap();
        Vault::builder(root.path().join("two")).create_with_key_file(&key).unwrap();
        assert_eq!(std::fs::read(&key).unwrap(), text);
        std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
        let lax = Unlock::key_file(&key).unwrap_err();
        assert!(matches!(lax.kind(), ErrorKind::LaxPermissions { mode: 0o644, .. }), "{lax}");
    }

    #[test]
    fn no_vault_is_distinguished_from_a_folder_of_others() {
        let root = tempfile::tempdir().unwrap();
        let missing = Vault::open(root.path().join("none"), Unlock::passphrase("p")).unwrap_err();
        assert!(missing.is_not_found(), "{missing}");
        std::fs::write(root.path().join("photo.jpg"), "x").unwrap();
        let foreign = Vault::builder(root.path()).open_or_create(Unlock::passphrase("p"));
        assert!(foreign.unwrap_err().is_exists());
    }
}
