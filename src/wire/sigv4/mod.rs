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
//! Rules WIRE-SIG-1 to 13 in `docs/WIRE.md`. Only the header form; the query form is refused.
//!
//! - **SIGV4-1** The operation is part of what is signed: `x-amz-target` and every other `x-amz-*` header
//!   that is present must be signed, else a captured read could be sent again as a deletion.
//! - **SIGV4-2** The body's hash is computed from the body that was read, never taken from a header.
//! - **SIGV4-3** A header that is signed stands in the request exactly once.
//! - **SIGV4-4** An unknown key id costs the same work as a wrong signature, and both are compared in
//!   constant time.

mod canonical;
mod error;
mod parse;
mod presigned;
mod scheme;
mod signing;
mod verify;

#[cfg(test)]
mod tests;

#[cfg(feature = "__internals")]
pub(super) use canonical::{path as canonical_path, query as canonical_query};
pub(super) use error::{AuthError, Why};
pub(super) use parse::{Stamp, is_claimed, key_id_of, region_of, service_of};
pub(super) use scheme::Audience;
#[cfg(feature = "__internals")]
pub(super) use verify::right_signature;
#[cfg(any(test, feature = "__internals"))]
pub(super) use verify::verify;
pub(super) use verify::{Claim, Credentials, is_expired};
