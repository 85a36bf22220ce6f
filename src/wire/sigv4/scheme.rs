//! Constants of the signing scheme, and what a request is signed for.

/// The only algorithm.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The end of every scope.
pub(super) const TERMINATOR: &str = "aws4_request";
/// How far a request's time may be from ours, either way.
pub(super) const WINDOW_MINUTES: i64 = 5;

/// Whom a request is signed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Audience {
    /// The service that the scope must name.
    pub(crate) service: &'static str,
    /// Whether the operation stands in `x-amz-target`, which must be signed then (SIGV4-1); else it
    /// stands in the body or the query, which always are.
    pub(crate) has_target: bool,
}

impl Audience {
    pub(crate) const SECRETS_MANAGER: Self = Self { service: "secretsmanager", has_target: true };
    pub(crate) const STS: Self = Self { service: "sts", has_target: false };
}
