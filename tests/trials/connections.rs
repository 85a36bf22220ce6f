//! Many clients at once, and those that never read.

use crate::cmd::BINARY;
use crate::common::http::{Client, signed};
use crate::common::request::Request;
use crate::common::server::{Home, Server};
use crate::common::sigv4::{Keys, now_seconds};
use crate::common::{child, child_task};
use crate::table::Row;
use rustix::process::{Resource, Rlimit};
use serde_json::json;
use std::io::Write;
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub const ROWS: &[Row] = &[
    Row {
        number: 35,
        people: "110 and 1,000 connections pipeline badly signed requests and never read",
        right: "no good request fails: who stalls gives way, and answers are short",
        test: "connections::t35_clients_that_never_read_lock_nobody_out",
    },
    Row {
        number: 36,
        people: "150 bodies of 1 MiB without a good signature",
        right: "the server grows by less than 64 MiB",
        test: "connections::t36_bodies_without_a_signature_take_little_memory",
    },
    Row {
        number: 37,
        people: "40 parallel costly ListSecrets",
        right: "gets do not wait behind them",
        test: "connections::t37_gets_do_not_wait_behind_lists",
    },
    Row {
        number: 46,
        people: "three programs with 50 sockets and 300 gets each, 300 at once, 200 connections",
        right: "no call is lost, also where the process may open few files",
        test: "connections::t46_ordinary_parallelism_loses_no_call",
    },
];

const TOKEN: &str = "11111111-1111-1111-1111-111111111111";
/// Files that a server of few connections may open; about 100 of them are left for connections.
const FEW_FILES: u64 = 200;

fn open_many_files() {
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}

/// A server that may open `files`, with a secret `a` of the value `v`.
fn serve(home: &Home, files: Option<u64>, args: &[&str]) -> Server {
    let mut command = match files {
        None => home.command_of(BINARY.as_ref()),
        Some(files) => {
            let mut command = home.command_of("sh".as_ref());
            command.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\""), &*BINARY]);
            command
        }
    };
    command.arg("serve");
    command.args(["--listen", "127.0.0.1:0", "--print-credentials"]).args(args);
    let server = Server::start(command);
    let body = json!({"Name": "a", "SecretString": "v", "ClientRequestToken": TOKEN});
    server.client().ok("CreateSecret", &body);
    server
}

fn get(client: &mut Client) -> Result<(), String> {
    let response = client.call("GetSecretValue", &json!({"SecretId": "a"}));
    let response = response.map_err(|error| error.to_string())?;
    if response.status == 200 && response.json()["SecretString"] == "v" {
        return Ok(());
    }
    Err(format!("{} {}", response.status, String::from_utf8_lossy(&response.body)))
}

