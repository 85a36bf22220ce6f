//! Rotates the password of a database: now, and every 30 days from then on.
//!
//! The function does the four steps that AWS asks of a Lambda function. A step may be called again after a
//! crash, so each of them ends the same way however often it runs.
#![allow(clippy::print_stdout)] // a program that shows what it does

use std::sync::{Arc, Mutex, OnceLock};
use strongroom::api::{
    DescribeSecret, GetRandomPassword, GetSecretValue, PutSecretValue, RotateSecret, RotationRules,
    UpdateSecretVersionStage,
};
use strongroom::{
    Result, RotationError, RotationEvent, RotationFunction, RotationFunctions, RotationStep,
    SecretValue, Vault,
};

/// The name that secrets give as their `RotationLambdaARN`.
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:change-password";

/// Stands for a database that has a password.
#[derive(Default)]
struct Database(Mutex<Vec<u8>>);

#[derive(Default)]
struct ChangePassword {
    database: Database,
    /// Set once the vault is open. `Vault::close` ends the circle of the two.
    vault: OnceLock<Vault>,
}

impl RotationFunction for ChangePassword {
    fn invoke(&self, event: &RotationEvent) -> std::result::Result<(), RotationError> {
        let vault = self.vault.get().ok_or(RotationError)?;
        self.step(&vault.in_scope(event.scope.clone()), event).map_err(|_| RotationError)
    }
}

impl ChangePassword {
    fn step(&self, vault: &Vault, event: &RotationEvent) -> Result<()> {
        let (id, version) = (&event.secret_id, &event.client_request_token);
        let pending = || {
            vault.get_secret_value(
                GetSecretValue::new(id).version_id(version).version_stage("AWSPENDING"),
            )
        };
        match event.step {
            RotationStep::CreateSecret if pending().is_ok() => {} // an earlier call made it
            RotationStep::CreateSecret => {
                let password = vault.get_random_password(GetRandomPassword::new())?;
                let put = PutSecretValue::new(id, SecretValue::String(password))
                    .client_request_token(version)
                    .version_stages(["AWSPENDING"]);
                vault.put_secret_value(put)?;
            }
            RotationStep::SetSecret => {
                let new = pending()?.value.as_bytes().to_vec();
                *self.database.0.lock().expect("nobody panics with it") = new;
            }
            RotationStep::TestSecret => {
                let is_set = *self.database.0.lock().expect("nobody panics with it")
                    == pending()?.value.as_bytes();
                assert!(is_set, "a real function logs in here");
            }
            RotationStep::FinishSecret => {
                let described = vault.describe_secret(DescribeSecret::new(id))?;
                let is_current =
                    |stages: &[String]| stages.iter().any(|stage| stage == "AWSCURRENT");
                let old =
                    described.versions_to_stages.iter().find(|(_, stages)| is_current(stages));
                let mut finish =
                    UpdateSecretVersionStage::new(id, "AWSCURRENT").move_to_version_id(version);
                finish.remove_from_version_id = old.map(|(id, _)| id.to_string());
                vault.update_secret_version_stage(finish)?;
            }
        }
        println!("{}", event.step.name());
        Ok(())
    }
}

fn main() -> Result<()> {
    let function = Arc::new(ChangePassword::default());
    let functions = RotationFunctions::default().with(FUNCTION, function.clone());
    let vault = Vault::in_memory_with_rotation(functions)?;
    let _ = function.vault.set(vault.clone());

    vault.put("app/db", "the first password")?;
    let monthly = RotationRules { automatically_after_days: Some(30), ..RotationRules::default() };
    vault.rotate_secret(
        RotateSecret::new("app/db").rotation_lambda_arn(FUNCTION).rotation_rules(monthly),
    )?;
    // A thread of the vault calls the function. This waits for it and takes over what is still due.
    while vault.get("app/db")?.as_str()? == "the first password" {
        vault.maintain()?;
        std::thread::sleep(std::time::Duration::from_millis(10));
    }

    let password = vault.get("app/db")?;
    assert_ne!(password.as_str()?, "the first password");
    assert_eq!(password.as_bytes(), *function.database.0.lock().expect("nobody panics with it"));
    vault.close()
}
