//! One request of this service, with each of its parts changed.

use super::super::region_of;
use super::*;
use crate::env::UnixMillis;

const MISMATCH: &str = "The request signature we calculated does not match the signature you \
    provided. Check your AWS Secret Access Key and signing method. Consult the service \
    documentation for details.";

/// WIRE-SIG-3
#[test]
fn a_signed_request_acts_in_its_keys_account_and_its_scopes_region() {
    assert_eq!(judged(Draft::new().finish()), Ok(Scope::new("000000000000", "eu-west-1")));
    let other = Draft { key_id: "AKIDOTHER".into(), secret: "another".into(), ..Draft::new() };
    assert_eq!(judged(other.finish()), Ok(Scope::new("1", "eu-west-1")));
}

#[test]
fn the_header_sets_of_the_common_clients_are_understood() {
    let go = Draft::new()
        .set("amz-sdk-invocation-id", "6f1bd7f5-bf70-4ae2-bd4b-3b4c9bbdf1d6")
        .set("amz-sdk-request", "attempt=1; max=25")
        .set("content-length", "16")
        .signing(
            "amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;x-amz-date;\
             x-amz-target",
        );
    let paws = Draft::new()
        .set("content-length", "16")
        .signing("content-length;content-type;host;x-amz-date;x-amz-target");
    let hash = sha256(&Draft::new().body);
    let with_hash = Draft::new()
        .set("x-amz-content-sha256", &hash)
        .signing("content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target");
    let javascript = Draft::new()
        .set("x-amz-user-agent", "aws-sdk-js/3.0")
        .signing("content-type;host;x-amz-date;x-amz-target;x-amz-user-agent");
    let unsigned_extras = Draft::new().set("user-agent", "x").set("x-amzn-trace-id", "y");
    for draft in [go, paws, with_hash, javascript, unsigned_extras] {
        assert!(judged(draft.finish()).is_ok());
    }
    // Spaces after the commas are the client's choice.
    let tight = Draft::new().authorization().replace(", ", ",");
    assert!(judged(Draft::new().with("authorization", &tight)).is_ok());
}

#[test]
fn every_single_change_after_signing_is_refused() {
    let mut refusals = 0;
    let mut check = |request: (Parts, Vec<u8>), what: &str| {
        assert!(judged(request).is_err(), "{what}");
        refusals += 1;
    };
    let signed = Draft::new();
    let authorization = signed.authorization();
    for at in 0..signed.body.len() {
        let mut draft = signed.clone();
        draft.body[at] ^= 1;
        check(draft.with("authorization", &authorization), "body");
    }
    for at in 0..64 {
        let mut changed = authorization.clone().into_bytes();
        let place = changed.len() - 64 + at;
        changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
        let changed = String::from_utf8(changed).unwrap();
        check(signed.clone().with("authorization", &changed), "signature");
    }
    for (name, value) in signed.headers.clone() {
        for at in 0..value.len() {
            let mut changed = value.clone().into_bytes();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            let changed = String::from_utf8(changed).unwrap();
            check(signed.clone().set(&name, &changed).with("authorization", &authorization), &name);
        }
        check(signed.clone().remove(&name).with("authorization", &authorization), &name);
        check(signed.clone().add(&name, &value).with("authorization", &authorization), &name);
        check(signed.clone().add(&name, "x").with("authorization", &authorization), &name);
    }
    for uri in ["/a", "/?a", "/?a=b", "/%2F"] {
        let draft = Draft { uri: uri.into(), ..signed.clone() };
        check(draft.with("authorization", &authorization), uri);
    }
    for method in ["GET", "PUT", "post"] {
        check(Draft { method, ..signed.clone() }.with("authorization", &authorization), method);
    }
    let upper = authorization.clone();
    let (start, digits) = upper.split_at(upper.len() - 64);
    let upper = format!("{start}{}", digits.to_uppercase());
    check(signed.clone().with("authorization", &upper), "upper case");
    for changed in [
        authorization.replace("eu-west-1", "us-east-1"),
        authorization.replace("AKIDEXAMPLE", "AKIDOTHER"),
        authorization.replace("content-type;", ""),
        authorization.replace("20150830", "20150831"),
        authorization[..authorization.len() - 1].to_owned(),
        format!("{authorization}0"),
    ] {
        check(signed.clone().with("authorization", &changed), &changed);
    }
    for end in 0..authorization.len() {
        check(signed.clone().with("authorization", &authorization[..end]), "cut short");
    }
    assert!(refusals >= 400, "{refusals}");
}