/// `sockets` threads, each with a connection of its own and `gets` calls on it. The calls that were lost.
fn program(host: &str, keys: &Keys, sockets: usize, gets: usize) -> Vec<String> {
    thread::scope(|scope| {
        let one = || {
            let client = Client::connect(host, keys);
            let Ok(mut client) = client else { return vec!["no connection".to_owned()] };
            (0..gets).filter_map(|_| get(&mut client).err()).collect()
        };
        let threads: Vec<_> = (0..sockets)
            .map(|_| {
                thread::Builder::new().stack_size(256 * 1024).spawn_scoped(scope, one).unwrap()
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    })
}

/// CONN-1, CONN-2, CONN-4. Goal: ordinary programs lose no call. Method: stand-ins for three Node programs
/// with the SDK's 50 sockets, a Go program with 300 calls at once and one with 200 connections, against a
/// server with many places and against one with about 100.
#[test]
fn t46_ordinary_parallelism_loses_no_call() {
    if let Some(task) = child_task() {
        let [host, key, secret] = task.split(' ').collect::<Vec<_>>()[..] else { panic!("{task}") };
        let (access_key_id, secret_access_key) = (key.to_owned(), secret.to_owned());
        let keys = Keys { access_key_id, secret_access_key, region: "us-east-1".into() };
        let lost = program(host, &keys, 50, 6);
        assert!(lost.is_empty(), "{} lost: {:?}", lost.len(), lost.first());
        return;
    }
    open_many_files();
    for files in [None, Some(FEW_FILES)] {
        let home = Home::new();
        let server = serve(&home, files, &[]);
        let Keys { access_key_id, secret_access_key, .. } = &server.keys;
        let task = format!("{} {access_key_id} {secret_access_key}", server.host);
        let name = "connections::t46_ordinary_parallelism_loses_no_call";
        let programs: Vec<_> = (0..3)
            .map(|_| {
                let mut command = child(name, &task);
                command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for program in programs {
            let output = program.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{files:?}: {said}");
        }
        for (sockets, gets) in [(300, 1), (200, 2)] {
            let lost = program(&server.host, &server.keys, sockets, gets);
            assert!(lost.is_empty(), "{files:?}: {} of {sockets}: {:?}", lost.len(), lost.first());
        }
    }
}

/// Connections that send badly signed requests without end, never read, and come back when they are closed.
struct Attack<'a> {
    host: &'a str,
    request: Vec<u8>,
    connections: Vec<Option<TcpStream>>,
}

impl<'a> Attack<'a> {
    fn begin(server: &'a Server, connections: usize) -> Self {
        let mut request = signed(&server.host, &server.keys, "GetSecretValue", "{}", now_seconds());
        // A long header that a refusal might repeat, and a signature that is none.
        let at = request.windows(10).position(|part| part == b"Signature=").unwrap();
        request.splice(at..at + 9, format!("{}Signature", "x".repeat(8000)).into_bytes());
        Self { host: &server.host, request, connections: (0..connections).map(|_| None).collect() }
    }

    /// Lets each connection send until the network takes no more.
    fn round(&mut self, stop: &AtomicBool) {
        for connection in &mut self.connections {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let stream = match connection {
                Some(stream) => stream,
                None => {
                    let Ok(stream) = TcpStream::connect(self.host) else { continue };
                    stream.set_nonblocking(true).unwrap();
                    connection.insert(stream)
                }
            };
            for _ in 0..4 {
                match stream.write(&self.request) {
                    Ok(_) => (),
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                    Err(_) => {
                        *connection = None;
                        break;
                    }
                }
            }
        }
    }
}

/// Runs the attack and good clients beside it. The times of good calls, and what failed.
fn under_attack(
    files: Option<u64>,
    attackers: usize,
    calls: usize,
) -> (Vec<Duration>, Vec<String>) {
    open_many_files();
    let home = Home::new();
    let server = serve(&home, files, &[]);
    let mut attack = Attack::begin(&server, attackers);
    let stop = AtomicBool::new(false);
    attack.round(&stop);
    let (mut times, mut failed) = (Vec::new(), Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                attack.round(&stop);
                thread::sleep(Duration::from_millis(1));
            }
        });
        let mut kept = server.client();
        for call in 0..calls {
            // New connections and one that is kept, in turn.
            let start = Instant::now();
            let outcome = if call % 2 == 0 {
                get(&mut kept)
            } else {
                let fresh = Client::connect(&server.host, &server.keys);
                fresh.map_err(|error| error.to_string()).and_then(|mut client| get(&mut client))
            };
            times.push(start.elapsed());
            if let Err(why) = outcome {
                failed.push(why);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    (times, failed)
}

/// CONN-2, CONN-3, CONN-5, CONN-6. Goal: clients that never read lock nobody out. Method: 110 of them against
/// a server with about 100 places, and 1,000 against an ordinary one; good clients beside them.
#[test]
fn t35_clients_that_never_read_lock_nobody_out() {
    for (files, attackers) in [(Some(FEW_FILES), 110), (None, 1000)] {
        let (_, failed) = under_attack(files, attackers, 60);
        assert!(failed.is_empty(), "{attackers}: {} failed: {:?}", failed.len(), failed.first());
    }
}

/// How long good calls take under the attack of T35. Run it in a release build:
/// `cargo test --release --test trials t35_times -- --ignored --nocapture`
#[test]
#[ignore = "a measurement: \
            `cargo test --release --test trials t35_times -- --ignored --nocapture`"]
fn t35_times() {
    let calls = crate::common::env_number("STRONGROOM_CALLS", 2000) as usize;
    for attackers in [0, 110, 1000] {
        let (mut times, failed) = under_attack(None, attackers, calls);
        times.sort();
        let part = |part: usize| times[(times.len() * part / 1000).min(times.len() - 1)];
        println!(
            "{attackers} attackers: {} failed, p50 {:?}, p99 {:?}, longest {:?}",
            failed.len(),
            part(500),
            part(990),
            part(1000)
        );
    }
}

/// A figure of a process in KiB.
fn memory(server: &Server, name: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// CONN-7. Goal: whoever has no key cannot fill the memory. Method: 150 bodies of 1 MiB whose last byte does
/// not come, unsigned, of an unknown key, and with a wrong signature of a known one; the most memory ever
/// held.
#[test]
fn t36_bodies_without_a_signature_take_little_memory() {
    if !std::path::Path::new("/proc/self/status").exists() {
        println!("SKIP there is no /proc here");
        return;
    }
    let home = Home::new();
    let server = serve(&home, None, &[]);
    let before = memory(&server, "VmHWM");
    let body = "x".repeat(1 << 20);
    let put = Request::call(&server.host, "PutSecretValue", &body);
    let stranger = Keys { access_key_id: "AKIANOBODY".into(), ..server.keys.clone() };
    let wrong = Keys { secret_access_key: "wrong".into(), ..server.keys.clone() };
    for request in [put.clone(), put.clone().signed(&stranger), put.signed(&wrong)] {
        let (head, body) = (request.head(), &request.body[1..]);
        let sent = AtomicUsize::new(0);
        let open: Vec<TcpStream> = thread::scope(|scope| {
            let senders: Vec<_> = (0..150)
                .map(|_| {
                    scope.spawn(|| {
                        let mut stream = TcpStream::connect(&server.host).unwrap();
                        stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
                        // Who waits for room is not read on.
                        let all = stream.write_all(&head).and_then(|()| stream.write_all(body));
                        sent.fetch_add(usize::from(all.is_ok()), Ordering::Relaxed);
                        stream
                    })
                })
                .collect();
            senders.into_iter().map(|sender| sender.join().unwrap()).collect()
        });
        assert!(sent.into_inner() > 0);
        // A good call beside them, and one that needs room itself.
        get(&mut server.client()).unwrap();
        let value = "y".repeat(60_000);
        let body = json!({"SecretId": "a", "SecretString": value, "VersionStages": ["Y"]});
        server.client().ok("PutSecretValue", &with_token(body));
        drop(open);
    }
    let grown = memory(&server, "VmHWM") - before;
    println!("grown by {grown} KiB");
    assert!(grown < 64 * 1024, "{grown} KiB");
}

/// CONN-7. Goal: whoever has no key keeps nobody waiting who needs room. Method: 40 bodies of 1 MiB of which
/// a byte comes every 100 ms: forms, and calls with a wrong signature of a known key; a good call that needs
/// room.
#[test]
fn bodies_that_drip_do_not_hold_the_room() {
    let home = Home::new();
    let server = serve(&home, None, &[]);
    let body = "x".repeat(1 << 20);
    let wrong = Keys { secret_access_key: "wrong".into(), ..server.keys.clone() };
    let put = Request::call(&server.host, "PutSecretValue", &body);
    for request in [Request::form(&server.host, &body), put.signed(&wrong)] {
        let head = request.head();
        let mut open: Vec<TcpStream> = (0..40)
            .map(|_| {
                let mut stream = TcpStream::connect(&server.host).unwrap();
                stream.write_all(&head).unwrap();
                stream
            })
            .collect();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let drip = scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    // Who is refused is gone.
                    open.retain_mut(|stream| stream.write_all(b"x").is_ok());
                    thread::sleep(Duration::from_millis(100));
                }
            });
            // The server has read all the heads.
            thread::sleep(Duration::from_millis(300));
            let value = "y".repeat(60_000);
            let body = json!({"SecretId": "a", "SecretString": value, "VersionStages": ["Y"]});
            let body = with_token(body);
            let asked = Instant::now();
            let answer = server.client().call("PutSecretValue", &body);
            // Those who hold the room until their own time is up do so for 30 s.
            let waited = asked.elapsed();
            stop.store(true, Ordering::Relaxed);
            drip.join().unwrap();
            assert!(waited < Duration::from_secs(25), "{waited:?}");
            assert_eq!(answer.unwrap().status, 200);
        });
    }
}

