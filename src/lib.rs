//! Strongroom: an embedded, persistent secret vault with the semantics of AWS Secrets Manager.
//!
//! A vault is one encrypted folder. What an operation acknowledged is on the disk, whatever happens
//! next; what lies on the disk says nothing without the key; and every operation answers as AWS
//! does, to the letter of its errors. The same folder has three doors: this library, the
//! `strongroom` command, and `strongroom serve` for any AWS client.
//!
//! ```
//! use strongroom::model::Scope;
//! use strongroom::model::api::{CreateSecret, GetSecretValue, PutSecretValue};
//! use strongroom::secret::SecretValue;
//! use strongroom::vault::Vault;
//!
//! # fn main() -> strongroom::error::Result<()> {
//! let vault = Vault::in_memory()?; // or Vault::open(path, &unlock, &options)
//! let scope = Scope::default(); // account 000000000000 in us-east-1
//!
//! let mut request = CreateSecret::new("app/db");
//! request.value = Some(SecretValue::text("correct horse"));
//! vault.create_secret(&scope, request)?;
//! vault.put_secret_value(&scope, PutSecretValue::new("app/db", SecretValue::text("battery")))?;
//!
//! let current = vault.get_secret_value(&scope, &GetSecretValue::new("app/db"))?;
//! assert_eq!(current.value.bytes().expose(), b"battery");
//! assert_eq!(current.version_stages, ["AWSCURRENT"]);
//! vault.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! - [`vault`]: [`Vault`](vault::Vault) and its operations; the one place that orders effects.
//! - [`model`]: requests, answers, names, limits. [`secret`]: the fence around plaintext.
//! - [`error`]: one kind per thing that a caller can do.
//! - [`semantics`] decides, [`log`] makes durable, [`store`] serves reads, [`crypto`] seals, [`mod@env`]
//!   is where time, chance and files enter.
//!
//! `docs/ARCHITECTURE.md` has the invariants, `docs/FORMAT.md` every byte on disk,
//! `docs/SEMANTICS.md` every rule of the API.
//!
//! # Features
//!
//! `cli` and `server` are on by default and only serve the binary. With
//! `default-features = false` the library needs no async runtime, no HTTP and no argument parser.

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
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod doors;
#[cfg(feature = "server")]
pub mod wire;

#[cfg(all(feature = "__internals", feature = "testkit"))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "testkit")]
pub mod testkit;
