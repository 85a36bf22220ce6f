//! Tests a client of AWS Secrets Manager against a service that fails: the feature `testkit`, see
//! docs/TESTKIT.md.
//!
//! The service is this process. All of it, including its failures, follows from one seed, so a failed run can
//! be repeated.
#![allow(clippy::print_stdout)] // a program that shows what it tries

use strongroom::Vault;
use strongroom::testkit::{Endpoint, FaultPlan, Rates};

/// The client under test: tries again when it gets no answer or is told to slow down.
fn current_value(service: &Endpoint) -> Option<String> {
    for attempt in 1..=10 {
        match service.call("GetSecretValue", br#"{"SecretId":"app/db"}"#) {
            Ok(reply) if reply.status == 200 => {
                println!("attempt {attempt}: 200");
                return String::from_utf8(reply.body).ok();
            }
            Ok(reply) => println!("attempt {attempt}: {}", reply.status),
            Err(lost) => println!("attempt {attempt}: no answer after {:?}", lost.latency),
        }
    }
    None
}

fn main() -> strongroom::Result<()> {
    let service = Endpoint::new(Vault::ephemeral(7)?);
    let create = br#"{"Name":"app/db","SecretString":"hunter2",
        "ClientRequestToken":"11111111-1111-4111-8111-111111111111"}"#;
    service.call("CreateSecret", create).expect("nothing fails yet");
    for seed in 0..20 {
        let service = service.fork()?;
        let rates = Rates { throttled: 200, lost_answer: 200, ..Rates::default() };
        service.set_faults(FaultPlan::new(seed, rates));
        let answer = current_value(&service).expect("ten attempts are enough");
        assert!(answer.contains("hunter2"), "seed {seed}");
        assert_eq!(service.trace().replay()?, Ok(()), "the same seed gives the same answers");
    }
    Ok(())
}
