//! Why a signature is refused.

/// A refusal: exception and text (rule WIRE-SIG-9).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AuthError {
    pub(crate) exception: &'static str,
    pub(crate) message: String,
}

impl AuthError {
    pub(super) fn missing_token() -> Self {
        Self::new("MissingAuthenticationTokenException", "Request is missing Authentication Token")
    }

    pub(super) fn incomplete(message: impl Into<String>) -> Self {
        Self::new("IncompleteSignatureException", message)
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidSignatureException", message)
    }

    pub(super) fn unrecognized(message: impl Into<String>) -> Self {
        Self::new("UnrecognizedClientException", message)
    }

    /// No temporary credentials are issued, so no token belongs to any.
    pub(super) fn unknown_token() -> Self {
        Self::unrecognized("The security token included in the request is invalid")
    }

    pub(super) fn mismatch() -> Self {
        Self::invalid(
            "The request signature we calculated does not match the signature you provided. Check \
             your AWS Secret Access Key and signing method. Consult the service documentation for \
             details.",
        )
    }

    pub(super) fn new(exception: &'static str, message: impl Into<String>) -> Self {
        Self { exception, message: message.into() }
    }
}
