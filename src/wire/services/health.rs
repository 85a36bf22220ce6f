//! Probes: whether the process runs and whether the vault works (rules WIRE-HEALTH-1 to 4). They need no
//! signature and reveal nothing about the content of the vault.

use crate::vault::Vault;
use crate::wire::reply::Reply;
use hyper::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How long a probe waits for the vault.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the vault whether it works.
pub(crate) struct Health {
    /// Held while the vault is asked, so that a vault that hangs blocks one thread and not all.
    turn: Arc<Semaphore>,
}

impl Health {
    pub(crate) fn new() -> Self {
        Self { turn: Arc::new(Semaphore::new(1)) }
    }

    /// `GET /readyz`
    pub(crate) async fn readiness(&self, vault: &Vault) -> Reply {
        match self.why_not_ready(vault).await {
            None => Reply::plain("ready\n"),
            Some(why) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Reply { status, ..Reply::plain(&format!("not ready: {why}\n")) }
            }
        }
    }

    /// Why the vault does not serve reads and writes; `None` if it does.
    pub(crate) async fn why_not_ready(&self, vault: &Vault) -> Option<String> {
        let asked = async {
            let Ok(turn) = Arc::clone(&self.turn).acquire_owned().await else {
                return Some("the server is stopping".to_owned());
            };
            let vault = vault.clone();
            let asked = tokio::task::spawn_blocking(move || {
                let ready = vault.ready();
                drop(turn);
                ready
            });
            match asked.await {
                Ok(ready) => ready.err().map(|error| error.to_string()),
                Err(_) => Some("the vault broke off".to_owned()),
            }
        };
        let no_answer = || Some("the vault does not answer in time".to_owned());
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| no_answer())
    }
}
