//! Retention: 131 puts within a minute are all there after 23 hours and exactly 100 of them after
//! 25, the labelled ones among them, while readers and writers go on. A clock that is wrong by 400
//! days removes nothing early.

use crate::common::world::{Setup, World};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use strongroom::__internals::model::api::{CreateSecret, DeleteSecret, DescribeSecret};
use strongroom::__internals::model::api::{GetSecretValue, ListSecretVersionIds, PutSecretValue};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::Vault;

const HOUR: Duration = Duration::from_secs(3600);
const DAY_MILLIS: i64 = 86_400_000;

fn version(n: usize) -> String {
    format!("version-{n:0>28}")
}

fn create(vault: &Vault, name: &str) {
    vault.create_secret(CreateSecret::new(name).with_token()).unwrap();
}

trait WithToken {
    fn with_token(self) -> Self;
}

impl<V> WithToken for CreateSecret<V> {
    fn with_token(mut self) -> Self {
        self.client_request_token = Some("c".repeat(32));
        self
    }
}

/// 131 versions of `pruned` within a minute; five of the oldest have labels of their own.
fn fill(world: &World, vault: &Vault) {
    create(vault, "pruned");
    for n in 0..131 {
        let mut request = PutSecretValue::new("pruned", SecretValue::text(format!("value {n}")));
        request.client_request_token = Some(version(n));
        if n % 2 == 1 && n < 10 {
            request.version_stages = Some(vec![format!("keep-{n}")]);
        }
        vault.put_secret_value(request).unwrap();
        world.advance(Duration::from_millis(450));
    }
}

/// The versions that are there, by their ids, all pages.
fn versions(vault: &Vault) -> BTreeSet<String> {
    let mut request = ListSecretVersionIds {
        secret_id: "pruned".into(),
        include_deprecated: Some(true),
        ..ListSecretVersionIds::default()
    };
    let mut ids = BTreeSet::new();
    loop {
        let page = vault.list_secret_version_ids(request.clone()).unwrap();
        ids.extend(page.versions.iter().map(|version| version.version_id.to_string()));
        request.next_token = page.next_token;
        if request.next_token.is_none() {
            return ids;
        }
    }
}

/// What must be left: the labelled ones, and of the others the newest, 100 in all.
fn expected() -> BTreeSet<String> {
    let labelled = [1, 3, 5, 7, 9];
    labelled.into_iter().chain(131 - 95..131).map(version).collect()
}

#[test]
fn exactly_100_versions_are_left_after_a_day_while_readers_and_writers_go_on() {
    let world = World::new(7);
    let vault = world.create(&Setup { background: true, ..Setup::default() }).unwrap();
    fill(&world, &vault);
    create(&vault, "busy");
    let (stop, reads, writes) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for reader in 0..2 {
            let (vault, stop, reads) = (vault.clone(), &stop, &reads);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let mut request = GetSecretValue::new("pruned");
                    let wanted = if reader == 0 {
                        "value 130"
                    } else {
                        request.version_stage = Some("keep-1".into());
                        "value 1"
                    };
                    let got = vault.get_secret_value(request.clone()).unwrap();
                    assert_eq!(got.value.bytes().expose(), wanted.as_bytes());
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        {
            let (vault, stop, writes) = (vault.clone(), &stop, &writes);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let n = writes.fetch_add(1, Ordering::Relaxed);
                    let request =
                        PutSecretValue::new("busy", SecretValue::text(format!("busy {n}")));
                    vault.put_secret_value(request).unwrap();
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            vault.maintain().unwrap();
            assert_eq!(versions(&vault).len(), 131, "at 0 h");
            world.advance(23 * HOUR);
            vault.maintain().unwrap();
            assert_eq!(versions(&vault).len(), 131, "at 23 h");
            world.advance(2 * HOUR);
            vault.maintain().unwrap();
            assert_eq!(versions(&vault), expected(), "at 25 h");
            vault.maintain().unwrap();
            assert_eq!(versions(&vault).len(), 100, "no further");
        }));
        stop.store(true, Ordering::Relaxed);
        outcome.unwrap();
    });
    println!("{} gets and {} puts meanwhile", reads.into_inner(), writes.into_inner());
    let request = DescribeSecret::new("pruned");
    let described = vault.describe_secret(request.clone()).unwrap();
    let stages: BTreeSet<String> =
        described.versions_to_stages.into_iter().flat_map(|(_, stages)| stages).collect();
    for stage in ["AWSCURRENT", "AWSPREVIOUS", "keep-1", "keep-9"] {
        assert!(stages.contains(stage), "{stage}");
    }
    // A version that was let go is not found, and its token is free again.
    let request = GetSecretValue { version_id: Some(version(0)), ..GetSecretValue::new("pruned") };
    assert!(vault.get_secret_value(request).is_err());
    vault.close().unwrap();
}

#[test]
fn a_clock_that_is_400_days_off_removes_nothing_early() {
    for days in [400, -400] {
        let world = World::new(8);
        let setup = Setup::default();
        let mut vault = world.create(&setup).unwrap();
        fill(&world, &vault);
        create(&vault, "scheduled");
        let delete = DeleteSecret {
            secret_id: "scheduled".into(),
            recovery_window_in_days: Some(7),
            ..DeleteSecret::default()
        };
        vault.delete_secret(delete).unwrap();
        let right = world.wall();
        for reopen in [false, true] {
            world.set_wall(world.wall() + days * DAY_MILLIS);
            if reopen {
                vault.close().unwrap();
                vault = world.open(&setup).unwrap();
            }
            for _ in 0..10 {
                world.advance(HOUR);
                vault.maintain().unwrap();
            }
            assert_eq!(versions(&vault).len(), 131, "{days} days, reopen {reopen}");
            let request = DescribeSecret::new("scheduled");
            assert!(vault.describe_secret(request.clone()).is_ok());
            world.set_wall(world.wall() - days * DAY_MILLIS);
            vault.maintain().unwrap();
        }
        // 20 hours passed by all clocks. With the right time, a day later, retention does its work.
        assert_eq!(world.wall(), right + 20 * 3_600_000);
        assert_eq!(versions(&vault).len(), 131, "{days} days, mended");
        world.advance(5 * HOUR);
        vault.maintain().unwrap();
        assert_eq!(versions(&vault), expected(), "{days} days, a day later");
        let request = DescribeSecret::new("scheduled");
        assert!(vault.describe_secret(request.clone()).is_ok());
        world.advance(7 * 24 * HOUR);
        vault.maintain().unwrap();
        assert!(vault.describe_secret(request.clone()).is_err(), "{days} days");
        vault.close().unwrap();
    }
}
