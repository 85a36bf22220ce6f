//! The same answers and exit codes, whether the vault is free or held by a server.

use super::{hold, new_pair, serve, serve_with, socket};
use crate::cmd::{Home, Said, chmod, feed, mode, tree};
use crate::common::http::Client;
use crate::common::server::Server;
use serde_json::json;
use std::time::{Duration, Instant};

/// Version ids, so that both vaults have the same.
fn token(n: usize) -> String {
    format!("{n:08}-0000-4000-8000-000000000000")
}

/// What differs between two runs of the same command: dates, the ends of ARNs, key pairs, counts.
fn alike(text: &str) -> String {
    let mut alike = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len()).max(first.len_utf8());
        let (word, after) = rest.split_at(len);
        let is_secret = ["AWS_SECRET_ACCESS_KEY=", "\"SecretAccessKey\": \""]
            .iter()
            .any(|before| alike.ends_with(before));
        let is_suffix = alike.ends_with('-') && word.len() == 6 && alike.contains(":secret:");
        if is_secret {
            let end = after.find(['\n', '"']).unwrap_or(after.len());
            rest = &after[end..];
            alike.push('#');
            continue;
        }
        // Tokens begin with zeros and stay as they are.
        let is_token = word.starts_with("0000") || ["4000", "8000"].contains(&word);
        let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
        if word.starts_with("AKIA") || is_suffix || (has_digit && !is_token && word.len() > 1) {
            alike.push('#');
            // Milliseconds have as many digits as they need.
            let digits = after.strip_prefix('.').unwrap_or_default();
            let ends = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            rest = if ends > 0 { &digits[ends..] } else { after };
            continue;
        }
        alike.push_str(word);
        rest = after;
    }
    alike
}

fn shown(said: &Said) -> (i32, String, String) {
    (said.code, alike(said.text()), alike(&said.err))
}

/// One command after the other, each with what it reads, as `a b c <value`.
const SCRIPT: &[&str] = &[
    "ls",
    "put a - --create --token 1 <first",
    "put a - --token 2 <second",
    "put a - --token 2 <second",
    "put a - --token 2 <other",
    "put nowhere - <v",
    "put nowhere - --token short <v",
    "put b/bad|name - --create <v",
    "put b/1 - --create --token 3 --output json <json",
    "put b/1 - --token 4 --output json <json again",
    "put b/2 - --create --token 5 --stage S1 --stage S2 <staged",
    "put c - --create --binary --token 6 <\u{1}\u{2}",
    "get a",
    "get a --output json",
    "get c --output json",
    "get a --stage AWSPREVIOUS",
    "get a --version 1",
    "get a --version 9",
    "get a --stage NONE",
    "get a --version 1 --stage AWSCURRENT",
    "get nowhere",
    "get bad|name",
    "get arn:aws:secretsmanager:us-east-1:000000000000:secret:a",
    "get arn:aws:secretsmanager:credentials:strongroom:secret:a",
    "get a --region eu-west-1",
    "get a --region nowhere",
    "ls",
    "ls b/",
    "ls --output json",
    "ls zzz --output json",
    "describe a",
    "describe a --output json",
    "describe nowhere",
    "versions a",
    "versions a --all --output json",
    "versions nowhere",
    "stage a S --to 1",
    "stage a S --to 1 --output json",
    "stage a AWSCURRENT --to 1",
    "stage a AWSCURRENT --to 1 --from 2",
    "stage a NONE --from 1",
    "get a",
    "rm b/1 --window 7",
    "rm b/1 --window 7",
    "rm b/1 --window 6",
    "get b/1",
    "put b/1 - <v",
    "restore b/1",
    "restore b/1 --output json",
    "restore nowhere",
    "get b/1",
    "rm b/2 --output json",
    "rm b/2 --now",
    "rm b/2 --now",
    "rm nowhere",
    "ls",
    "credentials new --account 111122223333",
    "credentials new --output json",
    "credentials new --account 1",
    "credentials revoke AKIANOBODY",
    "events ls",
    "events ls --output json",
    "events off",
    "check",
    "check --deep",
    "check --output json",
    "get a --key-file nowhere",
    "get a --passphrase-file WRONG",
    "check --key-file WRONG",
    "ls --key-file OWN",
    "ls --key-file OWN --passphrase-file OWN",
    "get a --out OUT",
    "get a --out .",
];

