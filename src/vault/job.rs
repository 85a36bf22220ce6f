//! Seals the value of a write before it travels to the commit pipeline.

use crate::crypto::{Keyring, SealedValue};
use crate::env::{Entropy, Env};
use crate::error::{Error, ErrorKind, Result};
use crate::model::VersionId;
use crate::model::api::{CreateSecret, Mutation, PutSecretValue, UpdateSecret, Write};
use crate::secret::SecretValue;
use crate::semantics::validate;

/// A write as `semantics` sees it, and its sealed value.
type Sealed = (Mutation, Option<SealedValue>);

/// Checks a write and seals its value, on the caller's thread. The plaintext is wiped here.
pub(crate) fn seal(keys: &Keyring, env: &Env, write: Write) -> Result<Sealed> {
    let sealer = ValueSealer { keys, entropy: env.entropy.as_ref() };
    Ok(match write {
        Write::CreateSecret(request) => {
            validate::create_secret(&request, size(request.value.as_ref()))?;
            let CreateSecret {
                name,
                client_request_token,
                description,
                kms_key_id,
                value,
                tags,
                add_replica_regions,
                force_overwrite_replica_secret,
                partner,
                cross_account_primary_arn,
            } = request;
            let (value, payload) = sealer.seal(value)?;
            let request = CreateSecret {
                name,
                client_request_token,
                description,
                kms_key_id,
                value,
                tags,
                add_replica_regions,
                force_overwrite_replica_secret,
                partner,
                cross_account_primary_arn,
            };
            (Mutation::CreateSecret(request), payload)
        }
        Write::PutSecretValue(request) => {
            validate::put_secret_value(&request, size(request.value.as_ref()))?;
            let PutSecretValue { secret_id, client_request_token, value, version_stages, .. } =
                request;
            let (value, payload) = sealer.seal(value)?;
            // It has been checked and has no other use, so it goes no further.
            let rotation_token = None;
            let request = PutSecretValue {
                secret_id,
                client_request_token,
                value,
                version_stages,
                rotation_token,
            };
            (Mutation::PutSecretValue(request), payload)
        }
        Write::UpdateSecret(request) => {
            validate::update_secret(&request, size(request.value.as_ref()))?;
            let UpdateSecret {
                secret_id,
                client_request_token,
                description,
                kms_key_id,
                value,
                partner,
            } = request;
            let (value, payload) = sealer.seal(value)?;
            let request = UpdateSecret {
                secret_id,
                client_request_token,
                description,
                kms_key_id,
                value,
                partner,
            };
            (Mutation::UpdateSecret(request), payload)
        }
        Write::UpdateSecretVersionStage(request) => {
            (Mutation::UpdateSecretVersionStage(request), None)
        }
        Write::DeleteSecret(request) => (Mutation::DeleteSecret(request), None),
        Write::RestoreSecret(request) => (Mutation::RestoreSecret(request), None),
        Write::RotateSecret(request) => (Mutation::RotateSecret(request), None),
        Write::CancelRotateSecret(request) => (Mutation::CancelRotateSecret(request), None),
        Write::TagResource(request) => (Mutation::TagResource(request), None),
        Write::UntagResource(request) => (Mutation::UntagResource(request), None),
        Write::PutResourcePolicy(request) => (Mutation::PutResourcePolicy(request), None),
        Write::DeleteResourcePolicy(request) => (Mutation::DeleteResourcePolicy(request), None),
        Write::ReplicateSecretToRegions(request) => {
            (Mutation::ReplicateSecretToRegions(request), None)
        }
        Write::RemoveRegionsFromReplication(request) => {
            (Mutation::RemoveRegionsFromReplication(request), None)
        }
        Write::StopReplicationToReplica(request) => {
            (Mutation::StopReplicationToReplica(request), None)
        }
        Write::AssociateCrossAccountReplica(request) => {
            (Mutation::AssociateCrossAccountReplica(request), None)
        }
        Write::DisassociateCrossAccountReplica(request) => {
            (Mutation::DisassociateCrossAccountReplica(request), None)
        }
    })
}

fn size(value: Option<&SecretValue>) -> Option<(crate::secret::PayloadKind, usize)> {
    value.map(|value| (value.kind(), value.bytes().len()))
}

struct ValueSealer<'a> {
    keys: &'a Keyring,
    entropy: &'a dyn Entropy,
}

impl ValueSealer<'_> {
    fn seal(
        &self,
        value: Option<SecretValue>,
    ) -> Result<(Option<crate::secret::PayloadKind>, Option<SealedValue>)> {
        let Some(value) = value else { return Ok((None, None)) };
        // EXPOSE: only looked at. A text that is none could be sealed but never opened again.
        let is_text = std::str::from_utf8(value.bytes().expose()).is_ok();
        if matches!(value, SecretValue::String(_)) && !is_text {
            return Err(
                ErrorKind::Usage { what: "a SecretString is UTF-8; take SecretBinary" }.into()
            );
        }
        let sealed = self.keys.seal_value(&value, self.entropy).map_err(|_| no_entropy())?;
        Ok((Some(value.kind()), Some(sealed)))
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