/// WIRE-SIG-4
#[test]
fn the_operation_and_every_amazon_header_must_be_signed() {
    let must = |name: &str| format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.");
    let invalid = "InvalidSignatureException";
    let unsigned = Draft::new().signing("content-type;host;x-amz-date");
    refused(unsigned.finish(), invalid, &must("x-amz-target"));
    let unsigned = Draft::new().signing("content-type;x-amz-date;x-amz-target");
    refused(unsigned.finish(), invalid, &must("Host"));
    let unsigned = Draft::new().signing("content-type;host;x-amz-target");
    refused(unsigned.finish(), invalid, &must("x-amz-date"));
    let added = Draft::new().set("x-amz-new", "1");
    refused(added.finish(), invalid, &must("x-amz-new"));
    for names in [
        "host;content-type;x-amz-date;x-amz-target",
        "content-type;host;host;x-amz-date;x-amz-target",
        "Content-Type;host;x-amz-date;x-amz-target",
        "absent;content-type;host;x-amz-date;x-amz-target",
        ";content-type;host;x-amz-date;x-amz-target",
    ] {
        refused(Draft::new().signing(names).finish(), invalid, MISMATCH);
    }
}

/// WIRE-SIG-5
#[test]
fn a_hash_in_a_header_does_not_replace_the_body() {
    for claimed in ["UNSIGNED-PAYLOAD", &sha256(b"other"), ""] {
        let draft = Draft::new()
            .set("x-amz-content-sha256", claimed)
            .signing("content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target");
        refused(draft.finish(), "InvalidSignatureException", MISMATCH);
    }
}

/// WIRE-SIG-1, WIRE-SIG-9
#[test]
fn a_missing_authorization_is_distinguished_from_a_malformed_one() {
    let missing = "MissingAuthenticationTokenException";
    let text = "Request is missing Authentication Token";
    let (head, body) = Draft::new().with("x-other", "");
    refused((head, body), missing, text);
    for value in ["", "Bearer abc", "Basic YTpi", "aws4-hmac-sha256 Credential=a"] {
        refused(Draft::new().with("authorization", value), missing, text);
    }
    let twice = Draft::new().authorization();
    refused(Draft::new().add("authorization", &twice).finish(), missing, text);

    let incomplete = "IncompleteSignatureException";
    refused(
        Draft::new().with("authorization", "AWS4-HMAC-SHA512 Credential=a"),
        incomplete,
        "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'",
    );
    refused(
        Draft::new().remove("x-amz-date").with("authorization", "AWS4-HMAC-SHA256 x"),
        incomplete,
        "Authorization header requires 'Credential' parameter. Authorization header requires \
         'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. \
         Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
         Authorization=AWS4-HMAC-SHA256 x",
    );
    let header = "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c, Signature=d";
    refused(
        Draft::new().with("authorization", header),
        incomplete,
        &format!("Authorization header requires 'Signature' parameter. Authorization={header}"),
    );
    refused(
        Draft::new().set("x-amz-date", "2015-08-30").finish(),
        incomplete,
        "Date must be in ISO-8601 'basic format'. Got '2015-08-30'. See \
         http://en.wikipedia.org/wiki/ISO_8601",
    );
    let short = Draft { scope: "20150830/eu-west-1/secretsmanager".into(), ..Draft::new() };
    refused(
        short.finish(),
        incomplete,
        "Credential must have exactly 5 slash-delimited elements, e.g. \
         keyid/date/region/service/term, got 'AKIDEXAMPLE/20150830/eu-west-1/secretsmanager'",
    );
}

/// WIRE-SIG-3
#[test]
fn a_scope_of_something_else_is_refused() {
    for (scope, text) in [
        (
            "20150830/nowhere/secretsmanager/aws4_request",
            "Credential should be scoped to a valid region, not 'nowhere'.",
        ),
        (
            "20150830/eu-west-1/s3/aws4_request",
            "Credential should be scoped to correct service: 'secretsmanager'.",
        ),
        (
            "20150830/eu-west-1/secretsmanager/aws3_request",
            "Credential should be scoped with a valid terminator: 'aws4_request', not \
             'aws3_request'.",
        ),
        (
            "20150829/eu-west-1/secretsmanager/aws4_request",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
             HTTP: '20150829' != '20150830', from '20150830T123600Z'.",
        ),
    ] {
        let draft = Draft { scope: scope.into(), ..Draft::new() };
        refused(draft.finish(), "InvalidSignatureException", text);
    }
}

/// WIRE-SIG-7
#[test]
fn a_stranger_and_a_wrong_secret_are_refused() {
    let stranger = Draft { key_id: "AKIDNOBODY".into(), ..Draft::new() };
    let text = "The security token included in the request is invalid.";
    refused(stranger.finish(), "UnrecognizedClientException", text);
    let wrong = Draft { secret: "wrong".into(), ..Draft::new() };
    refused(wrong.finish(), "InvalidSignatureException", MISMATCH);
    // The stand-in secret of unknown keys opens nothing either.
    let decoy = String::from_utf8(vec![7; 40]).unwrap();
    let stranger = Draft { key_id: "AKIDNOBODY".into(), secret: decoy, ..Draft::new() };
    refused(stranger.finish(), "UnrecognizedClientException", text);
    let session = Draft::new()
        .set("x-amz-security-token", "t")
        .signing("content-type;host;x-amz-date;x-amz-security-token;x-amz-target");
    let text = "The security token included in the request is invalid";
    refused(session.finish(), "UnrecognizedClientException", text);
}

