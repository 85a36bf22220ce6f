//! `serve --events` and `strongroom events` through the real binary.

use crate::cmd::{Home, Served, mode};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

fn serve(home: &Home, receiver: &str) -> Served {
    Served::start(home.strongroom(&["serve", "--listen", "127.0.0.1:0", "--events", receiver]))
}

/// Waits for what threads do.
#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The events in a file, one a line.
fn events(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["detail"]["name"].as_str().unwrap()).collect()
}

/// What `events ls --output json` prints.
fn listed(home: &Home) -> Value {
    home.run(&["events", "ls", "--output", "json"]).expect(0).json()
}

fn waiting(home: &Home) -> usize {
    listed(home)["Events"].as_array().unwrap().len()
}

/// What `GET /metrics` answers.
fn metrics(served: &Served) -> String {
    let url = served.value("AWS_ENDPOINT_URL_SECRETS_MANAGER");
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Writes a command for `exec:`.
fn script(home: &Home, text: &str) -> PathBuf {
    let path = home.path("receive");
    // Under its name at once: the server may be about to run it.
    let beside = home.path("receive.new");
    std::fs::write(&beside, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&beside, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::rename(&beside, &path).unwrap();
    path
}

/// SEM-EVENT-4, SEM-EVENT-10
#[test]
fn a_file_gets_each_event_as_a_line_of_json() {
    let home = Home::with_vault();
    let file = home.path("told");
    let served = serve(&home, &format!("file:{}", file.display()));
    let version = home.put("app/db", "hunter2");
    until("the event is there", || events(&file).len() == 1);
    assert_eq!(mode(&file), 0o600);
    let event = events(&file).remove(0);
    let described = home.run(&["describe", "app/db", "--output", "json"]).expect(0).json();
    let detail = serde_json::json!({
        "name": "app/db", "labelUpdated": "AWSCURRENT", "versionId": version.as_str()
    });
    assert_eq!(event["detail"], detail);
    assert_eq!(event["resources"], serde_json::json!([described["ARN"]]));
    for (member, expected) in [
        ("version", "0"),
        ("detail-type", "Secret Label Updated"),
        ("source", "aws.secretsmanager"),
        ("account", "000000000000"),
        ("region", "us-east-1"),
    ] {
        assert_eq!(event[member], expected, "{member}");
    }
    let time = event["time"].as_str().unwrap();
    assert!(time.len() == 20 && time.starts_with("20") && time.ends_with('Z'), "{time}");
    assert_eq!(event["id"].as_str().unwrap().len(), 36);
    assert_eq!(event.as_object().unwrap().len(), 9);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("hunter2"));
    home.feed(&["put", "app/db", "-", "--stage", "AWSPENDING"], "x").expect(0);
    home.feed(&["put", "app/db", "-", "--stage", "blue"], "y").expect(0);
    until("the label is told", || events(&file).len() == 2);
    assert_eq!(events(&file)[1]["detail"]["labelUpdated"], "blue");
    until("nothing waits", || waiting(&home) == 0);
    assert_eq!(served.stop("TERM").0, 0);
}

/// SEM-EVENT-6, SEM-EVENT-9, SEM-EVENT-10
#[test]
fn a_command_that_fails_gets_the_event_again_and_no_request_waits() {
    let home = Home::with_vault();
    let file = home.path("told");
    let path = script(&home, "exit 7");
    let served = serve(&home, &format!("exec:{}", path.display()));
    home.put("first", "hunter2");
    home.put("second", "hunter2");
    until("both wait", || waiting(&home) == 2);
    let metrics = metrics(&served);
    for line in ["strongroom_events_waiting 2", "strongroom_events_dropped_total 0"] {
        assert!(metrics.lines().any(|found| found == line), "{metrics}");
    }
    let shown = home.run(&["events", "ls"]).expect(0);
    let lines: Vec<Vec<&str>> =
        shown.text().lines().map(|line| line.split('\t').collect()).collect();
    assert!(lines.iter().all(|line| line.len() == 4 && line[1] == "AWSCURRENT"), "{lines:?}");
    assert!(lines[0][2].contains(":secret:first-") && lines[1][2].contains(":secret:second-"));
    // It gets the variables that a command needs, and none of the server's.
    script(
        &home,
        &format!("test -z \"$STRONGROOM_VAULT\" && cat >> '{0}' && echo >> '{0}'", file.display()),
    );
    until("both are told", || events(&file).len() >= 2);
    until("nothing waits", || waiting(&home) == 0);
    assert_eq!(names(&events(&file)), ["first", "second"]);
    let (code, said) = served.stop("TERM");
    assert_eq!(code, 0);
    let warning = said.lines().find(|line| line.contains("was not received")).unwrap();
    assert!(warning.contains("exit status: 7") && warning.contains("waiting="), "{warning}");
    assert!(!said.contains("hunter2") && !warning.contains("first"), "{said}");
}

/// SEM-EVENT-9: the server stops in time, and the event stays.
#[test]
fn a_command_that_hangs_holds_nobody_up() {
    let home = Home::with_vault();
    let path = script(&home, "exec sleep 1000");
    let served = serve(&home, &format!("exec:{}", path.display()));
    home.put("a", "one");
    std::thread::sleep(Duration::from_millis(300));
    home.put("b", "two");
    assert_eq!(home.get("b"), b"two");
    let started = Instant::now();
    assert_eq!(served.stop("TERM").0, 0);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert_eq!(waiting(&home), 2);
}

/// SEM-EVENT-6: what was written while nobody was there to deliver comes from the next server, also after a
/// kill.
#[test]
fn events_wait_for_the_next_server() {
    let home = Home::with_vault();
    let file = home.path("told");
    let receiver = format!("file:{}", file.display());
    drop(serve(&home, &receiver));
    home.put("a", "one");
    let listed = listed(&home);
    assert_eq!((&listed["IsOn"], &listed["Dropped"]), (&Value::from(true), &Value::from(0)));
    assert_eq!(names(listed["Events"].as_array().unwrap()), ["a"]);
    let served = serve(&home, &receiver);
    until("the event is there", || events(&file).len() == 1);
    assert_eq!(events(&file)[0]["id"], listed["Events"][0]["id"]);
    assert_eq!(served.stop("TERM").0, 0);
    assert_eq!(waiting(&home), 0);
}

/// SEM-EVENT-5, SEM-EVENT-6: real servers are killed while they write and deliver. Between them the command
/// has the vault to itself.
#[test]
fn kill_9_loses_no_event_and_invents_none() {
    let home = Home::with_vault();
    home.put("n", "first");
    let file = home.path("told");
    let receiver = format!("file:{}", file.display());
    let mut written = Vec::new();
    for round in 0..5 {
        let served = serve(&home, &receiver);
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30 + 45 * round));
            drop(served);
        });
        for n in 0..6 {
            let token = format!("{:0>32}", 10 * round + n);
            let args = ["put", "n", "-", "--token", &token, "--wait", "30"];
            if home.feed(&args, "value").code == 0 {
                written.push(token);
            }
        }
        killer.join().unwrap();
    }
    let served = serve(&home, &receiver);
    until("nothing waits", || waiting(&home) == 0);
    assert_eq!(served.stop("TERM").0, 0);
    // A line that a kill has cut off is followed by the whole one.
    let text = std::fs::read_to_string(&file).unwrap();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let (mut ids, mut told) = (BTreeSet::new(), Vec::new());
    for event in lines {
        if ids.insert(event["id"].as_str().unwrap().to_owned()) {
            told.push(event["detail"]["versionId"].as_str().unwrap().to_owned());
        }
    }
    let versions = home.run(&["versions", "n", "--all"]).expect(0);
    let is_there =
        |told: &String| versions.text().lines().any(|line| line.starts_with(told.as_str()));
    assert!(told.iter().all(is_there), "{told:?}\n{}", versions.text());
    assert!(written.iter().all(|version| told.contains(version)), "{written:?}\n{told:?}");
    assert!(told.is_sorted_by(|a, b| a < b), "{told:?}");
    assert!(written.len() > 20, "{written:?}");
}

