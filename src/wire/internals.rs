//! What tests may look at. No stability promise.

use super::sigv4::{self, Audience, AuthError, Keyring};
use super::time;
use crate::model::Scope;
use crate::secret::SecretBytes;
use crate::vault::Credential;
use hyper::Request;

/// The path of a canonical request.
#[must_use]
pub fn canonical_path(raw: &str) -> String {
    sigv4::canonical_path(raw)
}

/// A request with the pair that signed it, for [`verify`].
pub struct Signed<'a> {
    /// The service that it was signed for.
    pub service: &'static str,
    /// Such as `GET`.
    pub method: &'a str,
    /// Path and query.
    pub uri: &'a str,
    /// All headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
    /// Access key id and secret access key.
    pub pair: (&'a str, &'a str),
    /// When it arrives, `YYYYMMDD'T'HHMMSS'Z'`.
    pub now: &'a str,
}

/// Account and region, or exception and text.
pub type Judgement = Result<(String, String), (&'static str, String)>;

/// The verifier's judgement. `None`: the parts make no HTTP request, or the time is none.
#[must_use]
pub fn verify(signed: &Signed<'_>) -> Option<Judgement> {
    let request = Request::builder().method(signed.method).uri(signed.uri);
    let request =
        signed.headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let (head, ()) = request.body(()).ok()?.into_parts();
    let pair = Credential {
        access_key_id: signed.pair.0.to_owned(),
        account: Scope::DEFAULT_ACCOUNT.to_owned(),
        secret_access_key: SecretBytes::copy_from(signed.pair.1.as_bytes()),
    };
    let keys = Keyring::with_decoy(vec![pair], SecretBytes::copy_from(b"nobody has this secret"));
    let audience = Audience { service: signed.service, has_target: false };
    let now = time::parse_basic(signed.now)?;
    Some(match sigv4::verify(&head, signed.body, &keys, audience, now) {
        Ok(scope) => Ok((scope.account.to_string(), scope.region.to_string())),
        Err(AuthError { exception, message }) => Err((exception, message)),
    })
}
