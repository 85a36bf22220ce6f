//! The vault: the one place that orders effects.

use crate::crypto::{SlotKind, Unlock, VaultId};
use crate::error::{ErrorKind, Result};
use crate::model::Scope;
use crate::model::api::{
    CreateSecret, DeleteSecret, Deleted, Description, GetSecretValue, ListSecretVersionIds,
    ListSecrets, Named, PutSecretValue, ResourcePolicy, SecretIdOnly, SecretPage,
    SecretValueOutput, TagResource, UntagResource, UpdateSecret, UpdateSecretVersionStage,
    VersionPage, Written,
};
use crate::secret::SecretBytes;
use crate::semantics::Answer;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What opening is busy with, for a progress display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The state is being rebuilt from the log: this many of that many rows.
    Rebuilding {
        /// Rows done.
        done: u64,
        /// Rows in all.
        total: u64,
    },
}

/// How a vault is opened. The defaults are right for most.
#[derive(Clone, Default)]
pub struct Options {
    /// How long to wait for another process to let go of the vault.
    pub wait: Duration,
    /// Called while a long step goes on.
    pub progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// A vault's folder, its lock held, nothing unlocked yet.
pub struct VaultDir {
    _private: (),
}

impl VaultDir {
    /// Takes the folder's lock (making the folder if missing), before any key is looked at.
    /// Fails with [`ErrorKind::InUse`] after `options.wait`.
    pub fn lock(_dir: &Path, _options: &Options) -> Result<Self> {
        Err(ErrorKind::Closed.into())
    }
    /// Whether a finished vault is here.
    pub fn has_vault(&self) -> bool {
        false
    }
    /// The vault's id, if there is one.
    pub fn vault_id(&self) -> Result<VaultId> {
        Err(ErrorKind::Closed.into())
    }
    /// The kinds of the vault's key slots, readable without a key.
    pub fn slots(&self) -> Result<Vec<SlotKind>> {
        Err(ErrorKind::Closed.into())
    }
    /// Opens the vault.
    pub fn open(self, _unlock: &Unlock) -> Result<Vault> {
        Err(ErrorKind::Closed.into())
    }
    /// Makes a vault here. `make_key` is given the new vault's id and returns its key after making
    /// it durable (a key file synced with its folders).
    pub fn create(self, _make_key: impl FnOnce(VaultId) -> Result<Unlock>) -> Result<Vault> {
        Err(ErrorKind::Closed.into())
    }
    /// Looks at everything and changes nothing.
    pub fn check(&self, _unlock: &Unlock) -> Result<CheckReport> {
        Err(ErrorKind::Closed.into())
    }
}

/// What `check` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Operations in the truth.
    pub lsn: u64,
    /// Rows in the truth.
    pub rows: u64,
    /// Things that the next open heals or rebuilds by itself.
    pub warnings: Vec<String>,
    /// Damage that needs repair.
    pub damage: Vec<String>,
}

/// A pair that signs requests to the server. The secret half is shown once.
pub struct Credential {
    /// `AKIA...`
    pub access_key_id: String,
    /// The account that its requests act in.
    pub account: String,
    /// The secret half.
    pub secret_access_key: SecretBytes,
}

/// A mutation as a caller asks for it, its value still plaintext: for [`Vault::submit`].
pub enum Write {
    /// `CreateSecret`
    CreateSecret(CreateSecret),
    /// `PutSecretValue`
    PutSecretValue(PutSecretValue),
    /// `UpdateSecret`
    UpdateSecret(UpdateSecret),
    /// `UpdateSecretVersionStage`
    UpdateSecretVersionStage(UpdateSecretVersionStage),
    /// `DeleteSecret`
    DeleteSecret(DeleteSecret),
    /// `RestoreSecret`
    RestoreSecret(SecretIdOnly),
    /// `TagResource`
    TagResource(TagResource),
    /// `UntagResource`
    UntagResource(UntagResource),
}

/// An open vault. Clones share it; it can be used from any thread.
#[derive(Clone)]
pub struct Vault {
    _private: (),
}

macro_rules! stub {
    () => {
        Err(ErrorKind::Closed.into())
    };
}

