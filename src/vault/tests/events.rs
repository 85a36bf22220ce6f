//! Events of label moves: written with the move, bounded, delivered in order. The crashes are in
//! `tests/reliability/label_events.rs`.

use super::*;
use crate::model::Tree;
use crate::model::api::UpdateSecretVersionStage;
use crate::vault::label_event::{EventError, LabelEvent};
use crate::vault::rows::Outbox;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// What a receiver has got.
#[derive(Clone, Default)]
struct Inbox {
    events: Arc<Mutex<Vec<LabelEvent>>>,
    refuses: Arc<AtomicBool>,
}

impl Inbox {
    fn options(&self, world: &World) -> Options {
        let inbox = self.clone();
        let receive = move |event: &LabelEvent| {
            inbox.events.lock().unwrap().push(event.clone());
            if inbox.refuses.load(Ordering::SeqCst) { Err(EventError) } else { Ok(()) }
        };
        Options { on_label_updated: Some(Arc::new(receive)), ..world.options() }
    }

    fn open(&self, world: &World) -> Vault {
        self.options(world).open(&world.dir, &world.unlock()).unwrap()
    }

    fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }

    /// The names of the secrets of the events since the last call.
    fn take(&self) -> Vec<String> {
        let events = std::mem::take(&mut *self.events.lock().unwrap());
        events.into_iter().map(|event| event.name).collect()
    }
}

/// A vault that was made and closed.
fn closed(sim: &Sim) -> World {
    let world = World::on(sim);
    world.create().close().unwrap();
    world
}

fn waiting(vault: &Vault) -> Vec<String> {
    vault.waiting_events().unwrap().into_iter().map(|event| event.name).collect()
}

/// SEM-EVENT-5
#[test]
fn an_event_lies_in_the_change_set_of_its_move() {
    let sim = Sim::new(1);
    let inbox = Inbox::default();
    let vault = inbox.open(&closed(&sim));
    make(&vault, "a", "one");
    put(&vault, "a", "two").unwrap();
    let lsn = vault.inner.driver.control(|pipeline| pipeline.lsn).unwrap();
    let rows = vault.inner.waiting_events(None).unwrap();
    let keys: Vec<&[u8]> = rows.iter().map(|(key, _)| &**key).collect();
    let key = |lsn: u64| [&lsn.to_be_bytes()[..], &[0, 0]].concat();
    assert_eq!(keys, [key(lsn.0 - 1), key(lsn.0)]);
    let event = &rows[1].1;
    let found = vault.get_secret_value(GetSecretValue::new("a")).unwrap();
    assert_eq!((&event.arn, &event.version_id), (&found.arn, &found.version_id.to_string()));
    assert_eq!((event.name.as_str(), event.label.as_str()), ("a", "AWSCURRENT"));
    assert_eq!(event.scope, Scope::default());
    let ids: Vec<&str> = rows.iter().map(|(_, event)| event.id.as_str()).collect();
    assert!(ids[0] != ids[1] && ids[0].len() == 36, "{ids:?}");
}

/// SEM-EVENT-8
#[test]
fn events_are_written_from_the_first_receiver_on_until_they_are_ended() {
    let sim = Sim::new(2);
    let world = World::on(&sim);
    let vault = world.create();
    make(&vault, "a", "one");
    assert_eq!(vault.outbox(), Outbox::default());
    let has_row = |vault: &Vault| {
        let state = vault.inner.shared.state().unwrap();
        state.store().get(Tree::Meta, crate::vault::rows::META_EVENTS).unwrap().is_some()
    };
    assert!(!has_row(&vault));
    vault.close().unwrap();
    drop(vault);
    Inbox::default().open(&world).close().unwrap();
    let vault = world.open().unwrap();
    put(&vault, "a", "two").unwrap();
    vault.new_credential("111122223333").unwrap();
    assert_eq!(waiting(&vault), ["a"], "nobody receives it here, and key pairs are not told");
    drop(vault);
    let vault = world.open().unwrap();
    assert_eq!(vault.outbox(), Outbox { is_on: true, dropped: 0, waiting: 1 });
    vault.forget_label_events().unwrap();
    put(&vault, "a", "three").unwrap();
    assert_eq!((waiting(&vault), vault.outbox()), (vec![], Outbox::default()));
    vault.close().unwrap();
    drop(vault);
    assert_eq!(world.open().unwrap().outbox(), Outbox::default());
}

