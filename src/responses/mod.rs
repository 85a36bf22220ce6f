//! The JSON of responses, in the form of AWS: the server sends it and the command prints it.
//!
//! Responses borrow nothing and know nothing of JSON. This module lists the members of each response in the
//! order of the API model and writes them into a buffer that is wiped (I8).
//!
//! - `json.rs`: [`Structure`], the members of one object, and the writer
//! - `secrets.rs`: create, update, describe, list, delete, and versions
//! - `values.rs`: values, batches of values, random passwords
//! - `policies.rs`: resource policies
//! - `replication.rs`: replicas in other regions and accounts, partners

// With only one of the features `cli` and `server`, the other's style and responses are unused.
#![cfg_attr(not(all(feature = "cli", feature = "server")), allow(dead_code, unused_imports))]

mod json;
mod policies;
mod replication;
mod secrets;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use json::{Members, Structure, Style, pretty, to_json};
pub(crate) use replication::ArnOnly;
pub(crate) use secrets::SecretList;
