//! Two processes on one vault, wrong keys, and permissions under any umask.

use crate::common::search::files_below;
use crate::common::server::{BIN, Home};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_second_process_fails_at_once_and_names_the_first() {
    let home = Home::new();
    let server = home.serve();
    let pid = server.child.id().to_string();
    let started = Instant::now();
    let second = home.run(&["repair"]);
    assert_eq!(second.status.code(), Some(6), "{}", text(&second.stderr));
    assert!(text(&second.stderr).contains(&pid), "{}", text(&second.stderr));
    assert!(started.elapsed() < Duration::from_secs(5));
    // Tested before the key and before the port: neither is looked at.
    let mut wrong = home.command(&["serve", "--listen", &server.host, "--key-file", "/nowhere"]);
    let output = wrong.output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", text(&output.stderr));
    // A kill frees it at once.
    server.kill9();
    let third = home.run(&["check"]);
    assert_eq!(third.status.code(), Some(0), "{}", text(&third.stderr));
}

#[test]
fn with_wait_the_second_process_takes_its_turn() {
    let home = Home::new();
    let server = home.serve();
    let mut waiting = home.command(&["repair", "--wait", "30"]);
    let mut waiting = waiting.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert!(waiting.try_wait().unwrap().is_none(), "it did not wait");
    assert_eq!(server.stop(), Some(0));
    assert_eq!(waiting.wait().unwrap().code(), Some(0));
    let server = home.serve();
    let started = Instant::now();
    let output = home.run(&["repair", "--wait", "1"]);
    assert_eq!(output.status.code(), Some(6), "{}", text(&output.stderr));
    assert!(started.elapsed() >= Duration::from_millis(900), "it gave up early");
    drop(server);
}

#[test]
fn a_wrong_key_is_exit_4() {
    let (home, other) = (Home::new(), Home::new());
    drop(home.serve());
    drop(other.serve());
    let wrong = other.path().join("wrong.key");
    std::fs::write(&wrong, other.key_file()).unwrap();
    std::fs::set_permissions(&wrong, std::fs::Permissions::from_mode(0o600)).unwrap();
    let output = home.run(&["check", "--key-file", wrong.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    // A key file that others can read.
    std::fs::write(&wrong, home.key_file()).unwrap();
    for mode in [0o640, 0o604, 0o666] {
        std::fs::set_permissions(&wrong, std::fs::Permissions::from_mode(mode)).unwrap();
        let output = home.run(&["check", "--key-file", wrong.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(4), "mode {mode:o}: {}", text(&output.stderr));
    }
    std::fs::set_permissions(&wrong, std::fs::Permissions::from_mode(0o600)).unwrap();
    let output = home.run(&["check", "--key-file", wrong.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn files_are_0600_and_folders_0700_under_any_umask() {
    for umask in ["000", "022", "077", "002", "777"] {
        let home = Home::new();
        // The shell's umask is the command's.
        let run = |args: &str| {
            let script = format!("umask {umask}; exec '{BIN}' {args}");
            let mut command = home.command_of(Path::new("/bin/sh"));
            command.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null());
            let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
            use std::io::Write;
            let _ = child.stdin.take().unwrap().write_all(b"a value");
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "umask {umask} {args}: {}", text(&output.stderr));
        };
        run("init");
        run("put modes --create --file -");
        run("get modes");
        // A server too, which keeps credentials, and is killed: its files are as they were live.
        drop(home.serve());
        let config = home.path().join(".config/strongroom");
        let mut seen = 0;
        for root in [home.vault(), config] {
            for path in files_below(&root) {
                assert_eq!(mode(&path), 0o600, "umask {umask}: {path:?}");
                seen += 1;
                for folder in
                    path.ancestors().take_while(|folder| folder.starts_with(&root)).skip(1)
                {
                    assert_eq!(mode(folder), 0o700, "umask {umask}: {folder:?}");
                }
            }
        }
        assert!(seen >= 8, "umask {umask}: only {seen} files");
    }
}
