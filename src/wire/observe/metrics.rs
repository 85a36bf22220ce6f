//! Counts and times of requests as Prometheus reads them (rule SPEAK-8). The text has the names of operations
//! and errors and nothing of a request's content.

use super::reasons::Cause;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Upper bounds of the buckets of latencies, in seconds and as they are written.
const BOUNDS: [(f64, &str); 13] = [
    (0.0005, "0.0005"),
    (0.001, "0.001"),
    (0.0025, "0.0025"),
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (0.5, "0.5"),
    (1.0, "1"),
    (5.0, "5"),
    (30.0, "30"),
];

/// The requests of one operation.
#[derive(Default)]
struct Requests {
    /// By status, which a client that left has none of, and by the name of the error. Names are ours, so
    /// there are few.
    outcomes: BTreeMap<(Option<u16>, &'static str), u64>,
    buckets: [u64; BOUNDS.len()],
    count: u64,
    time: Duration,
}

#[derive(Default)]
struct Counts {
    operations: BTreeMap<&'static str, Requests>,
    refusals: BTreeMap<Cause, u64>,
}

/// Counts since the server started.
#[derive(Default)]
pub(super) struct Metrics(Mutex<Counts>);

/// What a sample is for Prometheus.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Counter,
    Gauge,
}

/// A value that is measured when somebody asks.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) kind: Kind,
    pub(crate) value: u64,
}

impl Metrics {
    pub(super) fn count(
        &self,
        operation: &'static str,
        status: Option<u16>,
        error: Option<&'static str>,
        time: Duration,
    ) {
        let mut counts = self.lock();
        let requests = counts.operations.entry(operation).or_default();
        *requests.outcomes.entry((status, error.unwrap_or_default())).or_default() += 1;
        requests.count += 1;
        requests.time += time;
        for (bucket, (bound, _)) in requests.buckets.iter_mut().zip(BOUNDS) {
            if time.as_secs_f64() <= bound {
                *bucket += 1;
            }
        }
    }

    pub(super) fn refuse(&self, cause: Cause) {
        *self.lock().refusals.entry(cause).or_default() += 1;
    }

    /// All counts, and `samples`, in Prometheus' text format.
    pub(super) fn text(&self, samples: &[Sample]) -> String {
        let mut out = Text(String::with_capacity(8 * 1024));
        let version = concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"");
        out.family("strongroom_build_info", "The version that runs.", "gauge");
        out.sample("strongroom_build_info", version, 1);
        for Sample { name, help, kind, value } in samples {
            let kind = match kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
            };
            out.family(name, help, kind);
            out.sample(name, "", value);
        }
        let counts = self.lock();
        let name = "strongroom_requests_total";
        out.family(name, "Requests by operation, HTTP status and error.", "counter");
        for (operation, requests) in &counts.operations {
            for ((status, error), count) in &requests.outcomes {
                let status = status.map(|status| status.to_string()).unwrap_or_default();
                let labels =
                    format!("operation=\"{operation}\",status=\"{status}\",error=\"{error}\"");
                out.sample(name, &labels, count);
            }
        }
        let name = "strongroom_request_duration_seconds";
        out.family(name, "From the head of a request to its answer.", "histogram");
        for (operation, requests) in &counts.operations {
            let bucket = format!("{name}_bucket");
            for (count, (_, bound)) in requests.buckets.iter().zip(BOUNDS) {
                let labels = format!("operation=\"{operation}\",le=\"{bound}\"");
                out.sample(&bucket, &labels, count);
            }
            let labels = format!("operation=\"{operation}\",le=\"+Inf\"");
            out.sample(&bucket, &labels, requests.count);
            let labels = format!("operation=\"{operation}\"");
            out.sample(&format!("{name}_sum"), &labels, requests.time.as_secs_f64());
            out.sample(&format!("{name}_count"), &labels, requests.count);
        }
        let name = "strongroom_refusals_total";
        out.family(name, "Refused requests by cause.", "counter");
        for (cause, count) in &counts.refusals {
            out.sample(name, &format!("cause=\"{}\"", cause.name()), count);
        }
        out.0
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text format. Writing to a string does not fail.
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = if labels.is_empty() {
            writeln!(self.0, "{name} {value}")
        } else {
            writeln!(self.0, "{name}{{{labels}}} {value}")
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SPEAK-8
    #[test]
    fn requests_are_counted_by_outcome_and_buckets_add_up() {
        let metrics = Metrics::default();
        metrics.count("GetSecretValue", Some(200), None, Duration::from_millis(2));
        metrics.count("GetSecretValue", Some(200), None, Duration::from_millis(40));
        metrics.count("GetSecretValue", Some(400), Some("X"), Duration::from_secs(100));
        metrics.count("ListSecrets", None, Some("ClientGone"), Duration::ZERO);
        metrics.refuse(Cause::Host);
        let sample = Sample { name: "q", help: "Queue.", kind: Kind::Gauge, value: 7 };
        let text = metrics.text(&[sample]);
        let get = "operation=\"GetSecretValue\"";
        for line in [
            "# TYPE q gauge".to_owned(),
            "q 7".to_owned(),
            format!("strongroom_requests_total{{{get},status=\"200\",error=\"\"}} 2"),
            format!("strongroom_requests_total{{{get},status=\"400\",error=\"X\"}} 1"),
            format!("strongroom_request_duration_seconds_bucket{{{get},le=\"0.001\"}} 0"),
            format!("strongroom_request_duration_seconds_bucket{{{get},le=\"0.0025\"}} 1"),
            format!("strongroom_request_duration_seconds_bucket{{{get},le=\"30\"}} 2"),
            format!("strongroom_request_duration_seconds_bucket{{{get},le=\"+Inf\"}} 3"),
            format!("strongroom_request_duration_seconds_count{{{get}}} 3"),
            "strongroom_refusals_total{cause=\"host\"} 1".to_owned(),
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
