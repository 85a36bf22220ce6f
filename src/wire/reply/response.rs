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
}

impl Reply {
    pub(crate) fn json(content: Zeroizing<Vec<u8>>) -> Self {
        Self { status: StatusCode::OK, content_type: JSON, content: Some(content), close: false }
    }

    pub(crate) fn plain(text: &str) -> Self {
        let content = Some(Zeroizing::new(text.as_bytes().to_vec()));
        Self { status: StatusCode::OK, content_type: "text/plain", content, close: false }
    }

    pub(crate) fn xml(status: StatusCode, text: &str) -> Self {
        let content = Some(Zeroizing::new(text.as_bytes().to_vec()));
        Self { status, content_type: XML, content, close: false }
    }
}
