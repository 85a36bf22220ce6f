//! What a vault must hold after a process died during its work.

use super::work::{ACCOUNT, ASIDE, REGION};
use crate::common::drive;
use crate::common::reference::{Ans, Model};
use strongroom::__internals::model::Scope;
use strongroom::__internals::model::api::{DescribeSecret, GetSecretValue, ListSecrets};
use strongroom::__internals::vault::Vault;

/// How many requests came to pass: one of `handed` down to `answered`, such that all that can be read
/// is what the model after that many has at `wall`, or why there is none.
pub fn landed(
    vault: &Vault,
    model_after: impl Fn(usize) -> Model,
    answered: usize,
    handed: usize,
    wall: i64,
) -> Result<usize, String> {
    vault.maintain().map_err(|error| format!("no upkeep: {error}"))?;
    let mut why = Vec::new();
    for prefix in (answered..=handed).rev() {
        let mut model = model_after(prefix);
        super::work::let_pass(&mut model, wall);
        match equals(vault, &model) {
            Ok(()) => {
                aside_is_legal(vault)?;
                return Ok(prefix);
            }
            Err(reason) => why.push(format!("prefix {prefix}: {reason}")),
        }
    }
    Err(format!("{answered} acknowledged, {handed} handed in; {}", why.join("\n")))
}

/// Whether everything that can be read equals the model's. LastAccessedDate may be lost in a crash,
/// and the end of an ARN is the vault's choice.
pub fn equals(vault: &Vault, model: &Model) -> Result<(), String> {
    let mut model = model.clone();
    for (region, request) in drive::everything(&model, &[REGION]) {
        let seen = drive::run(vault, &model, &region, &request)
            .map_err(|error| format!("{request:?}: {error}"))?;
        let (_, expected) = model.apply(&region, &request, &drive::chosen(&seen));
        let (expected, seen) = (blur(expected), blur(seen));
        if expected != seen {
            return Err(format!("{request:?}\n expected {expected:?}\n      got {seen:?}"));
        }
    }
    Ok(())
}

fn blur(mut answer: Ans) -> Ans {
    let end = |arn: &mut String| arn.truncate(arn.len() - 6);
    match &mut answer {
        Ans::Value { arn, .. } => end(arn),
        Ans::Versions { arn, rows, .. } => {
            end(arn);
            rows.iter_mut().for_each(|row| row.accessed = None);
        }
        Ans::Secrets(secrets) => {
            for secret in secrets {
                end(&mut secret.arn);
                secret.accessed = None;
            }
        }
        _ => {}
    }
    answer
}

/// What the model does not know is whole: each label is on one version, what is current can be read.
fn aside_is_legal(vault: &Vault) -> Result<(), String> {
    for region in ASIDE {
        let scope = Scope::new(ACCOUNT, region);
        let failure = |error: strongroom::__internals::error::Error| format!("{region}: {error}");
        let page = vault.in_scope(&scope).list_secrets(ListSecrets::default()).map_err(failure)?;
        for secret in page.secrets {
            let id = DescribeSecret::new(secret.arn.clone());
            let found = vault.in_scope(&scope).describe_secret(id).map_err(failure)?;
            let mut seen = Vec::new();
            for (version, stages) in &found.versions_to_stages {
                for stage in stages {
                    if seen.contains(stage) {
                        return Err(format!("{}: {stage} is on two versions", secret.name));
                    }
                    seen.push(stage.clone());
                }
                if stages.iter().any(|stage| stage == "AWSCURRENT") {
                    let got = vault
                        .in_scope(&scope)
                        .get_secret_value(GetSecretValue::new(secret.arn.clone()))
                        .map_err(failure)?;
                    if got.version_id != *version {
                        return Err(format!("{}: another version is current", secret.name));
                    }
                }
            }
            if !found.versions_to_stages.is_empty() && !seen.iter().any(|s| s == "AWSCURRENT") {
                return Err(format!("{}: nothing is current", secret.name));
            }
        }
    }
    Ok(())
}
