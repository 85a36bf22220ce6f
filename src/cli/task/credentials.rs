//! What the subcommands on key pairs do.

use super::answer::Answer;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::json;
use crate::secret::SecretBytes;
use crate::vault::{Credential, Vault};
use zeroize::Zeroizing;

/// `credentials new`
pub(super) fn create(vault: &Vault, account: &str, is_json: bool) -> Result<Answer, CliError> {
    let pair = vault.new_credential(account)?;
    if is_json {
        return Ok(Answer::data(json::credential(&pair)?));
    }
    Ok(Answer::data(SecretBytes::copy_from(exports(&pair).as_bytes())))
}

/// `credentials ls`
pub(super) fn list(vault: &Vault, is_json: bool) -> Result<Answer, CliError> {
    let pairs = vault.credentials()?;
    if is_json {
        return Ok(Answer::data(json::credentials(&pairs)?));
    }
    let line = |pair: &Credential| format!("{}\t{}", pair.access_key_id, pair.account);
    Ok(Answer::lines(pairs.iter().map(line)))
}

/// `credentials revoke`
pub(super) fn revoke(vault: &Vault, id: &str) -> Result<Answer, CliError> {
    if vault.revoke_credential(id)? {
        return Ok(Answer::nothing());
    }
    Err(CliError::new(Exit::NotFound, "there is no such access key id")
        .hint("`strongroom credentials ls` lists them"))
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
