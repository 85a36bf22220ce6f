//! Rotation by an open vault: step by step, on a schedule, after failures and after a crash at every
//! step. `rotation_server.rs` has the real server.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use strongroom::__internals::crypto::{Unlock, key_file};
use strongroom::__internals::env::UnixMillis;
use strongroom::__internals::error::Result;
use strongroom::__internals::model::RotationStep;
use strongroom::__internals::model::api::{
    CancelRotateSecret, CreateSecret, DescribeSecret, GetSecretValue, PutSecretValue, RotateSecret,
    RotationRules, UpdateSecretVersionStage,
};
use strongroom::__internals::secret::{SecretBytes, SecretValue};
use strongroom::__internals::vault::{
    Options, RotationError, RotationEvent, RotationFunction, RotationFunctions, StoreChoice, Vault,
    VaultDir,
};
use strongroom_fuzz_bodies::env::sim::{CrashPlan, Sim, SimFs};

const F: &str = "arn:aws:lambda:us-east-1:000000000000:function:rotate";
const S: &str = "app/db";
const DIR: &str = "/vault";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const STEPS: [RotationStep; 4] = [
    RotationStep::CreateSecret,
    RotationStep::SetSecret,
    RotationStep::TestSecret,
    RotationStep::FinishSecret,
];

struct Machine {
    sim: Sim,
    key: Vec<u8>,
    background: bool,
}

impl Machine {
    /// A machine with a vault that holds one secret, and the vault.
    fn with_secret(functions: &RotationFunctions, background: bool) -> (Self, Vault) {
        let sim = Sim::new(11);
        let mut machine = Self { sim, key: Vec::new(), background };
        let options = machine.options(functions);
        let mut content = Vec::new();
        let vault = VaultDir::make(Path::new(DIR), &options)
            .unwrap()
            .create(|id| {
                let key =
                    key_file::generate(id, options.tuning.env.as_ref().unwrap().entropy.as_ref());
                content = key.unwrap().expose().to_vec();
                Ok(Unlock::KeyFile(SecretBytes::copy_from(&content)))
            })
            .unwrap();
        machine.key = content;
        let mut request = CreateSecret::new(S);
        request.value = Some(SecretValue::text("first"));
        vault.create_secret(request).unwrap();
        (machine, vault)
    }

    fn options(&self, functions: &RotationFunctions) -> Options {
        let mut options = Options { rotation: functions.clone(), ..Options::default() };
        options.tuning.env = Some(self.sim.reboot());
        options.tuning.store = StoreChoice::Memory;
        options.tuning.background = self.background;
        options.tuning.segment_bytes_first = 32 * 1024;
        options.tuning.segment_bytes_max = 64 * 1024;
        options.tuning.reserve_bytes = 64 * 1024;
        options
    }

    fn open(&self, functions: &RotationFunctions) -> Result<Vault> {
        let key = Unlock::KeyFile(SecretBytes::copy_from(&self.key));
        self.options(functions).open(Path::new(DIR), &key)
    }

    /// The same machine after a power cut, with `image` for its disk.
    fn on_image(&self, image: &SimFs, plan: CrashPlan) -> Self {
        let mut sim = Sim::new(12);
        sim.fs = Arc::new(image.fork());
        sim.fs.crash(plan);
        sim.clock.set_wall(strongroom::__internals::env::Clock::wall(self.sim.clock.as_ref()));
        Self { sim, key: self.key.clone(), background: self.background }
    }
}

/// A function that keeps the contract of AWS, with the vault itself for its client.
#[derive(Default)]
struct Standard {
    vault: Mutex<Option<Vault>>,
    calls: Mutex<Vec<(RotationStep, String)>>,
    /// The step that fails.
    broken: Mutex<Option<RotationStep>>,
    /// Disks as they were before and after each step's work.
    watched: Mutex<Option<Arc<SimFs>>>,
    images: Mutex<Vec<(RotationStep, SimFs)>>,
}

impl Standard {
    fn serve(&self, vault: &Vault) {
        *self.vault.lock().unwrap() = Some(vault.clone());
    }

    /// Lets the vault go, so that its last handle can be dropped.
    fn leave(&self) {
        drop(self.vault.lock().unwrap().take());
    }

    fn steps(&self) -> Vec<RotationStep> {
        self.calls.lock().unwrap().iter().map(|(step, _)| *step).collect()
    }

