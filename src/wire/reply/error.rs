//! Errors as AWS words them: exception names, messages, status codes
//! (rules WIRE-FRONT, WIRE-REPLY).
//!
//! Exceptions of the service itself say `Message`, those of AWS's front end say `message`; clients
//! read both, and one of them needs that there is exactly one.

use super::exception::{Exception, Text};
use super::response::{JSON, Reply};
use crate::error::{Error, ErrorKind};
use crate::semantics::{Fault, FaultKind};
use hyper::StatusCode;
use zeroize::Zeroizing;

/// Why a request fails.
pub(crate) enum ReplyError {
    /// Not this protocol: wrong method, path or content type.
    NotOurs,
    /// Sent by a page in a browser, by a proxy, or to another host.
    Strayed { status: StatusCode, message: String },
    /// The body is longer than the limit.
    TooLarge,
    /// The body did not come in time.
    TooSlow,
    /// The body broke off.
    BrokenOff,
    /// No such operation here.
    UnknownOperation,
    /// The signature is missing or wrong.
    Unauthenticated { exception: &'static str, message: String },
    /// The body is not a JSON object.
    NotJson,
    /// A member has the wrong type.
    Serialization(String),
    /// Refused by the rules of the API.
    Fault(Fault),
    /// The vault failed.
    Vault(Error),
    /// The server is stopping or full.
    Unavailable,
    /// Signed so long ago that it may be a repeat of what was forgotten.
    MayBeRepeat,
    /// A repeat of a request that was carried out and whose answer is not kept.
    Repeat,
    /// A bug of ours, with nothing of the request in it.
    Internal(&'static str),
}

impl From<Error> for ReplyError {
    fn from(error: Error) -> Self {
        match error.fault() {
            Some(fault) => Self::Fault(fault.clone()),
            None => Self::Vault(error),
        }
    }
}

impl ReplyError {
    pub(crate) fn serialization(message: impl Into<String>) -> Self {
        Self::Serialization(message.into())
    }

    /// Members that must not be null, by their paths.
    pub(crate) fn missing(paths: &[String]) -> Self {
        let detail: Vec<String> = paths
            .iter()
            .map(|path| {
                format!(
                    "Value null at '{path}' failed to satisfy constraint: Member must not be null"
                )
            })
            .collect();
        let (count, plural) = (paths.len(), if paths.len() == 1 { "" } else { "s" });
        let message = format!("{count} validation error{plural} detected: {}", detail.join("; "));
        Self::Fault(Fault::new(FaultKind::Validation, message))
    }

    pub(crate) fn reply(&self) -> Reply {
        let bad = StatusCode::BAD_REQUEST;
        match self {
            Self::NotOurs => {
                let content = Zeroizing::new(b"<UnknownOperationException/>\n".to_vec());
                Reply::of(StatusCode::NOT_FOUND, "application/xml", content)
                    .with_error("UnknownOperationException")
            }
            Self::TooLarge => {
                let text = front("The request body is longer than 1 MiB.");
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                Reply { close: true, ..error(status, "RequestEntityTooLargeException", text) }
            }
            Self::Strayed { status, message } => {
                Reply { close: true, ..error(*status, "AccessDeniedException", front(message)) }
            }
            Self::TooSlow => {
                let text = front("The request body did not arrive in time.");
                let reply = error(StatusCode::REQUEST_TIMEOUT, "RequestTimeoutException", text);
                Reply { close: true, ..reply }
            }
            Self::BrokenOff => Reply { close: true, ..error(bad, "SerializationException", None) },
            Self::UnknownOperation => error(bad, "UnknownOperationException", None),
            Self::Unauthenticated { exception, message } => error(bad, exception, front(message)),
            Self::NotJson => error(bad, "SerializationException", None),
            Self::Serialization(message) => error(bad, "SerializationException", service(message)),
            Self::Fault(fault) => {
                let text = match fault.kind {
                    FaultKind::Validation => front(&fault.message),
                    _ => service(&fault.message),
                };
                error(bad, fault.kind.name(), text)
            }
            Self::Vault(cause) => match cause.kind() {
                ErrorKind::Busy => error(bad, "ThrottlingException", front("Rate exceeded")),
                ErrorKind::Closed => Self::Unavailable.reply(),
                // Another server may have the vault by now.
                ErrorKind::Displaced { .. } => {
                    let status = StatusCode::SERVICE_UNAVAILABLE;
                    error(status, "ServiceUnavailableException", service(&cause.to_string()))
                }
                _ => internal(&cause.to_string()),
            },
            Self::Unavailable => {
                let text = front("The server is stopping or has too many connections.");
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Reply { close: true, ..error(status, "ServiceUnavailableException", text) }
            }
            Self::MayBeRepeat => {
                let text = front(
                    "This request was signed before the server started, or long ago, so it may be a \
                     repeat. Sign it again.",
                );
                error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException", text)
            }
            Self::Repeat => {
                let text =
                    front("This request was carried out before. Sign it again to repeat it.");
                error(bad, "InvalidSignatureException", text)
            }
            Self::Internal(what) => internal(what),
        }
    }
}

fn internal(text: &str) -> Reply {
    error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceError", service(text))
}

/// The text of an exception that AWS's front end raises.
fn front(text: &str) -> Text<'_> {
    Text { member: "message", text }
}

/// The text of an exception that the service raises.
fn service(text: &str) -> Text<'_> {
    Text { member: "Message", text }
}

