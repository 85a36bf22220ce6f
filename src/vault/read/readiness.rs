//! Whether a vault can do its work now.

use crate::error::{ErrorKind, Result};
use crate::model::Scope;
use crate::model::api::DescribeSecret;
use crate::vault::inner::Inner;
use std::path::Path;

impl Inner {
    /// Fails with the reason if the next write would fail: the vault takes no writes, has no space to grow,
    /// cannot read, or its commit thread is gone (HEALTH-1).
    pub(crate) fn ready(&self) -> Result<()> {
        let shared = &self.shared;
        // Asked anew, so that a probe sees it at once (I11). If the system cannot tell, the next look does.
        let _ = shared.env.fs.check_place();
        if let Some(kind) = self.refuses_writes_without_place() {
            return Err(kind.into());
        }
        if shared.space.is_lacking() {
            return Err(ErrorKind::NoSpace.into());
        }
        // No caller has this account, so nothing is found. To find that out is a read like any other.
        let mut question = DescribeSecret::default();
        "readiness".clone_into(&mut question.secret_id);
        match self.look(&Scope::new("strongroom", "readiness"), &question) {
            Ok(_) => {}
            Err(error) if error.is_not_found() => {}
            // Probes need no key, so they do not learn where the vault is.
            Err(error) => return Err(error.kind().clone().into()),
        }
        // A write would wait behind the same batch. A callback on the thread itself cannot wait for it.
        if !self.driver.is_own_thread() {
            self.driver.control(|_| ())?;
        }
        self.refuses_writes_without_place().map_or(Ok(()), |kind| Err(kind.into()))
    }

    /// Why no write is taken, with names that begin in the vault's folder.
    fn refuses_writes_without_place(&self) -> Option<ErrorKind> {
        let kind = self.shared.refuses_writes()?;
        let ErrorKind::Displaced { path, is_replaced } = kind else { return Some(kind) };
        let below = path.strip_prefix(&self.shared.dir).ok();
        let below = below.filter(|below| !below.as_os_str().is_empty());
        let path = below.unwrap_or(Path::new("the vault's folder")).to_path_buf();
        Some(ErrorKind::Displaced { path, is_replaced })
    }
}
