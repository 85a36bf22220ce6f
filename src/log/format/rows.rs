//! One row as frames and snapshots hold it, and the types that hand rows around.
//!
//! ```text
//! row = tree u8, live u8, key length u16, value length u32, key, value
//! ```

use crate::codec::{CodecError, Reader};
use crate::log::error::LogError;
use crate::model::{RowChange, Tree};

/// Longest key of a row.
pub const KEY_BYTES_MAX: usize = 64;
/// Longest value of a row.
pub const VALUE_BYTES_MAX: usize = 256 << 10;
/// Takes one row: tree, key, value.
pub type RowVisitor<'a> = dyn FnMut(Tree, &[u8], &[u8]) -> Result<(), LogError> + 'a;
/// Hands every live row, in rising order of tree and key, to the visitor it is given.
pub type Rows<'a> = dyn FnMut(&mut RowVisitor<'_>) -> Result<(), LogError> + 'a;

/// Tree, key and length of the value (`None`: a tombstone) at the front of a row.
pub(crate) fn row_front<'a>(
    reader: &mut Reader<'a>,
) -> Result<(Tree, &'a [u8], Option<usize>), CodecError> {
    let tree = Tree::from_number(reader.u8()?).ok_or(CodecError)?;
    let live = match reader.u8()? {
        0 => false,
        1 => true,
        _ => return Err(CodecError),
    };
    let key_len = usize::from(reader.u16()?);
    let value_len = usize::try_from(reader.u32()?).map_err(|_| CodecError)?;
    let fits = (1..=KEY_BYTES_MAX).contains(&key_len)
        && value_len <= VALUE_BYTES_MAX
        && (live || value_len == 0);
    if !fits {
        return Err(CodecError);
    }
    Ok((tree, reader.take(key_len)?, live.then_some(value_len)))
}

/// Bytes of an encoded row.
pub(crate) fn row_bytes(row: &RowChange) -> usize {
    8 + row.key.len() + row.value.as_ref().map_or(0, |value| value.len())
}

/// Appends one row: tree u8, live u8, key length u16, value length u32, key, value.
pub(crate) fn encode_row(tree: Tree, key: &[u8], value: Option<&[u8]>, out: &mut Vec<u8>) -> bool {
    let bytes = value.unwrap_or_default();
    let (Ok(key_len), Ok(value_len)) = (u16::try_from(key.len()), u32::try_from(bytes.len()))
    else {
        return false;
    };
    let fits = (1..=KEY_BYTES_MAX).contains(&key.len()) && bytes.len() <= VALUE_BYTES_MAX;
    out.push(tree as u8);
    out.push(u8::from(value.is_some()));
    out.extend_from_slice(&key_len.to_le_bytes());
    out.extend_from_slice(&value_len.to_le_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(bytes);
    fits
}
