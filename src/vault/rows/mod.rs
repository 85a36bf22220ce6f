//! Rows of the store: where a fact lies and how it is written.
//!
//! ```text
//! tree       key                                  sealed content
//! names      MAC(account, region, name) 32        id 16
//! secrets    id 16                                SecretRecord
//! versions   id 16 | seq u64 BE                   VersionRecord
//! keys       id 16 | seq u64 BE                   (a wrap of its own, see `crypto`)
//! blobs      id 16 | seq u64 BE | chunk u16 BE    (version byte, part of the sealed value)
//! tokens     id 16 | MAC(version id) 16           seq u64
//! labels     id 16 | MAC(label) 16                label, seq
//! meta       a fixed name                         per name
//! ```
//!
//! Numbers in keys are big-endian so that key order is their order. Sealing binds each row to its
//! tree and key; content is `codec`-encoded (rules ROW-n of `docs/FORMAT.md`).

mod content;

pub(crate) use content::{
    LabelRow, decode_id, decode_label, decode_millis, decode_secret, decode_seq, decode_version, encode_id,
    encode_label, encode_millis, encode_secret, encode_seq, encode_version,
};

use crate::crypto::Keyring;
use crate::model::{RecordId, Scope, SecretName, Seq, Stage, VersionId};

/// Format of a row of `blobs`, its first byte.
pub(crate) const BLOB_FORMAT: u8 = 1;
/// `meta`: age of the oldest purge that no epoch switch has made real yet (I10).
pub(crate) const META_PURGE: &[u8] = b"purge";

/// First 8 bytes of the ids of a scope's secrets.
pub(crate) fn scope_prefix(keys: &Keyring, scope: &Scope) -> [u8; 8] {
    let mac = keys.names().mac("scope", &[scope.account.as_bytes(), scope.region.as_bytes()]);
    let [a, b, c, d, e, f, g, h, ..] = mac;
    [a, b, c, d, e, f, g, h]
}

/// The id of a secret made in `scope` by the operation with this number.
pub(crate) fn fresh_id(keys: &Keyring, scope: &Scope, lsn: crate::model::Lsn) -> RecordId {
    let mut id = [0; 16];
    let (head, tail) = id.split_at_mut(8);
    head.copy_from_slice(&scope_prefix(keys, scope));
    tail.copy_from_slice(&lsn.0.to_be_bytes());
    RecordId(id)
}

/// Key in `names`.
pub(crate) fn name_key(keys: &Keyring, scope: &Scope, name: &SecretName) -> [u8; 32] {
    keys.names().mac("name", &[scope.account.as_bytes(), scope.region.as_bytes(), name.as_str().as_bytes()])
}

/// Key in `versions` and `keys`.
pub(crate) fn version_key(id: RecordId, seq: Seq) -> [u8; 24] {
    let mut key = [0; 24];
    let (head, tail) = key.split_at_mut(16);
    head.copy_from_slice(&id.0);
    tail.copy_from_slice(&seq.0.to_be_bytes());
    key
}

/// The id and number that a key of `versions` or `keys` names.
pub(crate) fn parse_version_key(key: &[u8]) -> Option<(RecordId, Seq)> {
    let (id, seq) = key.split_first_chunk::<16>()?;
    Some((RecordId(*id), Seq(u64::from_be_bytes(seq.try_into().ok()?))))
}

/// Key in `blobs`.
pub(crate) fn blob_key(id: RecordId, seq: Seq, chunk: u16) -> [u8; 26] {
    let mut key = [0; 26];
    let (head, tail) = key.split_at_mut(24);
    head.copy_from_slice(&version_key(id, seq));
    tail.copy_from_slice(&chunk.to_be_bytes());
    key
}

fn hashed_key(keys: &Keyring, id: RecordId, domain: &'static str, text: &str) -> [u8; 32] {
    let mac = keys.names().mac(domain, &[&id.0, text.as_bytes()]);
    let mut key = [0; 32];
    let (head, tail) = key.split_at_mut(16);
    head.copy_from_slice(&id.0);
    for (to, from) in tail.iter_mut().zip(mac) {
        *to = from;
    }
    key
}

/// Key in `tokens`.
pub(crate) fn token_key(keys: &Keyring, id: RecordId, version: &VersionId) -> [u8; 32] {
    hashed_key(keys, id, "token", version.as_str())
}

/// Key in `labels`.
pub(crate) fn label_key(keys: &Keyring, id: RecordId, stage: &Stage) -> [u8; 32] {
    hashed_key(keys, id, "label", stage.as_str())
}
