//! The whole command line: global flags and a subcommand.

use super::global::Global;
use super::secrets::{Get, Ls, Name, Put, Rm, Stage, Versions};
#[cfg(feature = "server")]
use super::server::Serve;
use super::server::{Credentials, Events};
use super::vault::{Check, Init, Repair};
use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  strongroom init                              create a vault and its key file
  printf %s hunter2 | strongroom put db/password - --create
  strongroom get db/password                   the raw value, nothing added
  strongroom ls db/                            names that start with db/
  strongroom serve                             an AWS Secrets Manager endpoint on 127.0.0.1:4566
  eval \"$(strongroom env)\"                     point any AWS client at that server

Exit codes:
  0 ok, 1 other, 2 usage, 3 not found, 4 key, 5 exists, scheduled for deletion or limit,
  6 vault in use, 7 damage, 130 Ctrl-C, 141 closed pipe";

/// An encrypted secret vault with the semantics of AWS Secrets Manager.
#[derive(Debug, Parser)]
#[command(name = "strongroom", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a vault and the key file that opens it
    Init(Init),
    /// Serve the AWS Secrets Manager API; creates the vault if there is none
    #[cfg(feature = "server")]
    Serve(Serve),
    /// Print the `export` lines that point an AWS client at the server
    #[command(after_help = "Example:\n  eval \"$(strongroom env)\"")]
    Env,
    /// Create, list and revoke the key pairs that may sign requests to the server
    Credentials(Credentials),
    /// List events of label moves that wait to be delivered, or end them
    Events(Events),
    /// Store a new version of a secret and print its version id
    Put(Put),
    /// Print a secret's value, byte for byte
    Get(Get),
    /// List the names of secrets, one a line
    Ls(Ls),
    /// Show everything about a secret except its values
    Describe(Name),
    /// List a secret's versions: id, staging labels, creation date
    Versions(Versions),
    /// Move a staging label to another version
    Stage(Stage),
    /// Delete a secret after a recovery window, or now; prints the deletion date
    Rm(Rm),
    /// Cancel a scheduled deletion
    Restore(Name),
    /// Look for damage without changing anything
    Check(Check),
    /// Repair damage from copies that are proven right; keeps the damaged originals
    Repair(Repair),
}
