//! The R package paws: its requests, kept byte for byte (`tests/tools/paws_requests.py`), and the
//! members of the answers that it reads.

use crate::client::{Response, Running};
use serde_json::Value;
use strongroom::__internals::wire::{Auth, Limits};

fn send(server: &Running, file: &str) -> Value {
    let path = format!("{}/tests/data/paws/{file}.http", env!("CARGO_MANIFEST_DIR"));
    let response: Response = server.connect().exchange(&std::fs::read(path).unwrap());
    let body = String::from_utf8(response.body).unwrap();
    assert_eq!(response.status, 200, "{file}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// WIRE-SIG: any signed set of headers that covers the host and the target is accepted.
#[test]
fn the_calls_of_the_documentation_of_paws_work() {
    let server = Running::start(Auth::SigV4, Limits::default());
    let created = send(&server, "1_create_secret");
    assert_eq!(created["Name"], "MyTestDatabaseSecret");
    let put = send(&server, "2_put_secret_value");
    assert_eq!(put["ARN"], created["ARN"]);
    assert_eq!(put["VersionId"], "EXAMPLE2-90ab-cdef-fedc-ba987EXAMPLE");
    assert_eq!(put["VersionStages"], serde_json::json!(["AWSCURRENT"]));
    // The same call again changes nothing.
    assert_eq!(send(&server, "2_put_secret_value"), put);
    assert_eq!(
        send(&server, "3_put_secret_value_raw")["VersionStages"],
        serde_json::json!(["string"])
    );
    let previous = send(&server, "4_get_secret_value");
    assert_eq!(previous["SecretString"], r#"{"username":"david","password":"EXAMPLE-PASSWORD"}"#);
    let raw = send(&server, "5_get_secret_value_raw");
    assert_eq!(raw["SecretBinary"], "AAECA/8=");
    assert!(raw["SecretString"].is_null());
}
