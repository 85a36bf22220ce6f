//! A schedule by a simulated clock, with each kind of function: the days come when the test says so,
//! while commands and connections are real.

use crate::cli::context::Context;
use crate::cli::rotation::call::{Caller, CallerCell, Filled};
use crate::cli::rotation::functions;
use crate::cli::testing::context;
use crate::crypto::{Unlock, key_file};
use crate::env::sim::Sim;
use crate::model::Scope;
use crate::model::api::{
    CreateSecret, DescribeSecret, GetSecretValue, PutSecretValue, RotateSecret, RotationRules,
    UpdateSecretVersionStage,
};
use crate::secret::SecretValue;
use crate::vault::{Options, StoreChoice, Vault, VaultDir};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const F: &str = "arn:aws:lambda:us-east-1:000000000000:function:rotate";
const S: &str = "app/db";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const DAYS: usize = 5;

/// A vault with one secret on a simulated machine.
fn vault_with(argument: &str) -> (Sim, Vault, Filled) {
    let sim = Sim::new(7);
    let caller = CallerCell::default();
    let mut context = Context { env: sim.env(), ..context(&[]) };
    context.http.hook = |url| Some(Box::new(crate::wire::Hook::parse(url)?));
    let rotation = functions(&context, &[format!("{F}={argument}")], &caller).unwrap();
    let mut options = Options { rotation, ..Options::default() };
    options.tuning.env = Some(sim.env());
    options.tuning.store = StoreChoice::Memory;
    options.tuning.background = false;
    let make = VaultDir::make(Path::new("/vault"), &options).unwrap();
    let entropy = sim.env().entropy;
    let vault = make
        .create(|id| Ok(Unlock::KeyFile(key_file::generate(id, entropy.as_ref()).unwrap())))
        .unwrap();
    let mut request = CreateSecret::new(S);
    request.value = Some(SecretValue::text("first"));
    vault.create_secret(request).unwrap();
    vault.new_credential(Scope::DEFAULT_ACCOUNT).unwrap();
    let endpoint = "http://127.0.0.1:1".into();
    let filled = Caller { endpoint, vault: Some(vault.clone()), tells_names: false };
    let filled = caller.fill(filled);
    (sim, vault, filled)
}

/// What the functions of these tests do with an event, with the vault itself for their server.
fn do_step(vault: &Vault, event: &[u8]) {
    let event: Value = serde_json::from_slice(event).unwrap();
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap().to_owned();
    let (scope, token) = (Scope::default(), text("ClientRequestToken"));
    match text("Step").as_str() {
        "createSecret" => {
            let value = SecretValue::text(format!("made for {token}"));
            let mut request = PutSecretValue::new(text("SecretId"), value);
            request.client_request_token = Some(token);
            request.version_stages = Some(vec!["AWSPENDING".into()]);
            vault.in_scope(&scope).put_secret_value(request).unwrap();
        }
        "finishSecret" => {
            let current = vault.in_scope(&scope).get_secret_value(GetSecretValue::new(S)).unwrap();
            let request = UpdateSecretVersionStage {
                secret_id: text("SecretId"),
                version_stage: "AWSCURRENT".into(),
                remove_from_version_id: Some(current.version_id.to_string()),
                move_to_version_id: Some(token),
            };
            vault.in_scope(&scope).update_secret_version_stage(request).unwrap();
        }
        _ => (),
    }
}

fn value(vault: &Vault) -> String {
    let got = vault.get_secret_value(GetSecretValue::new(S)).unwrap();
    String::from_utf8(got.value.bytes().expose().to_vec()).unwrap()
}

