//! Content of sealed rows: private mirror structs with a version byte in front (rule ROW-7). So the model
//! types stay free of serde, and an old row is read by its own struct for ever.

use super::versioned::{decode, decode_as, decode_content, encode, encode_as};
use super::{cross_account, external, policies, replication, rotation};
use crate::codec::{Bytes, CodecError};
use crate::env::UnixMillis;
use crate::env::faults::{self, Fault};
use crate::model::{
    Deletion, Lsn, PayloadShape, RecordId, Scope, SecretName, SecretRecord, Seq, Stage, Suffix,
    Tag, VersionId, VersionRecord,
};
use crate::secret::PayloadKind;
use serde::{Deserialize, Serialize};

/// Format of a secret with the fields that [`SecretV2`] adds, and of no other.
const SECRET_VERSION: u8 = 2;
/// Format of versions and of label indexes. Their first format is only in rows of format 1 (`v1`).
const VERSION_VERSION: u8 = 2;
const LABELS_VERSION: u8 = 2;

#[derive(Serialize, Deserialize)]
struct SecretV1 {
    id: [u8; 16],
    account: String,
    region: String,
    name: String,
    suffix: [u8; 6],
    lsn: u64,
    next_seq: u64,
    version_count: u32,
    creation_token: Option<String>,
    created: i64,
    last_changed: i64,
    last_accessed: Option<i64>,
    description: Option<String>,
    kms_key_id: Option<String>,
    tags: Option<Vec<(String, String)>>,
    deletion: Option<(i64, i64, u8)>,
    dead: bool,
    owning_service: Option<String>,
    replication: Option<Bytes>,
    policies: Option<Bytes>,
    rotation: Option<Bytes>,
}

/// Fields that came later follow the first ones, and at least one of them is present. So each record has
/// one encoding, and a record without them keeps the bytes that it always had.
#[derive(Serialize, Deserialize)]
struct SecretV2 {
    first: SecretV1,
    external: Option<Bytes>,
    cross_account: Option<Bytes>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct VersionV1 {
    id: [u8; 16],
    seq: u64,
    version_id: String,
    kind: Option<u8>,
    created: i64,
    created_age: i64,
    last_accessed: Option<i64>,
    payload: Option<(u32, u16, [u8; 16])>,
}

#[derive(Serialize, Deserialize)]
struct VersionV2 {
    first: VersionV1,
    wrapped: Option<Bytes>,
}

/// A label and the number of its version, as content has them.
#[derive(Serialize, Deserialize)]
pub(super) struct LabelV1 {
    label: String,
    seq: u64,
}

/// A label and the version that it is on.
pub(crate) type Label = (Stage, Seq);

pub(crate) fn encode_secret(record: &SecretRecord) -> Result<Vec<u8>, CodecError> {
    let r = record;
    let first = SecretV1 {
        id: r.id.0,
        account: r.scope.account.to_string(),
        region: r.scope.region.to_string(),
        name: r.name.as_str().to_owned(),
        suffix: r.suffix.0,
        lsn: r.lsn.0,
        next_seq: r.next_seq.0,
        version_count: r.version_count,
        creation_token: r.creation_token.as_ref().map(|token| token.as_str().to_owned()),
        created: r.created.0,
        last_changed: r.last_changed.0,
        last_accessed: r.last_accessed.map(|day| day.0),
        description: r.description.clone(),
        kms_key_id: r.kms_key_id.clone(),
        tags: r
            .tags
            .as_ref()
            .map(|tags| tags.iter().map(|t| (t.key.clone(), t.value.clone())).collect()),
        deletion: r.deletion.as_ref().map(|d| (d.requested.0, d.requested_age.0, d.window_days)),
        dead: r.dead,
        owning_service: r.owning_service.clone(),
        replication: r.replication.as_ref().map(replication::encode).transpose()?.map(Bytes),
        policies: r.policies.as_ref().map(policies::encode).transpose()?.map(Bytes),
        rotation: r.rotation.as_ref().map(rotation::encode).transpose()?.map(Bytes),
    };
    let external = r.external.as_ref().map(external::encode).transpose()?.map(Bytes);
    let cross_account = r.cross_account.as_ref().map(cross_account::encode).transpose()?.map(Bytes);
    if external.is_none() && cross_account.is_none() {
        return encode(&first);
    }
    encode_as(SECRET_VERSION, &SecretV2 { first, external, cross_account })
}

/// A secret's fields, in either format.
fn decode_fields(bytes: &[u8]) -> Result<SecretV2, CodecError> {
    let Some((&SECRET_VERSION, content)) = bytes.split_first() else {
        let first = decode(bytes)?;
        return Ok(SecretV2 { first, external: None, cross_account: None });
    };
    let fields: SecretV2 = decode_content(content)?;
    if fields.external.is_none() && fields.cross_account.is_none() {
        return Err(CodecError);
    }
    Ok(fields)
}

pub(crate) fn decode_secret(bytes: &[u8]) -> Result<SecretRecord, CodecError> {
    let SecretV2 { first: r, external, cross_account } = decode_fields(bytes)?;
    let token =
        r.creation_token.map(|token| VersionId::parse(&token).ok_or(CodecError)).transpose()?;
    let replication =
        r.replication.map(|bytes| replication::decode(&bytes.0, &r.region)).transpose()?;
    Ok(SecretRecord {
        id: RecordId(r.id),
        scope: Scope { account: r.account.into(), region: r.region.into() },
        name: SecretName::parse(&r.name).map_err(|_| CodecError)?,
        suffix: Suffix(r.suffix),
        lsn: Lsn(r.lsn),
        next_seq: Seq(r.next_seq),
        version_count: r.version_count,
        creation_token: token,
        created: UnixMillis(r.created),
        last_changed: UnixMillis(r.last_changed),
        last_accessed: r.last_accessed.map(UnixMillis),
        description: r.description,
        kms_key_id: r.kms_key_id,
        tags: r.tags.map(|tags| tags.into_iter().map(|(key, value)| Tag { key, value }).collect()),
        deletion: r.deletion.map(|(requested, age, window_days)| Deletion {
            requested: UnixMillis(requested),
            requested_age: UnixMillis(age),
            window_days,
        }),
        dead: r.dead,
        owning_service: r.owning_service,
        replication,
        policies: r.policies.map(|bytes| policies::decode(&bytes.0)).transpose()?,
        rotation: r.rotation.map(|bytes| rotation::decode(&bytes.0)).transpose()?,
        external: external.map(|bytes| external::decode(&bytes.0)).transpose()?,
        cross_account: cross_account.map(|bytes| cross_account::decode(&bytes.0)).transpose()?,
    })
}

impl VersionV1 {
    pub(super) fn of(v: &VersionRecord) -> Self {
        Self {
            id: v.id.0,
            seq: v.seq.0,
            version_id: v.version_id.as_str().to_owned(),
            kind: v.kind.map(|kind| match kind {
                PayloadKind::String => 1,
                PayloadKind::Binary => 2,
            }),
            created: v.created.0,
            created_age: v.created_age.0,
            last_accessed: v.last_accessed.map(|day| day.0),
            payload: v.payload.map(|shape| (shape.sealed_bytes, shape.chunks, shape.tag)),
        }
    }

