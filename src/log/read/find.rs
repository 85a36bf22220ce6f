//! One row of a snapshot, without reading the snapshot through.

use crate::log::error::LogError;
use crate::log::files::LogContext;
use crate::log::format::snapshot::{SnapshotIndex, SnapshotReader, SnapshotRecord};
use crate::model::Tree;

/// The value of a row in a snapshot, every byte of it authenticated: by header, footer, index and one block.
/// A snapshot of format 1 has no index and is read from its front.
pub(crate) fn find_row(
    context: &LogContext,
    record: &SnapshotRecord,
    tree: Tree,
    key: &[u8],
) -> Result<Option<Box<[u8]>>, LogError> {
    if let Some(index) = SnapshotIndex::open(context, record)? {
        return index.row(tree, key);
    }
    let mut reader = SnapshotReader::open(context, record)?;
    while let Some(row) = reader.next()? {
        if (row.tree, reader.key(&row)) == (tree, key) {
            return Ok(Some(reader.value(&row).into()));
        }
    }
    Ok(None)
}
