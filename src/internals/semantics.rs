//! What fuzz targets may look at. No stability promise.

use crate::env::UnixMillis;
use crate::model::api::{Filter, RotationRules};
use crate::model::{RecordId, Scope, SecretRecord, Seq};
use crate::semantics::Fault;
use crate::semantics::policy::{self, Asked, Policy, Verdict};
use crate::semantics::read::filter::Filters;
use crate::semantics::read::page;
use crate::semantics::rotation::schedule::Schedule;

/// A policy that was understood.
pub struct Understood(Policy);

/// Reads a policy.
pub fn policy(text: &str) -> Result<Understood, Fault> {
    policy::parse(text).map(Understood)
}

impl Understood {
    /// What it says about a request: a Deny, an Allow, or nothing.
    #[must_use]
    pub fn verdict(&self, caller: &Scope, action: &str, record: &SecretRecord) -> Option<bool> {
        match self.0.verdict(&Asked { caller, action, record }) {
            Verdict::Denied => Some(false),
            Verdict::Allowed => Some(true),
            Verdict::Silent => None,
        }
    }

    /// Whether it allows something to everyone.
    #[must_use]
    pub fn is_broad(&self) -> bool {
        self.0.is_broad()
    }
}

/// Whether filters that were checked select a secret.
#[must_use]
pub fn selects(filters: &[Filter], record: &SecretRecord) -> bool {
    Filters::new(filters).select(record)
}

/// A schedule that was understood.
pub struct Windows(Schedule);

/// Reads rotation rules; `None`: they hold no schedule.
pub fn schedule(rules: &RotationRules) -> Result<Option<Windows>, Fault> {
    Ok(Schedule::of(rules)?.map(Windows))
}

impl Windows {
    /// The first window after `from`: when it opens and when it closes.
    #[must_use]
    pub fn next(&self, from: UnixMillis) -> Option<(UnixMillis, UnixMillis)> {
        self.0.next(from).map(|window| (window.opens, window.closes))
    }

    /// Whole days from one window to the next.
    #[must_use]
    pub fn days(&self, from: UnixMillis) -> Option<i64> {
        self.0.days(from)
    }
}

/// Reads a page token of versions and writes it again.
pub fn versions_token(token: &str) -> Result<(Seq, String), Fault> {
    let seq = page::parse_seq(token)?;
    Ok((seq, page::seq_token(seq)))
}

/// Reads a page token of policies and writes it again.
pub fn policies_token(token: &str) -> Result<(String, String), Fault> {
    let name = page::parse_policy(token)?;
    let again = page::policy_token(&name);
    Ok((name, again))
}

/// Reads a page token of secrets in the order of that letter and writes it again.
pub fn secrets_token(order: char, token: &str) -> Result<(RecordId, String), Fault> {
    let (id, key) = page::parse_secret(order, token)?;
    Ok((id, page::secret_token(order, id, &key)))
}
