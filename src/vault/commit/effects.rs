//! Turns the effects of a plan into sealed rows, as the last step before the log.
//!
//! The data key of a new value is wrapped here, after planning and under the epoch of the batch. So a
//! purge, a re-creation or an epoch switch between sealing and planning does no harm.

use super::copies::Copies;
use crate::codec::CodecError;
use crate::crypto::{Keyring, SealedValue};
use crate::env::Entropy;
use crate::env::faults::{self, Fault};
use crate::model::limits::{CHUNK_BYTES, OPERATION_ROWS_MAX};
use crate::model::{Lsn, RecordId, RowChange, Seq, Tree, VersionRecord};
use crate::semantics::Effect;
use crate::vault::error::RowError;
use crate::vault::rows;
use crate::vault::rows::Label;
use crate::vault::view::free_token::FreeToken;
use crate::vault::view::opened::Opened;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Turns effects into rows.
pub(crate) struct Sealer<'a> {
    pub(crate) keys: &'a Keyring,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) lsn: Lsn,
    pub(crate) payload: Option<&'a SealedValue>,
    pub(crate) copies: &'a Copies,
    /// Tokens that the plan looked for and that name no version.
    pub(crate) free: &'a [FreeToken],
    /// The labels of a secret as they are before the plan.
    pub(crate) labels: &'a dyn Fn(RecordId) -> Result<Vec<Label>, RowError>,
}

/// A row of a plan.
pub(crate) struct PlannedRow {
    pub(crate) change: RowChange,
    /// What it holds, if it is kept for the next operation on the same secret.
    pub(crate) opened: Option<Opened>,
    /// Whether it is certain that there is no such row yet.
    pub(crate) is_new: bool,
}

impl From<RowChange> for PlannedRow {
    fn from(change: RowChange) -> Self {
        Self { change, opened: None, is_new: false }
    }
}

/// Labels of secrets while effects change them.
type Indexes = BTreeMap<RecordId, Vec<Label>>;

