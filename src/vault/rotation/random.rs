//! The rotation function that is built in: a random value, drawn and stored inside the vault.

use crate::env::Env;
use crate::error::{Error, Result};
use crate::model::api::{GetSecretValue, RotationCall, SecretIdOnly, UpdateSecretVersionStage};
use crate::model::{RotationStep, Stage};
use crate::secret::{SecretBytes, SecretValue};
use crate::semantics::FaultKind;
use crate::vault::{Inner, Write};
use zeroize::Zeroizing;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Does one step. A refusal, as of a secret that was deleted meanwhile, is a failed call.
pub(super) fn step(inner: &Inner, call: &RotationCall, chars: usize) -> Result<bool> {
    let done = match call.step {
        RotationStep::CreateSecret => create(inner, call, chars),
        // There is nothing outside to set or to try.
        RotationStep::SetSecret | RotationStep::TestSecret => Ok(()),
        RotationStep::FinishSecret => finish(inner, call),
    };
    match done {
        Ok(()) => Ok(true),
        Err(error) if error.fault().is_some() => Ok(false),
        Err(error) => Err(error),
    }
}

fn create(inner: &Inner, call: &RotationCall, chars: usize) -> Result<()> {
    let mut request = GetSecretValue::new(call.arn.as_str());
    request.version_id = Some(call.token.as_str().to_owned());
    match inner.open_value(&call.scope, &request) {
        // Made by an earlier call.
        Ok(_) => Ok(()),
        Err(error) if is_missing(&error) => {
            inner.put_pending(call, SecretValue::String(random(&inner.shared.env, chars)?))
        }
        Err(error) => Err(error),
    }
}

fn finish(inner: &Inner, call: &RotationCall) -> Result<()> {
    let secret = SecretIdOnly::new(call.arn.as_str());
    let described = inner.describe_secret(&call.scope, &secret)?;
    let is_current = |stages: &[String]| stages.iter().any(|stage| stage == Stage::CURRENT);
    let current = described.versions_to_stages.into_iter().find(|(_, stages)| is_current(stages));
    let current = current.map(|(version_id, _)| version_id);
    if current.as_ref() == Some(&call.token) {
        return Ok(());
    }
    let request = UpdateSecretVersionStage {
        secret_id: call.arn.clone(),
        version_stage: Stage::CURRENT.to_owned(),
        remove_from_version_id: current.map(|id| id.as_str().to_owned()),
        move_to_version_id: Some(call.token.as_str().to_owned()),
    };
    inner.write(&call.scope, Write::UpdateSecretVersionStage(request)).map(drop)
}

fn is_missing(error: &Error) -> bool {
    error.fault().is_some_and(|fault| fault.kind == FaultKind::ResourceNotFound)
}

/// Letters and digits, each as likely as any other: bytes past the last whole multiple of 62 are
/// drawn again.
fn random(env: &Env, chars: usize) -> Result<SecretBytes> {
    let mut text = Zeroizing::new(Vec::with_capacity(chars));
    let mut drawn = Zeroizing::new([0_u8; 64]);
    let fair = u8::MAX - u8::MAX % 62; // 248, four times 62
    while text.len() < chars {
        let filled = env.entropy.fill(drawn.as_mut_slice());
        filled.map_err(|error| Error::io("random bytes", error))?;
        let letters = drawn.iter().filter(|byte| **byte < fair);
        let letters = letters.filter_map(|byte| ALPHABET.get(usize::from(byte % 62)));
        let missing = chars - text.len();
        text.extend(letters.take(missing));
    }
    Ok(SecretBytes::copy_from(&text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::env::sim::Sim;
    use std::collections::BTreeSet;

    #[test]
    fn a_random_value_has_its_length_and_uses_the_whole_alphabet() {
        let env = Sim::new(1).env();
        for chars in [1, 32, 63, 64, 65] {
            assert_eq!(random(&env, chars).unwrap().len(), chars);
        }
        let long = random(&env, 4096).unwrap();
        let seen: BTreeSet<u8> = long.expose().iter().copied().collect();
        assert_eq!(seen, ALPHABET.iter().copied().collect());
        assert!(random(&env, 32).unwrap() != random(&env, 32).unwrap());
    }
}
