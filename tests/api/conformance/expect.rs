//! What an answer is compared with: the exact JSON, with these texts standing for more than
//! themselves:
//!
//! | text | stands for |
//! |---|---|
//! | `$any` | anything but `null` |
//! | `$uuid` | a lower-case UUID |
//! | `$time` | seconds since 1970, with a fraction |
//! | `$day` | midnight UTC |
//! | `$arn:NAME`, `$arn@REGION:NAME` | the complete ARN of the secret of that name |
//!
//! Members that are not named must be absent.

use serde_json::{Value, json};

pub struct Place<'a> {
    pub region: &'a str,
}

/// Exceptions whose text is in `message`. All others say `Message`.
const FRONT: &[&str] = &["ValidationException"];

/// `Err`: where and how `answer` differs.
pub fn matches(
    answer: &Value,
    expected: &Value,
    place: &Place<'_>,
    at: &str,
) -> Result<(), String> {
    let differs = || Err(format!("at {at:?}: {answer} where {expected} was expected"));
    match (answer, expected) {
        (_, Value::String(text)) if text.starts_with('$') => {
            if stands_for(answer, text, place) {
                Ok(())
            } else {
                differs()
            }
        }
        (Value::Object(found), Value::Object(wanted)) => {
            if let Some(name) = found.keys().find(|name| !wanted.contains_key(*name)) {
                return Err(format!("at {at:?}: {name} is not expected ({})", found[name]));
            }
            wanted.iter().try_for_each(|(name, wanted)| match found.get(name) {
                Some(found) => matches(found, wanted, place, &format!("{at}/{name}")),
                None => Err(format!("at {at:?}: {name} is missing")),
            })
        }
        (Value::Array(found), Value::Array(wanted)) if found.len() == wanted.len() => {
            found.iter().zip(wanted).enumerate().try_for_each(|(index, (found, wanted))| {
                matches(found, wanted, place, &format!("{at}/{index}"))
            })
        }
        _ if answer == expected => Ok(()),
        _ => differs(),
    }
}

fn stands_for(answer: &Value, text: &str, place: &Place<'_>) -> bool {
    match (text, answer) {
        ("$any", answer) => !answer.is_null(),
        ("$uuid", Value::String(found)) => is_uuid(found),
        // An integer would show as one in the AWS CLI.
        ("$time", Value::Number(found)) => found.is_f64(),
        ("$day", Value::Number(found)) => {
            found.is_f64() && found.as_f64().is_some_and(|seconds| seconds % 86_400.0 == 0.0)
        }
        (_, Value::String(found)) => {
            let (region, name) = match text.strip_prefix("$arn@").and_then(|r| r.split_once(':')) {
                Some((region, name)) => (region, Some(name)),
                None => (place.region, text.strip_prefix("$arn:")),
            };
            name.is_some_and(|name| is_arn(found, name, &Place { region }))
        }
        _ => false,
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn is_arn(text: &str, name: &str, place: &Place<'_>) -> bool {
    let Some(rest) = text.strip_prefix(&format!("arn:aws:secretsmanager:{}:", place.region)) else {
        return false;
    };
    let Some((account, rest)) = rest.split_once(":secret:") else { return false };
    let suffix = rest.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
    account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && suffix.is_some_and(|suffix| {
            suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// `Err`: how the refusal differs from `[exception, text]`; a text of `null` is not compared.
pub fn refused(status: u16, answer: &Value, expected: &Value) -> Result<(), String> {
    let exception = expected[0].as_str().unwrap_or_default();
    let differs = || Err(format!("refused with {status} {answer} where {expected} was expected"));
    if answer["__type"] != expected[0] || status != 400 {
        return differs();
    }
    let member = if FRONT.contains(&exception) { "message" } else { "Message" };
    if answer.as_object().is_none_or(|members| members.len() != 2) {
        return differs();
    }
    match &expected[1] {
        Value::Null if answer[member].is_string() => Ok(()),
        text if answer[member] == *text => Ok(()),
        _ => differs(),
    }
}

/// `request` with one member left out or replaced, at any depth.
pub fn changes(request: &Value) -> Vec<Value> {
    let mut changes = Vec::new();
    let replacements = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\u{0}\u{1f511}\u{202e}"),
        json!("x".repeat(5_000)),
        json!([]),
        json!([null]),
        json!({}),
        json!([{ "Key": "", "Value": null }]),
    ];
    match request {
        Value::Object(members) => {
            for (name, value) in members {
                let with = |value: Value| {
                    let mut changed = members.clone();
                    changed.insert(name.clone(), value);
                    Value::Object(changed)
                };
                let mut without = members.clone();
                without.remove(name);
                changes.push(Value::Object(without));
                changes.extend(replacements.iter().cloned().map(with));
                changes.extend(self::changes(value).into_iter().map(with));
            }
        }
        // The first item stands for all.
        Value::Array(items) if !items.is_empty() => {
            for changed in self::changes(&items[0]) {
                let mut items = items.clone();
                items[0] = changed;
                changes.push(Value::Array(items));
            }
        }
        _ => (),
    }
    changes
}
