//! Requests that create versions and move labels.

use super::refusals::{
    constraints, e3, e9, e12, length, name_is_legal, refuse, stage_list, too_many_labels,
    value_length,
};
use super::{Ans, Chosen, Id, Model, Req, Secret, Tagged, Value, Version};
use std::collections::BTreeMap;

impl Model {
    pub(super) fn new_version(&mut self, at: usize, id: &str, value: &Value, stamp: i64) {
        let (created, created_age) = (stamp, self.age);
        self.secrets[at].versions.push(Version {
            id: id.into(),
            value: value.clone(),
            created,
            created_age,
            accessed: None,
        });
    }

    pub(super) fn written(&self, at: usize, version: Option<&str>, stages: bool) -> Ans {
        let secret = &self.secrets[at];
        let listed = version.filter(|_| stages).map(|version| secret.stages_of(version));
        Ans::Written {
            arn: secret.arn(&self.account),
            name: secret.name.clone(),
            version: version.map(Into::into),
            stages: listed.unwrap_or_default(),
        }
    }

    pub(super) fn create(
        &mut self,
        region: &str,
        request: &Req,
        chosen: &Chosen,
    ) -> Result<Tagged, Tagged> {
        let Req::Create { name, token, value, description, kms, tags } = request else {
            unreachable!()
        };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        constraints([
            length("name", name, 1, 512),
            token.as_ref().and_then(|token| length("clientRequestToken", token, 32, 64)),
            value_length(value.as_ref()),
            length("description", &text(description), 0, 2048),
            length("kmsKeyId", &text(kms), 0, 2048),
        ])?;
        if !name_is_legal(name) {
            return Err(e12());
        }
        let taken = self.secrets.iter().position(|s| s.region == region && s.name == *name);
        if let Some(at) = taken {
            let secret = &self.secrets[at];
            if secret.deletion.is_some() {
                let text = "You can't create this secret because a secret with this name is already scheduled for deletion.";
                return Err(refuse("E7 name scheduled", "InvalidRequest", Some(text.into())));
            }
            let token = token.as_deref().unwrap_or_default();
            if let (Some(version), Some(value)) = (secret.version(token), value) {
                if version.value == *value {
                    return Ok(("ok replay", self.written(at, Some(token), false)));
                }
                return Err(e9(token, &secret.arn(&self.account)));
            }
            if value.is_none() && secret.creation_token.as_deref() == Some(token) {
                return Ok(("ok replay no value", self.written(at, None, false)));
            }
            // A version's token without a value comes with another value than the version's.
            if value.is_none() && secret.version(token).is_some() {
                return Err(e9(token, &secret.arn(&self.account)));
            }
            let text = format!("The operation failed because the secret {name} already exists.");
            return Err(refuse("E8 name taken", "ResourceExists", Some(text)));
        }
        let suffix = chosen.suffix.clone().unwrap_or_default();
        self.ends.insert((region.into(), name.clone()), suffix.clone());
        self.secrets.push(Secret {
            region: region.into(),
            name: name.clone(),
            suffix,
            description: description.clone().filter(|text| !text.is_empty()),
            kms: kms.clone().filter(|text| !text.is_empty()),
            created: self.wall,
            changed: self.wall,
            accessed: None,
            tags: tags.clone(),
            deletion: None,
            creation_token: token.clone().filter(|_| value.is_none()),
            versions: Vec::new(),
            labels: BTreeMap::new(),
            policy: None,
        });
        let at = self.secrets.len() - 1;
        let Some(value) = value else { return Ok(("ok no value", self.written(at, None, false))) };
        let id = token.clone().or_else(|| chosen.version.clone()).unwrap_or_default();
        self.new_version(at, &id, value, self.wall);
        self.secrets[at].promote(&id);
        Ok(("ok", self.written(at, Some(&id), false)))
    }

    pub(super) fn put(
        &mut self,
        region: &str,
        request: &Req,
        chosen: &Chosen,
    ) -> Result<Tagged, Tagged> {
        let Req::Put { id, token, value, stages } = request else { unreachable!() };
        constraints([
            length("secretId", &self.text_of(region, id), 1, 2048),
            token.as_ref().and_then(|token| length("clientRequestToken", token, 32, 64)),
            value_length(value.as_ref()),
            stage_list(stages.as_deref()),
        ])?;
        let at = self.open(region, id)?;
        let Some(value) = value else {
            let text = "You must provide either SecretString or SecretBinary.";
            return Err(refuse("E11 no value", "InvalidRequest", Some(text.into())));
        };
        if let Some(old) = token.as_ref().and_then(|token| self.secrets[at].version(token)) {
            if old.value == *value {
                let id = old.id.clone();
                return Ok(("ok replay", self.written(at, Some(&id), true)));
            }
            return Err(e9(&old.id, &self.secrets[at].arn(&self.account)));
        }
        let new = token.clone().or_else(|| chosen.version.clone()).unwrap_or_default();
        let mut after = self.secrets[at].clone();
        let first = after.versions.is_empty();
        let tag = match stages {
            None => {
                after.promote(&new);
                after.labels.remove("AWSPENDING");
                if first { "ok first" } else { "ok" }
            }
            Some(stages) => {
                let others = stages.iter().filter(|stage| *stage != "AWSCURRENT");
                for stage in others {
                    after.labels.insert(stage.clone(), new.clone());
                }
                let current = stages.iter().any(|stage| stage == "AWSCURRENT");
                if current || first {
                    after.promote(&new);
                }
                match (first, current) {
                    (true, _) => "ok first, stages",
                    (false, true) => "ok stages with AWSCURRENT",
                    (false, false) => "ok stages",
                }
            }
        };
        if after.labels.len() > 20 {
            return Err(too_many_labels());
        }
        after.changed = self.stamp(at);
        let stamp = after.changed;
        self.secrets[at] = after;
        self.new_version(at, &new, value, stamp);
        Ok((tag, self.written(at, Some(&new), true)))
    }

