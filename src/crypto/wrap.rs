//! Data keys, and their wraps, which lie in the rows of their versions (ENV-6 to ENV-8).
//!
//! ```text
//! version: u8 = 1 | epoch term: u32 | nonce (24) | data key (32), payload MAC (32) | tag (16)
//! AAD = "strongroom/v1/wrap" | vault id (16) | secret id (16) | seq: u64 | epoch term: u32 | version id
//! ```
//!
//! A key rotation replaces these wraps and no value. The payload MAC is inside the box, beside the
//! data key: outside of it, the owner of an old file could confirm guesses at a purged value.

use super::aead::{Aad, OVERHEAD_BYTES};
use super::rows::check_version;
use super::{CryptoError, Keyring};
use crate::codec::Reader;
use crate::env::Entropy;
use crate::model::{RecordId, Seq, VersionId};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 5;
const SECRET_BYTES: usize = 64;
const ROW_BYTES: usize = HEAD_BYTES + SECRET_BYTES + OVERHEAD_BYTES;

const _: () = assert!(ROW_BYTES == 109, "ENV-6 is frozen in version 1");

/// The data key of one value and the keyed hash of its payload. On the heap and wiped on drop; no
/// `Debug`, no `Clone`.
pub struct ValueKey(Box<Zeroizing<[u8; SECRET_BYTES]>>);

impl ValueKey {
    pub(super) fn generate(
        payload_mac: &[u8; 32],
        entropy: &dyn Entropy,
    ) -> Result<Self, CryptoError> {
        let mut key = Self(Box::new(Zeroizing::new([0; SECRET_BYTES])));
        let (data, mac) = key.0.split_at_mut(32);
        entropy.fill(data).map_err(|_| CryptoError::Entropy)?;
        mac.copy_from_slice(payload_mac);
        Ok(key)
    }

    pub(super) fn data_key(&self) -> &[u8; 32] {
        self.halves().0
    }

    pub(super) fn payload_mac(&self) -> &[u8; 32] {
        self.halves().1
    }

    fn halves(&self) -> (&[u8; 32], &[u8; 32]) {
        const ZEROS: &[u8; 32] = &[0; 32];
        match self.0.as_chunks::<32>() {
            ([data, mac], []) => (data, mac),
            _ => (ZEROS, ZEROS),
        }
    }
}

impl Keyring {
    /// Whether two versions hold the same bytes of the same kind; compared in constant time.
    #[must_use]
    pub fn same_payload(a: &ValueKey, b: &ValueKey) -> bool {
        a.payload_mac().ct_eq(b.payload_mac()).into()
    }

    /// Wraps a version's data key under the current epoch: 109 bytes for the row of the version.
    ///
    /// Only the commit pipeline calls it, after the plan: until then neither the secret's identity nor
    /// the epoch is certain.
    pub fn wrap_value_key(
        &self,
        id: RecordId,
        seq: Seq,
        version: &VersionId,
        key: &ValueKey,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        let (term, epoch_key) = self.epochs().current()?;
        let mut head = [VERSION; HEAD_BYTES];
        let (_, term_bytes) = head.split_at_mut(1);
        term_bytes.copy_from_slice(&term.to_le_bytes());
        let aad = self.wrap_aad(id, seq, version, term);
        epoch_key.seal(&head, &aad, SECRET_BYTES, entropy, |body| {
            body.copy_from_slice(key.0.as_slice());
        })
    }

    /// Unwraps a version's data key. Any bytes give a key or an error. A wrap whose epoch was dropped is
    /// `Damaged { rule: "ENV-7" }`, because its key no longer exists.
    pub fn unwrap_value_key(
        &self,
        id: RecordId,
        seq: Seq,
        version: &VersionId,
        row: &[u8],
    ) -> Result<ValueKey, CryptoError> {
        const SHORT: CryptoError = CryptoError::Damaged { rule: "ENV-6" };
        const REFUSED: CryptoError = CryptoError::Damaged { rule: "ENV-8" };
        let mut reader = Reader::new(row);
        check_version(reader.u8().map_err(|_| SHORT)?, "ENV-6")?;
        let term = reader.u32().map_err(|_| SHORT)?;
        if row.len() != ROW_BYTES {
            return Err(SHORT);
        }
        let epoch_key =
            self.epochs().of_term(term).ok_or(CryptoError::Damaged { rule: "ENV-7" })?;
        let aad = self.wrap_aad(id, seq, version, term);
        let plain = epoch_key.open(&aad, reader.rest()).ok_or(REFUSED)?;
        let mut key = ValueKey(Box::new(Zeroizing::new([0; SECRET_BYTES])));
        key.0.copy_from_slice(plain.as_slice());
        Ok(key)
    }

    /// The epoch of a wrap; `None` if it is none.
    #[must_use]
    pub fn wrap_term(row: &[u8]) -> Option<u32> {
        let mut reader = Reader::new(row);
        let version = reader.u8().ok()?;
        (version == VERSION && row.len() == ROW_BYTES).then(|| reader.u32().ok())?
    }

    fn wrap_aad(&self, id: RecordId, seq: Seq, version: &VersionId, term: u32) -> Aad {
        Aad::new("strongroom/v1/wrap", self.vault_id())
            .with(&id.0)
            .with(&seq.0.to_le_bytes())
            .with(&term.to_le_bytes())
            .with(version.as_str().as_bytes())
    }
}
