//! Garbage, other users, sockets that somebody planted, links, files that stayed behind.

use super::{hold, serve, socket};
use crate::cmd::{BINARY, Home, chmod, finish};
use crate::common::rng::Rng;
use crate::common::server::Server;
use crate::common::{child_of, child_task};
use crate::ground::{AMY, Ground, ROOT, has_mounts, has_users};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const NOBODY: u32 = 65_534;

/// The hello that a command sends.
pub(super) fn hello(vault: &Path) -> Vec<u8> {
    hello_of(strongroom::__internals::vault::peek_id(vault).unwrap().0, vault)
}

fn hello_of(id: [u8; 16], vault: &Path) -> Vec<u8> {
    let folder = std::fs::metadata(vault).unwrap();
    let mut bytes = b"strghld\x01".to_vec();
    bytes.extend_from_slice(&id);
    bytes.extend_from_slice(&folder.dev().to_le_bytes());
    bytes.extend_from_slice(&folder.ino().to_le_bytes());
    bytes
}

fn request(task: &[u8], value: Option<&[u8]>) -> Vec<u8> {
    let value_len = value.map_or(u32::MAX, |value| value.len() as u32);
    let mut bytes = (task.len() as u32).to_le_bytes().to_vec();
    bytes.extend_from_slice(&value_len.to_le_bytes());
    bytes.extend_from_slice(task);
    bytes.extend_from_slice(value.unwrap_or_default());
    bytes
}

/// Sends bytes and gives all that comes back.
fn say(socket: &Path, bytes: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let _refused = stream.write_all(bytes);
    let _closed = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer);
    answer
}

