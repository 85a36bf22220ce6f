//! Orders of execution: a scheduler interleaves writers, the commit thread, maintenance, readers and a
//! thread that closes the vault, with syncs that fail. In most of them a flusher moves rows from a small
//! memtable to the state below.
//!
//! Every execution ends with a power cut, after which all acknowledged writes must be there. The scheduler
//! also detects deadlocks.
//!
//! Only in a `--cfg shuttle` build, in which the scheduler provides the vault's threads, locks and channels
//! (`env::threads`).

use super::common::recorder::Recorder;
use super::common::rng::Rng;
use super::common::world::{Fault, Loss, Setup, World};
use super::figures;
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner, thread};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use strongroom::__internals::error::Result;
use strongroom::__internals::model::api::{CreateSecret, GetSecretValue, PutSecretValue};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::{Vault, Write};
use strongroom_fuzz_bodies::env::sim::SimFs;

const WRITERS: usize = 3;
const PUTS: usize = 2;
/// Executions of each scheduler for one seed.
const EXECUTIONS: usize = 50;
/// Order-changing points of the scheduler that goes by priorities.
const DEPTH: usize = 3;

fn setup(fault: Option<Fault>, memtable: Option<u64>) -> Setup {
    Setup { background: true, segment_bytes: (8 << 10, 8 << 10), fault, memtable }
}

/// A secret of each writer, and one that they share.
fn names() -> Vec<String> {
    (0..WRITERS).map(|n| format!("own-{n}")).chain(["shared".to_owned()]).collect()
}

/// A closed vault, made once: its machine, its disk, its time.
fn image() -> &'static (World, SimFs, i64) {
    static IMAGE: OnceLock<(World, SimFs, i64)> = OnceLock::new();
    if IMAGE.get().is_none() {
        let made: Arc<Mutex<Option<(World, SimFs, i64)>>> = Arc::default();
        let place = Arc::clone(&made);
        runner(RandomScheduler::new_from_seed(1, 1)).run(move || {
            let world = World::new(1);
            let vault = world.create(&setup(None, None)).unwrap();
            for name in names() {
                let mut request = CreateSecret::new(&name);
                request.client_request_token = Some(format!("{name:0>40}"));
                request.value = Some(SecretValue::text("first"));
                vault.create_secret(request).unwrap();
            }
            vault.close().unwrap();
            drop(vault);
            let (fs, wall) = (world.sim.fs.fork(), world.wall());
            *place.lock().unwrap() = Some((world, fs, wall));
        });
        let made = made.lock().unwrap().take().unwrap();
        let _ = IMAGE.set(made);
    }
    IMAGE.get().unwrap()
}

fn runner<S: Scheduler + 'static>(scheduler: S) -> Runner<S> {
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    config.max_steps = MaxSteps::FailAfter(200_000);
    config.failure_persistence = FailurePersistence::None;
    Runner::new(scheduler, config)
}

fn put(name: &str, token: &str) -> PutSecretValue {
    let mut request = PutSecretValue::new(name, SecretValue::text(value(token)));
    request.client_request_token = Some(token.into());
    request
}

/// The value that a token was put with.
fn value(token: &str) -> String {
    format!("value of {token}")
}

fn get(vault: &Vault, name: &str, version: Option<&str>) -> Result<(String, String)> {
    let mut request = GetSecretValue::new(name);
    request.version_id = version.map(Into::into);
    let got = vault.get_secret_value(request.clone())?;
    let text = String::from_utf8(got.value.bytes().expose().to_vec()).unwrap();
    Ok((got.version_id.to_string(), text))
}

/// What the writers of an execution know: secret and token of what was answered with a success, in
/// the order of the answers, and of what was handed in.
#[derive(Default)]
struct Ledger {
    acknowledged: Vec<(String, String)>,
    handed: Vec<(String, String)>,
}

fn write(vault: &Vault, writer: usize, ledger: &Mutex<Ledger>) {
    for n in 0..PUTS {
        for name in [format!("own-{writer}"), "shared".to_owned()] {
            let token = format!("{name}-{writer}-{n}-{:-<32}", "");
            ledger.lock().unwrap().handed.push((name.clone(), token.clone()));
            if vault.put_secret_value(put(&name, &token)).is_ok() {
                ledger.lock().unwrap().acknowledged.push((name, token));
            }
        }
    }
}

/// The form that parks no thread.
fn submit(vault: &Vault, ledger: &Arc<Mutex<Ledger>>) {
    for n in 0..PUTS {
        let token = format!("submitted-{n}-{:-<32}", "");
        let entry = ("shared".to_owned(), token.clone());
        ledger.lock().unwrap().handed.push(entry.clone());
        let ledger = Arc::clone(ledger);
        let done = move |answer: Result<_>| {
            if answer.is_ok() {
                ledger.lock().unwrap().acknowledged.push(entry);
            }
        };
        let write = Write::PutSecretValue(put("shared", &token));
        vault.submit_write(write, done);
    }
}

/// Every value that is read is the one that was put with its version.
fn read(vault: &Vault) {
    for name in names() {
        match get(vault, &name, None) {
            Ok((version, text)) if version.starts_with('0') => assert_eq!(text, "first"),
            Ok((version, text)) => assert_eq!(text, value(&version)),
            Err(error) => assert!(error.fault().is_none(), "{name}: {error}"),
        }
    }
}

