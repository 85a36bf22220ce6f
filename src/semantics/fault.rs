//! The AWS exceptions, in AWS's words.

/// The exception's name on the wire (`__type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// `ResourceNotFoundException`
    ResourceNotFound,
    /// `ResourceExistsException`
    ResourceExists,
    /// `InvalidRequestException`
    InvalidRequest,
    /// `InvalidParameterException`
    InvalidParameter,
    /// `InvalidNextTokenException`
    InvalidNextToken,
    /// `LimitExceededException`
    LimitExceeded,
    /// `MalformedPolicyDocumentException`
    MalformedPolicyDocument,
    /// `PublicPolicyException`
    PublicPolicy,
    /// `AccessDeniedException`
    AccessDenied,
    /// `ValidationException`: from AWS's front end (its body says `message`, not `Message`).
    Validation,
}

impl FaultKind {
    /// The bare `__type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::ResourceExists => "ResourceExistsException",
            Self::InvalidRequest => "InvalidRequestException",
            Self::InvalidParameter => "InvalidParameterException",
            Self::InvalidNextToken => "InvalidNextTokenException",
            Self::LimitExceeded => "LimitExceededException",
            Self::MalformedPolicyDocument => "MalformedPolicyDocumentException",
            Self::PublicPolicy => "PublicPolicyException",
            Self::AccessDenied => "AccessDeniedException",
            Self::Validation => "ValidationException",
        }
    }
}

/// A refusal as AWS would word it. Never holds a value; may hold names, labels and tokens, which
/// the caller sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which exception.
    pub kind: FaultKind,
    /// The exact text.
    pub message: String,
}

impl Fault {
    /// A refusal.
    #[must_use]
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}