#[allow(unused_variables)]
impl Vault {
    /// Opens the vault in `dir`.
    pub fn open(dir: &Path, unlock: &Unlock, options: &Options) -> Result<Self> {
        VaultDir::lock(dir, options)?.open(unlock)
    }
    /// Makes a vault in `dir`.
    pub fn create(dir: &Path, unlock: Unlock, options: &Options) -> Result<Self> {
        VaultDir::lock(dir, options)?.create(|_| Ok(unlock))
    }
    /// A vault in memory with random keys, gone when dropped.
    pub fn ephemeral() -> Result<Self> {
        stub!()
    }
    /// Stops the background work, drains, syncs, writes the end mark and lets the lock go. Other
    /// handles fail with [`ErrorKind::Closed`] from now on.
    pub fn close(&self) -> Result<()> {
        stub!()
    }
    /// The vault's identity.
    pub fn id(&self) -> VaultId {
        VaultId([0; 16])
    }
    /// The form for servers: hands the write to the commit pipeline and returns at once; `done` is
    /// called on the commit thread after the sync (it must not block). A full queue calls `done`
    /// with [`ErrorKind::Busy`] at once.
    pub fn submit(
        &self,
        scope: &Scope,
        write: Write,
        done: Box<dyn FnOnce(Result<Answer>) + Send>,
    ) {
        done(stub!());
    }
    /// `CreateSecret`
    pub fn create_secret(&self, scope: &Scope, request: CreateSecret) -> Result<Written> {
        stub!()
    }
    /// `PutSecretValue`
    pub fn put_secret_value(&self, scope: &Scope, request: PutSecretValue) -> Result<Written> {
        stub!()
    }
    /// `UpdateSecret`
    pub fn update_secret(&self, scope: &Scope, request: UpdateSecret) -> Result<Written> {
        stub!()
    }
    /// `UpdateSecretVersionStage`
    pub fn update_secret_version_stage(
        &self,
        scope: &Scope,
        request: UpdateSecretVersionStage,
    ) -> Result<Named> {
        stub!()
    }
    /// `DeleteSecret`
    pub fn delete_secret(&self, scope: &Scope, request: DeleteSecret) -> Result<Deleted> {
        stub!()
    }
    /// `RestoreSecret`
    pub fn restore_secret(&self, scope: &Scope, request: SecretIdOnly) -> Result<Named> {
        stub!()
    }
    /// `TagResource`
    pub fn tag_resource(&self, scope: &Scope, request: TagResource) -> Result<()> {
        stub!()
    }
    /// `UntagResource`
    pub fn untag_resource(&self, scope: &Scope, request: UntagResource) -> Result<()> {
        stub!()
    }
    /// `GetSecretValue`
    pub fn get_secret_value(
        &self,
        scope: &Scope,
        request: &GetSecretValue,
    ) -> Result<SecretValueOutput> {
        stub!()
    }
    /// `DescribeSecret`
    pub fn describe_secret(&self, scope: &Scope, request: &SecretIdOnly) -> Result<Description> {
        stub!()
    }
    /// `ListSecretVersionIds`
    pub fn list_secret_version_ids(
        &self,
        scope: &Scope,
        request: &ListSecretVersionIds,
    ) -> Result<VersionPage> {
        stub!()
    }
    /// `ListSecrets`
    pub fn list_secrets(&self, scope: &Scope, request: &ListSecrets) -> Result<SecretPage> {
        stub!()
    }
    /// `GetResourcePolicy`
    pub fn get_resource_policy(
        &self,
        scope: &Scope,
        request: &SecretIdOnly,
    ) -> Result<ResourcePolicy> {
        stub!()
    }
    /// The pairs that may sign requests.
    pub fn credentials(&self) -> Result<Vec<Credential>> {
        stub!()
    }
    /// Makes a pair; durable when this returns.
    pub fn new_credential(&self, account: &str) -> Result<Credential> {
        stub!()
    }
    /// Takes a pair out of use. `false`: there was none.
    pub fn revoke_credential(&self, access_key_id: &str) -> Result<bool> {
        stub!()
    }
    /// Replaces the vault's key slot of `new`'s kind, or adds one: how a passphrase is changed.
    pub fn change_unlock(&self, new: &Unlock) -> Result<()> {
        stub!()
    }
    /// Makes every purge so far real: switches the epoch and erases the old one (I10).
    pub fn shred(&self) -> Result<()> {
        stub!()
    }
    /// One pass of pruner, compactor and checkpointer, now.
    pub fn maintain(&self) -> Result<()> {
        stub!()
    }
}
