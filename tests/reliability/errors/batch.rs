//! All requests of a batch are answered after its sync, including refusals and no-ops.

use crate::common::world::{self, Fault, Loss, Setup, World};
use std::sync::{Arc, Mutex};
use strongroom::__internals::error::Result;
use strongroom::__internals::model::Scope;
use strongroom::__internals::model::api::{CreateSecret, GetSecretValue, PutSecretValue};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::semantics::Answer;
use strongroom::__internals::vault::{Vault, Write};

fn create(vault: &Vault, name: &str, value: &str) {
    let mut request = CreateSecret::new(name);
    request.client_request_token = Some(format!("{name:c>40}"));
    request.value = Some(SecretValue::text(value));
    vault.create_secret(request).unwrap();
}

fn put(token: &str) -> Write {
    let mut request = PutSecretValue::new("secret", SecretValue::text("new"));
    request.client_request_token = Some(token.into());
    Write::PutSecretValue(request)
}

fn get(vault: &Vault, name: &str, version: Option<&str>) -> Result<Vec<u8>> {
    let mut request = GetSecretValue::new(name);
    request.version_id = version.map(Into::into);
    let got = vault.get_secret_value(request.clone())?;
    Ok(got.value.bytes().expose().to_vec())
}

/// One batch: a put, the same put again (which plans to "already there"), and a put of the same
/// token with another value (which plans to a refusal). The sync fails. Whoever got an answer other
/// than "unknown" relies on the put; is it there after the power cut?
fn answers_that_nothing_backs(setup: &Setup) -> Vec<&'static str> {
    let world = World::new(71);
    let vault = world.create(setup).unwrap();
    create(&vault, "secret", "old");
    let token = "t".repeat(36);
    let other = {
        let mut request = PutSecretValue::new("secret", SecretValue::text("other"));
        request.client_request_token = Some(token.clone());
        Write::PutSecretValue(request)
    };
    let answered = Arc::new(Mutex::new(Vec::new()));
    let note = |what: &'static str| -> Box<dyn FnOnce(Result<Answer>) + Send> {
        let answered = Arc::clone(&answered);
        Box::new(move |answer| {
            let is_known = match &answer {
                Ok(_) => true,
                Err(error) => error.fault().is_some(),
            };
            if is_known {
                answered.lock().unwrap().push(what);
            }
        })
    };
    world.fail_syncs();
    let writes = vec![
        (put(&token), note("the put")),
        (put(&token), note("its replay")),
        (other, note("its refusal")),
    ];
    world::submit_together(&vault, &Scope::default(), writes);
    drop(vault);
    world.restart(1, Loss::Dropped);
    world.sim.fs.clear_faults();
    let vault = world.open(&Setup::default()).unwrap();
    assert_eq!(get(&vault, "secret", None).unwrap(), b"old");
    let is_there = get(&vault, "secret", Some(&token)).is_ok();
    vault.close().unwrap();
    let answered = answered.lock().unwrap().clone();
    if is_there { Vec::new() } else { answered }
}

#[test]
fn nothing_planned_on_a_batch_is_answered_before_its_sync() {
    assert_eq!(answers_that_nothing_backs(&Setup::default()), Vec::<&str>::new());
}

#[test]
fn a_build_that_answers_no_ops_when_they_are_planned_is_caught() {
    let setup = Setup { fault: Some(Fault::NoopAtPlanTime), ..Setup::default() };
    let caught = answers_that_nothing_backs(&setup);
    println!("answered although nothing is there: {caught:?}");
    assert!(caught.contains(&"its replay"), "{caught:?}");
}
