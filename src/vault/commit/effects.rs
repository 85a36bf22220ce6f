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
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Turns effects into rows.
pub(crate) struct Sealer<'a> {
    pub(crate) keys: &'a Keyring,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) lsn: Lsn,
    pub(crate) payload: Option<&'a SealedValue>,
    pub(crate) copies: &'a Copies,
    /// The labels of a secret as they are before the plan.
    pub(crate) labels: &'a dyn Fn(RecordId) -> Result<Vec<Label>, RowError>,
}

/// Labels of secrets while effects change them.
type Indexes = BTreeMap<RecordId, Vec<Label>>;

impl Sealer<'_> {
    /// The rows of one plan: each (tree, key) at most once, at most 256 (I2).
    pub(crate) fn rows(&self, effects: Vec<Effect>) -> Result<Vec<RowChange>, RowError> {
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
                drop_row(Tree::Labels, &id.0)
            } else {
                self.put(Tree::Labels, &id.0, rows::encode_labels(&labels))?
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
        out: &mut Vec<RowChange>,
    ) -> Result<(), RowError> {
        match effect {
            Effect::PutSecret(mut record) => {
                record.lsn = self.lsn;
                out.push(self.put(Tree::Secrets, &record.id.0, rows::encode_secret(&record))?);
            }
            Effect::BindName(record) => {
                let key = self.keys.name_index(&record.scope, &record.name);
                out.push(self.put(Tree::Names, &key, rows::encode_id(record.id))?);
            }
            Effect::FreeName(record) => {
                out.push(drop_row(Tree::Names, &self.keys.name_index(&record.scope, &record.name)));
            }
            Effect::DropSecret(id) => out.push(drop_row(Tree::Secrets, &id.0)),
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
                let key = rows::version_key(version.id, version.seq);
                out.push(self.put(Tree::Versions, &key, rows::encode_version(&version))?);
                let token = rows::token_key(self.keys, version.id, &version.version_id);
                out.push(self.put(Tree::Tokens, &token, rows::encode_seq(version.seq))?);
            }
            // The `PutVersion` of the same plan writes it, because it knows the version's id.
            Effect::AttachPayload(_) | Effect::CopyPayload { .. } => {}
            Effect::DropVersion(version) => {
                let key = rows::version_key(version.id, version.seq);
                out.push(drop_row(Tree::Versions, &key));
                out.push(drop_row(
                    Tree::Tokens,
                    &rows::token_key(self.keys, version.id, &version.version_id),
                ));
                if let Some(shape) = version.payload {
                    out.extend((0..shape.chunks).map(|chunk| {
                        drop_row(Tree::Blobs, &rows::blob_key(version.id, version.seq, chunk))
                    }));
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
                out.push(self.put(Tree::Meta, rows::META_PURGE, rows::encode_millis(age))?);
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
        out: &mut Vec<RowChange>,
    ) -> Result<(), RowError> {
        let VersionRecord { id, seq, version_id, .. } = &*version;
        let wrap = self.keys.wrap_value_key(*id, *seq, version_id, &payload.key, self.entropy)?;
        for (chunk, part) in (0_u16..).zip(payload.sealed.chunks(CHUNK_BYTES)) {
            let mut value = Vec::with_capacity(part.len() + 1);
            value.push(rows::BLOB_FORMAT);
            value.extend_from_slice(part);
            let key = rows::blob_key(*id, *seq, chunk);
            out.push(RowChange { tree: Tree::Blobs, key: key.into(), value: Some(value.into()) });
        }
        version.payload = Some(payload.shape);
        version.wrapped = Some(wrap.into());
        Ok(())
    }

    fn put(
        &self,
        tree: Tree,
        key: &[u8],
        content: Result<Vec<u8>, CodecError>,
    ) -> Result<RowChange, RowError> {
        let content = content.map_err(|CodecError| RowError::Plan("ROW-7"))?;
        let sealed = self.keys.seal_row(tree, key, content, self.entropy)?;
        Ok(RowChange { tree, key: key.into(), value: Some(sealed.into()) })
    }
}

/// A tombstone.
pub(crate) fn drop_row(tree: Tree, key: &[u8]) -> RowChange {
    RowChange { tree, key: key.into(), value: None }
}
