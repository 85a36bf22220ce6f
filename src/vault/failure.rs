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
            CryptoError::WrongKey | CryptoError::Damaged { .. } => Self::Row("ROW-4"),
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
