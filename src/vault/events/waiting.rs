//! The events that wait to be delivered.

use crate::error::Result;
use crate::model::Tree;
use crate::store::{Range, Row};
use crate::vault::commit::job::Job;
use crate::vault::commit::outbox::OutboxChange;
use crate::vault::error::RowError;
use crate::vault::inner::Inner;
use crate::vault::label_event::LabelEvent;
use crate::vault::rows;

/// Events that are read at once: so many fit into the change set that removes them.
const PAGE: usize = 64;

/// An event, and the key of its row.
pub(crate) type Waiting = (Box<[u8]>, LabelEvent);

impl Inner {
    /// The oldest events after that key, in their order.
    pub(crate) fn waiting_events(&self, after: Option<&[u8]>) -> Result<Vec<Waiting>> {
        let shared = &self.shared;
        let (state, keys) = (shared.state()?, shared.keys());
        let range = Range { prefix: &[], after, limit: PAGE };
        let page = state.store().range(Tree::Events, range).map_err(RowError::from)?;
        let event = |(key, row): Row| -> Result<Waiting> {
            let content = keys.open_row(Tree::Events, &key, &row).map_err(RowError::from)?;
            let event = rows::decode_event(&content).map_err(RowError::from)?;
            let stopping = shared.label_events.stopping();
            Ok((key, LabelEvent::new(event.id, &event.moved, stopping)))
        };
        page.into_iter().map(event).collect()
    }

    /// Commits a change of the outbox.
    pub(crate) fn change_outbox(&self, change: OutboxChange) -> Result<()> {
        self.driver.call(|done| Job::Outbox(change, done)).map(drop)
    }
}
