//! Access to inner parts for tests, benches and fuzz targets, without a promise of stability.

use crate::crypto::Keyring;
use crate::env::faults::Fault;
use crate::model::Lsn;
use crate::store::{OrderedStore, Store};
use crate::vault::commit::job::{Done, Job, Mutate};
use crate::vault::commit::pipeline::Task;
use crate::vault::handle::Vault;
use crate::vault::job::seal;
pub use crate::vault::rows::v1::changes_to_format_1;
use crate::vault::runtime::status::Status;
use std::sync::{Arc, atomic::Ordering};

/// The keys in force.
#[must_use]
pub fn keyring(vault: &Vault) -> Arc<Keyring> {
    vault.inner.shared.keys()
}

/// Runs `look` on the state.
pub fn with_store<T>(vault: &Vault, look: impl FnOnce(&dyn Store) -> T) -> Option<T> {
    vault.inner.shared.state().ok().map(|state| look(state.store()))
}

/// A fork of the store below the memtable: what would be on the disk. `None`: the state is not in memory.
#[must_use]
pub fn fork_below(vault: &Vault) -> Option<OrderedStore> {
    vault.inner.shared.state().ok()?.fork_below()
}

/// Moves everything from the memtable to the store below.
pub fn flush(vault: &Vault) -> Option<()> {
    vault.inner.shared.state().ok()?.flush_to(Lsn(u64::MAX)).ok()
}

/// The operation at which the log's newest snapshot stands.
pub fn snapshot_lsn(vault: &Vault) -> crate::error::Result<Lsn> {
    vault.inner.driver.control(|pipeline| pipeline.log.snapshot_lsn())
}

/// Frames written since the vault was opened.
#[must_use]
pub fn frames(vault: &Vault) -> u64 {
    vault.inner.shared.frames.load(Ordering::Relaxed)
}

/// The last operation that is durable.
pub fn lsn(vault: &Vault) -> crate::error::Result<Lsn> {
    vault.inner.driver.control(|pipeline| pipeline.lsn)
}

/// A quick hash of all rows of the state. Two vaults with the same hash read the same.
pub fn rows_hash(vault: &Vault) -> Option<u64> {
    let hash = |state: u64, bytes: &[u8]| {
        let (words, rest) = bytes.as_chunks::<8>();
        let mix = |state: u64, word: u64| {
            (state.rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        };
        let state = words
            .iter()
            .fold(state ^ bytes.len() as u64, |state, word| mix(state, u64::from_le_bytes(*word)));
        rest.iter().fold(state, |state, byte| mix(state, u64::from(*byte)))
    };
    with_store(vault, |store| {
        let mut state = 7;
        for tree in crate::model::Tree::ALL {
            let scanned = store.scan(tree, &mut |key, value| state = hash(hash(state, key), value));
            scanned.ok()?;
        }
        Some(state)
    })
    .flatten()
}

/// The age clock, in milliseconds.
pub fn age_millis(vault: &Vault) -> crate::error::Result<i64> {
    vault.inner.driver.control(|pipeline| pipeline.now().age.0)
}

/// Poisons the vault as a failed sync does.
pub fn poison(vault: &Vault) {
    vault.inner.shared.status.raise(Status::Poisoned);
}

/// Marks the state broken, as a failed apply does.
pub fn break_state(vault: &Vault) {
    vault.inner.shared.state.mark_broken();
}

/// Bytes of the live rows, keys and values.
#[must_use]
pub fn live_bytes(vault: &Vault) -> u64 {
    with_store(vault, |store| {
        let mut bytes = 0_u64;
        for tree in crate::model::Tree::ALL {
            let _ = store.scan(tree, &mut |key, value| bytes += (key.len() + value.len()) as u64);
        }
        bytes
    })
    .unwrap_or(0)
}

/// Reads a value without leaving an access mark.
pub fn peek_value(
    vault: &Vault,
    scope: &crate::model::Scope,
    request: &crate::model::api::GetSecretValue,
) -> crate::error::Result<crate::model::api::GetSecretValueResponse> {
    vault.inner.open_value(scope, request).map(|opened| opened.output)
}

/// The kinds of content that rows have.
pub const ROW_KINDS: u8 = 15;

/// Decodes and encodes content of that kind. `None`: it is refused.
#[must_use]
pub fn row_written_again(kind: u8, bytes: &[u8]) -> Option<Vec<u8>> {
    crate::vault::rows::written_again(kind, bytes)
}

/// The log's keyed hashing with these keys.
#[must_use]
pub fn log_keys(keys: &Keyring) -> Arc<dyn crate::log::Authenticator> {
    crate::vault::log_keys::LogKeys::of(keys)
}

/// Seals a write, calls `between`, and only then submits the write. For vaults without threads.
pub fn hand_in_late(
    vault: &Vault,
    scope: &crate::model::Scope,
    write: crate::model::api::Write,
    between: impl FnOnce(),
) -> crate::error::Result<crate::semantics::Answer> {
    let (shared, driver) = (&vault.inner.shared, &vault.inner.driver);
    let keys = shared.keys();
    let (mutation, payload) = seal(&keys, &shared.env, write)?;
    between();
    if shared.tuning.faults.active(Fault::WrapWhenSealed) {
        shared.sealed_under.replace(Some(keys));
    }
    let scope = scope.clone();
    let job = |done| Job::Mutate(Box::new(Mutate { scope, mutation, payload, done }));
    let answer = driver.call(job);
    shared.sealed_under.replace(None);
    answer
}

/// Submits writes together, so that they share a batch. Each `done` is called before this returns. For
/// vaults without threads.
pub fn submit_together(
    vault: &Vault,
    scope: &crate::model::Scope,
    writes: Vec<(crate::model::api::Write, Done)>,
) {
    let shared = &vault.inner.shared;
    let mut jobs = Vec::new();
    for (write, done) in writes {
        let refused = shared.refuses_writes().map(crate::error::Error::from);
        match refused.map_or_else(|| seal(&shared.keys(), &shared.env, write), Err) {
            Ok((mutation, payload)) => jobs.push(Job::Mutate(Box::new(Mutate {
                scope: scope.clone(),
                mutation,
                payload,
                done,
            }))),
            Err(error) => done(Err(error)),
        }
    }
    let completed = vault.inner.driver.control(|pipeline| {
        for job in jobs {
            pipeline.submit(Task::Job(job));
        }
        while pipeline.step() {}
        pipeline.completed()
    });
    for (done, result) in completed.into_iter().flatten() {
        done(result);
    }
}
