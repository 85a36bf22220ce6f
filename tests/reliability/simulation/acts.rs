//! The steps of a script: one [`Kind`] for each way to change a vault. A new operation needs a variant, a
//! line in `ALL`, and its implementation in [`Kind::write`] or in the runner.

use super::dump::{AWAY, HOME, scope};
use super::machine::FUNCTION;
use crate::common::rng::Rng;
use strongroom::__internals::model::api::{
    CancelRotateSecret, CreateSecret, DeleteResourcePolicy, DeleteSecret, PutResourcePolicy,
    PutSecretValue, RemoveRegionsFromReplication, ReplicaRegion, ReplicateSecretToRegions,
    RestoreSecret, RotateSecret, RotationRules, StopReplicationToReplica, TagResource,
    UntagResource, UpdateSecret, UpdateSecretVersionStage,
};
use strongroom::__internals::model::{Scope, Tag};
use strongroom::__internals::secret::{SecretBytes, SecretValue};
use strongroom::__internals::vault::Write;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    // Operations, each one `Write`.
    Create,
    CreateReplicated,
    Put,
    PutLarge,
    Update,
    Stage,
    Tag,
    Untag,
    Delete,
    ForceDelete,
    Restore,
    PutPolicy,
    DeletePolicy,
    Rotate,
    CancelRotate,
    Replicate,
    RemoveReplicas,
    StopReplica,
    // The vault as a whole.
    Batch,
    /// Sealed before and planned after its secret was purged and made again, and an epoch switch.
    LateHandIn,
    Read,
    ReadMany,
    NewCredential,
    RevokeCredential,
    ChangeKeyFile,
    AddPassphrase,
    /// Rotations, pruner, compaction, checkpoint.
    Maintain,
    /// The epoch switch.
    Shred,
    Reopen,
    Kill,
    HoursPass,
    DaysPass,
}

impl Kind {
    pub const ALL: [Self; 32] = [
        Self::Create,
        Self::CreateReplicated,
        Self::Put,
        Self::PutLarge,
        Self::Update,
        Self::Stage,
        Self::Tag,
        Self::Untag,
        Self::Delete,
        Self::ForceDelete,
        Self::Restore,
        Self::PutPolicy,
        Self::DeletePolicy,
        Self::Rotate,
        Self::CancelRotate,
        Self::Replicate,
        Self::RemoveReplicas,
        Self::StopReplica,
        Self::Batch,
        Self::LateHandIn,
        Self::Read,
        Self::ReadMany,
        Self::NewCredential,
        Self::RevokeCredential,
        Self::ChangeKeyFile,
        Self::AddPassphrase,
        Self::Maintain,
        Self::Shred,
        Self::Reopen,
        Self::Kill,
        Self::HoursPass,
        Self::DaysPass,
    ];
}

/// Makes requests that meet something as often as not.
pub struct Maker {
    pub rng: Rng,
    tokens: Vec<String>,
    serial: u64,
}

pub const NAMES: [&str; 5] = ["a", "b/long/name", "c", "d-secret", "e"];

impl Maker {
    pub fn new(seed: u64) -> Self {
        Self { rng: Rng::new(seed), tokens: Vec::new(), serial: 0 }
    }

    /// A script: five secrets, then every kind once and the commonest a few times more, shuffled.
    pub fn script(&mut self, operations: usize) -> Vec<Kind> {
        let mut kinds = Kind::ALL.to_vec();
        let common = [Kind::Put, Kind::Update, Kind::Stage, Kind::Batch, Kind::Maintain];
        while kinds.len() + NAMES.len() < operations {
            let rare = self.rng.chance(30);
            kinds.push(if rare { *self.rng.pick(&Kind::ALL) } else { *self.rng.pick(&common) });
        }
        // Each costs an Argon2id; one script in eight has one.
        let mut passphrases = usize::from(self.rng.chance(12));
        kinds.retain(|kind| {
            let keep = *kind != Kind::AddPassphrase || passphrases > 0;
            passphrases -= usize::from(*kind == Kind::AddPassphrase && keep);
            keep
        });
        for at in (1..kinds.len()).rev() {
            let other = self.rng.below(at + 1);
            kinds.swap(at, other);
        }
        let first = [Kind::Create, Kind::Create, Kind::CreateReplicated, Kind::Create];
        first.into_iter().chain(kinds).collect()
    }

    pub fn name(&mut self) -> String {
        (*self.rng.pick(&NAMES)).to_owned()
    }

    pub fn token(&mut self) -> String {
        self.serial += 1;
        let token = format!("t{:0>35}", self.serial);
        self.tokens.push(token.clone());
        token
    }

    pub fn value(&mut self, len: usize) -> SecretValue {
        if self.rng.chance(30) {
            SecretValue::text(self.rng.word(len))
        } else {
            SecretValue::Binary(SecretBytes::copy_from(&self.rng.bytes(len)))
        }
    }

    fn some_token(&mut self) -> Option<String> {
        let recent = self.tokens.len().saturating_sub(12);
        (!self.tokens[recent..].is_empty()).then(|| self.rng.pick(&self.tokens[recent..]).clone())
    }

