//! A vault in ordered maps, for tests of the rules: effects are applied naively, and every plan is
//! held against the contract of [`Plan`] first. `fuzz/bodies` compiles this file too: its parent names the
//! crate's modules.

mod ask;
pub use ask::token;

use super::{env, model, secret, semantics};
use env::UnixMillis;
use model::api::{CreateSecret, PutSecretValue, UpdateSecret, Write};
use model::{
    Arn, CrossAccount, LabelMove, Link, Lsn, PayloadShape, RecordId, ReplicaStatus, Replication,
    Scope, SecretName, SecretRecord, Seq, Stage, Suffix, VersionId, VersionRecord, limits,
};
use secret::PayloadKind;
use semantics::validate::Check;
use semantics::{
    Answer, CheckedWrite, Command, Context, Effect, Fault, Now, Plan, Refusal, Upkeep, View,
    label_moves, plan, rows,
};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;

type Value = (PayloadKind, Vec<u8>);

/// A write whose value was sealed.
pub type Mutation = Write<PayloadKind>;

/// What can be planned.
pub trait Planned {
    /// It, checked.
    fn command(&self) -> Result<Command, Fault>;
}

impl Planned for Mutation {
    fn command(&self) -> Result<Command, Fault> {
        CheckedWrite::check(sealed(self)?).map(Command::Write)
    }
}

impl Planned for Upkeep {
    fn command(&self) -> Result<Command, Fault> {
        Ok(Command::Upkeep(self.clone()))
    }
}

/// The whole state of a small vault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Records by id, dead ones included.
    pub secrets: BTreeMap<RecordId, SecretRecord>,
    /// Bound names.
    pub names: BTreeMap<(Scope, SecretName), RecordId>,
    /// Versions by secret and number.
    pub versions: BTreeMap<(RecordId, Seq), VersionRecord>,
    /// Labels.
    pub stages: BTreeMap<(RecordId, Stage), Seq>,
    /// Values.
    pub values: BTreeMap<(RecordId, Seq), Value>,
    /// Purges noted.
    pub purges: Vec<UnixMillis>,
    /// The value that travels with the request being planned.
    pub request_value: Option<Value>,
}

impl View for Memory {
    type Error = Infallible;

    fn secret_by_name(
        &self,
        scope: &Scope,
        name: &SecretName,
    ) -> Result<Option<SecretRecord>, Infallible> {
        let id = self.names.get(&(scope.clone(), name.clone()));
        Ok(id.and_then(|id| self.secrets.get(id)).cloned())
    }

    fn secret(&self, id: RecordId) -> Result<Option<SecretRecord>, Infallible> {
        Ok(self.secrets.get(&id).cloned())
    }

    fn secrets(
        &self,
        scope: &Scope,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<SecretRecord>, Infallible> {
        let live = self
            .secrets
            .values()
            .filter(|record| !record.dead && record.scope == *scope && Some(record.id) > after);
        Ok(live.take(limit).cloned().collect())
    }

    fn stages(&self, id: RecordId) -> Result<Vec<(Stage, Seq)>, Infallible> {
        let own = self.stages.iter().filter(|((secret, _), _)| *secret == id);
        Ok(own.map(|((_, stage), seq)| (stage.clone(), *seq)).collect())
    }

    fn stage(&self, id: RecordId, stage: &Stage) -> Result<Option<Seq>, Infallible> {
        Ok(self.stages.get(&(id, stage.clone())).copied())
    }

    fn version(&self, id: RecordId, seq: Seq) -> Result<Option<VersionRecord>, Infallible> {
        Ok(self.versions.get(&(id, seq)).cloned())
    }

    fn version_seq(&self, id: RecordId, version: &VersionId) -> Result<Option<Seq>, Infallible> {
        let mut own = self.versions.values().filter(|known| known.id == id);
        Ok(own.find(|known| known.version_id == *version).map(|known| known.seq))
    }

    fn versions(
        &self,
        id: RecordId,
        after: Option<Seq>,
        limit: usize,
    ) -> Result<Vec<VersionRecord>, Infallible> {
        let first = after.map_or(Seq(0), |after| Seq(after.0.saturating_add(1)));
        let own = self.versions.range((id, first)..=(id, Seq(u64::MAX)));
        Ok(own.take(limit).map(|(_, version)| version.clone()).collect())
    }

    fn same_payload(&self, id: RecordId, seq: Seq) -> Result<bool, Infallible> {
        let stored = self.values.get(&(id, seq));
        Ok(stored.is_some() && stored == self.request_value.as_ref())
    }

    fn fresh_id(&self, scope: &Scope, lsn: Lsn) -> RecordId {
        let text = scope.account.bytes().chain(scope.region.bytes());
        let head = text.fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        // Nothing of the default scope stands before the number.
        let head = if *scope == Scope::default() { 0 } else { head };
        RecordId((u128::from(head) << 64 | u128::from(lsn.0)).to_be_bytes())
    }
}

impl Memory {
    /// Applies one effect.
    pub fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::PutSecret(record) => {
                self.secrets.insert(record.id, record);
            }
            Effect::BindName(record) => {
                self.names.insert((record.scope, record.name), record.id);
            }
            Effect::FreeName(record) => {
                self.names.remove(&(record.scope, record.name));
            }
            Effect::DropSecret(id) => {
                self.secrets.remove(&id);
            }
            Effect::PutVersion(version) => {
                self.versions.insert((version.id, version.seq), version);
            }
            // Done by `World`, which knows the secret, when the version is there.
            Effect::AttachPayload(_) | Effect::CopyPayload { .. } => {}
            Effect::DropVersion(version) => {
                self.versions.remove(&(version.id, version.seq));
                self.values.remove(&(version.id, version.seq));
            }
            Effect::SetStage(id, stage, seq) => {
                self.stages.insert((id, stage), seq);
            }
            Effect::DropStage(id, stage) => {
                self.stages.remove(&(id, stage));
            }
            Effect::NotePurge(when) => self.purges.push(when),
        }
    }
}

