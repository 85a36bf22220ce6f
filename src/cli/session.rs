//! From a command line to an open vault: lock, then key, then open.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::progress;
use crate::cli::{locations, output, unlock};
use crate::error::ErrorKind;
use crate::vault::{Options, Vault, VaultDir};

/// The options that the command opens vaults with.
pub(crate) fn options(context: &Context, global: &Global) -> Options {
    Options {
        wait: global.wait.unwrap_or_default(),
        progress: Some(progress::reporter(&context.env)),
        allow_lax_modes: global.allow_lax_modes,
        ..Options::default()
    }
}

/// Locks an existing vault.
pub(crate) fn lock(context: &Context, global: &Global) -> Result<VaultDir, CliError> {
    let path = locations::vault(context, global)?;
    Ok(VaultDir::lock(&path, &options(context, global))?)
}

/// Opens the vault, runs `operation` and closes the vault. Output is printed after that, so a slow reader
/// does not hold the vault, and another command can read from this one.
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

/// Closes the vault. Acknowledged writes are durable already, so an error here only gives the next open more
/// to do.
pub(crate) fn close(vault: &Vault) {
    match vault.close() {
        Err(error) if *error.kind() != ErrorKind::Closed => {
            output::warn(&format!(
                "the vault was not closed cleanly, but nothing is lost: {error}"
            ));
        }
        _ => (),
    }
}
