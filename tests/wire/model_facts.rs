//! What AWS's API model says of every operation, held against the server: `tests/data/model.json`,
//! which `tests/tools/model_facts.py` reads out of botocore. Members, types, presence and secrecy are
//! compared with the table that requests are read by; limits, patterns and enums by what the server
//! says to values at and past each edge; answers with the shapes that clients parse them by.

use crate::client::{Running, Wire};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use strongroom::__internals::vault::{RotationFunctions, Vault};
use strongroom::__internals::wire::member_facts::{MemberFact, members};
use strongroom::__internals::wire::{Auth, ServerOptions};

/// A rotation function that is configured.
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:rotate";

/// What the model has and the server has not: operations, members, values of enums. Whatever is
/// built is taken out.
const NOT_YET: &[&str] = &[];

/// A shape of the model, as the file holds it.
#[derive(Clone)]
struct Shape(Value);

impl Shape {
    fn kind(&self) -> &str {
        self.0["type"].as_str().unwrap()
    }

    fn flag(&self, name: &str) -> bool {
        self.0[name] == true
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.0[name].as_u64().map(|number| usize::try_from(number).unwrap())
    }

    fn pattern(&self) -> Option<&str> {
        self.0["pattern"].as_str()
    }

    fn values(&self) -> Option<Vec<&str>> {
        let values = self.0["enum"].as_array()?;
        Some(values.iter().map(|value| value.as_str().unwrap()).collect())
    }

    fn members(&self) -> Vec<(String, Shape)> {
        shapes(&self.0["members"])
    }

    fn item(&self) -> Shape {
        Shape(self.0["member"].clone())
    }

    /// The smallest value of this shape, with the members that it needs.
    fn least(&self) -> Value {
        match self.kind() {
            "string" => match self.values() {
                Some(values) => json!(values[0]),
                None => json!("a".repeat(self.number("min").unwrap_or(1).max(1))),
            },
            "integer" | "long" => json!(self.number("min").unwrap_or(0)),
            "boolean" => json!(false),
            "blob" => json!(STANDARD.encode("a")),
            "list" => json!([self.item().least()]),
            "structure" => Value::Object(needed(&self.members())),
            other => panic!("no value of the type {other} is known"),
        }
    }
}

fn shapes(members: &Value) -> Vec<(String, Shape)> {
    let members = members.as_object().unwrap();
    members.iter().map(|(name, shape)| (name.clone(), Shape(shape.clone()))).collect()
}

/// The required members with their smallest values.
fn needed(members: &[(String, Shape)]) -> Map<String, Value> {
    members
        .iter()
        .filter(|(_, shape)| shape.flag("required"))
        .map(|(name, shape)| (name.clone(), shape.least()))
        .collect()
}

struct Operation {
    name: String,
    input: Vec<(String, Shape)>,
    output: Vec<(String, Shape)>,
    errors: BTreeSet<String>,
}

fn model() -> Vec<Operation> {
    let document: Value = serde_json::from_str(include_str!("../data/model.json")).unwrap();
    assert_eq!(document["target_prefix"], "secretsmanager");
    let operations = document["operations"].as_object().unwrap();
    assert!(operations.len() >= 26, "the model has lost operations");
    operations
        .iter()
        .map(|(name, facts)| Operation {
            name: name.clone(),
            input: shapes(&facts["input"]),
            output: shapes(&facts["output"]),
            errors: facts["errors"]
                .as_array()
                .unwrap()
                .iter()
                .map(|error| error.as_str().unwrap().to_owned())
                .collect(),
        })
        .collect()
}

/// The operations that the server has.
fn served() -> Vec<(Operation, Vec<MemberFact>)> {
    let known = |operation: Operation| members(&operation.name).map(|facts| (operation, facts));
    model().into_iter().filter_map(known).collect()
}

