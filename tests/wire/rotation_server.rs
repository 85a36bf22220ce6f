//! Rotation by a real server: a command and an HTTP hook that call back, the function that is built
//! in, a server that is killed or stopped in the middle.

mod hook;
mod killed;

use crate::common::http::Client;
use crate::common::server::{Home, Server};
use crate::common::sigv4::Keys;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

const F: &str = "arn:aws:lambda:us-east-1:000000000000:function:rotate";
const S: &str = "app/db";
const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/// Waits for what threads do.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

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
    let Some(folder) = crate::common::child_task() else { return };
    let folder = Path::new(&folder);
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let event: Value = serde_json::from_str(&text).unwrap();
    let step = event["Step"].as_str().unwrap();
    let mut log =
        std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
    writeln!(log, "{step}").unwrap();
    let was_held = stand_still(folder, "before", step);
    assert!(!was_held, "who called it is gone");
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
    stand_still(folder, "after", step);
}

/// Stands still while the file `hold` names this moment. Whether it did.
fn stand_still(folder: &Path, moment: &str, step: &str) -> bool {
    let moment = format!("{moment} {step}");
    let is_held = || std::fs::read_to_string(folder.join("hold")).is_ok_and(|held| held == moment);
    let was_held = is_held();
    while is_held() {
        std::fs::write(folder.join(format!("reached {moment}")), "").unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    was_held
}

/// Writes the command into `folder` and gives the argument that maps to it.
fn command(folder: &Path) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("rotate");
    let this = std::env::current_exe().unwrap();
    let script = format!(
        "#!/bin/sh\nSTRONGROOM_CHILD='{}' exec '{}' rotation_server::the_command --exact --test-threads=1\n",
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
    home.serve_with(Path::new(crate::common::server::BIN), &["--rotation", rotation])
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
    assert_eq!(steps_of(folder.path()), STEPS);
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
fn a_server_stops_while_a_command_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hold"), "before testSecret").unwrap();
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
    let hook = hook::Hook::start();
    let home = Home::new();
    let server = serve(&home, &hook.argument());
    hook.calls_back(&server);
    start_rotation(&mut server.client());
    wait_for_end(&server);
    assert_eq!(hook.steps(), STEPS);
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