    fn tokens(&self) -> Vec<String> {
        let mut tokens: Vec<_> =
            self.calls.lock().unwrap().iter().map(|(_, token)| token.clone()).collect();
        tokens.dedup();
        tokens
    }

    fn look(&self, step: RotationStep) {
        if let Some(fs) = self.watched.lock().unwrap().as_ref() {
            self.images.lock().unwrap().push((step, fs.fork()));
        }
    }

    fn act(&self, event: &RotationEvent) -> Result<()> {
        let vault = self.vault.lock().unwrap().clone().expect("the test has handed it over");
        let (scope, arn, token) = (&event.scope, &event.secret_id, &event.client_request_token);
        let described = vault.in_scope(scope).describe_secret(DescribeSecret::new(arn.as_str()))?;
        assert!(described.rotation.unwrap().rotation_enabled);
        let on = |label: &str| {
            let found = described.versions_to_stages.iter();
            let mut found = found.filter(|(_, stages)| stages.iter().any(|stage| stage == label));
            found.next().map(|(version, _)| version.to_string())
        };
        if on("AWSCURRENT").as_ref() == Some(token) {
            return Ok(());
        }
        assert_eq!(on("AWSPENDING").as_ref(), Some(token), "the contract asks for this");
        let pending = GetSecretValue {
            secret_id: arn.clone(),
            version_id: Some(token.clone()),
            version_stage: Some("AWSPENDING".into()),
        };
        match event.step {
            RotationStep::CreateSecret => {
                if vault.in_scope(scope).get_secret_value(pending.clone()).is_err() {
                    let value = SecretValue::text(format!("made for {token}"));
                    let mut request = PutSecretValue::new(arn.as_str(), value);
                    request.client_request_token = Some(token.clone());
                    request.version_stages = Some(vec!["AWSPENDING".into()]);
                    vault.in_scope(scope).put_secret_value(request)?;
                }
            }
            RotationStep::SetSecret | RotationStep::TestSecret => {
                vault.in_scope(scope).get_secret_value(pending.clone())?;
            }
            RotationStep::FinishSecret => {
                let request = UpdateSecretVersionStage {
                    secret_id: arn.clone(),
                    version_stage: "AWSCURRENT".into(),
                    remove_from_version_id: on("AWSCURRENT"),
                    move_to_version_id: Some(token.clone()),
                };
                vault.in_scope(scope).update_secret_version_stage(request)?;
            }
        }
        Ok(())
    }
}

impl RotationFunction for Standard {
    fn invoke(&self, event: &RotationEvent) -> std::result::Result<(), RotationError> {
        let token = event.client_request_token.clone();
        self.calls.lock().unwrap().push((event.step, token));
        if *self.broken.lock().unwrap() == Some(event.step) {
            return Err(RotationError);
        }
        self.look(event.step);
        self.act(event).map_err(|_| RotationError)?;
        self.look(event.step);
        Ok(())
    }
}

fn functions(function: &Arc<Standard>) -> RotationFunctions {
    RotationFunctions::default().with(F, function.clone())
}

fn days(days: i64) -> RotationRules {
    RotationRules { automatically_after_days: Some(days), ..RotationRules::default() }
}

fn request(letter: &str) -> RotateSecret {
    RotateSecret {
        client_request_token: Some(letter.repeat(32)),
        rotation_lambda_arn: Some(F.into()),
        rotation_rules: Some(days(1)),
        ..RotateSecret::new(S)
    }
}

fn rotate(vault: &Vault, letter: &str) {
    let answer = vault.rotate_secret(request(letter)).unwrap();
    assert_eq!(answer.version_id.unwrap().as_str(), letter.repeat(32));
}

fn text(vault: &Vault) -> String {
    let got = vault.get_secret_value(GetSecretValue::new(S)).unwrap();
    String::from_utf8(got.value.bytes().expose().to_vec()).unwrap()
}

/// Labels by version, as `id{A,B}`, sorted.
fn labels(vault: &Vault) -> Vec<String> {
    let described = vault.describe_secret(DescribeSecret::new(S)).unwrap();
    let versions = described.versions_to_stages.iter();
    let mut labels: Vec<_> = versions
        .map(|(version, stages)| {
            let first: String = version.to_string().chars().take(1).collect();
            format!("{first}{{{}}}", stages.join(","))
        })
        .collect();
    labels.sort();
    labels
}

fn last_rotated(vault: &Vault) -> Option<UnixMillis> {
    let described = vault.describe_secret(DescribeSecret::new(S)).unwrap();
    described.rotation.unwrap().last_rotated_date
}

