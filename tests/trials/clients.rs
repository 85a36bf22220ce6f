//! Programs that people run against the server.

use crate::common::request::Request;
use crate::common::server::{BIN, Home, Server};
use crate::common::sigv4::now_seconds;
use crate::table::Row;
use std::path::Path;

pub const ROWS: &[Row] = &[
    Row {
        number: 45,
        people: "a client of a query-protocol service (IAM) is pointed at the endpoint",
        right: "an error in its own XML, with the variable to set",
        test: "clients::t45_a_query_client_reads_its_error",
    },
    Row {
        number: 50,
        people: "clients read the printed lines; IAM, EC2, SNS, S3 calls come to the endpoint",
        right: "the lines name STS too; each protocol gets errors in its own form",
        test: "clients::t50_sts_is_printed_and_each_protocol_gets_its_errors",
    },
    Row {
        number: 52,
        people: "an endpoint with a slash at its end",
        right: "`//` is `/`, however the path was signed",
        test: "clients::t52_two_slashes_are_one",
    },
    Row {
        number: 53,
        people: "a body over 1 MiB",
        right: "413 with an AWS-shaped error",
        test: "clients::t53_a_long_body_is_refused_with_a_text",
    },
];

const ADVICE: &str = "AWS_ENDPOINT_URL_SECRETS_MANAGER instead of AWS_ENDPOINT_URL";

fn text(server: &Server, request: &Request) -> (u16, String) {
    let response = server.client().raw(&request.bytes()).unwrap();
    (response.status, String::from_utf8(response.body).unwrap())
}

/// The text of the elements on the way down to one, or nothing if one of them is not there.
fn element<'a>(xml: &'a str, way: &[&str]) -> Option<&'a str> {
    way.iter().try_fold(xml, |inner, name| {
        let open = inner.find(&format!("<{name}"))?;
        let start = open + inner[open..].find('>')? + 1;
        Some(&inner[start..inner.rfind(&format!("</{name}>"))?])
    })
}

/// CONN-9
#[test]
fn t45_a_query_client_reads_its_error() {
    let home = Home::new();
    let server = home.serve();
    let list = Request::form(&server.host, "Action=ListUsers&Version=2010-05-08");
    let signed = list.clone().signed_over(&server.keys, "iam", "/", now_seconds());
    for request in [list, signed] {
        let (status, xml) = text(&server, &request);
        assert_eq!(status, 501, "{xml}");
        let error = |name| element(&xml, &["ErrorResponse", "Error", name]);
        assert_eq!(error("Code"), Some("NotImplemented"), "{xml}");
        assert!(error("Message").is_some_and(|message| message.contains(ADVICE)), "{xml}");
        assert!(element(&xml, &["ErrorResponse", "RequestId"]).is_some(), "{xml}");
    }
}

/// CONN-9
#[test]
fn t50_sts_is_printed_and_each_protocol_gets_its_errors() {
    let home = Home::new();
    let server = home.serve();
    let endpoint = server.exports.must("AWS_ENDPOINT_URL_SECRETS_MANAGER");
    assert_eq!(server.exports.must("AWS_ENDPOINT_URL_STS"), endpoint);
    let printed = String::from_utf8(home.run(&["env"]).stdout).unwrap();
    assert!(printed.contains(&format!("export AWS_ENDPOINT_URL_STS={endpoint}\n")), "{printed}");
    let who = Request::form(&server.host, "Action=GetCallerIdentity&Version=2011-06-15");
    let (status, xml) = text(&server, &who.signed_over(&server.keys, "sts", "/", now_seconds()));
    assert_eq!(status, 200, "{xml}");
    let query: &[&str] = &["ErrorResponse", "Error", "Message"];
    for (service, body, way) in [
        ("iam", "Action=ListRoles&Version=2010-05-08", query),
        ("sns", "Action=ListTopics&Version=2010-03-31", query),
        ("rds", "Action=DescribeDBInstances&Version=2014-10-31", query),
        (
            "ec2",
            "Action=DescribeInstances&Version=2016-11-15",
            &["Response", "Errors", "Error", "Message"],
        ),
        ("s3", "", &["Error", "Message"]),
        ("route53", "", query),
    ] {
        let request = if body.is_empty() {
            Request::new("GET", "/2013-04-01/hostedzone", &server.host)
        } else {
            Request::form(&server.host, body)
        };
        let request = request.signed_over(&server.keys, service, "/", now_seconds());
        let (status, xml) = text(&server, &request);
        assert_eq!(status, 501, "{service}: {xml}");
        let message = element(&xml, way).unwrap_or_else(|| panic!("{service}: {xml}"));
        assert!(message.contains(ADVICE), "{service}: {message}");
    }
    let json = Request::call(&server.host, "", "{}").signed_over(
        &server.keys,
        "dynamodb",
        "/",
        now_seconds(),
    );
    let json = Request {
        headers: json.headers.into_iter().filter(|(name, _)| name != "x-amz-target").collect(),
        ..json
    };
    let (status, body) = text(&server, &json.with("x-amz-target", "DynamoDB_20120810.ListTables"));
    assert_eq!(status, 501, "{body}");
    assert!(body.starts_with("{\"__type\":") && body.contains(ADVICE), "{body}");
}

/// CONN-10
#[test]
fn t52_two_slashes_are_one() {
    let home = Home::new();
    let server = home.serve();
    server.client().ok(
        "CreateSecret",
        &serde_json::json!({"Name": "a", "SecretString": "v",
        "ClientRequestToken": "11111111-1111-1111-1111-111111111111"}),
    );
    let get = Request::call(&server.host, "GetSecretValue", r#"{"SecretId":"a"}"#).path("//");
    for signed_path in ["/", "//"] {
        let get = get.clone();
        let get = get.signed_over(&server.keys, "secretsmanager", signed_path, now_seconds());
        let (status, body) = text(&server, &get);
        assert_eq!(status, 200, "signed over {signed_path}: {body}");
        assert!(body.contains("\"SecretString\":\"v\""), "{body}");
    }
    let other = get.signed_over(&server.keys, "secretsmanager", "/x", now_seconds());
    assert!(text(&server, &other).1.contains("InvalidSignatureException"));
    assert_eq!(text(&server, &Request::new("GET", "//healthz", &server.host)).0, 200);
    let who = Request::form(&server.host, "Action=GetCallerIdentity&Version=2011-06-15").path("//");
    let who = who.signed_over(&server.keys, "sts", "/", now_seconds());
    assert_eq!(text(&server, &who).0, 200);
}

/// CONN-11
#[test]
fn t53_a_long_body_is_refused_with_a_text() {
    let home = Home::new();
    for args in [&[][..], &["--auth", "none"]] {
        let server = home.serve_with(Path::new(BIN), args);
        for bytes in [(1 << 20) + 1, 3 << 20, 40 << 20] {
            let body = "x".repeat(bytes);
            let put = Request::call(&server.host, "PutSecretValue", &body).signed(&server.keys);
            let mut client = server.client();
            // The server need not read all of it.
            let response = client.raw_cut_short(&put.bytes()).unwrap();
            let text = String::from_utf8(response.body).unwrap();
            assert_eq!(response.status, 413, "{bytes} {args:?}: {text}");
            assert!(text.contains("RequestEntityTooLargeException"), "{text}");
            assert!(text.contains("1 MiB"), "{text}");
        }
        assert_eq!(server.stop(), Some(0));
    }
}
