#![allow(clippy::unwrap_used)]

use super::*;
use crate::wire::json::parse;

static TABLE: Members = &[&[
    Member::required("SecretId", Kind::Text),
    Member::optional("Number", Kind::Integer),
    Member::optional("Days", Kind::Long),
    Member::optional("Flag", Kind::Boolean),
    Member::sensitive("Blob", Kind::Blob),
    Member::optional("Names", Kind::List(&Kind::Text)),
    Member::optional("Tags", Kind::List(&Kind::Structure(TAG))),
    Member::optional("Rules", Kind::Structure(TAG)),
]];
static TAG: Members =
    &[&[Member::required("Key", Kind::Text), Member::optional("Value", Kind::Text)]];

fn check(json: &str) -> Result<Fields, String> {
    Fields::check(parse(json.as_bytes()).ok().unwrap(), TABLE)
        .map_err(|failure| String::from_utf8(failure.reply().content.unwrap().to_vec()).unwrap())
}

#[track_caller]
fn refused(json: &str, expected: &str) {
    assert_eq!(check(json).err().as_deref(), Some(expected), "{json}");
}

#[track_caller]
fn wrong_type(json: &str, message: &str) {
    let expected = format!(r#"{{"__type":"SerializationException","Message":"{message}"}}"#);
    refused(json, &expected);
}

#[test]
fn a_wrong_type_is_reported_in_the_words_of_aws() {
    for (member, value, message) in [
        ("Number", r#""1""#, "STRING_VALUE can not be converted to an Integer"),
        ("Number", "true", "TRUE_VALUE can not be converted to an Integer"),
        ("Days", r#""1""#, "STRING_VALUE can not be converted to a Long"),
        ("SecretId", "1", "NUMBER_VALUE can not be converted to a String"),
        ("SecretId", "true", "TRUE_VALUE can not be converted to a String"),
        ("SecretId", "false", "FALSE_VALUE can not be converted to a String"),
        ("SecretId", "{}", "Start of structure or map found where not expected."),
        ("SecretId", "[]", "Start of list found where not expected"),
        ("Flag", r#""true""#, "STRING_VALUE can not be converted to a Boolean"),
        ("Blob", "1", "NUMBER_VALUE can not be converted to a Blob"),
        ("Blob", r#""not base64""#, "Invalid base64 data"),
        ("Names", r#""a""#, "Expected list or null"),
        ("Names", "{}", "Start of structure or map found where not expected."),
        ("Names", "[1]", "NUMBER_VALUE can not be converted to a String"),
        ("Tags", r#"["a"]"#, "Expected null"),
        ("Tags", r#"[{"Key":[]}]"#, "Start of list found where not expected"),
        ("Rules", r#""a""#, "Expected null"),
        ("Rules", "[]", "Start of list found where not expected"),
    ] {
        wrong_type(&format!(r#"{{"{member}":{value}}}"#), message);
    }
    wrong_type("[]", "Start of list found where not expected");
}

#[test]
fn a_body_that_is_no_object_is_refused_without_a_text() {
    for json in ["null", r#""x""#, "1", "true"] {
        refused(json, r#"{"__type":"SerializationException"}"#);
    }
}

#[test]
fn types_are_checked_before_presence() {
    wrong_type(r#"{"Number":"1"}"#, "STRING_VALUE can not be converted to an Integer");
}

#[test]
fn everything_that_is_missing_is_reported_at_once() {
    let one = "Value null at 'secretId' failed to satisfy constraint: Member must not be null";
    let body = |detail: &str| format!(r#"{{"__type":"ValidationException","message":"{detail}"}}"#);
    for json in ["{}", r#"{"SecretId":null}"#, r#"{"secretid":"x"}"#] {
        refused(json, &body(&format!("1 validation error detected: {one}")));
    }
    let tag =
        "Value null at 'tags.2.member.key' failed to satisfy constraint: Member must not be null";
    let name =
        "Value null at 'names.1.member' failed to satisfy constraint: Member must not be null";
    refused(
        r#"{"Names":[null],"Tags":[{"Key":"a"},{"Value":"b"}]}"#,
        &body(&format!("3 validation errors detected: {one}; {name}; {tag}")),
    );
}

#[test]
fn unknown_members_are_ignored_and_null_is_absence() {
    let mut fields = check(
        r#"{"SecretId":"s","Number":null,"Unknown":[{"x":1}],"Names":null,"Flag":false,"Days":7.9}"#,
    )
    .ok()
    .unwrap();
    assert_eq!(fields.required_text("SecretId"), "s");
    assert_eq!(fields.integer("Number"), None);
    assert_eq!(fields.texts("Names"), None);
    assert_eq!(fields.boolean("Flag"), Some(false));
    assert_eq!(fields.long("Days"), Some(7));
}

#[test]
fn the_last_of_two_members_counts() {
    let mut fields = check(r#"{"SecretId":1,"SecretId":"a","SecretId":"b"}"#).ok().unwrap();
    assert_eq!(fields.required_text("SecretId"), "b");
    assert!(check(r#"{"SecretId":"a","SecretId":null}"#).is_err());
}
