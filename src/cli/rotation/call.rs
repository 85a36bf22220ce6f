//! A call of a rotation function: where it calls back, how long it may take, and what it is sent.

use crate::env::Env;
use crate::vault::{Credential, RotationError, RotationEvent, Vault};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a call of a function may take.
pub(super) const CALL_TIME: Duration = Duration::from_secs(60);
/// How long a function waits for the server to listen.
pub(super) const START_TIME: Duration = Duration::from_secs(60);
/// How long a wait sleeps between two looks.
pub(super) const LOOK: Duration = Duration::from_millis(20);

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

    pub(super) fn get(&self) -> Option<Arc<Caller>> {
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
        deadline.wait()?;
    }
}

/// The end of a call: its time is up, or the server stops.
pub(super) struct Deadline<'a> {
    env: &'a Env,
    event: &'a RotationEvent,
    at: Duration,
}

impl<'a> Deadline<'a> {
    pub(super) fn after(env: &'a Env, event: &'a RotationEvent, span: Duration) -> Self {
        Self { env, event, at: env.clock.monotonic().saturating_add(span) }
    }

    /// The time that is left. It is an error if there is none.
    pub(super) fn left(&self) -> Result<Duration, RotationError> {
        let left = self.at.saturating_sub(self.env.clock.monotonic());
        if left.is_zero() || self.event.is_stopping() { Err(RotationError) } else { Ok(left) }
    }

    /// Sleeps a moment.
    fn wait(&self) -> Result<(), RotationError> {
        std::thread::sleep(self.left()?.min(LOOK));
        Ok(())
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
