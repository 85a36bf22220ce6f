//! Many commands at once, writers during a check, and ends of the holder in the middle of it.

use super::hostile::hello;
use super::{serve, socket};
use crate::cmd::{BINARY, Home, finish};
use crate::common::server::Server;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Runs `work` in so many threads at once.
fn at_once(threads: usize, work: impl Fn(usize) + Sync) {
    thread::scope(|scope| {
        for n in 0..threads {
            let work = &work;
            scope.spawn(move || work(n));
        }
    });
}

/// SOCK-5: what people do in two terminals and in scripts.
#[test]
fn sixteen_reads_and_sixteen_writes_at_once_all_succeed() {
    let home = Home::with_vault();
    home.put("shared", "old");
    let server = serve(&home);
    at_once(32, |n| {
        if n % 2 == 0 {
            assert_eq!(home.get("shared"), b"old");
        } else {
            home.put(&format!("own-{n}"), &format!("value-{n}"));
        }
    });
    // A shell that compares two values, and a pipe within one vault.
    let mut command = home.command("bash");
    let script = "diff <(\"$1\" get own-1) <(\"$1\" get own-1) && \"$1\" get own-1 | \"$1\" put b - --create";
    command.args(["-c", script, "bash", BINARY.as_str()]);
    crate::cmd::finish(command.spawn().unwrap()).expect(0);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(home.get("b"), b"value-1");
    for n in (1..32).step_by(2) {
        assert_eq!(home.get(&format!("own-{n}")), format!("value-{n}").as_bytes());
    }
}

/// SOCK-6: a check while others write sees a whole vault, every time.
#[test]
fn a_check_under_writers_finds_no_damage() {
    let home = Home::with_vault();
    let server = serve(&home);
    let is_over = AtomicBool::new(false);
    at_once(5, |n| {
        if n > 0 {
            let mut count = 0;
            while !is_over.load(Ordering::Relaxed) {
                count += 1;
                let big = format!("{count}-").repeat(2_000);
                home.put(&format!("s-{n}-{}", count % 7), &big);
                if count % 5 == 0 {
                    home.run(&["rm", &format!("s-{n}-{}", count % 7), "--now"]).expect(0);
                }
            }
            return;
        }
        for round in 0..8 {
            let args = if round % 2 == 0 { &["check", "--deep"][..] } else { &["check"] };
            let said = home.run(args);
            is_over.store(round == 7 || said.code != 0, Ordering::Relaxed);
            let said = said.expect(0);
            assert!(said.text().starts_with("no damage"), "{}", said.text());
            assert_eq!(said.err, "");
        }
    });
    assert_eq!(server.stop(), Some(0));
    let said = home.run(&["check", "--deep"]).expect(0);
    assert_eq!(said.err, "");
}

/// SOCK-6: a check through the server finds what a check without it finds.
#[test]
fn a_check_through_the_server_finds_damage() {
    let flip = |home: &Home, file: &str, at: u64| {
        use std::os::unix::fs::FileExt;
        let file = home.vault().join(file);
        let file = std::fs::OpenOptions::new().read(true).write(true).open(file).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 0x55], at).unwrap();
    };
    let last_segment = |home: &Home| {
        let mut names: Vec<String> = std::fs::read_dir(home.vault().join("log"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".wal"))
            .collect();
        names.sort();
        format!("log/{}", names.last().unwrap())
    };
    let home = Home::with_vault();
    for n in 0..20 {
        home.put(&format!("n{n}"), "v");
    }
    let server = serve(&home);
    assert_eq!(home.run(&["check"]).expect(0).err, "");
    flip(&home, "keystore.b", 500);
    let said = home.run(&["check"]).expect(0);
    assert!(said.err.contains("file=keystore.b"), "{}", said.err);
    flip(&home, "keystore.b", 500);
    assert_eq!(home.run(&["check", "--deep"]).expect(0).err, "");
    // A frame with others behind it. The state that serves is whole, so nothing is lost.
    for n in 0..5 {
        home.put(&format!("m{n}"), "v");
    }
    let segment = last_segment(&home);
    flip(&home, &segment, 4096 + 200);
    let said = home.run(&["check"]);
    assert!(said.err.contains(&format!("file={segment}")), "{} {}", said.code, said.err);
    assert_eq!(home.get("n3"), b"v");
    flip(&home, &segment, 4096 + 200);
    assert_eq!(home.run(&["check", "--deep"]).expect(0).err, "");
    assert_eq!(server.stop(), Some(0));
    assert_eq!(home.run(&["check", "--deep"]).expect(0).err, "");
}

