//! Events of label moves, from the outbox to their receiver.
//!
//! ```text
//! commit --> outbox (rows of the vault) --> courier (a thread of its own) --> receiver
//!                  ^                           |
//!                  +--- removes delivered -----+  through the commit pipeline
//! ```
//!
//! An event is removed after it was received, so a crash in between delivers it again (SEM-EVENT-6).
//!
//! - [`waiting`]: the events that wait, for the courier and for whoever asks
//! - [`courier`]: hands events to the receiver
//! - [`thread`]: the thread that delivers

pub(crate) mod courier;
pub(crate) mod thread;
pub(crate) mod waiting;
