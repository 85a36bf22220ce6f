//! AWS Signature Version 4: who sent a request, and that nothing of it was changed.
//!
//! ```text
//! Authorization: AWS4-HMAC-SHA256 Credential=KEY/20150830/us-east-1/secretsmanager/aws4_request,
//!                SignedHeaders=host;x-amz-date;x-amz-target, Signature=<64 hex digits>
//!
//! canonical request = method, path, query, signed headers, their names, SHA-256 of the body
//! string to sign    = algorithm, time, scope, SHA-256 of the canonical request
//! signing key       = HMAC chain: "AWS4" + secret, day, region, service, "aws4_request"
//! signature         = HMAC(signing key, string to sign)
//! ```
//!
//! Rules WIRE-SIG-1 to 12 in `docs/WIRE.md`. Only the header form; the query form is refused.
//!
//! - **S1** The operation is part of what is signed: `x-amz-target` and every other `x-amz-*` header
//!   that is present must be signed, else a captured read could be sent again as a deletion.
//! - **S2** The body's hash is computed from the body that was read, never taken from a header.
//! - **S3** A header that is signed stands in the request exactly once.
//! - **S4** An unknown key id costs the same work as a wrong signature, and both are compared in
//!   constant time.

mod canonical;
mod parse;
mod presigned;
mod verify;

#[cfg(test)]
mod tests;

#[cfg(feature = "__internals")]
pub(super) use canonical::{path as canonical_path, query as canonical_query};
pub(super) use parse::{region_of, service_of};
#[cfg(feature = "__internals")]
pub(super) use verify::right_signature;
pub(super) use verify::{Keyring, verify};

/// The only algorithm.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The end of every scope.
const TERMINATOR: &str = "aws4_request";
/// How far a request's time may be from ours, either way.
const WINDOW_MINUTES: i64 = 5;

/// Whom a request is signed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Audience {
    /// The service that the scope must name.
    pub(super) service: &'static str,
    /// Whether the operation stands in `x-amz-target`, which must be signed then (S1); else it
    /// stands in the body or the query, which always are.
    pub(super) has_target: bool,
}

impl Audience {
    pub(super) const SECRETS_MANAGER: Self = Self { service: "secretsmanager", has_target: true };
    pub(super) const STS: Self = Self { service: "sts", has_target: false };
}

/// A refusal: exception and text (rule WIRE-SIG-9).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AuthError {
    pub(super) exception: &'static str,
    pub(super) message: String,
}

impl AuthError {
    fn missing_token() -> Self {
        Self::new("MissingAuthenticationTokenException", "Request is missing Authentication Token")
    }

    fn incomplete(message: impl Into<String>) -> Self {
        Self::new("IncompleteSignatureException", message)
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidSignatureException", message)
    }

    fn unrecognized(message: impl Into<String>) -> Self {
        Self::new("UnrecognizedClientException", message)
    }

    /// No temporary credentials are issued, so no token belongs to any.
    fn unknown_token() -> Self {
        Self::unrecognized("The security token included in the request is invalid")
    }

    fn mismatch() -> Self {
        Self::invalid(
            "The request signature we calculated does not match the signature you provided. Check \
             your AWS Secret Access Key and signing method. Consult the service documentation for \
             details.",
        )
    }

    fn new(exception: &'static str, message: impl Into<String>) -> Self {
        Self { exception, message: message.into() }
    }
}
