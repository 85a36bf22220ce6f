//! A lock and a path are not an identity: deleted locks, swapped folders, copies under a running
//! writer. The rules are ID-1 to ID-9 of `docs/TRIALS.md`.

use crate::cmd::{Home, Said, Served, finish, tree};
use crate::common::folder::copy;
use crate::table::Row;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

pub const ROWS: &[Row] = &[
    Row {
        number: 1,
        people: "delete LOCK while a server runs, then use the command",
        right: "the second is kept out; the holder stops writing and says why; nothing acknowledged is lost",
        test: "identity::t01_a_deleted_lock_lets_nobody_in",
    },
    Row {
        number: 2,
        people: "restore a copy under a running server: mv, cp -a, or a sync tool",
        right: "the server stops writing and says why; neither copy is harmed",
        test: "identity::t02_a_restore_under_a_server_harms_neither_copy",
    },
    Row {
        number: 3,
        people: "rm -rf the folder under a running server, then put",
        right: "503 for the put and the probe, at once; no claim that nothing is lost",
        test: "identity::t03_a_removed_folder_acknowledges_nothing",
    },
    Row {
        number: 7,
        people: "read the pid in LOCK from another container or machine",
        right: "no pid where it would name an unrelated process",
        test: "identity::t07_a_pid_of_another_container_is_not_named",
    },
    Row {
        number: 13,
        people: "link log/ or state/ to another folder",
        right: "refused like a linked file, with the path; the other folder is not touched",
        test: "identity::t13_linked_folders_are_refused",
    },
    Row {
        number: 14,
        people: "keep a vault on a file system without flock or without fsync of folders",
        right: "told as what it is, with the path; a folder that cannot be locked is no obstacle",
        test: "identity::t14_a_file_system_without_locks_or_folder_syncs_is_named",
    },
];

/// How long a holder may take to notice that it is displaced: its timer is below a second.
const NOTICE: Duration = Duration::from_secs(30);

/// A server without signatures.
struct Serving {
    served: Served,
    address: String,
}

impl Serving {
    fn start(home: &Home) -> Self {
        Self::of(home.strongroom(&["serve", "--listen", "127.0.0.1:0", "--auth", "none"]))
    }

    fn of(command: Command) -> Self {
        let served = Served::start(command);
        let url = served.value("AWS_ENDPOINT_URL_SECRETS_MANAGER");
        let address = url.strip_prefix("http://").unwrap().to_owned();
        Self { served, address }
    }

    /// Status and body.
    fn send(&self, head: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(NOTICE)).unwrap();
        let request = format!(
            "{head}Host: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn call(&self, operation: &str, body: &str) -> (u16, String) {
        let head = format!(
            "POST / HTTP/1.1\r\nContent-Type: application/x-amz-json-1.1\r\n\
             X-Amz-Target: secretsmanager.{operation}\r\n"
        );
        self.send(&head, body)
    }

    fn create(&self, name: &str) -> (u16, String) {
        let token = format!("{name:0>32}");
        let body = format!(
            r#"{{"Name":"{name}","SecretString":"of {name}","ClientRequestToken":"{token}"}}"#
        );
        self.call("CreateSecret", &body)
    }

