//! Every operation, as its clients see it.

use crate::client::{KEY_ID, NOW, Request, Running, SECRET};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use strongroom::__internals::wire::{Auth, Limits};

const T1: &str = "11111111-1111-1111-1111-111111111111";
const T2: &str = "22222222-2222-2222-2222-222222222222";
const T3: &str = "terraform-20261122021625359000000003";

fn create(server: &Running, name: &str, value: &str) -> Value {
    let body = json!({"Name": name, "ClientRequestToken": T1, "SecretString": value});
    server.call("CreateSecret", &body.to_string()).ok()
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn a_secret_lives_from_creation_to_restoration() {
    let server = Running::open();
    let call = |operation: &str, body: Value| server.call(operation, &body.to_string()).ok();

    let created = create(&server, "app/db", "one");
    let arn = created["ARN"].as_str().unwrap().to_owned();
    assert!(arn.starts_with("arn:aws:secretsmanager:us-east-1:000000000000:secret:app/db-"));
    assert_eq!(created, json!({"ARN": arn, "Name": "app/db", "VersionId": T1}));

    let put = call(
        "PutSecretValue",
        json!({"SecretId": arn, "ClientRequestToken": T2, "SecretBinary": STANDARD.encode([0, 255])}),
    );
    let expected =
        json!({"ARN": arn, "Name": "app/db", "VersionId": T2, "VersionStages": ["AWSCURRENT"]});
    assert_eq!(put, expected);

    let got = call("GetSecretValue", json!({"SecretId": "app/db"}));
    assert_eq!(got["SecretBinary"], "AP8=");
    assert_eq!(
        keys(&got),
        ["ARN", "CreatedDate", "Name", "SecretBinary", "VersionId", "VersionStages"]
    );
    let got = call("GetSecretValue", json!({"SecretId": arn, "VersionStage": "AWSPREVIOUS"}));
    assert_eq!((&got["SecretString"], &got["VersionId"]), (&json!("one"), &json!(T1)));

    let body = json!({"SecretId": arn, "ClientRequestToken": T3, "Description": "d", "SecretString": "three"});
    assert_eq!(call("UpdateSecret", body)["VersionId"], T3);
    let moved = call(
        "UpdateSecretVersionStage",
        json!({"SecretId": arn, "VersionStage": "AWSCURRENT", "RemoveFromVersionId": T3, "MoveToVersionId": T2}),
    );
    assert_eq!(moved, json!({"ARN": arn, "Name": "app/db"}));

    let tags =
        json!({"SecretId": arn, "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]});
    server.call("TagResource", &tags.to_string()).is(200, "");
    let untag = json!({"SecretId": arn, "TagKeys": ["a", "never there"]});
    server.call("UntagResource", &untag.to_string()).is(200, "");

    let described = call("DescribeSecret", json!({"SecretId": arn}));
    assert_eq!(described["Description"], "d");
    assert_eq!(described["Tags"], json!([{"Key": "b", "Value": ""}]));
    assert_eq!(described["VersionIdsToStages"], json!({T2: ["AWSCURRENT"], T3: ["AWSPREVIOUS"]}));
    assert!(described["LastAccessedDate"].as_f64().unwrap() % 86_400.0 == 0.0);
    for absent in ["KmsKeyId", "DeletedDate", "OwningService", "RotationEnabled"] {
        assert!(described.get(absent).is_none(), "{absent}");
    }

    let versions =
        call("ListSecretVersionIds", json!({"SecretId": arn, "IncludeDeprecated": true}));
    assert_eq!(versions["ARN"], arn);
    let ids: Vec<&str> = versions["Versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["VersionId"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [T1, T2, T3]);
    let first = &versions["Versions"][0];
    assert!(first.get("VersionStages").is_none());
    assert_eq!(first["KmsKeyIds"], json!(["DefaultEncryptionKey"]));

    let listed = call("ListSecrets", json!({}));
    assert_eq!(listed["SecretList"][0]["Name"], "app/db");
    assert!(listed["SecretList"][0].get("SecretVersionsToStages").is_some());
    assert!(listed.get("NextToken").is_none());

    let policy = call("GetResourcePolicy", json!({"SecretId": arn}));
    assert_eq!(policy, json!({"ARN": arn, "Name": "app/db", "PolicyName": "default"}));

    let deleted = call("DeleteSecret", json!({"SecretId": arn, "RecoveryWindowInDays": 7}));
    assert_eq!(keys(&deleted), ["ARN", "DeletionDate", "Name"]);
    server.call("GetSecretValue", &json!({"SecretId": arn}).to_string()).is(
        400,
        "{\"__type\":\"InvalidRequestException\",\"Message\":\"You can't perform this operation on \
         the secret because it was marked for deletion.\"}",
    );
    assert!(call("DescribeSecret", json!({"SecretId": arn}))["DeletedDate"].is_number());
    assert_eq!(
        call("RestoreSecret", json!({"SecretId": arn})),
        json!({"ARN": arn, "Name": "app/db"})
    );
    assert_eq!(call("GetSecretValue", json!({"SecretId": arn}))["SecretBinary"], "AP8=");
}

#[test]
fn a_timestamp_is_a_number_with_a_fraction() {
    let server = Running::open();
    create(&server, "s", "v");
    let response = server.call("DescribeSecret", r#"{"SecretId":"s"}"#);
    let text = response.text();
    let date = text.split("\"CreatedDate\":").nth(1).unwrap();
    let date = date.split([',', '}']).next().unwrap();
    let (seconds, fraction) = date.split_once('.').expect("a fraction");
    assert!(seconds.len() == 10 && (1..=3).contains(&fraction.len()), "{date}");
}

#[test]
fn an_answer_has_the_headers_of_aws_and_none_that_invite_a_page() {
    let server = Running::open();
    let mut wire = server.connect();
    let mut ids = Vec::new();
    for operation in ["ListSecrets", "NoSuchOperation", "DescribeSecret"] {
        let response = wire.call(operation, b"{}");
        assert_eq!(response.header("content-type"), Some("application/x-amz-json-1.1"));
        assert!(response.header("date").is_some());
        let id = response.header("x-amzn-requestid").expect("a request id").to_owned();
        assert!(id.len() == 36 && &id[14..15] == "4", "{id}");
        ids.push(id);
        assert!(!response.headers.iter().any(|(name, _)| name.starts_with("access-control")));
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

/// WIRE-JSON-5
#[test]
fn every_byte_of_a_value_comes_back() {
    let server = Running::open();
    create(&server, "s", "v");
    let mut wire = server.connect();
    let all_bytes: Vec<u8> = (0..=255).collect();
    let low: String = (0..0x250).filter_map(char::from_u32).collect();
    let edges = "\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{1f600}\u{10ffff}".to_owned();
    let longest = "x".repeat(65_536);
    let longest_wide = "\u{1f600}".repeat(16_384);
    for text in ["x", &low, &edges, "\0", "{\"a\":\"\\u0000\"}\r\n", &longest, &longest_wide] {
        let body = json!({"SecretId": "s", "ClientRequestToken": token(), "SecretString": text});
        wire.call("PutSecretValue", body.to_string().as_bytes()).ok();
        let got = wire.call("GetSecretValue", br#"{"SecretId":"s"}"#).ok();
        assert!(got["SecretString"] == text && got.get("SecretBinary").is_none());
    }
    for bytes in [&b"\0"[..], &all_bytes, &vec![255; 65_536]] {
        let value = STANDARD.encode(bytes);
        let body = json!({"SecretId": "s", "ClientRequestToken": token(), "SecretBinary": value});
        wire.call("PutSecretValue", body.to_string().as_bytes()).ok();
        let got = wire.call("GetSecretValue", br#"{"SecretId":"s"}"#).ok();
        assert!(got["SecretBinary"] == value && got.get("SecretString").is_none());
    }
    // Escapes that a writer need not use.
    let body = format!(
        r#"{{"SecretId":"s","ClientRequestToken":"{}","SecretString":"\u0000\ud83d\ude00\/\u0041"}}"#,
        token()
    );
    wire.call("PutSecretValue", body.as_bytes()).ok();
    let got = wire.call("GetSecretValue", br#"{"SecretId":"s"}"#).ok();
    assert_eq!(got["SecretString"], "\0\u{1f600}/A");
}

fn token() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("token-{:032}", NEXT.fetch_add(1, Ordering::Relaxed))
}

#[test]
fn regions_and_accounts_are_apart() {
    let server = Running::start(Auth::SigV4, Limits::default());
    let call = |region: &str, operation: &str, body: &str| {
        let mut wire = server.connect();
        let request = Request::new(&wire.host, operation, body.as_bytes());
        wire.exchange(&request.signed(KEY_ID, SECRET, region, NOW).bytes())
    };
    let body = json!({"Name": "s", "ClientRequestToken": T1, "SecretString": "v"}).to_string();
    for region in ["eu-west-1", "us-east-1"] {
        let created = call(region, "CreateSecret", &body).ok();
        let start = format!("arn:aws:secretsmanager:{region}:123456789012:secret:s-");
        assert!(created["ARN"].as_str().unwrap().starts_with(&start));
    }
    let missing = call("eu-central-1", "GetSecretValue", r#"{"SecretId":"s"}"#);
    missing.is(
        400,
        "{\"__type\":\"ResourceNotFoundException\",\"Message\":\"Secrets Manager can't find the \
         specified secret.\"}",
    );
}

#[test]
fn without_authentication_the_credential_still_names_the_region() {
    let server = Running::open();
    let mut wire = server.connect();
    let body = json!({"Name": "s", "ClientRequestToken": T1, "SecretString": "v"}).to_string();
    let request = Request::new(&wire.host, "CreateSecret", body.as_bytes());
    let request = request.signed("anybody", "anything", "ap-south-1", "19990101T000000Z");
    let arn = wire.exchange(&request.bytes()).ok()["ARN"].as_str().unwrap().to_owned();
    assert!(arn.starts_with("arn:aws:secretsmanager:ap-south-1:000000000000:secret:s-"), "{arn}");
}

#[test]
fn a_chunked_body_and_requests_in_one_packet_are_understood() {
    let server = Running::open();
    create(&server, "s", "v");
    let mut wire = server.connect();
    let body = br#"{"SecretId":"s"}"#;
    let request = Request::new(&wire.host, "GetSecretValue", body);
    let chunked = request.clone().set("transfer-encoding", "chunked").without("content-length");
    let mut bytes = chunked.head();
    for byte in body {
        bytes.extend([b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
    }
    bytes.extend(b"0\r\n\r\n");
    assert_eq!(wire.exchange(&bytes).ok()["SecretString"], "v");

    let three = request.bytes().repeat(3);
    wire.write(&three);
    for _ in 0..3 {
        assert_eq!(wire.read().unwrap().ok()["SecretString"], "v");
    }
}

#[test]
fn many_clients_write_at_once_and_nothing_is_lost() {
    let server = Running::open();
    create(&server, "s", "v");
    std::thread::scope(|scope| {
        for writer in 0..16 {
            let server = &server;
            scope.spawn(move || {
                let mut wire = server.connect();
                for count in 0..20 {
                    let body = json!({
                        "SecretId": "s",
                        "ClientRequestToken": format!("writer-{writer:016}-{count:016}"),
                        "SecretString": format!("{writer} {count}"),
                    });
                    wire.call("PutSecretValue", body.to_string().as_bytes()).ok();
                }
            });
        }
    });
    for writer in 0..16 {
        for count in 0..20 {
            let id = format!("writer-{writer:016}-{count:016}");
            let got = server
                .call("GetSecretValue", &json!({"SecretId": "s", "VersionId": id}).to_string());
            assert_eq!(got.ok()["SecretString"], format!("{writer} {count}"));
        }
    }
}
