//! Values come back byte for byte: the shortest, the longest, every byte, NULs, and everything that
//! JSON may escape. And bad input gets AWS's exact refusal, after which the server still lives.

use crate::common::http::{self, Client};
use crate::common::rng::Rng;
use crate::common::server::Home;
use crate::common::sigv4;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

fn put(client: &mut Client, rng: &mut Rng, member: &str, raw_json: &str) -> (u16, Value, String) {
    let token = rng.uuid();
    let body =
        format!(r#"{{"SecretId":"values","ClientRequestToken":"{token}","{member}":{raw_json}}}"#);
    let keys = client.keys.clone();
    let host = client.host.clone();
    let request = http::signed(&host, &keys, "PutSecretValue", &body, sigv4::now_seconds());
    let response = client.raw(&request).unwrap();
    (response.status, response.json(), token)
}

fn get(client: &mut Client, token: &str) -> Value {
    client.ok("GetSecretValue", &json!({"SecretId": "values", "VersionId": token}))
}

#[test]
fn every_value_comes_back_identical() {
    let home = Home::new();
    let server = home.serve();
    let mut client = server.client();
    let mut rng = Rng::new(51);
    client.ok("CreateSecret", &json!({"Name": "values", "ClientRequestToken": rng.uuid()}));
    let every: String = (0..=0x2FFF_u32).filter_map(char::from_u32).collect();
    let mut texts: Vec<String> = vec![
        "a".into(),
        "\0".into(),
        "\0".repeat(65_536),
        "x".repeat(65_536),
        "\u{10FFFF}".repeat(16_384),
        " \t leading and trailing \r\n".into(),
        "\u{2028}\u{2029}\u{FEFF}\u{FFFD}\u{1F511}\u{E000}".into(),
        r#"{"a": [1, "\u0041\n"], "b":null}"#.into(),
        every.chars().take(20_000).collect(),
    ];
    for code in 1..=255_u32 {
        texts.push(char::from_u32(code).unwrap().to_string());
    }
    for text in &texts {
        let raw = serde_json::to_string(text).unwrap();
        let (status, answer, token) = put(&mut client, &mut rng, "SecretString", &raw);
        assert_eq!(status, 200, "{answer}");
        let got = get(&mut client, &token);
        assert!(
            got["SecretString"] == text.as_str(),
            "{:?}",
            text.chars().take(9).collect::<String>()
        );
        assert!(got.get("SecretBinary").is_none());
    }
    // The same text written in every way that JSON allows.
    for (raw, text) in [
        (r#""\ud83d\udd11""#, "\u{1F511}"),
        (r#""\uD83D\uDD11\u0000\u001f\/\b\f\n\r\t\"\\""#, "\u{1F511}\0\u{1f}/\u{8}\u{c}\n\r\t\"\\"),
        (r#""\u0061\u00e9\u20ac""#, "a\u{e9}\u{20ac}"),
    ] {
        let (status, answer, token) = put(&mut client, &mut rng, "SecretString", raw);
        assert_eq!(status, 200, "{raw}: {answer}");
        assert_eq!(get(&mut client, &token)["SecretString"], text, "{raw}");
    }
    let mut binaries = vec![(0..=255).collect::<Vec<u8>>(), vec![0; 65_536], rng.bytes(65_536)];
    binaries.extend((0..=255).map(|byte| vec![byte]));
    binaries.extend((1..=40).map(|len| rng.bytes(len)));
    for bytes in &binaries {
        let raw = format!("\"{}\"", STANDARD.encode(bytes));
        let (status, answer, token) = put(&mut client, &mut rng, "SecretBinary", &raw);
        assert_eq!(status, 200, "{answer}");
        let got = get(&mut client, &token);
        let back = STANDARD.decode(got["SecretBinary"].as_str().unwrap()).unwrap();
        assert!(back == *bytes);
    }
    // One byte too many, in both members; in bytes of UTF-8, not in characters.
    let refusal = |member: &str| {
        format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length less than or equal to 65536"
        )
    };
    for text in ["x".repeat(65_537), "\u{e9}".repeat(32_769)] {
        let raw = serde_json::to_string(&text).unwrap();
        let (status, answer, _) = put(&mut client, &mut rng, "SecretString", &raw);
        assert_eq!((status, &answer["__type"]), (400, &json!("ValidationException")));
        assert_eq!(answer["message"], refusal("secretString"));
    }
    let raw = format!("\"{}\"", STANDARD.encode(vec![1; 65_537]));
    let (status, answer, _) = put(&mut client, &mut rng, "SecretBinary", &raw);
    assert_eq!((status, &answer["__type"]), (400, &json!("ValidationException")));
    assert_eq!(answer["message"], refusal("secretBinary"));
    // All of it survives a restart.
    let token = rng.uuid();
    let last = json!({"SecretId": "values", "ClientRequestToken": token, "SecretString": texts[8]});
    client.ok("PutSecretValue", &last);
    server.kill9();
    let server = home.serve();
    assert_eq!(get(&mut server.client(), &token)["SecretString"], texts[8].as_str());
}

/// What a broken client, a fuzzer or an attacker sends. The exact bodies are the server's own
/// tests; here the server must refuse, live on and lose nothing.
#[test]
fn the_server_outlives_bad_input_and_loses_nothing() {
    let home = Home::new();
    let server = home.serve();
    let mut rng = Rng::new(52);
    let mut client = server.client();
    let create = json!({"Name": "kept", "ClientRequestToken": rng.uuid(), "SecretString": "kept"});
    client.ok("CreateSecret", &create);
    let (host, keys) = (server.host.clone(), server.keys.clone());
    let now = sigv4::now_seconds();
    let signed = |operation: &str, body: &str| http::signed(&host, &keys, operation, body, now);
    let mut wrong = keys.clone();
    wrong.secret_access_key = "x".repeat(40);
    let mut stranger = keys.clone();
    stranger.access_key_id = "AKIAAAAAAAAAAAAAAAAA".into();
    let unsigned = format!(
        "POST / HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/x-amz-json-1.1\r\nx-amz-target: secretsmanager.ListSecrets\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    let long = format!(r#"{{"SecretId":"kept","SecretString":"{}"}}"#, "x".repeat(1 << 20));
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let get = r#"{"SecretId":"kept"}"#;
    // Request, status, exception; an empty name where the connection may just be closed.
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty body", signed("GetSecretValue", ""), "SerializationException"),
        ("truncated body", signed("GetSecretValue", "{\"SecretId\":"), "SerializationException"),
        ("not JSON", signed("GetSecretValue", "secret"), "SerializationException"),
        ("a list", signed("GetSecretValue", "[]"), "SerializationException"),
        ("null", signed("GetSecretValue", "null"), "SerializationException"),
        ("deep", signed("GetSecretValue", &deep), "SerializationException"),
        (
            "not UTF-8",
            {
                let mut bytes = signed("GetSecretValue", "{\"SecretId\":\"?\"}");
                let at = bytes.len() - 3;
                bytes[at] = 0xFF;
                bytes
            },
            "",
        ),
        ("wrong type", signed("GetSecretValue", r#"{"SecretId":5}"#), "SerializationException"),
        (
            "bad base64",
            signed("PutSecretValue", r#"{"SecretId":"kept","SecretBinary":"?"}"#),
            "SerializationException",
        ),
        (
            "lone surrogate",
            signed("PutSecretValue", r#"{"SecretId":"kept","SecretString":"\ud83d"}"#),
            "SerializationException",
        ),
        ("unknown operation", signed("DropTables", "{}"), "UnknownOperationException"),
        ("an operation not built yet", signed("RotateSecrets", "{}"), "UnknownOperationException"),
        ("bad name", signed("GetSecretValue", r#"{"SecretId":"a b*"}"#), "ValidationException"),
        ("no name", signed("GetSecretValue", "{}"), "ValidationException"),
        (
            "no token",
            signed("PutSecretValue", r#"{"SecretId":"kept","SecretString":"x"}"#),
            "InvalidRequestException",
        ),
        ("1 MiB value", signed("PutSecretValue", &long), ""),
        ("unsigned", unsigned.into_bytes(), "MissingAuthenticationTokenException"),
        (
            "mis-signed",
            http::signed(&host, &wrong, "GetSecretValue", get, now),
            "InvalidSignatureException",
        ),
        (
            "unknown key",
            http::signed(&host, &stranger, "GetSecretValue", get, now),
            "UnrecognizedClientException",
        ),
        (
            "expired",
            http::signed(&host, &keys, "GetSecretValue", get, now - 3_600),
            "InvalidSignatureException",
        ),
        (
            "too early",
            http::signed(&host, &keys, "GetSecretValue", get, now + 3_600),
            "InvalidSignatureException",
        ),
    ];
    for (what, request, exception) in cases {
        let mut one = server.client();
        let seen = one.raw(&request).map(|response| (response.status, response.error()));
        match seen {
            Ok((status, error)) => {
                assert!((400..500).contains(&status), "{what}: {status} {error}");
                assert!(exception.is_empty() || error == exception, "{what}: {status} {error}");
            }
            Err(error) => assert!(exception.is_empty(), "{what}: {error}"),
        }
        let got = server.client().ok("GetSecretValue", &json!({"SecretId": "kept"}));
        assert_eq!(got["SecretString"], "kept", "after {what}");
    }
    // Unknown members are ignored, as AWS does; garbage before any request closes the connection.
    let body = r#"{"SecretId":"kept","Unknown":{"a":[1]},"VersionStage":null}"#;
    assert_eq!(client.raw(&signed("GetSecretValue", body)).unwrap().status, 200);
    for garbage in [&b"\0\0\0\0"[..], b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n"] {
        let mut request = garbage.to_vec();
        request.extend(rng.bytes(300));
        let _ = server.client().raw(&request);
    }
    // Half a request, then silence: others are served meanwhile.
    use std::io::Write;
    let mut halves = Vec::new();
    for _ in 0..50 {
        let mut half = std::net::TcpStream::connect(&server.host).unwrap();
        half.write_all(b"POST / HTTP/1.1\r\nhost: ").unwrap();
        halves.push(half);
    }
    let got = server.client().ok("GetSecretValue", &json!({"SecretId": "kept"}));
    assert_eq!(got["SecretString"], "kept");
    drop(halves);
    assert_eq!(server.stop(), Some(0));
    let check = home.run(&["check"]);
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stderr));
}