    fn get(&self, name: &str) -> (u16, String) {
        self.call("GetSecretValue", &format!(r#"{{"SecretId":"{name}"}}"#))
    }

    fn ready(&self) -> (u16, String) {
        self.send("GET /readyz HTTP/1.1\r\n", "")
    }

    /// Creates secrets until one is refused. Gives those that were acknowledged, and the refusal.
    fn create_until_refused(&self, prefix: &str) -> (Vec<String>, (u16, String)) {
        let (started, mut acknowledged) = (Instant::now(), Vec::new());
        loop {
            let name = format!("{prefix}{}", acknowledged.len());
            match self.create(&name) {
                (200, _) => acknowledged.push(name),
                refusal => return (acknowledged, refusal),
            }
            assert!(started.elapsed() < NOTICE, "it writes on: {}", acknowledged.len());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it in order. Gives the exit code and what it said after `Ready.`.
    fn stop(self) -> (i32, String) {
        self.served.stop("TERM")
    }
}

fn run_on(home: &Home, vault: &Path, args: &[&str]) -> Said {
    let key = home.key_file();
    let more = ["--vault", vault.to_str().unwrap(), "--key-file", key.to_str().unwrap()];
    home.run(&[args, &more].concat())
}

fn must_hold(home: &Home, vault: &Path, names: &[String]) {
    for name in names {
        let said = run_on(home, vault, &["get", name]).expect(0);
        assert_eq!(said.text().trim_end(), format!("of {name}"));
    }
}

/// The bytes of all files below a folder.
fn bytes(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = tree(dir).into_iter().filter(|path| path.is_file());
    files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// Whether a tool is there; says so if it is not.
fn has(program: &str, args: &[&str]) -> bool {
    let there = Command::new(program).args(args).output().is_ok_and(|tried| tried.status.success());
    if !there {
        println!("SKIP {program} {args:?} does not work here");
    }
    there
}

/// ID-1, ID-4
#[test]
fn t01_a_deleted_lock_lets_nobody_in() {
    let home = Home::with_vault();
    let serving = Serving::start(&home);
    assert_eq!(serving.create("s1").0, 200);
    std::fs::remove_file(home.vault().join("LOCK")).unwrap();
    // What needs the whole vault is kept out. A command that can go through the server does, or is refused.
    for args in [&["repair"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let said = home.run(args).expect(6);
        assert!(said.err.contains("in use"), "{}", said.err);
    }
    let put = crate::cmd::feed(home.strongroom(&["put", "c1", "-", "--create"]), "of c1");
    let (mut acknowledged, (status, why)) = serving.create_until_refused("s2");
    assert_eq!(status, 503, "{why}");
    assert!(why.contains("LOCK was moved or removed"), "{why}");
    let (status, why) = serving.ready();
    assert_eq!(status, 503);
    assert!(why.contains("LOCK was moved or removed"), "{why}");
    assert_eq!(serving.get("s1").0, 200, "reads go on");
    let (_, rest) = serving.stop();
    assert!(!rest.contains("nothing is lost"), "{rest}");
    home.run(&["check", "--deep"]).expect(0);
    acknowledged.push("s1".to_owned());
    if put.code == 0 {
        acknowledged.push("c1".to_owned());
    }
    must_hold(&home, &home.vault(), &acknowledged);
}

/// ID-2, ID-4, ID-5
#[test]
fn t02_a_restore_under_a_server_harms_neither_copy() {
    let home = Home::with_vault();
    home.put("old", "value");
    let (vault, backup, old) = (home.vault(), home.path("backup"), home.path("old"));
    copy(&vault, &backup);

    let serving = Serving::start(&home);
    let before: Vec<String> = (0..20).map(|number| format!("before{number}")).collect();
    assert!(before.iter().all(|name| serving.create(name).0 == 200));
    std::fs::rename(&vault, &old).unwrap();
    copy(&backup, &vault);
    let restored = bytes(&vault);
    let (after, (status, why)) = serving.create_until_refused("after");
    assert_eq!(status, 503, "{why}");
    assert!(why.contains("strongroom was replaced"), "{why}");
    assert_eq!(serving.get("before0").0, 200, "reads go on");
    serving.stop();
    assert!(bytes(&vault) == restored, "the server wrote into the copy");
    run_on(&home, &old, &["check", "--deep"]).expect(0);
    must_hold(&home, &old, &[before, after].concat());
    // The copy is older than what its anchor knows: it is told, and whole once that is accepted.
    home.run(&["check", "--deep"]).expect(7);
    home.run(&["check", "--deep", "--accept-rollback"]).expect(0);
    assert_eq!(home.run(&["get", "old", "--accept-rollback"]).expect(0).out, b"value");
    assert_eq!(home.get("old"), b"value");
}

/// ID-4, ID-5: the folder stays, its files are exchanged one by one.
#[test]
fn t02_files_that_a_sync_tool_exchanges_are_not_written() {
    let home = Home::with_vault();
    home.put("old", "value");
    let (vault, backup) = (home.vault(), home.path("backup"));
    copy(&vault, &backup);
    let serving = Serving::start(&home);
    assert_eq!(serving.create("s1").0, 200);
    for name in ["manifest.a", "manifest.b"] {
        std::fs::copy(backup.join(name), vault.join(".tmp")).unwrap();
        std::fs::rename(vault.join(".tmp"), vault.join(name)).unwrap();
    }
    let (_, (status, why)) = serving.create_until_refused("s2");
    assert_eq!(status, 503, "{why}");
    assert!(why.contains("manifest.a was replaced"), "{why}");
    assert_eq!(serving.ready().0, 503);
    serving.stop();
    for name in ["manifest.a", "manifest.b"] {
        let (found, copied) = (vault.join(name), backup.join(name));
        assert_eq!(std::fs::read(found).unwrap(), std::fs::read(copied).unwrap(), "{name}");
    }
}

/// ID-1, ID-4: an older log in its place.
#[test]
fn t02_a_log_that_is_exchanged_is_not_written() {
    let home = Home::with_vault();
    let (log, backup) = (home.vault().join("log"), home.path("log"));
    copy(&log, &backup);
    home.put("s1", "of s1");
    let serving = Serving::start(&home);
    std::fs::rename(&log, home.path("newer")).unwrap();
    copy(&backup, &log);
    let older = bytes(&log);
    let (mut acknowledged, (status, why)) = serving.create_until_refused("s2");
    assert_eq!(status, 503, "{why}");
    assert!(why.contains("log was replaced"), "{why}");
    serving.stop();
    assert!(bytes(&log) == older, "the server wrote into the older log");
    std::fs::remove_dir_all(&log).unwrap();
    std::fs::rename(home.path("newer"), &log).unwrap();
    home.run(&["check", "--deep"]).expect(0);
    acknowledged.push("s1".to_owned());
    must_hold(&home, &home.vault(), &acknowledged);
}

/// ID-4, ID-6
#[test]
fn t03_a_removed_folder_acknowledges_nothing() {
    let home = Home::with_vault();
    let serving = Serving::start(&home);
    assert_eq!(serving.create("s1").0, 200);
    std::fs::remove_dir_all(home.vault()).unwrap();
    // The first put already: the file that it reached has no name any more.
    let (status, why) = serving.create("s2");
    assert_eq!(status, 503, "{why}");
    assert!(why.contains("moved or removed"), "{why}");
    let (status, why) = serving.ready();
    assert_eq!(status, 503);
    assert!(why.contains("moved or removed"), "{why}");
    assert_eq!(serving.get("s1").0, 200, "reads go on");
    let (_, rest) = serving.stop();
    assert!(rest.contains("moved or removed") && !rest.contains("nothing is lost"), "{rest}");
    assert!(!home.vault().exists(), "it made something again");
}

/// ID-7
#[test]
fn t07_a_pid_of_another_container_is_not_named() {
    let home = Home::with_vault();
    let lock = home.vault().join("LOCK");
    let holder = std::fs::File::open(home.vault()).unwrap();
    holder.lock().unwrap();
    let named = |note: &str| {
        std::fs::write(&lock, note).unwrap();
        home.run(&["repair"]).expect(6).err.contains("pid=")
    };
    // What another machine, another container and an earlier version leave.
    assert!(!named("4242\nanother-start-of-a-machine pid:[4026531836]\n"));
    assert!(named("4242\n"), "an earlier version says no more");
    assert!(!named("no number\n"));
    holder.unlock().unwrap();
    drop(holder);
    // With real namespaces, where they can be made.
    if has("unshare", &["--pid", "--fork", "true"]) {
        let mut command = home.command("unshare");
        command.args(["--pid", "--fork", "--kill-child", &crate::cmd::BINARY]);
        command.args(["serve", "--listen", "127.0.0.1:0", "--auth", "none"]);
        let serving = Serving::of(command);
        let said = home.run(&["repair"]).expect(6);
        assert!(said.err.contains("in use") && !said.err.contains("pid="), "{}", said.err);
        drop(serving);
        // What ran in the namespace ends a little later.
        home.run(&["repair", "--wait", "60"]).expect(0);
    }
    let serving = Serving::start(&home);
    let said = home.run(&["repair"]).expect(6);
    assert!(said.err.contains(&format!("pid={}", serving.served.id())), "{}", said.err);
}

/// ID-3
#[test]
fn t13_linked_folders_are_refused() {
    for name in ["log", "state"] {
        let home = Home::with_vault();
        home.put("s1", "x");
        let (inside, elsewhere) = (home.vault().join(name), home.path("elsewhere"));
        std::fs::rename(&inside, &elsewhere).unwrap();
        symlink(&elsewhere, &inside).unwrap();
        let before = bytes(&elsewhere);
        for args in [&["get", "s1"][..], &["check"], &["serve", "--listen", "127.0.0.1:0"]] {
            let said = home.run(args).expect(1);
            let path = inside.display().to_string();
            assert!(
                said.err.contains(&path) && said.err.contains("link"),
                "{args:?}: {}",
                said.err
            );
        }
        assert!(bytes(&elsewhere) == before, "{name}: something was written elsewhere");
    }
}

/// ID-8
#[test]
fn t14_a_file_system_without_locks_or_folder_syncs_is_named() {
    if !has("strace", &["-f", "-e", "trace=flock", "true"]) {
        return;
    }
    let home = Home::with_vault();
    home.put("s1", "x");
    let traced = |inject: &str, args: &[&str]| {
        let mut command = home.command("strace");
        command.args(["-f", "-o", "/dev/null", "-e", &format!("inject={inject}")]);
        command.arg(crate::cmd::BINARY.as_str()).args(args);
        finish(command.spawn().unwrap())
    };
    let lock = home.vault().join("LOCK");
    for errno in ["ENOLCK", "EOPNOTSUPP", "ENOSYS"] {
        // Not even LOCK can be locked.
        let said = traced(&format!("flock:error={errno}"), &["ls"]).expect(1);
        assert!(said.err.contains(&lock.display().to_string()), "{errno}: {}", said.err);
        assert!(!said.err.contains("disk failed"), "{errno}: {}", said.err);
    }
    for errno in ["EBADF", "ENOLCK", "EOPNOTSUPP"] {
        // A network file system that locks files, but not folders.
        traced(&format!("flock:error={errno}:when=1"), &["get", "s1"]).expect(0);
    }
    // A file system that has no fsync of folders: fsync is made to say so for a command that makes a file of
    // the log (fdatasync is another call, so the frames themselves are synced).
    let mut command = home.command("strace");
    command.args(["-f", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EINVAL"]);
    command.args(["-P", home.vault().join("log").to_str().unwrap()]);
    command.arg(crate::cmd::BINARY.as_str()).args(["put", "s2", "-", "--create"]);
    let said = crate::cmd::feed(command, "x");
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("folder") && !said.err.contains("disk failed"), "{}", said.err);
}

/// ID-9: sled's file is locked by another process, so the state is neither damaged nor ours.
#[test]
fn a_state_that_another_process_has_open_is_left_alone() {
    let home = Home::with_vault();
    home.put("s1", "of s1");
    let state = home.vault().join("state");
    let holder = std::fs::File::open(state.join("db")).unwrap();
    holder.lock().unwrap();
    let before = bytes(&state);
    home.put("s2", "of s2");
    must_hold(&home, &home.vault(), &["s1".to_owned(), "s2".to_owned()]);
    assert!(bytes(&state) == before, "the state was written");
    assert!(!home.vault().join("state.aside").exists(), "the state was taken for damage");
    holder.unlock().unwrap();
    must_hold(&home, &home.vault(), &["s1".to_owned(), "s2".to_owned()]);
    home.run(&["check", "--deep"]).expect(0);
}
