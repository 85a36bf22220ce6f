//! How a vault ends: closed, dropped, dropped by its own callback, raced.

use super::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn threaded(sim: &Sim) -> World {
    World { background: true, ..World::on(sim) }
}

#[test]
fn after_close_or_drop_the_threads_are_gone_and_the_next_owner_may_come() {
    let sim = Sim::new(1);
    let world = threaded(&sim);
    let vault = world.create();
    make(&vault, "a", "one");
    drop(vault);
    for round in 0..40 {
        let vault = world.open().unwrap();
        let shared = Arc::downgrade(&vault.inner.shared);
        put(&vault, "a", &format!("{round}")).unwrap();
        // Wakes maintenance, so that it is in the middle of something.
        vault.inner.shared.wake_maintenance();
        if round % 2 == 0 {
            vault.close().unwrap();
            assert_eq!(kind(get(&vault, "a")), ErrorKind::Closed);
            assert_eq!(kind(put(&vault, "a", "x")), ErrorKind::Closed);
            vault.close().unwrap();
        }
        drop(vault);
        assert!(shared.upgrade().is_none(), "somebody still holds the vault");
    }
    assert_eq!(get(&world.open().unwrap(), "a").unwrap(), "39");
}

/// Tries until the lock is free.
fn open_soon(world: &World) -> Vault {
    for _ in 0..4000 {
        match world.open() {
            Ok(vault) => return vault,
            Err(error) => assert!(matches!(error.kind(), ErrorKind::InUse { .. }), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the lock is never let go");
}

#[test]
fn the_last_handle_may_be_dropped_by_a_callback() {
    let sim = Sim::new(2);
    let world = threaded(&sim);
    let vault = world.create();
    make(&vault, "a", "one");
    drop(vault);
    for round in 0..20_u8 {
        let vault = open_soon(&world);
        let inner = Arc::downgrade(&vault.inner);
        let last = vault.clone();
        // Behind the one that drops the handle there are more: all are done before the lock goes.
        sim.fs.set_sync_delay(Duration::from_millis(2));
        let write = put_request("a", "first", round * 2);
        vault.submit_write(write, move |_| drop(last));
        let write = put_request("a", &format!("last {round}"), round * 2 + 1);
        vault.submit_write(write, |_| {});
        drop(vault);
        let vault = open_soon(&world);
        assert_eq!(get(&vault, "a").unwrap(), format!("last {round}"));
        drop(vault);
        drop(inner);
    }
}

#[test]
fn a_callback_that_closes_is_refused() {
    let sim = Sim::new(3);
    let world = threaded(&sim);
    let vault = world.create();
    make(&vault, "a", "one");
    let (report, heard) = crossbeam::channel::bounded(1);
    let handle = vault.clone();
    let done = Box::new(move |_| report.send(kind(handle.close())).unwrap());
    vault.submit_write(put_request("a", "two", 1), done);
    assert!(matches!(heard.recv().unwrap(), ErrorKind::Usage { .. }));
    vault.close().unwrap();
}

#[test]
fn every_callback_is_called_once_however_closing_races() {
    for seed in 0..10 {
        let sim = Sim::new(seed);
        let world = threaded(&sim);
        let vault = world.create();
        make(&vault, "a", "one");
        let (submitted, done, acknowledged) =
            <(Arc<AtomicU64>, Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                let vault = vault.clone();
                let (submitted, done, acknowledged) = (&submitted, &done, &acknowledged);
                scope.spawn(move || {
                    for n in 0..400_u64 {
                        submitted.fetch_add(1, Ordering::Relaxed);
                        let (done, acknowledged) = (Arc::clone(done), Arc::clone(acknowledged));
                        let mut request = PutSecretValue::new("a", SecretValue::text("x"));
                        let thread = format!("{:?}", std::thread::current().id());
                        let token: String = format!("{n}{thread}")
                            .chars()
                            .filter(char::is_ascii_alphanumeric)
                            .collect();
                        request.client_request_token = Some(format!("{token:0>40}"));
                        vault.submit_write(Write::PutSecretValue(request), move |result| {
                            done.fetch_add(1, Ordering::Relaxed);
                            match result {
                                Ok(_) => drop(acknowledged.fetch_add(1, Ordering::Relaxed)),
                                Err(error) => assert!(
                                    matches!(error.kind(), ErrorKind::Busy | ErrorKind::Closed),
                                    "{error}"
                                ),
                            }
                        });
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(seed));
            vault.close().unwrap();
        });
        assert_eq!(submitted.load(Ordering::Relaxed), done.load(Ordering::Relaxed));
        drop(vault);
        // Tokens are never refused twice, so each acknowledged put is one version or was pruned.
        let vault = world.open().unwrap();
        let lsn = vault.inner.driver.control(|pipeline| pipeline.lsn.0).unwrap();
        assert!(lsn > acknowledged.load(Ordering::Relaxed));
    }
}

#[test]
fn a_broken_state_keeps_nobody_from_closing() {
    let sim = Sim::new(4);
    let world = threaded(&sim);
    let vault = world.create();
    make(&vault, "a", "one");
    vault.inner.shared.state.mark_broken();
    vault.close().unwrap();
    drop(vault);
    assert_eq!(get(&world.open().unwrap(), "a").unwrap(), "one");
}

#[test]
fn closing_a_poisoned_vault_lets_the_lock_and_the_state_go() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::real(dir.path());
    let vault = world.create();
    make(&vault, "a", "one");
    vault.inner.shared.status.raise(crate::vault::runtime::status::Status::Poisoned);
    // A reader that is still at it.
    let reader = vault.inner.shared.state().unwrap();
    vault.close().unwrap();
    let again = world.open().unwrap();
    assert_eq!(get(&again, "a").unwrap(), "one");
    drop(reader);
}
