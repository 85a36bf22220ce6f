//! Builds that break one promise, and the harness that must notice: without it, its green on the
//! real build would mean nothing.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

mod common;

use common::recorder::Recorder;
use common::world::{self, Loss, Sabotage, Setup, World};
use std::sync::{Arc, Mutex};
use strongroom::env::Clock;
use strongroom::env::sim::SimFs;
use strongroom::error::Result;
use strongroom::model::Scope;
use strongroom::model::api::{CreateSecret, DeleteSecret, GetSecretValue, PutSecretValue};
use strongroom::secret::SecretValue;
use strongroom::semantics::Answer;
use strongroom::vault::{Vault, Write};

fn create(vault: &Vault, name: &str, value: &str) {
    let mut request = CreateSecret::new(name);
    request.client_request_token = Some(format!("{name:c>40}"));
    request.value = Some(SecretValue::text(value));
    vault.create_secret(&Scope::default(), request).unwrap();
}

fn put(token: &str) -> Write {
    let mut request = PutSecretValue::new("secret", SecretValue::text("new"));
    request.client_request_token = Some(token.into());
    Write::PutSecretValue(request)
}

fn get(vault: &Vault, name: &str, version: Option<&str>) -> Result<Vec<u8>> {
    let mut request = GetSecretValue::new(name);
    request.version_id = version.map(Into::into);
    let got = vault.get_secret_value(&Scope::default(), &request)?;
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
            let told = match &answer {
                Ok(_) => true,
                Err(error) => error.fault().is_some(),
            };
            if told {
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
    let setup = Setup { sabotage: Some(Sabotage::NoopAtPlanTime), ..Setup::default() };
    let caught = answers_that_nothing_backs(&setup);
    println!("answered although nothing is there: {caught:?}");
    assert!(caught.contains(&"its replay"), "{caught:?}");
}

/// Cuts the power at every change of the disk that an epoch switch makes, and once in a while again
/// while recovering: what was not purged must be readable, and a second switch must finish the work.
fn unreadable_after_a_cut_switch(setup: &Setup) -> (usize, Vec<String>) {
    const KEPT: usize = 60;
    let world = World::new(72);
    let images: Arc<Mutex<Vec<(SimFs, i64)>>> = Arc::default();
    let recorder = {
        let (images, fs) = (Arc::clone(&images), Arc::clone(&world.sim.fs));
        let clock = Arc::clone(&world.sim.clock);
        Arc::new(Recorder::new(Arc::clone(&world.sim.fs), move || {
            images.lock().unwrap().push((fs.fork(), clock.wall().0));
        }))
    };
    let vault = world.create_watched(setup, recorder).unwrap();
    for n in 0..KEPT {
        create(&vault, &format!("kept-{n}"), &format!("value {n}"));
        create(&vault, &format!("gone-{n}"), "to be shredded");
    }
    for n in 0..KEPT {
        let request = DeleteSecret {
            secret_id: format!("gone-{n}"),
            force_delete_without_recovery: Some(true),
            ..DeleteSecret::default()
        };
        vault.delete_secret(&Scope::default(), request).unwrap();
    }
    images.lock().unwrap().clear();
    vault.shred().unwrap();
    images.lock().unwrap().push((world.sim.fs.fork(), world.wall()));
    let images = std::mem::take(&mut *images.lock().unwrap());
    let mut unreadable = Vec::new();
    for (at, (image, wall)) in images.iter().enumerate() {
        for loss in [Loss::Dropped, Loss::Torn, Loss::Kept] {
            let after = world.on_image(image, *wall, at as u64);
            after.restart(at as u64, loss);
            if at % 3 == 0 {
                after.crash_at(after.calls() + 1 + (at as u64 / 3) % 9);
                drop(after.open(&Setup::default()));
                after.restart(at as u64 + 1, loss);
            }
            let vault = match after.open(&Setup::default()) {
                Ok(vault) => vault,
                Err(error) => {
                    unreadable.push(format!("{at} {loss:?}: does not open: {error}"));
                    continue;
                }
            };
            for round in 0..2 {
                for n in 0..KEPT {
                    let seen = get(&vault, &format!("kept-{n}"), None);
                    if !seen.is_ok_and(|value| value == format!("value {n}").as_bytes()) {
                        unreadable.push(format!("{at} {loss:?}: kept-{n} in round {round}"));
                    }
                    assert!(get(&vault, &format!("gone-{n}"), None).is_err());
                }
                // The switch that the cut interrupted, done again.
                if unreadable.is_empty() {
                    vault.shred().unwrap();
                }
            }
            let _ = vault.close();
        }
    }
    (images.len(), unreadable)
}

#[test]
fn a_power_cut_anywhere_in_an_epoch_switch_loses_nothing() {
    let (images, unreadable) = unreadable_after_a_cut_switch(&Setup::default());
    println!("{images} boundaries of an epoch switch, {} values lost", unreadable.len());
    assert!(images > 20);
    assert!(unreadable.is_empty(), "{:?}", &unreadable[..unreadable.len().min(5)]);
}

#[test]
fn a_build_that_drops_an_epoch_before_the_last_re_wrap_is_caught() {
    let setup = Setup { sabotage: Some(Sabotage::DropEpochEarly), ..Setup::default() };
    let (_, unreadable) = unreadable_after_a_cut_switch(&setup);
    println!("{} values cannot be read", unreadable.len());
    assert!(!unreadable.is_empty());
}
