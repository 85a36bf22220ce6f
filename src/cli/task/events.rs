//! What the subcommands on events do.

use super::answer::Answer;
use crate::cli::error::CliError;
use crate::cli::output::{json, text};
use crate::vault::{EVENTS_MAX, Vault};

/// `events ls`
pub(super) fn list(vault: &Vault, is_json: bool) -> Result<Answer, CliError> {
    let (outbox, waiting) = (vault.outbox(), vault.waiting_events()?);
    if is_json {
        return Ok(Answer::data(json::events(outbox.is_on, outbox.dropped, &waiting)?));
    }
    let mut answer = Answer::lines(waiting.iter().map(text::label_event));
    if outbox.dropped > 0 {
        answer.warn(&format!(
            "the oldest events were dropped, because more than {EVENTS_MAX} waited. dropped={}",
            outbox.dropped
        ));
    }
    if !outbox.is_on {
        answer
            .notes
            .push("no events are written; `strongroom serve --events` begins it".to_owned());
    }
    Ok(answer)
}

/// `events off`
pub(super) fn forget(vault: &Vault) -> Result<Answer, CliError> {
    vault.forget_label_events()?;
    Ok(Answer::nothing())
}