/// SEM-EVENT-6, SEM-EVENT-9
#[test]
fn events_come_in_their_order_and_a_refused_one_comes_again() {
    let sim = Sim::new(3);
    let inbox = Inbox::default();
    let world = closed(&sim);
    let vault = inbox.open(&world);
    make(&vault, "a", "one");
    make(&vault, "b", "one");
    vault.maintain().unwrap();
    assert_eq!((inbox.take(), waiting(&vault).len()), (vec!["a".into(), "b".into()], 0));
    inbox.refuse(true);
    put(&vault, "b", "two").unwrap();
    put(&vault, "a", "two").unwrap();
    let courier = &vault.running.courier;
    courier.deliver_in_time();
    let first = inbox.events.lock().unwrap()[0].id.clone();
    assert_eq!(inbox.take(), ["b"], "the one behind it waits");
    courier.deliver_in_time();
    assert_eq!(inbox.take(), Vec::<String>::new(), "in the pause");
    sim.clock.advance(Duration::from_secs(1));
    courier.deliver_in_time();
    assert_eq!(inbox.take(), ["b"]);
    sim.clock.advance(Duration::from_secs(1));
    courier.deliver_in_time();
    assert_eq!(inbox.take(), Vec::<String>::new(), "the second pause is longer");
    vault.close().unwrap();
    drop(vault);
    inbox.refuse(false);
    let vault = inbox.open(&world);
    vault.maintain().unwrap();
    assert_eq!(inbox.events.lock().unwrap()[0].id, first, "it is the same event");
    assert_eq!(inbox.take(), ["b", "a"]);
    vault.maintain().unwrap();
    assert_eq!(inbox.take(), Vec::<String>::new());
}

/// SEM-EVENT-9
#[test]
fn a_receiver_that_panics_gets_the_event_again() {
    let sim = Sim::new(4);
    let world = closed(&sim);
    let calls = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&calls);
    let receive = move |_: &LabelEvent| {
        let mut calls = counter.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *calls += 1;
        assert!(*calls > 1, "on purpose");
        Ok(())
    };
    let options = Options { on_label_updated: Some(Arc::new(receive)), ..world.options() };
    let vault = options.open(&world.dir, &world.unlock()).unwrap();
    make(&vault, "a", "one");
    vault.maintain().unwrap();
    assert_eq!(waiting(&vault), ["a"]);
    vault.maintain().unwrap();
    assert_eq!(waiting(&vault), Vec::<String>::new());
}

/// SEM-EVENT-7
#[test]
fn the_bound_drops_the_oldest_and_counts_them() {
    let sim = Sim::new(5);
    let world = closed(&sim);
    let mut options = Inbox::default().options(&world);
    options.tuning.events_max = 5;
    let vault = options.open(&world.dir, &world.unlock()).unwrap();
    for n in 0..4 {
        make(&vault, &format!("s{n}"), "one");
    }
    assert_eq!(vault.outbox(), Outbox { is_on: true, dropped: 0, waiting: 4 });
    // In one batch, so that events are dropped that the state does not have yet.
    let writes = (0..8).map(|n| put_request(&format!("s{}", n % 4), "two", n)).collect();
    assert!(together(&vault, writes).iter().all(Result::is_ok));
    let counted = Outbox { is_on: true, dropped: 7, waiting: 5 };
    assert_eq!((vault.outbox(), waiting(&vault).join(" ")), (counted, "s3 s0 s1 s2 s3".into()));
    drop(vault);
    let vault = options.open(&world.dir, &world.unlock()).unwrap();
    assert_eq!((vault.outbox(), waiting(&vault).join(" ")), (counted, "s3 s0 s1 s2 s3".into()));
    vault.maintain().unwrap();
    assert_eq!(
        vault.outbox(),
        Outbox { waiting: 0, ..counted },
        "what was dropped is told for ever"
    );
    vault.close().unwrap();
    let report = world.options();
    let report = VaultDir::lock(&world.dir, &report).unwrap().check(&world.unlock(), true).unwrap();
    assert!(report.damage.is_empty(), "{:?}", report.damage);
}

