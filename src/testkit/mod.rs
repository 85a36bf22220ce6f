//! Tools to test and fuzz programs that use the API of AWS Secrets Manager, against a faithful store in
//! the same process (`docs/TESTKIT.md`).
//!
//! - [`Ephemeral`]: a deterministic vault in memory, with forks and snapshots.
//! - [`Endpoint`]: an in-process AWS endpoint: JSON in, status and JSON out. A [`FaultPlan`] injects
//!   faults, and a [`Trace`] records all requests and replays them.
//! - [`Request`](crate::model::api::Request): any of the 26 operations as a typed request. It and every
//!   request of [`model::api`](crate::model::api) are `arbitrary::Arbitrary`.

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
