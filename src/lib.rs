//! Strongroom: an embedded, persistent secret vault with the semantics of AWS Secrets Manager.

#[cfg(not(unix))]
compile_error!(
    "strongroom needs Unix file semantics (directory syncs, modes, advisory locks); Windows is not supported yet"
);

// Read in this order: each layer uses only the ones above it (`tests/architecture.rs` keeps it so).
pub mod codec;
pub mod env;
pub mod model;
pub mod secret;

pub mod crypto;
pub mod log;
pub mod semantics;
pub mod store;

pub mod error;
pub mod vault;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "server")]
pub mod wire;
