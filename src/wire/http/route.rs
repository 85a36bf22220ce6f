//! Decides which service a request is for, before its signature is checked (rules WIRE-HEALTH, WIRE-STS,
//! WIRE-OTHER).

use crate::wire::encoding::form;
use crate::wire::encoding::headers::{X_AMZ_TARGET, single};
use crate::wire::sigv4;
use hyper::Method;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use std::borrow::Cow;

/// The operations of STS. An unsigned request for one of them is meant for STS.
const STS_ACTIONS: &[&str] = &[
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "DecodeAuthorizationMessage",
    "GetAccessKeyInfo",
    "GetCallerIdentity",
    "GetFederationToken",
    "GetSessionToken",
];

/// How much of a form is searched for the operation: nobody has vouched for it yet.
const FORM_BYTES_MAX: usize = 64 * 1024;

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// `GET /healthz`: the process answers.
    Alive,
    /// `GET /readyz`: the vault reads and writes.
    Ready,
    /// `GET /metrics`: counts and times for Prometheus.
    Metrics,
    /// What scripts ask that wait for `LocalStack`.
    LocalStack(LocalStack),
    /// The query protocol of STS.
    Sts,
    /// An AWS service that is not here, by the name that the request gives it.
    Other(Cow<'a, str>),
    /// Everything else is treated as a request to Secrets Manager.
    SecretsManager,
}

/// A page of `LocalStack` itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LocalStack {
    /// `/_localstack/health`, `/health`: which services run.
    Health,
    /// `/_localstack/init`: which stages of the start are completed.
    Stages,
    /// `/_localstack/init/ready` and the like: one of them.
    Stage {
        /// Whether it is a stage of the start, not of the end.
        starts: bool,
    },
    /// `/_localstack/info`: what runs here.
    Info,
}

impl<'a> Route<'a> {
    /// Looks at a request; `body` is what could be read of it.
    pub(crate) fn of(head: &'a Parts, body: &[u8]) -> Self {
        if let Some(probe) = probe(head) {
            return probe;
        }
        let target = single(&head.headers, &X_AMZ_TARGET);
        if target.is_some_and(|target| target.starts_with("secretsmanager.")) {
            return Self::SecretsManager;
        }
        let service = service(head);
        let action = || action(head, body);
        match service.as_deref() {
            // STS reports the wrong scope in its own form.
            Some("secretsmanager") if action().is_some_and(|action| is_sts(head, &action)) => {
                Self::Sts
            }
            Some("sts") if is_root(head.uri.path()) => Self::Sts,
            Some("secretsmanager" | "sts") => Self::SecretsManager,
            Some(_) => service.map_or(Self::SecretsManager, Self::Other),
            None => match (target.and_then(prefix), action()) {
                (Some(prefix), _) => Self::Other(prefix.into()),
                (None, Some(action)) if is_sts(head, &action) => Self::Sts,
                (None, Some(action)) => Self::Other(action.into()),
                (None, None) => Self::SecretsManager,
            },
        }
    }
}

/// Whether a request is for a page that needs no signature.
pub(crate) fn is_probe(head: &Parts) -> bool {
    probe(head).is_some()
}

fn probe(head: &Parts) -> Option<Route<'static>> {
    // HEAD is what `wget --spider` asks with.
    if ![Method::GET, Method::HEAD].contains(&head.method) {
        return None;
    }
    match &*one_slash(head.uri.path()) {
        "/healthz" => Some(Route::Alive),
        "/readyz" => Some(Route::Ready),
        "/metrics" => Some(Route::Metrics),
        "/_localstack/health" | "/health" => Some(Route::LocalStack(LocalStack::Health)),
        "/_localstack/init" => Some(Route::LocalStack(LocalStack::Stages)),
        "/_localstack/init/boot" | "/_localstack/init/start" | "/_localstack/init/ready" => {
            Some(Route::LocalStack(LocalStack::Stage { starts: true }))
        }
        "/_localstack/init/shutdown" => {
            Some(Route::LocalStack(LocalStack::Stage { starts: false }))
        }
        "/_localstack/info" => Some(Route::LocalStack(LocalStack::Info)),
        _ => None,
    }
}

/// Whether a path is `/`. An endpoint with a slash at its end makes clients send `//`.
pub(crate) fn is_root(path: &str) -> bool {
    path.bytes().all(|byte| byte == b'/')
}

/// A path whose leading slashes are one.
fn one_slash(path: &str) -> Cow<'_, str> {
    if path.starts_with("//") {
        format!("/{}", path.trim_start_matches('/')).into()
    } else {
        path.into()
    }
}

/// The service of the credential's scope, in the header or, for presigned requests, in the query.
fn service(head: &Parts) -> Option<Cow<'_, str>> {
    if let Some(service) = sigv4::service_of(&head.headers) {
        return Some(service.into());
    }
    let credential = form::value(head.uri.query()?, "X-Amz-Credential")?;
    credential.split('/').nth(3).map(|service| service.to_owned().into())
}

/// The part of a target before the operation, if it is another service's.
fn prefix(target: &str) -> Option<&str> {
    let (prefix, _) = target.split_once('.')?;
    (!prefix.is_empty() && !prefix.eq_ignore_ascii_case("secretsmanager")).then_some(prefix)
}

/// The operation of the query protocol.
fn action(head: &Parts, body: &[u8]) -> Option<String> {
    parameter(head, body, "Action")
}

