//! Rotation (SEM-ROT, SEM-SCHED, SEM-EXT).

mod advance;
mod civil;
mod cron;
pub(crate) mod external;
mod rotate;
pub(crate) mod schedule;

pub(crate) use advance::advance;
pub use rotate::rotation_due;
pub(crate) use rotate::{cancel_rotate_secret, describe, rotate_secret, value_changed};
