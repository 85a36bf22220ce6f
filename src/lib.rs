//! Strongroom: an embedded, persistent secret vault with the semantics of AWS Secrets Manager.
//!
//! A vault is one encrypted folder. What an operation acknowledged is on the disk, whatever happens
//! next; what lies on the disk says nothing without the key; and every operation answers as AWS
//! does, to the letter of its errors. The same folder has three doors: this library, the
//! `strongroom` command, and `strongroom serve` for any AWS client.
//!
//! ```
//! use strongroom::api::{CreateSecret, GetSecretValue, PutSecretValue};
//! use strongroom::{SecretValue, Vault};
//!
//! # fn main() -> strongroom::Result<()> {
//! let vault = Vault::in_memory()?; // or Vault::open(path, &unlock, &options)
//!
//! let mut request = CreateSecret::new("app/db");
//! request.value = Some(SecretValue::text("correct horse"));
//! vault.create_secret(request)?;
//! vault.put_secret_value(PutSecretValue::new("app/db", SecretValue::text("battery")))?;
//!
//! let current = vault.get_secret_value(GetSecretValue::new("app/db"))?;
//! assert_eq!(current.value.bytes().expose(), b"battery");
//! assert_eq!(current.version_stages, ["AWSCURRENT"]);
//!
//! let elsewhere = vault.in_region("eu-west-1"); // without it: account 000000000000 in us-east-1
//! assert!(elsewhere.get_secret_value(GetSecretValue::new("app/db")).is_err());
//! vault.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! - [`Vault`]: the operations, one method each.
//! - [`api`]: requests and answers. [`SecretValue`]: the fence around plaintext.
//! - [`Error`]: one kind per thing that a caller can do.
//!
//! `docs/ARCHITECTURE.md` has the invariants, `docs/FORMAT.md` every byte on disk,
//! `docs/SEMANTICS.md` every rule of the API.
//!
//! # Features
//!
//! `cli` and `server` are on by default and only serve the binary. With
//! `default-features = false` the library needs no async runtime, no HTTP and no argument parser.

// Without `__internals` much that is `pub` inside a private module has no way out of the crate: what only tests,
// benches and fuzz targets reach, or only the command and the server. With it the lints see all uses.
#![cfg_attr(not(feature = "__internals"), allow(unreachable_pub, dead_code, unused_imports))]

#[cfg(not(unix))]
compile_error!(
    "strongroom needs Unix file semantics (directory syncs, modes, advisory locks); Windows is not supported yet"
);

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The examples of the kit's guide run.
#[cfg(all(doctest, feature = "testkit"))]
#[doc = include_str!("../docs/TESTKIT.md")]
struct TestkitGuide;

// Read in this order: each layer uses only the ones above it (`tests/architecture` keeps it so).
mod codec;
mod env;
mod model;
mod secret;

mod crypto;
mod log;
mod semantics;
mod store;

mod error;
mod vault;

#[cfg(any(feature = "cli", feature = "server"))]
mod responses;

#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "cli")]
mod doors;
#[cfg(feature = "server")]
mod wire;

#[cfg(feature = "testkit")]
pub mod testkit;

#[cfg(feature = "__internals")]
#[doc(hidden)]
#[path = "internals.rs"]
pub mod __internals;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use doors::main as __main;

pub use crypto::{SlotKind, Unlock, VaultId};
pub use error::{Error, ErrorKind, Result};
pub use model::{Scope, api};
pub use secret::{PayloadKind, SecretBytes, SecretValue};
pub use semantics::{Fault, FaultKind};
pub use vault::{
    CheckReport, Credential, Finding, Loss, Options, Progress, RepairOutcome, RepairReport,
    RotationError, RotationEvent, RotationFunction, RotationFunctions, Vault, Write,
};
