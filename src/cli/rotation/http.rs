//! An HTTP hook as a rotation function, in the shape of Lambda's invoke: it gets the event as JSON
//! in a POST, and 2xx is a success unless the answer says that the function failed.

use super::{CALL_TIME, CallerCell, Deadline, START_TIME, event_json, wait_for};
use crate::env::Env;
use crate::vault::{RotationError, RotationEvent, RotationFunction};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;
use zeroize::Zeroizing;

/// Most bytes of an answer that are looked at; a longer one is a failure.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// How long one read waits before the end of the call's time is looked at.
const READ_TIME: Duration = Duration::from_millis(100);

/// `http://host[:port]/path`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// Host and port, as in the `Host` header.
    authority: String,
    /// Host without brackets.
    host: String,
    port: u16,
    /// Path and query.
    path: String,
}

impl Url {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://")?;
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at_checked(at)?,
            None => (rest, "/"),
        };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                (host, port.strip_prefix(':').or_else(|| port.is_empty().then_some("80"))?)
            }
            None => authority.split_once(':').unwrap_or((authority, "80")),
        };
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let has_user = authority.contains('@');
        if host.is_empty() || has_user || !is_plain(authority) || !is_plain(&path) {
            return None;
        }
        let (host, port) = (host.to_owned(), port.parse().ok()?);
        Some(Self { authority: authority.to_owned(), host, port, path })
    }
}

/// The function behind a URL.
pub(super) struct Hook {
    pub(super) url: Url,
    pub(super) env: Env,
    pub(super) caller: CallerCell,
}

impl RotationFunction for Hook {
    fn invoke(&self, event: &RotationEvent) -> Result<(), RotationError> {
        // It calls back too, with a pair that it was given otherwise.
        wait_for(&self.caller, &Deadline::after(&self.env, event, START_TIME))?;
        let deadline = Deadline::after(&self.env, event, CALL_TIME);
        let answer = self.exchange(&event_json(event), &deadline)?;
        if is_success(&answer) { Ok(()) } else { Err(RotationError) }
    }
}

impl Hook {
    /// Sends the event and reads to the end of the connection.
    fn exchange(
        &self,
        body: &[u8],
        deadline: &Deadline<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, RotationError> {
        let failed = |_| RotationError;
        let addresses =
            (self.url.host.as_str(), self.url.port).to_socket_addrs().map_err(failed)?;
        let mut stream = None;
        for address in addresses {
            stream = TcpStream::connect_timeout(&address, deadline.left()?).ok();
            if stream.is_some() {
                break;
            }
        }
        let mut stream = stream.ok_or(RotationError)?;
        stream.set_read_timeout(Some(READ_TIME)).map_err(failed)?;
        stream.set_write_timeout(Some(deadline.left()?)).map_err(failed)?;
        let Url { authority, path, .. } = &self.url;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n\
             X-Amz-Invocation-Type: RequestResponse\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).map_err(failed)?;
        // Room for all of it from the start: growing would leave copies behind.
        let mut answer = Zeroizing::new(Vec::with_capacity(ANSWER_BYTES_MAX));
        let mut part = Zeroizing::new([0_u8; 4096]);
        loop {
            match stream.read(part.as_mut_slice()) {
                Ok(0) => return Ok(answer),
                Ok(len) if answer.len() + len <= ANSWER_BYTES_MAX => {
                    answer.extend_from_slice(part.get(..len).unwrap_or_default());
                    if is_whole(&answer) {
                        return Ok(answer);
                    }
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) => {}
                Ok(_) | Err(_) => return Err(RotationError),
            }
            deadline.left()?;
        }
    }
}

/// An answer that has been taken apart.
struct Answer<'a> {
    head: &'a str,
    body: &'a [u8],
}

impl<'a> Answer<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let at = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let (head, body) = bytes.split_at_checked(at)?;
        Some(Self { head: std::str::from_utf8(head).ok()?, body: body.get(4..)? })
    }

    fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut named = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.trim())
    }

    fn is_chunked(&self) -> bool {
        self.header("transfer-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
    }

    fn status(&self) -> Option<u16> {
        self.head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
    }
}

/// Whether nothing more can come: for hooks that keep the connection open all the same.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(answer) = Answer::of(bytes) else { return false };
    if answer.is_chunked() {
        return answer.body.ends_with(b"0\r\n\r\n");
    }
    let len = answer.header("content-length").and_then(|len| len.parse::<usize>().ok());
    len.is_some_and(|len| answer.body.len() >= len)
}

/// 2xx, and neither the header nor the body says that the function failed.
fn is_success(bytes: &[u8]) -> bool {
    let Some(answer) = Answer::of(bytes) else { return false };
    let is_ok = answer.status().is_some_and(|status| (200..300).contains(&status));
    if !is_ok || answer.header("x-amz-function-error").is_some() {
        return false;
    }
    // The runtime emulator of Lambda says it in the body alone. In chunks too the members are text.
    let body = String::from_utf8_lossy(answer.body);
    !["\"FunctionError\"", "\"errorMessage\"", "\"errorType\""]
        .iter()
        .any(|member| body.contains(member))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let url = Url::parse("http://h:81/a/b?c=d").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.path.as_str()), ("h", 81, "/a/b?c=d"));
        let url = Url::parse("http://h").unwrap();
        assert_eq!((url.port, url.path.as_str()), (80, "/"));
        let url = Url::parse("http://[::1]:9000?x").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.path.as_str()), ("::1", 9000, "/?x"));
        assert_eq!(url.authority, "[::1]:9000");
        for odd in
            ["https://h/", "http://", "http:///", "http://h:x/", "http://u:p@h/", "http://h/ a"]
        {
            assert_eq!(Url::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn success_is_2xx_without_a_function_error() {
        let answer = |head: &str, body: &str| format!("HTTP/1.1 {head}\r\n\r\n{body}").into_bytes();
        assert!(is_success(&answer("200 OK", "null")));
        assert!(is_success(&answer("204 No Content\r\nX: y", "")));
        assert!(is_success(b"HTTP/1.0 200\r\n\r\n"));
        assert!(!is_success(&answer("500 No", "")));
        assert!(!is_success(&answer("302 Found", "")));
        assert!(!is_success(&answer("200 OK\r\nx-amz-function-error: Unhandled", "")));
        assert!(!is_success(&answer("200 OK", r#"{"errorMessage":"x","errorType":"E"}"#)));
        assert!(!is_success(&answer("200 OK", r#"{"StatusCode":200,"FunctionError":"Handled"}"#)));
        assert!(!is_success(b"HTTP/1.1 200 OK\r\n"));
        assert!(!is_success(b""));
    }

    #[test]
    fn the_end_of_an_answer_is_seen_before_the_connection_ends() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
        assert!(!is_whole(format!("{head}a").as_bytes()));
        assert!(is_whole(format!("{head}ab").as_bytes()));
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(!is_whole(format!("{head}2\r\nab\r\n").as_bytes()));
        assert!(is_whole(format!("{head}2\r\nab\r\n0\r\n\r\n").as_bytes()));
        assert!(!is_whole(b"HTTP/1.1 200 OK\r\n\r\nno length"));
    }
}
