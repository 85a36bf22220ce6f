//! Handles that act in other scopes.

use crate::model::Scope;
use crate::vault::caller::Caller;
use crate::vault::handle::Vault;

impl Vault {
    /// A handle that acts in a region, such as `eu-west-1`, for the same account.
    ///
    /// If the text is no region, the handle's operations fail with
    /// [`Usage`](crate::error::ErrorKind::Usage).
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        self.acting_for(self.caller.in_region(region))
    }

    /// A handle that acts for an account of 12 digits, in the same region.
    ///
    /// If the text is no account, the handle's operations fail with
    /// [`Usage`](crate::error::ErrorKind::Usage).
    #[must_use]
    pub fn in_account(&self, account: &str) -> Self {
        self.acting_for(self.caller.in_account(account))
    }

    /// A handle that acts in a scope.
    #[must_use]
    pub fn in_scope(&self, scope: impl Into<Scope>) -> Self {
        self.acting_for(Caller::new(scope.into()))
    }

    fn acting_for(&self, caller: Caller) -> Self {
        Self { caller, ..self.clone() }
    }
}
