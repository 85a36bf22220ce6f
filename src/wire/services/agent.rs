//! The read protocol of AWS's local agent, the Workload Credentials Provider (rules WIRE-AGENT-1 to 6). Code
//! that was written for the agent can read from a vault.
//!
//! ```text
//! GET /secretsmanager/get?secretId=app/db&versionStage=AWSCURRENT
//! X-Aws-Parameters-Secrets-Token: <the token>
//! ```
//!
//! There is no cache, so every response is fresh. A request must carry a token, which keeps out web pages and
//! web applications that were tricked into sending a request. The token is compared in constant time.

use super::short_reads::ShortReads;
use crate::error::{Error, ErrorKind};
use crate::model::Scope;
use crate::model::api::GetSecretValue;
use crate::responses::{Style, to_json};
use crate::secret::SecretBytes;
use crate::vault::Vault;
use crate::wire::encoding::form;
use crate::wire::http::body::{self, Intake};
use crate::wire::http::guard::{self, Names};
use crate::wire::observe::{Cause, Notes};
use crate::wire::options::Limits;
use crate::wire::reply::{Exception, Reply, ReplyError, Text};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The content type. The agent itself sends none.
const JSON: &str = "application/json";
/// Headers that may carry the token.
const TOKEN_HEADERS: [&str; 2] = ["x-aws-parameters-secrets-token", "x-vault-token"];
/// Before the name in the path form.
const PREFIX: &str = "/v1/";
/// What the agent says of a `roleArn` that is no role's.
const BAD_ROLE: &str =
    "invalid roleArn format, expected arn:<partition>:iam::<account>:role/<name>";

/// The service of the agent's port.
pub(crate) struct Agent {
    token: SecretBytes,
    /// The account and region whose secrets are read.
    scope: Scope,
}

impl Agent {
    pub(crate) fn new(token: SecretBytes, scope: Scope) -> Self {
        Self { token, scope }
    }

    /// Whether one of the headers carries the token. All of them are compared.
    fn knows(&self, head: &Parts) -> bool {
        // EXPOSE: compared in constant time, and nothing else.
        let token = self.token.expose();
        let mut known = subtle::Choice::from(0);
        for name in TOKEN_HEADERS {
            if let Some(shown) = head.headers.get(name) {
                known |= shown.as_bytes().ct_eq(token);
            }
        }
        known.into()
    }
}

/// The response to a request that is refused.
struct Refusal {
    status: StatusCode,
    content_type: &'static str,
    content: Zeroizing<Vec<u8>>,
    /// The name of the exception, if it is one of the service.
    error: Option<&'static str>,
}

impl Refusal {
    /// Refusals of the agent itself are plain text.
    fn plain(status: StatusCode, text: &str) -> Self {
        let content = Zeroizing::new(text.as_bytes().to_vec());
        Self { status, content_type: "text/plain", content, error: None }
    }

    fn bad_request(text: &str) -> Self {
        Self::plain(StatusCode::BAD_REQUEST, text)
    }

    /// Refusals of the service are JSON.
    fn json(status: StatusCode, exception: &'static str, message: Option<&str>) -> Self {
        let text = message.map(|text| Text { member: "message", text });
        let content = Exception { name: exception, text }.json();
        Self { status, content_type: JSON, content, error: Some(exception) }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match (error.fault(), error.kind()) {
            (Some(fault), _) => {
                let message = Some(fault.message.as_str()).filter(|message| !message.is_empty());
                Self::json(StatusCode::BAD_REQUEST, fault.kind.name(), message)
            }
            (None, ErrorKind::Closed) => {
                Self::plain(StatusCode::SERVICE_UNAVAILABLE, "The server is stopping.")
            }
            // Details of a failure in the vault are reported on the API port and in the log only.
            (None, _) => Self::json(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", None),
        }
    }
}

impl Agent {
    /// Answers a request that came in by the agent's port.
    pub(crate) async fn answer<B>(
        &self,
        (vault, reads): (&Vault, &ShortReads),
        limits: &Limits,
        request: Request<B>,
        names: Names<'_>,
        is_wanted: impl FnOnce() -> bool,
    ) -> Reply
    where
        B: hyper::body::Body<Data: hyper::body::Buf>,
    {
        let (head, body) = request.into_parts();
        let body = body::collect(body, Intake::Drop, limits).await;
        if !is_wanted() {
            return ReplyError::Unavailable.reply();
        }
        let close = body.is_err();
        match self.content(vault, reads, &head, names).await {
            Ok(reply) => Reply { close, ..reply },
            Err(Refusal { status, content_type, content, error }) => {
                Reply { close, error, ..Reply::of(status, content_type, content) }
            }
        }
    }

