//! Whether the vectors show everything that AWS's API model says of the operations that are served.
//!
//! `wanted` reads the model and names what there is to show, `shown` reads the vectors and names what
//! they show; the names are sentences, so that a message can repeat them. What no vector can show
//! stands in `excused`, each with its reason.

use super::excused::EXCUSED;
use super::vector::{Answer, Told, Vector};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use strongroom::__internals::wire::member_facts;

/// Sentences about operations.
type Facts = BTreeSet<String>;

/// Of one operation: shapes by path, `Tags[].Key`, and what it may refuse with.
pub struct Operation {
    name: String,
    input: BTreeMap<String, Value>,
    output: BTreeMap<String, Value>,
    errors: Vec<String>,
}

/// The operations and members of the model that are served.
pub fn operations() -> Vec<Operation> {
    let model: Value = serde_json::from_str(include_str!("../../data/model.json")).unwrap();
    let mut served = Vec::new();
    for (name, facts) in model["operations"].as_object().unwrap() {
        let Some(members) = member_facts::members(name) else { continue };
        let read: BTreeSet<String> = members.into_iter().map(|fact| fact.path).collect();
        let mut input = BTreeMap::new();
        flatten("", &facts["input"], &mut input);
        input.retain(|path, _| read.contains(path));
        let mut output = BTreeMap::new();
        flatten("", &facts["output"], &mut output);
        let errors = facts["errors"].as_array().unwrap();
        let errors = errors.iter().map(|error| error.as_str().unwrap().to_owned()).collect();
        served.push(Operation { name: name.clone(), input, output, errors });
    }
    assert!(served.len() >= 24, "the model or the table of operations was not read");
    served
}

fn flatten(prefix: &str, members: &Value, found: &mut BTreeMap<String, Value>) {
    for (name, shape) in members.as_object().unwrap() {
        add(format!("{prefix}{name}"), shape, found);
    }
}

fn add(path: String, shape: &Value, found: &mut BTreeMap<String, Value>) {
    match shape["type"].as_str().unwrap() {
        "list" => add(format!("{path}[]"), &shape["member"], found),
        "structure" => flatten(&format!("{path}."), &shape["members"], found),
        _ => (),
    }
    found.insert(path, shape.clone());
}

/// All that lies at a path, each with its name in messages: `tags.2.member.key`.
fn at(value: &Value, path: &str) -> Vec<(String, Value)> {
    let mut found = vec![(String::new(), value.clone())];
    for step in path.split('.') {
        let (name, is_item) = match step.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (step, false),
        };
        let mut next = Vec::new();
        for (shown, value) in found {
            let Some(value) = value.get(name).filter(|value| !value.is_null()) else { continue };
            let dot = if shown.is_empty() { "" } else { "." };
            let shown = format!("{shown}{dot}{}{}", name[..1].to_lowercase(), &name[1..]);
            match value.as_array() {
                Some(items) if is_item => next.extend(
                    items
                        .iter()
                        .enumerate()
                        .map(|(at, item)| (format!("{shown}.{}.member", at + 1), item.clone())),
                ),
                _ if is_item => (),
                _ => next.push((shown, value.clone())),
            }
        }
        found = next;
    }
    found
}

/// How large a value is, in the unit of its limits.
fn size(shape: &Value, value: &Value) -> Option<i64> {
    let len = match shape["type"].as_str()? {
        "integer" | "long" => return value.as_i64(),
        "list" => value.as_array()?.len(),
        "blob" => STANDARD.decode(value.as_str()?).ok()?.len(),
        "string" => value.as_str()?.chars().count(),
        _ => return None,
    };
    i64::try_from(len).ok()
}

/// The limits of a shape: the words of the refusal, the value at the edge, the one past it.
fn limits(shape: &Value) -> Vec<(String, i64, Option<i64>)> {
    let what = if matches!(shape["type"].as_str(), Some("integer" | "long")) {
        "have value"
    } else {
        "have length"
    };
    let mut limits = Vec::new();
    if let Some(min) = shape["min"].as_i64() {
        // Nothing is shorter than nothing.
        let past = (min > 0).then_some(min - 1);
        limits.push((format!("{what} greater than or equal to {min}"), min, past));
    }
    if let Some(max) = shape["max"].as_i64() {
        limits.push((format!("{what} less than or equal to {max}"), max, Some(max + 1)));
    }
    limits
}

