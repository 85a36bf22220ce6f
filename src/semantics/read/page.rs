//! Pages and their tokens (SEM-LIST-3 to SEM-LIST-6).
//!
//! A token says where the last page ended and nothing else, so the vault keeps no state for it,
//! and pages stay whole while others write. Tokens are hex text with a version first:
//!
//! ```text
//! "1v" seq:16                                ListSecretVersionIds
//! "1p" name in hex:*                         ListResourcePolicies
//! "1" order:1 id:32 key:*                    ListSecrets; order is a letter of its own per order
//! ```
//!
//! A token that does not parse, or of another order, is refused (E34); one that was tampered with
//! can only name another place to go on from.

use crate::model::{RecordId, Seq, limits};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use std::fmt::Write;

/// How many entries a page has: `MaxResults`, else 100.
pub(crate) fn size(max_results: Option<i64>) -> usize {
    size_to(max_results, limits::PAGE_MAX)
}

/// How many entries a page has: `MaxResults`, else `max`.
pub(crate) fn size_to(max_results: Option<i64>, max: usize) -> usize {
    max_results
        .and_then(|results| usize::try_from(results).ok())
        .map_or(max, |results| results.clamp(1, max))
}

/// The token of a page of versions that ended at `seq`.
pub(crate) fn seq_token(seq: Seq) -> String {
    format!("1v{:016x}", seq.0)
}

/// Where a page of versions goes on.
pub(crate) fn parse_seq(token: &str) -> Result<Seq, Fault> {
    let bytes = token.strip_prefix("1v").and_then(from_hex).ok_or_else(messages::bad_next_token)?;
    let bytes: [u8; 8] = bytes.try_into().map_err(|_| messages::bad_next_token())?;
    Ok(Seq(u64::from_be_bytes(bytes)))
}

/// The token of a page of policies that ended at that name.
pub(crate) fn policy_token(name: &str) -> String {
    format!("1p{}", to_hex(name.as_bytes()))
}

/// Where a page of policies goes on.
pub(crate) fn parse_policy(token: &str) -> Result<String, Fault> {
    let bytes = token.strip_prefix("1p").and_then(from_hex).ok_or_else(messages::bad_next_token)?;
    String::from_utf8(bytes).map_err(|_| messages::bad_next_token())
}

/// The token of a page of secrets that ended at that id, whose sort key was `key`.
pub(crate) fn secret_token(order: char, id: RecordId, key: &[u8]) -> String {
    format!("1{order}{}{}", to_hex(&id.0), to_hex(key))
}

/// Where a page of secrets goes on: id and sort key.
pub(crate) fn parse_secret(order: char, token: &str) -> Result<(RecordId, Vec<u8>), Fault> {
    let parse = || {
        let bytes = from_hex(token.strip_prefix('1')?.strip_prefix(order)?)?;
        let (id, key) = bytes.split_first_chunk::<16>()?;
        Some((RecordId(*id), key.to_vec()))
    };
    parse().ok_or_else(messages::bad_next_token)
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // Writing to a string cannot fail.
        text
    })
}

/// Strict: lower case, whole bytes.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}
