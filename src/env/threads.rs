//! Threads, locks and channels. They are the ordinary ones, except in a `--cfg shuttle`
//! build: there a scheduler tries out orders of execution (`tests/reliability/schedules.rs`). What never lets
//! another thread run while it is held may be an ordinary lock there too.

#[cfg(not(shuttle))]
pub(crate) use crossbeam::channel;
#[cfg(shuttle)]
pub(crate) use shuttle::{sync, thread};
#[cfg(not(shuttle))]
pub(crate) use std::{sync, thread};

#[cfg(shuttle)]
pub(crate) mod channel;
pub(crate) mod queue;
pub(crate) mod reply;
