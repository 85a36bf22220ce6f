//! The purge of a secret: its name is freed and its record is marked dead. Its rows are swept later.

use super::secret::stamp;
use crate::model::SecretRecord;
use crate::semantics::plan::{Answer, Effect, Now, Plan};

/// Frees the name and marks the record dead. Members that only a living secret needs are cleared at once;
/// the secret's other rows are swept later (SEM-DEL-12).
pub(crate) fn purged(
    record: SecretRecord,
    now: Now,
    answer: impl Fn(&SecretRecord) -> Answer,
) -> Plan {
    let answer = answer(&record);
    let dead = dead(&record, now);
    let effects =
        vec![Effect::FreeName(record), Effect::PutSecret(dead), Effect::NotePurge(now.age)];
    Plan { effects, answer }
}

/// The record of a purged secret.
pub(crate) fn dead(record: &SecretRecord, now: Now) -> SecretRecord {
    SecretRecord {
        dead: true,
        creation_token: None,
        last_changed: stamp(now, record),
        last_accessed: None,
        description: None,
        kms_key_id: None,
        tags: None,
        deletion: None,
        owning_service: None,
        replication: None,
        policies: None,
        rotation: None,
        external: None,
        cross_account: None,
        ..record.clone()
    }
}
