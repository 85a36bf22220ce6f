//! Rotation, done: by each kind of function, on a schedule, after a crash at every step, and against
//! a real server with a command and an HTTP hook that call back.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

mod common;

use common::http::Client;
use common::server::{Home, Server};
use common::sigv4::Keys;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use strongroom::crypto::{Unlock, key_file};
use strongroom::env::UnixMillis;
use strongroom::env::sim::{CrashPlan, Sim, SimFs};
use strongroom::error::Result;
use strongroom::model::api::{
    CreateSecret, GetSecretValue, PutSecretValue, RotateSecret, RotationRules, SecretIdOnly,
    UpdateSecretVersionStage,
};
use strongroom::model::{RotationStep, Scope};
use strongroom::secret::{SecretBytes, SecretValue};
use strongroom::vault::{
    Options, RotationError, RotationEvent, RotationFunction, RotationFunctions, StoreChoice, Vault,
    VaultDir,
};

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

// --- a simulated machine ---

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
        vault.create_secret(&Scope::default(), request).unwrap();
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
        Vault::open(Path::new(DIR), &key, &self.options(functions))
    }

    /// The same machine after a power cut, with `image` for its disk.
    fn on_image(&self, image: &SimFs, plan: CrashPlan) -> Self {
        let mut sim = Sim::new(12);
        sim.fs = Arc::new(image.fork());
        sim.fs.crash(plan);
        sim.clock.set_wall(strongroom::env::Clock::wall(self.sim.clock.as_ref()));
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
        let described = vault.describe_secret(scope, &SecretIdOnly::new(arn.as_str()))?;
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
                if vault.get_secret_value(scope, &pending).is_err() {
                    let value = SecretValue::text(format!("made for {token}"));
                    let mut request = PutSecretValue::new(arn.as_str(), value);
                    request.client_request_token = Some(token.clone());
                    request.version_stages = Some(vec!["AWSPENDING".into()]);
                    vault.put_secret_value(scope, request)?;
                }
            }
            RotationStep::SetSecret | RotationStep::TestSecret => {
                vault.get_secret_value(scope, &pending)?;
            }
            RotationStep::FinishSecret => {
                let request = UpdateSecretVersionStage {
                    secret_id: arn.clone(),
                    version_stage: "AWSCURRENT".into(),
                    remove_from_version_id: on("AWSCURRENT"),
                    move_to_version_id: Some(token.clone()),
                };
                vault.update_secret_version_stage(scope, request)?;
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
    let answer = vault.rotate_secret(&Scope::default(), request(letter)).unwrap();
    assert_eq!(answer.version_id.unwrap().as_str(), letter.repeat(32));
}

fn text(vault: &Vault) -> String {
    let got = vault.get_secret_value(&Scope::default(), &GetSecretValue::new(S)).unwrap();
    String::from_utf8(got.value.bytes().expose().to_vec()).unwrap()
}

