//! Bad input: the exact AWS error, the server lives, nothing is lost.

use crate::client::{Request, Response, Running};
use serde_json::json;

const TOKEN: &str = "11111111-1111-1111-1111-111111111111";
const NOT_JSON: &str = r#"{"__type":"SerializationException"}"#;
const UNKNOWN: &str = r#"{"__type":"UnknownOperationException"}"#;
const NOT_OURS: &str = "<UnknownOperationException/>\n";

/// A server that holds one secret; dropping it checks that the secret is still there.
struct Guarded(Running);

impl Guarded {
    fn start() -> Self {
        let server = Running::open();
        let body = json!({"Name": "kept", "ClientRequestToken": TOKEN, "SecretString": "intact"});
        server.call("CreateSecret", &body.to_string()).ok();
        Self(server)
    }

    fn exchange(&self, change: impl FnOnce(Request) -> Request) -> Response {
        let mut wire = self.0.connect();
        let request = Request::new(&wire.host, "GetSecretValue", br#"{"SecretId":"kept"}"#);
        wire.exchange(&change(request).bytes())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let got = self.exchange(|request| request).ok();
            assert_eq!(got["SecretString"], "intact");
        }
    }
}

/// WIRE-FRONT-1, WIRE-FRONT-2
#[test]
fn what_is_not_this_protocol_is_not_found() {
    let server = Guarded::start();
    for line in [
        "GET / HTTP/1.1",
        "PUT / HTTP/1.1",
        "DELETE / HTTP/1.1",
        "OPTIONS / HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "BREW / HTTP/1.1",
        "GET /healthz/ HTTP/1.1",
        "POST /healthz HTTP/1.1",
        "POST /a HTTP/1.1",
    ] {
        server.exchange(|request| request.line(line)).is(404, NOT_OURS);
    }
    server.exchange(|request| request.without("content-type")).is(404, NOT_OURS);
    for content_type in ["application/x-amz-json-1.0", "text/plain", "", "multipart/form-data"] {
        server.exchange(|request| request.set("content-type", content_type)).is(404, NOT_OURS);
    }
    for content_type in [
        "application/json",
        "Application/X-Amz-Json-1.1",
        "application/x-amz-json-1.1; charset=utf-8",
    ] {
        server.exchange(|request| request.set("content-type", content_type)).ok();
    }
    server.exchange(|request| request.line("GET /healthz HTTP/1.1")).is(200, "ok\n");
}

/// WIRE-FRONT-3
#[test]
fn an_operation_that_is_not_here_is_unknown() {
    let server = Guarded::start();
    server.exchange(|request| request.without("x-amz-target")).is(400, UNKNOWN);
    for target in [
        "",
        "GetSecretValue",
        "secretsmanager.getsecretvalue",
        "SecretsManager.GetSecretValue",
        "secretsmanager.RotateSecrets",
        "secretsmanager.NoSuchThing",
        "secretsmanager.GetSecretValue.",
        ".GetSecretValue",
    ] {
        server.exchange(|request| request.set("x-amz-target", target)).is(400, UNKNOWN);
    }
    let twice = "secretsmanager.GetSecretValue";
    server.exchange(|request| request.with("x-amz-target", twice)).is(400, UNKNOWN);
}

/// WIRE-FRONT-5, WIRE-JSON-1
#[test]
fn a_body_that_is_not_an_object_is_a_serialization_error() {
    let server = Guarded::start();
    let mut wire = server.0.connect();
    let nested = "[".repeat(200_000);
    let many = format!("[{}0]", "0,".repeat(300_000));
    for body in [
        &b""[..],
        b" ",
        b"{",
        b"null",
        b"\"x\"",
        b"1",
        b"{\"SecretId\":\"kept\",}",
        b"{\"SecretId\":\"kept\"",
        b"{\"SecretId\":\"kep",
        b"{\"SecretId\":\"\xff\"}",
        b"{\"SecretId\":\"\\ud800\"}",
        b"{\"SecretId\":\"kept\"}}",
        b"SecretId=kept",
        b"<xml/>",
        b"\0\0\0\0",
        nested.as_bytes(),
        many.as_bytes(),
    ] {
        wire.call("GetSecretValue", body).is(400, NOT_JSON);
    }
    wire.call("GetSecretValue", b"[]").is(
        400,
        r#"{"__type":"SerializationException","Message":"Start of list found where not expected"}"#,
    );
}

