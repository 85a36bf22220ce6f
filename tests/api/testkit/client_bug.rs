//! The worked example of `docs/TESTKIT.md`: seeds find the bug of the sample client, and find nothing
//! in the mended one.

use super::sample_client::{Answer, Build, Client, GaveUp, Service};
use serde_json::Value;
use std::time::Duration;
use strongroom::__internals::vault::Vault;
use strongroom::testkit::{Endpoint, FaultPlan, Rates, Trace};

/// The client's way to the service in the process.
struct InProcess(Endpoint);

impl Service for InProcess {
    fn send(&mut self, operation: &str, body: Value) -> Answer {
        let reply = self.0.call(operation, body.to_string().as_bytes()).ok()?;
        Some((reply.status, serde_json::from_slice(&reply.body).unwrap()))
    }
}

/// One execution: a password is changed three times under faults; after each change that the client
/// reports as done, the password before it must be within reach. The trace, if it is not.
fn execute(seed: u64, build: Build) -> Result<(), (String, Trace)> {
    let rates = Rates {
        throttled: 50,
        internal: 20,
        unavailable: 20,
        lost_request: 50,
        lost_answer: 100,
        stale: 0,
    };
    let mut plan = FaultPlan::new(seed, rates);
    plan.latency_max = Duration::from_millis(200);
    let endpoint = Endpoint::with_faults(Vault::ephemeral(seed).unwrap(), plan);
    let mut client = Client::new(InProcess(endpoint.clone()), build);
    let gave_up = |error: GaveUp| assert_eq!(error, GaveUp::Tired);
    // A creation whose answer was lost and which is tried with another token finds itself there.
    if client.create("app/db", "password 0").is_err() {
        return Ok(());
    }
    for n in 1..=3 {
        if let Err(error) = client.change("app/db", &format!("password {n}")) {
            gave_up(error);
            return Ok(());
        }
        let expected = format!("password {}", n - 1);
        match client.before("app/db") {
            Ok(found) if found == expected => {}
            Ok(found) => {
                let told = format!("change {n}: before it was {expected:?}, not {found:?}");
                return Err((told, endpoint.trace()));
            }
            Err(error) => gave_up(error),
        }
    }
    Ok(())
}

#[test]
fn seeds_find_the_bug_of_the_sample_client() {
    let found = (0..200).find_map(|seed| Some((seed, execute(seed, Build::Planted).err()?)));
    let (seed, (told, trace)) = found.expect("no seed found it");
    println!("found by seed {seed}, execution {}: {told}\n{trace}", seed + 1);
    assert!(seed < 20, "it took {} executions", seed + 1);
    assert!(trace.to_string().contains("\n! lost answer\n"), "for another reason");
    // The same again, and from the trace alone.
    assert_eq!(execute(seed, Build::Planted).unwrap_err(), (told, trace.clone()));
    assert_eq!(trace.to_string().parse::<Trace>().unwrap().replay().unwrap(), Ok(()));
}

#[test]
fn and_none_in_the_mended_one() {
    for seed in 0..1000 {
        if let Err((told, trace)) = execute(seed, Build::Mended) {
            panic!("seed {seed}: {told}\n{trace}");
        }
    }
}
