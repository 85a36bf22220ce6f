//! From a command line to an open vault: lock, then key, then open.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::progress;
use crate::cli::{locations, output, unlock};
use crate::error::ErrorKind;
use crate::vault::{Options, Vault, VaultDir};

/// How vaults are opened here.
pub(crate) fn options(context: &Context, global: &Global) -> Options {
    Options {
        wait: global.wait.unwrap_or_default(),
        progress: Some(progress::reporter(&context.env)),
        ..Options::default()
    }
}

/// Locks the vault that must be there.
pub(crate) fn lock(context: &Context, global: &Global) -> Result<VaultDir, CliError> {
    let path = locations::vault(context, global)?;
    Ok(VaultDir::lock(&path, &options(context, global))?)
}

/// Opens the vault, runs `operation`, closes the vault. Whatever is printed is printed after that:
/// a reader that is slow, or that is another command on this vault, finds it free.
pub(crate) fn with_vault<T>(
    context: &Context,
    global: &Global,
    operation: impl FnOnce(&Vault) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let dir = lock(context, global)?;
    let key = unlock::unlock(context, global, &dir)?;
    let vault = dir.open(&key)?;
    drop(key);
    let outcome = operation(&vault);
    close(&vault);
    outcome
}

/// Closes the vault. What was acknowledged is durable already, so a failure here changes no
/// outcome: the next open just has more to look at.
pub(crate) fn close(vault: &Vault) {
    match vault.close() {
        Err(error) if *error.kind() != ErrorKind::Closed => {
            output::warn(&format!("the vault was not closed cleanly, nothing is lost: {error}"));
        }
        _ => (),
    }
}