    pub(super) fn update(
        &mut self,
        region: &str,
        request: &Req,
        chosen: &Chosen,
    ) -> Result<Tagged, Tagged> {
        let Req::Update { id, token, value, description, kms } = request else { unreachable!() };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        constraints([
            length("secretId", &self.text_of(region, id), 1, 2048),
            token.as_ref().and_then(|token| length("clientRequestToken", token, 32, 64)),
            value_length(value.as_ref()),
            length("description", &text(description), 0, 2048),
            length("kmsKeyId", &text(kms), 0, 2048),
        ])?;
        let at = self.open(region, id)?;
        let matched = token.as_ref().and_then(|token| self.secrets[at].version(token));
        if let (Some(value), Some(old)) = (value, matched) {
            if old.value == *value {
                let id = old.id.clone();
                return Ok(("ok replay", self.written(at, Some(&id), false)));
            }
            return Err(e9(&old.id, &self.secrets[at].arn(&self.account)));
        }
        if description.is_none() && kms.is_none() && value.is_none() {
            return Ok(("ok nothing", self.written(at, None, false)));
        }
        let mut after = self.secrets[at].clone();
        if let Some(text) = description {
            after.description = Some(text.clone()).filter(|text| !text.is_empty());
        }
        if let Some(text) = kms {
            after.kms = Some(text.clone()).filter(|text| !text.is_empty());
        }
        let new = token.clone().or_else(|| chosen.version.clone()).unwrap_or_default();
        if value.is_some() {
            after.promote(&new);
            after.labels.remove("AWSPENDING");
            if after.labels.len() > 20 {
                return Err(too_many_labels());
            }
        }
        after.changed = self.stamp(at);
        let stamp = after.changed;
        self.secrets[at] = after;
        let Some(value) = value else {
            return Ok(("ok metadata", self.written(at, None, false)));
        };
        self.new_version(at, &new, value, stamp);
        Ok(("ok value", self.written(at, Some(&new), false)))
    }

    pub(super) fn stage(
        &mut self,
        region: &str,
        id: &Id,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Tagged, Tagged> {
        constraints([
            length("secretId", &self.text_of(region, id), 1, 2048),
            length("versionStage", label, 1, 256),
            from.and_then(|id| length("removeFromVersionId", id, 32, 64)),
            to.and_then(|id| length("moveToVersionId", id, 32, 64)),
        ])?;
        let at = self.open(region, id)?;
        let stamp = self.stamp(at);
        let secret = &mut self.secrets[at];
        if from.is_none() && to.is_none() {
            return Err(refuse("neither", "InvalidParameter", None));
        }
        let named = Ans::Named { arn: secret.arn(&self.account), name: secret.name.clone() };
        let current = label == "AWSCURRENT";
        if current && to.is_none() {
            let text = "You can only move staging label AWSCURRENT to a different secret version. It can\u{2019}t be completely removed.";
            return Err(refuse("E14 current removed", "InvalidParameter", Some(text.into())));
        }
        if let Some(unknown) =
            [from, to].into_iter().flatten().find(|id| secret.version(id).is_none())
        {
            return Err(e3(unknown));
        }
        let holder = secret.labels.get(label).cloned();
        let tag = match (from, to) {
            (None, Some(to)) => match holder {
                None => {
                    if secret.labels.len() == 20 {
                        return Err(too_many_labels());
                    }
                    secret.labels.insert(label.into(), to.into());
                    "ok attached"
                }
                Some(holder) if holder == to => return Ok(("ok already there", named)),
                Some(holder) => {
                    let text = format!(
                        "The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached to version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
                    );
                    return Err(refuse("E13 from missing", "InvalidParameter", Some(text)));
                }
            },
            (Some(from), Some(to)) => {
                if holder.as_deref() != Some(from) {
                    return Err(refuse("from is not the holder", "InvalidParameter", None));
                }
                if from == to {
                    return Ok(("ok already there", named));
                }
                if current {
                    let mut after = secret.clone();
                    after.promote(to);
                    if after.labels.len() > 20 {
                        return Err(too_many_labels());
                    }
                    secret.labels = after.labels;
                    "ok moved AWSCURRENT"
                } else {
                    secret.labels.insert(label.into(), to.into());
                    "ok moved"
                }
            }
            (Some(from), None) => {
                if holder.as_deref() != Some(from) {
                    return Err(refuse("from is not the holder", "InvalidParameter", None));
                }
                secret.labels.remove(label);
                "ok removed"
            }
            (None, None) => unreachable!(),
        };
        secret.changed = stamp;
        Ok((tag, named))
    }
}
