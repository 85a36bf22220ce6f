//! The protocol without a connection, for callers in the same process: takes an operation and its JSON,
//! returns a status and JSON.

use crate::error::{Error, ErrorKind};
use crate::model::Scope;
use crate::model::api::{Operation, Request};
use crate::vault::Vault;
use crate::wire::reply::{Reply, ReplyError};
use crate::wire::services::operations;
use std::sync::mpsc;
use zeroize::Zeroizing;

/// Status and body of an answer.
pub(crate) type Answer = (u16, Zeroizing<Vec<u8>>);

/// Why a service cannot answer.
#[derive(Clone, Copy)]
pub(crate) enum Refusal {
    /// Too many requests.
    Throttled,
    /// It has a defect.
    Internal,
    /// It is down.
    Unavailable,
}

/// Performs `operation` (`CreateSecret` and so on) with a request body, as the server does for a
/// caller of `scope`. Waits until a write is durable.
pub(crate) fn answer(vault: &Vault, scope: &Scope, operation: &str, body: &[u8]) -> Answer {
    let body = Zeroizing::new(body.to_vec());
    taken_apart(
        try_answer(&vault.in_scope(scope), operation, body)
            .unwrap_or_else(|failure| failure.reply()),
    )
}

/// The response of a service that cannot answer.
pub(crate) fn refuse(refusal: Refusal) -> Answer {
    let failure = match refusal {
        Refusal::Throttled => ReplyError::from(Error::from(ErrorKind::Busy)),
        Refusal::Internal => ReplyError::Internal("An error occurred on the server side."),
        Refusal::Unavailable => ReplyError::Unavailable,
    };
    taken_apart(failure.reply())
}

/// Whether it is an operation that changes nothing.
pub(crate) fn only_reads(operation: &str) -> bool {
    Operation::from_name(operation).is_some_and(Operation::only_reads)
}

fn taken_apart(reply: Reply) -> Answer {
    (reply.status.as_u16(), reply.content.unwrap_or_default())
}

fn try_answer(
    vault: &Vault,
    operation: &str,
    body: Zeroizing<Vec<u8>>,
) -> Result<Reply, ReplyError> {
    let operation = Operation::from_name(operation).ok_or(ReplyError::UnknownOperation)?;
    let content = match operations::read(operation, body)? {
        Request::Read(read) => operations::perform_read(vault, read)?,
        Request::Write(write) => {
            let (answered, answer) = mpsc::channel();
            let done = move |result| {
                // The caller waits on the other end.
                let _ = answered.send(result);
            };
            vault.submit_write(write, done);
            let answer = answer.recv().map_err(|_| operations::BROKEN_OFF)??;
            operations::write_answer(&answer)?
        }
    };
    Ok(Reply::json(content))
}
