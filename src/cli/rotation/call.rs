//! A call of a rotation function: where it calls back, and what it is sent.

use crate::cli::calls::Deadline;
use crate::vault::{Credential, RotationError, RotationEvent, Vault};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a function waits for the server to listen.
pub(super) const START_TIME: Duration = Duration::from_secs(60);

/// Where the server is, and who may sign requests to it.
pub(crate) struct Caller {
    /// `http://address:port`
    pub(crate) endpoint: String,
    /// It has the pairs that may sign, and its secrets are kept out of the log. `None`: there is no pair, and
    /// what commands say is not told.
    pub(crate) vault: Option<Vault>,
    /// Whether the log may name secrets.
    pub(crate) tells_names: bool,
}

impl Caller {
    /// A pair of that account. Pairs are made and revoked while the server runs, so it is looked up for each
    /// call.
    pub(super) fn pair(&self, account: &str) -> Option<Credential> {
        let pairs = self.vault.as_ref()?.credentials().ok()?;
        pairs.into_iter().find(|pair| pair.account == account)
    }
}

/// Has the caller while the server listens. All clones are one cell.
#[derive(Clone, Default)]
pub(crate) struct CallerCell(Arc<Mutex<Option<Arc<Caller>>>>);

impl CallerCell {
    /// Fills the cell until the result is dropped. The vault holds its functions, and they hold the cell: if
    /// it stayed filled, the vault would hold itself and would never be dropped.
    #[must_use]
    pub(crate) fn fill(&self, caller: Caller) -> Filled {
        *self.lock() = Some(Arc::new(caller));
        Filled(self.clone())
    }

    pub(crate) fn get(&self) -> Option<Arc<Caller>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Caller>>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cell that is filled. It is emptied when this is dropped, also by a panic.
pub(crate) struct Filled(CallerCell);

impl Drop for Filled {
    fn drop(&mut self) {
        // Dropped without the lock: it may be the last that has the vault.
        let caller = self.0.lock().take();
        drop(caller);
    }
}

/// Waits until the server listens.
pub(super) fn wait_for(
    cell: &CallerCell,
    deadline: &Deadline<'_>,
) -> Result<Arc<Caller>, RotationError> {
    loop {
        if let Some(caller) = cell.get() {
            return Ok(caller);
        }
        deadline.wait().ok_or(RotationError)?;
    }
}

/// The event as AWS sends it to a function.
pub(super) fn event_json(event: &RotationEvent) -> Vec<u8> {
    serde_json::json!({
        "Step": event.step.name(),
        "SecretId": event.secret_id,
        "ClientRequestToken": event.client_request_token,
        "RotationToken": event.rotation_token,
    })
    .to_string()
    .into_bytes()
}
