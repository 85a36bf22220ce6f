//! Listening for commands in a program that embeds a vault.
//!
//! It lies here and not in `vault`, because a holder runs the requests of commands, and their texts are the
//! command's.

use super::Listener;
use crate::error::{ErrorKind, Result};
use crate::vault::Vault;

impl Vault {
    /// Lets the command `strongroom` work on this vault while this program holds it: `get`, `put`, `ls` and the
    /// other subcommands on secrets and key pairs, and `check`. Without it they end with exit code 6, because
    /// one process at a time has a vault.
    ///
    /// A thread listens on the unix socket `holder.sock` in the vault's folder until the [`Listener`] is dropped.
    /// Until then every process of the same user, and of no other, can read and change the vault without its
    /// key. The listener keeps the vault open. Drop it before [`Vault::close`], so that commands that are under
    /// way end first.
    ///
    /// It needs Linux and the feature `cli`.
    ///
    /// ```no_run
    /// # use strongroom::{Unlock, Vault};
    /// # fn main() -> strongroom::Result<()> {
    /// # let vault = Vault::open("/var/lib/app/vault", Unlock::passphrase("correct horse"))?;
    /// let listener = vault.listen()?;
    /// // `strongroom get app/db` works now.
    /// drop(listener);
    /// vault.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails for a vault that is closed or in memory, if the folder is gone or cannot be written, and if a
    /// file or folder has the socket's name. The vault works on as before.
    pub fn listen(&self) -> Result<Listener> {
        let Some(dir) = self.folder() else {
            let what = "a vault in memory has no folder in which commands could find it";
            return Err(ErrorKind::Usage { what }.into());
        };
        // The folder of a closed vault may have another holder, whose socket must stay.
        self.while_open(|| {
            // A library logs nothing (SPEAK-2).
            Listener::listen(self.env(), dir, self, |_, _, _| ())
        })
    }
}