/// Waits for what threads do.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_given_function_is_called_step_by_step() {
    let function = Arc::new(Standard::default());
    let (machine, vault) = Machine::with_secret(&functions(&function), false);
    function.serve(&vault);
    rotate(&vault, "a");
    assert!(function.steps().is_empty(), "not on the caller's thread");
    machine.sim.clock.advance(Duration::from_secs(5));
    vault.maintain().unwrap();
    assert_eq!(function.steps(), STEPS);
    assert_eq!(text(&vault), format!("made for {}", "a".repeat(32)));
    assert!(labels(&vault).contains(&"a{AWSCURRENT}".to_owned()), "{:?}", labels(&vault));
    let now = strongroom::__internals::env::Clock::wall(machine.sim.clock.as_ref());
    assert_eq!(last_rotated(&vault), Some(now));
    vault.maintain().unwrap();
    assert_eq!(function.steps().len(), 4, "it is over");
    function.leave();
}

#[test]
fn a_thread_rotates_by_itself_and_on_schedule() {
    let function = Arc::new(Standard::default());
    let (machine, vault) = Machine::with_secret(&functions(&function), true);
    function.serve(&vault);
    rotate(&vault, "a");
    until("the rotation that was asked for", || last_rotated(&vault).is_some());
    let first = last_rotated(&vault);
    machine.sim.clock.advance(DAY);
    until("the rotation of the next day", || last_rotated(&vault) != first);
    assert_eq!(function.steps(), [STEPS, STEPS].concat());
    assert_eq!(function.tokens().len(), 2);
    assert_eq!(text(&vault), format!("made for {}", function.tokens()[1]));
    function.leave();
    vault.close().unwrap();
}

