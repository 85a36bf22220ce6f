//! Secrets: made, changed, tagged and deleted, and the policies attached to them.
//!
//! - `create`, `update`: `CreateSecret`, `UpdateSecret`
//! - `tags`: `TagResource`, `UntagResource`
//! - `policies`: `PutResourcePolicy`, `DeleteResourcePolicy`
//! - `delete`: `DeleteSecret`, `RestoreSecret`

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod policies;
pub(crate) mod tags;
pub(crate) mod update;
