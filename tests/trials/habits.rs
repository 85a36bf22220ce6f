//! What programs expect of an endpoint made for others.

use crate::common::request::Request;
use crate::common::server::{Home, Server};
use crate::table::Row;

pub const ROWS: &[Row] = &[Row {
    number: 48,
    people: "scripts ask LocalStack's pages until it has started",
    right: "`available` until the first request, then `running`; init, info and /health answered",
    test: "habits::t48_scripts_that_wait_for_localstack_go_on",
}];

fn page(server: &Server, path: &str) -> String {
    let response = server.client().raw(&Request::new("GET", path, &server.host).bytes()).unwrap();
    assert_eq!(response.status, 200, "{path}");
    assert_eq!(response.header("content-type"), Some("application/json"), "{path}");
    String::from_utf8(response.body).unwrap()
}

/// HOST-6, WIRE-HEALTH-3, WIRE-HEALTH-5
#[test]
fn t48_scripts_that_wait_for_localstack_go_on() {
    let home = Home::new();
    let server = home.serve();
    for path in ["/_localstack/health", "/health"] {
        let text = page(&server, path);
        assert!(text.contains(r#""secretsmanager": "available""#), "{text}");
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }
    assert!(page(&server, "/_localstack/init/ready").contains(r#""completed": true"#));
    let init: serde_json::Value =
        serde_json::from_str(&page(&server, "/_localstack/init")).unwrap();
    assert_eq!(init["completed"]["READY"], true);
    let info: serde_json::Value =
        serde_json::from_str(&page(&server, "/_localstack/info")).unwrap();
    assert!(info["version"].is_string() && info["edition"].is_string(), "{info}");
    // The pages themselves are no requests to a service.
    assert!(page(&server, "/_localstack/health").contains(r#""secretsmanager": "available""#));
    server.client().ok("ListSecrets", &serde_json::json!({}));
    for path in ["/_localstack/health", "/health"] {
        let text = page(&server, path);
        assert!(text.contains(r#""secretsmanager": "running""#), "{text}");
    }
}
