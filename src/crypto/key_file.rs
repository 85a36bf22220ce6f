//! The text of a key file (KEY-11): 256 random bits that open a vault in milliseconds.
//!
//! ```text
//! # strongroom key file v1; vault 8b0c0f6e-52a7-4d3c-9a55-0d6f4f9f8f11
//! 64 hexadecimal digits of the key, a space, 8 digits of checksum
//! ```
//!
//! The format is strict: these two lines, lower case, and nothing else. Only what editors do to a text is
//! forgiven: a byte order mark, CRLF, a last newline that is missing or repeated. The checksum distinguishes
//! a truncated or mistyped file from a key of another vault. It is 32 bits of a hash of 256 random bits, so
//! it does not help to guess them.

use super::{CryptoError, VaultId};
use crate::env::Entropy;
use crate::secret::SecretBytes;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const INTRO: &[u8] = b"# strongroom key file v";
const VERSION: &[u8] = b"1; vault ";
const UUID_CHARS: usize = 36;
const KEY_CHARS: usize = 64;
const CHECK_BYTES: usize = 4;
/// What some editors put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The length of every key file of this version, in bytes.
pub const TEXT_BYTES: usize =
    INTRO.len() + VERSION.len() + UUID_CHARS + 1 + KEY_CHARS + 1 + 2 * CHECK_BYTES + 1;

/// The text of a new key file for `vault`.
pub fn generate(vault: VaultId, entropy: &dyn Entropy) -> Result<SecretBytes, CryptoError> {
    let mut key = Zeroizing::new([0; 32]);
    entropy.fill(key.as_mut()).map_err(|_| CryptoError::Entropy)?;
    Ok(encode(vault, &key))
}

/// The key in a key file. Any text gives a key or an error.
pub fn parse(text: &SecretBytes) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
    decode(text).map(|(_, key)| key)
}

/// The vault that a key file names.
pub fn vault_of(text: &SecretBytes) -> Result<VaultId, CryptoError> {
    decode(text).map(|(vault, _)| vault)
}

fn encode(vault: VaultId, key: &[u8; 32]) -> SecretBytes {
    let mut text = Vec::with_capacity(TEXT_BYTES);
    text.extend_from_slice(INTRO);
    text.extend_from_slice(VERSION);
    text.extend_from_slice(vault.to_string().as_bytes());
    text.push(b'\n');
    text.extend(key.iter().flat_map(|byte| hex_digits(*byte)));
    text.push(b' ');
    text.extend(checksum(vault, key).iter().flat_map(|byte| hex_digits(*byte)));
    text.push(b'\n');
    SecretBytes::new(text)
}

fn decode(text: &SecretBytes) -> Result<(VaultId, Zeroizing<[u8; 32]>), CryptoError> {
    // EXPOSE: parses the key in wiped buffers.
    let text = text.expose();
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    refuse_newer(text)?;
    parse_v1(text).ok_or(CryptoError::DamagedKeyFile)
}

/// The number after the fixed beginning distinguishes a later version from damage.
fn refuse_newer(text: &[u8]) -> Result<(), CryptoError> {
    let Some(rest) = text.strip_prefix(INTRO) else { return Err(CryptoError::DamagedKeyFile) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count().min(9);
    let found =
        rest.iter().take(digits).fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'));
    if found > 1 && rest.get(digits) == Some(&b';') {
        return Err(CryptoError::NewerFormat { found, known: 1 });
    }
    Ok(())
}

fn parse_v1(text: &[u8]) -> Option<(VaultId, Zeroizing<[u8; 32]>)> {
    let rest = text.strip_prefix(INTRO)?.strip_prefix(VERSION)?;
    let (uuid, rest) = rest.split_at_checked(UUID_CHARS)?;
    let vault = VaultId(uuid::Uuid::try_parse_ascii(uuid).ok()?.into_bytes());
    let rest = rest.strip_prefix(b"\r").unwrap_or(rest).strip_prefix(b"\n")?;
    let (digits, rest) = rest.split_at_checked(KEY_CHARS)?;
    let key: Zeroizing<[u8; 32]> = parse_hex(digits)?;
    let (digits, end) = rest.strip_prefix(b" ")?.split_at_checked(2 * CHECK_BYTES)?;
    let check: Zeroizing<[u8; CHECK_BYTES]> = parse_hex(digits)?;
    let is_end = end.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
    let canonical = vault.to_string().as_bytes() == uuid && is_end;
    (canonical && *check == checksum(vault, &key)).then_some((vault, key))
}

fn checksum(vault: VaultId, key: &[u8; 32]) -> [u8; CHECK_BYTES] {
    let hash = Sha256::new()
        .chain_update(b"strongroom/v1/key file")
        .chain_update(vault.0)
        .chain_update(key)
        .finalize();
    let mut check = [0; CHECK_BYTES];
    check.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    check
}

/// Arithmetic instead of a table: memory addresses do not depend on the key.
fn hex_digits(byte: u8) -> [u8; 2] {
    const LETTERS_AFTER: u8 = b'a' - b'9' - 1;
    [byte >> 4, byte & 15].map(|nibble| nibble + b'0' + u8::from(nibble > 9) * LETTERS_AFTER)
}

fn parse_hex<const N: usize>(digits: &[u8]) -> Option<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    let mut wrong = digits.len() != 2 * N;
    let (pairs, _) = digits.as_chunks::<2>();
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let (high, high_wrong) = nibble(*high);
        let (low, low_wrong) = nibble(*low);
        wrong |= high_wrong | low_wrong;
        *byte = high << 4 | low;
    }
    (!wrong).then_some(bytes)
}

