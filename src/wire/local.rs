//! The protocol without a connection: an operation and its JSON in, a status and JSON out. It is what
//! lies between the server's front end and the vault, for callers in the same process.

use crate::error::{Error, ErrorKind};
use crate::model::Scope;
use crate::model::api::{Operation, Request};
use crate::vault::Vault;
use crate::wire::reply::{Failure, Reply};
use crate::wire::services::operations;
use std::sync::mpsc;
use zeroize::Zeroizing;

/// Status and body of an answer.
pub(crate) type Answer = (u16, Zeroizing<Vec<u8>>);

/// How a service that cannot answer says so.
#[derive(Clone, Copy)]
pub(crate) enum Refusal {
    /// Too many requests.
    Throttled,
    /// A defect of its own.
    Internal,
    /// It is not there.
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

/// What is said instead of an answer.
pub(crate) fn refuse(refusal: Refusal) -> Answer {
    let failure = match refusal {
        Refusal::Throttled => Failure::from(Error::from(ErrorKind::Busy)),
        Refusal::Internal => Failure::Internal("An error occurred on the server side."),
        Refusal::Unavailable => Failure::Unavailable,
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

fn try_answer(vault: &Vault, operation: &str, body: Zeroizing<Vec<u8>>) -> Result<Reply, Failure> {
    let operation = Operation::from_name(operation).ok_or(Failure::UnknownOperation)?;
    let content = match operations::read(operation, body)? {
        Request::Read(read) => operations::perform_read(vault, read)?,
        Request::Write(write) => {
            let (answered, answer) = mpsc::channel();
            let done = move |result| {
                // The caller waits on the other end.
                let _ = answered.send(result);
            };
            vault.submit(write, done);
            let answer = answer.recv().map_err(|_| operations::BROKEN_OFF)??;
            operations::write_answer(operation, &answer)?
        }
    };
    Ok(Reply::json(content))
}
