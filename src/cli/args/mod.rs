//! The command line: its words, its help, its refusals.
//!
//! Flags for the vault and its key stand before or after the subcommand. A refusal never repeats an argument
//! that could be a secret.
//!
//! - `global.rs`: the flags of every subcommand
//! - `vault.rs`, `secrets.rs`, `server.rs`: the arguments of the subcommands, by subject
//! - `command_line.rs`: the whole command line
//! - `parse.rs`: reads it

mod command_line;
mod global;
mod parse;
mod secrets;
mod server;
#[cfg(test)]
mod tests;
mod vault;

pub(crate) use command_line::{Cli, Command};
pub(crate) use global::Global;
pub(crate) use parse::{Parsed, parse};
pub(crate) use secrets::{Get, Ls, Name, Put, Rm, Stage, Versions};
#[cfg(feature = "server")]
pub(crate) use server::{AuthMode, LogArgs, LogFormat, Serve};
pub(crate) use server::{Credentials, CredentialsAction, Events, EventsAction};
pub(crate) use vault::{Check, Init, Repair};
