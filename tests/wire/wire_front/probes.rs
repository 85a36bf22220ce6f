//! Probes: they need no signature, and say what is so.

use crate::client::{Request, Response, Running};
use std::sync::Arc;
use strongroom::__internals::env::Env;
use strongroom::__internals::vault::{Options, Vault, internals};
use strongroom::__internals::wire::{Auth, Limits, ServerOptions};
use strongroom_fuzz_bodies::env::sim::SimFs;

fn probe(server: &Running, line: &str) -> Response {
    let mut wire = server.connect();
    let request = Request::new(&wire.host, "", b"").without("content-type").without("x-amz-target");
    let request = request.line(&format!("{line} HTTP/1.1"));
    wire.write(&request.bytes());
    if line.starts_with("HEAD") { wire.read_head().unwrap() } else { wire.read().unwrap() }
}

fn on(vault: Vault) -> Running {
    Running::on(vault, ServerOptions { stop_on_signals: false, ..Default::default() }, false)
}

/// WIRE-HEALTH-1, WIRE-HEALTH-2, WIRE-HEALTH-3: all three, signed requests or not.
#[test]
fn a_server_that_works_says_so_to_anyone_on_this_machine() {
    for auth in [Auth::SigV4, Auth::None] {
        let server = Running::start(auth, Limits::default());
        probe(&server, "GET /healthz").is(200, "ok\n");
        probe(&server, "GET /readyz").is(200, "ready\n");
        let health = probe(&server, "GET /_localstack/health");
        assert_eq!(health.header("content-type"), Some("application/json"));
        // The text that scripts grep for has LocalStack's spaces.
        assert!(health.text().contains(r#""secretsmanager": "available""#), "{}", health.text());
        let health = health.ok();
        assert_eq!(health["services"]["sts"], "available");
        assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
        for path in ["/healthz", "/readyz", "/_localstack/health"] {
            let head = probe(&server, &format!("HEAD {path}"));
            assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
            assert_eq!(probe(&server, &format!("POST {path}")).status, 404, "{path}");
        }
        let health = probe(&server, "GET /_localstack/health");
        assert!(health.text().contains(r#""secretsmanager": "running""#), "{}", health.text());
    }
}

/// WIRE-HEALTH-4: pages and other hosts learn nothing.
#[test]
fn probes_are_behind_the_same_guard() {
    let server = Running::open();
    for path in ["/healthz", "/readyz", "/_localstack/health"] {
        let mut wire = server.connect();
        let request = Request::new(&wire.host, "", b"").line(&format!("GET {path} HTTP/1.1"));
        let strayed = wire.exchange(&request.clone().set("host", "example.com").bytes());
        assert_eq!(strayed.status, 421, "{path}");
        for header in ["origin", "x-forwarded-for"] {
            let request = request.clone().with(header, "http://localhost");
            assert_eq!(server.connect().exchange(&request.bytes()).status, 403, "{path} {header}");
        }
    }
}

/// CONN-14: probes that wait share an answer, and each gets one.
#[test]
fn a_flood_of_probes_does_not_make_the_server_unready() {
    let server = Running::open();
    let mut wires: Vec<_> = (0..300).map(|_| server.connect()).collect();
    for (index, wire) in wires.iter_mut().enumerate() {
        let path = ["/readyz", "/_localstack/health", "/metrics"][index % 3];
        let request = Request::new(&wire.host, "", b"").line(&format!("GET {path} HTTP/1.1"));
        wire.write(&request.bytes());
    }
    for wire in &mut wires {
        assert_eq!(wire.read().unwrap().status, 200);
    }
    internals::poison(&server.vault);
    assert_eq!(probe(&server, "GET /readyz").status, 503);
}

/// WIRE-HEALTH-2: a failed sync, a closed vault, a full disk.
#[test]
fn a_vault_that_refuses_writes_is_not_ready_and_says_why() {
    let server = Running::open();
    internals::poison(&server.vault);
    probe(&server, "GET /readyz")
        .is(503, "not ready: the disk failed earlier; reopen the vault to write again\n");
    probe(&server, "GET /healthz").is(200, "ok\n");
    let health = probe(&server, "GET /_localstack/health").ok();
    assert_eq!(health["services"]["secretsmanager"], "error");

    let server = Running::open();
    server.vault.close().unwrap();
    probe(&server, "GET /readyz").is(503, "not ready: the vault is closed\n");
}

/// WIRE-HEALTH-2
#[test]
fn a_vault_without_space_to_grow_is_not_ready() {
    let fs = Arc::new(SimFs::volatile());
    let mut options = Options::default();
    options.tuning.env = Some(Env { fs: Arc::<SimFs>::clone(&fs), ..Env::real() });
    let vault = Vault::in_memory_with(&options).unwrap();
    let server = on(vault);
    probe(&server, "GET /readyz").is(200, "ready\n");
    fs.set_capacity(Some(1));
    probe(&server, "GET /readyz")
        .is(503, "not ready: no space left on the disk; nothing was changed\n");
    fs.set_capacity(None);
    probe(&server, "GET /readyz").is(200, "ready\n");
}

/// WIRE-HEALTH-2: the probe rebuilds a broken state instead of reporting it as a failure.
#[test]
fn a_broken_state_is_repaired_by_the_probe() {
    let server = Running::open();
    let body = r#"{"Name":"a","ClientRequestToken":"11111111-1111-1111-1111-111111111111"}"#;
    server.call("CreateSecret", body).ok();
    internals::break_state(&server.vault);
    probe(&server, "GET /readyz").is(200, "ready\n");
    server.call("DescribeSecret", r#"{"SecretId":"a"}"#).ok();
}
