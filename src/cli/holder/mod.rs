//! The holder's socket: commands that run in the process that holds the vault (rules SOCK in
//! `docs/TRIALS.md`).
//!
//! Whoever serves a vault listens on `holder.sock` in its folder, and so does a program that asks for it with
//! `Vault::listen`. A command that finds the vault held sends its request there and prints the answer, as if
//! it had run the request itself.
//!
//! - `line.rs`: bytes through a connection, until a deadline
//! - `protocol.rs`: the frames, bounded before anything is allocated
//! - `connect.rs`: the command's side
//! - `listen.rs`: the holder's side
//! - `embedded.rs`: the same for a program that embeds the vault

mod connect;
mod embedded;
mod line;
mod listen;
mod protocol;

pub(crate) use connect::{Outcome, Reached, ask, reach};
pub use listen::Listener;
#[cfg(feature = "server")]
pub(crate) use listen::{files_max, tell};

use std::time::Duration;

/// How long requests that run may take once the holder ends.
const DRAIN_TIME: Duration = Duration::from_secs(10);
/// How long a command waits for a vault whose holder ends: for the requests that run there, and then for the
/// close of the vault.
pub(crate) const ENDING_TIME: Duration = DRAIN_TIME.saturating_add(Duration::from_secs(5));
/// How long a command tries to find a place in a full holder.
pub(crate) const FULL_TIME: Duration = Duration::from_secs(5);
/// The socket's name in the vault's folder.
const SOCKET: &str = crate::vault::HOLDER_SOCKET;
