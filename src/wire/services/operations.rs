//! Operations of Secrets Manager without HTTP: from a request body to the vault, from its answer to JSON.

use crate::error::Result as VaultResult;
#[allow(clippy::wildcard_imports, reason = "the table of operations names every request")]
use crate::model::api::*;
use crate::responses::{ArnOnly, Structure, Style, to_json};
use crate::semantics::Answer;
use crate::vault::Vault;
use crate::wire::json::{Node, parse};
use crate::wire::reply::ReplyError;
#[cfg(any(feature = "testkit", feature = "__internals"))]
use crate::wire::request;
use zeroize::Zeroizing;

/// The vault dropped a write's callback.
pub(crate) const BROKEN_OFF: ReplyError =
    ReplyError::Internal("the operation was broken off; its outcome is unknown");

/// Parses a body; it is wiped before the operation starts.
pub(crate) fn parse_body(body: Zeroizing<Vec<u8>>) -> Result<Node, ReplyError> {
    let node = parse(&body).map_err(|_| ReplyError::NotJson);
    drop(body);
    node
}

/// Reads the body of a request to an operation.
#[cfg(any(feature = "testkit", feature = "__internals"))]
pub(crate) fn read(operation: Operation, body: Zeroizing<Vec<u8>>) -> Result<Request, ReplyError> {
    request::read(operation, parse_body(body)?)
}

macro_rules! perform_read {
    (
        writes { $($write:tt)* }
        reads { $($read:ident => $response:ty, $method:ident;)* }
    ) => {
        /// Performs a request that changes nothing.
        pub(crate) fn perform_read(vault: &Vault, read: Read) -> VaultResult<Zeroizing<Vec<u8>>> {
            match read {
                $(Read::$read(request) => json(&vault.$method(request)?),)*
            }
        }
    };
}

for_each_operation!(perform_read);

/// The JSON of the answer of a write.
pub(crate) fn write_answer(answer: &Answer) -> Result<Zeroizing<Vec<u8>>, ReplyError> {
    Ok(match answer {
        Answer::Named(named) => json(named)?,
        Answer::Promoted(named) => json(&ArnOnly(named))?,
        Answer::Written(written) => json(written)?,
        Answer::Deleted(deleted) => json(deleted)?,
        Answer::PolicyNamed(named) => json(named)?,
        Answer::Replicated(replicated) => json(replicated)?,
        Answer::Associated(associated) => json(associated)?,
        // No body (WIRE-REPLY-3).
        Answer::Done => Zeroizing::new(Vec::new()),
        // Answers of upkeep, which no request asks for.
        Answer::More | Answer::Rotation(_) => {
            return Err(ReplyError::Internal("the answer does not fit the operation"));
        }
    })
}

fn json(response: &impl Structure) -> VaultResult<Zeroizing<Vec<u8>>> {
    to_json(response, Style::Server)
}
