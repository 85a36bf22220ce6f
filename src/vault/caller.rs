//! For whom a handle of the vault acts.

use crate::error::{ErrorKind, Result};
use crate::model::Scope;
use crate::model::name::{is_account, is_region};
use std::sync::Arc;

/// The account and region of a handle's operations, or why there are none.
#[derive(Clone)]
pub(crate) struct Caller(std::result::Result<Arc<Scope>, &'static str>);

impl Caller {
    /// Acts in this scope.
    pub(crate) fn new(scope: Scope) -> Self {
        Self(Ok(Arc::new(scope)))
    }

    /// The same account in another region.
    pub(crate) fn in_region(&self, region: &str) -> Self {
        if !is_region(region) {
            return Self(Err("a region is written like us-east-1"));
        }
        self.changed(|scope| Scope::new(&scope.account, region))
    }

    /// Another account in the same region.
    pub(crate) fn in_account(&self, account: &str) -> Self {
        if !is_account(account) {
            return Self(Err("an account is 12 digits"));
        }
        self.changed(|scope| Scope::new(account, &scope.region))
    }

    /// The scope, for an operation that is about to begin.
    pub(crate) fn scope(&self) -> Result<&Scope> {
        match &self.0 {
            Ok(scope) => Ok(scope),
            Err(what) => Err(ErrorKind::Usage { what }.into()),
        }
    }

    fn changed(&self, change: impl FnOnce(&Scope) -> Scope) -> Self {
        match &self.0 {
            Ok(scope) => Self::new(change(scope)),
            Err(what) => Self(Err(what)),
        }
    }
}

/// Account 000000000000 in us-east-1.
impl Default for Caller {
    fn default() -> Self {
        Self::new(Scope::default())
    }
}