/// SEM-SCHED-10: a schedule of ten days, each with its rotation, across closings and a put by hand.
#[test]
fn a_simulated_clock_rotates_every_day() {
    let names = RotationFunctions::default().with_random(F, 20);
    let (machine, mut vault) = Machine::with_secret(&names, false);
    rotate(&vault, "a");
    vault.maintain().unwrap();
    let mut seen = vec![text(&vault)];
    for day in 0..10 {
        if day % 3 == 1 {
            vault.close().unwrap();
            vault = machine.open(&names).unwrap();
        }
        vault.maintain().unwrap();
        assert_eq!(text(&vault), seen[seen.len() - 1], "nothing is due yet");
        machine.sim.clock.advance(DAY);
        vault.maintain().unwrap();
        let value = text(&vault);
        assert!(value.len() == 20 && value.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert!(!seen.contains(&value), "day {day}");
        seen.push(value);
    }
    machine.sim.clock.advance(DAY / 2);
    let by_hand = PutSecretValue::new(S, SecretValue::text("by hand"));
    vault.put_secret_value(by_hand).unwrap();
    machine.sim.clock.advance(DAY / 4);
    vault.maintain().unwrap();
    assert_eq!(text(&vault), "by hand");
    let cancel = CancelRotateSecret::new(S);
    vault.cancel_rotate_secret(cancel).unwrap();
    machine.sim.clock.advance(DAY * 30);
    vault.maintain().unwrap();
    assert_eq!(text(&vault), "by hand", "cancelled");
}

#[test]
fn a_failing_step_ends_the_attempt_and_is_tried_again_later() {
    for broken in STEPS {
        let function = Arc::new(Standard::default());
        let (machine, vault) = Machine::with_secret(&functions(&function), false);
        function.serve(&vault);
        *function.broken.lock().unwrap() = Some(broken);
        rotate(&vault, "a");
        vault.maintain().unwrap();
        let called: Vec<_> = STEPS.into_iter().filter(|step| *step <= broken).collect();
        assert_eq!(function.steps(), called);
        assert_eq!(text(&vault), "first");
        assert!(labels(&vault).contains(&"a{AWSPENDING}".to_owned()), "{:?}", labels(&vault));
        let again = vault.rotate_secret(request("b")).unwrap_err();
        let text_of_e17 = "A previous rotation isn't complete. That rotation will be reattempted.";
        assert_eq!(again.fault().unwrap().message, text_of_e17);
        vault.maintain().unwrap();
        assert_eq!(function.steps().len(), called.len(), "not at once");
        *function.broken.lock().unwrap() = None;
        machine.sim.clock.advance(Duration::from_secs(60));
        vault.maintain().unwrap();
        assert_eq!(function.steps(), [called, STEPS.to_vec()].concat());
        assert_eq!(text(&vault), format!("made for {}", "a".repeat(32)));
        function.leave();
    }
}

/// SEM-ROT-10: the power goes before or after the work of each step, and the next start goes on with
/// that step.
#[test]
fn a_rotation_that_was_cut_off_goes_on_at_its_step() {
    let function = Arc::new(Standard::default());
    let (machine, vault) = Machine::with_secret(&functions(&function), false);
    function.serve(&vault);
    *function.watched.lock().unwrap() = Some(machine.sim.fs.clone());
    rotate(&vault, "a");
    vault.maintain().unwrap();
    function.leave();
    let images = std::mem::take(&mut *function.images.lock().unwrap());
    assert_eq!(images.len(), 8);
    for (at, (step, image)) in images.iter().enumerate() {
        for plan in [CrashPlan::DropAll, CrashPlan::KeepAll, CrashPlan::Random(at as u64)] {
            let machine = machine.on_image(image, plan);
            let function = Arc::new(Standard::default());
            let vault = machine.open(&functions(&function)).unwrap();
            function.serve(&vault);
            assert_eq!(last_rotated(&vault), None);
            vault.maintain().unwrap();
            let rest: Vec<_> = STEPS.into_iter().filter(|other| other >= step).collect();
            assert_eq!(function.steps(), rest, "{step:?}, image {at}");
            assert_eq!(text(&vault), format!("made for {}", "a".repeat(32)));
            let found = labels(&vault);
            assert_eq!(found.len(), 2);
            assert!(found.contains(&"a{AWSCURRENT}".to_owned()), "{found:?}");
            assert!(last_rotated(&vault).is_some());
            function.leave();
            vault.close().unwrap();
        }
    }
}

/// SEM-ROT-12
#[test]
fn rotating_later_tests_a_copy_of_the_current_value_and_removes_it() {
    let function = Arc::new(Standard::default());
    let (machine, vault) = Machine::with_secret(&functions(&function), false);
    function.serve(&vault);
    let later = RotateSecret { rotate_immediately: Some(false), ..request("a") };
    vault.rotate_secret(later).unwrap();
    // The function reads the version; it fails unless there is a value.
    vault.maintain().unwrap();
    assert_eq!(function.steps(), [RotationStep::TestSecret]);
    assert_eq!((text(&vault).as_str(), labels(&vault).len()), ("first", 1));
    assert_eq!(last_rotated(&vault), None);
    machine.sim.clock.advance(DAY);
    vault.maintain().unwrap();
    assert_eq!(function.steps()[1..], STEPS);
    assert!(last_rotated(&vault).is_some());
    function.leave();
}

/// A function that panics has failed, and the thread goes on.
#[test]
fn a_panic_of_a_function_is_a_failure() {
    struct Panics;
    impl RotationFunction for Panics {
        fn invoke(&self, _: &RotationEvent) -> std::result::Result<(), RotationError> {
            panic!("on purpose")
        }
    }
    let names = RotationFunctions::default().with(F, Arc::new(Panics));
    let (_machine, vault) = Machine::with_secret(&names, false);
    rotate(&vault, "a");
    vault.maintain().unwrap();
    assert!(labels(&vault).contains(&"a{AWSPENDING}".to_owned()));
}

/// Closing does not wait for a function that looks whether it should stop.
#[test]
fn closing_ends_a_function_that_waits_and_the_next_start_calls_it_again() {
    struct Waits(Arc<OnceLock<()>>);
    impl RotationFunction for Waits {
        fn invoke(&self, event: &RotationEvent) -> std::result::Result<(), RotationError> {
            let _ = self.0.set(());
            while !event.is_stopping() {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(RotationError)
        }
    }
    let entered = Arc::new(OnceLock::new());
    let names = RotationFunctions::default().with(F, Arc::new(Waits(entered.clone())));
    let (machine, vault) = Machine::with_secret(&names, true);
    rotate(&vault, "a");
    until("the call", || entered.get().is_some());
    vault.close().unwrap();
    // What was broken off costs no attempt: it is called again at once.
    let function = Arc::new(Standard::default());
    let machine = Machine { background: false, ..machine };
    let vault = machine.open(&functions(&function)).unwrap();
    function.serve(&vault);
    vault.maintain().unwrap();
    assert_eq!(function.steps(), STEPS);
    function.leave();
}
