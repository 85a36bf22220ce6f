//! Verifies the signature and the time of a well-formed request (rules WIRE-SIG-5 to 8).

use super::canonical;
use super::error::AuthError;
use super::parse::{self, Authorization, Stamp};
use super::presigned;
use super::scheme::{ALGORITHM, Audience, TERMINATOR, WINDOW_MINUTES};
use crate::env::{Env, UnixMillis};
use crate::error::{Error, Result};
use crate::model::Scope;
use crate::secret::SecretBytes;
use crate::vault::Credential;
use crate::wire::encoding::time;
use hmac::{Hmac, KeyInit, Mac};
use hyper::http::request::Parts;
use sha2::Sha256;
use std::collections::HashMap;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The window on each side of our time.
const WINDOW_MILLIS: i64 = WINDOW_MINUTES * 60 * 1000;

/// The credentials that may sign, by key id.
pub(crate) struct Credentials {
    keys: HashMap<String, (String, SecretBytes)>,
    /// Used in place of the secret of an unknown key id, so that verification takes the same time
    /// (SIGV4-4).
    decoy: SecretBytes,
}

impl Credentials {
    pub(crate) fn new(credentials: Vec<Credential>, env: &Env) -> Result<Self> {
        let decoy = env.random::<40>().map_err(Error::no_entropy)?;
        Ok(Self::with_decoy(credentials, SecretBytes::copy_from(&decoy)))
    }

    /// Other pairs with the same decoy.
    pub(crate) fn with_pairs(&self, credentials: Vec<Credential>) -> Self {
        // EXPOSE: copied, as it stands in for the secret of no pair.
        Self::with_decoy(credentials, SecretBytes::copy_from(self.decoy.expose()))
    }

    pub(crate) fn with_decoy(credentials: Vec<Credential>, decoy: SecretBytes) -> Self {
        let keys = credentials
            .into_iter()
            .map(|pair| (pair.access_key_id, (pair.account, pair.secret_access_key)))
            .collect();
        Self { keys, decoy }
    }
}

/// The caller, which is the account of the signing key and the region of the signature, and the stamp of the
/// request.
pub(crate) fn verify(
    head: &Parts,
    body: &[u8],
    keys: &Credentials,
    audience: Audience,
    now: UnixMillis,
) -> std::result::Result<(Scope, Stamp), AuthError> {
    presigned::refuse(head)?;
    let authorization = parse::authorization(&head.headers, audience)?;
    let known = keys.keys.get(authorization.key_id);
    let secret = known.map_or(&keys.decoy, |(_, secret)| secret);
    let matches = signature_matches(head, body, &authorization, audience.service, secret);
    let Some((account, _)) = known else {
        return Err(AuthError::unrecognized(
            "The security token included in the request is invalid.",
        ));
    };
    check_window(authorization.at, now)?;
    match authorization.stamp() {
        Some(stamp) if matches => Ok((Scope::new(account, authorization.region), stamp)),
        _ => Err(AuthError::mismatch()),
    }
}

/// Whether a request can turn out to be signed well, by its head alone: only then is its body worth keeping.
pub(crate) fn may_verify(
    head: &Parts,
    keys: &Credentials,
    audience: Audience,
    now: UnixMillis,
) -> bool {
    presigned::refuse(head).is_ok()
        && parse::authorization(&head.headers, audience).is_ok_and(|authorization| {
            keys.keys.contains_key(authorization.key_id)
                && check_window(authorization.at, now).is_ok()
        })
}

/// Whether what was signed at `at` is refused from now on.
pub(crate) fn is_expired(at: UnixMillis, now: UnixMillis) -> bool {
    at < now.whole_seconds().plus(-WINDOW_MILLIS)
}

fn signature_matches(
    head: &Parts,
    body: &[u8],
    authorization: &Authorization<'_>,
    service: &str,
    secret: &SecretBytes,
) -> bool {
    // It is among the signed headers (SIGV4-1), so it occurs once.
    if let Some(claimed) = head.headers.get("x-amz-content-sha256")
        && claimed.as_bytes() != canonical::body_hash(body).as_bytes()
    {
        return false;
    }
    canonical::paths(head.uri.path()).any(|path| {
        let signed = &authorization.signed_headers;
        let Some(request) = canonical::request(head, &path, signed, body) else { return false };
        let expected = signature(&request, authorization, service, secret);
        expected.as_bytes().ct_eq(authorization.signature.as_bytes()).into()
    })
}

/// The expected signature of a request, from the parameters in its `Authorization` header.
#[cfg(feature = "__internals")]
pub(crate) fn right_signature(
    head: &Parts,
    body: &[u8],
    audience: Audience,
    secret: &[u8],
) -> Option<String> {
    let authorization = parse::authorization(&head.headers, audience).ok()?;
    let path = canonical::path(head.uri.path());
    let request = canonical::request(head, &path, &authorization.signed_headers, body)?;
    Some(signature(&request, &authorization, audience.service, &SecretBytes::copy_from(secret)))
}

/// The signature of a canonical request.
fn signature(
    canonical: &str,
    authorization: &Authorization<'_>,
    service: &str,
    secret: &SecretBytes,
) -> String {
    let Authorization { day, region, at, .. } = authorization;
    let to_sign = format!(
        "{ALGORITHM}\n{}\n{day}/{region}/{service}/{TERMINATOR}\n{}",
        time::format_basic(*at),
        canonical::body_hash(canonical.as_bytes())
    );
    let key = signing_key(secret, day, region, service);
    hex::encode(hmac(&*key, to_sign.as_bytes()))
}

/// The key that signs a day's requests for one region and service.
pub(super) fn signing_key(
    secret: &SecretBytes,
    day: &str,
    region: &str,
    service: &str,
) -> Zeroizing<[u8; 32]> {
    let mut start = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
    start.extend_from_slice(b"AWS4");
    // EXPOSE: the secret is the first key of the derivation chain.
    start.extend_from_slice(secret.expose());
    let day_key = Zeroizing::new(hmac(&start, day.as_bytes()));
    let region_key = Zeroizing::new(hmac(&*day_key, region.as_bytes()));
    let service_key = Zeroizing::new(hmac(&*region_key, service.as_bytes()));
    Zeroizing::new(hmac(&*service_key, TERMINATOR.as_bytes()))
}

pub(super) fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    // HMAC accepts keys of any length, so the fallback is never used.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.chain_update(text).finalize().into_bytes().into()
}

fn check_window(at: UnixMillis, now: UnixMillis) -> std::result::Result<(), AuthError> {
    // The time of a request has whole seconds, so the window has, too.
    let now = now.whole_seconds();
    let (earliest, latest) = (now.plus(-WINDOW_MILLIS), now.plus(WINDOW_MILLIS));
    let text = time::format_basic;
    if at < earliest {
        return Err(AuthError::skewed(format!(
            "Signature expired: {} is now earlier than {} ({} - {WINDOW_MINUTES} min.)",
            text(at),
            text(earliest),
            text(now)
        )));
    }
    if at > latest {
        return Err(AuthError::skewed(format!(
            "Signature not yet current: {} is still later than {} ({} + {WINDOW_MINUTES} min.)",
            text(at),
            text(latest),
            text(now)
        )));
    }
    Ok(())
}