/// SOCK-8: servers that start and stop in the middle of commands that wait for them.
#[test]
fn commands_survive_the_end_and_the_start_of_a_server() {
    let home = Home::with_vault();
    home.put("shared", "v");
    let is_over = AtomicBool::new(false);
    let done: Vec<usize> = thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|n| {
                let (home, is_over) = (&home, &is_over);
                scope.spawn(move || {
                    let mut count = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        let name = format!("w{n}-{count}");
                        let args = ["put", &name, "-", "--create", "--wait", "60"];
                        home.feed(&args, "v").expect(0);
                        home.run(&["get", "shared", "--wait", "60"]).expect(0);
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        for round in 0..6 {
            let server = starts(&home);
            thread::sleep(Duration::from_millis(200));
            if round % 2 == 0 {
                assert_eq!(server.stop(), Some(0));
            } else {
                server.kill9();
            }
        }
        is_over.store(true, Ordering::Relaxed);
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    for (n, count) in done.into_iter().enumerate() {
        for at in 0..count {
            let said = home.run(&["versions", &format!("w{n}-{at}"), "--all"]).expect(0);
            assert_eq!(said.text().lines().count(), 1, "w{n}-{at} was stored twice");
        }
    }
}

/// A server that waits for its turn.
fn starts(home: &Home) -> Server {
    let args = ["serve", "--listen", "127.0.0.1:0", "--wait", "60"];
    Server::start(home.strongroom(&args))
}

/// A connection to the holder that has said hello, and the verdict.
fn greet(home: &Home) -> (UnixStream, u8) {
    let mut stream = UnixStream::connect(socket(home)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // A holder that is full may have closed it already.
    let _closed = stream.write_all(&hello(&home.vault()));
    let mut verdict = [0; 9];
    stream.read_exact(&mut verdict).unwrap();
    assert!(verdict.starts_with(b"strghld\x01"), "{verdict:?}");
    (stream, verdict[8])
}

/// Takes all 64 places. The holder gives each of them 10 seconds to send its request.
fn fill(home: &Home) -> Vec<UnixStream> {
    (0..64)
        .map(|n| {
            let (stream, verdict) = greet(home);
            assert_eq!(verdict, 0, "connection {n}");
            stream
        })
        .collect()
}

/// SOCK-5: 64 at once and not one more; a command that finds no place tries again for 5 seconds.
#[test]
fn the_holder_has_64_places_and_a_command_waits_for_one() {
    let home = Home::with_vault();
    home.put("n", "v");
    let server = serve(&home);
    let all = fill(&home);
    for _ in 0..200 {
        let (mut refused, verdict) = greet(&home);
        assert_eq!(verdict, 2);
        assert_eq!(refused.read(&mut [0]).unwrap_or(0), 0, "a refused connection was kept open");
    }
    let begun = Instant::now();
    let said = home.run(&["get", "n"]).expect(6);
    assert!(said.err.contains("too many go through it at once"), "{}", said.err);
    assert!(begun.elapsed() >= Duration::from_secs(5), "it gave up after {:?}", begun.elapsed());
    drop(all);
    assert_eq!(home.get("n"), b"v");
    // One that leaves in time makes room.
    let mut all = fill(&home);
    let child = home.strongroom(&["get", "n"]).spawn().unwrap();
    thread::sleep(Duration::from_secs(1));
    all.pop();
    assert_eq!(finish(child).expect(0).out, b"v");
    assert_eq!(server.stop(), Some(0));
}

/// SOCK-5, CONN-1: the connections of commands and those over HTTP together stay below the files that the
/// server may open.
#[test]
fn a_server_of_few_files_has_room_for_commands_and_connections() {
    const FILES: usize = 200;
    let home = Home::with_vault();
    home.put("n", "v");
    let mut command = home.command("sh");
    let script = format!("ulimit -n {FILES}; exec \"$0\" serve --listen 127.0.0.1:0");
    command.args(["-c", &script, &*BINARY]);
    let server = Server::start(command);
    let open = || std::fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap().count();
    let silent: Vec<_> = (0..150).map(|_| UnixStream::connect(socket(&home)).unwrap()).collect();
    let web: Vec<_> = (0..150).map(|_| TcpStream::connect(&server.host).unwrap()).collect();
    // Both are accepted within this time; what has no place is closed or waits in the system's queue.
    let mut most = 0;
    for _ in 0..100 {
        most = most.max(open());
        thread::sleep(Duration::from_millis(10));
    }
    assert!(most > 90, "only {most} files were open, so nothing was tried");
    assert!(most < FILES - 40, "{most} files were open");
    drop((silent, web));
    assert_eq!(home.run(&["get", "n", "--wait", "60"]).expect(0).out, b"v");
    home.run(&["check", "--deep", "--wait", "60"]).expect(0);
    assert_eq!(server.stop(), Some(0));
}

/// SOCK-6: whoever connects and says nothing holds up nobody, not even the end of the server.
#[test]
fn silent_connections_hold_up_nobody() {
    let home = Home::with_vault();
    home.put("n", "v");
    let server = serve(&home);
    let connect = || std::os::unix::net::UnixStream::connect(socket(&home)).unwrap();
    let few: Vec<_> = (0..60).map(|_| connect()).collect();
    for _ in 0..5 {
        assert_eq!(home.get("n"), b"v");
    }
    // More than there is room for: they are given up after some seconds, and the command waits that long.
    let many: Vec<_> = (0..300).map(|_| connect()).collect();
    assert_eq!(home.run(&["get", "n", "--wait", "60"]).expect(0).out, b"v");
    assert_eq!(server.stop(), Some(0));
    drop((few, many));
}