/// SEM-EVENT-7: an operation that moves as many labels as a secret can have fits into its change set.
#[test]
fn many_labels_at_once_replace_as_many_events() {
    let sim = Sim::new(6);
    let world = closed(&sim);
    let mut options = Inbox::default().options(&world);
    options.tuning.events_max = 19;
    let vault = options.open(&world.dir, &world.unlock()).unwrap();
    make(&vault, "a", "one");
    for round in 0..3 {
        let mut request = PutSecretValue::new("a", SecretValue::text("x".repeat(65_536)));
        request.client_request_token = Some(format!("{round:0>32}"));
        request.version_stages = Some((0..18).map(|n| format!("label-{n}")).collect());
        vault.put_secret_value(request).unwrap();
    }
    assert_eq!(vault.outbox(), Outbox { is_on: true, dropped: 36, waiting: 19 });
}

/// A receiver that waits in each call until it is let go, and says when it is called.
fn held(world: &World) -> (Options, Receiver<String>, Arc<AtomicBool>) {
    let (called, calls) = channel();
    let is_held = Arc::new(AtomicBool::new(true));
    let holds = Arc::clone(&is_held);
    let receive = move |event: &LabelEvent| {
        called.send(event.name.clone()).unwrap();
        while holds.load(Ordering::SeqCst) {
            if event.is_stopping() {
                return Err(EventError);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    };
    let options = Options { on_label_updated: Some(Arc::new(receive)), ..world.options() };
    (options, calls, is_held)
}

const PATIENCE: Duration = Duration::from_secs(60);

/// SEM-EVENT-9
#[test]
fn a_receiver_that_hangs_delays_nobody() {
    let sim = Sim::new(7);
    let world = World::with_threads(&sim);
    let (options, calls, is_held) = held(&world);
    world.create().close().unwrap();
    let vault = options.open(&world.dir, &world.unlock()).unwrap();
    make(&vault, "s0", "one");
    assert_eq!(calls.recv_timeout(PATIENCE).unwrap(), "s0");
    // It hangs. All of these return, and so does a pass of maintenance.
    for n in 1..20 {
        make(&vault, &format!("s{n}"), "one");
    }
    vault.maintain().unwrap();
    assert_eq!(vault.outbox().waiting, 20);
    is_held.store(false, Ordering::SeqCst);
    for n in 1..20 {
        assert_eq!(calls.recv_timeout(PATIENCE).unwrap(), format!("s{n}"));
    }
    vault.close().unwrap();
}

/// SEM-EVENT-6
#[test]
fn a_close_ends_a_receiver_that_hangs_and_the_event_stays() {
    let sim = Sim::new(8);
    let world = World::with_threads(&sim);
    world.create().close().unwrap();
    let (options, calls, _is_held) = held(&world);
    let vault = options.open(&world.dir, &world.unlock()).unwrap();
    make(&vault, "a", "one");
    assert_eq!(calls.recv_timeout(PATIENCE).unwrap(), "a");
    vault.close().unwrap();
    drop(vault);
    assert_eq!(waiting(&world.open().unwrap()), ["a"]);
}

/// SEM-EVENT-1: through the vault, by the version that a label is moved to.
#[test]
fn a_moved_label_names_the_version_that_it_is_on() {
    let sim = Sim::new(9);
    let vault = Inbox::default().open(&closed(&sim));
    make(&vault, "a", "one");
    let first = vault.get_secret_value(GetSecretValue::new("a")).unwrap().version_id;
    put(&vault, "a", "two").unwrap();
    let second = vault.get_secret_value(GetSecretValue::new("a")).unwrap().version_id;
    let request = UpdateSecretVersionStage {
        secret_id: "a".to_owned(),
        version_stage: "AWSCURRENT".to_owned(),
        remove_from_version_id: Some(second.to_string()),
        move_to_version_id: Some(first.to_string()),
    };
    vault.update_secret_version_stage(request).unwrap();
    let versions = vault.waiting_events().unwrap().into_iter().map(|event| event.version_id);
    let expected = [&first, &second, &first].map(ToString::to_string);
    assert_eq!(versions.collect::<Vec<_>>(), expected);
}
