//! Making the next segment's file ready off the put path.
//!
//! A file is made under the name `N.prep`, filled with real zeros (or taken over from a freed
//! segment, whose blocks are real already), synced, renamed to `N.wal`, and its folder synced. If
//! the log needs segment N meanwhile, it makes the file itself and this one is thrown away.

use super::LogError;
use super::files::{self, Kind, Place};
use super::segment::HEADER_BYTES;
use crate::env::OpenMode;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How far the preparation of one segment is; shared by the log and the [`Preparation`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Handed out, not begun: nobody waits for one that may never be.
    #[default]
    Waiting,
    Running,
    /// Failed, dropped, or overtaken by the log.
    Canceled,
    Ready {
        capacity: u64,
    },
}

/// Longest wait of an append for a preparation that runs.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// A stage that can be waited for.
#[derive(Default)]
pub(super) struct SharedStage {
    stage: Mutex<Stage>,
    ended: Condvar,
}

impl SharedStage {
    pub(super) fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the preparation runs, at most two seconds.
    pub(super) fn wait_while_running(&self) -> MutexGuard<'_, Stage> {
        let running = |stage: &mut Stage| *stage == Stage::Running;
        match self.ended.wait_timeout_while(self.lock(), WAIT_MAX, running) {
            Ok((stage, _)) => stage,
            Err(poisoned) => poisoned.into_inner().0,
        }
    }

    fn end(&self, mut stage: MutexGuard<'_, Stage>, as_stage: Stage) {
        *stage = as_stage;
        drop(stage);
        self.ended.notify_all();
    }
}

/// One preparation as the log sees it.
pub(super) struct Ticket {
    pub(super) number: u64,
    /// The freed segment that it takes over.
    pub(super) source: Option<u64>,
    pub(super) stage: Arc<SharedStage>,
}

/// A cheap handle to work that may take long: runs on any thread, holding no lock of the log's.
pub struct Preparation {
    place: Place,
    number: u64,
    capacity: u64,
    source: Option<u64>,
    stage: Arc<SharedStage>,
}

/// What [`Preparation::run`] leaves behind, for [`super::Log::prepared`].
#[must_use]
pub struct Prepared {
    _private: (),
}

impl Preparation {
    pub(super) fn new(
        place: Place,
        number: u64,
        capacity: u64,
        source: Option<u64>,
    ) -> (Self, Ticket) {
        let stage = Arc::<SharedStage>::default();
        let ticket = Ticket { number, source, stage: Arc::clone(&stage) };
        (Self { place, number, capacity, source, stage }, ticket)
    }

    /// Makes the file. An error leaves the log as it was: the segment is then made by the append
    /// that needs it.
    pub fn run(self) -> Result<Prepared, LogError> {
        let stage = self.stage.lock();
        if *stage == Stage::Canceled {
            return Ok(Prepared { _private: () });
        }
        self.stage.end(stage, Stage::Running);
        let made = fill(&self.place, self.number, self.capacity, self.source);
        let stage = self.stage.lock();
        if made.is_err() || *stage == Stage::Canceled {
            self.stage.end(stage, Stage::Canceled);
            self.place.remove(Kind::Preparing, self.number)?;
            made?;
            return Ok(Prepared { _private: () });
        }
        // Renamed under the lock: the log must not make the same file meanwhile.
        let published = publish(&self.place, self.number);
        let ended = match published {
            Ok(()) => Stage::Ready { capacity: self.capacity },
            Err(_) => Stage::Canceled,
        };
        self.stage.end(stage, ended);
        published.map(|()| Prepared { _private: () })
    }
}

impl Drop for Preparation {
    fn drop(&mut self) {
        let stage = self.stage.lock();
        if matches!(*stage, Stage::Waiting | Stage::Running) {
            self.stage.end(stage, Stage::Canceled);
        }
    }
}

/// Makes segment `number`'s file in one go: the way of an append that found nothing prepared.
pub(super) fn make_now(place: &Place, number: u64, capacity: u64) -> Result<(), LogError> {
    // A preparation that was overtaken may still be writing its own file of this number.
    let name = Kind::Segment.name(number);
    place.remove(Kind::Segment, number)?;
    let made = place
        .fs()
        .open(&place.path(Kind::Segment, number), OpenMode::CreateNew)
        .map_err(|error| LogError::write(&name, error))
        .and_then(|file| {
            files::fill_with_zeros(file.as_ref(), &name, 0, capacity)?;
            file.sync_all().map_err(|error| LogError::io("sync", &name, error))
        });
    match made {
        Ok(()) => place.sync_folder(),
        Err(error) => {
            // The number was never live. If even this fails, the next attempt removes it.
            let _ = place.remove(Kind::Segment, number);
            Err(error)
        }
    }
}

fn fill(place: &Place, number: u64, capacity: u64, source: Option<u64>) -> Result<(), LogError> {
    let name = Kind::Preparing.name(number);
    let path = place.path(Kind::Preparing, number);
    place.remove(Kind::Preparing, number)?;
    let recycled = match source {
        Some(old) => match place.fs().rename(&place.path(Kind::Segment, old), &path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(LogError::io("rename", &name, error)),
        },
        None => false,
    };
    let mode = if recycled { OpenMode::Existing } else { OpenMode::CreateNew };
    let file = place.fs().open(&path, mode).map_err(|error| LogError::write(&name, error))?;
    let from = if recycled {
        let len = file.len().map_err(|error| LogError::io("stat", &name, error))?;
        // Old frames can never pass for new ones: their MACs name the old id. The old header is
        // wiped only so that a look at the folder does not mislead.
        files::fill_with_zeros(file.as_ref(), &name, 0, HEADER_BYTES as u64)?;
        len
    } else {
        0
    };
    files::fill_with_zeros(file.as_ref(), &name, from, capacity)?;
    file.sync_all().map_err(|error| LogError::io("sync", &name, error))
}

fn publish(place: &Place, number: u64) -> Result<(), LogError> {
    let name = Kind::Segment.name(number);
    place
        .fs()
        .rename(&place.path(Kind::Preparing, number), &place.path(Kind::Segment, number))
        .map_err(|error| LogError::io("rename", &name, error))?;
    place.sync_folder()
}