/// Labels by version, as `id{A,B}`, sorted.
fn labels(vault: &Vault) -> Vec<String> {
    let described = vault.describe_secret(&Scope::default(), &SecretIdOnly::new(S)).unwrap();
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
    let described = vault.describe_secret(&Scope::default(), &SecretIdOnly::new(S)).unwrap();
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
    let now = strongroom::env::Clock::wall(machine.sim.clock.as_ref());
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
    vault.put_secret_value(&Scope::default(), by_hand).unwrap();
    machine.sim.clock.advance(DAY / 4);
    vault.maintain().unwrap();
    assert_eq!(text(&vault), "by hand");
    let cancel = SecretIdOnly::new(S);
    vault.cancel_rotate_secret(&Scope::default(), cancel).unwrap();
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
        let again = vault.rotate_secret(&Scope::default(), request("b")).unwrap_err();
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
    vault.rotate_secret(&Scope::default(), later).unwrap();
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

// --- a real server ---

/// What the command and the hook do with an event: the contract, over HTTP.
fn do_step(client: &mut Client, event: &Value) {
    let (arn, token) = (&event["SecretId"], event["ClientRequestToken"].as_str().unwrap());
    assert!(arn.as_str().unwrap().starts_with("arn:aws:secretsmanager:"));
    let described = client.ok("DescribeSecret", &json!({"SecretId": arn}));
    assert_eq!(described["RotationEnabled"], true);
    let stages = described["VersionIdsToStages"].as_object().unwrap();
    let has = |id: &str, label: &str| {
        stages.get(id).is_some_and(|labels| labels.as_array().unwrap().contains(&json!(label)))
    };
    if has(token, "AWSCURRENT") {
        return;
    }
    assert!(has(token, "AWSPENDING"));
    match event["Step"].as_str().unwrap() {
        "createSecret" => {
            let ask = json!({"SecretId": arn, "VersionId": token, "VersionStage": "AWSPENDING"});
            let found = client.call("GetSecretValue", &ask).unwrap();
            if found.status == 200 {
                return;
            }
            assert_eq!(found.error(), "ResourceNotFoundException");
            let put = json!({"SecretId": arn, "ClientRequestToken": token,
                "SecretString": format!("made for {token}"), "VersionStages": ["AWSPENDING"]});
            client.ok("PutSecretValue", &put);
        }
        "finishSecret" => {
            let current = stages.keys().find(|id| has(id, "AWSCURRENT")).unwrap();
            let request = json!({"SecretId": arn, "VersionStage": "AWSCURRENT",
                "RemoveFromVersionId": current, "MoveToVersionId": token});
            client.ok("UpdateSecretVersionStage", &request);
        }
        _ => {
            let ask = json!({"SecretId": arn, "VersionId": token, "VersionStage": "AWSPENDING"});
            client.ok("GetSecretValue", &ask);
        }
    }
}

/// Not a test by itself: what the command of the tests below runs.
#[test]
fn the_command() {
    let Some(folder) = common::child_task() else { return };
    let folder = Path::new(&folder);
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let event: Value = serde_json::from_str(&text).unwrap();
    let step = event["Step"].as_str().unwrap();
    let mut log =
        std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
    writeln!(log, "{step}").unwrap();
    // Stands still while the test wants it to.
    while step == "testSecret" && folder.join("hold").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!folder.join(format!("fail-{step}")).exists(), "on purpose");
    let var = |name: &str| std::env::var(name).unwrap();
    assert!(std::env::var_os("STRONGROOM_VAULT").is_none(), "nothing of the server's is passed on");
    let keys = Keys {
        access_key_id: var("AWS_ACCESS_KEY_ID"),
        secret_access_key: var("AWS_SECRET_ACCESS_KEY"),
        region: var("AWS_REGION"),
    };
    let endpoint = var("AWS_ENDPOINT_URL");
    let mut client = Client::connect(endpoint.trim_start_matches("http://"), &keys).unwrap();
    do_step(&mut client, &event);
}

/// Writes the command into `folder` and gives the argument that maps to it.
fn command(folder: &Path) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("rotate");
    let this = std::env::current_exe().unwrap();
    let script = format!(
        "#!/bin/sh\nSTRONGROOM_CHILD='{}' exec '{}' the_command --exact --test-threads=1\n",
        folder.display(),
        this.display()
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    format!("{F}=exec:{}", path.display())
}

fn steps_of(folder: &Path) -> Vec<String> {
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

fn serve(home: &Home, rotation: &str) -> Server {
    home.serve_with(Path::new(common::server::BIN), &["--rotation", rotation])
}

fn start_rotation(client: &mut Client) {
    let token = "c".repeat(32);
    let create = json!({"Name": S, "ClientRequestToken": token, "SecretString": "first"});
    client.ok("CreateSecret", &create);
    let rotate = json!({"SecretId": S, "ClientRequestToken": "r".repeat(32),
        "RotationLambdaARN": F, "RotationRules": {"AutomaticallyAfterDays": 7}});
    let answer = client.ok("RotateSecret", &rotate);
    assert_eq!(answer["VersionId"], "r".repeat(32));
    assert_eq!(answer["Name"], S);
}

fn described(client: &mut Client) -> Value {
    client.ok("DescribeSecret", &json!({"SecretId": S}))
}

fn wait_for_end(server: &Server) -> Value {
    let mut last = Value::Null;
    until("the rotation ends", || {
        last = described(&mut server.client());
        last.get("LastRotatedDate").is_some()
    });
    assert_eq!(last["VersionIdsToStages"]["r".repeat(32)], json!(["AWSCURRENT"]));
    assert_eq!(last["VersionIdsToStages"]["c".repeat(32)], json!(["AWSPREVIOUS"]));
    last
}

#[test]
fn a_command_rotates() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new();
    let server = serve(&home, &command(folder.path()));
    start_rotation(&mut server.client());
    let shown = wait_for_end(&server);
    assert_eq!(shown["RotationEnabled"], true);
    assert_eq!(shown["RotationLambdaARN"], F);
    assert_eq!(shown["RotationRules"], json!({"AutomaticallyAfterDays": 7}));
    assert!(
        shown["NextRotationDate"].as_f64().unwrap() > shown["LastRotatedDate"].as_f64().unwrap()
    );
    let mut client = server.client();
    let value = client.ok("GetSecretValue", &json!({"SecretId": S}));
    assert_eq!(value["SecretString"], format!("made for {}", "r".repeat(32)));
    let names: Vec<_> = STEPS.iter().map(|step| step.name()).collect();
    assert_eq!(steps_of(folder.path()), names);
    let cancelled = client.ok("CancelRotateSecret", &json!({"SecretId": S}));
    assert!(cancelled.get("VersionId").is_none());
    let shown = described(&mut client);
    assert_eq!(
        (&shown["RotationEnabled"], &shown["RotationLambdaARN"]),
        (&json!(false), &json!(F))
    );
    assert!(shown.get("NextRotationDate").is_none());
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_command_that_fails_leaves_the_label() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fail-setSecret"), "").unwrap();
    let home = Home::new();
    let server = serve(&home, &command(folder.path()));
    let mut client = server.client();
    start_rotation(&mut client);
    until("two steps", || steps_of(folder.path()).len() == 2);
    // Longer than the step takes to be noted.
    std::thread::sleep(Duration::from_millis(300));
    let shown = described(&mut client);
    assert_eq!(shown["VersionIdsToStages"]["r".repeat(32)], json!(["AWSPENDING"]));
    assert!(shown.get("LastRotatedDate").is_none());
    let again = json!({"SecretId": S, "ClientRequestToken": "q".repeat(32)});
    let refused = client.call("RotateSecret", &again).unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (400, "InvalidRequestException"));
    assert_eq!(steps_of(folder.path()), ["createSecret", "setSecret"]);
}

