//! What AWS Secrets Manager does, decided without bytes, clock, key or disk.
//!
//! [`plan`](plan()) decides a mutation over a [`View`] of the vault and answers with a [`Plan`]: effects
//! for `vault` to seal, log and apply, and the answer for the caller. `read` answers the reading
//! operations. Both are pure: the same view, request and context give the same result. Rules are
//! numbered in `docs/SEMANTICS.md` (SEM-...).
//!
//! From the bottom to the top:
//!
//! - `fault`, `messages`: AWS's exceptions, and every refusal in AWS's words
//! - `plan/`: what goes into a decision and what comes out of it
//! - `events`: which moves of labels are told
//! - `policy/`: the language of resource policies
//! - `validate/`: checked requests, and what the checks of requests have in common
//! - `operation`: what the rules of an operation are made of
//! - `command`: what is planned: checked requests and the vault's own upkeep
//! - `access/`: from a `SecretId` to a record that the caller may reach
//! - `change/`: one secret under change
//! - `rotation/`, `versions/`, `replication/`, `secrets/`: the operations that write
//! - `upkeep/`: operations that the vault runs in the background
//! - `read/`, `password`: the operations that read
//! - `dispatch`: from a command to the rules about it

mod access;
mod change;
mod command;
mod dispatch;
mod events;
pub mod fault;
#[cfg(feature = "__internals")]
#[doc(hidden)]
#[path = "../internals/semantics.rs"]
pub mod internals;
pub mod messages;
mod operation;
pub mod password;
mod plan;
mod policy;
pub mod read;
mod replication;
mod rotation;
mod secrets;
mod upkeep;
pub mod validate;
mod versions;

#[cfg(test)]
mod tests;
#[cfg(test)]
use tests::memory;

pub use access::{Action, depends_on_record_alone};
pub use command::{CheckedWrite, Command, Upkeep};
pub use dispatch::plan;
pub use events::label_moves;
pub use fault::{Fault, FaultKind};
pub use operation::Look;
pub use plan::{Answer, Context, Effect, Now, Plan, Refusal, View, rows};
pub use read::batch;
pub use rotation::rotation_due;
pub use upkeep::prune::may_be_due;
pub use upkeep::touch::day_of;
pub use versions::get::{Found, current_value};
