//! Pages and their tokens (SEM-LIST-3 to SEM-LIST-6).
//!
//! A token holds only the position where the last page ended. The vault keeps no state for it, and
//! concurrent writes do not break the paging. Tokens are hex text that starts with a version:
//!
//! ```text
//! "1v" seq:16                                ListSecretVersionIds
//! "1p" name in hex:*                         ListResourcePolicies
//! "1" order:1 id:32 key:*                    ListSecrets; order is a letter of its own per order
//! ```
//!
//! A token that does not parse or belongs to another order is refused (E34). A forged token can only
//! select another position to continue from.

use crate::model::{RecordId, Seq, limits};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use std::fmt::Write;

/// The length of a page: `MaxResults`, or 100.
pub(crate) fn size(max_results: Option<i64>) -> usize {
    size_to(max_results, limits::PAGE_MAX)
}

/// The length of a page of `ListSecrets`: `MaxResults`, or 10.
pub(crate) fn list_size(max_results: Option<i64>) -> usize {
    max_results.map_or(limits::LIST_PAGE_DEFAULT, |results| size(Some(results)))
}

/// The length of a page: `MaxResults`, or `max`.
pub(crate) fn size_to(max_results: Option<i64>, max: usize) -> usize {
    max_results
        .and_then(|results| usize::try_from(results).ok())
        .map_or(max, |results| results.clamp(1, max))
}

/// The token of a page of versions that ended at `seq`.
pub(crate) fn seq_token(seq: Seq) -> String {
    format!("1v{:016x}", seq.0)
}

/// The position after which a page of versions continues.
pub(crate) fn parse_seq(token: &str) -> Result<Seq, Fault> {
    let bytes = token.strip_prefix("1v").and_then(from_hex).ok_or_else(messages::bad_next_token)?;
    let bytes: [u8; 8] = bytes.try_into().map_err(|_| messages::bad_next_token())?;
    Ok(Seq(u64::from_be_bytes(bytes)))
}

/// The token of a page of policies that ended at that name.
pub(crate) fn policy_token(name: &str) -> String {
    format!("1p{}", to_hex(name.as_bytes()))
}

/// The position after which a page of policies continues.
pub(crate) fn parse_policy(token: &str) -> Result<String, Fault> {
    let bytes = token.strip_prefix("1p").and_then(from_hex).ok_or_else(messages::bad_next_token)?;
    String::from_utf8(bytes).map_err(|_| messages::bad_next_token())
}

/// The token of a page of secrets that ended at that id, whose sort key was `key`.
pub(crate) fn secret_token(order: char, id: RecordId, key: &[u8]) -> String {
    format!("1{order}{}{}", to_hex(&id.0), to_hex(key))
}

/// The position after which a page of secrets continues: id and sort key.
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

/// Decodes hex strictly: lower case and whole bytes only.
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