fn is_not_yet(path: &str) -> bool {
    NOT_YET.iter().any(|not_yet| {
        path.strip_prefix(not_yet)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}

/// A path of names and `[]`, with its shape.
fn flatten(prefix: &str, members: &[(String, Shape)], found: &mut BTreeMap<String, Shape>) {
    for (name, shape) in members {
        add(format!("{prefix}{name}"), shape, found);
    }
}

fn add(path: String, shape: &Shape, found: &mut BTreeMap<String, Shape>) {
    found.insert(path.clone(), shape.clone());
    match shape.kind() {
        "list" => add(format!("{path}[]"), &shape.item(), found),
        "structure" => flatten(&format!("{path}."), &shape.members(), found),
        _ => (),
    }
}

fn facts(operation: &Operation) -> BTreeMap<String, Shape> {
    let mut found = BTreeMap::new();
    flatten("", &operation.input, &mut found);
    found
}

/// WIRE-FRONT-3: an operation is whole or not there.
#[test]
fn every_operation_is_served_or_listed_as_not_yet() {
    let mut wrong = Vec::new();
    let mut all = BTreeSet::new();
    for operation in model() {
        let name = operation.name.as_str();
        match (members(name).is_some(), NOT_YET.contains(&name)) {
            (true, true) => wrong.push(format!("{name} is built: take it out of NOT_YET")),
            (false, false) => wrong.push(format!("{name} is neither built nor in NOT_YET")),
            _ => (),
        }
        all.insert(name.to_owned());
        all.extend(facts(&operation).keys().map(|path| format!("{name}.{path}")));
    }
    for entry in NOT_YET {
        if !all.contains(*entry) {
            wrong.push(format!("{entry} is in NOT_YET but not in the model"));
        }
    }
    assert!(NOT_YET.is_sorted(), "NOT_YET is kept in order");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// WIRE-FRONT-6, WIRE-FRONT-7, WIRE-JSON-2: a member that is missing here would be ignored in
/// silence.
#[test]
fn every_member_is_read_with_its_type_presence_and_secrecy() {
    let mut wrong = Vec::new();
    for (operation, ours) in served() {
        let theirs = facts(&operation);
        let ours: BTreeMap<&str, &MemberFact> =
            ours.iter().map(|fact| (fact.path.as_str(), fact)).collect();
        for (path, shape) in &theirs {
            let full = format!("{}.{path}", operation.name);
            match (ours.get(path.as_str()), is_not_yet(&full)) {
                (Some(fact), false) => {
                    let model = (shape.kind(), shape.flag("required"), shape.flag("sensitive"));
                    if model != (fact.kind, fact.required, fact.sensitive) {
                        wrong.push(format!("{full} is {model:?} in the model, here {fact:?}"));
                    }
                }
                (Some(_), true) => wrong.push(format!("{full} is built: take it out of NOT_YET")),
                (None, false) => wrong.push(format!("{full} is neither read nor in NOT_YET")),
                (None, true) => (),
            }
        }
        for path in ours.keys().filter(|path| !theirs.contains_key(**path)) {
            wrong.push(format!("{}.{path} is read but not in the model", operation.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Puts `value` at `path`, making what lies on the way.
fn put(members: &mut Map<String, Value>, shapes: &[(String, Shape)], path: &str, value: Value) {
    let (step, rest) = match path.split_once('.') {
        Some((step, rest)) => (step, Some(rest)),
        None => (path, None),
    };
    let name = step.trim_end_matches("[]");
    let shape = &shapes.iter().find(|(found, _)| found == name).unwrap().1;
    let is_item = step.ends_with("[]");
    let inner = if is_item { shape.item() } else { shape.clone() };
    let value = match rest {
        None => value,
        Some(rest) => {
            let mut members = needed(&inner.members());
            put(&mut members, &inner.members(), rest, value);
            Value::Object(members)
        }
    };
    members.insert(name.to_owned(), if is_item { json!([value]) } else { value });
}

/// `Filters[].Values[]` as messages show it: `filters.1.member.values.1.member`.
fn shown(path: &str) -> String {
    let lower = |name: &str| name[..1].to_lowercase() + &name[1..];
    let step = |step: &str| match step.strip_suffix("[]") {
        Some(name) => format!("{}.1.member", lower(name)),
        None => lower(step),
    };
    path.split('.').map(step).collect::<Vec<_>>().join(".")
}

/// Values past an edge, each with what the server must say of it.
fn past_the_edges(shape: &Shape) -> Vec<(Value, String)> {
    let (min, max) = (shape.number("min"), shape.number("max"));
    let mut cases = Vec::new();
    let sized = |size: usize| match shape.kind() {
        "string" => Some(json!("a".repeat(size))),
        "blob" => Some(json!(STANDARD.encode("a".repeat(size)))),
        "list" => Some(json!(vec![shape.item().least(); size])),
        _ => None,
    };
    match shape.kind() {
        "string" | "blob" | "list" => {
            if let Some(min) = min.filter(|min| *min > 0) {
                let told = format!("have length greater than or equal to {min}");
                cases.push((sized(min - 1).unwrap(), told));
            }
            if let Some(max) = max {
                let told = format!("have length less than or equal to {max}");
                cases.push((sized(max + 1).unwrap(), told));
            }
        }
        "integer" | "long" => {
            if let Some(min) = min {
                let told = format!("have value greater than or equal to {min}");
                cases.push((json!(min as i64 - 1), told.clone()));
                cases.push((json!(i64::from(i32::MIN)), told));
            }
            if let Some(max) = max {
                let told = format!("have value less than or equal to {max}");
                cases.push((json!(max + 1), told.clone()));
                cases.push((json!(i32::MAX), told));
            }
        }
        _ => (),
    }
    if let Some(pattern) = shape.pattern() {
        // No pattern of the model takes a letter outside ASCII.
        let odd = json!("\u{e9}".repeat(min.unwrap_or(1).max(1)));
        cases.push((odd, format!("satisfy regular expression pattern: {pattern}")));
    }
    if let Some(values) = shape.values() {
        let told = format!("satisfy enum value set: [{}]", values.join(", "));
        cases.push((json!("none-of-these"), told));
        cases.push((json!(values[0].to_uppercase()), String::new()));
    }
    cases
}

/// Values that are just allowed.
fn at_the_edges(shape: &Shape) -> Vec<Value> {
    let sized = |size: &usize| match shape.kind() {
        // The shortest region has three characters, whatever the limit says.
        "string" if shape.pattern().is_some_and(|pattern| pattern.contains(r"([a-z]+-)+\d+")) => {
            json!(format!("{}-1", "a".repeat(size.saturating_sub(2).max(1))))
        }
        "string" if shape.pattern() == Some("[0-9]+h") => {
            json!(format!("{}h", "1".repeat(size - 1)))
        }
        "string" => json!("a".repeat(*size)),
        "blob" => json!(STANDARD.encode("a".repeat(*size))),
        "list" => json!(vec![shape.item().least(); *size]),
        "integer" | "long" => json!(size),
        other => panic!("no edges of {other}"),
    };
    let edges = [shape.number("min"), shape.number("max")];
    match shape.values() {
        Some(values) => values.into_iter().map(Value::from).collect(),
        None => edges.iter().flatten().map(sized).collect(),
    }
}

/// A request with what its operation needs and, at `path`, `value`.
fn request(operation: &Operation, path: &str, value: Value) -> String {
    let mut members = needed(&operation.input);
    put(&mut members, &operation.input, path, value);
    Value::Object(members).to_string()
}

/// The exception and its text; both empty for a success.
fn refusal(wire: &mut Wire, operation: &Operation, body: &str) -> (String, String) {
    let response = wire.call(&operation.name, body.as_bytes());
    let answer = response.json();
    if response.status == 200 {
        return Default::default();
    }
    let text = answer["message"].as_str().or(answer["Message"].as_str()).unwrap_or_default();
    (answer["__type"].as_str().unwrap().to_owned(), text.to_owned())
}

/// Runs `check` on every member that is built.
fn each_member(mut check: impl FnMut(&mut Wire, &Operation, &str, &Shape) -> Vec<String>) {
    let server = Running::open();
    let mut wire = server.connect();
    let mut wrong = Vec::new();
    for (operation, _) in served() {
        for (path, shape) in facts(&operation) {
            let full = format!("{}.{path}", operation.name);
            if !is_not_yet(&full) {
                let found = check(&mut wire, &operation, &path, &shape);
                wrong.extend(found.into_iter().map(|what| format!("{full} {what}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// SEM-CHECK-3, SEM-VAL-6: every limit, pattern and enum of the model, in the words of AWS.
#[test]
fn what_lies_past_an_edge_is_refused_by_name() {
    let mut checked = 0;
    each_member(|wire, operation, path, shape| {
        let mut wrong = Vec::new();
        for (value, told) in past_the_edges(shape) {
            let body = request(operation, path, value.clone());
            let (exception, text) = refusal(wire, operation, &body);
            let subject = if shape.flag("sensitive") { "Value at" } else { "' at" };
            let item = format!(
                "{subject} '{}' failed to satisfy constraint: Member must {told}",
                shown(path)
            );
            checked += 1;
            if exception != "ValidationException" || !text.contains(&item) {
                let size = value.to_string().len();
                wrong.push(format!(
                    "of {size} characters: expected {item:?}, got {exception} {}",
                    head(&text)
                ));
            }
        }
        wrong
    });
    assert!(checked > 100, "only {checked} edges: the model was not read");
}

/// The other side of every edge: nothing is refused that AWS takes.
#[test]
fn what_lies_at_an_edge_is_taken() {
    each_member(|wire, operation, path, shape| {
        let mut wrong = Vec::new();
        for value in at_the_edges(shape) {
            let body = request(operation, path, value);
            let (exception, text) = refusal(wire, operation, &body);
            let item = format!("at '{}' failed", shown(path));
            if exception == "SerializationException" || text.contains(&item) {
                wrong.push(format!("is refused at an edge: {exception} {}", head(&text)));
            }
        }
        wrong
    });
}

/// WIRE-FRONT-6, WIRE-FRONT-7.
#[test]
fn a_wrong_type_or_a_missing_member_is_refused() {
    each_member(|wire, operation, path, shape| {
        let mut wrong = Vec::new();
        let odd = match shape.kind() {
            "list" | "structure" => json!("text"),
            "string" => json!(7),
            _ => json!([]),
        };
        let (exception, text) = refusal(wire, operation, &request(operation, path, odd));
        if exception != "SerializationException" {
            wrong.push(format!("takes another type: {exception} {}", head(&text)));
        }
        if shape.flag("required") {
            let (exception, text) =
                refusal(wire, operation, &request(operation, path, Value::Null));
            let item = format!(
                "Value null at '{}' failed to satisfy constraint: Member must not be null",
                shown(path)
            );
            if exception != "ValidationException" || !text.contains(&item) {
                wrong.push(format!("may be missing: {exception} {}", head(&text)));
            }
        }
        wrong
    });
}

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"AWS":"arn:aws:iam::000000000000:root"},
    "Action":"secretsmanager:GetSecretValue","Resource":"*"}]}"#;

fn head(text: &str) -> String {
    text.chars().take(300).collect()
}

/// What differs between an answer and the shape that clients parse it by.
fn differences(path: &str, value: &Value, shape: &Shape, wrong: &mut Vec<String>) {
    let fits = match shape.kind() {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" | "long" => value.is_i64(),
        "timestamp" => value.is_f64(),
        "blob" => value.as_str().is_some_and(|text| STANDARD.decode(text).is_ok()),
        "list" => value.as_array().is_some_and(|items| {
            let item = shape.item();
            items.iter().for_each(|each| differences(&format!("{path}[]"), each, &item, wrong));
            true
        }),
        "map" => value.as_object().is_some_and(|entries| {
            let of = Shape(shape.0["value"].clone());
            entries.values().for_each(|each| differences(&format!("{path}{{}}"), each, &of, wrong));
            true
        }),
        "structure" => value.as_object().is_some_and(|entries| {
            let members = shape.members();
            for (name, each) in entries {
                match members.iter().find(|(found, _)| found == name) {
                    Some((_, shape)) => differences(&format!("{path}.{name}"), each, shape, wrong),
                    None => wrong.push(format!("{path}.{name} is not in the model")),
                }
            }
            true
        }),
        other => panic!("{path} is of the type {other}"),
    };
    if !fits {
        wrong.push(format!("{path} is no {}: {value}", shape.kind()));
    }
}

/// WIRE-REPLY-3, WIRE-REPLY-4: one call of each operation on a vault with everything in it, and the
/// exception for a secret that is not there is one that the operation declares.
#[test]
fn every_answer_has_the_members_of_the_model() {
    let functions = RotationFunctions::default().with_random(FUNCTION, 32);
    let vault = Vault::in_memory_with_rotation(functions).unwrap();
    let options = ServerOptions { auth: Auth::None, stop_on_signals: false, ..Default::default() };
    let server = Running::on(vault, options, false);
    let mut wire = server.connect();
    let (t1, t2, t3) = ("1".repeat(36), "2".repeat(36), "3".repeat(36));
    let calls = [
        (
            "CreateSecret",
            json!({"Name": "a", "ClientRequestToken": t1, "SecretString": "x", "Description": "d",
                "KmsKeyId": "k", "Tags": [{"Key": "k", "Value": "v"}]}),
        ),
        ("CreateSecret", json!({"Name": "none", "ClientRequestToken": t1})),
        (
            "PutSecretValue",
            json!({"SecretId": "a", "ClientRequestToken": t2, "SecretBinary": "AP8=",
                "RotationToken": "r".repeat(36)}),
        ),
        ("UpdateSecret", json!({"SecretId": "a", "ClientRequestToken": t3, "SecretString": "z"})),
        (
            "UpdateSecretVersionStage",
            json!({"SecretId": "a", "VersionStage": "s", "MoveToVersionId": t2}),
        ),
        ("GetSecretValue", json!({"SecretId": "a"})),
        ("GetSecretValue", json!({"SecretId": "a", "VersionId": t2})),
        ("BatchGetSecretValue", json!({"SecretIdList": ["a", "none", "nobody"]})),
        (
            "BatchGetSecretValue",
            json!({"Filters": [{"Key": "all", "Values": ["a"]}, {"Key": "name", "Values": ["!b"]}],
                "MaxResults": 1}),
        ),
        ("GetRandomPassword", json!({})),
        ("DescribeSecret", json!({"SecretId": "a"})),
        ("ValidateResourcePolicy", json!({"SecretId": "a", "ResourcePolicy": POLICY})),
        ("PutResourcePolicy", json!({"SecretId": "a", "ResourcePolicy": POLICY})),
        ("GetResourcePolicy", json!({"SecretId": "a"})),
        ("ListResourcePolicies", json!({"SecretId": "a"})),
        ("DeleteResourcePolicy", json!({"SecretId": "a"})),
        (
            "ListSecretVersionIds",
            json!({"SecretId": "a", "IncludeDeprecated": true, "MaxResults": 1}),
        ),
        ("ListSecrets", json!({"MaxResults": 1, "IncludePlannedDeletion": true})),
        ("TagResource", json!({"SecretId": "a", "Tags": [{"Key": "t", "Value": ""}]})),
        ("UntagResource", json!({"SecretId": "a", "TagKeys": ["t"]})),
        ("DeleteSecret", json!({"SecretId": "a"})),
        ("DescribeSecret", json!({"SecretId": "a"})),
        ("RestoreSecret", json!({"SecretId": "a"})),
        (
            "RotateSecret",
            json!({"SecretId": "a", "ClientRequestToken": "4".repeat(36),
                "RotationLambdaARN": FUNCTION, "RotationRules": {"AutomaticallyAfterDays": 7}}),
        ),
        ("DescribeSecret", json!({"SecretId": "a"})),
        ("ListSecrets", json!({})),
        ("CancelRotateSecret", json!({"SecretId": "a"})),
        (
            "ReplicateSecretToRegions",
            json!({"SecretId": "a", "AddReplicaRegions": [{"Region": "eu-west-1"}]}),
        ),
        ("DescribeSecret", json!({"SecretId": "a"})),
        (
            "RemoveRegionsFromReplication",
            json!({"SecretId": "a", "RemoveReplicaRegions": ["eu-west-1"]}),
        ),
        ("CreateSecret", json!({"Name": "b", "ClientRequestToken": t1, "Type": "Partner"})),
        ("UpdateSecret", json!({"SecretId": "b", "ClientRequestToken": t2, "Type": "Another"})),
        (
            "RotateSecret",
            json!({"SecretId": "b", "ClientRequestToken": t3, "RotateImmediately": false,
                "ExternalSecretRotationMetadata": [{"Key": "k", "Value": "v"}],
                "ExternalSecretRotationRoleArn": "arn:aws:iam::000000000000:role/r"}),
        ),
        ("DescribeSecret", json!({"SecretId": "b"})),
        ("ListSecrets", json!({})),
    ];
    let served: BTreeMap<String, Operation> =
        served().into_iter().map(|(operation, _)| (operation.name.clone(), operation)).collect();
    let mut wrong = Vec::new();
    for (name, body) in &calls {
        // Calls of what is not built wait here for the day it is.
        let Some(operation) = served.get(*name) else { continue };
        let response = wire.call(name, body.to_string().as_bytes());
        assert_eq!(response.status, 200, "{name} {body}: {}", response.text());
        let members: Map<String, Value> =
            operation.output.iter().map(|(name, shape)| (name.clone(), shape.0.clone())).collect();
        let whole = Shape(json!({"type": "structure", "members": members}));
        differences(name, &response.json(), &whole, &mut wrong);
        if body.get("SecretId").is_some() {
            let mut body = body.clone();
            body["SecretId"] = json!("nobody");
            let (exception, _) = refusal(&mut wire, operation, &body.to_string());
            if !operation.errors.contains(&exception) {
                wrong.push(format!("{name} answers {exception}, which it does not declare"));
            }
        }
    }
    let mut called: BTreeSet<&str> = calls.iter().map(|(name, _)| *name).collect();
    // Of a replica, so of a caller in another region: `tests/wire/wire_http/replicas.rs`.
    called.insert("StopReplicationToReplica");
    // Of two accounts: the conformance vectors compare whole answers of theirs.
    called.extend(["AssociateCrossAccountReplica", "DisassociateCrossAccountReplica"]);
    for name in served.keys().filter(|name| !called.contains(name.as_str())) {
        wrong.push(format!("{name} is served, and no call of it is made here"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
