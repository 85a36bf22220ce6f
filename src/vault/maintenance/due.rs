//! Finds what can go (deleted secrets, versions past their retention) and has it removed.

use super::maintainer::Maintainer;
use super::pass::FirstError;
use crate::error::Result;
use crate::model::{RecordId, Tree};
use crate::semantics::{Answer, Upkeep, may_be_due};
use crate::store::Range;
use crate::vault::commit::pipeline::Pipeline;
use crate::vault::error::RowError;
use crate::vault::rows;

/// Secrets looked at in one go.
const PAGE: usize = 256;

impl Maintainer {
    /// Looks through all secrets: adds those that may be due to the pending set, and notes every rotation in
    /// the schedule.
    pub(super) fn find_due(&self) -> Result<()> {
        let shared = &self.inner.shared;
        let now = self.inner.driver.control(Pipeline::now)?;
        let mut after: Option<Box<[u8]>> = None;
        loop {
            let state = shared.state()?;
            let keys = shared.keys();
            let page = state
                .store()
                .range(Tree::Secrets, Range { prefix: &[], after: after.as_deref(), limit: PAGE })
                .map_err(RowError::from)?;
            let is_last = page.len() < PAGE;
            for (key, row) in page {
                let opened = keys.open_row(Tree::Secrets, &key, &row).map_err(RowError::from);
                let record = opened.and_then(|open| Ok(rows::decode_secret(&open)?));
                match record {
                    Ok(record) => {
                        shared.rotation_schedule.note_read(&record, now);
                        if may_be_due(&record) {
                            shared.pending.add([record.id]);
                        }
                    }
                    // The operation on it finds out whether only the state is damaged.
                    Err(error) if error.is_of_state() => shared.pending.add(id_of(&key)),
                    Err(error) => return Err(error.into()),
                }
                after = Some(key);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Purges, prunes and sweeps every secret of the pending set.
    pub(super) fn work_off_pending(&self) -> Result<()> {
        let shared = &self.inner.shared;
        let mut first = FirstError::default();
        for id in shared.pending.take() {
            let worked = self.work_off(id);
            if worked.is_err() {
                // It is tried again later.
                shared.pending.add([id]);
            }
            first.note(worked);
            shared.fail_if_stopping()?;
        }
        // An operation that did only a part has added its secret again, but `work_off` repeats it to the end.
        first.end()
    }

    fn work_off(&self, id: RecordId) -> Result<()> {
        for upkeep in [Upkeep::Purge, Upkeep::Prune, Upkeep::Sweep] {
            while self.inner.commit(upkeep(id))? == Answer::More {
                self.inner.shared.fail_if_stopping()?;
            }
        }
        Ok(())
    }

    /// Removes the rows of purged secrets, so that none of their wrapped keys is carried to a new epoch.
    pub(super) fn sweep_all(&self) -> Result<()> {
        self.find_due()?;
        self.work_off_pending()
    }
}

/// The secret whose record has `key`.
fn id_of(key: &[u8]) -> Option<RecordId> {
    key.try_into().ok().map(RecordId)
}
