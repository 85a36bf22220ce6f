//! The rotation function that is built in: a random value, drawn and stored inside the vault.

use crate::error::Result;
use crate::model::api::{
    DescribeSecret, GetRandomPassword, GetSecretValue, RotationCall, UpdateSecretVersionStage,
};
use crate::model::{RotationStep, Stage};
use crate::secret::SecretValue;
use crate::vault::{Inner, Write};

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
        Err(error) if error.is_not_found() => inner.put_pending(
            call,
            SecretValue::String(inner.random_password(&letters_and_digits(chars))?),
        ),
        Err(error) => Err(error),
    }
}

fn finish(inner: &Inner, call: &RotationCall) -> Result<()> {
    let secret = DescribeSecret::new(call.arn.as_str());
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

/// What is drawn: no punctuation, which not every place takes.
fn letters_and_digits(chars: usize) -> GetRandomPassword {
    GetRandomPassword {
        password_length: i64::try_from(chars).ok(),
        exclude_punctuation: Some(true),
        // So that one or two characters are possible too.
        require_each_included_type: Some(false),
        ..GetRandomPassword::default()
    }
}
