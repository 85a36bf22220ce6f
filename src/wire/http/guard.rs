//! Refuses requests that reach a loopback port by accident or attack: from web pages, through proxies, by DNS
//! rebinding (rules WIRE-GUARD-1 to 3). Runs before anything else looks at a request.

use crate::wire::reply::ReplyError;
use hyper::StatusCode;
use hyper::http::request::Parts;
use std::net::{IpAddr, SocketAddr};

/// Refuses a request that is not meant for `local`, the address that its connection arrived at.
pub(crate) fn check(head: &Parts, local: SocketAddr) -> Result<(), ReplyError> {
    check_host(head, local)?;
    if is_forwarded(head) {
        return Err(ReplyError::Strayed {
            status: StatusCode::FORBIDDEN,
            message: "Forwarded requests are not accepted.",
        });
    }
    check_page(head)
}

/// Refuses a request to another host.
pub(crate) fn check_host(head: &Parts, local: SocketAddr) -> Result<(), ReplyError> {
    let headers = &head.headers;
    let mut hosts = headers.get_all("host").iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    };
    let to_us = |authority: &str| is_local(authority, local);
    // A request line may name a host too, and it must be ours as well.
    let line = head.uri.authority();
    if !host.is_some_and(to_us) || line.is_some_and(|line| !to_us(line.as_str())) {
        return Err(ReplyError::Strayed {
            status: StatusCode::MISDIRECTED_REQUEST,
            message: "The Host header does not name this server.",
        });
    }
    Ok(())
}

/// Whether a proxy forwarded the request.
pub(crate) fn is_forwarded(head: &Parts) -> bool {
    ["x-forwarded-for", "forwarded", "via"].iter().any(|name| head.headers.contains_key(*name))
}

/// Refuses a request of a page in a browser.
pub(crate) fn check_page(head: &Parts) -> Result<(), ReplyError> {
    let headers = &head.headers;
    let sites = headers.get_all("sec-fetch-site");
    let own_site =
        sites.iter().all(|site| [&b"same-origin"[..], b"none"].contains(&site.as_bytes()));
    if headers.contains_key("origin") || !own_site {
        return Err(ReplyError::Strayed {
            status: StatusCode::FORBIDDEN,
            message: "Requests of web pages are not accepted.",
        });
    }
    Ok(())
}

/// Whether `authority` is loopback or the server's own address, with its own port or none.
fn is_local(authority: &str, local: SocketAddr) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        // The last colon of a bare IPv6 address is no port's.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    // Compared as text, so that `+4566` and `04566` are not our port.
    if port.is_some_and(|port| port != local.port().to_string()) {
        return false;
    }
    let own = match local.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => ip.to_string(),
            None => format!("[{ip}]"),
        },
    };
    ["127.0.0.1", "localhost", "[::1]", &own].iter().any(|name| host.eq_ignore_ascii_case(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use hyper::Request;

    fn status(local: &str, headers: &[(&str, &str)]) -> Option<u16> {
        let request =
            headers.iter().fold(Request::post("/"), |r, (name, value)| r.header(*name, *value));
        let (head, ()) = request.body(()).unwrap().into_parts();
        match check(&head, local.parse().unwrap()) {
            Ok(()) => None,
            Err(failure) => Some(failure.reply().status.as_u16()),
        }
    }

    /// WIRE-GUARD-1
    #[test]
    fn the_servers_own_names_are_hosts_with_its_port_or_none() {
        for (local, host) in [
            ("127.0.0.1:4566", "127.0.0.1"),
            ("127.0.0.1:4566", "127.0.0.1:4566"),
            ("127.0.0.1:4566", "localhost"),
            ("127.0.0.1:4566", "LocalHost:4566"),
            ("127.0.0.1:4566", "[::1]"),
            ("[::1]:4566", "[::1]:4566"),
            ("192.168.1.5:80", "192.168.1.5"),
            ("192.168.1.5:80", "192.168.1.5:80"),
            ("[fe80::1]:80", "[fe80::1]:80"),
            ("[::ffff:10.0.0.7]:80", "10.0.0.7:80"),
        ] {
            assert_eq!(status(local, &[("host", host)]), None, "{local} {host}");
        }
    }

    /// WIRE-GUARD-1
    #[test]
    fn every_other_host_is_misdirected() {
        for host in [
            "",
            ":",
            ":4566",
            "example.com",
            "example.com:4566",
            "127.0.0.1:4567",
            "127.0.0.1:",
            "127.0.0.1:04566",
            "127.0.0.1:+4566",
            "localhost.",
            "localhost.example.com",
            "::1",
            "localhost:4566:4566",
            "127.0.0.1.example.com",
            "127.0.0.2",
            "0.0.0.0",
            "127.1",
            "2130706433",
            "0x7f000001",
            "user@localhost",
            "localhost/",
            "localhost, localhost",
            "[::1",
            "::1]",
            "[::1]x",
            "[127.0.0.1]",
            "192.168.1.5",
            "localhost@evil.test",
        ] {
            assert_eq!(status("127.0.0.1:4566", &[("host", host)]), Some(421), "{host:?}");
        }
        assert_eq!(status("127.0.0.1:4566", &[]), Some(421));
        let twice = [("host", "localhost"), ("host", "localhost")];
        assert_eq!(status("127.0.0.1:4566", &twice), Some(421));
    }

    /// WIRE-GUARD-2, WIRE-GUARD-3
    #[test]
    fn pages_and_proxies_are_forbidden() {
        for (name, value) in [
            ("origin", "http://example.com"),
            ("origin", "http://127.0.0.1:4566"),
            ("origin", "null"),
            ("origin", ""),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", ""),
            ("sec-fetch-site", "None"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-for", ""),
            ("forwarded", "for=10.0.0.1"),
            ("via", "1.1 proxy"),
        ] {
            let headers = [("host", "localhost"), (name, value)];
            assert_eq!(status("127.0.0.1:4566", &headers), Some(403), "{name}: {value}");
        }
        for value in ["same-origin", "none"] {
            let headers = [("host", "localhost"), ("sec-fetch-site", value)];
            assert_eq!(status("127.0.0.1:4566", &headers), None);
        }
    }

    /// WIRE-GUARD-1
    #[test]
    fn a_request_line_with_another_host_is_misdirected() {
        let request = Request::post("http://example.com/").header("host", "localhost");
        let (head, ()) = request.body(()).unwrap().into_parts();
        assert!(check(&head, "127.0.0.1:4566".parse().unwrap()).is_err());
    }
}
