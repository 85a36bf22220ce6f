//! How a secret dies: its name is freed and its record marked, and its rows are swept later.

use super::secret::stamp;
use crate::model::SecretRecord;
use crate::semantics::plan::{Answer, Effect, Now, Plan};

/// Frees the name and marks the record dead. What only a living secret needs leaves the record at
/// once; the rows that hang on it are swept later (SEM-DEL-12).
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