/// Each day has its rotation, and nothing happens between.
fn days_pass(sim: &Sim, vault: &Vault) {
    let rules = RotationRules { automatically_after_days: Some(1), ..RotationRules::default() };
    let request = RotateSecret {
        client_request_token: Some("t".repeat(32)),
        rotation_lambda_arn: Some(F.into()),
        rotation_rules: Some(rules),
        ..RotateSecret::new(S)
    };
    vault.rotate_secret(request).unwrap();
    vault.maintain().unwrap();
    let mut seen = vec!["first".to_owned(), value(vault)];
    for day in 0..DAYS {
        vault.maintain().unwrap();
        assert_eq!(Some(&value(vault)), seen.last(), "nothing is due on day {day}");
        sim.clock.advance(DAY);
        vault.maintain().unwrap();
        let fresh = value(vault);
        assert!(!seen.contains(&fresh), "day {day}: {fresh}");
        seen.push(fresh);
    }
    let described = vault.describe_secret(DescribeSecret::new(S)).unwrap();
    assert_eq!(described.rotation.unwrap().last_rotated_date, Some(sim.env().clock.wall()));
}

/// SEM-SCHED-10: by the function that is built in.
#[test]
fn a_value_is_drawn_every_day() {
    let (sim, vault, _filled) = vault_with("random:20");
    days_pass(&sim, &vault);
    assert_eq!(value(&vault).len(), 20);
}

/// SEM-SCHED-10: by a command, which leaves its event in a file until somebody has done it.
#[test]
fn a_command_is_run_every_day() {
    let folder = tempfile::tempdir().unwrap();
    let (script, event) = (folder.path().join("rotate"), folder.path().join("event"));
    let text = format!(
        "#!/bin/sh\ncat > '{0}.part' && mv '{0}.part' '{0}'\nwhile [ -e '{0}' ]; do sleep 0.01; \
         done\n",
        event.display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (sim, vault, _filled) = vault_with(&format!("exec:{}", script.display()));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                if let Ok(found) = std::fs::read(&event) {
                    do_step(&vault, &found);
                    std::fs::remove_file(&event).unwrap();
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        days_pass(&sim, &vault);
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(value(&vault).starts_with("made for "));
}

/// SEM-SCHED-10: by a hook.
#[test]
fn a_hook_is_called_every_day() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (sim, vault, _filled) = vault_with(&format!("http://{}/", listener.local_addr().unwrap()));
    std::thread::scope(|threads| {
        let worker = vault.clone();
        threads.spawn(move || {
            // Four calls a day, and as many for the rotation that was asked for.
            for stream in listener.incoming().take(4 * (DAYS + 1)) {
                let mut stream = BufReader::new(stream.unwrap());
                let (mut line, mut length) = (String::new(), 0);
                while line != "\r\n" {
                    line.clear();
                    stream.read_line(&mut line).unwrap();
                    if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                }
                let mut event = vec![0; length];
                stream.read_exact(&mut event).unwrap();
                do_step(&worker, &event);
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
                stream.get_mut().write_all(answer).unwrap();
            }
        });
        days_pass(&sim, &vault);
    });
    assert!(value(&vault).starts_with("made for "));
}

/// I8: a vault whose server ended without closing it is dropped with its keys, functions or not.
#[test]
fn a_cell_that_is_emptied_does_not_keep_the_vault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    let caller = CallerCell::default();
    let argument = format!("{F}=exec:/bin/true");
    let rotation = functions(&context(&[]), &[argument], &caller).unwrap();
    let options = Options { rotation, ..Options::default() };
    let entropy = crate::env::Env::real().entropy;
    let key = |id| Ok(Unlock::KeyFile(key_file::generate(id, entropy.as_ref()).unwrap()));
    let vault = VaultDir::make(&path, &options).unwrap().create(key).unwrap();
    let endpoint = String::new();
    let filled = caller.fill(Caller { endpoint, vault: Some(vault.clone()), tells_names: false });
    assert!(VaultDir::lock(&path, &Options::default()).is_err(), "it is open");
    // As a panic of the server does it: nobody closes the vault.
    drop(filled);
    drop(vault);
    assert!(VaultDir::lock(&path, &Options::default()).is_ok(), "nothing has it any more");
}
