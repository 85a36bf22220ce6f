#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

fn read_text(json: &[u8]) -> Option<String> {
    match parse(json) {
        Ok(Node::String(text)) => Some(text.to_string()),
        _ => None,
    }
}

#[test]
fn every_escape_of_a_request_is_understood() {
    let json = br#""\u0000\u001f\"\\\/\b\f\n\r\t\ud83d\ude00\u00e9""#;
    assert_eq!(read_text(json).unwrap(), "\0\u{1f}\"\\/\u{8}\u{c}\n\r\t\u{1f600}\u{e9}");
}

/// WIRE-JSON-1
#[test]
fn half_a_surrogate_pair_is_not_text() {
    for json in [
        &br#""\ud83d""#[..],
        br#""\ude00""#,
        br#""\ud83d\ud83d""#,
        br#""\ude00\ud83d""#,
        br#""\ud83dx""#,
        b"\"\xed\xa0\xbd\"",
        b"\"\xff\"",
        b"\"\xc0\x80\"",
        b"\"a\nb\"",
    ] {
        assert!(parse(json).is_err(), "{json:?}");
    }
}

/// WIRE-JSON-1
#[test]
fn what_is_not_exactly_one_value_is_refused() {
    for json in [
        "",
        " ",
        "{",
        "}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "[1,]",
        "{} {}",
        "{}x",
        "nul",
        "01",
        "+1",
        "1.",
        "\"",
        "'a'",
        "{\"a\":1",
        "\u{feff}{}",
        "NaN",
        "1e999",
    ] {
        assert!(parse(json.as_bytes()).is_err(), "{json:?}");
    }
}

/// WIRE-JSON-3
#[test]
fn numbers_are_cut_and_clamped() {
    for (json, expected) in [
        ("0", 0),
        ("-3", -3),
        ("2.9", 2),
        ("-2.9", -2),
        ("1e2", 100),
        ("9223372036854775807", i64::MAX),
        ("9223372036854775808", i64::MAX),
        ("1e300", i64::MAX),
        ("-1e300", i64::MIN),
    ] {
        assert!(matches!(parse(json.as_bytes()), Ok(Node::Number(n)) if n == expected), "{json}");
    }
}

/// WIRE-JSON-1
#[test]
fn nesting_and_number_of_values_are_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(32).as_bytes()).is_ok());
    assert!(parse(nested(33).as_bytes()).is_err());
    assert!(parse(nested(100_000).as_bytes()).is_err());
    assert!(parse(&b"[".repeat(100_000)).is_err());

    let zeros = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
    assert!(parse(zeros(19_999).as_bytes()).is_ok());
    assert!(parse(zeros(20_000).as_bytes()).is_err());
}

/// WIRE-JSON-4
#[test]
fn base64_is_read_strictly() {
    for text in ["A", "AA", "AAA", "AA=", "AAAA=", "AA==AA==", "A-_A", "A A=", "AAAA\n", "QQ=a"] {
        assert!(base64_decoded(text).is_none(), "{text:?}");
    }
    assert!(base64_decoded("").unwrap().is_empty());
}