fn play(home: &Home, line: &str) -> Said {
    let (line, value) = line.split_once(" <").unwrap_or((line, ""));
    let own = home.key_file().to_str().unwrap().to_owned();
    let mut args: Vec<String> = Vec::new();
    for word in line.split(' ') {
        let names_version = matches!(
            args.last().map(String::as_str),
            Some("--token" | "--version" | "--to" | "--from")
        );
        args.push(match word.parse() {
            Ok(n) if names_version => token(n),
            _ => word.replace("WRONG", "wrong").replace("OWN", &own).replace("OUT", "out"),
        });
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    feed(home.strongroom(&args), value)
}

/// SOCK-1
#[test]
fn every_command_answers_alike_with_a_server_and_without() {
    let free = Home::with_vault();
    let held = Home::with_vault();
    for home in [&free, &held] {
        home.file("wrong", "wrong");
        // Both have the pair that a server makes.
        serve(home).stop();
    }
    let server = serve(&held);
    for line in SCRIPT {
        let expected = shown(&play(&free, line));
        let found = shown(&play(&held, line));
        assert_eq!(found, expected, "{line}");
    }
    assert_eq!(std::fs::read(held.path("out")).unwrap(), std::fs::read(free.path("out")).unwrap());
    let pairs = |home: &Home| home.run(&["credentials", "ls"]).expect(0).text().lines().count();
    assert_eq!((pairs(&free), pairs(&held)), (3, 3));
    assert_eq!(server.stop(), Some(0));
    let last = |home: &Home| home.run(&["check", "--deep"]).expect(0);
    assert_eq!(alike(last(&held).text()), alike(last(&free).text()));
    assert_eq!(last(&held).err, "");
}

#[test]
fn the_comparison_would_notice() {
    for (one, other) in [("a\n", "b\n"), ("", "\n"), ("AWSCURRENT", "AWSPREVIOUS"), ("no", "yes")] {
        assert_ne!(alike(one), alike(other));
    }
    assert_ne!(alike(&token(1)), alike(&token(2)));
    assert_eq!(alike("2026-01-02T03:04:05.678Z x"), alike("2027-11-12T13:14:15.123Z x"));
}

/// SOCK-2: who needs the whole vault gets the same refusal as ever, at once.
#[test]
fn what_needs_all_of_the_vault_is_refused() {
    let home = Home::with_vault();
    let server = serve(&home);
    let pid = format!("pid={}", server.child.id());
    for args in [&["init"][..], &["repair"], &["serve", "--listen", "127.0.0.1:0"]] {
        let said = home.run(args).expect(6);
        assert!(said.err.contains(&pid), "{args:?}: {}", said.err);
    }
    home.run(&["ls"]).expect(0);
}

/// SOCK-2: a program that embeds the vault does not listen.
#[test]
fn a_holder_that_does_not_listen_is_exit_6_at_once() {
    let home = Home::with_vault();
    let held = hold(&home);
    let start = Instant::now();
    let said = home.run(&["ls"]).expect(6);
    assert!(said.err.contains("pid="), "{}", said.err);
    assert!(start.elapsed() < Duration::from_secs(4), "it waited");
    drop(held);
    home.run(&["ls"]).expect(0);
}

/// SOCK-1: what is about the opening of a vault has no effect on one that is open, and the command says so.
#[test]
fn flags_about_the_anchor_are_told_to_have_no_effect() {
    let home = Home::with_vault();
    home.put("n", "v");
    let flags = ["--anchor", "other.anchor", "--accept-rollback"];
    let get = [&["get", "n"][..], &flags].concat();
    let server = serve(&home);
    let said = home.run(&get).expect(0);
    assert_eq!(said.out, b"v");
    for flag in ["--anchor", "--accept-rollback"] {
        let told = said.err.lines().filter(|line| line.contains(&format!("warning: {flag} ")));
        assert_eq!(told.count(), 1, "{}", said.err);
    }
    assert!(!home.path("other.anchor").exists());
    assert_eq!(home.run(&["get", "n"]).expect(0).err, "");
    assert_eq!(server.stop(), Some(0));
    assert!(!home.run(&get).expect(0).err.contains("no effect"));
    assert!(home.path("other.anchor").exists());
}

/// SOCK-3: the socket is private, and goes with its server.
#[test]
fn the_socket_is_private_and_goes_with_the_server() {
    let home = Home::with_vault();
    let server = serve(&home);
    assert_eq!((mode(&socket(&home)), mode(&home.vault())), (0o600, 0o700));
    assert_eq!(server.stop(), Some(0));
    assert!(!socket(&home).exists());
    let ephemeral = serve_with(&home, &["--ephemeral"]);
    assert!(!socket(&home).exists());
    home.run(&["ls"]).expect(0);
    drop(ephemeral);
}

/// SOCK-3: the path of the vault may be longer than the name of a socket.
#[test]
fn a_vault_deep_below_is_reached() {
    let home = Home::new();
    let deep = ["d"; 120].join("/");
    let vault = format!("{deep}/vault");
    std::fs::create_dir_all(home.path(&deep)).unwrap();
    home.run(&["init", "--vault", &vault]).expect(0);
    let server = serve_with(&home, &["--vault", &vault]);
    home.feed(&["put", "n", "-", "--create", "--vault", &vault], "v").expect(0);
    assert_eq!(home.run(&["get", "n", "--vault", &vault]).expect(0).out, b"v");
    // By another path that leads to the same folder.
    std::os::unix::fs::symlink(home.path(&deep), home.path("link")).unwrap();
    assert_eq!(home.run(&["get", "n", "--vault", "link/vault"]).expect(0).out, b"v");
    assert_eq!(server.stop(), Some(0));
}

/// SOCK-4: a key that is named must be right. Without one, nobody needs one.
#[test]
fn a_named_key_is_checked_and_no_key_is_asked_for() {
    let home = Home::new();
    let right = home.file("right", "correct horse\n");
    let wrong = home.file("wrong", "wrong\n");
    home.run(&["init", "--passphrase-file", &right, "--passphrase"]).expect(0);
    let server = serve_with(&home, &["--passphrase-file", &right]);
    home.run(&["ls", "--passphrase-file", &right]).expect(0);
    home.run(&["ls", "--passphrase-file", &wrong]).expect(4);
    home.run(&["check", "--passphrase-file", &wrong]).expect(4);
    let said =
        feed(home.strongroom(&["put", "n", "-", "--create", "--passphrase-file", &wrong]), "v");
    said.expect(4);
    feed(home.strongroom(&["ls", "--passphrase-file", "-"]), "correct horse").expect(0);
    let mut variable = home.strongroom(&["ls"]);
    variable.env("STRONGROOM_PASSPHRASE_FILE", &wrong);
    crate::cmd::finish(variable.spawn().unwrap()).expect(4);
    assert_eq!(home.run(&["ls"]).expect(0).text(), "", "nothing was stored with the wrong key");
    assert_eq!(server.stop(), Some(0));
    home.run(&["ls"]).expect(4);
}

fn status(server: &Server, keys: &crate::common::sigv4::Keys) -> u16 {
    Client::connect(&server.host, keys).unwrap().call("ListSecrets", &json!({})).unwrap().status
}

/// SOCK-9: pairs are made and revoked while the server runs, and both hold at once.
#[test]
fn pairs_are_made_and_revoked_under_a_running_server() {
    let home = Home::with_vault();
    let server = serve(&home);
    let own =
        home.run(&["credentials", "ls"]).expect(0).text().split('\t').next().unwrap().to_owned();
    for _ in 0..5 {
        let (a, b) = (new_pair(&home), new_pair(&home));
        // On a connection that is open already, too, and with a signing key that is kept (WIRE-SIG-13).
        let mut client = Client::connect(&server.host, &a).unwrap();
        assert_eq!(client.call("ListSecrets", &json!({})).unwrap().status, 200);
        assert_eq!(status(&server, &b), 200);
        home.run(&["credentials", "revoke", &a.access_key_id]).expect(0);
        let refused = client.call("ListSecrets", &json!({})).unwrap();
        assert_eq!(refused.error(), "UnrecognizedClientException");
        assert_eq!(status(&server, &b), 200);
        home.run(&["credentials", "revoke", &a.access_key_id]).expect(3);
        home.run(&["credentials", "revoke", &b.access_key_id]).expect(0);
        assert_eq!(status(&server, &b), 400);
    }
    home.run(&["credentials", "revoke", &own]).expect(0);
    assert_eq!(home.run(&["credentials", "ls"]).expect(0).text(), "");
    assert_eq!(server.stop(), Some(0));
}

/// SOCK-7: values go through the socket and to nowhere else.
#[test]
fn no_value_is_in_a_log_an_error_or_an_argument() {
    const CANARY: &str = "canary-7Zq0-socket-value";
    let home = Home::with_vault();
    let errors = home.path("server.log");
    let mut command = home.strongroom(&["serve", "--listen", "127.0.0.1:0"]);
    command.stderr(std::fs::File::create(&errors).unwrap());
    let mut child = command.spawn().unwrap();
    let log = || std::fs::read_to_string(&errors).unwrap();
    while !log().contains("Ready.") {
        std::thread::sleep(Duration::from_millis(10));
    }
    let said = home.feed(&["put", "n", "-", "--create"], CANARY).expect(0);
    assert!(!said.err.contains(CANARY) && !said.text().contains(CANARY));
    assert_eq!(home.run(&["get", "n"]).expect(0).out, CANARY.as_bytes());
    let refused = home.feed(&["put", "nowhere", "-"], CANARY).expect(3);
    assert!(!refused.err.contains(CANARY), "{}", refused.err);
    let pair = new_pair(&home);
    home.run(&["rm", "n", "--now"]).expect(0);
    home.run(&["rm", "n", "--now"]).expect(0);
    crate::cmd::signal(&child, "TERM");
    crate::cmd::wait(&mut child);
    let log = log();
    assert!(!log.contains(CANARY) && !log.contains(&pair.secret_access_key), "{log}");
    assert!(!log.contains("there was no such secret"), "that is for the one who asked: {log}");
    let files = tree(&home.vault()).into_iter().filter(|path| path.is_file());
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()), "{path:?}");
    }
}

