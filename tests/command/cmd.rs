//! A home of its own for the real `strongroom` binary: its folders, its variables, no terminal.

use crate::common::exports::Exports;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The binary under test: this build's, or the one that `STRONGROOM_BINARY` names.
pub(crate) static BINARY: LazyLock<String> = LazyLock::new(|| {
    std::env::var("STRONGROOM_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_strongroom").into())
});

/// Longer than anything here takes; a hang is a failure, not a stuck build.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a command ended and what it said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Said {
    /// Standard output as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Fails unless it ended with `code`.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        let Self { code: found, out, err } = &self;
        assert_eq!(*found, code, "out: {}\nerr: {err}", String::from_utf8_lossy(out));
        self
    }
}

/// A home folder with nothing in it.
pub(crate) struct Home {
    root: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    /// A home whose default vault is made, with its own key file.
    pub(crate) fn with_vault() -> Self {
        let home = Self::new();
        home.run(&["init"]).expect(0);
        home
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    pub(crate) fn vault(&self) -> PathBuf {
        self.path("data/strongroom")
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.path("config/strongroom/keys")
    }

    /// The one key file in the keys folder.
    pub(crate) fn key_file(&self) -> PathBuf {
        let mut keys: Vec<PathBuf> = std::fs::read_dir(self.keys())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension() == Some(OsStr::new("key")))
            .collect();
        assert_eq!(keys.len(), 1, "{keys:?}");
        keys.remove(0)
    }

    /// Writes a file of mode 0600 into the home and gives its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        chmod(&path, 0o600);
        path.to_str().unwrap().to_owned()
    }

    /// The command with this home's variables and no others.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.root.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("data"))
            .current_dir(self.root.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// `strongroom` with these arguments, ready to be changed and started.
    pub(crate) fn strongroom(&self, args: &[&str]) -> Command {
        let mut command = self.command(&BINARY);
        command.args(args);
        command
    }

    /// Runs `strongroom` with nothing on standard input.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        finish(self.strongroom(args).spawn().unwrap())
    }

    /// Runs `strongroom` with `input` on standard input.
    #[track_caller]
    pub(crate) fn feed(&self, args: &[&str], input: impl AsRef<[u8]>) -> Said {
        feed(self.strongroom(args), input)
    }

    /// Stores a text value, making the secret, and gives the version id.
    #[track_caller]
    pub(crate) fn put(&self, name: &str, value: &str) -> String {
        let said = self.feed(&["put", name, "-", "--create"], value).expect(0);
        said.text().trim_end().to_owned()
    }

    /// The current value of a secret.
    #[track_caller]
    pub(crate) fn get(&self, name: &str) -> Vec<u8> {
        self.run(&["get", name]).expect(0).out
    }
}

/// Runs `command` with `input` on standard input.
#[track_caller]
pub(crate) fn feed(mut command: Command, input: impl AsRef<[u8]>) -> Said {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.as_ref().to_vec();
    // A command that refuses its input closes the pipe: that is its right.
    let feeder = thread::spawn(move || drop(stdin.write_all(&input)));
    let said = finish(child);
    feeder.join().unwrap();
    said
}

/// Waits for `child`; a hang kills it and fails the test.
#[track_caller]
pub(crate) fn finish(mut child: Child) -> Said {
    let out = child.stdout.take().map(drain);
    let err = child.stderr.take().map(drain);
    let status = wait(&mut child);
    let joined = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
        reader.map(|reader| reader.join().unwrap()).unwrap_or_default()
    };
    Said {
        code: code(status),
        out: joined(out),
        err: String::from_utf8_lossy(&joined(err)).into_owned(),
    }
}

/// Waits for the end of `child` with patience.
#[track_caller]
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it hangs");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// The exit code. Death by a signal is distinguished from the exit code that represents it.
pub(crate) fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| -status.signal().unwrap())
}

fn drain(mut from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        from.read_to_end(&mut all).unwrap();
        all
    })
}

/// A server that is killed when dropped.
pub(crate) struct Served {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// What it said up to `Ready.`, that line not included.
    pub(crate) said: Vec<String>,
}

impl Served {
    /// Starts `command` and waits until it says that it is ready.
    #[track_caller]
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = Vec::new();
        loop {
            let mut line = String::new();
            let len = stderr.read_line(&mut line).unwrap();
            assert!(len > 0, "it ended before it was ready: {said:?}");
            if line == "Ready.\n" {
                return Self { child, stderr, said };
            }
            said.push(line.trim_end().to_owned());
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The printed value of a variable.
    #[track_caller]
    pub(crate) fn value(&self, name: &str) -> String {
        Exports::of(self.said.iter().map(String::as_str)).must(name).to_owned()
    }

    /// Sends a signal. Gives the exit code and what was said after `Ready.`.
    pub(crate) fn stop(mut self, name: &str) -> (i32, String) {
        signal(&self.child, name);
        let status = wait(&mut self.child);
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        (code(status), rest)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Sends a signal by name.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

pub(crate) fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

pub(crate) fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// All files and folders below `dir`, sorted, `dir` itself not among them.
pub(crate) fn tree(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![dir.to_path_buf()];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if std::fs::symlink_metadata(&path).unwrap().is_dir() {
                todo.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    found
}