/// The value of a lower-case digit, and whether it is not a digit; without a branch on the digit.
fn nibble(digit: u8) -> (u8, bool) {
    let number = digit.wrapping_sub(b'0');
    let letter = digit.wrapping_sub(b'a');
    let (is_number, is_letter) = (u8::from(number < 10), u8::from(letter < 6));
    let value =
        is_number.wrapping_neg() & number | is_letter.wrapping_neg() & letter.wrapping_add(10) & 15;
    (value, is_number | is_letter == 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::crypto::testing::{NoEntropy, Stream, VAULT};

    fn text() -> Vec<u8> {
        generate(VAULT, &Stream::new(1)).unwrap().expose().to_vec()
    }

    fn error_of(text: &[u8]) -> Option<CryptoError> {
        parse(&SecretBytes::copy_from(text)).err()
    }

    #[test]
    fn a_key_file_reads_back() {
        let key: [u8; 32] = std::array::from_fn(|i| u8::try_from(i * 8 + i / 4).unwrap());
        let text = encode(VAULT, &key);
        assert_eq!(text.len(), TEXT_BYTES);
        assert_eq!(*parse(&text).unwrap(), key);
        assert_eq!(vault_of(&text).unwrap(), VAULT);
        let lines = std::str::from_utf8(text.expose()).unwrap();
        assert!(lines.contains(&format!("\n{}", hex::encode(key))), "{lines}");
    }

    #[test]
    fn two_key_files_have_two_keys() {
        let entropy = Stream::new(1);
        let (one, two) = (generate(VAULT, &entropy).unwrap(), generate(VAULT, &entropy).unwrap());
        assert_ne!(*parse(&one).unwrap(), *parse(&two).unwrap());
        assert_eq!(generate(VAULT, &NoEntropy).err(), Some(CryptoError::Entropy));
    }

    #[test]
    fn every_truncation_is_a_damaged_key_file() {
        let text = text();
        for len in 0..text.len() - 1 {
            assert_eq!(error_of(&text[..len]), Some(CryptoError::DamagedKeyFile), "length {len}");
        }
        for more in [&b" \n"[..], b"\n\n#", b"\0"] {
            assert_eq!(error_of(&[&text[..], more].concat()), Some(CryptoError::DamagedKeyFile));
        }
    }

    /// OWN-6: the checksum proves the key, whatever an editor did to the ends of the lines.
    #[test]
    fn what_editors_do_to_a_text_is_forgiven() {
        let text = text();
        let key = parse(&SecretBytes::copy_from(&text)).unwrap();
        let crlf = String::from_utf8(text.clone()).unwrap().replace('\n', "\r\n").into_bytes();
        for edited in [
            text[..text.len() - 1].to_vec(),
            [&text[..], b"\n"].concat(),
            [&text[..], b"\n\r\n\n"].concat(),
            crlf.clone(),
            crlf[..crlf.len() - 2].to_vec(),
            [BYTE_ORDER_MARK, &text].concat(),
            [BYTE_ORDER_MARK, &crlf].concat(),
        ] {
            assert_eq!(parse(&SecretBytes::copy_from(&edited)).unwrap(), key, "{edited:?}");
        }
        for damaged in [[BYTE_ORDER_MARK, BYTE_ORDER_MARK, &text].concat(), crlf[..70].to_vec()] {
            assert_eq!(error_of(&damaged), Some(CryptoError::DamagedKeyFile));
        }
    }

    /// Any other byte in any position is damage or (in the version) a newer format; never a key.
    #[test]
    fn every_mistyped_byte_is_noticed() {
        let text = text();
        for at in 0..text.len() {
            let is_last = at + 1 == text.len();
            for byte in (0..=255).filter(|byte| *byte != text[at] && !(is_last && *byte == b'\r')) {
                let mut wrong = text.clone();
                wrong[at] = byte;
                let error = error_of(&wrong).expect("another byte was accepted");
                let newer = matches!(error, CryptoError::NewerFormat { .. });
                assert!(error == CryptoError::DamagedKeyFile || newer && at == INTRO.len());
            }
        }
    }

    #[test]
    fn a_newer_key_file_is_refused_by_number() {
        let newer = CryptoError::NewerFormat { found: 12, known: 1 };
        assert_eq!(error_of(b"# strongroom key file v12; whatever"), Some(newer));
    }

    #[test]
    fn upper_case_is_not_canonical() {
        let upper = text().to_ascii_uppercase();
        let mixed = [&text()[..INTRO.len() + VERSION.len() + 37], &upper[INTRO.len() + 46..]];
        assert_eq!(error_of(&mixed.concat()), Some(CryptoError::DamagedKeyFile));
    }
}
