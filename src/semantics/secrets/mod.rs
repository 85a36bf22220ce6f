//! Secrets: made, changed, tagged and deleted, and the policies attached to them.

pub(crate) mod delete;
pub(crate) mod policies;
pub(crate) mod tags;
pub(crate) mod write;
