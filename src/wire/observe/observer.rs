//! A line in the log for each request and each change of health, and the counts (rules SPEAK-1 to 5,
//! HEALTH-3).

use super::metrics::{Metrics, Sample};
use super::notes::Notes;
use super::plain::plain;
use super::reasons::{Cause, Reasons};
use crate::env::Env;
use crate::wire::reply::Reply;
use hyper::Request;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tracing::field::display;

/// Targets of the lines, for the filter of the log.
const REQUEST: &str = "strongroom::request";
const REFUSAL: &str = "strongroom::refusal";
const HEALTH: &str = "strongroom::health";

/// Observes all requests of a server.
pub(crate) struct Observer {
    env: Env,
    /// Whether lines may name secrets.
    tells_names: bool,
    reasons: Reasons,
    metrics: Metrics,
    connections: AtomicU64,
}

impl Observer {
    pub(crate) fn new(env: Env, tells_names: bool) -> Self {
        let (reasons, metrics) = (Reasons::default(), Metrics::default());
        Self { env, tells_names, reasons, metrics, connections: AtomicU64::new(0) }
    }

    pub(crate) fn tells_names(&self) -> bool {
        self.tells_names
    }

    /// Begins to observe a request. Its line is written when the result is dropped.
    pub(crate) fn begin<B>(self: &Arc<Self>, request: &mut Request<B>, id: &str) -> Observed {
        let notes = Notes::default();
        request.extensions_mut().insert(notes.clone());
        let begun = self.env.clock.monotonic();
        Observed { observer: Arc::clone(self), notes, id: id.to_owned(), begun, outcome: None }
    }

    /// Tells why something was refused, unless that was told a moment ago.
    pub(crate) fn refuse(&self, cause: Cause, detail: &str) {
        self.metrics.refuse(cause);
        let Some(held_back) = self.reasons.admit(cause, self.env.clock.monotonic()) else { return };
        let said = cause.said(detail);
        if held_back == 0 {
            tracing::warn!(target: REFUSAL, "{said}");
        } else {
            tracing::warn!(target: REFUSAL, held_back, "{said}");
        }
    }

    /// Tells that the vault can work again, or why it cannot.
    pub(crate) fn health(why_not: Option<&str>) {
        match why_not {
            None => tracing::warn!(target: HEALTH, "ready again"),
            Some(why) => tracing::error!(target: HEALTH, "not ready: {}", plain(why)),
        }
    }

    /// Counts a connection until the result is dropped.
    pub(crate) fn connection(self: &Arc<Self>) -> OpenConnection {
        self.connections.fetch_add(1, Ordering::Relaxed);
        OpenConnection(Arc::clone(self))
    }

    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// What `/metrics` answers.
    pub(crate) fn metrics(&self, samples: &[Sample]) -> String {
        self.metrics.text(samples)
    }
}

/// Counts as an open connection.
pub(crate) struct OpenConnection(Arc<Observer>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request that is being answered.
pub(crate) struct Observed {
    observer: Arc<Observer>,
    notes: Notes,
    id: String,
    begun: Duration,
    /// Status, and the name of an error.
    outcome: Option<(u16, Option<&'static str>)>,
}

impl Observed {
    /// The answer is made.
    pub(crate) fn answered(&mut self, reply: &Reply) {
        self.outcome = Some((reply.status.as_u16(), reply.error));
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        let Self { observer, notes, id, begun, outcome } = self;
        let noted = notes.take();
        let time = observer.env.clock.monotonic().saturating_sub(*begun);
        let operation = noted.operation.unwrap_or("unknown");
        let (status, error) = match outcome.take() {
            Some((status, error)) => (Some(status), error),
            None => (None, Some("ClientGone")),
        };
        observer.metrics.count(operation, status, error, time);
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let error = error.map(display);
        let names = (!noted.names.is_empty()).then(|| display(plain(&noted.names.join(","))));
        // A probe that goes well says nothing new.
        if noted.is_probe && status.is_some_and(|status| status < 400) {
            tracing::debug!(target: REQUEST, %id, %operation, status, ms, "request");
        } else {
            tracing::info!(target: REQUEST, %id, %operation, status, error, ms, names, "request");
        }
        if let Some((cause, detail)) = noted.refused {
            observer.refuse(cause, &detail);
        }
    }
}
