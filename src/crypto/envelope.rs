//! Sealed values (ENV-1 to ENV-5).
//!
//! ```text
//! sealed    = nonce (24) | ciphertext of padded | tag (16)
//! padded    = length: u32 | value | zeros, up to max(256, Padme(4 + length))
//! AAD       = "strongroom/v1/value" | vault id (16) | kind: u8 | padded length: u32
//! ```
//!
//! Each value has a fresh key that seals nothing else. The value is therefore not bound to a secret
//! itself: the wrap of its key is, and a key rotation rewrites only the wrap.

use super::aead::{Aad, OVERHEAD_BYTES, SealKey};
use super::{CryptoError, Keyring, ValueKey};
use crate::env::Entropy;
use crate::model::PayloadShape;
use crate::model::limits::{CHUNK_BYTES, VALUE_BYTES_MAX};
use crate::secret::{PayloadKind, SecretBytes, SecretValue};
use zeroize::{Zeroize, Zeroizing};

const LENGTH_BYTES: usize = 4;
const PADDED_BYTES_MIN: usize = 256;

/// A sealed value on its way to the commit pipeline, with the key that opens it.
pub struct SealedValue {
    /// Opens `sealed`; wrapped by the pipeline after the plan.
    pub key: ValueKey,
    /// `nonce | ciphertext | tag`: what the chunks in tree `blobs` hold.
    pub sealed: Vec<u8>,
    /// The facts about `sealed` that the version's record keeps.
    pub shape: PayloadShape,
}

impl SealedValue {
    /// The shape of sealed bytes, for comparing with a version's record. `None` if no sealed value
    /// can have that length.
    #[must_use]
    pub fn shape_of(sealed: &[u8]) -> Option<PayloadShape> {
        let tag = *sealed.last_chunk::<16>()?;
        let sealed_bytes = u32::try_from(sealed.len()).ok()?;
        let chunks = u16::try_from(sealed.len().div_ceil(CHUNK_BYTES)).ok()?;
        Some(PayloadShape { sealed_bytes, chunks, tag })
    }
}

/// Bytes of stack that are wiped. The frames of the cipher and of `seal_here` are smaller.
const STACK_BYTES: usize = 8 * 1024;

/// Wipes the stack below the caller. The cipher works on blocks of a value there, and the last of them stays
/// until another call needs its place (I8).
#[inline(never)]
fn wipe_stack() {
    // The barrier makes the compiler believe that somebody reads the zeros.
    let stack = [0_u8; STACK_BYTES];
    zeroize::optimization_barrier(&stack);
}

impl Keyring {
    /// Seals a value under a fresh data key. Needs no plan, no identity and no epoch, so callers do
    /// it on their own threads. [`CryptoError::TooLong`] above [`VALUE_BYTES_MAX`].
    pub fn seal_value(
        &self,
        value: &SecretValue,
        entropy: &dyn Entropy,
    ) -> Result<SealedValue, CryptoError> {
        let sealed = self.seal_here(value, entropy);
        wipe_stack();
        sealed
    }

    /// The same, with traces of the value left on the stack.
    #[inline(never)]
    fn seal_here(
        &self,
        value: &SecretValue,
        entropy: &dyn Entropy,
    ) -> Result<SealedValue, CryptoError> {
        // EXPOSE: the value is copied once, to where its ciphertext will stand, and hashed.
        let bytes = value.bytes().expose();
        if bytes.len() > VALUE_BYTES_MAX {
            return Err(CryptoError::TooLong);
        }
        let length = u32::try_from(bytes.len()).map_err(|_| CryptoError::TooLong)?;
        let kind = kind_number(value.kind());
        let mut payload_mac = self.payload().mac("payload", &[&[kind], bytes]);
        let key = ValueKey::generate(&payload_mac, entropy);
        payload_mac.zeroize();
        let key = key?;
        let padded_bytes = padded_len(bytes.len());
        let aad = self.value_aad(value.kind(), padded_bytes)?;
        let sealed = SealKey::new(key.data_key()).seal(&[], &aad, padded_bytes, entropy, |body| {
            let (head, rest) = body.split_at_mut(LENGTH_BYTES);
            head.copy_from_slice(&length.to_le_bytes());
            // The padding behind the value stays zeros.
            let (content, _) = rest.split_at_mut(bytes.len());
            content.copy_from_slice(bytes);
        });
        let sealed = sealed?;
        let shape = SealedValue::shape_of(&sealed).ok_or(CryptoError::TooLong)?;
        Ok(SealedValue { key, sealed, shape })
    }

