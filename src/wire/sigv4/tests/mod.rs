#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

//! A signer that shares no code with the verifier but the two primitives.

mod changes;
mod published;

use super::*;
use crate::model::Scope;
use crate::secret::SecretBytes;
use crate::vault::Credential;
use hmac::{Hmac, KeyInit, Mac};
use hyper::Request;
use hyper::http::request::Parts;
use sha2::{Digest, Sha256};

const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const NOW: &str = "20150830T123600Z";

fn head(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let request = Request::builder().method(method).uri(uri);
    let request = headers.iter().fold(request, |r, (name, value)| r.header(*name, *value));
    request.body(()).unwrap().into_parts().0
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Signs a canonical request by the letter of the description.
fn sign(secret: &str, scope: &str, time: &str, canonical: &str) -> String {
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in scope.split('/') {
        key = mac(&key, part);
    }
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    hex::encode(mac(&key, &text))
}

/// A request under construction: each test changes one thing before or after signing.
#[derive(Clone)]
struct Draft {
    method: &'static str,
    uri: String,
    headers: Vec<(String, String)>,
    signed: Vec<String>,
    body: Vec<u8>,
    key_id: String,
    secret: String,
    scope: String,
    time: String,
}

impl Draft {
    fn new() -> Self {
        let headers = [
            ("host", "127.0.0.1:4566"),
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-date", NOW),
            ("x-amz-target", "secretsmanager.GetSecretValue"),
        ];
        let owned = |text: &str| text.to_owned();
        Self {
            method: "POST",
            uri: "/".into(),
            headers: headers.iter().map(|(name, value)| (owned(name), owned(value))).collect(),
            signed: ["content-type", "host", "x-amz-date", "x-amz-target"].map(owned).to_vec(),
            body: b"{\"SecretId\":\"a\"}".to_vec(),
            key_id: KEY_ID.into(),
            secret: SECRET.into(),
            scope: "20150830/eu-west-1/secretsmanager/aws4_request".into(),
            time: NOW.into(),
        }
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(found, _)| found != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    fn add(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn remove(mut self, name: &str) -> Self {
        self.headers.retain(|(found, _)| found != name);
        self
    }

    fn signing(mut self, names: &str) -> Self {
        self.signed = names.split(';').map(str::to_owned).collect();
        self
    }

    fn at(mut self, time: &str) -> Self {
        self.time = time.into();
        self.scope.replace_range(..8, &time[..8]);
        self.set("x-amz-date", time)
    }

    fn signature(&self) -> String {
        let value = |name: &String| {
            let found = self.headers.iter().find(|(found, _)| found == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        let headers = self
            .signed
            .iter()
            .map(|name| format!("{name}:{}\n", value(name)))
            .collect::<Vec<_>>()
            .concat();
        let canonical = format!(
            "{}\n{}\n\n{headers}\n{}\n{}",
            self.method,
            self.uri,
            self.signed.join(";"),
            sha256(&self.body)
        );
        sign(&self.secret, &self.scope, &self.time, &canonical)
    }

    fn authorization(&self) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
            self.key_id,
            self.scope,
            self.signed.join(";"),
            self.signature()
        )
    }

    fn finish(self) -> (Parts, Vec<u8>) {
        let authorization = self.authorization();
        self.with("authorization", &authorization)
    }

    fn with(mut self, name: &str, value: &str) -> (Parts, Vec<u8>) {
        self.headers.push((name.into(), value.into()));
        let headers: Vec<_> = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        (head(self.method, &self.uri, &headers), self.body)
    }
}

fn keyring() -> Credentials {
    let pair = |id: &str, account: &str, secret: &str| Credential {
        access_key_id: id.into(),
        account: account.into(),
        secret_access_key: SecretBytes::copy_from(secret.as_bytes()),
    };
    let pairs = vec![pair(KEY_ID, "000000000000", SECRET), pair("AKIDOTHER", "1", "another")];
    Credentials::with_decoy(pairs, SecretBytes::copy_from(&[7; 40]))
}

fn judged_at((head, body): (Parts, Vec<u8>), now: &str) -> Result<Scope, AuthError> {
    verify(
        &head,
        &body,
        &keyring(),
        Audience::SECRETS_MANAGER,
        crate::wire::encoding::time::parse_basic(now).unwrap(),
    )
    .map(|(scope, _)| scope)
}

fn judged(request: (Parts, Vec<u8>)) -> Result<Scope, AuthError> {
    judged_at(request, NOW)
}

#[track_caller]
fn refused(request: (Parts, Vec<u8>), exception: &str, text: &str) {
    let error = judged(request).unwrap_err();
    assert_eq!((error.exception, error.message.as_str()), (exception, text));
}
