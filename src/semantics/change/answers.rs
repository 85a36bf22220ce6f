//! Answers that several operations give.

use crate::model::api::{SecretResponse, VersionResponse};
use crate::model::{SecretRecord, VersionId};
use crate::semantics::plan::Answer;

/// ARN and name, the whole answer of several operations.
pub(crate) fn named(record: &SecretRecord) -> Answer {
    Answer::Named(secret(record))
}

/// The answer for a replica that became a secret of its own.
pub(crate) fn promoted(record: &SecretRecord) -> Answer {
    Answer::Promoted(secret(record))
}

/// What a write answers; `version_id` if a version was made or matched.
pub(crate) fn written(
    record: &SecretRecord,
    version_id: Option<VersionId>,
    stages: Vec<String>,
) -> Answer {
    Answer::Written(VersionResponse {
        arn: record.arn().to_string(),
        name: record.name.to_string(),
        version_id,
        version_stages: stages,
        replication_status: None,
    })
}

fn secret(record: &SecretRecord) -> SecretResponse {
    SecretResponse { arn: record.arn().to_string(), name: record.name.to_string() }
}
