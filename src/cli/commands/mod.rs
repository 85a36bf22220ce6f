//! All subcommands except `serve` and `env`. Each asks the vault, closes it and prints.
//!
//! - `init.rs`: creates a vault and its key
//! - `secrets.rs`: `put`, `get`, `ls`, `describe`, `versions`, `stage`, `rm`, `restore`
//! - `credentials.rs`: the key pairs that sign requests to the server
//! - `events.rs`: the events that wait to be delivered
//! - `health.rs`: `check` and `repair`

pub(crate) mod credentials;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod init;
pub(crate) mod secrets;
