//! Why a row could not be read, between the vault's own parts.

use crate::codec::CodecError;
use crate::crypto::CryptoError;
use crate::error::{Error, ErrorKind};
use crate::semantics::Refusal;
use crate::store::StoreError;

/// A view that could not be read. Never AWS's refusal, never holds content.
#[derive(Debug)]
#[expect(dead_code, reason = "rule and cause are for whoever debugs; callers are told what to do")]
pub(crate) enum Failure {
    /// The state failed.
    Store(StoreError),
    /// A row of the state does not open or decode: the state lies, the truth may not.
    Row(&'static str),
    /// A fresh nonce could not be had.
    Crypto(CryptoError),
    /// What was planned does not fit the format: says nothing about the state.
    Plan(&'static str),
}

impl Failure {
    /// Whether it says that the state lies: a rebuilt one may not.
    pub(crate) fn is_of_state(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Row(_))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<CodecError> for Failure {
    fn from(_: CodecError) -> Self {
        Self::Row("ROW-7")
    }
}

impl From<CryptoError> for Failure {
    fn from(error: CryptoError) -> Self {
        match error {
            // A flipped version byte looks like a newer format; a real one was refused at the door.
            CryptoError::WrongKey
            | CryptoError::Damaged { .. }
            | CryptoError::NewerFormat { .. } => Self::Row("ROW-4"),
            CryptoError::TooLong => Self::Plan("ROW-2"),
            other => Self::Crypto(other),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(StoreError::Io { op, source }) => Error::io(op, source),
            Failure::Store(_) | Failure::Row(_) => ErrorKind::StateBroken.into(),
            Failure::Crypto(_) => ErrorKind::Io { op: "random bytes" }.into(),
            Failure::Plan(_) => {
                ErrorKind::Usage { what: "the request does not fit into one operation" }.into()
            }
        }
    }
}

impl From<Refusal<Failure>> for Error {
    fn from(refusal: Refusal<Failure>) -> Self {
        match refusal {
            Refusal::Fault(fault) => fault.into(),
            Refusal::View(failure) => failure.into(),
        }
    }
}
