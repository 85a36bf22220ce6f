//! For programs that use the API of AWS Secrets Manager and want to be tested and fuzzed against a
//! faithful store in their own process (`docs/TESTKIT.md`).
//!
//! - [`Ephemeral`]: a vault that follows from a seed, in memory, with forks and snapshots.
//! - [`Endpoint`]: AWS in the process: JSON in, status and JSON out, with faults by a [`FaultPlan`]
//!   and a [`Trace`] of all that was asked, which replays.
//! - [`Request`](crate::model::api::Request): any of the 26 operations as a typed request. It and every request
//!   of [`model::api`](crate::model::api) are `arbitrary::Arbitrary`.

mod endpoint;
mod ephemeral;
mod faults;
#[doc(hidden)]
pub mod machine;
mod requests;
mod trace;

pub use endpoint::{Endpoint, NoAnswer, Outcome, Reply};
pub use ephemeral::{Ephemeral, Snapshot};
pub use faults::{FaultKind, FaultPlan, Rates};
pub use machine::Machine;
pub use trace::{Difference, NotATrace, Trace};
