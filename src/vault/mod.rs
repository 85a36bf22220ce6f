//! The vault: it orders all effects on log, state and keystore.
//!
//! ```text
//! caller threads                     commit pipeline (one thread)        maintenance (one thread)
//! seal the value, submit  --queue->  plan, seal rows, log, sync,         prune, sweep, compact,
//!                                    publish, answer                     checkpoint, switch epochs
//! readers ------------------------>  the state, never waiting for a sync
//! ```
//!
//! [`VaultDir`] is the folder with its lock held. Opening or creating in it gives a [`Vault`], whose clones
//! share one vault between threads. Operations carry the names and members of the AWS API.
//!
//! # File map
//!
//! From the bottom layer up: each entry uses only entries listed before it (`tests/architecture` keeps it so).
//!
//! - `error.rs`: errors of the lower layers become what a caller sees
//! - `worker.rs`: a background thread and how it is woken
//! - `log_keys.rs`: the vault's keys as the log needs them
//! - `rotation_functions.rs`: the functions that rotate secrets
//! - `label_event.rs`: events of label moves, and who receives them
//! - `options.rs`: how a vault is opened
//! - `directory.rs`: the folder: its lock, and what needs no key
//! - `rows/`: the key and the content of each fact in the store
//! - `view/`: the rows as the facts that `semantics` asks for
//! - `state/`: the store that serves reads, kept equal to the log
//! - `runtime/`: what handles and threads of an open vault share
//! - `commit/`: the commit pipeline, which orders every mutation
//! - `job.rs`: seals the value of a write
//! - `inner.rs`: the core of an open vault: the shared parts and the way to the pipeline
//! - `read/`: the reading operations
//! - `credentials.rs`: pairs that sign requests to the server
//! - `rotation/`: rotates secrets in the background
//! - `events/`: delivers events of label moves in the background
//! - `maintenance/`: prunes, compacts, makes checkpoints and switches epochs
//! - `running.rs`: the background threads together, and how a vault ends
//! - `caller.rs`: the account and region that a handle acts for
//! - `handle.rs`: [`Vault`]
//! - `api/`: the operations, one method each
//! - `salvage/`: what can be proven of a damaged vault
//! - `lifecycle/`: makes and opens vaults
//! - `repair/`: check and repair
//! - `builder.rs`: [`VaultBuilder`], the way to all of these
//! - `unlock.rs`: an [`Unlock`](crate::crypto::Unlock) from a passphrase or a key file

mod anchor;
mod api;
mod builder;
mod caller;
mod commit;
mod credentials;
mod directory;
mod error;
mod events;
mod handle;
mod inner;
mod job;
mod label_event;
mod lifecycle;
mod log_keys;
mod maintenance;
mod options;
mod ownership;
mod read;
mod repair;
mod rotation;
mod rotation_functions;
mod rows;
mod running;
mod runtime;
mod salvage;
mod state;
mod unlock;
mod view;
mod worker;

#[cfg(feature = "__internals")]
#[doc(hidden)]
#[path = "../internals/vault.rs"]
pub mod internals;
#[cfg(test)]
mod tests;

pub use crate::model::api::Write;
pub use api::{Pages, WriteRequest};
pub use builder::VaultBuilder;
pub use credentials::Credential;
#[cfg(feature = "cli")]
pub(crate) use directory::{HOLDER_SOCKET, peek_unlock};
pub use directory::{VaultDir, peek_id};
pub use handle::Vault;
#[cfg(feature = "cli")]
pub(crate) use label_event::EVENTS_MAX;
pub use label_event::{EventError, LabelEvent, OnLabelUpdated};
pub use options::{OnProgress, Options, Progress, StoreChoice, Tuning};
#[cfg(feature = "cli")]
pub(crate) use ownership::{check_private, make_key_file, read_key};
#[cfg(feature = "server")]
pub(crate) use read::measures::Measures;
pub use repair::report::{CheckReport, Finding, RepairOutcome, RepairReport};
pub use rotation_functions::{RotationError, RotationEvent, RotationFunction, RotationFunctions};
pub use salvage::loss::Loss;
