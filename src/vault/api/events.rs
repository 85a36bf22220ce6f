//! The events of label moves, for whoever asks what waits or wants no more of them.

use crate::error::Result;
use crate::vault::commit::outbox::OutboxChange;
use crate::vault::handle::Vault;
use crate::vault::inner::Inner;
use crate::vault::label_event::LabelEvent;
use crate::vault::rows::Outbox;

impl Vault {
    /// What is known about the outbox.
    pub(crate) fn outbox(&self) -> Outbox {
        self.inner.shared.label_events.outbox()
    }

    /// All events that wait, the oldest first.
    pub(crate) fn waiting_events(&self) -> Result<Vec<LabelEvent>> {
        let mut found = Vec::new();
        let mut after: Option<Box<[u8]>> = None;
        loop {
            let page = self.inner.named(self.inner.waiting_events(after.as_deref()))?;
            let Some((last, _)) = page.last() else { return Ok(found) };
            after = Some(last.clone());
            found.extend(page.into_iter().map(|(_, event)| event));
        }
    }

    /// Ends what [`VaultBuilder::on_label_updated`](crate::VaultBuilder::on_label_updated) has begun: events
    /// are no longer written, and those that wait are forgotten.
    pub fn forget_label_events(&self) -> Result<()> {
        self.inner.named(forget(&self.inner))
    }
}

fn forget(inner: &Inner) -> Result<()> {
    inner.change_outbox(OutboxChange::Turn(false))?;
    loop {
        let page = inner.waiting_events(None)?;
        if page.is_empty() {
            return Ok(());
        }
        let keys = page.into_iter().map(|(key, _)| key).collect();
        inner.change_outbox(OutboxChange::Remove(keys))?;
    }
}