    /// One that changes an existing vault: what batches are made of.
    pub fn any_write(&mut self) -> (Scope, Write) {
        loop {
            let kind = *self.rng.pick(&Kind::ALL);
            let kind = if self.rng.chance(40) { Kind::Put } else { kind };
            if let Some(write) = self.write(kind) {
                return write;
            }
        }
    }

    /// The request of a kind that is one operation.
    pub fn write(&mut self, kind: Kind) -> Option<(Scope, Write)> {
        let name = self.name();
        let write = match kind {
            Kind::Create | Kind::CreateReplicated => {
                // Mostly one that is not there yet.
                let at = usize::try_from(self.serial).unwrap() % NAMES.len();
                let mut request = CreateSecret::new(NAMES[at]);
                request.client_request_token = Some(self.token());
                request.value = self.rng.chance(90).then(|| self.value(20));
                request.description = self.rng.chance(50).then(|| self.rng.word(9));
                request.tags = Some(vec![Tag { key: "k".into(), value: self.rng.word(4) }]);
                if kind == Kind::CreateReplicated {
                    request.add_replica_regions = Some(vec![ReplicaRegion::new(AWAY)]);
                }
                Write::CreateSecret(request)
            }
            Kind::Put | Kind::PutLarge => {
                let small = *self.rng.pick(&[3, 40, 300]);
                let len = if kind == Kind::PutLarge { 5_000 } else { small };
                let mut request = PutSecretValue::new(name, self.value(len));
                request.client_request_token = Some(self.token());
                request.version_stages = match self.rng.below(4) {
                    0 => Some(vec!["AWSPENDING".into(), "blue".into()]),
                    1 => Some(vec!["green".into()]),
                    _ => None,
                };
                Write::PutSecretValue(request)
            }
            Kind::Update => {
                let mut request = UpdateSecret::new(name);
                request.client_request_token = Some(self.token());
                request.description = Some(self.rng.word(12));
                request.value = self.rng.chance(50).then(|| self.value(33));
                Write::UpdateSecret(request)
            }
            Kind::Stage => Write::UpdateSecretVersionStage(UpdateSecretVersionStage {
                secret_id: name,
                version_stage: (*self.rng.pick(&["blue", "green", "AWSCURRENT"])).into(),
                remove_from_version_id: self.some_token().filter(|_| self.serial.is_multiple_of(3)),
                move_to_version_id: self.some_token(),
            }),
            Kind::Tag => {
                let tags = vec![Tag { key: self.rng.word(2), value: self.rng.word(5) }];
                Write::TagResource(TagResource { secret_id: name, tags })
            }
            Kind::Untag => {
                Write::UntagResource(UntagResource { secret_id: name, tag_keys: vec!["k".into()] })
            }
            Kind::Delete => Write::DeleteSecret(DeleteSecret {
                secret_id: name,
                recovery_window_in_days: Some(7),
                force_delete_without_recovery: None,
            }),
            Kind::ForceDelete => Write::DeleteSecret(DeleteSecret {
                secret_id: name,
                recovery_window_in_days: None,
                force_delete_without_recovery: Some(true),
            }),
            Kind::Restore => Write::RestoreSecret(RestoreSecret::new(name)),
            Kind::PutPolicy => {
                let root = "arn:aws:iam::000000000000:root";
                let policy = format!(
                    "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":\
                     {{\"AWS\":\"{root}\"}},\"Action\":\"secretsmanager:GetSecretValue\",\"Resource\":\"*\",\
                     \"Sid\":\"{}\"}}]}}",
                    self.rng.word(5)
                );
                Write::PutResourcePolicy(PutResourcePolicy {
                    secret_id: name,
                    resource_policy: policy,
                    ..PutResourcePolicy::default()
                })
            }
            Kind::DeletePolicy => Write::DeleteResourcePolicy(DeleteResourcePolicy::new(name)),
            Kind::Rotate => {
                let mut request = RotateSecret::new(name);
                request.client_request_token = Some(self.token());
                request.rotation_lambda_arn = Some(FUNCTION.into());
                request.rotation_rules = Some(RotationRules {
                    automatically_after_days: Some(1 + self.rng.below(9) as i64),
                    ..RotationRules::default()
                });
                request.rotate_immediately = Some(self.rng.chance(80));
                Write::RotateSecret(request)
            }
            Kind::CancelRotate => Write::CancelRotateSecret(CancelRotateSecret::new(name)),
            Kind::Replicate => Write::ReplicateSecretToRegions(ReplicateSecretToRegions {
                secret_id: name,
                add_replica_regions: vec![ReplicaRegion::new(AWAY)],
                force_overwrite_replica_secret: Some(self.rng.chance(50)),
            }),
            Kind::RemoveReplicas => {
                Write::RemoveRegionsFromReplication(RemoveRegionsFromReplication {
                    secret_id: name,
                    remove_replica_regions: vec![AWAY.into()],
                })
            }
            Kind::StopReplica => {
                return Some((
                    scope(AWAY),
                    Write::StopReplicationToReplica(StopReplicationToReplica::new(name)),
                ));
            }
            _ => return None,
        };
        Some((scope(HOME), write))
    }
}
