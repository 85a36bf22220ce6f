//! Calls a rotation function over plain HTTP: posts the event as JSON, as Lambda's invoke does. A 2xx
//! response is a success unless its headers or body report that the function failed.

use crate::vault::RotationError;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// Most bytes of a response. A longer one counts as a failure.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// How often the caller is asked whether to go on.
const LOOK: Duration = Duration::from_millis(20);
const DEFAULT_PORT: u16 = 80;

/// A function behind `http://host[:port]/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Host and port, as in the `Host` header.
    authority: String,
    /// Without brackets.
    host: String,
    port: u16,
    /// Path and query.
    path: String,
}

impl Hook {
    /// Parses an address. `None` if it is not a plain HTTP address or names a user.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let has_odd_port = authority.port().is_none() && authority.as_str() != authority.host();
        if uri.scheme_str() != Some("http") || host.is_empty() || has_odd_port {
            return None;
        }
        Some(Self {
            authority: authority.to_string(),
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(DEFAULT_PORT),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }

    /// Sends an event and waits for the response while `goes_on` returns true. Blocks the thread, so it must
    /// not be called on threads of a server.
    ///
    /// # Errors
    ///
    /// The function cannot be reached, failed, or did not answer before `goes_on` returned false.
    pub fn invoke(&self, event: Vec<u8>, goes_on: impl Fn() -> bool) -> Result<(), RotationError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|_| RotationError)?;
        let outcome = runtime.block_on(async {
            let mut call = std::pin::pin!(self.call(event));
            loop {
                tokio::select! {
                    done = &mut call => return done,
                    () = sleep(LOOK) => if !goes_on() { return Err(RotationError) },
                }
            }
        });
        // A lookup of the host name may still run. It is not waited for.
        runtime.shutdown_background();
        outcome
    }

    async fn call(&self, event: Vec<u8>) -> Result<(), RotationError> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await;
        let stream = TokioIo::new(stream.map_err(|_| RotationError)?);
        let (mut sender, connection) = http1::handshake(stream).await.map_err(|_| RotationError)?;
        tokio::spawn(connection);
        let request = Request::post(&self.path)
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/json")
            .header("X-Amz-Invocation-Type", "RequestResponse")
            .header(CONNECTION, "close")
            .body(Full::new(Bytes::from(event)))
            .map_err(|_| RotationError)?;
        let answer = sender.send_request(request).await.map_err(|_| RotationError)?;
        let has_failed = answer.headers().contains_key("x-amz-function-error");
        let is_long = answer.body().size_hint().lower() > ANSWER_BYTES_MAX as u64;
        if !answer.status().is_success() || has_failed || is_long {
            return Err(RotationError);
        }
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|_| RotationError)?.to_bytes();
        // The runtime interface emulator of Lambda reports a failure only in the body.
        match serde_json::from_slice::<FunctionResponse>(&body) {
            Ok(response) if response.is_failure() => Err(RotationError),
            // Any other body means nothing here.
            _ => Ok(()),
        }
    }
}

/// The members of a response body that report a failure of the function.
#[derive(Deserialize)]
struct FunctionResponse {
    #[serde(rename = "FunctionError")]
    function_error: Option<IgnoredAny>,
    #[serde(rename = "errorMessage")]
    error_message: Option<IgnoredAny>,
    #[serde(rename = "errorType")]
    error_type: Option<IgnoredAny>,
}

impl FunctionResponse {
    fn is_failure(&self) -> bool {
        self.function_error.is_some() || self.error_message.is_some() || self.error_type.is_some()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    #![allow(clippy::disallowed_methods, clippy::disallowed_types)]
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    #[test]
    fn an_address_is_taken_apart() {
        let hook = Hook::parse("http://h:81/a/b?c=d").unwrap();
        assert_eq!((hook.host.as_str(), hook.port, hook.path.as_str()), ("h", 81, "/a/b?c=d"));
        let hook = Hook::parse("http://h").unwrap();
        assert_eq!((hook.port, hook.path.as_str()), (80, "/"));
        let hook = Hook::parse("http://[::1]:9000/?x").unwrap();
        assert_eq!((hook.host.as_str(), hook.port, hook.path.as_str()), ("::1", 9000, "/?x"));
        assert_eq!(hook.authority, "[::1]:9000");
        for odd in [
            "https://h/",
            "http://",
            "http:///",
            "http://h:x/",
            "http://h:99999/",
            "http://u:p@h/",
            "http://h/ a",
            "/path",
            "h:80",
        ] {
            assert_eq!(Hook::parse(odd), None, "{odd}");
        }
    }

    /// The outcome of a call whose function answers `answer`, and the request that the function got.
    fn answered(answer: &'static str) -> (Result<(), RotationError>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let function = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut request, mut part) = (Vec::new(), [0; 1024]);
            while !request.ends_with(b"the event") {
                let len = stream.read(&mut part).unwrap();
                request.extend_from_slice(&part[..len]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            // The connection is kept open: the end of an answer is seen without it.
            let _ = stream.read(&mut part);
            String::from_utf8(request).unwrap()
        });
        let hook = Hook::parse(&format!("http://{address}/fn?q")).unwrap();
        let outcome = hook.invoke(b"the event".to_vec(), || true);
        (outcome, function.join().unwrap())
    }

    #[test]
    fn success_is_2xx_without_a_function_error() {
        for (answer, succeeds) in [
            ("200 OK\r\nContent-Length: 4\r\n\r\nnull", true),
            ("204 No Content\r\n\r\n", true),
            ("200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", true),
            ("200 OK\r\nContent-Length: 8\r\n\r\nnot JSON", true),
            ("200 OK\r\nContent-Length: 27\r\n\r\n{\"told\": \"\\\"errorMessage\\\"\"}", true),
            ("500 No\r\nContent-Length: 0\r\n\r\n", false),
            ("302 Found\r\nContent-Length: 0\r\n\r\n", false),
            ("200 OK\r\nx-amz-function-error: Unhandled\r\nContent-Length: 0\r\n\r\n", false),
            ("200 OK\r\nContent-Length: 22\r\n\r\n{\"errorMessage\": \"no\"}", false),
            (
                "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"Functi\r\ne\r\nonError\": \"x\"}\r\n0\r\n\r\n",
                false,
            ),
            ("200 OK\r\nContent-Length: 999999999\r\n\r\n", false),
            ("never\r\n\r\n", false),
        ] {
            let answer: &'static str = format!("HTTP/1.1 {answer}").leak();
            let (outcome, request) = answered(answer);
            assert_eq!(outcome.is_ok(), succeeds, "{answer}");
            assert!(request.starts_with("POST /fn?q HTTP/1.1\r\n"), "{request}");
            let request = request.to_lowercase();
            assert!(request.contains("x-amz-invocation-type: requestresponse\r\n"), "{request}");
        }
    }

    #[test]
    fn a_function_that_never_answers_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let hook = Hook::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let asked = std::cell::Cell::new(0);
        let goes_on = || {
            asked.set(asked.get() + 1);
            asked.get() < 3
        };
        assert_eq!(hook.invoke(Vec::new(), goes_on), Err(RotationError));
    }
}
