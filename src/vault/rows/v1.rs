//! Rows of format 1, and the way from them to format 2.
//!
//! ```text
//! versions   id 16 | seq u64 BE       VersionRecord, without a box
//! keys       id 16 | seq u64 BE       the box of a version's data key, not sealed again
//! labels     id 16 | MAC(label) 16    label, seq: a row for each label
//! ```
//!
//! All other rows are the same in both formats. A vault whose manifest says format 1 is read through
//! [`changes_to_format_2`], and written only after it was brought over.

use super::content::{LabelV1, VersionV1, encode_version as encode_version_2};
use super::versioned::decode;
use super::{Label, encode_labels, version_key};
use crate::codec::CodecError;
use crate::crypto::Keyring;
use crate::env::Entropy;
use crate::model::{RecordId, RowChange, Stage, Tree, VersionRecord};
use crate::store::Store;
use crate::vault::error::RowError;
use std::collections::BTreeMap;

/// Bytes of a key of `labels` in format 1. In format 2 it is the id alone.
const LABEL_KEY_BYTES: usize = 32;
/// The version byte of a version's content in format 1.
const VERSION: u8 = 1;

pub(crate) fn decode_version(bytes: &[u8]) -> Result<VersionRecord, CodecError> {
    decode::<VersionV1>(bytes)?.record(None)
}

pub(crate) fn decode_label(bytes: &[u8]) -> Result<Label, CodecError> {
    decode::<LabelV1>(bytes)?.label()
}

fn label_key(keys: &Keyring, id: RecordId, stage: &Stage) -> [u8; LABEL_KEY_BYTES] {
    super::hashed_key(id, &keys.label_index(id, stage))
}

/// Whether some row is one that only format 1 has. For rows of a log whose manifest cannot be asked.
pub(crate) fn has_rows_of_format_1(rows: &dyn Store, keys: &Keyring) -> Result<bool, RowError> {
    let mut found = false;
    rows.scan(Tree::Keys, &mut |_, _| found = true)?;
    rows.scan(Tree::Labels, &mut |key, _| found |= key.len() == LABEL_KEY_BYTES)?;
    if !found {
        rows.scan(Tree::Versions, &mut |key, row| {
            let content = (!found).then(|| keys.open_row(Tree::Versions, key, row).ok()).flatten();
            found |= content.is_some_and(|content| content.first() == Some(&VERSION));
        })?;
    }
    Ok(found)
}

/// A version with the box of its data key.
pub(crate) fn version(
    rows: &dyn Store,
    keys: &Keyring,
    key: &[u8],
    row: &[u8],
) -> Result<VersionRecord, RowError> {
    let mut version = decode_version(&keys.open_row(Tree::Versions, key, row)?)?;
    if version_key(version.id, version.seq) != key {
        return Err(RowError::Row("ROW-8"));
    }
    if version.payload.is_some() {
        version.wrapped = rows.get(Tree::Keys, key)?;
    }
    Ok(version)
}

/// What makes rows of format 1 rows of format 2: absolute changes, each place at most once. A row that does
/// not open becomes one that does not open either, so that only the operations that need it fail.
pub(crate) fn changes_to_format_2(
    rows: &dyn Store,
    keys: &Keyring,
    entropy: &dyn Entropy,
) -> Result<Vec<RowChange>, RowError> {
    let mut changes = Vec::new();
    let put = |tree: Tree, key: &[u8], content: Result<Vec<u8>, CodecError>| {
        let content = content.map_err(|CodecError| RowError::Plan("ROW-7"))?;
        let sealed = keys.seal_row(tree, key, content, entropy)?;
        Ok::<_, RowError>(RowChange { tree, key: key.into(), value: Some(sealed.into()) })
    };
    each(rows, Tree::Versions, &mut |key, row| {
        changes.push(match version(rows, keys, key, row) {
            Ok(version) => put(Tree::Versions, key, encode_version_2(&version))?,
            Err(error) => broken(Tree::Versions, key, row, error)?,
        });
        Ok(())
    })?;
    each(rows, Tree::Keys, &mut |key, _| {
        changes.push(gone(Tree::Keys, key));
        Ok(())
    })?;
    // The labels of a secret lie together.
    let mut of_one: Option<(RecordId, Vec<Label>)> = None;
    let mut indexes = Vec::new();
    let mut spoiled = BTreeMap::new();
    each(rows, Tree::Labels, &mut |key, row| {
        changes.push(gone(Tree::Labels, key));
        // No secret has a shorter key.
        let Some(id) = key.first_chunk().map(|id| RecordId(*id)) else { return Ok(()) };
        let label = match label(keys, id, key, row) {
            Ok(label) => label,
            Err(error) => {
                spoiled.insert(id, broken(Tree::Labels, &id.0, row, error)?);
                return Ok(());
            }
        };
        match &mut of_one {
            Some((same, labels)) if *same == id => labels.push(label),
            _ => indexes.extend(of_one.replace((id, vec![label]))),
        }
        Ok(())
    })?;
    indexes.extend(of_one);
    // Without one of its labels a secret would answer wrongly.
    indexes.retain(|(id, _)| !spoiled.contains_key(id));
    changes.extend(spoiled.into_values());
    for (id, mut labels) in indexes {
        labels.sort();
        changes.push(put(Tree::Labels, &id.0, encode_labels(&labels))?);
    }
    Ok(changes)
}

