//! Signatures over the wire. The verifier's own tests change every byte; here is that it is asked.

use crate::client::{KEY_ID, NOW, Request, Response, Running, SECRET};
use strongroom::__internals::wire::{Auth, Limits};

fn exchange(server: &Running, change: impl FnOnce(Request) -> Request) -> Response {
    let mut wire = server.connect();
    let request = Request::new(&wire.host, "ListSecrets", b"{}");
    wire.exchange(&change(request).bytes())
}

#[track_caller]
fn refused(response: &Response, exception: &str, text: &str) {
    response.is(400, &format!(r#"{{"__type":"{exception}","message":"{text}"}}"#));
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you \
    provided. Check your AWS Secret Access Key and signing method. Consult the service \
    documentation for details.";

#[test]
fn only_a_good_signature_is_answered() {
    let server = Running::start(Auth::SigV4, Limits::default());
    exchange(&server, Request::well_signed).is(200, r#"{"SecretList":[]}"#);

    refused(
        &exchange(&server, |request| request),
        "MissingAuthenticationTokenException",
        "Request is missing Authentication Token",
    );
    let wrong = exchange(&server, |request| request.signed(KEY_ID, "wrong", "us-east-1", NOW));
    refused(&wrong, "InvalidSignatureException", MISMATCH);
    let stranger =
        exchange(&server, |request| request.signed("AKIANOBODY", SECRET, "us-east-1", NOW));
    refused(
        &stranger,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    );
    let old = exchange(&server, |r| r.signed(KEY_ID, SECRET, "us-east-1", "20260102T025904Z"));
    refused(
        &old,
        "InvalidSignatureException",
        "Signature expired: 20260102T025904Z is now earlier than 20260102T025905Z \
         (20260102T030405Z - 5 min.)",
    );
    let early = exchange(&server, |r| r.signed(KEY_ID, SECRET, "us-east-1", "20260102T030906Z"));
    refused(
        &early,
        "InvalidSignatureException",
        "Signature not yet current: 20260102T030906Z is still later than 20260102T030905Z \
         (20260102T030405Z + 5 min.)",
    );
}

#[test]
fn what_was_signed_cannot_be_turned_into_something_else() {
    let server = Running::start(Auth::SigV4, Limits::default());
    let changed = exchange(&server, |request| {
        request.well_signed().set("x-amz-target", "secretsmanager.DeleteSecret")
    });
    refused(&changed, "InvalidSignatureException", MISMATCH);
    let changed = exchange(&server, |request| {
        let mut request = request.well_signed();
        request.body = b"[]".to_vec();
        request
    });
    refused(&changed, "InvalidSignatureException", MISMATCH);
    let changed = exchange(&server, |request| request.well_signed().line("POST /?a=b HTTP/1.1"));
    refused(&changed, "InvalidSignatureException", MISMATCH);
    let added = exchange(&server, |request| request.well_signed().with("x-amz-other", "1"));
    refused(
        &added,
        "InvalidSignatureException",
        "'x-amz-other' must be a 'SignedHeader' in the AWS Authorization.",
    );
}

/// AWS looks at the operation before it looks at who asks, and at the body after.
#[test]
fn the_order_of_the_checks_is_the_one_of_aws() {
    let server = Running::start(Auth::SigV4, Limits::default());
    let unknown = exchange(&server, |request| request.set("x-amz-target", "secretsmanager.X"));
    unknown.is(400, r#"{"__type":"UnknownOperationException"}"#);
    let mut wire = server.connect();
    let request = Request::new(&wire.host, "ListSecrets", b"not json");
    let response = wire.exchange(&request.bytes());
    assert!(response.text().contains("MissingAuthenticationTokenException"));
    let response = wire.exchange(&request.well_signed().bytes());
    response.is(400, r#"{"__type":"SerializationException"}"#);
}
