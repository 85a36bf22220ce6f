//! The process that does the work and reports its progress.

use super::place::{FUNCTION, Place};
use super::work::{ACCOUNT, ASIDE, Act, REGION, Script};
use crate::common::drive;
use crate::common::reference::{Model, Req};
use crate::common::rng::Rng;
use crate::common::world::Setup;
use std::io::Write as _;
use std::sync::mpsc;
use std::time::Duration;
use strongroom::__internals::env::{Clock as _, UnixMillis};
use strongroom::__internals::model::Scope;
use strongroom::__internals::model::api::{
    CreateSecret, DeleteSecret, ListSecrets, PutResourcePolicy, PutSecretValue,
    RemoveRegionsFromReplication, ReplicaRegion, ReplicateSecretToRegions, RotateSecret,
    StopReplicationToReplica,
};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::{StoreChoice, Vault};

/// Tells the harness something, in one write that a trace shows too.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody may be listening any more.
    let _ = out.write_all(format!("@{text}\n").as_bytes()).and_then(|()| out.flush());
}

/// Does `script` at `place`, saying `start`, `open`, `h N` before requests are handed in, `a N` when so many
/// were answered, `t MILLIS` before time passes, and `e` at an error that is not a refusal; after that
/// `r` and `p`, what a read and a write come to. Else it ends with the vault closed.
pub fn run(place: &Place, script: &Script, setup: &Setup, fresh: bool) {
    let first = script.base.wall;
    let (options, clock) = Place::options(setup, first, StoreChoice::Auto);
    say("start");
    let opened = if fresh { place.create(&options) } else { place.open(&options) };
    let mut vault = opened.unwrap();
    say("open");
    let (mut handed, mut answered) = (0, 0);
    for (act, wall) in script.acts.iter().zip(&script.walls) {
        if let Act::Pass(_) = act {
            say(&format!("t {wall}"));
        }
        let step = wall - clock.wall().0;
        clock.advance(Duration::from_millis(step.try_into().unwrap()));
        assert_eq!(clock.wall(), UnixMillis(*wall));
        let outcome = match act {
            Act::Ask(requests) => {
                handed += requests.len();
                say(&format!("h {handed}"));
                ask(&vault, &script.base, requests, &mut answered)
            }
            Act::Aside(seed) => aside(&vault, *seed),
            Act::Maintain => vault.maintain().map_err(|error| error.to_string()),
            Act::Shred => vault.shred().map_err(|error| error.to_string()),
            Act::Rekey => place.change_key(&vault).map_err(|error| error.to_string()),
            Act::Pass(_) => Ok(()),
            Act::Reopen => {
                vault.close().unwrap();
                drop(vault);
                let (mut again, _) = Place::options(setup, *wall, StoreChoice::Auto);
                again.tuning.env = options.tuning.env.clone();
                // As a new process finds it.
                clock.restart_monotonic();
                vault = place.open(&again).unwrap();
                Ok(())
            }
        };
        if let Err(error) = outcome {
            say(&format!("e {error}"));
            return probe(&vault);
        }
    }
    match vault.close() {
        Ok(()) => say("done"),
        Err(error) => say(&format!("e {error}")),
    }
}

/// After an error: whether the vault still reads, and what it says to a write.
fn probe(vault: &Vault) {
    let scope = Scope::new(ACCOUNT, ASIDE[0]);
    let read = vault.in_scope(&scope).list_secrets(ListSecrets::default());
    say(&format!("r {}", read.map_or_else(|error| error.to_string(), |_| "ok".into())));
    let write = vault.in_scope(&scope).create_secret(CreateSecret::new("after-the-error"));
    say(&format!("p {}", write.map_or_else(|error| error.to_string(), |_| "ok".into())));
}

fn ask(vault: &Vault, model: &Model, requests: &[Req], answered: &mut usize) -> Result<(), String> {
    let scope = Scope::new(ACCOUNT, REGION);
    let (sender, outcomes) = mpsc::channel();
    for request in requests {
        let sender = sender.clone();
        let done = Box::new(move |answer: strongroom::__internals::error::Result<_>| {
            let failed = answer.err().filter(|error| error.fault().is_none());
            let _ = sender.send(failed.map(|error| error.to_string()));
        });
        vault.in_scope(&scope).submit_write(drive::to_write(model, REGION, request).unwrap(), done);
    }
    drop(sender);
    for _ in requests {
        match outcomes.recv() {
            Ok(None) => {
                *answered += 1;
                say(&format!("a {answered}"));
            }
            Ok(Some(error)) => return Err(error),
            Err(_) => return Err("never answered".into()),
        }
    }
    Ok(())
}

/// Something of what the model does not know. Refusals are as good as success.
pub fn aside(vault: &Vault, seed: u64) -> Result<(), String> {
    let mut rng = Rng::new(seed);
    let scope = Scope::new(ACCOUNT, ASIDE[0]);
    let name = format!("aside-{}", rng.below(4));
    let create = || {
        let mut request = CreateSecret::new(name.clone());
        request.value = Some(SecretValue::text("first"));
        vault.in_scope(&scope).create_secret(request).map(drop)
    };
    let outcome = match rng.below(9) {
        0 | 1 => create(),
        2 | 3 => {
            let mut request = RotateSecret::new(name.clone());
            request.rotation_lambda_arn = Some(FUNCTION.into());
            vault.in_scope(&scope).rotate_secret(request).map(drop)
        }
        4 => {
            let value = SecretValue::text(rng.word(30));
            vault
                .in_scope(&scope)
                .put_secret_value(PutSecretValue::new(name.clone(), value))
                .map(drop)
        }
        5 => {
            let request = PutResourcePolicy {
                secret_id: name.clone(),
                resource_policy: format!(
                    r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::123456789012:root"}},"Action":"secretsmanager:GetSecretValue","Resource":"*","Sid":"{}"}}]}}"#,
                    rng.word(8)
                ),
                ..PutResourcePolicy::default()
            };
            vault.in_scope(&scope).put_resource_policy(request).map(drop)
        }
        6 => {
            let request = ReplicateSecretToRegions {
                secret_id: name.clone(),
                add_replica_regions: vec![ReplicaRegion::new(ASIDE[1])],
                ..ReplicateSecretToRegions::default()
            };
            vault.in_scope(&scope).replicate_secret_to_regions(request).map(drop)
        }
        7 if rng.chance(50) => {
            let replica = Scope::new(ACCOUNT, ASIDE[1]);
            let request = StopReplicationToReplica::new(name.clone());
            vault.in_scope(&replica).stop_replication_to_replica(request).map(drop)
        }
        7 => {
            let request = RemoveRegionsFromReplication {
                secret_id: name.clone(),
                remove_replica_regions: vec![ASIDE[1].into()],
            };
            vault.in_scope(&scope).remove_regions_from_replication(request).map(drop)
        }
        _ => {
            let request = DeleteSecret {
                secret_id: name.clone(),
                recovery_window_in_days: None,
                force_delete_without_recovery: Some(true),
            };
            vault.in_scope(&scope).delete_secret(request).map(drop)
        }
    };
    match outcome {
        Err(error) if error.fault().is_none() => Err(error.to_string()),
        _ => Ok(()),
    }
}
