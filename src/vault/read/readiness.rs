//! Whether a vault can do its work at this moment: for probes that route requests or restart
//! servers.

use crate::error::{ErrorKind, Result};
use crate::model::Scope;
use crate::model::api::DescribeSecret;
use crate::vault::Vault;

impl Vault {
    /// Fails with the reason if the vault takes no writes, has no space to grow, or cannot read.
    /// The read may wait for the commit thread, as any read of a state that must be rebuilt.
    pub fn ready(&self) -> Result<()> {
        let shared = &self.inner.shared;
        if let Some(kind) = shared.refuses_writes() {
            return Err(kind.into());
        }
        if shared.lacks_space() {
            return Err(ErrorKind::NoSpace.into());
        }
        // A name of an account that no caller has: it is looked for like any other and not there.
        let mut question = DescribeSecret::default();
        "readiness".clone_into(&mut question.secret_id);
        match self.inner.describe_secret(&Scope::new("strongroom", "readiness"), &question) {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }
}
