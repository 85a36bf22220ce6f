//! STS `GetCallerIdentity`: the account of a key pair (rules WIRE-STS-1 to 6). Clients call it to find out
//! whether their credentials work.
//!
//! It speaks the query protocol: requests are forms, responses are XML, and errors have names of their own.

use crate::model::Scope;
use crate::wire::encoding::form;
use crate::wire::http::route::form_body;
use crate::wire::reply::Reply;
use crate::wire::sigv4::AuthError;
use hyper::StatusCode;
use hyper::http::request::Parts;
use std::fmt::Write as _;

/// The only version of this API.
const VERSION: &str = "2011-06-15";
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Answers a request. `authenticate` returns the caller; the response repeats `request_id`.
pub(crate) fn answer(
    head: &Parts,
    body: &[u8],
    request_id: &str,
    authenticate: impl FnOnce() -> Result<Scope, AuthError>,
) -> Reply {
    let identity = check_operation(head, body).and_then(|()| authenticate().map_err(Refusal::from));
    match identity {
        Ok(scope) => Reply::xml(StatusCode::OK, &caller_identity(&scope, request_id)),
        Err(refusal) => Reply::xml(refusal.status, &refusal.xml(request_id)),
    }
}

/// An error of the query protocol.
struct Refusal {
    status: StatusCode,
    code: String,
    message: String,
}

impl Refusal {
    fn new(code: &str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: code.to_owned(), message: message.into() }
    }

    fn xml(&self, request_id: &str) -> String {
        format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\">\n  <Error>\n    <Type>Sender</Type>\n    \
             <Code>{}</Code>\n    <Message>{}</Message>\n  </Error>\n  \
             <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n",
            escaped(&self.code),
            escaped(&self.message)
        )
    }
}

impl From<AuthError> for Refusal {
    /// The names and statuses of the query services.
    fn from(error: AuthError) -> Self {
        let (status, code) = match error.exception {
            "InvalidSignatureException" => (StatusCode::FORBIDDEN, "SignatureDoesNotMatch"),
            "UnrecognizedClientException" => (StatusCode::FORBIDDEN, "InvalidClientTokenId"),
            "MissingAuthenticationTokenException" => {
                (StatusCode::FORBIDDEN, "MissingAuthenticationToken")
            }
            _ => (StatusCode::BAD_REQUEST, "IncompleteSignature"),
        };
        Self { status, code: code.to_owned(), message: error.message }
    }
}

/// Whether the request is `GetCallerIdentity`. Its parameters stand in the form, or in the query.
fn check_operation(head: &Parts, body: &[u8]) -> Result<(), Refusal> {
    let query = head.uri.query().unwrap_or_default();
    let parameter =
        |name| form::value(query, name).or_else(|| form::value(form_body(head, body)?, name));
    let Some(action) = parameter("Action").filter(|action| !action.is_empty()) else {
        return Err(Refusal::new(
            "MissingAction",
            "The request must contain the parameter Action.",
        ));
    };
    let version = parameter("Version").unwrap_or_else(|| "NO_VERSION_SPECIFIED".to_owned());
    if version != VERSION {
        let message = format!("Could not find operation {action} for version {version}");
        return Err(Refusal::new("InvalidAction", message));
    }
    if action != "GetCallerIdentity" {
        let message = format!(
            "This endpoint serves Secrets Manager and the STS operation GetCallerIdentity; it has \
             no operation {action}."
        );
        return Err(Refusal::new("InvalidAction", message));
    }
    Ok(())
}

/// Every key pair is its account's root: there are no users here.
fn caller_identity(scope: &Scope, request_id: &str) -> String {
    let (account, partition) = (escaped(&scope.account), scope.partition());
    format!(
        "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\">\n  <GetCallerIdentityResult>\n    \
         <Arn>arn:{partition}:iam::{account}:root</Arn>\n    <UserId>{account}</UserId>\n    \
         <Account>{account}</Account>\n  </GetCallerIdentityResult>\n  <ResponseMetadata>\n    \
         <RequestId>{request_id}</RequestId>\n  </ResponseMetadata>\n</GetCallerIdentityResponse>\n"
    )
}

/// Text between tags. Characters that XML has no way to write become a replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' | '\r' => {
                // Writing to a string does not fail.
                let _ = write!(out, "&#{};", u32::from(character));
            }
            _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}');
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_echoed_cannot_leave_its_element() {
        assert_eq!(escaped("a</Message>&\"'"), "a&lt;/Message&gt;&amp;\"'");
        assert_eq!(
            escaped("\0\u{1b}\u{85}\n\u{e9}\u{1f511}"),
            "\u{fffd}\u{fffd}\u{fffd}&#10;\u{e9}\u{1f511}"
        );
    }
}
