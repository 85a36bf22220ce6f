//! A tiny HTTP/1.1 client on one keep-alive connection, and calls of the AWS JSON 1.1 protocol.

use super::sigv4::{self, Keys};
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn json(&self) -> Value {
        // Some answers have no body.
        if self.body.is_empty() {
            return serde_json::json!({});
        }
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The exception's name, empty for a success.
    pub fn error(&self) -> String {
        self.json()["__type"].as_str().unwrap_or_default().to_owned()
    }
}

/// One connection to a server.
pub struct Client {
    stream: BufReader<TcpStream>,
    pub host: String,
    pub keys: Keys,
    /// Set while a complete request was passed to the kernel and its answer has not arrived.
    pub in_flight: AtomicBool,
}

impl Client {
    pub fn connect(host: &str, keys: &Keys) -> io::Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self {
            stream: BufReader::new(stream),
            host: host.to_owned(),
            keys: keys.clone(),
            in_flight: AtomicBool::new(false),
        })
    }

    /// Sends raw bytes and reads one response.
    pub fn raw(&mut self, request: &[u8]) -> io::Result<Response> {
        self.stream.get_mut().write_all(request)?;
        self.in_flight.store(true, Ordering::SeqCst);
        let response = self.read_response()?;
        self.in_flight.store(false, Ordering::SeqCst);
        Ok(response)
    }

    /// Sends a request that the server may answer before it has read all of it.
    pub fn raw_cut_short(&mut self, request: &[u8]) -> io::Result<Response> {
        let mut stream = self.stream.get_ref().try_clone()?;
        std::thread::scope(|scope| {
            scope.spawn(move || stream.write_all(request));
            let response = self.read_response();
            let _ = self.stream.get_ref().shutdown(std::net::Shutdown::Both);
            response
        })
    }

    /// A signed call of an operation.
    pub fn call(&mut self, operation: &str, body: &Value) -> io::Result<Response> {
        let request =
            signed(&self.host, &self.keys, operation, &body.to_string(), sigv4::now_seconds());
        self.raw(&request)
    }

    /// A call that must succeed.
    pub fn ok(&mut self, operation: &str, body: &Value) -> Value {
        let response = self.call(operation, body).unwrap();
        let text = String::from_utf8_lossy(&response.body).into_owned();
        assert_eq!(response.status, 200, "{operation} {body}: {text}");
        response.json()
    }

    fn read_response(&mut self) -> io::Result<Response> {
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':') {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        let len = headers.iter().find(|(name, _)| name == "content-length");
        let len = len.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
        let mut body = vec![0; len];
        self.stream.read_exact(&mut body)?;
        Ok(Response { status, headers, body })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

/// The bytes of a signed request, dated `seconds`.
pub fn signed(host: &str, keys: &Keys, operation: &str, body: &str, seconds: u64) -> Vec<u8> {
    let target = format!("secretsmanager.{operation}");
    let date = sigv4::amz_date(seconds);
    let headers = [
        ("content-type", "application/x-amz-json-1.1"),
        ("host", host),
        ("x-amz-date", date.as_str()),
        ("x-amz-target", target.as_str()),
    ];
    let authorization = sigv4::authorization(keys, &headers, body.as_bytes());
    let mut request = String::from("POST / HTTP/1.1\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!(
        "authorization: {authorization}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    request.into_bytes()
}
