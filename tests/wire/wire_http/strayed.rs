//! Requests that reach a loopback port without being meant for it: every combination of headers that
//! a page, a proxy or a rebound name can bring along.

use crate::client::{KEY_ID, NOW, Request, Running};
use strongroom::__internals::wire::{Auth, Limits, ServerOptions};

/// WIRE-GUARD-1, WIRE-GUARD-2, WIRE-GUARD-3, HOST-4
#[test]
fn no_combination_of_strayed_headers_gets_through() {
    let server = Running::open();
    let port = server.address.port();
    let hosts = [
        (format!("127.0.0.1:{port}"), true),
        ("localhost".into(), true),
        (format!("localhost:{port}"), true),
        ("[::1]".into(), true),
        ("example.com".into(), false),
        (format!("example.com:{port}"), false),
        ("127.0.0.1:1".into(), false),
        ("169.254.169.254".into(), false),
    ];
    let pages: [(&[(&str, &str)], bool); 6] = [
        (&[], true),
        (&[("origin", "http://example.com")], false),
        (&[("origin", "null")], false),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "none")], true),
        (&[("sec-fetch-site", "same-origin"), ("origin", "http://localhost")], false),
    ];
    let proxies: [(&[(&str, &str)], bool); 4] = [
        (&[], true),
        (&[("x-forwarded-for", "10.0.0.1")], false),
        (&[("forwarded", "for=10.0.0.1")], false),
        (&[("via", "1.1 proxy")], false),
    ];
    let mut combinations = 0;
    for (host, host_fine) in &hosts {
        for (page, page_fine) in &pages {
            for (proxy, proxy_fine) in &proxies {
                combinations += 1;
                let request = Request::new(host, "ListSecrets", b"{}");
                let request = page
                    .iter()
                    .chain(*proxy)
                    .fold(request, |request, (name, value)| request.with(name, value));
                let status = server.connect().exchange(&request.bytes()).status;
                let expected = match (host_fine, page_fine & proxy_fine) {
                    (true, true) => 200,
                    (true, false) => 403,
                    (false, _) => 421,
                };
                assert_eq!(status, expected, "{:?}", request.headers);
            }
        }
    }
    assert_eq!(combinations, 192);
}

/// WIRE-GUARD-1
#[test]
fn a_strayed_request_is_refused_whatever_it_asks_for() {
    let server = Running::open();
    for line in
        ["GET / HTTP/1.1", "GET /healthz HTTP/1.1", "OPTIONS / HTTP/1.1", "POST /a HTTP/1.1"]
    {
        let request = Request::new("rebound.example.com", "ListSecrets", b"{}").line(line);
        assert_eq!(server.connect().exchange(&request.bytes()).status, 421, "{line}");
    }
    // A request line may carry a host as well.
    let mut wire = server.connect();
    let request = Request::new(&wire.host, "ListSecrets", b"{}");
    let request = request.line("POST http://example.com/ HTTP/1.1");
    assert_eq!(wire.exchange(&request.bytes()).status, 421);
}

/// WIRE-GUARD-1, WIRE-GUARD-2: a good signature is answered by whatever name it came; a bad one learns that
/// it is bad, and what needs no signature stays guarded.
#[test]
fn a_signature_speaks_for_its_host() {
    let server = Running::start(Auth::SigV4, Limits::default());
    for host in ["strongroom:4566", "localhost:14566", "host.docker.internal", "10.0.0.9:1"] {
        let request = Request::new(host, "ListSecrets", b"{}");
        server.connect().exchange(&request.clone().well_signed().bytes()).ok();
        let forwarded = request.clone().well_signed().with("via", "1.1 proxy");
        server.connect().exchange(&forwarded.bytes()).ok();
        let wrong = request.clone().signed(KEY_ID, "wrong", "us-east-1", NOW);
        let wrong = server.connect().exchange(&wrong.bytes());
        assert!(wrong.text().contains("InvalidSignatureException"), "{}", wrong.text());
        // Another name than the signed one.
        let moved = request.clone().well_signed().set("host", "evil.test");
        let moved = server.connect().exchange(&moved.bytes());
        assert!(moved.text().contains("InvalidSignatureException"), "{}", moved.text());
        let page = request.clone().well_signed().with("origin", "http://evil.test");
        assert_eq!(server.connect().exchange(&page.bytes()).status, 403);
        let unsigned = server.connect().exchange(&request.bytes());
        assert_eq!(unsigned.status, 421);
        assert!(unsigned.text().contains(&format!("--allow-host {host}.")), "{}", unsigned.text());
        for path in ["/healthz", "/readyz", "/_localstack/health", "/_localstack/info"] {
            let probe = request.clone().line(&format!("GET {path} HTTP/1.1")).well_signed();
            assert_eq!(server.connect().exchange(&probe.bytes()).status, 421, "{path}");
        }
    }
    // Nobody proves anything where nobody is asked.
    let open = Running::open();
    let request = Request::new("strongroom:4566", "ListSecrets", b"{}").well_signed();
    assert_eq!(open.connect().exchange(&request.bytes()).status, 421);
}

/// WIRE-GUARD-4
#[test]
fn an_allowed_host_is_answered_without_a_signature() {
    let server = Running::with(ServerOptions {
        auth: Auth::None,
        stop_on_signals: false,
        allowed_hosts: vec!["strongroom".into(), "box:4566".into()],
        ..ServerOptions::default()
    });
    for (host, status) in
        [("strongroom:99", 200), ("box:4566", 200), ("box:4567", 421), ("rebound.test", 421)]
    {
        let request = Request::new(host, "ListSecrets", b"{}");
        assert_eq!(server.connect().exchange(&request.bytes()).status, status, "{host}");
    }
}
