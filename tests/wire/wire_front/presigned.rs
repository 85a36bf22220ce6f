//! Requests that are signed in their query.

use crate::client::{KEY_ID, NOW, Request, Response, Running};
use serde_json::json;
use strongroom::__internals::wire::{Auth, Limits};

/// What every one of them says, in AWS's order.
const PARAMETERS: [(&str, &str); 5] = [
    ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
    ("X-Amz-Credential", "AKIAWIRETEST%2F20260102%2Fus-east-1%2Fsecretsmanager%2Faws4_request"),
    ("X-Amz-Signature", "0000000000000000000000000000000000000000000000000000000000000000"),
    ("X-Amz-SignedHeaders", "host%3Bx-amz-target"),
    ("X-Amz-Date", NOW),
];

/// A line with these parameters.
fn line(parameters: &[(&str, &str)]) -> String {
    let query: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("POST /?{}&X-Amz-Expires=300 HTTP/1.1", query.join("&"))
}

#[track_caller]
fn is_refused(response: &Response, exception: &str, text: &str) {
    let expected = json!({"__type": exception, "message": text});
    assert_eq!((response.status, response.json()), (400, expected));
}

/// WIRE-SIG-12: each refusal says what to do; the signature is not looked at.
#[test]
fn a_signed_query_is_refused_with_the_reason() {
    assert!(PARAMETERS[1].1.starts_with(KEY_ID));
    let server = Running::start(Auth::SigV4, Limits::default());
    let wire = server.connect();
    let plain = Request::new(&wire.host, "ListSecrets", b"{}");
    let send = |request: Request| server.connect().exchange(&request.bytes());
    is_refused(
        &send(plain.clone().line(&line(&PARAMETERS))),
        "InvalidSignatureException",
        "Requests signed in their query string are not accepted here. Sign the request in its \
         'Authorization' header.",
    );
    // A header beside it is refused before its signature is looked at.
    let both = plain.clone().well_signed().line(&line(&PARAMETERS));
    is_refused(
        &send(both),
        "InvalidSignatureException",
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    );
    for (missing, (name, _)) in PARAMETERS.iter().enumerate().skip(1) {
        let mut rest = PARAMETERS.to_vec();
        rest.remove(missing);
        is_refused(
            &send(plain.clone().line(&line(&rest))),
            "IncompleteSignatureException",
            &format!(
                "AWS query-string parameters must include '{name}'. Re-examine the query-string \
                 parameters."
            ),
        );
    }
    let told: Vec<String> = PARAMETERS
        .iter()
        .map(|(name, _)| format!("AWS query-string parameters must include '{name}'. "))
        .collect();
    is_refused(
        &send(plain.clone().line("POST /?X-Amz-Algorithm HTTP/1.1")),
        "IncompleteSignatureException",
        &format!("{}Re-examine the query-string parameters.", told.concat()),
    );
    // Where nobody is asked who they are, the query means nothing.
    let open = Running::open();
    let wire = open.connect();
    let request = Request::new(&wire.host, "ListSecrets", b"{}").line(&line(&PARAMETERS));
    open.connect().exchange(&request.bytes()).ok();
}

/// WIRE-SIG-12, WIRE-STS-3: STS as well, in its own words.
#[test]
fn a_presigned_question_who_i_am_is_refused() {
    let server = Running::start(Auth::SigV4, Limits::default());
    let query = line(&PARAMETERS).replace("secretsmanager", "sts");
    let query = query.replace("POST /?", "GET /?Action=GetCallerIdentity&Version=2011-06-15&");
    let wire = server.connect();
    let request = Request::new(&wire.host, "", b"").without("x-amz-target").line(&query);
    let response = server.connect().exchange(&request.bytes());
    assert_eq!(response.status, 403);
    assert!(response.text().contains("<Code>SignatureDoesNotMatch</Code>"), "{}", response.text());
    assert!(response.text().contains("not accepted here"), "{}", response.text());
}
