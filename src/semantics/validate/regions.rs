//! Regions of replicas.

use super::constraint::{self, Violations};
use crate::model::api::ReplicaRegion;
use crate::model::{limits, name};

/// `RegionType` of the API model, as it stands in the message.
const REGION_PATTERN: &str = r"^([a-z]+-)+\d+$";

/// Checks `AddReplicaRegions`.
pub(crate) fn added(found: &mut Violations, regions: &[ReplicaRegion]) {
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

/// Checks a region's name.
pub(crate) fn region(found: &mut Violations, path: &str, text: &str) {
    found.text(path, text, 1, limits::REGION_CHARS_MAX);
    let is_long = text.len() > limits::REGION_CHARS_MAX;
    found.pattern(path, text, REGION_PATTERN, is_long || name::is_region(text));
}
