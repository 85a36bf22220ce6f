//! Refuses requests that reach a loopback port by accident or attack: from web pages, through proxies, by DNS
//! rebinding (rules WIRE-GUARD-1 to 5). Runs before anything else looks at a request.
//!
//! A page on this machine's browser can make a name of its own point here (DNS rebinding), and then sends its
//! requests with that name as `Host`. It cannot sign: it has no key. So a request that is signed is judged by
//! its signature, which covers `Host`, whatever name it came by: a tunnel, a mapped port, a Compose service.
//! The names matter for answers that need no signature.

use crate::model::name::{host_and_port, is_host};
use crate::wire::encoding::cut;
use crate::wire::encoding::headers::{SEC_FETCH_SITE, single};
use crate::wire::observe::{Cause, Notes};
use crate::wire::reply::ReplyError;
use crate::wire::sigv4;
use hyper::StatusCode;
use hyper::header::{HOST, ORIGIN};
use hyper::http::request::Parts;
use std::net::{IpAddr, SocketAddr};

/// Whose word counts for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It is answered only if its signature is good.
    Signature,
    /// It is answered without a signature.
    None,
}

/// The names by which requests without a signature may reach a port.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    /// The address that the connection arrived at.
    pub(crate) local: SocketAddr,
    /// Further names, each `NAME` or `NAME:PORT`.
    pub(crate) allowed: &'a [String],
}

/// Refuses a request that is not meant for this server.
pub(crate) fn check(head: &Parts, names: Names<'_>, proof: Proof) -> Result<(), ReplyError> {
    // A signature that turns out to be wrong is refused by its own rules, in words that everybody gets.
    let is_signed = proof == Proof::Signature && sigv4::is_claimed(&head.headers);
    if !is_signed {
        check_host(head, names)?;
        check_forwarded(head)?;
    }
    check_page(head)
}

/// Refuses a request to another host.
pub(crate) fn check_host(head: &Parts, names: Names<'_>) -> Result<(), ReplyError> {
    let headers = &head.headers;
    let host = single(headers, &HOST);
    let to_us = |authority: &str| {
        is_local(authority, names.local)
            || names.allowed.iter().any(|allowed| is_allowed(authority, allowed))
    };
    // A request line may name a host too, and it must be ours as well.
    let line = head.uri.authority().map(hyper::http::uri::Authority::as_str);
    let stranger = match (host, line) {
        (Some(host), _) if !to_us(host) => Some(host),
        (Some(_), Some(line)) if !to_us(line) => Some(line),
        (Some(_), _) => return Ok(()),
        (None, _) => None,
    };
    Notes::of(head).refused(Cause::Host, stranger.unwrap_or_default());
    Err(ReplyError::Strayed {
        status: StatusCode::MISDIRECTED_REQUEST,
        message: stranger
            .map_or_else(|| "The request must have one Host header.".to_owned(), not_our_name),
    })
}

/// Names the host that was seen, and the two ways to be answered.
fn not_our_name(host: &str) -> String {
    let seen: String =
        cut(host).chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect();
    let flag = if is_host(host) { host } else { "NAME[:PORT]" };
    format!(
        "The Host header names {seen}, which is not a name of this server. Sign the request, or start \
         the server with --allow-host {flag}."
    )
}

/// Refuses a request that a proxy forwarded.
pub(crate) fn check_forwarded(head: &Parts) -> Result<(), ReplyError> {
    if ["x-forwarded-for", "forwarded", "via"].iter().any(|name| head.headers.contains_key(*name)) {
        return Err(strayed(head, "Forwarded requests are not accepted unless they are signed."));
    }
    Ok(())
}

/// The refusal of a request that a page or a proxy sent, noted for the log.
fn strayed(head: &Parts, message: &'static str) -> ReplyError {
    Notes::of(head).refused(Cause::Strayed, message);
    ReplyError::Strayed { status: StatusCode::FORBIDDEN, message: message.to_owned() }
}

/// Refuses a request of a page in a browser.
pub(crate) fn check_page(head: &Parts) -> Result<(), ReplyError> {
    let headers = &head.headers;
    let sites = headers.get_all(&SEC_FETCH_SITE);
    let own_site =
        sites.iter().all(|site| [&b"same-origin"[..], b"none"].contains(&site.as_bytes()));
    if headers.contains_key(&ORIGIN) || !own_site {
        return Err(strayed(head, "Requests of web pages are not accepted."));
    }
    Ok(())
}

