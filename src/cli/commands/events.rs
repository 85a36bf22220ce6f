//! The events of label moves that wait to be delivered.

use crate::cli::args::{Events, EventsAction, Global};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::session::perform;
use crate::cli::task::Task;

/// `events ls|off`
pub(crate) fn events(context: &Context, global: &Global, args: &Events) -> Result<(), CliError> {
    let task = match args.action {
        EventsAction::Ls => Task::Events,
        EventsAction::Off => Task::ForgetEvents,
    };
    perform(context, global, task)
}
