//! Sends the reference model's requests to the real vault and returns its answers in the model's terms.

use super::{Ans, Chosen, Described, Id, Model, Req, Value, VersionRow};
use strongroom::__internals::env::UnixMillis;
use strongroom::__internals::error::{Error, Result};
use strongroom::__internals::model::api;
use strongroom::__internals::model::{Scope, Tag, VersionId};
use strongroom::__internals::secret::{PayloadKind, SecretBytes, SecretValue};
use strongroom::__internals::semantics::Answer;
use strongroom::__internals::vault::{Vault, Write};

pub fn to_vault(value: &Value) -> SecretValue {
    match value {
        Value::Text(bytes) => SecretValue::String(SecretBytes::copy_from(bytes)),
        Value::Binary(bytes) => SecretValue::Binary(SecretBytes::copy_from(bytes)),
    }
}

pub fn from_vault(value: &SecretValue) -> Value {
    // EXPOSE: the model keeps values that a harness made up.
    let bytes = value.bytes().expose().to_vec();
    match value.kind() {
        PayloadKind::String => Value::Text(bytes),
        PayloadKind::Binary => Value::Binary(bytes),
    }
}

fn tag(pair: &(String, String)) -> Tag {
    Tag { key: pair.0.clone(), value: pair.1.clone() }
}

