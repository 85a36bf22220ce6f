//! Brings a log of an older format over: a snapshot of the same facts in rows of the newest format, and a
//! manifest that names nothing else.
//!
//! - **BA1** Nothing that the old manifest names is touched before the new one is durable in both copies. So
//!   a crash leaves the old log whole, or the new one.
//! - **BA2** The new snapshot is synced and read back whole, with its digest, before the manifest names it.
//! - **BA3** The old files are removed by the sweep of the next [`Recovered::start`].

use crate::env::faults::Fault;
use crate::log::error::LogError;
use crate::log::files::FileKind;
use crate::log::format::manifest::Manifest;
use crate::log::format::rows::Rows;
use crate::log::recover::Recovered;
use crate::log::types::{End, RowFormat};
use crate::log::write::{Before, write_anew};

impl Recovered {
    /// Replaces the log by one of the newest format. `rows` say in that format what the rows at the end of
    /// this log say; `end` follows this log's end and has their digest. Open the log again after it.
    ///
    /// # Errors
    /// After any error an open finds the old log or the new one. After [`LogError::NoSpace`] it is the old one,
    /// unless the disk needs space even to overwrite the manifest.
    pub fn begin_anew(&self, end: End, rows: &mut Rows<'_>) -> Result<(), LogError> {
        if self.manifest.format >= RowFormat::NEWEST || end.lsn <= self.end().lsn {
            return Err(LogError::Refused { what: "this log needs no newer format" });
        }
        self.begin_as(RowFormat::NEWEST, end, rows)
    }

    /// The same in any format. Only tests of what brings a vault over begin an older one.
    pub fn begin_as(
        &self,
        format: RowFormat,
        end: End,
        rows: &mut Rows<'_>,
    ) -> Result<(), LogError> {
        let context = &self.context;
        let Manifest { generation, last, next_snapshot, .. } = self.manifest;
        // Never named: what an earlier attempt has left there is overwritten.
        let before = Before { generation, last, snapshot: next_snapshot };
        // It has no end mark, so the next start sweeps. That no segment follows the snapshot proves the end.
        let manifest = write_anew(context, &before, format, end, rows)?;
        if self.options.faults.active(Fault::MigrationFreesFirst) {
            context.remove(FileKind::Snapshot, self.manifest.snapshot.number)?;
            context.sync_folder()?;
        }
        manifest.write(context, &self.twin)
    }
}
