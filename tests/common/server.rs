//! The real server binary as a child process, with its own folder and home.

use super::exports::Exports;
use super::http::Client;
use super::sigv4::Keys;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

pub const BIN: &str = env!("CARGO_BIN_EXE_strongroom");

/// A home folder with a vault in it. Removed when dropped.
pub struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn vault(&self) -> PathBuf {
        self.path().join("vault")
    }

    /// The command with a clean environment that knows only this home.
    pub fn command_of(&self, binary: &Path) -> Command {
        let mut command = Command::new(binary);
        command.env_clear();
        for name in ["PATH", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("HOME", self.path()).env("STRONGROOM_VAULT", self.vault());
        command
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.command_of(Path::new(BIN));
        command.args(args).stdin(Stdio::null());
        command
    }

    /// Runs the command and waits for it.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The content of the vault's only key file.
    pub fn key_file(&self) -> Vec<u8> {
        let keys = self.path().join(".config/strongroom/keys");
        let entry = std::fs::read_dir(&keys)
            .unwrap()
            .map(Result::unwrap)
            .find(|entry| entry.path().extension().is_some_and(|end| end == "key"))
            .expect("a server made a key file");
        std::fs::read(entry.path()).unwrap()
    }

    /// Credentials of another account, created while no server runs. The caller sets the region.
    pub fn another_account(&self, account: &str) -> Keys {
        let made = self.run(&["credentials", "new", "--account", account]);
        let said = String::from_utf8(made.stdout).unwrap();
        let keys = Exports::of(said.lines()).keys_if_any();
        assert!(!keys.secret_access_key.is_empty(), "{said}");
        keys
    }

    pub fn serve(&self) -> Server {
        self.serve_with(Path::new(BIN), &[])
    }

    pub fn serve_with(&self, binary: &Path, args: &[&str]) -> Server {
        let mut command = self.command_of(binary);
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        if !args.contains(&"--no-print-credentials") {
            command.arg("--print-credentials");
        }
        command.args(args);
        Server::start(command)
    }
}

/// A running server. Killed when dropped.
pub struct Server {
    pub child: Child,
    pub host: String,
    pub exports: Exports,
    /// The output before the server was ready.
    pub said: Vec<String>,
    pub keys: Keys,
}

impl Server {
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (send, lines) = mpsc::channel();
        // The pipe is read to its end; otherwise the server would block when the pipe is full.
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let mut said = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.trim() == "Ready." => break,
                Ok(line) => said.push(line),
                Err(_) => {
                    let _ = child.kill();
                    panic!("the server never said Ready.; it said:\n{}", said.join("\n"));
                }
            }
        }
        let exports = Exports::of(said.iter().map(String::as_str));
        Self { child, host: exports.host(), keys: exports.keys_if_any(), exports, said }
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.host, &self.keys).unwrap()
    }

    /// `kill -9`, without draining or closing.
    pub fn kill9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the exit code.
    pub fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
