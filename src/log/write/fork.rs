//! Copies of an open log for the simulation.

use crate::env::{Env, OpenMode};
use crate::log::error::LogError;
use crate::log::files::{FileKind, LogContext};
use crate::log::format::segment::Segment;
use crate::log::write::Log;
use std::sync::{Arc, Weak};

impl Log {
    /// The same log in a copy of its files, independent from now on. Refused while a compaction or
    /// a preparation of this one runs: their files are half made.
    #[cfg(feature = "testkit")]
    pub fn fork(&self, env: &Env) -> Result<Self, LogError> {
        let preparing = self.preparing.fork();
        let preparing = preparing.filter(|_| self.compacting.strong_count() == 0);
        let preparing = preparing.ok_or(LogError::Refused { what: "the log is busy" })?;
        let context = LogContext { env: env.clone(), ..self.context.clone() };
        let current = self.current.as_ref().map(|segment| {
            let path = context.path(FileKind::Segment, segment.header.number);
            let file = context.fs().open(&path, OpenMode::Existing);
            let file = file.map_err(|error| LogError::io("open", &segment.name, error))?;
            Ok(Segment { header: segment.header.clone(), file, name: segment.name.clone() })
        });
        Ok(Self {
            twin: self.twin.fork(&env.fs),
            context,
            options: self.options.clone(),
            manifest: self.manifest.clone(),
            manifest_durable: self.manifest_durable,
            current: current.transpose()?,
            tail: self.tail.clone(),
            dirty: self.dirty,
            poisoned: self.poisoned,
            next_capacity: self.next_capacity,
            appended: self.appended,
            ended: self.ended.clone(),
            preparing: Arc::new(preparing),
            compacting: Weak::new(),
        })
    }
}
