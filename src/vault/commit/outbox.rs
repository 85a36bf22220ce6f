//! Rows of the outbox. An event is a row of the change set that moves its label, so a crash leaves both or
//! neither (SEM-EVENT-5).

use super::effects::{PlannedRow, drop_row, sealed_row};
use crate::codec::CodecError;
use crate::crypto::{CryptoError, Keyring};
use crate::env::Entropy;
use crate::model::limits::OPERATION_ROWS_MAX;
use crate::model::{LabelMove, Lsn, RowChange, Tree};
use crate::store::Range;
use crate::vault::error::RowError;
use crate::vault::rows::{self, Outbox, WaitingEvent};
use crate::vault::view::overlay::RowSource;

/// A change of the outbox that no move of a label makes.
pub(crate) enum OutboxChange {
    /// From now on events are written, or no longer.
    Turn(bool),
    /// The events with these keys are delivered, or unwanted.
    Remove(Vec<Box<[u8]>>),
}

/// Plans rows of the outbox.
pub(crate) struct OutboxPlan<'a, S> {
    pub(crate) keys: &'a Keyring,
    pub(crate) entropy: &'a dyn Entropy,
    /// The rows before the change set.
    pub(crate) rows: &'a S,
    /// The outbox, as the rows planned so far leave it.
    pub(crate) outbox: Outbox,
}

impl<S: RowSource> OutboxPlan<'_, S> {
    /// Adds an event of each move to the change set that moves them. If more than `max` events wait, the
    /// oldest are dropped by the same change set, and counted (SEM-EVENT-7).
    pub(crate) fn add(
        &mut self,
        (lsn, max): (Lsn, u64),
        moves: Vec<LabelMove>,
        set: &mut Vec<PlannedRow>,
    ) -> Result<(), RowError> {
        for (n, moved) in (0..).zip(moves) {
            let mut id = [0; 16];
            self.entropy.fill(&mut id).map_err(|_| CryptoError::Entropy)?;
            let content = rows::encode_event(&WaitingEvent { id, moved });
            let change = self.sealed(Tree::Events, &rows::event_key(lsn, n), content)?;
            set.push(PlannedRow { is_new: true, ..change.into() });
            self.outbox.waiting += 1;
        }
        let surplus = usize::try_from(self.outbox.waiting.saturating_sub(max)).unwrap_or(0);
        if surplus > 0 {
            let oldest = Range { prefix: &[], after: None, limit: surplus };
            for (key, _) in self.rows.range(Tree::Events, oldest)? {
                set.push(drop_row(Tree::Events, &key).into());
                self.outbox.waiting -= 1;
                self.outbox.dropped += 1;
            }
            set.push(self.note()?);
        }
        if set.len() > OPERATION_ROWS_MAX {
            return Err(RowError::Plan("I2"));
        }
        Ok(())
    }

    /// The rows of another change. None: nothing changes.
    pub(crate) fn change(&mut self, change: &OutboxChange) -> Result<Vec<PlannedRow>, RowError> {
        match change {
            OutboxChange::Turn(is_on) if *is_on == self.outbox.is_on => Ok(Vec::new()),
            OutboxChange::Turn(is_on) => {
                self.outbox.is_on = *is_on;
                Ok(vec![self.note()?])
            }
            OutboxChange::Remove(keys) => {
                let mut set = Vec::with_capacity(keys.len());
                for key in keys {
                    // Those that were dropped meanwhile are counted.
                    if self.rows.get(Tree::Events, key)?.is_some() {
                        set.push(drop_row(Tree::Events, key).into());
                        self.outbox.waiting = self.outbox.waiting.saturating_sub(1);
                    }
                }
                Ok(set)
            }
        }
    }

    /// The row with what is noted about the outbox.
    fn note(&self) -> Result<PlannedRow, RowError> {
        let content = rows::encode_outbox(self.outbox);
        Ok(self.sealed(Tree::Meta, rows::META_EVENTS, content)?.into())
    }

    fn sealed(
        &self,
        tree: Tree,
        key: &[u8],
        content: Result<Vec<u8>, CodecError>,
    ) -> Result<RowChange, RowError> {
        sealed_row((self.keys, self.entropy), tree, key, content)
    }
}
