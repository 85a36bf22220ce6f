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
use crate::wire::encoding::headers::X_AMZ_CONTENT_SHA256;
use crate::wire::encoding::time;
use hyper::http::request::Parts;
use std::collections::HashMap;
use std::hint::black_box;
use subtle::ConstantTimeEq;

/// About the length of what is signed.
const TO_SIGN_BYTES: usize = 192;
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

/// What a request says about its signature. All that can be checked without a key was checked.
pub(crate) struct Claim<'a>(Authorization<'a>);

impl<'a> Claim<'a> {
    /// Reads the claim of a request.
    pub(crate) fn read(
        head: &'a Parts,
        audience: Audience,
    ) -> std::result::Result<Self, AuthError> {
        presigned::refuse(head)?;
        Ok(Self(parse::authorization(&head.headers, audience)?))
    }

    /// Whether it can turn out to be true: only then is the body of its request worth keeping.
    pub(crate) fn may_hold(&self, keys: &Credentials, now: UnixMillis) -> bool {
        keys.pairs.contains_key(self.0.key_id) && check_window(self.0.at, now).is_ok()
    }

    /// The caller, which is the account of the signing key and the region of the signature, and the stamp of
    /// the request.
    pub(crate) fn verify(
        &self,
        head: &Parts,
        body: &[u8],
        keys: &Credentials,
        now: UnixMillis,
    ) -> std::result::Result<(Scope, Stamp), AuthError> {
        let authorization = &self.0;
        let known = keys.pairs.get(authorization.key_id);
        let secret = known.map_or(&keys.decoy, |pair| &pair.secret);
        let used = authorization.used();
        let kept = known.and_then(|pair| pair.signing.find(used));
        let was_kept = kept.is_some();
        let key = kept.unwrap_or_else(|| signing_key(secret, used));
        let matching = matching_signature(head, body, authorization, &key);
        if was_kept && matching.is_none() {
            // What is refused costs the same, whether its key was kept or not (SIGV4-4).
            drop(black_box(signing_key(secret, used)));
        }
        let Some(pair) = known else {
            return Err(AuthError::unrecognized(
                "The security token included in the request is invalid.",
            ));
        };
        check_window(authorization.at, now)?;
        let signature = matching.ok_or_else(AuthError::mismatch)?;
        if !was_kept {
            pair.signing.keep(used, &key);
        }
        let stamp = Stamp { at: authorization.at, signature };
        Ok((Scope::new(&pair.account, authorization.region), stamp))
    }
}

/// Reads the claim of a request and verifies it.
#[cfg(any(test, feature = "__internals"))]
pub(crate) fn verify(
    head: &Parts,
    body: &[u8],
    keys: &Credentials,
    audience: Audience,
    now: UnixMillis,
) -> std::result::Result<(Scope, Stamp), AuthError> {
    Claim::read(head, audience)?.verify(head, body, keys, now)
}

/// Whether what was signed at `at` is refused from now on.
pub(crate) fn is_expired(at: UnixMillis, now: UnixMillis) -> bool {
    at < now.whole_seconds().plus(-WINDOW_MILLIS)
}

/// The signature of a request if it is the one that the request has.
fn matching_signature(
    head: &Parts,
    body: &[u8],
    authorization: &Authorization<'_>,
    key: &SigningKey,
) -> Option<[u8; 32]> {
    let body_hash = canonical::hash(body);
    // It is among the signed headers (SIGV4-1), so it occurs once.
    if let Some(claimed) = head.headers.get(&X_AMZ_CONTENT_SHA256)
        && claimed.as_bytes() != body_hash
    {
        return None;
    }
    canonical::paths(head.uri.path()).find_map(|path| {
        let signed = &authorization.signed_headers;
        let request = canonical::request(head, &path, signed, &body_hash)?;
        let expected = signature(&request, authorization, key);
        let text = canonical::hex_of(&expected);
        bool::from(text.as_slice().ct_eq(authorization.signature.as_bytes())).then_some(expected)
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
    let hash = canonical::hash(body);
    let request = canonical::request(head, &path, &authorization.signed_headers, &hash)?;
    let key = signing_key(&SecretBytes::copy_from(secret), authorization.used());
    Some(hex::encode(signature(&request, &authorization, &key)))
}

/// The signature of a canonical request.
fn signature(canonical: &[u8], authorization: &Authorization<'_>, key: &SigningKey) -> [u8; 32] {
    let Use { day, region, service } = authorization.used();
    let mut to_sign = Vec::with_capacity(TO_SIGN_BYTES);
    for part in [ALGORITHM.as_bytes(), b"\n", &authorization.basic, b"\n"] {
        to_sign.extend_from_slice(part);
    }
    for part in [day, "/", region, "/", service, "/", TERMINATOR, "\n"] {
        to_sign.extend_from_slice(part.as_bytes());
    }
    to_sign.extend_from_slice(&canonical::hash(canonical));
    hmac(&**key, &to_sign)
}

fn check_window(at: UnixMillis, now: UnixMillis) -> std::result::Result<(), AuthError> {
    // The time of a request has whole seconds, so the window has, too.
    let now = now.whole_seconds();
    let (earliest, latest) = (now.plus(-WINDOW_MILLIS), now.plus(WINDOW_MILLIS));
    let text = |at| String::from_utf8_lossy(&time::basic(at)).into_owned();
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
