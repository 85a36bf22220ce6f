//! Whether a vault can do its work now.

use crate::error::{ErrorKind, Result};
use crate::model::Scope;
use crate::model::api::DescribeSecret;
use crate::vault::inner::Inner;

impl Inner {
    /// Fails with the reason if the next write would fail: the vault takes no writes, has no space to grow,
    /// cannot read, or its commit thread is gone (HEALTH-1). Probes need no key, so they do not learn where
    /// the vault is (MSG-4).
    pub(crate) fn ready(&self) -> Result<()> {
        self.try_ready().map_err(|error| error.nameless(&self.shared.dir))
    }

    fn try_ready(&self) -> Result<()> {
        let shared = &self.shared;
        // Asked anew, so that a probe sees it at once (I11). If the system cannot tell, the next look does.
        let _ = shared.env.fs.check_place();
        if let Some(kind) = self.shared.refuses_writes() {
            return Err(kind.into());
        }
        if shared.space.is_lacking(shared.state.waiting_bytes()) {
            return Err(ErrorKind::NoSpace.into());
        }
        // No caller has this account, so nothing is found. To find that out is a read like any other.
        let mut question = DescribeSecret::default();
        "readiness".clone_into(&mut question.secret_id);
        match self.look(&Scope::new("strongroom", "readiness"), &question) {
            Ok(_) => {}
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
        // A write would wait behind the same batch. A callback on the thread itself cannot wait for it.
        if !self.driver.is_own_thread() {
            self.driver.control(|_| ())?;
        }
        shared.refuses_writes().map_or(Ok(()), |kind| Err(kind.into()))
    }
}
