//! An in-process AWS endpoint. It takes operations as a client sends them, without sockets and
//! signatures, and answers from a deterministic vault. A plan injects faults, and a trace records all
//! requests.

use super::faults::{FaultKind, FaultPlan};
use super::trace::{Step, Trace};
use super::{Ephemeral, Snapshot};
use crate::env::UnixMillis;
use crate::error::Result;
use crate::model::Scope;
use crate::wire::local::{self, Refusal};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A reply of the service: the same status and bytes as from `strongroom serve`.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON.
    pub body: Vec<u8>,
    /// How long it took on the simulated clock.
    pub latency: Duration,
}

/// No answer arrived, as after a timeout or a broken connection. The client cannot know whether the
/// request was executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAnswer {
    /// How long it took on the simulated clock.
    pub latency: Duration,
}

/// The outcome of a call.
pub type Outcome = std::result::Result<Reply, NoAnswer>;

/// A client of a service. Clones and the results of [`Endpoint::client`] share the service.
#[derive(Clone)]
pub struct Endpoint {
    service: Arc<Mutex<Service>>,
    scope: Scope,
}

struct Service {
    vault: Ephemeral,
    plan: FaultPlan,
    /// Snapshots from before the last writes, the newest last.
    past: VecDeque<Snapshot>,
    steps: Vec<Step>,
    calls: u64,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// A service on `vault` without faults, and its first client, in the default account and region.
    #[must_use]
    pub fn new(vault: Ephemeral) -> Self {
        Self::with_faults(vault, FaultPlan::default())
    }

    /// The same with faults.
    #[must_use]
    pub fn with_faults(vault: Ephemeral, plan: FaultPlan) -> Self {
        let (past, steps) = (VecDeque::new(), Vec::new());
        let service = Service { vault, plan, past, steps, calls: 0 };
        Self { service: Arc::new(Mutex::new(service)), scope: Scope::default() }
    }

    /// A client of the same service in another account or region.
    #[must_use]
    pub fn client(&self, scope: Scope) -> Self {
        Self { service: Arc::clone(&self.service), scope }
    }

    /// Sends a request: the operation's name, such as `GetSecretValue`, and its JSON.
    pub fn call(&self, operation: &str, json: &[u8]) -> Outcome {
        let mut service = self.lock();
        let number = service.calls;
        service.calls += 1;
        // A name that is not a word is not an operation and must not break a line of the trace.
        let is_word = !operation.is_empty() && operation.bytes().all(|b| b.is_ascii_alphanumeric());
        let operation = if is_word { operation } else { "Unknown" };
        let (fault, latency) = service.plan.of_call(number, operation);
        let fault = fault.and_then(|fault| service.possible(operation, fault));
        service.perform(&self.scope, operation, json, fault, latency)
    }

    /// Lets time pass.
    pub fn advance(&self, span: Duration) {
        self.lock().follow(&Step::Advance(span));
    }

    /// Sets the service's wall clock.
    pub fn set_wall(&self, wall: UnixMillis) {
        self.lock().follow(&Step::SetWall(wall));
    }

    /// Runs the background work of the service: purges, pruning and rotations that are due.
    pub fn maintain(&self) {
        self.lock().follow(&Step::Maintain);
    }

    /// Replaces the plan of faults from now on.
    pub fn set_faults(&self, plan: FaultPlan) {
        self.lock().plan = plan;
    }

    /// Gives access to the vault behind the service. Direct changes are not in the trace.
    pub fn with_vault<T>(&self, look: impl FnOnce(&Ephemeral) -> T) -> T {
        look(&self.lock().vault)
    }

    /// All requests so far, and the answers.
    #[must_use]
    pub fn trace(&self) -> Trace {
        let service = self.lock();
        Trace { seed: service.vault.seed(), steps: service.steps.clone() }
    }