/// WIRE-FRONT-6, WIRE-JSON-4
#[test]
fn a_wrong_type_is_named() {
    let server = Guarded::start();
    let mut wire = server.0.connect();
    for (operation, body, text) in [
        ("GetSecretValue", r#"{"SecretId":1}"#, "NUMBER_VALUE can not be converted to a String"),
        ("GetSecretValue", r#"{"SecretId":true}"#, "TRUE_VALUE can not be converted to a String"),
        (
            "GetSecretValue",
            r#"{"SecretId":{}}"#,
            "Start of structure or map found where not expected.",
        ),
        ("ListSecrets", r#"{"MaxResults":"1"}"#, "STRING_VALUE can not be converted to an Integer"),
        (
            "DeleteSecret",
            r#"{"SecretId":"kept","RecoveryWindowInDays":"7"}"#,
            "STRING_VALUE can not be converted to a Long",
        ),
        ("ListSecrets", r#"{"Filters":"x"}"#, "Expected list or null"),
        ("ListSecrets", r#"{"Filters":["x"]}"#, "Expected null"),
        ("PutSecretValue", r#"{"SecretId":"kept","SecretBinary":"%%"}"#, "Invalid base64 data"),
    ] {
        let expected = format!(r#"{{"__type":"SerializationException","Message":"{text}"}}"#);
        wire.call(operation, body.as_bytes()).is(400, &expected);
    }
}

/// WIRE-FRONT-7, WIRE-JSON-2
#[test]
fn a_missing_member_is_named_and_an_unknown_one_ignored() {
    let server = Guarded::start();
    let mut wire = server.0.connect();
    let missing = |path: &str| {
        format!(
            "{{\"__type\":\"ValidationException\",\"message\":\"1 validation error detected: Value \
             null at '{path}' failed to satisfy constraint: Member must not be null\"}}"
        )
    };
    wire.call("GetSecretValue", b"{}").is(400, &missing("secretId"));
    wire.call("GetSecretValue", br#"{"SecretId":null}"#).is(400, &missing("secretId"));
    wire.call("CreateSecret", br#"{"ClientRequestToken":null}"#).is(400, &missing("name"));
    wire.call("TagResource", br#"{"SecretId":"kept"}"#).is(400, &missing("tags"));
    let body = br#"{"SecretId":"kept","Unknown":{"a":[1]},"VersionId":null}"#;
    wire.call("GetSecretValue", body).ok();
}

/// WIRE-FRONT-8: by every operation that takes a value, before the secret is looked up.
#[test]
fn two_kinds_of_value_at_once_are_refused() {
    let server = Guarded::start();
    let mut wire = server.0.connect();
    let expected = "{\"__type\":\"InvalidParameterException\",\"Message\":\"You can't specify both a \
                    binary secret value and a string secret value in the same secret.\"}";
    for (operation, member) in
        [("CreateSecret", "Name"), ("PutSecretValue", "SecretId"), ("UpdateSecret", "SecretId")]
    {
        for name in ["kept", "nobody"] {
            let body = json!({member: name, "ClientRequestToken": TOKEN, "SecretString": "a",
                "SecretBinary": "AA=="});
            wire.call(operation, body.to_string().as_bytes()).is(400, expected);
        }
    }
}

#[test]
fn a_name_with_bad_characters_is_refused_everywhere() {
    let server = Guarded::start();
    let mut wire = server.0.connect();
    let expected = "{\"__type\":\"ValidationException\",\"message\":\"Invalid name. Must be a valid \
                    name containing alphanumeric characters, or any of the following: -/_+=.@!\"}";
    for name in ["a b", "a*", "\u{e9}", "a\u{0}", "a\"b", "a\nb", "a:b"] {
        let create = json!({"Name": name, "ClientRequestToken": TOKEN}).to_string();
        wire.call("CreateSecret", create.as_bytes()).is(400, expected);
        for operation in ["GetSecretValue", "DescribeSecret", "DeleteSecret", "RestoreSecret"] {
            let body = json!({"SecretId": name}).to_string();
            wire.call(operation, body.as_bytes()).is(400, expected);
        }
    }
}

#[test]
fn a_value_that_is_too_long_is_refused_at_either_limit() {
    let server = Guarded::start();
    let mut wire = server.0.connect();
    let too_long = "{\"__type\":\"ValidationException\",\"message\":\"1 validation error detected: \
                    Value at 'secretString' failed to satisfy constraint: Member must have length \
                    less than or equal to 65536\"}";
    let put = |value: String| {
        json!({"SecretId": "kept", "ClientRequestToken": format!("{TOKEN}-"), "SecretString": value})
            .to_string()
    };
    wire.call("PutSecretValue", put("x".repeat(65_537)).as_bytes()).is(400, too_long);
    wire.call("PutSecretValue", put("x".repeat(1_000_000)).as_bytes()).is(400, too_long);
}

/// WIRE-NET-1, WIRE-NET-3
#[test]
fn a_body_over_a_megabyte_is_too_large() {
    let server = Guarded::start();
    let put = |value: String| json!({"SecretId": "kept", "SecretString": value}).to_string();
    for len in [1024 * 1024, 3_000_000, 40_000_000] {
        let response = server.0.call("PutSecretValue", &put("x".repeat(len)));
        let text = "{\"__type\":\"RequestEntityTooLargeException\",\"message\":\"The request body \
                    is longer than 1 MiB.\"}";
        response.is(413, text);
    }
}

#[test]
fn a_body_that_breaks_off_changes_nothing() {
    let server = Guarded::start();
    let body = br#"{"SecretId":"kept","ForceDeleteWithoutRecovery":true}"#;
    let mut wire = server.0.connect();
    let request = Request::new(&wire.host, "DeleteSecret", body).bytes();
    for len in (0..request.len()).step_by(7) {
        let mut wire = server.0.connect();
        wire.write(&request[..len]);
        drop(wire);
    }
    wire.call("GetSecretValue", br#"{"SecretId":"kept"}"#).ok();
}

#[test]
fn what_is_not_http_is_refused() {
    let server = Guarded::start();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"hello\r\n\r\n",
        b"POST /\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut wire = server.0.connect();
        wire.write(bytes);
        if let Some(response) = wire.read() {
            assert!((400..500).contains(&response.status), "{response:?}");
        }
    }
}
