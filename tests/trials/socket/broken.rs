//! Answers that break off: a holder of this test takes the request and ends without a word.

use super::{serve, socket};
use crate::cmd::{Home, Said, finish};
use serde_json::Value;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;
use strongroom::__internals::crypto::Unlock;
use strongroom::__internals::model::api::CreateSecret;
use strongroom::__internals::secret::SecretBytes;
use strongroom::__internals::vault::{Options, Vault};

/// What the false holder does with a request before it ends.
type Act = fn(&Vault, &Value, &str);

/// What it does where it needs no name.
const NOTHING: Act = |_, _, _| ();

/// Stores what a `put` asks for.
const STORE: Act = |vault, task, value| {
    let put = &task["task"]["Put"];
    let mut request = CreateSecret::new(put["name"].as_str().unwrap());
    request.value = Some(value.into());
    request.client_request_token = Some(put["token"].as_str().unwrap().to_owned());
    vault.create_secret(request).unwrap();
};

fn open(home: &Home) -> Vault {
    let key = Unlock::KeyFile(SecretBytes::new(std::fs::read(home.key_file()).unwrap()));
    Options::default().open(&home.vault(), &key).unwrap()
}

/// Starts a command that reads `value`.
fn start(home: &Home, args: &[&str], value: &str) -> Child {
    let mut command = home.strongroom(args);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    child
}

/// The next request, its value, and the connection on which it came.
fn accept(listener: &UnixListener) -> (UnixStream, Value, String) {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.read_exact(&mut [0; 40]).unwrap();
    stream.write_all(b"strghld\x01\x00").unwrap();
    let mut lengths = [0; 8];
    stream.read_exact(&mut lengths).unwrap();
    let task_len = u32::from_le_bytes(lengths[..4].try_into().unwrap()) as usize;
    let value_len = match u32::from_le_bytes(lengths[4..].try_into().unwrap()) {
        u32::MAX => 0,
        len => len as usize,
    };
    let mut bytes = vec![0; task_len + value_len];
    stream.read_exact(&mut bytes).unwrap();
    let task = serde_json::from_slice(&bytes[..task_len]).unwrap();
    (stream, task, String::from_utf8(bytes[task_len..].to_vec()).unwrap())
}

/// Runs a command against a holder that reads its request, acts, lets the vault go and closes the connection.
fn cut(home: &Home, args: &[&str], value: &str, act: impl Fn(&Vault, &Value, &str)) -> Said {
    let vault = open(home);
    let listener = UnixListener::bind(socket(home)).unwrap();
    let child = start(home, args, value);
    let (stream, task, value) = accept(&listener);
    act(&vault, &task, &value);
    std::fs::remove_file(socket(home)).unwrap();
    drop(listener);
    vault.close().unwrap();
    drop((vault, stream));
    finish(child)
}

/// SOCK-8: a put is asked again with the same token, so it is stored once, whether or not it was before.
#[test]
fn a_put_whose_answer_is_cut_is_stored_once() {
    for (name, act) in [("before", NOTHING), ("after", STORE)] {
        let home = Home::with_vault();
        let said = cut(&home, &["put", name, "-", "--create"], "value", act).expect(0);
        let id = said.text().trim_end();
        let versions = home.run(&["versions", name, "--all"]).expect(0);
        assert_eq!(versions.text().lines().count(), 1, "{}", versions.text());
        assert!(versions.text().starts_with(id) && id.len() == 36);
        assert_eq!(home.get(name), b"value");
    }
}

/// The command says that the value may be stored, and its token. With that it is stored once.
#[track_caller]
fn may_be_stored(home: &Home, said: Said) {
    let said = said.expect(1);
    assert!(said.err.contains("unknown") && said.err.contains("--token"), "{}", said.err);
    assert_eq!(said.text(), "");
    let token = said.err.split("token=").nth(1).unwrap().lines().next().unwrap();
    let args = ["put", "n", "-", "--create", "--token", token, "--wait", "60"];
    assert_eq!(home.feed(&args, "value").expect(0).text().trim_end(), token);
    let versions = home.run(&["versions", "n", "--all"]).expect(0);
    assert_eq!(versions.text().lines().count(), 1, "{}", versions.text());
    assert_eq!(home.get("n"), b"value");
}

/// SOCK-8: whoever cannot ask again does not say that nothing happened. Here the vault is free, without a
/// key.
#[test]
fn a_put_that_is_cut_and_has_no_key_is_told_as_unknown() {
    for act in [NOTHING, STORE] {
        let home = Home::with_vault();
        let (key, away) = (home.key_file(), home.path("away"));
        let said = cut(&home, &["put", "n", "-", "--create"], "value", |vault, task, value| {
            act(vault, task, value);
            std::fs::rename(&key, &away).unwrap();
        });
        assert!(said.err.contains("there is no key"), "{}", said.err);
        std::fs::rename(&away, &key).unwrap();
        may_be_stored(&home, said);
    }
}

