//! Strongroom: an embedded, persistent secret vault with the semantics of AWS Secrets Manager.
//!
//! A vault is one encrypted folder. Acknowledged writes are durable. Nothing in the folder can be read
//! without the key. Every operation answers as AWS does, including the text of its errors. This library,
//! the `strongroom` command and `strongroom serve`, which any AWS client can use, work on the same
//! folder.
//!
//! ```
//! use strongroom::{Unlock, Vault};
//!
//! # fn main() -> strongroom::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let dir = folder.path().join("vault");
//! let vault = Vault::builder(dir).open_or_create(Unlock::passphrase("correct horse"))?;
//! vault.put("app/db", "hunter2")?;
//! let value = vault.get("app/db")?;
//! assert_eq!(value.as_str()?, "hunter2");
//! vault.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! [`put`](Vault::put) and [`get`](Vault::get) are short forms. Each operation of AWS has a method of its
//! own, with its requests and responses in [`api`]. [`Vault::in_memory`] is the same vault without a
//! disk, for tests.
//!
//! # A passphrase in a debug build
//!
//! A passphrase is stretched with Argon2id, which is slow on purpose and takes 26 seconds without
//! optimization. Add this to the `Cargo.toml` of a program that opens vaults with a passphrase:
//!
//! ```toml
//! [profile.dev.package.argon2]
//! opt-level = 3
//! [profile.dev.package.blake2]
//! opt-level = 3
//! ```
//!
//! # Where to look
//!
//! - [`Vault`]: the operations, one method each. [`VaultBuilder`]: options, check and repair.
//! - [`api`]: requests and responses. [`SecretValue`] keeps plaintext out of logs and wipes it.
//! - [`Error`]: what went wrong, by what the caller can do about it.
//! - [`RotationFunctions`]: what rotates secrets on schedule.
//! - [`LabelEvent`]: what [`VaultBuilder::on_label_updated`] is told when a label moves.
//!
//! `docs/ARCHITECTURE.md` has the invariants, `docs/FORMAT.md` every byte on disk,
//! `docs/SEMANTICS.md` every rule of the API.
//!
//! # Features
//!
//! `cli` and `server` are on by default and serve the binary; of the library they add only
//! [`Vault::listen`] (`cli`), by which the command works beside a program. With `default-features = false` the
//! library needs no async runtime, no HTTP and no argument parser.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(feature = "__internals"), warn(missing_debug_implementations))]
// Without `__internals` much that is `pub` inside a private module has no way out of the crate: what only
// tests, benches and fuzz targets reach, or only the command and the server. With it the lints see all uses.
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
mod frontends;
#[cfg(feature = "server")]
mod wire;

#[cfg(feature = "testkit")]
#[cfg_attr(docsrs, doc(cfg(feature = "testkit")))]
pub mod testkit;

#[cfg(feature = "__internals")]
#[doc(hidden)]
#[path = "internals/mod.rs"]
pub mod __internals;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use frontends::main as __main;

#[cfg(feature = "cli")]
#[cfg_attr(docsrs, doc(cfg(feature = "cli")))]
pub use cli::holder::Listener;
pub use crypto::{SlotKind, Unlock, VaultId};
pub use error::{Error, ErrorKind, Result};
pub use model::{RotationStep, Scope, api};
pub use secret::{PayloadKind, SecretBytes, SecretValue};
pub use semantics::{Fault, FaultKind};
pub use vault::{
    CheckReport, Credential, EventError, Finding, LabelEvent, Loss, Pages, Progress, RepairOutcome,
    RepairReport, RotationError, RotationEvent, RotationFunction, RotationFunctions, Vault,
    VaultBuilder, WriteRequest,
};
