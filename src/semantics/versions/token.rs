//! Which version a `ClientRequestToken` names (SEM-TOKEN).

use crate::env::faults;
use crate::model::{SecretRecord, VersionId, VersionRecord};
use crate::secret::PayloadKind;
use crate::semantics::messages;
use crate::semantics::plan::{Refusal, View};

/// Which version a token names, given the value that travels with the request.
pub(crate) enum Token {
    /// None: the token makes a new one.
    Free,
    /// One that a rotation made without a value: it is filled (SEM-TOKEN-6).
    Placeholder(VersionRecord),
    /// One with the same value: the request was answered before (SEM-TOKEN-3).
    Replay(VersionRecord),
}

/// What the token names, or E9 if it names a version with another value. Kind and bytes must both
/// agree (SEM-TOKEN-5).
pub(crate) fn look_up<V: View>(
    view: &V,
    record: &SecretRecord,
    token: &VersionId,
    kind: PayloadKind,
) -> Result<Token, Refusal<V::Error>> {
    let Some(seq) = view.version_seq(record.id, token).map_err(Refusal::View)? else {
        return Ok(Token::Free);
    };
    let Some(version) = view.version(record.id, seq).map_err(Refusal::View)? else {
        return Ok(Token::Free);
    };
    match version.kind {
        None => Ok(Token::Placeholder(version)),
        Some(_) if faults::active(faults::Fault::TokenReuseAccepted) => Ok(Token::Replay(version)),
        Some(stored)
            if stored == kind && view.same_payload(record.id, seq).map_err(Refusal::View)? =>
        {
            Ok(Token::Replay(version))
        }
        Some(_) => Err(messages::token_is_taken(token, &record.arn()).into()),
    }
}
