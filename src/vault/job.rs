//! Seals the value of a write before it travels to the commit pipeline.

use crate::crypto::{Keyring, SealedValue};
use crate::env::{Entropy, Env};
use crate::error::{Error, ErrorKind, Result};
use crate::model::VersionId;
use crate::model::api::Write;
use crate::secret::SecretValue;
use crate::semantics::Command;
use crate::semantics::validate::Checked;

/// A write as `semantics` sees it, and its sealed value.
type Sealed = (Command, Option<SealedValue>);

/// Checks a write and seals its value, on the caller's thread. The plaintext is wiped here.
pub(crate) fn seal(keys: &Keyring, env: &Env, write: Write) -> Result<Sealed> {
    let sealer = ValueSealer { keys, entropy: env.entropy.as_ref() };
    Ok(match write {
        Write::CreateSecret(request) => {
            let (request, payload) = Checked::new(request)?.seal(|value| sealer.seal(&value))?;
            (Command::CreateSecret(request), payload)
        }
        Write::PutSecretValue(request) => {
            let (request, payload) = Checked::new(request)?.seal(|value| sealer.seal(&value))?;
            (Command::PutSecretValue(request), payload)
        }
        Write::UpdateSecret(request) => {
            let (request, payload) = Checked::new(request)?.seal(|value| sealer.seal(&value))?;
            (Command::UpdateSecret(request), payload)
        }
        Write::UpdateSecretVersionStage(request) => {
            (Command::UpdateSecretVersionStage(Checked::new(request)?), None)
        }
        Write::DeleteSecret(request) => (Command::DeleteSecret(Checked::new(request)?), None),
        Write::RestoreSecret(request) => (Command::RestoreSecret(Checked::new(request)?), None),
        Write::RotateSecret(request) => (Command::RotateSecret(Checked::new(request)?), None),
        Write::CancelRotateSecret(request) => {
            (Command::CancelRotateSecret(Checked::new(request)?), None)
        }
        Write::TagResource(request) => (Command::TagResource(Checked::new(request)?), None),
        Write::UntagResource(request) => (Command::UntagResource(Checked::new(request)?), None),
        Write::PutResourcePolicy(request) => {
            (Command::PutResourcePolicy(Checked::new(request)?), None)
        }
        Write::DeleteResourcePolicy(request) => {
            (Command::DeleteResourcePolicy(Checked::new(request)?), None)
        }
        Write::ReplicateSecretToRegions(request) => {
            (Command::ReplicateSecretToRegions(Checked::new(request)?), None)
        }
        Write::RemoveRegionsFromReplication(request) => {
            (Command::RemoveRegionsFromReplication(Checked::new(request)?), None)
        }
        Write::StopReplicationToReplica(request) => {
            (Command::StopReplicationToReplica(Checked::new(request)?), None)
        }
        Write::AssociateCrossAccountReplica(request) => {
            (Command::AssociateCrossAccountReplica(Checked::new(request)?), None)
        }
        Write::DisassociateCrossAccountReplica(request) => {
            (Command::DisassociateCrossAccountReplica(Checked::new(request)?), None)
        }
    })
}

struct ValueSealer<'a> {
    keys: &'a Keyring,
    entropy: &'a dyn Entropy,
}

impl ValueSealer<'_> {
    fn seal(&self, value: &SecretValue) -> Result<SealedValue> {
        // EXPOSE: only looked at. A text that is none could be sealed but never opened again.
        let is_text = std::str::from_utf8(value.bytes().expose()).is_ok();
        if matches!(value, SecretValue::String(_)) && !is_text {
            return Err(
                ErrorKind::Usage { what: "a SecretString is UTF-8; take SecretBinary" }.into()
            );
        }
        self.keys.seal_value(value, self.entropy).map_err(|_| no_entropy())
    }
}

fn no_entropy() -> Error {
    ErrorKind::Io { op: "random bytes" }.into()
}

/// A `ClientRequestToken` for a caller of the library who gave none, as every AWS SDK makes one.
pub(crate) fn fill_token(env: &Env, token: &mut Option<String>) -> Result<()> {
    if token.is_none() {
        let random = env.random::<16>().map_err(|error| Error::io("random bytes", error))?;
        *token = Some(VersionId::from_random(random).as_str().to_owned());
    }
    Ok(())
}
