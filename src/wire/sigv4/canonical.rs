//! The canonical form of a request, which client and server sign (rule WIRE-SIG-5).

use crate::wire::encoding::form::percent_decoded;
use hyper::http::HeaderMap;
use hyper::http::request::Parts;
use sha2::{Digest, Sha256};

/// The canonical request. `None` if a signed header is absent, occurs twice, or is not text.
pub(super) fn request(
    head: &Parts,
    path: &str,
    signed_headers: &[&str],
    body: &[u8],
) -> Option<String> {
    let mut text =
        format!("{}\n{path}\n{}\n", head.method, query(head.uri.query().unwrap_or_default()));
    for name in signed_headers {
        text.push_str(name);
        text.push(':');
        text.push_str(&header(&head.headers, name)?);
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&signed_headers.join(";"));
    text.push('\n');
    text.push_str(&body_hash(body));
    Some(text)
}

/// Lower-case hex of the SHA-256 of `bytes`.
pub(super) fn body_hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A header's value, trimmed, with runs of spaces collapsed.
fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let words = std::str::from_utf8(value.as_bytes()).ok()?;
    let words: Vec<&str> =
        words.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty()).collect();
    Some(words.join(" "))
}

/// The forms of the path that may have been signed. Some clients sign the `//` of an endpoint with a slash at
/// its end as they send it.
pub(super) fn paths(raw: &str) -> impl Iterator<Item = String> {
    let as_sent = (raw.len() > 1 && raw.bytes().all(|byte| byte == b'/')).then(|| raw.to_owned());
    std::iter::once(path(raw)).chain(as_sent)
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
