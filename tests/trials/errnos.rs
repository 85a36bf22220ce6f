//! What the built command says for every number that the system may answer with (rules MSG). `strace` gives the
//! answers, from a chosen call on; `messages.rs` tries the library with many more calls.

use crate::cmd::{BINARY, Home, Said, feed, tree};
use crate::common::folder::copy;
use std::path::{Path, PathBuf};

/// What is stored, and what `put` would store. A command that fails does not tell it.
const VALUE: &str = "canary-3fQ9-not-to-be-told";

/// The numbers of the table of `messages.rs`, by the names that `strace` knows.
#[rustfmt::skip]
const ERRNOS: [&str; 26] = [
    "EPERM", "ENOENT", "EIO", "EBADF", "EAGAIN", "ENOMEM", "EACCES", "EBUSY", "EEXIST", "ENOTDIR", "EISDIR",
    "EINVAL", "ENFILE", "EMFILE", "ETXTBSY", "EFBIG", "ENOSPC", "EROFS", "EMLINK", "EDEADLK", "ENAMETOOLONG",
    "ENOLCK", "ENOSYS", "ELOOP", "EOPNOTSUPP", "EDQUOT",
];

/// Each command with the calls that fail in it, from the nth on. The first one is refused with every number.
#[rustfmt::skip]
const TRIED: [(&str, &[(&str, u32)]); 9] = [
    ("init", &[("mkdirat", 1), ("openat", 8)]),
    ("get a", &[("openat", 1), ("pread64", 1)]),
    ("put a -", &[("fdatasync", 1), ("pwrite64", 4)]),
    ("ls", &[("openat", 1), ("statx", 6), ("statx", 1), ("flock", 1)]),
    ("check --deep", &[("pread64", 8), ("openat", 20)]),
    ("rm a --now", &[("fdatasync", 2), ("pwrite64", 1)]),
    ("repair", &[("openat", 1), ("getdents64", 1)]),
    ("credentials new", &[("fsync", 1)]),
    ("serve --listen TAKEN", &[("pread64", 1), ("openat", 8)]),
];

/// The exit codes of a refusal: 1, unless the number has a meaning of its own at this place.
fn expected(call: &str, nth: u32, errno: &str) -> &'static [i32] {
    match (call, nth, errno) {
        // There is no vault.
        ("statx", 1, "ENOENT") => &[3],
        // Another process has the lock.
        ("flock", _, "EAGAIN") => &[6],
        // A file of the vault is missing, or one that it can do without.
        ("openat", 20, "ENOENT") => &[7, 1],
        _ => &[1],
    }
}

/// A home that can be put back.
struct Stage {
    home: Home,
    /// An address that another program listens on, so that `serve` ends in any case.
    taken: std::net::TcpListener,
}

impl Stage {
    fn new() -> Self {
        let home = Home::with_vault();
        home.put("a", VALUE);
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        std::fs::create_dir(home.path("kept")).unwrap();
        for name in ["data", "config"] {
            copy(&home.path(name), &home.path("kept").join(name));
        }
        Self { home, taken }
    }

    /// Puts the home back: with the vault, or without any for `init`.
    fn set(&self, with_vault: bool) {
        for name in ["data", "config"] {
            let dir = self.home.path(name);
            if dir.exists() {
                std::fs::remove_dir_all(&dir).unwrap();
            }
            if with_vault {
                copy(&self.home.path("kept").join(name), &dir);
            }
        }
    }

    /// The vault, its key, and all that is in it or will be.
    fn places(&self) -> Vec<PathBuf> {
        let vault = self.home.vault();
        let mut places: Vec<PathBuf> = ["keystore.a", "keystore.b", "manifest.a", "manifest.b"]
            .iter()
            .chain(&["LOCK", "reserve", "log", "state"])
            .map(|name| vault.join(name))
            .collect();
        places.extend((0..10).map(|number| vault.join(format!("log/{number:010}.wal"))));
        for dir in [&vault, &self.home.keys()] {
            if dir.exists() {
                places.extend(tree(dir));
            }
            places.push(dir.clone());
        }
        places
    }

