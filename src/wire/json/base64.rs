//! Base64 in requests (rule WIRE-JSON-4).

use crate::secret::SecretBytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Reads padded base64 of the standard alphabet, straight into the fence.
pub(crate) fn decoded(text: &str) -> Option<SecretBytes> {
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let len = STANDARD.decode_slice(text, &mut bytes).ok()?;
    bytes.get(..len).map(SecretBytes::copy_from)
}
