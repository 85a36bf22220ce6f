//! Encodes content with a version byte in front (rule ROW-7).

use crate::codec::{self, CodecError};
use crate::log;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest content in bytes: 50 tags of the longest kind and the longest policy, all of 4-byte
/// characters, with replicas, rotation and a partner's metadata beside them.
pub(super) const CONTENT_BYTES_MAX: u64 = 224 * 1024;
/// A batch in which every operation writes such a row still fits a frame, with room for its values.
const _: () = assert!(
    CONTENT_BYTES_MAX * log::FRAME_SETS_MAX as u64 + (8 << 20) <= log::FRAME_BYTES_MAX as u64
        && CONTENT_BYTES_MAX + 1024 <= log::VALUE_BYTES_MAX as u64
);
/// Format of every content but that of versions, labels and some secrets.
const VERSION: u8 = 1;

/// Encodes content under the version byte.
pub(super) fn encode<T: Serialize>(content: &T) -> Result<Vec<u8>, CodecError> {
    encode_as(VERSION, content)
}

/// Encodes content under another version byte.
pub(super) fn encode_as<T: Serialize>(version: u8, content: &T) -> Result<Vec<u8>, CodecError> {
    codec::encode(&[version], content, CONTENT_BYTES_MAX)
}

/// Decodes content with the version byte.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    decode_as(VERSION, bytes)
}

/// Decodes content with another version byte.
pub(super) fn decode_as<T: DeserializeOwned>(version: u8, bytes: &[u8]) -> Result<T, CodecError> {
    match bytes.split_first() {
        Some((found, content)) if *found == version => decode_content(content),
        _ => Err(CodecError),
    }
}

/// Decodes content whose version byte is already taken off.
pub(super) fn decode_content<T: DeserializeOwned>(content: &[u8]) -> Result<T, CodecError> {
    codec::decode(content, CONTENT_BYTES_MAX)
}
