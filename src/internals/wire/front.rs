//! Guard, route, verifier and request reader as functions.

use crate::model::{Scope, api};
use crate::secret::SecretBytes;
use crate::vault::Credential;
use crate::wire::encoding::{form, time};
use crate::wire::http::guard::{self, Names, Proof};
use crate::wire::http::route::Route;
use crate::wire::services::operations;
use crate::wire::sigv4::{self, Audience, AuthError, Credentials};
use hyper::Request;
use hyper::http::request::Parts;
use std::net::SocketAddr;
use zeroize::Zeroizing;

/// The path of a canonical request.
#[must_use]
pub fn canonical_path(raw: &str) -> String {
    sigv4::canonical_path(raw)
}

/// Whether a query has a parameter of that name.
#[must_use]
pub fn has_parameter(query: &str, name: &str) -> bool {
    form::value(query, name).is_some()
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

impl Signed<'_> {
    fn head(&self) -> Option<Parts> {
        let request = Request::builder().method(self.method).uri(self.uri);
        let request = self
            .headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        Some(request.body(()).ok()?.into_parts().0)
    }
}

/// The verifier's judgement. `None`: the parts make no HTTP request, or the time is none.
#[must_use]
pub fn verify(signed: &Signed<'_>) -> Option<Judgement> {
    judge(signed, &signed.head()?, Audience { service: signed.service, has_target: false })
}

fn judge(signed: &Signed<'_>, head: &Parts, audience: Audience) -> Option<Judgement> {
    let pair = Credential {
        access_key_id: signed.pair.0.to_owned(),
        account: Scope::DEFAULT_ACCOUNT.to_owned(),
        secret_access_key: SecretBytes::copy_from(signed.pair.1.as_bytes()),
    };
    let keys =
        Credentials::with_decoy(vec![pair], SecretBytes::copy_from(b"nobody has this secret"));
    let now = time::parse_basic(signed.now)?;
    Some(match sigv4::verify(head, signed.body, &keys, audience, now) {
        Ok((scope, _)) => Ok((scope.account.to_string(), scope.region.to_string())),
        Err(AuthError { exception, message, .. }) => Err((exception, message)),
    })
}

/// What a request to an operation is before the vault sees it.
pub enum Read {
    /// The request that the vault gets.
    Request(Box<api::Request>),
    /// Status and body of the reply.
    Refused(u16, Vec<u8>),
}

/// Reads the body of a request to `operation`; `None`: it is not served.
#[must_use]
pub fn read(operation: &str, body: &[u8]) -> Option<Read> {
    let operation = api::Operation::from_name(operation)?;
    Some(match operations::read(operation, Zeroizing::new(body.to_vec())) {
        Ok(request) => Read::Request(Box::new(request)),
        Err(failure) => {
            let reply = failure.reply();
            let content = reply.content.map(|content| content.to_vec()).unwrap_or_default();
            Read::Refused(reply.status.as_u16(), content)
        }
    })
}

/// What the front of the server makes of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Fronted {
    /// The status that the guard refuses it with.
    pub refused: Option<u16>,
    /// Where it goes.
    pub route: String,
    /// The region that its credential names.
    pub region: Option<String>,
    /// What the verifier of Secrets Manager says.
    pub judgement: Judgement,
}

/// Runs guard, route and verifier over a request that arrived at `local`. `None`: the parts make no
/// HTTP request, or the time is none.
#[must_use]
pub fn front(signed: &Signed<'_>, local: SocketAddr) -> Option<Fronted> {
    let head = signed.head()?;
    let names = Names { local, allowed: &[] };
    let refused = guard::check(&head, names, Proof::None)
        .err()
        .map(|failure| failure.reply().status.as_u16());
    let route = match Route::of(&head, signed.body) {
        Route::Other(service) => format!("Other({service})"),
        route => format!("{route:?}"),
    };
    let region = sigv4::region_of(&head.headers).map(str::to_owned);
    let judgement = judge(signed, &head, Audience::SECRETS_MANAGER)?;
    Some(Fronted { refused, route, region, judgement })
}

/// The query of a canonical request.
#[must_use]
pub fn canonical_query(raw: &str) -> String {
    sigv4::canonical_query(raw)
}

/// The right signature of a request for its own `Authorization` header, whatever signature that has.
#[must_use]
pub fn right_signature(signed: &Signed<'_>) -> Option<String> {
    let audience = Audience { service: signed.service, has_target: false };
    sigv4::right_signature(&signed.head()?, signed.body, audience, signed.pair.1.as_bytes())
}