fn label(keys: &Keyring, id: RecordId, key: &[u8], row: &[u8]) -> Result<Label, RowError> {
    let label = decode_label(&keys.open_row(Tree::Labels, key, row)?)?;
    if label_key(keys, id, &label.0) == key { Ok(label) } else { Err(RowError::Row("ROW-8")) }
}

/// A row that opens in no format, for one that did not open. An error of the store is passed on.
fn broken(tree: Tree, key: &[u8], row: &[u8], error: RowError) -> Result<RowChange, RowError> {
    if matches!(error, RowError::Store(_)) {
        return Err(error);
    }
    // Without its last byte no seal holds.
    let rest = row.split_last().map_or(&[][..], |(_, rest)| rest);
    Ok(RowChange { tree, key: key.into(), value: Some(rest.into()) })
}

/// Takes a row: key and value.
type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), RowError> + 'a;

/// Visits the rows of a tree until one is refused.
fn each(rows: &dyn Store, tree: Tree, visit: &mut Visit<'_>) -> Result<(), RowError> {
    let mut outcome = Ok(());
    rows.scan(tree, &mut |key, row| {
        if outcome.is_ok() {
            outcome = visit(key, row);
        }
    })?;
    outcome
}

fn gone(tree: Tree, key: &[u8]) -> RowChange {
    RowChange { tree, key: key.into(), value: None }
}

/// The way back, so that tests have vaults of format 1 that no program of today writes.
#[cfg(feature = "__internals")]
mod back {
    use super::{
        CodecError, Entropy, Keyring, Label, LabelV1, RecordId, RowChange, RowError, Store, Tree,
        VersionRecord, VersionV1, each, gone, label_key,
    };
    use crate::vault::rows::versioned::encode;
    use crate::vault::rows::{decode_labels, decode_version as decode_version_2};

    pub(crate) fn encode_version(version: &VersionRecord) -> Result<Vec<u8>, CodecError> {
        encode(&VersionV1::of(version))
    }

    pub(crate) fn encode_label(label: &Label) -> Result<Vec<u8>, CodecError> {
        encode(&LabelV1::of(label))
    }

    /// What makes rows of format 2 rows of format 1. `None`: one of them does not open.
    pub fn changes_to_format_1(
        rows: &dyn Store,
        keys: &Keyring,
        entropy: &dyn Entropy,
    ) -> Option<Vec<RowChange>> {
        changes(rows, keys, entropy).ok()
    }

    fn changes(
        rows: &dyn Store,
        keys: &Keyring,
        entropy: &dyn Entropy,
    ) -> Result<Vec<RowChange>, RowError> {
        let mut changes = Vec::new();
        let put = |tree: Tree, key: &[u8], content: Vec<u8>| {
            let sealed = keys.seal_row(tree, key, content, entropy)?;
            Ok::<_, RowError>(RowChange { tree, key: key.into(), value: Some(sealed.into()) })
        };
        each(rows, Tree::Versions, &mut |key, row| {
            let version = decode_version_2(&keys.open_row(Tree::Versions, key, row)?)?;
            changes.push(put(Tree::Versions, key, encode_version(&version)?)?);
            if let Some(wrapped) = version.wrapped {
                changes.push(RowChange { tree: Tree::Keys, key: key.into(), value: Some(wrapped) });
            }
            Ok(())
        })?;
        each(rows, Tree::Labels, &mut |key, row| {
            let id = RecordId(*key.first_chunk().ok_or(RowError::Row("ROW-8"))?);
            changes.push(gone(Tree::Labels, key));
            for label in decode_labels(&keys.open_row(Tree::Labels, key, row)?)? {
                let key = label_key(keys, id, &label.0);
                changes.push(put(Tree::Labels, &key, encode_label(&label)?)?);
            }
            Ok(())
        })?;
        Ok(changes)
    }
}
#[cfg(feature = "__internals")]
pub use back::changes_to_format_1;
#[cfg(feature = "__internals")]
pub(crate) use back::{encode_label, encode_version};
