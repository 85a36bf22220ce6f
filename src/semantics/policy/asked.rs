//! A request, as far as policies can tell one from another.

use crate::model::{Scope, SecretRecord};

/// A request, as far as policies can tell one from another.
pub(crate) struct Asked<'a> {
    /// Who asks.
    pub(crate) caller: &'a Scope,
    /// The operation, such as `GetSecretValue`.
    pub(crate) action: &'a str,
    /// The secret that it is about.
    pub(crate) record: &'a SecretRecord,
}

impl Asked<'_> {
    pub(super) fn caller_arn(&self) -> String {
        root_arn(self.caller)
    }
}

/// The principal that a caller is: there are accounts here, and nobody in them but their root.
pub(crate) fn root_arn(caller: &Scope) -> String {
    format!("arn:{}:iam::{}:root", caller.partition(), caller.account)
}
