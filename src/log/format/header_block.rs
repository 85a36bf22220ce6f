//! The header block of segments and snapshots: padded and signed.

use crate::codec::Reader;
use crate::log::error::LogError;
use crate::log::files;
use crate::log::files::LogContext;
use crate::log::format::frame;

/// Bytes of the header block; the first frame begins here.
pub(crate) const HEADER_BYTES: usize = 4096;
/// The format of segments.
pub(crate) const SEGMENT_FORMAT: u32 = 1;
/// Pads a header to `len` and signs it.
pub(crate) fn seal_block(
    context: &LogContext,
    domain: &'static str,
    mut bytes: Vec<u8>,
    len: usize,
) -> Vec<u8> {
    bytes.resize(len - frame::TAG_BYTES, 0);
    let tag = context.tag(domain, &[&bytes]);
    bytes.extend_from_slice(&tag);
    bytes
}

/// Checks magic, MAC and format of a header block; gives its format, from 1 to `newest`, and a reader after
/// the format fields. `rules`: for a bad magic or length, and for a bad MAC.
pub(crate) fn open_block<'a>(
    context: &LogContext,
    domain: &'static str,
    magic: [u8; 8],
    newest: u32,
    bytes: &'a [u8],
    name: &str,
    rules: [&'static str; 2],
) -> Result<(u32, Reader<'a>), LogError> {
    let [shape, mac] = rules;
    let damaged = |rule| LogError::damaged(name, 0, rule);
    let (signed, tag) =
        bytes.split_last_chunk::<{ frame::TAG_BYTES }>().ok_or_else(|| damaged(shape))?;
    let mut reader = Reader::new(signed);
    if reader.array::<8>().ok() != Some(magic) {
        return Err(damaged(shape));
    }
    if !files::same_tag(&context.tag(domain, &[signed]), tag) {
        return Err(damaged(mac));
    }
    let format = reader.u32().map_err(|_| damaged(shape))?;
    // The MAC is right, so this is not a flipped bit.
    if format > newest {
        return Err(LogError::NewerFormat { file: name.to_owned(), found: format, known: newest });
    }
    let zero = reader.u32().map_err(|_| damaged(shape))?;
    let vault: [u8; 16] = reader.array().map_err(|_| damaged(shape))?;
    if format > 0 && zero == 0 && vault == context.vault {
        Ok((format, reader))
    } else {
        Err(damaged(shape))
    }
}
