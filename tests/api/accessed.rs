//! `LastAccessedDate` costs a reader nothing: 1,000 gets on one day leave at most one operation
//! in the log, and a get works on a vault that can write no more.

use crate::common::reference::DAY;
use crate::common::world::{Setup, World};
use strongroom::__internals::error::ErrorKind;
use strongroom::__internals::model::api::{
    CreateSecret, DescribeSecret, GetSecretValue, PutSecretValue,
};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::Vault;

fn get(vault: &Vault) {
    let got = vault.get_secret_value(GetSecretValue::new("read")).unwrap();
    assert_eq!(got.value.bytes().expose(), b"value");
}

fn accessed(vault: &Vault) -> Option<i64> {
    let request = DescribeSecret::new("read");
    let described = vault.describe_secret(request).unwrap();
    described.last_accessed_date.map(|date| date.0)
}

fn made(world: &World, setup: &Setup) -> Vault {
    let vault = world.create(setup).unwrap();
    let mut request = CreateSecret::new("read");
    request.client_request_token = Some("t".repeat(32));
    request.value = Some(SecretValue::text("value"));
    vault.create_secret(request).unwrap();
    vault
}

#[test]
fn a_thousand_gets_on_one_day_cost_one_operation() {
    for background in [false, true] {
        let world = World::new(3);
        let setup = Setup { background, ..Setup::default() };
        let vault = made(&world, &setup);
        assert_eq!(accessed(&vault), None, "nothing was read yet");
        vault.close().unwrap();
        let before = world.check().unwrap().lsn;
        let vault = world.open(&setup).unwrap();
        let syncs = world.log_syncs();
        for _ in 0..1_000 {
            get(&vault);
        }
        // Shown at once, at midnight UTC.
        let today = world.wall().div_euclid(DAY) * DAY;
        assert_eq!(accessed(&vault), Some(today));
        vault.maintain().unwrap();
        let syncs = world.log_syncs() - syncs;
        vault.close().unwrap();
        let after = world.check().unwrap().lsn;
        println!("1,000 gets: {} operations, {syncs} syncs of the log", after - before);
        assert!(after - before <= 1, "{} operations", after - before);
        let vault = world.open(&setup).unwrap();
        assert_eq!(accessed(&vault), Some(today), "a clean close keeps it");
        // The next day is another.
        world.advance(std::time::Duration::from_millis(DAY.unsigned_abs()));
        get(&vault);
        assert_eq!(accessed(&vault), Some(today + DAY));
        vault.close().unwrap();
    }
}

#[test]
fn a_poisoned_vault_still_answers_gets() {
    for background in [false, true] {
        let world = World::new(4);
        let setup = Setup { background, ..Setup::default() };
        let vault = made(&world, &setup);
        world.fail_syncs();
        let put = || {
            let request = PutSecretValue::new("read", SecretValue::text("other"));
            let result = vault.put_secret_value(request);
            result.map(|written| written.arn).map_err(|error| error.kind().clone())
        };
        assert_eq!(put(), Err(ErrorKind::OutcomeUnknown), "the put whose sync failed");
        assert_eq!(put(), Err(ErrorKind::Poisoned), "no retry");
        for _ in 0..100 {
            get(&vault);
        }
        assert!(accessed(&vault).is_some());
        drop(vault);
    }
}
