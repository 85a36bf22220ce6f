//! Two things wrong at once: which of them an operation tells (SEM-CHECK-1).
//!
//! Each operation has a request that is right and a table of faults: a member, the value that makes it wrong,
//! and the step of the checks that finds it. Every fault alone is refused as its step refuses. Every two
//! faults of different members are refused as the one of the earlier step. Two violations of the API model
//! are told together.

mod tables;

use serde_json::{Value, json};
use strongroom::__internals::model::Scope;
use strongroom::testkit::{Endpoint, Ephemeral};
use tables::{Fault, Table, USED, tables};

/// The steps of the checks, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// E27: constraints of the API model.
    Model,
    /// E12: characters of a name.
    Name,
    /// E10: the token.
    Token,
    /// E1, E39: existence and access.
    Existence,
    /// E28: a replica.
    Replica,
    /// E5: the state.
    State,
    /// The rules of the operation, in an order of their own.
    Rule(u8),
}

/// A service with secrets in each state: `good`, `scheduled`, `replica` and its `primary` next door.
fn service() -> Endpoint {
    let service = Endpoint::new(Ephemeral::new(1, &Ephemeral::options()).unwrap());
    let must = |endpoint: &Endpoint, operation: &str, request: Value| {
        let reply = endpoint.call(operation, request.to_string().as_bytes()).unwrap();
        assert_eq!(reply.status, 200, "{operation}: {}", String::from_utf8_lossy(&reply.body));
    };
    let away = service.client(Scope::new("000000000000", "eu-north-1"));
    for (endpoint, name) in
        [(&service, "good"), (&service, "scheduled"), (&service, "primary"), (&away, "replica")]
    {
        let request = json!({"Name": name, "ClientRequestToken": USED, "SecretString": "used"});
        must(endpoint, "CreateSecret", request);
    }
    must(&service, "DeleteSecret", json!({"SecretId": "scheduled"}));
    for (endpoint, name, region) in
        [(&service, "primary", "eu-north-1"), (&away, "replica", "us-east-1")]
    {
        let request = json!({"SecretId": name, "AddReplicaRegions": [{"Region": region}]});
        must(endpoint, "ReplicateSecretToRegions", request);
    }
    service
}

/// Exception and text.
type Refusal = (String, String);

fn refusal(service: &Endpoint, operation: &str, request: &Value) -> Option<Refusal> {
    let service = service.fork().unwrap();
    let reply = service.call(operation, request.to_string().as_bytes()).unwrap();
    let answer: Value = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
    let text = answer["message"].as_str().or(answer["Message"].as_str()).unwrap_or_default();
    let name = answer["__type"].as_str().unwrap_or_default();
    (reply.status != 200).then(|| (name.to_owned(), text.to_owned()))
}

fn with(request: &Value, fault: &Fault) -> Value {
    let mut request = request.clone();
    if fault.value.is_null() {
        request.as_object_mut().unwrap().remove(fault.member);
    } else {
        request[fault.member] = fault.value.clone();
    }
    request
}

/// Whether the refusal of two faults is what those of each one ask for.
fn is_right(
    both: &Refusal,
    (first, said): (&Fault, &Refusal),
    (second, other): (&Fault, &Refusal),
) -> bool {
    if (first.step, second.step) != (Step::Model, Step::Model) {
        return both == said;
    }
    let is_told = |refusal: &Refusal| {
        refusal.1.split_once(": ").is_some_and(|(_, violation)| both.1.contains(violation))
    };
    both.1.starts_with("2 validation errors detected: ") && is_told(said) && is_told(other)
}

/// SEM-CHECK-1, SEM-CHECK-3: of two faults the earlier step's is told, whatever the operation.
#[test]
fn of_two_faults_the_earlier_check_is_told() {
    let service = service();
    let (mut pairs, mut wrong) = (0, Vec::new());
    for Table { operation, request, faults } in tables() {
        let ask = |request: &Value| refusal(&service, operation, request).unwrap_or_default();
        let said: Vec<Refusal> = faults.iter().map(|fault| ask(&with(&request, fault))).collect();
        let alone = || faults.iter().zip(&said);
        for (fault, said) in alone() {
            if said.0 != fault.exception || !said.1.contains(fault.text) {
                let Fault { step, member, .. } = fault;
                wrong.push(format!("{operation}: {step:?} of {member} is refused with {said:?}"));
            }
        }
        for first in alone() {
            let place = |fault: &Fault| (fault.step, fault.member);
            let later =
                |second: &Fault| second.member != first.0.member && place(first.0) < place(second);
            for second in alone().filter(|second| later(second.0)) {
                pairs += 1;
                let both = ask(&with(&with(&request, first.0), second.0));
                if !is_right(&both, first, second) {
                    let (first, second) = (place(first.0), place(second.0));
                    wrong.push(format!("{operation}: {first:?} and {second:?} are {both:?}"));
                }
            }
        }
    }
    println!("{pairs} pairs of faults");
    assert!(wrong.is_empty(), "{} of {pairs}:\n{}", wrong.len(), wrong.join("\n"));
}