/// A small vault with its clocks.
#[derive(Clone, Debug)]
pub struct World {
    /// What is stored.
    pub view: Memory,
    /// Who asks.
    pub scope: Scope,
    /// What time it is.
    pub now: Now,
    /// The last operation.
    pub lsn: u64,
    /// Chunks that each stored value takes.
    pub chunks: u16,
    /// The rotation functions that can be called.
    pub functions: BTreeSet<String>,
    /// The moves of labels that were told.
    pub told: Vec<LabelMove>,
}

impl Default for World {
    fn default() -> Self {
        // 2024-01-02T03:04:05.678Z; the age clock starts elsewhere, so that mixing them shows.
        let now = Now { wall: UnixMillis(1_704_164_645_678), age: UnixMillis(5_000_000) };
        Self {
            view: Memory::default(),
            scope: Scope::default(),
            now,
            lsn: 0,
            chunks: 1,
            functions: BTreeSet::new(),
            told: Vec::new(),
        }
    }
}

impl World {
    /// Moves both clocks.
    pub fn pass(&mut self, millis: i64) {
        self.now.wall = self.now.wall.plus(millis);
        self.now.age = self.now.age.plus(millis);
    }

    /// What the next plan may use.
    #[must_use]
    pub fn context(&self) -> Context {
        let lsn = Lsn(self.lsn + 1);
        let mut suffix = *b"aaaaaa";
        for (to, from) in suffix.iter_mut().zip(format!("{:06}", lsn.0 % 1_000_000).bytes()) {
            *to = from;
        }
        Context {
            scope: self.scope.clone(),
            now: self.now,
            lsn,
            suffix: Suffix(suffix),
            functions: Arc::new(self.functions.clone()),
        }
    }

    /// Plans an operation and applies it.
    pub fn run(&mut self, mutation: &impl Planned, value: Option<Value>) -> Result<Answer, Fault> {
        self.plan(mutation, value).map(|plan| plan.answer)
    }

    /// Plans an operation, applies it, and gives the plan back.
    pub fn plan(&mut self, mutation: &impl Planned, value: Option<Value>) -> Result<Plan, Fault> {
        self.view.request_value = value;
        let context = self.context();
        let command = mutation.command()?;
        let plan = match plan(&self.view, &context, &command) {
            Ok(plan) => plan,
            Err(Refusal::Fault(fault)) => return Err(fault),
        };
        check_contract(&plan);
        let Ok(moves) = label_moves(&self.view, &plan.effects);
        self.told.extend(moves);
        if plan.effects.is_empty() {
            return Ok(plan);
        }
        self.lsn += 1;
        let id = plan.effects.iter().find_map(|effect| match effect {
            Effect::PutVersion(version) => Some(version.id),
            _ => None,
        });
        for effect in plan.effects.clone() {
            self.view.apply(effect);
        }
        for effect in &plan.effects {
            match (effect, id) {
                (Effect::AttachPayload(seq), Some(id)) => {
                    let value = self.view.request_value.clone();
                    self.attach(id, *seq, value);
                }
                (Effect::CopyPayload { from, id, to }, _) => {
                    let value = self.view.values.get(&(from.id, from.seq)).cloned();
                    self.attach(*id, *to, value);
                }
                _ => {}
            }
        }
        self.check_state();
        Ok(plan)
    }

