#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;
use crate::model::api::{Operation, Read, Request, Write};
use crate::secret::SecretValue;
use crate::semantics::FaultKind;

use crate::wire::json::parse;
use crate::wire::reply::ReplyError;

fn call(operation: Operation, json: &str) -> Request {
    read(operation, parse(json.as_bytes()).ok().unwrap()).ok().unwrap()
}

#[test]
fn a_create_keeps_every_member() {
    let json = r#"{"Name":"n","ClientRequestToken":"t","Description":"","KmsKeyId":"k",
        "SecretString":"a\u0000\n","Tags":[{"Key":"a","Value":"b"},{"Key":"c"}]}"#;
    let Request::Write(Write::CreateSecret(request)) = call(Operation::CreateSecret, json) else {
        panic!("a create is a write");
    };
    assert_eq!(request.name, "n");
    assert_eq!(request.client_request_token.as_deref(), Some("t"));
    assert_eq!(request.description.as_deref(), Some(""));
    assert_eq!(request.kms_key_id.as_deref(), Some("k"));
    let value = request.value.unwrap();
    assert!(matches!(&value, SecretValue::String(text) if text.expose() == b"a\0\n"));
    let tags = request.tags.unwrap();
    assert_eq!((tags[0].key.as_str(), tags[0].value.as_str()), ("a", "b"));
    assert_eq!((tags[1].key.as_str(), tags[1].value.as_str()), ("c", ""));
}

#[test]
fn a_put_without_options_has_none() {
    let json = r#"{"SecretId":"s","SecretBinary":"AP8=","VersionStages":null}"#;
    let Request::Write(Write::PutSecretValue(request)) = call(Operation::PutSecretValue, json)
    else {
        panic!("a put is a write");
    };
    assert_eq!(request.client_request_token, None);
    assert_eq!(request.version_stages, None);
    let value = request.value.unwrap();
    assert!(matches!(&value, SecretValue::Binary(bytes) if bytes.expose() == [0, 255]));
}

#[test]
fn a_list_keeps_its_filters() {
    let json = r#"{"Filters":[{"Key":"name","Values":["a","!b"]},{}],"MaxResults":3.7}"#;
    let Request::Read(Read::ListSecrets(request)) = call(Operation::ListSecrets, json) else {
        panic!("a list is a read");
    };
    let filters = request.filters.unwrap();
    assert_eq!(filters[0].key.as_deref(), Some("name"));
    assert_eq!(filters[0].values.as_deref(), Some(&["a".to_owned(), "!b".to_owned()][..]));
    assert!(filters[1].key.is_none() && filters[1].values.is_none());
    assert_eq!(request.max_results, Some(3));
}

#[test]
fn a_rotation_keeps_every_member() {
    let json = r#"{"SecretId":"s","ClientRequestToken":"t","RotationLambdaARN":"f",
        "RotationRules":{"AutomaticallyAfterDays":7,"Duration":"3h","ScheduleExpression":"e"},
        "RotateImmediately":false,"ExternalSecretRotationRoleArn":"r",
        "ExternalSecretRotationMetadata":[{"Key":"k","Value":"v"},{}]}"#;
    let Request::Write(Write::RotateSecret(request)) = call(Operation::RotateSecret, json) else {
        panic!("a rotation is a write");
    };
    assert_eq!(request.client_request_token.as_deref(), Some("t"));
    assert_eq!(request.rotation_lambda_arn.as_deref(), Some("f"));
    assert_eq!(request.rotate_immediately, Some(false));
    assert_eq!(request.external_role_arn.as_deref(), Some("r"));
    let items = request.external_metadata.unwrap();
    assert_eq!((items[0].key.as_str(), items[0].value.as_str()), ("k", "v"));
    assert_eq!((items[1].key.as_str(), items[1].value.as_str()), ("", ""));
    let rules = request.rotation_rules.unwrap();
    assert_eq!(rules.automatically_after_days, Some(7));
    assert_eq!(rules.duration.as_deref(), Some("3h"));
    assert_eq!(rules.schedule_expression.as_deref(), Some("e"));
    let json = r#"{"SecretId":"s","RotationRules":null}"#;
    let Request::Write(Write::RotateSecret(request)) = call(Operation::RotateSecret, json) else {
        panic!("a rotation is a write");
    };
    assert_eq!((request.rotation_rules, request.rotate_immediately), (None, None));
}

#[test]
fn two_values_are_one_too_many() {
    let json = r#"{"SecretId":"s","SecretBinary":"AP8=","SecretString":"x"}"#;
    let body = parse(json.as_bytes()).ok().unwrap();
    let failure = read(Operation::PutSecretValue, body).err().unwrap();
    assert!(matches!(failure, ReplyError::Fault(f) if f.kind == FaultKind::InvalidParameter));
}