/// SOCK-9: a rotation function gets a pair that is valid when it is called.
#[test]
fn a_rotation_function_gets_a_pair_that_is_not_revoked() {
    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";
    let home = Home::with_vault();
    home.put("n", "v");
    let script =
        home.file("f.sh", "#!/bin/sh\necho $AWS_ACCESS_KEY_ID >> ids\ncat >/dev/null\nexit 1\n");
    chmod(std::path::Path::new(&script), 0o700);
    let server = serve_with(&home, &["--rotation", &format!("{ARN}=exec:{script}")]);
    let own =
        home.run(&["credentials", "ls"]).expect(0).text().split('\t').next().unwrap().to_owned();
    let keys = new_pair(&home);
    home.run(&["credentials", "revoke", &own]).expect(0);
    let mut client = Client::connect(&server.host, &keys).unwrap();
    client.ok(
        "RotateSecret",
        &json!({"SecretId": "n", "ClientRequestToken": token(99), "RotationLambdaARN": ARN,
        "RotationRules": {"AutomaticallyAfterDays": 30}}),
    );
    let ids = home.path("ids");
    let deadline = Instant::now() + Duration::from_secs(60);
    while std::fs::read_to_string(&ids).map_or(true, |text| text.is_empty()) {
        assert!(Instant::now() < deadline, "the function was never called");
        std::thread::sleep(Duration::from_millis(20));
    }
    let called = std::fs::read_to_string(&ids).unwrap();
    assert!(called.lines().all(|id| id == keys.access_key_id), "{called}");
    assert_eq!(server.stop(), Some(0));
}