/// SEM-EVENT-10
#[test]
fn an_address_gets_each_event_as_a_post() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (send, posts) = channel();
    std::thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let status = if n == 0 { "503 Not Yet" } else { "204 No Content" };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            send.send((head, serde_json::from_slice::<Value>(&body).unwrap())).unwrap();
        }
    });
    let home = Home::with_vault();
    let served = serve(&home, &format!("http://{address}/hook?key=hunter2"));
    home.put("a", "one");
    let patience = Duration::from_secs(60);
    let (head, refused) = posts.recv_timeout(patience).unwrap();
    assert!(head.starts_with("POST /hook?key=hunter2 HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("content-type: application/json"), "{head}");
    let (_, taken) = posts.recv_timeout(patience).unwrap();
    assert_eq!(refused, taken, "a refused event comes again, with its id");
    until("nothing waits", || waiting(&home) == 0);
    let (code, said) = served.stop("TERM");
    assert_eq!(code, 0);
    assert!(said.contains("was not received") && !said.contains("hunter2"), "{said}");
}

/// SEM-EVENT-8
#[test]
fn events_off_ends_them() {
    let home = Home::with_vault();
    let said = home.run(&["events", "ls"]).expect(0);
    assert!(said.text().is_empty() && said.err.contains("serve --events"), "{}", said.err);
    home.put("a", "one");
    assert_eq!(waiting(&home), 0);
    let path = script(&home, "exit 1");
    let served = serve(&home, &format!("exec:{}", path.display()));
    home.put("b", "one");
    until("it waits", || waiting(&home) == 1);
    home.run(&["events", "off"]).expect(0);
    home.put("c", "one");
    assert_eq!((waiting(&home), &listed(&home)["IsOn"]), (0, &Value::from(false)));
    assert_eq!(served.stop("TERM").0, 0);
    home.put("d", "one");
    assert_eq!(waiting(&home), 0);
}

#[test]
fn what_is_no_receiver_is_refused_before_the_vault_is_opened() {
    let home = Home::with_vault();
    for odd in ["exec:receive", "https://user:hunter2@host/", "ftp://host/", "file:"] {
        let said = home.run(&["serve", "--listen", "127.0.0.1:0", "--events", odd]).expect(2);
        assert!(said.err.contains("--events") && !said.err.contains("hunter2"), "{}", said.err);
    }
}
