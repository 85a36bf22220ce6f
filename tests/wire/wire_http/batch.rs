//! `BatchGetSecretValue` and `GetRandomPassword`, as their clients see them.

use crate::client::Running;
use serde_json::{Value, json};

const T1: &str = "11111111-1111-1111-1111-111111111111";
const NOT_FOUND: &str = "Secrets Manager can't find the specified secret.";

fn create(server: &Running, name: &str, value: Value) -> String {
    let mut body = json!({"Name": name, "ClientRequestToken": T1});
    body.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    let created = server.call("CreateSecret", &body.to_string()).ok();
    created["ARN"].as_str().unwrap().to_owned()
}

fn batch(server: &Running, body: Value) -> Value {
    server.call("BatchGetSecretValue", &body.to_string()).ok()
}

fn error(id: &str, code: &str, message: &str) -> Value {
    json!({"SecretId": id, "ErrorCode": code, "Message": message})
}

/// SEM-BATCH-3: in the order of the ids, each under what it was asked for; SEM-BATCH-8.
#[test]
fn a_batch_by_ids_answers_each_secret_or_says_why_not() {
    let server = Running::open();
    let text = create(&server, "text", json!({"SecretString": "\u{0}\"\u{1f511}"}));
    let binary = create(&server, "binary", json!({"SecretBinary": "AP8="}));
    create(&server, "empty", json!({}));
    create(&server, "leaving", json!({"SecretString": "x"}));
    server.call("DeleteSecret", r#"{"SecretId":"leaving"}"#).ok();

    let partial = binary.rsplit_once('-').unwrap().0;
    let ids = [partial, "nobody", "text", "empty", "a b", "leaving", "text"];
    let found = batch(&server, json!({"SecretIdList": ids, "NextToken": "of no meaning"}));
    let dates: Vec<Value> = found["SecretValues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["CreatedDate"].clone())
        .collect();
    assert!(dates.iter().all(Value::is_f64), "{dates:?}");
    let entry = |arn: &str, name: &str, member: &str, value: &str, date: &Value| {
        json!({
            "ARN": arn, "Name": name, "VersionId": T1, member: value,
            "VersionStages": ["AWSCURRENT"], "CreatedDate": date,
        })
    };
    let text_value = "\u{0}\"\u{1f511}";
    let bad_name = "Invalid name. Must be a valid name containing alphanumeric characters, or any \
                    of the following: -/_+=.@!";
    let marked =
        "You can't perform this operation on the secret because it was marked for deletion.";
    let no_value =
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
    let expected = json!({
        "SecretValues": [
            entry(&binary, "binary", "SecretBinary", "AP8=", &dates[0]),
            entry(&text, "text", "SecretString", text_value, &dates[1]),
            entry(&text, "text", "SecretString", text_value, &dates[2]),
        ],
        "Errors": [
            error("nobody", "ResourceNotFoundException", NOT_FOUND),
            error("empty", "ResourceNotFoundException", no_value),
            error("a b", "ValidationException", bad_name),
            error("leaving", "InvalidRequestException", marked),
        ],
    });
    assert_eq!(found, expected);
    let described = server.call("DescribeSecret", r#"{"SecretId":"text"}"#).ok();
    assert!(described["LastAccessedDate"].is_f64(), "{described}");
    let described = server.call("DescribeSecret", r#"{"SecretId":"empty"}"#).ok();
    assert_eq!(described["LastAccessedDate"], Value::Null);
}

/// SEM-BATCH-7: pages by filters, what has no value under its ARN, `Errors` though empty.
#[test]
fn a_batch_by_filters_goes_page_by_page() {
    let server = Running::open();
    for number in 0..25 {
        create(&server, &format!("s{number:02}"), json!({"SecretString": number.to_string()}));
    }
    let empty = create(&server, "s-empty", json!({}));
    let filters = json!([{"Key": "name", "Values": ["s"]}]);
    let mut seen = Vec::new();
    let first = batch(&server, json!({"Filters": filters}));
    assert_eq!(first["Errors"], json!([]));
    assert_eq!(first["SecretValues"].as_array().unwrap().len(), 20);
    let second = batch(&server, json!({"Filters": filters, "NextToken": first["NextToken"]}));
    assert_eq!(second.get("NextToken"), None);
    let no_value =
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
    assert_eq!(second["Errors"], json!([error(&empty, "ResourceNotFoundException", no_value)]));
    for page in [first, second] {
        seen.extend(page["SecretValues"].as_array().unwrap().iter().map(|entry| {
            (entry["Name"].as_str().unwrap().to_owned(), entry["SecretString"].clone())
        }));
    }
    let expected: Vec<_> =
        (0..25).map(|n| (format!("s{n:02}"), Value::from(n.to_string()))).collect();
    assert_eq!(seen, expected);
    assert_eq!(
        batch(&server, json!({"Filters": [{"Key": "name", "Values": ["none"]}]})),
        json!({"SecretValues": [], "Errors": []})
    );
}

/// SEM-BATCH-1, SEM-BATCH-2: the whole call is refused.
#[test]
fn a_batch_that_makes_no_sense_is_refused() {
    let server = Running::open();
    server.call("BatchGetSecretValue", "{}").is(
        400,
        r#"{"__type":"InvalidParameterException","Message":"Either 'SecretIdList' or 'Filters' must be provided, but not both."}"#,
    );
    server.call("BatchGetSecretValue", r#"{"SecretIdList":["a"],"MaxResults":2}"#).is(
        400,
        r#"{"__type":"InvalidParameterException","Message":"'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided."}"#,
    );
    server.call("BatchGetSecretValue", r#"{"SecretIdList":[]}"#).is(
        400,
        r#"{"__type":"ValidationException","message":"1 validation error detected: Value '[]' at 'secretIdList' failed to satisfy constraint: Member must have length greater than or equal to 1"}"#,
    );
}

/// Twenty of the largest values, every character of which takes six in JSON.
#[test]
fn a_batch_holds_twenty_of_the_largest_values() {
    let server = Running::open();
    let value = "\u{1}".repeat(65_536);
    let names: Vec<String> = (0..20).map(|number| format!("large{number}")).collect();
    for name in &names {
        create(&server, name, json!({"SecretString": value}));
    }
    let found = batch(&server, json!({"SecretIdList": names}));
    let values = found["SecretValues"].as_array().unwrap();
    assert_eq!(values.len(), 20);
    assert!(values.iter().all(|entry| entry["SecretString"] == value.as_str()));
}

/// SEM-PW-1, SEM-PW-2, SEM-PW-7
#[test]
fn a_password_comes_alone() {
    let server = Running::open();
    let password = |body: &str| {
        let answer = server.call("GetRandomPassword", body).ok();
        assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
        answer["RandomPassword"].as_str().unwrap().to_owned()
    };
    let (one, two) = (password("{}"), password("{}"));
    assert_eq!((one.len(), two.len()), (32, 32));
    assert_ne!(one, two);
    // What Terraform sends.
    let terraform = r#"{"ExcludeLowercase":false,"ExcludeNumbers":false,"ExcludePunctuation":true,
        "ExcludeUppercase":false,"IncludeSpace":false,"PasswordLength":40,
        "RequireEachIncludedType":false,"ExcludeCharacters":"abc"}"#;
    let drawn = password(terraform);
    assert_eq!(drawn.len(), 40);
    assert!(drawn.chars().all(|c| c.is_ascii_alphanumeric() && !"abc".contains(c)), "{drawn}");
    let quoted = r#"{"ExcludeLowercase":true,"ExcludeNumbers":true,"ExcludeUppercase":true,
        "ExcludeCharacters":"!#$%&'()*+,-./:;<=>?@[]^_`{|}~","PasswordLength":9}"#;
    assert!(password(quoted).chars().all(|c| "\"\\".contains(c)));
    server.call("GetRandomPassword", r#"{"PasswordLength":3}"#).is(
        400,
        r#"{"__type":"InvalidParameterException","Message":"Password length is too short based on the required types."}"#,
    );
    server.call("GetRandomPassword", r#"{"PasswordLength":0}"#).is(
        400,
        r#"{"__type":"ValidationException","message":"1 validation error detected: Value '0' at 'passwordLength' failed to satisfy constraint: Member must have value greater than or equal to 1"}"#,
    );
}
