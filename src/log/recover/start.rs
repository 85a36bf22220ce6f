//! Makes what an open found durable, and then the log ready for frames.
//!
//! - **R1** Only the last frame can be unsynced (W1). Writing that frame again and syncing it makes
//!   everything that was found durable.
//! - **R2** Both copies of the manifest are written again too, because a copy that an earlier process
//!   could not sync may be only in the page cache.

use crate::env::OpenMode;
use crate::env::faults::Fault;
use crate::log::error::LogError;
use crate::log::files;
use crate::log::files::{FileKind, LogContext};
use crate::log::format::tail::Tail;
use crate::log::recover::Recovered;
use crate::log::write::Log;

impl Recovered {
    /// Makes durable what was found, before it is served or extended. Unless the log was closed cleanly,
    /// writes the last accepted frame again, same bytes, same offset, and syncs it; the same for the
    /// manifest. What was read may have come from the page cache only (I5). Acts once; after a clean
    /// close it writes nothing.
    pub fn settle(&mut self) -> Result<(), LogError> {
        if let Some(offset) = self.last_frame.take()
            && !self.options.faults.active(Fault::SkipRewriteOfLastFrame)
        {
            rewrite_frame(&self.context, &self.tail, offset)?;
        }
        if std::mem::take(&mut self.unsettled) {
            self.manifest.generation += 1;
            self.manifest.write(&self.context, &self.twin)?;
            self.swept = false;
        }
        Ok(())
    }

    /// Makes the log writable, after [`Self::settle`] (called here if it was not yet).
    pub fn start(mut self) -> Result<Log, LogError> {
        self.settle()?;
        self.twin.watch();
        let mut log =
            Log::assemble(self.context, self.options, self.twin, self.manifest, self.tail);
        log.ended = self.segments;
        if self.swept {
            log.find_spares()?;
        } else {
            log.sweep()?;
        }
        Ok(log)
    }
}

impl Recovered {
    /// The log of a vault that is only read: nothing is made durable, and nothing may be appended.
    pub fn start_reading(self) -> Log {
        let mut log =
            Log::assemble(self.context, self.options, self.twin, self.manifest, self.tail);
        log.ended = self.segments;
        log
    }
}

fn rewrite_frame(context: &LogContext, tail: &Tail, offset: u64) -> Result<(), LogError> {
    let name = FileKind::Segment.name(tail.segment);
    let file =
        context.open_existing(FileKind::Segment, tail.segment, OpenMode::Existing, "LOG-3")?;
    let len = usize::try_from(tail.offset.saturating_sub(offset)).unwrap_or(0);
    let bytes = files::read_up_to(file.as_ref(), &name, len, offset)?;
    if bytes.last_chunk() != Some(&tail.tag) {
        return Err(LogError::damaged(name, offset, "LOG-12"));
    }
    file.write_all_at(&bytes, offset).map_err(|error| LogError::io("write", &name, error))?;
    file.sync_data().map_err(|error| LogError::io("sync", &name, error))
}