    async fn content(
        &self,
        vault: &Vault,
        reads: &ShortReads,
        head: &Parts,
        names: Names<'_>,
    ) -> Result<Reply, Refusal> {
        let strayed = |failure| match failure {
            ReplyError::Strayed { status, message } => Refusal::plain(status, &message),
            _ => Refusal::bad_request("Bad request"),
        };
        guard::check_host(head, names).map_err(strayed)?;
        guard::check_page(head).map_err(strayed)?;
        if head.uri.path() == "/ping" {
            return Ok(Reply::plain("healthy"));
        }
        guard::check_forwarded(head).map_err(|_| Refusal::bad_request("Forwarded"))?;
        if !self.knows(head) {
            Notes::of(head).refused(Cause::AgentToken, "");
            return Err(Refusal::plain(StatusCode::FORBIDDEN, "Bad Token"));
        }
        if head.method != Method::GET {
            return Err(Refusal::plain(StatusCode::METHOD_NOT_ALLOWED, "Not allowed"));
        }
        let question = question(head.uri.path(), head.uri.query().unwrap_or_default())?;
        let vault = vault.in_scope(&self.scope);
        let answered =
            reads.perform(true, move || to_json(&vault.get_secret_value(question)?, Style::Agent));
        let content = answered.await.unwrap_or_else(|_| Err(ErrorKind::OutcomeUnknown.into()));
        let content = content.map_err(|error| refused(head, error))?;
        Ok(Reply { content_type: JSON, ..Reply::json(content) })
    }
}

/// The refusal of a question that the vault did not answer. A failure of the vault is noted for the log.
fn refused(head: &Parts, error: Error) -> Refusal {
    let cause = error.to_string();
    let refusal = Refusal::from(error);
    if refusal.status == StatusCode::INTERNAL_SERVER_ERROR {
        Notes::of(head).refused(Cause::Failed, cause);
    }
    refusal
}

/// Reads path and query.
fn question(path: &str, query: &str) -> Result<GetSecretValue, Refusal> {
    let in_path = path.strip_prefix(PREFIX);
    if in_path.is_none() && path != "/secretsmanager/get" {
        return Err(Refusal::plain(StatusCode::NOT_FOUND, "Not found"));
    }
    let mut question = GetSecretValue::default();
    if let Some(name) = in_path {
        let name = String::from_utf8(form::percent_decoded(name));
        question.secret_id = name.map_err(|_| Refusal::bad_request("invalid secret ID"))?;
        if question.secret_id.is_empty() {
            return Err(Refusal::bad_request("missing secret ID"));
        }
    }
    let mut role = None;
    for (name, value) in form::pairs(query) {
        match name.as_str() {
            "secretId" if in_path.is_none() => question.secret_id = value,
            "versionId" => question.version_id = Some(value),
            "versionStage" => question.version_stage = Some(value),
            "refreshNow" => check_flag(&value)?,
            "roleArn" => role = Some(value),
            _ => return Err(Refusal::bad_request(&format!("unknown parameter: {name}"))),
        }
    }
    if question.secret_id.is_empty() {
        return Err(Refusal::bad_request("missing parameter secretId"));
    }
    match role {
        None => Ok(question),
        Some(role) if !is_role(&role) => Err(Refusal::bad_request(BAD_ROLE)),
        // There are no roles here, so none can be assumed.
        Some(role) => {
            let message = format!("Failed to create caching client from role: {role}");
            let denied = "AccessDeniedException";
            Err(Refusal::json(StatusCode::FORBIDDEN, denied, Some(&message)))
        }
    }
}

/// Whether a text has the form of a role's ARN, by the agent's pattern:
/// `^arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+$`.
fn is_role(text: &str) -> bool {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts.as_slice() else {
        return false;
    };
    let Some(name) = resource.strip_prefix("role/") else { return false };
    (*arn, *service, *region) == ("arn", "iam", "")
        && !partition.is_empty()
        && partition.chars().all(|char| is_word(char) || char == '-')
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|char| is_word(char) || "+=,.@/-".contains(char))
}

