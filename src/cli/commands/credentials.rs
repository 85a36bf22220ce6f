//! The key pairs that may sign requests to the server.

use crate::cli::args::{Credentials, CredentialsAction, Global};
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::{self, json};
use crate::cli::session::with_vault;
use crate::vault::Credential;
use zeroize::Zeroizing;

/// `credentials new|ls|revoke`
pub(crate) fn credentials(
    context: &Context,
    global: &Global,
    args: &Credentials,
) -> Result<(), CliError> {
    match &args.action {
        CredentialsAction::New { account } => {
            let pair = with_vault(context, global, |vault| Ok(vault.new_credential(account)?))?;
            if global.is_json() {
                return output::secret(&json::credential(&pair)?);
            }
            output::data(exports(&pair).as_bytes())
        }
        CredentialsAction::Ls => {
            let pairs = with_vault(context, global, |vault| Ok(vault.credentials()?))?;
            if global.is_json() {
                return output::secret(&json::credentials(&pairs)?);
            }
            let lines: Vec<String> = pairs
                .iter()
                .map(|pair| format!("{}\t{}", pair.access_key_id, pair.account))
                .collect();
            output::lines(lines.iter().map(String::as_str))
        }
        CredentialsAction::Revoke { id } => {
            if with_vault(context, global, |vault| Ok(vault.revoke_credential(id)?))? {
                return Ok(());
            }
            Err(CliError::new(Exit::NotFound, "there is no such access key id")
                .hint("`strongroom credentials ls` lists them"))
        }
    }
}

/// The two lines that hand a pair to an AWS client.
pub(crate) fn exports(pair: &Credential) -> Zeroizing<String> {
    // EXPOSE: a pair is made to be handed to the client, this way.
    let secret = String::from_utf8_lossy(pair.secret_access_key.expose());
    // With room for all of it: growing would leave copies behind.
    let mut lines = Zeroizing::new(String::with_capacity(256 + secret.len()));
    for part in ["export AWS_ACCESS_KEY_ID=", &pair.access_key_id, "\n"] {
        lines.push_str(part);
    }
    for part in ["export AWS_SECRET_ACCESS_KEY=", &secret, "\n"] {
        lines.push_str(part);
    }
    lines
}
