//! STS `GetCallerIdentity` on the same port.

use crate::client::{KEY_ID, NOW, Request, Response, Running, SECRET};
use strongroom::__internals::wire::{Auth, Limits};

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const QUESTION: &str = "Action=GetCallerIdentity&Version=2011-06-15";

fn form(server: &Running, body: &str) -> Request {
    let wire = server.connect();
    Request::new(&wire.host, "", body.as_bytes()).without("x-amz-target").set("content-type", FORM)
}

fn signed(request: Request, service: &str) -> Request {
    request.signed_for(service, KEY_ID, SECRET, "eu-west-1", NOW)
}

fn exchange(server: &Running, request: &Request) -> Response {
    server.connect().exchange(&request.bytes())
}

/// The content of the only element of that name.
fn element<'a>(response: &'a Response, name: &str) -> &'a str {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let text = response.text();
    assert_eq!(text.matches(&open).count(), 1, "{name}: {text}");
    text.split(&open).nth(1).unwrap().split(&close).next().unwrap()
}

#[track_caller]
fn refused(response: &Response, status: u16, code: &str, message: &str) {
    assert_eq!(response.status, status, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("text/xml"));
    assert_eq!((element(response, "Code"), element(response, "Message")), (code, message));
    assert_eq!(element(response, "Type"), "Sender");
    assert_eq!(Some(element(response, "RequestId")), response.header("x-amzn-requestid"));
    assert!(response.text().starts_with("<ErrorResponse xmlns="), "{}", response.text());
}

/// WIRE-STS-1, WIRE-STS-2
#[test]
fn a_pair_learns_its_account() {
    let server = Running::start(Auth::SigV4, Limits::default());
    let post = signed(form(&server, QUESTION), "sts");
    let get = form(&server, "").line(&format!("GET /?{QUESTION} HTTP/1.1"));
    let any_order = signed(form(&server, "Version=2011-06-15&Action=GetCallerIdentity"), "sts");
    for request in [post, any_order] {
        let response = exchange(&server, &request);
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(response.header("content-type"), Some("text/xml"));
        assert_eq!(element(&response, "Account"), "123456789012");
        assert_eq!(element(&response, "Arn"), "arn:aws:iam::123456789012:root");
        assert_eq!(element(&response, "UserId"), "123456789012");
        assert_eq!(Some(element(&response, "RequestId")), response.header("x-amzn-requestid"));
    }
    // An unsigned question in the query is understood, and refused as unsigned.
    let text = "Request is missing Authentication Token";
    refused(&exchange(&server, &get), 403, "MissingAuthenticationToken", text);
}

/// WIRE-STS-1: without authentication everybody is the configured account.
#[test]
fn anybody_is_the_configured_account_where_nobody_is_asked() {
    let server = Running::open();
    for request in [form(&server, QUESTION), signed(form(&server, QUESTION), "sts")] {
        let response = exchange(&server, &request);
        assert_eq!(element(&response, "Account"), "000000000000");
    }
}

/// WIRE-STS-3: names, statuses and texts of the query services.
#[test]
fn a_bad_signature_is_reported_as_sts_tells_it() {
    let server = Running::start(Auth::SigV4, Limits::default());
    let sign = |key: &str, secret: &str, time: &str| {
        form(&server, QUESTION).signed_for("sts", key, secret, "us-east-1", time)
    };
    let mismatch = "The request signature we calculated does not match the signature you provided. \
                    Check your AWS Secret Access Key and signing method. Consult the service \
                    documentation for details.";
    let unknown = "The security token included in the request is invalid.";
    let missing = "Request is missing Authentication Token";
    let old = "Signature expired: 20260102T025904Z is now earlier than 20260102T025905Z \
               (20260102T030405Z - 5 min.)";
    let mut changed = sign(KEY_ID, SECRET, NOW);
    changed.body[0] ^= 1;
    let token = form(&server, QUESTION).with("x-amz-security-token", "t");
    for (request, status, code, message) in [
        (form(&server, QUESTION), 403, "MissingAuthenticationToken", missing),
        (sign(KEY_ID, "wrong", NOW), 403, "SignatureDoesNotMatch", mismatch),
        (sign("AKIANOBODY", SECRET, NOW), 403, "InvalidClientTokenId", unknown),
        (sign(KEY_ID, SECRET, "20260102T025904Z"), 403, "SignatureDoesNotMatch", old),
        (signed(token, "sts"), 403, "InvalidClientTokenId", unknown.trim_end_matches('.')),
    ] {
        refused(&exchange(&server, &request), status, code, message);
    }
    let incomplete = form(&server, QUESTION).with("authorization", "AWS4-HMAC-SHA256 Credential=a");
    let response = exchange(&server, &incomplete);
    assert_eq!((response.status, element(&response, "Code")), (400, "IncompleteSignature"));
    assert_ne!(exchange(&server, &changed).status, 200);
}

/// WIRE-STS-4: the signature is for `sts` and nothing else, and one for `sts` opens nothing else.
#[test]
fn a_scope_is_good_for_its_own_service_alone() {
    let server = Running::start(Auth::SigV4, Limits::default());
    let response = exchange(&server, &signed(form(&server, QUESTION), "secretsmanager"));
    let text = "Credential should be scoped to correct service: 'sts'.";
    refused(&response, 403, "SignatureDoesNotMatch", text);
    let mut wire = server.connect();
    let request = Request::new(&wire.host, "ListSecrets", b"{}");
    wire.exchange(&signed(request, "sts").bytes()).is(
        400,
        "{\"__type\":\"InvalidSignatureException\",\"message\":\"Credential should be scoped to \
         correct service: 'secretsmanager'.\"}",
    );
}

/// WIRE-STS-5, WIRE-STS-6
#[test]
fn other_operations_are_refused_in_the_shape_of_sts() {
    let server = Running::start(Auth::SigV4, Limits::default());
    let not_here = |action: &str| {
        format!(
            "This endpoint serves Secrets Manager and the STS operation GetCallerIdentity; it has \
             no operation {action}."
        )
    };
    for (body, code, message) in [
        ("Action=AssumeRole&Version=2011-06-15", "InvalidAction", not_here("AssumeRole")),
        (
            "Action=getcalleridentity&Version=2011-06-15",
            "InvalidAction",
            not_here("getcalleridentity"),
        ),
        ("Action=%3Cb%3E%26&Version=2011-06-15", "InvalidAction", not_here("&lt;b&gt;&amp;")),
        (
            "Action=GetCallerIdentity",
            "InvalidAction",
            "Could not find operation GetCallerIdentity for version NO_VERSION_SPECIFIED".into(),
        ),
        (
            "Action=GetCallerIdentity&Version=2010-05-08",
            "InvalidAction",
            "Could not find operation GetCallerIdentity for version 2010-05-08".into(),
        ),
        ("", "MissingAction", "The request must contain the parameter Action.".into()),
        (
            "Version=2011-06-15",
            "MissingAction",
            "The request must contain the parameter Action.".into(),
        ),
    ] {
        let response = exchange(&server, &signed(form(&server, body), "sts"));
        refused(&response, 400, code, &message);
    }
    let unsigned = exchange(&server, &form(&server, "Action=AssumeRole&Version=2011-06-15"));
    refused(&unsigned, 400, "InvalidAction", &not_here("AssumeRole"));
}
