//! A response before it has headers.

use hyper::StatusCode;
use zeroize::Zeroizing;

/// The content type of every answer but those to requests that are not of this protocol.
pub(crate) const JSON: &str = "application/x-amz-json-1.1";

/// The content type of the services that answer XML.
const XML: &str = "text/xml";

/// A response before it has headers.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// Content type of `content`.
    pub(crate) content_type: &'static str,
    /// `None`: no body.
    pub(crate) content: Option<Zeroizing<Vec<u8>>>,
    /// Whether the connection ends with this response.
    pub(crate) close: bool,
    /// The name of the error that it is, for log and metrics: one of ours, never text of a client.
    pub(crate) error: Option<&'static str>,
}

impl Reply {
    pub(crate) fn json(content: Zeroizing<Vec<u8>>) -> Self {
        Self::of(StatusCode::OK, JSON, content)
    }

    pub(crate) fn plain(text: &str) -> Self {
        Self::of(StatusCode::OK, "text/plain", Zeroizing::new(text.as_bytes().to_vec()))
    }

    pub(crate) fn xml(status: StatusCode, text: &str) -> Self {
        Self::of(status, XML, Zeroizing::new(text.as_bytes().to_vec()))
    }

    /// A response with this content.
    pub(crate) fn of(
        status: StatusCode,
        content_type: &'static str,
        content: Zeroizing<Vec<u8>>,
    ) -> Self {
        Self { status, content_type, content: Some(content), close: false, error: None }
    }

    /// The same response as an error of this name.
    pub(crate) fn with_error(self, name: &'static str) -> Self {
        Self { error: Some(name), ..self }
    }
}
