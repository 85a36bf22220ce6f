//! The checks of requests about replicas.

use super::constraint::{self, Violations};
use super::members::secret_id_length;
use super::names::reference;
use crate::model::SecretRef;
use crate::model::api::{RemoveRegionsFromReplication, ReplicaRegion, ReplicateSecretToRegions};
use crate::model::{limits, name};
use crate::semantics::fault::Fault;

/// `RegionType` of the API model, as it stands in the message.
const REGION_PATTERN: &str = r"^([a-z]+-)+\d+$";

/// Checks `ReplicateSecretToRegions`.
pub fn replicate_secret_to_regions(request: &ReplicateSecretToRegions) -> Result<SecretRef, Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    added(&mut found, &request.add_replica_regions);
    found.into_result()?;
    reference(&request.secret_id)
}

/// Checks `RemoveRegionsFromReplication`.
pub fn remove_regions_from_replication(
    request: &RemoveRegionsFromReplication,
) -> Result<SecretRef, Fault> {
    const PATH: &str = "removeReplicaRegions";
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    let regions = &request.remove_replica_regions;
    found.list(PATH, &regions.join(", "), regions.len(), 1, usize::MAX);
    for (path, text) in constraint::members(PATH, regions) {
        region(&mut found, &path, text);
    }
    found.into_result()?;
    reference(&request.secret_id)
}

/// Checks `AddReplicaRegions`.
pub(super) fn added(found: &mut Violations, regions: &[ReplicaRegion]) {
    const PATH: &str = "addReplicaRegions";
    let shown: Vec<&str> = regions.iter().map(|added| added.region.as_str()).collect();
    found.list(PATH, &shown.join(", "), regions.len(), 1, usize::MAX);
    for (path, added) in constraint::members(PATH, regions) {
        region(found, &format!("{path}.region"), &added.region);
        if let Some(key) = &added.kms_key_id {
            found.text(&format!("{path}.kmsKeyId"), key, 0, limits::KMS_KEY_ID_CHARS_MAX);
        }
    }
}

fn region(found: &mut Violations, path: &str, text: &str) {
    found.text(path, text, 1, limits::REGION_CHARS_MAX);
    let is_long = text.len() > limits::REGION_CHARS_MAX;
    found.pattern(path, text, REGION_PATTERN, is_long || name::is_region(text));
}