/// Checks `refreshNow`, which has no effect because every read is fresh.
fn check_flag(value: &str) -> Result<(), Refusal> {
    if ["true", "1", "false", "0"].iter().any(|known| value.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    Err(Refusal::bad_request("invalid refreshNow value"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io;

    /// SPEAK-4: a failure of the vault is told in the log; a fault of the request is not one.
    #[test]
    fn a_failure_of_the_vault_is_noted() {
        let refused = |error: Error| {
            let mut head = Request::get("/v1/a").body(()).unwrap().into_parts().0;
            let notes = Notes::default();
            head.extensions.insert(notes.clone());
            (super::refused(&head, error).status.as_u16(), notes.why())
        };
        let failure = || Error::io("read", "v/log", io::Error::other("device is gone"));
        let noted = Some((Cause::Failed, failure().to_string()));
        assert_eq!(refused(failure()), (500, noted));
        assert_eq!(refused(ErrorKind::Closed.into()), (503, None));
    }

    fn refused(path: &str, query: &str) -> (u16, String) {
        let refusal = question(path, query).err().unwrap();
        (refusal.status.as_u16(), String::from_utf8(refusal.content.to_vec()).unwrap())
    }

    /// WIRE-AGENT-3: both forms, all parameters.
    #[test]
    fn both_forms_ask_the_same() {
        let query = "versionId=v&versionStage=s&refreshNow=TRUE";
        for (path, query) in [
            ("/secretsmanager/get", format!("secretId=a%2Fb%2B1&{query}")),
            ("/v1/a/b+1", query.to_owned()),
            ("/v1/a%2Fb+1", query.to_owned()),
        ] {
            let asked = question(path, &query).ok().unwrap();
            assert_eq!(asked.secret_id, "a/b+1", "{path}");
            assert_eq!(asked.version_id.as_deref(), Some("v"));
            assert_eq!(asked.version_stage.as_deref(), Some("s"));
        }
        let arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:a-AbCdEf";
        assert_eq!(question(&format!("/v1/{arn}"), "").ok().unwrap().secret_id, arn);
    }

    /// WIRE-AGENT-5: the agent's words.
    #[test]
    fn what_cannot_be_asked_is_refused_in_the_agents_words() {
        let get = "/secretsmanager/get";
        for (path, query, status, text) in [
            ("/", "", 404, "Not found"),
            ("/secretsmanager/get/", "secretId=a", 404, "Not found"),
            ("/v1", "", 404, "Not found"),
            ("/v1/", "", 400, "missing secret ID"),
            ("/v1/%ff", "", 400, "invalid secret ID"),
            ("/v1/a", "secretId=b", 400, "unknown parameter: secretId"),
            (get, "", 400, "missing parameter secretId"),
            (get, "secretId=", 400, "missing parameter secretId"),
            (get, "secretId=a&abc=123", 400, "unknown parameter: abc"),
            (get, "secretId=a&refreshNow=123", 400, "invalid refreshNow value"),
            (get, "secretId=a&refreshNow=", 400, "invalid refreshNow value"),
            (get, "secretId=a&roleArn=", 400, BAD_ROLE),
            (get, "secretId=a&roleArn=r", 400, BAD_ROLE),
            (get, "secretId=a&roleArn=arn:aws:iam::00000000000:role/r", 400, BAD_ROLE),
            (get, "secretId=a&roleArn=arn:aws:iam:eu-west-1:000000000000:role/r", 400, BAD_ROLE),
            (get, "secretId=a&roleArn=arn:aws:iam::000000000000:user/r", 400, BAD_ROLE),
            (get, "secretId=a&roleArn=arn:aws:iam::000000000000:role/", 400, BAD_ROLE),
            (get, "secretId=a&roleArn=arn:aws:iam::000000000000:role/a:b", 400, BAD_ROLE),
            (get, "roleArn=r", 400, "missing parameter secretId"),
            (
                get,
                "secretId=a&roleArn=arn:aws:iam::000000000000:role/r",
                403,
                r#"{"__type":"AccessDeniedException","message":"Failed to create caching client from role: arn:aws:iam::000000000000:role/r"}"#,
            ),
        ] {
            assert_eq!(refused(path, query), (status, text.to_owned()), "{path}?{query}");
        }
    }
}
