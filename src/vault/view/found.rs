//! Values that were found lately, still sealed, with all that an answer needs beside them. The next read of
//! the same value is one look here and one decryption.
//!
//! [`OpenedRows`](super::opened::OpenedRows) decides what may be kept, and forgets a secret's values before a
//! change of the secret is shown. So nothing here is older than what the state shows.

use super::generations::{Generations, Weight};
use super::shards::Shards;
use crate::crypto::{Keyring, ValueKey};
use crate::env::UnixMillis;
use crate::env::threads::sync::Arc;
use crate::model::api::{GetSecretValue, GetSecretValueResponse};
use crate::model::{RecordId, Scope, VersionId};
use crate::secret::PayloadKind;
use crate::vault::error::RowError;
use std::hash::{BuildHasher, RandomState};

/// Bytes in each of the two generations of a shard: 16 MiB in all.
const GENERATION_BYTES: usize = 128 << 10;
/// Longer sealed values are not kept: opening one costs more than finding it.
const SEALED_BYTES_MAX: usize = 8 << 10;
/// About what an entry takes besides its texts and its value, with its place in the list of its secret.
const ENTRY_BYTES: usize = 500;

/// A request for a value, as it was made.
#[derive(PartialEq, Eq)]
struct Asked {
    scope: Scope,
    request: GetSecretValue,
}

/// A value that was found.
pub(crate) struct FoundValue {
    asked: Asked,
    id: RecordId,
    arn: String,
    name: String,
    version_id: VersionId,
    stages: Vec<String>,
    created: UnixMillis,
    kind: PayloadKind,
    /// Wiped when the last reader lets it go.
    key: Arc<ValueKey>,
    sealed: Box<[u8]>,
    /// Whoever reads it on this day need not leave an access mark: the read that found it did.
    pub(crate) day: UnixMillis,
}

/// What was found of a value, besides the request.
pub(crate) struct Parts {
    pub(crate) id: RecordId,
    pub(crate) kind: PayloadKind,
    pub(crate) key: Arc<ValueKey>,
    pub(crate) sealed: Vec<u8>,
    pub(crate) day: UnixMillis,
}

impl FoundValue {
    /// `None`: it is too long to be kept.
    pub(crate) fn new(
        scope: &Scope,
        request: &GetSecretValue,
        answer: &GetSecretValueResponse,
        parts: Parts,
    ) -> Option<Self> {
        let Parts { id, kind, key, sealed, day } = parts;
        (sealed.len() <= SEALED_BYTES_MAX).then(|| Self {
            asked: Asked { scope: scope.clone(), request: request.clone() },
            id,
            arn: answer.arn.clone(),
            name: answer.name.clone(),
            version_id: answer.version_id.clone(),
            stages: answer.version_stages.clone(),
            created: answer.created_date,
            kind,
            key,
            sealed: sealed.into(),
            day,
        })
    }

    /// The secret.
    pub(super) fn id(&self) -> RecordId {
        self.id
    }

    fn bytes(&self) -> usize {
        let GetSecretValue { secret_id, version_id, version_stage } = &self.asked.request;
        let asked = [Some(secret_id), version_id.as_ref(), version_stage.as_ref()];
        let asked: usize = asked.into_iter().flatten().map(String::len).sum();
        let texts = self.arn.len() + self.name.len() + asked;
        let stages: usize = self.stages.iter().map(|stage| stage.len() + size_of::<String>()).sum();
        ENTRY_BYTES + texts + stages + self.sealed.len()
    }

    /// Opens the value.
    pub(crate) fn answer(&self, keys: &Keyring) -> Result<GetSecretValueResponse, RowError> {
        Ok(GetSecretValueResponse {
            value: keys.open_value(self.kind, &self.key, &self.sealed)?,
            arn: self.arn.clone(),
            name: self.name.clone(),
            version_id: self.version_id.clone(),
            version_stages: self.stages.clone(),
            created_date: self.created,
        })
    }
}

impl Weight for Arc<FoundValue> {
    fn weight(&self) -> usize {
        self.bytes()
    }
}

/// A request by its hash.
pub(super) type Place = u64;

/// The values of one state that were found lately.
#[derive(Default)]
pub(crate) struct FoundValues {
    shards: Shards<Generations<Place, Arc<FoundValue>, GENERATION_BYTES>>,
    /// Its keys are random, so nobody can choose requests whose hashes meet.
    hasher: RandomState,
}

impl FoundValues {
    fn place(&self, scope: &Scope, request: &GetSecretValue) -> Place {
        self.hasher.hash_one((scope, request))
    }

    /// What was found for the same request, if nothing has changed since.
    pub(crate) fn get(&self, scope: &Scope, request: &GetSecretValue) -> Option<Arc<FoundValue>> {
        let place = self.place(scope, request);
        let found = self.shards.of(place)?.get(&place)?;
        (found.asked.scope == *scope && found.asked.request == *request).then_some(found)
    }

    /// Where the request of `found` stands.
    pub(super) fn place_of(&self, found: &FoundValue) -> Place {
        self.place(&found.asked.scope, &found.asked.request)
    }

    pub(super) fn insert(&self, place: Place, found: FoundValue) {
        if let Some(mut shard) = self.shards.of(place) {
            shard.insert(place, Arc::new(found));
        }
    }

    /// Whether the value at `place` is one of the secret's.
    pub(super) fn holds(&self, place: Place, id: RecordId) -> bool {
        let is_of = |found: &Arc<FoundValue>| found.id == id;
        self.shards.of(place).is_some_and(|shard| shard.look(&place).is_some_and(is_of))
    }

    /// Forgets the value at `place`, if it is one of the secret's.
    pub(super) fn remove(&self, place: Place, id: RecordId) {
        let Some(mut shard) = self.shards.of(place) else { return };
        if shard.look(&place).is_some_and(|found| found.id == id) {
            shard.remove(&place);
        }
    }

    pub(super) fn clear(&self) {
        self.shards.each().for_each(|mut shard| *shard = Generations::default());
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.shards.each().map(|shard| shard.total()).sum()
    }
}