    /// An independent copy of this service.
    pub fn fork(&self) -> Result<Self> {
        let service = self.lock();
        let past: Result<_> = service.past.iter().map(Snapshot::copy).collect();
        let fork = Service {
            vault: service.vault.fork()?,
            plan: service.plan.clone(),
            past: past?,
            steps: service.steps.clone(),
            calls: service.calls,
        };
        Ok(Self { service: Arc::new(Mutex::new(fork)), scope: self.scope.clone() })
    }

    /// Runs one step of a trace and returns its outcome.
    pub(super) fn follow(&self, step: &Step) -> Option<Outcome> {
        self.lock().follow(step)
    }

    fn lock(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    fn follow(&mut self, step: &Step) -> Option<Outcome> {
        match step {
            Step::Advance(span) => self.vault.advance(*span),
            Step::SetWall(wall) => self.vault.set_wall(*wall),
            Step::Maintain => {
                // The next call meets the same error.
                let _ = self.vault.maintain();
            }
            Step::Call { scope, operation, body, fault, latency, .. } => {
                return Some(self.perform(scope, operation, body, *fault, *latency));
            }
        }
        self.steps.push(step.clone());
        None
    }

    /// Limits a fault to what is possible: only reads can be stale, and only as far back as snapshots
    /// exist.
    fn possible(&self, operation: &str, fault: FaultKind) -> Option<FaultKind> {
        let FaultKind::Stale(back) = fault else { return Some(fault) };
        let kept = u8::try_from(self.past.len()).unwrap_or(u8::MAX);
        let back = back.min(kept);
        (back > 0 && local::only_reads(operation)).then_some(FaultKind::Stale(back))
    }

    fn perform(
        &mut self,
        scope: &Scope,
        operation: &str,
        body: &[u8],
        fault: Option<FaultKind>,
        latency: Duration,
    ) -> Outcome {
        self.vault.advance(latency);
        let outcome = match fault {
            Some(FaultKind::Throttled) => Some(local::refuse(Refusal::Throttled)),
            Some(FaultKind::Internal) => Some(local::refuse(Refusal::Internal)),
            Some(FaultKind::Unavailable) => Some(local::refuse(Refusal::Unavailable)),
            Some(FaultKind::LostRequest) => None,
            Some(FaultKind::LostAnswer) => {
                self.remember(operation);
                local::answer(&self.vault, scope, operation, body);
                None
            }
            Some(FaultKind::Stale(back)) => Some(self.answer_stale(scope, operation, body, back)),
            None => {
                self.remember(operation);
                Some(local::answer(&self.vault, scope, operation, body))
            }
        };
        let outcome = match outcome {
            Some((status, body)) => Ok(Reply { status, body: body.to_vec(), latency }),
            None => Err(NoAnswer { latency }),
        };
        self.steps.push(Step::Call {
            scope: scope.clone(),
            operation: operation.to_owned(),
            body: body.to_vec(),
            fault,
            latency,
            outcome: outcome.clone(),
        });
        outcome
    }

    /// Keeps a snapshot from before a write, for stale reads.
    fn remember(&mut self, operation: &str) {
        let kept = usize::from(self.plan.stale_writes_max);
        if kept == 0 || local::only_reads(operation) {
            return;
        }
        while self.past.len() >= kept {
            self.past.pop_front();
        }
        // A vault that cannot be forked is closed and answers no requests anyway.
        self.past.extend(self.vault.snapshot());
    }

    /// The answer as of `back` writes ago.
    fn answer_stale(&self, scope: &Scope, operation: &str, body: &[u8], back: u8) -> local::Answer {
        let at = self.past.len().saturating_sub(usize::from(back));
        // A read records an access mark. It runs on a copy, so that the snapshot does not change.
        let then = self.past.get(at).and_then(|moment| moment.fork().ok());
        local::answer(then.as_ref().unwrap_or(&self.vault), scope, operation, body)
    }
}

impl fmt::Debug for Reply {
    /// The status alone: the body may hold a value.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}