/// A parameter of the query protocol: in the query, or in the body of a form.
pub(crate) fn parameter(head: &Parts, body: &[u8], name: &str) -> Option<String> {
    let in_query = head.uri.query().and_then(|query| form::value(query, name));
    in_query.or_else(|| form::value(form_body(head, body)?, name))
}

/// The start of the body, if it is a form. Clients put the operation first.
fn form_body<'a>(head: &Parts, body: &'a [u8]) -> Option<&'a str> {
    let start = body.get(..FORM_BYTES_MAX).unwrap_or(body);
    if is_form(head) { std::str::from_utf8(start).ok() } else { None }
}

/// Whether the body is a form.
pub(crate) fn is_form(head: &Parts) -> bool {
    let content_type = single(&head.headers, &CONTENT_TYPE).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn is_sts(head: &Parts, action: &str) -> bool {
    is_root(head.uri.path()) && STS_ACTIONS.contains(&action)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use hyper::Request;

    const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

    #[track_caller]
    fn check(line: (&str, &str), headers: &[(&str, &str)], body: &str, expected: &Route<'_>) {
        let request = Request::builder().method(line.0).uri(line.1);
        let request = headers.iter().fold(request, |r, (name, value)| r.header(*name, *value));
        let (head, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(Route::of(&head, body.as_bytes()), *expected, "{line:?} {headers:?} {body}");
    }

    fn scoped(service: &str) -> String {
        format!("AWS4-HMAC-SHA256 Credential=A/20260102/us-east-1/{service}/aws4_request, x=y")
    }

    #[test]
    fn probes_are_asked_for_with_get_or_head_and_to_the_letter() {
        for (path, route) in [
            ("/healthz", Route::Alive),
            ("/readyz", Route::Ready),
            ("/metrics", Route::Metrics),
            ("/_localstack/health", Route::LocalStack(LocalStack::Health)),
            ("/health", Route::LocalStack(LocalStack::Health)),
            ("/_localstack/init", Route::LocalStack(LocalStack::Stages)),
            ("/_localstack/init/ready", Route::LocalStack(LocalStack::Stage { starts: true })),
            ("/_localstack/init/shutdown", Route::LocalStack(LocalStack::Stage { starts: false })),
            ("/_localstack/info", Route::LocalStack(LocalStack::Info)),
        ] {
            check(("GET", path), &[], "", &route);
            check(("HEAD", path), &[], "", &route);
            check(("GET", &format!("/{path}")), &[], "", &route);
            check(("POST", path), &[], "", &Route::SecretsManager);
            check(("GET", &format!("{path}/")), &[], "", &Route::SecretsManager);
        }
    }

    /// WIRE-OTHER-1: scope, then target, then action.
    #[test]
    fn another_service_is_known_by_scope_target_or_action() {
        let s3 = scoped("s3");
        let s3 = [("authorization", s3.as_str())];
        check(("PUT", "/bucket/key"), &s3, "", &Route::Other("s3".into()));
        check(
            ("GET", "/b?X-Amz-Credential=A%2F20260102%2Fus-east-1%2Fs3%2Faws4_request"),
            &[],
            "",
            &Route::Other("s3".into()),
        );
        let dynamodb = [("x-amz-target", "DynamoDB_20120810.GetItem")];
        check(("POST", "/"), &dynamodb, "{}", &Route::Other("DynamoDB_20120810".into()));
        let action = "Action=ListUsers&Version=2010-05-08";
        let form = [("content-type", FORM)];
        check(("POST", "/"), &form, action, &Route::Other("ListUsers".into()));
        check(("GET", "/?Action=ListUsers"), &[], "", &Route::Other("ListUsers".into()));
        // A body of another type is no form.
        check(("POST", "/"), &[], action, &Route::SecretsManager);
    }

    /// WIRE-OTHER-2
    #[test]
    fn a_target_of_this_service_is_of_this_service_whatever_its_scope_says() {
        let s3 = scoped("s3");
        let headers = [("authorization", s3.as_str()), ("x-amz-target", "secretsmanager.X")];
        check(("POST", "/"), &headers, "{}", &Route::SecretsManager);
        let ours = scoped("secretsmanager");
        let headers = [("authorization", ours.as_str()), ("x-amz-target", "DynamoDB.X")];
        check(("POST", "/"), &headers, "{}", &Route::SecretsManager);
        for target in ["SecretsManager.GetSecretValue", "GetSecretValue", ".GetSecretValue", ""] {
            check(("POST", "/"), &[("x-amz-target", target)], "", &Route::SecretsManager);
        }
    }

    #[test]
    fn sts_is_known_by_its_scope_or_its_actions() {
        let sts = scoped("sts");
        let body = "Action=GetCallerIdentity&Version=2011-06-15";
        let headers = [("authorization", sts.as_str()), ("content-type", FORM)];
        check(("POST", "/"), &headers, body, &Route::Sts);
        check(("POST", "/"), &headers, "", &Route::Sts);
        check(("POST", "//"), &headers, body, &Route::Sts);
        check(("POST", "/x"), &headers, body, &Route::SecretsManager);
        check(("POST", "/"), &[("content-type", FORM)], body, &Route::Sts);
        let ours = scoped("secretsmanager");
        let headers = [("authorization", ours.as_str()), ("content-type", FORM)];
        check(("POST", "/"), &headers, body, &Route::Sts);
    }
}
