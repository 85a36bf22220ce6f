//! The rotation function that is built in: a random value, drawn and stored inside the vault.

use super::rotator::Rotator;
use crate::error::Result;
use crate::model::api::{
    DescribeSecret, GetRandomPassword, GetSecretValue, RotationCall, UpdateSecretVersionStage,
    Write,
};
use crate::model::{RotationStep, Stage};
use crate::secret::SecretValue;
use crate::semantics::password::Recipe;

/// Does one step. A refusal of AWS (the secret was deleted meanwhile, say) is a failed step.
pub(super) fn step(rotator: &Rotator, call: &RotationCall, chars: usize) -> Result<bool> {
    let done = match call.step {
        RotationStep::CreateSecret => create(rotator, call, chars),
        // There is no outside system to set or to test.
        RotationStep::SetSecret | RotationStep::TestSecret => Ok(()),
        RotationStep::FinishSecret => finish(rotator, call),
    };
    match done {
        Ok(()) => Ok(true),
        Err(error) if error.fault().is_some() => Ok(false),
        Err(error) => Err(error),
    }
}

fn create(rotator: &Rotator, call: &RotationCall, chars: usize) -> Result<()> {
    let mut request = GetSecretValue::new(call.arn.as_str());
    request.version_id = Some(call.token.as_str().to_owned());
    match rotator.inner.open_value(&call.scope, &request) {
        // Made by an earlier call.
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => rotator.put_pending(
            call,
            SecretValue::String(rotator.inner.random_password(&letters_and_digits(chars)?)?),
        ),
        Err(error) => Err(error),
    }
}

fn finish(rotator: &Rotator, call: &RotationCall) -> Result<()> {
    let secret = DescribeSecret::new(call.arn.as_str());
    let described = rotator.inner.look(&call.scope, &secret)?;
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
    rotator.inner.write(&call.scope, Write::UpdateSecretVersionStage(request)).map(drop)
}

/// The recipe: no punctuation, which not every system accepts.
fn letters_and_digits(chars: usize) -> Result<Recipe> {
    let request = GetRandomPassword {
        password_length: i64::try_from(chars).ok(),
        exclude_punctuation: Some(true),
        // Else one or two characters would be refused.
        require_each_included_type: Some(false),
        ..GetRandomPassword::default()
    };
    Ok(Recipe::new(&request)?)
}
