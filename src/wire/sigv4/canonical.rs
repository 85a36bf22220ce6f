//! The canonical form of a request, which client and server sign (rule WIRE-SIG-5).

use crate::wire::encoding::form::percent_decoded;
use hyper::http::HeaderMap;
use hyper::http::request::Parts;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Most headers are signed in so many bytes, hash of the body included.
const USUAL_BYTES: usize = 768;

/// Lower-case hex of a SHA-256.
pub(super) type Hex = [u8; 64];

/// The canonical request. `None` if a signed header is absent, occurs twice, or is not text.
pub(super) fn request(
    head: &Parts,
    path: &str,
    signed_headers: &[&str],
    body_hash: &Hex,
) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(USUAL_BYTES);
    let query = query(head.uri.query().unwrap_or_default());
    for part in [head.method.as_str(), "\n", path, "\n", &query, "\n"] {
        text.extend_from_slice(part.as_bytes());
    }
    for name in signed_headers {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        add_header(&head.headers, name, &mut text)?;
        text.push(b'\n');
    }
    text.push(b'\n');
    for (name, at) in signed_headers.iter().zip(0..) {
        if at > 0 {
            text.push(b';');
        }
        text.extend_from_slice(name.as_bytes());
    }
    text.push(b'\n');
    text.extend_from_slice(body_hash);
    Some(text)
}

/// Lower-case hex of the SHA-256 of `bytes`.
pub(super) fn hash(bytes: &[u8]) -> Hex {
    hex_of(&Sha256::digest(bytes).into())
}

/// Lower-case hex of a hash.
pub(super) fn hex_of(hash: &[u8; 32]) -> Hex {
    let mut text = [0; 64];
    // It has room for exactly that.
    let _ = hex::encode_to_slice(hash, &mut text);
    text
}

/// Adds a header's value, trimmed, with runs of spaces collapsed.
fn add_header(headers: &HeaderMap, name: &str, text: &mut Vec<u8>) -> Option<()> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let value = std::str::from_utf8(value.as_bytes()).ok()?.as_bytes();
    let start = text.len();
    for word in value.split(|byte| b" \t\n\r".contains(byte)).filter(|word| !word.is_empty()) {
        if text.len() > start {
            text.push(b' ');
        }
        text.extend_from_slice(word);
    }
    Some(())
}

/// The forms of the path that may have been signed. Some clients sign the `//` of an endpoint with a slash at
/// its end as they send it.
pub(super) fn paths(raw: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let as_sent = (raw.len() > 1 && raw.bytes().all(|byte| byte == b'/')).then_some(raw.into());
    let usual = if raw == "/" { raw.into() } else { path(raw).into() };
    std::iter::once(usual).chain(as_sent)
}

/// Resolves dot segments and empty segments, then percent-encodes the path once more.
pub(crate) fn path(raw: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => (),
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let mut text = String::from("/");
    text.push_str(&segments.iter().map(|s| encode(s.bytes())).collect::<Vec<_>>().join("/"));
    if !segments.is_empty() && raw.ends_with('/') {
        text.push('/');
    }
    text
}

/// Decodes and re-encodes the parameters and sorts them by name, then value.
pub(crate) fn query(raw: &str) -> String {
    if raw.is_empty() {
        return String::new();
    }
    let mut pairs: Vec<(String, String)> = raw
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(percent_decoded(name)), encode(percent_decoded(value)))
        })
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
fn encode(bytes: impl IntoIterator<Item = u8>) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
