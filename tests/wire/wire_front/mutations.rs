//! A signed request of which one thing was changed on its way, over real sockets; and one that was
//! captured and sent again.
//!
//! The verifier's own tests change every byte of every part. Here is that no change gets past the
//! HTTP library, the guard and the routes either, and that a refused request does nothing.

use crate::client::{KEY_ID, NOW, NOW_MILLIS, Request, Running, SECRET};
use serde_json::json;
use std::sync::atomic::Ordering;
use strongroom::__internals::wire::{Auth, Limits};

const TOKEN: &str = "11111111-1111-1111-1111-111111111111";
const VALUE: &str = "what only the owner may read";

/// What is changed about a request, named.
type Mutation = (String, Request);

/// A server with one secret, and a signed request that reads it.
fn start() -> (Running, Request) {
    let server = Running::start(Auth::SigV4, Limits::default());
    let body = json!({"Name": "app/db", "ClientRequestToken": TOKEN, "SecretString": VALUE});
    let mut wire = server.connect();
    let create = Request::new(&wire.host, "CreateSecret", body.to_string().as_bytes());
    wire.exchange(&create.well_signed().bytes()).ok();
    let read = Request::new(&wire.host, "GetSecretValue", br#"{"SecretId":"app/db"}"#)
        .with("x-amz-user-agent", "aws-sdk-js/3.0")
        .with("amz-sdk-request", "attempt=1; max=3")
        .well_signed();
    (server, read)
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    &request.headers.iter().find(|(found, _)| found == name).unwrap().1
}

/// One character of each class, in the place of one that is there.
fn other_characters(text: &str) -> Vec<(usize, String)> {
    let places = [0, text.len() / 3, text.len() / 2, text.len() - 1];
    let mut changed = Vec::new();
    for at in places {
        for class in ['a', 'Z', '7', '-', '/', '%', '+', ' ', '=', ';'] {
            let mut bytes = text.as_bytes().to_vec();
            if bytes[at] == class as u8 || (class == ' ' && [0, text.len() - 1].contains(&at)) {
                continue;
            }
            bytes[at] = class as u8;
            changed.push((at, String::from_utf8(bytes).unwrap()));
        }
    }
    changed
}

fn headers(good: &Request, out: &mut Vec<Mutation>) {
    for (name, value) in good.headers.clone() {
        if name == "authorization" {
            continue;
        }
        out.push((format!("{name} gone"), good.clone().without(&name)));
        // Two equal lengths are one to HTTP (RFC 9110, 8.6): nothing was changed.
        if name != "content-length" {
            out.push((format!("{name} twice"), good.clone().with(&name, &value)));
        }
        out.push((format!("{name} longer"), good.clone().set(&name, &format!("{value}0"))));
        if ["host", "content-length"].contains(&name.as_str()) {
            continue;
        }
        for (at, changed) in other_characters(&value) {
            out.push((format!("{name} at {at}: {changed}"), good.clone().set(&name, &changed)));
        }
    }
    for name in ["x-amz-other", "x-amz-content-sha256", "x-amz-security-token", "X-Amz-Target"] {
        out.push((format!("{name} added"), good.clone().with(name, "1")));
    }
}

fn lines(good: &Request, out: &mut Vec<Mutation>) {
    for line in [
        "GET / HTTP/1.1",
        "PUT / HTTP/1.1",
        "DELETE / HTTP/1.1",
        "PATCH / HTTP/1.1",
        "post / HTTP/1.1",
        "POST /a HTTP/1.1",
        "POST /./ HTTP/1.1",
        "POST /a/.. HTTP/1.1",
        "POST /%2F HTTP/1.1",
        "POST /%2e HTTP/1.1",
        "POST /-._~ HTTP/1.1",
        "POST /A0 HTTP/1.1",
        "POST /+ HTTP/1.1",
        "POST /%00 HTTP/1.1",
        "POST /healthz HTTP/1.1",
        "POST /v1/app/db HTTP/1.1",
        "POST /?a HTTP/1.1",
        "POST /?a=b HTTP/1.1",
        "POST /?= HTTP/1.1",
        "POST /?%20 HTTP/1.1",
        "POST /?+ HTTP/1.1",
        "POST /?A=1&A=1 HTTP/1.1",
        "POST /?-._~=%7e HTTP/1.1",
        "POST /?Action=GetCallerIdentity&Version=2011-06-15 HTTP/1.1",
        "POST /?X-Amz-Signature=0 HTTP/1.1",
    ] {
        out.push((line.to_owned(), good.clone().line(line)));
    }
}

fn bodies(good: &Request, out: &mut Vec<Mutation>) {
    let body = String::from_utf8(good.body.clone()).unwrap();
    let mut changed: Vec<String> =
        other_characters(&body).into_iter().map(|(_, body)| body).collect();
    changed.extend(
        [
            "",
            "{}",
            "null",
            r#" {"SecretId":"app/db"}"#,
            r#"{"SecretId":"app/db"} "#,
            r#"{"SecretId": "app/db"}"#,
            r#"{"SecretId":"app\/db"}"#,
            r#"{"SecretId":"app/db","VersionStage":"AWSCURRENT"}"#,
        ]
        .map(str::to_owned),
    );
    for changed in changed {
        let len = changed.len().to_string();
        let mut request = good.clone();
        // Its length is signed too, and would give a longer body away.
        request.headers.iter_mut().find(|(name, _)| name == "content-length").unwrap().1 = len;
        request.body = changed.clone().into_bytes();
        out.push((format!("body {changed}"), request));
    }
}

fn authorizations(good: &Request, out: &mut Vec<Mutation>) {
    let value = header(good, "authorization").to_owned();
    let mut push = |what: &str, changed: String| {
        assert_ne!(changed, value, "{what}");
        out.push((format!("{what}: {changed}"), good.clone().set("authorization", &changed)));
    };
    let (start, signature) = value.split_at(value.len() - 64);
    for at in 0..64 {
        let mut digits = signature.as_bytes().to_vec();
        digits[at] = if digits[at] == b'0' { b'1' } else { b'0' };
        push("signature", format!("{start}{}", String::from_utf8(digits).unwrap()));
    }
    push("signature in capitals", format!("{start}{}", signature.to_uppercase()));
    push("signature shorter", format!("{start}{}", &signature[1..]));
    push("signature longer", format!("{value}0"));
    push("signature empty", start.to_owned());
    for (part, others) in [
        (KEY_ID, &["AKIAWIRETESS", "akiawiretest", "AKIAWIRETEST2", ""][..]),
        ("20260102/", &["20260101/", "20260103/", "20270102/", "2026010/", "/"]),
        ("us-east-1", &["us-east-2", "us-west-1", "US-EAST-1", "us-east-11", "nowhere", ""]),
        ("secretsmanager", &["sts", "s3", "secretsmanage", "SecretsManager", ""]),
        ("aws4_request", &["aws4_reques", "aws4_request/x", "AWS4_REQUEST", ""]),
        ("AWS4-HMAC-SHA256", &["AWS4-HMAC-SHA512", "AWS4-ECDSA-P256-SHA256", "aws4", "Bearer"]),
        (";host", &["", ";Host", ";host;host", ";hosts", ";content-type"]),
        (";x-amz-target", &["", ";x-amz-targets", ";X-Amz-Target", ";x-amz-target;x-amz-zone"]),
        (";x-amz-date", &["", ";x-amz-dates", ";date;x-amz-date"]),
        (";x-amz-user-agent", &["", ";x-amz-user-agent;zebra"]),
        ("amz-sdk-request;", &["", "absent;amz-sdk-request;", "amz-sdk-request;;"]),
        ("content-type;", &["", "content-type;content-type;"]),
        ("Credential=", &["credential=", "Credentials=", "Credential=x, Credential=", ""]),
        (
            "SignedHeaders=",
            &["signedheaders=", "SignedHeader=", "SignedHeaders=host, SignedHeaders="],
        ),
        ("Signature=", &["signature=", "Sig=", "Signature=0, Signature="]),
    ] {
        assert_eq!(value.matches(part).count(), 1, "{part}");
        for other in others {
            push("authorization", value.replace(part, other));
        }
    }
    out.push(("authorization gone".into(), good.clone().without("authorization")));
    out.push(("authorization twice".into(), good.clone().with("authorization", &value)));
}

/// WIRE-SIG-4, WIRE-SIG-5, WIRE-SIG-6: one field at a time, each refused, none answered with the
/// value.
#[test]
fn no_change_of_one_field_is_answered() {
    let (server, good) = start();
    let mut mutations = Vec::new();
    headers(&good, &mut mutations);
    lines(&good, &mut mutations);
    bodies(&good, &mut mutations);
    authorizations(&good, &mut mutations);
    assert!(mutations.len() >= 400, "{}", mutations.len());
    for (what, request) in &mutations {
        let mut wire = server.connect();
        wire.write(&request.bytes());
        if what == "content-length longer" {
            // The server waits for the rest of the body, and it never comes.
            wire.stream.shutdown(std::net::Shutdown::Write).unwrap();
        }
        let Some(response) = wire.read() else {
            assert_eq!(what, "content-length longer");
            continue;
        };
        assert!(
            (400..500).contains(&response.status) || response.status == 501,
            "{what}: {response:?}"
        );
        assert!(!String::from_utf8_lossy(&response.body).contains(VALUE), "{what}");
    }
    // And the request itself is good to the end, or all of this would mean nothing.
    let value = server.connect().exchange(&good.bytes()).ok();
    assert_eq!(value["SecretString"], VALUE);
}

/// WIRE-SIG-8: good for its five minutes and not a second longer.
#[test]
fn a_captured_request_is_refused_after_its_window() {
    let (server, good) = start();
    let sent_after = |seconds: i64| {
        server.wall.store(NOW_MILLIS + seconds * 1000, Ordering::Relaxed);
        server.connect().exchange(&good.bytes())
    };
    assert_eq!(sent_after(0).status, 200);
    assert_eq!(sent_after(300).status, 200);
    for seconds in [301, 3600, 86_400, 366 * 86_400] {
        let response = sent_after(seconds);
        assert_eq!(response.status, 400, "{seconds}");
        assert!(response.text().contains("Signature expired: 20260102T030405Z"), "{seconds}");
    }
    // Nor does it help to put a fresh date on it.
    server.wall.store(NOW_MILLIS + 3_600_000, Ordering::Relaxed);
    let dated = good.clone().set("x-amz-date", "20260102T040405Z");
    let response = server.connect().exchange(&dated.bytes());
    assert!(response.text().contains("InvalidSignatureException"), "{}", response.text());
    let fresh = Request::new(&server.connect().host, "ListSecrets", b"{}");
    let fresh = fresh.signed(KEY_ID, SECRET, "us-east-1", "20260102T040405Z");
    server.connect().exchange(&fresh.bytes()).ok();
    assert_ne!(NOW, "20260102T040405Z");
}
