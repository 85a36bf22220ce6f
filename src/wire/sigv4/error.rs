//! Why a signature is refused.

/// A refusal: exception and text (rule WIRE-SIG-9).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AuthError {
    pub(crate) exception: &'static str,
    pub(crate) message: String,
    /// What is wrong with a malformed one, without any text of the client.
    pub(crate) reason: &'static str,
    /// For the server's log, where a person looks for the cure.
    pub(crate) why: Why,
}

/// Why a signature is refused, by what helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// There is none.
    Unsigned,
    /// It is not formed as it must be, or is for another service or region.
    Malformed,
    /// The client's clock and ours differ too much.
    Clock,
    /// The access key id is none of ours.
    UnknownKey,
    /// A session token came with it.
    SessionToken,
    /// It is not the right one.
    Mismatch,
}

const INVALID: &str = "InvalidSignatureException";

impl AuthError {
    pub(super) fn missing_token() -> Self {
        let text = "Request is missing Authentication Token";
        Self::new(Why::Unsigned, "MissingAuthenticationTokenException", text)
    }

    pub(super) fn incomplete(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, ..Self::new(Why::Malformed, "IncompleteSignatureException", message) }
    }

    pub(super) fn invalid(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, ..Self::new(Why::Malformed, INVALID, message) }
    }

    /// The time of the request is too far from ours.
    pub(super) fn skewed(message: impl Into<String>) -> Self {
        Self::new(Why::Clock, INVALID, message)
    }

    pub(super) fn unrecognized(message: impl Into<String>) -> Self {
        Self::new(Why::UnknownKey, "UnrecognizedClientException", message)
    }

    /// No temporary credentials are issued, so no token belongs to any.
    pub(super) fn unknown_token() -> Self {
        let text = "The security token included in the request is invalid";
        Self { why: Why::SessionToken, ..Self::unrecognized(text) }
    }

    pub(crate) fn mismatch() -> Self {
        let text = "The request signature we calculated does not match the signature you provided. \
                    Check your AWS Secret Access Key and signing method. Consult the service \
                    documentation for details.";
        Self::new(Why::Mismatch, INVALID, text)
    }

    fn new(why: Why, exception: &'static str, message: impl Into<String>) -> Self {
        Self { exception, message: message.into(), reason: "", why }
    }
}
