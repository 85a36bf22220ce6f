//! Encodes and decodes records. The only module that names bincode.
//!
//! Fixed-width little-endian integers, a byte limit on every decode, no trailing bytes, slices
//! only (a reader would let a hostile length allocate without bound). Formats are
//! `[version: u8][bincode of a private record struct]`; the caller dispatches on the version byte.
//! Plaintext values are never serialised here: only sealed bytes and metadata are.

use bincode::Options;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Bytes do not decode: too long, too short, trailing bytes, an unknown variant, bad UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bytes do not decode")]
pub struct CodecError;

fn options(limit_bytes: u64) -> impl Options {
    bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .with_limit(limit_bytes)
        .reject_trailing_bytes()
}

/// Encodes `record` behind `head`, in one allocation of the right length, so that growing leaves no copy behind.
/// Fails only if the record is longer than `limit_bytes`.
pub fn encode<T: Serialize>(
    head: &[u8],
    record: &T,
    limit_bytes: u64,
) -> Result<Vec<u8>, CodecError> {
    let len = options(limit_bytes).serialized_size(record).map_err(|_| CodecError)?;
    let len = usize::try_from(len).map_err(|_| CodecError)?;
    let mut bytes = Vec::with_capacity(head.len() + len);
    bytes.extend_from_slice(head);
    // Its length is known to be within the limit.
    let unlimited = bincode::DefaultOptions::new().with_fixint_encoding().with_no_limit();
    unlimited.serialize_into(&mut bytes, record).map_err(|_| CodecError)?;
    Ok(bytes)
}

/// Decodes all of `bytes`. Total: any input gives a record or an error, and allocates at most a
/// small multiple of `bytes.len()`.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], limit_bytes: u64) -> Result<T, CodecError> {
    if bytes.len() as u64 > limit_bytes {
        return Err(CodecError);
    }
    options(limit_bytes).deserialize(bytes).map_err(|_| CodecError)
}

/// A byte string that bincode copies in one move instead of element by element.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

/// Reads fixed-layout bytes from the front. Total: running out is an error, never a panic.
#[derive(Clone, Copy)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the front of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], CodecError> {
        let (head, tail) = self.0.split_at_checked(len).ok_or(CodecError)?;
        self.0 = tail;
        Ok(head)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(CodecError)?;
        self.0 = tail;
        Ok(*head)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, CodecError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A little-endian `u16`.
    pub fn u16(&mut self) -> Result<u16, CodecError> {
        self.array().map(u16::from_le_bytes)
    }

    /// A little-endian `u32`.
    pub fn u32(&mut self) -> Result<u32, CodecError> {
        self.array().map(u32::from_le_bytes)
    }

    /// A little-endian `u64`.
    pub fn u64(&mut self) -> Result<u64, CodecError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A little-endian `i64`.
    pub fn i64(&mut self) -> Result<i64, CodecError> {
        self.array().map(i64::from_le_bytes)
    }

    /// What is left.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Nothing may be left: formats have no trailing bytes.
    pub fn finish(self) -> Result<(), CodecError> {
        if self.0.is_empty() { Ok(()) } else { Err(CodecError) }
    }
}
