//! Resource policies.

use super::input::{Input, text};
use crate::world::memory::World;
use serde_json::{Value, json};
use std::sync::LazyLock;
use strongroom::__internals::model::{RecordId, Scope, SecretRecord, Tag};
use strongroom::__internals::semantics::internals;

/// A secret with tags, created by the rules themselves.
static RECORD: LazyLock<SecretRecord> = LazyLock::new(|| {
    let mut world = World::default();
    world.create("app/db", "t", Some("v")).unwrap();
    let mut record = world.view.secrets.into_values().next().unwrap();
    let tag = |key: &str, value: &str| Tag { key: key.into(), value: value.into() };
    record.tags = Some(vec![tag("env", "prod"), tag("Team", "a b")]);
    record.id = RecordId([1; 16]);
    record
});

const ACTIONS: [&str; 4] =
    ["GetSecretValue", "PutSecretValue", "PutResourcePolicy", "DescribeSecret"];

/// Another JSON parser also accepts an accepted policy, and its output has the same meaning. With an added
/// Deny of everything, the policy denies everything and allows its own account nothing more.
pub(super) fn policy(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let action = ACTIONS[usize::from(input.u8() % 4)];
    let text = text(input.rest());
    let Ok(policy) = internals::policy(text) else { return };
    let another = serde_json::from_str::<serde::de::IgnoredAny>(text);
    assert!(another.is_ok(), "only we read this as JSON: {text}");
    let callers = [Scope::default(), Scope::new("111122223333", "eu-west-1")];
    let verdicts = callers.each_ref().map(|caller| policy.verdict(caller, action, &RECORD));
    // The parsers differ only in numbers: the other one limits them or writes them in another way.
    let Ok(mut document) = serde_json::from_str::<Value>(text) else { return };
    if has_number(&document) {
        return;
    }
    let again = internals::policy(&document.to_string()).expect("it is the same policy");
    assert_eq!(again.is_broad(), policy.is_broad());
    for (caller, verdict) in callers.iter().zip(verdicts) {
        assert_eq!(again.verdict(caller, action, &RECORD), verdict, "{text}");
    }
    let statement = document["Statement"].take();
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"});
    let mut statements = match statement {
        Value::Array(items) => items,
        one => vec![one],
    };
    statements.push(deny);
    document["Statement"] = Value::Array(statements);
    let denies = internals::policy(&document.to_string()).expect("one more statement");
    for caller in &callers {
        assert_eq!(denies.verdict(caller, action, &RECORD), Some(false), "{document}");
    }
}

fn has_number(value: &Value) -> bool {
    match value {
        Value::Number(_) => true,
        Value::Array(items) => items.iter().any(has_number),
        Value::Object(members) => members.values().any(has_number),
        _ => false,
    }
}
