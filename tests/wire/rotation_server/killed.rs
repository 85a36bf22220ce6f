//! `kill -9` of the server in the middle of a rotation, and another server on the same vault.
//!
//! Commands and hooks are held before and after the work of each of the four steps, so that the kill
//! comes where the test wants it. The function that is built in cannot be held: there the server is
//! killed among many rotations, and a copy of the vault says where each of them stood.

use super::hook::Hook;
use super::{F, STEPS, command, serve, steps_of, until};
use crate::common::folder;
use crate::common::http::Client;
use crate::common::rng::Rng;
use crate::common::server::{Home, Server};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use strongroom::__internals::crypto::Unlock;
use strongroom::__internals::model::RotationStep;
use strongroom::__internals::secret::SecretBytes;
use strongroom::__internals::vault::{
    Options, RotationError, RotationEvent, RotationFunction, RotationFunctions,
};

/// Both sides of every step's work.
fn moments() -> impl Iterator<Item = (&'static str, usize)> {
    ["before", "after"].into_iter().flat_map(|side| (0..STEPS.len()).map(move |at| (side, at)))
}

/// What is called when the server is killed at a step: that step comes again.
fn calls(at: usize) -> Vec<&'static str> {
    [&STEPS[..=at], &STEPS[at..]].concat()
}

fn token(letter: &str, name: &str) -> String {
    format!("{:0>32}", format!("{letter}{name}"))
}

fn create(client: &mut Client, name: &str) {
    let create = json!({"Name": name, "ClientRequestToken": token("c", name),
        "SecretString": "first"});
    client.ok("CreateSecret", &create);
}

/// The request that begins a rotation.
fn rotate(name: &str) -> Value {
    json!({"SecretId": name, "ClientRequestToken": token("r", name), "RotationLambdaARN": F,
        "RotationRules": {"AutomaticallyAfterDays": 7}})
}

/// Makes a secret and begins to rotate it.
fn begin(client: &mut Client, name: &str) {
    create(client, name);
    client.ok("RotateSecret", &rotate(name));
}

/// Waits for the end of a rotation, and gives the new value.
fn ended(server: &Server, name: &str) -> String {
    let mut client = server.client();
    let mut last = Value::Null;
    until(&format!("the rotation of {name} ends"), || {
        last = client.ok("DescribeSecret", &json!({"SecretId": name}));
        last.get("LastRotatedDate").is_some()
    });
    let labels = json!({(token("r", name)): ["AWSCURRENT"], (token("c", name)): ["AWSPREVIOUS"]});
    assert_eq!(last["VersionIdsToStages"], labels, "{name}");
    assert_eq!(last["RotationEnabled"], true);
    let value = client.ok("GetSecretValue", &json!({"SecretId": name}));
    let former = json!({"SecretId": name, "VersionStage": "AWSPREVIOUS"});
    assert_eq!(client.ok("GetSecretValue", &former)["SecretString"], "first");
    value["SecretString"].as_str().unwrap().to_owned()
}

/// SEM-ROT-10: by a command.
#[test]
fn a_command_goes_on_at_the_step_at_which_the_server_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let home = Home::new();
    let argument = command(folder.path());
    let mut server = serve(&home, &argument);
    for (side, at) in moments() {
        let name = format!("{side}-{}", STEPS[at]);
        std::fs::write(file("log"), "").unwrap();
        std::fs::write(file("hold"), format!("{side} {}", STEPS[at])).unwrap();
        begin(&mut server.client(), &name);
        until(&name, || file(&format!("reached {side} {}", STEPS[at])).exists());
        server.kill9();
        std::fs::remove_file(file("hold")).unwrap();
        server = serve(&home, &argument);
        assert_eq!(ended(&server, &name), format!("made for {}", token("r", &name)));
        assert_eq!(steps_of(folder.path()), calls(at), "{name}");
    }
}