fn error<'a>(
    status: StatusCode,
    exception: &'static str,
    text: impl Into<Option<Text<'a>>>,
) -> Reply {
    let content = Exception { name: exception, text: text.into() }.json();
    Reply::of(status, JSON, content).with_error(exception)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io;

    #[track_caller]
    fn check(failure: impl Into<ReplyError>, status: u16, expected: &str) {
        let reply = failure.into().reply();
        let content = reply.content.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
        assert_eq!((reply.status.as_u16(), content.unwrap().as_str()), (status, expected));
    }

    /// WIRE-REPLY-2, WIRE-REPLY-5
    #[test]
    fn the_service_says_message_with_a_capital_and_the_front_end_without() {
        let fault = |kind| Error::from(Fault::new(kind, "it's \"so\""));
        for (kind, expected) in [
            (
                FaultKind::ResourceNotFound,
                r#"{"__type":"ResourceNotFoundException","Message":"it's \"so\""}"#,
            ),
            (
                FaultKind::LimitExceeded,
                r#"{"__type":"LimitExceededException","Message":"it's \"so\""}"#,
            ),
            (FaultKind::Validation, r#"{"__type":"ValidationException","message":"it's \"so\""}"#),
        ] {
            check(fault(kind), 400, expected);
        }
        let throttled = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
        check(Error::from(ErrorKind::Busy), 400, throttled);
    }

    #[test]
    fn an_operation_that_is_not_there_has_no_text() {
        check(ReplyError::UnknownOperation, 400, r#"{"__type":"UnknownOperationException"}"#);
        check(ReplyError::NotJson, 400, r#"{"__type":"SerializationException"}"#);
        check(ReplyError::NotOurs, 404, "<UnknownOperationException/>\n");
        check(
            ReplyError::TooLarge,
            413,
            r#"{"__type":"RequestEntityTooLargeException","message":"The request body is longer than 1 MiB."}"#,
        );
    }

    /// WIRE-REPLY-5
    #[test]
    fn a_vault_that_cannot_is_an_internal_error_and_a_closed_one_unavailable() {
        for kind in [ErrorKind::Poisoned, ErrorKind::OutcomeUnknown, ErrorKind::NoSpace] {
            let expected = format!(
                r#"{{"__type":"InternalServiceError","Message":"{}"}}"#,
                Error::from(kind.clone())
            );
            check(Error::from(kind), 500, &expected);
        }
        let full = Error::io("write", "v/log", io::Error::other("device is gone"));
        check(
            full,
            500,
            r#"{"__type":"InternalServiceError","Message":"v/log cannot be written: device is gone; look at `df` and `dmesg` for the state of the disk, then run it again"}"#,
        );
        assert_eq!(ReplyError::from(Error::from(ErrorKind::Closed)).reply().status.as_u16(), 503);
    }
}
