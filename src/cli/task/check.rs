//! What `check` answers, whoever checked.

use super::answer::Answer;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::{json, text};
use crate::vault::CheckReport;

/// The answer about a report. Damage is exit 7. What the next open repairs by itself is a warning and exit 0.
pub(crate) fn report(report: &CheckReport, is_json: bool) -> Result<Answer, CliError> {
    let mut answer = if is_json {
        Answer::data(json::check(report)?)
    } else {
        Answer::lines([text::check_summary(report)])
    };
    answer.notes.extend_from_slice(&report.notes);
    for warning in &report.warnings {
        answer.warn(warning);
    }
    answer.notes.extend(report.damage.iter().map(|damage| format!("damage: {damage}")));
    answer.failure = (!report.damage.is_empty()).then(|| {
        CliError::new(Exit::Damaged, "the vault is damaged").hint(
            "nothing was changed; copy the folder, then run `strongroom repair`, which loses nothing \
             without --accept-loss",
        )
    });
    Ok(answer)
}
