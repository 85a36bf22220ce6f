//! What the rules may use besides the vault's state: who asks, when, and fresh identities.

use crate::env::UnixMillis;
use crate::model::{Lsn, RecordId, Scope, Suffix};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The two readings of time that rules use (I9). Neither gives order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The wall clock; a stamp is `max(wall, the secret's last stamp)`.
    pub wall: UnixMillis,
    /// The age clock: the only one that prunes and purges.
    pub age: UnixMillis,
}

/// What a plan may use besides the view: who asks, when, and fresh identities.
#[derive(Clone, Debug)]
pub struct Context {
    /// The caller's account and region.
    pub scope: Scope,
    /// When.
    pub now: Now,
    /// The operation's place in the order, if it changes anything.
    pub lsn: Lsn,
    /// The id that a secret made by this operation gets.
    pub fresh_id: RecordId,
    /// The ARN suffix that a secret made by this operation gets.
    pub suffix: Suffix,
    /// The rotation functions that can be called, by ARN.
    pub functions: Arc<BTreeSet<String>>,
}
