//! Access marks: `LastAccessedDate` without a write on the path of a read.
//!
//! The first read of a version on a UTC day leaves a mark here, which every view shows at once. It also
//! submits one operation that no one waits for. A full queue, a full disk or a poisoned vault drops that
//! operation, and the mark then lives as long as the process.

use crate::env::UnixMillis;
use crate::model::{RecordId, SecretRecord, Seq, VersionRecord};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most versions with a mark. Beyond that, reads leave no mark and the date is a day late.
const MARKS_MAX: usize = 65_536;

/// The days of reads that the records do not show yet.
#[derive(Default)]
pub(crate) struct AccessMarks(Mutex<Noted>);

#[derive(Clone, Default)]
struct Noted {
    versions: HashMap<(RecordId, Seq), UnixMillis>,
    secrets: HashMap<RecordId, UnixMillis>,
}

impl AccessMarks {
    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same marks for a fork of the vault.
    #[cfg(feature = "testkit")]
    pub(crate) fn fork(&self) -> Self {
        Self(Mutex::new(self.lock().clone()))
    }

    /// Notes that a version was read on `day`, as one of the secret `on`, which was read last on the day
    /// `last`. `true`: no mark says so yet, so an operation should carry it to the log.
    pub(crate) fn note(
        &self,
        version: &VersionRecord,
        on: RecordId,
        last: Option<UnixMillis>,
        day: UnixMillis,
    ) -> bool {
        if last >= Some(day) && version.last_accessed >= Some(day) {
            return false;
        }
        let place = (version.id, version.seq);
        let mut noted = self.lock();
        let is_known = |known: Option<&UnixMillis>| known.is_some_and(|known| *known >= day);
        if is_known(noted.versions.get(&place)) && is_known(noted.secrets.get(&on)) {
            return false;
        }
        if noted.versions.len() >= MARKS_MAX || noted.secrets.len() >= MARKS_MAX {
            return false;
        }
        noted.versions.insert(place, day);
        noted.secrets.insert(on, day);
        true
    }

    /// Removes marks, once the records show them.
    pub(crate) fn settle(&self, place: (RecordId, Seq), on: RecordId, day: UnixMillis) {
        let mut noted = self.lock();
        if noted.versions.get(&place) == Some(&day) {
            noted.versions.remove(&place);
        }
        if noted.secrets.get(&on).is_some_and(|known| *known <= day) {
            noted.secrets.remove(&on);
        }
    }

    pub(crate) fn show_on_secret(&self, record: &mut SecretRecord) {
        let noted = self.lock().secrets.get(&record.id).copied();
        record.last_accessed = record.last_accessed.max(noted);
    }

    pub(crate) fn show_on_version(&self, version: &mut VersionRecord) {
        let noted = self.lock().versions.get(&(version.id, version.seq)).copied();
        version.last_accessed = version.last_accessed.max(noted);
    }
}