/// SOCK-6: whatever is sent, only that connection ends.
#[test]
fn garbage_ends_its_own_connection_and_nothing_else() {
    let home = Home::with_vault();
    home.put("n", "v");
    let mut server = serve(&home);
    let (socket, hello) = (socket(&home), hello(&home.vault()));
    const GO_ON: &[u8] = b"strghld\x01\x00";
    let with = |more: &[u8]| [&hello[..], more].concat();
    let list = br#"{"task":"Credentials","json":false}"#;
    let put = |token: &str, binary: bool| {
        format!(
            r#"{{"task":{{"Put":{{"place":{{"account":"000000000000","region":"us-east-1"}},"name":"g","stages":[],"token":"{token}","create":true,"is_binary":{binary}}}}},"json":false}}"#
        )
    };
    let uuid = "00000000-0000-4000-8000-000000000000";
    // A request as it should be, so that the others fail for their own reason.
    let answer = say(&socket, &with(&request(list, None)));
    assert!(answer.starts_with(GO_ON) && answer.windows(4).any(|part| part == b"AKIA"));
    let big = vec![b' '; (1 << 20) + 1];
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("zeros", vec![0; 100_000]),
        ("half a hello", hello[..20].to_vec()),
        ("no request", hello.clone()),
        ("half of the lengths", with(&[1, 0, 0])),
        ("a huge task", with(&[0xff; 8])),
        ("a huge value", with(&[2, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, b'{', b'}'])),
        ("a task that never comes", with(&[0, 0, 16, 0, 0xff, 0xff, 0xff, 0xff])),
        ("a task that is too long", with(&request(&big, None))),
        (
            "a value that is too long",
            with(&request(put(uuid, true).as_bytes(), Some(&[1; 65_537]))),
        ),
        ("an empty value", with(&request(put(uuid, true).as_bytes(), Some(b"")))),
        ("no value", with(&request(put(uuid, true).as_bytes(), None))),
        ("a text that is none", with(&request(put(uuid, false).as_bytes(), Some(&[0xff, 0xfe])))),
        ("a value that nobody wants", with(&request(list, Some(b"value")))),
        ("no JSON", with(&request(b"\xff\x00{", None))),
        ("another task", with(&request(br#"{"task":"Shutdown","json":false}"#, None))),
        ("one more member", with(&request(br#"{"task":"Credentials","json":false,"x":1}"#, None))),
        ("deep JSON", with(&request("[".repeat(1 << 19).as_bytes(), None))),
    ];
    for (what, bytes) in &cases {
        let answer = say(&socket, bytes);
        assert!(answer.is_empty() || answer == GO_ON, "{what}: {answer:?}");
    }
    // Another vault, another folder, another version: told, and nothing more.
    for (at, verdict) in [(8, 1), (24, 1), (32, 1), (7, 4)] {
        let mut other = hello.clone();
        other[at] ^= 0x10;
        let answer = say(&socket, &[&other[..], &request(list, None)].concat());
        assert_eq!(answer, [&b"strghld\x01"[..], &[verdict]].concat());
    }
    let mut rng = Rng::new(9);
    for _ in 0..200 {
        let mut bytes = with(&request(list, None));
        for _ in 0..rng.range(1..6) {
            let at = rng.range(0..bytes.len() as u64) as usize;
            bytes[at] ^= 1 << rng.range(0..8);
        }
        bytes.truncate(rng.range(0..bytes.len() as u64 + 1) as usize);
        say(&socket, &bytes);
    }
    home.run(&["get", "g"]).expect(3);
    assert_eq!(home.get("n"), b"v");
    assert!(server.child.try_wait().unwrap().is_none());
    assert_eq!(server.stop(), Some(0));
}

/// A secret of the vault's own account cannot be asked for: no request can name that account.
#[test]
fn no_request_reads_the_key_pairs_as_secrets() {
    let home = Home::with_vault();
    let server = serve(&home);
    let id =
        home.run(&["credentials", "ls"]).expect(0).text().split('\t').next().unwrap().to_owned();
    let task = format!(
        r#"{{"task":{{"Get":{{"place":{{"account":"strongroom","region":"credentials"}},"name":"{id}","version":null,"stage":null}}}},"json":false}}"#
    );
    let answer =
        say(&socket(&home), &[hello(&home.vault()), request(task.as_bytes(), None)].concat());
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.contains("ResourceNotFoundException"), "{answer}");
    drop(server);
}

/// Runs a task of `nobody` as that user, in a copy of this test binary in `open`: the folder of the original may
/// be private. `None`: this user cannot become another one.
fn as_nobody(open: &Path, task: &str) -> Option<Command> {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("SKIP: only root can run a child as another user");
        return None;
    }
    chmod(open, 0o777);
    let copy = open.join("tests");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    chmod(&copy, 0o755);
    let mut command = child_of(&copy, "socket::hostile::nobody", task);
    command.current_dir(open).uid(NOBODY).gid(NOBODY).stdin(Stdio::null());
    Some(command)
}

/// Not a test: what the other user does.
#[test]
fn nobody() {
    let Some(task) = child_task() else { return };
    let (what, path) = task.split_once(' ').unwrap();
    match what {
        "ask" => {
            let (path, hello) = path.split_once(' ').unwrap();
            let hello: Vec<u8> = hex::decode(hello).unwrap();
            let bytes = [hello, request(br#"{"task":"Credentials","json":false}"#, None)].concat();
            assert_eq!(say(Path::new(path), &bytes), b"", "the holder spoke to another user");
        }
        "listen" => {
            let listener = UnixListener::bind(path).unwrap();
            std::fs::write(format!("{path}.ready"), "").unwrap();
            loop {
                let (mut stream, _) = listener.accept().unwrap();
                let mut byte = [0];
                if stream.read_exact(&mut byte).is_ok() {
                    std::fs::write(format!("{path}.told"), byte).unwrap();
                }
            }
        }
        _ => panic!("{what}"),
    }
}

/// SOCK-3: the holder speaks to its own user only, even where the modes are wide open.
#[test]
fn another_user_is_not_answered() {
    let home = Home::with_vault();
    let server = serve(&home);
    let socket = socket(&home);
    // By way of root, whoever it is, since the folders of this home are private.
    let open = [home.path("."), home.path("data"), home.vault(), socket.clone()];
    open.iter().for_each(|path| chmod(path, 0o777));
    let task = format!("ask {} {}", socket.display(), hex::encode(hello(&home.vault())));
    let ground = tempfile::tempdir().unwrap();
    if let Some(mut command) = as_nobody(ground.path(), &task) {
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("1 passed"), "{said}");
    }
    chmod(&home.vault(), 0o700);
    home.run(&["ls"]).expect(0);
    assert_eq!(server.stop(), Some(0));
}

/// SOCK-3: not even root is answered by the server of another user.
#[test]
fn root_is_not_answered_by_another_users_server() {
    if !has_users() {
        return;
    }
    let ground = Ground::new();
    let server = Server::start(ground.command(AMY, &["serve", "--listen", "127.0.0.1:0"]));
    let socket = ground.vault().join("holder.sock");
    // The name of the key file is the vault's id, in groups.
    let key = ground.key();
    let id = hex::decode(key.file_stem().unwrap().to_str().unwrap().replace('-', "")).unwrap();
    let hello = hello_of(id.try_into().unwrap(), &ground.vault());
    let bytes = [&hello[..], &request(br#"{"task":"Credentials","json":false}"#, None)].concat();
    assert_eq!(say(&socket, &bytes), b"", "the holder spoke to root");
    // Amy is answered by the same bytes' equal, sent by her command.
    assert_eq!(ground.run(AMY, &["get", "a"]).expect(0).out, b"the value");
    ground.run(ROOT, &["get", "a"]).expect(4);
    assert_eq!(server.stop(), Some(0));
}

/// A held vault with something in the place of the socket: exit 6, soon, and with the reason.
#[track_caller]
fn refused(home: &Home, reason: &str) {
    let said = home.feed(&["put", "n", "-", "--create"], "canary-planted").expect(6);
    assert!(said.err.contains("pid=") && said.err.contains(reason), "{}", said.err);
    assert!(!said.err.contains("canary"), "{}", said.err);
}

/// Counts what connects to it, and answers with `answer`.
fn plant(path: &Path, answer: &'static [u8]) -> Arc<AtomicUsize> {
    let listener = UnixListener::bind(path).unwrap();
    let met = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&met);
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            count.fetch_add(1, Ordering::SeqCst);
            let _gone = stream.write_all(answer);
            // It is kept open without a word more.
            std::mem::forget(stream);
        }
    });
    met
}

/// SOCK-3: what a command does not trust gets nothing, and it never hangs.
#[test]
fn a_planted_socket_gets_nothing() {
    let home = Home::with_vault();
    let held = hold(&home);
    let socket = socket(&home);
    let again = || std::fs::remove_file(&socket).unwrap();
    // Somebody of the same user who is no holder.
    plant(&socket, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    refused(&home, "not a strongroom");
    again();
    plant(&socket, b"");
    refused(&home, "does not answer");
    again();
    plant(&socket, b"strghld\x07\x00");
    refused(&home, "another version");
    again();
    plant(&socket, b"strghld\x01\x01");
    refused(&home, "another folder");
    again();
    // A link, which is not followed.
    let elsewhere = home.path("elsewhere");
    let met = plant(&elsewhere, b"strghld\x01\x00");
    symlink(&elsewhere, &socket).unwrap();
    refused(&home, "");
    assert_eq!(met.load(Ordering::SeqCst), 0, "the link was followed");
    again();
    // Files and folders.
    std::fs::write(&socket, "not a socket").unwrap();
    refused(&home, "");
    again();
    std::fs::create_dir(&socket).unwrap();
    refused(&home, "");
    std::fs::remove_dir(&socket).unwrap();
    drop(held);
    home.run(&["ls"]).expect(0);
}

/// SOCK-3: a socket of another user, by its owner or by who listens, gets nothing.
#[test]
fn a_socket_of_another_user_gets_nothing() {
    let home = Home::with_vault();
    let open = tempfile::tempdir().unwrap();
    let theirs = open.path().join("s");
    let task = format!("listen {}", theirs.display());
    let Some(mut command) = as_nobody(open.path(), &task) else { return };
    let mut listener = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !open.path().join("s.ready").exists() {
        assert!(listener.try_wait().unwrap().is_none(), "the other user could not listen");
        std::thread::sleep(Duration::from_millis(10));
    }
    let held = hold(&home);
    let socket = socket(&home);
    std::fs::rename(&theirs, &socket).unwrap();
    refused(&home, "another user");
    // Even if the file is ours: the kernel says who listens.
    std::os::unix::fs::chown(&socket, Some(0), Some(0)).unwrap();
    refused(&home, "another user");
    assert!(!open.path().join("s.told").exists(), "something was sent to another user");
    let _ended = listener.kill();
    let _ended = listener.wait();
    drop(held);
}

/// SOCK-3: what a killed server leaves is in nobody's way, nor are copies of it.
#[test]
fn a_socket_that_stayed_behind_is_in_nobodys_way() {
    let home = Home::with_vault();
    home.put("n", "v");
    serve(&home).kill9();
    assert!(socket(&home).exists());
    assert_eq!(home.get("n"), b"v");
    home.run(&["check", "--deep"]).expect(0);
    home.run(&["repair"]).expect(0);
    let copied = Command::new("cp").arg("-a").arg(home.vault()).arg(home.path("copy")).status();
    assert!(copied.unwrap().success());
    for args in [&["get", "n", "--vault", "copy"][..], &["check", "--deep", "--vault", "copy"]] {
        home.run(args).expect(0);
    }
    // Copies of a vault while its own server runs are vaults of their own.
    let server = serve(&home);
    let copied = Command::new("cp").arg("-a").arg(home.vault()).arg(home.path("second")).status();
    assert!(copied.unwrap().success());
    home.feed(&["put", "n", "-", "--vault", "second"], "second").expect(0);
    assert_eq!(home.get("n"), b"v");
    // A socket that was moved into the folder of a copy answers for its own folder only.
    let held = strongroom::__internals::vault::VaultDir::lock(
        &home.path("second"),
        &strongroom::__internals::vault::Options::default(),
    )
    .unwrap();
    let _none = std::fs::remove_file(home.path("second/holder.sock"));
    std::fs::rename(socket(&home), home.path("second/holder.sock")).unwrap();
    let said = home.run(&["get", "n", "--vault", "second"]).expect(6);
    assert!(said.err.contains("another folder"), "{}", said.err);
    drop(held);
    assert_eq!(server.stop(), Some(0));
    // A folder with nothing but a stale socket can become a vault.
    std::fs::create_dir(home.path("third")).unwrap();
    chmod(&home.path("third"), 0o700);
    drop(UnixListener::bind(home.path("third/holder.sock")).unwrap());
    home.run(&["init", "--vault", "third"]).expect(0);
}

/// SOCK-3: a server takes its place, and does without it where it is taken.
#[test]
fn a_server_replaces_links_and_leaves_files() {
    let home = Home::with_vault();
    let target = home.file("target", "mine");
    symlink(&target, socket(&home)).unwrap();
    let server = serve(&home);
    home.run(&["ls"]).expect(0);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(std::fs::read(&target).unwrap(), b"mine");
    std::fs::write(socket(&home), "mine").unwrap();
    let server = serve(&home);
    no_socket(&server, &["is a file or folder", "move it away"]);
    home.run(&["ls"]).expect(6);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(std::fs::read(socket(&home)).unwrap(), b"mine");
    home.run(&["ls"]).expect(0);
}

/// The server says in one line why no command can go through it, and what to do (MSG-1 to 3).
#[track_caller]
fn no_socket(server: &Server, words: &[&str]) {
    let line = server.said.iter().find(|line| line.contains("holder.sock"));
    let line = line.unwrap_or_else(|| panic!("{:?}", server.said));
    for word in words {
        assert!(line.contains(word), "{word}: {line}");
    }
    assert!(!line.contains("os error"), "{line}");
}

/// SOCK-3, MSG-1 to 3: a socket that cannot be removed, because something is mounted on it.
#[test]
fn a_server_without_a_socket_says_why() {
    if !has_mounts() {
        return;
    }
    let home = Home::with_vault();
    let socket = socket(&home);
    drop(UnixListener::bind(&socket).unwrap());
    let mut command = home.command("unshare");
    let script = "mount --bind \"$0\" \"$0\" && exec \"$@\"";
    command.args(["-m", "sh", "-c", script, socket.to_str().unwrap(), &*BINARY]);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::start(command);
    no_socket(&server, &[socket.to_str().unwrap(), "the system is using it", "fuser"]);
    home.run(&["ls"]).expect(6);
    assert_eq!(server.stop(), Some(0));
}

/// SOCK-3: without `/proc` a path would follow links. So neither side uses its socket, and the server says so.
#[test]
fn a_server_without_proc_does_not_listen() {
    if !has_mounts() {
        return;
    }
    let home = Home::with_vault();
    home.put("n", "v");
    let without_proc = |args: &[&str]| {
        let mut command = home.command("unshare");
        command.args([
            "-m",
            "sh",
            "-c",
            "mount -t tmpfs tmpfs /proc && exec \"$@\"",
            "sh",
            &*BINARY,
        ]);
        command.args(args);
        command
    };
    let server = Server::start(without_proc(&["serve", "--listen", "127.0.0.1:0"]));
    no_socket(&server, &["/proc", "not mounted"]);
    assert!(!socket(&home).exists());
    home.run(&["get", "n"]).expect(6);
    assert_eq!(server.stop(), Some(0));
    let server = serve(&home);
    finish(without_proc(&["get", "n"]).spawn().unwrap()).expect(6);
    assert_eq!(home.get("n"), b"v");
    assert_eq!(server.stop(), Some(0));
    assert_eq!(finish(without_proc(&["get", "n"]).spawn().unwrap()).expect(0).out, b"v");
}