    pub(super) fn record(self, wrapped: Option<Box<[u8]>>) -> Result<VersionRecord, CodecError> {
        let kind = match self.kind {
            None => None,
            Some(1) => Some(PayloadKind::String),
            Some(2) => Some(PayloadKind::Binary),
            Some(_) => return Err(CodecError),
        };
        Ok(VersionRecord {
            id: RecordId(self.id),
            seq: Seq(self.seq),
            version_id: VersionId::parse(&self.version_id).ok_or(CodecError)?,
            kind,
            created: UnixMillis(self.created),
            created_age: UnixMillis(self.created_age),
            last_accessed: self.last_accessed.map(UnixMillis),
            payload: self.payload.map(|(sealed_bytes, chunks, tag)| PayloadShape {
                sealed_bytes,
                chunks,
                tag,
            }),
            wrapped,
        })
    }
}

pub(crate) fn encode_version(version: &VersionRecord) -> Result<Vec<u8>, CodecError> {
    let wrapped = version.wrapped.as_ref().map(|wrapped| Bytes(wrapped.to_vec()));
    let content = VersionV2 { first: VersionV1::of(version), wrapped };
    encode_as(VERSION_VERSION, &content)
}

pub(crate) fn decode_version(bytes: &[u8]) -> Result<VersionRecord, CodecError> {
    let VersionV2 { first, wrapped } = decode_as(VERSION_VERSION, bytes)?;
    if wrapped.is_some() && first.payload.is_none() {
        return Err(CodecError);
    }
    first.record(wrapped.map(|wrapped| wrapped.0.into()))
}

impl LabelV1 {
    pub(super) fn of((stage, seq): &Label) -> Self {
        Self { label: stage.as_str().to_owned(), seq: seq.0 }
    }

    pub(super) fn label(self) -> Result<Label, CodecError> {
        Ok((Stage::parse(&self.label).ok_or(CodecError)?, Seq(self.seq)))
    }
}

/// Encodes the labels of a secret, of which there is at least one, sorted.
pub(crate) fn encode_labels(labels: &[Label]) -> Result<Vec<u8>, CodecError> {
    let content: Vec<LabelV1> = labels.iter().map(LabelV1::of).collect();
    encode_as(LABELS_VERSION, &content)
}

pub(crate) fn decode_labels(bytes: &[u8]) -> Result<Vec<Label>, CodecError> {
    let content: Vec<LabelV1> = decode_as(LABELS_VERSION, bytes)?;
    let labels = content.into_iter().map(LabelV1::label).collect::<Result<Vec<_>, _>>()?;
    let rises = labels.is_sorted_by(|one, two| one.0 < two.0);
    // A build with this fault writes what does not rise, so that it shows a label twice.
    if labels.is_empty() || !(rises || faults::active(Fault::LabelOnTwoVersions)) {
        return Err(CodecError);
    }
    Ok(labels)
}

pub(crate) fn encode_id(id: RecordId) -> Result<Vec<u8>, CodecError> {
    encode(&id.0)
}

pub(crate) fn decode_id(bytes: &[u8]) -> Result<RecordId, CodecError> {
    decode(bytes).map(RecordId)
}

pub(crate) fn encode_seq(seq: Seq) -> Result<Vec<u8>, CodecError> {
    encode(&seq.0)
}

pub(crate) fn decode_seq(bytes: &[u8]) -> Result<Seq, CodecError> {
    decode(bytes).map(Seq)
}

pub(crate) fn encode_millis(at: UnixMillis) -> Result<Vec<u8>, CodecError> {
    encode(&at.0)
}

pub(crate) fn decode_millis(bytes: &[u8]) -> Result<UnixMillis, CodecError> {
    decode(bytes).map(UnixMillis)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
