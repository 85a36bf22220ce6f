//! Reads the `Authorization` header and the time of a request (rules WIRE-SIG-1 to 4).

use super::error::AuthError;
use super::scheme::{ALGORITHM, Audience, TERMINATOR};
use super::signing::Use;
use crate::env::UnixMillis;
use crate::model::name::is_region;
use crate::wire::encoding::headers::{X_AMZ_DATE, X_AMZ_SECURITY_TOKEN, single};
use crate::wire::encoding::{cut, time};
use hyper::header::{AUTHORIZATION, DATE};
use hyper::http::HeaderMap;

/// `YYYYMMDD`.
const DAY_BYTES: usize = 8;

/// An `Authorization` header whose parts are all well-formed.
pub(super) struct Authorization<'a> {
    pub(super) key_id: &'a str,
    /// Day of the scope, equal to the day of `at`.
    pub(super) day: &'a str,
    pub(super) region: &'a str,
    /// Lower-case, sorted, each name once.
    pub(super) signed_headers: Vec<&'a str>,
    pub(super) signature: &'a str,
    /// The time of the request, as it claims.
    pub(super) at: UnixMillis,
    /// The same time as text: it is signed, and the day of the scope is compared with it.
    pub(super) basic: [u8; 16],
    pub(super) audience: Audience,
}

/// Reads and checks everything that can be checked without a key.
pub(super) fn authorization(
    headers: &HeaderMap,
    audience: Audience,
) -> Result<Authorization<'_>, AuthError> {
    let header = single(headers, &AUTHORIZATION).ok_or_else(AuthError::missing_token)?;
    let (algorithm, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if !algorithm.starts_with("AWS4-") {
        return Err(AuthError::missing_token());
    }
    if algorithm != ALGORITHM {
        return Err(AuthError::incomplete(
            "it has another algorithm.",
            format!("Unsupported AWS 'algorithm': '{}'", cut(algorithm)),
        ));
    }

    let date_name = if headers.contains_key(&X_AMZ_DATE) { &X_AMZ_DATE } else { &DATE };
    let date = single(headers, date_name);
    let [credential, signature, signed_headers] =
        parameters(rest, ["Credential", "Signature", "SignedHeaders"]);
    let (Some(credential), Some(signature), Some(signed_headers), Some(date)) =
        (credential, signature, signed_headers, date)
    else {
        let parameters = [
            ("Credential", credential),
            ("Signature", signature),
            ("SignedHeaders", signed_headers),
        ];
        let mut message = String::new();
        for (name, _) in parameters.iter().filter(|(_, found)| found.is_none()) {
            message.extend(["Authorization header requires '", name, "' parameter. "]);
        }
        if date.is_none() {
            message.push_str(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' \
                 header. ",
            );
        }
        return Err(AuthError::incomplete(
            "a part of it is missing.",
            format!("{message}Authorization={}", cut(header)),
        ));
    };

    let Some(at) = time::parse_basic(date)
        .or_else(|| (*date_name == DATE).then(|| time::parse_http(date)).flatten())
    else {
        return Err(AuthError::incomplete(
            "its date cannot be read.",
            format!(
                "Date must be in ISO-8601 'basic format'. Got '{}'. See \
                 http://en.wikipedia.org/wiki/ISO_8601",
                cut(date)
            ),
        ));
    };
    let basic = time::basic(at);
    let (key_id, day, region) = scope(credential, &basic, audience.service)?;
    // Checked before the signed headers: the request is refused either way, and this error is clearer.
    if headers.contains_key(&X_AMZ_SECURITY_TOKEN) {
        return Err(AuthError::unknown_token());
    }
    let signed_headers: Vec<&str> = signed_headers.split(';').collect();
    check_signed(headers, &signed_headers, date_name.as_str(), audience)?;
    Ok(Authorization { key_id, day, region, signed_headers, signature, at, basic, audience })
}

/// What makes a signed request the same as another: the time of its signature and the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) at: UnixMillis,
    pub(crate) signature: [u8; 32],
}

impl<'a> Authorization<'a> {
    /// What it was signed with.
    pub(super) fn used(&self) -> Use<'a> {
        Use { day: self.day, region: self.region, service: self.audience.service }
    }
}

/// Whether a request claims to be signed in its `Authorization` header. The claim is not verified.
pub(crate) fn is_claimed(headers: &HeaderMap) -> bool {
    single(headers, &AUTHORIZATION).is_some_and(|header| header.trim().starts_with("AWS4-"))
}