fn enum_values(shape: &Value) -> impl Iterator<Item = &str> {
    shape["enum"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// What there is to show.
pub fn wanted(operations: &[Operation]) -> Facts {
    let mut wanted = Facts::new();
    for Operation { name, input, output, errors } in operations {
        wanted.insert(format!("{name} succeeds"));
        wanted.extend(errors.iter().map(|error| format!("{name} is refused with {error}")));
        for (path, shape) in input {
            let member = format!("{name}.{path}");
            wanted.insert(format!("{member} is taken"));
            if shape["required"] == true {
                wanted.insert(format!("{member} is missed"));
            }
            for (words, _, past) in limits(shape) {
                wanted.insert(format!("{member} may just {words}"));
                wanted.extend(past.map(|_| format!("{member} must {words}")));
            }
            if shape["pattern"].is_string() {
                wanted.insert(format!("{member} must satisfy its pattern"));
            }
            if shape["enum"].is_array() {
                wanted.insert(format!("{member} must be one of its values"));
                wanted.extend(enum_values(shape).map(|value| format!("{member} may be {value}")));
            }
        }
        for path in output.keys().filter(|path| !path.ends_with("[]")) {
            wanted.insert(format!("{name} answers {path}"));
            wanted.insert(format!("{name} leaves out {path}"));
        }
    }
    wanted
}

/// What the vectors show.
pub fn shown(operations: &[Operation], vectors: &[Vector]) -> Facts {
    let by_name: BTreeMap<&str, &Operation> =
        operations.iter().map(|operation| (operation.name.as_str(), operation)).collect();
    let mut shown = Facts::new();
    for told in vectors.iter().flat_map(|vector| vector.told("0000c0fe")) {
        let Some(operation) = by_name.get(told.operation.as_str()) else { continue };
        match &told.answer {
            Answer::Success(answer) => {
                shown.insert(format!("{} succeeds", operation.name));
                answered(operation, answer, &mut shown);
            }
            Answer::Refusal(exception, _) => {
                shown.insert(format!("{} is refused with {exception}", operation.name));
            }
        }
        for (path, shape) in &operation.input {
            asked(&operation.name, path, shape, &told, &mut shown);
        }
    }
    shown
}

/// What one step shows of one member of its request.
fn asked(operation: &str, path: &str, shape: &Value, told: &Told, shown: &mut Facts) {
    let member = format!("{operation}.{path}");
    // Whether a message tells that `at` must `words`; `None` where no text is recorded.
    let says = |at: &str, words: &str| match &told.answer {
        Answer::Refusal(exception, text) if exception == "ValidationException" => {
            let words = format!("at '{at}' failed to satisfy constraint: Member must {words}");
            text.as_ref().map(|text| text.contains(&words))
        }
        Answer::Refusal(exception, _) if exception == "SerializationException" => None,
        _ => Some(false),
    };
    let values = at(&told.request, path);
    if values.is_empty() && !path.contains("[]") {
        let at = path.split('.').map(|step| step[..1].to_lowercase() + &step[1..]);
        if says(&at.collect::<Vec<_>>().join("."), "not be null") == Some(true) {
            shown.insert(format!("{member} is missed"));
        }
    }
    for (at, value) in values {
        if matches!(told.answer, Answer::Success(_)) {
            shown.insert(format!("{member} is taken"));
        }
        for (words, edge, past) in limits(shape) {
            let size = size(shape, &value);
            if size == Some(edge) && says(&at, &words) == Some(false) {
                shown.insert(format!("{member} may just {words}"));
            }
            if size.is_some() && size == past && says(&at, &words) == Some(true) {
                shown.insert(format!("{member} must {words}"));
            }
        }
        if let Some(pattern) = shape["pattern"].as_str() {
            let words = format!("satisfy regular expression pattern: {pattern}");
            if says(&at, &words) == Some(true) {
                shown.insert(format!("{member} must satisfy its pattern"));
            }
        }
        let Some(text) = value.as_str().filter(|_| shape["enum"].is_array()) else { continue };
        match says(&at, "satisfy enum value set: [") {
            Some(true) => shown.insert(format!("{member} must be one of its values")),
            Some(false) => shown.insert(format!("{member} may be {text}")),
            None => false,
        };
    }
}

/// What an answer has, and what it leaves out of a structure that it has.
fn answered(operation: &Operation, answer: &Value, shown: &mut Facts) {
    let name = &operation.name;
    for path in operation.output.keys().filter(|path| !path.ends_with("[]")) {
        let (parents, member) = match path.rsplit_once('.') {
            Some((parent, member)) => (at(answer, parent), member),
            None => (vec![(String::new(), answer.clone())], path.as_str()),
        };
        for (_, parent) in parents {
            // Texts such as `$any` show nothing.
            let Some(members) = parent.as_object() else { continue };
            let has = if members.contains_key(member) { "answers" } else { "leaves out" };
            shown.insert(format!("{name} {has} {path}"));
        }
    }
}

/// Whether an entry speaks of a sentence.
fn speaks_of(entry: &str, fact: &str) -> bool {
    let Some((start, rest)) = entry.split_once('*') else { return entry == fact };
    let Some(left) = fact.strip_prefix(start) else { return false };
    (0..=left.len()).any(|at| left.is_char_boundary(at) && speaks_of(rest, &left[at..]))
}

/// What is wrong: sentences without a vector and without an excuse, and excuses without a need.
pub fn gaps(wanted: &Facts, shown: &Facts) -> Vec<String> {
    let missing: Vec<&String> = wanted.difference(shown).collect();
    let mut wrong: Vec<String> = missing
        .iter()
        .filter(|fact| !EXCUSED.iter().any(|(entry, _)| speaks_of(entry, fact)))
        .map(|fact| format!("no vector shows: {fact}"))
        .collect();
    for (entry, reason) in EXCUSED {
        if !missing.iter().any(|fact| speaks_of(entry, fact)) {
            wrong.push(format!("needs no excuse: {entry} ({reason})"));
        }
    }
    wrong
}
