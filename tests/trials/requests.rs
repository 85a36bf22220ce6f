//! Requests that are costly, repeated, or sent under another name.

use crate::common::http::Response;
use crate::common::request::Request;
use crate::common::server::{BIN, Home, Server};
use crate::common::sigv4::now_seconds;
use crate::table::Row;
use serde_json::json;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;

pub const ROWS: &[Row] = &[
    Row {
        number: 38,
        people: "a recorded request that changes something is sent again",
        right: "it gets its first answer again and changes nothing; refused after a restart",
        test: "requests::t38_a_recorded_request_does_nothing_again",
    },
    Row {
        number: 39,
        people: "Compose service name, host.docker.internal or a mapped port as Host",
        right: "signed requests are answered; for others --allow-host, which the refusal names",
        test: "requests::t39_any_name_serves_who_signs_and_allowed_names_serve_all",
    },
    Row {
        number: 47,
        people: "a TCP tunnel or forwarder with another local port",
        right: "signed requests are answered; unsigned answers stay guarded",
        test: "requests::t47_a_tunnel_on_another_port_works",
    },
];

fn send(server: &Server, request: &Request) -> Response {
    server.client().raw(&request.bytes()).unwrap()
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

/// HOST-1, HOST-2, HOST-3
#[test]
fn t39_any_name_serves_who_signs_and_allowed_names_serve_all() {
    let home = Home::new();
    let server = home.serve();
    for host in ["strongroom:4566", "host.docker.internal:14566", "my-laptop", "10.1.2.3:80"] {
        let list = Request::call(host, "ListSecrets", "{}");
        let signed = send(&server, &list.clone().signed(&server.keys));
        assert_eq!(signed.status, 200, "{host}: {}", text(&signed));
        for unsigned in [list, Request::new("GET", "/healthz", host)] {
            let refused = send(&server, &unsigned);
            assert_eq!(refused.status, 421, "{host}");
            let text = text(&refused);
            assert!(text.contains(&format!("names {host}")), "{text}");
            assert!(text.contains(&format!("--allow-host {host}")), "{text}");
        }
    }
    drop(server);

    let allow = ["--allow-host", "strongroom", "--allow-host", "host.docker.internal:14566"];
    for auth in [&[][..], &["--auth", "none"]] {
        let server = home.serve_with(Path::new(BIN), &[&allow[..], auth].concat());
        for (host, status) in [
            ("strongroom:4566", 200),
            ("strongroom", 200),
            ("host.docker.internal:14566", 200),
            ("host.docker.internal:4566", 421),
            ("rebound.evil.test:4566", 421),
        ] {
            let probe = send(&server, &Request::new("GET", "/readyz", host));
            assert_eq!(probe.status, status, "{host} {auth:?}");
            let list = Request::call(host, "ListSecrets", "{}");
            let unsigned = send(&server, &list).status;
            let expected = if status == 200 && auth.is_empty() { 400 } else { status };
            assert_eq!(unsigned, expected, "{host} {auth:?}");
        }
    }
    for bad in ["", "http://a", "a/b", "a:0", "a:x", "a b", "*"] {
        let said = home.run(&["serve", "--allow-host", bad]);
        assert_eq!(said.status.code(), Some(2), "{bad:?}");
    }
}

const TOKEN: &str = "11111111-1111-1111-1111-111111111111";

fn create(server: &Server, name: &str) {
    let body = json!({"Name": name, "SecretString": "v", "ClientRequestToken": TOKEN});
    server.client().ok("CreateSecret", &body);
}

fn tags(server: &Server) -> usize {
    let described = server.client().ok("DescribeSecret", &json!({"SecretId": "a"}));
    described["Tags"].as_array().map_or(0, Vec::len)
}

/// CONN-12, CONN-13
#[test]
fn t38_a_recorded_request_does_nothing_again() {
    let home = Home::new();
    let server = home.serve();
    let call = |operation: &str, body: &serde_json::Value, seconds: u64| {
        let request = Request::call(&server.host, operation, &body.to_string());
        request.signed_at(&server.keys, seconds)
    };
    create(&server, "a");
    let delete = json!({"SecretId": "a", "ForceDeleteWithoutRecovery": true});
    let delete = call("DeleteSecret", &delete, now_seconds() - 10);
    let first = send(&server, &delete);
    assert_eq!(first.status, 200, "{}", text(&first));
    create(&server, "a");
    for _ in 0..3 {
        let again = send(&server, &delete);
        assert_eq!((again.status, &again.body), (first.status, &first.body));
    }
    server.client().ok("GetSecretValue", &json!({"SecretId": "a"}));

    // So does one that was refused.
    let policy = json!({"SecretId": "b", "ResourcePolicy": "{}"});
    let policy = call("PutResourcePolicy", &policy, now_seconds() - 10);
    let first = send(&server, &policy);
    assert_eq!(first.status, 400);
    create(&server, "b");
    assert_eq!(send(&server, &policy).body, first.body);
    // Reads may be repeated.
    let get = call("GetSecretValue", &json!({"SecretId": "a"}), now_seconds() - 10);
    for _ in 0..2 {
        assert_eq!(send(&server, &get).status, 200);
    }

    // Two that run at the same time are one.
    let stage = json!({"SecretId": "a", "VersionStage": "X", "MoveToVersionId": TOKEN});
    let stage = call("UpdateSecretVersionStage", &stage, now_seconds() - 10).bytes();
    let answers: Vec<Response> = std::thread::scope(|scope| {
        let callers: Vec<_> =
            (0..8).map(|_| scope.spawn(|| server.client().raw(&stage).unwrap())).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (200, &answers[0].body), "{}", text(answer));
    }

    // Tag, untag, tag within a second share signatures, and each counts.
    loop {
        let seconds = now_seconds();
        let tag = json!({"SecretId": "a", "Tags": [{"Key": "k", "Value": "v"}]});
        let tag = call("TagResource", &tag, seconds);
        let untag = call("UntagResource", &json!({"SecretId": "a", "TagKeys": ["k"]}), seconds);
        for request in [&tag, &untag, &tag] {
            assert_eq!(send(&server, request).status, 200);
        }
        let found = tags(&server);
        if now_seconds() - seconds > 1 {
            continue; // The machine was too slow.
        }
        assert_eq!(found, 1);
        break;
    }

    // Nothing is kept across a restart: what may be a repeat is refused, with an error that is tried again.
    assert_eq!(server.stop(), Some(0));
    let server = home.serve();
    let again = Request { headers: delete.headers.clone(), ..delete };
    let refused = send(&server, &again);
    assert_eq!(refused.status, 503, "{}", text(&refused));
    assert!(text(&refused).contains("Sign it again"), "{}", text(&refused));
    server.client().ok("GetSecretValue", &json!({"SecretId": "a"}));
    create(&server, "c");
}

/// Passes each connection on to `to`, byte for byte.
fn tunnel(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let far = TcpStream::connect(to).unwrap();
            for (mut from, mut into) in [
                (near.try_clone().unwrap(), far.try_clone().unwrap()),
                (far.try_clone().unwrap(), near.try_clone().unwrap()),
            ] {
                std::thread::spawn(move || {
                    let mut block = [0; 4096];
                    while let Ok(count @ 1..) = from.read(&mut block) {
                        if into.write_all(&block[..count]).is_err() {
                            break;
                        }
                    }
                    let _ = into.shutdown(Shutdown::Write);
                });
            }
        }
    });
    address
}

/// HOST-1
#[test]
fn t47_a_tunnel_on_another_port_works() {
    let home = Home::new();
    let server = home.serve();
    let host = tunnel(server.host.parse().unwrap()).to_string();
    let mut client = crate::common::http::Client::connect(&host, &server.keys).unwrap();
    client.ok(
        "CreateSecret",
        &json!({"Name": "a", "SecretString": "v",
        "ClientRequestToken": "11111111-1111-1111-1111-111111111111"}),
    );
    let value = client.ok("GetSecretValue", &json!({"SecretId": "a"}));
    assert_eq!(value["SecretString"], "v");
    assert_eq!(client.raw(&Request::new("GET", "/healthz", &host).bytes()).unwrap().status, 421);
}
