//! Secrets and their versions: create, update, describe, list, delete.

use super::json::{Members, Structure, Style};
use crate::model::api::{
    DeleteSecretResponse, DescribeSecretResponse, ListSecretVersionIdsResponse,
    ListSecretsResponse, RotationDescription, RotationRules, SecretResponse,
    SecretVersionsListEntry, VersionResponse,
};
use crate::model::{External, ExternalMetadata, Tag, VersionId};
use serde::ser::{Serialize, SerializeMap, Serializer};

impl Structure for SecretResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("ARN", &self.arn);
        out.add("Name", &self.name);
    }
}

impl Structure for VersionResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("ARN", &self.arn);
        out.add("Name", &self.name);
        out.add_optional("VersionId", self.version_id.as_ref().map(VersionId::as_str));
        if !self.version_stages.is_empty() {
            out.add("VersionStages", &self.version_stages);
        }
        if let Some(replicas) = &self.replication_status {
            out.structures("ReplicationStatus", replicas);
        }
    }
}

impl Structure for DeleteSecretResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("ARN", &self.arn);
        out.add("Name", &self.name);
        out.date("DeletionDate", self.deletion_date);
    }
}

impl Structure for DescribeSecretResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        describe(self, "VersionIdsToStages", out);
    }
}

/// A description as an entry of a list.
struct ListEntry<'a>(&'a DescribeSecretResponse);

impl Structure for ListEntry<'_> {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        describe(self.0, "SecretVersionsToStages", out);
    }
}

impl Structure for ListSecretsResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        SecretList(&self.secrets).add_members(out);
        out.add_optional("NextToken", self.next_token.as_ref());
    }
}

/// `ListSecrets`, all pages in one.
pub(crate) struct SecretList<'a>(pub(crate) &'a [DescribeSecretResponse]);

impl Structure for SecretList<'_> {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.structures("SecretList", self.0.iter().map(ListEntry));
    }
}

fn describe<M: SerializeMap>(found: &DescribeSecretResponse, stages: &str, out: &mut Members<M>) {
    let (rotation, external) = (found.rotation.as_ref(), found.external.as_ref());
    // The command has always printed the members of rotation and partner together, behind the others.
    let is_grouped = out.style == Style::Command;
    out.add("ARN", &found.arn);
    out.add("Name", &found.name);
    if !is_grouped {
        out.add_optional("Type", external.map(|external| &external.partner));
    }
    out.add_optional("Description", found.description.as_ref());
    out.add_optional("KmsKeyId", found.kms_key_id.as_ref());
    if !is_grouped {
        add_rotation(rotation, out);
        add_partner_rotation(external, out);
        out.optional_date("LastRotatedDate", rotation.and_then(|found| found.last_rotated_date));
    }
    out.date("LastChangedDate", found.last_changed_date);
    out.optional_date("LastAccessedDate", found.last_accessed_date);
    out.optional_date("DeletedDate", found.deleted_date);
    if !is_grouped {
        out.optional_date("NextRotationDate", rotation.and_then(|found| found.next_rotation_date));
    }
    if let Some(tags) = &found.tags {
        out.structures("Tags", tags);
    }
    if !found.versions_to_stages.is_empty() {
        out.add(stages, &StageMap(&found.versions_to_stages));
    }
    out.add_optional("OwningService", found.owning_service.as_ref());
    if is_grouped {
        out.add_optional("Type", external.map(|external| &external.partner));
        add_partner_rotation(external, out);
        add_rotation(rotation, out);
        out.optional_date("LastRotatedDate", rotation.and_then(|found| found.last_rotated_date));
        out.optional_date("NextRotationDate", rotation.and_then(|found| found.next_rotation_date));
    }
    out.date("CreatedDate", found.created_date);
    out.add_optional("PrimaryRegion", found.primary_region.as_ref());
    if let Some(replicas) = &found.replication_status {
        out.structures("ReplicationStatus", replicas);
    }
    if let Some(primary) = &found.cross_account_primary {
        out.structure("CrossAccountPrimary", primary);
    }
    if let Some(replica) = &found.cross_account_replica {
        out.structures("CrossAccountReplicas", [replica]);
    }
}

fn add_rotation<M: SerializeMap>(rotation: Option<&RotationDescription>, out: &mut Members<M>) {
    let Some(rotation) = rotation else { return };
    out.add("RotationEnabled", &rotation.rotation_enabled);
    out.add_optional("RotationLambdaARN", rotation.rotation_lambda_arn.as_ref());
    if let Some(rules) = &rotation.rotation_rules {
        out.structure("RotationRules", rules);
    }
}

fn add_partner_rotation<M: SerializeMap>(external: Option<&External>, out: &mut Members<M>) {
    let Some(external) = external else { return };
    if !external.metadata.is_empty() {
        out.structures("ExternalSecretRotationMetadata", &external.metadata);
    }
    out.add_optional("ExternalSecretRotationRoleArn", external.role.as_ref());
}

impl Structure for RotationRules {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add_optional("AutomaticallyAfterDays", self.automatically_after_days);
        out.add_optional("Duration", self.duration.as_ref());
        out.add_optional("ScheduleExpression", self.schedule_expression.as_ref());
    }
}

impl Structure for Tag {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("Key", &self.key);
        out.add("Value", &self.value);
    }
}

impl Structure for ExternalMetadata {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("Key", &self.key);
        out.add("Value", &self.value);
    }
}

/// Version ids with their labels, in the order of the versions' age.
struct StageMap<'a>(&'a [(VersionId, Vec<String>)]);

impl Serialize for StageMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(version, stages)| (version.as_str(), stages)))
    }
}

impl Structure for ListSecretVersionIdsResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.structures("Versions", &self.versions);
        out.add_optional("NextToken", self.next_token.as_ref());
        out.add("ARN", &self.arn);
        out.add("Name", &self.name);
    }
}

impl Structure for SecretVersionsListEntry {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("VersionId", self.version_id.as_str());
        if !self.version_stages.is_empty() {
            out.add("VersionStages", &self.version_stages);
        }
        out.optional_date("LastAccessedDate", self.last_accessed_date);
        out.date("CreatedDate", self.created_date);
        out.add("KmsKeyIds", &self.kms_key_ids);
    }
}
