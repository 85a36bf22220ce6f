//! Many commands at once, writers during a check, and ends of the holder in the middle of it.

use super::{serve, socket};
use crate::cmd::{BINARY, Home};
use crate::common::server::Server;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

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
