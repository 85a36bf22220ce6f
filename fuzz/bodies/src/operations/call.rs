//! Sends operations to the vault that the reference model does not know.

use super::draw::{ACCOUNTS, REGIONS};
use super::step::{Call, Kin, Who};
use crate::model::{Id, Model, drive};
use strongroom::__internals::error::Result;
use strongroom::__internals::model::Scope;
use strongroom::__internals::model::api;
use strongroom::__internals::vault::{Vault, Write};

/// The account and region of a secret.
pub(super) fn scope(who: Who) -> Scope {
    Scope::new(ACCOUNTS[who.account], REGIONS[who.region])
}

fn other_region(who: Who) -> Who {
    Who { region: 1 - who.region, ..who }
}

fn other_account(who: Who) -> Who {
    Who { account: 1 - who.account, ..who }
}

/// The name of the secret in a call.
pub(super) fn name_of(call: &Call) -> Option<&str> {
    Some(match call {
        Call::Create { name, .. } | Call::GetOfOther { name } => name,
        Call::SetPartner { id, .. }
        | Call::Rotate { id, .. }
        | Call::CancelRotate { id }
        | Call::Replicate { id, .. }
        | Call::RemoveRegions { id }
        | Call::StopReplication { id }
        | Call::Associate { id }
        | Call::Disassociate { id }
        | Call::ListPolicies { id } => id.name(),
        Call::ValidatePolicy { .. } | Call::Password { .. } => return None,
    })
}

/// The secrets that the reference model no longer knows after a successful call.
pub(super) fn touched(who: Who, call: &Call) -> Vec<Who> {
    match call {
        Call::Create { kin: Kin::Replicated, .. }
        | Call::Replicate { .. }
        | Call::RemoveRegions { .. } => vec![who, other_region(who)],
        Call::Associate { .. } | Call::Disassociate { .. } => vec![who, other_account(who)],
        Call::StopReplication { .. } => vec![who, other_region(who), other_account(who)],
        Call::Create { .. }
        | Call::SetPartner { .. }
        | Call::Rotate { .. }
        | Call::CancelRotate { .. } => vec![who],
        Call::ListPolicies { .. }
        | Call::ValidatePolicy { .. }
        | Call::Password { .. }
        | Call::GetOfOther { .. } => Vec::new(),
    }
}

/// A writing call as the vault takes it.
pub(super) fn to_write(models: &[Model; 2], who: Who, call: &Call) -> Option<Write> {
    let region = REGIONS[who.region];
    let text = |id: &Id| models[who.account].text_of(region, id);
    let theirs = |name: &str| models[1 - who.account].text_of(region, &Id::Arn(name.to_owned()));
    let away = || api::ReplicaRegion::new(REGIONS[1 - who.region]);
    Some(match call {
        Call::Create { name, token, value, kin } => {
            let mut request = api::CreateSecret::new(name.as_str());
            request.client_request_token.clone_from(token);
            request.value = value.as_ref().map(drive::to_vault);
            match kin {
                Kin::Replicated => request.add_replica_regions = Some(vec![away()]),
                Kin::OfOtherAccount => {
                    request.cross_account_primary_arn = Some(theirs(name));
                    request.kms_key_id = Some("alias/theirs".into());
                    request.value = None;
                }
                Kin::Partner => request.partner = Some("partner".into()),
            }
            Write::CreateSecret(request)
        }
        Call::SetPartner { id, partner } => {
            let mut request = api::UpdateSecret::new(text(id));
            request.partner = Some((*partner).into());
            request.client_request_token = Some(super::draw::token(6));
            Write::UpdateSecret(request)
        }
        Call::Rotate { id, token, days, at_once, function } => {
            let mut request = api::RotateSecret::new(text(id));
            request.client_request_token.clone_from(token);
            request.rotation_lambda_arn = function.map(Into::into);
            request.rotation_rules = (*days > 0).then(|| api::RotationRules {
                automatically_after_days: Some(*days),
                ..api::RotationRules::default()
            });
            request.rotate_immediately = Some(*at_once);
            Write::RotateSecret(request)
        }
        Call::CancelRotate { id } => {
            Write::CancelRotateSecret(api::CancelRotateSecret::new(text(id)))
        }
        Call::Replicate { id, force } => {
            Write::ReplicateSecretToRegions(api::ReplicateSecretToRegions {
                secret_id: text(id),
                add_replica_regions: vec![away()],
                force_overwrite_replica_secret: Some(*force),
            })
        }
        Call::RemoveRegions { id } => {
            Write::RemoveRegionsFromReplication(api::RemoveRegionsFromReplication {
                secret_id: text(id),
                remove_replica_regions: vec![REGIONS[1 - who.region].into()],
            })
        }
        Call::StopReplication { id } => {
            Write::StopReplicationToReplica(api::StopReplicationToReplica::new(text(id)))
        }
        Call::Associate { id } => {
            Write::AssociateCrossAccountReplica(api::AssociateCrossAccountReplica {
                secret_id: text(id),
                replica_arn: theirs(id.name()),
                ..api::AssociateCrossAccountReplica::default()
            })
        }
        Call::Disassociate { id } => {
            Write::DisassociateCrossAccountReplica(api::DisassociateCrossAccountReplica {
                secret_id: text(id),
                replica_arn: theirs(id.name()),
            })
        }
        Call::ListPolicies { .. }
        | Call::ValidatePolicy { .. }
        | Call::Password { .. }
        | Call::GetOfOther { .. } => return None,
    })
}