    /// Opens a value. Any input gives a value or an error. The checks are strict: one padded length,
    /// zeros after the value, UTF-8 in text.
    pub fn open_value(
        &self,
        kind: PayloadKind,
        key: &ValueKey,
        sealed: &[u8],
    ) -> Result<SecretValue, CryptoError> {
        let damaged = |rule| CryptoError::Damaged { rule };
        let padded_bytes = sealed
            .len()
            .checked_sub(OVERHEAD_BYTES)
            .filter(|len| (PADDED_BYTES_MIN..=padded_len(VALUE_BYTES_MAX)).contains(len))
            .ok_or(damaged("ENV-1"))?;
        let aad = self.value_aad(kind, padded_bytes)?;
        let padded = SealKey::new(key.data_key()).open(&aad, sealed);
        wipe_stack();
        let padded = padded.ok_or(damaged("ENV-2"))?;
        let bytes = unpad(&padded)?;
        if kind == PayloadKind::String && std::str::from_utf8(bytes).is_err() {
            return Err(damaged("ENV-5"));
        }
        let bytes = SecretBytes::copy_from(bytes);
        Ok(match kind {
            PayloadKind::String => SecretValue::String(bytes),
            PayloadKind::Binary => SecretValue::Binary(bytes),
        })
    }

    fn value_aad(&self, kind: PayloadKind, padded_bytes: usize) -> Result<Aad, CryptoError> {
        let padded_bytes = u32::try_from(padded_bytes).map_err(|_| CryptoError::TooLong)?;
        Ok(Aad::new("strongroom/v1/value", self.vault_id())
            .with(&[kind_number(kind)])
            .with(&padded_bytes.to_le_bytes()))
    }
}

/// Seals `padded` as it is, so that the fuzzer reaches the code behind the seal.
#[cfg(feature = "__internals")]
#[doc(hidden)]
pub fn seal_padded(
    keys: &Keyring,
    kind: PayloadKind,
    key: &ValueKey,
    padded: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, CryptoError> {
    let aad = keys.value_aad(kind, padded.len())?;
    SealKey::new(key.data_key()).seal(&[], &aad, padded.len(), entropy, |body| {
        body.copy_from_slice(padded);
    })
}

fn kind_number(kind: PayloadKind) -> u8 {
    match kind {
        PayloadKind::String => 1,
        PayloadKind::Binary => 2,
    }
}

/// The value inside padded plaintext.
fn unpad(padded: &Zeroizing<Vec<u8>>) -> Result<&[u8], CryptoError> {
    let damaged = |rule| CryptoError::Damaged { rule };
    let (length, rest) = padded.split_first_chunk::<LENGTH_BYTES>().ok_or(damaged("ENV-3"))?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| damaged("ENV-3"))?;
    if length > VALUE_BYTES_MAX || padded_len(length) != padded.len() {
        return Err(damaged("ENV-3"));
    }
    let (bytes, padding) = rest.split_at_checked(length).ok_or(damaged("ENV-3"))?;
    // A fold takes the same time wherever the padding is wrong.
    if padding.iter().fold(0, |all, byte| all | byte) != 0 {
        return Err(damaged("ENV-4"));
    }
    Ok(bytes)
}

/// The padded length of a value of `value_bytes`: Padme (Nikitin and others, PETS 2019) keeps as
/// many leading bits of a length as its exponent has, so a length shows little and costs at most
/// 12 percent; below 256 bytes all look alike.
fn padded_len(value_bytes: usize) -> usize {
    let len = value_bytes.saturating_add(LENGTH_BYTES);
    if len <= PADDED_BYTES_MIN {
        return PADDED_BYTES_MIN;
    }
    let exponent = len.ilog2();
    let kept_bits = exponent.ilog2() + 1;
    let mask = (1_usize << (exponent - kept_bits)) - 1;
    len.saturating_add(mask) & !mask
}

#[cfg(test)]
mod tests;