/// SOCK-8: a holder that stands still after the request has come, as with SIGSTOP.
#[test]
fn a_put_whose_holder_stands_still_is_told_as_unknown() {
    let home = Home::with_vault();
    let vault = open(&home);
    let listener = UnixListener::bind(socket(&home)).unwrap();
    let child = start(&home, &["put", "n", "-", "--create"], "value");
    let (_stream, task, value) = accept(&listener);
    STORE(&vault, &task, &value);
    // It neither answers nor accepts, and keeps the vault.
    let said = finish(child);
    assert!(said.err.contains("in use") && said.err.contains("pid="), "{}", said.err);
    vault.close().unwrap();
    drop((vault, listener));
    may_be_stored(&home, said);
}

/// SOCK-8: the second time breaks off too.
#[test]
fn what_is_cut_twice_is_not_asked_a_third_time() {
    let home = Home::with_vault();
    let vault = open(&home);
    let listener = UnixListener::bind(socket(&home)).unwrap();
    let child = start(&home, &["put", "n", "-", "--create"], "value");
    let (stream, task, value) = accept(&listener);
    STORE(&vault, &task, &value);
    drop(stream);
    let (stream, again, _) = accept(&listener);
    assert_eq!(again, task);
    drop(stream);
    let put = finish(child);
    let child = start(&home, &["get", "n"], "");
    drop(accept(&listener));
    drop(accept(&listener));
    let said = finish(child).expect(1);
    assert!(said.err.contains("twice"), "{}", said.err);
    vault.close().unwrap();
    drop((vault, listener));
    may_be_stored(&home, put);
}

/// SOCK-8: what only reads is asked again.
#[test]
fn a_read_whose_answer_is_cut_is_read_again() {
    let home = Home::with_vault();
    home.put("n", "v");
    assert_eq!(cut(&home, &["get", "n"], "", NOTHING).expect(0).out, b"v");
    assert_eq!(cut(&home, &["ls"], "", NOTHING).expect(0).text(), "n\n");
    cut(&home, &["check", "--deep"], "", NOTHING).expect(0);
}

/// SOCK-8: everything else may have happened. The command says so and does nothing twice.
#[test]
fn what_cannot_be_repeated_is_told_as_unknown() {
    let home = Home::with_vault();
    let id = home.put("n", "v");
    home.put("m", "v");
    let make: Act = |vault, _, _| drop(vault.new_credential("000000000000").unwrap());
    let said = cut(&home, &["credentials", "new"], "", make).expect(1);
    assert!(said.err.contains("unknown") && said.err.contains("credentials ls"), "{}", said.err);
    assert_eq!(said.text(), "");
    assert_eq!(home.run(&["credentials", "ls"]).expect(0).text().lines().count(), 1);
    for args in [
        &["rm", "n"][..],
        &["rm", "n", "--now"],
        &["restore", "n"],
        &["stage", "n", "L", "--to", &id],
        &["credentials", "revoke", "AKIANOBODY"],
    ] {
        let said = cut(&home, args, "", NOTHING).expect(1);
        assert!(said.err.contains("unknown"), "{args:?}: {}", said.err);
    }
    assert_eq!(home.run(&["ls"]).expect(0).text(), "m\nn\n");
}

/// SOCK-8: the same with real kills. A put that reports success is there, once.
#[test]
fn puts_survive_kills_of_the_server() {
    let home = Home::with_vault();
    for round in 0..12 {
        let server = serve(&home);
        let names: Vec<String> = (0..4).map(|n| format!("s-{round}-{n}")).collect();
        thread::scope(|scope| {
            for name in &names {
                let home = &home;
                scope.spawn(move || {
                    let args = ["put", name, "-", "--create", "--wait", "60"];
                    home.feed(&args, name).expect(0);
                });
            }
            thread::sleep(Duration::from_millis(round * 3));
            server.kill9();
        });
        for name in &names {
            assert_eq!(home.get(name), name.as_bytes());
            let versions = home.run(&["versions", name, "--all"]).expect(0);
            assert_eq!(versions.text().lines().count(), 1, "{name}");
        }
    }
}

/// SOCK-2, SOCK-8: a server lets a request that runs go on for 10 seconds when it ends. So a command waits
/// longer than that for the vault.
#[test]
fn a_command_waits_for_a_holder_that_ends() {
    let home = Home::with_vault();
    home.put("n", "v");
    let held = super::hold(&home);
    let listener = UnixListener::bind(socket(&home)).unwrap();
    let child = start(&home, &["get", "n"], "");
    let (mut stream, _) = listener.accept().unwrap();
    stream.read_exact(&mut [0; 40]).unwrap();
    stream.write_all(b"strghld\x01\x03").unwrap();
    std::fs::remove_file(socket(&home)).unwrap();
    thread::sleep(Duration::from_secs(11));
    drop(held);
    assert_eq!(finish(child).expect(0).out, b"v");
}

/// SOCK-2: a holder that is stopped answers nobody, and a command says so instead of hanging.
#[test]
fn a_stopped_server_is_told() {
    let home = Home::with_vault();
    let server = serve(&home);
    crate::cmd::signal(&server.child, "STOP");
    let said = home.run(&["ls"]).expect(6);
    crate::cmd::signal(&server.child, "CONT");
    assert!(said.err.contains("does not answer"), "{}", said.err);
    home.run(&["ls"]).expect(0);
    assert_eq!(server.stop(), Some(0));
}