fn with_token(mut body: serde_json::Value) -> serde_json::Value {
    let token = format!("{:032x}", Instant::now().elapsed().as_nanos() + now_seconds() as u128);
    body["ClientRequestToken"] = token.into();
    body
}

/// Lists that are asked for at once.
const LISTS: usize = 40;
/// Gets beside them, one after the other.
const GETS: usize = 5;

/// CONN-8. Goal: gets do not wait behind lists. Method: 40 clients ask for costly lists without a pause, over
/// 500 secrets with long descriptions, which are split into words for each word that is looked for; none is
/// found, so that the answers cost nothing. How many lists are answered between a get and its answer? With
/// one queue and any number of threads for both, those that were asked for before it, less the threads: over
/// 20 for a get. With a lane of their own, those that end by chance in the time of a get.
#[test]
fn t37_gets_do_not_wait_behind_lists() {
    let home = Home::new();
    let server = serve(&home, None, &["--ephemeral"]);
    let description = "Xy".repeat(150);
    thread::scope(|scope| {
        for worker in 0..10 {
            let (mut client, description) = (server.client(), &description);
            scope.spawn(move || {
                for number in 0..50 {
                    let name = format!("many/{worker}/{number}");
                    let body = json!({"Name": name, "SecretString": "v", "ClientRequestToken": TOKEN,
                        "Description": description});
                    client.ok("CreateSecret", &body);
                }
            });
        }
    });
    let values: Vec<String> = (0..10).map(|number| format!("z{number}")).collect();
    let list = json!({"SortBy": "name", "Filters": [{"Key": "description", "Values": values}]});
    let (listed, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let mut between = 0;
    thread::scope(|scope| {
        let clients: Vec<Client> = (0..LISTS).map(|_| server.client()).collect();
        let mut getter = server.client();
        for mut client in clients {
            let (list, listed, stop) = (&list, &listed, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    client.ok("ListSecrets", list);
                    listed.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        // All have asked once the first one is served for the second time.
        while listed.load(Ordering::SeqCst) < 2 {
            thread::sleep(Duration::from_millis(5));
        }
        for _ in 0..GETS {
            let before = listed.load(Ordering::SeqCst);
            get(&mut getter).unwrap();
            between += listed.load(Ordering::SeqCst) - before;
        }
        stop.store(true, Ordering::SeqCst);
    });
    println!("{between} lists were answered during {GETS} gets");
    assert!(between < 10 * GETS, "{between} lists were answered before {GETS} gets");
}
