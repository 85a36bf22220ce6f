//! What the handles and threads of an open vault share.
//!
//! - [`reserve`]: blocks held back for a full disk.
//! - [`rotation_schedule`]: which rotation is due when.
//! - [`shared`]: keys, state, status, and the signals to the background threads.

pub(crate) mod reserve;
pub(crate) mod rotation_schedule;
pub(crate) mod shared;
