//! Query-signed (presigned) requests, which are not accepted (rule WIRE-SIG-12).

use super::error::AuthError;
use crate::wire::encoding::form;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;

/// What AWS asks for in the query, in the order of its message.
const PARAMETERS: [&str; 5] =
    ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"];

/// Refuses a request that is signed in its query: by the first parameter AWS tells it.
pub(super) fn refuse(head: &Parts) -> Result<(), AuthError> {
    let Some(query) = head.uri.query() else { return Ok(()) };
    if form::value(query, "X-Amz-Algorithm").is_none() {
        return Ok(());
    }
    if head.headers.contains_key(AUTHORIZATION) {
        return Err(AuthError::invalid(
            "it is in the query and in the header.",
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP \
             header.",
        ));
    }
    let mut message = String::new();
    for name in PARAMETERS {
        if form::value(query, name).is_none_or(|value| value.is_empty()) {
            message.extend(["AWS query-string parameters must include '", name, "'. "]);
        }
    }
    if message.is_empty() {
        Err(AuthError::invalid(
            "it is in the query.",
            "Requests signed in their query string are not accepted here. Sign the request in its \
             'Authorization' header.",
        ))
    } else {
        message.push_str("Re-examine the query-string parameters.");
        Err(AuthError::incomplete("it is in the query, and a part of it is missing.", message))
    }
}
