//! What a subcommand asks of an open vault, and the answer.
//!
//! ```text
//! command line -> Request (+ value) -> run on the own vault, or by the holder -> Answer -> printed
//! ```
//!
//! A command that has the vault to itself and one that goes through the holder differ only in who runs the
//! request. So both print the same and end with the same exit code.
//!
//! - `request.rs`: requests, which can be sent
//! - `answer.rs`: answers
//! - `secrets.rs`, `credentials.rs`, `events.rs`, `check.rs`: what a request does, by subject

mod answer;
mod check;
mod credentials;
mod events;
mod request;
mod secrets;

pub(crate) use answer::Answer;
pub(crate) use check::report as check_answer;
pub(crate) use credentials::exports;
pub(crate) use request::{Get, Place, Put, Request, Rm, Stage, Task};

use crate::cli::error::{CliError, Exit};
use crate::secret::SecretBytes;
use crate::vault::{OnProgress, Vault};

/// Runs a request on an open vault.
pub(crate) fn run(
    vault: &Vault,
    request: &Request,
    value: Option<&SecretBytes>,
    progress: Option<&OnProgress>,
) -> Result<Answer, CliError> {
    let Request { task, json } = request;
    match task {
        Task::Put(put) => secrets::put(vault, put, value.ok_or_else(no_value)?, *json),
        Task::Find { place, name, create } => secrets::find(vault, place, name, *create),
        Task::Get(get) => secrets::get(vault, get, *json),
        Task::Ls { place, prefix } => secrets::ls(vault, place, prefix, *json),
        Task::Describe { place, name } => secrets::describe(vault, place, name, *json),
        Task::Versions { place, name, all } => secrets::versions(vault, place, name, *all, *json),
        Task::Stage(stage) => secrets::stage(vault, stage, *json),
        Task::Rm(rm) => secrets::rm(vault, rm, *json),
        Task::Restore { place, name } => secrets::restore(vault, place, name, *json),
        Task::NewCredential { account } => credentials::create(vault, account, *json),
        Task::Credentials => credentials::list(vault, *json),
        Task::Revoke { id } => credentials::revoke(vault, id),
        Task::Events => events::list(vault, *json),
        Task::ForgetEvents => events::forget(vault),
        Task::Check { deep } => check::report(&vault.check(*deep, progress)?, *json),
    }
}

fn no_value() -> CliError {
    CliError::new(Exit::Other, "the request came without its value")
}
