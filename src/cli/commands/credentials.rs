//! The key pairs that may sign requests to the server.

use crate::cli::args::{Credentials, CredentialsAction, Global};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::session::perform;
use crate::cli::task::Task;

pub(crate) use crate::cli::task::exports;

/// `credentials new|ls|revoke`
pub(crate) fn credentials(
    context: &Context,
    global: &Global,
    args: Credentials,
) -> Result<(), CliError> {
    let task = match args.action {
        CredentialsAction::New { account } => Task::NewCredential { account },
        CredentialsAction::Ls => Task::Credentials,
        CredentialsAction::Revoke { id } => Task::Revoke { id },
    };
    perform(context, global, task)
}