    fn attach(&mut self, id: RecordId, seq: Seq, value: Option<Value>) {
        let version = self.view.versions.get_mut(&(id, seq));
        assert!(value.is_some(), "a payload is attached only when one came with the request");
        assert!(version.is_some(), "a payload belongs to a version of the same plan");
        if let (Some(value), Some(version)) = (value, version) {
            assert_eq!(version.kind, Some(value.0), "the version remembers the kind of its value");
            let shape = PayloadShape { sealed_bytes: 1, chunks: self.chunks, tag: [0; 16] };
            version.payload = Some(shape);
            self.view.values.insert((id, seq), value);
        }
    }

    /// What must hold between any two operations.
    fn check_state(&self) {
        for record in self.view.secrets.values() {
            let count = self.view.versions.keys().filter(|(id, _)| *id == record.id).count();
            assert_eq!(record.version_count as usize, count, "the record counts its versions");
            let newest = self.view.versions.keys().rev().find(|(id, _)| *id == record.id);
            assert!(newest.is_none_or(|(_, seq)| *seq < record.next_seq), "numbers are fresh");
            let bound = self.view.names.get(&(record.scope.clone(), record.name.clone()));
            assert_eq!(record.dead, bound != Some(&record.id), "only the dead have no name");
            match &record.replication {
                Some(Replication::ReplicaOf { primary, .. }) => {
                    let primary = self.view.secrets.get(primary).filter(|primary| !primary.dead);
                    let entry = primary.and_then(|primary| {
                        primary.replicas().iter().find(|r| r.region == record.scope.region)
                    });
                    let in_sync = entry.is_some_and(|entry| entry.status == ReplicaStatus::InSync);
                    assert!(in_sync, "the primary knows its replica");
                    assert_eq!(count, 0, "a replica has no version of its own");
                }
                Some(Replication::Primary { region, replicas }) => {
                    assert_eq!(*region, record.scope.region, "a primary is where it is");
                    for replica in replicas.iter().filter(|r| r.status == ReplicaStatus::InSync) {
                        let scope = Scope::new(&record.scope.account, &replica.region);
                        let there = self.view.names.get(&(scope, record.name.clone()));
                        let there = there.and_then(|id| self.view.secrets.get(id));
                        let of = there.and_then(|there| there.replication.as_ref());
                        let is_replica = matches!(of,
                            Some(Replication::ReplicaOf { primary, .. }) if *primary == record.id);
                        assert!(is_replica, "every replica is there");
                    }
                }
                None => {}
            }
            self.check_accounts(record, count);
        }
        for ((id, stage), seq) in &self.view.stages {
            let there = self.view.versions.contains_key(&(*id, *seq));
            assert!(there, "label {stage} is on a version that exists");
        }
    }
}

impl World {
    /// A replica in another account and its primary know each other.
    fn check_accounts(&self, record: &SecretRecord, count: usize) {
        let named = |arn: &Arn| {
            let id = self.view.names.get(&(arn.scope.clone(), arn.name.clone()));
            id.and_then(|id| self.view.secrets.get(id)).filter(|found| found.arn() == *arn)
        };
        match &record.cross_account {
            None => {}
            Some(_) if record.dead => panic!("the dead are not replicated"),
            Some(CrossAccount::Replica(primary)) => {
                assert_eq!(record.replication, None, "one kind of replica at a time");
                match primary.link {
                    Link::Pending => assert_eq!(count, 0, "it has seen nothing yet"),
                    Link::InSync(id) => {
                        assert_eq!(count, 0, "a replica has no version of its own");
                        let there = named(&primary.arn).filter(|there| there.id == id);
                        let entry = there.and_then(SecretRecord::cross_account_replica);
                        let knows = entry.is_some_and(|e| e.is_associated && e.arn == record.arn());
                        assert!(knows, "the primary knows its replica");
                    }
                    Link::Detached => {}
                }
            }
            Some(CrossAccount::Primary(entry)) => {
                let there = named(&entry.arn);
                let shows = there.is_some_and(|there| there.shows() == Some(record.id));
                assert_eq!(shows, entry.is_associated, "the replica shows what it is told to");
            }
        }
    }
}