fn pairs(tags: &[Tag]) -> Vec<(String, String)> {
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

fn sorted(stages: &[String]) -> Vec<String> {
    let mut stages = stages.to_vec();
    stages.sort();
    stages
}

fn written(w: api::VersionResponse) -> Ans {
    Ans::Written {
        arn: w.arn,
        name: w.name,
        version: w.version_id.as_ref().map(VersionId::to_string),
        stages: sorted(&w.version_stages),
    }
}

fn value(got: api::GetSecretValueResponse) -> Ans {
    Ans::Value {
        arn: got.arn,
        name: got.name,
        version: got.version_id.to_string(),
        value: from_vault(&got.value),
        stages: sorted(&got.version_stages),
        created: got.created_date.0,
    }
}

fn described(d: api::DescribeSecretResponse) -> Described {
    let millis = |time: Option<UnixMillis>| time.map(|time| time.0);
    Described {
        arn: d.arn,
        name: d.name,
        description: d.description,
        kms: d.kms_key_id,
        created: d.created_date.0,
        changed: d.last_changed_date.0,
        accessed: millis(d.last_accessed_date),
        deleted: millis(d.deleted_date),
        tags: d.tags.as_deref().map(pairs),
        versions: d
            .versions_to_stages
            .iter()
            .map(|(id, stages)| (id.to_string(), sorted(stages)))
            .collect(),
    }
}

/// A refusal in the model's terms; any other error ends the test.
pub fn refused(error: &Error) -> Ans {
    let fault = error.fault().unwrap_or_else(|| panic!("not a refusal of AWS's: {error}"));
    Ans::Refused { kind: fault.kind.name().into(), message: Some(fault.message.clone()) }
}

/// A mutation as the vault takes it, or `None` for a read.
pub fn to_write(model: &Model, region: &str, request: &Req) -> Option<Write> {
    let text = |id: &Id| model.text_of(region, id);
    Some(match request {
        Req::Create { name, token, value, description, kms, tags } => {
            Write::CreateSecret(api::CreateSecret {
                name: name.clone(),
                client_request_token: token.clone(),
                description: description.clone(),
                kms_key_id: kms.clone(),
                value: value.as_ref().map(to_vault),
                tags: tags.as_ref().map(|tags| tags.iter().map(tag).collect()),
                add_replica_regions: None,
                force_overwrite_replica_secret: None,
                partner: None,
                cross_account_primary_arn: None,
            })
        }
        Req::Put { id, token, value, stages } => Write::PutSecretValue(api::PutSecretValue {
            secret_id: text(id),
            client_request_token: token.clone(),
            value: value.as_ref().map(to_vault),
            version_stages: stages.clone(),
            rotation_token: None,
        }),
        Req::Update { id, token, value, description, kms } => {
            Write::UpdateSecret(api::UpdateSecret {
                secret_id: text(id),
                client_request_token: token.clone(),
                description: description.clone(),
                kms_key_id: kms.clone(),
                value: value.as_ref().map(to_vault),
                partner: None,
            })
        }
        Req::Stage { id, stage, from, to } => {
            Write::UpdateSecretVersionStage(api::UpdateSecretVersionStage {
                secret_id: text(id),
                version_stage: stage.clone(),
                remove_from_version_id: from.clone(),
                move_to_version_id: to.clone(),
            })
        }
        Req::Delete { id, window, force } => Write::DeleteSecret(api::DeleteSecret {
            secret_id: text(id),
            recovery_window_in_days: *window,
            force_delete_without_recovery: *force,
        }),
        Req::Restore { id } => Write::RestoreSecret(api::RestoreSecret::new(text(id))),
        Req::Tag { id, tags } => Write::TagResource(api::TagResource {
            secret_id: text(id),
            tags: tags.iter().map(tag).collect(),
        }),
        Req::Untag { id, keys } => {
            Write::UntagResource(api::UntagResource { secret_id: text(id), tag_keys: keys.clone() })
        }
        Req::PutPolicy { id, policy, block } => Write::PutResourcePolicy(api::PutResourcePolicy {
            secret_id: text(id),
            resource_policy: policy.text(),
            policy_name: None,
            block_public_policy: Some(*block),
        }),
        Req::DeletePolicy { id } => {
            Write::DeleteResourcePolicy(api::DeleteResourcePolicy::new(text(id)))
        }
        _ => return None,
    })
}

/// The answer of a mutation that was passed to `submit`.
pub fn from_answer(answer: Result<Answer>) -> Result<Ans> {
    Ok(match answer? {
        Answer::Written(answer) => written(answer),
        Answer::Named(api::SecretResponse { arn, name }) => Ans::Named { arn, name },
        Answer::Deleted(d) => {
            Ans::Deleted { arn: Some(d.arn), name: d.name, date: d.deletion_date.0 }
        }
        Answer::PolicyNamed(api::PolicyResponse { arn, name, .. }) => Ans::Named { arn, name },
        Answer::Done | Answer::More | Answer::Rotation(_) => Ans::Done,
        Answer::Promoted(_) | Answer::Replicated(_) | Answer::Associated(_) => {
            unreachable!("the model knows no replicas")
        }
    })
}

/// One request, all pages of it; only errors that are not AWS's come back as errors.
pub fn run(vault: &Vault, model: &Model, region: &str, request: &Req) -> Result<Ans> {
    match run_raw(vault, model, region, request) {
        Err(error) if error.fault().is_some() => Ok(refused(&error)),
        other => other,
    }
}

fn run_raw(vault: &Vault, model: &Model, region: &str, request: &Req) -> Result<Ans> {
    let scope = Scope::new(&model.account, region);
    let text = |id: &Id| model.text_of(region, id);
    if let Some(write) = to_write(model, region, request) {
        return Ok(match write {
            Write::CreateSecret(request) => written(vault.in_scope(&scope).create_secret(request)?),
            Write::PutSecretValue(request) => {
                written(vault.in_scope(&scope).put_secret_value(request)?)
            }
            Write::UpdateSecret(request) => written(vault.in_scope(&scope).update_secret(request)?),
            Write::UpdateSecretVersionStage(request) => from_answer(
                vault.in_scope(&scope).update_secret_version_stage(request).map(Answer::Named),
            )?,
            Write::DeleteSecret(request) => {
                from_answer(vault.in_scope(&scope).delete_secret(request).map(Answer::Deleted))?
            }
            Write::RestoreSecret(request) => {
                from_answer(vault.in_scope(&scope).restore_secret(request).map(Answer::Named))?
            }
            Write::PutResourcePolicy(request) => from_answer(
                vault.in_scope(&scope).put_resource_policy(request).map(Answer::PolicyNamed),
            )?,
            Write::DeleteResourcePolicy(request) => from_answer(
                vault.in_scope(&scope).delete_resource_policy(request).map(Answer::PolicyNamed),
            )?,
            Write::TagResource(request) => {
                vault.in_scope(&scope).tag_resource(request).map(|()| Ans::Done)?
            }
            Write::UntagResource(request) => {
                vault.in_scope(&scope).untag_resource(request).map(|()| Ans::Done)?
            }
            Write::RotateSecret(request) => written(vault.in_scope(&scope).rotate_secret(request)?),
            Write::CancelRotateSecret(request) => {
                written(vault.in_scope(&scope).cancel_rotate_secret(request)?)
            }
            Write::ReplicateSecretToRegions(_)
            | Write::RemoveRegionsFromReplication(_)
            | Write::AssociateCrossAccountReplica(_)
            | Write::DisassociateCrossAccountReplica(_)
            | Write::StopReplicationToReplica(_) => unreachable!("the model knows no replicas"),
        });
    }
    Ok(match request {
        Req::Get { id, version, stage } => {
            let got = vault.in_scope(&scope).get_secret_value(api::GetSecretValue {
                secret_id: text(id),
                version_id: version.clone(),
                version_stage: stage.clone(),
            })?;
            value(got)
        }
        Req::Batch { ids } => {
            let request = api::BatchGetSecretValue {
                secret_id_list: Some(ids.iter().map(text).collect()),
                ..api::BatchGetSecretValue::default()
            };
            let got = vault.in_scope(&scope).batch_get_secret_value(request.clone())?;
            let errors = got.errors.into_iter();
            Ans::Batch {
                values: got.values.into_iter().map(value).collect(),
                errors: errors.map(|e| (e.secret_id, e.error_code, e.message)).collect(),
            }
        }
        Req::Describe { id } => {
            let request = api::DescribeSecret::new(text(id));
            Ans::Described(described(vault.in_scope(&scope).describe_secret(request.clone())?))
        }
        Req::Versions { id, deprecated, page } => {
            let mut request = api::ListSecretVersionIds {
                secret_id: text(id),
                max_results: *page,
                next_token: None,
                include_deprecated: *deprecated,
            };
            let (mut rows, mut pages) = (Vec::new(), 0);
            loop {
                let got = vault.in_scope(&scope).list_secret_version_ids(request.clone())?;
                let len = got.versions.len();
                assert!(len <= usize::try_from(page.unwrap_or(100)).unwrap(), "a page too long");
                rows.extend(got.versions.into_iter().map(|v| VersionRow {
                    id: v.version_id.to_string(),
                    stages: sorted(&v.version_stages),
                    created: v.created_date.0,
                    accessed: v.last_accessed_date.map(|time| time.0),
                    kms: v.kms_key_ids,
                }));
                pages += 1;
                assert!(pages < 1000, "paging never ends");
                request.next_token = got.next_token;
                if request.next_token.is_none() {
                    break Ans::Versions { arn: got.arn, name: got.name, rows };
                }
            }
        }
        Req::List { planned, page, filters, by_name, descending } => {
            let mut request = api::ListSecrets {
                include_planned_deletion: *planned,
                max_results: *page,
                next_token: None,
                filters: (!filters.is_empty()).then(|| {
                    let filters = filters.iter().map(|filter| api::Filter {
                        key: Some(filter.key.into()),
                        values: Some(filter.values.clone()),
                    });
                    filters.collect()
                }),
                sort_order: descending.then(|| "desc".into()),
                sort_by: by_name.then(|| "name".into()),
            };
            let (mut all, mut pages) = (Vec::new(), 0);
            loop {
                let got = vault.in_scope(&scope).list_secrets(request.clone())?;
                assert!(got.secrets.len() <= usize::try_from(page.unwrap_or(10)).unwrap());
                all.extend(got.secrets.into_iter().map(described));
                pages += 1;
                assert!(pages < 1000, "paging never ends");
                request.next_token = got.next_token;
                if request.next_token.is_none() {
                    break Ans::Secrets(all);
                }
            }
        }
        Req::Policy { id } => {
            let got = vault
                .in_scope(&scope)
                .get_resource_policy(api::GetResourcePolicy::new(text(id)))?;
            Ans::Policy { arn: got.arn, name: got.name, policy: got.policy }
        }
        _ => unreachable!("mutations were handled above"),
    })
}

/// The values in this answer that the vault may choose freely.
pub fn chosen(answer: &Ans) -> Chosen {
    match answer {
        Ans::Written { arn, version, .. } => Chosen {
            suffix: arn.get(arn.len().saturating_sub(6)..).map(Into::into),
            version: version.clone(),
        },
        _ => Chosen::default(),
    }
}

/// Everything that can be read from a vault, to compare with [`Model`]: one answer per request.
pub fn everything(model: &Model, regions: &[&str]) -> Vec<(String, Req)> {
    let mut requests = Vec::new();
    for region in regions {
        let mut ask = |request| requests.push(((*region).to_owned(), request));
        ask(Req::List {
            planned: Some(true),
            page: None,
            filters: Vec::new(),
            by_name: false,
            descending: false,
        });
        for name in model.names(region) {
            let id = Id::Name(name.clone());
            ask(Req::Versions { id: id.clone(), deprecated: Some(true), page: None });
            if model.is_scheduled(region, &name) {
                continue;
            }
            for version in model.version_ids(region, &name) {
                ask(Req::Get { id: id.clone(), version: Some(version), stage: None });
            }
        }
    }
    requests
}