/// The region in a request's credential, without verifying the signature. If callers are not
/// authenticated, it still selects the region.
pub(crate) fn region_of(headers: &HeaderMap) -> Option<&str> {
    scope_part(headers, 2).filter(|region| is_region(region))
}

/// The access key id in a request's credential, without verifying the signature. For the log.
pub(crate) fn key_id_of(headers: &HeaderMap) -> Option<&str> {
    scope_part(headers, 0)
}

/// The service in a request's credential, without verifying the signature. It identifies requests that
/// were meant for another service.
pub(crate) fn service_of(headers: &HeaderMap) -> Option<&str> {
    scope_part(headers, 3)
}

fn scope_part(headers: &HeaderMap, index: usize) -> Option<&str> {
    let (_, rest) = single(headers, &AUTHORIZATION)?.split_once(' ')?;
    let [credential] = parameters(rest, ["Credential"]);
    credential?.split('/').nth(index)
}

/// Key id, day and region of a credential. `basic` is the time of its request.
fn scope<'a>(
    credential: &'a str,
    basic: &[u8; 16],
    service: &str,
) -> Result<(&'a str, &'a str, &'a str), AuthError> {
    let mut parts = credential.split('/');
    let five = [parts.next(), parts.next(), parts.next(), parts.next(), parts.next()];
    let ([Some(key_id), Some(day), Some(region), Some(named), Some(terminator)], None) =
        (five, parts.next())
    else {
        return Err(AuthError::incomplete(
            "its credential does not have five parts.",
            format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term, got '{}'",
                cut(credential)
            ),
        ));
    };
    let mut wrong = Vec::new();
    if !is_region(region) {
        wrong
            .push(format!("Credential should be scoped to a valid region, not '{}'.", cut(region)));
    }
    if named != service {
        wrong.push(format!("Credential should be scoped to correct service: '{service}'."));
    }
    if terminator != TERMINATOR {
        wrong.push(format!(
            "Credential should be scoped with a valid terminator: '{TERMINATOR}', not \
             '{}'.",
            cut(terminator)
        ));
    }
    if basic.get(..DAY_BYTES) != Some(day.as_bytes()) {
        let basic = String::from_utf8_lossy(basic);
        let today = basic.get(..DAY_BYTES).unwrap_or_default();
        wrong.push(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
             HTTP: '{}' != '{today}', from '{basic}'.",
            cut(day)
        ));
    }
    if wrong.is_empty() {
        return Ok((key_id, day, region));
    }
    Err(AuthError::invalid(
        "its credential is for another region, service or day.",
        wrong.join(" "),
    ))
}

/// Checks that all required headers are signed and that the list is in canonical order (SIGV4-1).
fn check_signed(
    headers: &HeaderMap,
    signed: &[&str],
    date_name: &str,
    audience: Audience,
) -> Result<(), AuthError> {
    let must = |name: &str| {
        AuthError::invalid(
            "a header that must be signed is not.",
            format!("'{}' must be a 'SignedHeader' in the AWS Authorization.", cut(name)),
        )
    };
    if !signed.contains(&"host") {
        return Err(must("Host"));
    }
    if !signed.contains(&date_name) {
        return Err(must(date_name));
    }
    if audience.has_target && !signed.contains(&"x-amz-target") {
        return Err(must("x-amz-target"));
    }
    for name in headers.keys() {
        if name.as_str().starts_with("x-amz-") && !signed.contains(&name.as_str()) {
            return Err(must(name.as_str()));
        }
    }
    let lower = signed.iter().all(|name| !name.bytes().any(|byte| byte.is_ascii_uppercase()));
    if lower && signed.is_sorted_by(|left, right| left < right) {
        Ok(())
    } else {
        Err(AuthError::mismatch())
    }
}

/// Parameters of the header. A repeated parameter counts as absent.
fn parameters<'a, const N: usize>(text: &'a str, names: [&str; N]) -> [Option<&'a str>; N] {
    // `Some(None)`: it was repeated.
    let mut found = [None; N];
    for parameter in text.split(',') {
        let Some((key, value)) = parameter.trim().split_once('=') else { continue };
        if value.is_empty() {
            continue;
        }
        for (found, name) in found.iter_mut().zip(names) {
            if key == name {
                *found = Some(if found.is_none() { Some(value) } else { None });
            }
        }
    }
    found.map(Option::flatten)
}