/// What is wrong with an answer that should not have come.
pub(super) type Wrong = Option<String>;

/// A reading call. `Ok` with a text: it was answered, and wrongly.
pub(super) fn read(vault: &Vault, models: &[Model; 2], who: Who, call: &Call) -> Result<Wrong> {
    let region = REGIONS[who.region];
    let text = |id: &Id| models[who.account].text_of(region, id);
    let scope = scope(who);
    Ok(match call {
        Call::ListPolicies { id } => {
            let secret_id = text(id);
            let request = api::ListResourcePolicies {
                secret_id: secret_id.clone(),
                ..api::ListResourcePolicies::default()
            };
            let listed =
                vault.in_scope(&scope).list_resource_policies(request.clone())?.policy_names;
            let request = api::GetResourcePolicy::new(secret_id);
            let has_one =
                vault.in_scope(&scope).get_resource_policy(request.clone())?.policy.is_some();
            let expected: &[&str] = if has_one { &["default"] } else { &[] };
            // A replica in another account has one of its own, which is not read back (SEM-XREPL-3).
            let of_users: Vec<&String> =
                listed.iter().filter(|name| *name != "cross-account-replication").collect();
            (of_users != expected).then(|| format!("policies {listed:?}"))
        }
        Call::ValidatePolicy { id, policy } => {
            let request = api::ValidateResourcePolicy {
                secret_id: id.as_ref().map(text),
                resource_policy: policy.text(),
            };
            let found = vault.in_scope(&scope).validate_resource_policy(request)?.errors.len();
            let expected = usize::from(*policy == crate::model::PolicyText::Open);
            (found != expected).then(|| format!("{found} findings"))
        }
        Call::Password { length, without, excluded, each } => {
            return password(vault, *length, *without, excluded, *each);
        }
        Call::GetOfOther { name } => {
            let arn = models[1 - who.account].text_of(region, &Id::Arn(name.clone()));
            vault.in_scope(&scope).get_secret_value(api::GetSecretValue::new(arn)).map(|_| None)?
        }
        _ => None,
    })
}

/// A password is what was asked for, or the request asked for what cannot be.
fn password(
    vault: &Vault,
    length: Option<i64>,
    without: u8,
    excluded: &str,
    each: Option<bool>,
) -> Result<Wrong> {
    let off = |bit: u8| without >> bit & 1 == 1;
    let request = api::GetRandomPassword {
        password_length: length,
        exclude_characters: Some(excluded.to_owned()),
        exclude_uppercase: Some(off(0)),
        exclude_lowercase: Some(off(1)),
        exclude_numbers: Some(off(2)),
        exclude_punctuation: Some(off(3)),
        include_space: Some(off(4)),
        require_each_included_type: each,
    };
    let chars = |of: fn(&u8) -> bool| {
        (b'!'..=b'~').filter(of).filter(|c| !excluded.as_bytes().contains(c)).collect::<Vec<u8>>()
    };
    let classes: [Vec<u8>; 4] = [
        chars(u8::is_ascii_uppercase),
        chars(u8::is_ascii_lowercase),
        chars(u8::is_ascii_digit),
        chars(u8::is_ascii_punctuation),
    ];
    let on: Vec<&Vec<u8>> =
        classes.iter().enumerate().filter(|(bit, _)| !off(*bit as u8)).map(|(_, c)| c).collect();
    let space = off(4) && !excluded.contains(' ');
    let all = on.iter().map(|class| class.len()).sum::<usize>() + usize::from(space);
    let required = each.unwrap_or(true);
    let wanted = usize::try_from(length.unwrap_or(32)).unwrap_or(0);
    let is_possible = wanted > 0
        && all > 0
        && !(required && (on.iter().any(|class| class.is_empty()) || wanted < on.len()));
    let answer = vault.get_random_password(request);
    let drawn = match &answer {
        // EXPOSE: the password is judged and dropped.
        Ok(drawn) => drawn.expose(),
        Err(error) if error.fault().is_some() && is_possible => {
            return Ok(Some(format!("refused: {error}")));
        }
        Err(_) => return answer.map(|_| None),
    };
    let is_of = |c: &u8| *c == b' ' && space || on.iter().any(|class| class.contains(c));
    let has = |class: &&&Vec<u8>| drawn.iter().any(|c| class.contains(c));
    let is_right = is_possible
        && drawn.len() == wanted
        && drawn.iter().all(is_of)
        && (!required || on.iter().filter(has).count() == on.len());
    Ok((!is_right).then(|| format!("password {:?}", String::from_utf8_lossy(drawn))))
}
