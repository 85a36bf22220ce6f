//! The service in the process: the server's bytes, faults that do what they say, traces that replay.

use arbitrary::{Arbitrary, Unstructured};
use serde_json::{Value, json};
use std::time::Duration;
use strongroom::__internals::env::Entropy;
use strongroom::__internals::model::Scope;
use strongroom::__internals::vault::Vault;
use strongroom::testkit::{Endpoint, FaultPlan, NoAnswer, Outcome, Rates, Reply, Trace};
use strongroom_fuzz_bodies::env::sim::SimEntropy;

const TOKEN: &str = "11111111-1111-4111-8111-111111111111";
const OTHER: &str = "22222222-2222-4222-8222-222222222222";

fn plain(seed: u64) -> Endpoint {
    Endpoint::new(Vault::ephemeral(seed).unwrap())
}

fn ask(endpoint: &Endpoint, operation: &str, body: &Value) -> Outcome {
    endpoint.call(operation, body.to_string().as_bytes())
}

#[track_caller]
fn answered(outcome: Outcome) -> (u16, Value) {
    let Reply { status, body, .. } = outcome.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn create(name: &str, value: &str) -> Value {
    json!({"Name": name, "SecretString": value, "ClientRequestToken": TOKEN})
}

#[test]
fn operations_answer_as_the_server_does() {
    let endpoint = plain(1);
    let (status, made) = answered(ask(&endpoint, "CreateSecret", &create("a", "one")));
    assert_eq!((status, &made["Name"], &made["VersionId"]), (200, &json!("a"), &json!(TOKEN)));
    let (status, read) = answered(ask(&endpoint, "GetSecretValue", &json!({"SecretId": "a"})));
    assert_eq!((status, &read["SecretString"]), (200, &json!("one")));
    // Another region is another place.
    let far = endpoint.client(Scope::new("000000000000", "eu-west-1"));
    let (status, refused) = answered(ask(&far, "GetSecretValue", &json!({"SecretId": "a"})));
    assert_eq!((status, &refused["__type"]), (400, &json!("ResourceNotFoundException")));
    for (operation, body, exception) in [
        ("NoOperation", "{}", "UnknownOperationException"),
        ("Get Secret", "{}", "UnknownOperationException"),
        ("GetSecretValue", "{", "SerializationException"),
        ("GetSecretValue", "{}", "ValidationException"),
        // A raw request without a token is refused, as by AWS.
        ("PutSecretValue", r#"{"SecretId":"a","SecretString":"x"}"#, "InvalidRequestException"),
    ] {
        let (status, refused) = answered(endpoint.call(operation, body.as_bytes()));
        assert_eq!((status, &refused["__type"]), (400, &json!(exception)), "{operation} {body}");
    }
}

fn rates(of: impl Fn(&mut Rates) -> &mut u16) -> FaultPlan {
    let mut rates = Rates::default();
    *of(&mut rates) = 1000;
    FaultPlan::new(1, rates)
}

fn exists(endpoint: &Endpoint) -> bool {
    endpoint.set_faults(FaultPlan::default());
    answered(ask(endpoint, "DescribeSecret", &json!({"SecretId": "a"}))).0 == 200
}

#[test]
fn refusals_say_what_aws_says_and_nothing_has_happened() {
    for (plan, status, exception) in [
        (rates(|rates| &mut rates.throttled), 400, "ThrottlingException"),
        (rates(|rates| &mut rates.internal), 500, "InternalServiceError"),
        (rates(|rates| &mut rates.unavailable), 503, "ServiceUnavailableException"),
    ] {
        let endpoint = Endpoint::with_faults(Vault::ephemeral(1).unwrap(), plan);
        let (found, body) = answered(ask(&endpoint, "CreateSecret", &create("a", "one")));
        assert_eq!((found, &body["__type"]), (status, &json!(exception)));
        assert!(!exists(&endpoint), "{exception}: it has happened");
    }
}

#[test]
fn of_what_is_lost_the_answer_has_happened_and_the_request_has_not() {
    for (plan, happened) in [
        (rates(|rates| &mut rates.lost_answer), true),
        (rates(|rates| &mut rates.lost_request), false),
    ] {
        let endpoint = Endpoint::with_faults(Vault::ephemeral(1).unwrap(), plan);
        let outcome = ask(&endpoint, "CreateSecret", &create("a", "one"));
        assert_eq!(outcome, Err(NoAnswer { latency: Duration::ZERO }));
        assert_eq!(exists(&endpoint), happened);
    }
}

#[test]
fn a_stale_read_shows_the_moment_before_a_write() {
    let endpoint = Endpoint::with_faults(
        Vault::ephemeral(1).unwrap(),
        FaultPlan { stale_writes_max: 1, ..FaultPlan::default() },
    );
    answered(ask(&endpoint, "CreateSecret", &create("a", "one")));
    let put = json!({"SecretId": "a", "SecretString": "two", "ClientRequestToken": OTHER});
    assert_eq!(answered(ask(&endpoint, "PutSecretValue", &put)).0, 200);
    let mut stale = rates(|rates| &mut rates.stale);
    stale.stale_writes_max = 1;
    endpoint.set_faults(stale);
    let read = json!({"SecretId": "a"});
    assert_eq!(answered(ask(&endpoint, "GetSecretValue", &read)).1["SecretString"], "one");
    // A write is never stale.
    let tag = json!({"SecretId": "a", "Tags": [{"Key": "k", "Value": "v"}]});
    assert_eq!(answered(ask(&endpoint, "TagResource", &tag)).0, 200);
    assert_eq!(answered(ask(&endpoint, "GetSecretValue", &read)).1["SecretString"], "two");
    endpoint.set_faults(FaultPlan::default());
    assert_eq!(answered(ask(&endpoint, "GetSecretValue", &read)).1["SecretString"], "two");
}

#[test]
fn latency_moves_the_clock_and_one_operation_can_have_rates_of_its_own() {
    let mut plan =
        FaultPlan { latency_max: Duration::from_secs(5), ..FaultPlan::new(3, Rates::default()) };
    let throttled = Rates { throttled: 1000, ..Rates::default() };
    plan.per_operation.insert("DescribeSecret".to_owned(), throttled);
    let endpoint = Endpoint::with_faults(Vault::ephemeral(1).unwrap(), plan);
    let wall = || {
        endpoint
            .with_vault(|vault| strongroom::__internals::env::Clock::wall(&*vault.machine().clock))
    };
    let before = wall();
    let mut sum = Duration::ZERO;
    for _ in 0..20 {
        let reply = ask(&endpoint, "GetSecretValue", &json!({"SecretId": "a"})).unwrap();
        assert_eq!(reply.status, 400);
        sum += reply.latency;
    }
    assert!(sum > Duration::from_secs(10), "{sum:?}");
    assert_eq!(i128::from(wall().since(before)), sum.as_millis() as i128);
    let refused = answered(ask(&endpoint, "DescribeSecret", &json!({"SecretId": "a"}))).1;
    assert_eq!(refused["__type"], "ThrottlingException");
}

/// A random session with faults of all kinds, from a seed.
fn session(seed: u64) -> Endpoint {
    let mut bytes = vec![0; 4096];
    SimEntropy::from_seed(seed).fill(&mut bytes).unwrap();
    let u = &mut Unstructured::new(&bytes);
    let endpoint =
        Endpoint::with_faults(Vault::ephemeral(seed).unwrap(), FaultPlan::arbitrary(u).unwrap());
    for _ in 0..60 {
        let client = endpoint.client(Scope::arbitrary(u).unwrap());
        let id = *u.choose(&["a", "b", "c d"]).unwrap();
        let token = *u.choose(&[TOKEN, OTHER]).unwrap();
        let mut body = json!({
            "Name": id, "SecretId": id, "SecretString": "v", "ClientRequestToken": token,
        });
        let operation = *u
            .choose(&[
                "CreateSecret",
                "PutSecretValue",
                "GetSecretValue",
                "DescribeSecret",
                "DeleteSecret",
                "RestoreSecret",
                "ListSecrets",
                "GetRandomPassword",
            ])
            .unwrap();
        if operation == "CreateSecret" {
            body.as_object_mut().unwrap().remove("SecretId");
        }
        match u.int_in_range(0_u8..=11).unwrap() {
            0 => endpoint.advance(Duration::from_nanos(u.int_in_range(0..=1 << 50).unwrap())),
            1 => endpoint.maintain(),
            2 => drop(client.call(operation, u.bytes(7).unwrap())),
            _ => drop(ask(&client, operation, &body)),
        }
    }
    endpoint
}

#[test]
fn a_trace_is_text_and_replays() {
    for seed in 0..30 {
        let trace = session(seed).trace();
        let text = trace.to_string();
        let read: Trace =
            text.parse().unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
        assert!(read == trace, "seed {seed}: the text says something else");
        assert_eq!(read.replay().unwrap(), Ok(()), "seed {seed}");
        assert_eq!(session(seed).trace(), trace, "seed {seed}, twice");
    }
}

#[test]
fn a_replay_that_goes_another_way_says_where() {
    let endpoint = plain(3);
    answered(ask(&endpoint, "CreateSecret", &create("a", "one")));
    endpoint.advance(Duration::from_millis(1500));
    answered(ask(&endpoint, "GetSecretValue", &json!({"SecretId": "a"})));
    let text = endpoint.trace().to_string();
    assert!(
        text.starts_with("strongroom trace 1\nseed 3\n> 000000000000 us-east-1 CreateSecret {")
    );
    // By hand: a comment, another value, and a fault.
    let edited = text.replacen("one", "two", 1).replace("+ 1500ms", "# later\n+ 2s");
    assert_eq!(edited.parse::<Trace>().unwrap_err().line, 6);
    let edited = edited.replace("+ 2s", "+ 1500ms");
    let difference = edited.parse::<Trace>().unwrap().replay().unwrap().unwrap_err();
    assert!(difference.found.contains("two") && difference.expected.contains("one"));
    // Comments are not kept, so the line is that of the trace as it is written again.
    assert_eq!(difference.line, 7);
    for wrong in [
        "",
        "strongroom trace 2\nseed 1\n",
        "strongroom trace 1\nseed x\n",
        "strongroom trace 1\nseed 1\n< 200 {}\n",
        "strongroom trace 1\nseed 1\n> a b Op {}\n",
    ] {
        assert!(wrong.parse::<Trace>().is_err(), "{wrong:?}");
    }
}

#[test]
fn a_fork_of_a_service_goes_on_alike_and_alone() {
    let one = session(41);
    let two = one.fork().unwrap();
    for endpoint in [&one, &two] {
        ask(endpoint, "CreateSecret", &create("later", "x")).ok();
        ask(endpoint, "GetSecretValue", &json!({"SecretId": "later"})).ok();
    }
    assert_eq!(one.trace(), two.trace());
    ask(&one, "GetRandomPassword", &json!({})).ok();
    assert_ne!(one.trace(), two.trace());
}
