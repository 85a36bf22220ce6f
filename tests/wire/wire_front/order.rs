//! Requests with two faults: the first in AWS's order is reported. Also the common parts of every answer.

use crate::client::{KEY_ID, NOW, Request, Response, Running, SECRET};
use serde_json::json;
use strongroom::__internals::wire::{Auth, Limits};

const TOKEN: &str = "11111111-1111-1111-1111-111111111111";

fn server() -> Running {
    Running::start(Auth::SigV4, Limits::default())
}

fn signed(server: &Running, operation: &str, body: &str) -> Response {
    let mut wire = server.connect();
    let request = Request::new(&wire.host, operation, body.as_bytes()).well_signed();
    wire.exchange(&request.bytes())
}

fn exception(response: &Response) -> String {
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    format!("{} {}", response.status, body["__type"].as_str().unwrap_or(response.text()))
}

/// WIRE-FRONT-9: each step hides the faults behind it.
#[test]
fn of_two_faults_the_first_in_order_is_reported() {
    let server = server();
    let wire = server.connect();
    let good = Request::new(&wire.host, "GetSecretValue", br#"{"SecretId":"a"}"#);
    let with_body = |body: &str| {
        let mut request = good.clone().set("content-length", &body.len().to_string());
        request.body = body.into();
        request
    };
    let mut changed = with_body("not json").well_signed();
    changed.body = b"NOT JSON".to_vec();
    let stranger = with_body("not json").signed("AKIANOBODY", SECRET, "us-east-1", NOW);
    for (request, expected) in [
        // A strayed request, whatever else.
        (
            good.clone().set("host", "example.com").with("via", "x").without("x-amz-target"),
            "421 AccessDeniedException",
        ),
        (
            good.clone().with("via", "x").with("origin", "y").without("content-type"),
            "403 AccessDeniedException",
        ),
        // Type before target.
        (
            good.clone().set("content-type", "text/plain").without("x-amz-target"),
            "404 <UnknownOperationException/>\n",
        ),
        // Target before signature.
        (
            with_body("not json").set("x-amz-target", "secretsmanager.X"),
            "400 UnknownOperationException",
        ),
        // Presence before form, form before token, token before key, key before signature.
        (with_body("not json"), "400 MissingAuthenticationTokenException"),
        (
            with_body("not json")
                .with("x-amz-security-token", "t")
                .with("authorization", "AWS4-HMAC-SHA256 x"),
            "400 IncompleteSignatureException",
        ),
        (
            with_body("not json")
                .with("x-amz-security-token", "t")
                .signed(KEY_ID, SECRET, "nowhere", NOW),
            "400 InvalidSignatureException",
        ),
        (
            with_body("not json").with("x-amz-security-token", "t").signed(
                KEY_ID,
                "wrong",
                "us-east-1",
                NOW,
            ),
            "400 UnrecognizedClientException",
        ),
        (stranger, "400 UnrecognizedClientException"),
        // Signature before body.
        (changed, "400 InvalidSignatureException"),
        (with_body("not json").well_signed(), "400 SerializationException"),
    ] {
        let response = server.connect().exchange(&request.bytes());
        assert_eq!(exception(&response), expected, "{request:?}");
    }
}

/// WIRE-FRONT-9: behind the signature. Types before presence, presence and lengths before the name's
/// characters, these before the token's absence, that before whether there is such a secret.
#[test]
fn behind_the_signature_types_come_before_rules_and_rules_before_lookup() {
    let server = server();
    let created = json!({"Name": "gone", "ClientRequestToken": TOKEN, "SecretString": "x"});
    signed(&server, "CreateSecret", &created.to_string()).ok();
    signed(&server, "DeleteSecret", r#"{"SecretId":"gone"}"#).ok();
    for (operation, body, expected) in [
        ("GetSecretValue", r#"{"VersionId":1}"#, "SerializationException"),
        ("PutSecretValue", r#"{"SecretId":"a b","SecretString":1}"#, "SerializationException"),
        ("CreateSecret", r#"{"Name":"a b","Tags":[{"Key":""}]}"#, "1 validation error detected: "),
        ("CreateSecret", r#"{"Name":"a b","SecretString":"x"}"#, "Invalid name. "),
        ("PutSecretValue", r#"{"SecretId":"a b","SecretString":"x"}"#, "Invalid name. "),
        (
            "PutSecretValue",
            r#"{"SecretId":"nobody","SecretString":"x"}"#,
            "You must provide a ClientRequestToken",
        ),
        (
            "PutSecretValue",
            r#"{"SecretId":"nobody","SecretString":"x","ClientRequestToken":"11111111-1111-1111-1111-111111111111"}"#,
            "Secrets Manager can't find the specified secret.",
        ),
        (
            "GetSecretValue",
            r#"{"SecretId":"gone","VersionStage":"none"}"#,
            "You can't perform this operation on the secret because it was marked for deletion.",
        ),
    ] {
        let response = signed(&server, operation, body);
        assert_eq!(response.status, 400);
        assert!(response.text().contains(expected), "{operation} {body}: {}", response.text());
    }
}

/// WIRE-REPLY-1, WIRE-REPLY-2
#[test]
fn every_answer_has_the_headers_and_every_error_the_two_members() {
    let server = server();
    for (operation, body, status) in [
        ("ListSecrets", "{}", 200),
        ("GetSecretValue", r#"{"SecretId":"nobody"}"#, 400),
        ("GetSecretValue", "{}", 400),
    ] {
        let response = signed(&server, operation, body);
        assert_eq!(response.status, status);
        assert_eq!(response.header("content-type"), Some("application/x-amz-json-1.1"));
        let id = response.header("x-amzn-requestid").unwrap();
        assert_eq!(uuid_version(id), '4', "{id}");
        assert!(response.header("date").unwrap().ends_with(" GMT"));
        assert_eq!(response.header("content-length"), Some(&*response.body.len().to_string()));
        for absent in ["x-amzn-errortype", "access-control-allow-origin", "server"] {
            assert_eq!(response.header(absent), None, "{absent}");
        }
        let body = response.json();
        if status == 400 {
            let members: Vec<_> = body.as_object().unwrap().keys().collect();
            assert_eq!(members.len(), 2, "{body}");
            assert!(members.iter().any(|name| *name == "__type"));
            assert!(!body["__type"].as_str().unwrap().contains('#'));
        }
    }
}

fn uuid_version(id: &str) -> char {
    let parts: Vec<&str> = id.split('-').collect();
    assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
    parts[2].chars().next().unwrap()
}

/// WIRE-SIG-10: signed along or not, of a known key or not, empty or twice.
#[test]
fn a_session_token_is_refused_and_named() {
    let server = server();
    let wire = server.connect();
    let good = Request::new(&wire.host, "ListSecrets", b"{}");
    let invalid = "{\"__type\":\"UnrecognizedClientException\",\"message\":\"The security token \
                   included in the request is invalid\"}";
    let signed_along = good.clone().with("x-amz-security-token", "FwoGZXIvYXdzE").well_signed();
    let unsigned = good.clone().well_signed().with("x-amz-security-token", "FwoGZXIvYXdzE");
    let empty = good.clone().with("x-amz-security-token", "").well_signed();
    let twice = good.clone().well_signed().with("x-amz-security-token", "a");
    let twice = twice.with("x-amz-security-token", "b");
    let stranger = good.clone().with("x-amz-security-token", "t");
    let stranger = stranger.signed("ASIANOBODY", SECRET, "us-east-1", NOW);
    for request in [signed_along, unsigned, empty, twice, stranger] {
        server.connect().exchange(&request.bytes()).is(400, invalid);
    }
    // Where nobody is asked who they are, nobody is asked for a token either.
    let open = Running::open();
    let wire = open.connect();
    let request = Request::new(&wire.host, "ListSecrets", b"{}").with("x-amz-security-token", "t");
    open.connect().exchange(&request.bytes()).ok();
}

/// WIRE-FRONT-4, WIRE-SIG-9: one row each, over the wire; the status is always 400 and the text AWS's.
#[test]
fn every_refusal_of_a_signature_says_which() {
    let server = server();
    let wire = server.connect();
    let good = Request::new(&wire.host, "ListSecrets", b"{}");
    let signed = good.clone().well_signed();
    let value = signed.headers.iter().find(|(name, _)| name == "authorization").unwrap().1.clone();
    let replaced = |part: &str, other: &str| {
        assert_eq!(value.matches(part).count(), 1, "{part}");
        signed.clone().set("authorization", &value.replace(part, other))
    };
    let header = |value: &str| good.clone().with("authorization", value);
    let missing =
        ("MissingAuthenticationTokenException", "Request is missing Authentication Token");
    let incomplete = "IncompleteSignatureException";
    let invalid = "InvalidSignatureException";
    let mismatch = "The request signature we calculated does not match the signature you provided. \
                    Check your AWS Secret Access Key and signing method. Consult the service \
                    documentation for details.";
    for (request, exception, text) in [
        (good.clone(), missing.0, missing.1),
        (header("Basic QWxhZGRpbg=="), missing.0, missing.1),
        (good.clone().line("POST /?X-Amz-Signature=1 HTTP/1.1"), missing.0, missing.1),
        (
            header("AWS4-HMAC-SHA256 Credential=a"),
            incomplete,
            "Authorization header requires 'Signature' parameter. Authorization header requires \
             'SignedHeaders' parameter. Authorization header requires existence of either a \
             'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256 Credential=a",
        ),
        (
            signed.clone().set("x-amz-date", "2026-01-02T03:04:05Z"),
            incomplete,
            "Date must be in ISO-8601 'basic format'. Got '2026-01-02T03:04:05Z'. See \
             http://en.wikipedia.org/wiki/ISO_8601",
        ),
        (
            replaced("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
            incomplete,
            "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'",
        ),
        (
            replaced("/aws4_request", ""),
            incomplete,
            "Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term, got 'AKIAWIRETEST/20260102/us-east-1/secretsmanager'",
        ),
        (
            replaced("us-east-1", "moon"),
            invalid,
            "Credential should be scoped to a valid region, not 'moon'.",
        ),
        (
            replaced("/secretsmanager/", "/ssm/"),
            invalid,
            "Credential should be scoped to correct service: 'secretsmanager'.",
        ),
        (
            replaced("aws4_request", "aws5_request"),
            invalid,
            "Credential should be scoped with a valid terminator: 'aws4_request', not \
             'aws5_request'.",
        ),
        (
            replaced("/20260102/", "/20260103/"),
            invalid,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
             HTTP: '20260103' != '20260102', from '20260102T030405Z'.",
        ),
        (
            replaced(";host", ""),
            invalid,
            "'Host' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            replaced(KEY_ID, "AKIANOBODY"),
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (replaced("Signature=", "Signature=0"), invalid, mismatch),
        (
            good.clone().signed(KEY_ID, SECRET, "us-east-1", "20260102T025904Z"),
            invalid,
            "Signature expired: 20260102T025904Z is now earlier than 20260102T025905Z \
             (20260102T030405Z - 5 min.)",
        ),
        (
            good.clone().signed(KEY_ID, SECRET, "us-east-1", "20260102T030906Z"),
            invalid,
            "Signature not yet current: 20260102T030906Z is still later than 20260102T030905Z \
             (20260102T030405Z + 5 min.)",
        ),
    ] {
        let expected = json!({"__type": exception, "message": text});
        let response = server.connect().exchange(&request.bytes());
        assert_eq!((response.status, response.json()), (400, expected));
    }
}

/// WIRE-JSON-2, WIRE-JSON-3, WIRE-FRONT-2: what AWS bears is borne.
#[test]
fn what_aws_bears_is_borne() {
    let server = server();
    for body in [
        "{}",
        r#"{"MaxResults":1.9}"#,
        r#"{"MaxResults":null,"Filters":null}"#,
        r#"{"NoSuchMember":{"a":[1,{}]}}"#,
        " {\t\"MaxResults\" :\n1 } ",
    ] {
        assert_eq!(signed(&server, "ListSecrets", body).ok(), json!({"SecretList": []}), "{body}");
    }
    let wire = server.connect();
    let plain = Request::new(&wire.host, "ListSecrets", b"{}");
    let plain = plain.set("content-type", "application/json").well_signed();
    server.connect().exchange(&plain.bytes()).ok();
}