fn execution(fault: Option<Fault>) {
    let (machine, fs, wall) = image();
    let seed: u64 = thread_rng().r#gen();
    let world = machine.on_image(fs, *wall, seed);
    // Other threads get a turn at every call of the disk.
    let disk = Recorder::new(Arc::clone(&world.sim.fs), || thread::yield_now());
    let mut rng = Rng::new(seed);
    // So small that writers wait for the flusher.
    let memtable = rng.chance(60).then(|| 512 + rng.below(6_000) as u64);
    let vault = world.open_watched(&setup(fault, memtable), Arc::new(disk)).unwrap();
    if rng.chance(50) {
        let times = if rng.chance(50) { 1 } else { u64::MAX };
        world.sim.fs.fail_nth_sync(1 + rng.below(12) as u64, times, ErrorKind::Other);
    }
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let mut threads = Vec::new();
    for writer in 0..WRITERS {
        let (vault, ledger) = (vault.clone(), Arc::clone(&ledger));
        threads.push(thread::spawn(move || write(&vault, writer, &ledger)));
    }
    let (handle, notes) = (vault.clone(), Arc::clone(&ledger));
    threads.push(thread::spawn(move || submit(&handle, &notes)));
    let handle = vault.clone();
    threads.push(thread::spawn(move || read(&handle)));
    let handle = vault.clone();
    threads.push(thread::spawn(move || drop(handle.maintain())));
    // The vault is closed under the writers, after them, or just dropped by the last of them.
    match rng.below(3) {
        0 => drop(vault.close()),
        1 => {
            threads.drain(..).for_each(|thread| thread.join().unwrap());
            drop(vault.close());
        }
        _ => {}
    }
    drop(vault);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    judge(&world, seed, &ledger.lock().unwrap());
}

fn judge(world: &World, seed: u64, ledger: &Ledger) {
    let loss = if seed.is_multiple_of(2) { Loss::Dropped } else { Loss::Torn };
    world.sim.fs.clear_faults();
    world.restart(seed, loss);
    let setup = Setup { background: false, ..setup(None, None) };
    let vault = world.open(&setup).unwrap_or_else(|error| panic!("does not open: {error}"));
    for (name, token) in &ledger.acknowledged {
        let found = get(&vault, name, Some(token));
        let found = found.unwrap_or_else(|error| panic!("lost: {name} {token}: {error}"));
        assert_eq!(found.1, value(token));
    }
    for writer in 0..WRITERS {
        let name = format!("own-{writer}");
        let own = |list: &[(String, String)]| -> Vec<String> {
            list.iter().filter(|(of, _)| *of == name).map(|(_, token)| token.clone()).collect()
        };
        let (handed, acknowledged) = (own(&ledger.handed), own(&ledger.acknowledged));
        let last = acknowledged.last().and_then(|last| handed.iter().position(|it| it == last));
        let (current, text) = get(&vault, &name, None).unwrap();
        match handed.iter().position(|token| *token == current) {
            Some(at) => assert!(Some(at) >= last, "{name}: an older version is current"),
            None => assert!(last.is_none() && text == "first", "{name}: {current} is current"),
        }
    }
    vault.close().unwrap();
    drop(vault);
    let report = world.check().unwrap();
    assert!(report.damage.is_empty(), "{:?}", report.damage);
}

/// The number of executions, or the text of the first that failed.
fn explore(seed: u64, executions: usize, fault: Option<Fault>) -> (u64, Option<String>) {
    image();
    let done = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&done);
    let body = move || {
        execution(fault);
        count.fetch_add(1, Ordering::SeqCst);
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runner(RandomScheduler::new_from_seed(seed, executions)).run(body.clone());
        runner(PctScheduler::new_from_seed(seed, DEPTH, executions)).run(body);
    }));
    let why = outcome.err().map(|payload| match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().map_or("panic", |text| text).to_owned(),
    });
    (done.load(Ordering::SeqCst), why)
}

#[test]
fn no_order_of_execution_loses_what_was_acknowledged() {
    let seeds = figures::seeds(10, 40);
    let mut executions = 0;
    for seed in seeds.clone() {
        let (done, why) = explore(seed, EXECUTIONS, None);
        if let Some(why) = why {
            panic!("STRONGROOM_SEEDS={seed}..{}: after {done} executions: {why}", seed + 1);
        }
        executions += done;
    }
    figures::tell("schedules", &seeds, &[("schedules", executions), ("lost", 0)]);
}

/// A harness that finds nothing proves nothing until it has found a build that breaks the promise.
#[test]
fn builds_that_answer_too_early_are_caught_in_some_order() {
    for broken in [Fault::AckBeforeSync, Fault::RetryFailedSync] {
        let found = (1..=20).find_map(|seed| explore(seed, EXECUTIONS, Some(broken)).1);
        // A log that goes on after what was never written is damaged; else the answer is missing.
        let is_loss = found
            .as_ref()
            .is_some_and(|why| why.contains("lost: ") || why.contains("does not open: "));
        assert!(is_loss, "{broken:?}: {found:?}");
    }
}
