//! Marks of reads: `LastAccessedDate` without a write on a get's path.
//!
//! The first read of a version on a UTC day leaves a mark here, shown at once by every view, and
//! one operation that nobody waits for. A full queue, a full disk or a poisoned vault drops that
//! operation; the mark then lives as long as the process.

use crate::env::UnixMillis;
use crate::model::{RecordId, SecretRecord, Seq, VersionRecord};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most versions with a mark: beyond it reads leave none (the date is then a day late).
const MARKS_MAX: usize = 65_536;

/// Reads that the records do not show yet.
#[derive(Default)]
pub(crate) struct Marks(Mutex<Inner>);

#[derive(Clone, Default)]
struct Inner {
    versions: HashMap<(RecordId, Seq), UnixMillis>,
    secrets: HashMap<RecordId, UnixMillis>,
}

impl Marks {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same marks for a fork of the vault.
    #[cfg(feature = "testkit")]
    pub(crate) fn fork(&self) -> Self {
        Self(Mutex::new(self.inner().clone()))
    }

    /// Notes a read on `day`. `true`: it is news, so an operation should carry it to the log.
    pub(crate) fn note(
        &self,
        record: &SecretRecord,
        version: &VersionRecord,
        day: UnixMillis,
    ) -> bool {
        if record.last_accessed >= Some(day) && version.last_accessed >= Some(day) {
            return false;
        }
        let mut inner = self.inner();
        let known =
            inner.versions.get(&(version.id, version.seq)).is_some_and(|noted| *noted >= day);
        if known || inner.versions.len() >= MARKS_MAX {
            return false;
        }
        inner.versions.insert((version.id, version.seq), day);
        inner.secrets.insert(record.id, day);
        true
    }

    /// Forgets a mark that the records show by now.
    pub(crate) fn settle(&self, id: RecordId, seq: Seq, day: UnixMillis) {
        let mut inner = self.inner();
        if inner.versions.get(&(id, seq)) == Some(&day) {
            inner.versions.remove(&(id, seq));
        }
        if inner.secrets.get(&id).is_some_and(|noted| *noted <= day) {
            inner.secrets.remove(&id);
        }
    }

    pub(crate) fn show_on_secret(&self, record: &mut SecretRecord) {
        let noted = self.inner().secrets.get(&record.id).copied();
        record.last_accessed = record.last_accessed.max(noted);
    }

    pub(crate) fn show_on_version(&self, version: &mut VersionRecord) {
        let noted = self.inner().versions.get(&(version.id, version.seq)).copied();
        version.last_accessed = version.last_accessed.max(noted);
    }
}
