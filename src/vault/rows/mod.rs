//! The rows of the store: the key and the content of each fact.
//!
//! ```text
//! tree       key                                  sealed content
//! names      MAC(account, region, name) 32        id 16
//! secrets    id 16                                SecretRecord
//! versions   id 16 | seq u64 BE                   VersionRecord, with the box of its data key
//! blobs      id 16 | seq u64 BE | chunk u16 BE    (version byte, part of the sealed value)
//! tokens     id 16 | MAC(version id) 16           seq u64
//! labels     id 16                                all labels of the secret, each with its seq
//! meta       a fixed name                         per name
//! events     lsn u64 BE | number u16 BE           an event that waits
//! ```
//!
//! Numbers in keys are big-endian, so keys sort in the order of their numbers. Sealing binds each row to
//! its tree and key. Content is encoded by `codec` (rules ROW-7 to 11 of `docs/FORMAT.md`). These are the
//! rows of format 2; [`v1`] has what was different in format 1.
//!
//! - [`mod@anchors`]: the row that knows the anchor files
//! - [`content`]: the content of secrets, versions, labels and the small rows
//! - [`mod@events`]: events that wait, and the note about them
//! - [`cross_account`], [`external`], [`policies`], [`replication`], [`rotation`]: parts of a secret's
//!   content
//! - [`v1`]: rows of format 1, and the way from them to these
//! - [`versioned`]: the version byte in front of content

mod anchors;
mod content;
mod cross_account;
mod events;
mod external;
mod policies;
mod replication;
mod rotation;
pub(crate) mod v1;
mod versioned;

pub(crate) use anchors::{AnchorRow, Refresh, decode_anchors, encode_anchors};
pub(crate) use content::{
    Label, decode_id, decode_labels, decode_millis, decode_secret, decode_seq, decode_version,
    encode_id, encode_labels, encode_millis, encode_secret, encode_seq, encode_version,
};
pub(crate) use events::{
    META_EVENTS, Outbox, WaitingEvent, decode_event, encode_event, encode_outbox, event_key, outbox,
};

use crate::crypto::Keyring;
use crate::model::{Lsn, RecordId, Scope, Seq, Tree, VersionId};
use crate::store::Store;
use crate::vault::error::RowError;

/// Format of a row of `blobs`, its first byte.
pub(crate) const BLOB_FORMAT: u8 = 1;
/// `meta`: age of the oldest purge that no epoch switch has made final yet (I10).
pub(crate) const META_PURGE: &[u8] = b"purge";
/// `meta`: the anchor files of the vault (I12).
pub(crate) const META_ANCHORS: &[u8] = b"anchors";
/// `meta`: the generation of the keystore at the last change of a passphrase or key file. Nobody reads it: it
/// makes the frame that has that generation (RB-6).
pub(crate) const META_KEYSTORE: &[u8] = b"keystore";

/// The anchor files that these rows know.
pub(crate) fn anchors(rows: &dyn Store, keys: &Keyring) -> Result<AnchorRow, RowError> {
    match rows.get(Tree::Meta, META_ANCHORS)? {
        Some(row) => Ok(decode_anchors(&keys.open_row(Tree::Meta, META_ANCHORS, &row)?)?),
        None => Ok(AnchorRow::default()),
    }
}

/// Decodes and encodes content of any kind of row, for fuzz targets. `None`: it is refused.
#[cfg(feature = "__internals")]
pub(crate) fn written_again(kind: u8, bytes: &[u8]) -> Option<Vec<u8>> {
    let again = match kind {
        0 => encode_secret(&decode_secret(bytes).ok()?),
        1 => encode_version(&decode_version(bytes).ok()?),
        2 => encode_labels(&decode_labels(bytes).ok()?),
        3 => encode_id(decode_id(bytes).ok()?),
        4 => encode_seq(decode_seq(bytes).ok()?),
        5 => encode_millis(decode_millis(bytes).ok()?),
        6 => policies::encode(&policies::decode(bytes).ok()?),
        7 => replication::encode(&replication::decode(bytes, Scope::DEFAULT_REGION).ok()?),
        8 => rotation::encode(&rotation::decode(bytes).ok()?),
        9 => external::encode(&external::decode(bytes).ok()?),
        10 => cross_account::encode(&cross_account::decode(bytes).ok()?),
        11 => v1::encode_version(&v1::decode_version(bytes).ok()?),
        12 => v1::encode_label(&v1::decode_label(bytes).ok()?),
        13 => encode_event(&decode_event(bytes).ok()?),
        14 => encode_outbox(events::decode_outbox(bytes).ok()?),
        _ => return None,
    };
    // Content that decodes and does not encode shows as different bytes.
    Some(again.unwrap_or_default())
}

/// The id of a secret made in `scope` by the operation with this number.
pub(crate) fn fresh_id(keys: &Keyring, scope: &Scope, lsn: Lsn) -> RecordId {
    let mut id = [0; 16];
    let (head, tail) = id.split_at_mut(8);
    head.copy_from_slice(&keys.scope_index(scope));
    tail.copy_from_slice(&lsn.0.to_be_bytes());
    RecordId(id)
}

/// Key in `versions`.
pub(crate) fn version_key(id: RecordId, seq: Seq) -> [u8; 24] {
    let mut key = [0; 24];
    let (head, tail) = key.split_at_mut(16);
    head.copy_from_slice(&id.0);
    tail.copy_from_slice(&seq.0.to_be_bytes());
    key
}

/// Key in `blobs`.
pub(crate) fn blob_key(id: RecordId, seq: Seq, chunk: u16) -> [u8; 26] {
    let mut key = [0; 26];
    let (head, tail) = key.split_at_mut(24);
    head.copy_from_slice(&version_key(id, seq));
    tail.copy_from_slice(&chunk.to_be_bytes());
    key
}

/// An id and the first half of a keyed hash that is bound to it.
fn hashed_key(id: RecordId, hash: &[u8; 32]) -> [u8; 32] {
    let mut key = *hash;
    let (tail, _) = hash.split_at(16);
    let (to_id, to_hash) = key.split_at_mut(16);
    to_id.copy_from_slice(&id.0);
    to_hash.copy_from_slice(tail);
    key
}

/// Key in `tokens`.
pub(crate) fn token_key(keys: &Keyring, id: RecordId, version: &VersionId) -> [u8; 32] {
    hashed_key(id, &keys.token_index(id, version))
}
