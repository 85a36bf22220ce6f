//! Rotation: what is asked for, what is shown, and when something is due (SEM-ROT, SEM-SCHED).
//!
//! ```text
//! RotateSecret --> createSecret --> setSecret --> testSecret --> finishSecret --> over
//! window opens --/       ^________________________________________/ a call fails: later, anew
//! RotateImmediately=false --------------------> testSecret, with a copy ---------> over
//! ```
//!
//! - `cron`, `schedule`: when a window opens and closes
//! - `due`: when a rotation is due, and how descriptions show it
//! - `version`: the version that a rotation makes
//! - `external`: managed external secrets, which a partner would rotate
//! - `rotate`: `RotateSecret` and `CancelRotateSecret`
//! - `advance`: from one call of the function to the next

mod advance;
mod cron;
mod due;
pub(crate) mod external;
mod rotate;
pub(crate) mod schedule;
mod version;

pub(crate) use advance::advance;
pub(crate) use due::describe;
pub use due::rotation_due;
pub(crate) use rotate::turned_off;
pub(crate) use version::value_changed;
