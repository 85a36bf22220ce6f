//! What a request calls things by.

use crate::model::SecretRef;

/// Any `SecretId` parses or is refused, and an ARN that parses prints as it was written.
pub(super) fn secret_id(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(SecretRef::Arn(arn)) = SecretRef::parse(text) {
        assert_eq!(arn.to_string(), text);
    }
}
