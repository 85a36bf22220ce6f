//! STS `GetCallerIdentity`: the account of a key pair (rules WIRE-STS-1 to 6). Clients call it to find out
//! whether their credentials work.
//!
//! It speaks the query protocol: requests are forms, responses are XML, and errors have names of their own.

use crate::model::Scope;
use crate::wire::encoding::cut;
use crate::wire::encoding::xml::escaped;
use crate::wire::http::route::parameter;
use crate::wire::reply::Reply;
use crate::wire::sigv4::AuthError;
use hyper::StatusCode;
use hyper::http::request::Parts;

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
        Err(refusal) => {
            Reply::xml(refusal.status, &refusal.xml(request_id)).with_error(refusal.code)
        }
    }
}

/// An error of the query protocol.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into() }
    }

    fn xml(&self, request_id: &str) -> String {
        format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\">\n  <Error>\n    <Type>Sender</Type>\n    \
             <Code>{}</Code>\n    <Message>{}</Message>\n  </Error>\n  \
             <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n",
            self.code,
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
        Self { status, code, message: error.message }
    }
}

/// Whether the request is `GetCallerIdentity`. Its parameters stand in the form, or in the query.
fn check_operation(head: &Parts, body: &[u8]) -> Result<(), Refusal> {
    let parameter = |name| parameter(head, body, name);
    let Some(action) = parameter("Action").filter(|action| !action.is_empty()) else {
        return Err(Refusal::new(
            "MissingAction",
            "The request must contain the parameter Action.",
        ));
    };
    let version = parameter("Version").unwrap_or_else(|| "NO_VERSION_SPECIFIED".to_owned());
    if version != VERSION {
        let message =
            format!("Could not find operation {} for version {}", cut(&action), cut(&version));
        return Err(Refusal::new("InvalidAction", message));
    }
    if action != "GetCallerIdentity" {
        let message = format!(
            "This endpoint serves Secrets Manager and the STS operation GetCallerIdentity; it has \
             no operation {}.",
            cut(&action)
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
