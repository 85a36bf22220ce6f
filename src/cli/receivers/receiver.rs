//! Hands an event over, and tells what went wrong.

use super::file;
use super::target::{Target, bad, parse};
use crate::cli::calls::{self, CALL_TIME, Deadline};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::{json, text};
use crate::cli::rotation::CallerCell;
use crate::cli::transport::Hook;
use crate::env::Env;
use crate::vault::{EventError, LabelEvent, OnLabelUpdated, Vault};
use std::path::Path;
use std::sync::Arc;

/// Hands over an event. An error says what went wrong.
type HandOver = Box<dyn Fn(&LabelEvent) -> Result<(), String> + Send + Sync>;

/// The receiver that `--events` names.
pub(crate) fn receiver(
    context: &Context,
    argument: &str,
    caller: &CallerCell,
) -> Result<OnLabelUpdated, CliError> {
    let env = context.env.clone();
    let (place, hand_over): (String, HandOver) = match parse(argument)? {
        Target::Exec(path) => {
            let place = path.display().to_string();
            (place, Box::new(move |event| execute(&path, &env, event)))
        }
        Target::Http(url) => {
            let hook = (context.http.hook)(&url).ok_or_else(|| bad(&url))?;
            // The query may hold a password.
            let place = url.split('?').next().unwrap_or_default().to_owned();
            (place, Box::new(move |event| post(hook.as_ref(), &env, event)))
        }
        Target::File(path) => {
            let place = path.display().to_string();
            let append = move |event: &LabelEvent| {
                file::append(&env, &path, &document(event)?).map_err(|error| error.to_string())
            };
            (place, Box::new(append))
        }
    };
    let (place, caller) = (text::one_line(&place), caller.clone());
    Ok(Arc::new(move |event: &LabelEvent| {
        hand_over(event).map_err(|how| {
            tell(&caller, &place, event, &how);
            EventError
        })
    }))
}

fn document(event: &LabelEvent) -> Result<Vec<u8>, String> {
    json::label_event(event).map_err(|error| error.to_string())
}

fn execute(path: &Path, env: &Env, event: &LabelEvent) -> Result<(), String> {
    let is_stopping = || event.is_stopping();
    let deadline = Deadline::after(env, &is_stopping, CALL_TIME);
    let started = calls::command(path).spawn();
    let mut child = started.map_err(|error| format!("the command cannot be started: {error}"))?;
    calls::attend(&mut child, &document(event)?, &deadline)
}

fn post(hook: &dyn Hook, env: &Env, event: &LabelEvent) -> Result<(), String> {
    let is_stopping = || event.is_stopping();
    let deadline = Deadline::after(env, &is_stopping, CALL_TIME);
    hook.invoke(document(event)?, &|| deadline.left().is_some())
        .map_err(|_| "the address failed or did not answer".to_owned())
}

/// Tells that an event was not received, and how many wait. Nothing is told when the server stops: the event
/// is delivered again.
fn tell(caller: &CallerCell, receiver: &str, event: &LabelEvent, how: &str) {
    if event.is_stopping() {
        return;
    }
    let caller = caller.get();
    let outbox = caller.as_ref().and_then(|caller| caller.vault.as_ref()).map(Vault::outbox);
    let waiting = outbox.map(|outbox| outbox.waiting);
    let dropped = outbox.map(|outbox| outbox.dropped);
    let tells_names = caller.is_some_and(|caller| caller.tells_names);
    let secret = tells_names.then_some(event.arn.as_str());
    tracing::warn!(
        target: "strongroom::events",
        receiver, how, waiting, dropped, secret, "a label event was not received; it is tried again"
    );
}
