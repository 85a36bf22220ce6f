//! Every conversion of a lower layer's error into what the caller of a vault sees.

use crate::codec::CodecError;
use crate::crypto::CryptoError;
use crate::error::{Error, ErrorKind};
use crate::log::LogError;
use crate::semantics::Refusal;
use crate::store::StoreError;

/// The folder of the state, for messages.
const STATE: &str = "state";

/// Why a row could not be read or written. Never a refusal of AWS; never holds content.
#[derive(Debug)]
#[expect(dead_code, reason = "rule and cause are for debugging; callers get an `ErrorKind`")]
pub(crate) enum RowError {
    /// The store failed.
    Store(StoreError),
    /// A row does not open or decode: the state is damaged, but the log may be whole.
    Row(&'static str),
    /// There was no entropy for a fresh nonce.
    Crypto(CryptoError),
    /// The plan does not fit the format. This says nothing about the state.
    Plan(&'static str),
}

impl RowError {
    /// Whether the state is at fault, so that rebuilding it may help.
    pub(crate) fn is_of_state(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Row(_))
    }
}

impl From<StoreError> for RowError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<CodecError> for RowError {
    fn from(_: CodecError) -> Self {
        Self::Row("ROW-7")
    }
}

impl From<CryptoError> for RowError {
    fn from(error: CryptoError) -> Self {
        match error {
            // A newer format is refused when the vault is opened. A row that claims one later has a flipped
            // version byte.
            CryptoError::WrongKey
            | CryptoError::Damaged { .. }
            | CryptoError::NewerFormat { .. } => Self::Row("ROW-4"),
            CryptoError::TooLong => Self::Plan("ROW-2"),
            other => Self::Crypto(other),
        }
    }
}

impl From<RowError> for Error {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Store(StoreError::Io { op, source }) => {
                Self::io_below_vault(op, STATE, source)
            }
            RowError::Store(_) | RowError::Row(_) => ErrorKind::StateBroken.into(),
            RowError::Crypto(_) => ErrorKind::no_entropy().into(),
            RowError::Plan(_) => {
                ErrorKind::Usage { what: "the request does not fit into one operation" }.into()
            }
        }
    }
}

impl From<RowError> for Refusal<RowError> {
    fn from(error: RowError) -> Self {
        Self::View(error)
    }
}

impl From<Refusal<RowError>> for Error {
    fn from(refusal: Refusal<RowError>) -> Self {
        match refusal {
            Refusal::Fault(fault) => fault.into(),
            Refusal::View(error) => error.into(),
        }
    }
}

impl From<LogError> for Error {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Io { op: "random", source, .. } => Self::no_entropy(source),
            LogError::Io { op, path, source } => Self::io_below_vault(op, &path, source),
            LogError::NoSpace => ErrorKind::NoSpace.into(),
            LogError::Poisoned => ErrorKind::Poisoned.into(),
            LogError::Damaged(damage) => {
                ErrorKind::Damaged { file: damage.file, offset: damage.offset, rule: damage.rule }
                    .into()
            }
            LogError::NewerFormat { file, found, known } => {
                ErrorKind::NewerFormat { file, found, known }.into()
            }
            LogError::Refused { what } => ErrorKind::Usage { what }.into(),
            LogError::Stopped => ErrorKind::StateBroken.into(),
        }
    }
}

/// Whether a snapshot does not read back. The snapshot before it may still do.
pub(crate) fn is_snapshot_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Damaged { rule, .. } if rule.starts_with("SNAP-"))
}

/// Why a keystore could not be unlocked, made or changed.
pub(crate) fn keystore_error(error: CryptoError) -> Error {
    let file = || "keystore".to_owned();
    match error {
        CryptoError::WrongKey => ErrorKind::WrongKey,
        CryptoError::Damaged { rule } => ErrorKind::Damaged { file: file(), offset: 0, rule },
        CryptoError::NewerFormat { found, known } => {
            ErrorKind::NewerFormat { file: file(), found, known }
        }
        CryptoError::Entropy => ErrorKind::no_entropy(),
        CryptoError::Memory => {
            ErrorKind::Usage { what: "not enough memory for this passphrase's Argon2id cost" }
        }
        _ => ErrorKind::Usage {
            what: "the passphrase is empty, its cost is out of range, or all key slots are taken",
        },
    }
    .into()
}

/// Why a keystore on disk could not be decoded. No vault is made with an Argon2id cost out of range, so such
/// a cost is damage here. When a vault is made it is the caller's mistake.
pub(crate) fn keystore_decode_error(error: CryptoError) -> Error {
    match error {
        CryptoError::WeakKdf | CryptoError::KdfOutOfRange => {
            ErrorKind::Damaged { file: "keystore".to_owned(), offset: 0, rule: "KEY-6" }.into()
        }
        other => keystore_error(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weakened_keystore_is_damage_and_not_a_wrong_request() {
        for error in [CryptoError::WeakKdf, CryptoError::KdfOutOfRange] {
            let error = keystore_decode_error(error);
            assert!(matches!(error.kind(), ErrorKind::Damaged { rule: "KEY-6", .. }), "{error}");
        }
    }
}
