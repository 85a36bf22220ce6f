//! What the handles and threads of an open vault share.
//!
//! - [`status`]: whether the vault takes writes.
//! - [`state_slot`]: the state that serves reads now.
//! - [`space`]: the space that the vault needs, and the reserve for a full disk.
//! - [`pending`]: secrets that the pruner should be asked about.
//! - [`rotation_schedule`]: which rotation is due when.
//! - [`label_events`]: how many events wait, and who receives them.
//! - [`segments`]: the next log segment, on its way to the thread that prepares it.
//! - [`shared`]: all of these together.

pub(crate) mod label_events;
pub(crate) mod pending;
pub(crate) mod rotation_schedule;
pub(crate) mod segments;
pub(crate) mod shared;
pub(crate) mod space;
pub(crate) mod state_slot;
pub(crate) mod status;
