//! Input over HTTP: bodies, heads and signatures.

use super::input::{Input, mutate, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use strongroom::__internals::model::api::{Operation, Request, Write};
use strongroom::__internals::secret::{SecretBytes, SecretValue};
use strongroom::__internals::wire::internals::{self, Read, Signed};
use strongroom::__internals::wire::member_facts::{MemberFact, members};

const OPERATIONS: &[Operation] = Operation::ALL;

static MEMBERS: LazyLock<Vec<Vec<MemberFact>>> = LazyLock::new(|| {
    OPERATIONS.iter().map(|operation| members(operation.name()).unwrap()).collect()
});

/// The first two bytes choose the operation and the meaning of the rest. It may be a body; or choices for a
/// request that is composed from the table of members, which must be accepted with its value kept, or refused
/// if it contains an error; or such a request with mutated bytes.
pub(super) fn json_request(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (choice, mode) = (usize::from(input.u8()) % OPERATIONS.len(), input.u8());
    let operation = OPERATIONS[choice].name();
    if mode & 1 == 0 {
        judged(internals::read(operation, input.rest()));
        return;
    }
    let mut composer = Composer { input, facts: &MEMBERS[choice], wrong: false };
    let body = composer.structure("");
    let Composer { mut input, wrong, .. } = composer;
    let given = |name: &str| body.get(name).is_some_and(|value| !value.is_null());
    let takes_value = MEMBERS[choice].iter().any(|fact| fact.path == "SecretString");
    let two_values = takes_value && given("SecretString") && given("SecretBinary");
    let mut json = Value::Object(body.clone()).to_string().into_bytes();
    if mode & 2 == 2 {
        mutate(&mut input, &mut json);
        judged(internals::read(operation, &json));
        return;
    }
    let request = judged(internals::read(operation, &json));
    assert_eq!(request.is_none(), wrong || two_values, "{operation}: {}", text(&json));
    if let Some(Request::Write(write)) = request {
        keeps_its_value(write, &body);
    }
}

/// The request, or `None` if the body was refused with one of the allowed exceptions.
fn judged(read: Option<Read>) -> Option<Request> {
    match read.expect("the operation is served") {
        Read::Request(request) => Some(*request),
        Read::Refused(status, reply) => {
            const KNOWN: [&str; 3] =
                ["SerializationException", "ValidationException", "InvalidParameterException"];
            let reply: Value = serde_json::from_slice(&reply).expect("a reply is JSON");
            assert_eq!(status, 400, "{reply}");
            assert!(KNOWN.contains(&reply["__type"].as_str().unwrap()), "{reply}");
            None
        }
    }
}

fn keeps_its_value(write: Write, body: &Map<String, Value>) {
    let value = match write {
        Write::CreateSecret(request) => request.value,
        Write::PutSecretValue(request) => request.value,
        Write::UpdateSecret(request) => request.value,
        _ => return,
    };
    let member = |name: &str| body.get(name).and_then(Value::as_str);
    let expected = match (member("SecretString"), member("SecretBinary")) {
        (Some(text), None) => Some(SecretValue::text(text)),
        (None, Some(text)) => Some(SecretValue::binary(STANDARD.decode(text).unwrap())),
        _ => None,
    };
    let parts = |value: Option<SecretValue>| {
        // EXPOSE: the fuzzer's own bytes, to be compared.
        value.map(|value| (value.kind(), SecretBytes::copy_from(value.bytes().expose())))
    };
    assert!(parts(value) == parts(expected), "the value is the one that was sent");
}

/// Composes a request from the table of members, as the input chooses.
struct Composer<'a> {
    input: Input<'a>,
    facts: &'a [MemberFact],
    /// Whether the request contains something that must be refused.
    wrong: bool,
}

impl Composer<'_> {
    /// The members of the structure at `prefix`, which ends with a dot unless it is empty.
    fn structure(&mut self, prefix: &str) -> Map<String, Value> {
        let mut object = Map::new();
        for fact in self.facts {
            let Some(name) = fact.path.strip_prefix(prefix) else { continue };
            if name.contains(['.', '[']) {
                continue;
            }
            match self.input.u8() {
                // Absent, like everything after the end of the input.
                0..=63 => self.wrong |= fact.required,
                64..=79 => {
                    self.wrong |= fact.required;
                    object.insert(name.to_owned(), Value::Null);
                }
                80..=87 => {
                    self.wrong = true;
                    let other = if fact.kind == "boolean" { json!([]) } else { json!(true) };
                    object.insert(name.to_owned(), other);
                }
                _ => {
                    let value = self.value(&fact.path, fact.kind);
                    object.insert(name.to_owned(), value);
                }
            }
        }
        object
    }

    fn value(&mut self, path: &str, kind: &str) -> Value {
        match kind {
            "string" => json!(text(self.input.short())),
            "integer" | "long" => json!(self.input.i64()),
            "boolean" => json!(self.input.u8() & 1 == 1),
            "blob" => json!(STANDARD.encode(self.input.short())),
            "structure" => Value::Object(self.structure(&format!("{path}."))),
            _ => {
                let item = format!("{path}[]");
                let kind = self.facts.iter().find(|fact| fact.path == item).unwrap().kind;
                let count = self.input.u8() % 4;
                Value::Array((0..count).map(|_| self.value(&item, kind)).collect())
            }
        }
    }
}

/// `METHOD URI`, lines of headers, an empty line, a body.
struct Lines<'a> {
    method: &'a str,
    uri: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a [u8],
}

