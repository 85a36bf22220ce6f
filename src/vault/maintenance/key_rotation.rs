//! Changes of the keystore: the epoch switch that makes deletion final (I10), and the passphrase.
//!
//! 1. The keystore with the new epoch becomes durable in both copies.
//! 2. The commit pipeline switches to it between two batches.
//! 3. Bounded operations wrap every remaining data key anew, until no row holds an older wrap.
//! 4. The keystore without the old epochs becomes durable in both copies, over the old bytes.
//! 5. Only now the note of the purge is removed: the purge is final.
//!
//! A crash at any point leaves the note, so the switch is done again. An unfinished switch is finished first,
//! because a keystore full of begun epochs would refuse the next one. A purge during a switch is not covered
//! by it, because its data keys may lie under the new epoch. It keeps the note (`Pipeline::unshredded`).

use super::maintainer::Maintainer;
use crate::crypto::{CryptoError, Keyring, Keystore, Unlock};
use crate::env::Entropy;
use crate::env::faults::Fault;
use crate::env::threads::sync::Arc;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{RecordId, Seq, Tree};
use crate::store::Range;
use crate::vault::commit::job::Job;
use crate::vault::commit::pipeline::Pipeline;
use crate::vault::error::{RowError, keystore_error};
use crate::vault::options::kdf_params;
use crate::vault::rows;
use crate::vault::runtime::status::Status;

/// The longest time on the age clock until a purge is made final.
const SHRED_AGE_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// Versions wrapped anew in one operation (I2).
const REWRAP_MAX: usize = 200;
/// Rows of `versions` looked at in one go.
const PAGE: usize = 1024;

/// A keystore and the keys that it holds.
type NextKeystore = std::result::Result<(Keystore, Keyring), CryptoError>;

impl Maintainer {
    /// Makes every purge so far final.
    pub(crate) fn shred(&self) -> Result<()> {
        let _pass = self.lock_pass();
        self.switch_epoch()
    }

    /// Replaces the slot of `unlock`'s kind, or adds one.
    pub(crate) fn change_unlock(&self, unlock: &Unlock) -> Result<()> {
        let _pass = self.lock_pass();
        let shared = &self.inner.shared;
        if let Some(kind) = shared.refuses_writes() {
            return Err(kind.into());
        }
        let params = kdf_params(&shared.tuning, unlock)?;
        let keys = self.write_keystore(|keys, keystore, entropy| {
            keys.change_slot(keystore, unlock, params, entropy)
        })?;
        // In the log before it is reported, so that the keystore before it opens nothing (RB-6).
        let noted = self.inner.driver.control(move |pipeline| {
            pipeline.use_keys(keys);
            pipeline.note_keystore().map(drop)
        })?;
        noted.map_err(changed_already)
    }

    /// Switches the epoch if some purge has waited long enough.
    pub(super) fn switch_epoch_if_due(&self) -> Result<()> {
        if self.is_switch_due()? { self.switch_epoch() } else { Ok(()) }
    }

    fn is_switch_due(&self) -> Result<bool> {
        let shared = &self.inner.shared;
        let now = self.inner.driver.control(Pipeline::now)?;
        let state = shared.state()?;
        let row = state.store().get(Tree::Meta, rows::META_PURGE).map_err(RowError::from)?;
        let Some(row) = row else { return Ok(false) };
        let open = shared.keys().open_row(Tree::Meta, rows::META_PURGE, &row);
        let oldest = rows::decode_millis(&open.map_err(RowError::from)?).map_err(RowError::from)?;
        Ok(now.age.since(oldest) >= SHRED_AGE_MILLIS)
    }

    /// Switches to a new epoch and erases the older ones.
    fn switch_epoch(&self) -> Result<()> {
        let (shared, driver) = (&self.inner.shared, &self.inner.driver);
        if let Some(kind) = shared.refuses_writes() {
            return Err(kind.into());
        }
        let keys = shared.keys();
        if keys.oldest_epoch() != keys.epoch() {
            self.rewrap_all()?;
            self.drop_old_epochs()?;
        }
        self.sweep_all()?;
        let begun = self.write_keystore(Keyring::begin_epoch)?;
        driver.control(move |pipeline| {
            pipeline.use_keys(begun);
            pipeline.unshredded = None;
        })?;
        if !shared.tuning.faults.active(Fault::DropEpochEarly) {
            self.rewrap_all()?;
        }
        self.drop_old_epochs()?;
        driver.call(Job::ClearPurge).map(drop)
    }

    fn drop_old_epochs(&self) -> Result<()> {
        let keys = self.write_keystore(Keyring::drop_old_epochs)?;
        self.inner.driver.control(move |pipeline| pipeline.use_keys(keys))
    }

    /// Makes the next keystore durable in both copies, and returns its keys for the pipeline.
    fn write_keystore(
        &self,
        next: impl FnOnce(&Keyring, &Keystore, &dyn Entropy) -> NextKeystore,
    ) -> Result<Arc<Keyring>> {
        let shared = &self.inner.shared;
        let mut file = self.lock_keystore();
        let (keystore, keys) = next(&shared.keys(), &file.keystore, shared.env.entropy.as_ref())
            .map_err(keystore_error)?;
        if let Err(error) = file.twin.write(keystore.generation(), &keystore.encode()) {
            // Either generation may be on the disk now. The next open finds out which.
            shared.status.raise(Status::Poisoned);
            return Err(changed_already(error.into()));
        }
        file.keystore = keystore;
        Ok(Arc::new(keys))
    }

    /// Rewraps every data key that is wrapped under an older epoch, in passes over all versions until one
    /// finds none.
    fn rewrap_all(&self) -> Result<()> {
        let epoch = self.inner.shared.keys().epoch();
        let mut is_done = false;
        while !is_done {
            is_done = true;
            let mut after = None;
            loop {
                let (stale, is_last) = self.stale_wraps(epoch, &mut after)?;
                is_done &= stale.is_empty();
                for part in stale.chunks(REWRAP_MAX) {
                    // The note of the purge stays, so that the next open goes on.
                    self.inner.shared.fail_if_stopping()?;
                    let part = part.to_vec();
                    self.inner.driver.call(|done| Job::Rewrap(part, done))?;
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Of the next page of versions those whose data key is wrapped under an older epoch, and whether it is
    /// the last page.
    fn stale_wraps(
        &self,
        epoch: u32,
        after: &mut Option<Box<[u8]>>,
    ) -> Result<(Vec<(RecordId, Seq)>, bool)> {
        let (state, keys) = (self.inner.shared.state()?, self.inner.shared.keys());
        let range = Range { prefix: &[], after: after.as_deref(), limit: PAGE };
        let page = state.store().range(Tree::Versions, range).map_err(RowError::from)?;
        let is_last = page.len() < PAGE;
        let mut found = Vec::new();
        for (key, row) in page {
            let content = keys.open_row(Tree::Versions, &key, &row).map_err(RowError::from)?;
            let version = rows::decode_version(&content).map_err(RowError::from)?;
            let is_stale = |wrapped: &[u8]| Keyring::wrap_term(wrapped) != Some(epoch);
            if version.wrapped.as_deref().is_some_and(is_stale) {
                found.push((version.id, version.seq));
            }
            *after = Some(key);
        }
        Ok((found, is_last))
    }
}

/// The keystore has changed, or may have. To say that a full disk kept everything as it was would be wrong:
/// the old passphrase may be gone.
fn changed_already(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NoSpace => ErrorKind::OutcomeUnknown.into(),
        _ => error,
    }
}
