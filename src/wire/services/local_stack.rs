//! The pages of `LocalStack` that scripts ask until it has started (rules WIRE-HEALTH-3 and 5). They have its
//! spaces: scripts look for `"secretsmanager": "available"` as text.

use super::health::Health;
use crate::vault::Vault;
use crate::wire::http::route::LocalStack;
use crate::wire::reply::Reply;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the pages say beside the health of the vault.
#[derive(Default)]
pub(crate) struct LocalStackPages {
    /// Whether a service has been asked for anything yet.
    is_used: AtomicBool,
}

impl LocalStackPages {
    /// Notes a request to a service. From then on it is `running`.
    pub(crate) fn note_request(&self) {
        self.is_used.store(true, Ordering::Relaxed);
    }

    /// Answers one of the pages.
    pub(crate) async fn answer(&self, page: LocalStack, vault: &Vault, health: &Health) -> Reply {
        let is_ready = || async { health.why_not_ready(vault).await.is_none() };
        let version = env!("CARGO_PKG_VERSION");
        let text = match page {
            LocalStack::Health => {
                let used = self.is_used.load(Ordering::Relaxed);
                let well = if used { "running" } else { "available" };
                let state = if is_ready().await { well } else { "error" };
                format!(
                    "{{\"services\": {{\"secretsmanager\": \"{state}\", \"sts\": \"{well}\"}}, \
                     \"edition\": \"strongroom\", \"version\": \"{version}\"}}"
                )
            }
            LocalStack::Stages => {
                let ready = is_ready().await;
                format!(
                    "{{\"completed\": {{\"BOOT\": true, \"START\": true, \"READY\": {ready}, \
                     \"SHUTDOWN\": false}}, \"scripts\": []}}"
                )
            }
            LocalStack::Stage { starts } => {
                let completed = starts && is_ready().await;
                format!("{{\"completed\": {completed}, \"scripts\": []}}")
            }
            LocalStack::Info => format!(
                "{{\"version\": \"{version}\", \"edition\": \"strongroom\", \
                 \"is_license_activated\": false, \"system\": \"{}\", \"is_docker\": false}}",
                std::env::consts::OS
            ),
        };
        Reply { content_type: "application/json", ..Reply::plain(&format!("{text}\n")) }
    }
}
