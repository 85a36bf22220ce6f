//! Verifies the signature and the time of a well-formed request (rules WIRE-SIG-5 to 8).

use super::canonical;
use super::error::AuthError;
use super::parse::{self, Authorization, Stamp};
use super::presigned;
use super::scheme::{ALGORITHM, Audience, TERMINATOR, WINDOW_MINUTES};
use super::signing::{SigningKey, SigningKeys, Use, hmac, signing_key};
use crate::env::{Env, UnixMillis};
use crate::error::{Error, Result};
use crate::model::Scope;
use crate::secret::SecretBytes;
use crate::vault::Credential;
use crate::wire::encoding::time;
use hyper::http::request::Parts;
use std::collections::HashMap;
use std::hint::black_box;
use subtle::ConstantTimeEq;

/// The window on each side of our time.
const WINDOW_MILLIS: i64 = WINDOW_MINUTES * 60 * 1000;

/// The credentials that may sign, by key id.
pub(crate) struct Credentials {
    pairs: HashMap<String, Pair>,
    /// Used in place of the secret of an unknown key id, so that verification takes the same time
    /// (SIGV4-4).
    decoy: SecretBytes,
}

/// The half of a pair that is no name, and what was derived from it.
struct Pair {
    account: String,
    secret: SecretBytes,
    signing: SigningKeys,
}

impl Credentials {
    pub(crate) fn new(credentials: Vec<Credential>, env: &Env) -> Result<Self> {
        let decoy = env.random::<40>().map_err(Error::no_entropy)?;
        Ok(Self::with_decoy(credentials, SecretBytes::copy_from(&decoy)))
    }

    /// Other pairs with the same decoy. What was derived from the old ones is not taken over.
    pub(crate) fn with_pairs(&self, credentials: Vec<Credential>) -> Self {
        // EXPOSE: copied, as it stands in for the secret of no pair.
        Self::with_decoy(credentials, SecretBytes::copy_from(self.decoy.expose()))
    }

    pub(crate) fn with_decoy(credentials: Vec<Credential>, decoy: SecretBytes) -> Self {
        let pair = |made: Credential| {
            let (account, secret) = (made.account, made.secret_access_key);
            (made.access_key_id, Pair { account, secret, signing: SigningKeys::default() })
        };
        Self { pairs: credentials.into_iter().map(pair).collect(), decoy }
    }

    /// How many signing keys a pair keeps.
    #[cfg(test)]
    pub(super) fn kept_keys(&self, key_id: &str) -> Option<usize> {
        self.pairs.get(key_id).map(|pair| pair.signing.len())
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
    let known = keys.pairs.get(authorization.key_id);
    let secret = known.map_or(&keys.decoy, |pair| &pair.secret);
    let used = authorization.used(audience);
    let kept = known.and_then(|pair| pair.signing.find(used));
    let was_kept = kept.is_some();
    let key = kept.unwrap_or_else(|| signing_key(secret, used));
    let matches = signature_matches(head, body, &authorization, used, &key);
    if was_kept && !matches {
        // What is refused costs the same, whether its key was kept or not (SIGV4-4).
        drop(black_box(signing_key(secret, used)));
    }
    let Some(pair) = known else {
        return Err(AuthError::unrecognized(
            "The security token included in the request is invalid.",
        ));
    };
    check_window(authorization.at, now)?;
    match authorization.stamp() {
        Some(stamp) if matches => {
            if !was_kept {
                pair.signing.keep(used, &key);
            }
            Ok((Scope::new(&pair.account, authorization.region), stamp))
        }
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
            keys.pairs.contains_key(authorization.key_id)
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
    used: Use<'_>,
    key: &SigningKey,
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
        let expected = signature(&request, authorization.at, used, key);
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
    let used = authorization.used(audience);
    let key = signing_key(&SecretBytes::copy_from(secret), used);
    Some(signature(&request, authorization.at, used, &key))
}

/// The signature of a canonical request.
fn signature(canonical: &str, at: UnixMillis, used: Use<'_>, key: &SigningKey) -> String {
    let Use { day, region, service } = used;
    let to_sign = format!(
        "{ALGORITHM}\n{}\n{day}/{region}/{service}/{TERMINATOR}\n{}",
        time::format_basic(at),
        canonical::body_hash(canonical.as_bytes())
    );
    hex::encode(hmac(&**key, to_sign.as_bytes()))
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
