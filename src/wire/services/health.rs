//! Probes: whether the process runs and whether the vault works (rules WIRE-HEALTH-1 to 4, HEALTH-1 to 3).
//! They need no signature and reveal nothing about the content of the vault. The server also asks by itself,
//! and tells each change.

use super::shared::Shared;
use crate::vault::{Measures, Vault};
use crate::wire::observe::{Kind, Observer, Sample};
use crate::wire::reply::Reply;
use hyper::StatusCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long a probe waits for the vault.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the server asks by itself.
const INTERVAL: Duration = Duration::from_secs(1);

/// Asks the vault whether it works.
pub(crate) struct Health {
    /// Why the vault is not ready.
    why_not: Shared<Option<String>>,
    measures: Shared<Measures>,
    /// Something failed: the server asks at once.
    doubt: Notify,
    /// Why the vault was not ready when it was last asked.
    told: Mutex<Option<String>>,
}

impl Health {
    pub(crate) fn new() -> Self {
        Self {
            why_not: Shared::new(PATIENCE),
            measures: Shared::new(PATIENCE),
            doubt: Notify::new(),
            told: Mutex::new(None),
        }
    }

    /// Asks the vault now and then for as long as the server runs, and tells each change (HEALTH-3).
    pub(crate) async fn watch(&self, vault: &Vault) {
        loop {
            let _ = timeout(INTERVAL, self.doubt.notified()).await;
            self.why_not_ready(vault).await;
        }
    }

    /// Makes the server ask at once.
    pub(crate) fn doubt(&self) {
        self.doubt.notify_one();
    }

    /// Tells what changed since the vault was last asked.
    fn tell(&self, why_not: Option<&String>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.as_ref() != why_not {
            Observer::health(why_not.map(String::as_str));
            *told = why_not.cloned();
        }
    }

    /// `GET /metrics`
    pub(crate) async fn metrics(&self, vault: &Vault, observer: &Observer, writes: u64) -> Reply {
        let held = vault.clone();
        let (why_not, measures) =
            tokio::join!(self.why_not_ready(vault), self.measures.get(move || held.measures()));
        let gauge = |name, help, value| Sample { name, help, kind: Kind::Gauge, value };
        let ready = u64::from(why_not.is_none());
        let mut samples = vec![
            gauge("strongroom_ready", "1 while the vault reads and writes.", ready),
            gauge("strongroom_connections", "Open connections.", observer.connections()),
            gauge("strongroom_writes_in_flight", "Writes without an answer yet.", writes),
        ];
        // What the vault does not tell in time is left out: a zero would be untrue.
        if let Some(Measures {
            queue,
            frames,
            log_bytes,
            state_bytes,
            memtable_bytes,
            events_waiting,
            events_dropped,
        }) = measures
        {
            samples.extend([
                gauge("strongroom_commit_queue", "Jobs that wait for the commit thread.", queue),
                Sample {
                    name: "strongroom_log_syncs_total",
                    help: "Frames written to the log, each with a sync of its own.",
                    kind: Kind::Counter,
                    value: frames,
                },
                gauge("strongroom_log_bytes", "Bytes of the files of the log.", log_bytes),
                gauge("strongroom_state_bytes", "Bytes of the files of the state.", state_bytes),
                gauge(
                    "strongroom_memtable_bytes",
                    "Bytes of acknowledged rows that wait in memory for the state.",
                    memtable_bytes,
                ),
                gauge(
                    "strongroom_events_waiting",
                    "Events of label moves that wait to be delivered.",
                    events_waiting,
                ),
                Sample {
                    name: "strongroom_events_dropped_total",
                    help: "Events of label moves that were dropped because too many waited.",
                    kind: Kind::Counter,
                    value: events_dropped,
                },
            ]);
        }
        let text = observer.metrics(&samples);
        Reply { content_type: "text/plain; version=0.0.4; charset=utf-8", ..Reply::plain(&text) }
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
        let vault = vault.clone();
        let ask = move || vault.ready().err().map(|error| error.to_string());
        let no_answer = || Some("the vault does not answer in time".to_owned());
        let why_not = self.why_not.get(ask).await.unwrap_or_else(no_answer);
        self.tell(why_not.as_ref());
        why_not
    }
}