    /// Runs a command while its nth `call` for the vault and all after it fail. Says how many did.
    fn run(&self, command: &str, (call, nth): (&str, u32), errno: &str) -> (Said, usize) {
        self.set(command != "init");
        let trace = self.home.path("trace");
        let mut traced = self.home.command("strace");
        traced.args(["-f", "-qq", "-o", trace.to_str().unwrap(), "-e", &format!("trace={call}")]);
        traced.args(["-e", &format!("inject={call}:error={errno}:when={nth}+")]);
        for place in self.places() {
            traced.arg("-P").arg(place);
        }
        traced.arg(&*BINARY);
        let taken = self.taken.local_addr().unwrap().to_string();
        traced.args(command.replace("TAKEN", &taken).split(' '));
        let said = feed(traced, VALUE);
        let failed = std::fs::read_to_string(trace).unwrap().matches("INJECTED").count();
        (said, failed)
    }
}

/// What is wrong with what a command said when it failed.
fn faults(said: &Said, home: &Path) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    let (err, lines) = (&said.err, said.err.lines().count());
    // A vault that is in use or damaged is the one that the command was given.
    let is_of_vault = said.code == 6 || said.code == 7;
    if !is_of_vault && !err.contains(home.to_str().unwrap()) {
        wrong.push("no path");
    }
    // It is a line of its own, or the end of a sentence.
    if lines < 2 && !err.contains("; ") {
        wrong.push("no next step");
    }
    if lines > 3 {
        wrong.push("more than three lines");
    }
    if ["op=", "cause=", "os error", "internal error"].iter().any(|word| err.contains(word)) {
        wrong.push("the words of a program");
    }
    if !err.starts_with("strongroom: ") {
        wrong.push("not said by the command");
    }
    if err.contains(VALUE) || said.out.windows(VALUE.len()).any(|part| part == VALUE.as_bytes()) {
        wrong.push("a value");
    }
    wrong
}

/// MSG-1 to MSG-4. Goal: whatever the system refuses, a command names the place and the next step in three
/// lines at most, and ends with the right code. Method: each of 26 numbers in several calls of each command.
/// `cargo test --test trials errnos -- --nocapture` prints the table.
#[test]
fn every_refusal_of_the_system_is_told_by_every_command() {
    let works = std::process::Command::new("strace").args(["-f", "-qq", "true"]).output();
    if !works.is_ok_and(|output| output.status.success()) {
        println!("SKIP strace does not work here");
        return;
    }
    let told = std::thread::scope(|scope| {
        let parts = TRIED.chunks(TRIED.len().div_ceil(2));
        let threads: Vec<_> = parts.map(|part| scope.spawn(|| try_all(part))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    println!("{told} refusals told");
}

/// Tries all numbers in all calls of some commands. Gives the number of refusals that were told.
fn try_all(tried: &[(&str, &[(&str, u32)])]) -> usize {
    let stage = Stage::new();
    let home = stage.home.path("");
    let mut told = 0;
    for &(command, calls) in tried {
        for (at, &(call, nth)) in calls.iter().enumerate() {
            let mut last = String::new();
            for errno in ERRNOS {
                let (said, failed) = stage.run(command, (call, nth), errno);
                let what = format!("{command}: {call} {nth} {errno}: exit {}", said.code);
                assert!(failed > 0, "{what}: nothing has failed");
                // A command may do without, but each is refused with each number in its first call.
                if said.code == 0 && at > 0 {
                    continue;
                }
                let codes = expected(call, nth, errno);
                assert!(codes.contains(&said.code), "{what}: {}", said.err);
                let wrong = faults(&said, &home);
                assert!(wrong.is_empty(), "{what}: {wrong:?}: {}", said.err);
                told += 1;
                last = said.err;
            }
            println!("{command}, {call} from {nth} on:\n{last}");
        }
    }
    told
}

/// The check of messages can fail.
#[test]
fn a_message_without_path_or_step_would_be_noticed() {
    let home = Path::new("/home/h");
    let said = |code, err: &str| Said { code, out: Vec::new(), err: err.to_owned() };
    assert_eq!(faults(&said(1, "strongroom: /home/h/v cannot be opened\nlook\n"), home), [""; 0]);
    let bare = faults(&said(1, "op=open cause=Permission denied (os error 13)\n"), home);
    assert_eq!(bare.len(), 4, "{bare:?}");
    let long = "strongroom: /home/h/v\nb\nc\nd\n";
    assert_eq!(faults(&said(1, long), home), ["more than three lines"]);
    let told = format!("strongroom: /home/h/v; {VALUE}");
    assert_eq!(faults(&said(1, &told), home), ["a value"]);
}