#[test]
fn a_server_that_was_killed_goes_on_at_the_step() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hold"), "").unwrap();
    let home = Home::new();
    let argument = command(folder.path());
    let server = serve(&home, &argument);
    start_rotation(&mut server.client());
    until("the third step", || steps_of(folder.path()).len() == 3);
    server.kill9();
    std::fs::remove_file(folder.path().join("hold")).unwrap();
    let server = serve(&home, &argument);
    wait_for_end(&server);
    let names = ["createSecret", "setSecret", "testSecret", "testSecret", "finishSecret"];
    assert_eq!(steps_of(folder.path()), names);
}

#[test]
fn a_server_stops_while_a_command_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hold"), "").unwrap();
    let home = Home::new();
    let server = serve(&home, &command(folder.path()));
    start_rotation(&mut server.client());
    until("the third step", || steps_of(folder.path()).len() == 3);
    let started = Instant::now();
    assert_eq!(server.stop(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn a_hook_rotates() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "{F}=http://{}/2015-03-31/functions/rotate/invocations",
        listener.local_addr().unwrap()
    );
    let place: Arc<OnceLock<(String, Keys)>> = Arc::default();
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let (known, told) = (place.clone(), seen.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut line, mut length) = (String::new(), 0);
            stream.read_line(&mut line).unwrap();
            assert!(line.starts_with("POST /2015-03-31/functions/rotate/invocations HTTP/1.1"));
            loop {
                line.clear();
                stream.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let event: Value = serde_json::from_slice(&body).unwrap();
            told.lock().unwrap().push(event["Step"].as_str().unwrap().to_owned());
            until("the server is known", || known.get().is_some());
            let (host, keys) = known.get().unwrap();
            do_step(&mut Client::connect(host, keys).unwrap(), &event);
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull";
            stream.get_mut().write_all(answer).unwrap();
        }
    });
    let home = Home::new();
    let server = serve(&home, &url);
    let _ = place.set((server.host.clone(), server.keys.clone()));
    start_rotation(&mut server.client());
    wait_for_end(&server);
    assert_eq!(*seen.lock().unwrap(), STEPS.map(RotationStep::name));
}

#[test]
fn the_built_in_function_rotates_and_others_cannot_be_called() {
    let home = Home::new();
    let server = serve(&home, &format!("{F}=random:24"));
    let mut client = server.client();
    start_rotation(&mut client);
    wait_for_end(&server);
    let value = client.ok("GetSecretValue", &json!({"SecretId": S}));
    let value = value["SecretString"].as_str().unwrap();
    assert!(value.len() == 24 && value.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{value}");
    let other = json!({"Name": "other", "ClientRequestToken": "o".repeat(32)});
    client.ok("CreateSecret", &other);
    let rotate = json!({"SecretId": "other", "ClientRequestToken": "q".repeat(32),
        "RotationLambdaARN": "arn:aws:lambda:us-east-1:000000000000:function:unknown"});
    let refused = client.call("RotateSecret", &rotate).unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (400, "AccessDeniedException"));
    assert_eq!(
        refused.json()["Message"],
        "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function \
         policy grants access to the principal secretsmanager.amazonaws.com."
    );
    let shown = client.ok("DescribeSecret", &json!({"SecretId": "other"}));
    assert!(shown.get("RotationEnabled").is_none());
}
