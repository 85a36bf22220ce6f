//! Requests byte for byte: any method, path, host and service, signed or not.

use super::sigv4::{self, Keys};

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query, as sent.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, path: &str, host: &str) -> Self {
        let headers = vec![("host".to_owned(), host.to_owned())];
        Self { method: method.into(), path: path.into(), headers, body: Vec::new() }
    }

    /// A call of Secrets Manager, not signed yet.
    pub fn call(host: &str, operation: &str, body: &str) -> Self {
        let mut request = Self::new("POST", "/", host)
            .with("content-type", "application/x-amz-json-1.1")
            .with("x-amz-target", &format!("secretsmanager.{operation}"));
        request.body = body.into();
        request
    }

    /// A call of a service that speaks the query protocol, not signed yet.
    pub fn form(host: &str, body: &str) -> Self {
        let mut request = Self::new("POST", "/", host)
            .with("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        request.body = body.into();
        request
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn path(self, path: &str) -> Self {
        Self { path: path.into(), ..self }
    }

    /// Signs all its headers for `service` as at `seconds`, over the path `signed_path`.
    pub fn signed_over(self, keys: &Keys, service: &str, signed_path: &str, seconds: u64) -> Self {
        let mut request = self.with("x-amz-date", &sigv4::amz_date(seconds));
        request.headers.sort();
        let headers: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let what = sigv4::What { method: &request.method, path: signed_path, service };
        let authorization = sigv4::authorization_of(keys, what, &headers, &request.body);
        request.with("authorization", &authorization)
    }

    /// Signs it now for Secrets Manager.
    pub fn signed(self, keys: &Keys) -> Self {
        self.signed_over(keys, "secretsmanager", "/", sigv4::now_seconds())
    }

    /// Signs it for Secrets Manager as at `seconds`.
    pub fn signed_at(self, keys: &Keys, seconds: u64) -> Self {
        self.signed_over(keys, "secretsmanager", "/", seconds)
    }

    /// The head, which announces the body.
    pub fn head(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        text.into_bytes()
    }

    pub fn bytes(&self) -> Vec<u8> {
        [self.head().as_slice(), &self.body].concat()
    }
}