impl Sealer<'_> {
    /// The rows of one plan: each (tree, key) at most once, at most 256 (I2).
    pub(crate) fn rows(&self, effects: Vec<Effect>) -> Result<Vec<PlannedRow>, RowError> {
        let attached = effects.iter().find_map(|effect| match effect {
            Effect::AttachPayload(seq) => Some(*seq),
            _ => None,
        });
        let mut out = Vec::with_capacity(effects.len() + 4);
        let mut indexes = Indexes::new();
        for effect in effects {
            self.effect(effect, attached, &mut indexes, &mut out)?;
        }
        for (id, labels) in indexes {
            let row = if labels.is_empty() {
                drop_row(Tree::Labels, &id.0).into()
            } else {
                let content = rows::encode_labels(&labels);
                self.put(Tree::Labels, &id.0, content, Opened::Labels(labels.into()))?
            };
            out.push(row);
        }
        if out.len() > OPERATION_ROWS_MAX {
            return Err(RowError::Plan("I2"));
        }
        Ok(out)
    }

    fn effect(
        &self,
        effect: Effect,
        attached: Option<Seq>,
        indexes: &mut Indexes,
        out: &mut Vec<PlannedRow>,
    ) -> Result<(), RowError> {
        match effect {
            Effect::PutSecret(mut record) => {
                record.lsn = self.lsn;
                let (id, content) = (record.id, rows::encode_secret(&record));
                out.push(self.put(Tree::Secrets, &id.0, content, Opened::Secret(record.into()))?);
            }
            Effect::BindName(record) => {
                let key = self.keys.name_index(&record.scope, &record.name);
                let content = rows::encode_id(record.id);
                out.push(self.put(Tree::Names, &key, content, Opened::Name(record.id))?);
            }
            Effect::FreeName(record) => {
                let key = self.keys.name_index(&record.scope, &record.name);
                out.push(drop_row(Tree::Names, &key).into());
            }
            Effect::DropSecret(id) => out.push(drop_row(Tree::Secrets, &id.0).into()),
            Effect::PutVersion(mut version) => {
                let payload = match self.copies.of(version.id, version.seq) {
                    None if attached == Some(version.seq) => {
                        Some(self.payload.ok_or(RowError::Plan("ROW-9"))?)
                    }
                    copy => copy,
                };
                if let Some(payload) = payload {
                    self.attach(&mut version, payload, out)?;
                }
                let free =
                    self.free.iter().find(|free| free.is_of(version.id, &version.version_id));
                let token = free.map_or_else(
                    || rows::token_key(self.keys, version.id, &version.version_id),
                    |free| free.key,
                );
                let key = rows::version_key(version.id, version.seq);
                // A version and its token are written together, and dropped together.
                let is_new = free.is_some();
                let row = self.sealed(Tree::Versions, &key, rows::encode_version(&version))?;
                out.push(PlannedRow { is_new, ..row.into() });
                let row = self.sealed(Tree::Tokens, &token, rows::encode_seq(version.seq))?;
                out.push(PlannedRow { is_new, ..row.into() });
            }
            // The `PutVersion` of the same plan writes it, because it knows the version's id.
            Effect::AttachPayload(_) | Effect::CopyPayload { .. } => {}
            Effect::DropVersion(version) => {
                let key = rows::version_key(version.id, version.seq);
                let token = rows::token_key(self.keys, version.id, &version.version_id);
                out.push(drop_row(Tree::Versions, &key).into());
                out.push(drop_row(Tree::Tokens, &token).into());
                for chunk in 0..version.payload.map_or(0, |shape| shape.chunks) {
                    let key = rows::blob_key(version.id, version.seq, chunk);
                    out.push(drop_row(Tree::Blobs, &key).into());
                }
            }
            Effect::SetStage(id, stage, seq) => {
                let labels = self.index(id, indexes)?;
                if !faults::active(Fault::LabelOnTwoVersions) {
                    labels.retain(|(other, _)| *other != stage);
                }
                labels.push((stage, seq));
                labels.sort();
                labels.dedup();
            }
            Effect::DropStage(id, stage) => {
                self.index(id, indexes)?.retain(|(other, _)| *other != stage);
            }
            Effect::NotePurge(age) => {
                let content = rows::encode_millis(age);
                out.push(self.sealed(Tree::Meta, rows::META_PURGE, content)?.into());
            }
        }
        Ok(())
    }

    /// The labels of a secret, as the effects so far leave them.
    fn index<'i>(
        &self,
        id: RecordId,
        indexes: &'i mut Indexes,
    ) -> Result<&'i mut Vec<Label>, RowError> {
        Ok(match indexes.entry(id) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert((self.labels)(id)?),
        })
    }

    /// Stores a value, and tells its version about it.
    fn attach(
        &self,
        version: &mut VersionRecord,
        payload: &SealedValue,
        out: &mut Vec<PlannedRow>,
    ) -> Result<(), RowError> {
        let VersionRecord { id, seq, version_id, .. } = &*version;
        let wrap = self.keys.wrap_value_key(*id, *seq, version_id, &payload.key, self.entropy)?;
        for (chunk, part) in (0_u16..).zip(payload.sealed.chunks(CHUNK_BYTES)) {
            let mut value = Vec::with_capacity(part.len() + 1);
            value.push(rows::BLOB_FORMAT);
            value.extend_from_slice(part);
            let key = rows::blob_key(*id, *seq, chunk);
            let value = Some(value.into());
            out.push(RowChange { tree: Tree::Blobs, key: key.into(), value }.into());
        }
        version.payload = Some(payload.shape);
        version.wrapped = Some(wrap.into());
        Ok(())
    }

    /// Seals a row, and says what it holds.
    fn put(
        &self,
        tree: Tree,
        key: &[u8],
        content: Result<Vec<u8>, CodecError>,
        opened: Opened,
    ) -> Result<PlannedRow, RowError> {
        let change = self.sealed(tree, key, content)?;
        Ok(PlannedRow { change, opened: Some(opened), is_new: false })
    }

    fn sealed(
        &self,
        tree: Tree,
        key: &[u8],
        content: Result<Vec<u8>, CodecError>,
    ) -> Result<RowChange, RowError> {
        sealed_row((self.keys, self.entropy), tree, key, content)
    }
}

/// A row with this content, sealed.
pub(super) fn sealed_row(
    (keys, entropy): (&Keyring, &dyn Entropy),
    tree: Tree,
    key: &[u8],
    content: Result<Vec<u8>, CodecError>,
) -> Result<RowChange, RowError> {
    let content = content.map_err(|CodecError| RowError::Plan("ROW-7"))?;
    let sealed = keys.seal_row(tree, key, content, entropy)?;
    Ok(RowChange { tree, key: key.into(), value: Some(sealed.into()) })
}

/// A tombstone.
pub(crate) fn drop_row(tree: Tree, key: &[u8]) -> RowChange {
    RowChange { tree, key: key.into(), value: None }
}