/// SEM-ROT-10: by a hook.
#[test]
fn a_hook_is_called_again_for_the_step_at_which_the_server_was_killed() {
    let hook = Hook::start();
    let home = Home::new();
    let mut server = serve(&home, &hook.argument());
    hook.calls_back(&server);
    for (side, at) in moments() {
        let name = format!("{side}-{}", STEPS[at]);
        hook.hold(Some(format!("{side} {}", STEPS[at])));
        begin(&mut server.client(), &name);
        until(&name, || hook.has_reached());
        server.kill9();
        hook.hold(None);
        server = serve(&home, &hook.argument());
        hook.calls_back(&server);
        assert_eq!(ended(&server, &name), format!("made for {}", token("r", &name)));
        assert_eq!(hook.steps(), calls(at), "{name}");
    }
}

/// Says which step each secret's rotation would call, and does nothing.
#[derive(Default)]
struct Looks(Mutex<BTreeMap<String, RotationStep>>);

impl RotationFunction for Looks {
    fn invoke(&self, event: &RotationEvent) -> Result<(), RotationError> {
        self.0.lock().unwrap().entry(event.secret_id.clone()).or_insert(event.step);
        Err(RotationError)
    }
}

/// At which step each rotation stands in a vault that nobody holds.
fn standing(home: &Home) -> BTreeMap<String, RotationStep> {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("copy");
    folder::copy(&home.vault(), &place);
    let looks = Arc::new(Looks::default());
    let rotation = RotationFunctions::default().with(F, looks.clone());
    let mut options = Options { rotation, ..Options::default() };
    options.tuning.background = false;
    let key = Unlock::KeyFile(SecretBytes::copy_from(&home.key_file()));
    let vault = options.open(&place, &key).unwrap();
    vault.maintain().unwrap();
    vault.close().unwrap();
    std::mem::take(&mut looks.0.lock().unwrap())
}

/// SEM-ROT-10: by the function that is built in. Kills go on until each step was caught; the last
/// server brings all of them to their end.
#[test]
fn the_built_in_function_goes_on_wherever_the_server_was_killed() {
    // As many as there are threads that rotate, so that all are under way at once.
    const SECRETS: usize = 4;
    let home = Home::new();
    let argument = format!("{F}=random:24");
    let mut server = serve(&home, &argument);
    let mut rng = Rng::new(20);
    let mut caught: BTreeMap<RotationStep, usize> = BTreeMap::new();
    let mut all = Vec::new();
    let mut rounds = 0;
    while rounds < 6 || caught.len() < STEPS.len() {
        rounds += 1;
        assert!(rounds <= 200, "only {caught:?} were caught");
        let names: Vec<String> = (0..SECRETS).map(|n| format!("s-{rounds}-{n}")).collect();
        let mut client = server.client();
        names.iter().for_each(|name| create(&mut client, name));
        let askers = names.clone().into_iter().map(|name| {
            let mut client = server.client();
            std::thread::spawn(move || client.ok("RotateSecret", &rotate(&name)))
        });
        askers.collect::<Vec<_>>().into_iter().for_each(|asker| drop(asker.join().unwrap()));
        if rounds % 3 != 0 {
            // From when the new value is there, the steps that follow take a sync each.
            let pending = json!({"SecretId": names[0], "VersionId": token("r", &names[0])});
            while client.call("GetSecretValue", &pending).unwrap().status != 200 {}
        }
        std::thread::sleep(Duration::from_micros(rng.range(0..2_500)));
        server.kill9();
        for (arn, step) in standing(&home) {
            if names.iter().any(|name| arn.contains(&format!(":secret:{name}-"))) {
                *caught.entry(step).or_default() += 1;
            }
        }
        server = serve(&home, &argument);
        all.extend(names);
    }
    for name in &all {
        let value = ended(&server, name);
        assert!(value.len() == 24 && value.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
    println!("{rounds} kills; rotations caught at each step: {caught:?}");
}
