//! Changes of the keystore: the epoch switch that makes deletion real (I10), and the passphrase.
//!
//! 1. The keystore with the new epoch is durable in both copies.
//! 2. The commit pipeline switches, between two batches.
//! 3. Bounded operations wrap every remaining data key anew, until the truth holds no older one.
//! 4. The keystore without the old epochs is durable in both copies, over the old bytes.
//! 5. Only now the note of the purge goes, and with it the promise is kept.
//!
//! A crash anywhere leaves the note, so the switch is done again: first the unfinished one is ended,
//! or a keystore that is full of begun epochs would refuse the next. A purge that comes while a
//! switch runs is not covered by it, because its data keys may lie under the new epoch: it keeps the
//! note (`Pipeline::unshredded`).

use crate::crypto::{CryptoError, Keyring, Keystore, Unlock};
use crate::env::faults::Fault;
use crate::error::Result;
use crate::log::Twin;
use crate::model::{RecordId, Seq, Tree};
use crate::vault::error::{RowError, keystore_error};
use crate::vault::job::Job;
use crate::vault::options::kdf_params;
use crate::vault::runtime::shared::Status;
use crate::vault::{Inner, rows};
use std::sync::{Arc, PoisonError};

/// A purge waits at most this long on the age clock before it is made real.
const SHRED_AGE_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// Versions wrapped anew in one operation (I2).
const REWRAP_MAX: usize = 200;
/// Rows of `keys` looked at in one go.
const PAGE: usize = 1024;

/// The keystore as it lies on disk.
pub(crate) struct KeystoreFile {
    pub(crate) twin: Twin,
    pub(crate) keystore: Keystore,
}

/// Whether some purge is older than the rule allows.
pub(crate) fn is_due(inner: &Inner) -> Result<bool> {
    let now = inner.driver.control(crate::vault::commit::pipeline::Pipeline::now)?;
    let state = inner.shared.state()?;
    let row = state.store().get(Tree::Meta, rows::META_PURGE).map_err(RowError::from)?;
    let Some(row) = row else { return Ok(false) };
    let keys = inner.shared.keys();
    let open = keys.open_row(Tree::Meta, rows::META_PURGE, &row).map_err(RowError::from)?;
    let oldest = rows::decode_millis(&open).map_err(RowError::from)?;
    Ok(now.age.since(oldest) >= SHRED_AGE_MILLIS)
}

/// Switches to a new epoch and erases the older ones.
pub(crate) fn switch(inner: &Inner) -> Result<()> {
    if let Some(kind) = inner.shared.refuses_writes() {
        return Err(kind.into());
    }
    let keys = inner.shared.keys();
    if keys.oldest_epoch() != keys.epoch() {
        rewrap_all(inner)?;
        drop_old(inner)?;
    }
    inner.sweep_all()?;
    let begun = next_keystore(inner, |keys, keystore, inner| {
        keys.begin_epoch(keystore, inner.shared.env.entropy.as_ref())
    })?;
    inner.driver.control(move |pipeline| {
        pipeline.use_keys(begun);
        pipeline.unshredded = None;
    })?;
    if !inner.shared.tuning.faults.active(Fault::DropEpochEarly) {
        rewrap_all(inner)?;
    }
    drop_old(inner)?;
    inner.driver.call(Job::ClearPurge).map(drop)
}

fn drop_old(inner: &Inner) -> Result<()> {
    let keys = next_keystore(inner, |keys, keystore, inner| {
        keys.drop_old_epochs(keystore, inner.shared.env.entropy.as_ref())
    })?;
    inner.driver.control(move |pipeline| pipeline.use_keys(keys))
}

/// Replaces the slot of `unlock`'s kind, or adds one.
pub(crate) fn change_unlock(inner: &Inner, unlock: &Unlock) -> Result<()> {
    if let Some(kind) = inner.shared.refuses_writes() {
        return Err(kind.into());
    }
    let params = kdf_params(&inner.shared.tuning);
    let keys = next_keystore(inner, |keys, keystore, inner| {
        keys.change_slot(keystore, unlock, params, inner.shared.env.entropy.as_ref())
    })?;
    inner.driver.control(move |pipeline| pipeline.use_keys(keys))
}

/// Makes the next keystore durable in both copies. The pipeline is then to use its keys.
fn next_keystore(
    inner: &Inner,
    next: impl FnOnce(
        &Keyring,
        &Keystore,
        &Inner,
    ) -> std::result::Result<(Keystore, Keyring), CryptoError>,
) -> Result<Arc<Keyring>> {
    let mut file = inner.keystore.lock().unwrap_or_else(PoisonError::into_inner);
    let (keystore, keys) =
        next(&inner.shared.keys(), &file.keystore, inner).map_err(keystore_error)?;
    if let Err(error) = file.twin.write(keystore.generation(), &keystore.encode()) {
        // Either generation may be on the disk now: the next open finds out which.
        inner.shared.set_status(Status::Poisoned);
        return Err(error.into());
    }
    file.keystore = keystore;
    Ok(Arc::new(keys))
}

fn rewrap_all(inner: &Inner) -> Result<()> {
    let epoch = inner.shared.keys().epoch();
    loop {
        let stale = stale_wraps(inner, epoch)?;
        if stale.is_empty() {
            return Ok(());
        }
        for part in stale.chunks(REWRAP_MAX) {
            // The note stays, so that the next open goes on.
            inner.go_on()?;
            let part = part.to_vec();
            inner.driver.call(|done| Job::Rewrap(part, done))?;
        }
    }
}

/// Versions whose data key lies under an older epoch, some thousands at a time.
fn stale_wraps(inner: &Inner, epoch: u32) -> Result<Vec<(RecordId, Seq)>> {
    let state = inner.shared.state()?;
    let mut found = Vec::new();
    let mut after: Option<Box<[u8]>> = None;
    while found.len() < 16 * PAGE {
        let page = state
            .store()
            .range(Tree::Keys, &[], after.as_deref(), PAGE, false)
            .map_err(RowError::from)?;
        let ended = page.len() < PAGE;
        for (key, row) in page {
            if Keyring::wrap_term(&row) != Some(epoch) {
                found.extend(rows::parse_version_key(&key));
            }
            after = Some(key);
        }
        if ended {
            break;
        }
    }
    Ok(found)
}