/// The contract of [`Plan`]: its size, at least one record, and no row twice.
fn check_contract(plan: &Plan) {
    if plan.effects.is_empty() {
        return;
    }
    let size: usize = plan.effects.iter().map(rows).sum();
    assert!(size <= limits::OPERATION_ROWS_MAX, "{size} rows");
    let is_record =
        |effect: &&Effect| matches!(effect, Effect::PutSecret(_) | Effect::DropSecret(_));
    assert!(plan.effects.iter().any(|effect| is_record(&effect)), "a record");
    let mut seen = BTreeSet::new();
    for effect in &plan.effects {
        let row = match effect {
            Effect::PutSecret(SecretRecord { id, .. }) | Effect::DropSecret(id) => {
                format!("record {id:?}")
            }
            Effect::BindName(record) | Effect::FreeName(record) => {
                format!("name {:?} {}", record.scope, record.name)
            }
            Effect::PutVersion(version) | Effect::DropVersion(version) => {
                format!("version {:?} {:?}", version.id, version.seq)
            }
            Effect::AttachPayload(seq) => format!("payload {seq:?}"),
            Effect::CopyPayload { id, to, .. } => format!("copy {id:?} {to:?}"),
            Effect::SetStage(id, stage, _) | Effect::DropStage(id, stage) => {
                format!("label {id:?} {stage}")
            }
            Effect::NotePurge(_) => "purge".to_owned(),
        };
        assert!(seen.insert(row.clone()), "{row} twice");
    }
}

/// A copy of a mutation as it travels: without the rotation token, which was checked.
fn sealed(mutation: &Mutation) -> Result<Mutation, Fault> {
    use Write as M;
    Ok(match mutation {
        M::CreateSecret(r) => M::CreateSecret(CreateSecret {
            name: r.name.clone(),
            client_request_token: r.client_request_token.clone(),
            description: r.description.clone(),
            kms_key_id: r.kms_key_id.clone(),
            value: r.value,
            tags: r.tags.clone(),
            add_replica_regions: r.add_replica_regions.clone(),
            force_overwrite_replica_secret: r.force_overwrite_replica_secret,
            partner: r.partner.clone(),
            cross_account_primary_arn: r.cross_account_primary_arn.clone(),
        }),
        M::PutSecretValue(r) => {
            if r.rotation_token.is_some() {
                r.check()?;
            }
            M::PutSecretValue(PutSecretValue {
                secret_id: r.secret_id.clone(),
                client_request_token: r.client_request_token.clone(),
                value: r.value,
                version_stages: r.version_stages.clone(),
                rotation_token: None,
            })
        }
        M::UpdateSecret(r) => M::UpdateSecret(UpdateSecret {
            secret_id: r.secret_id.clone(),
            client_request_token: r.client_request_token.clone(),
            description: r.description.clone(),
            kms_key_id: r.kms_key_id.clone(),
            value: r.value,
            partner: r.partner.clone(),
        }),
        M::UpdateSecretVersionStage(r) => M::UpdateSecretVersionStage(r.clone()),
        M::DeleteSecret(r) => M::DeleteSecret(r.clone()),
        M::RestoreSecret(r) => M::RestoreSecret(r.clone()),
        M::TagResource(r) => M::TagResource(r.clone()),
        M::UntagResource(r) => M::UntagResource(r.clone()),
        M::RotateSecret(r) => M::RotateSecret(r.clone()),
        M::CancelRotateSecret(r) => M::CancelRotateSecret(r.clone()),
        M::PutResourcePolicy(r) => M::PutResourcePolicy(r.clone()),
        M::DeleteResourcePolicy(r) => M::DeleteResourcePolicy(r.clone()),
        M::ReplicateSecretToRegions(r) => M::ReplicateSecretToRegions(r.clone()),
        M::RemoveRegionsFromReplication(r) => M::RemoveRegionsFromReplication(r.clone()),
        M::StopReplicationToReplica(r) => M::StopReplicationToReplica(r.clone()),
        M::AssociateCrossAccountReplica(r) => M::AssociateCrossAccountReplica(r.clone()),
        M::DisassociateCrossAccountReplica(r) => M::DisassociateCrossAccountReplica(r.clone()),
    })
}
