//! Writing a whole snapshot and reading it back.

use crate::log::error::LogError;
use crate::log::files;
use crate::log::files::{FileKind, LogContext};
use crate::log::format::rows::Rows;
use crate::log::format::snapshot::{SnapshotReader, SnapshotRecord, SnapshotWriter};
use crate::log::format::tail::Tail;
use crate::log::types::RowFormat;

pub(crate) fn write_verified(
    context: &LogContext,
    number: u64,
    tail: Tail,
    format: RowFormat,
    rows: &mut Rows<'_>,
) -> Result<SnapshotRecord, LogError> {
    let written = (|| {
        let mut writer = SnapshotWriter::create(context, number, tail, format)?;
        rows(&mut |tree, key, value| writer.push(tree, key, value))?;
        let record = writer.finish()?;
        read_back(context, &record)?;
        Ok(record)
    })();
    if written.is_err() {
        // Never named: the next attempt overwrites what is left.
        let _ = context.remove(FileKind::Snapshot, number);
    }
    written
}

/// SNAP-7: reads a snapshot whole and compares its rows with the digest that it must have.
pub(crate) fn read_back(context: &LogContext, record: &SnapshotRecord) -> Result<(), LogError> {
    let mut reader = SnapshotReader::open(context, record)?;
    let mut sum = context.auth.new_sum();
    while let Some(row) = reader.next()? {
        if row.tree.is_digested() {
            sum.add(row.tree, reader.key(&row), reader.value(&row));
        }
    }
    let wanted = &record.tail.end;
    if files::same_tag(&sum.digest(wanted.lsn), &wanted.digest) {
        Ok(())
    } else {
        Err(LogError::damaged(FileKind::Snapshot.name(record.number), 0, "SNAP-7"))
    }
}
