//! The published examples of the algorithm.

use super::super::canonical;
use super::super::signing::{Use, signing_key};
use super::*;

#[test]
fn the_published_signing_keys_are_derived() {
    for (day, service, expected) in [
        ("20120215", "iam", "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"),
        ("20150830", "iam", "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"),
    ] {
        let secret = SecretBytes::copy_from(SECRET.as_bytes());
        let key = signing_key(&secret, Use { day, region: "us-east-1", service });
        assert_eq!(hex::encode(*key), expected);
    }
}

/// Goal: our canonical form is the published one. Method: the signatures of AWS's test suite, which
/// cover every byte of it.
#[test]
fn the_published_requests_have_the_published_signatures() {
    let host = ("host", "example.amazonaws.com");
    let date = ("x-amz-date", NOW);
    for (method, uri, headers, signed, service, expected) in [
        (
            "GET",
            "/",
            vec![host, date],
            "host;x-amz-date",
            "service",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "POST",
            "/",
            vec![host, date],
            "host;x-amz-date",
            "service",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            vec![host, date],
            "host;x-amz-date",
            "service",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "GET",
            "/",
            vec![host, ("my-header1", "  value1"), ("my-header2", "\"a   b   c\""), date],
            "host;my-header1;my-header2;x-amz-date",
            "service",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "GET",
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            vec![host, date],
            "host;x-amz-date",
            "service",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "GET",
            "/example/..",
            vec![host, date],
            "host;x-amz-date",
            "service",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "GET",
            "/?Action=ListUsers&Version=2010-05-08",
            vec![
                ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
                ("host", "iam.amazonaws.com"),
                date,
            ],
            "content-type;host;x-amz-date",
            "iam",
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
    ] {
        let head = head(method, uri, &headers);
        let signed: Vec<&str> = signed.split(';').collect();
        let hash = canonical::hash(b"");
        let canonical =
            canonical::request(&head, &canonical::path(head.uri.path()), &signed, &hash).unwrap();
        let canonical = String::from_utf8(canonical).unwrap();
        let scope = format!("20150830/us-east-1/{service}/aws4_request");
        assert_eq!(sign(SECRET, &scope, NOW, &canonical), expected, "{uri} {canonical}");
    }
}

#[test]
fn paths_and_queries_have_one_form() {
    for (raw, expected) in [
        ("/", "/"),
        ("", "/"),
        ("//", "/"),
        ("/./", "/"),
        ("/../", "/"),
        ("/a/./b/../c", "/a/c"),
        ("//a//b/", "/a/b/"),
        ("/a b", "/a%20b"),
        ("/a%20b", "/a%2520b"),
        ("/\u{1234}", "/%E1%88%B4"),
    ] {
        assert_eq!(canonical::path(raw), expected, "{raw:?}");
    }
    for (raw, expected) in [
        ("", ""),
        ("a", "a="),
        ("b=2&a=1", "a=1&b=2"),
        ("a=2&a=1&A=3", "A=3&a=1&a=2"),
        ("a=b=c", "a=b%3Dc"),
        ("a=%7e%2f", "a=~%2F"),
        ("a=%zz&b=%2", "a=%25zz&b=%252"),
        ("a=x+y", "a=x%2By"),
        ("a=%2525", "a=%2525"),
        ("&&a=1&", "a=1"),
    ] {
        assert_eq!(canonical::query(raw), expected, "{raw:?}");
    }
}
