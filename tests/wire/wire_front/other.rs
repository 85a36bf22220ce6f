//! Requests to other AWS services: a client that was pointed here with one variable for all of them.

use crate::client::{KEY_ID, NOW, Request, Running, SECRET};
use strongroom::__internals::wire::{Auth, Limits};

/// In which form a client reads the answer.
enum Form {
    Json,
    S3,
    Query,
    Ec2,
}

#[track_caller]
fn told_as(server: &Running, request: &Request, name: &str, form: Form) {
    let response = server.connect().exchange(&request.bytes());
    let name = if name.is_empty() { String::new() } else { format!(", not {name}") };
    let text = format!(
        "This endpoint serves AWS Secrets Manager and STS{name}. Point clients at it with \
         AWS_ENDPOINT_URL_SECRETS_MANAGER instead of AWS_ENDPOINT_URL."
    );
    let error = format!("<Code>NotImplemented</Code><Message>{text}</Message>");
    let id = response.header("x-amzn-requestid").unwrap().to_owned();
    let body = match form {
        Form::Json => {
            format!("{{\"__type\":\"NotImplementedException\",\"message\":\"{text}\"}}")
        }
        Form::S3 => format!("<Error>{error}</Error>"),
        Form::Query => format!(
            "<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>{id}</RequestId>\
             </ErrorResponse>"
        ),
        Form::Ec2 => format!(
            "<Response><Errors><Error>{error}</Error></Errors><RequestID>{id}</RequestID></Response>"
        ),
    };
    // Spaces between the tags mean nothing.
    let found: String = response.text().lines().map(str::trim).collect();
    assert_eq!((response.status, found), (501, body));
    let content_type =
        if matches!(form, Form::Json) { "application/x-amz-json-1.1" } else { "text/xml" };
    assert_eq!(response.header("content-type"), Some(content_type));
}

#[track_caller]
fn told(server: &Running, request: &Request, name: &str) {
    told_as(server, request, name, if name == "s3" { Form::S3 } else { Form::Json });
}

fn request(server: &Running, line: &str) -> Request {
    let wire = server.connect();
    Request::new(&wire.host, "", b"").without("x-amz-target").without("content-type").line(line)
}

/// WIRE-OTHER-1, WIRE-OTHER-3, WIRE-OTHER-4: with a good signature, a bad one, or none.
#[test]
fn a_call_of_another_service_names_the_variable_to_use() {
    for auth in [Auth::SigV4, Auth::None] {
        let server = Running::start(auth, Limits::default());
        let put = request(&server, "PUT /bucket/key HTTP/1.1");
        for secret in [SECRET, "wrong"] {
            told(&server, &put.clone().signed_for("s3", KEY_ID, secret, "us-east-1", NOW), "s3");
        }
        let json = request(&server, "POST / HTTP/1.1")
            .with("content-type", "application/x-amz-json-1.0")
            .with("x-amz-target", "DynamoDB_20120810.ListTables");
        told(&server, &json, "DynamoDB_20120810");
        let signed = json.signed_for("dynamodb", KEY_ID, SECRET, "us-east-1", NOW);
        told(&server, &signed, "dynamodb");
        let form = |body: &str| {
            let mut form = request(&server, "POST / HTTP/1.1")
                .with("content-type", "application/x-www-form-urlencoded; charset=utf-8")
                .set("content-length", &body.len().to_string());
            form.body = body.into();
            form
        };
        let users = form("Action=ListUsers&Version=2010-05-08");
        told_as(&server, &users, "ListUsers", Form::Query);
        let signed = users.signed_for("iam", KEY_ID, SECRET, "us-east-1", NOW);
        told_as(&server, &signed, "iam", Form::Query);
        let topics = request(&server, "GET /?Action=ListTopics&Version=2010-03-31 HTTP/1.1");
        told_as(&server, &topics, "ListTopics", Form::Query);
        let instances = form("Action=DescribeInstances&Version=2016-11-15");
        told_as(&server, &instances, "DescribeInstances", Form::Ec2);
        let signed = instances.signed_for("ec2", KEY_ID, SECRET, "us-east-1", NOW);
        told_as(&server, &signed, "ec2", Form::Ec2);
        let presigned =
            "GET /b/k?X-Amz-Credential=A%2F20260102%2Fus-east-1%2Fs3%2Faws4_request HTTP/1.1";
        told(&server, &request(&server, presigned), "s3");
    }
}

/// WIRE-OTHER-3: what is repeated is a plain name or nothing.
#[test]
fn a_name_that_is_no_name_is_not_repeated() {
    let server = Running::open();
    for name in ["a\"b", "a b", "<a>", &"x".repeat(65)] {
        let json = request(&server, "POST / HTTP/1.1").with("x-amz-target", &format!("{name}.X"));
        told(&server, &json, "");
    }
}

/// WIRE-OTHER-1: an upload that is too long for us still learns where it is.
#[test]
fn a_body_that_is_too_long_does_not_hide_the_answer() {
    let server = Running::open();
    let mut put = request(&server, "PUT /bucket/key HTTP/1.1")
        .signed_for("s3", KEY_ID, SECRET, "us-east-1", NOW)
        .set("content-length", "3000000");
    put.body = vec![b'x'; 3_000_000];
    told(&server, &put, "s3");
}

/// WIRE-OTHER-2: a target of this service keeps the answer of this service.
#[test]
fn a_wrong_scope_on_our_target_is_a_signature_error() {
    let server = Running::start(Auth::SigV4, Limits::default());
    let mut wire = server.connect();
    let request = Request::new(&wire.host, "ListSecrets", b"{}");
    let request = request.signed_for("s3", KEY_ID, SECRET, "us-east-1", NOW);
    wire.exchange(&request.bytes()).is(
        400,
        "{\"__type\":\"InvalidSignatureException\",\"message\":\"Credential should be scoped to \
         correct service: 'secretsmanager'.\"}",
    );
    let request = request.without("authorization").without("x-amz-date");
    let request = request.set("x-amz-target", "DynamoDB_20120810.ListTables");
    wire.exchange(&request.well_signed().bytes())
        .is(400, r#"{"__type":"UnknownOperationException"}"#);
}