/// WIRE-SIG-8
#[test]
fn a_request_is_good_for_five_minutes_either_way() {
    for (time, fine) in [
        ("20150830T123100Z", true),
        ("20150830T124100Z", true),
        ("20150830T123059Z", false),
        ("20150830T124101Z", false),
    ] {
        assert_eq!(judged(Draft::new().at(time).finish()).is_ok(), fine, "{time}");
    }
    refused(
        Draft::new().at("20150830T123059Z").finish(),
        "InvalidSignatureException",
        "Signature expired: 20150830T123059Z is now earlier than 20150830T123100Z \
         (20150830T123600Z - 5 min.)",
    );
    refused(
        Draft::new().at("20150830T124101Z").finish(),
        "InvalidSignatureException",
        "Signature not yet current: 20150830T124101Z is still later than 20150830T124100Z \
         (20150830T123600Z + 5 min.)",
    );
    // Across midnight the scope's day is the request's, not ours.
    let late = Draft::new().at("20150830T235900Z");
    assert!(judged_at(late.finish(), "20150831T000200Z").is_ok());
}

/// WIRE-SIG-2
#[test]
fn a_request_may_have_a_date_header_instead() {
    for date in ["Sun, 30 Aug 2015 12:36:00 GMT", NOW] {
        let draft = Draft::new()
            .remove("x-amz-date")
            .set("date", date)
            .signing("content-type;date;host;x-amz-target");
        assert!(judged(draft.finish()).is_ok(), "{date}");
    }
    let unsigned = Draft::new()
        .remove("x-amz-date")
        .set("date", NOW)
        .signing("content-type;host;x-amz-target");
    assert!(judged(unsigned.finish()).is_err());
}

#[test]
fn the_fraction_of_our_second_does_not_move_the_window() {
    let now = crate::wire::encoding::time::parse_basic(NOW).unwrap();
    let (head, body) = Draft::new().at("20150830T123100Z").finish();
    assert!(
        verify(&head, &body, &keyring(), Audience::SECRETS_MANAGER, UnixMillis(now.0 + 999))
            .is_ok()
    );
}

#[test]
fn a_region_is_read_without_a_signature() {
    let region = |value: &str| {
        let (head, _) = Draft::new().with("authorization", value);
        region_of(&head.headers).map(str::to_owned)
    };
    let authorization = Draft::new().authorization();
    assert_eq!(region(&authorization).as_deref(), Some("eu-west-1"));
    assert_eq!(region("AWS4-HMAC-SHA256 Credential=a/b/nowhere/d/e"), None);
    assert_eq!(region("Bearer x"), None);
    assert_eq!(region(""), None);
}

/// WIRE-SIG-13: a signing key is kept once a good signature was made with it, and forgotten with its pair.
#[test]
fn signing_keys_are_kept_for_good_signatures_and_as_long_as_their_pair() {
    let now = crate::wire::encoding::time::parse_basic(NOW).unwrap();
    let judged = |keys: &Credentials, draft: Draft| {
        let (head, body) = draft.finish();
        verify(&head, &body, keys, Audience::SECRETS_MANAGER, now)
    };
    let in_region = |n: usize| {
        let scope = format!("20150830/eu-west-{n}/secretsmanager/aws4_request");
        Draft { scope, ..Draft::new() }
    };
    let wrong = |n| Draft { secret: "wrong".into(), ..in_region(n) };
    let keys = keyring();
    for n in 0..20 {
        assert_eq!(judged(&keys, wrong(n)).unwrap_err(), AuthError::mismatch());
        assert_eq!(judged(&keys, in_region(n).at("20150830T110000Z")).unwrap_err().why, Why::Clock);
        assert_eq!(keys.kept_keys(KEY_ID), Some(0), "nothing is kept for strangers");
    }
    for n in 0..20 {
        for _ in 0..2 {
            assert_eq!(&*judged(&keys, in_region(n)).unwrap().0.region, format!("eu-west-{n}"));
            assert_eq!(judged(&keys, wrong(n)).unwrap_err(), AuthError::mismatch());
        }
        assert_eq!(keys.kept_keys(KEY_ID), Some((n + 1).min(8)));
    }
    assert_eq!(keys.kept_keys("AKIDOTHER"), Some(0));
    let revoked = keys.with_pairs(Vec::new());
    assert_eq!(judged(&revoked, in_region(19)).unwrap_err().why, Why::UnknownKey);
    // The same name with another secret.
    let pair = Credential {
        access_key_id: KEY_ID.into(),
        account: "000000000000".into(),
        secret_access_key: SecretBytes::copy_from(b"wrong"),
    };
    let renewed = keys.with_pairs(vec![pair]);
    assert_eq!(renewed.kept_keys(KEY_ID), Some(0));
    assert_eq!(judged(&renewed, in_region(19)).unwrap_err(), AuthError::mismatch());
    assert!(judged(&renewed, wrong(19)).is_ok());
}