/// Whether `authority` is loopback or the server's own address, with its own port or none.
fn is_local(authority: &str, local: SocketAddr) -> bool {
    let (host, port) = host_and_port(authority);
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

/// Whether `authority` is `allowed`, which names one port or all of them.
fn is_allowed(authority: &str, allowed: &str) -> bool {
    let (host, port) = host_and_port(authority);
    let (name, only) = host_and_port(allowed);
    // A client leaves HTTP's own port out.
    host.eq_ignore_ascii_case(name) && only.is_none_or(|only| port.unwrap_or("80") == only)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use hyper::Request;

    fn judged(headers: &[(&str, &str)], names: Names<'_>, proof: Proof) -> Option<(u16, String)> {
        let request =
            headers.iter().fold(Request::post("/"), |r, (name, value)| r.header(*name, *value));
        let (head, ()) = request.body(()).unwrap().into_parts();
        let reply = check(&head, names, proof).err()?.reply();
        let content = String::from_utf8(reply.content.unwrap().to_vec()).unwrap();
        Some((reply.status.as_u16(), content))
    }

    fn status(local: &str, headers: &[(&str, &str)]) -> Option<u16> {
        let names = Names { local: local.parse().unwrap(), allowed: &[] };
        Some(judged(headers, names, Proof::Signature)?.0)
    }

    const SIGNED: (&str, &str) = ("authorization", "AWS4-HMAC-SHA256 Credential=a/b/c/d/e");

    /// WIRE-GUARD-1, WIRE-GUARD-2: the signature judges, where one is asked for.
    #[test]
    fn a_signed_request_may_have_come_by_any_name() {
        let names = Names { local: "127.0.0.1:4566".parse().unwrap(), allowed: &[] };
        for way in [("host", "strongroom:4566"), ("host", "localhost:14566"), ("via", "1.1 proxy")]
        {
            assert_eq!(judged(&[way, SIGNED], names, Proof::Signature), None, "{way:?}");
            let refused = if way.0 == "host" { 421 } else { 403 };
            let host = ("host", "localhost");
            let headers = if way.0 == "host" { vec![way] } else { vec![host, way] };
            let unsigned = judged(&headers, names, Proof::Signature).unwrap();
            assert_eq!(unsigned.0, refused, "{way:?}");
            let headers = [&headers[..], &[SIGNED]].concat();
            assert_eq!(judged(&headers, names, Proof::None).unwrap().0, refused, "{way:?}");
        }
        let other = ("authorization", "Basic QWxhZGRpbg==");
        assert!(judged(&[("host", "x"), other], names, Proof::Signature).is_some());
        let page = [("host", "x"), SIGNED, ("origin", "http://x")];
        assert_eq!(judged(&page, names, Proof::Signature).unwrap().0, 403);
    }

    /// WIRE-GUARD-4
    #[test]
    fn allowed_names_are_names_too() {
        let allowed = ["strongroom", "host.docker.internal:14566", "plain:80", "[fe80::2]:81"];
        let allowed = allowed.map(str::to_owned);
        let names = Names { local: "127.0.0.1:4566".parse().unwrap(), allowed: &allowed };
        for (host, is_ours) in [
            ("strongroom", true),
            ("Strongroom:4566", true),
            ("strongroom:1", true),
            ("host.docker.internal:14566", true),
            ("host.docker.internal:4566", false),
            ("host.docker.internal", false),
            ("plain", true),
            ("plain:80", true),
            ("plain:81", false),
            ("[fe80::2]:81", true),
            ("[fe80::2]", false),
            ("strongroom.evil.test", false),
            ("evil-strongroom", false),
            ("localhost", true),
        ] {
            let found = judged(&[("host", host)], names, Proof::None);
            assert_eq!(found.is_none(), is_ours, "{host}: {found:?}");
        }
    }

    /// WIRE-GUARD-5
    #[test]
    fn a_refusal_names_the_host_and_the_flag() {
        let names = Names { local: "127.0.0.1:4566".parse().unwrap(), allowed: &[] };
        let told = |host: &str| judged(&[("host", host)], names, Proof::None).unwrap().1;
        let text = told("strongroom:4566");
        assert!(text.contains("names strongroom:4566,"), "{text}");
        assert!(text.contains("--allow-host strongroom:4566."), "{text}");
        let text = told("a\"b c");
        assert!(text.contains("--allow-host NAME[:PORT]."), "{text}");
        assert!(told(&"x".repeat(9000)).len() < 600);
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
        let names = Names { local: "127.0.0.1:4566".parse().unwrap(), allowed: &[] };
        assert!(check(&head, names, Proof::Signature).is_err());
    }

    /// SPEAK-4
    #[test]
    fn what_is_noted_is_what_was_refused() {
        let names = Names { local: "127.0.0.1:4566".parse().unwrap(), allowed: &[] };
        for (uri, header, expected) in [
            ("/", ("host", "stranger:1"), (Cause::Host, "stranger:1")),
            ("http://stranger:1/", ("host", "localhost"), (Cause::Host, "stranger:1")),
            (
                "/",
                ("origin", "http://x"),
                (Cause::Strayed, "Requests of web pages are not accepted."),
            ),
        ] {
            let mut request = Request::post(uri).header(header.0, header.1);
            if header.0 != "host" {
                request = request.header("host", "localhost");
            }
            let mut head = request.body(()).unwrap().into_parts().0;
            let notes = Notes::default();
            head.extensions.insert(notes.clone());
            assert!(check(&head, names, Proof::None).is_err());
            assert_eq!(notes.why(), Some((expected.0, expected.1.to_owned())), "{uri}");
        }
    }
}
