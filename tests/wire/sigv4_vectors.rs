//! AWS's published Signature Version 4 test suite against the server's verifier.

use serde_json::Value;
use strongroom::__internals::wire::internals::{Judgement, Signed, canonical_path, verify};

/// The suite; the file names its source and its licence.
fn suite() -> Value {
    serde_json::from_str(include_str!("../data/sigv4_vectors.json")).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

/// What the verifier says of a vector, its headers changed by `change` before.
fn judged(
    suite: &Value,
    vector: &Value,
    change: impl Fn(&str, &str) -> String,
) -> Option<Judgement> {
    let headers: Vec<(String, String)> = vector["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
        // The value begins behind the colon; spaces there are HTTP's, not the value's.
        .map(|(name, value)| (name.to_owned(), change(name, value.trim())))
        .collect();
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    verify(&Signed {
        service: "service",
        method: text(vector, "method"),
        uri: text(vector, "uri"),
        headers: &headers,
        body: text(vector, "body").as_bytes(),
        pair: (text(suite, "access_key_id"), text(suite, "secret_access_key")),
        now: text(suite, "timestamp"),
    })
}

/// WIRE-SIG-11: which vectors are not accepted, and why.
fn refusal_of(name: &str) -> Option<&'static str> {
    Some(match name {
        // Only the path is published of these.
        "double-encode-path" | "double-url-encode" => "no signature",
        // No HTTP request can say them: a folded header, a space in the request line.
        "get-header-value-multiline" | "get-space-normalized" | "get-space-unnormalized" => {
            "no request"
        }
        // A signed header stands once (WIRE-SIG-6).
        "get-header-key-duplicate" | "get-header-value-order" => "InvalidSignatureException",
        // A path of slashes alone may be signed as it was sent (WIRE-SIG-5).
        "get-slash-unnormalized" => return None,
        // Paths are normalized for every service but S3 (WIRE-SIG-5).
        name if name.ends_with("-unnormalized") => "InvalidSignatureException",
        // No temporary credentials are issued (WIRE-SIG-10).
        "get-vanilla-with-session-token" | "post-sts-header-after" | "post-sts-header-before" => {
            "UnrecognizedClientException"
        }
        _ => return None,
    })
}

/// WIRE-SIG-11: all signatures of the suite that this protocol can carry are accepted, and the
/// others refused for the reason that the rules give.
#[test]
fn published_signatures_are_judged_as_the_rules_say() {
    let suite = suite();
    let mut accepted = 0;
    for vector in suite["vectors"].as_array().unwrap() {
        let name = text(vector, "name");
        let expected = refusal_of(name);
        if expected == Some("no signature") {
            continue;
        }
        match (judged(&suite, vector, |_, value| value.to_owned()), expected) {
            (Some(Ok(scope)), None) => {
                assert_eq!(scope, ("000000000000".into(), text(&suite, "region").into()), "{name}");
                accepted += 1;
            }
            (Some(Err((exception, _))), Some(expected)) => {
                assert_eq!(exception, expected, "{name}")
            }
            (None, Some("no request")) => (),
            (judgement, expected) => panic!("{name}: {judgement:?}, expected {expected:?}"),
        }
    }
    assert_eq!(accepted, 25);
}

/// WIRE-SIG-5: the canonical paths of the suite, also of requests that no HTTP message can carry.
#[test]
fn published_paths_have_the_published_form() {
    let suite = suite();
    let mut seen = 0;
    for vector in suite["vectors"].as_array().unwrap() {
        if let (Some(path), Some(canonical)) =
            (vector["path"].as_str(), vector["canonical_path"].as_str())
        {
            assert_eq!(canonical_path(path), canonical, "{path}");
            seen += 1;
        }
    }
    assert_eq!(seen, 2);
    assert_eq!(canonical_path("/example space/"), "/example%20space/");
}

/// The acceptance above means something: with one header changed, none is accepted.
#[test]
fn no_published_signature_survives_a_change() {
    let suite = suite();
    let mut refused = 0;
    for vector in suite["vectors"].as_array().unwrap() {
        if refusal_of(text(vector, "name")).is_some() {
            continue;
        }
        let names: Vec<_> = vector["headers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| pair[0].as_str().unwrap())
            .collect();
        for changed in names {
            let judgement = judged(&suite, vector, |name, value| {
                if name == changed { format!("{value}0") } else { value.to_owned() }
            });
            assert!(matches!(judgement, Some(Err(_))), "{} {changed}", vector["name"]);
            refused += 1;
        }
    }
    assert!(refused > 70, "{refused}");
}
