//! Deletion is real: after a forced delete and the switch of the epoch, no byte that was kept from
//! before opens with any key that can still be had. And whatever a purge and a re-creation by name
//! do to a put in flight, it fails or lands whole.

use crate::common::world::{self, Setup, World};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use strongroom::__internals::model::Tree;
use strongroom::__internals::model::api::{
    CreateSecret, DeleteSecret, GetSecretValue, PutSecretValue,
};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::Vault;

fn create(vault: &Vault, name: &str, value: &str) {
    let mut request = CreateSecret::new(name);
    request.client_request_token = Some(format!("{name:c>40}"));
    request.value = Some(SecretValue::text(value));
    vault.create_secret(request).unwrap();
}

fn purge(vault: &Vault, name: &str) {
    let request = DeleteSecret {
        secret_id: name.into(),
        force_delete_without_recovery: Some(true),
        ..DeleteSecret::default()
    };
    vault.delete_secret(request).unwrap();
}

#[test]
fn no_retained_byte_of_a_purged_secret_opens_after_the_epoch_switch() {
    let world = World::new(11);
    let setup = Setup::default();
    let vault = world.create(&setup).unwrap();
    for n in 0..20 {
        create(&vault, &format!("gone-{n}"), "to be shredded");
        create(&vault, &format!("kept-{n}"), "to be kept");
    }
    // What an attacker kept: every sealed row as it was, every file as it was.
    let rows = world::sealed_rows(&vault);
    let tokens: Vec<String> = (0..20)
        .flat_map(|n| [format!("gone-{n}"), format!("kept-{n}")])
        .map(|name| format!("{name:c>40}"))
        .collect();
    let opens = |vault: &Vault, row: &world::SealedRow| {
        tokens.iter().any(|token| world::data_key_opens(vault, row, token))
    };
    let wraps: Vec<_> = rows.iter().filter(|row| row.tree == Tree::Versions).collect();
    assert_eq!(wraps.len(), 40);
    for row in &wraps {
        assert!(opens(&vault, row), "the control: it opens before");
    }
    for n in 0..20 {
        purge(&vault, &format!("gone-{n}"));
    }
    for row in &wraps {
        assert!(opens(&vault, row), "a purge alone shreds nothing");
    }
    vault.shred().unwrap();
    for row in &wraps {
        assert!(!opens(&vault, row), "an old wrap opens");
    }
    vault.close().unwrap();
    // The keystore on disk gives no more than the running vault had.
    let vault = world.open(&setup).unwrap();
    for row in &wraps {
        assert!(!opens(&vault, row), "an old wrap opens after a restart");
    }
    for n in 0..20 {
        let request = GetSecretValue::new(format!("kept-{n}"));
        let got = vault.get_secret_value(request.clone()).unwrap();
        assert_eq!(got.value.bytes().expose(), b"to be kept");
        let request = GetSecretValue::new(format!("gone-{n}"));
        assert!(vault.get_secret_value(request).is_err());
    }
    // Tokens of what was kept still mean what they meant.
    let mut replay = PutSecretValue::new("kept-1", SecretValue::text("to be kept"));
    replay.client_request_token = Some(format!("{:c>40}", "kept-1"));
    vault.put_secret_value(replay).unwrap();
    vault.close().unwrap();
}

#[test]
fn a_put_that_meets_purge_and_re_creation_fails_or_lands_whole() {
    let world = World::new(12);
    let vault = world.create(&Setup { background: true, ..Setup::default() }).unwrap();
    create(&vault, "contended", "first");
    let (stop, landed, refused) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (vault, stop, landed, refused) = (vault.clone(), &stop, &landed, &refused);
            scope.spawn(move || {
                let mut n = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    n += 1;
                    let (token, value) =
                        (format!("w{writer}{n:0>40}"), format!("{writer}/{n}").repeat(400));
                    let mut request =
                        PutSecretValue::new("contended", SecretValue::text(value.clone()));
                    request.client_request_token = Some(token.clone());
                    match vault.put_secret_value(request) {
                        Ok(written) => {
                            landed.fetch_add(1, Ordering::Relaxed);
                            // By its full ARN: the secret it landed in, if that is still there.
                            let mut request = GetSecretValue::new(written.arn);
                            request.version_id = Some(token);
                            match vault.get_secret_value(request.clone()) {
                                Ok(got) => {
                                    assert_eq!(got.value.bytes().expose(), value.as_bytes());
                                }
                                Err(error) => {
                                    assert!(error.fault().is_some(), "unreadable: {error}");
                                }
                            }
                        }
                        Err(error) => {
                            assert!(error.fault().is_some(), "no refusal of AWS's: {error}");
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for round in 0..60 {
                purge(&vault, "contended");
                if round % 10 == 0 {
                    vault.shred().unwrap();
                }
                create(&vault, "contended", "again");
                // Every version that is listed opens, whoever put it.
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            vault.shred().unwrap();
        }));
        stop.store(true, Ordering::Relaxed);
        outcome.unwrap();
    });
    println!("{landed:?} puts landed, {refused:?} were refused");
    assert!(landed.into_inner() > 0);
    let request = strongroom::__internals::model::api::ListSecretVersionIds {
        secret_id: "contended".into(),
        include_deprecated: Some(true),
        max_results: Some(100),
        next_token: None,
    };
    let page = vault.list_secret_version_ids(request.clone()).unwrap();
    for version in page.versions {
        let mut request = GetSecretValue::new("contended");
        request.version_id = Some(version.version_id.to_string());
        vault.get_secret_value(request.clone()).unwrap();
    }
    vault.close().unwrap();
    assert!(world.check().unwrap().damage.is_empty());
}