impl<'a> Lines<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        let at = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or(bytes.len());
        let (head, body) = bytes.split_at(at);
        let mut lines = text(head).split('\n');
        let line = lines.next().unwrap_or_default();
        let (method, uri) = line.split_once(' ').unwrap_or(("POST", line));
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name, value.trim())).collect();
        Self { method, uri, headers, body: body.get(2..).unwrap_or_default() }
    }

    fn signed(&'a self, service: &'static str) -> Signed<'a> {
        Signed {
            service,
            method: self.method,
            uri: self.uri,
            headers: &self.headers,
            body: self.body,
            pair: ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            now: "20150830T123600Z",
        }
    }
}

/// Any head is routed, guarded and checked without a panic, and with the same result twice. A head that
/// passes the guard names this server and does not come from a web page or a proxy.
pub(super) fn http_request(bytes: &[u8]) {
    let lines = Lines::read(bytes);
    let local = "127.0.0.1:4566".parse().unwrap();
    let signed = lines.signed("secretsmanager");
    let Some(front) = internals::front(&signed, local) else { return };
    assert_eq!(internals::front(&signed, local).as_ref(), Some(&front));
    match front.refused {
        Some(status) => assert!([403, 421].contains(&status)),
        None => {
            let values = |name: &str| {
                let all =
                    lines.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
                all.map(|(_, value)| *value).collect::<Vec<_>>()
            };
            let [host] = values("host")[..] else { panic!("one Host header") };
            let name = host.strip_suffix(":4566").unwrap_or(host).to_ascii_lowercase();
            assert!(["127.0.0.1", "localhost", "[::1]"].contains(&name.as_str()), "{host}");
            for name in ["origin", "via", "forwarded", "x-forwarded-for"] {
                assert!(values(name).is_empty(), "{name}");
            }
        }
    }
    if let Some(region) = front.region {
        assert!(strongroom::__internals::model::name::is_region(&region));
    }
    // No part of this was signed with the secret.
    assert!(front.judgement.is_err(), "{:?}", front.judgement);
}

/// A valid signature is accepted, but not for another body, path or query. Canonical forms are stable. If the
/// first byte is even, the input is an `Authorization` header instead.
pub(super) fn sigv4(bytes: &[u8]) {
    let (choice, bytes) = bytes.split_first().map_or((0, bytes), |(choice, rest)| (*choice, rest));
    let mut lines = Lines::read(bytes);
    // Anything after it is never sent.
    lines.uri = lines.uri.split('#').next().unwrap_or_default();
    let (path, query) = lines.uri.split_once('?').unwrap_or((lines.uri, ""));
    check_canonical(path, query);
    if choice & 1 == 0 {
        let judged = internals::verify(&lines.signed("service"));
        let right = internals::right_signature(&lines.signed("service"));
        // The seeds contain the vectors of AWS's test suite, which have valid signatures.
        // A path of slashes alone has two right signatures.
        if let (Some(Ok(_)), right, false) = (&judged, right, path.bytes().all(|b| b == b'/')) {
            let right = right.expect("what was accepted has a right signature");
            let is_it = |(name, value): &(&str, &str)| {
                name.eq_ignore_ascii_case("authorization") && value.contains(&right)
            };
            assert!(lines.headers.iter().any(is_it));
        }
        return;
    }
    // Signed here: all headers of the input, a date and a host.
    let own = ["authorization", "host", "x-amz-date", "x-amz-content-sha256"];
    lines.headers.retain(|(name, _)| !own.contains(&name.to_ascii_lowercase().as_str()));
    lines.headers.push(("host", "localhost"));
    lines.headers.push(("x-amz-date", "20150830T123600Z"));
    let mut names: Vec<String> =
        lines.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    let credential =
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";
    let with = |signature: &str| {
        format!("{credential}, SignedHeaders={}, Signature={signature}", names.join(";"))
    };
    let unsigned = with("0");
    let mut headers = lines.headers.clone();
    headers.push(("authorization", &unsigned));
    let request = Signed { headers: &headers, ..lines.signed("service") };
    let Some(right) = internals::right_signature(&request) else {
        assert!(internals::verify(&request).is_none_or(|judged| judged.is_err()));
        return;
    };
    let authorization = with(&right);
    headers.pop();
    headers.push(("authorization", &authorization));
    let request = Signed { headers: &headers, ..lines.signed("service") };
    let judged = internals::verify(&request);
    if internals::has_parameter(query, "X-Amz-Algorithm") {
        // WIRE-SIG-12: the query claims a signature, too.
        assert!(matches!(judged, Some(Err(_))), "signed twice: {judged:?}");
        return;
    }
    assert!(matches!(judged, Some(Ok(_))), "a right signature is refused: {judged:?}");
    let body = [lines.body, b"x"].concat();
    let other = Signed { headers: &headers, body: &body, ..lines.signed("service") };
    assert!(matches!(internals::verify(&other), Some(Err(_))), "another body");
    let uri = format!("{path}/x?{query}");
    let other = Signed { headers: &headers, uri: &uri, ..lines.signed("service") };
    assert!(!matches!(internals::verify(&other), Some(Ok(_))), "another path");
    let uri = format!("{path}?{query}&a=b");
    let other = Signed { headers: &headers, uri: &uri, ..lines.signed("service") };
    assert!(!matches!(internals::verify(&other), Some(Ok(_))), "another query");
}

fn check_canonical(path: &str, query: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%/".contains(&byte);
    let path = internals::canonical_path(path);
    assert!(path.starts_with('/') && path.bytes().all(plain), "{path}");
    let middle = path.strip_prefix('/').unwrap();
    let middle = middle.strip_suffix('/').unwrap_or(middle);
    let is_segment = |segment: &str| !["", ".", ".."].contains(&segment);
    assert!(middle.is_empty() || middle.split('/').all(is_segment), "{path}");
    let once = internals::canonical_query(query);
    assert_eq!(internals::canonical_query(&once), once, "{query}");
}
